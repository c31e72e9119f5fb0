"""The Maventa system, call by call over the real HTTP client, against the sandbox (`flow-cases drive`)."""

import uuid

import pytest

from sandbox import drive_system, ubl_xml

PDF = "%PDF-1.4\n%%EOF\n"


def drive(sb, *steps, tenant="kajo", options=None, **credentials):
    """What each step came to."""
    s = sb.setup(tenant)["maventa"]
    keys = {k: s[k] for k in ("company_uuid", "user_api_key", "vendor_api_key")} | credentials
    options = {"partner_company": s["partner_company_uuid"], "partner_key": s["partner_user_api_key"]} | (options or {})
    return drive_system("maventa", s["base_url"], keys, steps, soap_url=s["soap_url"], options=options)


def one(sb, do, tenant="kajo", options=None, credentials=None, **args):
    return drive(sb, {"do": do, **args}, tenant=tenant, options=options, **(credentials or {}))[0]


def sending(number="10401", **more):
    return {"do": "send", "uuid": str(uuid.uuid4()), "xml": ubl_xml(number).decode(), **more}


def failure(answer):
    return answer["error"], answer["reason"]


# --- keys ------------------------------------------------------------------------------------------


def test_MV_07_a_pair_is_checked_at_once(sb):
    setup = sb.setup("kajo")["maventa"]
    got = one(sb, "current")
    assert (got["company"], got["business_id"], got["missing"]) == (setup["company_uuid"], setup["business_id"], "")
    wrong = one(sb, "current", credentials={"user_api_key": str(uuid.uuid4())})
    assert failure(wrong) == ("credentials", "credentials_refused") and wrong["subject"] == "Maventa"
    stranger = sb.setup("louhi")["maventa"]["user_api_key"]
    assert failure(one(sb, "current", credentials={"user_api_key": stranger})) == ("credentials", "credentials_refused")


@pytest.mark.parametrize("status", [401, 400, 403])
def test_MV_07_swapped_keys_are_recognised_however_a_login_is_refused(sb, status):
    sb.control("maventa", "POST", {"token_error": status})
    s = sb.setup("kajo")["maventa"]
    got = one(sb, "current", credentials={"company_uuid": s["user_api_key"], "user_api_key": s["company_uuid"]})
    assert failure(got) == ("credentials", "keys_swapped")
    both = one(sb, "current", credentials={"company_uuid": str(uuid.uuid4())})
    assert failure(both) == ("credentials", "credentials_refused")


def test_MV_07_a_login_is_made_anew_for_the_check(sb):
    drive(sb, {"do": "settings"}, {"do": "current"})
    assert sb.ledger("maventa", "kajo")["token_requests"] == 2
    drive(sb, {"do": "settings"}, {"do": "invoices", "uuids": []}, {"do": "authorization"})
    assert sb.ledger("maventa", "kajo")["token_requests"] == 3


def test_the_vendors_own_key_and_missing_scopes_are_named(sb):
    assert failure(one(sb, "current", credentials={"vendor_api_key": str(uuid.uuid4())})) == ("credentials", "vendor_key_refused")
    sb.control("maventa/kajo", "POST", {"denied_scopes": "invoice:send lookup"})
    assert one(sb, "current")["missing"] == "invoice:send lookup"


def test_an_ended_token_is_renewed_once(sb):
    sb.control("maventa/kajo", "POST", {"token_s": 1})
    sb.fault(system="maventa", match="/v1/company/settings", kind="latency", latency_ms=1200, count=1)
    first, second = drive(sb, {"do": "settings"}, {"do": "link", "read": True})
    assert "error" not in first and second["state"] == "NOT_LINKED"
    sb.fault(system="maventa", match="/v1/company/settings", kind="status", status=401, count=9)
    assert failure(one(sb, "settings")) == ("credentials", "credentials_refused")
    assert len(sb.requests(system="maventa", match="/v1/company/settings")) == 2


# --- registering -----------------------------------------------------------------------------------

DATA_OY = {"do": "register", "name": "Kajo Data Oy & Söner", "business_id": "FI90001022", "country": "FI", "email": "kalle@kajo.example"}
IS_FREE = {"do": "is_free", "business_id": "9000102-2", "country": "FI"}


def test_MV_02_MV_03_a_company_is_registered_with_its_key(sb):
    before, made, after = drive(sb, IS_FREE, DATA_OY, IS_FREE)
    assert (before["free"], after["free"]) == (True, False)
    assert made["company"] and made["key"] and made["address"] == "003790001022"
    company = sb.control("maventa/9000102-2")
    assert (company["name"], company["company_state"], company["linked"]) == ("Kajo Data Oy & Söner", "UNVERIFIED", True)
    assert one(sb, "current", credentials={"company_uuid": made["company"], "user_api_key": made["key"]})["email"] == "kalle@kajo.example"


