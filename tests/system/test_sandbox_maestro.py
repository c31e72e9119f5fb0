"""viesti-sandbox's Maestro keeps to facts/maestro.md §3: what tests of the system and of the flow stand on."""

import http.client

import pytest

from sandbox import MaestroClient, finvoice_xml, in_threads

CUT = (OSError, http.client.HTTPException)
CARD = {"externalId": "guid-1", "number": "1001", "name": "Kivijärven Konepaja Oy", "businessId": "9000110-2"}


@pytest.fixture
def maestro(sb):
    return MaestroClient(sb.setup("kajo")["maestro"])


def ledger(sb, key="kajo"):
    return sb.ledger("maestro", key)


def error_of(answer):
    error = answer.json()["error"]
    return answer.status, error["code"], (error.get("details") or [{}])[0].get("path")


def test_a_key_in_either_header_opens_its_own_company(sb, maestro):
    s = maestro.setup
    assert maestro.get("/v1/ping").json() == {"status": "ok", "companyId": s["company_id"]}
    assert maestro.raw("/v1/ping", headers={"Authorization": None, "X-Api-Key": s["api_key"]}).status == 200
    assert error_of(maestro.raw("/v1/ping", headers={"Authorization": None}))[:2] == (401, "UNAUTHORIZED")
    assert maestro.raw("/v1/ping", headers={"Authorization": "Bearer x"}).status == 401
    assert maestro.raw("/v1/ping", headers={"X-Company-Id": sb.setup("louhi")["maestro"]["company_id"]}).status == 403
    sb.control("maestro/kajo", "POST", {"forbidden": True})
    assert error_of(maestro.get("/v1/ping"))[:2] == (403, "FORBIDDEN")
    assert sb.setup("fjell")["maestro"] is None  # Maestro is Finnish


def test_addresses_and_methods_that_are_none(maestro):
    assert maestro.get("/v2/ping").status == 404 and maestro.raw("/v1/ping", "DELETE").status == 405
    assert maestro.get("/v1/products", limit="x").status == 400 and maestro.get("/v1/sales-invoices").status == 400


def test_products_by_code_and_by_pages(sb, maestro):
    assert [p["code"] for p in maestro.get("/v1/products", code="A/0").json()["items"]] == ["A/0"]
    assert maestro.get("/v1/products", code="PVR").json() == {"items": [], "nextCursor": None}
    assert maestro.get("/v1/products", code="VANHA-9").json()["items"][0]["active"] is False
    seen, cursor = [], None
    while True:
        page = maestro.get("/v1/products", limit=4, **({"cursor": cursor} if cursor else {})).json()
        seen += [p["code"] for p in page["items"]]
        cursor = page["nextCursor"]
        if not cursor:
            break
    assert seen == sorted(p["code"] for p in sb.control("maestro/kajo/products")) and {"KONS", "T-33", "BOOK", "KM", "A/0"} <= set(seen)


def test_customers_are_put_by_their_id(sb, maestro):
    assert maestro.put_customer(dict(CARD, number="5")).status == 201
    assert maestro.put_customer(dict(CARD, number="5", name="Toinen")).status == 200
    assert maestro.get("/v1/customers/guid-1").json()["name"] == "Toinen"
    assert error_of(maestro.get("/v1/customers/guid-2"))[:2] == (404, "NOT_FOUND")
    assert error_of(maestro.put_customer(dict(CARD, externalId="guid-2", number="5"))) == (422, "VALIDATION", "number")
    assert error_of(maestro.put_customer(dict(CARD, name=""))) == (422, "VALIDATION", "name")
    assert maestro.raw("/v1/customers/guid-1", "PUT", b"[").status == 400
    assert maestro.put_customer(dict(CARD, externalId="guid-3")).status == 200  # the card that a person had made
    assert [c["externalId"] for c in maestro.get("/v1/customers", businessId="9000110-2").json()["items"]] == ["guid-1", "guid-3"]


def test_an_invoice_is_read_on_its_own(sb, maestro):
    answer = maestro.send(finvoice_xml(rows=[("KONS-01", "7,5", "115,00"), ("A/0", "1", "0,59")]))
    assert answer.status == 201 and [r["productCode"] for r in answer.json()["rows"]] == ["KONS-01", "A/0"]
    d = ledger(sb)["documents"][0]
    assert (d["number"], d["customer_code"], d["date"], d["sum"], len(d["rows"])) == ("10401", "1001", "2026-11-02", 1083.18, 2)
    listed = maestro.get("/v1/sales-invoices", number="10401").json()["items"]
    assert listed == [maestro.get("/v1/sales-invoices/" + answer.json()["invoiceId"]).json()]
    assert (listed[0]["totalVatIncluded"], listed[0]["idempotencyKey"]) == ("1083.18", "key-10401")


