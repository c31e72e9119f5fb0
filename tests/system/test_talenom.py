"""The Talenom system, call by call over the real HTTP client, against the sandbox (`flow-cases drive`)."""

import pytest

from sandbox import drive_system


def drive(sb, *steps, tenant="kajo", options=None, settings=None, **credentials):
    """What each step came to."""
    s = sb.setup(tenant)["talenom"]
    keys = {k: s[k] for k in ("client_id", "client_secret", "subscription_key", "organization_number")} | credentials
    return drive_system("talenom", s["base_url"], keys, steps, token_url=s["token_url"], options=options or {}, settings=settings or {})


def one(sb, do, tenant="kajo", options=None, settings=None, credentials=None, **args):
    return drive(sb, {"do": do, **args}, tenant=tenant, options=options, settings=settings, **(credentials or {}))[0]


GUID = "8c2f6f0a-1d6b-4a4f-9a51-0f5d9d3a7c01"
CARD = {"source_id": GUID, "code": "1001", "name": "Kivijärven Konepaja Oy", "business_id": "9000110-2", "vat_number": "FI90001102",
        "email": "laskut@kivijarvi.example", "language": "fi", "einvoice_address": "003790001102", "einvoice_operator": "003723327487",
        "billing": {"street": "Sahatie 4", "postcode": "53850", "city": "Lappeenranta", "country": "FI"}}
CONTACT = {"do": "contact", "customer": CARD, "einvoice": "set"}
DRAFT = {"do": "draft", "customer": GUID, "external_id": "inv-1"}
LOOK = {"do": "look_up", "external_id": "inv-1"}
APPROVE = {"do": "approve", "external_id": "inv-1"}


def row(account="3000", quantity=7.5, price=115, rate=25.5, **more):
    return {"product_code": "KONS-01", "name": "Konsultointi", "description": "Konsultointi\nlokakuu", "quantity": quantity, "unit_price": price,
            "vat_rate": rate, "unit": "h", "account": account} | more


def invoice(number="10401", rows=None, **more):
    return {"number": number, "reference": "104016", "issue_date": "2026-11-02", "due_date": "2026-11-16", "delivery_date": "2026-10-31",
            "payment_term_days": 14, "currency": "EUR", "customer_number": "1001", "buyer": {"name": CARD["name"]}, "rows": rows or [row()]} | more


def content(external_id="inv-1", **more):
    return {"do": "content", "external_id": external_id, "invoice": invoice(**more)}


def sale(**more):
    return {"do": "sale", "invoice": invoice(**more)}


def failure(answer):
    return answer["error"], answer["reason"]


def ledger(sb, key="kajo"):
    return sb.ledger("talenom", key)


# --- keys ------------------------------------------------------------------------------------------


def test_every_credential_is_needed_and_checked(sb):
    assert one(sb, "accounts")["accounts"] == {"3000": 25.5, "3010": 14, "3012": 13.5, "3020": 10, "3100": 0}
    other = sb.setup("louhi")["talenom"]
    for wrong in ({"client_secret": "x"}, {"client_id": other["client_id"]}, {"subscription_key": "x"}, {"organization_number": "1"},
                  {"organization_number": other["organization_number"]}):
        got = one(sb, "accounts", credentials=wrong)
        assert failure(got) == ("credentials", "credentials_refused") and got["subject"] == "Talenom", wrong


def test_a_token_serves_many_calls(sb):
    drive(sb, {"do": "accounts"}, {"do": "accounts"}, {"do": "accounts"})
    assert ledger(sb)["token_requests"] == 1
    sb.fault(system="talenom", match="sales-accounts", kind="status", status=401, count=9)
    assert failure(one(sb, "accounts")) == ("credentials", "credentials_refused")
    assert len(sb.requests(system="talenom", match="sales-accounts")) == 3 + 1  # asking again with a new token would not help


