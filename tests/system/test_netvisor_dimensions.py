"""Severa's projects, business units and phases as Netvisor's dimension items, through the real binary (NV-08 to NV-11): made and
renamed at night or on the way of an invoice, each once, whatever dies meanwhile."""

import random
import re
import time

import pytest

from service import Service, event, wait_for

TENANT = "kajo"
SETTINGS = {
    "lease": "1500ms", "beat": "300ms", "request_timeout": "2s", "connect_timeout": "1s", "quiet": "4s", "retry_first": "100ms",
    "retry_cap": "1s", "retest_interval": "1h", "poll_interval": "1h", "severa_rate": "10000", "severa_burst": "1000", "workers": "8",
    "shutdown_grace": "3s",
}
BOTH = {"project_heading": "Projekti", "unit_heading": "Yksikkö"}
SEED = random.SystemRandom().randrange(1, 1 << 30)


def start(service, **dimensions):
    """A connection with temporary customers and products: dimensions alone are made and renamed."""
    service.sandbox.control("severa/" + TENANT, "POST", {"rate": 0})
    service.connect(TENANT, TENANT, products={"temp_code": "TEMP"}, customers={"direction": "temp"}, dimensions=dimensions)
    service.activate(TENANT)


def run_once(service, kind="changes", registers=None):
    """One run, ordered by a person; as it ended."""
    body = {"kind": kind} | ({"registers": registers} if registers else {})
    made = service.call("POST", f"/v1/connections/{TENANT}/runs", body)
    assert made.status == 202, made.body
    path = "/v1/runs/" + made.json()["id"]
    return wait_for("the end of a run", lambda: (lambda r: r["ended_at"] and r)(service.call("GET", path).json()), 120, 0.1)


def counts(run, register):
    found = next(r for r in run["registers"] if r["name"] == register)
    return {k: found[k] for k in ("created", "updated", "linked", "failed", "waiting", "skipped", "in_doubt") if found[k]}


def reasons(run):
    """What a person reads of the first record that stands still, by register and code."""
    return {(r["register"], r["code"]): r["examples"][0]["text"] for r in run["reasons"]}


def items(service, heading):
    return service.sandbox.control(f"netvisor/{TENANT}/dimensions?details=1")[heading]


def item(service, heading, code):
    return next(i for i in items(service, heading) if i["code"] == code)


def names(service, heading):
    return sorted(i["name"] for i in items(service, heading))


def project(service, which, **change):
    return service.sandbox.control(f"severa/{TENANT}/projects/{which}", "POST", change)


def phase(service, of, name, code, **more):
    """A phase below the root of project number `of`."""
    phases = service.sandbox.control(f"severa/{TENANT}/phases")
    root = next(p for p in phases if p["project"]["number"] == of and not p.get("parentPhase"))
    fields = {"name": name, "code": code, "project": root["project"], "parentPhase": {"guid": root["guid"]}, **more}
    return service.sandbox.control(f"severa/{TENANT}/phases", "POST", {"fields": fields})[0]


def writes(service, what="dimensionitem"):
    return [r for r in service.sandbox.requests(system="netvisor", match=what, limit=2048, bodies=1)]


def new_project(service, number, name):
    units = service.sandbox.control(f"severa/{TENANT}/businessunits")
    unit = next(u for u in units if u["code"] == "11")
    fields = {"name": name, "number": number, "code": None, "isClosed": False, "isInternal": False,
              "businessUnit": {k: unit[k] for k in ("guid", "name", "code")}}
    return service.sandbox.control(f"severa/{TENANT}/projects", "POST", {"fields": fields})[0]


def change(service, heading, **what):
    """What a person does to an item in Netvisor; without a key a new one."""
    service.sandbox.control(f"netvisor/{TENANT}/dimensions/{heading}", "POST", {"item": what})


def silent(service):
    return service.sandbox.ledger("netvisor", TENANT)["dimensions_made_silently"]


def new_invoice(service, of, hint=True, rows=None, **more):
    """Number of an invoice of that project, about to be relayed."""
    spec = {"project": of, "rows": rows or [{"rowType": "Hours"}], **more}
    made = service.sandbox.control(f"severa/{TENANT}/invoices", "POST", {"invoices": [spec]})[0]
    if hint:
        assert service.webhook(TENANT, event(made["guid"])).status == 202
    return made["number"]


def transfer(service, number):
    return next((t for t in service.transfers(TENANT) if t["number"] == str(number)), None)


