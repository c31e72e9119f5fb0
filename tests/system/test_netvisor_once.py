"""Rows of purchase invoices (NV-13) and travel invoices (NV-12) where a sending could be doubled, lost, or left without an answer:
two connections, keys given anew, acceptance withdrawn, settings changed while a sending is in doubt, an emptied Redis."""

import pytest

import test_netvisor_travel as travel
from service import Service, wait_for
from test_netvisor_purchases import HEADING, SETTINGS, TENANT, buy, control, made, report, rows_of, start, with_item

PURCHASES = {"enabled": True, "from": "2026-11-01"}


@pytest.fixture(scope="module")
def service():
    with Service(**SETTINGS) as s:
        with_item(s)
        start(s)
        yield s


def settled(service, row):
    return wait_for(f"{row} at rest", lambda: (t := rows_of(service).get(row)) and t["state"] in ("done", "needs_data", "skipped", "cancelled") and t, 40)


def project_row(service, text, net):
    return {"text": text, "net": net, "heading": HEADING, "item": with_item(service)[1]}


def change(service, key, **fields):
    return control(service, f"netvisor/{TENANT}/purchases/{key}", "POST", fields)[0]


def posted(service, number, **more):
    inv = buy(service, number, [project_row(service, "Ruuveja", "10")], **more)
    report(service)
    row = f"{inv['key']}-{inv['rows'][0]}"
    assert settled(service, row)["state"] == "done"
    return inv["key"], row


def of_invoice(service, key):
    return [k for k in made(service) if k.startswith(f"{key}-")]


def poll_is_over(service, name, want):
    service.call("POST", f"/v1/connections/{name}/sync")
    wait_for(want, lambda: (t := service.transfers(name, kind="purchase_row")) and {x["state"] for x in t} == {"done"}, 40)


def test_NV_13_two_connections_of_one_company_make_a_row_once():
    with Service(**SETTINGS) as s:
        _, item = with_item(s)
        other = next(u["vat_number"] for u in s.setup(TENANT)["severa"]["business_units"] if u["vat_number"] not in (None, s.setup(TENANT)["severa"]["vat_number"]))
        for name, more in (("one", {}), ("two", {"company": {"vat_number": other}})):
            s.connect(name, TENANT, dimensions={"project_heading": HEADING}, purchases=PURCHASES, **more)
            s.activate(name)
        for number in (1, 2):
            buy(s, number, [{"text": "Ruuveja", "net": "10", "heading": HEADING, "item": item}])
        for name in ("one", "two"):
            poll_is_over(s, name, f"the rows of {name}")
            assert len(made(s)) == 2


def test_NV_13_a_row_that_was_given_another_key_is_reported_and_not_made_again(service):
    key, row = posted(service, 2001)
    change(service, key, rows=["gone", project_row(service, "Ruuveja", "10")])
    got = report(service)
    assert len(got["changed_after_transfer"]) == 1 and of_invoice(service, key) == [row]
    report(service)
    assert of_invoice(service, key) == [row] and len(rows_of(service)) == 1
    # A second one of the same content is another row.
    change(service, key, rows=[None, project_row(service, "Ruuveja", "10")])
    report(service)
    wait_for("the second row", lambda: len(of_invoice(service, key)) == 2)
    change(service, key, rows=["gone", "gone"])
    wait_for("each is named", lambda: len([x for x in report(service)["changed_after_transfer"] if x.startswith("2001/")]) == 2)


def test_NV_13_a_row_that_got_another_key_while_it_was_in_doubt_is_made_once(service):
    service.sandbox.fault(system="severa", match="/projectfees", method="POST", kind="cut_after_commit", count=1)
    inv = buy(service, 2007, [project_row(service, "Ruuveja", "10")])
    row = f"{inv['key']}-{inv['rows'][0]}"
    report(service)
    wait_for("it is in doubt", lambda: rows_of(service).get(row, {}).get("state") == "in_doubt")
    change(service, inv["key"], rows=["gone", project_row(service, "Ruuveja", "10")])
    report(service)
    wait_for("it was found", lambda: rows_of(service)[row]["state"] == "done", 40)
    for _ in range(2):
        assert report(service)["missing"] == []
    assert of_invoice(service, inv["key"]) == [row]


