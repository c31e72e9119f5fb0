"""The customer register between Severa and Netvisor, both ways, through the real binary (NV-02 to NV-05, NV-10)."""

import re

import pytest

from service import Service, wait_for

SETTINGS = {
    "lease": "1500ms", "beat": "300ms", "request_timeout": "2s", "connect_timeout": "1s", "quiet": "4s", "retry_first": "100ms",
    "retry_cap": "1s", "retest_interval": "1h", "poll_interval": "1h", "severa_rate": "10000", "severa_burst": "1000", "workers": "4",
    "shutdown_grace": "3s",
}
KEY = "kajo"


def run_once(s, name=KEY, **body):
    """One run of the customers, ordered by a person; as it ended."""
    made = s.call("POST", f"/v1/connections/{name}/runs", {"registers": [register(s, name)]} | body)
    assert made.status == 202, made.body
    return ended(s, made.json()["id"])


def register(s, name):
    settings = s.call("GET", f"/v1/connections/{name}").json()["settings"]
    return "customers_back" if settings.get("customers", {}).get("direction") == "netvisor_to_severa" else "customers"


def ended(s, run, seconds=60):
    found = wait_for("the end of a run", lambda: (r := s.call("GET", "/v1/runs/" + run).json())["ended_at"] and r, seconds)
    assert found["state"] == "done", found
    return found


def counts(run):
    return run["registers"][0]


def rest(s, name=KEY):
    """A run was, and none is under way, nor a transfer."""
    def over():
        runs = s.call("GET", f"/v1/connections/{name}/runs").json()["items"]
        busy = {"queued", "running", "retrying"}
        return runs and all(r["ended_at"] for r in runs) and not busy & {t["state"] for t in s.transfers(name)}
    wait_for("the connection at rest", over, 60)


def start(s, name=KEY, tenant=KEY, **settings):
    s.sandbox.control("severa/" + tenant, "POST", {"rate": 0})
    s.connect(name, tenant, products={"temp_code": "TEMP"}, **settings)
    s.activate(name)
    rest(s, name)


def severa(s, path, change=None):
    return s.sandbox.control(f"severa/{KEY}/{path}", *(["POST", change] if change else []))


def netvisor(s, code, change=None):
    return s.sandbox.control(f"netvisor/{KEY}/customers/{code}", *(["POST", change] if change else []))


def edits(s, match="customer.nv?method=edit"):
    """Bodies of the edits that Netvisor got since they were forgotten."""
    return [r["body"] for r in s.sandbox.requests(system="netvisor", match=match, bodies=1, limit=1000)]


def elements(body):
    """The leaf elements of a request with their texts."""
    found = dict(re.findall(r"<(\w+)(?: [^>]*)?>([^<]*)</\1>", body)) | {e: "" for e in re.findall(r"<(\w+)/>", body)}
    return {e: text for e, text in found.items() if e != "customerbaseinformation"}  # that section stands even when it is empty


def failures(run):
    return {f["code"]: f["count"] for f in run["reasons"]}


@pytest.fixture(scope="module")
def forward():
    with Service(**SETTINGS) as s:
        severa(s, "customers/1009", {"eInvoiceOperator": "Apix"})  # the sample's would be named in each run, as one that waits
        start(s, customers={"email_channel": True})
        yield s


def address(s, number, mark):
    guid = severa(s, f"customers/{number}")["guid"]
    marked = {"billing": "isBillingAddress", "postal": "isPostalAddress"}[mark]
    return next(a for a in severa(s, "addresses") if a["customer"]["guid"] == guid and a[marked])["guid"]


