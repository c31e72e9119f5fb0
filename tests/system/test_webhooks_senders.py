"""Webhooks of systems that sign nothing: Maventa, which is told an address that nobody can guess (MV-14)."""

import json
import uuid

import pytest

from service import Service, free_port, maventa_connection_of, wait_for


@pytest.fixture(scope="module", name="service")
def one_service():
    port = free_port()
    with Service(port=port, public_url=f"http://127.0.0.1:{port}", poll_interval="1h", retest_interval="2s", severa_rate="1000", severa_burst="100",
                 maventa_rate="1000", maventa_burst="100") as running:
        yield running


@pytest.fixture(autouse=True)
def no_fault_stays(service):
    yield
    service.sandbox.clear_faults()


def subscriptions(service, key):
    return [s["destination"] for s in service.sandbox.control(f"maventa/{key}")["subscriptions"]]


def address(service, key):
    """Path of the one address that Maventa was told of the connection."""
    url, = wait_for("a subscription", lambda: subscriptions(service, key))
    base = f"http://127.0.0.1:{service.relay.port}"
    assert url.startswith(f"{base}/v1/webhooks/{key}/maventa/")
    return url.removeprefix(base)


def company(service, prefix, invoices=1):
    """A company whose invoices Maventa holds as pending for a day, each followed: its key and its transfers."""
    key, = service.sandbox.tenants(count=1, invoices=0, customers=2, prefix=prefix)
    service.sandbox.control(f"maventa/{key}", "POST", {"after_ms": 86400000})
    if invoices:
        service.sandbox.add_invoices(service.setup(key)["severa"]["client_id"], count=invoices)
    service.connect(key, key, maventa_connection_of)
    service.activate(key)
    found = wait_for("what is followed", lambda: in_state(service, key, "following", invoices) or not invoices)
    return key, found


def in_state(service, key, state, count=1):
    found = service.transfers(key, state=state)
    return found if len(found) == count else None


def change(service, key, number, **script):
    """What Maventa made of the invoice; it has told its subscribers when this returns."""
    return service.sandbox.control(f"maventa/{key}/invoices/{number}", "POST", script or {"outcome": "delivered"})


def tell(service, path, body):
    return service.call("POST", path, json.dumps(body).encode(), {"Content-Type": "application/json"}, token=None)


def counted(service, result):
    """Webhooks that came to this, whatever their flow."""
    lines = service.call("GET", "/metrics").body.decode().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("viesti_webhooks") and f'result="{result}"' in line)


def test_MV_14_a_change_at_maventa_arrives_without_waiting_for_a_round(service):
    key, (transfer,) = company(service, "news")
    address(service, key)
    due = service.call("GET", f"/v1/transfers/{transfer['id']}").json()["follow"]["next_at"]
    change(service, key, transfer["number"])
    done, = wait_for("the verdict", lambda: in_state(service, key, "done"), 3)
    assert done["updated_at"] < due
    assert service.sandbox.control(f"maventa/{key}")["documents"][0]["status"] == "DELIVERED"
    # Watched from here on: a late failure is told of, too.
    change(service, key, transfer["number"], late_failure={"after_reads": 0})
    wait_for("the late failure", lambda: in_state(service, key, "needs_data"), 6)


def test_SV_07_it_arrives_while_the_connection_is_paused(service):
    key, (transfer,) = company(service, "rest")
    address(service, key)
    assert service.call("POST", f"/v1/connections/{key}/pause").status == 200
    change(service, key, transfer["number"], outcome="failed", message="Vastaanottajaa ei ole")
    failed, = wait_for("the verdict", lambda: in_state(service, key, "needs_data"), 3)
    assert failed["error"]["detail"]["target_text"] == "Vastaanottajaa ei ole"


def test_MV_14_a_hint_is_no_data_and_may_come_again(service):
    """What it says of the invoice counts for nothing; repeats and strangers change nothing."""
    key, (transfer,) = company(service, "hint")
    path = address(service, key)
    document, = service.sandbox.ledger("maventa", key)["documents"]
    body = {"event": "DOCUMENTS.INVOICE.FAILED", "id": document["uuid"], "status": "FAILED"}
    for _ in range(3):
        answer = tell(service, path, body)
        assert (answer.status, answer.json()) == (202, {"result": "asked"})
        assert answer.headers["Viesti-Durability"] == "fsync"
    asked = "/v1/invoices?direction=SENT"
    wait_for("a look at Maventa", lambda: service.sandbox.requests(system="maventa", match=asked))
    wait_for("it is followed as before", lambda: in_state(service, key, "following"))
    assert tell(service, path, {"data": {"id": str(uuid.uuid4())}}).json() == {"result": "unknown"}
    assert tell(service, path, {"event": "COMPANY.CHANGED"}).json() == {"result": "ignored"}
    assert tell(service, path, {"id": document["uuid"].upper()}).json() == {"result": "asked"}
    for result in ("asked", "unknown", "ignored"):
        assert counted(service, result)
    assert service.call("POST", path, b"{", token=None).status == 400
    assert service.call("POST", path, b'{"a":"' + b"x" * 65536 + b'"}', token=None).status == 413
    # Not one more was sent, whatever was told.
    wait_for("it is followed as before", lambda: in_state(service, key, "following"))
    assert len(service.sandbox.ledger("maventa", key)["documents"]) == 1 and service.transfers(key)[0]["id"] == transfer["id"]


