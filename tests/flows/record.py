#!/usr/bin/python3
"""Records the flow cases of severa_netvisor against a fresh sandbox: record.py FLOW_CASES SANDBOX [PREFIX].

Each scenario below prepares the sandbox, says what must come of the run and what Netvisor must hold afterwards; a case is
written only when that is so. `make flows` then replays it without any network. Without a PREFIX those are recorded that are
missing or do not replay any more.
"""
import json
import pathlib
import re
import subprocess
import sys
import urllib.request

HERE = pathlib.Path(__file__).parent / "severa_netvisor"


class Sandbox:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdout=subprocess.PIPE, text=True)
        self.url = "http://127.0.0.1:%d" % json.loads(self.process.stdout.readline())["port"]
        self.reset()

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        rq = urllib.request.Request(self.url + "/_sandbox/" + path, data=data, method=method)
        with urllib.request.urlopen(rq) as reply:
            text = reply.read().decode()
        return json.loads(text) if text[:1] in ("[", "{") else text

    def reset(self):
        self.call("POST", "reset", {"seed": "demo"})
        self.call("POST", "severa/kajo", {"rate": 0})
        self.setup = self.call("GET", "setup?tenant=kajo")["tenants"][0]

    def invoice(self, name):
        return self.call("GET", "severa/kajo/invoices/" + name)

    def change(self, path, **fields):
        self.call("POST", "severa/kajo/" + path, fields)

    def fault(self, **fields):
        self.call("POST", "faults", fields)

    def documents(self):
        return self.call("GET", "netvisor/kajo")["documents"]


def credentials(setup):
    s, n = setup["severa"], setup["netvisor"]
    return {"severa": {"client_id": s["client_id"], "client_secret": s["client_secret"]},
            "netvisor": {"sender": "Viesti", "customer_id": n["customer_id"], "customer_key": n["customer_key"],
                         "partner_id": n["partner_id"], "partner_key": n["partner_key"],
                         "organisation_id": n["organisation_id"], "language": "EN"}}


def settings(setup, **more):
    s = setup["severa"]
    return {"statuses": {"transfer": s["transfer_status"], "transferred": s["transferred_status"]},
            "invoice_state": "unsent", "severa": {"url": s["base_url"]},
            "netvisor": {"url": setup["netvisor"]["base_url"]}, **more}


SCENARIOS = []
TEMP = {"customers": {"direction": "temp"}, "products": {"direction": "temp"}}


def scenario(title, invoice="plain-hours", **want):
    def add(prepare):
        SCENARIOS.append((title, invoice, prepare, want))
        return prepare
    return add


def plain(title, invoice="plain-hours", spec=None, **want):
    SCENARIOS.append((title, invoice, lambda sb: spec or {}, want))


DONE = {"outcome": "done"}
IN_DOUBT = {"delivery": {"state": "intent", "age_ms": 200000}}
TWICE = {"delivery": {"state": "intent", "age_ms": 200000, "lookups": 1, "lookup_age_ms": 5000}}
SENT = {"delivery": {"state": "done", "outcome": "4711"}}
ALL_DONE = {**SENT, "severa.status": {"state": "done", "outcome": "x"}}

plain("SV-01-invoice-in-transfer-status-is-relayed", **DONE, count=1, status="transferred")
plain("SV-01-not-in-transfer-status-is-skipped", "draft", outcome="skipped", count=0)
plain("SV-01-poll-lists-the-whole-status-in-pages", spec={"kind": "poll", "page": 7}, outcome="done",
      report={"at_source": 26, "accounted": 26, "missing": []})
plain("SV-04-straight-to-transferred-is-reported", spec={"kind": "poll"}, outcome="done",
      report={"never_relayed": ["10428"]})
plain("SV-09-invoice-of-another-company", "other-company-of-the-group", outcome="skipped", count=0)
plain("SV-07-check-of-a-sound-connection", spec={"kind": "check"}, ok=True)
plain("NV-01-already-sent-goes-as-open", spec={"settings": {"invoice_state": "open"}}, **DONE, sent=">open<")
plain("NV-01-pdf-and-files-go-along", spec={"settings": {"send_pdf": True}}, **DONE, sent="<mimetype>application/pdf<")
plain("NV-01-credit-note", "credit-note", **DONE, sent="<salesinvoiceproductlinequantity>-2,5<", count=1)
plain("NV-01-foreign-currency", "foreign-currency", **DONE, sent='iso4217currencycode="SEK"')
plain("NV-01-several-vat-rates", "several-vat-rates", **DONE, count=1)
plain("NV-01-long-texts-are-split", "long-texts", **DONE, sent="<salesinvoicecommentline>")
plain("NV-01-sum-off-by-a-cent-is-rounding", "off-by-a-cent", **DONE, note="rounding")
plain("NV-01-sum-off-by-five-is-refused", "off-by-five", error="data", reason="sum_mismatch", count=0)
plain("NV-02-customer-is-created", "several-vat-rates", **DONE, note="customer_added")
plain("NV-02-temporary-customer-carries-the-buyer", spec={"settings": TEMP}, **DONE, sent="<invoicingcustomername>")
plain("NV-02-passive-customer-travels-as-passive", "passive-customer", **DONE, sent_any="<isactive>0<")
plain("NV-02-unknown-temporary-customer", spec={"settings": {"customers": {"direction": "temp", "temp_code": "NONE"}}},
      error="data", reason="temp_customer_missing", count=0)
