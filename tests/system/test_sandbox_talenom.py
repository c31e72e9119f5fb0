"""viesti-sandbox's Talenom keeps to facts/talenom.md: what tests of the system and of the flow stand on."""

import http.client

import pytest

from sandbox import TalenomClient, in_threads

CUT = (OSError, http.client.HTTPException)
LINE = {"type": "Product", "productName": "Työ", "quantity": 2, "pricePerUnit": 100, "taxPercent": 25.5, "salesAccountNumber": "3000"}


@pytest.fixture
def talenom(sb):
    return TalenomClient(sb.setup("kajo")["talenom"])


def ledger(sb, key="kajo"):
    return sb.ledger("talenom", key)


def error_of(answer):
    return answer.status, answer.json()["code"]


def contact(talenom, external_id="g-1"):
    return talenom.post("contacts", {"externalId": external_id, "name": "Asiakas", "email": "a@b.example"}).json()["id"]


def draft(talenom, external_id="inv-1"):
    return talenom.post("invoices?contactId=%s&externalId=%s" % (contact(talenom, "of-" + external_id), external_id)).json()


def fill(talenom, invoice, number=7, lines=(LINE,), **more):
    body = {"rowVersion": invoice["rowVersion"], "number": number, "date": "2026-11-02", "lineItems": list(lines)} | more
    return talenom.put("invoices/" + invoice["id"], body)


def voucher(*postings, **more):
    return [{"category": "IntegrationSales", "voucherState": "Accepted", "voucherDate": "2026-11-02", "description": "Lasku", "invoiceNumber": "7",
             "postings": [{"accountNumber": a, "vatIncludedAmount": n, "matchKey": k} for a, n, k in postings]} | more]


# --- the gateway and tokens ------------------------------------------------------------------------


def test_the_gateway_looks_first_then_the_api(sb, talenom):
    assert talenom.get("sales-accounts").status == 200
    assert "subscription key" in talenom.raw(talenom.sales + "products", headers={"Ocp-Apim-Subscription-Key": None}).json()["message"]
    answer = talenom.raw(talenom.sales + "products", headers={"Authorization": "Bearer x"})
    assert (answer.status, answer.body) == (401, b"")
    other = sb.setup("louhi")["talenom"]["organization_number"]
    assert talenom.raw("/fi/sales/v1/%s/products" % other).status == 403
    assert talenom.raw("/se" + talenom.sales[3:] + "products").json() == {"statusCode": 404, "message": "Resource not found"}
    assert talenom.get("no-such").json()["statusCode"] == 404
    assert sb.setup("fjell")["talenom"] is None


def test_tokens_are_made_by_client_credentials_and_end(sb, talenom):
    assert talenom.login().json()["expires_in"] == 3600
    assert talenom.login(client_secret="x").json() == {"error": "invalid_client"}
    assert talenom.login(grant_type="password").status == 400
    sb.control("talenom/kajo", "POST", {"drop_tokens": True})
    assert talenom.get("products").status == 401
    sb.control("talenom/kajo", "POST", {"token_s": 0})
    talenom.login()
    assert talenom.get("products").status == 401
    assert ledger(sb)["token_requests"] == 2 and ledger(sb)["unauthorized"] == 2


# --- registers -------------------------------------------------------------------------------------


def test_sales_accounts_are_numbers_with_a_percentage(sb, talenom):
    there = talenom.get("sales-accounts").json()
    assert [(a["number"], a["taxPercent"]) for a in there if a["active"]] == [("3000", 25.5), ("3010", 14), ("3012", 13.5), ("3020", 10), ("3100", 0)]
    sb.control("talenom/kajo/accounts/3010", "DELETE")
    assert "3010" not in [a["number"] for a in talenom.get("sales-accounts").json()]


def test_records_have_versions_and_unique_keys(sb, talenom):
    made = talenom.post("products", {"code": "X", "name": "Tuote", "pricePerUnit": 1.5, "taxPercent": 25.5})
    assert made.status == 201 and talenom.get("products", code="X").json() == [made.json()]
    assert error_of(talenom.post("products", {"code": "X", "name": "Toinen"})) == (409, "DUPLICATE_CODE")
    changed = talenom.put("products/" + made.json()["id"], {"rowVersion": made.json()["rowVersion"], "name": "Uusi"}).json()
    assert (changed["name"], changed["code"], changed["pricePerUnit"]) == ("Uusi", "X", 1.5)  # what is left out stays
    assert error_of(talenom.put("products/" + made.json()["id"], {"rowVersion": made.json()["rowVersion"], "name": "Uusi"})) == (409, "ROW_VERSION_CONFLICT")
    assert talenom.put("products/none", {"name": "x"}).status == 404
    assert [talenom.post("products", {"code": None, "name": "Koodi puuttuu"}).status for _ in range(2)] == [201, 201]
    assert len(talenom.get("products", name="Koodi puuttuu").json()) == 2
    assert error_of(talenom.post("products", {"code": "Y"})) == (400, "NAME_MISSING")