def test_NV_13_a_row_that_got_its_project_later_is_reported_when_it_is_gone(service):
    key, _ = posted(service, 2002)
    change(service, key, rows=[None, {"text": "Nauloja", "net": "5"}])
    report(service)
    second = change(service, key, rows=[None, project_row(service, "Nauloja", "5")])["rows"][1]
    report(service)
    wait_for("the second row", lambda: len(of_invoice(service, key)) == 2)
    change(service, key, rows=[None, "gone"])
    assert f"2002/{second}" in report(service)["changed_after_transfer"]


def test_NV_13_a_row_that_was_gone_for_a_while_is_not_lost(service):
    control(service, f"netvisor/{TENANT}/dimensions/{HEADING}", "POST", {"item": {"name": "9996 Ei projektia", "code": "9996", "label": "Ei projektia"}})
    inv = buy(service, 2008, [{"text": "Hukassa", "net": "5", "heading": HEADING, "item": "9996 Ei projektia"}])
    row = f"{inv['key']}-{inv['rows'][0]}"
    report(service)
    assert settled(service, row)["state"] == "needs_data"
    change(service, inv["key"], deleted=True)
    wait_for("it is called off", lambda: rows_of(service)[row]["state"] == "cancelled", 40)
    change(service, inv["key"], deleted=False)
    report(service)
    wait_for("it is looked at again", lambda: rows_of(service)[row]["state"] == "needs_data", 20)


def test_NV_13_a_row_without_a_sum_stops_no_other(service):
    inv = buy(service, 2006, [{"text": "Väliotsikko", "net": None}, project_row(service, "Outo", None), project_row(service, "Ruuveja", "10")])
    odd, good = (f"{inv['key']}-{row}" for row in inv["rows"][1:])
    assert odd in report(service)["missing"]
    wait_for("the other row", lambda: of_invoice(service, inv["key"]) == [good])
    change(service, inv["key"], rows=[None, {"net": "4"}])
    report(service)
    wait_for("both rows", lambda: len(of_invoice(service, inv["key"])) == 2)


def test_NV_13_nothing_is_made_of_an_invoice_that_lost_its_acceptance(service):
    watched = buy(service, 2003, [{"text": "Kahvia", "net": "7"}])
    control(service, f"netvisor/{TENANT}/dimensions/{HEADING}", "POST", {"item": {"name": "9998 Ei projektia", "code": "9998", "label": "Ei projektia"}})
    handed = buy(service, 2004, [{"text": "Hukassa", "net": "5", "heading": HEADING, "item": "9998 Ei projektia"}])
    row = f"{handed['key']}-{handed['rows'][0]}"
    report(service)
    assert settled(service, row)["error"]["code"] == "purchase_project_unknown"
    for inv in (watched, handed):
        change(service, inv["key"], accepted=False, rows=[project_row(service, "Kahvia", "7")])
    for _ in range(3):
        report(service)
    t = wait_for("it waits", lambda: (t := rows_of(service)[row]) and t["state"] == "waiting" and t)
    assert t["error"]["code"] == "purchase_not_accepted" and not of_invoice(service, watched["key"]) and not of_invoice(service, handed["key"])
    for inv in (watched, handed):
        change(service, inv["key"], accepted=True)
    report(service)
    wait_for("both are made", lambda: of_invoice(service, watched["key"]) and of_invoice(service, handed["key"]), 40)


def test_NV_13_an_acceptance_that_changes_no_stamp_is_found_the_next_day():
    with Service(**SETTINGS) as s:
        with_item(s)
        start(s)
        inv = buy(s, 1, [project_row(s, "Ruuveja", "10")], accepted=False, touch=False)
        report(s)
        change(s, inv["key"], accepted=True, touch=False)
        report(s)
        assert not rows_of(s)
        place, = [k for k in s.redis.cli("KEYS", "*kv:*:listed").split() if TENANT in k]
        start_of, created, day, when = s.redis.cli("GET", place).split()
        s.redis.cli("SET", place, f"{start_of} {created} {int(day) - 1} {when}")
        report(s)
        wait_for("the row", lambda: of_invoice(s, inv["key"]))


