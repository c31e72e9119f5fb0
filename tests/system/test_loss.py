"""OP-03, DESIGN §3 and §4.7: a Redis that lost something it had acknowledged is noticed, whatever lost it; what was sent before
is not sent again, what the vaults know comes back, and a vault that cannot be written stops nothing.

The epoch is made a day old first: a store that is younger than the documents asks the target anyway.
"""

import os
import pathlib
import shutil
import signal
import subprocess
import time

import pytest

from service import Service, event, wait_for

SETTINGS = {"lease": "1500ms", "beat": "300ms", "request_timeout": "2s", "quiet": "4s", "retry_first": "100ms", "retry_cap": "1s",
            "poll_interval": "1h", "severa_rate": "10000", "severa_burst": "1000", "log_level": "warn"}


def cli(service, *words):
    """redis-cli, on the shared Redis or on the relay's own."""
    if service.redis:
        return service.redis.cli(*words)
    socket = service.relay.folder / "redis" / "redis.sock"
    return subprocess.run(["redis-cli", "-s", str(socket), *words], capture_output=True, text=True, check=True).stdout.strip()


def make_old(service):
    cli(service, "HSET", "t:epoch", "born", str(int((time.time() - 86400) * 1000)))
    looks(service)


def looks(service):
    """Each relay has looked at the epoch since: it does when it moves its count, each second."""
    before = {key: int(cli(service, "GET", key)) for key in cli(service, "KEYS", "t:beat:*").split()}
    assert before
    wait_for("the next look at the epoch", lambda: all(int(cli(service, "GET", key)) > n + 1 for key, n in before.items()))


def one_tenant(service, invoices):
    key = service.sandbox.tenants(count=1, invoices=invoices, customers=2, registered=True)[0]
    service.connect(key, key)
    return key


def received(service, key):
    ledger = service.sandbox.ledger("netvisor", key)
    return ledger["duplicates"], [d["times_received"] for d in ledger["documents"]]


@pytest.mark.parametrize("private", [False, True], ids=["shared", "private"])
def test_OP_03_an_older_file_of_redis_sends_nothing_twice(private):
    """The append-only file of before the sending is put back, as a promoted replica or a backup does."""
    with Service(seed="empty", private_redis=private, **SETTINGS) as service:
        key = one_tenant(service, 1)
        held = service.sandbox.fault(system="severa", match="/invoices/", method="GET", kind="status", status=503, count=100000)
        service.sandbox.fault(system="severa", method="PATCH", kind="status", status=503, count=100000)
        make_old(service)
        service.activate(key)
        wait_for("a transfer", lambda: service.transfers(key))
        assert received(service, key) == (0, [])
        folder = pathlib.Path(service.folder) / ("relay0/redis" if private else "redis")
        shutil.copytree(folder / "appendonlydir", folder / "older")
        service.sandbox.clear_faults(held)
        wait_for("it is sent", lambda: received(service, key)[1])
        looks(service)
        service.relay.kill()
        if private:
            wait_for("Redis is gone", lambda: not (folder / "redis.pid").exists() and
                     subprocess.run(["redis-cli", "-s", str(folder / "redis.sock"), "PING"], capture_output=True, check=False).returncode)
        else:
            service.redis.kill()
        shutil.rmtree(folder / "appendonlydir")
        (folder / "older").rename(folder / "appendonlydir")
        if not private:
            service.redis.start()
        service.relay.start()
        wait_for("it is found at the target", lambda: service.transfers(key)[0]["delivered"], 20)
        assert received(service, key) == (0, [1])
        assert service.relay.log_lines("redis_lost_data")[-1]["level"] == "warn"


def test_OP_03_a_webhook_into_an_emptied_redis_sends_nothing_twice():
    """It comes before anybody had a look at Redis: the invoice of long ago stands in the transfer status again."""
    with Service(seed="empty", **SETTINGS) as service:
        key = one_tenant(service, 1)
        make_old(service)
        service.activate(key)
        client = service.setup(key)["severa"]["client_id"]
        wait_for("it is sent", lambda: [t for t in service.transfers(key) if t["state"] == "done"])
        invoice = service.sandbox.invoices(client)[0]["guid"]
        for _ in range(3):
            service.sandbox.change_invoice(client, invoice, status=service.setup(key)["severa"]["transfer_status"])
            cli(service, "FLUSHALL")
            assert service.webhook(key, event(invoice)).status == 202
            wait_for("it is found at the target", lambda: [t for t in service.transfers(key) if t["state"] == "done"], 20)
            assert received(service, key) == (0, [1])
            make_old(service)