def test_MV_04_a_known_person_leaves_the_key_empty(sb):
    setup = sb.setup("kajo")["maventa"]
    made = drive(sb, dict(DATA_OY, email=setup["user_email"]))[0]
    assert made["company"] and made["key"] is None
    assert one(sb, "companies", business_id="FI90001022")["companies"] == ["9000102-2"]
    assert one(sb, "companies")["companies"] == ["9000102-2", "9000101-4"]


@pytest.mark.parametrize("change, error, reason, subject", [
    ({"business_id": "FI90001014"}, "data", "business_id_taken", "FI90001014"), ({"name": "Oy"}, "data", "registration_refused", "COMPANY NAME"),
    ({"country": "PL"}, "data", "registration_refused", "COUNTRY")])
def test_MV_02_refusals_of_a_registration_are_named(sb, change, error, reason, subject):
    got = drive(sb, DATA_OY | change)[0]
    assert failure(got) == (error, reason) and subject in got["subject"]
    assert sb.control("maventa")["registrations"] == 0


@pytest.mark.parametrize("kind, made", [("cut_after_commit", True), ("cut_in_answer", True), ("garbage", True), ("cut_before", False)])
def test_MV_02_an_unclear_registration_is_in_doubt_and_looked_up(sb, kind, made):
    sb.fault(system="maventa", method="POST", match="/apis/", kind=kind)
    got, free = drive(sb, DATA_OY, IS_FREE)
    assert got["error"] == "doubt" and free["free"] is not made
    assert sb.control("maventa")["registrations"] == made


def test_MV_02_without_a_partner_account_nobody_can_be_asked(sb):
    got = drive(sb, IS_FREE, options={"partner_company": "", "partner_key": ""})[0]
    assert failure(got) == ("system", "partner_account_missing") and got["subject"] == "9000102-2"


def test_MV_02_an_unreadable_wsdl_is_an_outage_before_anything_was_done(sb):
    sb.fault(system="maventa", match="wsdl", kind="status", status=502)
    assert drive(sb, DATA_OY)[0]["error"] == "outage"
    sb.fault(system="maventa", match="wsdl", kind="garbage")
    assert drive(sb, DATA_OY)[0]["error"] == "outage"
    assert sb.control("maventa")["registrations"] == 0


# --- link, authentication, settings ----------------------------------------------------------------


def test_link_and_unlink_may_be_repeated(sb):
    states = drive(sb, {"do": "link"}, {"do": "link"}, {"do": "link", "read": True}, {"do": "unlink"}, {"do": "unlink"},
                   {"do": "link", "read": True})
    assert [s.get("state") for s in states] == ["LINKED", "LINKED", "LINKED", None, None, "NOT_LINKED"]
    assert not any("error" in s for s in states)


def test_MV_05_the_authentication_request_and_both_forms_of_the_state(sb):
    read, ask = {"do": "authorization"}, {"do": "authorize", "email": "pomo@louhi.example", "locale": "FI"}
    before, sent, after = drive(sb, read, ask, read, tenant="louhi")
    assert (before["company"], before["state"]) == ("unverified", "NONE") and "error" not in sent
    assert (after["company"], after["state"], after["email"]) == ("unverified", "SENT", "pomo@louhi.example")
    drive(sb, ask, tenant="louhi")
    assert sb.ledger("maventa", "louhi")["authorizations"] == 2
    for written, meant in (("VERIFIED", "verified"), ("1", "verified"), ("-1", "unverified"), ("UNKNOWN", "unknown"), ("NEW", "unknown")):
        sb.control("maventa/louhi", "POST", {"company_state": written})
        assert one(sb, "authorization", tenant="louhi")["company"] == meant
    assert failure(one(sb, "authorize", tenant="louhi", email="x", locale="FI")) == ("data", "refused_by_target")


@pytest.mark.parametrize("patch", ["partial", "whole"])
def test_settings_change_only_what_is_given(sb, patch):
    sb.control("maventa/kajo", "POST", {"settings_patch": patch, "admin": True})
    before = sb.ledger("maventa", "kajo")["settings"]
    empty, _, after = drive(sb, {"do": "change_settings"},
                            {"do": "change_settings", "print": True, "print_own_pdf": True, "color": "COLORED", "stop_duplicates": True},
                            {"do": "settings"})
    assert "error" not in empty and after == {"email": True, "print": True, "print_own_pdf": True, "stop_duplicates": True,
                                              "hold_several": False, "email_how": "EMBEDDED", "letter_class": None, "color": "COLORED"}
    before["send_invoice_print"].update(enabled=True, use_own_pdf=True, color_scheme="COLORED")
    before["send_invoice_general"]["stop_duplicate_numbers"] = True
    ledger = sb.ledger("maventa", "kajo")
    assert ledger["settings"] == before and ledger["settings_changes"] == 1