@pytest.mark.parametrize("change, code, path", [
    ({"version": "2.01"}, "VALIDATION", "Finvoice"), ({"number": ""}, "VALIDATION", "InvoiceDetails/InvoiceNumber"),
    ({"date": "1.11.2026"}, "VALIDATION", "InvoiceDetails/InvoiceDate"), ({"customer": "4711"}, "VALIDATION", "InvoiceDetails/SellersBuyerIdentifier"),
    ({"rows": [("KONS-01", "1", "x")]}, "VALIDATION", "InvoiceRow[1]/UnitPriceAmount"), ({"rows": []}, "VALIDATION", "InvoiceRow"),
    ({"rate": "23"}, "VALIDATION", "InvoiceRow[1]/RowVatRatePercent"), ({"off": 3}, "VALIDATION", "InvoiceDetails/InvoiceTotalVatIncludedAmount"),
    ({"rows": [("KONS-01", "1", "5,00"), ("API-TX", "1", "1,00")]}, "UNKNOWN_PRODUCT", "InvoiceRow[2]/ArticleIdentifier"),
    ({"rows": [("", "1", "5,00")]}, "UNKNOWN_PRODUCT", "InvoiceRow[1]/ArticleIdentifier")])
def test_refusals_name_their_place(sb, maestro, change, code, path):
    assert error_of(maestro.send(finvoice_xml(**change))) == (422, code, path)
    assert (ledger(sb)["count"], ledger(sb)["refused"]) == (0, 1)


def test_what_is_no_upload(maestro):
    assert maestro.send(finvoice_xml(), content_type="application/json").status == 415
    assert maestro.send(finvoice_xml(), key=None).status == 400
    assert maestro.send(b"<a").status == 422


def test_duplicates_are_told_with_whose_they_are(sb, maestro):
    first = maestro.send(finvoice_xml()).json()["invoiceId"]
    for answer in (maestro.send(finvoice_xml(), key="other"), maestro.send(finvoice_xml(number="2"), key="key-10401")):
        error = answer.json()["error"]
        assert (answer.status, error["code"], error["invoiceId"], error["idempotencyKey"]) == (409, "DUPLICATE_INVOICE", first, "key-10401")
    sb.control("maestro/kajo/invoices/10401", "DELETE")
    assert maestro.get("/v1/sales-invoices", number="10401").status == 404
    assert maestro.send(finvoice_xml()).status == 201
    assert (ledger(sb)["count"], ledger(sb)["duplicates"], ledger(sb)["documents"][0]["times_received"]) == (1, 0, 2)


def test_the_same_invoice_from_many_at_once_is_one(sb, maestro):
    answers = in_threads(8, lambda i: maestro.send(finvoice_xml(), key="k").status)
    assert sorted(answers) == [201] + [409] * 7 and ledger(sb)["count"] == 1


def test_the_fallback_may_be_the_servers(sb, maestro):
    sb.control("maestro/kajo", "POST", {"product_fallback": "server"})
    body = maestro.send(finvoice_xml(rows=[("API-TX", "1", "1,00"), ("KM", "1", "1,00")])).json()
    assert body["rows"] == [{"position": 1, "productCode": "A/0", "requestedCode": "API-TX"}, {"position": 2, "productCode": "KM"}]
    assert body["warnings"] == [{"code": "PRODUCT_NOT_FOUND", "position": 1, "requestedCode": "API-TX"}]
    sb.control("maestro/kajo/products/A%2F0", "DELETE")
    assert maestro.send(finvoice_xml(number="2", rows=[("API-TX", "1", "1,00")]), key="k").status == 422


@pytest.mark.parametrize("kind, count", [("cut_before", 0), ("cut_after_commit", 1), ("cut_in_answer", 1)])
def test_faults_leave_what_they_say(sb, maestro, kind, count):
    sb.fault(system="maestro", tenant=maestro.setup["company_id"], kind=kind)
    with pytest.raises(CUT):
        maestro.send(finvoice_xml())
    assert ledger(sb)["count"] == count
    sb.fault(system="maestro", kind="status", status=422, code="VALIDATION")
    assert error_of(maestro.get("/v1/ping"))[:2] == (422, "VALIDATION")


def test_generated_tenants_have_a_company_too(sb):
    key = sb.tenants(count=1, invoices=1, customers=3, prefix="m", registered=True)[0]
    client = MaestroClient(sb.setup(key)["maestro"])
    assert len(sb.control("maestro/%s/customers" % key)) == 3
    assert client.send(finvoice_xml(customer="1002")).status == 201
    assert ledger(sb, key)["other_senders"] == 1  # the document names another seller
