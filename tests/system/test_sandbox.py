"""viesti-sandbox keeps to the fact sheets: what the other system tests stand on."""

import datetime
import http.client
import json
import re
import socket
import threading
import time

import pytest

from sandbox import (
    NetvisorClient,
    Sandbox,
    SeveraClient,
    call,
    customer_xml,
    in_threads,
    invoice_xml,
    line_xml,
    product_xml,
)

CUT = (OSError, http.client.HTTPException)


@pytest.fixture(scope="module")
def shared():
    sb = Sandbox()
    sb.start()
    yield sb
    assert sb.stop() == 0, "a sanitizer or leak checker found something"


@pytest.fixture
def sb(shared):
    shared.reset()
    return shared


@pytest.fixture
def severa(sb):
    return SeveraClient(sb.setup("kajo")["severa"])


@pytest.fixture
def netvisor(sb):
    return NetvisorClient(sb.setup("kajo")["netvisor"])


def error_of(answer):
    error = answer.json()["error"]
    assert error["httpStatusCode"] == answer.status
    return error["type"]


# --- Severa: login ---------------------------------------------------------------------------------


def test_the_control_api_names_its_calls(sb):
    controls = sb.control("")["controls"]
    assert "POST /_sandbox/faults" in controls and "/_sandbox/maventa/{tenant}" in controls


def test_token_has_severas_own_names_and_lifetimes(sb, severa):
    answer = severa.login()
    body = answer.json()
    assert set(body) == {
        "access_token", "access_token_type", "access_token_expires_in", "access_token_expires_utc",
        "refresh_token", "refresh_token_expires_in", "refresh_token_expires_utc", "scope",
    }
    assert body["access_token_type"] == "Bearer" and body["access_token_expires_in"] == 3600
    assert "invoices:write" in body["scope"].split()
    sb.control("severa/kajo", "POST", {"access_token_s": 1})
    assert severa.login().json()["access_token_expires_in"] == 1
    assert severa.get("/v1/invoicestatuses").status == 200
    time.sleep(1.1)
    assert severa.get("/v1/invoicestatuses").status == 401


@pytest.mark.parametrize("scope", ["invoices:read settings:read", "invoices:read, settings:read"])
def test_token_takes_any_letter_case_and_scope_separator(severa, scope):
    body = {"client_Id": severa.setup["client_id"], "client_Secret": severa.setup["client_secret"],
            "scope": scope}
    answer = severa.raw("/v1.0/token", "POST", body, token=None)
    assert answer.status == 200 and answer.json()["scope"] == "invoices:read settings:read"


def test_token_is_refused_for_wrong_secret_and_missing_scope(sb, severa):
    wrong = dict(severa.setup, client_secret="no")
    assert error_of(SeveraClient(wrong).login()) == "AuthenticationRequired"
    sb.control("severa/kajo", "POST", {"scopes": "invoices:read,settings:read"})
    assert severa.login().status == 401
    sb.control("severa/kajo", "POST", {"missing_scope": "leave_out"})
    assert severa.login().json()["scope"] == "invoices:read settings:read"
    answer = severa.get("/v1/customers")
    assert answer.status == 403 and error_of(answer) == "InsufficientApiScope"


def test_refresh_and_signout_take_the_bare_string(severa):
    refresh = severa.login().json()["refresh_token"]
    again = severa.raw("/v1/refreshtoken", "POST", refresh, token=None)
    assert again.status == 200
    assert severa.raw("/v1/refreshtoken", "POST", refresh, token=None).status == 401
    refresh = again.json()["refresh_token"]
    assert severa.raw("/v1/signout", "POST", refresh, token=None).status == 204
    assert severa.raw("/v1/refreshtoken", "POST", refresh, token=None).status == 401


def test_bearer_is_checked_with_an_exception_model(severa):
    answer = severa.raw("/v1/invoices", token="eyJ0.00")
    assert answer.status == 401 and error_of(answer) == "AuthenticationRequired"
    assert severa.raw("/v1/invoices", token=None).status == 401
    assert severa.raw("/heartbeat/server", token=None).status == 200
    assert severa.raw("/heartbeat/authorized").status == 204
    assert severa.raw("/v1/nonsense").status == 404


# --- Severa: pace ----------------------------------------------------------------------------------


def test_ten_a_second_then_429_with_the_exact_text(sb, severa):
    severa.login()
    sb.control("severa/kajo", "POST", {"rate": 10})
    answers = [severa.get("/v1/localization/languages") for _ in range(14)]
    refused = [a for a in answers if a.status == 429]
    assert [a.status for a in answers[:10]] == [200] * 10 and len(refused) == 4
    assert {a.text for a in refused} == {
        "API calls quota exceeded! maximum admitted 10 per 1s."}
    assert all(a.header("Content-Type").startswith("text/plain") for a in refused)
    assert {a.header("Retry-After") for a in refused} == {"1", None}
    time.sleep(1.05)
    assert severa.get("/v1/localization/languages").status == 200
    assert sb.ledger("severa", "kajo")["throttled"] == 4


def test_pace_is_counted_per_client(sb, severa):
    other = SeveraClient(sb.setup("louhi")["severa"])
    severa.login()
    other.login()
    for key in ("kajo", "louhi"):
        sb.control("severa/" + key, "POST", {"rate": 3})
    assert [severa.get("/v1/currencies").status for _ in range(4)] == [200, 200, 200, 429]
    assert other.get("/v1/currencies").status == 200


# --- Severa: reading -------------------------------------------------------------------------------


def test_paging_by_token_default_20_and_stable_when_rows_leave(sb, severa):
    transfer = severa.setup["transfer_status"]
    rows, pages = severa.all_pages("/v1/invoices", invoiceStatusGuids=transfer)
    assert len(rows) == 27 and pages == 2
    first = severa.get("/v1/invoices", invoiceStatusGuids=transfer, rowCount=5)
    token = first.header("NextPageToken")
    for row in first.json():
        severa.patch_status(row["guid"], severa.setup["transferred_status"])
    rest, _ = severa.all_pages("/v1/invoices", invoiceStatusGuids=transfer, rowCount=5,
                               pageToken=token)
    assert {r["guid"] for r in first.json() + rest} == {r["guid"] for r in rows}
    assert severa.get("/v1/invoices", pageToken="nonsense").status == 400


def test_paging_by_offset_has_no_header(severa):
    page = severa.get("/v1/customers/%s/addresses" % severa.get("/v1/customers").json()[0]["guid"])
    assert page.status == 200 and page.header("NextPageToken") is None
    a = severa.get("/v1/invoicestatuses", firstRow=0, rowCount=4).json()
    b = severa.get("/v1/invoicestatuses", firstRow=4, rowCount=4).json()
    c = severa.get("/v1/invoicestatuses", firstRow=8, rowCount=4).json()
    assert len(a) == 4 and len(b) == 4 and len(c) == 2
    assert len({s["guid"] for s in a + b + c}) == 10


