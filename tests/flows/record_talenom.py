#!/usr/bin/python3
"""Records the flow cases of severa_talenom against a fresh sandbox: record_talenom.py FLOW_CASES SANDBOX [PREFIX]. As record.py, whose
recorder this is: each scenario prepares the sandbox, says what must come of the run and what Talenom must hold afterwards."""
import json
import threading
import time

import record as recorder
from record import Book, record
from scenarios import outcome_complaints, scenario

HERE = recorder.HERE.parent / "severa_talenom"


class Sandbox(recorder.Sandbox):
    def ledger(self):
        return self.call("GET", "talenom/kajo")

    def contact(self):
        """That of the customer of plain-hours."""
        guid = self.invoice("plain-hours")["customer"]["guid"]
        return next((c for c in self.call("GET", "talenom/kajo/contacts") if c["externalId"] == guid), {})

    def products(self):
        return {p["code"]: p for p in self.call("GET", "talenom/kajo/products")}


def settings(setup, **more):
    s = setup["severa"]
    return {"statuses": {"transfer": s["transfer_status"], "transferred": s["transferred_status"]}, "company": {"vat_number": s["vat_number"]},
            "contract_reference": "TAL-2026-4", "transfer_times": {"interval_s": 1}, "severa": {"url": s["base_url"]},
            "talenom": {"url": setup["talenom"]["base_url"], "token_url": setup["talenom"]["token_url"]}, **more}


def run(sb, invoice, spec):
    spec = dict(spec)
    invoice = spec.pop("invoice", invoice)
    s, t = sb.setup["severa"], sb.setup["talenom"]
    keys = {"severa": {"client_id": s["client_id"], "client_secret": s["client_secret"]},
            "talenom": {k: t[k] for k in ("client_id", "client_secret", "subscription_key", "organization_number")} | spec.pop("keys", {})}
    if spec.pop("came_long_ago", True):
        spec["steps"] = {"severa.seen": {"state": "done", "outcome": "0"}, **spec.get("steps", {})}
    whole = settings(sb.setup, **{k: v for k, v in spec.get("settings", {}).items() if k != "talenom"})
    whole["talenom"].update(spec.get("settings", {}).get("talenom", {}))
    return record({"flow": "severa-talenom", "kind": "invoice", "source_id": sb.invoice(invoice)["guid"], **spec, "settings": whole,
                   "credentials": keys})


# ---- what came of it ---------------------------------------------------------------------------


def complaints(sb, invoice, want, case):
    yield from outcome_complaints(sb, invoice, want, case)
    ledger = sb.ledger()
    for key in ("count", "drafts", "sales_vouchers", "payments_told"):
        if key in want and ledger[key] != want[key]:
            yield "%s: %s" % (key, ledger[key])
    if ledger["duplicates"] or ledger["booked_twice"]:
        yield "doubled"
    document = ledger["documents"][0] if ledger["documents"] else {"content": {}}
    for name, value in want.get("document", {}).items():
        got = document["content"].get(name, document.get(name))
        if got != value:
            yield "%s is %s" % (name, got)
    for i, row in want.get("rows", {}).items():
        got = document["content"]["lineItems"][i]
        if any(got.get(k) != v for k, v in row.items()):
            yield "row %d is %s" % (i, got)
    for name, value in want.get("contact", {}).items():
        if sb.contact().get(name) != value:
            yield "contact: %s is %s" % (name, sb.contact().get(name))
    for code, fields in want.get("products", {}).items():
        got = sb.products().get(code, {})
        if any(got.get(k) != v for k, v in fields.items()):
            yield "product %s is %s" % (code, got)
    if "steps" in want and case["expect"]["steps"] != want["steps"]:
        yield "steps: %s" % case["expect"]["steps"]
    if "open" in want and [v["open"] for v in ledger["vouchers"] if not v["is_payment"]] != want["open"]:
        yield "vouchers: %s" % ledger["vouchers"]


SCENARIOS = []


def plain(*args, **named):
    SCENARIOS.append(scenario(*args, **named))