def test_contacts_are_found_by_our_id_and_null_empties(sb, talenom):
    contact(talenom)
    there = talenom.get("contacts", externalId="g-1").json()[0]
    assert talenom.get("contacts", externalId="g-2").json() == []
    assert error_of(talenom.post("contacts", {"externalId": "g-1", "name": "x"})) == (409, "DUPLICATE_EXTERNAL_ID")
    emptied = talenom.put("contacts/" + there["id"], {"rowVersion": there["rowVersion"], "email": None, "automaticEInvoicing": False}).json()
    assert (emptied["email"], emptied["name"], emptied["automaticEInvoicing"]) == (None, "Asiakas", False)


# --- invoices --------------------------------------------------------------------------------------


def test_from_an_empty_draft_to_a_paid_invoice(sb, talenom):
    empty = draft(talenom)
    assert (empty["status"], empty["number"], empty["grossAmount"]) == ("Draft", 0, 0)
    filled = fill(talenom, empty, lines=[LINE, dict(LINE, quantity=3, pricePerUnit=0.333, discountPercent=50, taxPercent=14)])
    assert (filled.json()["netAmount"], filled.json()["taxAmount"], filled.json()["grossAmount"]) == (200.5, 51.07, 251.57)
    filled = fill(talenom, filled.json()).json()
    approved = talenom.post("invoices/%s/approve" % empty["id"]).json()
    assert (approved["status"], approved["number"], approved["grossAmount"]) == ("Approved", 7, 251)
    assert error_of(talenom.post("invoices/%s/approve" % empty["id"])) == (400, "NOT_A_DRAFT")
    assert error_of(fill(talenom, approved)) == (400, "NOT_A_DRAFT")
    assert talenom.put("invoices/%s/payment-state" % empty["id"], {"state": "Paid", "paidDate": "2026-11-10"}).json()["paymentState"] == "Paid"
    assert error_of(talenom.put("invoices/%s/payment-state" % empty["id"], {"state": "Paid"})) == (400, "PAYMENT_STATE_UNKNOWN")
    assert talenom.get("invoices", externalId="inv-1").json()[0] == talenom.get("invoices/" + empty["id"]).json()
    assert (ledger(sb)["count"], ledger(sb)["drafts"], ledger(sb)["documents"][0]["paid"]) == (1, 0, True)


def test_a_draft_without_a_number_gets_talenoms_own(talenom):
    one = draft(talenom)
    fill(talenom, one, number=0)
    assert talenom.post("invoices/%s/approve" % one["id"]).json()["number"] == 900001


def test_refusals_of_a_draft_and_its_content(sb, talenom):
    assert error_of(talenom.post("invoices?contactId=none")) == (400, "CONTACT_NOT_FOUND")
    one = draft(talenom)
    assert error_of(talenom.post("invoices?contactId=%s&externalId=inv-1" % one["contactId"])) == (409, "DUPLICATE_EXTERNAL_ID")
    assert error_of(talenom.post("invoices/%s/approve" % one["id"])) == (400, "LINE_ITEMS_MISSING")
    assert error_of(fill(talenom, one, lines=[])) == (400, "LINE_ITEMS_MISSING")
    assert error_of(fill(talenom, one, lines=[{"productName": "x"}])) == (400, "LINE_ITEM_INCOMPLETE")
    assert error_of(fill(talenom, one, date=None)) == (400, "DATE_MISSING")
    assert error_of(fill(talenom, dict(one, rowVersion="x"))) == (409, "ROW_VERSION_CONFLICT")
    assert error_of(talenom.put("invoices/%s/payment-state" % one["id"], {"state": "Open"})) == (400, "IS_A_DRAFT")
    assert talenom.get("invoices/none").status == 404 and talenom.get("invoices/none").body == b""


@pytest.mark.parametrize("change, code", [({"salesAccountNumber": "4711"}, "SALES_ACCOUNT_UNKNOWN"), ({"taxPercent": 14}, "SALES_ACCOUNT_VAT_MISMATCH"),
                                          ({"salesAccountNumber": "3900", "taxPercent": 24}, "SALES_ACCOUNT_UNKNOWN"), ({"salesAccountNumber": None}, None)])
def test_approval_looks_at_the_accounts(sb, talenom, change, code):
    one = draft(talenom)
    fill(talenom, one, lines=[LINE, dict(LINE, **change)])
    answer = talenom.post("invoices/%s/approve" % one["id"])
    assert (answer.json().get("code"), ledger(sb)["count"]) == (code, 0 if code else 1)


