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
    """No run and no transfer is under way."""
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


def failures(s, run):
    return {f["code"]: f["count"] for f in s.call("GET", f"/v1/runs/{run['id']}/failures").json()["items"]}


@pytest.fixture(scope="module")
def forward():
    with Service(**SETTINGS) as s:
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
    assert [counts(run)[w] for w in ("created", "updated", "linked")] == [0, 1, 0], run
    assert [elements(b) for b in edits(s)] == [expected], field
    s.sandbox.control("requests", "DELETE")
    assert counts(run_once(s))["updated"] == 0 and not edits(s)
