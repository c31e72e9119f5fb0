"""viesti-sandbox as a whole: faults, the control API, and that it starts, serves many and stops clean."""

import http.client
import json
import socket
import threading
import time

import pytest

from sandbox import NetvisorClient, Sandbox, SeveraClient, call, fi_check, in_threads, invoice_xml, waiting

CUT = (OSError, http.client.HTTPException)


def error_of(answer):
    error = answer.json()["error"]
    assert error["httpStatusCode"] == answer.status
    return error["type"]


# --- faults --------------------------------------------------------------------------------------


def test_fault_cut_before_leaves_nothing(sb, netvisor):
    sb.fault(kind="cut_before", system="netvisor", match="salesinvoice.nv", method="POST")
    with pytest.raises(CUT):
        netvisor.post("salesinvoice.nv?method=add", invoice_xml())
    ledger = sb.ledger("netvisor", "kajo")
    assert ledger["count"] == 0 and ledger["calls"] == 0
    assert netvisor.post("salesinvoice.nv?method=add", invoice_xml()).ok


@pytest.mark.parametrize("kind", ["cut_after_commit", "cut_in_answer"])
def test_fault_cut_after_commit_leaves_the_invoice(sb, netvisor, kind):
    sb.fault(kind=kind, system="netvisor", match="salesinvoice.nv", count=1)
    with pytest.raises(CUT):
        netvisor.post("salesinvoice.nv?method=add", invoice_xml())
    assert sb.ledger("netvisor", "kajo")["count"] == 1
    assert netvisor("salesinvoicelist.nv?invoicenumber=20260117").ok, "the organisation is free again"


def test_fault_cut_after_the_patch_was_taken(sb, severa):
    invoice = waiting(severa)
    sb.fault(kind="cut_after_commit", system="severa", method="PATCH")
    with pytest.raises(CUT):
        severa.patch_status(invoice["guid"], severa.setup["transferred_status"])
    assert waiting(severa)["status"]["guid"] == severa.setup["transferred_status"]


def test_fault_status_and_429(sb, severa, netvisor):
    severa.login()
    sb.fault(kind="status", status=500, system="severa", match="/customers", count=2)
    assert [error_of(severa.get("/v1/customers")) for _ in range(2)] == ["InternalSystemError"] * 2
    assert severa.get("/v1/customers").status == 200
    sb.fault(kind="429", system="severa", retry_after=7)
    answer = severa.get("/v1/customers")
    assert answer.status == 429 and answer.header("Retry-After") == "7"
    assert answer.text == "API calls quota exceeded! maximum admitted 10 per 1s."
    sb.fault(kind="429", system="severa")
    assert severa.get("/v1/customers").header("Retry-After") is None
    date = "Sun, 22 Nov 2026 05:00:00 GMT"
    sb.fault(kind="status", status=503, system="severa", retry_after=date)
    assert severa.get("/v1/customers").header("Retry-After") == date
    sb.fault(kind="status", status=200, code="SYSTEM_MAINTENANCE", system="netvisor")
    assert netvisor("customerlist.nv").code == "SYSTEM_MAINTENANCE"
    sb.fault(kind="status", status=503, system="netvisor")
    assert netvisor.raw("customerlist.nv").status == 503
    sb.fault(kind="status", status=500, system="severa", method="PATCH", commit=True)
    invoice = waiting(severa)
    assert severa.patch_status(invoice["guid"], severa.setup["transferred_status"]).status == 500
    assert waiting(severa)["status"]["guid"] == severa.setup["transferred_status"]


def test_fault_latency_holds_nobody_else(sb, severa):
    severa.login()
    sb.fault(kind="latency", latency_ms=700, match="/v1/customers")
    started = time.monotonic()
    slow = [threading.Thread(target=severa.get, args=("/v1/customers",)) for _ in range(16)]
    for t in slow:
        t.start()
    time.sleep(0.1)
    before = time.monotonic()
    for _ in range(50):
        assert severa.get("/v1/invoicestatuses").status == 200
    assert time.monotonic() - before < 0.5
    for t in slow:
        t.join()
    assert 0.7 <= time.monotonic() - started < 1.5


def test_fault_garbage_huge_and_drip(sb, severa):
    severa.login()
    sb.fault(kind="garbage", match="/v1/currencies")
    with pytest.raises(ValueError):
        severa.get("/v1/currencies").json()
    sb.fault(kind="huge", match="/v1/currencies", bytes=3_000_000)
    assert len(severa.get("/v1/currencies").body) == 3_000_000
    sb.fault(kind="slow_drip", match="/v1/currencies", bytes=100, drip_ms=20)
    before = time.monotonic()
    body = severa.get("/v1/currencies").json()
    assert len(body) == 4 and time.monotonic() - before > 0.1