def change(invoice="plain-hours", **fields):
    return lambda sb: sb.change("invoices/" + invoice, fields=fields)


def with_rows(*rows):
    return lambda sb: sb.change("invoices/plain-hours", rows=list(rows))


def cut(match, method="POST", kind="cut_after_commit"):
    return lambda sb: sb.fault(system="talenom", method=method, match=match, kind=kind)


GOES = {"outcome": "done", "count": 1, "drafts": 0, "sales_vouchers": 0, "status": "transferred"}
STAYS = {"count": 0, "sales_vouchers": 0, "status": "transfer"}
VOUCHER = {"settings": {"revenue": {"by": "voucher"}}}
POSTED = {"outcome": "done", "count": 0, "drafts": 0, "sales_vouchers": 1, "status": "transferred"}

# ---- TA-01: what goes along, step by step ------------------------------------------------------

plain("TA-01-contact-draft-content-approval", **GOES, notes=["customer_added", "sent", "status_set"], writes=5,
      document={"number": 10401, "date": "2026-10-30", "sum": 1443.25, "referenceNumber": "104016", "dueDate": "2026-11-13", "currency": "EUR"})
plain("TA-01-credit-note-is-below-zero", "credit-note", **GOES, document={"type": "Credit", "sum": -360.81})
plain("TA-01-foreign-currency", "foreign-currency", **GOES, document={"currency": "SEK"})
plain("TA-01-sum-off-by-a-cent-is-rounding", "off-by-a-cent", **GOES, notes=["rounding"])
plain("TA-01-sum-off-by-five-is-refused", "off-by-five", error="data", reason="sum_mismatch", **STAYS, writes=0)
plain("TA-01-sum-that-talenom-computes-otherwise-is-not-approved", error="data", reason="sum_differs_at_target", **STAYS, drafts=1,
      prepare=lambda sb: sb.call("POST", "talenom/kajo", {"gross_off": 1}) and None)
plain("TA-01-refused-keys-pause", spec={"keys": {"subscription_key": "wrong"}}, error="credentials", reason="credentials_refused", **STAYS, writes=0)
plain("TA-01-talenom-is-away", error="outage", **STAYS, prepare=lambda sb: sb.fault(system="talenom", kind="status", status=503, count=9))
plain("TA-01-dry-run-shows-and-writes-nothing", spec={"preview": True}, outcome="done", **STAYS, writes=0, drafts=0, dry='"lineItems"')
plain("TA-01-dry-run-of-a-voucher", spec={"preview": True, **VOUCHER}, outcome="done", **STAYS, writes=0, drafts=0, dry='"postings"')

# ---- TA-01, TA-02: taken up at the right step --------------------------------------------------


def begun(sb, invoice="plain-hours", step="draft", generation=1, **more):
    """Talenom answers nothing from a step on; the next run knows of it what a kill leaves."""
    match, method = {"draft": ("/invoices?contactId", "POST"), "content": ("/invoices/", "PUT"), "approve": ("/approve", "POST"),
                     "contact": ("/contacts", "POST")}[step]
    sb.fault(system="talenom", method=method, match=match, kind="cut_after_commit")
    first = run(sb, invoice, {"generation": generation})
    sb.call("DELETE", "faults")
    steps = {name: {"state": state, "age_ms": 200000, "outcome": "x"} for name, state in first["expect"]["steps"].items()}
    for name in list(steps):
        if steps[name]["state"] == "done":
            del steps[name]
    documents = sb.ledger()["documents"]
    if documents and step != "draft":
        steps["talenom.draft"] = {"state": "done", "outcome": documents[0]["id"]}
    return {"steps": steps, **more}


for n, name in enumerate(("contact", "draft", "content", "approve")):
    code = {"approve": "doubt", "contact": "doubt", "draft": "doubt", "content": "outage"}[name]
    plain("TA-01-line-cut-after-the-%s" % name, error=code, sales_vouchers=0, status="transfer",
          count=1 if name == "approve" else 0, drafts=0 if name in ("contact", "approve") else 1,
          prepare=cut(*{"draft": ("/invoices?contactId", "POST"), "content": ("/invoices/", "PUT"), "approve": ("/approve", "POST"),
                        "contact": ("/contacts", "POST")}[name]))
    plain("TA-01-taken-up-after-the-%s" % name, **GOES, writes=(4, 3, 3, 1)[n], prepare=lambda sb, step=name: begun(sb, step=step),
          **({"notes": ["found_at_target"]} if name == "approve" else {}))
