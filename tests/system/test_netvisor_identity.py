"""Which record is which, and what must not be emptied or overwritten: customers between Severa and Netvisor when the two sides are not
as they were left (NV-02, NV-03, NV-05), through the real binary."""

import pytest

from service import Service, connection_of, wait_for
from test_netvisor_customers import (KEY, SETTINGS, counts, edits, elements, failures, netvisor, netvisor_new, new_customer, rest, run_once,
                                     severa, start)
from test_netvisor_registers import connect_to


@pytest.fixture(scope="module")
def forward():
    with Service(**SETTINGS | {"retest_interval": "1s"}) as s:
        severa(s, "customers/1009", {"eInvoiceOperator": "Apix"})  # else it is named in each run, as one that waits
        start(s)
        yield s


def remove(s, what):
    s.sandbox.control(f"severa/{KEY}/{what}", "DELETE")


def country(s, name):
    return next(a["country"] for a in severa(s, "addresses") if a["country"]["englishName"] == name)


def test_NV_03_a_vat_number_with_blanks_is_compared_whole(forward):
    """Two Swedish companies whose numbers begin alike are not one."""
    s = forward
    netvisor_new(s, internalidentifier="7401", externalidentifier="SE 111111111101", name="Annan AB")
    guid = new_customer(s, 7401, vatNumber="SE 556677889901", name="Egen AB")
    address = next(a for a in severa(s, "addresses") if a["customer"]["guid"] == guid)["guid"]
    severa(s, "addresses/" + address, {"country": country(s, "Sweden")})
    run = run_once(s)
    assert failures(run) == {"customer_number_taken": 1} and netvisor(s, 7401)["edited"] == 0, run
    # Written otherwise it is the same number.
    severa(s, "customers/7401", {"vatNumber": "SE111111111101"})
    run = run_once(s)
    assert counts(run)["linked"] == 1 and not failures(run), run


def test_NV_03_a_customer_that_was_deleted_and_made_anew_is_the_same_one(forward):
    s = forward
    new_customer(s, 7402)
    assert counts(run_once(s))["created"] == 1
    remove(s, "customers/7402")
    new_customer(s, 7402, website="https://uusi.example")
    run = run_once(s)
    assert counts(run)["linked"] == 1 and counts(run)["created"] == 0 and not failures(run), run
    assert netvisor(s, 7402)["homepageuri"] == "https://uusi.example"
    # While the other one stands, the number is his.
    new_customer(s, 7402)
    run = run_once(s)
    assert failures(run) == {"customer_number_taken": 1} and counts(run)["created"] == 0, run
    remove(s, "customers/" + severa(s, "customers")[-1]["guid"])


def test_NV_03_an_invoice_of_a_customer_that_was_made_anew_goes(forward):
    s = forward
    new_customer(s, 7403)
    assert counts(run_once(s))["created"] == 1
    remove(s, "customers/7403")
    new_customer(s, 7403)
    severa(s, "invoices", {"invoices": [{"customer": "7403"}]})
    s.call("POST", f"/v1/connections/{KEY}/sync")
    wait_for("the invoice", lambda: any(d["customer_code"] == "7403" for d in s.sandbox.ledger("netvisor", KEY)["documents"]), 20)
    rest(s)
    run = run_once(s)
    assert not failures(run) and counts(run)["created"] == 0 and netvisor(s, 7403)["added"] == 1, run


def test_NV_05_a_customer_that_is_found_keeps_what_severa_does_not_have(forward):
    """Nothing of it is emptied, and no default of ours (language, country) stands against what Netvisor has."""
    s = forward
    netvisor_new(s, internalidentifier="7404", externalidentifier="2817345-6", name="Uusi 7404 Oy", country="SE", invoicinglanguage="EN",
                 comment="Kirjanpitäjän oma", phonenumber="+358 9 1", deliverycity="Oulu")
    guid = new_customer(s, 7404)
    address = next(a for a in severa(s, "addresses") if a["customer"]["guid"] == guid)["guid"]
    severa(s, "addresses/" + address, {"country": None})
    s.sandbox.control("requests", "DELETE")
    run = run_once(s)
    assert counts(run)["linked"] == 1, run
    written = [elements(b) for b in edits(s)]
    assert len(written) == 1 and set(written[0]) == {"streetaddress", "city", "postnumber", "isactive", "isprivatecustomer"}, written
    assert (netvisor(s, 7404)["country"], netvisor(s, 7404)["invoicinglanguage"]) == ("SE", "EN")
    # One that Severa had and emptied goes back to the default; it cannot be empty.
    severa(s, "addresses/" + address, {"country": country(s, "Sweden")})
    run_once(s)
    s.sandbox.control("requests", "DELETE")
    severa(s, "addresses/" + address, {"country": None})
    run_once(s)
    assert [elements(b) for b in edits(s)] == [{"country": "FI"}]