@pytest.mark.parametrize("path, least", [
    ("/v1/invoices", 20), ("/v1/invoicerows", 20), ("/v1/invoicestatuses", 10),
    ("/v1/customers", 18), ("/v1/addresses", 18), ("/v1/contactpersons", 18),
    ("/v1/localization/countries", 10), ("/v1/localization/languages", 4), ("/v1/products", 9),
    ("/v1/worktypes", 4), ("/v1/travelexpensetypes", 4), ("/v1/vatrates", 5),
    ("/v1/businessunits", 4), ("/v1/projects", 8), ("/v1/phases", 8), ("/v1/bankaccounts", 1),
    ("/v1/currencies", 4), ("/v1/salesaccounts", 1),
])
def test_every_list_answers_a_bare_array_with_guids(severa, path, least):
    rows = severa.get(path).json()
    assert isinstance(rows, list) and len(rows) >= least
    assert len({r["guid"] for r in rows}) == len(rows)


def test_single_records_and_children(severa):
    customer = severa.get("/v1/customers", numbers=1001).json()[0]
    guid = customer["guid"]
    assert severa.get("/v1/customers/" + guid).json() == customer
    addresses = severa.get("/v1/customers/%s/addresses" % guid).json()
    assert [(a["isBillingAddress"], a["isPostalAddress"]) for a in addresses] == [
        (True, False), (False, True)]
    assert addresses[0]["guid"] == customer["headquarterAddress"]["guid"]
    country = severa.get("/v1/localization/countries/" + addresses[0]["country"]["guid"]).json()
    assert country["code2"] == "FI"
    assert severa.get("/v1/localization/countries/FI").json() == [country]
    contact = severa.get("/v1/customers/%s/contactpersons" % guid).json()[0]
    channel = severa.get("/v1/contacts/%s/contactcommunications" % contact["guid"]).json()[0]
    assert channel["communicationType"]["type"] == "EmailAddress"
    project = severa.get("/v1/projects", numbers=77).json()[0]
    billing = severa.get("/v1/projects/%s/projectbillingcustomers" % project["guid"]).json()[0]
    assert billing["billingCustomer"]["eInvoiceAddress"] == customer["eInvoiceAddress"]
    own = severa.get("/v1/organizationdetails").json()
    assert own["vatNumber"] == severa.setup["vat_number"] and own["country"]["code"] == "FI"
    assert severa.get("/v1/customers/" + "0" * 36).status == 404


def test_filters_of_the_invoice_list(sb, severa):
    def numbers(**query):
        return {r["number"] for r in severa.get("/v1/invoices", rowCount=100, **query).json()}

    everything = severa.get("/v1/invoices", rowCount=100).json()
    one = next(r for r in everything if r["number"])
    assert numbers(numbers=one["number"]) == {one["number"]}
    assert numbers(referenceNumbers=one["referenceNumber"]) == {one["number"]}
    assert numbers(numbers=[one["number"], one["number"] + 1]) == {one["number"], one["number"] + 1}
    two = [severa.setup["transfer_status"], severa.setup["transferred_status"]]
    assert len(numbers(invoiceStatusGuids=two)) == 28
    assert numbers(startDate="2025-01-01", endDate="2025-12-31") == {10403}
    same = {r["number"] for r in everything if r["customer"]["guid"] == one["customer"]["guid"]}
    assert numbers(customerGuids=one["customer"]["guid"]) == same
    project = one["projects"][0]["guid"]
    assert one["number"] in numbers(projectGuids=project)
    unit = severa.get("/v1/projects/" + project).json()["businessUnit"]["guid"]
    assert one["number"] in numbers(projectBusinessUnitGuids=unit)
    now = datetime.datetime.now(datetime.timezone.utc).isoformat()
    assert numbers(changedSince=now) == set()
    sb.change_invoice("kajo", one["guid"], fields={"notes": "muutettu"})
    assert numbers(changedSince=now) == {one["number"]}
    assert severa.get("/v1/invoices", changedSince="yesterday").status == 400
    assert severa.get("/v1/invoices", rowCount=0).status == 400


def test_files_pdf_and_finvoice(sb, severa):
    rows = severa.get("/v1/invoices", numbers=10402).json()
    guid = rows[0]["guid"]
    files = severa.get("/v1/invoices/%s/files" % guid).json()
    assert [f["isInternal"] for f in files] == [False, True]
    data = severa.get("/v1/files/%s/filedata" % files[0]["fileGuid"])
    assert data.header("Content-Type") == "application/pdf" and len(data.body) == files[0]["size"]
    pdf = severa.get("/v1/invoices/%s/pdf" % guid)
    assert pdf.body.startswith(b"%PDF-1.4") and pdf.body.endswith(b"%%EOF\n")
    xref = int(re.search(rb"startxref\n(\d+)", pdf.body).group(1))
    assert pdf.body[xref:].startswith(b"xref")
    answer = severa.get("/v1/invoices/%s/finvoice" % guid)
    assert answer.status == 403 and error_of(answer) == "AddonMissing"


# --- Severa: changing ------------------------------------------------------------------------------


def waiting(severa, number=10401):
    return severa.get("/v1/invoices", numbers=number).json()[0]


def test_patch_moves_the_status_and_the_change_time(sb, severa):
    before = waiting(severa)
    done = severa.setup["transferred_status"]
    answer = severa.patch_status(before["guid"], done)
    after = answer.json()
    assert answer.status == 200 and isinstance(after, list) and len(after) == 1
    assert after[0]["status"]["guid"] == done and after[0]["status"]["isSent"] is True
    assert after[0]["lastUpdatedDateTime"] > before["lastUpdatedDateTime"]
    assert severa.get("/v1/invoices/" + before["guid"]).json() == after[0]
    assert severa.patch_status(before["guid"], done, "/status").status == 200
    ledger = sb.ledger("severa", "kajo")
    assert ledger["patches"] == 2
    assert ledger["invoices_by_status"]["Siirretty Netvisoriin"] == 2


@pytest.mark.parametrize("taken, form", [("status_guid", "/status/guid"), ("status", "/status")])
def test_patch_can_take_only_one_form(sb, severa, taken, form):
    sb.control("severa/kajo", "POST", {"status_patch": taken})
    guid, done = waiting(severa)["guid"], severa.setup["transferred_status"]
    for path in ("/status/guid", "/status"):
        answer = severa.patch_status(guid, done, path)
        assert answer.status == (200 if path == form else 400)


