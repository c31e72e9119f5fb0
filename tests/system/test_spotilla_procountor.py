"""Spotilla to Procountor, the whole way (PC-01 to PC-09): finished tasks become invoices, the registers go both ways, each once,
whatever dies meanwhile."""

import hashlib
import hmac
import json
import random
import re
import time

import pytest

from service import KEY_BYTES, Service, spotilla_connection_of, wait_for

SETTINGS = {
    "lease": "1500ms", "beat": "300ms", "request_timeout": "2s", "connect_timeout": "1s", "quiet": "4s", "retry_first": "100ms",
    "retry_cap": "1s", "retest_interval": "1s", "spotilla_rate": "10000", "spotilla_burst": "1000", "spotilla_concurrency": "8",
    "procountor_rate": "10000", "procountor_burst": "1000", "workers": "8", "shutdown_grace": "3s",
}
SEED = random.SystemRandom().randrange(1, 1 << 30)


def start(service, key, name=None, **settings):
    service.sandbox.control("procountor", "POST", {"rate": 0})
    service.connect(name or key, key, spotilla_connection_of, **settings)
    service.activate(name or key)


def ledgers(service, key):
    return service.sandbox.ledger("spotilla", key), service.sandbox.ledger("procountor", key)


def states(service, name):
    return {t["number"]: (t["state"], (t["error"] or {}).get("code")) for t in service.transfers(name)}


def settled(service, name, n):
    """All n tasks have come to an end."""
    def done():
        found = states(service, name)
        return len(found) == n and all(s == "done" for s, _ in found.values()) and found
    return wait_for(f"{n} tasks done: {states(service, name)}", done, 60, 0.1)


def runs_over(service, name):
    def over():
        items = service.call("GET", f"/v1/connections/{name}/runs").json()["items"]
        return items and all(r["ended_at"] for r in items) and items
    return wait_for("the end of all runs", over, 60, 0.1)


def run_once(service, name):
    """One run of all registers, ordered by a person; as it ended."""
    made = service.call("POST", f"/v1/connections/{name}/runs", {})
    assert made.status == 202, made.body
    path = "/v1/runs/" + made.json()["id"]
    return wait_for("the end of a run", lambda: (lambda r: r["ended_at"] and r)(service.call("GET", path).json()), 60, 0.1)


def counts(run, register):
    return next(r for r in run["registers"] if r["name"] == register)


def each_once(service, key, tasks=10, products=8, customers=5):
    """Each product, customer and task of Spotilla stands in Procountor exactly once."""
    spotilla, procountor = ledgers(service, key)
    assert procountor["duplicates"] == procountor["partner_duplicates"] == procountor["product_duplicates"] == 0, (SEED, procountor)
    assert procountor["count"] == tasks and len({d["number"] for d in procountor["documents"]}) == tasks, (SEED, procountor["count"])
    assert all(d["times_received"] == 1 and d["status"] == "UNFINISHED" for d in procountor["documents"]), SEED
    assert procountor["products"] == products and procountor["partners_added"] == customers, (SEED, procountor)
    assert spotilla["exported"] == tasks and spotilla["exported_twice"] == 0, (SEED, spotilla)
    assert spotilla["customers"]["duplicates"] == spotilla["products"]["duplicates"] == 0, (SEED, spotilla)


def writes(service, key):
    spotilla, procountor = ledgers(service, key)
    return [spotilla[r][what] for r in ("customers", "products", "tasks") for what in ("created", "changed")] + \
        [procountor[what] for what in ("invoices_added", "partners_added", "partners_changed", "products_added")]


@pytest.fixture(scope="module")
def service():
    with Service(**SETTINGS) as s:
        yield s


def test_PC_01_PC_04_PC_05_each_task_product_and_customer_goes_once(service):
    start(service, "louhi")
    settled(service, "louhi", 10)
    each_once(service, "louhi")
    before = writes(service, "louhi")
    for _ in range(2):
        service.call("POST", "/v1/connections/louhi/sync")
        again = run_once(service, "louhi")
        assert all(r["created"] == r["updated"] == r["linked"] == 0 for r in again["registers"]), again
    runs_over(service, "louhi")
    assert writes(service, "louhi") == before


def test_PC_08_a_connection_polls_every_30_minutes_when_nothing_else_is_said(service):
    assert service.call("GET", "/v1/connections/louhi").json()["schedule"] == {"interval_s": 1800}