def test_an_ended_token_is_renewed_once(sb):
    sb.control("talenom/kajo", "POST", {"token_s": 1})
    sb.fault(system="talenom", match="sales-accounts", kind="latency", latency_ms=1200, count=1)
    first, second = drive(sb, {"do": "accounts"}, {"do": "accounts"})
    assert first == second and "accounts" in second
    assert (ledger(sb)["token_requests"], ledger(sb)["unauthorized"]) == (2, 1)


@pytest.mark.parametrize("status, more, error", [(400, {}, "credentials"), (500, {}, "outage"), (429, {"retry_after": 3}, "quota"), (404, {}, "outage")])
def test_a_login_that_fails_is_never_a_documents_fault(sb, status, more, error):
    sb.fault(system="talenom", match="token", kind="status", status=status, **more)
    assert drive(sb, {"do": "contact", "customer": CARD})[0]["error"] == error
    assert ledger(sb)["contacts_added"] == 0


def test_addresses_are_options(sb):
    assert one(sb, "accounts", options={"TALENOM_ACCOUNTS_PATH": "/elsewhere"})["error"] == "system"
    assert one(sb, "accounts", settings={"talenom": {"region": "se"}})["error"] == "system"


# --- sales accounts --------------------------------------------------------------------------------


@pytest.mark.parametrize("rows, reason, subject", [
    ([row(), row("3012", rate=13.5), row("3000", rate=25.5)], None, None), ([row(None), row("", rate=3)], None, None),
    ([row(), row("3000", rate=14)], "account_vat_mismatch", "row 2: 3000: 14 % / 25.5 %"),
    ([row("4711")], "account_unknown", "row 1: 4711"), ([row("3900", rate=24)], "account_unknown", "row 1: 3900")])
def test_TA_06_a_row_and_its_account_have_the_same_vat(sb, rows, reason, subject):
    got = one(sb, "check", invoice=invoice(rows=rows))
    if reason:
        assert failure(got) == ("data", reason) and got["subject"] == subject
    else:
        assert got == {}


def test_TA_06_one_number_may_be_there_at_several_rates(sb):
    sb.control("talenom/kajo/accounts", "POST", {"number": "3000", "name": "Vanha", "tax_percent": "24"})
    for rate, error in ((24, None), (25.5, None), (14, "data")):
        assert one(sb, "check", invoice=invoice(rows=[row(rate=rate)])).get("error") == error


def test_TA_06_approval_checks_it_too(sb):
    got = drive(sb, CONTACT, DRAFT, content(rows=[row(rate=14)]), APPROVE, LOOK)
    assert failure(got[3]) == ("data", "account_vat_mismatch") and got[4]["draft"]
    got = drive(sb, content(rows=[row("4711")]), APPROVE)
    assert failure(got[1]) == ("data", "account_unknown")
    assert drive(sb, content(), APPROVE)[1]["approved"] and ledger(sb)["count"] == 1


# --- products --------------------------------------------------------------------------------------


def product(code="X-1", name="Uusi tuote", **more):
    return {"do": "product", "code": code, "name": name, "unit": "kpl", "price": 10.5, "vat": 25.5} | more


def test_TA_03_an_unknown_product_is_made_and_a_changed_one_updated(sb):
    got = drive(sb, product(), product(), product(price=12), product(price=12), product(name="Toinen nimi", price=12))
    assert [g["did"] for g in got] == ["added", "nothing", "changed", "nothing", "changed"]
    there = next(p for p in sb.control("talenom/kajo/products") if p["code"] == "X-1")
    assert (there["name"], there["pricePerUnit"], there["taxPercent"], there["unit"]) == ("Toinen nimi", 12, 25.5, "kpl")
    assert (ledger(sb)["products_added"], ledger(sb)["products_changed"]) == (1, 2)


def test_TA_03_one_without_a_code_goes_without_a_code_and_is_known_by_its_name(sb):
    plain = product(code=None, name="Sekalainen veloitus")
    got = drive(sb, product(code="Y", name="Sekalainen veloitus"), plain, plain, dict(plain, price=1))
    assert [g["did"] for g in got] == ["added", "added", "nothing", "changed"]
    assert [p["code"] for p in sb.control("talenom/kajo/products") if p["name"] == "Sekalainen veloitus"] == [None, "Y"]