def test_NV_13_many_invoices_without_a_project_are_watched():
    with Service(**SETTINGS) as s:
        with_item(s)
        start(s)
        buy(s, 7, [{"text": "Muu", "net": "1"}], count=10000)
        report(s)
        inv = buy(s, 8, [project_row(s, "Ruuveja", "10")])
        report(s)
        wait_for("the row", lambda: of_invoice(s, inv["key"]))


def test_NV_13_a_lack_of_travel_invoices_stops_no_purchase_rows():
    with Service(**SETTINGS) as s:
        _, item = with_item(s)
        s.connect(TENANT, TENANT, purchases=PURCHASES, **travel.travel_settings())
        s.activate(TENANT)
        status = next(x for x in control(s, f"severa/{TENANT}/travelstatuses") if x["name"] == travel.SENT)
        control(s, f"severa/{TENANT}/travelstatuses/{status['guid']}", "POST", {"name": "Toinen nimi"})
        s.relay.kill()  # it knows the statuses by heart
        s.relay.start()
        inv = buy(s, 1, [{"text": "Ruuveja", "net": "10", "heading": HEADING, "item": item}])
        s.call("POST", f"/v1/connections/{TENANT}/sync")
        wait_for("the row", lambda: f"{inv['key']}-{inv['rows'][0]}" in made(s))


def test_SV_07_made_again_by_the_same_name_for_another_company_no_old_invoice_is_lost():
    with Service(**SETTINGS) as s:
        first, second = s.sandbox.tenants(count=2, invoices=0, customers=2, prefix="again", registered=True)
        for key in (first, second):
            control(s, f"netvisor/{key}/dimensions/{HEADING}", "POST", {"item": {"name": "82 Talo", "code": "82", "label": "Talo"}})
        old = control(s, f"netvisor/{second}/purchases", "POST", {"number": "7", "vendor": "Rauta Oy", "touch": False, "rows": [
            {"text": "Ruuveja", "net": "10", "heading": HEADING, "item": "82 Talo"}]})[0]
        for key in (first, second):
            s.connect("same", key, dimensions={"project_heading": HEADING}, purchases=PURCHASES)
            s.activate("same")
            s.call("POST", "/v1/connections/same/sync")
            wait_for("a report", lambda: s.call("GET", "/v1/connections/same/report").json()["report"])
            if key == first:
                s.call("POST", "/v1/connections/same/pause")
                wait_for("it is deleted", lambda: s.call("DELETE", "/v1/connections/same", headers={"If-Match": "*"}).status == 204)
        wait_for("the old invoice's row", lambda: [t for t in s.transfers("same", kind="purchase_row") if t["source_id"] == f"{old['key']}-{old['rows'][0]}"])


def test_SV_07_made_again_by_the_same_name_what_was_never_posted_is_not_lost():
    with Service(**SETTINGS) as s:
        _, item = with_item(s)
        control(s, f"netvisor/{TENANT}/dimensions/{HEADING}", "POST", {"item": {"name": "9997 Ei projektia", "code": "9997", "label": "Ei projektia"}})
        start(s)
        inv = buy(s, 1, [{"text": "Hukassa", "net": "5", "heading": HEADING, "item": "9997 Ei projektia"}], touch=False)
        report(s)
        row = f"{inv['key']}-{inv['rows'][0]}"
        assert settled(s, row)["error"]["code"] == "purchase_project_unknown"
        s.call("POST", f"/v1/connections/{TENANT}/pause")
        wait_for("it is deleted", lambda: s.call("DELETE", f"/v1/connections/{TENANT}", headers={"If-Match": "*"}).status == 204)
        assert rows_of(s)[row]["state"] == "cancelled"
        change(s, inv["key"], touch=False, rows=[{"item": item}])
        start(s)
        report(s)
        wait_for("the row", lambda: list(made(s)) == [row])


def test_NV_13_an_invoice_of_a_later_day_is_found_after_a_loss():
    with Service(**SETTINGS) as s:
        _, item = with_item(s)
        start(s, **{"from": "2027-01-01"})
        inv = buy(s, 1, [{"text": "Vuokra", "net": "10", "heading": HEADING, "item": item}], date="2027-01-15")
        report(s)
        row = f"{inv['key']}-{inv['rows'][0]}"
        assert settled(s, row)["state"] == "done"
        s.redis.cli("FLUSHALL")
        wait_for("the connection back", lambda: s.call("GET", f"/v1/connections/{TENANT}").status == 200 and s.call("GET", "/readyz", token=None).status == 200, 40)
        wait_for("it is known again", lambda: s.call("POST", f"/v1/connections/{TENANT}/sync") and rows_of(s).get(row, {}).get("state") == "done", 40, 0.3)
        assert list(made(s)) == [row]