def test_settings_that_are_refused_and_those_of_a_mere_user(sb):
    got = one(sb, "change_settings", email_how="PIGEON")
    assert failure(got) == ("data", "refused_by_target") and "how_to_send" in got["subject"]
    sb.control("maventa/kajo", "POST", {"admin": False})
    assert failure(one(sb, "change_settings", email=False)) == ("credentials", "credentials_refused")


def test_receivers(sb):
    assert one(sb, "receivers", business_id="9000110-2")["receivers"] == ["003790001102", "003723327487"]
    assert one(sb, "receivers", business_id="9000199-9")["receivers"] == []
    assert one(sb, "receivers", address="0192:977123453")["receivers"][0] == "0192:977123453"
    sb.fault(system="maventa", match="lookup", kind="status", status=503)
    assert one(sb, "receivers", name="Kivi")["error"] == "outage"


def test_subscriptions(sb):
    made, ended, again = drive(sb, {"do": "subscribe", "url": "https://x.example/s3cr3t"}, {"do": "unsubscribe"}, {"do": "unsubscribe"})
    assert made["id"] and ended["n"] == 1 and again == {"n": 0}


# --- sending ---------------------------------------------------------------------------------------


def documents(sb, key="kajo"):
    return sb.ledger("maventa", key)["documents"]


def test_MV_08_a_zip_of_invoice_image_and_attachments_under_legal_names(sb):
    files = [{"name": "Erittely Äkäslompolo.PDF", "text": PDF}, {"name": "erittely äkäslompolo.pdf", "text": PDF},
             {"name": "luettelo", "type": "text/plain", "text": "x"}, {"name": "n" * 80 + ".xlsx", "text": "PK"}]
    step = sending(image=PDF, attachments=files, language="sv", own_image=True, disabled_routes=["print", "email"])
    got = drive(sb, step)[0]
    assert (got["id"], got["state"], got["gross"]) == (step["uuid"], "pending", 125.5)
    d, base = documents(sb)[0], step["uuid"].replace("-", "")
    assert d["files"] == [base + ".xml", base + ".pdf", "erittely_akaslompolo.pdf", "erittely_akaslompolo_2.pdf", "luettelo.txt", "n" * 45 + ".xlsx"]
    assert d["form"] == {"uuid": step["uuid"], "disabled_routes": "print,email", "lang": "SE", "print_settings[print_own_image]": "true"}


def test_MV_08_without_files_the_xml_travels_alone(sb):
    step = sending()
    drive(sb, step)
    assert documents(sb)[0]["files"] == [] and documents(sb)[0]["form"] == {"uuid": step["uuid"]}
    assert sb.control("maventa/kajo")["documents"][0]["sum"] == 125.5


def test_MV_10_recipient_and_routes_are_said_in_the_style_that_is_set(sb):
    step = sending(email="laskut@asiakas.example", disabled_routes=["einvoice"])
    drive(sb, step)
    sb.control("maventa", "POST", {"array_style": "brackets"})
    drive(sb, sending("2", email="laskut@asiakas.example", disabled_routes=["einvoice"]), options={"array_style": "brackets"})
    assert [(d["route"], d["recipient_email"]) for d in documents(sb)] == [("EMAIL", "laskut@asiakas.example")] * 2
    drive(sb, sending("3", format="PEPPOLBIS30"), options={"names_format": True})
    assert documents(sb)[0]["form"]["format"] == "PEPPOLBIS30"


def test_files_that_are_not_taken_are_named_before_anything_is_sent(sb):
    got = drive(sb, sending(attachments=[{"name": "ohjelma.exe", "text": "MZ"}]))[0]
    assert failure(got) == ("data", "attachment_type") and got["subject"] == "ohjelma.exe"
    assert failure(drive(sb, sending(email="x" * 256))[0]) == ("data", "field_too_long")
    assert sb.requests(system="maventa", match="/v1/invoices") == []


def test_MV_06_an_unverified_company_waits_and_is_not_told_to_change_keys(sb):
    got = drive(sb, sending(), tenant="louhi")[0]
    assert failure(got) == ("waiting", "company_unverified")
    sb.control("maventa/louhi", "POST", {"company_state": "VERIFIED"})
    assert "error" not in drive(sb, sending(), tenant="louhi")[0]
    sb.control("maventa/kajo", "POST", {"denied_scopes": "invoice:send"})
    assert failure(drive(sb, sending())[0]) == ("credentials", "credentials_refused")


