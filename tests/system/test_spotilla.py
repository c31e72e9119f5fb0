"""The Spotilla system, call by call over the real HTTP client, against the sandbox (`flow-cases drive`)."""

import time

import pytest

from sandbox import Listener, drive_system


def drive(sb, *steps, tenant="kajo", options=None, settings=None, **credentials):
    """What each step came to."""
    s = sb.setup(tenant)["spotilla"]
    keys = {k: s[k] for k in ("token", "user_id", "subdomain")} | credentials
    return drive_system("spotilla", s["base_url"], keys, steps, options=options or {}, settings=settings or {})


def one(sb, do, tenant="kajo", options=None, settings=None, credentials=None, **args):
    return drive(sb, {"do": do, **args}, tenant=tenant, options=options, settings=settings, **(credentials or {}))[0]


def failure(answer):
    return answer["error"], answer["reason"]


def ledger(sb, key="kajo"):
    return sb.ledger("spotilla", key)


def change(sb, path="", **members):
    return sb.control("spotilla/kajo/" + path, "POST", members)


NEW = {"do": "put", "key": "k1", "name": "Uusi Asiakas Oy", "business_id": "2817345-6", "ref": "procountor:5001:77"}


# --- keys and failures -----------------------------------------------------------------------------


def test_PC_09_a_key_is_checked(sb):
    assert one(sb, "check") == {}
    for wrong in ({"token": "x"}, {"user_id": "1"}, {"subdomain": "nobody"}):
        got = one(sb, "check", credentials=wrong)
        assert failure(got) == ("credentials", "credentials_refused") and got["subject"] == "Spotilla"
    change(sb, denied="products")
    assert failure(one(sb, "check")) == ("credentials", "credentials_refused")
    change(sb, denied="", expired=True)
    assert failure(one(sb, "check")) == ("credentials", "credentials_refused")


@pytest.mark.parametrize("fault, error", [({"kind": "status", "status": 500}, "outage"), ({"kind": "status", "status": 503, "retry_after": 3}, "outage"),
                                          ({"kind": "429", "retry_after": 3}, "quota"), ({"kind": "garbage"}, "outage"),
                                          ({"kind": "cut_before"}, "outage"), ({"kind": "status", "status": 404}, "outage")])
def test_reads_that_fail_are_tried_again(sb, fault, error):
    sb.fault(system="spotilla", match="/tasks/", **fault)
    got = one(sb, "task", id="90001")
    assert got["error"] == error
    if "retry_after" in fault:
        assert got["retry_after_ms"] == 3000


def test_paths_that_turn_out_otherwise_are_options(sb):
    got = one(sb, "task", id="90001", options={"SPOTILLA_PATH_TASKS": "/jobs"})
    assert got["error"] == "outage"  # a page of no record: the task is not taken for deleted
    assert one(sb, "check", options={"SPOTILLA_HEADER_TOKEN": "X-Api-Key"})["error"] == "credentials"
    assert one(sb, "tasks", options={"SPOTILLA_DONE_STATES": "open,late"})["tasks"][0][0] == "T-90032"


# --- tasks -----------------------------------------------------------------------------------------


def test_PC_07_a_task_is_read_with_its_rows(sb):
    got = one(sb, "task", id="90001")
    assert (got["number"], got["customer"], got["order_number"], got["done"], got["completed"]) == ("T-90001", "1001", "PO-7781", True, True)
    assert got["rows"] == [{"product": "301", "name": "Huoltotyö", "unit": "h", "quantity": 2.5, "price": 58.00, "billable": True},
                           {"product": "302", "name": "Suodatin F7", "unit": "kpl", "quantity": 4, "price": 31.90, "vat": 25.5, "billable": True}]
    by_name = {d["name"]: d["id"] for d in ledger(sb)["documents"]}
    free, numbers, hidden = drive(sb, *({"do": "task", "id": by_name[n]} for n in ("free-row", "numbers", "not-billable")))
    assert free["rows"][0]["product"] is None and free["rows"][0]["price"] == 7.15
    assert numbers["rows"][0]["quantity"] == 2.125 and hidden["rows"][0]["billable"] is False
    assert one(sb, "task", id=by_name["in-review"])["done"] is False
    assert failure(one(sb, "task", id=by_name["odd"])) == ("system", "answer_unreadable")
    assert one(sb, "task", id="1")["error"] == "not_found"


def test_finished_tasks_are_listed_and_an_odd_one_hides_none(sb):
    done = [d for d in ledger(sb)["documents"] if d["state"] == "done"]
    got = one(sb, "tasks")["tasks"]
    assert sorted(t[0] for t in got) == sorted(d["number"] for d in done) and sum(t[2] for t in got) == 1
    last = max(t[1] for t in got)
    newer = one(sb, "tasks", since=last)["tasks"]  # with the overlap of ten minutes
    assert 1 < len(newer) < len(got) and {t[0] for t in newer} <= {t[0] for t in got}
    assert len(one(sb, "tasks", since=last, options={"SPOTILLA_OVERLAP": "0"})["tasks"]) == 1


