"""OP-02: connections take turns, processes share the work of one Redis, and a dead process's work goes on elsewhere."""

import time

import pytest

from service import Service, event, wait_for

# Vendor limits are raised, so that one connection could fill every worker.
OPEN = {"severa_rate": "100000", "severa_burst": "1000", "severa_concurrency": "64", "netvisor_concurrency": "64",
        "poll_interval": "1h", "log_level": "warn"}


@pytest.fixture
def start():
    """Makes services with tenants of their own: start(relays=2, tenants={...}, VIESTI settings)."""
    made = []

    def make(tenants, relays=1, **settings):
        service = Service(relays=relays, seed="empty", **OPEN | settings)
        made.append(service)
        service.keys = service.sandbox.tenants(registered=True, **tenants)
        for key in service.keys:
            service.connect(key, key)
            service.activate(key)
        return service

    yield make
    for service in made:
        service.stop()


def test_OP_02_fifty_thousand_jobs_of_one_do_not_delay_another(start):
    """50,000 jobs wait on one connection, whose calls take 50 ms and fill every worker: another's job starts within 1 s."""
    service = start({"count": 2, "invoices": 0, "customers": 1})
    crowd, single = service.keys
    client, other = (service.setup(key)["severa"]["client_id"] for key in service.keys)
    assert service.call("POST", f"/v1/connections/{crowd}/pause").status == 200
    service.flood(crowd, 50000)
    service.sandbox.fault(system="severa", kind="latency", latency_ms=50, tenant=client)
    assert service.call("POST", f"/v1/connections/{crowd}/resume").status == 200
    wait_for("the crowd's jobs run", lambda: service.sandbox.requests(system="severa", match="/invoices/", limit=1))
    took = []
    for _ in range(5):
        guid = service.sandbox.add_invoices(other, count=1)[0]["guid"]
        began = time.monotonic()
        transfer = service.webhook(single, event(guid)).json()["transfer"]
        wait_for("the single job is seen at the source",
                 lambda: service.sandbox.requests(system="severa", match=guid), step=0.005)
        took.append(time.monotonic() - began)
        wait_for("the single job is done", lambda: service.call("GET", f"/v1/transfers/{transfer}").json()["state"] == "done")
    left = int(service.redis.cli("ZCARD", f"t:q:c:{crowd}"))
    print(f"starts after {[round(t, 3) for t in took]} s, {left} still wait")
    assert left > 40000
    assert max(took) < 1