def test_TA_03_codes_are_matched_exactly_and_never_made_twice(sb):
    got = drive(sb, product(code="kons-01", look=True), product(code="KONS-01", look=True), product(code="KONS-01", add=True))
    assert (got[0]["was"], got[1]["was"], got[2]["error"]) == (None, "Konsultointi, tuntityö", "duplicate")
    assert failure(drive(sb, product(code=None, name=None))[0]) == ("data", "name_missing")


def test_a_change_of_an_older_reading_is_a_conflict(sb):
    got = drive(sb, product(), product(price=12, old=True), CONTACT, dict(CONTACT, customer=dict(CARD, name="Toinen"), old=True))
    assert [got[1]["error"], got[3]["error"]] == ["conflict", "conflict"]
    assert ledger(sb)["version_conflicts"] == 2


@pytest.mark.parametrize("kind, made", [("cut_after_commit", True), ("cut_in_answer", True), ("garbage", True), ("cut_before", False)])
def test_TA_03_an_unclear_product_is_in_doubt_and_found_again(sb, kind, made):
    sb.fault(system="talenom", method="POST", match="/products", kind=kind)
    got, again = drive(sb, product(), product())
    assert got["error"] == "doubt" and again["did"] == ("nothing" if made else "added")
    assert ledger(sb)["products_added"] == 1


# --- contacts --------------------------------------------------------------------------------------


def contact_there(sb):
    return sb.control("talenom/kajo/contacts")[0]


def test_TA_04_a_customer_is_made_and_changed_with_the_invoice(sb):
    moved = dict(CONTACT, customer=dict(CARD, billing=dict(CARD["billing"], street="Uusitie 9")))
    assert [g["did"] for g in drive(sb, CONTACT, CONTACT, moved, moved)] == ["added", "nothing", "changed", "nothing"]
    there = contact_there(sb)
    assert {k: there[k] for k in there if k not in ("id", "rowVersion")} == {
        "organizationNumber": int(sb.setup("kajo")["talenom"]["organization_number"]), "externalId": GUID, "type": "Business", "number": "1001",
        "name": CARD["name"], "businessId": "9000110-2", "vatId": "FI90001102", "email": CARD["email"], "currency": "EUR",
        "InvoiceLanguage": "fi-FI", "defaultReceivableAccountNumber": "1701", "eInvoiceAddress": "003790001102", "eInvoiceOperator": "003723327487",
        "invoicingAddress": {"address1": "Uusitie 9", "postalCode": "53850", "postOffice": "Lappeenranta", "country": "FI"}}
    assert failure(one(sb, "contact", customer=dict(CARD, name=None))) == ("data", "customer_name_missing")
    drive(sb, dict(CONTACT, customer={"source_id": "g", "code": "2", "name": "Kalle", "is_private": True}))
    assert contact_there(sb)["type"] == "Consumer"


def test_TA_05_a_removed_address_is_emptied_and_automatic_einvoicing_switched_off(sb):
    gone = dict(CARD, einvoice_address=None, einvoice_operator=None)
    drive(sb, CONTACT)
    sb.control("talenom/kajo/contacts/" + contact_there(sb)["id"], "POST", {"automaticEInvoicing": True})
    kept, set_again = drive(sb, dict(CONTACT, customer=gone, einvoice=None), dict(CONTACT, customer=gone, einvoice="set"))
    assert (kept["did"], set_again["did"]) == ("nothing", "nothing")  # leaving out is not removing
    assert (contact_there(sb)["eInvoiceAddress"], contact_there(sb)["automaticEInvoicing"]) == ("003790001102", True)
    removed = dict(CONTACT, customer=gone, einvoice="remove")
    assert [g["did"] for g in drive(sb, removed, removed)] == ["changed", "nothing"]
    there = contact_there(sb)
    assert (there["eInvoiceAddress"], there["eInvoiceOperator"], there["automaticEInvoicing"]) == (None, None, False)
    assert drive(sb, CONTACT)[0]["did"] == "changed" and contact_there(sb)["automaticEInvoicing"] is False


