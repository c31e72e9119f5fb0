"""The product register between Severa and Netvisor, both ways and neither (NV-06, NV-07, NV-10): each product goes once, none is
written again, and what cannot go says why."""

import json
import urllib.parse

import pytest

from sandbox import ALL_SCOPES
from service import Service, wait_for

FAST = {"poll_interval": "1h", "retest_interval": "1h", "retry_first": "100ms", "retry_cap": "1s", "quiet": "4s", "severa_rate": "10000",
        "severa_burst": "1000", "lease": "1500ms", "beat": "300ms", "request_timeout": "2s", "connect_timeout": "1s", "workers": "8", "shutdown_grace": "3s"}
COUNTS = ("created", "updated", "linked", "unchanged", "skipped", "waiting", "failed")


def start(service, key, name=None, **settings):
    name = name or key
    service.connect(name, key, **settings)
    service.activate(name)
    runs_over(service, name)


def runs_over(service, name):
    def over():
        items = service.call("GET", f"/v1/connections/{name}/runs").json()["items"]
        return items and all(r["ended_at"] for r in items) and items
    return wait_for("the end of all runs", over, 120, 0.1)


def run_once(service, name, body=None):
    """One run of the registers, ordered by a person; as it ended."""
    made = service.call("POST", f"/v1/connections/{name}/runs", body or {})
    assert made.status == 202, made.body
    path = "/v1/runs/" + made.json()["id"]
    return wait_for("the end of a run", lambda: (lambda r: r["ended_at"] and r)(service.call("GET", path).json()), 120, 0.1)


def counts(run, register):
    found = next(r for r in run["registers"] if r["name"] == register)
    return {k: found[k] for k in COUNTS if found[k]}


def reasons(run):
    return {(r["register"], r["code"]) for r in run["reasons"]}


def severa(service, key, register="products"):
    return service.sandbox.control(f"severa/{key}/{register}")


def change(service, key, which, register="products", **fields):
    """What a person does to a record of Severa; fields none: deleted."""
    service.sandbox.control(f"severa/{key}/{register}/{urllib.parse.quote(which)}", "POST" if fields else "DELETE", fields or None)


def add_to_severa(service, key, register="products", count=1, **fields):
    return service.sandbox.control(f"severa/{key}/{register}", "POST", {"count": count, "fields": fields})


def netvisor(service, key, code):
    return service.sandbox.control(f"netvisor/{key}/products/{code}")


def add_to_netvisor(service, key, code, **fields):
    service.sandbox.control(f"netvisor/{key}/products", "POST", {"productcode": code, "unitprice": "0", **fields})


def added(service, key):
    return service.sandbox.ledger("netvisor", key)["products"]


@pytest.fixture(scope="module")
def service():
    with Service(**FAST) as s:
        yield s


def invoice(service, key, rows):
    """An invoice of these rows goes on its way; its number."""
    made = service.sandbox.control(f"severa/{key}/invoices", "POST", {"invoices": [{"rows": rows}]})
    service.call("POST", f"/v1/connections/{key}/sync")
    return str(made[0]["number"])


def came_to(service, name, number):
    rests = {"done", "needs_data", "system_fault", "skipped"}
    found = wait_for(f"invoice {number} at rest", lambda: next((
        t for t in service.transfers(name) if t["number"] == number and t["state"] in rests), None), 30, 0.1)
    return found["state"], (found["error"] or {}).get("code"), (found["error"] or {}).get("subject")


def sent(service, key, number):
    return service.sandbox.control(f"netvisor/{key}/invoices/{number}")


def wanted_registers(service, name):
    """Those of products, with their schedules."""
    items = service.call("GET", f"/v1/connections/{name}/registers").json()["items"]
    return {r["name"]: r["schedule"] for r in items if r["wanted"] and r["name"].startswith("products")}


REGISTERS = {"products": "unitCost", "worktypes": "hourCost", "travelexpensetypes": "unitCost"}


