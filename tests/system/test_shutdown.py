"""SIGTERM: running jobs may end within the grace, the rest is handed back at once and burns no try; a write that was cut is in doubt."""

import http.client
import json
import threading
import time

import pytest

from service import Service, event, signed, wait_for

GRACE_S = 1
OPEN = {"severa_rate": "100000", "severa_burst": "1000", "severa_concurrency": "64", "poll_interval": "1h", "log_level": "warn",
        "shutdown_grace": f"{GRACE_S}s", "workers": "2",
        "request_timeout": "5s", "lease": "1500ms", "beat": "300ms", "quiet": "6500ms"}


@pytest.fixture
def service():
    with Service(seed="empty", **OPEN) as s:
        s.key = s.sandbox.tenants(count=1, invoices=0, customers=1, registered=True)[0]
        s.client = s.setup(s.key)["severa"]["client_id"]
        s.connect(s.key, s.key)
        s.activate(s.key)
        yield s


def send(service, n=1):
    guids = [i["guid"] for i in service.sandbox.add_invoices(service.client, count=n)]
    return [service.webhook(service.key, event(g)).json()["transfer"] for g in guids]


def fired(service):
    return sum(f["fired"] for f in service.sandbox.control("faults"))


def stop(service):
    began = time.monotonic()
    assert service.relay.stop() == 0
    return time.monotonic() - began


def read(service, transfer):
    return service.call("GET", f"/v1/transfers/{transfer}").json()


def test_OP_03_shutdown_hands_back_what_hangs(service):
    """The call is cut when the grace is over; the job is queued again at once (no lease to wait for), with no try burned."""
    service.sandbox.fault(system="severa", match="/invoices/", kind="hang")
    transfers = send(service, 5)
    wait_for("a hanging call", lambda: fired(service) == 1)
    took = stop(service)
    print(f"stopped in {took:.2f} s with a hanging call, {GRACE_S} s of grace")
    assert GRACE_S <= took < GRACE_S + 3
    service.sandbox.clear_faults()
    began = time.monotonic()
    service.relay.start()
    for transfer in transfers:
        done = wait_for("a job that is done", lambda t=transfer: (r := read(service, t))["state"] == "done" and r, 10)
        assert done["tries"] == 1, done
    assert time.monotonic() - began < 8  # less than the lease


def test_OP_03_shutdown_lets_running_jobs_end(service):
    service.sandbox.fault(system="severa", match="/invoices/", kind="latency", latency_ms=400, count=1)
    transfer = send(service)[0]
    wait_for("a call under way", lambda: fired(service) == 1)
    took = stop(service)
    assert took < GRACE_S + 1, took
    assert service.sandbox.ledger("netvisor", service.key)["count"] == 1
    calls = service.sandbox.ledger("netvisor", service.key)["calls"]
    service.relay.start()
    done = read(service, transfer)
    assert (done["state"], done["tries"]) == ("done", 1)
    assert service.sandbox.ledger("netvisor", service.key)["calls"] == calls


def test_OP_03_shutdown_in_a_write_leaves_doubt(service):
    """The write was carried out, its answer never came: in doubt, looked up after the quiet time, not sent again."""
    service.sandbox.fault(system="netvisor", match="salesinvoice.nv", method="POST", kind="hang", commit=True)
    transfer = send(service)[0]
    wait_for("a hanging write", lambda: fired(service) == 1)
    assert stop(service) < GRACE_S + 3
    service.sandbox.clear_faults()
    service.relay.start()
    assert read(service, transfer)["state"] == "in_doubt"
    wait_for("a doubt that is settled", lambda: read(service, transfer)["state"] == "done", 15)
    ledger = service.sandbox.ledger("netvisor", service.key)
    assert (ledger["count"], ledger["duplicates"]) == (1, 0)


def test_OP_03_shutdown_loses_no_webhook_that_was_taken(service):
    """Webhooks come without pause while it stops: each that was answered 202 stands in Redis."""
    taken, stopped = [], threading.Event()

    def sender(i):
        conn = http.client.HTTPConnection("127.0.0.1", service.relay.port, timeout=10)
        n = 0
        while not stopped.is_set():
            body = event(f"00000000-0000-4000-8000-{i:04}{n:08}")
            n += 1
            try:
                conn.request("POST", f"/v1/webhooks/{service.key}", body, signed(body))
                got = conn.getresponse()
                answer = got.read()
            except (OSError, http.client.HTTPException):
                return  # the line was closed: the sender knows nothing, and sends again
            assert got.status in (202, 503)
            if got.status == 202:
                taken.append(answer)

    service.sandbox.fault(system="severa", kind="hang", count=100)
    senders = [threading.Thread(target=sender, args=(i,)) for i in range(4)]
    for s in senders:
        s.start()
    wait_for("webhooks taken", lambda: len(taken) > 200)
    assert stop(service) < GRACE_S + 3
    stopped.set()
    for s in senders:
        s.join(15)
    service.relay.start()
    ids = {json.loads(a)["transfer"] for a in taken}
    print(f"{len(ids)} webhooks taken until the end")
    assert ids <= {t["id"] for t in service.transfers(service.key)}