def test_PC_06_a_card_of_procountor_is_pulled_and_its_changes_follow(service):
    def card(number):
        found = service.sandbox.control("spotilla/louhi/customers")
        return next(c for c in found if c["number"] == number)

    # Made by Spotilla and edited in Procountor: the edit comes back, and nothing but it.
    runs_over(service, "louhi")
    before = writes(service, "louhi")
    service.sandbox.control("procountor/louhi/partners/SP-1001", "POST", {"registryInfo": {"active": True, "phone": "+358 40 7654321"}})
    run = run_once(service, "louhi")
    assert [counts(run, "partners")[w] for w in ("created", "updated", "failed")] == [0, 1, 0], run
    assert card("SP-1001")["phone"] == "+358 40 7654321"
    assert ledgers(service, "louhi")[1]["partners_changed"] == before[-2]
    # A new one is made in Spotilla, and is no news for Procountor.
    service.sandbox.control("procountor/louhi/partners", "POST", {"count": 1, "fields": {
        "name": "Uusi Asiakas Oy", "type": "CUSTOMER", "invoicingInfo": {"customerNumber": "U-1", "identifier": "2817345-6", "identifierType": "FI"}}})
    run = run_once(service, "louhi")
    assert counts(run, "partners")["created"] == 1 and card("U-1")["business_id"] == "2817345-6"
    rested = writes(service, "louhi")
    for _ in range(2):
        run = run_once(service, "louhi")
        assert all(r["created"] == r["updated"] == r["linked"] == 0 for r in run["registers"]), run
    assert writes(service, "louhi") == rested
    assert ledgers(service, "louhi")[1]["partners_added"] == 5


def test_PC_06_a_later_change_in_spotilla_is_not_pushed(service):
    before = ledgers(service, "louhi")[1]
    service.sandbox.control("spotilla/louhi/customers/SP-1002", "POST", {"phone": "+358 9 1"})
    service.sandbox.control("spotilla/louhi/products/T-00303", "POST", {"sales_price": "99.00"})
    run_once(service, "louhi")
    after = ledgers(service, "louhi")[1]
    assert [after[k] for k in ("partners_changed", "partners_added", "products_added")] == [before[k] for k in ("partners_changed", "partners_added", "products_added")]
    assert service.sandbox.control("procountor/louhi/products/T-00303")["price"] != 99


def test_PC_08_a_webhook_brings_a_task_forward(service):
    task = service.sandbox.control("spotilla/louhi/tasks", "POST", {"count": 1, "fields": {}})["first"]
    event = json.dumps({"id": "evt_1", "type": "task.completed", "created_at": "2026-02-28T13:20:05Z", "subdomain": "louhi", "data": {"task_id": task}})
    assert service.webhook("louhi", event.encode()).status == 202
    settled(service, "louhi", 11)
    assert service.sandbox.control(f"procountor/louhi/invoices/SPT-{task}")["status"] == "UNFINISHED"


def test_PC_08_spotillas_own_signature_is_taken_and_a_repeat_has_no_effect(service):
    sent = service.sandbox.control("spotilla/louhi", "POST", {"webhook_secret": KEY_BYTES.decode()})
    assert sent is not None
    task = service.sandbox.control("spotilla/louhi/tasks", "POST", {"count": 1, "fields": {}})["first"]
    url = f"http://127.0.0.1:{service.relay.port}/v1/webhooks/louhi"

    def event(**more):
        return service.sandbox.control("spotilla/louhi/events", "POST", {"task": str(task), "url": url, **more})["status"]
    assert event(secret="another secret of thirty letters") == 401
    assert event(age_s=600) == 401
    large, when = b'{"type":"task.completed","id":"evt_large","data":{"task_id":1},"more":"' + b"x" * 65536 + b'"}', str(int(time.time()))
    mac = hmac.new(KEY_BYTES, when.encode() + b"." + large, hashlib.sha256).hexdigest()
    assert service.call("POST", "/v1/webhooks/louhi", large, {"X-Spotilla-Signature": f"t={when},v1={mac}"}, token=None).status == 413
    assert event(id="evt_twice") == event(id="evt_twice") == event(type="task.created") == 202
    settled(service, "louhi", 12)
    text = service.call("GET", "/metrics", token=None).body.decode()
    taken = {r: int(n) for r, n in re.findall(r'viesti_webhooks_total\{flow="spotilla-procountor",(?:outcome|result)="(\w+)"\} (\d+)', text)}
    assert (taken["forged"], taken["late"], taken["replay"], taken["ignored"]) == (1, 1, 1, 1), taken