def test_NV_06_NV_07_NV_10_new_products_work_types_and_travel_types_go_to_netvisor_with_every_field(service):
    add_to_severa(service, "kajo", name="Ilman hintaa", code="BARE-1")
    add_to_severa(service, "kajo", name="Poistettu käytöstä", code="PASS-1", isActive=False, vatRate=14, measurementUnit="kpl",
                  unitPrice={"amount": 12.345, "currencyCode": "EUR"}, unitCost={"amount": 0.5, "currencyCode": "EUR"})
    start(service, "kajo", products={"group": "Myynti"})
    assert added(service, "kajo")["edited"] == 0
    for register, cost in REGISTERS.items():
        records = [r for r in severa(service, "kajo", register) if r.get("code")]
        assert len(records) >= 3
        for theirs in records:
            ours = netvisor(service, "kajo", theirs["code"])
            price = theirs.get("unitPrice") or {}
            wanted = {"name": theirs["name"], "unit": theirs.get("measurementUnit", ""), "productgroup": "Myynti", "issalesproduct": "1",
                      "isactive": "1" if theirs["isActive"] else "0"}
            assert {k: ours.get(k) or "" for k in wanted} == wanted, theirs
            numbers = {"unitprice": price.get("amount"), "purchaseprice": (theirs.get(cost) or {}).get("amount"), "defaultvatpercentage": theirs.get("vatRate")}
            assert {k: float(ours[k].replace(",", ".")) for k in numbers} == {k: v or 0 for k, v in numbers.items()}, theirs
            assert not ours.get("description")
    bodies = [r["body"] for r in service.sandbox.requests(system="netvisor", match="product.nv?method=add", limit=2000, bodies=1)]
    assert bodies and all('<unitprice type="net">' in b for b in bodies)
    bare = netvisor(service, "kajo", "BARE-1")
    assert [bare[k] for k in ("unitprice", "purchaseprice", "defaultvatpercentage")] == ["0,00", "0,00", "0"]
    assert wanted_registers(service, "kajo") == {"products": {"interval_s": 2400}}


def test_NV_06_a_known_product_is_never_written_again_and_a_deletion_stays_here(service):
    before = added(service, "kajo")
    change(service, "kajo", "Ilman hintaa", name="Toinen nimi", isActive=False)
    change(service, "kajo", "Poistettu käytöstä")
    run = run_once(service, "kajo")
    assert counts(run, "products")["unchanged"] > 0 and not {"created", "updated", "linked", "failed"} & set(counts(run, "products")), run
    assert added(service, "kajo") == before and netvisor(service, "kajo", "BARE-1")["name"] == "Ilman hintaa"
    assert netvisor(service, "kajo", "PASS-1")["name"] == "Poistettu käytöstä"


def test_NV_06_a_product_made_on_the_way_of_an_invoice_is_the_registers_own(service):
    code = "TIE-1"
    add_to_severa(service, "kajo", "worktypes", name="Tien päällä", code=code)
    assert came_to(service, "kajo", invoice(service, "kajo", [{"code": [code]}]))[0] == "done"
    made = added(service, "kajo")
    run = run_once(service, "kajo")
    assert "created" not in counts(run, "products") and "linked" not in counts(run, "products"), run
    assert added(service, "kajo") == made


def test_NV_06_no_code_is_passed_over_and_a_code_of_two_records_is_named(service):
    add_to_severa(service, "kajo", name="Ilman koodia", code=None)
    add_to_severa(service, "kajo", "worktypes", name="Sama koodi", code="lis-100")  # Netvisor compares without case
    before = added(service, "kajo")["added"]
    run = run_once(service, "kajo")
    assert {("products", "product_without_code"), ("products", "product_code_twice")} <= reasons(run), run
    assert added(service, "kajo")["added"] == before
    twice = next(r for r in run["reasons"] if r["code"] == "product_code_twice")
    assert "lis-100 Sama koodi" in json.dumps(twice, ensure_ascii=False), twice


def test_NV_06_two_new_records_of_one_code_make_one_product(service):
    add_to_severa(service, "kajo", name="Tupla tuotteena", code="TUPLA")
    add_to_severa(service, "kajo", "worktypes", name="Tupla työlajina", code="TUPLA")
    before = added(service, "kajo")["added"]
    run_once(service, "kajo")
    run = run_once(service, "kajo")
    assert ("products", "product_code_twice") in reasons(run) and added(service, "kajo")["added"] == before + 1, run
    assert netvisor(service, "kajo", "TUPLA")["name"] == "Tupla tuotteena"


def test_NV_06_a_product_that_netvisor_refuses_is_tried_again_when_it_is_mended(service):
    add_to_severa(service, "kajo", name="N" * 201, code="PITKA")
    run = run_once(service, "kajo")
    assert ("products", "field_too_long") in reasons(run) and counts(run, "products")["failed"] >= 1, run
    change(service, "kajo", "N" * 201, name="Lyhyt")
    assert counts(run_once(service, "kajo"), "products")["created"] == 1
    assert netvisor(service, "kajo", "PITKA")["name"] == "Lyhyt"


# ---- Netvisor to Severa ----

BACK = {"products": {"direction": "netvisor_to_severa"}}


