"""The customer register from Netvisor to Severa through the real binary (NV-02, NV-04, NV-05), and that both ways at once are refused."""

import json
import random
import time

import pytest

from service import Service, connection_of, wait_for
from test_netvisor_customers import KEY, SETTINGS, counts, failures, netvisor, netvisor_new, new_customer, rest, run_once, severa, start

SEED = random.SystemRandom().randrange(1, 1 << 30)
BACK = {"direction": "netvisor_to_severa", "email_channel": True}


@pytest.fixture(scope="module")
def back():
    with Service(**SETTINGS) as s:
        start(s, customers=BACK)
        yield s


def writes(s):
    """What was written to Severa since the requests were forgotten: of a PATCH path and value, of a POST the body."""
    found = []
    for r in s.sandbox.requests(system="severa", match="/v1/", bodies=1, limit=2000):
        if r["method"] == "PATCH" and "/invoices/" not in r["target"]:
            found += [(op["path"], op["value"]) for op in json.loads(r["body"])]
        elif r["method"] == "POST" and "/token" not in r["target"]:
            found.append((r["target"].rsplit("/", 1)[1], json.loads(r["body"])))
    return found


def addresses(s, number):
    guid = severa(s, f"customers/{number}")["guid"]
    return [a for a in severa(s, "addresses") if a["customer"]["guid"] == guid]


def theirs(s, code, **fields):
    """A whole customer of Netvisor's."""
    return netvisor_new(s, **{
        "internalidentifier": str(code), "externalidentifier": "2817345-6", "name": f"Netvisor {code} Oy", "streetaddress": "Katu 1",
        "additionaladdressline": "B-rappu", "city": "Helsinki", "postnumber": "00100", "country": "FI", "phonenumber": "+358 9 1",
        "faxnumber": "+358 9 2", "email": "info@example.fi", "emailinvoicingaddress": "laskut@example.fi;toinen@example.fi",
        "homepageuri": "https://n.example", "isactive": "1", "isprivatecustomer": "0", "finvoiceaddress": "003728173456",
        "finvoiceroutercode": "003721291126", "deliveryname": "Varasto", "deliverystreetaddress": "Varastotie 1", "deliverycity": "Oulu",
        "deliverypostnumber": "90100", "deliverycountry": "FI", "comment": "Huom", "invoicinglanguage": "SE"} | fields)


def test_NV_02_a_new_customer_of_netvisor_is_created_in_severa_with_all_its_fields(back):
    s = back
    theirs(s, 8001)
    run = run_once(s)
    assert counts(run)["created"] == 1 and s.sandbox.ledger("severa", KEY)["customer_duplicates"] == 0, run
    made = severa(s, "customers/8001")
    assert {k: made[k] for k in ("number", "name", "vatNumber", "email", "website", "notes", "eInvoiceAddress", "eInvoiceOperator", "isActive")} == {
        "number": 8001, "name": "Netvisor 8001 Oy", "vatNumber": "FI28173456", "email": "laskut@example.fi", "website": "https://n.example",
        "notes": "Huom", "eInvoiceAddress": "003728173456", "eInvoiceOperator": "003721291126", "isActive": True}
    assert made["language"]["code"].startswith("sv")
    billing = next(a for a in addresses(s, 8001) if a["isBillingAddress"])
    postal = next(a for a in addresses(s, 8001) if a["isPostalAddress"])
    assert billing["guid"] != postal["guid"] and len(addresses(s, 8001)) == 2
    assert [billing[k] for k in ("addressline", "postalCode", "city", "phone", "fax")] == ["Katu 1\nB-rappu", "00100", "Helsinki", "+358 9 1", "+358 9 2"]
    assert [postal[k] for k in ("addressline", "postalCode", "city")] == ["Varastotie 1", "90100", "Oulu"]
    assert billing["country"]["englishName"] == postal["country"]["englishName"] == "Finland"
    s.sandbox.control("requests", "DELETE")
    assert counts(run_once(s))["updated"] == 0 and not writes(s)