def full(service, number):
    return service.call("GET", "/v1/transfers/" + transfer(service, number)["id"]).json()


def retry(service, t):
    assert service.call("POST", f"/v1/transfers/{t['id']}/retry", {}, {"If-Match": "*"}).status == 200


def sent(service, number):
    """The XML as Netvisor received it."""
    wait_for("relayed", lambda: (t := transfer(service, number)) and t["state"] == "done", 60)
    return next(r["body"] for r in reversed(writes(service, "salesinvoice.nv?method=add")) if f"<salesinvoicenumber>{number}<" in r["body"])


def relayed(service, of):
    return sent(service, new_invoice(service, of))


def put_settings(service, **dimensions):
    path = f"/v1/connections/{TENANT}"
    tag = service.call("GET", path).headers["ETag"]
    answer = service.call("PATCH", path, {"settings": {"dimensions": dimensions}}, {"If-Match": tag, "Content-Type": "application/merge-patch+json"})
    assert answer.status == 200, answer.body
    if answer.json()["state"] != "active":
        service.activate(TENANT)


@pytest.fixture(scope="module")
def service():
    with Service(**SETTINGS) as s:
        yield s


def test_NV_08_projects_and_units_become_items_once(service):
    before = {h: {i["key"] for i in items(service, h)} for h in BOTH.values()}
    start(service, **BOTH)
    busy = {"queued", "running", "retrying"}  # the sample's invoices: from here on each test says what happens
    wait_for("all at rest", lambda: (found := service.transfers(TENANT)) and not busy & {t["state"] for t in found}, 60)
    run_once(service)
    projects = service.sandbox.control(f"severa/{TENANT}/projects")
    units = service.sandbox.control(f"severa/{TENANT}/businessunits")
    assert {(i["code"], i["label"]) for i in items(service, "Projekti") if i["code"]} >= {(str(p["number"]), p["name"]) for p in projects}
    assert {(i["code"], i["label"]) for i in items(service, "Yksikkö") if i["code"]} >= {(u["code"], u["name"]) for u in units}
    for heading, keys in before.items():
        found = items(service, heading)
        assert keys <= {i["key"] for i in found} and len({i["code"] for i in found if i["code"]}) == len([i for i in found if i["code"]])
    n = len(writes(service))
    run = run_once(service, "everything")
    assert counts(run, "projects") == counts(run, "units") == {}, run
    assert len(writes(service)) == n


def test_NV_08_a_renamed_project_renames_its_item(service):
    before = item(service, "Projekti", "78")
    n = len(writes(service))
    project(service, 78, name="Mobiilisovellus 3.0")
    service.sandbox.control(f"severa/{TENANT}/businessunits/Tuotekehitys", "POST", {"name": "Tuotteet"})
    run = run_once(service)
    assert counts(run, "projects") == counts(run, "units") == {"updated": 1}, run
    after = item(service, "Projekti", "78")
    assert (after["key"], after["name"], after["label"]) == (before["key"], "78 Mobiilisovellus 3.0", "Mobiilisovellus 3.0")
    assert item(service, "Yksikkö", "12")["name"] == "12 Tuotteet"
    assert len(writes(service)) == n + 2


def test_NV_08_an_item_that_a_person_renamed_in_Netvisor_stays_so_until_Severa_renames_it(service):
    before = item(service, "Projekti", "79")
    change(service, "Projekti", key=before["key"], label="Ekonomi (kirjanpito)")
    n = len(writes(service))
    assert counts(run_once(service, "everything"), "projects") == {}
    assert len(writes(service)) == n
    body = relayed(service, 79)  # a row carries it by the name that it has there: no second one is made
    assert "<dimensionitem>79 Ekonomi (kirjanpito)<" in body
    project(service, 79, name="Ekonomi 2")
    assert counts(run_once(service), "projects") == {"updated": 1}
    after = item(service, "Projekti", "79")
    assert (after["key"], after["name"]) == (before["key"], "79 Ekonomi 2")
    assert silent(service) == 0


def test_NV_08_what_is_closed_or_passive_in_Severa_is_not_hidden(service):
    project(service, 80, isClosed=True, name="Suljettu työmaa")
    service.sandbox.control(f"severa/{TENANT}/businessunits/Konsultointi", "POST", {"isActive": False})
    run = run_once(service)
    assert counts(run, "projects") == {"updated": 1}
    assert item(service, "Projekti", "80")["name"] == "80 Suljettu työmaa" and not item(service, "Projekti", "80")["hidden"]
    assert not item(service, "Yksikkö", "11")["hidden"]


