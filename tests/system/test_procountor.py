"""The Procountor system, call by call over the real HTTP client, against the sandbox (`flow-cases drive`)."""

import datetime

import pytest

from sandbox import drive_system

CARD = {"code": "SP-1042", "name": "Kiinteistöhuolto Esimerkki Oy", "business_id": "2345678-0", "email": "laskut@esimerkki.example",
        "language": "fi", "billing": {"street": "Satamakatu 5", "postcode": "33200", "city": "Tampere", "country": "FI"}}
ADD = {"do": "add_partner", "customer": CARD}
FIND = {"do": "find_partner", "number": "SP-1042", "business_id": "2345678-0"}


def drive(sb, *steps, tenant="kajo", options=None, **credentials):
    """What each step came to."""
    s = sb.setup(tenant)["procountor"]
    keys = {k: s[k] for k in ("api_key", "client_id", "client_secret")} | credentials
    return drive_system("procountor", s["base_url"], keys, steps, options=options or {})


def one(sb, do, options=None, credentials=None, **args):
    return drive(sb, {"do": do, **args}, options=options, **(credentials or {}))[0]


def row(name="Huoltotyö", quantity=2.5, price=58, rate=25.5, unit="h", **more):
    return {"name": name, "quantity": quantity, "unit_price": price, "vat_rate": rate, "unit": unit} | more


def document(number="SPT-90017", **more):
    return {"number": number, "issue_date": "2026-03-02", "due_date": "2026-03-16", "currency": "EUR", "language": "fi", "order_number": "PO-7781",
            "text_before": "Huolto 28.2.2026\nKohde: Satamakatu 5", "iban": "FI21 1234 5600 0007 85", "rows": [row()]} | more


@pytest.fixture
def customer(sb):
    return one(sb, "add_partner", customer=CARD)["id"]


def send(customer, number="SPT-90017", product_ids=(), **more):
    return {"do": "send", "partner_id": customer, "product_ids": list(product_ids), "invoice": document(number, **more)}


def look(customer, number="SPT-90017", **more):
    return {"do": "look_up", "partner_id": customer, "invoice": document(number, **more)}


def failure(answer):
    return answer["error"], answer["reason"]


def ledger(sb, key="kajo"):
    return sb.ledger("procountor", key)


def change(sb, **body):
    return sb.control("procountor/kajo", "POST", body)


# --- keys ------------------------------------------------------------------------------------------


def test_PC_09_a_key_says_whose_it_is_and_what_it_may(sb):
    setup = sb.setup("kajo")["procountor"]
    got = one(sb, "current")
    assert (got["company_id"], got["business_id"], got["currency"], got["country"]) == (str(setup["company_id"]), setup["business_id"], "EUR", "FI")
    assert (got["operation"], got["missing"], got["own_only"]) == ("DEMONSTRATION", "", False)
    change(sb, rights={"sales.customerRegister": "VIEWING_RIGHTS", "management.basicCompanyInfo": "NO_ACCESS"}, own_only=True)
    got = one(sb, "current")
    assert (got["missing"], got["business_id"], got["own_only"]) == ("sales.customerRegister management.basicCompanyInfo", "", True)


def test_PC_09_a_key_that_ended_is_a_matter_of_credentials(sb):
    change(sb, key_ended=True)
    assert failure(one(sb, "current")) == ("credentials", "credentials_refused")
    assert failure(one(sb, "current", credentials={"client_secret": "viesti-other-secret"})) == ("credentials", "vendor_key_refused")
    sb.control("procountor", "POST", {"token_error": 400})
    assert failure(one(sb, "partners")) == ("credentials", "credentials_refused")


def test_an_ended_token_is_renewed_once(sb):
    change(sb, token_s=1)
    sb.fault(system="procountor", match="/bankaccounts", kind="latency", latency_ms=1200, count=1)
    first, second = drive(sb, {"do": "accounts"}, {"do": "find_product", "code": "SUO-F7"})
    assert "error" not in first and len(second["found"]) == 3
    sb.fault(system="procountor", match="/products", kind="status", status=401, count=9)
    assert failure(one(sb, "products")) == ("credentials", "credentials_refused")


def test_a_token_is_asked_for_once_and_for_a_check_anew(sb):
    drive(sb, {"do": "accounts"}, {"do": "products"}, {"do": "current"})
    assert ledger(sb)["token_requests"] == 2