def test_fault_hang_until_cleared(sb, severa):
    severa.login()
    sb.fault(kind="hang", match="/v1/currencies", count=2)
    with pytest.raises(socket.timeout):
        severa.raw("/v1/currencies", timeout=0.3)
    results = []

    def wait():
        try:
            severa.raw("/v1/currencies", timeout=20)
        except CUT as e:
            results.append(e)

    t = threading.Thread(target=wait)
    t.start()
    time.sleep(0.2)
    sb.clear_faults()
    t.join(5)
    assert results and not t.is_alive()


def test_fault_probability_is_repeatable_by_seed_and_tenant_bound(sb, severa):
    severa.login()

    def series():
        sb.clear_faults()
        sb.fault(kind="status", status=503, probability=0.5, seed=42, match="/v1/currencies",
                 tenant=severa.setup["client_id"])
        return [severa.get("/v1/currencies").status for _ in range(40)]

    first = series()
    assert first == series() and {200, 503} == set(first)
    assert 8 <= first.count(503) <= 32
    other = SeveraClient(sb.setup("louhi")["severa"])
    assert {other.get("/v1/currencies").status for _ in range(10)} == {200}


# --- control -------------------------------------------------------------------------------------


def test_control_adds_and_changes_invoices(sb, severa):
    made = sb.add_invoices("kajo", count=3)
    assert len(made) == 3 and len({m["number"] for m in made}) == 3
    row = {"description": "Oma rivi", "quantity": 2.5, "unitPrice": {"amount": 10.0},
           "vatRate": 10, "code": ["A", "B"]}
    spec = {"customer": 1002, "project": "Mobiilisovellus 2.0", "status": "Luonnos",
            "rows": [row, {"vatRate": None}], "fields": {"yourReference": "PO-9"},
            "files": [{"name": "a.txt", "content_type": "text/plain", "text": "hei"}]}
    one = sb.add_invoices("kajo", invoices=[spec])[0]
    got = severa.get("/v1/invoices/" + one["guid"]).json()
    assert got["customer"]["number"] == 1002 and got["yourReference"] == "PO-9"
    assert got["totalExcludingTax"]["amount"] == 125 and got["totalTax"]["amount"] == 2.5
    rows = severa.get("/v1/invoices/%s/invoicerows" % one["guid"]).json()
    assert rows[0]["code"] == ["A", "B"] and rows[1]["vatRate"] is None
    changed = sb.change_invoice("kajo", one["guid"], status="Odottaa siirtoa Netvisoriin",
                                fields={"notes": "x"}, rows=[{"quantity": 3}])
    assert changed["number"] and changed["notes"] == "x"
    assert severa.get("/v1/invoicerows/" + rows[0]["guid"]).json()["quantity"] == 3
    sb.control("severa/kajo/customers/1002", "POST", {"email": "uusi@x.example"})
    assert severa.get("/v1/customers", numbers=1002).json()[0]["email"] == "uusi@x.example"
    sb.control("severa/kajo/invoices/" + one["guid"], "DELETE")
    assert severa.get("/v1/invoices/" + one["guid"]).status == 404


def test_control_makes_many_tenants(sb):
    keys = sb.tenants(count=20, invoices=10, prefix="ketju", registered=True)
    assert len(keys) == 20
    tenant = next(t for t in sb.setup() if t["key"] == keys[7])
    severa = SeveraClient(tenant["severa"])
    rows = severa.get("/v1/invoices", invoiceStatusGuids=tenant["severa"]["transfer_status"]).json()
    assert len(rows) == 10
    netvisor = NetvisorClient(tenant["netvisor"])
    code = rows[0]["customer"]["number"]
    assert netvisor("customerlist.nv?customercodelist=%d" % code).root.find(".//Code") is not None
    ids = {t["netvisor"]["organisation_id"] for t in sb.setup()}
    assert len(ids) == len(sb.setup())
    assert all(fi_check(i[:7]) == i[8] for i in ids)


def test_control_reset_and_requests(sb, severa):
    severa.get("/v1/currencies")
    until = time.monotonic() + 5  # a call is written down after its last byte was sent
    while True:
        targets = [r["target"] for r in sb.requests(system="severa")]
        if len(targets) >= 2 or time.monotonic() > until:
            break
    assert targets == ["/severa/rest-api/v1/token", "/severa/rest-api/v1/currencies"]
    bodies = sb.requests(system="severa", bodies=1)
    assert all(r["body"] is None for r in bodies), "a secret is never kept"
    old_token = severa.token
    sb.reset(seed="empty")
    assert sb.setup() == [] and sb.requests() == []
    sb.reset(seed="demo")
    assert severa.raw("/v1/currencies", token=old_token).status == 401


