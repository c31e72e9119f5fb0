#!/usr/bin/python3
"""Records the flow cases of spotilla_procountor against a fresh sandbox: record_spotilla.py FLOW_CASES SANDBOX [PREFIX]. As record.py,
whose recorder this is: each scenario prepares the sandbox, says what must come of the run and what Procountor must hold afterwards."""
import hashlib
import json

import record as recorder
from record import Book, record

HERE = recorder.HERE.parent / "spotilla_procountor"


class Sandbox(recorder.Sandbox):
    def reset(self):
        self.call("POST", "reset", {"seed": "demo"})
        self.setup = self.call("GET", "setup?tenant=kajo")["tenants"][0]

    def task(self, name):
        return self.call("GET", "spotilla/kajo/tasks/" + name)

    def invoice(self, name):  # what the recorder asks for
        return {"guid": str(self.task(name)["id"])}

    def spotilla(self, path, **fields):
        return self.call("POST", "spotilla/kajo" + path, fields)

    def procountor(self, path, **fields):
        return self.call("POST", "procountor/kajo" + path, fields)

    def documents(self):
        return self.call("GET", "procountor/kajo")["documents"]

    def partner(self, number="1001"):
        return self.call("GET", "procountor/kajo/partners/" + number)

    def product(self, code):
        """One that stands in Procountor."""
        try:
            return self.call("GET", "procountor/kajo/products/" + code)["id"]
        except recorder.urllib.error.HTTPError:
            self.procountor("/products", count=1, fields={"code": code, "name": code, "unit": "PIECE"})
            return self.call("GET", "procountor/kajo/products/" + code)["id"]


def scope(sb):
    return "spotilla:%s:procountor:%s" % (sb.setup["spotilla"]["subdomain"], sb.setup["procountor"]["company_id"])


def account(sb):
    return "procountor:%s" % sb.setup["procountor"]["company_id"]


CODES = {"301": "TYO-1", "302": "SUO-F7", "306": "RASVA", "307": "SAK", "308": "SEK-1", "309": "KIRJA", "310": "VANHA", "311": "TAKUU"}


def links(sb, *without, customer="1001", partner="1001"):
    """What the registers have brought: the customer's card, and all products."""
    found = {"product:" + spotilla: str(sb.product(code)) for spotilla, code in CODES.items()}
    found["customer:" + customer] = str(sb.partner(partner)["id"])
    return {"%s|%s" % (scope(sb), key): value for key, value in found.items() if key not in without}


def settings(setup, **more):
    base = {"tasks": {"from": "2026-01-01"}, "spotilla": {"url": setup["spotilla"]["base_url"]}, "procountor": {"url": setup["procountor"]["base_url"]}}
    for key, value in more.items():
        base[key] = {**base.get(key, {}), **value}
    return base


def credentials(setup):
    s, p = setup["spotilla"], setup["procountor"]
    return {"spotilla": {k: s[k] for k in ("token", "user_id", "subdomain")},
            "procountor": {k: p[k] for k in ("api_key", "client_id", "client_secret")}}


def run(sb, task, spec):
    spec = dict(spec)
    if "hint" in spec:
        return record({"flow": "spotilla-procountor", **spec})
    keys = credentials(sb.setup)
    for system, values in spec.get("credentials", {}).items():
        keys[system].update(values)
    return record({"flow": "spotilla-procountor", "kind": "task", "source_id": sb.guids[task], **spec,
                   "settings": settings(sb.setup, **spec.get("settings", {})), "credentials": keys})


# ---- what came of it ---------------------------------------------------------------------------


def is_write(x):
    return x["method"] != "GET" and not x["url"].endswith("/oauth/token")


def invoices(case):
    return [json.loads(x["body"]) for x in case.get("exchanges", []) if x["method"] == "POST" and x["url"].endswith("/invoices")]


def picked(body, path):
    for step in path.split("."):
        body = body[int(step)] if step.isdigit() else body.get(step)
    return body