def test_states_that_a_tenant_renamed(sb):
    change(sb, done_state="Laskutus & muut")
    assert one(sb, "tasks")["tasks"] == []
    settings = {"spotilla": {"done_states": "Laskutus & muut,in_review"}}
    assert len(one(sb, "tasks", settings=settings)["tasks"]) == 33
    assert one(sb, "task", id="90001", settings=settings)["done"] is True


def test_PC_01_a_task_is_marked_and_the_mark_may_be_repeated(sb):
    mark = {"do": "mark", "id": "90001", "billing": "exported", "ref": "procountor:5001:9"}
    drive(sb, mark, mark, {"do": "mark", "id": "90002", "billing": "waiting", "text": "Tilausnumero puuttuu"})
    first, second = drive(sb, {"do": "task", "id": "90001"}, {"do": "task", "id": "90002"})
    assert (first["billing"], first["ref"]) == ("exported", "procountor:5001:9")
    assert (second["billing"], second["text"]) == ("waiting", "Tilausnumero puuttuu")
    assert ledger(sb)["exported"] == 1 and ledger(sb)["exported_twice"] == 0
    sb.fault(system="spotilla", method="PATCH", kind="cut_after_commit")
    assert one(sb, "mark", id="90002", billing="failed")["error"] == "doubt"
    assert one(sb, "mark", id="1", billing="failed")["error"] == "not_found"
    before = ledger(sb)["calls"]
    assert one(sb, "mark", id="90002", billing="none", options={"SPOTILLA_WRITE_BACK": "false"}) == {}
    assert ledger(sb)["calls"] == before


# --- registers -------------------------------------------------------------------------------------


def test_customers_and_products_are_read_as_they_stand(sb):
    got = one(sb, "customer", id="1002")
    assert (got["number"], got["language"], got["channel"], got["contact"]) == ("SP-1002", "sv", "ELECTRONIC_INVOICE", "Maija Malli")
    assert got["address"]["street"] == "Voimalankatu 18 B" and got["billing"]["street"] == "PL 7" and got["has_billing"] is True
    assert one(sb, "customer", id="1005")["business_id"] == "2817345-7x" and one(sb, "customer", id="1003")["business_id"] is None
    work, travel, none, foreign = drive(sb, *({"do": "product", "id": i} for i in ("301", "303", "304", "308")))
    assert (work["code"], work["price"], work["kind"], "vat" in work) == ("TYO-1", 58, "work", False)
    assert travel["price"] == 0.59 and "price" not in none and foreign["currency"] == "SEK"
    sb.control("spotilla/kajo/products/301", "POST", {"sales_price": "61.25"})
    assert one(sb, "product", id="301")["price"] == 61.25  # PC-07: as it is now


@pytest.mark.parametrize("spread_s, paging", [(0, "changes"), (2500, "changes"), (30, "changes"), (0, "numbers")])
def test_PC_06_whole_registers_come_though_they_move(sb, spread_s, paging):
    change(sb, "customers", count=1500, spread_s=spread_s)
    change(sb, restless={"customers": 4})
    got = one(sb, "customers", options={"SPOTILLA_PAGING": paging})
    want = {str(c["id"]) for c in sb.control("spotilla/kajo/customers")}
    assert set(got["ids"]) == want and got["pages"] >= 16
    newest = max(c["updated_at"] for c in sb.control("spotilla/kajo/customers"))
    assert set(one(sb, "customers", since=newest)["ids"]) <= want


def test_lists_of_another_kind_are_told_or_read(sb):
    sb.control("spotilla/kajo/products/301", "POST", {"name": "Muuttunut"})
    change(sb, sorted=False)
    got = one(sb, "products")
    assert failure(got) == ("system", "answer_unreadable") and "VIESTI_SPOTILLA_PAGING" in got["message"]
    assert len(one(sb, "products", options={"SPOTILLA_PAGING": "numbers", "SPOTILLA_PAGE": 4})["ids"]) == 11
    change(sb, sorted=True, meta=False)
    assert len(set(one(sb, "products", options={"SPOTILLA_PAGE": 4})["ids"])) == 11


@pytest.mark.parametrize("how", ["filter", "scan"])
@pytest.mark.parametrize("knows_filters", [True, False])
def test_PC_06_customers_are_found_by_what_identifies_them(sb, how, knows_filters):
    change(sb, filters=knows_filters)
    twin = one(sb, "customer", id="1001")["business_id"]
    steps = [{"do": "find", "business_id": twin}, {"do": "find", "number": "SP-1002"}, {"do": "find", "business_id": "1234567-1"},
             {"do": "find", "external_ref": "procountor:5001:77"}]
    drive(sb, NEW)
    got = drive(sb, *steps, options={"SPOTILLA_FIND": how, "SPOTILLA_PAGE": 5})
    assert [g["ids"] for g in got] == [["1001", "1006"], ["1002"], [], ["1012"]]