def test_patch_refuses_what_severa_refuses(severa):
    invoice = waiting(severa)
    path = "/v1/invoices/" + invoice["guid"]
    unknown = severa.patch_status(invoice["guid"], "00000000-0000-4000-8000-000000000000")
    assert unknown.status == 400 and error_of(unknown) == "InvalidParameter"
    old = severa.setup["statuses"]["Vanha siirtotila"]
    assert error_of(severa.patch_status(invoice["guid"], old)) == "InvalidOperation"
    add = severa.raw(path, "PATCH", [{"op": "Add", "path": "/notes", "value": "x"}])
    assert add.status == 400 and error_of(add) == "InvalidOperation"
    number = severa.raw(path, "PATCH", [{"op": "Replace", "path": "/number", "value": "1"}])
    assert number.status == 400
    both = [{"op": "Replace", "path": "/notes", "value": "x"},
            {"op": "Replace", "path": "/guid", "value": "y"}]
    assert severa.raw(path, "PATCH", both).status == 400
    assert severa.get(path).json() == invoice, "a refused PATCH changes nothing"
    assert severa.raw(path, "PATCH", {"op": "Replace"}).status == 400
    other = severa.raw(path, "PATCH", [], headers={"Content-Type": "application/json-patch+json"})
    assert other.status == 415
    reader = SeveraClient(severa.setup, "invoices:read")
    assert reader.patch_status(invoice["guid"], invoice["status"]["guid"]).status == 403


def test_number_is_given_on_entering_a_status_that_gives_one(sb, severa):
    draft = sb.invoices("kajo", "Luonnos")[0]
    assert draft["number"] is None and draft["referenceNumber"] is None
    answer = severa.patch_status(draft["guid"], severa.setup["transfer_status"])
    given = answer.json()[0]
    assert given["number"] == 10430 and given["referenceNumber"].startswith("10430")
    back = severa.patch_status(draft["guid"], severa.setup["draft_status"]).json()[0]
    assert back["number"] == 10430


def test_read_only_status_lets_only_the_status_and_payment_move(severa):
    invoice = waiting(severa)
    path = "/v1/invoices/" + invoice["guid"]
    severa.patch_status(invoice["guid"], severa.setup["transferred_status"])
    notes = severa.raw(path, "PATCH", [{"op": "Replace", "path": "/notes", "value": "x"}])
    assert notes.status == 400 and error_of(notes) == "InvalidOperation"
    paid = [{"op": "Replace", "path": "/paymentDate", "value": "2026-11-20"},
            {"op": "Replace", "path": "/status/guid", "value": severa.setup["statuses"]["Maksettu"]}]
    assert severa.raw(path, "PATCH", paid).json()[0]["status"]["isPaid"] is True


def test_severa_customers_can_be_created_and_changed(severa):
    writer = SeveraClient(severa.setup, "customers:read,customers:write")
    made = writer.raw("/v1/customers", "POST", {"name": "Uusi Oy", "number": 2001})
    assert made.status == 201
    guid = made.json()["guid"]
    path = "/v1/customers/" + guid
    changed = writer.raw(path, "PATCH", [{"op": "Replace", "path": "/email", "value": "a@b.example"}])
    assert changed.json()[0]["email"] == "a@b.example"
    address = writer.raw(path + "/addresses", "POST", {"addressline": "Katu 1", "city": "Turku"})
    assert address.status == 201
    assert [a["city"] for a in writer.get(path + "/addresses").json()] == ["Turku"]
    assert writer.get("/v1/customers", numbers=2001).json()[0]["guid"] == guid


# --- sample data -----------------------------------------------------------------------------------


def fi_check(base):
    r = sum(int(d) * w for d, w in zip(base, (7, 9, 10, 5, 8, 4, 2))) % 11
    return None if r == 1 else str((11 - r) % 11)


def reference_ok(text):
    s = sum(int(d) * (7, 3, 1)[i % 3] for i, d in enumerate(reversed(text[:-1])))
    return str((10 - s % 10) % 10) == text[-1]


def test_sample_data_has_valid_identifiers_and_every_oddity(sb, severa):
    customers = severa.get("/v1/customers", rowCount=100).json()
    finnish = [c["vatNumber"] for c in customers if (c["vatNumber"] or "").startswith("FI")]
    assert len(finnish) >= 12 and all(fi_check(v[2:9]) == v[9] for v in finnish)
    assert {"PRINT", "DONOTSEND"} <= {c["eInvoiceAddress"] for c in customers}
    assert any("@" in (c["eInvoiceOperator"] or "") for c in customers)
    assert any(c["number"] is None for c in customers) and any(not c["isActive"] for c in customers)
    assert any(c["vatNumber"] is None for c in customers)
    invoices = severa.get("/v1/invoices", rowCount=100).json()
    numbered = [i for i in invoices if i["number"]]
    assert all(reference_ok(i["referenceNumber"]) for i in numbered)
    assert len({i["number"] for i in numbered}) == len(numbered)
    assert {i["currency"]["code"] for i in invoices} == {"EUR", "SEK"}
    assert len({i["senderVatNumber"] for i in invoices}) == 2
    assert any(i["isCreditNote"] and i["totalIncludingTax"]["amount"] < 0 for i in invoices)
    assert any(i["billingCustomer"] for i in invoices)
    assert any(len(i["projects"]) == 2 for i in invoices)
    rows, _ = severa.all_pages("/v1/invoicerows", rowCount=100)
    assert {25.5, 14, 13.5, 10, 0, None} == {r["vatRate"] for r in rows}
    assert {0, 1, 2} == {len(r["code"]) for r in rows}
    assert any(r["unitPrice"]["amount"] is None for r in rows)
    off = set()
    for i in invoices:
        own = [r for r in rows if r["invoiceGuid"] == i["guid"]]
        net = sum(round(r["quantity"] * (r["unitPrice"]["amount"] or 0) + 1e-9, 2) for r in own)
        off.add(round(i["totalExcludingTax"]["amount"] - net, 2))
    assert off == {0, 0.01, 5}
    settings = [severa.get("/v1/invoices/%s/invoicesettings" % i["guid"]).json() for i in invoices]
    assert [s["isReverseCharged"] for s in settings].count(True) == 1


# --- Netvisor: the way in --------------------------------------------------------------------------


def test_netvisor_takes_a_right_mac_with_any_query(netvisor):
    assert netvisor("customerlist.nv").ok
    assert netvisor("customerlist.nv?keyword=h%C3%B6yl%C3%A4%20a%2Bb&changedsince=2026-01-31T08:40:00").ok
    assert netvisor("CustomerList.nv").ok