def test_OP_03_the_last_change_comes_back_from_whichever_vault_has_it():
    """Of two relays one has missed the last change, and is the first to find Redis empty."""
    with Service(relays=2, seed="empty", **SETTINGS) as service:
        key = one_tenant(service, 0)
        behind, newer = service.relays
        wait_for("both know it", lambda: service.call("GET", "/v1/connections", relay=newer).json()["items"])
        behind.process.send_signal(signal.SIGSTOP)
        head = {"If-Match": "*", "Content-Type": "application/merge-patch+json"}
        assert service.call("PATCH", f"/v1/connections/{key}", {"name": "The last change"}, head, newer).status == 200
        newer.process.send_signal(signal.SIGSTOP)
        cli(service, "FLUSHALL")
        behind.process.send_signal(signal.SIGCONT)
        wait_for("the older vault is put back", lambda: cli(service, "EXISTS", f"t:conn:{key}") == "1")
        newer.process.send_signal(signal.SIGCONT)
        for relay in service.relays:
            wait_for("the last change", lambda r=relay: service.call("GET", f"/v1/connections/{key}", relay=r).json()["name"] == "The last change", 5)
        wait_for("it is told", lambda: [r for r in service.relays if r.log_lines("redis_lost_data")])


def test_OP_03_a_vault_that_cannot_be_written_is_told_and_stops_nothing():
    with Service(seed="empty", **SETTINGS | {"poll_interval": "1s"}) as service:
        key = one_tenant(service, 0)
        service.activate(key)
        blocker = service.relay.folder / "vault.new"
        blocker.mkdir()
        head = {"If-Match": "*", "Content-Type": "application/merge-patch+json"}
        assert service.call("PATCH", f"/v1/connections/{key}", {"name": "Second name"}, head).status == 200
        service.sandbox.add_invoices(service.setup(key)["severa"]["client_id"], count=3)
        wait_for("polls go on", lambda: len(received(service, key)[1]) == 3)
        answer = service.call("GET", "/readyz")
        assert answer.status == 503
        check = next(c for c in answer.json()["checks"] if c["name"] == "vault")
        assert not check["ok"] and "vault" in check["detail"]
        assert [line["level"] for line in service.relay.log_lines("vault_not_written")] == ["warn"]
        blocker.rmdir()
        wait_for("ready again", lambda: service.call("GET", "/readyz").status == 200, 5)
        cli(service, "FLUSHALL")
        wait_for("the change is in the vault", lambda: service.call("GET", f"/v1/connections/{key}").json().get("name") == "Second name", 5)


def test_OP_03_one_record_that_does_not_open_stops_only_itself():
    with Service(seed="empty", **SETTINGS | {"poll_interval": "1s"}) as service:
        key = one_tenant(service, 0)
        service.activate(key)
        bad = one_tenant(service, 0)
        cli(service, "HSET", f"t:conn:{bad}", "sec", "rubbish")
        cli(service, "INCR", "t:conns:ver")
        told = wait_for("it is named", lambda: service.relay.log_lines("connection_not_opened"))
        assert bad in told[0]["text"]
        service.sandbox.add_invoices(service.setup(key)["severa"]["client_id"], count=1)
        wait_for("the other goes on", lambda: received(service, key)[1])
        answer = service.call("GET", "/readyz")
        assert answer.status == 200 and [c["name"] for c in answer.json()["checks"] if not c["ok"]] == ["connections"]


def test_OP_03_a_redis_that_turns_unfit_is_told():
    with Service(seed="empty", **SETTINGS) as service:
        assert service.call("GET", "/readyz").status == 200
        for words in (["maxmemory", "100mb"], ["maxmemory-policy", "allkeys-lru"], ["appendfsync", "everysec"]):
            assert cli(service, "CONFIG", "SET", *words) == "OK"
        wait_for("not ready", lambda: service.call("GET", "/readyz").status == 503, 15, 0.2)
        checks = {c["name"]: c for c in service.call("GET", "/readyz").json()["checks"]}
        assert not checks["redis_settings"]["ok"] and "noeviction" in checks["redis_settings"]["detail"]
        assert checks["redis"]["detail"] == "everysec"
        assert service.relay.log_lines("redis_unfit")