def test_NV_06_NV_07_new_products_of_netvisor_go_to_severa_with_every_field(service):
    key = "louhi"
    add_to_netvisor(service, key, "NV-1", name="Ä" * 100, unit="kpl", unitprice="12,3450", purchaseprice="4,50", defaultvatpercentage="14", isactive="1",
                    description="jää tänne", issalesproduct="0")
    add_to_netvisor(service, key, "NV-2", name="Käytöstä poistettu", isactive="0", defaultvatpercentage="0")
    add_to_netvisor(service, key, "NV-3", name="P" * 101, defaultvatpercentage="25,5")
    add_to_netvisor(service, key, "NV-4", name="Outo vero", defaultvatpercentage="13,37")
    add_to_netvisor(service, key, "", name="Ilman koodia")
    known = {c["code"]: c for r in REGISTERS for c in severa(service, key, r)}
    work = severa(service, key, "worktypes")[0]["code"]
    add_to_netvisor(service, key, work, name="Sama kuin työlaji", defaultvatpercentage="25,5")
    start(service, key, **BACK)
    first = service.call("GET", "/v1/connections/louhi/runs").json()["items"][0]
    run = service.call("GET", first["href"]).json()
    new = [p for p in severa(service, key) if p["code"] not in known]
    assert {p["code"] for p in new} == {"NV-1", "NV-2", "TEMP"}, new
    one, two, _ = sorted(new, key=lambda p: p["code"])
    assert {k: one[k] for k in ("name", "measurementUnit", "isActive", "vatRate")} == {
        "name": "Ä" * 100, "measurementUnit": "kpl", "isActive": True, "vatRate": 14}
    assert (one["unitPrice"], one["unitCost"]) == ({"amount": 12.345, "currencyCode": "EUR"}, {"amount": 4.5, "currencyCode": "EUR"})
    assert (two["isActive"], two["unitPrice"]["amount"], two["unitCost"]["amount"]) == (False, 0, 0)
    assert {("products_back", c) for c in ("product_name_long", "product_vat_unknown", "product_without_code")} <= reasons(run), run
    assert "NV-3" in json.dumps([r for r in run["reasons"] if r["code"] == "product_name_long"])
    # What Severa had, a work type among it, was known; and nothing went the other way.
    assert [p["code"] for r in REGISTERS for p in severa(service, key, r)].count(work) == 1
    assert counts(run, "products_back")["created"] == 3 and added(service, key)["edited"] == added(service, key)["added"] == 0, run


def test_NV_06_netvisors_changes_stay_there_and_a_mended_product_goes(service):
    key = "louhi"
    before = severa(service, key)
    add_to_netvisor(service, key, "", name="Ilman koodia")
    service.sandbox.control(f"netvisor/{key}/products/NV-1", "POST", {"name": "Uusi nimi"})
    service.sandbox.control(f"netvisor/{key}/products/NV-3", "POST", {"name": "Lyhyempi"})
    run = run_once(service, key)
    assert counts(run, "products_back")["created"] == 1 and "updated" not in counts(run, "products_back"), run
    after = {p["code"]: p["name"] for p in severa(service, key)}
    assert after == {p["code"]: p["name"] for p in before} | {"NV-3": "Lyhyempi"}
    assert "created" not in counts(run_once(service, key), "products_back")


def test_NV_06_a_missing_product_on_a_row_is_named_and_a_row_without_a_code_too(service):
    key = "louhi"
    code = severa(service, key)[0]["code"]
    state = came_to(service, key, invoice(service, key, [{"code": ["VAIN-SEVERASSA"]}]))
    assert state[:2] == ("needs_data", "product_missing_at_target"), state
    assert came_to(service, key, invoice(service, key, [{"code": []}]))[:2] == ("needs_data", "product_code_missing")
    assert came_to(service, key, invoice(service, key, [{"code": ["NV-1", code]}]))[:2] == ("needs_data", "product_code_several")
    done = invoice(service, key, [{"code": ["NV-1"]}])
    assert came_to(service, key, done)[0] == "done" and ">NV-1<" in sent(service, key, done)


def test_NV_07_without_a_currency_of_its_own_severa_takes_no_price(service):
    [key] = service.sandbox.tenants(count=1, invoices=0)
    for currency in severa(service, key, "currencies"):
        change(service, key, currency["guid"], "currencies", isOrganizationCurrency=False)
    add_to_netvisor(service, key, "NV-9", name="Hinnallinen", defaultvatpercentage="25,5")
    start(service, key, products={"direction": "netvisor_to_severa", "temp_code": "TEMP"}, customers={"direction": "temp"})
    run = run_once(service, key)
    assert ("products_back", "organization_currency_missing") in reasons(run) and "NV-9" not in {p["code"] for p in severa(service, key)}, run


def test_NV_06_with_a_temporary_product_such_rows_go_to_it(service):
    [key] = service.sandbox.tenants(count=1, invoices=0)
    start(service, key, products={"direction": "netvisor_to_severa", "temp_code": "TEMP"})
    assert reasons(run_once(service, key, {"kind": "everything"})) == {("products_back", "product_is_temporary")}
    assert "TEMP" not in {p["code"] for p in severa(service, key)}
    number = invoice(service, key, [{"code": []}, {"code": ["A", "B"]}])
    assert came_to(service, key, number)[0] == "done" and sent(service, key, number).count('<productidentifier type="customer">TEMP<') == 2