def test_a_missing_right_is_named(sb):
    change(sb, rights={"sales.productRegister": "NO_ACCESS"})
    got = one(sb, "products")
    assert failure(got) == ("credentials", "rights_missing") and got["subject"] == "Procountor"


def test_accounts_and_vat(sb):
    got = one(sb, "accounts")
    assert (got["iban"], got["accounts"], got["percents"], got["statuses"]) == ("FI2112345600000785", 2, 6, 4)


# --- registers -------------------------------------------------------------------------------------


def test_PC_05_a_customer_is_made_and_found_again(sb):
    before, made, after = drive(sb, FIND, ADD, FIND)
    assert before["found"] == [] and [c["id"] for c in after["found"]] == [made["id"]]
    assert after["found"][0]["city"] == "Tampere" and ledger(sb)["partners_added"] == 1


def test_customers_are_found_by_each_of_their_names(sb):
    names = [c["name"] for c in one(sb, "find_partner", business_id="2817345-6")["found"]]
    assert names == ["Kaksonen Oy", "Kaksonen Oy, toinen"]
    for style in ("percent", "plain"):
        assert len(one(sb, "find_partner", name="Sähkö & Löpö 5 % Oy", options={"PROCOUNTOR_HEADER_TEXT": style})["found"]) == 1
    assert one(sb, "find_partner", name="Kaksonen")["found"] == []  # the vendor's search is loose, ours is not
    assert one(sb, "find_partner", number="V-1")["found"][0]["active"] is False
    assert all("2817345" not in r["target"] for r in sb.requests(system="procountor"))


@pytest.mark.parametrize("card, reason, subject", [
    ({"business_id": "2817345-7"}, "business_id_invalid", CARD["name"]), ({"code": "K-1"}, "customer_number_taken", "K-1"),
    ({"name": "Ŕ Oy"}, "character_unsupported", "name: Ŕ U+0154"), ({"name": "A" * 81}, "field_too_long", "name: 81 > 80"),
    ({"billing": {"city": "Riga"}}, "country_unknown", "address.country")])
def test_PC_05_a_refused_customer_is_named(sb, card, reason, subject):
    got = one(sb, "add_partner", customer=CARD | card)
    assert (failure(got), got["subject"]) == (("data", reason), subject)
    assert ledger(sb)["partners_added"] == 0


def test_PC_06_a_change_wants_the_newest_version(sb, customer):
    card = one(sb, "partner", id=customer)
    changed = {"do": "change_partner", "id": customer, "version": card["version"], "customer": CARD | {"email": "uusi@esimerkki.example"}}
    first, second = drive(sb, changed, changed)
    assert "error" not in first and second["error"] == "conflict"
    assert one(sb, "partner", id=customer)["email"] == "uusi@esimerkki.example"
    assert one(sb, "partner", id="1")["error"] == "not_found"


def test_PC_06_a_large_register_is_read_in_pages_of_little_memory(sb):
    sb.control("procountor", "POST", {"rate": 0})
    sb.control("procountor/louhi/partners", "POST", {"count": 2500})
    sb.control("procountor/louhi/partners", "POST", {"count": 30, "fields": {"registryInfo": {"active": False}, "name": "Passiivinen Oy"}})
    seeded = ledger(sb, "louhi")["partners"] - 2530
    active, both = drive(sb, {"do": "partners"}, {"do": "partners", "with_inactive": True}, tenant="louhi")
    assert seeded - 5 <= active["n"] - 2500 <= seeded and both["n"] == 2530 + seeded and both["last"] == "Passiivinen Oy"
    assert both["page_bytes"] < 4 << 20
    calls = len([r for r in sb.requests(system="procountor", limit=500) if "/businesspartners" in r["target"]])
    assert calls <= 2 * (13 + 14)  # two a page


def test_PC_06_changes_since_a_time(sb, customer):
    soon = int((datetime.datetime.now(datetime.timezone.utc).timestamp() + 3600) * 1000)
    ago = soon - 2 * 3600 * 1000
    assert one(sb, "partners", since_ms=soon)["n"] == 0
    assert one(sb, "partners", since_ms=ago)["n"] > 4
    day = "versionStartDate=%s" % datetime.datetime.fromtimestamp(ago / 1000).strftime("%Y")
    assert any(day in r["target"] for r in sb.requests(system="procountor"))