# Each field of the mapping: what is changed in Severa, and precisely what is written to Netvisor.
FIELDS = [
    ("name", "customers/1001", {"name": "Uusi Nimi Oy"}, {"name": "Uusi Nimi Oy", "deliveryname": "Uusi Nimi Oy"}),
    ("e-invoice address", "customers/1001", {"eInvoiceAddress": "003790001199"}, {"finvoiceaddress": "003790001199"}),
    ("operator", "customers/1001", {"eInvoiceOperator": "Maventa"}, {"finvoiceroutercode": "003721291126"}),
    ("comment", "customers/1001", {"notes": "Uusi muistiinpano"}, {"comment": "Uusi muistiinpano"}),
    ("e-mail, both", "customers/1001", {"email": "uusi@example.fi"}, {"email": "uusi@example.fi", "emailinvoicingaddress": "uusi@example.fi"}),
    ("business id", "customers/1001", {"vatNumber": "FI28173456"}, {"externalidentifier": "2817345-6"}),
    ("home page", "customers/1001", {"website": "https://uusi.example"}, {"homepageuri": "https://uusi.example"}),
    ("billing street", "billing", {"addressline": "Uusikatu 5"}, {"streetaddress": "Uusikatu 5"}),
    ("billing city", "billing", {"city": "Turku"}, {"city": "Turku"}),
    ("billing postcode", "billing", {"postalCode": "20100"}, {"postnumber": "20100"}),
    ("billing country", "billing", {"country": "SE"}, {"country": "SE"}),
    ("phone", "billing", {"phone": "+358 9 123"}, {"phonenumber": "+358 9 123"}),
    ("fax", "billing", {"fax": "+358 9 124"}, {"faxnumber": "+358 9 124"}),
    ("delivery street", "postal", {"addressline": "Varastotie 9"}, {"deliverystreetaddress": "Varastotie 9"}),
    ("delivery city", "postal", {"city": "Oulu"}, {"deliverycity": "Oulu"}),
    ("delivery postcode", "postal", {"postalCode": "90100"}, {"deliverypostnumber": "90100"}),
    ("delivery country", "postal", {"country": "SE"}, {"deliverycountry": "SE"}),
    ("language", "customers/1001", {"language": "sv"}, {"invoicinglanguage": "SE"}),
    ("passive", "customers/1001", {"isActive": False}, {"isactive": "0"}),
    ("active again", "customers/1001", {"isActive": True}, {"isactive": "1"}),
    ("number", "customers/1001", {"number": 1901}, {"internalidentifier": "1901"}),
    ("number back", "customers/1901", {"number": 1001}, {"internalidentifier": "1001"}),
]


def reference(s, change):
    """A country or language by its code, as Severa keeps it."""
    change = dict(change)
    if "country" in change:
        found = next(a["country"] for a in severa(s, "addresses") if a["country"]["englishName"] == "Sweden")
        change["country"] = found
    if "language" in change:
        found = next(x for x in severa(s, "languages") if x["code"] == change["language"])
        change["language"] = {k: found[k] for k in ("guid", "name", "englishName", "code")}
    return change


def test_NV_02_customers_of_severa_stand_in_netvisor(forward):
    s = forward
    run = run_once(s)
    assert counts(run)["created"] == counts(run)["updated"] == counts(run)["in_doubt"] == 0, run
    own = {str(c["number"]): c for c in severa(s, "customers") if c["number"]}
    theirs = {c["internalidentifier"]: c for c in s.sandbox.control(f"netvisor/{KEY}/customers")}
    assert len(theirs) > 3 and theirs["1001"]["streetaddress"] == "Sahatie 4"
    assert all(theirs[n]["name"] == own[n]["name"] for n in theirs if n != "TEMP")
    assert len(s.sandbox.control(f"netvisor/{KEY}/customers")) == len(theirs)


@pytest.mark.parametrize("field, where, change, expected", FIELDS, ids=[f[0] for f in FIELDS])
def test_NV_05_each_changed_field_alone_is_written(forward, field, where, change, expected):
    s = forward
    if where in ("billing", "postal"):
        where = "addresses/" + address(s, 1001, where)
    s.sandbox.control("requests", "DELETE")
    severa(s, where, reference(s, change))
    run = run_once(s)
    assert [counts(run)[w] for w in ("created", "updated", "linked", "writes")] == [0, 1, 0, 1], run
    assert [elements(b) for b in edits(s)] == [expected], field
    s.sandbox.control("requests", "DELETE")
    assert counts(run_once(s))["updated"] == 0 and not edits(s)


