#!/usr/bin/env python3
"""make demo: sandbox, private Redis and service on this machine; relays the sample invoices and tasks of four companies by all five
integrations and prints what arrived where. Exit 0 only if the sandbox's ledgers agree. KEEP=1 leaves it serving until Ctrl-C, with companies more that
are not connected yet: README, "First steps", does that by hand."""

import json
import os
import signal
import sys
import time

from sandbox import ROOT
from service import (ADMIN, SECRET, Service, connection_of, maestro_connection_of, maventa_connection_of, spotilla_connection_of,
                     talenom_connection_of)

SETTINGS = {"poll_interval": "5s", "retry_first": "500ms", "severa_rate": "100", "severa_burst": "20",
            "spotilla_rate": "100", "spotilla_burst": "20", "talenom_rate": "100", "talenom_burst": "20",
            "request_timeout": "10s", "lease": "5s", "beat": "1s"}
REST = {"done", "following", "skipped", "cancelled", "needs_data", "system_fault", "waiting"}
ARRIVED = {"done", "following"}  # following: sent, and Maventa is asked what becomes of it
LEFT_OUT = {"skipped", "cancelled"}
# Connection: tenant, source, target, what connects them, settings.
COMPANIES = {"kajo": ("kajo", "Severa", "Netvisor", connection_of, {}), "louhi": ("louhi", "Severa", "Maestro", maestro_connection_of, {}),
             "fjell": ("fjell", "Severa", "Maventa", maventa_connection_of, {"send_pdf": True, "print": {"enabled": True}}),
             "halla": (None, "Severa", "Talenom", talenom_connection_of, {"transfer_times": {"interval_s": 5}}),
             "huolto": ("kajo", "Spotilla", "Procountor", spotilla_connection_of, {})}


def make_company(service):
    """One more, whose accountant is Talenom. A row's account has another VAT percentage there than the row."""
    key, = service.sandbox.tenants(count=1, invoices=8, customers=4, prefix="halla")
    first = service.sandbox.invoices(service.setup(key)["severa"]["client_id"])[0]
    COMPANIES["halla"] = (key, *COMPANIES["halla"][1:])
    service.sandbox.control(f"severa/{key}/invoices/{first['guid']}", "POST", {"rows": [{"salesAccount": {"number": "3010", "name": "Myynti 14 %"}}]})


def connect(service):
    for key, (tenant, source, _, body_of, settings) in COMPANIES.items():
        service.connect(key, tenant, body_of, **settings)
        waiting = service.call("POST", f"/v1/connections/{key}/check").json()["result"]["waiting"]
        service.activate(key)
        print(f"  {key}: connected, checked and activated; {waiting} {'tasks' if source == 'Spotilla' else 'invoices'} wait at {source}")


def wait_until_at_rest(service, seconds=120):
    """Until each transfer rests, twice in a row with the same number of them."""
    until, before = time.monotonic() + seconds, -1
    while time.monotonic() < until:
        time.sleep(1)
        each = [service.transfers(key) for key in COMPANIES]  # tasks come behind the run of their registers
        found = [t for transfers in each for t in transfers]
        soon = [t for t in found if (t.get("error") or {}).get("code") == "not_yet"]  # its agreed time comes in seconds
        busy = [t for t in found if t["state"] not in REST] or soon or not all(each)
        if not busy and len(found) == before:
            return
        before = len(found) if not busy else -1
    sys.exit("the transfers did not come to rest: " + service.relay.tail())


def where(target, document):
    """How a document stands at the target, in a word or two."""
    if target == "Netvisor":
        return str(document.get("netvisor_key", "-"))
    if target == "Maestro":
        codes = [row["code"] for row in document.get("rows", [])]
        return (", ".join(codes) if len(codes) < 3 else f"{len(codes)} rows") or "-"
    if target == "Talenom":
        return f"{document['status'].lower()}, {'paid' if document['paid'] else 'open'}" if document else "-"
    if target == "Procountor":
        return f"{document['invoice_number']}, {document['status'].lower()}" if document else "-"
    form = {"FINVOICE30": "Finvoice", "PEPPOLBIS30": "Peppol"}
    return f"{form[document['format']]}, {document['route'].lower()}" if document else "-"


def why(service, transfer):
    """What is said of a transfer that is not done: its error, or else the last words of its timeline."""
    if transfer["state"] in ARRIVED:
        return ""
    told = (transfer.get("error") or {}).get("text")
    notes = [e.get("text", "") for e in service.call("GET", "/v1/transfers/" + transfer["id"]).json()["timeline"] if not told]
    return told or next((text for text in reversed(notes) if text and text != "Nothing was sent."), "")


