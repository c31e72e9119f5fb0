"""The contract against the running server: every route, and the answers it says it gives. An undocumented answer fails at
once, in Service.call; a route that nothing asked fails at the end."""

import re
import uuid

import yaml

from service import ADMIN, event, maventa_connection_of, wait_for

NOBODY = "viesti_" + "x" * 43


def problem(answer, status, code, pointer=None):
    assert answer.status == status, answer.body
    body = answer.json()
    assert body["status"] == status and body["code"] == code, body
    if pointer is not None:
        assert body.get("pointer") == pointer, body
    return body


def test_open_routes(service):
    assert service.call("GET", "/healthz", token=None).json()["status"] == "alive"
    ready = service.call("GET", "/readyz", token=None).json()
    assert ready["status"] == "ready" and "redis" in [c["name"] for c in ready["checks"]]
    text = service.call("GET", "/metrics", token=None).body.decode()
    assert "viesti_redis_up 1" in text and 'viesti_transfers{flow="severa-netvisor",state="done"}' in text
    served = service.call("GET", "/openapi.yaml", token=None).body
    assert yaml.safe_load(served) == service.contract.doc
    page = service.call("GET", "/docs", token=None).body
    assert b"src=" not in page and b"http://" not in page and b"https://" not in page


def test_unknown_routes_and_methods(service):
    problem(service.call("GET", "/nothing"), 404, "not_found")
    problem(service.call("GET", "/v1/transfers/"), 404, "not_found")
    answer = service.call("DELETE", "/v1/connections")
    problem(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, POST"


def test_every_route_needs_its_role(service):
    """Without a token 401; a viewer may read, and is told 403 where more is needed."""
    viewer = service.call("POST", "/v1/tokens", {"name": "reader", "role": "viewer"}).json()["token"]
    for path, item in service.contract.doc["paths"].items():
        for method, operation in item.items():
            if method == "parameters" or not operation["security"]:
                continue
            url = re.sub(r"\{\w+\}", "none", path)
            problem(service.call(method.upper(), url, token=None), 401, "unauthorized")
            problem(service.call(method.upper(), url, token=NOBODY), 401, "unauthorized")
            answer = service.call(method.upper(), url, token=viewer)
            assert (answer.status == 403) == (operation["x-role"] != "viewer"), (method, path, answer.status)


def test_connection_is_made_changed_and_read(service):
    made = service.connect("edit")
    assert made.headers["Location"] == "/v1/connections/edit"
    secret = service.setup()["severa"]["client_secret"]
    read = service.call("GET", "/v1/connections/edit")
    assert secret.encode() not in read.body and b"whsec_" not in read.body
    assert "client_secret" in read.json()["credentials_set"]["severa"]
    etag = read.headers["ETag"]
    path = "/v1/connections/edit"
    problem(service.call("PATCH", path, {"name": "x"}), 428, "precondition_missing")
    problem(service.call("PATCH", path, {"name": "x"}, {"If-Match": '"999"'}), 412, "stale")
    changed = service.call("PATCH", path, {"name": "Uusi nimi", "schedule": {"interval_s": 600}}, {"If-Match": etag})
    assert changed.status == 200 and changed.json()["name"] == "Uusi nimi" and changed.headers["ETag"] != etag
    assert changed.json()["settings"] == read.json()["settings"]
    problem(service.call("PATCH", path, {"name": "late"}, {"If-Match": etag}), 412, "stale")
    replaced = service.call("PUT", path, {"name": "Toinen", "settings": read.json()["settings"]}, {"If-Match": "*"})
    assert replaced.status == 200 and replaced.json()["schedule"] is None
    assert "client_secret" in replaced.json()["credentials_set"]["severa"]
    problem(service.call("POST", "/v1/connections", {"id": "edit", "flow": "severa-netvisor"}), 409, "exists")


def test_a_connection_is_deleted(service):
    service.connect("short-lived")
    path = "/v1/connections/short-lived"
    problem(service.call("DELETE", path), 428, "precondition_missing")
    problem(service.call("DELETE", path, headers={"If-Match": '"999"'}), 412, "stale")
    assert service.call("DELETE", path, headers={"If-Match": "*"}).status == 204
    problem(service.call("GET", path), 404, "not_found")


def test_bodies_are_refused_with_a_pointer(service):
    base = {"id": "bad", "flow": "severa-netvisor"}
    cases = [
        ({"id": "A B", "flow": "severa-netvisor"}, 422, "value_invalid", "/id"),
        ({"flow": "severa-netvisor"}, 422, "value_missing", "/id"),
        ({"id": "bad"}, 422, "value_missing", "/flow"),
        (base | {"flow": "nothing"}, 422, "value_invalid", "/flow"),
        (base | {"colour": 1}, 422, "unknown_member", "/colour"),
        (base | {"name": 7}, 422, "value_invalid", "/name"),
        (base | {"settings": []}, 422, "value_invalid", "/settings"),
        (base | {"settings": {"nothing": 1}}, 422, "unknown_member", "/settings/nothing"),
        (base | {"settings": {"statuses": {"odd": "x"}}}, 422, "unknown_member", "/settings/statuses/odd"),
        (base | {"settings": {"statuses.transfer": "x"}}, 422, "unknown_member", "/settings/statuses/transfer"),  # as /v1/flows writes it
        (base | {"settings": {"invoice_state": "sideways"}}, 422, "value_invalid", "/settings/invoice_state"),
        (base | {"credentials": {"sap": {}}}, 422, "unknown_member", "/credentials/sap"),
        (base | {"credentials": {"severa": {"pin": "1"}}}, 422, "unknown_member", "/credentials/severa/pin"),
        (base | {"credentials": {"severa": {"client_id": 1}}}, 422, "value_invalid", "/credentials/severa/client_id"),
        (base | {"schedule": {"interval_s": 0}}, 422, "value_invalid", "/schedule/interval_s"),
        (base | {"schedule": {"times": ["25:00"], "time_zone": "UTC"}}, 422, "value_invalid", "/schedule/times"),
        (base | {"schedule": {"times": ["02:00"], "time_zone": "Mars"}}, 422, "value_invalid", "/schedule/time_zone"),
        (base | {"webhook_secrets": ["plain"]}, 422, "value_invalid", "/webhook_secrets"),
    ]
    for body, status, code, pointer in cases:
        problem(service.call("POST", "/v1/connections", body), status, code, pointer)
    problem(service.call("GET", "/v1/connections/bad"), 404, "not_found")
    problem(service.call("GET", "/v1/transfers?colour=1"), 400, "unknown_parameter", "colour")
    problem(service.call("GET", "/v1/transfers?limit=0"), 422, "value_invalid", "limit")
    problem(service.call("GET", "/v1/transfers?state=odd"), 422, "value_invalid", "state")
    problem(service.call("GET", "/v1/transfers?since=monday"), 422, "value_invalid", "since")
    problem(service.call("GET", "/v1/transfers?number=%ff"), 400, "malformed_request")
    problem(service.call("GET", "/v1/audit?cursor=x"), 422, "value_invalid", "cursor")


def test_languages_of_problems(service):
    said = {lang: problem(service.call("GET", "/v1/jobs/none", headers={"Accept-Language": lang}), 404, "not_found")["title"]
            for lang in ("en", "fi-FI,fi;q=0.9", "nb", "no", "sv, en;q=0.3, fi;q=0.8")}
    assert said["nb"] == said["no"] != said["en"] != said["fi-FI,fi;q=0.9"] == said["sv, en;q=0.3, fi;q=0.8"]


def test_idempotency_key(service):
    key = {"Idempotency-Key": uuid.uuid4().hex}
    body = {"id": "once", "flow": "severa-netvisor"}
    first = service.call("POST", "/v1/connections", body, key)
    again = service.call("POST", "/v1/connections", body, key)
    assert first.status == again.status == 201 and first.json() == again.json()
    problem(service.call("POST", "/v1/connections", body | {"name": "other"}, key), 422, "idempotency_key_reused")
    problem(service.call("POST", "/v1/connections", body, {"Idempotency-Key": "x" * 129}), 400, "idempotency_key_invalid")


def test_tokens_of_some_connections(service):
    service.connect("mine")
    service.connect("theirs")
    body = {"name": "Kajo", "role": "operator", "connections": ["mine"], "expires_at": "2099-01-01T00:00:00Z"}
    made = service.call("POST", "/v1/tokens", body).json()
    token = made["token"]
    assert [c["id"] for c in service.call("GET", "/v1/connections", token=token).json()["items"]] == ["mine"]
    problem(service.call("GET", "/v1/connections/theirs", token=token), 404, "not_found")
    problem(service.call("GET", "/v1/transfers?connection=theirs", token=token), 404, "not_found")
    assert service.call("GET", "/v1/transfers", token=token).status == 200
    listed = service.call("GET", "/v1/tokens")
    assert token.encode() not in listed.body and ADMIN.encode() not in listed.body
    assert service.call("DELETE", f"/v1/tokens/{made['id']}").status == 204
    problem(service.call("GET", "/v1/connections", token=token), 401, "unauthorized")
    problem(service.call("DELETE", f"/v1/tokens/{made['id']}"), 404, "not_found")
    assert "token.create" in [a["action"] for a in service.call("GET", "/v1/audit?limit=10").json()["items"]]


def test_activation_asks_for_what_is_missing(service):
    service.call("POST", "/v1/connections", {"id": "empty", "flow": "severa-netvisor"})
    answer = service.call("POST", "/v1/connections/empty/activate")
    assert problem(answer, 422, "value_missing")["pointer"].startswith(("/settings/", "/credentials/"))
    never = problem(service.call("POST", "/v1/connections/empty/pause", headers={"Accept-Language": "fi"}), 409, "state")
    assert never["title"] == "Yhteyttä ei ole koskaan otettu käyttöön. Ota se ensin käyttöön."
    asleep = problem(service.call("POST", "/v1/connections/empty/sync"), 409, "state")
    assert asleep["title"] == "The connection is not active. Activate or resume it first."


def test_whole_life_of_a_connection(service):
    """Made, checked, activated, synchronised, read, paused; a transfer is searched, read, cancelled and sent again."""
    name = "life"
    service.connect(name)
    checked = service.call("POST", f"/v1/connections/{name}/check")
    assert checked.status == 200 and checked.json()["result"]["ok"] is True
    assert service.call("GET", f"/v1/connections/{name}/report").json()["report"] is None
    assert service.call("GET", f"/v1/connections/{name}/runs").json() == {"items": [], "next": None}
    registers = service.call("GET", f"/v1/connections/{name}/registers").json()["items"]
    assert "customers" in [r["name"] for r in registers] and not any(r["done_at"] for r in registers)
    assert service.activate(name).json()["state"] == "active"
    source_id = service.sandbox.invoices(service.setup()["severa"]["client_id"])[0]["guid"]
    dry = service.call("POST", f"/v1/connections/{name}/dry-run", {"source_id": source_id})
    assert dry.status in (200, 202)
    job = wait_for("the dry run", lambda: (j := service.call("GET", "/v1/jobs/" + dry.json()["id"]).json())["state"] == "done" and j)
    assert job["result"]["invoice"]["rows"] and job["result"]["document"].startswith("<root>")
    other = service.call("POST", f"/v1/connections/{name}/dry-run", {"source_id": source_id, "kind": "task"})
    assert (other.json()["code"], other.json()["pointer"]) == ("value_invalid", "/kind")
    missing = service.call("POST", f"/v1/connections/{name}/dry-run", {"source_id": "0e6d9a10-0000-4000-8000-00000000dead"}).json()
    missing = wait_for("the dry run", lambda: (j := service.call("GET", "/v1/jobs/" + missing["id"]).json())["state"] == "failed" and j)
    assert missing["error"]["code"] == "document_unknown" and missing["result"] is None
    synced = service.call("POST", f"/v1/connections/{name}/sync")
    assert synced.status in (200, 202)
    job = f"/v1/jobs/{synced.json()['id']}"
    assert service.call("GET", job).json()["kind"] == "poll"
    listing = f"/v1/transfers?connection={name}"
    done = wait_for("a transfer that is done", lambda: service.call("GET", listing + "&state=done").json()["items"], 60)[0]
    found = service.call("GET", f"/v1/transfers?number={done['number']}&connection={name}&kind=invoice").json()["items"]
    assert service.call("GET", listing + "&kind=task").json()["items"] == []
    assert [t["id"] for t in found] == [done["id"]]
    path = f"/v1/transfers/{done['id']}"
    read = service.call("GET", path)
    assert read.json()["steps"] and read.json()["timeline"] and read.json()["delivered"] is True
    etag = {"If-Match": read.headers["ETag"]}
    problem(service.call("POST", path + "/cancel", {}), 428, "precondition_missing")
    problem(service.call("POST", path + "/cancel", {}, etag), 409, "state")
    problem(service.call("POST", path + "/resend", {}, etag), 422, "value_missing", "/reason")
    problem(service.call("POST", path + "/resend", {"reason": "lost"}, {"If-Match": '"12345"'}), 412, "stale")
    problem(service.call("POST", path + "/resend", {"reason": "lost"}, {"If-Match": "*"}), 428, "precondition_missing")
    resent = service.call("POST", path + "/resend", {"reason": "deleted at Netvisor"}, etag)
    assert resent.status == 200 and resent.json()["generation"] == 2
    problem(service.call("POST", path + "/resend", {"reason": "deleted at Netvisor"}, etag), 412, "stale")
    counted = service.call("POST", "/v1/transfers/retry", {"connection": name}).json()
    assert counted["dry"] is True and counted["retried"] == 0
    problem(service.call("POST", "/v1/transfers/retry", {"connection": name, "dry": False, "count": 9999}), 409, "count_changed")
    problem(service.call("POST", "/v1/transfers/retry", {"connection": name, "dry": False}), 422, "value_missing", "/count")
    assert service.call("POST", path + "/retry", {}, {"If-Match": "*"}).status in (200, 409)
    assert service.call("POST", f"/v1/connections/{name}/pause").json()["state"] == "paused"
    assert service.webhook(name, event(source_id)).status == 202
    assert service.call("POST", f"/v1/connections/{name}/resume").json()["state"] == "active"
    flows = service.call("GET", "/v1/flows").json()["items"]
    assert flows[0]["name"] == "severa-netvisor"
    for row in [r for f in flows for r in f["settings"] + f["credentials"]]:
        assert row["name"] and row["description"].endswith("."), row  # each row of each table is a whole one


def test_MV_01_registration_and_authentication_are_resources(service):
    """Chosen from the candidates, the keys entered, given up, the request sent and asked for."""
    service.sandbox.reset("demo")
    body = maventa_connection_of(service.setup("kajo"), "maventa", company=None)
    del body["credentials"]["maventa"]
    assert service.call("POST", "/v1/connections", body).status == 201
    path = "/v1/connections/maventa/registrations"
    found = service.call("GET", path + "/candidates").json()
    maija = next(p["id"] for p in found["persons"] if p["first_name"] == "Maija")
    order = {"mode": "register", "company": found["companies"][1]["vat_number"], "person": maija}
    first = service.call("POST", path, order).json()
    users = {u["email"]: u["user_api_key"] for u in service.sandbox.control("maventa/users")}
    keys = {"company_uuid": first["company_uuid"], "user_api_key": users["maija.meikalainen@kajo.example"]}
    assert service.call("PUT", first["href"] + "/keys", keys, {"If-Match": "*"}).json()["state"] == "registered"
    service.sandbox.fault(kind="status", system="maventa", match="oauth2", status=503)
    again = service.call("POST", path, {"mode": "connect", "company": order["company"]} | keys).json()
    assert service.call("POST", again["href"] + "/cancel", {}).json()["state"] == "cancelled"
    assert [r["id"] for r in service.call("GET", path).json()["items"]] == [again["id"], first["id"]]
    service.sandbox.clear_faults()
    assert service.call("GET", first["href"]).json()["next"]["href"] == "/v1/connections/maventa/authentications"
    sent = service.call("POST", "/v1/connections/maventa/authentications", {}).json()
    assert service.call("GET", sent["href"]).json()["state"] == "waiting"
    assert service.call("POST", sent["href"] + "/refresh").status == 200
    assert service.call("GET", "/v1/connections/maventa/authentications").json()["items"][0]["id"] == sent["id"]


def test_MV_14_addresses_of_senders_that_sign_nothing(service):
    body = maventa_connection_of(service.setup("louhi"), "told")
    assert service.call("POST", "/v1/connections", body).status == 201
    path, = (made["url"] for made in service.call("POST", "/v1/connections/told/webhook-urls").json()["items"])
    assert path.startswith("/v1/webhooks/told/maventa/")
    problem(service.call("POST", path, {"event": "NEWS"}, token=None), 409, "connection_not_active")
    service.activate("told")
    assert service.call("POST", path, {"event": "NEWS"}, token=None).json() == {"result": "ignored"}
    problem(service.call("POST", path + "0", {"event": "NEWS"}, token=None), 404, "not_found")
    problem(service.call("POST", "/v1/webhooks/told/maventa", {"event": "NEWS"}, token=None), 404, "not_found")
    assert service.call("POST", "/v1/connections/told/pause").status == 200


def test_OP_01_nothing_of_the_contract_was_left_out(service):
    """Runs last: every operation of the contract gave one of its good answers."""
    good = {(m, p) for m, p, status in service.contract.seen if status.startswith("2")}
    wanted = {(m.upper(), p) for p, item in service.contract.doc["paths"].items() for m in item if m != "parameters"}
    # What a retry or a cancel answers depends on how far the transfer is by then; runs are those of test_runs.py, and what a
    # person has seen at the target is of test_netvisor_travel.py.
    assert wanted - good <= {("POST", "/v1/transfers/{id}/cancel"), ("POST", "/v1/transfers/{id}/retry"),
                             ("POST", "/v1/transfers/{id}/arrived"), ("POST", "/v1/connections/{id}/runs"), ("GET", "/v1/runs/{id}"), ("POST", "/v1/runs/{id}/cancel"),
                             ("GET", "/v1/connections/{id}/registers/{register}")}
