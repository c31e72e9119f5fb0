"""viesti-sandbox's Procountor keeps to facts/procountor.md: what tests of the flow stand on."""

import http.client

import pytest

from sandbox import ProcountorClient, in_threads

CUT = (OSError, http.client.HTTPException)


@pytest.fixture
def pc(sb):
    return ProcountorClient(sb.setup("kajo")["procountor"])


def change(sb, key="kajo", **body):
    return sb.control("procountor/" + key, "POST", body)


def errors(answer):
    return answer.status, [(e.get("field"), e["message"]) for e in answer.json()["errors"]]


def partner(**more):
    return {"name": "Kiinteistöhuolto Esimerkki Oy", "type": "CUSTOMER", "paymentInfo": {"paymentMethod": "BANK_TRANSFER", "paymentTermDays": "14"},
            "address": {"name": "Esimerkki Oy", "street": "Satamakatu 5", "zip": "33200", "city": "Tampere", "country": "FINLAND"},
            "invoicingInfo": {"customerNumber": "SP-1042", "identifier": "2345678-0", "identifierType": "FI"}} | more


def invoice(number="SPT-90017", **more):
    return {"type": "SALES_INVOICE", "date": "2026-03-02", "discountPercent": 0, "originalInvoiceNumber": number, "vatStatus": 1,
            "counterParty": {"counterPartyAddress": {"name": "Esimerkki Oy", "country": "FINLAND"}}, "deliveryAddress": {},
            "paymentInfo": {"paymentMethod": "BANK_TRANSFER", "currency": "EUR", "dueDate": "2026-03-16", "currencyRate": 1, "bankReferenceCode": "",
                            "bankAccount": {"accountNumber": "FI2112345600000785"}},
            "extraInfo": {"accountingByRow": False, "unitPricesIncludeVat": False}, "invoiceChannel": "NO_SENDING", "language": "FINNISH",
            "invoiceRows": [{"product": "Huoltotyö", "quantity": 2.5, "unit": "HOUR", "unitPrice": 58, "discountPercent": 0, "vatPercent": 25.5}]} | more


def row(**more):
    return [invoice()["invoiceRows"][0] | more]


def pay(**more):
    return invoice()["paymentInfo"] | more


# --- login -----------------------------------------------------------------------------------------


def test_token_by_our_client_and_the_customers_key(sb, pc):
    body = pc.login().json()
    assert body["expires_in"] == 3600 and body["access_token"].count(".") == 2
    for wrong, error in [({"client_secret": "x"}, "invalid_client"), ({"api_key": "x"}, "invalid_grant"), ({"grant_type": "password"}, "unsupported_grant_type")]:
        answer = pc.login(**wrong)
        assert (answer.status, answer.json()["error"]) == (401, error)
    assert pc.login(query="?client_secret=viesti-sandbox-secret").status == 401  # refused since 23.09
    sb.control("procountor", "POST", {"token_error": 400})
    assert pc.login(api_key="x").status == 400


def test_keys_and_tokens_end(sb, pc):
    assert pc.get("/sessioninfo").json()["companyId"] == pc.setup["company_id"]
    change(sb, drop_tokens=True)
    assert errors(pc.get("/sessioninfo")) == (401, [(None, "Unauthorized")])
    pc.login()
    change(sb, key_ended=True)
    assert pc.get("/sessioninfo").status == 401 and pc.login().json()["error"] == "invalid_grant"
    change(sb, key_ended=False, token_s=0)
    pc.login()
    assert pc.get("/sessioninfo").status == 401


def test_rights_and_odd_requests(sb, pc):
    change(sb, rights={"sales.productRegister": "VIEWING_RIGHTS", "sales.customerRegister": "NO_ACCESS"}, own_only=True)
    sales = pc.get("/users/rights").json()["rights"]["sales"]
    assert (sales["productRegister"], sales["salesInvoiceSearch"], sales["personalSalesInvoicesOnly"]) == ("VIEWING_RIGHTS", "ALL_RIGHTS", True)
    assert pc.get("/products").status == 200 and pc.post("/products", {}).status == 403 and pc.get("/businesspartners").status == 403
    answer = pc.raw("/invoices", "GET", {})
    assert answer.status == 403 and answer.header("Content-Type") == "text/html"  # a GET with a body
    assert pc.get("/nothing").status == 404