@pytest.mark.parametrize("change", [
    {"MAC": "0" * 64}, {"PartnerId": "other"}, {"CustomerId": "other"}, {"Sender": ""},
    {"Organisation": "1234567-1"}, {"Algorithm": "SHA256"}, {"Language": "SV"},
    {"Timestamp": "2026-01-01 00:00:00.000", "TimestampUnix": "1767225600"},
    {"Timestamp": "2026-01-01T00:00:00Z"}, {"TimestampUnix": "tomorrow"},
])
def test_netvisor_refuses_wrong_headers(netvisor, change):
    answer = netvisor("customerlist.nv", **change)
    assert answer.status == 401 and answer.code == "AUTHENTICATION_FAILED"


def test_netvisor_mac_ignores_case_and_covers_the_query(netvisor):
    url = netvisor.setup["base_url"] + "/customerlist.nv"
    head = netvisor.headers(url)
    head["X-Netvisor-Authentication-MAC"] = head["X-Netvisor-Authentication-MAC"].upper()
    assert call(url, headers=head).status == 200
    head = netvisor.headers(url)
    assert call(url + "?keyword=a", headers=head).status == 401


def test_netvisor_transaction_id_is_taken_once(netvisor):
    assert netvisor("customerlist.nv", TransactionId="once").ok
    answer = netvisor("customerlist.nv", TransactionId="once")
    assert answer.status == 400 and answer.code == "REQUEST_NOT_UNIQUE"


def test_netvisor_answers_200_for_everything_without_the_header(sb, netvisor):
    plain = NetvisorClient(netvisor.setup, real_status=False)
    assert [plain(r).status for r in ("customerlist.nv", "getcustomer.nv?id=1", "nonsense.nv")] == [
        200, 200, 200]
    assert plain("customerlist.nv", MAC="0" * 64).status == 200
    assert plain("getcustomer.nv?id=1").code == "INVALID_DATA"
    assert netvisor("nonsense.nv").status == 404
    sb.control("netvisor/kajo", "POST", {"denied": "product.nv customer.nv"})
    denied = netvisor.post("customer.nv?method=add", customer_xml())
    assert denied.status == 403 and denied.code == "SERVICE_ACCESS_ERROR"


def test_netvisor_texts_follow_the_interface_language(netvisor):
    texts = {language: NetvisorClient(netvisor.setup, language)("getcustomer.nv?id=99").message
             for language in ("FI", "EN", "SE")}
    assert texts["EN"] == "Data form incorrect:. Customer not found with Netvisor identifier: 99"
    assert "Asiakasta ei löydy" in texts["FI"] and "Kunden" in texts["SE"]


def test_netvisor_one_call_at_a_time_per_organisation(sb, netvisor):
    other = NetvisorClient(sb.setup("louhi")["netvisor"])
    sb.fault(kind="latency", latency_ms=400, system="netvisor", match="customerlist", count=1)
    slow = threading.Thread(target=lambda: results.append(netvisor("customerlist.nv")))
    results = []
    slow.start()
    time.sleep(0.15)
    overlap = netvisor("productlist.nv")
    assert overlap.status == 500 and overlap.code == "TECHNICAL_ERROR"
    assert other("productlist.nv").ok
    slow.join()
    assert results[0].ok and netvisor("productlist.nv").ok
    assert sb.ledger("netvisor", "kajo")["overlaps"] == 1
    assert sb.ledger("netvisor", "louhi")["overlaps"] == 0


def test_netvisor_calls_one_after_another_never_overlap(sb, netvisor):
    for _ in range(300):
        assert netvisor("productlist.nv").ok
    assert sb.ledger("netvisor", "kajo")["overlaps"] == 0


# --- Netvisor: registers ---------------------------------------------------------------------------


def test_netvisor_customers_add_find_edit(netvisor):
    key = netvisor.post("customer.nv?method=add", customer_xml()).key
    listed = netvisor("customerlist.nv?customercodelist=10234,99").root
    assert [c.findtext("Netvisorkey") for c in listed.iter("Customer")] == [key]
    edit = ("<root><customer><customerbaseinformation><name>Uusi nimi Oy</name><email></email>"
            "</customerbaseinformation></customer></root>")
    answer = netvisor.post("customer.nv?method=edit&id=" + key, edit)
    assert answer.ok and answer.key is None
    base = netvisor("getcustomer.nv?id=" + key).root.find("Customer/CustomerBaseInformation")
    assert base.findtext("Name") == "Uusi nimi Oy" and base.findtext("City") == "Lappeenranta"
    assert base.find("Country").get("ISO-3166") == "FI"
    again = netvisor.post("customer.nv?method=add", customer_xml())
    assert again.code == "DUPLICATE_DATA"
    many = netvisor("getcustomer.nv?idlist=%s,101" % key).root
    assert len(many.findall("Customers/Customer")) == 2
    temp = netvisor("customerlist.nv?customercodelist=TEMP").root
    assert temp.findtext("Customerlist/Customer/Code") == "TEMP"


@pytest.mark.parametrize("body, code", [
    (customer_xml(operator="XYZ99999"), "INVALID_DATA"),
    (customer_xml(name="n" * 251), "INVALID_DATA_SIZE"),
    (customer_xml(name=""), "INVALID_DATA"),
    ("<root><customer></customer></root>", "INVALID_DATA"),
    ('<?xml version="1.0"?>' + customer_xml(), "INVALID_DATA"),
    (customer_xml().replace("<root>", "").replace("</root>", ""), "INVALID_DATA"),
    (customer_xml()[:-10], "INVALID_DATA"),
    ("<root><customer><customerbaseinformation><name>A</name><internalidentifier>1"
     "</internalidentifier></customerbaseinformation></customer></root>", "INVALID_DATA"),
])
def test_netvisor_refuses_bad_customers(sb, netvisor, body, code):
    answer = netvisor.post("customer.nv?method=add", body)
    assert answer.status == 400 and answer.code == code
    assert sb.ledger("netvisor", "kajo")["customers"] == {"count": 2, "added": 0, "edited": 0}


def test_netvisor_body_may_be_utf8_or_iso_8859_15(netvisor):
    body = customer_xml(name="Höylä € Oy")
    one = netvisor.post("customer.nv?method=add", body.encode("iso-8859-15"))
    two = netvisor.post("customer.nv?method=add",
                        body.replace(">10234<", ">10235<").encode("utf-8"))
    for key in (one.key, two.key):
        got = netvisor("getcustomer.nv?id=" + key).root
        assert got.findtext("Customer/CustomerBaseInformation/Name") == "Höylä € Oy"


