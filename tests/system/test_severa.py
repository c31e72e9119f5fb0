"""Severa as the service sees it: tokens, pace, registers, and what the connection check says (SV-06, SV-08)."""

import json
import subprocess

import pytest

from sandbox import BUILD, Sandbox, SeveraClient, in_threads
from service import SECRET, Service, connection_of, event, wait_for

# Wide open towards the sandbox, so that sixteen workers of a process meet at once.
CROWD = {"poll_interval": "1h", "workers": "16", "severa_concurrency": "64", "severa_rate": "10000",
         "severa_burst": "10000", "netvisor_concurrency": "1"}


@pytest.fixture(scope="module")
def crowd():
    with Service(relays=2, seed="empty", **CROWD) as s:
        yield s


def tenant(service, name, **spec):
    """A generated tenant with an active connection of its own."""
    key, = service.sandbox.tenants(count=1, prefix=name, **spec)
    service.connect(key, key)
    service.activate(key)
    for relay in service.relays:
        known_to(service, key, relay)
    return key


def known_to(service, key, relay):
    """Waits until the relay's copy of the connections has this one, and has it active."""
    hint = event("x", "nothing.of.note")
    wait_for("a relay that knows of " + key, lambda: service.webhook(key, hint, relay=relay).status == 202)


def ledger(service, key):
    """Of a Severa tenant, by its key or its client id."""
    return next(e for e in service.sandbox.ledger()["severa"] if key in (e["tenant"], e["client_id"]))


def relay_all(service, key, n):
    """n new invoices, hinted to all relays at once; waits until each is done."""
    made = service.sandbox.add_invoices(key, count=n)
    answers = in_threads(n, lambda i: service.webhook(key, event(made[i]["guid"]),
                                                      relay=service.relays[i % len(service.relays)]))
    assert [a.status for a in answers] == [202] * n
    wait_for(f"{n} more invoices", lambda: all(t["state"] == "done" for t in service.transfers(key)), 60)