def test_NV_08_an_item_with_the_same_name_is_taken_over_and_one_with_the_same_number(service):
    change(service, "Projekti", name="901 Käsin tehty")  # by hand, or by an import: without a code
    change(service, "Projekti", code="902", label="Vanha nimi")
    change(service, "Projekti", name="Ilman numeroa")
    keys = {i["name"]: i["key"] for i in items(service, "Projekti")}
    for number, name in ((901, "Käsin tehty"), (902, "Uusi nimi"), (None, "Ilman numeroa")):
        new_project(service, number, name)
    run = run_once(service)
    assert counts(run, "projects") == {"linked": 3}, run
    found = {i["name"]: i for i in items(service, "Projekti")}
    assert found["901 Käsin tehty"]["key"] == keys["901 Käsin tehty"] and found["901 Käsin tehty"]["code"] == "901"
    assert found["902 Uusi nimi"]["key"] == keys["902 Vanha nimi"] and "902 Vanha nimi" not in found
    assert found["Ilman numeroa"]["key"] == keys["Ilman numeroa"] and len(found) == len(items(service, "Projekti"))


def test_NV_08_a_clash_of_names_is_an_error_that_names_both(service):
    made = new_project(service, None, "Ilman numeroa")  # a second one of that name, and neither has a number
    run = run_once(service)
    assert counts(run, "projects") == {"failed": 1}, run
    assert "Ilman numeroa / Ilman numeroa" in reasons(run)["projects", "dimension_number_taken"]
    # Renamed to a name that is there: the code of one, the name of another.
    service.sandbox.control(f"severa/{TENANT}/projects/{made['guid']}", "POST", {"name": "Toinen"})
    assert counts(run_once(service), "projects") == {"created": 1}
    n = len(items(service, "Projekti"))
    service.sandbox.control(f"severa/{TENANT}/projects/{made['guid']}", "POST", {"name": "902 Uusi nimi"})
    run = run_once(service)
    assert "902 Uusi nimi / 902 Uusi nimi" in reasons(run)["projects", "dimension_number_taken"], run
    service.sandbox.control(f"severa/{TENANT}/projects/{made['guid']}", "POST", {"name": "Kolmas"})
    assert counts(run_once(service), "projects") == {"updated": 1}
    assert "Kolmas" in names(service, "Projekti") and len(items(service, "Projekti")) == n


def test_NV_08_a_name_that_Netvisor_does_not_take_is_named(service):
    new_project(service, 903, "p" * 197)
    run = run_once(service)
    assert "dimension item: 903 ppp" in reasons(run)["projects", "field_too_long"], run
    assert not any(i["code"] == "903" for i in items(service, "Projekti"))
    project(service, 903, name="p" * 196)
    assert counts(run_once(service), "projects") == {"created": 1}


def test_NV_08_a_hidden_item_is_made_no_second_time_and_carries_no_row(service):
    new_project(service, 904, "Piilossa")
    change(service, "Projekti", code="904", label="Piilossa", hidden=True)
    assert counts(run_once(service), "projects") == {"linked": 1}
    assert item(service, "Projekti", "904")["hidden"]
    number = new_invoice(service, 904)
    stuck = wait_for("an error", lambda: (t := transfer(service, number)) and t["state"] == "needs_data" and t)
    assert stuck["error"]["code"] == "dimension_hidden"
    change(service, "Projekti", key=item(service, "Projekti", "904")["key"], hidden=False)
    retry(service, stuck)
    assert "<dimensionitem>904 Piilossa<" in sent(service, number)


def test_NV_08_an_item_that_is_gone_is_made_anew_by_the_invoice_that_needs_it(service):
    gone = item(service, "Projekti", "904")
    change(service, "Projekti", key=gone["key"], gone=True)
    project(service, 904, name="Palaa")
    run = run_once(service)
    assert "904 Palaa" in reasons(run)["projects", "dimension_item_gone"], run
    assert "<dimensionitem>904 Palaa<" in relayed(service, 904)
    assert item(service, "Projekti", "904")["key"] != gone["key"]
    time.sleep(1.1)  # what failed is not due again within a second
    assert counts(run_once(service), "projects") == {}
    assert len([i for i in items(service, "Projekti") if i["code"] == "904"]) == 1


