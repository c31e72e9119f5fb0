"""OP-03: Redis goes away, comes back, comes back empty, or is another one: noticed and served again within 5 s, without a
restart of ours, no false yes meanwhile, nothing lost and nothing doubled."""

import os
import pathlib
import shutil
import signal
import time

import pytest

from service import Service, event, wait_for

SETTINGS = {"lease": "1500ms", "beat": "300ms", "request_timeout": "2s", "quiet": "4s", "retry_first": "100ms", "retry_cap": "1s",
            "poll_interval": "2s", "severa_rate": "10000", "severa_burst": "1000", "log_level": "warn"}
AGAIN_S = 5


def restarted(service):
    service.redis.kill()
    yield
    service.redis.start()


def emptied(service):
    yield
    service.redis.cli("FLUSHALL")


def replaced(service):
    """Another server at the same place, without data: a fail-over to a fresh one."""
    service.redis.kill()
    shutil.rmtree(service.redis.folder / "appendonlydir")
    yield
    service.redis.start()


def hand_in(service, key, guids):
    """Sends a webhook for each as a sender does, again after a 503; how often it was refused."""
    refused = 0
    for guid in guids:
        body = event(guid)
        while (answer := service.webhook(key, body)).status != 202:
            assert answer.status == 503 and int(answer.headers["Retry-After"]) > 0, (answer.status, answer.body)
            refused += 1
            time.sleep(0.05)
    return refused


@pytest.mark.parametrize("disaster", [restarted, emptied, replaced], ids=lambda d: d.__name__)
def test_OP_03_redis(disaster):
    with Service(seed="empty", **SETTINGS) as service:
        key = service.sandbox.tenants(count=1, invoices=0, customers=3, registered=True)[0]
        service.connect(key, key)
        service.activate(key)
        client = service.setup(key)["severa"]["client_id"]
        made = service.sandbox.add_invoices(client, count=30)
        guids = [i["guid"] for i in made]
        assert hand_in(service, key, guids[:10]) == 0
        struck = disaster(service)
        next(struck)
        if disaster is not emptied:
            answer = service.webhook(key, event(guids[10]))
            assert answer.status == 503 and int(answer.headers["Retry-After"]) > 0
            assert service.call("GET", "/readyz").status == 503 and service.call("GET", "/healthz").status == 200
        service.sandbox.control("requests", "DELETE")
        next(struck, None)
        began = time.monotonic()
        hand_in(service, key, guids[10:11])
        took = time.monotonic() - began
        wait_for("its job at the source", lambda: service.sandbox.requests(system="severa", match=guids[10]), AGAIN_S, 0.01)
        works = time.monotonic() - began
        wait_for("ready", lambda: service.call("GET", "/readyz").status == 200, AGAIN_S)
        hand_in(service, key, guids[11:])
        wait_for("a list that answers", lambda: service.call("GET", f"/v1/transfers?connection={key}").status == 200, AGAIN_S)
        again = time.monotonic() - began
        wait_for("every invoice is at the target", lambda: service.sandbox.ledger("netvisor", key)["count"] == 30, 60, 0.1)
        wait_for("every invoice has its status",
                 lambda: len(service.sandbox.invoices(client, service.setup(key)["severa"]["transferred_status"])) == 30, 30, 0.1)
        ledger = service.sandbox.ledger("netvisor", key)
        assert ledger["duplicates"] == 0 and all(d["times_received"] == 1 for d in ledger["documents"])
        print(f"{disaster.__name__}: a webhook is taken after {took:.2f} s, its job runs after {works:.2f} s, all is served after {again:.2f} s")
        assert max(took, works, again) < AGAIN_S
        assert service.call("GET", f"/v1/connections/{key}").json()["state"] == "active"


def children(pid):
    return [int(p) for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children") for p in task.read_text(encoding="ascii").split()]


def test_OP_03_private_redis_is_started_again():
    with Service(seed="empty", private_redis=True, **SETTINGS) as service:
        key = service.sandbox.tenants(count=1, invoices=0, customers=1, registered=True)[0]
        service.connect(key, key)
        service.activate(key)
        guids = [i["guid"] for i in service.sandbox.add_invoices(service.setup(key)["severa"]["client_id"], count=2)]
        transfer = service.webhook(key, event(guids[0])).json()["transfer"]
        os.kill(children(service.relay.process.pid)[0], signal.SIGKILL)
        began = time.monotonic()
        hand_in(service, key, guids[1:])
        took = time.monotonic() - began
        print(f"private Redis killed: served again after {took:.2f} s")
        assert took < AGAIN_S
        assert service.call("GET", f"/v1/transfers/{transfer}").status == 200
        told = service.relay.log_lines("redis_restarted")
        assert len(told) == 1 and told[0]["level"] == "warn"