def test_PC_03_what_waits_says_why_and_goes_when_it_is_mended(service):
    start(service, "kajo")
    wait_for("all tasks looked at", lambda: (lambda s: len(s) == 32 and all(v[0] not in ("queued", "running") for v in s.values()))(
        states(service, "kajo")), 60, 0.1)
    runs_over(service, "kajo")
    numbers = {t["name"]: t["number"] for t in service.sandbox.ledger("spotilla", "kajo")["documents"] if t.get("name")}
    codes = {name: states(service, "kajo")[number][1] for name, number in numbers.items() if number in states(service, "kajo")}
    wanted = {"no-business-id": "business_id_missing", "malformed-business-id": "business_id_form", "no-name": "customer_name_missing",
              "no-customer": "task_customer_missing", "customer-gone": "task_customer_missing", "no-price": "price_missing",
              "no-rows": "billable_rows_missing", "unknown-product": "product_gone", "foreign-currency": "product_currency",
              "duplicate-business-id": "customer_not_linked", "long-code": "field_too_long", "foreign-letters": "character_unsupported", "plain": None, "free-row": None}
    assert {name: codes[name] for name in wanted} == wanted
    # Mended in Spotilla, and in Procountor.
    service.sandbox.control("spotilla/kajo/customers/malformed-business-id", "POST", {"business_id": "2345678-0"})
    card = service.sandbox.control("procountor/kajo/partners/SP-1003")
    service.sandbox.control(f"procountor/kajo/partners/{card['id']}", "POST", {
        "invoicingInfo": {**card["invoicingInfo"], "identifier": "7654321-2", "identifierType": "FI"}})
    run_once(service, "kajo")
    wait_for("both are billed", lambda: [states(service, "kajo")[numbers[n]][0] for n in ("malformed-business-id", "no-business-id")] ==
             ["done", "done"], 60, 0.1)


def test_OP_05_a_register_run_says_why_a_record_stays_behind(service):
    reasons = set()
    for item in service.call("GET", "/v1/connections/kajo/runs").json()["items"]:
        reasons |= {(r["register"], r["code"], r["actor"]) for r in service.call("GET", "/v1/runs/" + item["id"]).json()["reasons"]}
    assert {("products", "price_missing", "source_user"), ("products", "field_too_long", "source_user"),
            ("products", "character_unsupported", "source_user"), ("customers", "customer_twice", "source_user"),
            ("customers", "customer_name_missing", "source_user"), ("partners", "customer_passive", "nobody")} <= reasons, reasons


def test_PC_05_a_customer_that_could_not_be_found_again_is_not_made(service):
    made = service.sandbox.ledger("procountor", "kajo")["partners_added"]
    service.sandbox.control("spotilla/kajo/customers/duplicate-business-id", "POST", {"business_id": None, "number": None})
    run = run_once(service, "kajo")
    assert ("customers", "business_id_missing") in {(r["register"], r["code"]) for r in run["reasons"]}, run
    assert service.sandbox.ledger("procountor", "kajo")["partners_added"] == made


def test_PC_09_a_key_that_is_revoked_stops_its_own_connection_alone(service):
    service.sandbox.control("procountor/kajo", "POST", {"key_ended": True, "drop_tokens": True})
    service.call("POST", "/v1/connections/kajo/sync")
    wait_for("it pauses", lambda: service.call("GET", "/v1/connections/kajo").json()["pause_reason"] == "credentials", 30, 0.1)
    assert service.call("GET", "/v1/connections/louhi").json()["state"] == "active"
    key = service.setup("kajo")["procountor"]["api_key"]
    assert key not in (service.relay.folder / "log").read_text(encoding="utf-8")
    assert service.setup("kajo")["spotilla"]["token"] not in (service.relay.folder / "log").read_text(encoding="utf-8")