def test_NV_11_an_item_that_is_missing_is_made_on_the_way_and_once(service):
    new_project(service, 905, "Matkalla")
    numbers = [new_invoice(service, 905) for _ in range(8)]
    for number in numbers:
        body = sent(service, number)
        assert "<dimensionname>Projekti</dimensionname><dimensionitem>905 Matkalla</dimensionitem>" in body
    assert len([i for i in items(service, "Projekti") if i["code"] == "905"]) == 1
    run = run_once(service)
    assert counts(run, "projects") == {} and silent(service) == 0, run  # the register knows it by the link of the way


def test_NV_09_phases_below_their_project_by_their_numbers(service):
    put_settings(service, phases=True)
    design, bare = phase(service, 77, "Suunnittelu", "77-1"), phase(service, 77, "Numeroton", None)
    phase(service, 78, "Suunnittelu", "78-1")
    run = run_once(service)
    assert counts(run, "phases")["created"] == 2 and counts(run, "phases")["failed"] == 1, run
    assert "Numeroton (Verkkopalvelun uudistus)" in reasons(run)["phases", "phase_number_missing"]
    assert reasons(run)["phases", "phase_is_root"]
    one = item(service, "Projekti", "77-1")
    assert (one["name"], one["father"]) == ("77-1 Suunnittelu", item(service, "Projekti", "77")["key"])
    # The same number at another project's phase, and that of a project.
    service.sandbox.control(f"severa/{TENANT}/phases/{bare['guid']}", "POST", {"code": "78-1"})
    run = run_once(service)
    assert "78-1 Numeroton / 78-1 Suunnittelu" in reasons(run)["phases", "dimension_number_taken"], run
    service.sandbox.control(f"severa/{TENANT}/phases/{bare['guid']}", "POST", {"code": "81"})
    run = run_once(service)
    assert "81 Numeroton / 81 " in reasons(run)["phases", "dimension_number_taken"], run
    service.sandbox.control(f"severa/{TENANT}/phases/{design['guid']}", "POST", {"name": "Suunnittelu ja mitoitus"})
    assert counts(run_once(service), "phases")["updated"] == 1
    assert item(service, "Projekti", "77-1") == one | {"name": "77-1 Suunnittelu ja mitoitus", "label": "Suunnittelu ja mitoitus"}


def test_NV_09_two_new_phases_with_one_number(service):
    twins = [phase(service, 82, name, "82-9") for name in ("Yksi", "Kaksi")]
    run = run_once(service)
    assert {r["code"] for r in run["reasons"] if r["register"] == "phases"} >= {"dimension_number_taken"}, run
    assert len([i for i in items(service, "Projekti") if i["code"] == "82-9"]) == 1
    service.sandbox.control(f"severa/{TENANT}/phases/{twins[1]['guid']}", "POST", {"code": "82-10"})
    service.sandbox.control(f"severa/{TENANT}/phases/{twins[0]['guid']}", "POST", {"code": "82-9", "name": "Yksi"})
    run_once(service)
    assert {i["code"] for i in items(service, "Projekti") if (i["code"] or "").startswith("82-")} == {"82-9", "82-10"}


def test_NV_09_a_phase_waits_for_its_project(service):
    late = new_project(service, 907, "p" * 197)  # longer than Netvisor takes: no item
    parent = service.sandbox.control(f"severa/{TENANT}/phases")[0]["guid"]
    fields = {"name": "Odottaa", "code": "907-1", "project": {"guid": late["guid"]}, "parentPhase": {"guid": parent}}
    service.sandbox.control(f"severa/{TENANT}/phases", "POST", {"fields": fields})
    run = run_once(service)
    assert "907-1 Odottaa" in reasons(run)["phases", "dimension_project_missing"], run
    project(service, 907, name="Lyhyt")
    time.sleep(1.1)  # what waits is not due again within a second
    run_once(service)
    assert item(service, "Projekti", "907-1")["father"] == item(service, "Projekti", "907")["key"]


def test_NV_09_a_row_of_one_phase_carries_the_phase(service):
    phases = service.sandbox.control(f"severa/{TENANT}/phases")
    of = next(p["guid"] for p in phases if p["code"] == "77-1")
    late = phase(service, 77, "Myöhäinen", "77-2")  # made on the way
    number = new_invoice(service, 77, rows=[{"rowType": "Hours"}] * 3, row_phases=[[of], [late["guid"]], [of, late["guid"]]])
    rows = re.findall(r"<dimensionname>Projekti</dimensionname><dimensionitem>([^<]+)<", sent(service, number))
    assert rows == ["77-1 Suunnittelu ja mitoitus", "77-2 Myöhäinen", "77 Verkkopalvelun uudistus"]
    assert item(service, "Projekti", "77-2")["father"] == item(service, "Projekti", "77")["key"]
    assert "row_without_phase" in [e["code"] for e in full(service, number)["timeline"]]
    assert counts(run_once(service), "phases").get("created", 0) == 0