def test_company_vat_and_accounts(pc):
    company = pc.get("/company").json()
    assert company["businessIdentifier"]["code"] == pc.setup["business_id"] and company["companyCurrency"] == "EUR"
    vats = pc.get("/vats/default").json()
    assert 25.5 in [v["vatPercent"] for v in vats["vatInformation"][0]["percentages"]] and vats["vatStatuses"][0]["vatStatus"] == 1
    accounts = pc.get("/bankaccounts", orderById="ASC").json()["results"]
    assert [(a["iban"], a["status"]) for a in accounts][0] == (pc.setup["iban"], "ACTIVE") and accounts[1]["status"] == "INACTIVE"


def test_the_pace_is_the_client_ids(sb, pc):
    sb.control("procountor", "POST", {"rate": 5})
    pc.login()
    answers = in_threads(12, lambda i: pc.get("/sessioninfo"))
    refused = [a for a in answers if a.status == 429]
    assert 4 <= len(refused) <= 8 and {a.header("Retry-After") for a in refused} == {None, "1"}
    assert sb.control("procountor")["throttled"] == len(refused)


# --- registers -------------------------------------------------------------------------------------


def test_pages_go_down_by_default_and_up_by_the_last_id(sb, pc):
    sb.control("procountor/kajo/partners", "POST", {"count": 300})
    down = pc.ids("/businesspartners", size=200)
    assert down == sorted(down, reverse=True) and len(pc.ids("/businesspartners")) == 50
    up = pc.ids("/businesspartners", orderById="ASC", size=200)
    more = pc.ids("/businesspartners", orderById="ASC", size=200, previousId=up[-1])
    assert up == sorted(up) and more[0] == up[-1] + 1 and len(up) == 200
    assert pc.get("/businesspartners", size=201).status == 400 and pc.get("/products", page=1).status == 400
    assert pc.ids("/businesspartners", orderById="ASC", size=50, page=1) == up[50:100]
    assert "totalCount" not in pc.get("/businesspartners").json()["meta"]


def test_searches_are_loose_and_hide_the_inactive(pc):
    assert len(pc.ids("/businesspartners", headers={"identifier": "2817345-6"})) == 2
    assert pc.get("/businesspartners", identifier="2817345-6").status == 200  # not a parameter: no filter
    assert pc.get("/businesspartners", name="x").status == 400  # refused since 23.08
    assert len(pc.ids("/businesspartners", headers={"name": "kaksonen"})) == 2
    for name in ("Sähkö & Löpö 5 % Oy".encode().decode("latin-1"), "S%C3%A4hk%C3%B6 & L%C3%B6p%C3%B6 5 %25 Oy"):
        assert len(pc.ids("/businesspartners", headers={"name": name})) == 1
    assert pc.ids("/businesspartners", customerNumber="V-1") == [] and len(pc.ids("/businesspartners", customerNumber="V-1", active="false")) == 1
    assert len(pc.ids("/businesspartners", type="SUPPLIER")) == 1
    assert len(pc.ids("/products", type="SALES", code="SUO-F7")) == 4 and len(pc.ids("/products", type="SALES", code="SUO-F7", active="true")) == 3
    head = pc.get("/businesspartners", customerNumber="S-1").json()["results"][0]
    assert "address" not in head and head["registryInfo"] == {"active": True}


def test_many_records_in_one_call(pc):
    ids = pc.ids("/businesspartners", orderById="ASC")[:3]
    path = "/businesspartners/" + ",".join(str(i) for i in reversed(ids))
    assert [c["id"] for c in pc.get(path + ",999999,%d" % ids[0]).json()] == ids
    assert pc.get("/businesspartners/%d" % ids[0]).json()["id"] == ids[0]
    assert pc.get("/businesspartners/999998,999999").status == 404
    assert pc.get("/businesspartners/" + ",".join(str(i) for i in range(1, 202))).status == 400