def test_PC_04_the_product_to_link_is_the_oldest_active_one(sb):
    got = one(sb, "find_product", code="SUO-F7")
    assert got["found"] == ["Suodatin F7", "Suodatin F7, kopio", "Suodatin, vanha"]
    before, made, after = drive(sb, {"do": "find_product", "code": "TYO-1"}, {"do": "add_product", "code": "TYO-1", "name": "Huoltotyö", "unit": "h",
                                                                              "price": 58, "vat": 25.5}, {"do": "find_product", "code": "TYO-1"})
    assert before["found"] == [] and after["id"] == made["id"]
    assert sb.control("procountor/kajo/products/TYO-1")["unit"] == "HOUR"
    assert failure(one(sb, "add_product", code="X", name="X", unit="h", price=1, vat=25)) == ("data", "vat_category_mismatch")


def test_throttled_calls_have_a_time(sb):
    sb.control("procountor", "POST", {"rate": 1})
    got = drive(sb, *[{"do": "products"}] * 3, options={"PROCOUNTOR_QUOTA_WAIT": "1500ms"})
    assert {g["error"] for g in got} == {"quota"} and {g["retry_after_ms"] for g in got} == {1000, 1500}


@pytest.mark.parametrize("kind, error", [("status", "outage"), ("cut_before", "outage"), ("cut_in_answer", "outage"), ("garbage", "outage")])
def test_reads_that_fail_did_nothing(sb, kind, error):
    sb.fault(system="procountor", match="/businesspartners", kind=kind, status=502, count=9)  # curl repeats a GET on a stale line
    assert one(sb, "partners")["error"] == error


@pytest.mark.parametrize("step, number", [(ADD, "partners_added"), ({"do": "add_product", "code": "N-1", "name": "Uusi", "price": 1, "vat": 25.5}, "products_added")])
@pytest.mark.parametrize("kind, made", [("cut_before", 0), ("cut_after_commit", 1), ("status", 1), ("garbage", 1)])
def test_PC_04_PC_05_an_unclear_creation_is_in_doubt_and_found(sb, step, number, kind, made):
    more = {"status": 500, "commit": True} if kind == "status" else {}
    sb.fault(system="procountor", method="POST", match="/businesspartners" if step is ADD else "/products", kind=kind, **more)
    find = FIND if step is ADD else {"do": "find_product", "code": "N-1"}
    got, found = drive(sb, step, find)
    assert got["error"] == "doubt" and len(found["found"]) == made == ledger(sb)[number]


# --- invoices --------------------------------------------------------------------------------------


def test_PC_01_PC_07_an_invoice_is_a_draft_linked_to_the_registers(sb, customer):
    product = one(sb, "find_product", code="SUO-F7")["id"]
    rows = [row(), row("Suodatin F7", 4, 31.90, unit="kpl", product_code="SUO-F7", description="Vaihdettu")]
    got = drive(sb, send(customer, product_ids=["", product], rows=rows))[0]
    assert (got["status"], got["original_number"], got["partner_id"], got["differs"]) == ("UNFINISHED", "SPT-90017", customer, None)
    assert got["number"] and got["ledger_receipt_id"] and got["reference"].isdigit() and got["gross"] == 342.11
    stored = sb.control("procountor/kajo/invoices/SPT-90017")
    assert [r.get("productId") for r in stored["invoiceRows"]] == [None, int(product)]
    assert stored["counterParty"]["identifier"] == "2345678-0" and stored["counterParty"]["customerNumber"] == "SP-1042"
    assert (stored["orderReference"], stored["additionalInformation"]) == ("PO-7781", "Huolto 28.2.2026\nKohde: Satamakatu 5")
    assert stored["paymentInfo"]["bankAccount"]["accountNumber"] == "FI2112345600000785"


@pytest.mark.parametrize("kind, made", [("status", 1), ("cut_after_commit", 1), ("cut_in_answer", 1), ("garbage", 1), ("cut_before", 0)])
def test_PC_01_an_unclear_sending_is_looked_up_never_repeated(sb, customer, kind, made):
    more = {"status": 500, "commit": True} if kind == "status" else {}
    sb.fault(system="procountor", method="POST", match="/invoices", kind=kind, **more)
    got, found = drive(sb, send(customer), look(customer))
    assert got["error"] == "doubt" and found["match"] == ("ours" if made else "absent")
    assert (ledger(sb)["count"], ledger(sb)["duplicates"]) == (made, 0)