plain("TA-01-draft-in-doubt-and-absent-waits", error="doubt", **STAYS, drafts=0,
      spec={"steps": {"talenom.draft": {"state": "intent", "age_ms": 1000}}})
plain("TA-01-draft-in-doubt-and-absent-twice-is-made", **GOES, notes=["absent_at_target"],
      spec={"steps": {"talenom.draft": {"state": "intent", "age_ms": 200000, "lookups": 1, "lookup_age_ms": 5000}}})
plain("TA-01-draft-that-somebody-deleted-is-made-again", **GOES,
      spec={"steps": {"talenom.draft": {"state": "done", "outcome": "00000000-0000-4000-8000-000000000000"}}})


RARELY = {"transfer_times": {"interval_s": 86400}}
plain("TA-01-what-has-begun-goes-on-at-any-time", **GOES, writes=3,
      prepare=lambda sb: {**begun(sb, step="draft"), "came_long_ago": False, "settings": RARELY})
plain("TA-01-what-may-have-been-sent-is-settled-at-any-time", **GOES, notes=["found_at_target"],
      prepare=lambda sb: relayed(sb, steps=IN_DOUBT, came_long_ago=False, settings=RARELY))
plain("TA-01-status-is-set-at-any-time", spec={"came_long_ago": False, "settings": RARELY, "steps": {"talenom.invoice": {"state": "done", "outcome": "x"}}},
      outcome="done", status="transferred", notes=["status_set"])
plain("TA-01-what-leaves-the-transfer-status-begins-anew", "draft", outcome="skipped", steps={})
plain("TA-01-what-began-in-an-earlier-stay-waits", error="waiting", reason="not_yet", **STAYS, drafts=1,
      prepare=lambda sb: (s := begun(sb, step="draft")) and s["steps"]["talenom.draft"].update(age_ms=7200000) or
      {**s, "came_long_ago": False, "settings": RARELY})


def edited_before_approval(sb):
    """The draft has its content, Talenom was away for the approval, and somebody edits the invoice meanwhile."""
    sb.fault(system="talenom", method="POST", match="/approve", kind="status", status=503)
    run(sb, "plain-hours", {})
    sb.call("DELETE", "faults")
    change(yourReference="muutettu")(sb)
    return {"steps": {"talenom.draft": {"state": "done", "outcome": sb.ledger()["documents"][0]["id"]},
                      "talenom.content": {"state": "done", "outcome": "hash-of-before 1"}}}


plain("TA-01-what-was-edited-before-the-approval-goes-as-it-is-now", **GOES, document={"yourReference": "muutettu"}, writes=3,
      prepare=edited_before_approval)


def another_customer(sb):
    spec = begun(sb, step="draft")
    other = sb.invoice("several-vat-rates")["customer"]
    sb.change("invoices/plain-hours", fields={"customer": other, "billingCustomer": None})
    return spec


plain("TA-01-draft-of-another-customer", error="data", reason="draft_of_another_customer", **STAYS, drafts=1, prepare=another_customer)


def approved_by_hand(sb):
    """A person approves the draft before we do: it is ours all the same."""
    spec = begun(sb, step="content")
    begun_run = begun(sb, step="approve")
    del begun_run["steps"]["talenom.invoice"]
    return {"steps": {**spec["steps"], **begun_run["steps"]}}


plain("TA-02-draft-that-a-person-approved-is-not-booked-again", **GOES, notes=["found_at_target"], prepare=approved_by_hand)
def left_behind(sb, **more):
    """A draft stayed there, and somebody orders the invoice to be sent anew."""
    begun(sb, step="content")
    return {"generation": 2, **more}


