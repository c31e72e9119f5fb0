"""SV-07, SV-08, NV-14: what an administrator switches on, who may, why it is refused, and what a pause leaves."""

import pytest

from service import Service, connection_of, event, wait_for

FAST = {"poll_interval": "1s", "retest_interval": "1s", "retry_first": "100ms", "severa_rate": "1000", "severa_burst": "1000", "log_level": "warn"}


@pytest.fixture(scope="module")
def service():
    with Service(seed="empty", **FAST) as s:
        yield s


def tenant(service, invoices=0):
    key = service.sandbox.tenants(count=1, invoices=invoices, customers=2, registered=True)[0]
    return key, service.setup(key)


def activate(service, key, **headers):
    return service.call("POST", f"/v1/connections/{key}/activate", headers=headers)


def refused(service, key, *codes):
    """Refused by the check, for these reasons; each names the field."""
    answer = activate(service, key)
    assert answer.status == 422, answer.body
    problems = answer.json()["result"]["problems"]
    assert set(codes) == {p["code"] for p in problems}, problems
    assert all(p["pointer"] and p["text"] for p in problems), problems
    assert service.call("GET", f"/v1/connections/{key}").json()["state"] == "draft"
    return problems


def arrived(service, key):
    return service.sandbox.ledger("netvisor", key)["count"]


def polls_pass(service, key, n=2):
    """Waits until another connection was polled so many times more."""
    client = service.setup(key)["severa"]["client_id"]
    count = lambda: service.sandbox.control(f"severa/{key}")["requests"]  # noqa: E731
    before = count()
    wait_for(f"{n} polls of {client}", lambda: count() >= before + n, 20)


def test_SV_07_activation_looks_again_at_what_needed_data():
    """Other settings are what it needed: nobody waits for the next retest then."""
    with Service(seed="empty", **FAST | {"retest_interval": "1h"}) as s:
        key = s.sandbox.tenants(count=1, invoices=2, customers=1)[0]
        s.connect(key, key, customers={"direction": "netvisor_to_severa"})
        s.activate(key)
        stands = lambda: [(t["error"] or {}).get("code") for t in s.transfers(key)]  # noqa: E731
        wait_for("customers are kept at Netvisor", lambda: stands() == ["customer_not_in_target"] * 2)
        changed = {"settings": {"customers": {"direction": "severa_to_netvisor"}}}
        assert s.call("PATCH", f"/v1/connections/{key}", changed, {"If-Match": "*"}).status == 200
        s.activate(key)
        wait_for("they are sent now", lambda: [t["state"] for t in s.transfers(key)] == ["done"] * 2, 30)


def test_NV_13_the_check_names_the_product_in_every_language(service):
    """And a person who is no guid is refused at once."""
    key, _ = tenant(service)
    service.connect(key, key, dimensions={"project_heading": "Projekti"},
                    purchases={"enabled": True, "from": "2026-09-01", "product": "EIOLE"})
    for language in ("en", "fi", "nb"):
        found = service.call("POST", f"/v1/connections/{key}/check", headers={"Accept-Language": language}).json()["result"]["problems"]
        said = [p["text"] for p in found if p["code"] == "purchase_product_unknown"]
        assert len(said) == 1 and "EIOLE" in said[0] and "purchases.product" in said[0], found
    refused = service.call("PATCH", f"/v1/connections/{key}", {"settings": {"purchases": {"user": "MM"}}}, {"If-Match": "*"})
    assert refused.status == 422 and refused.json()["pointer"] == "/settings/purchases/user", refused.body


def test_SV_07_nothing_is_relayed_before_an_administrator_activates(service):
    other, _ = tenant(service)
    service.connect(other, other)
    service.activate(other)
    key, setup = tenant(service, 3)
    service.connect(key, key)
    guid = service.sandbox.invoices(setup["severa"]["client_id"])[0]["guid"]
    assert service.call("POST", f"/v1/connections/{key}/check").json()["result"] == {"problems": [], "ok": True, "waiting": 3}
    assert service.call("POST", f"/v1/connections/{key}/sync").status == 409
    assert service.webhook(key, event(guid)).status == 409
    polls_pass(service, other)
    assert arrived(service, key) == 0 and service.transfers(key) == []


@pytest.mark.parametrize("n,language,text", [(0, "en", "No invoice waits."), (1, "nb", "1 faktura venter og sendes nå."),
                                             (3, "fi", "3 laskua odottaa ja lähetetään nyt."),
                                             (3, "en", "3 invoices wait and will be sent now.")])
