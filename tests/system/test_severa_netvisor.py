"""The flow Severa → Netvisor through the real binary: what one recorded run cannot show, since it takes several runs, several
workers, or a person who does something in between."""

import datetime
import time

import pytest

from service import Service, event, wait_for

TENANT = "kajo"
FAST = {"poll_interval": "1h", "retest_interval": "1h", "retry_first": "100ms", "severa_rate": "1000", "severa_burst": "1000"}


@pytest.fixture(scope="module")
def flow():
    """A service that polls only when told to, so that each test says what happens next."""
    with Service(**FAST) as s:
        statuses = s.setup(TENANT)["severa"]
        s.connect(TENANT, TENANT, statuses={k: statuses[k + "_status"] for k in ("transfer", "transferred", "failed")},
                  products={"temp_code": "TEMP"})
        s.activate(TENANT)
        at_rest(s, TENANT)
        yield s


def at_rest(s, name):
    busy = {"queued", "running", "retrying"}
    wait_for("every transfer at rest", lambda: (found := s.transfers(name)) and not busy & {t["state"] for t in found}, 60)


def status_of(s, sample):
    return s.sandbox.control(f"severa/{TENANT}/invoices/{sample}")["status"]["guid"]


def put(s, sample, status=None, **change):
    """What a person does to an invoice in Severa."""
    if status:
        change["status"] = s.setup(TENANT)["severa"].get(status + "_status", status)
    s.sandbox.control(f"severa/{TENANT}/invoices/{sample}", "POST", change)


def guid(s, sample):
    return s.sandbox.control(f"severa/{TENANT}/invoices/{sample}")["guid"]


def transfer(s, sample):
    return next((t for t in s.transfers(TENANT) if t["source_id"] == guid(s, sample)), None)


def full(s, sample):
    return s.call("GET", "/v1/transfers/" + transfer(s, sample)["id"]).json()


def hint(s, sample):
    answer = s.webhook(TENANT, event(guid(s, sample)))
    assert answer.status == 202
    return answer.json()


def codes(t):
    return [entry["code"] for entry in t["timeline"]]


def times_at_netvisor(s, number):
    return sum(str(d["number"]) == str(number) for d in s.sandbox.ledger("netvisor", TENANT)["documents"])


def test_SV_01_hint_of_a_document_elsewhere_leaves_no_mark(flow):
    sample = "draft"
    assert hint(flow, sample)["result"] == "queued"
    wait_for("skipped", lambda: (t := transfer(flow, sample)) and t["state"] == "skipped")
    assert "not_in_transfer_status" in codes(full(flow, sample))
    put(flow, sample, "transfer")
    hint(flow, sample)
    done = wait_for("relayed", lambda: (t := transfer(flow, sample))["state"] == "done" and t)
    assert times_at_netvisor(flow, done["number"]) == 1
    assert status_of(flow, sample) == flow.setup(TENANT)["severa"]["transferred_status"]


def test_SV_02_moved_back_after_it_was_relayed(flow):
    """Looked up, its status set again, never sent a second time; what a person does meanwhile stands."""
    sample = "plain-hours"
    before = full(flow, sample)
    assert before["state"] == "done" and times_at_netvisor(flow, before["number"]) == 1
    put(flow, sample, "transfer")
    hint(flow, sample)
    wait_for("the status set again", lambda: status_of(flow, sample) == flow.setup(TENANT)["severa"]["transferred_status"])
    after = wait_for("the second look", lambda: "already_relayed" in codes(t := full(flow, sample)) and t)
    assert (after["state"], after["generation"]) == ("done", 1)
    assert times_at_netvisor(flow, after["number"]) == 1


def test_SV_03_failed_status_and_the_way_back(flow):
    """Set for data to be mended; the error stays while the invoice stands there; moved back it goes on, once."""
    sample = "customer-without-number"
    severa = flow.setup(TENANT)["severa"]
    bad = full(flow, sample)
    assert (bad["state"], bad["error"]["code"], bad["error"]["actor"]) == ("needs_data", "customer_number_missing", "source_user")
    assert status_of(flow, sample) == severa["failed_status"] and "failed_status_set" in codes(bad)
    finnish = flow.call("GET", "/v1/transfers/" + bad["id"], headers={"Accept-Language": "fi"}).json()["timeline"]
    story = [e for e in finnish if e["code"] != "call"]
    assert "ei ole asiakasnumeroa" in story[0]["text"] and story[0]["state"] == "needs_data" and story[0]["next_at"]
    retried = flow.call("POST", f"/v1/transfers/{bad['id']}/retry", {}, {"If-Match": "*"})
    assert retried.status == 200
    still = wait_for("the retry", lambda: (t := transfer(flow, sample))["state"] == "needs_data" and t)
    assert still["error"]["code"] == "in_failed_status" and status_of(flow, sample) == severa["failed_status"]
    customer = flow.sandbox.control(f"severa/{TENANT}/invoices/{sample}")["customer"]["guid"]
    flow.sandbox.control(f"severa/{TENANT}/customers/{customer}", "POST", {"number": 4711})
    put(flow, sample, "transfer")
    flow.call("POST", f"/v1/connections/{TENANT}/sync")
    done = wait_for("relayed", lambda: (t := full(flow, sample))["state"] == "done" and t)
    assert done["generation"] == 1 and done["error"] is None and "came_back" in codes(done)
    assert times_at_netvisor(flow, done["number"]) == 1
    assert status_of(flow, sample) == severa["transferred_status"]


