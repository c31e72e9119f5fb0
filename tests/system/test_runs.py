"""Runs of register syncs against the running service (build/*/viesti-world: the real binary with the flow of the register
tests, whose two systems are a few records in its memory; tests/unit/sync_world.c)."""

import pytest

from service import Service, wait_for



@pytest.fixture(scope="module")
def world():
    with Service(program="viesti-world", poll_interval="1h", retry_first="100ms") as s:
        yield s


def connect(world, name, active=True):
    made = world.call("POST", "/v1/connections", {"id": name, "name": name, "flow": "world", "settings": {}, "credentials": {}})
    assert made.status == 201, made.body
    if active:
        world.activate(name)


def over(world, run):
    return wait_for("the end of a run", lambda: (lambda r: r["ended_at"] and r)(world.call("GET", f"/v1/runs/{run}").json()), 30)


def counts(run, register, *names):
    found = next(r for r in run["registers"] if r["name"] == register)
    return [found[n] for n in names]


def problem(answer, status, code, pointer=None):
    assert answer.status == status, answer.body
    body = answer.json()
    assert body["code"] == code and (pointer is None or body.get("pointer") == pointer), body


def first_runs(world, name):
    """Those that come by themselves, with the poll and by a register's own schedule: one or two, by what was ordered first."""
    wanted = {r["name"] for r in world.call("GET", f"/v1/connections/{name}/registers").json()["items"]}

    def all_over():
        runs = world.call("GET", f"/v1/connections/{name}/runs").json()["items"]
        return {g["name"] for r in runs for g in r["registers"]} == wanted and all(r["ended_at"] for r in runs) and runs
    return wait_for("the first runs", all_over, 30)


def test_PC_04_PC_05_PC_06_what_activation_sets_off(world):
    connect(world, "first")
    runs = first_runs(world, "first")
    assert {r["state"] for r in runs} == {"done"} and {r["trigger"] for r in runs} <= {"poll", "schedule"}
    found = next(r["id"] for r in runs if "products" in [g["name"] for g in r["registers"]])
    run = world.call("GET", f"/v1/runs/{found}").json()
    assert counts(run, "products", "seen", "created", "skipped") == [3, 2, 1]
    assert counts(run, "customers", "seen", "created", "waiting", "failed") == [3, 1, 1, 1]
    # The partner at the right comes back; the customer that was made there a moment ago does not.
    assert counts(run, "partners", "seen", "created", "unchanged") == [2, 1, 1]
    text = world.call("GET", "/metrics", token=None).body.decode()
    assert f'viesti_register_runs_total{{flow="world",outcome="done"}} {len(runs)}' in text
    assert 'viesti_register_records_total{register="world/products",outcome="created"} 2' in text


def test_OP_05_a_run_says_what_it_could_not_do_and_who_must_act(world):
    ordered = world.call("POST", "/v1/connections/first/runs", {"kind": "everything", "registers": ["customers"]})
    assert ordered.status == 202 and ordered.headers["Location"] == ordered.json()["href"]
    run = over(world, ordered.json()["id"])
    assert run["ordered_by"] and run["kind"] == "everything" and run["state"] == "done"
    reasons = {r["code"]: r for r in run["reasons"]}
    assert set(reasons) == {"customer_name_missing", "waiting"}
    lack = reasons["customer_name_missing"]
    assert (lack["register"], lack["actor"], lack["count"]) == ("customers", "source_user", 1)
    assert lack["examples"][0]["label"] == "C-2" and "C-2" in lack["examples"][0]["text"]
    finnish = world.call("GET", f"/v1/runs/{run['id']}", headers={"Accept-Language": "fi"}).json()
    text = next(r for r in finnish["reasons"] if r["code"] == "customer_name_missing")["examples"][0]["text"]
    assert text == "Asiakkaalla C-2 ei ole nimeä."
    assert reasons["waiting"]["actor"] == "nobody"
    # Nothing that stood was touched.
    assert counts(run, "customers", "seen", "created", "updated", "unchanged") == [4, 0, 0, 2]


