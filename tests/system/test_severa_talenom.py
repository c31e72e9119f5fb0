"""The flow severa-talenom in the running service, against the sandbox's Severa and Talenom: what one recorded run cannot show."""

import datetime
import time
import zoneinfo

import pytest

from service import Service, talenom_connection_of, wait_for

TENANT = "kajo"
FAST = {"poll_interval": "1h", "retest_interval": "1h", "retry_first": "100ms", "severa_rate": "1000", "severa_burst": "1000",
        "talenom_rate": "1000", "talenom_burst": "1000"}
HELSINKI = zoneinfo.ZoneInfo("Europe/Helsinki")


@pytest.fixture(scope="module", name="flow")
def relayed():
    """A company whose sample invoices have all been relayed, or rest; polled only when told to."""
    with Service(**FAST) as s:
        account = {"salesAccount": {"number": "3000", "name": "Myynti"}}
        s.sandbox.control(f"severa/{TENANT}/invoices/several-vat-rates", "POST", {"rows": [{}, account]})
        s.connect(TENANT, TENANT, talenom_connection_of)
        s.activate(TENANT)
        at_rest(s)
        yield s


def at_rest(s):
    busy = {"queued", "running", "retrying", "waiting"}
    wait_for("every transfer at rest", lambda: (found := s.transfers(TENANT)) and not busy & {t["state"] for t in found}, 60)


def invoice(s, sample):
    return s.sandbox.control(f"severa/{TENANT}/invoices/{sample}")


def full(s, sample):
    found = next(t for t in s.transfers(TENANT) if t["source_id"] == invoice(s, sample)["guid"])
    return s.call("GET", "/v1/transfers/" + found["id"]).json()


def ledger(s, tenant=TENANT):
    return s.sandbox.ledger("talenom", tenant)


def documents(s):
    return {str(d["number"]): d for d in ledger(s)["documents"]}


def sync(s, name=TENANT):
    """A poll, and its report."""
    before = s.call("GET", f"/v1/connections/{name}/report").json()["report"]
    assert s.call("POST", f"/v1/connections/{name}/sync").status == 202
    return wait_for("a new report", lambda: (r := s.call("GET", f"/v1/connections/{name}/report").json()["report"]) and
                    r["at"] != (before or {}).get("at") and r)


def test_TA_01_what_arrived_is_what_was_done(flow):
    done = {t["number"] for t in flow.transfers(TENANT) if t["state"] == "done"}
    there = ledger(flow)
    assert len(done) > 8 and set(documents(flow)) == done
    assert (there["duplicates"], there["booked_twice"], there["sales_vouchers"]) == (0, 0, 0)
    assert all(d["status"] == "Approved" for d in there["documents"])
    assert invoice(flow, "plain-hours")["status"]["guid"] == flow.setup(TENANT)["severa"]["transferred_status"]


def test_TA_06_a_row_whose_account_has_another_percentage(flow):
    got = full(flow, "several-vat-rates")
    assert (got["state"], got["error"]["code"]) == ("needs_data", "account_vat_mismatch")
    assert "row 2: 3000: 13.5 % / 25.5 %" in got["error"]["text"], got["error"]
    assert invoice(flow, "several-vat-rates")["status"]["guid"] == flow.setup(TENANT)["severa"]["transfer_status"]


def test_TA_07_edits_after_the_transfer_are_reported_and_not_sent(flow):
    before = flow.sandbox.requests(system="talenom", match="/sales/v1", limit=2000)
    flow.sandbox.control(f"severa/{TENANT}/invoices/plain-hours", "POST", {"fields": {"yourReference": "muutettu"}})
    report = sync(flow)
    assert report["changed_after_transfer"] == [str(invoice(flow, "plain-hours")["number"])]
    after = flow.sandbox.requests(system="talenom", match="/sales/v1", limit=2000)
    assert [r for r in after if r["method"] != "GET"] == [r for r in before if r["method"] != "GET"]


def test_TA_07_straight_to_transferred_is_reported_and_never_sent(flow):
    made, = flow.sandbox.control(f"severa/{TENANT}/invoices", "POST", {"invoices": [{"rows": [{"code": ["KONS-01"]}]}]})
    flow.sandbox.control(f"severa/{TENANT}/invoices/{made['guid']}", "POST", {"status": flow.setup(TENANT)["severa"]["transferred_status"]})
    wait_for("the report", lambda: str(made["number"]) in sync(flow)["never_relayed"], 20)
    assert str(made["number"]) not in documents(flow)