def test_silence_is_doubt(sb, customer):
    sb.fault(system="procountor", method="POST", match="/invoices", kind="status", status=503, commit=True)
    got, found = drive(sb, send(customer), look(customer))
    assert got["error"] == "doubt" and found["match"] == "ours"


@pytest.mark.parametrize("other, differs", [
    ({"issue_date": "2026-03-03"}, "date"), ({"rows": [row(quantity=3)]}, "sum"), ({"rows": [row(quantity=-2.5)]}, "sum"), ({"currency": "SEK"}, "currency")])
def test_another_document_with_the_number_is_not_ours(sb, customer, other, differs):
    got = drive(sb, send(customer), look(customer, **other), look("501234"), look(customer, number="SPT-9001"))
    assert (got[1]["match"], got[1]["differs"]) == ("taken", differs)
    assert (got[2]["match"], got[2]["differs"]) == ("taken", "customer")
    assert got[3]["match"] == "absent"


def test_doubles_go_to_a_person_and_what_was_thrown_away_is_not_there(sb, customer):
    first, _, found = drive(sb, send(customer), send(customer), look(customer))
    assert found["match"] == "several" and ledger(sb)["duplicates"] == 1
    sb.control("procountor/kajo/invoices/" + first["id"], "POST", {"status": "INVALIDATED"})
    assert one(sb, **look(customer))["match"] == "ours"
    sb.control("procountor/kajo/invoices/" + str(int(first["id"]) + 1), "DELETE")
    assert one(sb, **look(customer))["match"] == "absent"


def test_an_invoice_sent_on_by_a_person_is_still_ours(sb, customer):
    made = drive(sb, send(customer))[0]
    sb.control("procountor/kajo/invoices/" + made["id"], "POST", {"status": "SENT"})
    assert one(sb, **look(customer))["match"] == "ours"
    sb.control("procountor/kajo/invoices/" + made["id"], "POST", {"invoiceSumInfo": [{"currency": "EUR", "excludingVatTotal": 1, "vatSumTotal": 0, "invoiceSumTotal": 1}]})
    assert one(sb, **look(customer))["differs"] == "sum"


def test_a_look_up_that_cannot_be_made_proves_nothing(sb, customer):
    drive(sb, send(customer))
    sb.fault(system="procountor", method="GET", match="/invoices/", kind="status", status=404, count=1)
    assert one(sb, **look(customer))["error"] == "outage"
    sb.fault(system="procountor", method="GET", match="/invoices?", kind="status", status=500, count=1)
    assert one(sb, **look(customer))["error"] == "outage"


@pytest.mark.parametrize("invoice, settings, reason, subject", [
    ({"rows": [row(rate=24.5)]}, {}, "vat_category_mismatch", "invoiceRows[0].vatStatus"), ({}, {"locked_until": "2026-03-31"}, "period_locked", "date"),
    ({"rows": [row(name="Työ ☃")]}, {}, "character_unsupported", "invoiceRows[0].product: ☃ U+2603"),
    ({"iban": "FI5542345670000081"}, {}, "refused_by_target", "paymentInfo.bankAccount.accountNumber: The value is invalid."),
    ({"due_date": "2026-03-01"}, {}, "date_invalid", "paymentInfo.dueDate: 2026-03-01")])
def test_refused_invoices_say_where(sb, customer, invoice, settings, reason, subject):
    change(sb, **settings)
    got = drive(sb, send(customer, **invoice))[0]
    assert (failure(got), got["subject"]) == (("data", reason), subject)
    assert ledger(sb)["count"] == 0


def test_files_belong_to_their_invoice(sb, customer):
    made = drive(sb, send(customer))[0]["id"]
    sent, read = drive(sb, {"do": "attach", "id": made, "name": "Työraportti.pdf", "text": "%PDF-1.4\n%%EOF"}, {"do": "invoice", "id": made})
    assert "error" not in sent and read["files"] == 1
    stored = sb.control("procountor/kajo/invoices/" + made)["attachments"][0]
    assert (stored["name"], stored["referenceId"], stored["sendWithInvoice"]) == ("Työraportti.pdf", int(made), False)
    assert failure(one(sb, "attach", id="1", name="a.pdf", text="%PDF-1.4")) == ("data", "refused_by_target")