def test_control_is_told_what_is_wrong(sb):
    for path, method, body in (
        ("faults", "POST", {"kind": "nonsense"}), ("faults", "POST", {}),
        ("severa/nobody", "GET", None), ("nonsense", "GET", None),
        ("severa/kajo/invoices", "POST", {"invoices": [{"customer": "nobody"}]}),
        ("severa/kajo/invoices", "POST", {"count": 1, "status": "nonsense"}),
    ):
        data = None if body is None else json.dumps(body).encode()
        answer = call(sb.url + "/_sandbox/" + path, method, body=data)
        assert answer.status in (400, 404) and answer.json()["error"]


def test_stops_clean_with_calls_that_hang_and_wait():
    sb = Sandbox()
    sb.start()
    severa = SeveraClient(sb.setup("kajo")["severa"])
    severa.login()
    sb.fault(kind="hang", match="/v1/currencies")
    sb.fault(kind="latency", latency_ms=60000, match="/v1/vatrates")
    sb.fault(kind="slow_drip", match="/v1/products", bytes=1, drip_ms=5000)
    paths = ("/v1/currencies", "/v1/vatrates", "/v1/products")
    with_errors = []

    def ask(path):
        try:
            with_errors.append(severa.raw(path, timeout=30).status)
        except CUT as e:
            with_errors.append(e)

    threads = [threading.Thread(target=ask, args=(p,)) for p in paths]
    for t in threads:
        t.start()
    time.sleep(0.3)
    before = time.monotonic()
    assert sb.stop() == 0 and time.monotonic() - before < 5
    for t in threads:
        t.join(5)
    assert len(with_errors) == 3


def test_a_body_beyond_the_cap_is_refused(sb, severa):
    before = sb.rss_kb()
    answer = call(severa.base + "/v1/token", "POST", body=b"x" * (49 << 20))
    assert answer.status == 413
    assert sb.setup("kajo") and sb.rss_kb() < before + 200_000


@pytest.mark.parametrize("bad", [
    b"GET /severa/%zz HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /severa/%00 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /" + b"a/" * 40 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /severa/rest-api/v1/invoices?a=%f HTTP/1.1\r\nHost: x\r\n\r\n",
    b"nonsense\r\n\r\n",
])
def test_malformed_requests_are_refused(sb, bad):
    with socket.create_connection(("127.0.0.1", sb.port), timeout=5) as s:
        s.sendall(bad)
        s.shutdown(socket.SHUT_WR)
        answer = s.recv(4096)
    assert answer == b"" or b" 40" in answer.split(b"\r\n")[0]
    assert sb.setup("kajo")


def test_many_at_once_keep_their_sums(sb):
    keys = sb.tenants(count=8, invoices=5)
    tenants = [sb.setup(k) for k in keys]

    def work(i):
        severa = SeveraClient(tenants[i]["severa"])
        netvisor = NetvisorClient(tenants[i]["netvisor"])
        setup = tenants[i]["severa"]
        for row in severa.get("/v1/invoices", invoiceStatusGuids=setup["transfer_status"]).json():
            assert netvisor.post("salesinvoice.nv?method=add", invoice_xml(str(row["number"]))).ok
            assert severa.patch_status(row["guid"], setup["transferred_status"]).status == 200
        return True

    assert in_threads(8, work) == [True] * 8
    for k in keys:
        assert sb.ledger("netvisor", k)["count"] == 5
        assert sb.ledger("netvisor", k)["overlaps"] == 0
        by_status = sb.ledger("severa", k)["invoices_by_status"]
        assert by_status["Siirretty Netvisoriin"] == 5


def test_starts_with_options_and_stops_clean(tmp_path):
    port_file = tmp_path / "port"
    sb = Sandbox("--tenants", 3, "--invoices", 4, "--port-file", port_file, "--netvisor-strict", 0,
                 seed="empty")
    sb.start()
    assert int(port_file.read_text()) == sb.port
    assert [t["key"] for t in sb.setup()] == ["t0001", "t0002", "t0003"]
    netvisor = NetvisorClient(sb.setup("t0001")["netvisor"])
    loose = netvisor.post("salesinvoice.nv?method=add", invoice_xml(head="<colour>red</colour>"))
    assert loose.ok
    assert sb.stop() == 0
