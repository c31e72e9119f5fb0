"""The flow severa-maestro in the running service, against the sandbox's Severa and Maestro: what one recorded run cannot show."""

import pytest

from service import Service, maestro_connection_of, wait_for

TENANT = "kajo"
FAST = {"poll_interval": "1h", "retest_interval": "1h", "retry_first": "100ms", "severa_rate": "1000", "severa_burst": "1000",
        "maestro_rate": "1000", "maestro_burst": "1000"}


@pytest.fixture(scope="module", name="flow")
def relayed():
    """A company whose sample invoices have all been relayed, or rest; polled only when told to."""
    with Service(**FAST) as s:
        s.connect(TENANT, TENANT, maestro_connection_of)
        s.activate(TENANT)
        at_rest(s)
        yield s


def at_rest(s):
    busy = {"queued", "running", "retrying"}
    wait_for("every transfer at rest", lambda: (found := s.transfers(TENANT)) and not busy & {t["state"] for t in found}, 60)


def invoice(s, sample):
    return s.sandbox.control(f"severa/{TENANT}/invoices/{sample}")


def full(s, sample):
    found = next(t for t in s.transfers(TENANT) if t["source_id"] == invoice(s, sample)["guid"])
    return s.call("GET", "/v1/transfers/" + found["id"]).json()


def documents(s):
    return {str(d["number"]): d for d in s.sandbox.ledger("maestro", TENANT)["documents"]}


def report_of(s):
    before = s.call("GET", f"/v1/connections/{TENANT}/report").json()["report"]
    assert s.call("POST", f"/v1/connections/{TENANT}/sync").status == 202
    return wait_for("a new report", lambda: (r := s.call("GET", f"/v1/connections/{TENANT}/report").json()["report"]) and
                    r["at"] != (before or {}).get("at") and r)


def test_MA_01_MA_05_what_arrived_is_what_was_done(flow):
    done = {t["number"] for t in flow.transfers(TENANT) if t["state"] == "done"}
    ledger = flow.sandbox.ledger("maestro", TENANT)
    assert len(done) > 15 and set(documents(flow)) == done and ledger["duplicates"] == 0 and ledger["other_senders"] == 0
    statuses = flow.setup(TENANT)["severa"]
    for number, document in documents(flow).items():
        assert document["due_date"] >= document["date"] and document["customer_code"], number
    assert invoice(flow, "plain-hours")["status"]["guid"] == statuses["transferred_status"]
    assert documents(flow)[str(invoice(flow, "foreign-currency")["number"])]["currency"] == "SEK"


def test_MA_02_each_customer_is_made_once(flow):
    cards = flow.sandbox.control(f"maestro/{TENANT}/customers")
    numbers = [c["number"] for c in cards]
    assert len(numbers) == len(set(numbers))
    assert {d["customer_code"] for d in documents(flow).values()} <= set(numbers)


def test_MA_03_MA_04_rows_without_a_product_are_told_and_counted(flow):
    moved = documents(flow)[str(invoice(flow, "three-decimals")["number"])]["rows"]
    assert [r["code"] for r in moved] == ["A/0", "SUUN-02"]
    assert (moved[0]["quantity"], moved[0]["price"], moved[0]["vat_percent"]) == (13337, 0.0375, 25.5)
    told = [e for e in full(flow, "three-decimals")["timeline"] if e["code"] == "fallback_product"]
    assert len(told) == 1 and "Row 1" in told[0]["text"] and "API-TX" in told[0]["text"] and "A/0" in told[0]["text"]
    report = report_of(flow)
    codes = {c["code"]: c["rows"] for c in report["unknown_codes"]}
    assert codes["API-TX"] >= 1 and report["counts"]["unknown_codes"] == len(codes)
    flow.sandbox.control(f"maestro/{TENANT}/products", "POST", {"code": "API-TX", "name": "Rajapintatapahtuma"})
    assert "API-TX" not in {c["code"] for c in report_of(flow)["unknown_codes"]}


def test_MA_04_MA_06_activation_is_refused_with_its_reasons():
    with Service(seed="demo", **FAST) as s:
        s.connect("none", TENANT, maestro_connection_of, contract_reference=None)
        refused = s.call("POST", "/v1/connections/none/activate")
        assert refused.status == 422 and "contract_reference" in refused.body.decode(), refused.body
        s.connect("product", TENANT, maestro_connection_of, maestro={"fallback_product": "EI-OLE"})
        refused = s.call("POST", "/v1/connections/product/activate")
        assert [p["code"] for p in refused.json()["result"]["problems"]] == ["temp_product_missing"], refused.body
        body = maestro_connection_of(s.setup(TENANT), "files", send_pdf=True)
        answer = s.call("POST", "/v1/connections", body)
        assert answer.status == 422 and answer.json()["pointer"] == "/settings/send_pdf", answer.body


def test_MA_02_many_jobs_write_one_card():
    """Two relays and many workers: what the first invoices of a new customer need is written once."""
    with Service(relays=2, **FAST | {"maestro_concurrency": "8", "severa_concurrency": "8"}) as s:
        customer = invoice(s, "several-vat-rates")["customer"]["number"]
        made = s.sandbox.control(f"severa/{TENANT}/invoices", "POST", {"invoices": [
            {"customer": customer, "rows": [{"code": ["KONS-01"], "rowType": "Hours"}]} for _ in range(16)]})
        s.sandbox.fault(system="maestro", kind="latency", latency_ms=20, latency_max_ms=80)
        s.connect(TENANT, TENANT, maestro_connection_of)
        s.activate(TENANT)
        numbers = {str(m["number"]) for m in made}
        wait_for("16 invoices", lambda: numbers <= {t["number"] for t in s.transfers(TENANT) if t["state"] == "done"}, 60)
        puts = [r for r in s.sandbox.requests(system="maestro", match="/v1/customers/", limit=2000, bodies=1) if r["method"] == "PUT"]
        assert sum(f'"number":"{customer}"' in r["body"] for r in puts) == 1, [r["body"] for r in puts]
        assert s.sandbox.ledger("maestro", TENANT)["duplicates"] == 0
