"""Rows of Netvisor's purchase invoices as expense rows of Severa's projects (NV-13): each once, whatever dies meanwhile."""

import random
import time

import pytest

from sandbox import NetvisorClient
from service import Service, wait_for

TENANT = "kajo"
SETTINGS = {
    "lease": "1500ms", "beat": "300ms", "request_timeout": "2s", "connect_timeout": "1s", "quiet": "4s", "retry_first": "100ms",
    "retry_cap": "1s", "retest_interval": "1s", "poll_interval": "1h", "severa_rate": "10000", "severa_burst": "1000",
    "severa_concurrency": "8", "workers": "8", "shutdown_grace": "3s",
}
SEED = random.SystemRandom().randrange(1, 1 << 30)
HEADING = "Projekti"


def start(service, **purchases):
    service.connect(TENANT, TENANT, dimensions={"project_heading": HEADING},
                    purchases={"enabled": True, "from": "2026-11-01"} | purchases)
    service.activate(TENANT)


def control(service, path, method="GET", body=None):
    return service.sandbox.control(path, method, body)


def item_of(service, number=82):
    """The item of a project as the service, or a person, makes it."""
    project = next(p for p in control(service, f"severa/{TENANT}/projects") if p["number"] == number)
    return project, f"{number} {project['name']}"


def with_item(service, number=82):
    """A Netvisor that has the project's item."""
    project, item = item_of(service, number)
    control(service, f"netvisor/{TENANT}/dimensions/{HEADING}", "POST", {"item": {"name": item, "code": str(number), "label": project["name"]}})
    return project, item


def buy(service, number, rows, **more):
    return control(service, f"netvisor/{TENANT}/purchases", "POST", {"number": str(number), "vendor": "Rauta Oy", "rows": rows} | more)[0]


def made(service, resource="fees"):
    """Expense rows by our key in their description, each once."""
    found = {}
    for fee in control(service, f"severa/{TENANT}/{resource}"):
        text = fee.get("description") or ""
        if "(Netvisor " in text:
            key = text[text.index("(Netvisor "):].split("/")[1].rstrip(")")
            assert key not in found, (SEED, key)
            found[key] = fee
    return found


def rows_of(service):
    return {t["source_id"]: t for t in service.transfers(TENANT, kind="purchase_row")}


def report(service):
    before = service.call("GET", f"/v1/connections/{TENANT}/report").json()["report"]
    service.call("POST", f"/v1/connections/{TENANT}/sync")
    return wait_for("a report", lambda: (r := service.call("GET", f"/v1/connections/{TENANT}/report").json()["report"]) and
                    (not before or r["at"] != before["at"]) and r, 40)


def calls(service, match):
    return len([r for r in service.sandbox.requests(system="netvisor", match=match, limit=2000)])


@pytest.fixture(scope="module")
def service():
    with Service(**SETTINGS) as s:
        with_item(s)
        start(s)
        yield s


def test_NV_13_rows_with_a_project_become_expense_rows_once(service):
    project, item = item_of(service)
    inv = buy(service, 1042, [{"text": "Ruuveja", "net": "120.50", "heading": HEADING, "item": item},
                              {"text": "Palautus", "net": "-20", "heading": HEADING, "item": item},
                              {"text": "Kahvia", "net": "7"}])
    unaccepted = buy(service, 1043, [{"text": "Ei hyväksytty", "net": "1", "heading": HEADING, "item": item}], accepted=False)
    old = buy(service, 900, [{"text": "Vanha", "net": "1", "heading": HEADING, "item": item}], date="2026-10-31")
    first, second, third = (f"{inv['key']}-{row}" for row in inv["rows"])
    for _ in range(3):
        r = report(service)
    wait_for("two rows", lambda: len(made(service)) == 2)
    fee, credit = made(service)[first], made(service)[second]
    assert (fee["project"]["guid"], fee["quantity"], fee["unitCost"], fee["eventDate"], fee["isBillable"]) == \
        (project["guid"], 1, {"amount": 120.5, "currencyCode": "EUR"}, "2026-11-10", False)
    assert credit["quantity"] * credit["unitCost"]["amount"] == -20
    assert third not in rows_of(service) and not [k for k in made(service) if k.startswith((str(unaccepted["key"]), str(old["key"])))]
    done = wait_for("both done", lambda: (t := rows_of(service)) and {t[first]["state"], t[second]["state"]} == {"done"} and t[first])
    assert done["number"] == "1042" and r["missing"] == []
    full = service.call("GET", "/v1/transfers/" + done["id"]).json()
    assert [s["outcome"] for s in full["steps"] if s["name"] == "delivery"] == [fee["guid"]]