plain("NV-03-customer-without-number", "customer-without-number", error="data", reason="customer_number_missing", count=0)
plain("NV-03-operator-unknown-to-netvisor", "unknown-operator", error="data", reason="operator_unknown", count=0)
plain("NV-03-person-without-business-id", "private-person", error="data", reason="business_id_missing", count=0)
plain("NV-03-private-person-by-rule", "private-person", spec={"settings": {"customers": {"private_rule": "without_vat_number"}}},
      **DONE, sent_any="<isprivatecustomer>1<")
plain("NV-05-changed-address-updates-the-customer", **DONE, note="customer_updated", sent_any="<streetaddress>Sahatie 4<")
plain("NV-06-row-without-code-is-an-error", "code-missing", error="data", reason="product_code_missing", count=0)
plain("NV-06-row-with-two-codes-is-an-error", "two-codes", error="data", reason="product_code_several", count=0)
plain("NV-06-row-without-code-goes-to-TEMP", "code-missing", spec={"settings": {"products": {"temp_code": "TEMP"}}},
      **DONE, sent=">TEMP<")
plain("NV-06-all-rows-to-TEMP", spec={"settings": TEMP}, **DONE, sent='<productidentifier type="customer">TEMP<')
plain("NV-07-work-type-is-created-as-product", **DONE, sent_any="<issalesproduct>1<")
plain("NV-08-project-and-unit-become-dimension-items",
      spec={"settings": {"dimensions": {"project_heading": "Projekti", "unit_heading": "Yksikkö"}}}, **DONE,
      sent="<dimensionitem>77 Verkkopalvelun uudistus<")
plain("NV-08-missing-heading", spec={"settings": {"dimensions": {"project_heading": "Puuttuu"}}}, error="data",
      reason="dimension_heading_missing", count=0)
plain("SV-02-in-doubt-and-absent-waits-for-the-quiet-time",
      spec={"steps": {"delivery": {"state": "intent", "age_ms": 1000}}}, error="doubt", count=0)
plain("SV-02-in-doubt-first-empty-look-up-does-not-count", spec={"steps": IN_DOUBT}, error="doubt", count=0)
plain("SV-02-in-doubt-absent-twice-is-sent", spec={"steps": TWICE}, **DONE, note="absent_at_target", count=1)
plain("SV-02-new-store-asks-the-target-first", spec={"epoch_ms": 4000000000000}, **DONE, count=1)
FAILED = {"source.failed": {"state": "done", "outcome": "x"}}


def with_failed(sb, **more):
    s = sb.setup["severa"]
    return {"settings": {"statuses": {"transfer": s["transfer_status"], "transferred": s["transferred_status"],
                                      "failed": s["failed_status"]}}, **more}


def failing(title, invoice="plain-hours", spec=None, prepare=None, **want):
    """A run of a connection that has a failed status."""
    def make(sb):
        if prepare:
            prepare(sb)
        return with_failed(sb, **(spec or {}))
    SCENARIOS.append((title, invoice, make, want))


plain("SV-02-new-store-absence-does-not-count-yet", spec={"epoch_ms": 4000000000000, "absent_counts_in_ms": 600000},
      error="waiting", count=0)


@scenario("SV-01-deleted-invoice-is-cancelled", outcome="cancelled", count=0)
def _(sb):
    sb.call("DELETE", "severa/kajo/invoices/plain-hours")


@scenario("SV-01-deleted-after-delivery-stays-done", outcome="done", note="deleted_after_delivery")
def _(sb):
    sb.call("DELETE", "severa/kajo/invoices/plain-hours")
    return {"steps": SENT}


@scenario("SV-02-status-changed-by-a-person-is-left-alone", outcome="done", note="status_left_alone", status="Luonnos", count=0)
def _(sb):
    sb.change("invoices/plain-hours", status="Luonnos")
    return {"steps": SENT}


@scenario("SV-02-already-transferred-is-done", outcome="done", count=0, status="transferred")
def _(sb):
    sb.change("invoices/plain-hours", status=sb.setup["severa"]["transferred_status"])
    return {"steps": SENT}


@scenario("SV-02-status-patch-fallback-to-object", outcome="done", count=1, status="transferred")
def _(sb):
    sb.change("", status_patch="status")


@scenario("SV-02-failing-patch-is-retried-without-a-second-delivery", error="outage", count=1, status="transfer")
def _(sb):
    sb.fault(system="severa", method="PATCH", kind="status", status=500)


@scenario("SV-02-line-cut-after-commit-leaves-doubt", error="doubt", count=1)
def _(sb):
    sb.fault(system="netvisor", match="salesinvoice.nv", kind="cut_after_commit")


def relay(sb, **more):
    """The invoice stands in Netvisor, Severa's status is the transfer status again."""
    run(sb, "plain-hours", {})
    sb.change("invoices/plain-hours", status=sb.setup["severa"]["transfer_status"])
    return more