FIELDS = [
    ("name", {"name": "Uusi Nimi Oy"}, [("/name", "Uusi Nimi Oy")]),
    ("business id", {"externalidentifier": "0737546-2"}, [("/vatNumber", "FI07375462")]),
    ("e-invoice address", {"finvoiceaddress": "003707375462"}, [("/eInvoiceAddress", "003707375462")]),
    ("operator", {"finvoiceroutercode": "BAWCFI22"}, [("/eInvoiceOperator", "BAWCFI22")]),
    ("comment", {"comment": "Toinen"}, [("/notes", "Toinen")]),
    ("invoicing e-mail", {"emailinvoicingaddress": "uusi@example.fi"}, [("/email", "uusi@example.fi")]),
    ("home page", {"homepageuri": "https://m.example"}, [("/website", "https://m.example")]),
    ("billing street", {"streetaddress": "Katu 2"}, [("/addressline", "Katu 2\nB-rappu")]),
    ("second line", {"additionaladdressline": ""}, [("/addressline", "Katu 2")]),
    ("billing city", {"city": "Espoo"}, [("/city", "Espoo")]),
    ("billing postcode", {"postnumber": "02100"}, [("/postalCode", "02100")]),
    ("billing country", {"country": "SE"}, [("/country/guid", "SE")]),
    ("phone", {"phonenumber": "+358 9 3"}, [("/phone", "+358 9 3")]),
    ("fax", {"faxnumber": "+358 9 4"}, [("/fax", "+358 9 4")]),
    ("delivery street", {"deliverystreetaddress": "Varastotie 2"}, [("/addressline", "Varastotie 2")]),
    ("delivery city", {"deliverycity": "Kemi"}, [("/city", "Kemi")]),
    ("delivery postcode", {"deliverypostnumber": "94100"}, [("/postalCode", "94100")]),
    ("delivery country", {"deliverycountry": "SE"}, [("/country/guid", "SE")]),
    ("language", {"invoicinglanguage": "FI"}, [("/language/guid", "fi")]),
    ("passive", {"isactive": "0"}, [("/isActive", False)]),
    ("active again", {"isactive": "1"}, [("/isActive", True)]),
    ("number", {"internalidentifier": "8901"}, [("/number", 8901)]),
    ("number back", {"internalidentifier": "8001"}, [("/number", 8001)]),
    ("emptied", {"phonenumber": ""}, [("/phone", None)]),
]


def named(s, path, value):
    """A guid as the country or language that it is."""
    if path == "/country/guid":
        return next({"Finland": "FI", "Sweden": "SE"}[a["country"]["englishName"]] for a in severa(s, "addresses") if a["country"] and a["country"]["guid"] == value)
    if path == "/language/guid":
        return next(x["code"][:2] for x in severa(s, "languages") if x["guid"] == value)
    return value


@pytest.mark.parametrize("field, change, expected", FIELDS, ids=[f[0] for f in FIELDS])
def test_NV_05_each_changed_field_alone_is_written_to_severa(back, field, change, expected):
    s = back
    s.sandbox.control("requests", "DELETE")
    netvisor(s, 8901 if field == "number back" else 8001, change)
    run = run_once(s)
    assert [counts(run)[w] for w in ("created", "updated", "linked")] == [0, 1, 0], run
    assert [(path, named(s, path, value)) for path, value in writes(s)] == expected, field
    s.sandbox.control("requests", "DELETE")
    assert counts(run_once(s))["updated"] == 0 and not writes(s)


def test_NV_04_codes_that_severa_cannot_keep_are_named(back):
    s = back
    for code in ("0123", "A-77", "", "1234567890123456789"):
        theirs(s, code)
    run = run_once(s)
    assert failures(run) == {"customer_code_form": 4, "customer_temporary": 1} and counts(run)["created"] == 0, run


def test_NV_02_passive_customers_travel_as_passive_and_nothing_is_deleted(back):
    s = back
    theirs(s, 8002, isactive="0")
    run_once(s)
    assert severa(s, "customers/8002")["isActive"] is False
    n = len(severa(s, "customers"))
    key = netvisor(s, 8002)["netvisor_key"]
    s.sandbox.control("requests", "DELETE")
    assert key and counts(run_once(s, kind="links"))["created"] == 0 and not writes(s)
    assert len(severa(s, "customers")) == n


def test_NV_02_an_address_that_is_both_is_split_only_where_they_differ(back):
    s = back
    same = {"deliverystreetaddress": "Katu 1", "deliverycity": "Helsinki", "deliverypostnumber": "00100", "additionaladdressline": ""}
    theirs(s, 8003, **same)
    run_once(s)
    assert [(a["isBillingAddress"], a["isPostalAddress"]) for a in addresses(s, 8003)] == [(True, True)]
    netvisor(s, 8003, {"deliverystreetaddress": "Varasto 5"})
    run_once(s)
    found = {a["addressline"]: (a["isBillingAddress"], a["isPostalAddress"]) for a in addresses(s, 8003)}
    assert found == {"Katu 1": (True, False), "Varasto 5": (False, True)}