def rested_for_long(s, sample):
    """What was done a moment ago is not looked at again by a poll for ten minutes: they are over."""
    s.redis.cli("HSET", "t:t:" + full(s, sample)["id"], "ua", "0", "rl", "0")


def test_TA_02_payment_state_is_told_by_a_poll(flow):
    """Whatever status it stands in by then; and that it is open again."""
    number = str(invoice(flow, "credit-note")["number"])
    rested_for_long(flow, "credit-note")
    flow.sandbox.control(f"severa/{TENANT}/invoices/credit-note", "POST", {"status": "Maksettu", "fields": {"paymentDate": "2026-11-20"}})
    sync(flow)
    wait_for("the payment at Talenom", lambda: documents(flow)[number]["paid"])
    assert documents(flow)[number]["paid_date"] == "2026-11-20"
    rested_for_long(flow, "credit-note")
    flow.sandbox.control(f"severa/{TENANT}/invoices/credit-note", "POST", {"status": "Lähetetty", "fields": {"paymentDate": None}})
    sync(flow)
    wait_for("that it is open again", lambda: not documents(flow)[number]["paid"])
    assert [e["code"] for e in full(flow, "credit-note")["timeline"]].count("payment_told") == 2
    assert ledger(flow)["booked_twice"] == 0 and full(flow, "credit-note")["state"] == "done"


def test_TA_02_a_payment_that_cannot_be_told_yet_is_found_again(flow):
    number = str(invoice(flow, "plain-hours")["number"])
    rested_for_long(flow, "plain-hours")
    flow.sandbox.fault(system="talenom", match="/payment-state", kind="status", status=503, count=1)
    flow.sandbox.control(f"severa/{TENANT}/invoices/plain-hours", "POST", {"fields": {"paymentDate": "2026-11-21"}})
    sync(flow)
    wait_for("the failed try", lambda: [r for r in flow.sandbox.requests(system="talenom", match="/payment-state", limit=2000) if r["status"] == 503])
    rested_for_long(flow, "plain-hours")
    sync(flow)
    wait_for("the payment at Talenom", lambda: documents(flow)[number]["paid_date"] == "2026-11-21")


def test_TA_05_many_addresses_gone_wait_for_a_person():
    """Nothing is removed while Severa hides the addresses; a person says that they are gone, and the invoices go on by themselves."""
    with Service(seed="demo", **FAST) as s:
        customers = [c for c in s.sandbox.control(f"severa/{TENANT}/customers") if (c["eInvoiceAddress"] or "")[:2] == "00"]
        assert len(customers) > 4
        s.connect(TENANT, TENANT, talenom_connection_of)
        made = s.sandbox.control(f"severa/{TENANT}/invoices", "POST", {"invoices": [{"customer": c["guid"]} for c in customers]})
        s.activate(TENANT)
        first = {str(m["number"]) for m in made}
        wait_for("the first invoices", lambda: first <= {t["number"] for t in s.transfers(TENANT) if t["state"] == "done"}, 60)
        at_rest(s)
        for c in customers:
            s.sandbox.control(f"severa/{TENANT}/customers/{c['guid']}", "POST", {"eInvoiceAddress": None, "eInvoiceOperator": None})
        made = s.sandbox.control(f"severa/{TENANT}/invoices", "POST", {"invoices": [{"customer": c["guid"]} for c in customers[:3]]})
        sync(s)
        second = {str(m["number"]) for m in made}
        waiting = wait_for("the question", lambda: (w := [t for t in s.transfers(TENANT) if (t.get("error") or {}).get("code") == "einvoice_addresses_gone"])
                           and len(w) == 3 and w)
        assert {t["state"] for t in waiting} == {"waiting"} and {t["number"] for t in waiting} == second
        contacts = s.sandbox.control(f"talenom/{TENANT}/contacts")
        assert all(c["eInvoiceAddress"] for c in contacts if c["externalId"] in {c["guid"] for c in customers})
        assert s.call("PATCH", f"/v1/connections/{TENANT}", {"settings": {"einvoice": {"many_gone": "remove"}}},
                      {"If-Match": "*", "Content-Type": "application/merge-patch+json"}).status == 200
        s.activate(TENANT)
        wait_for("the invoices that waited", lambda: second <= {t["number"] for t in s.transfers(TENANT) if t["state"] == "done"}, 30)
        gone = {c["externalId"]: c for c in s.sandbox.control(f"talenom/{TENANT}/contacts")}
        for c in customers[:3]:
            assert gone[c["guid"]]["eInvoiceAddress"] is None and gone[c["guid"]]["automaticEInvoicing"] is False
        assert all(gone[c["guid"]]["eInvoiceAddress"] for c in customers[3:])