def test_SV_07_the_answer_says_how_many_wait(service, n, language, text):
    key, _ = tenant(service, n)
    service.connect(key, key)
    answer = activate(service, key, **{"Accept-Language": language})
    assert (answer.status, answer.json()["state"], answer.json()["waiting"], answer.json()["text"]) == (200, "active", n, text)
    wait_for("they are sent now", lambda: arrived(service, key) == n)


def test_SV_07_a_failing_check_refuses(service):
    key, _ = tenant(service)
    service.connect(key, key)
    service.sandbox.control(f"severa/{key}", "POST", {"client_secret": "another"})
    assert "/credentials/severa" in refused(service, key, "credentials_refused")[0]["pointer"]


def test_SV_07_a_missing_scope_refuses(service):
    key, _ = tenant(service)
    service.connect(key, key)
    service.sandbox.control(f"severa/{key}", "POST", {"missing_scope": "leave_out", "scopes": "invoices:read,customers:read,settings:read,projects:read,organization:read"})
    texts = [p["text"] for p in refused(service, key, "scope_missing")]
    assert any("invoices:write" in t for t in texts) and any("files:read" in t for t in texts)


def test_SV_07_unknown_and_equal_statuses_refuse(service):
    key, setup = tenant(service)
    severa = setup["severa"]
    service.connect(key, key, statuses={"transfer": "Ei ole", "transferred": severa["transferred_status"]})
    assert "Ei ole" in refused(service, key, "status_unknown")[0]["text"]
    same = connection_of(setup, key, statuses={"transfer": severa["transfer_status"], "transferred": severa["transfer_status"]})["settings"]
    answer = service.call("PATCH", f"/v1/connections/{key}", {"settings": same}, {"If-Match": "*"})
    assert answer.status == 422 and answer.json()["pointer"].startswith("/settings/statuses")
    name = next(s["name"] for s in service.sandbox.control(f"severa/{key}/statuses") if s["guid"] == severa["transferred_status"])
    settings = connection_of(setup, key, statuses={"transfer": severa["transfer_status"], "transferred": severa["transferred_status"], "failed": name})["settings"]
    assert service.call("PATCH", f"/v1/connections/{key}", {"settings": settings}, {"If-Match": "*"}).status == 200
    refused(service, key, "statuses_same")


def test_SV_07_one_active_connection_per_company_and_status(service):
    key, _ = tenant(service)
    service.connect(key, key)
    service.activate(key)
    twin = key + "-twin"
    service.connect(twin, key)
    wait_for("the first has polled", lambda: service.call("GET", f"/v1/connections/{key}/report").json()["report"])
    assert key in refused(service, twin, "status_taken")[0]["text"]
    assert service.call("POST", f"/v1/connections/{key}/pause").status == 200
    assert activate(service, twin).status == 200
    wait_for("the second has polled", lambda: service.call("GET", f"/v1/connections/{twin}/report").json()["report"])
    assert service.call("POST", f"/v1/connections/{key}/resume").status == 200  # nobody checks: it waits all the same
    invoice, = service.sandbox.add_invoices(key, count=1)
    service.webhook(key, event(invoice["guid"]))
    waits, = wait_for("it waits", lambda: service.transfers(key, state="waiting"))
    assert waits["error"]["code"] == "status_taken" and twin in waits["error"]["text"]


def test_SV_07_what_no_check_has_seen_relays_nothing(service):
    key, setup = tenant(service)
    service.connect(key, key)
    service.activate(key)
    head = {"If-Match": "*"}
    renamed = service.call("PATCH", f"/v1/connections/{key}", {"name": "Another name"}, head).json()
    assert renamed["state"] == "active"
    changed = service.call("PATCH", f"/v1/connections/{key}", {"settings": {"send_pdf": True}}, head).json()
    assert (changed["state"], changed["pause_reason"]) == ("paused", "changed")
    refused_resume = service.call("POST", f"/v1/connections/{key}/resume")
    assert (refused_resume.status, refused_resume.json()["code"]) == (409, "changed")
    assert activate(service, key).status == 200


