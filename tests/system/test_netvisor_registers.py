"""Registers of one company at Netvisor, whoever uses them: one call at a time (item 7 of the issue), one way per register (NV-02,
NV-06), and each record once whatever dies meanwhile (NV-06, NV-05)."""

import collections
import json
import random
import time

import pytest

from service import Service, connection_of, wait_for

SETTINGS = {
    "lease": "1500ms", "beat": "300ms", "request_timeout": "2s", "connect_timeout": "1s", "quiet": "4s", "retry_first": "100ms",
    "retry_cap": "1s", "retest_interval": "1s", "severa_rate": "10000", "severa_burst": "1000", "severa_concurrency": "8", "workers": "8",
    "shutdown_grace": "3s", "poll_interval": "1h",
}
SEED = random.SystemRandom().randrange(1, 1 << 30)


def runs_over(service, *names):
    def over():
        items = [r for n in names for r in service.call("GET", f"/v1/connections/{n}/runs").json()["items"]]
        return items and all(r["ended_at"] for r in items) and items
    return wait_for("the end of all runs", over, 120, 0.1)


def run_once(service, name):
    """One run of all registers, ordered by a person; as it ended."""
    made = service.call("POST", f"/v1/connections/{name}/runs", {})
    assert made.status == 202, made.body
    path = "/v1/runs/" + made.json()["id"]
    return wait_for("the end of a run", lambda: (lambda r: r["ended_at"] and r)(service.call("GET", path).json()), 120, 0.1)


def connect_to(service, name, severa_of, netvisor_of, **settings):
    """A connection from one tenant's Severa to another's company at Netvisor."""
    severa, netvisor = service.setup(severa_of), service.setup(netvisor_of)["netvisor"]
    body = connection_of(severa | {"netvisor": netvisor}, name, company={"vat_number": severa["severa"]["business_units"][0]["vat_number"]}, **settings)
    made = service.call("POST", "/v1/connections", body)
    assert made.status == 201, made.body


# ---- one call at a time ----

def test_NV_10_one_call_at_a_time_per_company_over_connections_registers_invoices_and_processes():
    """Two processes on one Redis; three connections of three Severas and one company at Netvisor; their registers and their invoices
    at the same time."""
    with Service(relays=2, **SETTINGS) as service:
        keys = service.sandbox.tenants(count=3, invoices=0, customers=3)
        company = keys[0]
        service.sandbox.fault(system="netvisor", kind="latency", latency_ms=2, latency_max_ms=25)
        for i, key in enumerate(keys):
            service.sandbox.control(f"severa/{key}", "POST", {"next_number": 1000 * (i + 1)})
            service.sandbox.control(f"severa/{key}/invoices", "POST", {"count": 8})
            for k in range(30):
                service.sandbox.control(f"severa/{key}/products", "POST", {"count": 1, "fields": {"code": f"{key}-{k}", "name": f"Tuote {i} {k}"}})
            connect_to(service, key, key, company, customers={"direction": "temp"})
        for i, key in enumerate(keys):
            assert service.call("POST", f"/v1/connections/{key}/activate", relay=service.relays[i % 2]).status == 200

        def invoices():
            return collections.Counter(t["state"] for key in keys for t in service.transfers(key))
        wait_for("invoices and registers", lambda: invoices()["done"] == 24 and runs_over(service, *keys), 120, 0.2)
        ledger = service.sandbox.ledger("netvisor", company)
        assert ledger["overlaps"] == 0 and ledger["calls"] > 150, ledger
        assert ledger["count"] == 24 and ledger["duplicates"] == 0, ledger
        codes = collections.Counter(p["productcode"].lower() for p in service.sandbox.control(f"netvisor/{company}/products"))
        assert max(codes.values()) == 1 and all(codes[f"{key}-{k}"] == 1 for key in keys for k in range(30)), codes.most_common(3)


# ---- one way ----

