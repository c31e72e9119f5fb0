#!/usr/bin/env python3
"""make demo: sandbox, private Redis and service on this machine; relays the sample invoices of two companies and prints what
arrived where. Exit 0 only if the sandbox's ledgers agree. KEEP=1 leaves it serving until Ctrl-C."""

import os
import sys
import time

from relay import ADMIN, Relay, connection_of, remove, temp_folder
from sandbox import Sandbox

SETTINGS = {"poll_interval": "5s", "retry_first": "500ms", "severa_rate": "100", "severa_burst": "20",
            "request_timeout": "10s", "lease": "5s", "beat": "1s"}
REST = {"done", "skipped", "cancelled", "needs_data", "system_fault"}
COMPANIES = {"kajo": "Kajo Ohjelmistotalo Oy", "louhi": "Louhi"}


def transfers(relay, connection):
    found, cursor = [], ""
    while True:
        page = relay.call("GET", f"/v1/transfers?connection={connection}&limit=100{cursor}").json()
        found += page["items"]
        if not page.get("next"):
            return found
        cursor = "&cursor=" + page["next"]


def connect(relay, sandbox):
    for key in COMPANIES:
        for method, path, body in (("POST", "/v1/connections", connection_of(sandbox.setup(key), key)),
                                   ("POST", f"/v1/connections/{key}/activate", {})):
            answer = relay.call(method, path, body)
            if answer.status >= 300:
                sys.exit(f"{method} {path}: {answer.status} {answer.body.decode()}")
        print(f"  {key}: connected and activated: {answer.body.decode()[:160]}")


def wait_until_at_rest(relay, seconds=120):
    """Until each transfer rests, twice in a row with the same number of them."""
    until, before = time.monotonic() + seconds, -1
    while time.monotonic() < until:
        time.sleep(1)
        found = [t for key in COMPANIES for t in transfers(relay, key)]
        busy = [t for t in found if t["state"] not in REST]
        if found and not busy and len(found) == before:
            return
        before = len(found) if not busy else -1
    sys.exit("the transfers did not come to rest: " + relay.tail())



def show(relay, sandbox):
    """The table; answers whether the ledgers agree with what Viesti says."""
    agree = True
    for key in COMPANIES:
        ledger = sandbox.ledger("netvisor", key)
        arrived = {str(d["number"]): d for d in ledger["documents"]}
        print(f"\n{key}: Severa → Netvisor\n{'invoice':>9}  {'state':<13} {'Netvisor key':<13} {'sum':>12}  why")
        done = set()
        for t in sorted(transfers(relay, key), key=lambda t: str(t.get("number") or "")):
            number = str(t.get("number") or "-")
            document = arrived.get(number, {})
            why = (t.get("error") or {}).get("text", "")
            print(f"{number:>9}  {t['state']:<13} {str(document.get('netvisor_key', '-')):<13} "
                  f"{str(document.get('sum', '-')):>12}  {why[:110]}")
            if t["state"] == "done":
                done.add(number)
        agree &= done == set(arrived) and ledger["duplicates"] == 0
        print(f"  {len(done)} done, {len(arrived)} stand in Netvisor, {ledger['duplicates']} doubled")
    return agree


def main():
    folder = temp_folder()
    with Sandbox() as sandbox:
        print("Starting viesti with a private Redis; Severa and Netvisor are played by viesti-sandbox.")
        relay = Relay(folder + "/data", None, sandbox, **SETTINGS)
        try:
            connect(relay, sandbox)
            wait_until_at_rest(relay)
            agree = show(relay, sandbox)
            print("\nThe ledgers agree: nothing lost, nothing doubled." if agree else "\nTHE LEDGERS DIFFER.")
            if os.environ.get("KEEP") == "1":
                print(f"Serving at http://127.0.0.1:{relay.port}/docs (token {ADMIN}), sandbox at {sandbox.url}/_sandbox/ledger; Ctrl-C ends it.")
                try:
                    while relay.alive():
                        time.sleep(1)
                except KeyboardInterrupt:
                    pass
        finally:
            relay.stop()
            remove(folder)
    return 0 if agree else 1


if __name__ == "__main__":
    sys.exit(main())
