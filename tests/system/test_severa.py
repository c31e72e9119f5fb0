"""Severa as the service sees it: tokens, pace, registers, and what the connection check says (SV-06, SV-08)."""

import time

import pytest

from sandbox import in_threads
from service import SECRET, Service, connection_of, event, wait_for

# Wide open towards the sandbox, so that sixteen workers of a process meet at once.
CROWD = {"poll_interval": "1h", "workers": "16", "severa_concurrency": "64", "severa_rate": "10000",
         "severa_burst": "10000", "netvisor_concurrency": "1"}


@pytest.fixture(scope="module")
def crowd():
    with Service(relays=2, seed="empty", **CROWD) as s:
        yield s


def tenant(service, name, **spec):
    """A generated tenant with an active connection of its own."""
    key, = service.sandbox.tenants(count=1, prefix=name, **spec)
    service.connect(key, key)
    service.activate(key)
    for relay in service.relays:
        known_to(service, key, relay)
    return key


def known_to(service, key, relay):
    """Waits until the relay's copy of the connections has this one, and has it active."""
    hint = event("x", "nothing.of.note")
    wait_for("a relay that knows of " + key, lambda: service.webhook(key, hint, relay=relay).status == 202)


def ledger(service, key):
    """Of a Severa tenant, by its key or its client id."""
    return next(e for e in service.sandbox.ledger()["severa"] if key in (e["tenant"], e["client_id"]))


def relay_all(service, key, n):
    """n new invoices, hinted to all relays at once; waits until each is done."""
    made = service.sandbox.add_invoices(key, count=n)
    answers = in_threads(n, lambda i: service.webhook(key, event(made[i]["guid"]),
                                                      relay=service.relays[i % len(service.relays)]))
    assert [a.status for a in answers] == [202] * n
    wait_for(f"{n} more invoices", lambda: all(t["state"] == "done" for t in service.transfers(key)), 60)


def test_SV_06_sixteen_workers_of_two_relays_make_one_token_call(crowd):
    """Sixteen connections with one client id, so that Netvisor's one call at a time holds nobody back."""
    keys = crowd.sandbox.tenants(count=16, prefix="token", customers=1)
    setups = [crowd.setup(k) for k in keys]
    client = setups[0]["severa"]["client_id"]
    for key, setup in zip(keys, setups):
        made = crowd.call("POST", "/v1/connections", connection_of(setup | {"severa": setups[0]["severa"]}, key)
                          | {"webhook_secrets": [SECRET]})
        assert made.status == 201, made.body
        crowd.activate(key)
    for relay in crowd.relays:
        known_to(crowd, keys[-1], relay)
    ids = [i["guid"] for i in crowd.sandbox.add_invoices(client, count=2)]

    def hint_all(guid):
        """Every connection reads the invoice, which is that of the first."""
        in_threads(32, lambda i: crowd.webhook(keys[i // 2], event(guid), relay=crowd.relays[i % 2]))
        wait_for("every reading", lambda: all(
            [t["state"] for t in crowd.transfers(k) if t["source_id"] == guid] in (["skipped"], ["done"]) for k in keys))

    hint_all(ids[0])
    crowd.sandbox.fault(system="severa", match="/v1/token", kind="latency", latency_ms=300)
    try:
        before = ledger(crowd, client)
        crowd.sandbox.control(f"severa/{client}", "POST", {"drop_tokens": True})  # all that they hold is refused now
        hint_all(ids[1])
        after = ledger(crowd, client)
        assert after["token_requests"] == before["token_requests"] + 1
        assert after["unauthorized"] > before["unauthorized"] + 8, "many workers held the old one"
    finally:
        crowd.sandbox.clear_faults()


def test_SV_06_a_relay_that_starts_takes_the_token_of_the_others(crowd):
    key = tenant(crowd, "cold", customers=3)
    relay_all(crowd, key, 2)
    before = ledger(crowd, key)["token_requests"]
    late = crowd.add_relay()
    try:
        known_to(crowd, key, late)
        relay_all(crowd, key, 9)
        assert ledger(crowd, key)["token_requests"] == before
        names = crowd.redis.cli("KEYS", "*shared:*").split()
        assert names and all(key not in n for n in names), "a name tells whose token it is"
    finally:
        crowd.relays.remove(late)
        assert late.stop() == 0