def test_NV_08_a_heading_that_is_gone_stops_run_and_row_and_nothing_is_made_in_silence(service):
    service.sandbox.control(f"netvisor/{TENANT}/dimensions/Projekti", "POST", {"name": "Projektit"})
    n = len(writes(service))
    run = run_once(service)
    assert {r["name"]: r["error"]["code"] for r in run["registers"] if r["error"]}["projects"] == "dimension_heading_missing", run
    number = new_invoice(service, 81)
    stuck = wait_for("an error", lambda: (t := transfer(service, number)) and t["state"] == "needs_data" and t)
    assert stuck["error"]["code"] == "dimension_heading_missing" and len(writes(service)) == n
    answer = service.call("POST", f"/v1/connections/{TENANT}/check").json()["result"]
    assert [(p["code"], p["pointer"]) for p in answer["problems"]] == [("dimension_heading_missing", "/settings/dimensions/project_heading")]
    service.sandbox.control(f"netvisor/{TENANT}/dimensions/Projektit", "POST", {"name": "Projekti", "hidden": True})
    answer = service.call("POST", f"/v1/connections/{TENANT}/check").json()["result"]
    assert [p["code"] for p in answer["problems"]] == ["dimension_heading_missing"]  # a hidden one cannot be used
    service.sandbox.control(f"netvisor/{TENANT}/dimensions/Projekti", "POST", {"hidden": False})
    retry(service, stuck)
    assert "<dimensionitem>81 " in sent(service, number) and silent(service) == 0


def test_NV_10_time_and_zone_of_the_night_are_settings(service):
    def refused(**dimensions):
        current = service.call("GET", f"/v1/connections/{TENANT}")
        answer = service.call("PATCH", f"/v1/connections/{TENANT}", {"settings": {"dimensions": dimensions}},
                              {"If-Match": current.headers["ETag"], "Content-Type": "application/merge-patch+json"})
        return answer.status, answer.json().get("errors", [answer.json()])[0].get("pointer")
    assert refused(time="24:00")[1] == refused(time="2:00")[1] == "/settings/dimensions/time"
    assert refused(time_zone="Europe/Nowhere")[1] == "/settings/dimensions/time_zone"
    assert refused(unit_heading="Projekti")[1] == "/settings/dimensions/unit_heading"
    assert refused(project_heading="p" * 51)[1] == "/settings/dimensions/project_heading"
    assert refused(project_heading=None)[1] == "/settings/dimensions/phases"


def test_NV_10_the_first_night_of_5000_projects_costs_a_call_for_each_and_a_list_for_a_page():
    with Service(**SETTINGS) as s:
        s.sandbox.control("severa/" + TENANT, "POST", {"rate": 0})
        there = len(s.sandbox.control(f"severa/{TENANT}/projects"))
        for i in range(5000 - there):
            new_project(s, 10000 + i, f"Projekti {i}")
        start(s, project_heading="Projekti", on_invoice_rows=False)
        run = wait_for("the first run", lambda: (r := s.call("GET", f"/v1/connections/{TENANT}/runs").json()["items"]) and
                       all(x["ended_at"] for x in r) and r[-1], 300, 0.5)
        made = next(r for r in run["registers"] if r["name"] == "projects")
        assert (made["created"] + made["linked"], made["seen"]) == (5000, 5000), made
        # Both systems: a write for each, and for a page of 100 one list of either; the heading and what is there, once.
        print(f"calls of the first night: {made['calls']}, {run['started_at']} to {run['ended_at']}")
        assert made["calls"] < 5000 + 2 * 50 + 50, made
        assert len({i["code"] for i in items(s, "Projekti") if i["code"]}) == 5000
        run = run_once(s)
        quiet = next(r for r in run["registers"] if r["name"] == "projects")
        print(f"calls of a quiet night: {quiet['calls']}")
        assert quiet["created"] == quiet["updated"] == 0 and quiet["calls"] < 60, quiet