def test_NV_13_a_row_is_watched_until_it_has_a_project(service):
    _, item = item_of(service)
    inv = next(t for t in rows_of(service) if t)  # invoice 1042: its third row is coffee
    key = inv.split("-")[0]
    control(service, f"netvisor/{TENANT}/purchases/{key}", "POST", {"touch": False, "rows": [None, None, {"heading": HEADING, "item": item}]})
    wait_for("the third row", lambda: report(service) and len([k for k in made(service) if k.startswith(key)]) == 3, 40)


def test_NV_13_one_changed_or_gone_after_it_was_posted_is_reported_and_not_posted_again(service):
    key = next(iter(rows_of(service))).split("-")[0]
    before = made(service)
    control(service, f"netvisor/{TENANT}/purchases/{key}", "POST", {"rows": [{"net": "999"}, "gone"]})
    got = wait_for("the report names both", lambda: (r := report(service)) and len(r["changed_after_transfer"]) == 2 and r, 40)
    assert all(label.startswith("1042/") for label in got["changed_after_transfer"])
    assert len(report(service)["changed_after_transfer"]) == 2 and made(service) == before


def test_NV_13_a_project_that_is_none_is_named(service):
    control(service, f"netvisor/{TENANT}/dimensions/{HEADING}", "POST", {"item": {"name": "9999 Ei projektia", "code": "9999", "label": "Ei projektia"}})
    inv = buy(service, 1050, [{"text": "Hukassa", "net": "5", "heading": HEADING, "item": "9999 Ei projektia"}])
    report(service)
    t = wait_for("it is named", lambda: (t := rows_of(service).get(f"{inv['key']}-{inv['rows'][0]}")) and t["state"] == "needs_data" and t)
    assert t["error"]["code"] == "purchase_project_unknown" and "9999" in t["error"]["text"]
    # Taken off the row it waits; given the right one it goes.
    path, row = f"netvisor/{TENANT}/purchases/{inv['key']}", f"{inv['key']}-{inv['rows'][0]}"
    control(service, path, "POST", {"rows": [{"heading": None, "item": None}]})
    wait_for("it waits", lambda: (t := rows_of(service)[row])["state"] == "waiting" and t["error"]["code"] == "purchase_without_project", 40)
    control(service, path, "POST", {"rows": [{"heading": HEADING, "item": item_of(service)[1]}]})
    wait_for("it is posted", lambda: row in made(service), 40)


def test_NV_13_a_row_of_a_phase_goes_to_the_phase_of_its_project(service):
    project, item = item_of(service)
    phase = control(service, f"severa/{TENANT}/phases", "POST", {"parent": project["guid"], "fields": {
        "name": "Kaapelointi", "code": "8201", "project": {"guid": project["guid"], "name": project["name"], "number": 82}}})[0]
    netvisor = NetvisorClient(service.setup(TENANT)["netvisor"])
    listed = netvisor("dimensionlist.nv").root
    father = next(d for d in listed.iter("DimensionDetail") if d.findtext("Code") == "82")
    added = netvisor.post("dimensionitem.nv?method=add", f"<root><dimensionitem><name>{HEADING}</name><item>8201 Kaapelointi</item><code>8201</code>"
                          f"<label>Kaapelointi</label><fatherid>{father.findtext('Netvisorkey')}</fatherid><fatheritem>{item}</fatheritem></dimensionitem></root>")
    assert added.ok, added.statuses
    inv = buy(service, 1060, [{"text": "Kaapelia", "net": "30", "heading": HEADING, "item": "8201 Kaapelointi"}])
    row = f"{inv['key']}-{inv['rows'][0]}"
    wait_for("it is posted", lambda: report(service) and row in made(service), 40)
    fee = made(service)[row]
    assert (fee["project"]["guid"], fee["phase"]["guid"]) == (project["guid"], phase["guid"])