def test_who_knows_no_token_learns_nothing(service):
    key, _ = company(service, "lock")
    other, _ = company(service, "door")
    path = address(service, key)
    token = path.rpartition("/")[2]
    base = f"/v1/webhooks/{key}/maventa/"
    wrong = [base + "0" * len(token), base + token[:-1], base + token + "0", address(service, other).replace(other, key),
             f"/v1/webhooks/{key}/spotilla/{token}", f"/v1/webhooks/nobody/maventa/{token}"]
    answers = {(a.status, a.json()["code"], a.json()["detail"]) for a in (tell(service, p, {"id": str(uuid.uuid4())}) for p in wrong)}
    assert answers == {(404, "not_found", "no such webhook")}
    assert counted(service, "forged")
    # A body is not even looked at.
    assert service.call("POST", wrong[0], b"{", token=None).status == 404
    # The token is in no log, and in nothing that people read.
    assert token not in service.relay.tail(10000)
    for read in (f"/v1/connections/{key}", "/v1/connections", "/metrics", "/v1/audit"):
        assert token.encode() not in service.call("GET", read).body
    transfers = service.transfers(key)
    assert all(token.encode() not in service.call("GET", f"/v1/transfers/{t['id']}").body for t in transfers)


def test_MV_14_one_subscription_per_connection_and_it_follows_the_token(service):
    key, _ = company(service, "turn")
    first = address(service, key)
    rev = service.call("GET", f"/v1/connections/{key}").json()["rev"]
    answer = service.call("POST", f"/v1/connections/{key}/webhook-urls", headers={"Idempotency-Key": "turn-it"})
    assert answer.status == 200, answer.body
    made, = answer.json()["items"]
    assert made["sender"] == "maventa" and not made["url"].endswith(first)
    again = service.call("POST", f"/v1/connections/{key}/webhook-urls", headers={"Idempotency-Key": "turn-it"}).json()
    assert again == {"items": [{"sender": "maventa", "url": None}]}  # shown once
    now = service.call("GET", f"/v1/connections/{key}").json()
    assert (now["state"], now["rev"]) == ("active", rev + 1)
    assert tell(service, first, {"event": "x"}).status == 404
    path = made["url"].partition(str(service.relay.port))[2]
    assert tell(service, path, {"event": "x"}).status == 202
    assert service.call("POST", f"/v1/connections/{key}/sync").status in (200, 202)
    wait_for("the new subscription", lambda: subscriptions(service, key) == [made["url"]])
    service.sandbox.add_invoices(service.setup(key)["severa"]["client_id"], count=2)
    service.call("POST", f"/v1/connections/{key}/sync")
    wait_for("more invoices", lambda: in_state(service, key, "following", 3))
    assert subscriptions(service, key) == [made["url"]]


def test_MV_14_nobody_is_told_before_the_company_is_verified_and_a_refusal_holds_nothing_up(service):
    key, = service.sandbox.tenants(count=1, invoices=1, customers=2, prefix="wait")
    service.sandbox.control(f"maventa/{key}", "POST", {"company_state": "UNVERIFIED"})
    service.connect(key, key, maventa_connection_of)
    service.activate(key)
    wait_for("the wait", lambda: in_state(service, key, "waiting"))
    assert not subscriptions(service, key)
    fault = {"system": "maventa", "match": "/v1/company/notifications", "kind": "status", "status": 500, "count": 1000}
    service.sandbox.fault(**fault)
    service.sandbox.control(f"maventa/{key}", "POST", {"company_state": "VERIFIED"})
    wait_for("it is sent", lambda: service.sandbox.ledger("maventa", key)["count"] == 1, 60)
    assert not subscriptions(service, key)


def test_MV_14_without_an_address_there_is_no_subscription(service):
    """The relay is started again, and takes back what it had told Maventa."""
    key, _ = company(service, "gone")
    address(service, key)
    service.relay.stop()
    url = service.relay.env.pop("VIESTI_PUBLIC_URL")
    service.relay.start()
    service.call("POST", f"/v1/connections/{key}/sync")
    wait_for("the subscription's end", lambda: not subscriptions(service, key))
    service.relay.stop()
    service.relay.env["VIESTI_PUBLIC_URL"] = url
    service.relay.start()


def test_redis_away_is_never_a_yes(service):
    key, (transfer,) = company(service, "away")
    path = address(service, key)
    document, = service.sandbox.ledger("maventa", key)["documents"]
    service.redis.kill()
    try:
        answer = tell(service, path, {"id": document["uuid"]})
        assert answer.status == 503 and answer.headers["Retry-After"]
    finally:
        service.redis.start()
    wait_for("Redis again", lambda: tell(service, path, {"id": document["uuid"]}).status == 202)
    wait_for("it is followed as before", lambda: in_state(service, key, "following"))
    assert [t["id"] for t in service.transfers(key)] == [transfer["id"]]