def test_PC_06_a_customer_is_made_once(sb):
    first, again = drive(sb, NEW, NEW)
    assert first["id"] == again["id"] == "1012" and first["ref"] == "procountor:5001:77" and first["number"] == "SP-1012"
    assert failure(one(sb, "put", key="k2", name="Kaksonen Oy", business_id="2817345-6")) == ("duplicate", None)
    refused = one(sb, "put", key="k3", name="Väärä Oy", business_id="2817345-6x")
    assert failure(refused) == ("data", "refused_by_target") and "business_id" in refused["subject"]
    assert failure(one(sb, "put", key="k4", name="x" * 201)) == ("data", "field_too_long")
    assert ledger(sb)["customers"]["created"] == 1


@pytest.mark.parametrize("kind, made", [("cut_after_commit", 1), ("cut_in_answer", 1), ("garbage", 1), ("cut_before", 0)])
def test_PC_06_an_unclear_creation_is_in_doubt_and_repeated_safely(sb, kind, made):
    sb.fault(system="spotilla", method="POST", kind=kind)
    got, found, again = drive(sb, NEW, {"do": "find", "external_ref": NEW["ref"]}, NEW)
    assert got["error"] == "doubt" and len(found["ids"]) == made
    assert again["id"] == "1012" and ledger(sb)["customers"]["created"] == 1


@pytest.mark.parametrize("fault, error", [({"kind": "429", "retry_after": 2}, "quota"), ({"kind": "status", "status": 503, "retry_after": 2}, "outage"),
                                          ({"kind": "status", "status": 500}, "doubt"), ({"kind": "status", "status": 401}, "credentials")])
def test_a_write_that_was_turned_away_is_not_in_doubt(sb, fault, error):
    sb.fault(system="spotilla", method="POST", **fault)
    assert one(sb, "put", key="k1", name="Uusi Oy")["error"] == error
    assert ledger(sb)["customers"]["created"] == 0


def test_PC_06_a_change_writes_what_is_given(sb):
    before, after = drive(sb, {"do": "customer", "id": "1002"},
                          {"do": "put", "id": "1002", "email": "", "term": 21, "channel": "EMAIL", "billing": {}, "ref": "procountor:5001:3",
                           "address": {"street": "Uusikatu 1", "postcode": "90200", "city": "Oulu", "country": "FI"}})
    address = {"street": "Uusikatu 1", "postcode": "90200", "city": "Oulu", "country": "FI"}
    assert after == before | {"email": None, "term": 21, "channel": "EMAIL", "ref": "procountor:5001:3", "address": address, "billing": address,
                              "has_billing": False}
    assert one(sb, "put", id="1002", active=False)["active"] is False
    made = ledger(sb)["customers"]["changed"]
    assert one(sb, "put", id="1002")["number"] == "SP-1002" and ledger(sb)["customers"]["changed"] == made  # nothing was given
    assert failure(one(sb, "put", id="1001", number="SP-1003")) == ("duplicate", None)
    assert one(sb, "put", id="1", name="x")["error"] == "not_found"


def test_PC_06_back_and_forth_is_changed_each_time(sb):
    steps = [{"do": "put", "id": "1001", "name": n} for n in ("A Oy", "B Oy", "A Oy")]
    assert [s["name"] for s in drive(sb, *steps)] == ["A Oy", "B Oy", "A Oy"] and one(sb, "customer", id="1001")["name"] == "A Oy"


def test_PC_04_a_product_is_marked(sb):
    drive(sb, {"do": "mark_product", "id": "302", "ref": "procountor:5001:77121"})
    got = one(sb, "product", id="302")
    assert (got["ref"], got["price"]) == ("procountor:5001:77121", 31.9)


# --- webhooks --------------------------------------------------------------------------------------


def test_PC_08_what_spotilla_sends_is_read_and_proved(sb):
    secret = sb.setup("kajo")["spotilla"]["webhook_secret"]
    with Listener() as ear:
        for more in ({}, {"secret": "other"}, {"age_s": 400}, {"type": "task.created"}):
            assert change(sb, "events", task="plain", url=ear.url, **more)["status"] == 202
    steps = [{"do": "event", "secret": secret, "now": int(time.time()), "header": headers["X-Spotilla-Signature"], "body": body.decode()}
             for _, headers, body in ear.heard]
    events = drive(sb, *steps)
    assert [(e["signature"], e["task"]) for e in events] == [("signed", "90001"), ("forged", "90001"), ("late", "90001"), ("signed", None)]
    assert all(e["subdomain"] == "kajo" and e["id"] for e in events)