plain("TA-01-resend-goes-on-with-the-draft-that-was-left", **GOES, writes=3, prepare=left_behind)
plain("TA-02-resend-with-a-draft-left-is-not-by-voucher", **GOES, prepare=lambda sb: left_behind(sb, **VOUCHER))
plain("TA-01-another-generation-has-another-id", spec={"generation": 2}, **GOES)

# ---- TA-02: revenue once -----------------------------------------------------------------------

plain("TA-02-revenue-by-voucher", spec=VOUCHER, **POSTED, notes=["sent"], open=[1443.25])
plain("TA-02-credit-note-by-voucher", "credit-note", spec=VOUCHER, **POSTED, open=[-360.81])
plain("TA-02-line-cut-after-the-voucher", spec=VOUCHER, error="doubt", count=0, drafts=0, sales_vouchers=1, status="transfer",
      prepare=cut("/vouchers/", "POST"))


def relayed(sb, spec=None, invoice="plain-hours", **more):
    """It stands at Talenom, and in Severa in the transfer status again."""
    run(sb, invoice, spec or {})
    sb.change("invoices/" + invoice, status=sb.setup["severa"]["transfer_status"])
    return {**(spec or {}), **more}


IN_DOUBT = {"talenom.invoice": {"state": "intent", "age_ms": 200000}}
TWICE = {"talenom.invoice": {"state": "intent", "age_ms": 200000, "lookups": 1, "lookup_age_ms": 5000}}
ALL_DONE = {"talenom.invoice": {"state": "done", "outcome": "x"}, "severa.status": {"state": "done", "outcome": "x"}}
plain("TA-02-voucher-in-doubt-is-found", **POSTED, notes=["found_at_target"], prepare=lambda sb: relayed(sb, VOUCHER, steps=IN_DOUBT))
plain("TA-02-voucher-in-doubt-and-absent-twice-is-posted", spec={"steps": TWICE, **VOUCHER}, **POSTED, notes=["absent_at_target"])
plain("TA-02-approved-and-now-by-voucher-is-not-booked-twice", **GOES, notes=["found_at_target"],
      prepare=lambda sb: relayed(sb) and None or {"steps": IN_DOUBT, **VOUCHER})
plain("TA-02-posted-and-now-by-approval-is-not-booked-twice", **POSTED, notes=["found_at_target"],
      prepare=lambda sb: relayed(sb, VOUCHER) and {"steps": IN_DOUBT})
plain("TA-02-draft-begun-goes-on-by-approval", **GOES, prepare=lambda sb: {**begun(sb, step="draft"), **VOUCHER})
plain("TA-02-new-store-sees-the-draft-and-goes-on-by-approval", **GOES, spec={"epoch_ms": 4000000000000, **VOUCHER},
      prepare=lambda sb: begun(sb, step="draft") and None)
plain("TA-02-row-without-an-account-has-no-voucher", spec=VOUCHER, error="data", reason="account_unknown", **STAYS, writes=0,
      prepare=with_rows({"code": ["KONS-01"], "salesAccount": None}))
plain("TA-02-foreign-currency-has-no-voucher", "foreign-currency", spec=VOUCHER, error="data", reason="ledger_currency", **STAYS, writes=0)

# ---- TA-02, TA-07: what becomes of it in the sales ledger ----------------------------------------

PAID = {"status": "Maksettu", "fields": {"paymentDate": "2026-11-20"}}
POSTING = {"settings": {"revenue": {"by": "voucher"}, "talenom": {"payment_account": "1910"}}}


def settled(sb, spec=None, told=None, also=None, **change):
    """It was relayed, and something has become of it at Severa since; told: what Talenom knows of that."""
    spec = spec or {}
    run(sb, "plain-hours", spec)
    ledger = sb.ledger()
    key = ledger["documents"][0]["id"] if ledger["documents"] else "voucher " + ledger["vouchers"][0]["voucher"]["voucherId"]
    sb.change("invoices/plain-hours", **change)
    values = {"case|payment:" + sb.invoice("plain-hours")["guid"]: told} if told else {}
    return {**spec, "values": values, "steps": {**ALL_DONE, "talenom.invoice": {"state": "done", "outcome": key}, **(also or {})}}