def complaints(sb, task, want, case):
    got = case["expect"]
    for key in ("outcome", "error", "reason", "wanted", "kind", "source_id", "pointer", "generation"):
        if got.get(key) != want.get(key, got.get(key) if key == "outcome" and "ok" in want else None):
            yield "%s is %s" % (key, got.get(key))
    if "note" in want and want["note"] not in got["notes"]:
        yield "no note " + want["note"]
    if "count" in want and len(sb.documents()) != want["count"]:
        yield "Procountor has %d documents" % len(sb.documents())
    for path, value in want.get("sent", {}).items():
        if not invoices(case) or picked(invoices(case)[-1], path) != value:
            yield "sent %s: %s" % (path, invoices(case))
    if "writes" in want and sum(map(is_write, case["exchanges"])) != want["writes"]:
        yield "writes: %s" % [x["url"] for x in case["exchanges"] if is_write(x)]
    if "billing" in want and sb.task(task)["billing"]["state"] != want["billing"]:
        yield "billing: %s" % sb.task(task)["billing"]
    if "told" in want and want["told"] not in (sb.task(task)["billing"]["message"] or ""):
        yield "told: %s" % sb.task(task)["billing"]
    for key, value in want.get("report", {}).items():
        if got["report"][key] != value:
            yield "report %s is %s" % (key, got["report"][key])
    if "ok" in want and got["result"]["ok"] is not want["ok"]:
        yield "check: %s" % got["result"]
    if "problems" in want and [p["code"] for p in got["result"]["problems"]] != want["problems"]:
        yield "problems: %s" % got["result"]["problems"]
    if "dry" in want and (got["result"]["invoice"]["number"], len(got["result"]["invoice"]["rows"])) != want["dry"]:
        yield "dry run: %s" % got["result"]


SCENARIOS = []


def scenario(title, task="plain", **want):
    def add(prepare):
        SCENARIOS.append((title, task, prepare, want))
        return prepare
    return add


def linked(title, task="plain", spec=None, prepare=None, without=(), customer="1001", partner="1001", **want):
    """A run with all links that it needs."""
    def make(sb):
        more = prepare(sb) if prepare else None
        return {**(spec or {}), "values": links(sb, *without, customer=customer, partner=partner), **(more if isinstance(more, dict) else {})}
    SCENARIOS.append((title, task, make, want))


DONE = {"outcome": "done", "count": 1, "billing": "exported"}


def waits(title, task, reason, told, **more):
    linked(title, task, error="waiting", reason=reason, count=0, billing="waiting", told=told, **more)


# ---- tasks that become invoices ----------------------------------------------------------------

linked("PC-01-finished-task-becomes-an-unfinished-invoice", **DONE, note="sent", writes=2,
       sent={"status": "UNFINISHED", "originalInvoiceNumber": "SPT-90001", "orderReference": "PO-7781", "invoiceRows.0.unit": "HOUR",
             "invoiceRows.1.comment": "Vaihdettu", "additionalInformation": "Vuosihuolto IV-kone\nSatamakatu 5\nSuodattimet vaihdettu"})
linked("PC-01-dry-run-shows-and-writes-nothing", spec={"preview": True}, outcome="done", count=0, writes=0, dry=("SPT-90001", 2))
linked("PC-01-dry-run-of-a-task-that-is-not-finished", "in-progress", spec={"preview": True}, error="waiting", reason="finished_day_missing",
       note="not_finished", count=0, writes=0)
linked("PC-01-task-that-is-not-finished-is-left", "in-progress", outcome="skipped", note="not_finished", count=0, writes=0)
linked("PC-01-task-of-before-the-start-is-left", spec={"settings": {"tasks": {"from": "2031-01-01"}}}, outcome="skipped", note="before_start",
       count=0, writes=0)
linked("PC-01-task-billed-by-somebody-else-is-left", "exported", outcome="skipped", note="billed_elsewhere", count=0, writes=0)
linked("PC-01-several-vat-rates", "several-vat-rates", **DONE, sent={"invoiceRows.0.vatPercent": 25.5, "invoiceRows.1.vatPercent": 13.5})
linked("PC-01-negative-quantity-is-a-credit-row", "negative-quantity", **DONE, sent={"invoiceRows.0.quantity": -2})
linked("PC-01-row-without-quantity-goes-nowhere", "zero-quantity", **DONE, sent={"invoiceRows.0.quantity": 1})
linked("PC-01-unit-that-nobody-knows-is-that-of-the-settings", "unknown-unit", spec={"settings": {"products": {"unit": "BAG"}}}, **DONE,
       sent={"invoiceRows.0.unit": "BAG"})