@scenario("SV-01-one-odd-invoice-hides-no-other", outcome="done", report={"at_source": 26, "accounted": 26, "missing": []})
def _(sb):
    sb.change("invoices/several-vat-rates", fields={"dueDate": "soon", "totalExcludingTax": {"amount": "much"}})
    return {"kind": "poll", "page": 7}


@scenario("SV-02-in-doubt-and-found-is-not-sent-again", outcome="done", note="found_at_target", count=1, status="transferred")
def _(sb):
    return relay(sb, steps=IN_DOUBT)


@scenario("SV-02-in-doubt-and-the-number-is-taken", error="data", reason="number_taken", count=1)
def _(sb):
    relay(sb)
    sb.change("invoices/plain-hours", fields={"referenceNumber": "999993"})
    return {"steps": IN_DOUBT}


@scenario("SV-02-duplicate-is-believed-only-after-a-look", outcome="done", count=1, status="transferred")
def _(sb):
    relay(sb)
    sb.call("POST", "netvisor/kajo", {"refuse_duplicates": True})


@scenario("SV-02-relayed-and-seen-again", outcome="done", note="already_relayed", count=1, status="transferred")
def _(sb):
    return relay(sb, steps=ALL_DONE)


@scenario("SV-02-relayed-and-gone-at-the-target", error="data", reason="gone_at_target", count=0)
def _(sb):
    return {"steps": ALL_DONE}


@scenario("SV-05-changed-after-transfer-is-reported", outcome="done", report={"changed_after_transfer": ["10401", "10428"]})
def _(sb):
    relay(sb)
    sb.change("invoices/plain-hours", status=sb.setup["severa"]["transferred_status"], rows=[{"quantity": 11.0}])
    return {"kind": "poll", "known": {"delivered": True, "content_hash": "0" * 64}}


@scenario("SV-06-refused-secret-is-named", ok=False, problem="credentials_refused")
def _(sb):
    sb.change("", client_secret="another")
    return {"kind": "check"}


@scenario("SV-06-missing-scope-is-named", ok=False, problem="scope_missing")
def _(sb):
    sb.change("", missing_scope="leave_out", scopes="invoices:read,invoices:write,customers:read,settings:read,files:read,projects:read")
    return {"kind": "check"}


FEW = "invoices:read,settings:read,organization:read"


@scenario("SV-06-missing-scopes-of-a-refused-token-are-named", ok=False, problem="scope_missing")
def _(sb):
    sb.change("", missing_scope="refuse", scopes=FEW)
    return {"kind": "check"}


@scenario("SV-06-missing-scopes-that-show-when-used-are-named", ok=False, problem="scope_missing")
def _(sb):
    sb.change("", missing_scope="unsaid", scopes=FEW)
    return {"kind": "check"}


@scenario("SV-06-soap-key-is-recognised", ok=False, problem="soap_key")
def _(sb):
    return {"kind": "check", "credentials": {"severa": {"client_id": "SOAP4f1c2aa0b7e94d6f9c3", "client_secret": "x"}}}


@scenario("SV-06-soap-key-alone-is-recognised", ok=False, problem="soap_key")
def _(sb):
    return {"kind": "check", "credentials": {"severa": {"client_id": "SOAP4f1c2aa0b7e94d6f9c3", "client_secret": ""}}}


@scenario("SV-06-expired-token-is-renewed-once", outcome="done", count=1)
def _(sb):
    sb.fault(system="severa", match="/v1/invoices", kind="status", status=401)


@scenario("SV-06-unknown-status-is-named", ok=False, problem="status_unknown")
def _(sb):
    return {"kind": "check", "settings": {"statuses": {"transfer": "Ei ole", "transferred": sb.setup["severa"]["transferred_status"]}}}


@scenario("SV-08-status-must-give-a-number", ok=False, problem="status_without_number")
def _(sb):
    return {"kind": "check", "settings": {"statuses": {"transfer": "Luonnos", "transferred": sb.setup["severa"]["transferred_status"]}}}


@scenario("NV-01-locked-period-is-named", error="data", reason="period_locked", count=0)
def _(sb):
    sb.call("POST", "netvisor/kajo", {"locked_until": "2026-12-31"})


@scenario("NV-01-technical-error-of-a-write-leaves-doubt", error="doubt", count=0)
def _(sb):
    sb.fault(system="netvisor", match="salesinvoice.nv", kind="status", status=500, code="TECHNICAL_ERROR")


@scenario("NV-01-maintenance-is-an-outage", error="outage", count=0)
def _(sb):
    sb.fault(system="netvisor", match="salesinvoice.nv", kind="status", status=500, code="SYSTEM_MAINTENANCE")


@scenario("NV-01-refused-keys-pause", error="credentials", reason="credentials_refused", count=0)
def _(sb):
    sb.fault(system="netvisor", kind="status", status=401, code="AUTHENTICATION_FAILED")


@scenario("NV-03-name-of-another-customer-takes-the-number", error="data", reason="customer_number_taken", count=0)
def _(sb):
    sb.call("POST", "netvisor/kajo/customers/1001", {"externalidentifier": "9000112-9"})


@scenario("NV-03-customer-without-address", error="data", reason="customer_address_missing", count=0)
def _(sb):
    for a in sb.call("GET", "severa/kajo/addresses"):
        if a["customer"].get("number") == 1001:
            sb.change("addresses/" + a["guid"], city=None)