def test_partners_are_checked_and_doubles_taken(sb, pc):
    first, second = pc.post("/businesspartners", partner()).json(), pc.post("/businesspartners", partner()).json()
    assert second["id"] == first["id"] + 1 and sb.ledger("procountor", "kajo")["partner_duplicates"] == 1
    assert errors(pc.post("/businesspartners", partner(invoicingInfo={"customerNumber": "SP-1042", "identifier": "2817345-6"})))[1][0][1].startswith("Another")
    status, list_ = errors(pc.post("/businesspartners", partner(
        name="Ŕ", invoicingInfo={"identifier": "1234567-8", "identifierType": "FI", "email": ""}, address={"name": "A" * 81, "country": "Finland"})))
    assert status == 400 and dict(list_) == {
        "name": "INVALID_CHARACTER", "address.name": "VALUE_TOO_LONG", "address.country": "The value is invalid.",
        "invoicingInfo.email": "The value cannot be blank.", "invoicingInfo.identifier": "ERROR_BRN_CODE"}
    assert errors(pc.post("/businesspartners", {"name": "A"}))[1] == [(f, "This field is required.") for f in ("type", "address", "paymentInfo.paymentMethod")]


def test_changes_want_the_newest_version(sb, pc):
    made = pc.post("/businesspartners", partner()).json()
    path = "/businesspartners/%d" % made["id"]
    changed = pc.raw(path + "?version=" + made["version"], "PATCH", {"invoicingInfo": {"email": "a@b.example"}}).json()
    assert changed["invoicingInfo"]["customerNumber"] == "SP-1042" and changed["version"] > made["version"]
    assert errors(pc.raw(path + "?version=" + made["version"], "PATCH", {"name": "B"})) == (400, [("version", "The version is not the latest.")])
    assert pc.raw(path, "PATCH", {"name": "B"}).status == 400
    put = pc.raw(path, "PUT", partner(version=changed["version"], invoicingInfo={"customerNumber": "X"})).json()
    assert put["invoicingInfo"] == {"customerNumber": "X"}
    sb.control("procountor/kajo/partners/X", "POST", {"name": "By a person"})
    assert pc.ids("/businesspartners", versionStartDate=put["version"], customerNumber="X") == [made["id"]]
    assert pc.get(path).json()["version"] > put["version"]
    assert pc.ids("/businesspartners", versionStartDate="2999-01-01T00:00:00") == []


# --- invoices --------------------------------------------------------------------------------------


def test_an_invoice_is_a_draft_with_number_reference_and_sums(sb, pc):
    made = pc.post("/invoices", invoice(status="SENT", invoiceRows=row(discountPercent=10) + row(quantity=-1, vatPercent=14))).json()
    assert made["status"] == "UNFINISHED" and made["invoiceNumber"] and made["ledgerReceiptId"] and made["factoringContractId"] is None
    assert made["paymentInfo"]["bankReferenceCode"].isdigit() and made["paymentInfo"]["dueDate"] == "2026-03-16"
    sums = made["invoiceSumInfo"][0]
    assert (sums["excludingVatTotal"], sums["vatSumTotal"], sums["invoiceSumTotal"]) == (72.5, 25.16, 97.66)  # 130.50 at 25.5 %, -58.00 at 14 %
    head = pc.get("/invoices", types="SALES_INVOICE", originalInvoiceNumber="SPT-90017").json()["results"][0]
    assert head["id"] == made["id"] and "invoiceRows" not in head


def test_doubles_of_a_number_are_taken_and_counted(sb, pc):
    first = pc.post("/invoices", invoice()).json()["id"]
    pc.post("/invoices", invoice())
    ledger = sb.ledger("procountor", "kajo")
    assert (ledger["count"], ledger["duplicates"], ledger["documents"][0]["times_received"]) == (2, 1, 2)
    sb.control("procountor/kajo/invoices/%d" % first, "POST", {"status": "INVALIDATED"})
    assert sb.ledger("procountor", "kajo")["duplicates"] == 0
    assert len(pc.ids("/invoices", originalInvoiceNumber="SPT-90017")) == 2