@pytest.mark.parametrize("kind, made", [("cut_after_commit", True), ("cut_in_answer", True), ("garbage", True), ("cut_before", False)])
def test_TA_04_an_unclear_contact_is_in_doubt_and_found_by_our_id(sb, kind, made):
    sb.fault(system="talenom", method="POST", match="/contacts", kind=kind)
    got, again = drive(sb, CONTACT, CONTACT)
    assert got["error"] == "doubt" and again["did"] == ("nothing" if made else "added")
    assert ledger(sb)["contacts_added"] == 1
    assert drive(sb, dict(CONTACT, add=True))[0]["error"] == "duplicate"


# --- invoices --------------------------------------------------------------------------------------


def test_TA_01_an_invoice_goes_by_its_steps(sb):
    rows = [row(), row("3012", 6, 14.5, 13.5, discount_percent=10), row(quantity=84.25, price=0.0375, unit="km")]
    contact, draft, filled, approved, after = drive(sb, CONTACT, DRAFT, content(rows=rows, order_number="PO-7", your_reference="Maija"), APPROVE, LOOK)
    assert (draft["draft"], draft["number"], draft["gross"]) == (True, "", 0)
    assert (filled["draft"], filled["gross"]) == (True, 1175.27)
    assert (approved["approved"], approved["number"], approved["date"], approved["reference"], approved["currency"]) == \
        (True, "10401", "2026-11-02", "104016", "EUR")
    assert after == approved
    d = ledger(sb)["documents"][0]
    assert (d["number"], d["status"], d["contact_id"], d["sum"], d["times_booked"]) == ("10401", "Approved", contact["id"], 1175.27, 1)
    c = d["content"]
    assert (c["dueDate"], c["deliveryDate"], c["paymentTerm"], c["orderNumber"], c["yourReference"]) == ("2026-11-16", "2026-10-31", 14, "PO-7", "Maija")
    assert c["lineItems"][1] == {"type": "Product", "productName": "Konsultointi", "productCode": "KONS-01", "description": "Konsultointi\nlokakuu",
                                 "unit": "h", "quantity": 6, "pricePerUnit": 14.5, "discountPercent": 10, "taxPercent": 13.5, "salesAccountNumber": "3012"}
    assert (ledger(sb)["count"], ledger(sb)["drafts"], ledger(sb)["booked_twice"]) == (1, 0, 0)


def test_TA_01_a_credit_note_is_below_zero(sb):
    got = drive(sb, CONTACT, DRAFT, content(is_credit_note=True, rows=[row(quantity=-1)]), APPROVE)
    assert got[3]["gross"] == -144.33 and ledger(sb)["documents"][0]["content"]["type"] == "Credit"


@pytest.mark.parametrize("more, reason", [({"number": "A-1"}, "number_not_digits"), ({"number": "0017"}, "number_not_digits"),
                                          ({"rows": [row(quantity=1.00001)]}, "number_too_precise"), ({"rows": [row(price=0.123456789012)]}, "number_too_precise"),
                                          ({"rows": [row(name=None, description=None, product_code=None)]}, "row_text_missing")])
def test_TA_01_what_cannot_be_told_is_named_before_it_is_sent(sb, more, reason):
    got = drive(sb, CONTACT, DRAFT, content(**more))[2]
    assert failure(got) == ("data", reason)
    assert sb.requests(system="talenom", match="/invoices/") == []


def test_TA_01_one_id_is_never_two_invoices(sb):
    got = drive(sb, CONTACT, DRAFT, DRAFT, dict(DRAFT, external_id="inv-2"))
    assert [g.get("error") for g in got] == [None, None, "duplicate", None]
    assert (ledger(sb)["drafts"], ledger(sb)["refused_duplicates"]) == (2, 1)
    assert drive(sb, dict(LOOK, external_id="inv-3"))[0]["error"] == "not_found"
    assert failure(drive(sb, dict(DRAFT, customer="nobody", external_id="inv-4"))[0]) == ("data", "refused_by_target")