@pytest.fixture(scope="module")
def service():
    with Service(**SETTINGS) as s:
        yield s


def problems(service, name):
    return {(p["code"], p["pointer"]): p["text"] for p in service.call("POST", f"/v1/connections/{name}/check").json()["result"]["problems"]}


TAKEN = ("direction_opposite", "/settings/products/direction")


def test_NV_06_two_connections_of_one_company_in_opposite_directions_are_refused(service):
    a, b = service.sandbox.tenants(count=2, invoices=0)
    temp = {"direction": "temp"}
    connect_to(service, "there", a, a, customers=temp)
    service.activate("there")
    runs_over(service, "there")
    connect_to(service, "back", b, a, customers=temp, products={"direction": "netvisor_to_severa"})
    refused = service.call("POST", "/v1/connections/back/activate")
    assert refused.status == 422 or refused.status == 409, refused.body
    assert TAKEN in problems(service, "back") and "there" in problems(service, "back")[TAKEN]
    # The same way beside it is no quarrel.
    connect_to(service, "beside", b, a, customers=temp)
    service.activate("beside")
    runs_over(service, "beside")
    # While one of them goes on, the other way stays taken; then it is free.
    assert service.call("POST", "/v1/connections/there/pause").status == 200
    assert TAKEN in problems(service, "back") and "beside" in problems(service, "back")[TAKEN]
    assert service.call("POST", "/v1/connections/beside/pause").status == 200
    assert TAKEN not in problems(service, "back")
    service.activate("back")
    runs_over(service, "back")
    # Whoever goes on again in the old direction does nothing, and says why.
    assert service.call("POST", "/v1/connections/there/resume").status == 200
    before = service.sandbox.ledger("netvisor", a)["products"]
    service.sandbox.control(f"severa/{a}/products", "POST", {"count": 1, "fields": {"code": "UUSI-9", "name": "Uusi"}})
    run = run_once(service, "there")
    register = next(r for r in run["registers"] if r["name"] == "products")
    assert (register["state"], register["error"]["code"], register["error"]["detail"]["subject"]) == ("failed", "direction_opposite", "back"), run
    assert service.sandbox.ledger("netvisor", a)["products"] == before


def test_NV_06_a_direction_that_is_left_is_free(service):
    a, b = service.sandbox.tenants(count=2, invoices=0)
    temp = {"direction": "temp"}
    connect_to(service, "first", a, a, customers=temp)
    service.activate("first")
    runs_over(service, "first")
    connect_to(service, "second", b, a, customers=temp, products={"direction": "netvisor_to_severa"})
    assert TAKEN in problems(service, "second")
    changed = service.call("PATCH", "/v1/connections/first", {"settings": {"products": {"direction": "temp"}}}, {"If-Match": "*"})
    assert changed.status == 200, changed.body
    service.activate("first")
    service.call("POST", "/v1/connections/first/sync")
    wait_for("the way to be free", lambda: TAKEN not in problems(service, "second"), 20, 0.2)
    service.activate("second")


# ---- each once, whatever dies ----

LINES = [("netvisor", "product.nv", "POST"), ("netvisor", "customer.nv", "POST"), ("severa", "/products", "POST"), ("severa", "/customers", "POST"),
         ("netvisor", "productlist.nv", "GET"), ("netvisor", "customerlist.nv", "GET")]


def strike(service, rng):
    """One random thing that goes wrong."""
    what = rng.choice(["relay", "relay", "redis", "line", "line", "line", "500"])
    if what == "relay":
        relay = rng.choice(service.relays)
        relay.kill()
        relay.start()
    elif what == "redis":
        service.redis.kill()
        service.redis.start()
    else:
        system, match, method = rng.choice(LINES)
        kind = {"kind": "status", "status": 500, "commit": True} if what == "500" else {"kind": rng.choice(["cut_after_commit", "cut_before"])}
        service.sandbox.fault(system=system, match=match, method=method, count=1, **kind)