linked("PC-01-letters-that-procountor-cannot-take", "foreign-letters", error="data", reason="character_unsupported", count=0, billing="failed",
       told="merkkiä")
linked("PC-01-letters-are-named-before-the-product-that-waits-for-them", "foreign-letters", error="data", reason="character_unsupported", count=0,
       without=("product:306",), billing="failed")
linked("PC-01-customers-payment-term-and-channel-count", **DONE, sent={"invoiceChannel": "EMAIL", "language": "SWEDISH"}, prepare=lambda sb:
       sb.procountor("/partners/1001", invoicingInfo={**sb.partner()["invoicingInfo"], "invoiceChannel": "EMAIL", "language": "SWEDISH",
                                                      "email": "laskut@kivi.example"},
                     paymentInfo={"paymentMethod": "BANK_TRANSFER", "paymentTermDays": "30"}) and None)
linked("PC-01-customers-address-is-filled-up-from-spotilla", prepare=lambda sb: sb.procountor("/partners/1001", address=None) and None, **DONE,
       sent={"counterParty.counterPartyAddress.street": "Sahatie 4", "counterParty.counterPartyAddress.country": "FINLAND"})
linked("PC-01-account-of-the-settings-is-paid-to", spec={"settings": {"invoice": {"iban": "FI2112345600000785"}}}, **DONE,
       sent={"paymentInfo.bankAccount.accountNumber": "FI2112345600000785"})


@scenario("PC-01-company-without-an-account", error="waiting", reason="invoice_account_missing", count=0)
def _(sb):
    sb.procountor("/bankaccounts/" + str(sb.setup["procountor"]["iban"]), defaultForInvoice=False)
    return {"values": links(sb)}


@scenario("PC-01-deleted-task-is-cancelled", outcome="cancelled", note="deleted", count=0)
def _(sb):
    sb.call("DELETE", "spotilla/kajo/tasks/plain")
    return {"values": links(sb)}


# ---- what is missing ---------------------------------------------------------------------------

ONLY = {"settings": {"tasks": {"only_with_order_number": True}}}
waits("PC-02-without-an-order-number-it-waits", "no-order-number", "order_number_missing", "tilausnumero", spec=ONLY)
linked("PC-02-with-an-order-number-it-goes", spec=ONLY, **DONE)
linked("PC-02-all-go-when-not-set", "no-order-number", **DONE)
waits("PC-03-customer-without-a-business-id", "no-business-id", "business_id_missing", "Y-tunnus")
waits("PC-03-business-id-of-another-form", "malformed-business-id", "business_id_form", "1234567-8")
waits("PC-03-customer-without-a-name", "no-name", "customer_name_missing", "nimeä")
waits("PC-03-task-without-a-customer", "no-customer", "task_customer_missing", "asiakasta")
waits("PC-03-customer-that-was-deleted", "customer-gone", "task_customer_missing", "asiakasta")
waits("PC-03-customer-that-is-not-in-procountor-yet", "plain", "customer_not_linked", "Procountorissa", without=("customer:1001",), wanted="customers")
waits("PC-03-task-without-rows", "no-rows", "billable_rows_missing", "rivejä")
waits("PC-03-task-without-billable-rows", "not-billable", "billable_rows_missing", "rivejä")
linked("PC-03-business-id-of-procountors-card-is-enough", "no-business-id", customer="1003", **DONE)
linked("PC-03-sample-number-is-of-the-form", "sample-id", customer="1011", partner="S-1", **DONE, sent={"counterParty.identifier": "1234567-8"})
waits("PC-03-check-digit-counts-when-set", "sample-id", "business_id_form", "1234567-8", customer="1011", partner="S-1",
      spec={"settings": {"customers": {"check_digit": True}}})


@scenario("PC-03-customer-that-was-removed-from-procountor", error="waiting", reason="customer_gone", count=0, billing="waiting", told="poistettu")
def _(sb):
    found = links(sb)
    sb.call("DELETE", "procountor/kajo/partners/1001")
    return {"values": found}


@scenario("PC-03-lack-that-is-told-already-is-not-told-again", "no-order-number", error="waiting", reason="order_number_missing", writes=0, count=0)
def _(sb):
    spec = {**ONLY, "values": links(sb)}
    run(sb, "no-order-number", spec)
    return spec