@pytest.mark.parametrize("kind, made", [("cut_after_commit", True), ("cut_in_answer", True), ("garbage", True), ("cut_before", False)])
def test_TA_01_every_unclear_step_is_in_doubt_and_looked_up(sb, kind, made):
    drive(sb, CONTACT)
    sb.fault(system="talenom", method="POST", match="/invoices?", kind=kind)
    draft, found = drive(sb, DRAFT, LOOK)
    assert draft["error"] == "doubt" and (found["draft"] if made else found["error"] == "not_found")
    if not made:
        drive(sb, DRAFT)
    sb.fault(system="talenom", method="PUT", match="/invoices/", kind=kind)
    filled, found = drive(sb, content(), LOOK)
    assert filled["error"] == "doubt" and found["gross"] == (1082.44 if made else 0)
    drive(sb, content())  # with the version of a new reading: may be repeated
    sb.fault(system="talenom", method="POST", match="/approve", kind=kind)
    approved, found = drive(sb, APPROVE, LOOK)
    assert approved["error"] == "doubt" and found["approved"] is made
    if not made:
        drive(sb, APPROVE)
    assert (ledger(sb)["count"], ledger(sb)["drafts"], ledger(sb)["duplicates"]) == (1, 0, 0)


def test_TA_07_an_approved_invoice_is_not_changed_and_an_old_reading_not_written(sb):
    drive(sb, CONTACT, DRAFT)
    assert drive(sb, dict(content(), old=True))[0]["error"] == "conflict"
    got = drive(sb, content(), APPROVE, content(), APPROVE)
    assert [failure(g) for g in got[2:]] == [("data", "refused_by_target")] * 2
    sb.control("talenom/kajo/invoices/10401", "DELETE")
    assert drive(sb, LOOK)[0]["error"] == "not_found"


def test_a_closed_period_is_named(sb):
    sb.control("talenom/kajo", "POST", {"closed_until": "2026-11-30"})
    got = drive(sb, CONTACT, DRAFT, content(), APPROVE, sale())
    assert failure(got[3]) == ("data", "period_closed") and "2026-11-02" in got[3]["subject"]
    assert failure(got[4]) == ("data", "period_closed") and ledger(sb)["sales_vouchers"] == 0


# --- the sales ledger ------------------------------------------------------------------------------


def test_TA_02_the_payment_state_is_told_and_taken_back(sb):
    paid, opened = {"do": "paid", "external_id": "inv-1", "date": "2026-11-10"}, {"do": "paid", "external_id": "inv-1"}
    got = drive(sb, CONTACT, DRAFT, paid, content(), APPROVE, paid, paid, LOOK, opened, LOOK)
    assert failure(got[2]) == ("data", "refused_by_target")  # a draft has none
    assert (got[7]["paid"], got[7]["approved"], got[9]["paid"]) == (True, True, False)
    assert ledger(sb)["documents"][0]["content"]["lineItems"] and ledger(sb)["payments_told"] == 3


def test_TA_02_a_sale_is_a_balanced_voucher(sb):
    rows = [row(), row(quantity=1, price=0.99), row("3012", 3, 33.33, 13.5)]
    assert drive(sb, sale(rows=rows))[0] == {}
    v = ledger(sb)["vouchers"][0]["voucher"]
    postings = {p["accountNumber"]: p for p in v["postings"]}
    assert {a: p["vatIncludedAmount"] for a, p in postings.items()} == {"1701": 1197.17, "3000": -1083.68, "3012": -113.49}
    assert (postings["1701"]["matchKey"], postings["3000"]["matchKey"], postings["3000"]["vatPercentage"]) == ("S1", None, 25.5)
    assert (v["category"], v["voucherState"], v["voucherDate"], v["invoiceNumber"], v["referenceNumber"]) == \
        ("IntegrationSales", "Accepted", "2026-11-02", "10401", "104016")
    assert v["description"] == "Lasku 10401 " + CARD["name"]
    assert drive(sb, {"do": "vouchers", "number": "10401", "date": "2026-11-02"})[0]["found"] == [
        {"number": "10401", "match_key": "S1", "receivable": 1197.17, "postings": 3}]