BACK_CUSTOMERS = [str(70001 + i) for i in range(12)]


def each_once(service, there, back, codes, customers):
    """Each product and customer of `there` is at its company once, each of `back`'s company at its Severa once."""
    company = service.sandbox.ledger("netvisor", there)
    found = collections.Counter(p["productcode"] for p in service.sandbox.control(f"netvisor/{there}/products"))
    assert {c: found[c] for c in codes if found[c] != 1} == {}, (SEED, company)
    numbers = collections.Counter(c["internalidentifier"] for c in service.sandbox.control(f"netvisor/{there}/customers"))
    assert {n: numbers[n] for n in customers if numbers[n] != 1} == {}, (SEED, numbers)
    severa = collections.Counter(p["code"] for p in service.sandbox.control(f"severa/{back}/products") if p.get("code"))
    assert {c: severa[c] for c in codes if severa[c] != 1} == {}, (SEED, severa)
    own = collections.Counter(str(c["number"]) for c in service.sandbox.control(f"severa/{back}/customers"))
    assert {n: own[n] for n in BACK_CUSTOMERS if own[n] != 1} == {}, (SEED, own)
    assert company["overlaps"] == 0 and company["products"]["edited"] == 0, (SEED, company)


@pytest.mark.parametrize("empties", [False, True], ids=["killed", "emptied"])
def test_NV_05_NV_06_killed_anywhere_each_product_and_customer_stands_there_once(empties):
    """Two processes, Redis and lines die at random, and Redis is emptied in between; two connections, one per direction."""
    rng = random.Random(SEED)
    with Service(relays=2, **SETTINGS) as service:
        there, back = service.sandbox.tenants(count=2, invoices=0, customers=12)
        service.sandbox.fault(system="netvisor", kind="latency", latency_ms=5, latency_max_ms=30)
        codes = [f"K-{i}" for i in range(60)]
        for code in codes:
            service.sandbox.control(f"severa/{there}/products", "POST", {"count": 1, "fields": {"code": code, "name": "Tuote " + code}})
            service.sandbox.control(f"netvisor/{back}/products", "POST", {"productcode": code, "name": "Tuote " + code, "unitprice": "1", "defaultvatpercentage": "25,5"})
        for i, number in enumerate(BACK_CUSTOMERS):
            service.sandbox.control(f"netvisor/{back}/customers", "POST", {
                "internalidentifier": number, "name": f"Asiakas {i} Oy", "isactive": "1", "isprivatecustomer": "1", "streetaddress": f"Katu {i}",
                "city": "Kouvola", "postnumber": "45100", "country": "FI"})
        customers = [str(c["number"]) for c in service.sandbox.control(f"severa/{there}/customers")]
        service.connect(there, there)
        service.connect(back, back, customers={"direction": "netvisor_to_severa"}, products={"direction": "netvisor_to_severa", "temp_code": "TEMP"})
        service.activate(there)
        service.activate(back)
        for i in range(8):
            time.sleep(rng.random() * 0.4)
            strike(service, rng)
            if empties and i % 3 == 2:
                service.redis.cli("FLUSHALL")
        service.sandbox.clear_faults()
        wait_for("the connections are back", lambda: all(service.call("GET", f"/v1/connections/{n}").status == 200 for n in (there, back)), 30, 0.1)
        for name in (there, back):
            wait_for("a run", lambda: service.call("POST", f"/v1/connections/{name}/runs", {}).status == 202, 30, 0.1)
        runs_over(service, there, back)

        def is_quiet(run):
            """What a last strike left in doubt is looked for until the quiet time is over."""
            return all(r["created"] == r["in_doubt"] == 0 for r in run["registers"])
        for name in (there, back):
            wait_for(f"a run of {name} without work, seed {SEED}", lambda: is_quiet(run_once(service, name)), 90, 0.3)
        each_once(service, there, back, codes, customers)