def test_NV_02_the_same_customer_is_linked_and_another_is_named(back):
    s = back
    ours = [c for c in severa(s, "customers") if c["number"]]
    theirs(s, ours[1]["number"], externalidentifier="0737546-2")
    run = run_once(s)
    assert failures(run).get("customer_number_taken") == 1, run
    assert s.sandbox.ledger("severa", KEY)["customer_duplicates"] == 0


def test_NV_04_an_invoice_of_a_customer_that_netvisor_lacks_is_named_and_goes_when_it_is_there(back):
    s = back
    severa(s, "customers", {"count": 1, "fields": {"number": 8100, "name": "Vain Severassa Oy", "vatNumber": "FI28173456", "isActive": True}})
    severa(s, "invoices", {"invoices": [{"customer": "8100", "name": "of-a-stranger"}]})
    guid = severa(s, "invoices/of-a-stranger")["guid"]
    s.call("POST", f"/v1/connections/{KEY}/sync")

    def transfer():
        return next((t for t in s.transfers(KEY) if t["source_id"] == guid), {})

    wait_for("the named lack", lambda: (transfer().get("error") or {}).get("code") == "customer_not_in_target")
    theirs(s, 8100, name="Vain Severassa Oy")
    ident = transfer()["id"]
    tag = s.call("GET", "/v1/transfers/" + ident).headers["ETag"]
    s.call("POST", f"/v1/transfers/{ident}/retry", {}, {"If-Match": tag})
    wait_for("the invoice", lambda: transfer()["state"] == "done")
    assert counts(run_once(s))["linked"] == 1


def test_NV_02_a_right_that_writes_need_is_asked_for_by_the_check(back):
    s = back
    scopes = "invoices:read invoices:write customers:read settings:read files:read projects:read organization:read"
    s.sandbox.control("severa/" + KEY, "POST", {"scopes": scopes, "drop_tokens": True})
    try:
        check = s.call("POST", f"/v1/connections/{KEY}/check").json()["result"]
        assert [p["code"] for p in check["problems"]] == ["write_scope_missing"] and "customers:write" in check["problems"][0]["text"], check
    finally:
        s.sandbox.control("severa/" + KEY, "POST", {"scopes": scopes + " customers:write settings:write", "drop_tokens": True})


def on_the_side(s, name, **settings):
    """One more connection of the same company, with a transfer status of its own; not active."""
    body = connection_of(s.setup(KEY), name, **settings)
    own = body["settings"]["statuses"]
    body["settings"]["statuses"] = own | {"transfer": next(x["guid"] for x in severa(s, "statuses") if x["hasInvoiceNumber"] and x["isActive"]
                                                            and x["guid"] not in own.values())}
    assert s.call("POST", "/v1/connections", body).status == 201


def test_NV_02_a_temporary_customer_that_netvisor_lacks_is_named_by_the_check(back):
    on_the_side(back, "temp", customers={"direction": "temp", "temp_code": "PUUTTUU"}, products={"temp_code": "TEMP"})
    check = back.call("POST", "/v1/connections/temp/check").json()["result"]
    assert [(p["code"], p["pointer"]) for p in check["problems"]] == [("temp_customer_missing", "/settings/customers/temp_code")], check


def test_NV_02_two_connections_of_a_company_in_opposite_directions_are_refused(back):
    s = back
    on_the_side(s, "opposite", customers={"direction": "severa_to_netvisor"}, products={"temp_code": "TEMP"})
    answer = s.call("POST", "/v1/connections/opposite/activate")
    assert answer.status == 422 and "direction_opposite" in [p["code"] for p in answer.json()["result"]["problems"]], answer.json()["result"]
    assert s.call("POST", f"/v1/connections/{KEY}/pause").status == 200
    answer = s.call("POST", "/v1/connections/opposite/check").json()
    assert "result" in answer, answer
    answer = answer["result"]
    assert "direction_opposite" not in [p["code"] for p in answer["problems"]], answer
    s.activate(KEY)
    rest(s)


def test_NV_05_a_language_that_severa_lacks_is_named(back):
    s = back
    settings = s.call("GET", f"/v1/connections/{KEY}")
    s.call("PATCH", f"/v1/connections/{KEY}", {"settings": {"customers": {"languages": {"xx": "EN"}}}}, {"If-Match": settings.headers["ETag"]})
    s.activate(KEY)
    rest(s)
    netvisor(s, 8002, {"invoicinglanguage": "EN"})
    assert failures(run_once(s)).get("language_unknown") == 1