def test_PC_03_what_stands_still_is_told_whichever_run_met_it(world):
    over(world, world.call("POST", "/v1/connections/first/runs").json()["id"])  # which meets nothing new
    registers = {r["name"]: r for r in world.call("GET", "/v1/connections/first/registers").json()["items"]}
    assert set(registers) == {"partners", "customers", "products", "cards", "items"}
    assert registers["partners"]["direction"] == "back" and registers["cards"]["schedule"] == {"interval_s": 3600}
    customers = registers["customers"]
    assert customers["done_at"] and customers["wanted"] and registers["products"]["standing"] == []
    assert {(s["code"], s["actor"], s["count"]) for s in customers["standing"]} == \
        {("customer_name_missing", "source_user", 1), ("waiting", "nobody", 1)}
    page = world.call("GET", "/v1/connections/first/registers/customers", headers={"Accept-Language": "nb"}).json()
    lack = next(r for r in page["items"] if r["code"] == "customer_name_missing")
    assert len(page["items"]) == 2 and lack["label"] == "C-2" and lack["text"] == "Kunden C-2 har ikke navn."
    problem(world.call("GET", "/v1/connections/first/registers/cars"), 404, "not_found")
    problem(world.call("GET", "/v1/connections/first/registers/customers?cursor=x"), 422, "value_invalid", "cursor")


def test_links_are_rebuilt_from_both_sides_and_nothing_is_made_twice(world):
    run = over(world, world.call("POST", "/v1/connections/first/runs", {"kind": "links"}).json()["id"])
    assert {r["name"]: r["state"] for r in run["registers"]} == dict.fromkeys(("products", "customers", "partners", "cards", "items"), "done")
    assert [r["created"] for r in run["registers"]] == [0] * 5


def test_orders_that_cannot_be(world):
    problem(world.call("POST", "/v1/connections/first/runs", {"registers": ["customers", "cars"]}), 422, "value_invalid", "/registers/1")
    problem(world.call("POST", "/v1/connections/first/runs", {"registers": []}), 422, "value_invalid", "/registers")
    problem(world.call("POST", "/v1/connections/first/runs", {"kind": "all"}), 422, "value_invalid", "/kind")
    problem(world.call("POST", "/v1/connections/nobody/runs"), 404, "not_found")
    problem(world.call("GET", "/v1/connections/nobody/runs"), 404, "not_found")
    problem(world.call("GET", "/v1/runs/nothing"), 404, "not_found")
    connect(world, "draft", active=False)
    problem(world.call("POST", "/v1/connections/draft/runs"), 409, "state")
    assert world.call("GET", "/v1/connections/draft/runs").json() == {"items": [], "next": None}


def test_one_order_is_one_run(world):
    key = {"Idempotency-Key": "run-once"}
    one = world.call("POST", "/v1/connections/first/runs", {}, headers=key)
    two = world.call("POST", "/v1/connections/first/runs", {}, headers=key)
    assert one.json()["id"] == two.json()["id"] and two.headers["Location"] == one.json()["href"]
    problem(world.call("POST", f"/v1/runs/{over(world, one.json()['id'])['id']}/cancel"), 409, "state")


def test_a_run_of_a_paused_connection_waits_and_can_be_cancelled(world):
    connect(world, "rests")
    first_runs(world, "rests")
    world.call("POST", "/v1/connections/first/pause")
    problem(world.call("POST", "/v1/connections/first/runs"), 409, "state")
    world.call("POST", "/v1/connections/first/resume")
    reader = world.call("POST", "/v1/tokens", {"name": "other", "role": "operator", "connections": ["rests"]}).json()["token"]
    run = world.call("POST", "/v1/connections/first/runs").json()["id"]
    problem(world.call("GET", f"/v1/runs/{run}", token=reader), 404, "not_found")
    problem(world.call("POST", f"/v1/runs/{run}/cancel", token=reader), 404, "not_found")
    cancelled = world.call("POST", f"/v1/runs/{run}/cancel")
    assert cancelled.status in (200, 409)
    assert over(world, run)["state"] in ("cancelled", "done")


def test_OP_01_the_contract_of_runs_was_seen(world):
    seen = {(m, p) for m, p, status in world.contract.seen if status.startswith("2")}
    assert {("GET", "/v1/connections/{id}/registers"), ("GET", "/v1/connections/{id}/registers/{register}"),
            ("GET", "/v1/connections/{id}/runs"), ("POST", "/v1/connections/{id}/runs"), ("GET", "/v1/runs/{id}")} <= seen