TOLD = {"outcome": "done", "count": 1, "sales_vouchers": 0}
plain("TA-02-paid-is-told", **TOLD, payments_told=1, notes=["payment_told"], document={"paid": True, "paid_date": "2026-11-20"}, writes=1,
      prepare=lambda sb: settled(sb, **PAID))
plain("TA-02-paid-without-a-day-is-told", **TOLD, payments_told=1, notes=["payment_told"], document={"paid": True},
      prepare=lambda sb: settled(sb, status="Maksettu"))
plain("TA-02-open-again-is-told", **TOLD, payments_told=1, notes=["payment_told"], document={"paid": False},
      prepare=lambda sb: settled(sb, told="paid 2026-11-20", status="Lähetetty"))
plain("TA-07-what-talenom-knows-is-not-told-again", **TOLD, payments_told=0, no_notes=["payment_told"], writes=0,
      prepare=lambda sb: settled(sb, told="paid 2026-11-20", **PAID))
plain("TA-07-edits-are-not-sent", **TOLD, payments_told=0, writes=0, prepare=lambda sb: settled(sb, fields={"yourReference": "muutettu"}))
plain("TA-02-payment-is-cut-and-told-again", **TOLD, payments_told=2, notes=["payment_told"],
      prepare=lambda sb: (s := settled(sb, **PAID)) and cut("/payment-state", "PUT")(sb) or run(sb, "plain-hours", s) and s)
plain("TA-02-payment-when-talenom-is-away", error="outage", payments_told=0,
      prepare=lambda sb: (s := settled(sb, **PAID)) and sb.fault(system="talenom", kind="status", status=503, count=9) or s)
plain("TA-02-payment-of-what-is-gone-at-talenom", outcome="done", notes=["payment_by_hand"], payments_told=0,
      prepare=lambda sb: (s := settled(sb, **PAID)) and sb.call("DELETE", "talenom/kajo/invoices/10401") and s or s)
BOOKED = {"outcome": "done", "count": 0, "sales_vouchers": 1}
plain("TA-02-payment-voucher-closes-the-item", **BOOKED, open=[0], notes=["payment_told"], writes=1, prepare=lambda sb: settled(sb, POSTING, **PAID))
plain("TA-02-payment-voucher-in-doubt-is-found", **BOOKED, open=[0], writes=0, prepare=lambda sb: (s := settled(sb, POSTING, **PAID)) and
      run(sb, "plain-hours", s) and {**s, "steps": {**s["steps"], "talenom.payment": {"state": "intent", "age_ms": 200000, "about": "2026-11-20"}}})
plain("TA-02-payment-voucher-in-doubt-and-absent-waits", error="doubt", open=[1443.25], prepare=lambda sb: settled(
    sb, POSTING, also={"talenom.payment": {"state": "intent", "age_ms": 1000, "about": "2026-11-20"}}, **PAID))
plain("TA-02-payment-voucher-is-posted-once", **BOOKED, open=[1443.25], writes=0, notes=["payment_by_hand"], prepare=lambda sb: settled(
    sb, POSTING, also={"talenom.payment": {"state": "done", "outcome": "x"}}, **PAID))
plain("TA-02-payment-voucher-posted-and-killed-is-no-bookkeepers", **BOOKED, writes=0, no_notes=["payment_by_hand"], prepare=lambda sb: settled(
    sb, POSTING, also={"talenom.payment": {"state": "done", "outcome": "x", "about": "2026-11-20"}}, **PAID))
plain("TA-02-payment-voucher-taken-back-is-a-bookkeepers", **BOOKED, writes=0, notes=["payment_by_hand"], prepare=lambda sb: settled(
    sb, POSTING, told="paid 2026-11-20", also={"talenom.payment": {"state": "done", "outcome": "x", "about": "2026-11-20"}}, status="Lähetetty"))
plain("TA-02-new-store-takes-up-what-was-paid", **TOLD, notes=["found_at_target"], writes=0,
      prepare=lambda sb: settled(sb, **PAID) and {"epoch_ms": 4000000000000})


