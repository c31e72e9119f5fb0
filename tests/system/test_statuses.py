"""SV-01, SV-02, SV-04, SV-09, OP-05 against the running service and the sandbox's two companies: what a user does in Severa, and
what comes of it."""

import pytest

from service import Service, event, wait_for

KEY = "kajo"
OTHER_UNIT = "FI90001022"  # Kajo Data Oy: a business unit with a VAT number, of the same Severa


@pytest.fixture(scope="module")
def service():
    with Service(poll_interval="1s", retest_interval="1s", retry_first="100ms", severa_rate="1000", severa_burst="1000", log_level="warn") as s:
        s.connect(KEY, KEY, products={"temp_code": "TEMP"})
        s.activate(KEY)
        yield s


def severa(service):
    return service.setup(KEY)["severa"]


def add(service, status=None, **fields):
    made = service.sandbox.add_invoices(KEY, invoices=[{"status": status or severa(service)["transfer_status"], **fields}])[0]
    return made["guid"]


def status_of(service, guid):
    return service.sandbox.control(f"severa/{KEY}/invoices/{guid}")["status"]["guid"]


def transfer(service, guid):
    return next((t for t in service.transfers(KEY) if t["source_id"] == guid), None)


def settled(service, guid, state="done", seconds=20):
    return wait_for(f"{guid} {state}", lambda: (t := transfer(service, guid)) and t["state"] == state and t, seconds)


def report(service):
    return service.call("GET", f"/v1/connections/{KEY}/report").json()["report"] or {}


def test_SV_01_found_by_polling_without_further_action(service):
    guid = add(service)
    found = settled(service, guid)
    assert found["origin"] == "poll"
    wait_for("its status", lambda: status_of(service, guid) == severa(service)["transferred_status"])


def test_SV_01_a_status_set_later_is_picked_up(service):
    guid = add(service, status="Luonnos")
    service.sandbox.change_invoice(KEY, guid, status=severa(service)["transfer_status"])
    settled(service, guid)


def test_SV_02_transferred_is_set_once_and_the_number_found(service):
    guid = add(service)
    found = settled(service, guid)
    wait_for("its status", lambda: status_of(service, guid) == severa(service)["transferred_status"])
    assert [t["id"] for t in service.call("GET", f"/v1/transfers?number={found['number']}&connection={KEY}").json()["items"]] == [found["id"]]
    document = [d for d in service.sandbox.ledger("netvisor", KEY)["documents"] if str(d["number"]) == found["number"]]
    assert [d["times_received"] for d in document] == [1]


def test_SV_04_straight_to_transferred_is_reported_and_relayed_when_moved(service):
    guid = add(service, status=severa(service)["transferred_status"])
    number = str(service.sandbox.control(f"severa/{KEY}/invoices/{guid}")["number"])
    wait_for("it is named", lambda: number in report(service).get("never_relayed", []), 15, 0.1)
    assert transfer(service, guid) is None
    assert number not in {str(d["number"]) for d in service.sandbox.ledger("netvisor", KEY)["documents"]}
    service.sandbox.change_invoice(KEY, guid, status=severa(service)["transfer_status"])
    settled(service, guid)
    wait_for("it is named no more", lambda: number not in report(service).get("never_relayed", [number]), 15, 0.1)


def test_SV_09_another_companys_invoice_is_reported_not_sent(service):
    guid = add(service, sender_vat_number=OTHER_UNIT)
    number = str(service.sandbox.control(f"severa/{KEY}/invoices/{guid}")["number"])
    wait_for("it is named", lambda: number in report(service).get("unowned", []), 15, 0.1)
    assert status_of(service, guid) == severa(service)["transfer_status"]
    assert number not in {str(d["number"]) for d in service.sandbox.ledger("netvisor", KEY)["documents"]}


def test_SV_09_a_unit_without_a_vat_number_is_refused(service):
    name = "unit"
    service.connect(name, KEY, company={"vat_number": "FI90001129"})
    answer = service.call("POST", f"/v1/connections/{name}/activate")
    assert answer.status == 422 and [p["code"] for p in answer.json()["result"]["problems"]] == ["company_unknown"]


def test_OP_05_a_failure_is_explained_in_three_languages(service):
    """Who must do what, in words; the target's own text stays as it is."""
    sample = next(t for t in wait_for("failures", lambda: service.transfers(KEY, state="needs_data")) if t["error"]["code"])
    seen = {}
    for language in ("en", "fi", "nb"):
        error = service.call("GET", f"/v1/transfers/{sample['id']}", headers={"Accept-Language": language}).json()["error"]
        assert error["code"] == sample["error"]["code"] and error["actor"] and error["text"], error
        assert error["text"].count("{") == 0
        seen[language] = error["text"]
    assert len(set(seen.values())) == 3, seen


def test_OP_05_every_failure_of_the_samples_says_who_must_act(service):
    wait_for("the samples at rest", lambda: not [t for t in service.transfers(KEY) if t["state"] in ("queued", "running", "retrying")], 30)
    failed = [t for t in service.transfers(KEY) if t["state"] in ("needs_data", "system_fault")]
    assert len(failed) >= 4
    for t in failed:
        assert t["error"]["actor"] in ("source_user", "target_user", "admin", "operator", "vendor"), t["error"]
        assert len(t["error"]["text"]) > 15 and t["error"]["text"][-1] in ".!", t["error"]
