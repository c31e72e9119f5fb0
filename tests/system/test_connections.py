"""SV-06, OP-02: what a person decides about a connection stands: an activation is of what was checked, and of nothing later; a
vendor's wish to be left alone does not hold up who wants to know now."""

import datetime
import threading
import time

import pytest

from service import Service, event, wait_for

SLOW_MS = 9500  # longer than a request waits for its check


@pytest.fixture(scope="module")
def service():
    with Service(seed="empty", poll_interval="1h", request_timeout="20s") as s:
        yield s


def connected(service):
    key = service.sandbox.tenants(count=1, invoices=0, customers=1, registered=True)[0]
    service.connect(key, key)
    return key


@pytest.fixture
def key(service):
    return connected(service)


@pytest.fixture
def alone():
    """A service with one connection: what is counted of a system is that connection's."""
    with Service(seed="empty", poll_interval="1h", request_timeout="20s") as s:
        yield s


def patch(service, key, **change):
    head = {"If-Match": "*", "Content-Type": "application/merge-patch+json"}
    answer = service.call("PATCH", f"/v1/connections/{key}", change, head)
    assert answer.status == 200, answer.body


def slow_check(service, key, ms):
    service.sandbox.fault(system="netvisor", kind="latency", latency_ms=ms, count=1,
                          tenant=service.setup(key)["netvisor"]["organisation_id"])


def fired(service):
    return sum(f["fired"] for f in service.sandbox.control("faults"))


def test_SV_06_what_was_not_checked_is_not_activated(service, key):
    slow_check(service, key, 3000)
    got = []
    asks = threading.Thread(target=lambda: got.append(service.call("POST", f"/v1/connections/{key}/activate", {})))
    asks.start()
    wait_for("the check runs", lambda: fired(service))
    patch(service, key, settings={"statuses": {"transfer": "nonsense"}})
    asks.join()
    assert got[0].status == 409 and got[0].json()["code"] == "changed"
    assert service.call("GET", f"/v1/connections/{key}").json()["state"] == "draft"


def test_SV_06_a_late_activation_respects_a_pause_meanwhile(service, key):
    service.activate(key)
    assert service.call("POST", f"/v1/connections/{key}/pause").status == 200
    slow_check(service, key, SLOW_MS)
    answer = service.call("POST", f"/v1/connections/{key}/activate", {})
    assert answer.status == 202
    assert service.call("POST", f"/v1/connections/{key}/resume").json()["state"] == "active"
    assert service.call("POST", f"/v1/connections/{key}/pause").json()["state"] == "paused"
    job = answer.headers["Location"]
    wait_for("the check is done", lambda: service.call("GET", job).json()["state"] == "done", 20)
    time.sleep(2.5)  # the follower looks each second
    assert service.call("GET", f"/v1/connections/{key}").json()["state"] == "paused"


def test_SV_06_a_late_activation_keeps_its_word(service, key):
    slow_check(service, key, SLOW_MS)
    assert service.call("POST", f"/v1/connections/{key}/activate", {}).status == 202
    wait_for("active", lambda: service.call("GET", f"/v1/connections/{key}").json()["state"] == "active", 20)


def counted(service):
    """Blocked limits of Severa by the metrics; None when they are not told."""
    lines = service.call("GET", "/metrics").body.decode().splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith('viesti_blocked_limits{system="severa"}')), None)


def blocked(service, key):
    return service.call("GET", f"/v1/connections/{key}").json()["blocked_until"]


@pytest.mark.parametrize("way", ["check", "retry", "credentials"])
def test_OP_02_a_vendor_that_asks_for_a_month_is_asked_again(alone, way):
    """429 with a Retry-After of 30 days: shown, an hour at most, and a person who wants to know now is not held up by it."""
    service, key = alone, connected(alone)
    service.activate(key)
    wait_for("the first poll is over", lambda: service.call("GET", f"/v1/connections/{key}/report").json()["report"])
    setup = service.setup(key)
    service.sandbox.add_invoices(setup["severa"]["client_id"], count=1)
    guid = service.sandbox.invoices(setup["severa"]["client_id"])[0]["guid"]
    # Of this invoice alone: a register's run reads Severa, too.
    service.sandbox.fault(kind="429", system="severa", match=guid, retry_after=30 * 86400, count=1, tenant=setup["severa"]["client_id"])
    transfer = service.webhook(key, event(guid)).json()["transfer"]
    until = wait_for("it is shown", lambda: blocked(service, key))
    left = datetime.datetime.fromisoformat(until.replace("Z", "+00:00")) - datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(minutes=50) < left <= datetime.timedelta(hours=1, seconds=5)
    assert counted(service) == 1
    if way == "check":
        answer = service.call("POST", f"/v1/connections/{key}/check", {})
        assert answer.status == 200 and answer.json()["result"]["ok"] is True
    elif way == "credentials":
        patch(service, key, credentials={"netvisor": {"sender": "Viesti again"}})
        assert blocked(service, key) is None
        service.activate(key)  # what no check has seen relays nothing
    waiting = wait_for("it waits", lambda: (t := service.call("GET", f"/v1/transfers/{transfer}")).json()["state"] == "retrying" and t)
    due = datetime.datetime.fromisoformat(waiting.json()["due_at"].replace("Z", "+00:00")) - datetime.datetime.now(datetime.timezone.utc)
    assert due <= datetime.timedelta(hours=24, seconds=5)
    assert service.call("POST", f"/v1/transfers/{transfer}/retry", {}, {"If-Match": waiting.headers["ETag"]}).status == 200
    wait_for("it is done", lambda: service.call("GET", f"/v1/transfers/{transfer}").json()["state"] == "done", 20)
    assert blocked(service, key) is None
