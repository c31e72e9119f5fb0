"""viesti-sandbox's Spotilla keeps to facts/spotilla.md part B: what tests of the system and of the flow stand on."""

import hashlib
import hmac
import http.client
import json

import pytest

from sandbox import Listener, SpotillaClient, call, in_threads

CUT = (OSError, http.client.HTTPException)


@pytest.fixture
def spotilla(sb):
    return SpotillaClient(sb.setup("kajo")["spotilla"])


def ledger(sb, key="kajo"):
    return sb.ledger("spotilla", key)


def error_of(answer):
    error = answer.json()["error"]
    return answer.status, error["code"], sorted(error["fields"])


def put(sb, path, **members):
    return sb.control("spotilla/kajo/" + path, "POST", members)


# --- keys ------------------------------------------------------------------------------------------


def test_the_three_values_of_a_key_open_its_own_tenant(sb, spotilla):
    assert spotilla.get("/customers").status == 200
    for wrong in ({"X-User-Token": "x"}, {"X-User-Token": None}, {"X-User-Id": "1"}, {"X-User-Subdomain": None}, {"X-User-Subdomain": "nobody"},
                  {"X-User-Token": sb.setup("louhi")["spotilla"]["token"]}, {"X-User-Subdomain": "louhi"}):
        assert error_of(spotilla.raw("/customers", headers=wrong))[:2] == (401, "unauthorized")
    put(sb, "", expired=True)
    assert error_of(spotilla.get("/customers"))[:2] == (403, "forbidden")
    put(sb, "", expired=False, denied="products tasks")
    assert [spotilla.get("/" + r).status for r in ("customers", "products", "tasks")] == [200, 403, 403]
    assert ledger(sb)["unauthorized"] == 7  # those that named the tenant


def test_addresses_and_methods_that_are_none(spotilla):
    assert spotilla.get("/spots").status == 404 and spotilla.get("/tasks/1/rows").status == 404
    assert spotilla.raw("/products", "POST", {"name": "x"}).status == 405 and spotilla.raw("/tasks/90001", "DELETE").status == 405
    assert error_of(spotilla.get("/tasks/1"))[:2] == (404, "not_found")


# --- lists -----------------------------------------------------------------------------------------


def test_lists_by_pages_state_and_change_time(sb, spotilla):
    put(sb, "customers", count=230, spread_s=230)
    seen, page = [], 1
    while True:
        answer = spotilla.get("/customers", page=page, per_page=1000).json()
        assert len(answer["customers"]) <= 100 and answer["meta"]["total_count"] == 241 and answer["meta"]["per_page"] == 100
        seen += answer["customers"]
        if page >= answer["meta"]["total_pages"]:
            break
        page += 1
    assert len(seen) == 241 and seen == sorted(seen, key=lambda c: (c["updated_at"], c["id"]))
    newer = spotilla.get("/customers", changed_since=seen[200]["updated_at"]).json()["customers"]
    assert newer == [c for c in seen if c["updated_at"] >= seen[200]["updated_at"]]
    assert {t["state"] for t in spotilla.get("/tasks", state="open").json()["tasks"]} == {"open"}
    for wrong in ({"page": 0}, {"per_page": "x"}, {"changed_since": "yesterday"}):
        assert spotilla.get("/customers", **wrong).status == 422


def test_knobs_for_lists_of_another_kind(sb, spotilla):
    assert [c["id"] for c in spotilla.get("/customers", number="SP-1002").json()["customers"]] == [1002]
    put(sb, "", filters=False, meta=False, sorted=False)
    sb.control("spotilla/kajo/customers/1001", "POST", {"phone": "1"})
    answer = spotilla.get("/customers", number="SP-1002").json()
    assert "meta" not in answer and [c["id"] for c in answer["customers"]][:2] == [1001, 1002]


def test_a_restless_register_moves_with_each_list(sb, spotilla):
    put(sb, "", restless={"customers": 2})
    first = [spotilla.get("/customers").json()["customers"][0]["id"] for _ in range(4)]
    assert first == [1001, 1002, 1003, 1003]


# --- writing ---------------------------------------------------------------------------------------


def test_a_customer_is_made_once_per_key(sb, spotilla):
    made = spotilla.create("k1", name="Uusi Oy", business_id="2817345-6", hobby="golf")
    again = spotilla.create("k1", name="Toinen Oy")
    assert made.status == again.status == 201 and made.json() == again.json() and "hobby" not in made.json()
    assert made.json()["number"] == "SP-%d" % made.json()["id"] and made.json()["active"] is True
    assert spotilla.create("k2", name="").status == 422 and spotilla.create("k2", name="Uudempi Oy").status == 201  # a refusal is not kept
    after = ledger(sb)
    assert (after["customers"]["created"], after["repeats"]) == (2, 1)
    assert spotilla.create("k" * 65, name="x").status == 422