@scenario("NV-03-invalid-business-id", error="data", reason="business_id_invalid", count=0)
def _(sb):
    sb.change("customers/1001", vatNumber="FI12345678")


@scenario("NV-03-operator-missing", error="data", reason="operator_missing", count=0)
def _(sb):
    sb.change("customers/1001", eInvoiceOperator=None)


@scenario("NV-06-product-unknown-everywhere", error="data", reason="product_unknown", count=0)
def _(sb):
    sb.change("invoices/plain-hours", rows=[{"code": ["EI-OLE"]}])


@scenario("NV-07-product-of-an-unclear-creation-is-looked-up", outcome="done", count=1)
def _(sb):
    return {"steps": {"netvisor.product.KONS-01": {"state": "intent", "age_ms": 200000, "lookups": 1, "lookup_age_ms": 5000}}}


@scenario("NV-08-renamed-project-renames-the-item", outcome="done", sent_any="<olditem>77 Verkkopalvelun uudistus<")
def _(sb):
    more = {"dimensions": {"project_heading": "Projekti"}}
    run(sb, "plain-hours", {"settings": more})
    sb.change("projects/77", name="Verkkopalvelu 2")
    sb.change("invoices/credit-note", status=sb.setup["severa"]["transfer_status"])
    return {"settings": more, "invoice": "credit-note"}


failing("SV-03-failed-status-for-data-to-mend", "customer-without-number", error="data", reason="customer_number_missing",
        note="failed_status_set", count=0, status="failed")
failing("SV-03-failed-status-for-a-final-refusal", error="data", reason="period_locked", note="failed_status_set", count=0,
        status="failed", prepare=lambda sb: sb.call("POST", "netvisor/kajo", {"locked_until": "2026-12-31"}))
failing("SV-03-no-failed-status-while-retrying", error="outage", count=0, status="transfer", prepare=lambda sb: sb.fault(
    system="netvisor", match="salesinvoice.nv", kind="status", status=500, code="SYSTEM_MAINTENANCE"))
failing("SV-03-no-failed-status-in-doubt", error="doubt", count=1, status="transfer", prepare=lambda sb: sb.fault(
    system="netvisor", match="salesinvoice.nv", kind="cut_after_commit"))
failing("SV-03-no-failed-status-for-refused-keys", error="credentials", reason="credentials_refused", count=0, status="transfer",
        prepare=lambda sb: sb.fault(system="netvisor", kind="status", status=401, code="AUTHENTICATION_FAILED"))


@scenario("SV-03-no-failed-status-while-the-number-is-taken-in-doubt", error="data", reason="number_taken", count=1, status="transfer")
def _(sb):
    relay(sb)
    sb.change("invoices/plain-hours", fields={"referenceNumber": "999993"})
    return with_failed(sb, steps=IN_DOUBT)


@scenario("SV-03-failed-status-not-over-one-of-a-person", "customer-without-number", error="data", reason="customer_number_missing",
          count=0, status="Luonnos")
def _(sb):
    return with_failed(sb, meanwhile={"before": "read invoice", "after": 1, "body": {"status": "Luonnos"},
                                      "url": sb.url + "/_sandbox/severa/kajo/invoices/customer-without-number"})


@scenario("SV-03-refused-failed-status-is-tried-again", "customer-without-number", error="data", reason="customer_number_missing",
          count=0, status="transfer", note="data")
def _(sb):
    sb.fault(system="severa", method="PATCH", kind="status", status=400, count=2)
    return with_failed(sb)


failing("SV-03-back-from-failed-goes-on", spec={"steps": FAILED}, outcome="done", note="came_back", count=1, status="transferred")
failing("SV-03-back-from-failed-after-a-delivery-is-sent-once-more", spec={"steps": {**ALL_DONE, **FAILED}}, outcome="done",
        note="next_generation", count=1, status="transferred", generation=2)


@scenario("SV-03-left-in-failed-keeps-its-error", error="data", reason="in_failed_status", count=0, status="failed")
def _(sb):
    sb.change("invoices/plain-hours", status=sb.setup["severa"]["failed_status"])
    return with_failed(sb, steps=FAILED)


@scenario("SV-03-back-from-transferred-is-never-resent", outcome="done", note="already_relayed", count=1, status="transferred")
def _(sb):
    relay(sb)
    return with_failed(sb, steps=ALL_DONE)


# What a webhook's body says: the id and nothing else is taken from it.
def hint(title, body, **want):
    SCENARIOS.append((title, "plain-hours", lambda sb: {"hint": body}, want))


hint("SV-01-hint-names-the-document", '{"type":"invoice.changed","timestamp":"2026-11-22T10:00:00Z","data":{"id":'
     '"0e6d9a10-0000-4000-8000-000000000011","status":"paid","total":1}}', kind="invoice",
     source_id="0e6d9a10-0000-4000-8000-000000000011")
hint("SV-01-hint-of-another-type-is-passed-over", '{"type":"customer.changed","data":{"id":"x"}}', kind=None, source_id=None)
hint("SV-01-hint-without-a-type-is-refused", '{"data":{"id":"0e6d9a10-0000-4000-8000-000000000011"}}', error="input", pointer="/type")
hint("SV-01-hint-with-another-id-is-refused", '{"type":"invoice.changed","data":{"id":"10401"}}', error="input", pointer="/data/id")

