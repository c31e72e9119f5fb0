"""The stand-in of Severa keeps to its fact sheet: what the other system tests stand on."""

import datetime
import re
import time

import pytest

from sandbox import SeveraClient, fi_check, waiting


def error_of(answer):
    error = answer.json()["error"]
    assert error["httpStatusCode"] == answer.status
    return error["type"]


# --- Severa: login -------------------------------------------------------------------------------


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


# --- Severa: pace --------------------------------------------------------------------------------


def hurried(burst):
    """What a burst gave that took less than the second in which its calls are counted; one that was held up counts for nothing."""
    for _ in range(20):
        began = time.monotonic()
        got = burst()
        if time.monotonic() - began < 0.9:
            return got
        time.sleep(1.1)
    raise AssertionError("no burst within a second")


def test_ten_a_second_then_429_with_the_exact_text(sb, severa):
    severa.login()
    sb.control("severa/kajo", "POST", {"rate": 10})
    before, answers = hurried(lambda: (sb.ledger("severa", "kajo")["throttled"],
                                       [severa.get("/v1/localization/languages") for _ in range(14)]))
    refused = [a for a in answers if a.status == 429]
    assert [a.status for a in answers[:10]] == [200] * 10 and len(refused) == 4
    assert {a.text for a in refused} == {
        "API calls quota exceeded! maximum admitted 10 per 1s."}
    assert all(a.header("Content-Type").startswith("text/plain") for a in refused)
    assert {a.header("Retry-After") for a in refused} == {"1", None}
    time.sleep(1.05)
    assert severa.get("/v1/localization/languages").status == 200
    assert sb.ledger("severa", "kajo")["throttled"] == before + 4


def test_pace_is_counted_per_client(sb, severa):
    other = SeveraClient(sb.setup("louhi")["severa"])
    severa.login()
    other.login()
    for key in ("kajo", "louhi"):
        sb.control("severa/" + key, "POST", {"rate": 3})
    burst, of_other = hurried(lambda: ([severa.get("/v1/currencies").status for _ in range(4)], other.get("/v1/currencies").status))
    assert burst == [200, 200, 200, 429] and of_other == 200


# --- Severa: reading -----------------------------------------------------------------------------


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


# --- Severa: changing ----------------------------------------------------------------------------


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


# --- sample data ---------------------------------------------------------------------------------


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