def test_what_is_refused_and_whom_it_names(sb, spotilla):
    assert error_of(spotilla.create(name="Uusi Oy", business_id="2817345-7x")) == (422, "invalid", ["business_id"])
    assert error_of(spotilla.create(business_id="2817345-6")) == (422, "invalid", ["name"])
    for member, value in (("name", "x" * 201), ("number", "x" * 21), ("external_ref", "x" * 101), ("invoice_channel", "PIGEON"),
                          ("address", {"country": "FIN"}), ("payment_term_days", -1), ("active", "yes")):
        assert error_of(spotilla.patch("/customers/1001", **{member: value})) == (422, "invalid", [member])
    twin = spotilla.get("/customers/1001").json()["business_id"]
    assert error_of(spotilla.create(name="Kaksonen", business_id=twin))[:2] == (409, "duplicate")
    assert error_of(spotilla.patch("/customers/1002", number="SP-1001"))[:2] == (409, "duplicate")
    assert spotilla.patch("/customers/1002", number="SP-1002").status == 200  # its own
    after = ledger(sb)
    assert (after["refused"], after["conflicts"], after["customers"]["created"]) == (9, 2, 0)


def test_a_change_leaves_the_rest_and_moves_to_the_end(spotilla):
    before = spotilla.get("/customers/1002").json()
    after = spotilla.patch("/customers/1002", email="uusi@lumivaara.example", billing_address=None).json()
    assert after["updated_at"] > before["updated_at"]
    assert after == before | {"email": "uusi@lumivaara.example", "billing_address": None, "updated_at": after["updated_at"]}
    assert spotilla.get("/customers").json()["customers"][-1]["id"] == 1002


def test_tasks_and_products_take_marks_only(sb, spotilla):
    task = spotilla.patch("/tasks/90001", state="open", billing={"state": "waiting", "external_ref": None, "message": "Odottaa"}).json()
    assert task["state"] == "done" and task["billing"]["message"] == "Odottaa"
    assert error_of(spotilla.patch("/tasks/90001", billing={"state": "paid"}))[2] == ["billing"]
    assert spotilla.patch("/products/301", sales_price="1", external_ref="procountor:1:2").json()["sales_price"] == "58.00"
    for ref in ("procountor:1:8", "procountor:1:8", "procountor:1:9"):
        assert spotilla.patch("/tasks/90001", billing={"state": "exported", "external_ref": ref}).status == 200
    after = ledger(sb)
    assert (after["exported"], after["exported_twice"], after["products"]["marked"]) == (1, 1, 1)
    assert after["documents"][-1] == {"id": "90001", "number": "T-90001", "name": "plain", "state": "done", "exports": 2,
                                      "billing": {"state": "exported", "external_ref": "procountor:1:9", "message": "Odottaa"}}


def test_side_by_side_each_customer_is_made_once(sb, spotilla):
    answers = in_threads(8, lambda i: spotilla.create("k%d" % (i % 4), name="Oy %d" % (i % 4)).json()["id"])
    assert len(set(answers)) == 4 and ledger(sb)["customers"]["created"] == 4


# --- faults ----------------------------------------------------------------------------------------


def test_faults_commit_or_do_not(sb, spotilla):
    sb.fault(system="spotilla", method="POST", kind="cut_after_commit")
    with pytest.raises(CUT):
        spotilla.create("k1", name="Uusi Oy")
    sb.fault(system="spotilla", method="POST", kind="cut_before")
    with pytest.raises(CUT):
        spotilla.create("k2", name="Toinen Oy")
    sb.fault(system="spotilla", tenant="louhi", kind="status", status=500)
    assert ledger(sb)["customers"]["created"] == 1 and spotilla.create("k1", name="Uusi Oy").json()["name"] == "Uusi Oy"
    sb.fault(system="spotilla", kind="429", retry_after=2, tenant="kajo")
    slow = spotilla.get("/customers")
    assert slow.status == 429 and slow.header("Retry-After") == "2" and error_of(slow)[1] == "too_many_requests"
    sb.fault(system="spotilla", kind="status", status=401, code="unauthorized", tenant="kajo")
    assert error_of(spotilla.get("/tasks"))[:2] == (401, "unauthorized")


# --- what people do --------------------------------------------------------------------------------


