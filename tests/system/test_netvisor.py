"""Netvisor's own rules against the running service: one call at a time per company, and the characters of bodies."""

import pytest

from sandbox import NetvisorClient, in_threads
from service import Service, event, wait_for


@pytest.fixture(scope="module")
def pair():
    """Two relays whose workers are many, so that only the queue keeps Netvisor's calls apart."""
    with Service(relays=2, seed="demo", poll_interval="1h", workers="8", severa_concurrency="64", severa_rate="10000",
                 severa_burst="10000") as s:
        yield s


def known_everywhere(service, key):
    hint = event("x", "nothing.of.note")
    for relay in service.relays:
        wait_for("a relay that knows of " + key, lambda: service.webhook(key, hint, relay=relay).status == 202)


def test_NV_01_one_call_at_a_time_per_company(pair):
    """Twenty invoices each of two companies, hinted to both relays at once; Netvisor takes some time over each call."""
    keys = pair.sandbox.tenants(count=2, prefix="slow", customers=3)
    made = {}
    for key in keys:
        pair.connect(key, key)
        pair.activate(key)
        known_everywhere(pair, key)
        made[key] = [i["guid"] for i in pair.sandbox.add_invoices(key, count=20)]
    pair.sandbox.fault(system="netvisor", kind="latency", latency_ms=5, latency_max_ms=15)
    try:
        hints = [(k, g) for k in keys for g in made[k]]
        in_threads(len(hints), lambda i: pair.webhook(hints[i][0], event(hints[i][1]), relay=pair.relays[i % 2]))
        wait_for("forty invoices", lambda: all(t["state"] == "done" for k in keys for t in pair.transfers(k)), 60)
    finally:
        pair.sandbox.clear_faults()
    for key in keys:
        ledger = pair.sandbox.ledger("netvisor", key)
        assert ledger["overlaps"] == 0 and ledger["duplicates"] == 0 and len(ledger["documents"]) == 20


@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-15"])
def test_NV_01_letters_arrive_in_either_encoding(pair, encoding):
    key, = pair.sandbox.tenants(count=1, prefix="enc" + encoding[:3], customers=1)
    text = "Höylä & Åke – 10 € ½ Łódź"
    pair.connect(key, key, netvisor={"encoding": encoding})
    pair.activate(key)
    made = pair.sandbox.add_invoices(key, invoices=[{"rows": [
        {"description": text, "quantity": 1, "unit_price": 10, "vat_rate": 25.5, "code": ["KONS-01"]}]}])
    pair.webhook(key, event(made[0]["guid"]))
    wait_for("the invoice", lambda: [t["state"] for t in pair.transfers(key)] == ["done"])
    document, = pair.sandbox.ledger("netvisor", key)["documents"]
    got = NetvisorClient(pair.setup(key)["netvisor"])(f"getsalesinvoice.nv?netvisorkey={document['netvisor_key']}")
    assert [x.text for x in got.root.iter() if x.tag.lower() == "productname"] == [text]