def test_what_is_booked_twice_shows(sb, talenom):
    for n in (1, 2):
        one = draft(talenom, "inv-%d" % n)
        fill(talenom, one)
        talenom.post("invoices/%s/approve" % one["id"])
    assert (ledger(sb)["count"], ledger(sb)["duplicates"], ledger(sb)["booked_twice"]) == (2, 1, 1)
    sb.control("talenom/kajo/invoices/7", "DELETE")
    assert (ledger(sb)["count"], ledger(sb)["duplicates"], ledger(sb)["booked_twice"]) == (1, 0, 0)
    talenom.raw(talenom.vouchers, "POST", voucher(("1701", 1, None), ("3000", -1, None)))
    assert ledger(sb)["booked_twice"] == 1


# --- vouchers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("body, code", [
    (voucher(("1701", 1, None)), "POSTINGS_MISSING"), (voucher(("1701", 1, None), ("3000", -1.01, None)), "UNBALANCED_VOUCHER"),
    (voucher(("1701", 1, None), ("3000", -1, None), description=""), "DESCRIPTION_LENGTH"),
    (voucher(("1701", 1, None), ("3000", -1, None), description="Ä" * 101), "DESCRIPTION_LENGTH"),
    (voucher(("1701", 1, None), ("3000", -1, None), category=None), "VOUCHER_INCOMPLETE"),
    (voucher(("1701", 1, None), ("3000", -1, None), voucherState="x"), "VOUCHER_STATE"), ([], "MALFORMED"), ({}, "MALFORMED")])
def test_vouchers_are_balanced_and_whole(sb, talenom, body, code):
    assert error_of(talenom.raw(talenom.vouchers, "POST", body)) == (400, code)
    assert ledger(sb)["sales_vouchers"] == 0


def test_an_item_is_opened_and_closed_by_its_key(sb, talenom):
    talenom.raw(talenom.vouchers, "POST", voucher(("1701", 100, None), ("3000", -100, None)))
    assert ledger(sb)["vouchers"][0]["open"] == 100
    talenom.raw(talenom.vouchers, "POST", voucher(("1910", 60, None), ("1701", -60, "S1")))
    assert [v.get("open") for v in ledger(sb)["vouchers"]] == [None, 40]
    assert (ledger(sb)["sales_vouchers"], ledger(sb)["booked_twice"]) == (1, 0)


def test_vouchers_are_listed_by_pages_and_filters(sb, talenom):
    for n in range(5):
        talenom.raw(talenom.vouchers, "POST", voucher(("1701", 1, None), ("3000", -1, None), invoiceNumber=str(n), voucherDate="2026-11-0%d" % (1 + n % 2)))
    page = talenom.raw(talenom.vouchers + "?dateFrom=2026-11-01&dateTo=2026-11-01&pageIndex=1&pageSize=2").json()
    assert (page["currentPage"], page["pageCount"], page["pageSize"], page["rowCount"], len(page["results"])) == (1, 2, 2, 3, 1)
    assert "postings" not in page["results"][0]
    assert talenom.raw(talenom.vouchers + "?category=SalesInvoice").json()["results"] == []
    assert len(talenom.raw(talenom.vouchers + "?includePostings=true").json()["results"][0]["postings"]) == 2
    assert talenom.raw(talenom.vouchers + "?pageSize=0").status == 400


def test_a_closed_period_takes_nothing(sb, talenom):
    sb.control("talenom/kajo", "POST", {"closed_until": "2026-11-02"})
    assert error_of(talenom.raw(talenom.vouchers, "POST", voucher(("1701", 1, None), ("3000", -1, None)))) == (400, "PERIOD_CLOSED")
    assert talenom.raw(talenom.vouchers, "POST", voucher(("1701", 1, None), ("3000", -1, None), voucherDate="2026-11-03")).status == 200


# --- faults ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind, count", [("cut_before", 0), ("cut_after_commit", 1), ("cut_in_answer", 1)])
def test_faults_leave_what_they_say(sb, talenom, kind, count):
    of = contact(talenom)
    sb.fault(system="talenom", tenant=talenom.setup["organization_number"], kind=kind)
    with pytest.raises(CUT):
        talenom.post("invoices?contactId=%s&externalId=x" % of)
    assert ledger(sb)["drafts"] == count
    sb.fault(system="talenom", kind="status", status=409, code="ROW_VERSION_CONFLICT")
    assert error_of(talenom.get("products")) == (409, "ROW_VERSION_CONFLICT")
    sb.fault(system="talenom", kind="429", retry_after=1)
    assert talenom.get("products").json()["statusCode"] == 429


def test_the_same_draft_from_many_at_once_is_one(sb, talenom):
    of = contact(talenom)
    answers = in_threads(8, lambda i: talenom.post("invoices?contactId=%s&externalId=x" % of).status)
    assert sorted(answers) == [201] + [409] * 7 and ledger(sb)["drafts"] == 1


def test_generated_tenants_have_an_organisation_too(sb):
    keys = sb.tenants(count=2, invoices=1, customers=3, prefix="x")
    numbers = {sb.setup(key)["talenom"]["organization_number"] for key in keys}
    assert len(numbers) == 2 and TalenomClient(sb.setup(keys[0])["talenom"]).get("sales-accounts").status == 200
