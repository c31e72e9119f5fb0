"""OP-02: connections take turns, processes share the work of one Redis, and a dead process's work goes on elsewhere."""

import datetime
import re
import time

import pytest

from service import Service, event, wait_for

# Vendor limits are raised, so that one connection could fill every worker.
OPEN = {"severa_rate": "100000", "severa_burst": "1000", "severa_concurrency": "64", "netvisor_concurrency": "64",
        "poll_interval": "1h", "log_level": "warn"}


def instant(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


@pytest.fixture
def start():
    """Makes services with tenants of their own: start(relays=2, tenants={...}, VIESTI settings)."""
    made = []

    def make(tenants, relays=1, **settings):
        service = Service(relays=relays, seed="empty", **OPEN | settings)
        made.append(service)
        service.keys = service.sandbox.tenants(registered=True, **tenants)
        for key in service.keys:
            service.connect(key, key)
            service.activate(key)
        return service

    yield make
    for service in made:
        service.stop()


def test_OP_02_fifty_thousand_jobs_of_one_do_not_delay_another(start):
    """50,000 jobs wait on one connection, whose calls take 50 ms and fill every worker: another's job starts within 1 s."""
    service = start({"count": 2, "invoices": 0, "customers": 1})
    crowd, single = service.keys
    client, other = (service.setup(key)["severa"]["client_id"] for key in service.keys)
    assert service.call("POST", f"/v1/connections/{crowd}/pause").status == 200
    service.flood(crowd, 50000)
    service.sandbox.fault(system="severa", kind="latency", latency_ms=50, tenant=client)
    assert service.call("POST", f"/v1/connections/{crowd}/resume").status == 200
    wait_for("the crowd's jobs run", lambda: service.sandbox.requests(system="severa", match="/invoices/", limit=1))
    took = []
    for _ in range(5):
        guid = service.sandbox.add_invoices(other, count=1)[0]["guid"]
        began = time.monotonic()
        transfer = service.webhook(single, event(guid)).json()["transfer"]
        wait_for("the single job is seen at the source",
                 lambda: service.sandbox.requests(system="severa", match=guid), step=0.005)
        took.append(time.monotonic() - began)
        wait_for("the single job is done", lambda: service.call("GET", f"/v1/transfers/{transfer}").json()["state"] == "done")
    left = int(service.redis.cli("ZCARD", f"t:q:c:{crowd}"))
    print(f"starts after {[round(t, 3) for t in took]} s, {left} still wait")
    assert left > 40000
    assert max(took) < 1


def test_OP_02_work_of_a_killed_process_goes_on_within_15_s(start):
    """SIGKILL while three jobs hang: one reads, two write (one of them was carried out). Default lease; the quiet time is 18 s."""
    service = start({"count": 3, "invoices": 0, "customers": 1}, lease="10s", request_timeout="8s", quiet="18s")
    guids = {}
    for key, system, match, commit in zip(service.keys, ("severa", "netvisor", "netvisor"), ("/invoices/", "salesinvoice.nv", "salesinvoice.nv"),
                                          (False, False, True)):
        setup = service.setup(key)
        tenant = setup["severa"]["client_id"] if system == "severa" else setup["netvisor"]["organisation_id"]
        service.sandbox.fault(system=system, match=match, method="GET" if system == "severa" else "POST", kind="hang", tenant=tenant, commit=commit)
        guids[key] = service.sandbox.add_invoices(setup["severa"]["client_id"], count=1)[0]["guid"]
    sent = {key: service.webhook(key, event(guid)).json()["transfer"] for key, guid in guids.items()}
    wait_for("three hanging calls", lambda: sum(f["fired"] for f in service.sandbox.control("faults")) == 3)
    other = service.add_relay()
    began = time.monotonic()
    service.relays[0].kill()

    def state(key):
        return service.call("GET", f"/v1/transfers/{sent[key]}", relay=other).json()

    reader, absent, present = service.keys
    wait_for("the reader's job is done", lambda: state(reader)["state"] == "done", 20)
    took = time.monotonic() - began
    writers = {key: wait_for("a doubt", lambda key=key: (s := state(key))["state"] == "in_doubt" and s, 5) for key in (absent, present)}
    doubted = time.monotonic() - began
    print(f"taken up again after {took:.1f} s, in doubt after {doubted:.1f} s")
    assert took < 15 and doubted < 15
    for key, doubted in writers.items():
        wait_for("a writer's job is done", lambda key=key: state(key)["state"] == "done", 30)
        intent = next(s["intent_at"] for s in doubted["steps"] if s["outcome"] is None)
        looked = [r["at"] for r in service.sandbox.requests(system="netvisor", match="salesinvoice")
                  if r["tenant"] == service.setup(key)["netvisor"]["organisation_id"] and r["method"] == "GET" and r["at"] > intent]
        assert (instant(looked[0]) - instant(intent)).total_seconds() >= 18
        ledger = service.sandbox.ledger("netvisor", key)
        assert [d["times_received"] for d in ledger["documents"]] == [1] and ledger["duplicates"] == 0
    assert service.sandbox.ledger("netvisor", reader)["count"] == 1


def share(relay):
    """The invoices that a relay brought to an end."""
    return {line["job"] for line in relay.log_lines("job") if (line["kind"], line["verdict"]) == ("invoice", "done")}


def test_OP_02_two_processes_share_the_work(start):
    service = start({"count": 8, "invoices": 20, "customers": 3}, relays=2, workers="4", log_level="info", netvisor_concurrency="1")
    service.sandbox.fault(kind="latency", latency_ms=5)
    wait_for("all is relayed", lambda: sum(len(share(r)) for r in service.relays) == 160, 60, 0.1)
    for key in service.keys:
        ledger = service.sandbox.ledger("netvisor", key)
        assert (ledger["count"], ledger["duplicates"], ledger["overlaps"]) == (20, 0, 0), key
    shares = [len(share(r)) for r in service.relays]
    print(f"shares {shares}")
    assert min(shares) > 32


def polls(relay):
    """How many polls it has run to their end."""
    text = relay.call("GET", "/metrics").body.decode()
    return sum(int(n) for n in re.findall(r'^viesti_polls_total\{[^}]*outcome="ok"[^}]*\} (\d+)', text, re.M))


def test_OP_02_polls_need_no_leader(start):
    """Each due poll runs once, whichever process is there; a killed one is not missed."""
    service = start({"count": 3, "invoices": 0, "customers": 1}, relays=2, poll_interval="1s")
    first, second = service.relays
    began, before = time.monotonic(), polls(first) + polls(second)
    wait_for("polls by both", lambda: polls(first) + polls(second) >= before + 12)
    elapsed = time.monotonic() - began
    print(f"12 polls of 3 connections in {elapsed:.1f} s")
    assert 3 <= elapsed
    first.kill()
    killed, before = time.monotonic(), polls(second)
    wait_for("polls by the other alone", lambda: polls(second) >= before + 6, 15)
    print(f"6 more in {time.monotonic() - killed:.1f} s")
    assert time.monotonic() - killed >= 1
