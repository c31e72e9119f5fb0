"""The Maestro system, call by call over the real HTTP client, against the sandbox (`flow-cases drive`)."""

import uuid

import pytest

from sandbox import drive_system


def drive(sb, *steps, tenant="kajo", options=None, settings=None, **credentials):
    """What each step came to."""
    s = sb.setup(tenant)["maestro"]
    keys = {k: s[k] for k in ("api_key", "company_id")} | credentials
    return drive_system("maestro", s["base_url"], keys, steps, options=options or {}, settings=settings or {})


def one(sb, do, tenant="kajo", options=None, settings=None, credentials=None, **args):
    return drive(sb, {"do": do, **args}, tenant=tenant, options=options, settings=settings, **(credentials or {}))[0]


CARD = {"source_id": "8c2f6f0a-1d6b-4a4f-9a51-0f5d9d3a7c01", "code": "1001", "name": "Kivijärven Konepaja Oy", "business_id": "9000110-2",
        "vat_number": "FI90001102", "email": "laskut@kivijarvi.example", "language": "fi", "einvoice_address": "003790001102",
        "einvoice_operator": "003723327487", "billing": {"street": "Sahatie 4", "postcode": "53850", "city": "Lappeenranta", "country": "FI"}}
SELLER = {"name": "Kajo Ohjelmistotalo Oy", "vat_number": "FI90001014",
          "address": {"street": "Valokaari 7", "postcode": "00180", "city": "Helsinki", "country": "FI"}}
BUYER = {"name": CARD["name"], "vat_number": "FI90001102", "address": CARD["billing"]}
PUT = {"do": "put", "customer": CARD}


def row(code="KONS-01", quantity=7.5, price=115, rate=25.5, **more):
    return {"product_code": code, "description": "Konsultointi, lokakuu", "quantity": quantity, "unit_price": price, "vat_rate": rate, "unit": "h"} | more


def sending(number="10401", rows=None, key=None, **more):
    invoice = {"number": number, "reference": "104016", "issue_date": "2026-11-02", "due_date": "2026-11-16", "delivery_date": "2026-10-31",
               "payment_term_days": 14, "currency": "EUR", "customer_number": "1001", "seller": SELLER, "buyer": BUYER,
               "iban": "FI2112345600000785", "rows": rows or [row()]} | more
    return {"do": "send", "key": key or str(uuid.uuid4()), "invoice": invoice}


def look(number="10401"):
    return {"do": "look_up", "number": number}


def failure(answer):
    return answer["error"], answer["reason"]


def ledger(sb, key="kajo"):
    return sb.ledger("maestro", key)


# --- keys ------------------------------------------------------------------------------------------


def test_a_key_is_checked_and_belongs_to_its_company(sb):
    assert one(sb, "ping") == {}
    for wrong in ({"api_key": "x"}, {"company_id": "9000999-9"}, {"api_key": sb.setup("louhi")["maestro"]["api_key"]}):
        got = one(sb, "ping", credentials=wrong)
        assert failure(got) == ("credentials", "credentials_refused") and got["subject"] == "Maestro"
    sb.control("maestro/kajo", "POST", {"forbidden": True})
    got = one(sb, "ping")
    assert (got["status"], *failure(got)) == (403, "credentials", "credentials_refused")


def test_how_the_key_is_told_is_an_option(sb):
    assert one(sb, "ping", options={"MAESTRO_AUTH_HEADER": "X-Api-Key", "MAESTRO_AUTH_SCHEME": ""}) == {}
    got = one(sb, "ping", options={"MAESTRO_AUTH_HEADER": "X-Other"})
    assert (got["status"], *failure(got)) == (401, "credentials", "credentials_refused")
    assert one(sb, "ping", options={"MAESTRO_PING_PATH": "/v2/ping"})["error"] == "system"


# --- products --------------------------------------------------------------------------------------