def test_SV_05_changed_after_transfer_is_reported_and_not_sent(flow):
    """What was sent is compared, not what Severa notes beside it: a payment or a status changes nothing."""
    def report():
        at = time.time()
        flow.call("POST", f"/v1/connections/{TENANT}/sync")
        return wait_for("a new report", lambda: (r := flow.call("GET", f"/v1/connections/{TENANT}/report").json()["report"]) and
                        datetime.datetime.fromisoformat(r["at"].replace("Z", "+00:00")).timestamp() > at and r)

    paid, edited = full(flow, "swedish-texts"), full(flow, "three-decimals")
    assert (paid["state"], edited["state"]) == ("done", "done")
    put(flow, "swedish-texts", fields={"paymentDate": "2026-11-21"})
    put(flow, "three-decimals", rows=[{"description": "Toinen teksti"}])
    assert report()["changed_after_transfer"] == [edited["number"]]
    assert report()["changed_after_transfer"] == [edited["number"]]  # remembered, and still so
    assert times_at_netvisor(flow, edited["number"]) == 1 and full(flow, "three-decimals")["generation"] == 1


def test_SV_03_credentials_leave_the_status_alone():
    with Service(**FAST) as s:
        severa = s.setup(TENANT)["severa"]
        s.connect(TENANT, TENANT, statuses={k: severa[k + "_status"] for k in ("transfer", "transferred", "failed")})
        s.activate(TENANT)
        s.sandbox.fault(system="netvisor", kind="status", status=401, code="AUTHENTICATION_FAILED", count=1000)
        state = wait_for("the pause", lambda: (c := s.call("GET", f"/v1/connections/{TENANT}").json())["state"] == "paused" and c)
        assert state["pause_reason"] == "credentials"
        assert severa["failed_status"] not in {status_of(s, t["source_id"]) for t in s.transfers(TENANT) if t["state"] == "queued"}


def test_NV_02_many_jobs_make_one_customer_one_product_one_item():
    """Two relays, many workers, and Netvisor's one call at a time NOT kept: what the first invoices of a new customer need is
    made once."""
    with Service(relays=2, **FAST | {"netvisor_concurrency": "8", "severa_concurrency": "8"}) as s:
        customer = s.sandbox.control(f"severa/{TENANT}/invoices/several-vat-rates")["customer"]["number"]
        made = s.sandbox.control(f"severa/{TENANT}/invoices", "POST", {"invoices": [
            {"customer": customer, "project": 82, "rows": [{"code": ["KONS-01"], "rowType": "Hours"}]} for _ in range(16)]})
        s.sandbox.control(f"netvisor/{TENANT}", "POST", {"take_overlaps": True})
        s.sandbox.fault(system="netvisor", kind="latency", latency_ms=20, latency_max_ms=80)
        # Between "Netvisor has none" and the lease: long enough for another job to make it meanwhile.
        s.sandbox.fault(system="severa", match="/worktypes", kind="latency", latency_ms=50, latency_max_ms=600)
        s.connect(TENANT, TENANT, dimensions={"project_heading": "Projekti"})
        s.activate(TENANT)
        numbers = {str(m["number"]) for m in made}
        wait_for("16 invoices", lambda: numbers <= {t["number"] for t in s.transfers(TENANT) if t["state"] == "done"}, 30)
        sent = [r["body"] for r in s.sandbox.requests(system="netvisor", match="method=add", limit=2000, bodies=1)]
        for what in (f"<internalidentifier>{customer}<", "<productcode>KONS-01<", "<code>82<"):
            assert sum(what in body for body in sent) == 1, what
        ledger = s.sandbox.ledger("netvisor", TENANT)
        assert ledger["duplicates"] == 0 and ledger["overlaps"] > 0  # they did work side by side