@pytest.mark.parametrize("spoiled, field, message", [
    ({"paymentInfo": pay(dueDate="2026-03-01")}, "paymentInfo.dueDate", "DUE_DATE_BEFORE_BILL_DATE"),
    ({"paymentInfo": pay(bankReferenceCode="1234")}, "paymentInfo.bankReferenceCode", "The value is invalid."),
    ({"paymentInfo": pay(bankAccount={"accountNumber": "FI00"})}, "paymentInfo.bankAccount.accountNumber", "The value is invalid."),
    ({"invoiceRows": row(unit="TYNNYRI")}, "invoiceRows[0].unit", "The value is invalid."),
    ({"invoiceRows": row(vatPercent=25)}, "invoiceRows[0].vatStatus", "ERROR_VATSTATUS_VATPERC"),
    ({"vatStatus": 3}, "invoiceRows[0].vatStatus", "ERROR_VATSTATUS_VATPERC"),
    ({"invoiceRows": row(productId=1)}, "invoiceRows[0].productId", "No product found for given id."),
    ({"invoiceRows": []}, "invoiceRows", "An invoice must have at least one row."),
    ({"partnerId": 1}, "partnerId", "No partner found for given id."),
    ({"deliveryAddress": {"street": "Katu 1"}}, "deliveryAddress.country", "Value of the country cannot be blank."),
    ({"orderReference": ""}, "orderReference", "The value cannot be blank."),
    ({"additionalInformation": "☃"}, "additionalInformation", "INVALID_CHARACTER"),
    ({"invoiceChannel": "EMAIL"}, "counterParty.email", "This field is required."),
    ({"language": None}, "language", "This field is required."), ({"date": "2026-01-31"}, "date", "CLOSED_FISCAL_PERIOD")])
def test_what_is_wrong_with_an_invoice_is_told(sb, pc, spoiled, field, message):
    change(sb, locked_until="2026-01-31")
    status, told = errors(pc.post("/invoices", invoice(**spoiled)))
    assert status == 400 and (field, message) in told
    assert sb.ledger("procountor", "kajo")["count"] == 0


def test_a_user_may_see_his_own_only(sb, pc):
    made = pc.post("/invoices", invoice()).json()["id"]
    change(sb, own_only=True, user=7002)
    assert pc.ids("/invoices", originalInvoiceNumber="SPT-90017") == [] and pc.get("/invoices/%d" % made).status == 404


def test_companies_share_ids_but_no_records(sb, pc):
    other = ProcountorClient(sb.setup("louhi")["procountor"])
    pc.post("/invoices", invoice())
    assert other.ids("/invoices") == [] and other.post("/invoices", invoice()).json()["id"] == pc.ids("/invoices")[0]


# --- faults ----------------------------------------------------------------------------------------


def test_an_error_page_after_the_commit(sb, pc):
    pc.login()
    sb.fault(system="procountor", method="POST", match="/invoices", kind="status", status=500, commit=True)
    answer = pc.post("/invoices", invoice())
    assert answer.status == 500 and "nginx" in answer.text and answer.header("Content-Type") == "text/html"
    assert sb.ledger("procountor", "kajo")["count"] == 1


@pytest.mark.parametrize("kind, made", [("cut_before", 0), ("cut_after_commit", 1), ("cut_in_answer", 1)])
def test_cut_lines(sb, pc, kind, made):
    pc.login()
    sb.fault(system="procountor", tenant=pc.setup["business_id"], match="/invoices", kind=kind)
    with pytest.raises(CUT):
        pc.post("/invoices", invoice())
    assert sb.ledger("procountor", "kajo")["count"] == made


def test_errors_in_the_vendors_form(sb, pc):
    sb.fault(system="procountor", match="/sessioninfo", kind="status", status=403, code="CLOSED_FISCAL_PERIOD")
    assert errors(pc.get("/sessioninfo")) == (403, [(None, "CLOSED_FISCAL_PERIOD")])
    sb.fault(system="procountor", match="/sessioninfo", kind="429", retry_after=7)
    assert pc.get("/sessioninfo").header("Retry-After") == "7"
    requests = sb.requests(system="procountor", match="/oauth/token", bodies=1)
    assert requests and all(not r.get("body") for r in requests)  # secrets are not kept