def test_TA_08_activation_needs_agreement_and_times():
    with Service(seed="demo", **FAST) as s:
        for name, without in (("one", "contract_reference"), ("two", "transfer_times")):
            s.connect(name, TENANT, talenom_connection_of, **{without: None})
            refused = s.call("POST", f"/v1/connections/{name}/activate")
            assert refused.status == 422 and without in refused.body.decode(), refused.body
        for wrong, pointer in (({"times": ["25:00"], "time_zone": "UTC"}, "/times"), ({"times": ["06:00"]}, "/time_zone"), ({"interval_s": 0}, "/interval_s")):
            answer = s.call("POST", "/v1/connections", talenom_connection_of(s.setup(TENANT), "three", transfer_times=wrong))
            assert answer.status == 422 and answer.json()["pointer"] == "/settings/transfer_times" + pointer, answer.body


def test_TA_01_dry_run_says_what_would_be_sent_and_when():
    """By REST, its shape held against openapi.yaml: nothing is written."""
    with Service(seed="demo", **FAST) as s:
        s.connect(TENANT, TENANT, talenom_connection_of, transfer_times={"times": ["06:00"], "time_zone": "Europe/Helsinki"})
        for sample, code in (("plain-hours", "KONS-01"), ("code-missing", None)):
            answer = s.call("POST", f"/v1/connections/{TENANT}/dry-run", {"source_id": invoice(s, sample)["guid"]})
            made = answer.json()["result"]
            assert answer.status == 200 and made["invoice"]["rows"][0]["product_code"] == code and '"lineItems"' in made["document"]
            when = [n["text"] for n in made["notes"] if n["code"] == "not_yet"]
            assert len(when) == 1 and "06:00 (Europe/Helsinki)" in when[0], made["notes"]
        there = ledger(s)
        assert (there["drafts"], there["contacts_added"], there["products_added"]) == (0, 0, 0)
        # Nor does activation promise that they go now.
        activated = s.activate(TENANT).json()
        assert [(r["code"], r["pointer"]) for r in activated["remarks"]] == [("not_yet", "/settings/transfer_times")], activated
        assert "06:00 (Europe/Helsinki)" in activated["remarks"][0]["text"] and "remark" in activated["text"], activated


def run_registers(s):
    """Orders a run of the product register and answers how it ended."""
    made = s.call("POST", f"/v1/connections/{TENANT}/runs", {"kind": "everything"})
    assert made.status in (201, 202), made.body
    path = "/v1/runs/" + made.json()["id"]
    return wait_for("the end of the run", lambda: (r := s.call("GET", path).json()) and r["ended_at"] and r, 60, 0.1)


def products_at(s):
    """By code, or where they have none by name."""
    return {p["code"] or p["name"]: p for p in s.sandbox.control(f"talenom/{TENANT}/products")}


def test_TA_03_the_product_register_without_any_invoice():
    """Added once, by code or by name; changed, updated; an agreed time holds up no register."""
    with Service(**FAST) as s:
        old = products_at(s)
        s.connect(TENANT, TENANT, talenom_connection_of, transfer_times={"interval_s": 86400})
        s.activate(TENANT)
        run = run_registers(s)
        assert run["state"] == "done" and run["registers"][0]["skipped"] == 1, run
        assert [r["code"] for r in run["reasons"]] == ["product_passive"], run
        severa = [p for kind in ("products", "worktypes", "travelexpensetypes") for p in s.sandbox.control(f"severa/{TENANT}/{kind}")]
        there, active = products_at(s), {p["code"] or p["name"] for p in severa if p["isActive"]}
        assert len(active) > 10 and active <= set(there), active - set(there)
        assert not {p["code"] or p["name"] for p in severa if not p["isActive"]} & set(there)
        added = ledger(s)["products_added"]
        assert added == len(there) - len(old) and [p for p in there.values() if not p["code"]]
        changed = next(p for p in severa if p["code"] and p["isActive"] and "type" in p)
        s.sandbox.control(f"severa/{TENANT}/products/{changed['guid']}", "POST", {"name": "Uusi nimi"})
        assert run_registers(s)["state"] == "done"
        assert products_at(s)[changed["code"]]["name"] == "Uusi nimi"
        assert (ledger(s)["products_added"], ledger(s)["documents"]) == (added, [])