# ---- neither ----

def test_NV_06_with_temp_no_register_goes_and_every_row_is_the_temporary_products(service):
    [key] = service.sandbox.tenants(count=1, invoices=0)
    start_without_runs = {"products": {"direction": "temp"}, "customers": {"direction": "temp"}}
    service.connect(key, key, **start_without_runs)
    service.activate(key)
    number = invoice(service, key, [{"code": []}, {"code": ["A", "B"]}, {"code": ["KONS-01"]}])
    assert came_to(service, key, number)[0] == "done" and sent(service, key, number).count('<productidentifier type="customer">TEMP<') == 3
    assert wanted_registers(service, key) == {}
    assert added(service, key)["added"] == 0


# ---- checks ----

def problems(service, name):
    answer = service.call("POST", f"/v1/connections/{name}/check")
    return {(p["code"], p["pointer"]) for p in answer.json()["result"]["problems"]}


def test_NV_06_the_check_asks_for_the_temporary_product_and_for_the_right_to_write(service):
    [key] = service.sandbox.tenants(count=1, invoices=0)
    service.connect(key, key, products={"direction": "netvisor_to_severa", "temp_code": "EI-OLE"})
    assert ("temp_product_missing", "/settings/products/temp_code") in problems(service, key)
    service.sandbox.control(f"severa/{key}", "POST", {"scopes": ALL_SCOPES})
    assert ("write_scope_missing", "/credentials/severa") in problems(service, key)


def test_NV_10_a_place_in_severas_list_that_is_refused_by_now_loses_no_product():
    """Page tokens are the vendor's: one that is no good any more, in the middle of a listing, is no end of it."""
    with Service(**FAST, severa_page=50) as service:
        [key] = service.sandbox.tenants(count=1, invoices=0)
        add_to_severa(service, key, count=330)
        codes = {p["code"] for r in REGISTERS for p in severa(service, key, r) if p["code"]}
        service.sandbox.fault(system="severa", match="products?", method="GET", kind="latency", latency_ms=50, count=1000)
        for _ in range(3):  # the first listing's third page, and what follows it
            service.sandbox.fault(system="severa", match="pageToken=", kind="status", status=400, code="InvalidParameter", count=1)
        start(service, key, customers={"direction": "temp"})
        assert {c for c in codes if not netvisor(service, key, c)} == set()
        assert added(service, key)["added"] == len(codes)
        first = [r for r in service.sandbox.requests(system="severa", match="/products?rowCount", limit=2000) if "pageToken" not in r["target"]]
        assert len(first) >= 2, first  # it was read from its beginning once more


# ---- thousands, and a kill in the middle ----

def progress(service, name):
    run = wait_for("a run", lambda: (service.call("GET", f"/v1/connections/{name}/runs").json()["items"] or [None])[0])
    return next(r for r in service.call("GET", run["href"]).json()["registers"] if r["name"] == "products")


def test_NV_10_a_first_run_of_3000_products_shows_its_progress_and_a_kill_goes_on_from_the_last_page():
    with Service(**FAST) as service:
        [key] = service.sandbox.tenants(count=1, invoices=0)
        add_to_severa(service, key, count=3000, unitPrice={"amount": 10, "currencyCode": "EUR"}, vatRate=25.5)
        total = len({p["code"] for r in REGISTERS for p in severa(service, key, r) if p["code"]})
        service.connect(key, key, customers={"direction": "temp"})
        service.activate(key)
        seen = []

        def at_least(n):
            now = progress(service, key)
            seen.append((now["seen"], now["created"]))
            return now["created"] >= n
        wait_for("a few hundred products", lambda: at_least(300), 60, 0.05)
        service.relay.kill()
        made, calls = added(service, key)["added"], service.sandbox.ledger("netvisor", key)["calls"]
        service.relay.start()
        wait_for("a few hundred more", lambda: at_least(1500), 60, 0.05)
        service.relay.kill()
        service.relay.start()
        runs = runs_over(service, key)
        assert len({s for s in seen if 0 < s[1] < total}) >= 5 and seen == sorted(seen), seen  # it grows, and never falls back
        ledger = service.sandbox.ledger("netvisor", key)
        assert len(runs) == 1 and runs[0]["state"] == "done", runs
        assert ledger["products"]["added"] == total and ledger["products"]["edited"] == ledger["overlaps"] == 0, ledger
        assert progress(service, key)["created"] + progress(service, key)["linked"] == total
        # What was through before the kill was not asked for again: one page of doubts at most per kill.
        assert ledger["calls"] - calls <= (total - made) + 2 * 250 + 100, (ledger["calls"], calls, made, total)