def test_MA_03_products_are_found_by_their_exact_code(sb):
    got = drive(sb, {"do": "product", "code": "KONS-01"}, {"do": "product", "code": "kons-01"}, {"do": "product", "code": "API-TX"})
    assert got[0] == {"found": True, "code": "KONS-01", "name": "Konsultointi, tuntityö", "active": True}
    assert got[1:] == [{"found": False}, {"found": False}]
    assert one(sb, "product", code="KM & 2/3")["found"] is False
    assert sb.requests(system="maestro")[-1]["target"].endswith("/v1/products?code=KM%20%26%202%2F3")


def test_MA_04_the_fallback_product_is_looked_for_by_its_setting(sb):
    assert one(sb, "product") == {"found": True, "code": "A/0", "name": "Tunnistamaton tuote", "active": True}
    assert one(sb, "product", settings={"maestro": {"fallback_product": "T-33"}})["code"] == "T-33"
    assert one(sb, "product", code="VANHA-9")["active"] is False
    sb.control("maestro/kajo/products/A%2F0", "DELETE")
    assert one(sb, "product") == {"found": False}


def test_MA_03_the_whole_register_is_read_by_pages(sb):
    sb.control("maestro/kajo/products", "POST", {"code": "P", "count": 23})
    there = sorted(p["code"] for p in sb.control("maestro/kajo/products"))
    for page in (7, len(there), len(there) + 1):
        sb.control("requests", "DELETE")
        assert one(sb, "products", options={"MAESTRO_PAGE": page})["codes"] == there
        assert len(sb.requests(system="maestro")) == -(-len(there) // page)
    sb.fault(system="maestro", match="cursor", kind="status", status=502)
    assert one(sb, "products", options={"MAESTRO_PAGE": 7})["error"] == "outage"


# --- customers -------------------------------------------------------------------------------------


def test_MA_02_a_customer_is_made_then_changed_and_left_alone_when_it_is_the_same(sb):
    see = {"do": "customer", "customer": dict(CARD, code="7001")}
    made = dict(PUT, customer=see["customer"])
    moved = {"do": "put", "customer": dict(see["customer"], billing=dict(CARD["billing"], street="Uusitie 9"))}
    got = drive(sb, see, made, see, moved, see)
    assert got == [{"found": False, "same": False, "street": None}, {"new": True}, {"found": True, "same": True, "street": "Sahatie 4"},
                   {"new": False}, {"found": True, "same": False, "street": "Uusitie 9"}]
    card = next(c for c in sb.control("maestro/kajo/customers") if c["number"] == "7001")
    assert card == {"externalId": CARD["source_id"], "number": "7001", "name": CARD["name"], "businessId": "9000110-2", "vatId": "FI90001102",
                    "language": "fi", "currency": "EUR", "paymentTermDays": 14, "email": CARD["email"],
                    "address": {"street": "Uusitie 9", "postalCode": "53850", "city": "Lappeenranta", "country": "FI"},
                    "einvoice": {"address": "003790001102", "operator": "003723327487"}}
    assert (ledger(sb)["customers_added"], ledger(sb)["customers_changed"]) == (1, 1)


def test_MA_02_what_is_gone_at_the_source_is_taken_away(sb):
    drive(sb, PUT, dict(PUT, customer=dict(CARD, einvoice_address=None, einvoice_operator=None, email="")))
    card = sb.control("maestro/kajo/customers")[0]
    assert card["einvoice"] is None and card["email"] is None


def test_MA_02_a_card_that_a_person_made_is_found_and_becomes_ours(sb):
    found, put, after = drive(sb, {"do": "customers", "business_id": "9000110-2"}, PUT, {"do": "customer", "customer": CARD})
    assert (found["numbers"], put["new"], after["same"]) == (["1001"], False, True)
    assert len(sb.control("maestro/kajo/customers")) == 1


def test_MA_02_refusals_of_a_card_are_named(sb):
    other = dict(CARD, source_id="another")
    _, taken = drive(sb, PUT, {"do": "put", "customer": other})
    assert failure(taken) == ("data", "refused_by_target") and "number: belongs to another customer" in taken["subject"]
    assert failure(one(sb, "put", customer=dict(CARD, code=None))) == ("data", "customer_number_missing")
    assert failure(one(sb, "put", customer=dict(CARD, name=None))) == ("data", "customer_name_missing")


@pytest.mark.parametrize("kind", ["cut_after_commit", "cut_in_answer", "cut_before"])
def test_MA_02_an_unclear_card_is_in_doubt_and_may_be_written_again(sb, kind):
    sb.fault(system="maestro", method="PUT", kind=kind)
    got, again = drive(sb, PUT, PUT)
    assert got["error"] == "doubt" and again["new"] is False
    assert len(sb.control("maestro/kajo/customers")) == 1


# --- invoices --------------------------------------------------------------------------------------


def test_MA_01_an_invoice_arrives_whole(sb):
    rows = [row(), row("KM", 84.2, 0.59, unit="km", description="Kilometrikorvaus\nHelsinki - Turku"),
            row("ATERIA", 6, 14.5, 13.5, discount_percent=10, description="Kurssilounas")]
    step = sending(rows=rows, order_number="PO-7", your_reference="Maija", delivery_name="Varasto",
                   delivery={"street": "Satamatie 1", "postcode": "53900", "city": "Imatra", "country": "FI"})
    _, got = drive(sb, PUT, step)
    d = ledger(sb)["documents"][0]
    assert (got["id"], got["number"], got["warnings"]) == (d["id"], "10401", [])
    assert (d["date"], d["due_date"], d["delivery_date"], d["reference"], d["currency"]) == ("2026-11-02", "2026-11-16", "2026-10-31", "104016", "EUR")
    assert (d["customer_code"], d["buyer"], d["sender_id"], d["delivery_city"], d["key"]) == ("1001", CARD["name"], "9000101-4", "Imatra", step["key"])
    assert [(r["code"], r["quantity"], r["price"], r["vat_percent"], r["net"]) for r in d["rows"]] == [
        ("KONS-01", 7.5, 115, 25.5, 862.5), ("KM", 84.2, 0.59, 25.5, 49.68), ("ATERIA", 6, 14.5, 13.5, 78.3)]
    assert "Helsinki - Turku" in d["rows"][1]["text"]
    assert (d["net"], d["vat"], d["sum"]) == (990.48, 243.18, 1233.66)
    assert (ledger(sb)["count"], ledger(sb)["other_senders"]) == (1, 0)
    assert sb.requests(system="maestro", match="sales-invoices")[0]["status"] == 201


def test_MA_01_a_credit_note_is_below_zero(sb):
    drive(sb, PUT, sending(is_credit_note=True, rows=[row(quantity=-1)]))
    d = ledger(sb)["documents"][0]
    assert (d["is_credit"], d["sum"], d["rows"][0]["quantity"]) == (True, -144.33, -1)


def test_MA_04_an_unknown_code_is_refused_unless_the_client_moved_the_row(sb):
    _, got, moved = drive(sb, PUT, sending(rows=[row(), row("X-9")]), sending(rows=[row(), row("A/0", description="X-9: oma teksti")]))
    assert failure(got) == ("data", "refused_by_target") and "InvoiceRow[2]/ArticleIdentifier: no such product" in got["subject"]
    assert "error" not in moved and ledger(sb)["fallback_rows"] == 1
    text = ledger(sb)["documents"][0]["rows"][1]
    assert (text["code"], text["name"], text["price"], text["vat_percent"]) == ("A/0", "X-9: oma teksti", 115, 25.5)


def test_MA_04_a_row_that_maestro_moves_by_itself_is_told(sb):
    sb.control("maestro/kajo", "POST", {"product_fallback": "server"})
    got = drive(sb, PUT, sending(rows=[row(), row("X-9"), row("VANHA-9")]))[1]
    assert got["warnings"] == ["PRODUCT_NOT_FOUND", "X-9", 2, "PRODUCT_NOT_FOUND", "VANHA-9", 3]
    assert [r["code"] for r in ledger(sb)["documents"][0]["rows"]] == ["KONS-01", "A/0", "A/0"]


def test_MA_01_refusals_are_named_with_their_place(sb):
    got = drive(sb, sending(customer_number="4711"))[0]
    assert (got["status"], *failure(got)) == (422, "data", "refused_by_target") and "SellersBuyerIdentifier: no such customer" in got["subject"]
    assert failure(drive(sb, sending(iban=None))[0]) == ("data", "bank_account_missing")
    assert failure(drive(sb, sending(seller=dict(SELLER, name="")))[0]) == ("data", "name_missing")
    assert ledger(sb)["count"] == 0


def test_MA_01_one_number_and_one_key_are_never_two_invoices(sb):
    first = sending()
    got = drive(sb, PUT, first, first, sending(), sending("10402", key=first["key"]))
    assert [g.get("error") for g in got[1:]] == [None, "duplicate", "duplicate", "duplicate"]
    assert (ledger(sb)["count"], ledger(sb)["duplicates"], ledger(sb)["refused_duplicates"]) == (1, 0, 3)


def test_MA_01_what_names_an_invoice_is_looked_up(sb):
    step = sending()
    _, before, made, after = drive(sb, PUT, look(), step, look())
    assert before == {"found": []}
    assert after["found"] == [{"id": made["id"], "number": "10401", "date": "2026-11-02", "currency": "EUR", "customer": "1001", "reference": "104016",
                               "key": step["key"], "sum": 1082.44}]
    assert one(sb, "invoice", id=made["id"]) == after["found"][0]
    sb.control("maestro/kajo/invoices/10401", "DELETE")
    assert drive(sb, look())[0] == {"found": []}
    assert one(sb, "invoice", id=made["id"])["error"] == "not_found"
    assert "error" not in drive(sb, sending())[0]


@pytest.mark.parametrize("kind, made", [("cut_after_commit", 1), ("cut_in_answer", 1), ("garbage", 1), ("cut_before", 0)])
def test_MA_01_an_unclear_sending_is_in_doubt_and_found_again(sb, kind, made):
    step = sending()
    sb.fault(system="maestro", method="POST", match="sales-invoices", kind=kind)
    _, got, found = drive(sb, PUT, step, look())
    assert got["error"] == "doubt" and len(found["found"]) == made
    if not made:
        assert "error" not in drive(sb, step)[0]
    assert (ledger(sb)["count"], ledger(sb)["duplicates"]) == (1, 0)


@pytest.mark.parametrize("status, more, write, read", [
    (500, {}, "doubt", "outage"), (503, {"retry_after": 7}, "outage", "outage"), (429, {"retry_after": 7}, "quota", "quota"),
    (425, {}, "outage", "outage"), (404, {}, "outage", "outage"), (408, {}, "doubt", "outage"), (302, {}, "system", "system"),
    (404, {"code": "NO_SUCH_ADDRESS"}, "system", "system")])
def test_gateways_and_refusals(sb, status, more, write, read):
    """A look-up that fails is never taken for an invoice that is not there."""
    drive(sb, PUT)
    sb.fault(system="maestro", match="sales-invoices", kind="status", status=status, count=2, **more)
    got, found = drive(sb, sending(), look())
    assert got["error"] == write and found.get("error") == read
    if "retry_after" in more:
        assert got["retry_after_ms"] == 7000
    assert ledger(sb)["count"] == 0


def test_a_line_that_is_asked_to_slow_down_twice_gets_through(sb):
    drive(sb, PUT)
    sb.fault(system="maestro", method="POST", kind="429", retry_after=1, count=2)
    assert [g.get("error") for g in drive(sb, *[sending(key="k")] * 3)] == ["quota", "quota", None]


def test_companies_never_mix(sb):
    drive(sb, PUT, sending())
    assert drive(sb, look(), tenant="louhi")[0] == {"found": []}
    assert sb.ledger("maestro", "louhi")["count"] == 0