def test_PC_06_an_edit_in_procountor_while_redis_was_emptied_comes_back():
    def phones(service):
        return {c["number"]: c["phone"] for c in service.sandbox.control("spotilla/louhi/customers")}

    with Service(**SETTINGS) as service:
        start(service, "louhi")
        settled(service, "louhi", 10)
        runs_over(service, "louhi")
        before, known = writes(service, "louhi"), phones(service)
        service.relay.kill()
        service.sandbox.control("procountor/louhi/partners/SP-1001", "POST", {"registryInfo": {"active": True, "phone": "+358 40 7654321"}})
        service.redis.cli("FLUSHALL")
        service.relay.start()
        wait_for("the connection is back", lambda: service.call("GET", "/v1/connections/louhi").status == 200, 30, 0.1)
        run_once(service, "louhi")
        assert phones(service) == {**known, "SP-1001": "+358 40 7654321"}
        # Our own creations are no edits: one card was changed in Spotilla, and nothing in Procountor.
        after = writes(service, "louhi")
        assert [b - a for a, b in zip(before, after)] == [0, 1, 0, 0, 0, 0, 0, 0, 0, 0], (before, after)
        run_once(service, "louhi")
        assert writes(service, "louhi") == after
        each_once(service, "louhi")


def test_PC_01_two_spotillas_of_one_company_do_not_take_each_others_invoices_for_their_own():
    with Service(**SETTINGS) as service:
        start(service, "louhi")
        settled(service, "louhi", 10)
        # The same tasks by id, days, customers and sums, of another tenant.
        body = spotilla_connection_of({**service.setup("louhi"), "spotilla": service.setup("kajo")["spotilla"]}, "second")
        assert service.call("POST", "/v1/connections", body).status == 201
        refused = service.call("POST", "/v1/connections/second/activate")
        assert refused.status == 422, refused.body
        problem, = refused.json()["result"]["problems"]
        assert (problem["code"], problem["pointer"]) == ("numbers_taken", "/settings/invoice/number_prefix") and "louhi" in problem["text"]
        # Nor when the first one relays no more: its invoices are still there.
        service.call("POST", "/v1/connections/louhi/pause")
        assert service.call("POST", "/v1/connections/second/activate").status == 422
        body["settings"]["invoice"] = {"number_prefix": "KAJO"}
        put = service.call("PATCH", "/v1/connections/second", {"settings": body["settings"]}, {"If-Match": "*"})
        assert put.status == 200, put.body
        service.activate("second")
        wait_for("its own invoices", lambda: any(s == "done" for s, _ in states(service, "second").values()), 60, 0.1)
        numbers = [d["number"] for d in service.sandbox.ledger("procountor", "louhi")["documents"]]
        assert len(numbers) == len(set(numbers)) > 10, numbers


LINES = [("procountor", "/invoices", "POST"), ("procountor", "/businesspartners", "POST"), ("procountor", "/products", "POST"),
         ("spotilla", "/tasks/", "PATCH"), ("spotilla", "/customers", "POST")]


def strike(service, rng):
    """One random thing that goes wrong."""
    what = rng.choice(["relay", "relay", "redis", "line", "line", "500"])
    if what == "relay":
        service.relay.kill()
        service.relay.start()
    elif what == "redis":
        service.redis.kill()
        service.redis.start()
    else:
        system, match, method = rng.choice(LINES)
        kind = {"kind": "status", "status": 500, "commit": True} if what == "500" else {"kind": rng.choice(["cut_after_commit", "cut_before"])}
        service.sandbox.fault(system=system, match=match, method=method, count=1, **kind)


@pytest.mark.parametrize("empties", [False, True], ids=["killed", "emptied"])
def test_PC_01_PC_04_PC_05_killed_anywhere_each_stands_there_once(empties):
    """Relay, Redis and lines die at random, and Redis is emptied in between."""
    rng = random.Random(SEED)
    with Service(**SETTINGS) as service:
        service.sandbox.fault(system="procountor", kind="latency", latency_ms=10, latency_max_ms=80)
        start(service, "louhi")
        for i in range(6):
            time.sleep(rng.random() * 0.3)
            strike(service, rng)
            if empties and i % 3 == 2:
                service.redis.cli("FLUSHALL")
        service.sandbox.clear_faults()
        wait_for("the connection is back", lambda: service.call("GET", "/v1/connections/louhi").status == 200, 30, 0.1)
        wait_for("a sync", lambda: service.call("POST", "/v1/connections/louhi/sync").status == 202, 30, 0.1)
        settled(service, "louhi", 10)
        runs_over(service, "louhi")
        run_once(service, "louhi")
        each_once(service, "louhi")