# ---- prices ------------------------------------------------------------------------------------

linked("PC-07-price-is-the-registers-of-now", "price-of-the-row", **DONE, sent={"invoiceRows.0.unitPrice": 58})
linked("PC-07-free-row-has-its-own-price", "free-row", **DONE, sent={"invoiceRows.0.unitPrice": 7.15, "invoiceRows.0.product": "Sekalainen tarvike"})
linked("PC-07-free-of-charge-is-a-price", "free-of-charge", **DONE, sent={"invoiceRows.0.unitPrice": 0})
linked("PC-07-amounts-as-numbers-keep-their-digits", "numbers", **DONE, sent={"invoiceRows.0.quantity": 2.125})
linked("PC-07-product-that-is-not-in-use-is-billed", "passive-product", **DONE, sent={"invoiceRows.0.productCode": "VANHA"})
waits("PC-07-product-without-a-price", "no-price", "price_missing", "Hinta")
waits("PC-07-free-row-without-a-price", "free-row-without-price", "price_missing", "Hinta")
waits("PC-07-price-in-another-currency", "foreign-currency", "product_currency", "valuutassa")
waits("PC-07-product-that-was-deleted", "unknown-product", "product_gone", "tuote")
waits("PC-07-product-that-is-not-in-procountor-yet", "plain", "product_not_linked", "Procountorissa", without=("product:302",), wanted="products")
waits("PC-07-row-without-a-quantity", "plain", "quantity_missing", "määrä", prepare=lambda sb: sb.spotilla(
    "/tasks/plain", rows=[{"id": 1, "product_id": 301, "name": "Huoltotyö", "unit": "h", "billable": True}]) and None)

# ---- doubt -------------------------------------------------------------------------------------

STEP = "procountor.invoice"


def intent(sb, task="plain", **more):
    """The step as a sending left it whose answer was lost: sent once, and the intent stands."""
    values = links(sb)
    sent = record({"flow": "spotilla-procountor", "kind": "task", "source_id": sb.guids[task], "values": values, "tells_about": True,
                   "settings": settings(sb.setup), "credentials": credentials(sb.setup)})
    sb.spotilla("/tasks/" + task, billing={"state": "none", "external_ref": None, "message": None})
    step = {"state": "intent", "age_ms": 200000, "about": sent["expect"]["about"], **more}
    return {"values": values, "steps": {STEP: step}}


@scenario("PC-01-in-doubt-and-found-is-not-sent-again", outcome="done", note="found_at_target", count=1, billing="exported", writes=1)
def _(sb):
    return intent(sb)


def thrown_away(sb):
    """Nothing of it is at Procountor."""
    sb.call("DELETE", "procountor/kajo/invoices/SPT-90001")


@scenario("PC-01-in-doubt-first-empty-look-up-does-not-count", error="doubt", count=0, writes=0)
def _(sb):
    spec = intent(sb)
    thrown_away(sb)
    return spec


@scenario("PC-01-in-doubt-absent-twice-is-sent", outcome="done", note="absent_at_target", count=1, billing="exported")
def _(sb):
    spec = intent(sb, lookups=1, lookup_age_ms=5000)
    thrown_away(sb)
    return spec


@scenario("PC-01-in-doubt-and-absent-waits-for-the-quiet-time", error="doubt", count=0, writes=0)
def _(sb):
    spec = intent(sb, age_ms=1000)
    thrown_away(sb)
    return spec


@scenario("PC-01-in-doubt-what-the-task-is-now-does-not-count", outcome="done", note="found_at_target", count=1, writes=1)
def _(sb):
    spec = intent(sb)
    sb.spotilla("/tasks/plain", rows=[], order_number=None)
    return spec


@scenario("PC-01-in-doubt-and-another-has-the-number", error="data", reason="number_taken", count=1, writes=0)
def _(sb):
    spec = intent(sb)
    sb.procountor("/invoices/SPT-90001", date="2026-01-05")
    return spec


@scenario("PC-01-in-doubt-and-deleted-in-spotilla", outcome="done", note="deleted_after_delivery", count=1, writes=0)
def _(sb):
    spec = intent(sb)
    sb.call("DELETE", "spotilla/kajo/tasks/plain")
    return spec