def test_NV_03_an_operator_that_is_added_to_the_file_is_known_to_who_waits_for_it():
    """Who was refused for an operator goes by himself when the file knows it, whether or not anybody touches the customer."""
    with Service(**SETTINGS) as s:
        severa(s, "customers/1009", {"eInvoiceOperator": "Apix"})
        start(s)
        new_customer(s, 7501, eInvoiceAddress="003728173456", eInvoiceOperator="UUSIVALITTAJA")
        run = run_once(s)
        assert failures(run) == {"operator_unknown": 1}, run
        path = s.folder + "/operators.tsv"
        with open(path, "w", encoding="utf-8") as f:
            f.write("003723327487\tUUSIVALITTAJA\tUusi\n")
        s.relay.stop()
        s.relay.env["VIESTI_NETVISOR_OPERATORS"] = path
        s.relay.start()
        # As time passes: what was changed lies behind the overlap.
        for c in severa(s, "customers"):
            severa(s, "customers/" + c["guid"], {"createdDateTime": "2020-01-01T00:00:00Z", "lastUpdatedDateTime": "2020-01-01T00:00:00Z"})
        for a in severa(s, "addresses"):
            severa(s, "addresses/" + a["guid"], {"createdDateTime": "2020-01-01T00:00:00Z", "lastUpdatedDateTime": "2020-01-01T00:00:00Z"})
        run = run_once(s)
        assert counts(run)["created"] == 1 and netvisor(s, 7501)["finvoiceroutercode"] == "003723327487", run


def test_NV_05_an_address_that_slips_between_two_pages_empties_nothing():
    """Severa's addresses come by row numbers: one that is deleted while they are read moves the others up."""
    with Service(**SETTINGS | {"request_timeout": "5s", "quiet": "8s"}) as s:
        key = s.sandbox.control("tenants", "POST", {"count": 1, "invoices": 0, "customers": 130, "registered": True})["keys"][0]
        s.sandbox.control("severa/" + key, "POST", {"rate": 0})
        addresses = s.sandbox.control(f"severa/{key}/addresses")
        assert len(addresses) > 101
        for a in addresses:
            s.sandbox.control(f"severa/{key}/addresses/{a['guid']}", "POST", {"phone": "+358 9 777"})
            s.sandbox.control(f"severa/{key}/customers/{a['customer']['guid']}", "POST", {"headquarterAddress": {
                "addressline": a["addressline"], "postalCode": a["postalCode"], "city": a["city"], "country": a["country"]["name"]}})
        s.connect(key, key, products={"temp_code": "TEMP"})
        s.activate(key)
        rest(s, key)
        phones = [c.get("phonenumber") for c in s.sandbox.control(f"netvisor/{key}/customers")]
        assert phones.count("+358 9 777") == 130
        s.relay.stop()  # with what it kept of the addresses
        s.relay.start()
        s.sandbox.control("requests", "DELETE")
        for row in (99, 100):
            s.sandbox.fault(system="severa", match=f"/v1/addresses?firstRow={row}&", kind="latency", latency_ms=1500, count=1)
        made = s.call("POST", f"/v1/connections/{key}/runs", {"registers": ["customers"], "kind": "everything"})
        assert made.status == 202
        wait_for("the first page", lambda: s.sandbox.requests(system="severa", match="/v1/addresses?firstRow=0"))
        s.sandbox.control(f"severa/{key}/addresses/{addresses[0]['guid']}", "DELETE")
        path = "/v1/runs/" + made.json()["id"]
        wait_for("the end of the run", lambda: s.call("GET", path).json()["ended_at"], 60)
        gone = str(s.sandbox.control(f"severa/{key}/customers/{addresses[0]['customer']['guid']}")["number"])
        emptied = {c["internalidentifier"] for c in s.sandbox.control(f"netvisor/{key}/customers") if not c.get("phonenumber")}
        assert emptied <= {gone, "TEMP"}, emptied


def test_NV_02_an_invoice_does_not_write_customers_against_the_other_direction():
    """Two connections of one company, one each way by mistake: the one that is refused writes none on the way of an invoice either."""
    with Service(**SETTINGS | {"retest_interval": "1s"}) as s:
        a, b = s.sandbox.tenants(count=2, invoices=0)
        temp = {"direction": "temp"}
        connect_to(s, "there", a, a, products=temp)
        s.activate("there")
        rest(s, "there")
        assert s.call("POST", "/v1/connections/there/pause").status == 200
        connect_to(s, "back", b, a, products=temp, customers={"direction": "netvisor_to_severa"})
        s.activate("back")
        rest(s, "back")
        assert s.call("POST", "/v1/connections/there/resume").status == 200
        before = s.sandbox.ledger("netvisor", a)["customers"]
        customer = s.sandbox.control(f"severa/{a}/customers")[0]
        s.sandbox.control(f"severa/{a}/customers/{customer['guid']}", "POST", {"number": 7601, "website": "https://x.example"})
        s.sandbox.control(f"severa/{a}/invoices", "POST", {"invoices": [{"customer": "7601"}]})
        s.call("POST", "/v1/connections/there/sync")
        found = wait_for("the invoice held", lambda: [t for t in s.transfers("there") if t["state"] in ("waiting", "done", "needs_data")], 20)
        assert found[0]["state"] == "waiting" and found[0]["error"]["code"] == "direction_opposite", found
        assert s.sandbox.ledger("netvisor", a)["customers"] == before


def test_NV_10_a_company_has_one_name(forward):
    """Two spellings of one business id would be two companies to locks, leases and links."""
    s = forward
    body = connection_of(s.setup(KEY), "twice")
    own = body["credentials"]["netvisor"]["organisation_id"]
    for spelling in (own.replace("-", ""), "FI" + own.replace("-", ""), own + " "):
        body["credentials"]["netvisor"]["organisation_id"] = spelling
        made = s.call("POST", "/v1/connections", body)
        assert made.status in (400, 422), (spelling, made.status)
        assert "/credentials/netvisor/organisation_id" in made.body.decode(), made.body