def test_SV_06_sixteen_workers_of_two_relays_make_one_token_call(crowd):
    """Sixteen connections with one client id, so that Netvisor's one call at a time holds nobody back. Each has a transfer
    status of its own, so that none relays the invoice that they all read."""
    keys = crowd.sandbox.tenants(count=16, prefix="token", customers=1)
    severa = crowd.setup(keys[0])["severa"]
    client = severa["client_id"]
    statuses = crowd.sandbox.control(f"severa/{client}/statuses", "POST", {"count": 16, "fields": {"hasInvoiceNumber": True}})
    for key, status in zip(keys, statuses):
        own = {"transfer": status["guid"], "transferred": severa["transferred_status"]}
        body = connection_of(crowd.setup(key) | {"severa": severa}, key, statuses=own, company={"vat_number": severa["vat_number"]})
        made = crowd.call("POST", "/v1/connections", body | {"webhook_secrets": [SECRET]})
        assert made.status == 201, made.body
        crowd.activate(key)
    for relay in crowd.relays:
        known_to(crowd, keys[-1], relay)
    ids = [i["guid"] for i in crowd.sandbox.add_invoices(client, count=2)]

    def hint_all(guid):
        in_threads(32, lambda i: crowd.webhook(keys[i // 2], event(guid), relay=crowd.relays[i % 2]))
        wait_for("every reading", lambda: all(
            [t["state"] for t in crowd.transfers(k) if t["source_id"] == guid] == ["skipped"] for k in keys))

    hint_all(ids[0])
    crowd.sandbox.fault(system="severa", match="/v1/token", kind="latency", latency_ms=300)
    try:
        before = ledger(crowd, client)
        crowd.sandbox.control(f"severa/{client}", "POST", {"drop_tokens": True})  # all that they hold is refused now
        hint_all(ids[1])
        after = ledger(crowd, client)
        assert after["token_requests"] == before["token_requests"] + 1
        assert after["unauthorized"] > before["unauthorized"] + 8, "many workers held the old one"
    finally:
        crowd.sandbox.clear_faults()


def test_SV_06_a_relay_that_starts_takes_the_token_of_the_others(crowd):
    key = tenant(crowd, "cold", customers=3)
    relay_all(crowd, key, 2)
    before = ledger(crowd, key)["token_requests"]
    late = crowd.add_relay()
    try:
        known_to(crowd, key, late)
        relay_all(crowd, key, 9)
        assert ledger(crowd, key)["token_requests"] == before
        names = crowd.redis.cli("KEYS", "*shared:*").split()
        assert names and all(key not in n for n in names), "a name tells whose token it is"
    finally:
        crowd.relays.remove(late)
        assert late.stop() == 0


# --- registers, in both paging styles, against what the sandbox holds -------------------------------------------------


@pytest.fixture(scope="module")
def registers():
    """(What the client of the service reads of a tenant with long registers, the sandbox, the tenant's client.)"""
    with Sandbox() as sandbox:
        severa = SeveraClient(sandbox.setup("kajo")["severa"], "settings:read,customers:read,projects:read")
        customer, project = severa.get("/v1/customers").json()[0], severa.get("/v1/projects").json()[0]
        for name in ("statuses", "worktypes", "travelexpensetypes", "products", "businessunits", "vatrates"):
            sandbox.control(f"severa/kajo/{name}", "POST", {"count": 130})
        sandbox.control("severa/kajo/projects", "POST", {"count": 101, "fields": {"number": 9000, "customer": None}})
        sandbox.control("severa/kajo/phases", "POST", {"count": 120, "fields": {"project": {"guid": project["guid"]}}})
        sandbox.control("severa/kajo/contacts", "POST", {"count": 110, "parent": customer["guid"]})
        sandbox.control("severa/kajo/contacts", "POST", {"parent": customer["guid"], "fields": {"isDeleted": True, "name": "Gone"}})
        done = subprocess.run([str(BUILD / "flow-cases"), "registers", sandbox.url, "kajo"], capture_output=True, text=True,
                              check=False)
        assert done.returncode == 0, done.stderr
        yield json.loads(done.stdout), sandbox, severa


def wanted(records, *names):
    return [{n: r.get(n) for n in names} for r in records]


@pytest.mark.parametrize("name, fields", [
    ("statuses", ("guid", "name", "isActive")),
    ("businessunits", ("guid", "name", "code", "parentGuid", "vatNumber", "companyGuid", "companyName", "isActive")),
    ("languages", ("guid", "name", "englishName", "code", "isInvoiceLanguage")),
])
def test_SV_06_registers_are_read_whole(registers, name, fields):
    read, sandbox, _ = registers
    assert wanted(read[name], *fields) == wanted(sandbox.control("severa/kajo/" + name), *fields)
    assert name == "languages" or len(read[name]) > 130


def test_SV_09_business_units_tell_which_are_companies(registers):
    read, sandbox, _ = registers
    own = {u["vat_number"] for u in sandbox.setup("kajo")["severa"]["business_units"] if u["vat_number"]}
    assert own and {u["vatNumber"] for u in read["businessunits"] if u["vatNumber"]} == own


def test_MA_03_products_work_types_and_travel_types(registers):
    read, sandbox, _ = registers
    for register, name in (("product", "products"), ("work type", "worktypes"), ("travel expense type", "travelexpensetypes")):
        got = [p for p in read["products"] if p["register"] == register]
        held = sandbox.control("severa/kajo/" + name)
        assert wanted(got, "guid", "name", "code", "isActive") == wanted(held, "guid", "name", "code", "isActive")
        assert len(got) > 130
        for mine, theirs in zip(got, held):
            price, cost = theirs.get("unitPrice") or {}, theirs.get("unitCost") or theirs.get("hourCost") or {}
            assert (mine["price"], mine["cost"], mine["vatRate"], mine["measurementUnit"]) == (
                price.get("amount") or 0, cost.get("amount") or 0, theirs.get("vatRate") or 0, theirs.get("measurementUnit"))


def test_NV_07_vat_rates(registers):
    read, sandbox, _ = registers
    held = sandbox.control("severa/kajo/vatrates")
    fields = ("guid", "code", "countryGuid", "isActive")
    assert wanted(read["vatrates"], *fields) == wanted(held, *fields) and len(held) > 130
    assert [v["percentage"] for v in read["vatrates"]] == [v.get("percentage") or 0 for v in held]


def test_NV_05_customers_with_addresses_phones_and_contact_persons(registers):
    read, sandbox, severa = registers
    held = {c["guid"]: c for c in sandbox.control("severa/kajo/customers")}
    countries = {c["guid"]: c["code2"] for c in severa.get("/v1/localization/countries").json()}
    addresses = sandbox.control("severa/kajo/addresses")
    assert {c["guid"] for c in read["customers"]} == set(held)
    for mine in read["customers"]:
        theirs = held[mine["guid"]]
        for name in ("name", "vatNumber", "email", "website", "notes", "eInvoiceAddress", "eInvoiceOperator", "isActive"):
            assert mine[name] == theirs.get(name), name
        assert mine["number"] == (str(theirs["number"]) if theirs["number"] is not None else None)
        billing = next((a for a in addresses if a["customer"]["guid"] == mine["guid"] and a["isBillingAddress"]), None)
        if billing:
            assert (mine["phone"], mine["fax"]) == (billing["phone"], billing["fax"])
            assert mine["billing"] == {"addressline": billing["addressline"], "postalCode": billing["postalCode"],
                                       "city": billing["city"], "country": countries[billing["country"]["guid"]]}
    first = severa.get("/v1/customers").json()[0]["guid"]
    contacts = next(c["contacts"] for c in read["customers"] if c["guid"] == first)
    assert len(contacts) == 111 and all(c["name"] != "Gone" for c in contacts)
    with_phone = [c for customer in read["customers"] for c in customer["contacts"] if c["Phone"]]
    assert with_phone and all(c["Fax"] == "+358 9 555 0199" and c["MobilePhone"] is None for c in with_phone)


def test_NV_09_projects_and_their_phases(registers):
    read, sandbox, _ = registers
    held = {p["guid"]: p for p in sandbox.control("severa/kajo/projects")}
    assert {p["guid"]: p["name"] for p in read["projects"]} == {g: p["name"] for g, p in held.items()}
    phases = {}
    for phase in sandbox.control("severa/kajo/phases"):
        phases.setdefault(phase["project"]["guid"], []).append(phase)
    assert max(len(p) for p in phases.values()) > 120
    for project in read["projects"]:
        assert wanted(project["phases"], "guid", "name", "code") == wanted(phases.get(project["guid"], []), "guid", "name", "code")