def test_tasks_of_every_kind_are_there(sb, spotilla):
    by_name = {d["name"]: spotilla.get("/tasks/" + d["id"]).json() for d in ledger(sb)["documents"]}
    assert by_name["no-order-number"]["order_number"] is None and by_name["no-customer"]["customer_id"] is None
    assert spotilla.get("/customers/%d" % by_name["no-business-id"]["customer_id"]).json()["business_id"] is None
    assert spotilla.get("/customers/%d" % by_name["malformed-business-id"]["customer_id"]).json()["business_id"] == "2817345-7x"
    ids = [c["business_id"] for c in spotilla.get("/customers").json()["customers"]]
    assert ids.count(spotilla.get("/customers/1006").json()["business_id"]) == 2
    assert by_name["free-row"]["rows"][0]["product_id"] is None and by_name["no-rows"]["rows"] == []
    assert spotilla.get("/products/%d" % by_name["unknown-product"]["rows"][0]["product_id"]).status == 404
    currency = {n: spotilla.get("/products/%d" % by_name[n]["rows"][0]["product_id"]).json() for n in ("foreign-currency", "no-price")}
    assert currency["foreign-currency"]["currency"] == "SEK" and currency["no-price"]["sales_price"] is None
    assert {t["state"] for t in by_name.values()} == {"done", "open", "late", "in_progress", "in_review", "cancelled"}
    assert all((t["completed_at"] is not None) == (t["state"] == "done") for t in by_name.values())
    key = sb.tenants(count=1, invoices=5)[0]
    assert (ledger(sb, "louhi")["tasks"]["count"], ledger(sb, key)["tasks"]["count"]) == (10, 0)


def test_records_are_made_changed_and_removed(sb, spotilla):
    made = put(sb, "tasks", count=2, fields={"order_number": "PO-1"})
    tasks = [spotilla.get("/tasks/%d" % i).json() for i in range(made["first"], made["last"] + 1)]
    assert len(tasks) == 2 and all(t["state"] == "done" and t["order_number"] == "PO-1" and t["rows"] for t in tasks)
    assert put(sb, "tasks/plain", order_number="X")["order_number"] == spotilla.get("/tasks/90001").json()["order_number"] == "X"
    sb.control("spotilla/kajo/tasks/plain", "DELETE")
    assert spotilla.get("/tasks/90001").status == 404
    back = put(sb, "customers/SP-1002", updated_at="2020-01-01T00:00:00Z")
    assert back["updated_at"] == "2020-01-01T00:00:00Z" and spotilla.get("/customers").json()["customers"][0]["id"] == 1002


def test_a_tenant_renames_its_states(sb, spotilla):
    before = spotilla.get("/tasks", state="done").json()["tasks"]
    put(sb, "", done_state="Laskutus")
    after = spotilla.get("/tasks", state="Laskutus").json()["tasks"]
    assert [t["id"] for t in after] == [t["id"] for t in before] and after[0]["updated_at"] == before[0]["updated_at"]
    assert spotilla.get("/tasks", state="done").json()["tasks"] == [] and sb.setup("kajo")["spotilla"]["done_state"] == "Laskutus"


def test_PC_08_a_finished_task_is_told_and_signed(sb):
    with Listener() as ear:
        put(sb, "", webhook_url=ear.url + "/hooks/spotilla")
        put(sb, "tasks/open", state="done")
        put(sb, "tasks/open", comment="again")  # nothing new
        assert len(ear.heard) == 1
        sent = put(sb, "events", task="plain", type="task.created", id="evt_7", secret="other", age_s=1000)
    path, headers, body = ear.heard[0]
    time, mac = (part.split("=")[1] for part in headers["X-Spotilla-Signature"].split(","))
    secret = sb.setup("kajo")["spotilla"]["webhook_secret"].encode()
    assert path == "/hooks/spotilla" and hmac.new(secret, time.encode() + b"." + body, hashlib.sha256).hexdigest() == mac
    event = json.loads(body)
    assert event["type"] == "task.completed" and event["subdomain"] == "kajo" and event["id"] and isinstance(event["data"]["task_id"], int)
    assert sent == {"id": "evt_7", "status": 202} and json.loads(ear.heard[1][2])["type"] == "task.created"
    assert ledger(sb)["events"] == 2
    assert call(sb.url + "/_sandbox/spotilla/kajo/events", "POST", {}, b'{"task": "none"}').status == 404


def test_any_number_of_records_for_a_bench(sb, spotilla):
    put(sb, "customers", count=20000)
    put(sb, "products", count=20000, spread_s=20000)
    assert spotilla.get("/customers").json()["meta"]["total_count"] == 20011
    last = spotilla.get("/products", page=201).json()
    assert last["meta"]["total_count"] == 20011 and last["products"]
    people = sb.control("spotilla/kajo/customers")
    assert len({c["business_id"] for c in people[11:]}) >= 19999