def test_netvisor_products_add_find_and_not_found_is_ok(netvisor):
    assert netvisor("getproduct.nv?code=KONS-01").root.find("Product") is not None
    assert list(netvisor("getproduct.nv?code=KONS-01").root.find("Product")) == []
    key = netvisor.post("product.nv?method=add", product_xml()).key
    got = netvisor("getproduct.nv?code=KONS-01").root.find("Product")
    assert got.findtext("ProductBaseInformation/NetvisorKey") == key
    assert got.find("ProductBaseInformation/UnitPrice").get("type") == "net"
    assert got.findtext("ProductBookkeepingDetails/DefaultVatPercent") == "25,5"
    listed = netvisor("productlist.nv?keyword=KONS").root
    assert [p.findtext("ProductCode") for p in listed.iter("Product")] == ["KONS-01"]
    assert netvisor.post("product.nv?method=add", product_xml()).code == "DUPLICATE_DATA"


def test_netvisor_dimensions(netvisor):
    def item(inner, method="add"):
        return netvisor.post("dimensionitem.nv?method=" + method,
                             "<root><dimensionitem>%s</dimensionitem></root>" % inner)

    assert item("<name>Projekti</name><item>P-1</item>").ok
    assert item("<name>Projekti</name><item>P-1</item>").code == "DUPLICATE_DATA"
    assert item("<name>Ei ole</name><item>P-1</item>").code == "INVALID_DATA"
    assert item("<name>Projekti</name><item>P-2</item><olditem>P-1</olditem>", "edit").ok
    listed = netvisor("dimensionlist.nv").root.find("DimensionNameList")
    heading = next(h for h in listed if h.findtext("Name") == "Projekti")
    detail = heading.find("DimensionDetails/DimensionDetail")
    assert detail.findtext("Name") == "P-2" and detail.findtext("FatherId") == "0"
    child = "<name>Projekti</name><item>P-2/1</item><fatherid>%s</fatherid><fatheritem>%s</fatheritem>"
    assert item(child % (detail.findtext("Netvisorkey"), "P-2")).ok
    assert item(child.replace("P-2/1", "x") % ("1", "P-2")).code == "INVALID_DATA"
    assert item("<name>Projekti</name><item>K</item><code>K1</code><label>Kohde</label>").ok
    listed = netvisor("dimensionlist.nv").root
    names = [d.findtext("Name") for d in listed.iter("DimensionDetail")]
    assert names == ["P-2", "P-2/1", "K1 Kohde"]
    assert netvisor("dimensiondelete.nv?dimensionname=Projekti&dimensionsubname=P-2", "POST").ok
    names = [d.findtext("Name") for d in netvisor("dimensionlist.nv").root.iter("DimensionDetail")]
    assert "P-2" not in names


# --- Netvisor: sales invoices ----------------------------------------------------------------------


def test_netvisor_invoice_add_find_read(sb, netvisor):
    lines = [line_xml(sums=("242,25", "1192,25"),
                      extra="<dimension><dimensionname>Projekti</dimensionname>"
                            "<dimensionitem>P-9</dimensionitem></dimension>"),
             "<invoiceline><salesinvoicecommentline><comment>Huom</comment>"
             "</salesinvoicecommentline></invoiceline>"]
    key = netvisor.post("salesinvoice.nv?method=add", invoice_xml(lines=lines)).key
    listed = netvisor("salesinvoicelist.nv?invoicenumber=20260117&listtype=draftandinvoice").root
    row = listed.find("SalesInvoiceList/SalesInvoice")
    assert row.findtext("NetvisorKey") == key and row.findtext("InvoiceSum") == "1192,25"
    assert row.findtext("CustomerCode") == "TEMP" and row.findtext("ReferenceNumber") == "202601171"
    got = netvisor("getsalesinvoice.nv?netvisorkey=" + key).root.find("SalesInvoice")
    assert got.find("InvoiceStatus").get("status") == "unsent"
    assert got.find("SalesInvoiceAmount").get("iso4217currencycode") == "EUR"
    line = got.find("InvoiceLines/InvoiceLine/SalesInvoiceProductLine")
    assert line.findtext("SalesInvoiceProductLineSum") == "1192,25"
    assert line.findtext("Dimensions/Dimension/DimensionItem") == "P-9"
    assert list(netvisor("getsalesinvoice.nv?netvisorkey=1").root.find("SalesInvoice")) == []
    ledger = sb.ledger("netvisor", "kajo")
    assert ledger["count"] == 1 and ledger["duplicates"] == 0
    assert ledger["dimensions_made_silently"] == 1
    document = ledger["documents"][0]
    assert (document["number"], document["sum"], document["customer_code"],
            document["times_received"]) == ("20260117", 1192.25, "TEMP", 1)


def test_netvisor_stores_a_second_one_and_the_ledger_shows_it(sb, netvisor):
    for _ in range(2):
        assert netvisor.post("salesinvoice.nv?method=add", invoice_xml()).ok
    ledger = sb.ledger("netvisor", "kajo")
    assert ledger["count"] == 2 and ledger["duplicates"] == 1
    assert {d["times_received"] for d in ledger["documents"]} == {2}
    sb.control("netvisor/kajo", "POST", {"refuse_duplicates": True})
    assert netvisor.post("salesinvoice.nv?method=add", invoice_xml()).code == "DUPLICATE_DATA"
    ledger = sb.ledger("netvisor", "kajo")
    assert ledger["count"] == 2 and ledger["refused_duplicates"] == 1


def test_netvisor_takes_credit_notes_drafts_currencies_and_given_numbers(netvisor):
    credit = invoice_xml("7", "-1192,25", lines=[line_xml(quantity="-10",
                                                          sums=("-242,25", "-1192,25"))])
    assert netvisor.post("salesinvoice.nv?method=add", credit).ok
    swedish = invoice_xml("8", "1000,00", currency="SEK",
                          lines=[line_xml(price="100,00", vat="0", code="EUUM")])
    assert netvisor.post("salesinvoice.nv?method=add", swedish).ok
    assert netvisor.post("salesinvoice.nv?method=add", invoice_xml(None)).ok
    draft = invoice_xml("9", status="", head="<invoicetype>invoicedraft</invoicetype>")
    assert netvisor.post("salesinvoice.nv?method=add", draft).ok
    plain = netvisor("salesinvoicelist.nv").root
    both = netvisor("salesinvoicelist.nv?listtype=draftandinvoice").root
    assert [i.findtext("InvoiceNumber") for i in plain.iter("SalesInvoice")] == ["7", "8", "1"]
    assert len(list(both.iter("SalesInvoice"))) == 4
    above = plain.find("SalesInvoiceList/SalesInvoice").findtext("NetvisorKey")
    rest = netvisor("salesinvoicelist.nv?invoicesabovenetvisorkey=" + above).root
    assert len(list(rest.iter("SalesInvoice"))) == 2