def paid_before_a_loss(sb, spec=None, **change):
    """Talenom knows that it was paid, and our store does not any more; something has become of it at Severa since."""
    run(sb, "plain-hours", settled(sb, spec, **PAID))
    sb.change("invoices/plain-hours", **change)
    ledger = sb.ledger()
    key = ledger["documents"][0]["id"] if ledger["documents"] else "voucher " + next(
        v["voucher"]["voucherId"] for v in ledger["vouchers"] if not v["is_payment"])
    return {**(spec or {}), "epoch_ms": 4000000000000, "steps": {**ALL_DONE, "talenom.invoice": {"state": "done", "outcome": key}}}


def towards_another(sb, spec=None):
    s = settled(sb, spec, **PAID)
    s["steps"]["talenom.invoice"]["about"] = json.dumps({"organisation": "99999", "number": "10401", "date": "2026-10-30", "currency": "EUR", "sum": 1443.25})
    return s


plain("TA-02-payment-of-what-went-to-another-organisation", error="data", reason="target_changed", payments_told=0, writes=0, prepare=towards_another)
plain("TA-02-new-store-tells-that-it-is-open-again", **TOLD, payments_told=2, notes=["payment_told"], document={"paid": False},
      prepare=lambda sb: paid_before_a_loss(sb, status="Lähetetty", fields={"paymentDate": None}))
plain("TA-02-new-store-finds-the-payment-of-another-day", **BOOKED, open=[0], writes=0, notes=["payment_by_hand"],
      prepare=lambda sb: paid_before_a_loss(sb, POSTING, fields={"paymentDate": "2026-11-21"}))
plain("TA-02-payment-voucher-of-an-invoice-whose-date-was-edited", **BOOKED, open=[0], notes=["payment_told"], writes=1,
      prepare=lambda sb: (s := settled(sb, POSTING, status="Maksettu", fields={"paymentDate": "2026-11-20", "date": "2026-11-01"})) and
      s["steps"]["talenom.invoice"].update(about=json.dumps({"organisation": "14222", "number": "10401", "date": "2026-10-30", "reference": "104016",
                                                             "currency": "EUR", "sum": 1443.25})) or s)

# ---- TA-03: products ---------------------------------------------------------------------------

plain("TA-03-product-as-severa-has-it-is-left-alone", **GOES, no_notes=["product_added", "product_updated"], rows={0: {"productCode": "KONS-01"}})
plain("TA-03-unknown-code-is-added-as-it-is", **GOES, notes=["product_added"], products={"UUSI-1": {"name": "Uusi palvelu"}},
      rows={0: {"productCode": "UUSI-1"}}, prepare=with_rows({"code": ["UUSI-1"], "description": "Uusi palvelu"}))


def said_otherwise(sb):
    """Severa's registers do not know the code; the next invoice has another text on the row."""
    with_rows({"code": ["UUSI-1"], "description": "Uusi palvelu"})(sb)
    relayed(sb)
    sb.call("DELETE", "talenom/kajo/invoices/10401")
    with_rows({"code": ["UUSI-1"], "description": "Marraskuun työt"})(sb)


plain("TA-03-text-of-a-row-renames-no-product", **GOES, no_notes=["product_updated"], products={"UUSI-1": {"name": "Uusi palvelu"}},
      prepare=said_otherwise)
plain("TA-03-row-without-a-code-goes-without", "code-missing", **GOES, rows={0: {"productCode": None}})
plain("TA-03-row-with-several-codes-goes-without", "two-codes", **GOES, notes=["several_codes"])
plain("TA-03-row-without-an-account", **GOES, prepare=with_rows({"code": ["KONS-01"], "salesAccount": None}))

# ---- TA-04: customers --------------------------------------------------------------------------

plain("TA-04-customer-goes-before-its-first-invoice", **GOES, notes=["customer_added"],
      contact={"number": "1001", "name": "Kivijärven Konepaja Oy", "type": "Business"})