def show_company(service, key):
    """The table of one company; answers its line of the table of all."""
    tenant, source, target, _, _ = COMPANIES[key]
    ledger = service.sandbox.ledger(target.lower(), tenant)
    arrived = {str(d["number"]).replace("SPT-", "T-"): d for d in ledger["documents"]}  # a task's number, for people
    transfers = service.transfers(key)
    print(f"\n{key}: {source} → {target}\n{'invoice':>9}  {'state':<13} {'at ' + target:<18} {'sum':>12}  why")
    for t in sorted(transfers, key=lambda t: str(t.get("number") or "")):
        number = str(t.get("number") or "-")
        document = arrived.get(number, {})
        print(f"{number:>9}  {t['state']:<13} {where(target, document):<18} {str(document.get('sum', '-')):>12}  {why(service, t)[:105]}".rstrip())
    done = {str(t.get("number") or "-") for t in transfers if t["state"] in ARRIVED}
    doubled = ledger["duplicates"] + ledger.get("booked_twice", 0)
    return {"key": key, "from": source, "to": target, "seen": len(transfers), "done": len(done), "there": len(arrived), "doubled": doubled,
            "act": sum((t.get("error") or {}).get("actor", "nobody") != "nobody" for t in transfers if t["state"] not in ARRIVED),
            "left": sum(t["state"] in LEFT_OUT for t in transfers), "agrees": done == set(arrived) and doubled == 0}


def show(service):
    """The tables of the companies, and at the end one of all; answers whether the ledgers agree with what Viesti says."""
    lines = [show_company(service, key) for key in COMPANIES]
    print("\nAll five integrations side by side. An invoice is seen at the system on the left, and arrives at the one on the right; one that did "
          "not\narrive needs a person, who is told above what to do, or goes on by itself, or is rightly left out.\n\n"
          f"{'company':<9} {'from':<9} {'to':<11} {'seen':>5} {'arrived':>8} {'needs a person':>15} {'by itself':>10} {'left out':>9} {'doubled':>8}  "
          "the books at the right")
    for n in lines:
        rest = n["seen"] - n["done"] - n["act"] - n["left"]
        print(f"{n['key']:<9} {n['from']:<9} {n['to']:<11} {n['seen']:>5} {n['done']:>8} {n['act']:>15} {rest:>10} {n['left']:>9} {n['doubled']:>8}  "
              f"{'hold the same' if n['agrees'] else 'DIFFER'}: {n['there']}")
    return all(n["agrees"] for n in lines)


def write(name, body):
    path = ROOT / "build/demo" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(body, indent=2) + "\n", encoding="utf-8")
    return path.relative_to(ROOT)


def write_maventa(service):
    """The bodies of README's chapter on Maventa: a company that has no account there, and one that has."""
    known, = service.sandbox.tenants(count=1, invoices=2, customers=2, prefix="known")
    for tenant, name, file, seller in (("kajo", "data", "maventa-new.json", {"iban": "FI2112345600000785"}),
                                       (known, "known", "maventa-known.json", None)):
        body = maventa_connection_of(service.setup(tenant), name, company=None, seller=seller)
        del body["credentials"]["maventa"]
        write(file, body)
    keys = service.setup(known)["maventa"]
    write("maventa-keys.json", {"mode": "connect", "company": keys["vat_number"], "company_uuid": keys["company_uuid"],
                                "user_api_key": keys["user_api_key"]})


def keep(service):
    """Until Ctrl-C or SIGTERM."""
    key, = service.sandbox.tenants(count=1, invoices=3, customers=2, prefix="own")
    body = write("connection.json", connection_of(service.setup(key), "own") | {"webhook_secrets": [SECRET]})
    write_maventa(service)
    books, = service.sandbox.tenants(count=1, invoices=6, customers=6, prefix="books")
    write("talenom.json", talenom_connection_of(service.setup(books), "books", transfer_times={"interval_s": 5}))
    print(f"\nIt serves until Ctrl-C; the API is shown at http://127.0.0.1:{service.relay.port}/docs, what the vendors got at "
          f"{service.sandbox.url}/_sandbox/ledger.\n{body} connects one more company (README, First steps). In "
          f"another terminal:\n\n    V=http://127.0.0.1:{service.relay.port} TOKEN={ADMIN} "
          f"SANDBOX={service.sandbox.url}", flush=True)
    try:
        while service.relay.alive():
            time.sleep(1)
    except KeyboardInterrupt:
        print("\nStopping.", flush=True)


def interrupt(*_args):
    raise KeyboardInterrupt


def main():
    for sig in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sig, interrupt)
    print("Starting viesti with a private Redis; all outside systems are played by viesti-sandbox.", flush=True)
    with Service(private_redis=True, **SETTINGS) as service:
        make_company(service)
        connect(service)
        wait_until_at_rest(service)
        agree = show(service)
        print("\nThe ledgers agree: nothing lost, nothing doubled." if agree else "\nTHE LEDGERS DIFFER.", flush=True)
        if os.environ.get("KEEP") == "1":
            keep(service)
    return 0 if agree else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