BAD_INVOICES = {
    "unknown customer": (invoice_xml(customer="999"), "INVALID_DATA"),
    "unknown product": (invoice_xml(lines=[line_xml("NOPE")]), "INVALID_DATA"),
    "wrong total": (invoice_xml(amount="1197,25"), "INVALID_DATA"),
    "wrong sign": (invoice_xml(amount="-1192,25"), "INVALID_DATA"),
    "one sum only": (invoice_xml(lines=[line_xml(
        extra="<salesinvoiceproductlinesum>1192,25</salesinvoiceproductlinesum>")]), "INVALID_DATA"),
    "line sum without tax": (invoice_xml(amount="950,00", lines=[line_xml(
        sums=("242,25", "950,00"))]), "INVALID_DATA"),
    "tax code contradicts": (invoice_xml(lines=[line_xml(code="EUUM")]), "INVALID_DATA"),
    "domestic without tax": (invoice_xml(amount="950,00", lines=[line_xml(vat="0")]),
                             "INVALID_DATA"),
    "unknown tax code": (invoice_xml(lines=[line_xml(code="ABC")]), "INVALID_DATA"),
    "no tax code": (invoice_xml().replace(' vatcode="KOMY"', ""), "INVALID_DATA"),
    "negative price and quantity": (invoice_xml(lines=[line_xml(price="-95,00", quantity="-10")]),
                                    "INVALID_DATA"),
    "bad date": (invoice_xml(date="31.1.2026"), "INVALID_DATA"),
    "bad status": (invoice_xml(status="sent"), "INVALID_DATA"),
    "order of elements": (invoice_xml().replace(
        "<salesinvoicereferencenumber>202601171</salesinvoicereferencenumber>", "").replace(
        "<invoicelines>", "<salesinvoicereferencenumber>1</salesinvoicereferencenumber>"
        "<invoicelines>"), "INVALID_DATA"),
    "unknown element": (invoice_xml(head="<colour>red</colour>"), "INVALID_DATA"),
    "no lines": (re.sub("<invoicelines>.*</invoicelines>", "<invoicelines></invoicelines>",
                        invoice_xml()), "INVALID_DATA"),
    "long free text": (invoice_xml().replace(
        '<invoicingcustomeridentifier', "<salesinvoicefreetextbeforelines>%s"
        "</salesinvoicefreetextbeforelines><invoicingcustomeridentifier" % ("x" * 501)),
        "INVALID_DATA_SIZE"),
    "long product name": (invoice_xml().replace("Konsultointi", "k" * 201), "INVALID_DATA_SIZE"),
    "attachment is no base64": (invoice_xml(
        tail="<salesinvoiceattachments><salesinvoiceattachment><mimetype>application/pdf</mimetype>"
             "<attachmentdescription>a</attachmentdescription><filename>a.pdf</filename>"
             '<documentdata type="pdf">???</documentdata></salesinvoiceattachment>'
             "</salesinvoiceattachments>"), "INVALID_DATA"),
    "doctype": ('<!DOCTYPE root [<!ENTITY a "b">]>' + invoice_xml(), "INVALID_DATA"),
}


@pytest.mark.parametrize("case", BAD_INVOICES)
def test_netvisor_refuses_bad_invoices(sb, netvisor, case):
    body, code = BAD_INVOICES[case]
    answer = netvisor.post("salesinvoice.nv?method=add", body)
    assert answer.status == 400 and answer.code == code, answer.text
    assert sb.ledger("netvisor", "kajo")["count"] == 0


def test_netvisor_element_names_have_no_case(netvisor):
    body = re.sub(r"<(/?)([a-z])", lambda m: "<" + m.group(1) + m.group(2).upper(), invoice_xml())
    assert netvisor.post("salesinvoice.nv?method=add", body).ok


def test_netvisor_attachment_edit_status_delete_and_period(sb, netvisor):
    tail = ("<salesinvoiceattachments><salesinvoiceattachment><mimetype>application/pdf</mimetype>"
            "<attachmentdescription>Erittely</attachmentdescription><filename>e.pdf</filename>"
            '<documentdata type="pdf">JVBERi0xLjQK</documentdata><printbydefault>0</printbydefault>'
            "</salesinvoiceattachment></salesinvoiceattachments>")
    key = netvisor.post("salesinvoice.nv?method=add", invoice_xml(tail=tail)).key
    got = netvisor("getsalesinvoice.nv?includeattachments=1&netvisorkey=" + key).root
    assert got.findtext(".//DocumentData") == "JVBERi0xLjQK"
    edit = netvisor.post("salesinvoice.nv?method=edit&id=" + key, invoice_xml(reference="12344"))
    assert edit.ok and edit.key is None
    row = netvisor("salesinvoicelist.nv?invoicenumber=20260117").root.find(".//SalesInvoice")
    assert row.findtext("ReferenceNumber") == "12344"
    paid = netvisor("updatesalesinvoicestatus.nv?status=paid&netvisorkey=" + key, "POST")
    assert paid.ok
    row = netvisor("salesinvoicelist.nv?invoicestatus=paid").root.find(".//SalesInvoice")
    assert row.findtext("OpenSum") == "0,00"
    sb.control("netvisor/kajo/invoices/20260117", "DELETE")
    assert sb.ledger("netvisor", "kajo")["count"] == 0
    assert netvisor("salesinvoicelist.nv?invoicenumber=20260117").root.find(".//SalesInvoice") is None
    sb.control("netvisor/kajo", "POST", {"locked_until": "2026-06-30"})
    answer = netvisor.post("salesinvoice.nv?method=add", invoice_xml("5"))
    assert answer.status == 400 and answer.code == "PERIOD_LOCK"