def moved(sb):
    relayed(sb)
    sb.call("DELETE", "talenom/kajo/invoices/10401")
    sb.change("customers/1001", email="uusi@kivijarvi.example")


plain("TA-04-changed-customer-goes-with-the-next-invoice", **GOES, notes=["customer_updated"], contact={"email": "uusi@kivijarvi.example"}, prepare=moved)

# ---- TA-05: e-invoice addresses ----------------------------------------------------------------

NO_ADDRESS = {"eInvoiceAddress": None, "eInvoiceOperator": None}


def without_address(sb, customers=("1001",), spec=None, had=None, **fields):
    """Talenom has the contact with its address; Severa shows none any more of these, all of which had one (had: those who did)."""
    relayed(sb)
    sb.call("DELETE", "talenom/kajo/invoices/10401")
    guids = {}
    for number in customers:
        sb.change("customers/" + number, **{**NO_ADDRESS, **fields})
        guids[number] = sb.call("GET", "severa/kajo/customers/" + number)["guid"]
    values = {"talenom:14222|einvoice:" + guids[n]: "had" for n in (customers if had is None else had)}
    return {**(spec or {}), "values": values}


EVERYBODY = [str(n) for n in range(1001, 1009)]
KEPT = {"contact": {"eInvoiceAddress": "003790001102"}}
GONE = {"contact": {"eInvoiceAddress": None, "eInvoiceOperator": None, "automaticEInvoicing": False}}
plain("TA-05-address-goes-with-the-invoice", **GOES, **KEPT, no_notes=["einvoice_removed"])
plain("TA-05-removed-address-is-removed-with-the-next-invoice", **GOES, **GONE, notes=["einvoice_removed"], prepare=without_address)
plain("TA-05-nothing-is-removed-that-no-reading-had", **GOES, **KEPT, no_notes=["einvoice_removed"], notes=["einvoice_left"], prepare=lambda sb: without_address(sb, had=()))


def back_again(sb):
    """It was removed, and stands in Severa again: who switched what off, is not for us to undo."""
    run(sb, "plain-hours", without_address(sb))
    sb.call("DELETE", "talenom/kajo/invoices/10401")
    sb.change("invoices/plain-hours", status=sb.setup["severa"]["transfer_status"])
    sb.change("customers/1001", eInvoiceAddress="003790001102", eInvoiceOperator="003721291126")


plain("TA-05-address-that-is-back-says-that-einvoicing-is-off", **GOES, notes=["einvoice_off"], prepare=back_again,
      contact={"eInvoiceAddress": "003790001102", "automaticEInvoicing": False})
plain("TA-05-word-that-steers-is-no-address", **GOES, **GONE, prepare=lambda sb: without_address(sb, eInvoiceAddress="PRINT"))
plain("TA-05-many-gone-at-once-stops-and-asks", error="waiting", reason="einvoice_addresses_gone", **STAYS, writes=0, **KEPT,
      prepare=lambda sb: without_address(sb, EVERYBODY))
plain("TA-05-many-gone-and-to-be-removed", **GOES, **GONE,
      prepare=lambda sb: without_address(sb, EVERYBODY, {"settings": {"einvoice": {"many_gone": "remove"}}}))
plain("TA-05-many-gone-and-to-be-kept", **GOES, **KEPT, notes=["einvoice_left"],
      prepare=lambda sb: without_address(sb, EVERYBODY, {"settings": {"einvoice": {"many_gone": "keep"}}}))
plain("TA-05-dry-run-removes-nothing", outcome="done", writes=0, **KEPT, prepare=lambda sb: without_address(sb, spec={"preview": True}))


def hidden_for_a_moment(sb):
    """The customer is read without an address; before Severa lists all of them, it shows them again."""
    spec = without_address(sb)
    guid = sb.call("GET", "severa/kajo/customers/1001")["guid"]
    before = len(sb.call("GET", "requests?system=severa&limit=2000&match=/customers/" + guid))
    sb.fault(system="severa", match="/v1/customers?", kind="latency", latency_ms=2000)

    def show():
        while len(sb.call("GET", "requests?system=severa&limit=2000&match=/customers/" + guid)) == before:
            time.sleep(0.02)
        sb.change("customers/1001", eInvoiceAddress="003790001102", eInvoiceOperator="003721291126")

    threading.Thread(target=show).start()
    return spec