DIMENSIONS = {"dimensions": {"project_heading": "Projekti", "unit_heading": "Yksikkö"}}
SEVERAL = [{"description": "Tunnit", "rowType": "Hours", "code": ["KONS-01"]}, {"description": "Lisenssi"},
           {"description": "Matka", "rowType": "TravelExpenses"}, {"description": "Yhteinen"}, {"description": "Kiinteä", "rowType": "FlatRate"}]


def several_projects(sb, **more):
    sb.change("invoices", invoices=[{"name": "several", "project": 77, "second_project": 78, "rows": SEVERAL,
                                     "row_projects": [[77], [78], [78, 78], [77, 78], [77]], **more}])
    return {"settings": {**DIMENSIONS, "products": {"temp_code": "TEMP"}}, "invoice": "several"}


@scenario("NV-11-rows-of-several-projects-carry-their-own", outcome="done", note="row_without_project", count=1,
          row_dimensions=[["77"], ["78"], ["78"], [], []])
def _(sb):
    return several_projects(sb)


@scenario("NV-11-credit-note-of-several-projects", outcome="done", count=1, row_dimensions=[["77"], ["78"], ["78"], [], []])
def _(sb):
    return several_projects(sb, is_credit_note=True)


plain("NV-11-rows-carry-none-when-not-set", spec={"settings": {"dimensions": {
    **DIMENSIONS["dimensions"], "on_invoice_rows": False}}}, **DONE, row_dimensions=[[]])


@scenario("NV-08-item-of-an-unclear-creation-is-looked-up", outcome="done", count=1, row_dimensions=[["77"]], added_items=0)
def _(sb):
    sb.fault(system="netvisor", match="dimensionitem.nv", kind="cut_after_commit")
    run(sb, "plain-hours", {"settings": {"dimensions": {"project_heading": "Projekti"}}})
    return {"settings": {"dimensions": {"project_heading": "Projekti"}},
            "steps": {"netvisor.dimension.Projekti.77": {"state": "intent", "age_ms": 1000}}}


@scenario("NV-08-item-of-an-unclear-creation-waits", error="doubt", count=0, added_items=0)
def _(sb):
    return {"settings": {"dimensions": {"project_heading": "Projekti"}},
            "steps": {"netvisor.dimension.Projekti.77": {"state": "intent", "age_ms": 1000}}}


@scenario("NV-01-only-pdf-attachments-go-along", outcome="done", note="attachment_left_out", sent="<filename>erittely.pdf<",
          not_sent=["taulukko.xlsx", "nimeltaan.pdf"], count=1)
def _(sb):
    pdf = "JVBERi0xLjQKJcOkw7zDtsOfCg=="
    sb.change("invoices", invoices=[{"name": "files", "rows": [{"code": ["KONS-01"]}], "files": [
        {"name": "erittely.pdf", "content_type": "application/octet-stream", "base64": pdf},
        {"name": "taulukko.xlsx", "content_type": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "text": "PK"},
        {"name": "nimeltaan.pdf", "content_type": "application/pdf", "text": "no PDF at all"}]}])
    return {"settings": {"send_pdf": True}, "invoice": "files"}


@scenario("NV-02-customer-made-by-another-meanwhile", "several-vat-rates", outcome="done", count=1)
def _(sb):
    customer = sb.invoice("several-vat-rates")["customer"]
    vat = sb.invoice("several-vat-rates")["receiverVatNumber"]
    return {"meanwhile": {"before": "add customer", "url": sb.url + "/_sandbox/netvisor/kajo/customers",
                          "body": {"internalidentifier": str(customer["number"]), "name": customer["name"],
                                   "externalidentifier": vat[2:9] + "-" + vat[9:]}}}


@scenario("NV-07-product-made-by-another-meanwhile", outcome="done", count=1)
def _(sb):
    return {"meanwhile": {"before": "add product", "url": sb.url + "/_sandbox/netvisor/kajo/products",
                          "body": {"productcode": "KONS-01", "name": "Konsultointi"}}}


@scenario("NV-07-product-refused-as-a-duplicate-of-nothing", error="data", reason="refused_by_target", count=0)
def _(sb):
    sb.fault(system="netvisor", match="product.nv?method=add", kind="status", status=200, code="DUPLICATE_DATA")


@scenario("NV-01-dry-run-shows-and-writes-nothing", outcome="done", count=0, status="transfer", writes=0,
          dry={"number": "10401", "rows": 1, "notes": ["customer_updated", "product_added", "dimension_added", "dimension_added"]})
def _(sb):
    return {"preview": True, "settings": {**DIMENSIONS, "send_pdf": True}}


@scenario("NV-01-dry-run-of-a-draft", "straight-to-transferred", outcome="done", count=0, writes=0,
          dry={"number": "10428", "rows": 1, "notes": ["not_in_transfer_status"]})
def _(sb):
    return {"preview": True, "settings": TEMP}


@scenario("NV-01-dry-run-names-what-is-missing", "customer-without-number", error="data", reason="customer_number_missing", count=0, writes=0)
def _(sb):
    return {"preview": True}