for name, fault in (("line-cut-after-commit", {"kind": "cut_after_commit"}), ("500-after-commit", {"kind": "status", "status": 500, "commit": True})):
    linked("PC-01-%s-leaves-doubt" % name, error="doubt", count=1, billing="none", prepare=lambda sb, fault=fault: sb.fault(
        system="procountor", match="/invoices", method="POST", **fault))
linked("PC-01-new-store-absence-does-not-count-yet", spec={"epoch_ms": 4000000000000, "absent_counts_in_ms": 600000}, error="waiting", count=0, writes=0)
linked("PC-01-mark-that-fails-is-retried-without-a-second-invoice", error="outage", count=1, billing="none", prepare=lambda sb: sb.fault(
    system="spotilla", match="/tasks/", method="PATCH", kind="status", status=500))


def relay(sb, **more):
    """It was relayed, and nothing is left of our records but the links."""
    values = links(sb)
    run(sb, "plain", {"values": values})
    return {"values": values, **more}


@scenario("PC-01-relayed-before-the-store-was-lost-is-found", outcome="done", note="found_at_target", count=1, writes=0, billing="exported")
def _(sb):
    return relay(sb, epoch_ms=4000000000000)


@scenario("PC-01-relayed-and-edited-by-a-person-is-found", outcome="done", note="found_at_target", count=1, writes=0)
def _(sb):
    spec = relay(sb)
    sb.procountor("/invoices/SPT-90001", date="2026-01-05")
    return spec


@scenario("PC-01-relayed-and-thrown-away-is-not-made-anew", error="data", reason="gone_at_target", count=0)
def _(sb):
    spec = relay(sb)
    thrown_away(sb)
    return spec


@scenario("PC-01-ordered-anew-it-has-another-number", outcome="done", count=1, generation=2, sent={"originalInvoiceNumber": "SPT-90001-2"})
def _(sb):
    spec = relay(sb, generation=2)
    thrown_away(sb)
    return spec


# Another Spotilla bills through the same company: its tasks have the same ids.
TAKEN = {"spotilla.numbers|procountor:5001:SPT": "louhi"}


@scenario("PC-01-numbers-of-another-spotilla-are-not-used", error="waiting", reason="numbers_taken", count=0)
def _(sb):
    return {"values": {**links(sb), **TAKEN}}


@scenario("PC-01-with-a-prefix-of-its-own-it-goes", outcome="done", count=1, sent={"originalInvoiceNumber": "KAJO-90001"})
def _(sb):
    return {"values": {**links(sb), **TAKEN}, "settings": {"invoice": {"number_prefix": "KAJO"}}}


@scenario("PC-01-two-invoices-of-the-number-are-for-a-person", error="data", reason="several_matches", count=2)
def _(sb):
    spec = relay(sb)
    run(sb, "plain", {**spec, "generation": 2})
    sb.procountor("/invoices/SPT-90001-2", originalInvoiceNumber="SPT-90001")
    sb.spotilla("/tasks/plain", billing={"state": "none", "external_ref": None, "message": None})
    return spec


SENT = {STEP: {"state": "done", "outcome": "910001"}}
linked("PC-01-sent-is-told-when-it-was-not", spec={"steps": SENT}, outcome="done", count=0, writes=1, billing="exported")
linked("PC-01-sent-and-told-is-done", spec={"steps": {**SENT, "spotilla.billing": {"state": "done", "outcome": "x"}}}, outcome="done", count=0, writes=0)


@scenario("PC-01-changed-after-it-was-sent-is-not-sent-again", outcome="done", note="changed_after_transfer", count=1, writes=0)
def _(sb):
    spec = intent(sb)
    sb.spotilla("/tasks/plain", order_number="PO-9")
    return {**spec, "steps": {STEP: {**spec["steps"][STEP], "state": "done", "outcome": "910001"}, "spotilla.billing": {"state": "done", "outcome": "x"}}}


# ---- polls, hints, checks ----------------------------------------------------------------------

SCENARIOS.append(("PC-08-poll-hands-in-every-finished-task", "plain", lambda sb: {"kind": "poll"},
                  {"outcome": "done", "writes": 0, "report": {"at_source": 32, "accounted": 32, "missing": [], "waiting": []}}))
