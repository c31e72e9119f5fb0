"""DELETE /v1/connections/{id}: what it refuses, what it removes, and that one made anew by the same name neither loses nor doubles."""

import pytest

from service import Service, connection_of, event, maventa_connection_of, wait_for
from test_openapi import problem

SETTINGS = {"poll_interval": "1h", "retest_interval": "1h", "retry_first": "200ms", "request_timeout": "2s", "lease": "2s", "beat": "500ms",
            "quiet": "1h", "severa_rate": "1000", "severa_burst": "100", "maventa_rate": "1000", "maventa_burst": "100"}
ANY = {"If-Match": "*"}


@pytest.fixture(scope="module", name="service")
def one_service():
    with Service(seed="empty", **SETTINGS) as running:
        yield running


def make(service, key, body_of=connection_of, **settings):
    service.connect(key, key, body_of, **settings)
    service.activate(key)


def tenant(service, prefix, invoices, **more):
    return service.sandbox.tenants(count=1, invoices=invoices, customers=2, prefix=prefix, registered=True, **more)[0]


def pause(service, key):
    assert service.call("POST", f"/v1/connections/{key}/pause").status == 200


def delete(service, key, headers=ANY):
    return service.call("DELETE", f"/v1/connections/{key}", headers=headers)


def states(service, key):
    return sorted(t["state"] for t in service.transfers(key))


def all_are(service, key, state, n):
    wait_for(f"{n} of {key} are {state}", lambda: states(service, key) == [state] * n, 30)


def is_gone(service, key):
    return service.call("GET", f"/v1/connections/{key}").status == 404 and \
        key not in [c["id"] for c in service.call("GET", "/v1/connections").json()["items"]]


def test_SV_07_made_again_by_the_same_name_it_sends_nothing_twice(service):
    key = tenant(service, "twice", 3)
    make(service, key)
    all_are(service, key, "done", 3)
    pause(service, key)
    assert delete(service, key).status == 204 and is_gone(service, key)
    assert delete(service, key).status == 404
    history = service.transfers(key)  # it stays
    assert len(history) == 3 and service.call("GET", f"/v1/transfers/{history[0]['id']}").json()["timeline"]
    etag = service.call("GET", f"/v1/transfers/{history[0]['id']}").headers["ETag"]
    problem(service.call("POST", f"/v1/transfers/{history[0]['id']}/resend", {"reason": "again"}, {"If-Match": etag}), 409, "state")
    problem(service.call("POST", "/v1/connections", connection_of(service.setup(key), key) | {"flow": "severa-maestro", "settings": {},
                                                                                             "credentials": {}}), 409, "exists")
    transfer_status = service.setup(key)["severa"]["transfer_status"]
    make(service, key)
    for t in history:  # somebody puts them back into the transfer status, too
        service.sandbox.change_invoice(key, t["number"], status=transfer_status)
        assert service.webhook(key, event(t["source_id"])).status in (200, 202)
    severa = service.setup(key)["severa"]
    wait_for("all are set to transferred again", lambda: all(
        i["status"]["guid"] == severa["transferred_status"] for i in service.sandbox.invoices(severa["client_id"])), 30)
    assert states(service, key) == ["done"] * 3
    ledger = service.sandbox.ledger("netvisor", key)
    assert (ledger["count"], ledger["duplicates"]) == (3, 0)


def test_SV_07_what_was_never_sent_is_not_lost(service):
    key = tenant(service, "unsent", 4)
    service.sandbox.control(f"maventa/{key}", "POST", {"company_state": "UNVERIFIED"})
    make(service, key, maventa_connection_of)
    all_are(service, key, "waiting", 4)
    pause(service, key)
    assert delete(service, key).status == 204
    assert {(t["state"], t["error"]["code"]) for t in service.transfers(key)} == {("cancelled", "connection_deleted")}
    service.sandbox.control(f"maventa/{key}", "POST", {"company_state": "VERIFIED"})
    make(service, key, maventa_connection_of)
    wait_for("all are sent", lambda: service.sandbox.ledger("maventa", key)["count"] == 4, 30)
    wait_for("all are followed", lambda: set(states(service, key)) <= {"following", "done"}, 30)
    assert service.sandbox.ledger("maventa", key)["duplicates"] == 0


def test_SV_07_what_was_sent_is_followed_to_its_end_first(service):
    key = tenant(service, "followed", 1)
    service.sandbox.control(f"maventa/{key}/outcomes", "POST", {"outcome": "pending"})
    make(service, key, maventa_connection_of)
    all_are(service, key, "following", 1)
    assert problem(delete(service, key), 409, "connection_active")["title"].endswith("Pause it first.")
    pause(service, key)
    assert "1 were sent and are followed" in problem(delete(service, key), 409, "connection_in_use")["detail"]
    assert not is_gone(service, key) and service.call("POST", f"/v1/connections/{key}/resume").status == 200


def test_SV_07_what_may_have_been_sent_is_settled_first(service):
    key = tenant(service, "doubt", 1)
    service.sandbox.fault(kind="cut_before", system="maventa", match="/v1/invoices", method="POST")
    make(service, key, maventa_connection_of)
    all_are(service, key, "in_doubt", 1)
    pause(service, key)
    assert "1 are in doubt" in problem(delete(service, key), 409, "connection_in_use")["detail"]


def test_OP_01_only_an_administrator_who_has_read_it_deletes_it(service):
    key = tenant(service, "rights", 0)
    service.connect(key, key)
    operator = service.call("POST", "/v1/tokens", {"name": "op", "role": "operator"}).json()["token"]
    problem(service.call("DELETE", f"/v1/connections/{key}", headers=ANY, token=operator), 403, "forbidden")
    problem(delete(service, key, {}), 428, "precondition_missing")
    problem(delete(service, key, {"If-Match": '"99"'}), 412, "stale")
    etag = service.call("GET", f"/v1/connections/{key}").headers["ETag"]
    assert delete(service, key, {"If-Match": etag}).status == 204 and is_gone(service, key)
    done = [a["action"] for a in service.call("GET", "/v1/audit").json()["items"] if a["object"] == key]
    assert done[0] == "connection.delete"


def test_SV_07_no_vault_brings_it_back():
    """One relay was down when it was deleted, and Redis loses all that it knew: its credentials stay deleted."""
    with Service(seed="empty", relays=2, **SETTINGS) as service:
        key, other = tenant(service, "gone", 0), tenant(service, "stays", 0)
        for name in (key, other):
            service.connect(name, name)
        up, down = service.relays
        wait_for("both know it", lambda: service.call("GET", f"/v1/connections/{other}", relay=down).status == 200)
        down.kill()
        assert service.call("DELETE", f"/v1/connections/{key}", headers=ANY, relay=up).status == 204
        up.kill()
        service.redis.cli("FLUSHALL")
        down.start()
        up.start()
        wait_for("the other is back", lambda: service.call("GET", f"/v1/connections/{other}", relay=up).status == 200)
        for relay in (up, down):
            wait_for("it stays deleted", lambda r=relay: service.call("GET", f"/v1/connections/{key}", relay=r).status == 404)
        assert service.call("GET", f"/v1/connections/{other}", relay=down).status == 200