def test_SV_07_missing_settings_refuse_before_anybody_is_asked(service):
    key, setup = tenant(service)
    body = connection_of(setup, key)
    del body["settings"]["invoice_state"]
    assert service.call("POST", "/v1/connections", body).status == 201
    answer = activate(service, key)
    assert (answer.status, answer.json()["code"], answer.json()["pointer"]) == (422, "value_missing", "/settings/invoice_state")
    assert service.sandbox.control(f"severa/{key}")["token_requests"] == 0


def test_SV_08_the_transfer_status_must_give_a_number(service):
    key, setup = tenant(service)
    service.connect(key, key, statuses={"transfer": "Luonnos", "transferred": setup["severa"]["transferred_status"]})
    assert "Luonnos" in refused(service, key, "status_without_number")[0]["text"]


def test_SV_07_a_pause_holds_everything_and_keeps_history(service):
    other, _ = tenant(service)
    service.connect(other, other)
    service.activate(other)
    key, setup = tenant(service, 2)
    client = setup["severa"]["client_id"]
    service.connect(key, key)
    service.activate(key)
    wait_for("the first two", lambda: arrived(service, key) == 2)
    wait_for("they are done", lambda: len(service.transfers(key, state="done")) == 2)
    paused = service.call("POST", f"/v1/connections/{key}/pause").json()
    assert (paused["state"], paused["pause_reason"]) == ("paused", "operator")
    made = service.sandbox.add_invoices(client, count=2)
    assert service.webhook(key, event(made[0]["guid"])).json()["result"] == "queued"
    polls_pass(service, other, 3)
    assert arrived(service, key) == 2
    found = {t["state"] for t in service.transfers(key)}
    assert len(service.transfers(key)) == 3 and found == {"done", "queued"}  # what was sent is still told
    assert service.call("GET", f"/v1/transfers/{service.transfers(key, state='done')[0]['id']}").json()["timeline"]
    assert service.call("POST", f"/v1/connections/{key}/resume").json()["state"] == "active"
    wait_for("what waited", lambda: arrived(service, key) == 4)
    assert service.sandbox.ledger("netvisor", key)["duplicates"] == 0


@pytest.fixture(scope="module")
def tokens(service):
    return {role: service.call("POST", "/v1/tokens", {"name": role, "role": role}).json()["token"] for role in ("viewer", "operator", "admin")}


def test_NV_14_only_an_administrator_changes_settings(service, tokens):
    key, setup = tenant(service)
    service.connect(key, key)
    path, head = f"/v1/connections/{key}", {"If-Match": "*"}
    change = {"settings": connection_of(setup, key, invoice_state="open")["settings"]}
    whole = connection_of(setup, key)
    keys = {"credentials": {"netvisor": whole["credentials"]["netvisor"]}}
    way = {"settings": {"products": {"direction": "netvisor_to_severa"}, "customers": {"direction": "temp"}}}
    orders = [("POST", "/v1/connections", {"id": key + "-x", "flow": "severa-netvisor"}, None), ("PATCH", path, change, head),
              ("PATCH", path, way, head), ("PATCH", path, keys, head),
              ("PUT", path, whole, head), ("POST", path + "/activate", None, None), ("POST", "/v1/tokens", {"name": "x", "role": "viewer"}, None),
              ("GET", "/v1/tokens", None, None)]
    for role in ("viewer", "operator"):
        for method, where, body, headers in orders:
            answer = service.call(method, where, body, headers, token=tokens[role])
            assert (answer.status, answer.json()["code"]) == (403, "forbidden"), (role, method, where)
    assert service.call("GET", path).json()["settings"]["invoice_state"] == "unsent"
    for method, where, body, headers in orders:
        assert service.call(method, where, body, headers, token=tokens["admin"]).status in (200, 201), (method, where)


def test_NV_14_an_operator_runs_and_a_viewer_looks(service, tokens):
    key, _ = tenant(service)
    service.connect(key, key)
    service.activate(key)
    for method, where in (("POST", "/check"), ("POST", "/sync"), ("POST", "/pause"), ("POST", "/resume")):
        assert service.call(method, f"/v1/connections/{key}{where}", token=tokens["viewer"]).status == 403, where
        assert service.call(method, f"/v1/connections/{key}{where}", token=tokens["operator"]).status in (200, 202), where
    for where in (f"/v1/connections/{key}", "/v1/transfers", "/v1/flows", f"/v1/connections/{key}/report"):
        assert service.call("GET", where, token=tokens["viewer"]).status == 200
        assert service.call("GET", where, token=None).status == 401