def test_NV_13_a_poll_over_many_invoices_is_few_calls(service):
    report(service)
    service.sandbox.control("requests", "DELETE")
    control(service, f"netvisor/{TENANT}/purchases", "POST", {"count": 1000, "number": "7", "vendor": "Paljon Oy", "rows": [{"text": "Muu", "net": "1"}]})
    report(service)
    assert calls(service, "purchaseinvoicelist.nv") == 1 and calls(service, "getpurchaseinvoice.nv") in (10, 11, 12)
    service.sandbox.control("requests", "DELETE")
    control(service, f"severa/{TENANT}", "POST", {})
    report(service)
    assert calls(service, "purchaseinvoicelist.nv") == 1


def test_NV_13_settings_are_checked(service):
    def refused(**purchases):
        body = {"settings": {"purchases": {"enabled": True, "from": "2026-11-01"} | purchases}}
        answer = service.call("PATCH", f"/v1/connections/{TENANT}", body, {"If-Match": "*"})
        assert answer.status in (400, 422), answer.body
        return answer.json()["pointer"]
    assert refused(**{"from": "soon"}) == "/settings/purchases/from"
    assert refused(resource="projecttravelexpenses") == "/settings/purchases"
    service.connect("other", TENANT, dimensions={"project_heading": HEADING}, purchases={"enabled": True, "from": "2026-11-01", "product": "EI-OLE"})
    job = service.call("POST", "/v1/connections/other/check").json()
    result = wait_for("the check", lambda: (j := service.call("GET", "/v1/jobs/" + job["id"]).json())["state"] == "done" and j)["result"]
    assert "purchase_product_unknown" in {p["code"] for p in result["problems"]}


def test_NV_13_travel_expenses_need_a_phase_a_user_and_a_type():
    with Service(**SETTINGS) as s:
        project, item = with_item(s)
        user = control(s, f"severa/{TENANT}/users")[0]
        start(s, resource="projecttravelexpenses", user=user["guid"], product="MATKA")
        buy(s, 1, [{"text": "Juna", "net": "42", "heading": HEADING, "item": item}])
        report(s)
        wait_for("the expense", lambda: len(made(s, "expenses")) == 1)
        expense, = made(s, "expenses").values()
        assert expense["user"]["guid"] == user["guid"] and expense["project"]["guid"] == project["guid"] and expense["phase"]["guid"]
        start_phase = s.call("PATCH", f"/v1/connections/{TENANT}", {"settings": {"purchases": {"phase": "Ei tätä"}}}, {"If-Match": "*"})
        assert start_phase.status == 200
        s.activate(TENANT)
        inv = buy(s, 2, [{"text": "Taksi", "net": "12", "heading": HEADING, "item": item}])
        report(s)
        t = wait_for("it is named", lambda: (t := rows_of(s).get(f"{inv['key']}-{inv['rows'][0]}")) and t["state"] == "needs_data" and t)
        assert t["error"]["code"] == "purchase_phase_unknown"


def test_NV_13_exactly_once_under_strikes():
    """Kills, cut lines after the commit and an emptied Redis: every row stands in Severa once."""
    rng = random.Random(SEED)
    with Service(relays=2, **SETTINGS | {"poll_interval": "1s"}) as s:
        _, item = with_item(s)
        start(s)
        s.sandbox.fault(system="severa", match="/projectfees", method="POST", kind="latency", latency_ms=10, latency_max_ms=120)
        wanted = set()
        for i in range(14):
            inv = buy(s, 100 + i, [{"text": f"Rivi {k}", "net": str(10 + k), "heading": HEADING, "item": item} for k in range(2)])
            wanted |= {f"{inv['key']}-{row}" for row in inv["rows"]}
            what = rng.choices(["none", "relay", "redis", "cut"], [4, 3, 2, 6])[0]
            if what == "relay":
                relay = rng.choice(s.relays)
                relay.kill()
                relay.start()
            elif what == "redis":
                s.redis.kill()
                s.redis.start()
            elif what == "cut":
                s.sandbox.fault(system="severa", match="/projectfees", method="POST", kind=rng.choice(["cut_after_commit", "cut_in_answer", "cut_before"]), count=2)
            if i == 7:
                s.redis.cli("FLUSHALL")
            time.sleep(rng.random() * 0.3)
        wait_for(f"every row (seed {SEED})", lambda: set(made(s)) == wanted, 120, 0.3)
        wait_for(f"all at rest (seed {SEED})", lambda: {t["state"] for t in rows_of(s).values()} == {"done"}, 90, 0.3)
        assert set(made(s)) == wanted, SEED