@scenario("SV-02-status-changed-by-a-person-while-it-was-sent", outcome="done", note="status_left_alone", status="Luonnos", count=1)
def _(sb):
    return {"meanwhile": {"before": "read invoice", "after": 1, "url": sb.url + "/_sandbox/severa/kajo/invoices/plain-hours",
                          "body": {"status": "Luonnos"}}}


def head_office(**fields):
    def prepare(sb):
        for a in sb.call("GET", "severa/kajo/addresses"):
            if a["customer"].get("number") == 1001:
                sb.change("addresses/" + a["guid"], **fields)
    return prepare


@scenario("SV-07-check-refuses-a-status-that-another-relays", ok=False, problem="status_taken")
def _(sb):
    return {"kind": "check", "values": {"severa.owner|%s:9000101-4" % sb.setup["severa"]["transfer_status"]: "twin"}}


@scenario("SV-07-check-refuses-two-statuses-that-are-one", ok=False, problem="statuses_same")
def _(sb):
    s = sb.setup["severa"]
    return {"kind": "check", "settings": {"statuses": {"transfer": s["transfer_status"], "transferred": s["transferred_status"],
                                                       "failed": s["transferred_status"]}}}


OTHER = "9000102-2"  # Kajo Data Oy, a business unit with a VAT number


plain("SV-09-unowned-invoice-is-reported", spec={"kind": "poll"}, outcome="done", report={"unowned": ["10427"]})


@scenario("SV-09-invoice-of-another-connection-is-not-reported", outcome="done", report={"unowned": []})
def _(sb):
    return {"kind": "poll", "values": {"severa.owner|%s:%s" % (sb.setup["severa"]["transfer_status"], OTHER): "data"}}


plain("SV-09-unit-with-a-vat-number-relays-its-own", "other-company-of-the-group",
      spec={"settings": {"company": {"vat_number": "FI" + OTHER.replace("-", "")}, **TEMP}}, outcome="done", count=1, status="transferred")
plain("SV-09-check-of-a-unit-with-a-vat-number", spec={"kind": "check", "settings": {"company": {"vat_number": OTHER}}}, ok=True)
plain("SV-09-check-refuses-who-sends-no-invoices", spec={"kind": "check", "settings": {"company": {"vat_number": "9000112-9"}}},
      ok=False, problem="company_unknown")

def phone_emptied(last):
    """The customer's phone number stands in Netvisor alone; `last`: what was synchronised before."""
    def prepare(sb):
        head_office(phone=None)(sb)
        sb.call("POST", "netvisor/kajo/customers/1001", {"phonenumber": "+358 40 1"})
        scope = "severa:%s:netvisor:%s" % (sb.setup["severa"]["client_id"], sb.setup["netvisor"]["organisation_id"])
        theirs = sb.call("GET", "netvisor/kajo/customers/1001")["netvisor_key"]
        guid = sb.call("GET", "severa/kajo/customers/1001")["guid"]
        link = {"id": str(theirs), "values": last}
        return {"values": {"%s|customer:%s" % (scope, guid): json.dumps(link)}}
    return prepare


SCENARIOS.append(("NV-05-emptied-field-empties-what-was-synchronised", "plain-hours", phone_emptied({"phonenumber": "+358 40 1"}),
                  {**DONE, "count": 1, "sent_any": "<phonenumber/>"}))
SCENARIOS.append(("NV-05-field-that-was-always-empty-is-left-alone", "plain-hours", phone_emptied({"phonenumber": ""}),
                  {**DONE, "count": 1, "not_sent": ["phonenumber"]}))
PRIVATE = {"settings": {"customers": {"private_rule": "without_vat_number"}}}


@scenario("NV-03-private-person-of-the-same-name-is-linked", "private-person", outcome="done", count=1, sent_any="<isprivatecustomer>1<")
def _(sb):
    customer = sb.invoice("private-person")["customer"]
    sb.call("POST", "netvisor/kajo/customers", {"internalidentifier": str(customer["number"]), "name": customer["name"]})
    return PRIVATE


@scenario("NV-03-private-person-of-another-name-takes-the-number", "private-person", error="data", reason="customer_number_taken", count=0)
def _(sb):
    customer = sb.invoice("private-person")["customer"]
    sb.call("POST", "netvisor/kajo/customers", {"internalidentifier": str(customer["number"]), "name": "Joku Muu"})
    return PRIVATE


@scenario("NV-06-known-product-is-never-updated", outcome="done", count=1, not_sent=["<productcode>"])
def _(sb):
    sb.call("POST", "netvisor/kajo/products", {"productcode": "KONS-01", "name": "Vanha nimi", "unitprice": "1"})


plain("SV-04-older-than-the-activation-is-not-reported", spec={"kind": "poll", "activated_ms": 4000000000000}, outcome="done",
      report={"never_relayed": []})

# One case for each reason that this flow can stand still for, and that no scenario above is about (lint: reasons).
def broken(title, reason, prepare, invoice="plain-hours", **want):
    SCENARIOS.append((title, invoice, prepare, {"error": "data", "reason": reason, "count": 0, **want}))


def with_fields(**fields):
    return lambda sb: sb.change("invoices/plain-hours", fields=fields)


def with_row(**row):
    return lambda sb: sb.change("invoices/plain-hours", rows=[row])