def test_NV_05_emptied_field_is_emptied_only_where_it_was_synchronised(forward):
    s = forward
    netvisor(s, 1002, {"nameextension": "theirs", "comment": ""})
    severa(s, "customers/1002", {"notes": "Pois pian"})
    run_once(s)
    assert netvisor(s, 1002)["comment"] == "Pois pian"
    s.sandbox.control("requests", "DELETE")
    severa(s, "customers/1002", {"notes": None})
    run_once(s)
    assert [elements(b) for b in edits(s)] == [{"comment": ""}]
    # Never synchronised, so theirs: whatever else changes, it stays.
    netvisor(s, 1002, {"comment": "Kirjanpitäjän oma"})
    s.sandbox.control("requests", "DELETE")
    severa(s, "customers/1002", {"website": "https://toinen.example"})
    run_once(s)
    assert [elements(b) for b in edits(s)] == [{"homepageuri": "https://toinen.example"}]
    assert netvisor(s, 1002)["comment"] == "Kirjanpitäjän oma"


LACKS = [
    ("business_id_missing", {"vatNumber": None}, {"vatNumber": "FI28173456"}),
    ("customer_name_missing", {"name": ""}, {"name": "Uusi Oy"}),
    ("customer_number_missing", {"number": None}, {"number": 7001}),
    ("operator_missing", {"eInvoiceAddress": "003728173456", "eInvoiceOperator": None}, {"eInvoiceOperator": "003723327487"}),
    ("operator_unknown", {"eInvoiceAddress": "003728173456", "eInvoiceOperator": "TUNTEMATON"}, {"eInvoiceOperator": "Apix"}),
]


def new_customer(s, n, **fields):
    """A whole customer of Severa with one address; answers its guid."""
    body = {"number": n, "name": f"Uusi {n} Oy", "vatNumber": "FI28173456", "isActive": True} | fields
    guid = severa(s, "customers", {"count": 1, "fields": body})[0]["guid"]
    finland = next(a["country"] for a in severa(s, "addresses") if a["country"]["englishName"] == "Finland")
    severa(s, "addresses", {"count": 1, "parent": guid, "fields": {
        "addressline": "Katu 1", "postalCode": "00100", "city": "Helsinki", "isBillingAddress": True, "isPostalAddress": False,
        "isVisitAddress": True, "country": finland, "customer": {"guid": guid}}})
    return guid


@pytest.mark.parametrize("code, lack, mended", LACKS, ids=[x[0] for x in LACKS])
def test_NV_03_each_lack_has_its_name_and_ends_when_it_is_mended(forward, code, lack, mended):
    s = forward
    number = 7100 + [x[0] for x in LACKS].index(code)
    guid = new_customer(s, number, **lack)
    run = run_once(s)
    assert failures(run) == {code: 1}, run
    severa(s, "customers/" + guid, {"number": number} | mended)
    run = run_once(s)
    assert counts(run)["created"] == 1 and not failures(run), run


def test_NV_03_an_address_is_needed_and_a_taken_number_is_named(forward):
    s = forward
    severa(s, "customers", {"count": 1, "fields": {"number": 7201, "name": "Osoitteeton Oy", "vatNumber": "FI28173456", "isActive": True}})
    netvisor_new(s, internalidentifier="7202", externalidentifier="0737546-2", name="Toinen Oy")
    new_customer(s, 7202)
    new_customer(s, 7203, isActive=False)
    run = run_once(s)
    assert failures(run) == {"customer_address_missing": 1, "customer_number_taken": 1}, run
    assert counts(run)["created"] == 1 and netvisor(s, 7203)["isactive"] == "0"
    assert netvisor(s, 7202)["edited"] == 0


def netvisor_new(s, **fields):
    return s.sandbox.control(f"netvisor/{KEY}/customers", "POST", fields)