plain("TA-05-hidden-for-a-moment-is-not-removed", error="outage", **STAYS, **KEPT, writes=0, prepare=hidden_for_a_moment)

# ---- TA-06: accounts and VAT -------------------------------------------------------------------

plain("TA-06-account-and-vat-differ", error="data", reason="account_vat_mismatch", subject="row 1: 3010: 25.5 % / 14 %", **STAYS, writes=0,
      prepare=with_rows({"code": ["KONS-01"], "salesAccount": {"number": "3010", "name": "Myynti 14 %"}}))
plain("TA-06-account-is-none", error="data", reason="account_unknown", subject="row 1: 7777", **STAYS, writes=0,
      prepare=with_rows({"code": ["KONS-01"], "salesAccount": {"number": "7777", "name": "?"}}))
plain("TA-06-each-row-by-the-account-of-its-rate", "several-vat-rates", **GOES)
plain("TA-06-period-is-closed", error="data", reason="period_closed", **STAYS, drafts=1,
      prepare=lambda sb: sb.call("POST", "talenom/kajo", {"closed_until": "2026-12-31"}) and None)

# ---- the check ---------------------------------------------------------------------------------

plain("SV-07-check-of-a-sound-connection", spec={"kind": "check"}, problems=[], writes=0)
plain("SV-06-check-names-a-refused-key", spec={"kind": "check", "keys": {"client_secret": "wrong"}}, problems=["credentials_refused"])
plain("TA-02-check-wants-an-account-for-payments", spec={"kind": "check", **VOUCHER}, problems=["payment_account_missing"])

# ---- SV-01, SV-02: once ------------------------------------------------------------------------

plain("SV-01-not-in-transfer-status-is-skipped", "draft", outcome="skipped", count=0, writes=0)
plain("SV-09-invoice-of-another-company", "other-company-of-the-group", outcome="skipped", count=0, writes=0)
plain("SV-02-in-doubt-first-empty-look-up-does-not-count", spec={"steps": IN_DOUBT}, error="doubt", **STAYS)
plain("SV-02-in-doubt-absent-twice-is-sent", spec={"steps": TWICE}, **GOES, notes=["absent_at_target"])
plain("SV-02-in-doubt-and-it-is-another", error="data", reason="number_taken", count=1,
      prepare=lambda sb: (relayed(sb), change(date="2026-11-01")(sb)) and {"steps": IN_DOUBT})
plain("SV-02-new-store-asks-talenom-first", spec={"epoch_ms": 4000000000000}, **GOES, notes=["found_at_target"], prepare=lambda sb: relayed(sb) and None)
plain("SV-02-new-store-finds-the-second-generation", **GOES, notes=["found_at_target"], spec={"epoch_ms": 4000000000000},
      prepare=lambda sb: relayed(sb, {"generation": 2}) and None)
plain("SV-02-new-store-finds-the-fourth-generation", **GOES, notes=["found_at_target"], spec={"epoch_ms": 4000000000000},
      prepare=lambda sb: relayed(sb, {"generation": 4}) and None)
plain("SV-02-new-store-goes-on-with-a-draft-of-the-third-generation", **GOES, spec={"epoch_ms": 4000000000000},
      prepare=lambda sb: begun(sb, step="content", generation=3) and None)
plain("SV-02-relayed-and-seen-again", **GOES, notes=["already_relayed"], prepare=lambda sb: relayed(sb, steps=ALL_DONE))
plain("SV-02-relayed-and-gone-at-talenom", spec={"steps": ALL_DONE}, error="data", reason="gone_at_target", **STAYS)
plain("SV-04-straight-to-transferred-is-reported", spec={"kind": "poll"}, outcome="done", report={"never_relayed": ["10428"]})


if __name__ == "__main__":
    recorder.main(Book(HERE, SCENARIOS, run, complaints), Sandbox)