LINES = ["dimensionitem.nv", "dimensionitem.nv", "dimensionlist.nv", "salesinvoice.nv"]


def strike(service, rng):
    """One random thing that goes wrong."""
    what = rng.choice(["relay", "relay", "redis", "line", "line", "500"])
    if what == "relay":
        service.relay.kill()
        service.relay.start()
    elif what == "redis":
        service.redis.kill()
        service.redis.start()
    else:
        kind = {"kind": "status", "status": 500, "commit": True} if what == "500" else {"kind": rng.choice(["cut_after_commit", "cut_before"])}
        service.sandbox.fault(system="netvisor", match=rng.choice(LINES), count=1, **kind)


@pytest.mark.parametrize("empties", [False, True], ids=["killed", "emptied"])
def test_NV_08_killed_anywhere_each_item_stands_there_once(empties):
    """Relay, Redis and lines die at random, and Redis is emptied in between; registers and invoices want the same items."""
    rng = random.Random(SEED)
    with Service(**SETTINGS) as s:
        s.sandbox.control("severa/" + TENANT, "POST", {"rate": 0})
        for i in range(40):
            new_project(s, 500 + i, f"Projekti {i}")
        for i in range(8):
            phase(s, 77, f"Vaihe {i}", f"77-{i}")
        s.sandbox.fault(system="netvisor", kind="latency", latency_ms=5, latency_max_ms=40)
        numbers = [new_invoice(s, 500 + 5 * i, hint=False) for i in range(8)]
        start(s, phases=True, **BOTH)
        for i in range(6):
            time.sleep(rng.random() * 0.5)
            strike(s, rng)
            if empties and i % 3 == 2:
                s.redis.cli("FLUSHALL")
        s.sandbox.clear_faults()
        wait_for("the connection is back", lambda: s.call("GET", f"/v1/connections/{TENANT}").status == 200, 30, 0.1)
        wait_for("a sync", lambda: s.call("POST", f"/v1/connections/{TENANT}/sync").status == 202, 30, 0.1)
        wait_for("all invoices", lambda: {str(n) for n in numbers} <= {t["number"] for t in s.transfers(TENANT) if t["state"] == "done"}, 90, 0.2)
        wait_for("the end of all runs", lambda: all(r["ended_at"] for r in s.call("GET", f"/v1/connections/{TENANT}/runs").json()["items"]), 90, 0.2)

        def is_quiet(run):
            """Nothing was made and nothing is in doubt: what a last strike left is looked for until the quiet time is over."""
            return not any(counts(run, r).get(what) for r in ("projects", "units", "phases") for what in ("created", "in_doubt", "failed"))
        wait_for(f"a run without work, seed {SEED}", lambda: is_quiet(run_once(s)), 90, 0.3)
        for heading in BOTH.values():
            found = [i["code"] for i in items(s, heading) if i["code"]]
            assert len(found) == len(set(found)), (SEED, heading, found)
        codes = {i["code"] for i in items(s, "Projekti")}
        assert codes >= {str(500 + i) for i in range(40)} | {f"77-{i}" for i in range(8)}, (SEED, codes)
        assert silent(s) == 0, SEED


def test_NV_11_an_item_that_is_not_listed_yet_is_not_made_a_second_time():
    """Netvisor's list lags behind what was made: the creation stays in doubt until the item shows."""
    with Service(**SETTINGS) as service:
        start(service, **BOTH)
        run_once(service)
        new_project(service, 9401, "Hidas")

        def adds():
            return [w for w in writes(service) if ">9401<" in w["body"]]
        service.sandbox.control("requests", "DELETE")
        service.sandbox.fault(system="netvisor", match="dimensionitem.nv?method=add", kind="latency", latency_ms=1200, after=True, count=1)
        number = new_invoice(service, 9401)
        made = wait_for("the item", lambda: next((i for i in items(service, "Projekti") if i["code"] == "9401"), None))
        change(service, "Projekti", key=made["key"], code="9401x", name="9401x Poissa", label="Poissa")
        wait_for("one more attempt", lambda: len(adds()) > 1 or len(writes(service, f"invoicenumber={number}")) > 1
                 and transfer(service, number)["state"] != "running")
        change(service, "Projekti", key=made["key"], code="9401", name="9401 Hidas", label="Hidas")
        wait_for("the invoice", lambda: transfer(service, number)["state"] == "done", 40)
        assert len(adds()) == 1
        assert len([i for i in items(service, "Projekti") if i["code"] == "9401"]) == 1
