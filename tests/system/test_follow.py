"""MV-14, SV-07: what people and monitoring see of follow-up. What it does is told by unit tests (test_follow, test_queue_follow);
here its marks are written as the queue writes them, since no document's verdict takes days in a test."""

import time

import pytest

from service import Service, event, wait_for

DAY_MS = 86400000


@pytest.fixture(scope="module")
def service():
    with Service(seed="empty", poll_interval="1h") as s:
        yield s


@pytest.fixture
def sent(service):
    """A connection and a transfer of it that is done."""
    key = service.sandbox.tenants(count=1, invoices=1, customers=1, registered=True)[0]
    service.connect(key, key)
    service.activate(key)
    guid = service.sandbox.invoices(service.setup(key)["severa"]["client_id"])[0]["guid"]
    transfer = service.webhook(key, event(guid)).json()["transfer"]
    wait_for("it is done", lambda: read(service, transfer)["state"] == "done")
    return key, transfer


def read(service, transfer):
    return service.call("GET", f"/v1/transfers/{transfer}").json()


def follow_of(service, key):
    return service.call("GET", f"/v1/connections/{key}").json()["follow"]


def gauge(service, name):
    lines = service.call("GET", "/metrics").body.decode().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name + '{flow="severa-netvisor"}'))


def mark(service, transfer, key, state, due, **fields):
    pairs = [str(word) for pair in fields.items() for word in pair]
    service.redis.cli("HSET", f"t:t:{transfer}", "st", state, "fd", str(due), *pairs)
    service.redis.cli("ZADD", f"t:q:fo:{key}", str(due), transfer)


def test_MV_14_a_watched_document_says_until_when(service, sent):
    key, transfer = sent
    now = int(time.time() * 1000)
    assert read(service, transfer)["follow"] is None
    assert follow_of(service, key) == {"following": 0, "watched": 0, "oldest_since": None, "next_at": None, "stands_still": False}
    mark(service, transfer, key, "done", now + DAY_MS, fs=now - DAY_MS, fa=now, fu=now + 13 * DAY_MS, fw="DELIVERED")
    service.redis.cli("ZADD", f"t:ix:{key}:watched", str(now + 13 * DAY_MS), transfer)
    follow = read(service, transfer)["follow"]
    assert (follow["verdict"], follow["has_news"]) == ("DELIVERED", False)
    assert follow["since"] < follow["asked_at"] < follow["next_at"] < follow["watched_until"]
    seen = follow_of(service, key)
    assert (seen["following"], seen["watched"], seen["next_at"]) == (0, 1, follow["next_at"])
    listed = service.call("GET", "/v1/connections").json()["items"]
    assert next(c for c in listed if c["id"] == key)["follow"] == seen
    assert gauge(service, "viesti_watched") == 1


def test_MV_14_a_pending_document_is_asked_for_by_a_retry(service, sent):
    key, transfer = sent
    now = int(time.time() * 1000)
    before = gauge(service, "viesti_following")
    service.call("POST", f"/v1/connections/{key}/pause")
    mark(service, transfer, key, "following", now + DAY_MS, fs=now - 2 * DAY_MS)
    service.redis.cli("ZREM", f"t:ix:{key}:done", transfer)
    service.redis.cli("ZADD", f"t:ix:{key}:following", str(now - 2 * DAY_MS), transfer)
    assert gauge(service, "viesti_following") == before + 1
    assert gauge(service, "viesti_following_oldest_seconds") in range(2 * 86400, 2 * 86400 + 60)
    follow = read(service, transfer)["follow"]
    assert (follow["asked_at"], follow["verdict"], follow["watched_until"]) == (None, None, None)
    seen = follow_of(service, key)
    assert (seen["following"], seen["oldest_since"], seen["stands_still"]) == (1, follow["since"], False)
    # SV-07: its connection is paused, and yet somebody may know now.
    answer = service.call("POST", f"/v1/transfers/{transfer}/retry", {}, {"If-Match": "*"})
    assert answer.status == 200, answer.body
    wait_for("it is done again", lambda: read(service, transfer)["state"] == "done")
    assert follow_of(service, key)["following"] == 0
    assert read(service, transfer)["follow"]["next_at"] is None
    assert service.sandbox.ledger("netvisor", key)["count"] == 1


def test_SV_07_refused_credentials_are_said_to_stop_it(service, sent):
    key, transfer = sent
    now = int(time.time() * 1000)
    mark(service, transfer, key, "done", now + DAY_MS, fs=now - DAY_MS, fu=now + 13 * DAY_MS)
    assert follow_of(service, key)["next_at"]
    setup = service.setup(key)
    service.sandbox.fault(system="netvisor", kind="status", status=401, code="AUTHENTICATION_FAILED", count=1000,
                          tenant=setup["netvisor"]["organisation_id"])
    service.sandbox.add_invoices(setup["severa"]["client_id"], count=1)
    service.call("POST", f"/v1/connections/{key}/sync")
    wait_for("the pause", lambda: service.call("GET", f"/v1/connections/{key}").json()["pause_reason"] == "credentials")
    seen = follow_of(service, key)
    assert seen["stands_still"] and seen["next_at"] is None