# ---- travel invoices in doubt ----


def in_doubt(s, number, **settings):
    travel.start(s, **settings)
    s.sandbox.fault(system="netvisor", match="tripexpense.nv", kind="cut_after_commit", count=1)
    guid = travel.add(s, number)
    t = travel.comes_to(s, number, "needs_data")
    assert travel.code_of(t) == "doubt_unsettled"
    return guid, t


def patch(s, **settings):
    assert s.call("PATCH", f"/v1/connections/{TENANT}", {"settings": settings}, {"If-Match": "*"}).status == 200
    s.activate(TENANT)


def test_NV_12_a_doubt_can_be_answered_after_travel_invoices_were_switched_off():
    with Service(**travel.SETTINGS | {"retest_interval": "1h"}) as s:
        _, t = in_doubt(s, 60)
        patch(s, travel=None)
        assert s.call("POST", f"/v1/transfers/{t['id']}/retry", {}, {"If-Match": "*"}).status == 200
        again = wait_for("it was looked at", lambda: (x := travel.transfers(s)["60"])["updated_at"] != t["updated_at"] and x["state"] in ("needs_data", "waiting") and x)
        assert (again["state"], travel.code_of(again)) == ("needs_data", "doubt_unsettled")
        assert travel.order(s, again, "arrived").status == 200
        travel.comes_to(s, 60, "done")
        assert s.call("POST", f"/v1/connections/{TENANT}/pause").status == 200
        wait_for("it can be deleted", lambda: s.call("DELETE", f"/v1/connections/{TENANT}", headers={"If-Match": "*"}).status == 204)


def test_NV_12_what_was_in_doubt_before_there_was_a_sending_status_never_counts_as_unsent():
    with Service(**travel.SETTINGS) as s:
        guid, _ = in_doubt(s, 61, travel=travel.travel_settings(False)["travel"])
        assert travel.status_of(s, guid) == travel.WAITS
        patch(s, **travel.travel_settings(True))
        wait_for("it stands with what may have been sent", lambda: travel.status_of(s, guid) == travel.SENDING, 20)
        s.redis.cli("FLUSHALL")
        wait_for("the connection back", lambda: s.call("GET", f"/v1/connections/{TENANT}").status == 200 and s.call("GET", "/readyz", token=None).status == 200, 40)
        wait_for("a poll", lambda: travel.poll(s) or travel.transfers(s).get("61"), 40, 0.3)
        assert travel.code_of(travel.comes_to(s, 61, "needs_data")) == "sent_before_loss"
        assert list(travel.trips(s)) == ["61"]


def test_NV_12_what_is_changed_while_it_is_read_is_read_again():
    with Service(**travel.SETTINGS) as s:
        travel.start(s)
        guid = travel.add(s, 62, status="Luonnos")
        lines = f"/{guid}/projecttravelexpenses"
        s.sandbox.fault(system="severa", match=lines, method="GET", kind="latency", latency_ms=1000, after=True, count=1)
        waits = next(x for x in control(s, f"severa/{TENANT}/travelstatuses") if x["name"] == travel.WAITS)
        control(s, f"severa/{TENANT}/travels/{guid}", "POST", {"travelReimbursementStatus": {"guid": waits["guid"], "name": travel.WAITS}})
        wait_for("it is being read", lambda: s.sandbox.requests(system="severa", match=f"/travelreimbursements/{guid}", limit=10), 20)
        line = next(x for x in control(s, f"severa/{TENANT}/travellines") if x["travelExpense"]["code"] == "KM" and x["quantity"] == 100)
        control(s, f"severa/{TENANT}/travellines/{line['guid']}", "POST", {"quantity": 200})
        control(s, f"severa/{TENANT}/travels/{guid}", "POST", {"totalExpenses": {"amount": 216, "currencyCode": "EUR"}})
        travel.comes_to(s, 62, "done")
        assert travel.trips(s)["62"]["sum"] == 216 and travel.status_of(s, guid) == travel.SENT