def made(**invoice):
    def prepare(sb):
        sb.change("invoices", invoices=[{"name": "made", **invoice}])
        return {"invoice": "made"}
    return prepare


broken("NV-01-invoice-without-a-number", "number_missing", with_fields(number=None))
broken("NV-01-invoice-without-rows", "rows_missing", made(rows=[]))
broken("NV-01-currency-is-no-code", "currency_invalid", with_fields(currency={"code": "EURO"}))
broken("NV-01-date-is-missing", "date_missing", with_fields(date=None))
broken("NV-01-date-that-is-none", "answer_unreadable", with_fields(dueDate="2026-02-30"), error="system")
broken("NV-01-row-without-a-rate", "vat_rate_missing", with_row(vatRate=None))
broken("NV-01-amount-of-too-many-digits", "amount_too_large",
       with_row(quantity=10 ** 20 - 1, unitPrice={"amount": 10 ** 20 - 1, "currencyCode": "EUR"}))
broken("NV-01-control-character", "char_not_allowed", with_row(description="a\u0001b"))
broken("NV-01-attachment-is-too-large", "attachment_too_large",
       lambda sb: sb.fault(system="severa", match="/pdf", kind="huge", bytes=11 << 20) or {"settings": {"send_pdf": True}})
broken("NV-02-invoice-without-a-customer", "customer_missing", with_fields(customer=None))
broken("NV-03-customer-without-a-name", "customer_name_missing", lambda sb: sb.change("customers/1001", name=""))
broken("NV-03-name-of-too-many-characters", "field_too_long", lambda sb: sb.change("customers/1001", name="Pitkä " * 50))
broken("NV-03-country-that-nobody-knows", "country_unknown",
       head_office(country={"guid": "0e6d9a10-0000-4000-8000-00000000dead", "name": "Atlantis"}))
broken("NV-06-temporary-product-is-missing", "temp_product_missing",
       lambda sb: {"settings": {"products": {"temp_code": "NONE"}}}, "code-missing")
broken("SV-02-status-that-severa-refuses", "status_refused",
       lambda sb: sb.fault(system="severa", method="PATCH", kind="status", status=400, count=2), count=1)


@scenario("SV-02-deleted-while-its-sending-was-unclear", error="data", reason="deleted_in_doubt", count=0)
def _(sb):
    sb.call("DELETE", "severa/kajo/invoices/plain-hours")
    return {"steps": IN_DOUBT}


def sent_as(sb, organisation=None):
    """An old open intent of plain-hours as it is now: what it may have been sent as."""
    inv = sb.invoice("plain-hours")
    ident = {"organisation": organisation or sb.setup["netvisor"]["organisation_id"], "number": str(inv["number"]),
             "customer": str(inv["customer"]["number"]), "date": inv["date"][:10], "currency": "EUR", "hash": "5e" * 32,
             "reference": inv["referenceNumber"], "sum": inv["totalIncludingTax"]["amount"]}
    return {"delivery": {"state": "intent", "age_ms": 200000, "about": json.dumps(ident)}}


@scenario("SV-02-renumbered-while-in-doubt-is-known-by-what-was-sent", outcome="done", note="found_at_target", count=1,
          status="transferred")
def _(sb):
    steps = sent_as(sb)
    relay(sb)
    sb.change("invoices/plain-hours", fields={"number": 777001, "referenceNumber": "7770013"})
    return {"steps": steps}


@scenario("SV-02-in-doubt-is-settled-before-anything-is-asked-of-the-document", outcome="done", note="found_at_target", count=1,
          status="transferred")
def _(sb):
    steps = sent_as(sb)
    relay(sb)
    sb.change("invoices/plain-hours", fields={"date": None})
    return {"steps": steps}


@scenario("SV-02-deleted-while-in-doubt-and-found", outcome="done", note="deleted_after_delivery", count=1)
def _(sb):
    steps = sent_as(sb)
    relay(sb)
    sb.call("DELETE", "severa/kajo/invoices/plain-hours")
    return {"steps": steps}


@scenario("SV-02-in-doubt-towards-another-organisation", error="data", reason="target_changed", count=0)
def _(sb):
    return {"steps": sent_as(sb, "2616962-1")}


@scenario("SV-02-in-doubt-and-found-twice", error="data", reason="several_matches", count=2)
def _(sb):
    relay(sb)
    relay(sb)
    return {"steps": IN_DOUBT}


PROGRAM = None


def run(sb, invoice, spec):
    spec = dict(spec)
    invoice = spec.pop("invoice", invoice)
    if "hint" in spec:
        return record(spec)
    try:
        guid = sb.invoice(invoice)["guid"]
    except urllib.error.HTTPError:
        guid = sb.guids[invoice]
    whole = {"kind": "invoice", "source_id": guid, **spec,
             "settings": settings(sb.setup, **spec.get("settings", {})), "credentials": {**credentials(sb.setup), **spec.get("credentials", {})}}
    return record(whole)