def test_refusals_of_an_invoice_carry_maventas_words(sb):
    got = drive(sb, sending() | {"xml": ubl_xml(date="").decode()})[0]
    assert failure(got) == ("data", "refused_by_target") and got["status"] == 400
    assert got["target_text"] == "Error while creating invoice: ERROR: INVOICE DATE NOT FOUND"
    sb.control("maventa/kajo", "POST", {"daily_limit": 1})
    first, second = drive(sb, sending("1"), sending("2"))
    assert "error" not in first and second["error"] == "quota" and 0 < second["retry_after_ms"] <= 25 * 3600 * 1000


def test_one_uuid_is_never_two_invoices(sb):
    step = sending()
    first, again, found = drive(sb, step, step, {"do": "invoice", "uuid": step["uuid"]})
    assert "error" not in first and again["error"] == "duplicate" and found["id"] == step["uuid"]
    assert sb.ledger("maventa", "kajo")["count"] == 1


@pytest.mark.parametrize("kind, made", [("cut_after_commit", True), ("cut_in_answer", True), ("garbage", True), ("cut_before", False)])
def test_an_unclear_sending_is_in_doubt_and_found_by_its_uuid(sb, kind, made):
    step = sending()
    sb.fault(system="maventa", method="POST", match="/v1/invoices", kind=kind)
    got, found = drive(sb, step, {"do": "invoice", "uuid": step["uuid"]})
    assert got["error"] == "doubt"
    assert (found["id"] == step["uuid"]) if made else (found["error"] == "not_found")
    if not made:
        assert "error" not in drive(sb, step)[0]
    assert sb.ledger("maventa", "kajo")["count"] == 1


@pytest.mark.parametrize("status, more, error", [
    (500, {}, "doubt"), (502, {}, "doubt"), (503, {"retry_after": 7}, "outage"), (429, {"retry_after": 7}, "quota"), (404, {}, "outage"), (302, {}, "system")])
def test_gateways_in_front_of_maventa(sb, status, more, error):
    sb.fault(system="maventa", method="POST", match="/v1/invoices", kind="status", status=status, **more)
    got = drive(sb, sending())[0]
    assert got["error"] == error and (not more or got["retry_after_ms"] == 7000)


# --- following -------------------------------------------------------------------------------------


def test_MV_14_invoices_are_followed_to_their_end_and_past_it(sb):
    sb.control("maventa/kajo/outcomes", "POST", {"number": "1", "outcome": "failed", "after_reads": 1, "message": "Osoite ei kelpaa"})
    sb.control("maventa/kajo/outcomes", "POST", {"number": "2", "after_reads": 1, "late_failure": {"after_reads": 1}})
    a, b = sending("1"), sending("2")
    look, words = {"do": "invoice", "uuid": b["uuid"]}, {"do": "failure", "uuid": b["uuid"]}
    got = drive(sb, a, b, {"do": "invoice", "uuid": a["uuid"]}, {"do": "failure", "uuid": a["uuid"]}, look, words, look, words)[2:]
    assert [g["state"] for g in got if "state" in g] == ["failed", "delivered", "failed"]
    assert (got[0]["number"], got[0]["date"], got[0]["currency"], got[2]["destination"]) == ("1", "2026-11-02", "EUR", "EINVOICE")
    assert got[1]["text"] == "Osoite ei kelpaa" and sorted(got[1]["actions"]) == ["CREATED", "ERROR"]
    assert got[3]["text"] == "" and got[5]["text"].startswith("The recipient's operator")


def test_MV_14_many_are_read_in_few_calls(sb):
    sent = [sending(str(n)) for n in range(130)]
    drive(sb, *sent)
    ids = [s["uuid"] for s in sent] + [str(uuid.uuid4())]
    found = one(sb, "invoices", uuids=ids)["invoices"]
    assert sorted(found) == sorted(ids[:-1])
    calls = sb.requests(system="maventa", match="ids=")
    assert len(calls) == 2 and all("direction=SENT" in c["target"] and "per_page=100" in c["target"] for c in calls)


def test_MV_15_companies_never_mix(sb):
    sb.control("maventa/louhi", "POST", {"company_state": "VERIFIED"})
    mine, other = sending("1"), sending("2")
    drive(sb, mine)
    drive(sb, other, tenant="louhi")
    assert one(sb, "invoice", uuid=other["uuid"])["error"] == "not_found"
    assert one(sb, "invoices", uuids=[mine["uuid"], other["uuid"]])["invoices"] == [mine["uuid"]]