def test_TA_02_many_rows_sum_to_zero_to_the_cent(sb):
    rows = [row(quantity=1, price=0.01 * n + 0.003) for n in range(1, 60)]
    assert drive(sb, sale(rows=rows))[0] == {} and ledger(sb)["sales_vouchers"] == 1


def test_TA_02_a_sale_without_accounts_and_one_already_booked_are_seen(sb):
    assert failure(drive(sb, sale(rows=[row(), row(None)]))[0]) == ("data", "account_unknown")
    drive(sb, CONTACT, DRAFT, content(), APPROVE, sale())
    assert ledger(sb)["booked_twice"] == 1  # what a flow must never do: the ledger of the sandbox tells


@pytest.mark.parametrize("kind, made", [("cut_after_commit", 1), ("cut_in_answer", 1), ("garbage", 1), ("cut_before", 0)])
def test_TA_02_an_unclear_voucher_is_in_doubt_and_looked_up_by_number_and_day(sb, kind, made):
    for n in range(5):
        drive(sb, sale(number=str(20000 + n)))
    sb.fault(system="talenom", method="POST", match="general-ledger", kind=kind)
    got, found = drive(sb, sale(), {"do": "vouchers", "number": "10401", "date": "2026-11-02"}, options={"TALENOM_PAGE": 2})
    assert got["error"] == "doubt" and len(found["found"]) == made
    other = drive(sb, {"do": "vouchers", "number": "10401", "date": "2026-11-03"})[0]
    assert other["found"] == []


def test_TA_02_a_payment_closes_the_open_item(sb):
    pay = {"do": "payment", "number": "10401", "date": "2026-11-02", "paid_date": "2026-11-10"}
    got = drive(sb, sale(), pay)
    assert failure(got[1]) == ("system", "payment_account_missing")
    assert drive(sb, pay, settings={"talenom": {"payment_account": "1910"}})[0] == {}
    payment, of = ledger(sb)["vouchers"]
    assert (payment["is_payment"], payment["match_key"], of["match_key"], of["open"], of["receivable"]) == (True, "S1", "S1", 0, 1082.44)
    assert {p["accountNumber"]: p["vatIncludedAmount"] for p in payment["voucher"]["postings"]} == {"1910": 1082.44, "1701": -1082.44}
    assert (ledger(sb)["booked_twice"], ledger(sb)["sales_vouchers"]) == (0, 1)


# --- the gateway -----------------------------------------------------------------------------------


@pytest.mark.parametrize("status, more, write, read", [
    (500, {}, "doubt", "outage"), (503, {"retry_after": 7}, "outage", "outage"), (429, {"retry_after": 7}, "quota", "quota"),
    (403, {}, "quota", "quota"), (404, {}, "outage", "outage"), (302, {}, "system", "system")])
def test_gateways_and_refusals(sb, status, more, write, read):
    """A look-up that fails is never taken for an invoice that is not there."""
    drive(sb, CONTACT)
    sb.fault(system="talenom", match="/invoices?", kind="status", status=status, count=2, **more)
    got, found = drive(sb, DRAFT, LOOK)
    assert (got["error"], found["error"]) == (write, read)
    assert ledger(sb)["drafts"] == 0


def test_organisations_never_mix(sb):
    drive(sb, CONTACT, DRAFT, content(), APPROVE, sale())
    assert drive(sb, LOOK, tenant="louhi")[0]["error"] == "not_found"
    assert drive(sb, {"do": "vouchers", "number": "10401", "date": "2026-11-02"}, tenant="louhi")[0]["found"] == []