def test_netvisor_lists_by_time_of_change_in_finnish_time(netvisor):
    assert netvisor.post("salesinvoice.nv?method=add", invoice_xml()).ok
    now = datetime.datetime.now(datetime.timezone.utc)
    # Finland is two or three hours ahead of UTC.
    early = (now + datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S")
    late = (now + datetime.timedelta(hours=4)).strftime("%Y-%m-%dT%H:%M:%S")
    for since, n in ((early, 1), (late, 0)):
        root = netvisor("salesinvoicelist.nv?lastmodifiedstart=" + since).root
        assert len(list(root.iter("SalesInvoice"))) == n
    assert netvisor("salesinvoicelist.nv?lastmodifiedstart=today").code == "INVALID_DATA"


# --- faults ----------------------------------------------------------------------------------------


def test_fault_cut_before_leaves_nothing(sb, netvisor):
    sb.fault(kind="cut_before", system="netvisor", match="salesinvoice.nv", method="POST")
    with pytest.raises(CUT):
        netvisor.post("salesinvoice.nv?method=add", invoice_xml())
    ledger = sb.ledger("netvisor", "kajo")
    assert ledger["count"] == 0 and ledger["calls"] == 0
    assert netvisor.post("salesinvoice.nv?method=add", invoice_xml()).ok


@pytest.mark.parametrize("kind", ["cut_after_commit", "cut_in_answer"])
def test_fault_cut_after_commit_leaves_the_invoice(sb, netvisor, kind):
    sb.fault(kind=kind, system="netvisor", match="salesinvoice.nv", count=1)
    with pytest.raises(CUT):
        netvisor.post("salesinvoice.nv?method=add", invoice_xml())
    assert sb.ledger("netvisor", "kajo")["count"] == 1
    assert netvisor("salesinvoicelist.nv?invoicenumber=20260117").ok, "the organisation is free again"


def test_fault_cut_after_the_patch_was_taken(sb, severa):
    invoice = waiting(severa)
    sb.fault(kind="cut_after_commit", system="severa", method="PATCH")
    with pytest.raises(CUT):
        severa.patch_status(invoice["guid"], severa.setup["transferred_status"])
    assert waiting(severa)["status"]["guid"] == severa.setup["transferred_status"]


def test_fault_status_and_429(sb, severa, netvisor):
    severa.login()
    sb.fault(kind="status", status=500, system="severa", match="/customers", count=2)
    assert [error_of(severa.get("/v1/customers")) for _ in range(2)] == ["InternalSystemError"] * 2
    assert severa.get("/v1/customers").status == 200
    sb.fault(kind="429", system="severa", retry_after=7)
    answer = severa.get("/v1/customers")
    assert answer.status == 429 and answer.header("Retry-After") == "7"
    assert answer.text == "API calls quota exceeded! maximum admitted 10 per 1s."
    sb.fault(kind="429", system="severa")
    assert severa.get("/v1/customers").header("Retry-After") is None
    date = "Sun, 22 Nov 2026 05:00:00 GMT"
    sb.fault(kind="status", status=503, system="severa", retry_after=date)
    assert severa.get("/v1/customers").header("Retry-After") == date
    sb.fault(kind="status", status=200, code="SYSTEM_MAINTENANCE", system="netvisor")
    assert netvisor("customerlist.nv").code == "SYSTEM_MAINTENANCE"
    sb.fault(kind="status", status=503, system="netvisor")
    assert netvisor.raw("customerlist.nv").status == 503
    sb.fault(kind="status", status=500, system="severa", method="PATCH", commit=True)
    invoice = waiting(severa)
    assert severa.patch_status(invoice["guid"], severa.setup["transferred_status"]).status == 500
    assert waiting(severa)["status"]["guid"] == severa.setup["transferred_status"]


def test_fault_latency_holds_nobody_else(sb, severa):
    severa.login()
    sb.fault(kind="latency", latency_ms=700, match="/v1/customers")
    started = time.monotonic()
    slow = [threading.Thread(target=severa.get, args=("/v1/customers",)) for _ in range(16)]
    for t in slow:
        t.start()
    time.sleep(0.1)
    before = time.monotonic()
    for _ in range(50):
        assert severa.get("/v1/invoicestatuses").status == 200
    assert time.monotonic() - before < 0.5
    for t in slow:
        t.join()
    assert 0.7 <= time.monotonic() - started < 1.5


def test_fault_garbage_huge_and_drip(sb, severa):
    severa.login()
    sb.fault(kind="garbage", match="/v1/currencies")
    with pytest.raises(ValueError):
        severa.get("/v1/currencies").json()
    sb.fault(kind="huge", match="/v1/currencies", bytes=3_000_000)
    assert len(severa.get("/v1/currencies").body) == 3_000_000
    sb.fault(kind="slow_drip", match="/v1/currencies", bytes=100, drip_ms=20)
    before = time.monotonic()
    body = severa.get("/v1/currencies").json()
    assert len(body) == 4 and time.monotonic() - before > 0.1


def test_fault_hang_until_cleared(sb, severa):
    severa.login()
    sb.fault(kind="hang", match="/v1/currencies", count=2)
    with pytest.raises(socket.timeout):
        severa.raw("/v1/currencies", timeout=0.3)
    results = []

    def wait():
        try:
            severa.raw("/v1/currencies", timeout=20)
        except CUT as e:
            results.append(e)

    t = threading.Thread(target=wait)
    t.start()
    time.sleep(0.2)
    sb.clear_faults()
    t.join(5)
    assert results and not t.is_alive()


def test_fault_probability_is_repeatable_by_seed_and_tenant_bound(sb, severa):
    severa.login()

    def series():
        sb.clear_faults()
        sb.fault(kind="status", status=503, probability=0.5, seed=42, match="/v1/currencies",
                 tenant=severa.setup["client_id"])
        return [severa.get("/v1/currencies").status for _ in range(40)]

    first = series()
    assert first == series() and {200, 503} == set(first)
    assert 8 <= first.count(503) <= 32
    other = SeveraClient(sb.setup("louhi")["severa"])
    assert {other.get("/v1/currencies").status for _ in range(10)} == {200}


# --- control ---------------------------------------------------------------------------------------


def test_control_adds_and_changes_invoices(sb, severa):
    made = sb.add_invoices("kajo", count=3)
    assert len(made) == 3 and len({m["number"] for m in made}) == 3
    row = {"description": "Oma rivi", "quantity": 2.5, "unitPrice": {"amount": 10.0},
           "vatRate": 10, "code": ["A", "B"]}
    spec = {"customer": 1002, "project": "Mobiilisovellus 2.0", "status": "Luonnos",
            "rows": [row, {"vatRate": None}], "fields": {"yourReference": "PO-9"},
            "files": [{"name": "a.txt", "content_type": "text/plain", "text": "hei"}]}
    one = sb.add_invoices("kajo", invoices=[spec])[0]
    got = severa.get("/v1/invoices/" + one["guid"]).json()
    assert got["customer"]["number"] == 1002 and got["yourReference"] == "PO-9"
    assert got["totalExcludingTax"]["amount"] == 125 and got["totalTax"]["amount"] == 2.5
    rows = severa.get("/v1/invoices/%s/invoicerows" % one["guid"]).json()
    assert rows[0]["code"] == ["A", "B"] and rows[1]["vatRate"] is None
    changed = sb.change_invoice("kajo", one["guid"], status="Odottaa siirtoa Netvisoriin",
                                fields={"notes": "x"}, rows=[{"quantity": 3}])
    assert changed["number"] and changed["notes"] == "x"
    assert severa.get("/v1/invoicerows/" + rows[0]["guid"]).json()["quantity"] == 3
    sb.control("severa/kajo/customers/1002", "POST", {"email": "uusi@x.example"})
    assert severa.get("/v1/customers", numbers=1002).json()[0]["email"] == "uusi@x.example"
    sb.control("severa/kajo/invoices/" + one["guid"], "DELETE")
    assert severa.get("/v1/invoices/" + one["guid"]).status == 404


def test_control_makes_many_tenants(sb):
    keys = sb.tenants(count=20, invoices=10, prefix="ketju", registered=True)
    assert len(keys) == 20
    tenant = next(t for t in sb.setup() if t["key"] == keys[7])
    severa = SeveraClient(tenant["severa"])
    rows = severa.get("/v1/invoices", invoiceStatusGuids=tenant["severa"]["transfer_status"]).json()
    assert len(rows) == 10
    netvisor = NetvisorClient(tenant["netvisor"])
    code = rows[0]["customer"]["number"]
    assert netvisor("customerlist.nv?customercodelist=%d" % code).root.find(".//Code") is not None
    ids = {t["netvisor"]["organisation_id"] for t in sb.setup()}
    assert len(ids) == len(sb.setup())
    assert all(fi_check(i[:7]) == i[8] for i in ids)


def test_control_reset_and_requests(sb, severa):
    severa.get("/v1/currencies")
    until = time.monotonic() + 5  # a call is written down after its last byte was sent
    while True:
        targets = [r["target"] for r in sb.requests(system="severa")]
        if len(targets) >= 2 or time.monotonic() > until:
            break
    assert targets == ["/severa/rest-api/v1/token", "/severa/rest-api/v1/currencies"]
    bodies = sb.requests(system="severa", bodies=1)
    assert all(r["body"] is None for r in bodies), "a secret is never kept"
    old_token = severa.token
    sb.reset(seed="empty")
    assert sb.setup() == [] and sb.requests() == []
    sb.reset(seed="demo")
    assert severa.raw("/v1/currencies", token=old_token).status == 401


def test_control_is_told_what_is_wrong(sb):
    for path, method, body in (
        ("faults", "POST", {"kind": "nonsense"}), ("faults", "POST", {}),
        ("severa/nobody", "GET", None), ("nonsense", "GET", None),
        ("severa/kajo/invoices", "POST", {"invoices": [{"customer": "nobody"}]}),
        ("severa/kajo/invoices", "POST", {"count": 1, "status": "nonsense"}),
    ):
        data = None if body is None else json.dumps(body).encode()
        answer = call(sb.url + "/_sandbox/" + path, method, body=data)
        assert answer.status in (400, 404) and answer.json()["error"]


def test_stops_clean_with_calls_that_hang_and_wait():
    sb = Sandbox()
    sb.start()
    severa = SeveraClient(sb.setup("kajo")["severa"])
    severa.login()
    sb.fault(kind="hang", match="/v1/currencies")
    sb.fault(kind="latency", latency_ms=60000, match="/v1/vatrates")
    sb.fault(kind="slow_drip", match="/v1/products", bytes=1, drip_ms=5000)
    paths = ("/v1/currencies", "/v1/vatrates", "/v1/products")
    with_errors = []

    def ask(path):
        try:
            with_errors.append(severa.raw(path, timeout=30).status)
        except CUT as e:
            with_errors.append(e)

    threads = [threading.Thread(target=ask, args=(p,)) for p in paths]
    for t in threads:
        t.start()
    time.sleep(0.3)
    before = time.monotonic()
    assert sb.stop() == 0 and time.monotonic() - before < 5
    for t in threads:
        t.join(5)
    assert len(with_errors) == 3


def test_a_body_beyond_the_cap_is_refused(sb, severa):
    before = sb.rss_kb()
    answer = call(severa.base + "/v1/token", "POST", body=b"x" * (49 << 20))
    assert answer.status == 413
    assert sb.setup("kajo") and sb.rss_kb() < before + 200_000


@pytest.mark.parametrize("bad", [
    b"GET /severa/%zz HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /severa/%00 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /" + b"a/" * 40 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /severa/rest-api/v1/invoices?a=%f HTTP/1.1\r\nHost: x\r\n\r\n",
    b"nonsense\r\n\r\n",
])
def test_malformed_requests_are_refused(sb, bad):
    with socket.create_connection(("127.0.0.1", sb.port), timeout=5) as s:
        s.sendall(bad)
        s.shutdown(socket.SHUT_WR)
        answer = s.recv(4096)
    assert answer == b"" or b" 40" in answer.split(b"\r\n")[0]
    assert sb.setup("kajo")


def test_many_at_once_keep_their_sums(sb):
    keys = sb.tenants(count=8, invoices=5)
    tenants = [sb.setup(k) for k in keys]

    def work(i):
        severa = SeveraClient(tenants[i]["severa"])
        netvisor = NetvisorClient(tenants[i]["netvisor"])
        setup = tenants[i]["severa"]
        for row in severa.get("/v1/invoices", invoiceStatusGuids=setup["transfer_status"]).json():
            assert netvisor.post("salesinvoice.nv?method=add", invoice_xml(str(row["number"]))).ok
            assert severa.patch_status(row["guid"], setup["transferred_status"]).status == 200
        return True

    assert in_threads(8, work) == [True] * 8
    for k in keys:
        assert sb.ledger("netvisor", k)["count"] == 5
        assert sb.ledger("netvisor", k)["overlaps"] == 0
        by_status = sb.ledger("severa", k)["invoices_by_status"]
        assert by_status["Siirretty Netvisoriin"] == 5


def test_starts_with_options_and_stops_clean(tmp_path):
    port_file = tmp_path / "port"
    sb = Sandbox("--tenants", 3, "--invoices", 4, "--port-file", port_file, "--netvisor-strict", 0,
                 seed="empty")
    sb.start()
    assert int(port_file.read_text()) == sb.port
    assert [t["key"] for t in sb.setup()] == ["t0001", "t0002", "t0003"]
    netvisor = NetvisorClient(sb.setup("t0001")["netvisor"])
    loose = netvisor.post("salesinvoice.nv?method=add", invoice_xml(head="<colour>red</colour>"))
    assert loose.ok
    assert sb.stop() == 0