def minutes_ahead(n):
    """The first whole minute of Helsinki's clock that is at least n - 1 minutes away."""
    return (datetime.datetime.now(HELSINKI) + datetime.timedelta(minutes=n)).replace(second=0, microsecond=0)


def test_TA_01_sent_at_the_agreed_time_and_not_before():
    """Between the times an invoice waits and says until when; a person's order changes nothing; at the time it goes by itself."""
    with Service(**FAST | {"beat": "200ms"}) as s:
        goes = minutes_ahead(2 if datetime.datetime.now().second > 40 else 1)
        s.connect(TENANT, TENANT, talenom_connection_of, transfer_times={"times": [goes.strftime("%H:%M")], "time_zone": "Europe/Helsinki"})
        s.activate(TENANT)
        wait_for("a waiting invoice", lambda: any(t["state"] == "waiting" for t in s.transfers(TENANT)))
        got = full(s, "plain-hours")
        assert got["error"]["code"] == "not_yet" and goes.strftime("%Y-%m-%d %H:%M (Europe/Helsinki)") in got["error"]["text"], got["error"]
        assert s.call("POST", f"/v1/transfers/{got['id']}/retry", {}, {"If-Match": "*"}).status == 200
        wait_for("the order's run", lambda: (now := full(s, "plain-hours")) and now["state"] == "waiting" and now["tries"] > got["tries"] and now)
        there = ledger(s)
        assert (there["documents"], there["drafts"], there["contacts_added"]) == ([], 0, 0)
        wait_for("the invoice at Talenom", lambda: full(s, "plain-hours")["state"] == "done", 130, 0.2)
        assert time.time() >= goes.timestamp()
        assert ledger(s)["booked_twice"] == 0


LOSES = FAST | {"lease": "1500ms", "beat": "300ms", "request_timeout": "2s", "quiet": "4s", "retry_cap": "1s", "talenom_payment_account": "1910"}
# Its call, and what the ledger says once it was carried out.
WRITES = {"contact": ("/contacts", "POST", lambda there: there["contacts_added"]),
          "draft": ("/invoices?contactId", "POST", lambda there: there["drafts"]),
          "content": ("/invoices/", "PUT", lambda there: any(d["content"].get("lineItems") for d in there["documents"])),
          "approval": ("/approve", "POST", lambda there: any(d["status"] == "Approved" for d in there["documents"])),
          "voucher": ("/general-ledger/", "POST", lambda there: there["sales_vouchers"])}


@pytest.mark.parametrize("is_emptied", [False, True], ids=["killed", "killed-and-emptied"])
@pytest.mark.parametrize("write", WRITES)
def test_TA_02_killed_after_each_write_and_booked_once(write, is_emptied):
    """Talenom has carried it out, and its answer never comes: the relay dies, and Redis with all that it knew, perhaps."""
    match, method, is_written = WRITES[write]
    more = {"revenue": {"by": "voucher"}} if write == "voucher" else {}
    with Service(seed="empty", **LOSES) as s:
        key = s.sandbox.tenants(count=1, invoices=1, customers=1)[0]
        client = s.setup(key)["severa"]["client_id"]
        s.connect(key, key, talenom_connection_of, **more)
        held = s.sandbox.fault(system="talenom", match=match, method=method, kind="latency", latency_ms=60000, after=True)
        s.activate(key)
        wait_for("the write", lambda: is_written(ledger(s, key)))
        s.relay.kill()
        if is_emptied:
            s.redis.cli("FLUSHALL")
        s.sandbox.clear_faults(held)
        s.relay.start()
        if is_emptied:
            wait_for("the connection", lambda: s.call("GET", f"/v1/connections/{key}").status == 200)
            s.call("POST", f"/v1/connections/{key}/sync")
        wait_for("it is done", lambda: [t["state"] for t in s.transfers(key)] == ["done"], 40)
        there = ledger(s, key)
        assert (len(there["documents"]), there["sales_vouchers"]) == ((0, 1) if write == "voucher" else (1, 0))
        assert (there["drafts"], there["duplicates"], there["booked_twice"], there["contacts_added"]) == (0, 0, 0, 1)
        assert s.sandbox.invoices(client)[0]["status"]["guid"] == s.setup(key)["severa"]["transferred_status"]