def test_NV_03_a_private_person_of_the_same_name_is_linked_and_another_is_named():
    with Service(**SETTINGS) as s:
        person = {"isprivatecustomer": "1", "isactive": "1", "country": "FI"}
        netvisor_new(s, internalidentifier="7401", name="Matti Meikäläinen", comment="Kirjanpitäjän oma", **person)
        netvisor_new(s, internalidentifier="7402", name="Maija Meikäläinen", **person)
        new_customer(s, 7401, name="Matti Meikäläinen", vatNumber=None)
        new_customer(s, 7402, name="Toinen Ihminen", vatNumber=None)
        start(s, customers={"private_rule": "without_vat_number"})
        run = run_once(s, kind="everything")
        assert failures(run).get("customer_number_taken") == 1 and "business_id_missing" not in failures(run), run
        assert netvisor(s, 7401)["streetaddress"] == "Katu 1" and netvisor(s, 7401)["added"] == 0
        assert netvisor(s, 7401)["comment"] == "Kirjanpitäjän oma"  # NV-05: it was never synchronised
        assert netvisor(s, 7402)["edited"] == 0 and netvisor(s, 7402)["name"] == "Maija Meikäläinen"


FORWARD_LINES = [("netvisor", "customer.nv", "POST"), ("netvisor", "customerlist.nv", "GET"), ("severa", "/v1/customers", "GET")]
BACK_LINES = [("severa", "/v1/customers", "POST"), ("severa", "addresses", "POST"), ("netvisor", "getcustomer.nv", "GET")]


def strike(s, rng, lines):
    """One random thing that goes wrong."""
    what = rng.choice(["relay", "relay", "redis", "line", "line", "500"])
    if what == "relay":
        s.relay.kill()
        s.relay.start()
    elif what == "redis":
        s.redis.kill()
        s.redis.start()
    else:
        system, match, method = rng.choice(lines)
        kind = {"kind": "status", "status": 500, "commit": True} if what == "500" else {"kind": rng.choice(["cut_after_commit", "cut_before"])}
        s.sandbox.fault(system=system, match=match, method=method, count=1, **kind)


def order(s):
    """A run, whatever stands just now."""
    try:
        s.call("POST", f"/v1/connections/{KEY}/runs", {"kind": "everything"})
    except OSError:
        pass


@pytest.mark.parametrize("empties", [False, True], ids=["killed", "emptied"])
@pytest.mark.parametrize("way", ["severa_to_netvisor", "netvisor_to_severa"])
def test_NV_02_killed_anywhere_each_customer_stands_there_once(way, empties):
    """Relay, Redis and lines die at random, and Redis is emptied in between: no customer is made twice, none is left out."""
    rng = random.Random(SEED)
    is_back = way == "netvisor_to_severa"
    with Service(**SETTINGS) as s:
        start(s, customers={"direction": way})
        codes = [str(9001 + i) for i in range(30)]
        for code in codes:
            if is_back:
                theirs(s, code)
            else:
                new_customer(s, int(code))
        for system in ("severa", "netvisor"):
            s.sandbox.fault(system=system, kind="latency", latency_ms=5, latency_max_ms=30)
        order(s)
        for i in range(6):
            time.sleep(rng.uniform(0.05, 0.4))  # when it strikes is the chance; nothing is waited for
            strike(s, rng, BACK_LINES if is_back else FORWARD_LINES)
            if empties and i == 3:
                s.redis.cli("FLUSHALL")
            order(s)
        s.sandbox.clear_faults()

        def whole():
            there = [str(c["number"]) for c in severa(s, "customers")] if is_back else \
                [c["internalidentifier"] for c in s.sandbox.control(f"netvisor/{KEY}/customers")]
            if all(code in there for code in codes):
                return there
            runs = s.call("GET", f"/v1/connections/{KEY}/runs").json()["items"]
            if all(r["ended_at"] for r in runs):
                order(s)
            return None

        wait_for(f"all customers, seed {SEED}", whole, 90, 0.3)
        rest(s)
        run_once(s, kind="everything")
        there = whole()
        assert all(there.count(code) == 1 for code in codes), (SEED, there)
        if is_back:
            assert s.sandbox.ledger("severa", KEY)["customer_duplicates"] == 0, SEED
            assert all(sorted((a["isBillingAddress"], a["isPostalAddress"]) for a in addresses(s, c)) == [(False, True), (True, False)]
                       for c in codes), SEED
