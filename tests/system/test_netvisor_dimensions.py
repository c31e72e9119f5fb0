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
    """A connection whose invoices all wait elsewhere: registers alone are at work."""
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
    return {(r["register"], r["code"]): r["examples"][0]["subject"] for r in run["reasons"]}


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


@pytest.fixture(scope="module")
def service():
    with Service(**SETTINGS) as s:
        yield s


def test_NV_08_projects_and_units_become_items_once(service):
    before = {h: {i["key"] for i in items(service, h)} for h in BOTH.values()}
    start(service, **BOTH)
    run = run_once(service)
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