SCENARIOS.append(("PC-08-poll-names-what-waits", "plain", lambda sb: {"kind": "poll", "known": {"state": "waiting"}},
                  {"outcome": "done", "report": {"at_source": 32, "accounted": 32, "counts": {
                      "missing": 0, "never_relayed": 0, "changed_after_transfer": 0, "unowned": 0, "waiting": 32}}}))
SCENARIOS.append(("PC-08-poll-leaves-out-what-was-finished-before-the-start", "plain",
                  lambda sb: {"kind": "poll", "settings": {"tasks": {"from": "2031-01-01"}}},
                  {"outcome": "done", "report": {"at_source": 0, "accounted": 0}}))
# What the last whole poll kept: the first day, a digest of tenant and finished states, when it began.
LISTED = "2020-01-01 %s 2021-05-05T00:00:00Z" % hashlib.sha256(b"kajo\ndone").hexdigest()[:16]


def poll_after(title, kept, **spotilla):
    SCENARIOS.append((title, "plain", lambda sb: {"kind": "poll", "connection": "kajo", "values": {"kajo|tasks.listed": kept}, "settings": {
        "tasks": {"from": "2020-01-01"}, "spotilla": spotilla}}, {"outcome": "done"}))


poll_after("PC-08-poll-goes-on-from-the-last-whole-one", LISTED)
poll_after("PC-08-poll-of-other-finished-states-lists-all-again", "2020-01-01 2021-05-05T00:00:00Z", done_states="Laskutus")
poll_after("PC-08-poll-of-states-added-later-lists-all-again", LISTED, done_states="Laskutus")
SCENARIOS.append(("PC-01-poll-reports-what-was-changed-after-it-was-sent", "plain",
                  lambda sb: {"kind": "poll", "known": {"delivered": True, "content_hash": "0" * 64}},
                  {"outcome": "done", "report": {"at_source": 32, "counts": {
                      "missing": 0, "never_relayed": 0, "changed_after_transfer": 31, "unowned": 0, "waiting": 0}}}))


def hint(title, body, **want):
    SCENARIOS.append((title, "plain", lambda sb: {"hint": body}, want))


hint("PC-08-hint-names-the-task", '{"id":"evt_1","type":"task.completed","data":{"task_id":90017,"state":"done"}}', kind="task", source_id="90017")
hint("PC-08-hint-of-another-type-is-passed-over", '{"id":"evt_1","type":"task.created","data":{"task_id":90017}}', kind=None, source_id=None)
hint("PC-08-hint-without-a-task-is-refused", '{"id":"evt_1","type":"task.completed","data":{}}', error="input", pointer="/data/task_id")


def check(title, prepare=None, spec=None, **want):
    def make(sb):
        if prepare:
            prepare(sb)
        return {"kind": "check", **(spec or {})}
    SCENARIOS.append((title, "plain", make, want))


check("PC-09-check-of-a-sound-connection", ok=True, problems=[])
check("PC-09-check-names-each-key-that-is-refused", spec={"credentials": {"spotilla": {"token": "x"}, "procountor": {"api_key": "y"}}}, ok=False,
      problems=["credentials_refused", "credentials_refused"])
check("PC-09-check-names-missing-rights", lambda sb: sb.procountor("", rights={"sales.productRegister": "VIEWING_RIGHTS"}), ok=False,
      problems=["rights_missing"])
check("PC-09-check-refuses-a-user-who-sees-own-invoices-alone", lambda sb: sb.procountor("", own_only=True), ok=False, problems=["sees_own_only"])
check("PC-09-check-names-an-account-that-is-not-the-companys", spec={"settings": {"invoice": {"iban": "FI5810171000000122"}}}, ok=False,
      problems=["iban_unknown"])
check("PC-09-check-names-vat-that-is-not-in-use", spec={"settings": {"vat": {"percent": 19, "status": 77}}}, ok=False,
      problems=["vat_percent_unknown", "vat_status_unknown"])
check("PC-09-check-names-the-spotilla-that-has-the-numbers", spec={"values": TAKEN}, ok=False, problems=["numbers_taken"])
check("PC-09-check-asks-for-the-first-day", spec={"settings": {"tasks": {"from": ""}}}, ok=False, problems=["start_missing"])


if __name__ == "__main__":
    recorder.main(Book(HERE, SCENARIOS, run, complaints), Sandbox)
