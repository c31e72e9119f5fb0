"""viesti-sandbox's Maventa keeps to facts/maventa.md: what tests of the flow and of the dialogues stand on."""

import http.client
import io
import uuid
import zipfile

import pytest

from sandbox import MaventaClient, SeveraClient, in_threads, ubl_xml

CUT = (OSError, http.client.HTTPException)
PDF = b"%PDF-1.4\n%%EOF\n"


@pytest.fixture
def maventa(sb):
    return MaventaClient(sb.setup("kajo")["maventa"])


def zip_of(**files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for name, data in files.items():
            z.writestr(name.replace("__", "."), data)
    return out.getvalue()


def change(sb, key="kajo", **body):
    return sb.control("maventa/" + key, "POST", body)


def error_of(answer):
    return answer.status, answer.json()["code"], (answer.json()["details"] or [None])[0]


# --- login -----------------------------------------------------------------------------------------


def test_token_by_the_pair_and_never_the_other_way_round(sb, maventa):
    body = maventa.login().json()
    assert body["token_type"] == "bearer" and body["expires_in"] == 3600 and len(body["access_token"]) > 500
    assert "invoice:send" in body["scope"].split()
    s = maventa.setup
    assert maventa.login(client_id=s["user_api_key"], client_secret=s["company_uuid"]).status == 401
    assert maventa.login(client_secret=sb.setup("louhi")["maventa"]["user_api_key"]).status == 401
    assert error_of(maventa.login(vendor_api_key=str(uuid.uuid4())))[2] == "ERROR: VENDOR API KEY DISABLED"
    assert maventa.login(grant_type="password").status == 400
    sb.control("maventa", "POST", {"token_error": 400})
    assert maventa.login(client_secret="x").json()["error"] == "invalid_client"


def test_scopes_are_granted_and_asked_for(sb, maventa):
    assert set(maventa.login(scope=None).json()["scope"].split()) >= {"global", "company:read", "company:write", "lookup"}
    assert maventa.get("/v1/invoices", direction="SENT").status == 401  # global and company hold no right to invoices
    maventa.login(scope="invoice:send partner:lookups")
    assert maventa.get("/oauth2/current").status == 401
    assert maventa.get("/v1/partner/lookups/companies", bids="9000101-4", country="FI").status == 401
    change(sb, denied_scopes="lookup")
    assert "lookup" not in maventa.login().json()["scope"].split()
    change(sb, missing_scope="refuse")
    assert maventa.login().status == 401


def test_tokens_end(sb, maventa):
    maventa.login()
    assert maventa.get("/oauth2/current").status == 200
    change(sb, drop_tokens=True)
    assert maventa.get("/oauth2/current").status == 401
    change(sb, token_s=0)
    maventa.login()
    assert maventa.get("/oauth2/current").status == 401


def test_current_names_user_and_company(maventa):
    body = maventa.get("/oauth2/current").json()
    assert body["company"]["id"] == maventa.setup["company_uuid"] and body["company"]["bid"] == maventa.setup["business_id"]
    assert body["user"]["email"] == maventa.setup["user_email"] and "invoice:send" in body["scopes"]


# --- accounts --------------------------------------------------------------------------------------


def partner(sb):
    s = sb.setup("kajo")["maventa"]
    return MaventaClient(dict(s, company_uuid=s["partner_company_uuid"], user_api_key=s["partner_user_api_key"]), scope="partner:lookups")


def test_registering_makes_a_company_once(sb, maventa):
    def state():
        return partner(sb).get("/v1/partner/lookups/companies", bids="9000102-2,9000101-4", country="FI").json()

    assert [c["company_status"] for c in state()] == ["FREE", "RESERVED"]
    made = maventa.register(company_bid="9000102-2")
    assert made["status"] == "OK" and made["user_api_key"] and made["e_invoice_address"] == "003790001022"
    assert [c["company_status"] for c in state()] == ["RESERVED", "RESERVED"]
    assert maventa.register(company_bid="FI90001022")["status"] == "ERROR: BID ALREADY TAKEN"
    assert sb.control("maventa")["registrations"] == 1
    new = MaventaClient(dict(maventa.setup, company_uuid=made["company_uuid"], user_api_key=made["user_api_key"]))
    assert new.get("/v1/company/authorization").json() == {"auth_state": "NONE", "auth_email": None, "company_state": "UNVERIFIED"}
    assert new.get("/v1/company/vendors").json()["state"] == "LINKED"


def test_registering_a_known_user_tells_no_key(maventa):
    made = maventa.register(company_bid="9000102-2", user_email=maventa.setup["user_email"])
    assert made["status"] == "OK" and made["company_uuid"] and not made["user_api_key"]
    both = MaventaClient(dict(maventa.setup, company_uuid=made["company_uuid"]))  # the same person's key opens it
    assert both.get("/oauth2/current").json()["company"]["name"] == "Kajo Data Oy"
    assert {c["bid"] for c in both.get("/v1/companies").json()} == {"9000101-4", "9000102-2"}


@pytest.mark.parametrize("wrong, text", [
    ({"vendor_api_key": "x"}, "VENDOR API KEY DISABLED"), ({"license_agreement": "false"}, "LICENSE"), ({"company_name": "Oy"}, "COMPANY NAME"),
    ({"user_email": "x"}, "USER DETAILS"), ({"country": "PL"}, "COUNTRY"), ({"company_bid": "12"}, "BID INVALID")])
def test_registering_is_refused_with_a_text(sb, maventa, wrong, text):
    assert text in maventa.register(**wrong)["status"]
    assert sb.control("maventa")["registrations"] == 0


def test_authentication_request_and_its_states(sb):
    louhi = MaventaClient(sb.setup("louhi")["maventa"])
    assert louhi.get("/v1/company/authorization").json()["company_state"] == "UNVERIFIED"
    assert louhi.raw("/v1/company/authorization", "POST", {"auth_email": "a@b.example", "locale": "DK"}).status == 400
    assert louhi.raw("/v1/company/authorization", "POST", {"auth_email": "a@b.example", "locale": "FI"}).status == 200
    assert louhi.get("/v1/company/authorization").json() == {"auth_state": "SENT", "auth_email": "a@b.example", "company_state": "UNVERIFIED"}
    assert louhi.send(ubl_xml()).status == 401
    change(sb, "louhi", company_state="1", auth_state="SIGNED")
    assert louhi.get("/v1/company/authorization").json()["company_state"] == 1
    assert louhi.send(ubl_xml()).status == 201


def test_vendor_link(maventa):
    assert maventa.get("/v1/company/vendors").json()["state"] == "NOT_LINKED"
    assert maventa.raw("/v1/company/vendors", "POST").status == 201
    assert maventa.raw("/v1/company/vendors", "DELETE").status == 204
    assert maventa.raw("/v1/company/vendors", "DELETE").status == 404


def test_settings_keep_what_is_not_given_and_are_checked(sb, maventa):
    before = maventa.get("/v1/company/settings").json()
    assert before["send_invoice_email"]["enabled"] is True and before["send_invoice_print"]["enabled"] is False
    assert maventa.raw("/v1/company/settings", "PATCH", {"send_invoice_print": {"enabled": True}}).status == 204
    before["send_invoice_print"]["enabled"] = True
    assert maventa.get("/v1/company/settings").json() == before
    assert set(maventa.get("/v1/company/settings", fields="address,details").json()) == {"address", "details"}
    for wrong in ({"send_invoice_print": {"enabled": "yes"}}, {"send_invoice_email": {"how_to_send": "PIGEON"}}, {"x": {"y": 1}}):
        assert error_of(maventa.raw("/v1/company/settings", "PATCH", wrong))[:2] == (400, "invalid_parameters")
    change(sb, settings_patch="whole")
    assert maventa.raw("/v1/company/settings", "PATCH", {"send_invoice_print": {"enabled": False}}).status == 400
    whole = {k: before[k] for k in ("details", "address", "invoice_notifications")} | {"send_invoice_print": {"enabled": False}}
    assert maventa.raw("/v1/company/settings", "PATCH", whole).status == 204
    change(sb, admin=False)
    assert maventa.raw("/v1/company/settings", "PATCH", whole).status == 401


def test_subscriptions(maventa):
    made = maventa.raw("/v1/company/notifications", "POST", {"destination_type": "WEBHOOK", "destination": "https://x.example/h", "events": ["A"]})
    assert made.status == 201
    path = "/v1/company/notifications/" + made.json()["id"]
    assert maventa.get("/v1/company/notifications").json() == [made.json()] == [maventa.get(path).json()]
    assert maventa.raw(path, "DELETE").status == 204 and maventa.raw(path, "DELETE").status == 404
    assert maventa.get("/v1/company/notifications").json() == []


def test_receivers(maventa):
    found = maventa.get("/v1/lookup/receivers", network="PEPPOL,EXTERNAL", bid="9000110-2").json()
    assert [(r["eia"], r["operator"]) for r in found] == [("003790001102", "003723327487")]
    assert maventa.get("/v1/lookup/receivers", network="PEPPOL", bid="9000110-2").json() == []
    assert maventa.get("/v1/lookup/receivers", bid="9000110-2").status == 400


def test_demo_accounts_are_those_of_the_companies_and_persons_at_severa(sb):
    for key, country, state in (("kajo", "FI", "VERIFIED"), ("louhi", "FI", "UNVERIFIED"), ("fjell", "NO", "VERIFIED")):
        setup = sb.setup(key)
        mv = setup["maventa"]
        assert (mv["country"], mv["company_state"], mv["vat_number"]) == (country, state, setup["severa"]["vat_number"])
        severa = SeveraClient(setup["severa"], scope="users:read")
        emails = [u["email"] for u in severa.get("/v1/users").json()]
        assert mv["user_email"] in emails and len(emails) == 2


def test_the_norwegian_company_sells_in_its_own_money(sb):
    setup = sb.setup("fjell")
    severa = SeveraClient(setup["severa"])
    assert setup["maventa"]["business_id"] == "987654104" and setup["severa"]["vat_number"] == "NO987654104MVA"
    own = severa.get("/v1/organizationdetails").json()
    assert (own["country"]["code"], own["currency"]["code"], own["eInvoiceAddress"]) == ("NO", "NOK", "0192:987654104")
    waiting = sb.invoices("fjell", setup["severa"]["transfer_status"])
    assert len(waiting) == 4 and {i["totalExcludingTax"]["currencyCode"] for i in waiting} == {"NOK"}
    maventa = MaventaClient(setup["maventa"])
    assert [r["eia"] for r in maventa.get("/v1/lookup/receivers", network="PEPPOL", bid="987654201").json()] == ["0192:987654201"]
    assert maventa.send(ubl_xml(sender="987654104", address="0192:987654201", currency="NOK")).status == 201
    assert sb.ledger("maventa", "fjell")["other_senders"] == 0


# --- sending ---------------------------------------------------------------------------------------


def documents(sb, key="kajo"):
    return sb.ledger("maventa", key)["documents"]


def test_invoice_is_made_followed_and_counted(sb, maventa):
    mine = str(uuid.uuid4())
    made = maventa.send(ubl_xml(), fields=[("uuid", mine)])
    assert made.status == 201
    body = made.json()
    assert (body["id"], body["status"], body["number"], body["sum"], body["sum_tax"]) == (mine, "PENDING", "10401", 100, 125.5)
    states = [maventa.get("/v1/invoices/" + mine).json()["status"] for _ in range(3)]
    assert states == ["PENDING", "DELIVERED", "DELIVERED"]
    assert [a["type"] for a in maventa.get("/v1/invoices/%s/actions" % mine).json()] == ["SENT", "CREATED"]
    assert maventa.get("/v1/invoices", ids=mine).json() == []  # received ones by default
    assert [i["id"] for i in maventa.get("/v1/invoices", direction="SENT", ids=mine + "," + str(uuid.uuid4())).json()] == [mine]
    assert maventa.get("/v1/invoices/" + str(uuid.uuid4())).status == 404
    ledger = sb.ledger("maventa", "kajo")
    assert (ledger["count"], ledger["duplicates"], ledger["other_senders"]) == (1, 0, 0)
    assert ledger["documents"][0]["route"] == "EINVOICE" and ledger["documents"][0]["sum"] == 125.5


def test_one_uuid_makes_one_invoice(sb, maventa):
    mine = str(uuid.uuid4())
    maventa.login()
    answers = in_threads(6, lambda _: maventa.send(ubl_xml(), fields=[("uuid", mine)]).status)
    assert sorted(answers) == [201, 422, 422, 422, 422, 422]
    ledger = sb.ledger("maventa", "kajo")
    assert ledger["count"] == 1 and ledger["refused_duplicates"] == 5
    assert maventa.send(ubl_xml()).status == 201  # another uuid is another invoice
    assert sb.ledger("maventa", "kajo")["duplicates"] == 1
    other = MaventaClient(sb.setup("louhi")["maventa"])
    assert other.get("/v1/invoices/" + mine).status == 404


def test_zip_holds_invoice_image_and_attachments(sb, maventa):
    good = zip_of(a__xml=ubl_xml(), a__pdf=PDF, erittely_1__xlsx=b"PK")
    assert maventa.send(good, "a.zip").status == 201
    assert documents(sb)[0]["files"] == ["a.xml", "a.pdf", "erittely_1.xlsx"]
    for bad, text in ((good[:-30], "DAMAGED"), (zip_of(a__pdf=PDF), "CONTAIN"), (zip_of(a__xml=ubl_xml(), a__pdf=b"x"), "NOT A PDF"),
                      (zip_of(a__xml=ubl_xml(), a__pdf=PDF, **{"Erittely ä__pdf": PDF}), "NAME OR TYPE"),
                      (zip_of(a__xml=ubl_xml(), b__exe=b"MZ"), "NAME OR TYPE")):
        assert text in error_of(maventa.send(bad, "a.zip"))[2]
    assert len(documents(sb)) == 1


@pytest.mark.parametrize("file, text", [
    (b"<Invoice", "XML"), (b"<Order/>", "FORMAT"), (ubl_xml(date=""), "INVOICE DATE NOT FOUND"), (ubl_xml(number=""), "NUMBER"),
    (ubl_xml(net="x"), "SUM")])
def test_minimum_data_is_checked_while_the_call_is_open(sb, maventa, file, text):
    status, code, detail = error_of(maventa.send(file))
    assert (status, code) == (400, "invoice_create_api_error") and text in detail
    assert documents(sb) == []


def test_the_form_is_checked(maventa):
    assert maventa.send(None).status == 400
    assert maventa.send(ubl_xml(), filename=None).status == 400
    assert maventa.send(ubl_xml(), fields=[("uuid", "7")]).status == 400
    assert maventa.raw("/v1/invoices", "POST", {"file": "x"}).status == 400


@pytest.mark.parametrize("route, failure, document, fields, print_on", [
    ("EINVOICE", None, {}, [], False),
    ("EMAIL", None, {"address": "", "email": "a@b.example"}, [], False),
    ("EMAIL", None, {}, [("disabled_routes", "einvoice"), ("recipient_email", "a@b.example")], False),
    ("EMAIL", "email address is invalid", {"address": "", "email": "a@b"}, [], False),
    ("EMAIL", None, {"address": "0216:003799999999", "email": "a@b.example"}, [], False),
    ("PRINT", None, {"address": ""}, [], True),
    ("PRINT", None, {}, [("disabled_routes", "einvoice"), ("disabled_routes", "email"), ("recipient_email", "a@b.example")], True),
    ("PRINT", "not enabled", {"address": ""}, [], False),
    ("PRINT", "incomplete", {"address": "", "country": ""}, [], True),
    (None, "Not enough information", {}, [("disabled_routes", r) for r in ("einvoice", "email", "print")], True),
])
def test_routing_by_the_recipients_data(sb, maventa, route, failure, document, fields, print_on):
    maventa.raw("/v1/company/settings", "PATCH", {"send_invoice_print": {"enabled": print_on}})
    mine = maventa.send(ubl_xml(**document), fields=fields).json()["id"]
    assert documents(sb)[0]["route"] == route
    maventa.get("/v1/invoices/" + mine)
    last = maventa.get("/v1/invoices/" + mine).json()
    errors = maventa.get("/v1/invoices/%s/actions" % mine, type="ERROR").json()
    assert last["status"] == ("FAILED" if failure else "DELIVERED") and len(errors) == bool(failure)
    assert not failure or failure in errors[0]["message"]


def test_lists_in_forms_go_one_way_only(sb, maventa):
    fields = [("disabled_routes[]", "einvoice"), ("recipient_email", "a@b.example")]
    maventa.send(ubl_xml(), fields=fields)
    sb.control("maventa", "POST", {"array_style": "brackets"})
    maventa.send(ubl_xml(number="2"), fields=fields)
    assert {d["number"]: d["route"] for d in documents(sb)} == {"10401": "EINVOICE", "2": "EMAIL"}


def test_outcomes_are_scripted(sb, maventa):
    sb.control("maventa/kajo/outcomes", "POST", {"number": "7", "outcome": "failed", "after_reads": 1, "message": "Vastaanottaja ei hyväksy"})
    sb.control("maventa/kajo/outcomes", "POST", {"after_reads": 0, "late_failure": {"after_reads": 2}})
    late, failed = (maventa.send(ubl_xml(number=n)).json()["id"] for n in ("8", "7"))
    assert maventa.get("/v1/invoices/" + failed).json()["status"] == "FAILED"
    assert maventa.get("/v1/invoices/%s/actions" % failed, type="ERROR").json()[0]["message"] == "Vastaanottaja ei hyväksy"
    states = [maventa.get("/v1/invoices/" + late).json()["status"] for _ in range(3)]
    assert states == ["DELIVERED", "DELIVERED", "FAILED"]
    assert maventa.get("/v1/invoices/%s/actions" % late, type="ERROR").json()[0]["key"] == "action_delivery_failed"
    third = maventa.send(ubl_xml(number="9")).json()["id"]
    sb.control("maventa/kajo/invoices/9", "POST", {"outcome": "failed", "message": "nyt"})
    assert maventa.get("/v1/invoices/" + third).json()["status"] == "FAILED"
    sb.control("maventa/kajo/invoices/9", "DELETE")
    assert maventa.get("/v1/invoices/" + third).status == 404


def test_duplicate_numbers_and_daily_limit_are_refused_when_set(sb, maventa):
    maventa.raw("/v1/company/settings", "PATCH", {"send_invoice_general": {"stop_duplicate_numbers": True}})
    assert maventa.send(ubl_xml()).status == 201
    assert "DUPLICATE" in error_of(maventa.send(ubl_xml()))[2]
    change(sb, daily_limit=1)
    assert error_of(maventa.send(ubl_xml(number="2")))[2] == "ERROR: COMPANY DAILY INVOICE LIMIT (1) REACHED"
    change(sb, new_day=True)
    assert maventa.send(ubl_xml(number="2")).status == 201


def test_finvoice_in_its_own_encoding(sb, maventa):
    text = ('<?xml version="1.0" encoding="ISO-8859-15"?><Finvoice Version="3.0"><MessageTransmissionDetails><MessageReceiverDetails>'
            "<ToIdentifier>003790001102</ToIdentifier><ToIntermediator>003723327487</ToIntermediator></MessageReceiverDetails>"
            "</MessageTransmissionDetails><SellerPartyDetails><SellerPartyIdentifier>9000101-4</SellerPartyIdentifier></SellerPartyDetails>"
            "<BuyerPartyDetails><BuyerOrganisationName>Höylä 5 €</BuyerOrganisationName></BuyerPartyDetails><InvoiceDetails>"
            '<InvoiceNumber>77</InvoiceNumber><InvoiceDate Format="CCYYMMDD">20261102</InvoiceDate><InvoiceTotalVatExcludedAmount '
            'AmountCurrencyIdentifier="EUR">100,00</InvoiceTotalVatExcludedAmount><InvoiceTotalVatIncludedAmount '
            'AmountCurrencyIdentifier="EUR">125,50</InvoiceTotalVatIncludedAmount></InvoiceDetails></Finvoice>')
    assert maventa.send(text.encode("iso8859-15"), fields=[("format", "FINVOICE30")]).status == 201
    d = documents(sb)[0]
    assert (d["recipient"], d["date"], d["sum"], d["format"]) == ("Höylä 5 €", "2026-11-02", 125.5, "FINVOICE30")
    assert maventa.send(text.encode("iso8859-15"), fields=[("format", "PEPPOLBIS30")]).status == 400


def test_faults_work_here_too(sb, maventa):
    mine = str(uuid.uuid4())
    maventa.login()
    sb.fault(system="maventa", method="POST", match="/v1/invoices", kind="cut_after_commit", tenant=maventa.setup["company_uuid"])
    with pytest.raises(CUT):
        maventa.send(ubl_xml(), fields=[("uuid", mine)])
    assert maventa.get("/v1/invoices/" + mine).status == 200
    sb.fault(system="maventa", method="POST", match="/v1/invoices", kind="cut_before")
    with pytest.raises(CUT):
        maventa.send(ubl_xml(number="2"))
    assert len(documents(sb)) == 1
    sb.fault(system="maventa", kind="status", status=422, code="SOMETHING IS WRONG")
    assert error_of(maventa.get("/oauth2/current")) == (422, "invoice_create_api_error", "ERROR: SOMETHING IS WRONG")