def record(spec):
    done = subprocess.run([PROGRAM, "record"], input=json.dumps(spec, ensure_ascii=False), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def row_dimensions(bodies):
    """The start of each row's dimension items, of projects alone."""
    sent = [b for b in bodies if "<salesinvoice>" in b][-1]
    return [re.findall(r"<dimensionname>Projekti</dimensionname><dimensionitem>(\d+) ", row)
            for row in re.findall(r"<salesinvoiceproductline>.*?</salesinvoiceproductline>", sent)]


def complaints(sb, invoice, want, case):
    got = case["expect"]
    for key in ("outcome", "error", "reason", "generation", "kind", "source_id", "pointer"):
        if got.get(key) != want.get(key, got.get(key) if key == "outcome" and "ok" in want else None):
            yield "%s is %s" % (key, got.get(key))
    if "note" in want and want["note"] not in got["notes"]:
        yield "no note " + want["note"]
    if "count" in want and len(sb.documents()) != want["count"]:
        yield "Netvisor has %d documents" % len(sb.documents())
    bodies = [x.get("body", "") for x in case.get("exchanges", [])]
    if "sent" in want and not any(want["sent"] in b and "<salesinvoice>" in b for b in bodies):
        yield "invoice without " + want["sent"]
    if "sent_any" in want and not any(want["sent_any"] in b for b in bodies):
        yield "nothing sent with " + want["sent_any"]
    for text in want.get("not_sent", []):
        if any(text in b for b in bodies):
            yield "sent " + text
    if "row_dimensions" in want and row_dimensions(bodies) != want["row_dimensions"]:
        yield "dimensions of rows: %s" % row_dimensions(bodies)
    if "added_items" in want and sum("<dimensionitem><name>" in b for b in bodies) != want["added_items"]:
        yield "items were added"
    if "writes" in want and sum(x["method"] != "GET" and not x["url"].endswith("/token") for x in case["exchanges"]) != want["writes"]:
        yield "something was written"
    if "status" in want:
        s = sb.setup["severa"]
        wanted = s.get(want["status"] + "_status", want["status"])
        if wanted not in sb.invoice(invoice)["status"].values():
            yield "status is " + sb.invoice(invoice)["status"]["name"]
    for key, value in want.get("report", {}).items():
        if got["report"][key] != value:
            yield "report %s is %s" % (key, got["report"][key])
    if "ok" in want and got["result"]["ok"] is not want["ok"]:
        yield "check: %s" % got["result"]
    if "problem" in want and want["problem"] not in [p["code"] for p in got["result"]["problems"]]:
        yield "problems: %s" % got["result"]["problems"]
    yield from dry_complaints(got.get("result") or {}, want.get("dry"))


def dry_complaints(result, want):
    """A dry run's answer against {"number", "rows", "notes"}."""
    if want is None:
        return
    if (result["invoice"]["number"], len(result["invoice"]["rows"])) != (want["number"], want["rows"]):
        yield "invoice: %s" % result["invoice"]
    if [n["code"] for n in result["notes"]] != want["notes"] or not all(n["text"] for n in result["notes"]):
        yield "notes: %s" % result["notes"]
    if result["media_type"] != "text/xml" or not result["document"].startswith("<root><salesinvoice>"):
        yield "document: %s" % result["document"][:100]


class Book:
    """The scenarios of one flow. run(sandbox, invoice, spec) records, complaints(sandbox, invoice, want, case) judges."""

    def __init__(self, folder, scenarios, run_one, complaints_of):
        self.folder, self.scenarios, self.run, self.complaints = folder, scenarios, run_one, complaints_of

    def stale(self):
        """Names of the cases that do not replay any more."""
        said = subprocess.run([PROGRAM, str(self.folder.parent)], capture_output=True, text=True, check=False).stdout
        return set(re.findall("^%s/([^:]+):" % self.folder.name, said, re.M))

    def write(self, title, case):
        text = re.sub(r"http://127\.0\.0\.1:\d+", "http://sandbox.test", json.dumps(case, indent=1, ensure_ascii=False))
        text = re.sub(r"127\.0\.0\.1:\d+", "sandbox.test", text)
        (self.folder / title).mkdir(parents=True, exist_ok=True)
        (self.folder / title / "case.json").write_text(text + "\n")

    def record(self, sb, prefix=None):
        """Exit status."""
        bad = done = 0
        stale = self.stale()
        for title, invoice, prepare, want in self.scenarios:
            wanted = title.startswith(prefix) if prefix else title in stale or not (self.folder / title).exists()
            if not wanted:
                continue
            done += 1
            sb.reset()
            sb.call("DELETE", "faults")
            sb.guids = {invoice: sb.invoice(invoice)["guid"]}
            spec = prepare(sb)
            case = self.run(sb, invoice, spec if isinstance(spec, dict) else {})
            wrong = list(self.complaints(sb, invoice, want, case))
            for line in wrong:
                print("%s: %s (%s)" % (title, line, json.dumps(case["expect"], ensure_ascii=False)[:400]))
            bad += bool(wrong)
            if not wrong:
                self.write(title, case)
        print("recorded: %d of %d" % (done - bad, done))
        return bad > 0


def main(book, sandbox=Sandbox):
    global PROGRAM
    PROGRAM = sys.argv[1]
    sb = sandbox(sys.argv[2])
    try:
        sys.exit(book.record(sb, sys.argv[3] if len(sys.argv) > 3 else None))
    finally:
        sb.process.terminate()


if __name__ == "__main__":
    main(Book(HERE, SCENARIOS, run, complaints))