def test_NV_02_an_invoice_links_its_customer_and_the_run_writes_it_once(forward):
    """Made on the way of an invoice, it is no news for the register; what is changed then goes once."""
    s = forward
    new_customer(s, 7301)
    severa(s, "invoices", {"invoices": [{"customer": "7301"}]})
    s.call("POST", f"/v1/connections/{KEY}/sync")
    wait_for("the invoice's customer", lambda: "7301" in {c["internalidentifier"] for c in s.sandbox.control(f"netvisor/{KEY}/customers")})
    rest(s)
    run = run_once(s)
    assert [counts(run)[w] for w in ("created", "updated", "linked")] == [0, 0, 0] and netvisor(s, 7301)["added"] == 1, run
    severa(s, "customers/7301", {"website": "https://x.example"})
    assert counts(run_once(s))["updated"] == 1 and netvisor(s, 7301)["edited"] == 1
    # And the other way round: what the register has written is not written by an invoice.
    severa(s, "invoices", {"invoices": [{"customer": "7301"}]})
    s.call("POST", f"/v1/connections/{KEY}/sync")
    wait_for("two invoices of it", lambda: sum(d["customer_code"] == "7301" for d in s.sandbox.ledger("netvisor", KEY)["documents"]) == 2)
    assert netvisor(s, 7301)["edited"] == 1


def test_NV_10_ten_thousand_unchanged_customers_cost_few_calls_and_no_write():
    with Service(**SETTINGS | {"severa_page": "250", "request_timeout": "20s", "quiet": "25s"}) as s:
        key = s.sandbox.control("tenants", "POST", {"count": 1, "invoices": 0, "customers": 10000, "registered": True})["keys"][0]
        s.sandbox.control("severa/" + key, "POST", {"rate": 0})
        s.connect(key, key, products={"temp_code": "TEMP"})
        s.activate(key)

        def over(n):
            runs = s.call("GET", f"/v1/connections/{key}/runs").json()["items"]
            return len(runs) >= n and all(r["ended_at"] for r in runs) and runs

        wait_for("the first run", lambda: over(1), 240, 0.5)
        before = s.sandbox.ledger("netvisor", key)["customers"]
        assert before["count"] == 10001 and before["added"] == 0
        for kind, most in (("changes", 10), ("everything", 150), ("links", 250)):
            made = s.call("POST", f"/v1/connections/{key}/runs", {"registers": ["customers"], "kind": kind})
            run = ended(s, made.json()["id"], 120)
            assert counts(run)["writes"] == 0 and counts(run)["calls"] <= most and counts(run)["created"] == counts(run)["updated"] == 0, run
            assert kind == "changes" or counts(run)["unchanged"] == 10000, run
        assert s.sandbox.ledger("netvisor", key)["customers"] == before


def test_NV_05_customers_whose_address_alone_was_changed_are_followed_page_by_page():
    """Severa's change stamp of a customer says nothing of its addresses."""
    with Service(**SETTINGS) as s:
        key = s.sandbox.control("tenants", "POST", {"count": 1, "invoices": 0, "customers": 40, "registered": True})["keys"][0]
        s.sandbox.control("severa/" + key, "POST", {"rate": 0})
        s.connect(key, key, products={"temp_code": "TEMP"})
        s.activate(key)
        rest(s, key)
        assert counts(run_once(s, key))["seen"] == 0
        for a in s.sandbox.control(f"severa/{key}/addresses")[:30]:
            s.sandbox.control(f"severa/{key}/addresses/{a['guid']}", "POST", {"phone": "+358 9 555"})
        run = run_once(s, key)
        assert counts(run)["seen"] == counts(run)["updated"] == counts(run)["writes"] == 30, run
        phones = [c.get("phonenumber") for c in s.sandbox.control(f"netvisor/{key}/customers")]
        assert phones.count("+358 9 555") == 30
        assert counts(run_once(s, key))["writes"] == 0
