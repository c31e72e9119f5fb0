#!/usr/bin/python3
"""Records the flow cases of severa_maestro against a fresh sandbox: record_maestro.py FLOW_CASES SANDBOX [PREFIX]. As record.py, whose
recorder this is: each scenario prepares the sandbox, says what must come of the run and what Maestro must hold afterwards."""
import record as recorder
from record import Book, record
from scenarios import outcome_complaints, scenario

HERE = recorder.HERE.parent / "severa_maestro"


class Sandbox(recorder.Sandbox):
    def documents(self):
        return self.call("GET", "maestro/kajo")["documents"]

    def cards(self):
        return {c["number"]: c for c in self.call("GET", "maestro/kajo/customers")}

    def product(self, code, **fields):
        self.call("POST", "maestro/kajo/products", {"code": code, **fields})


def settings(setup, **more):
    s = setup["severa"]
    return {"statuses": {"transfer": s["transfer_status"], "transferred": s["transferred_status"]}, "contract_reference": "ADM-2026-17",
            "severa": {"url": s["base_url"]}, "maestro": {"url": setup["maestro"]["base_url"]}, **more}


def run(sb, invoice, spec):
    spec = dict(spec)
    invoice = spec.pop("invoice", invoice)
    s, m = sb.setup["severa"], sb.setup["maestro"]
    keys = {"severa": {"client_id": s["client_id"], "client_secret": s["client_secret"]},
            "maestro": {"api_key": m["api_key"], "company_id": m["company_id"]} | spec.pop("keys", {})}
    whole = settings(sb.setup, **{k: v for k, v in spec.get("settings", {}).items() if k != "maestro"})
    whole["maestro"].update(spec.get("settings", {}).get("maestro", {}))
    return record({"flow": "severa-maestro", "kind": "invoice", "source_id": sb.invoice(invoice)["guid"], **spec, "settings": whole,
                   "credentials": keys})


# ---- what came of it ---------------------------------------------------------------------------


def document_complaints(sb, want):
    documents = sb.documents()
    if "count" in want and len(documents) != want["count"]:
        yield "Maestro has %d documents" % len(documents)
    document = documents[0] if documents else {"rows": []}
    for name, value in want.get("document", {}).items():
        if document.get(name) != value:
            yield "%s is %s" % (name, document.get(name))
    for i, row in want.get("rows", {}).items():
        got = document["rows"][i] if i < len(document["rows"]) else {}
        if any(got.get(k) != v for k, v in row.items()):
            yield "row %d is %s" % (i, got)
    if "codes" in want and [r["code"] for r in document["rows"]] != want["codes"]:
        yield "codes are %s" % [r["code"] for r in document["rows"]]


def card_complaints(sb, want):
    for number, fields in want.get("cards", {}).items():
        card = sb.cards().get(sb.documents()[0]["customer_code"] if number == "*" else number, {})
        for name, value in fields.items():
            got = card.get("address", {}).get(name[8:]) if name.startswith("address.") else card.get(name)
            if got != value:
                yield "card %s: %s is %s" % (number, name, got)


def complaints(sb, invoice, want, case):
    yield from outcome_complaints(sb, invoice, want, case)
    yield from document_complaints(sb, want)
    yield from card_complaints(sb, want)
    if "dry" in want and case["expect"]["result"]["media_type"] != "application/xml":
        yield "dry run: %s" % case["expect"]["result"]


SCENARIOS = []


def plain(*args, **named):
    SCENARIOS.append(scenario(*args, **named))


def change(invoice="plain-hours", **fields):
    return lambda sb: sb.change("invoices/" + invoice, fields=fields)


def with_rows(*rows):
    return lambda sb: sb.change("invoices/plain-hours", rows=list(rows))


GOES = {"outcome": "done", "count": 1, "status": "transferred"}
STAYS = {"count": 0, "status": "transfer"}

# ---- MA-01: what goes along --------------------------------------------------------------------

plain("MA-01-invoice-with-rows-vat-due-date-reference", **GOES, notes=["sent", "status_set"],
      document={"customer_code": "1001", "currency": "EUR", "date": "2026-10-30", "sum": 1443.25, "reference": "104016", "due_date": "2026-11-13",
                "delivery_city": "Lappeenranta"}, no_notes=["fallback_product"])
plain("MA-01-several-vat-rates", "several-vat-rates", **GOES)
plain("MA-01-credit-note-is-below-zero", "credit-note", **GOES, document={"is_credit": True, "sum": -360.81})
plain("MA-01-foreign-currency", "foreign-currency", **GOES, document={"currency": "SEK"})
plain("MA-01-reverse-charge-by-the-invoice", "reverse-charge", **GOES)
plain("MA-01-sum-off-by-a-cent-is-rounding", "off-by-a-cent", **GOES, notes=["rounding"])
plain("MA-01-sum-off-by-five-is-refused", "off-by-five", error="data", reason="sum_mismatch", **STAYS)
plain("MA-01-no-due-date", prepare=change(dueDate=None), error="data", **STAYS)
plain("MA-01-account-of-the-connection", spec={"settings": {"seller": {"iban": "FI2112345600000785"}}}, **GOES)
plain("MA-01-refused-by-maestro-in-its-own-words", error="data", reason="refused_by_target", **STAYS,
      prepare=lambda sb: sb.fault(system="maestro", method="POST", match="/v1/sales-invoices", kind="status", status=422, code="VALIDATION"))
plain("MA-01-maestro-is-away", error="outage", **STAYS, prepare=lambda sb: sb.fault(system="maestro", match="/v1/products", kind="status", status=503))
plain("MA-01-refused-key-pauses", spec={"keys": {"api_key": "wrong"}}, error="credentials", reason="credentials_refused", **STAYS)
plain("MA-01-dry-run-shows-and-writes-nothing", spec={"preview": True}, outcome="done", writes=0, **STAYS, dry="encoding=\"UTF-8\"",
      notes=["customer_updated"])

# ---- MA-02: customers --------------------------------------------------------------------------

plain("MA-02-customer-goes-before-its-first-invoice", "several-vat-rates", **GOES, notes=["customer_added"])
plain("MA-02-card-that-a-person-made-is-taken-over", **GOES, notes=["customer_updated"], no_notes=["customer_added"],
      cards={"1001": {"address.street": "Sahatie 4", "name": "Kivijärven Konepaja Oy"}})


def relay(sb, invoice="plain-hours", **more):
    """The invoice stands at Maestro, Severa's status is the transfer status again."""
    run(sb, invoice, {})
    sb.change("invoices/" + invoice, status=sb.setup["severa"]["transfer_status"])
    return more


def relayed_and_deleted(sb):
    relay(sb)
    for d in sb.documents():
        sb.call("DELETE", "maestro/kajo/invoices/" + d["number"])


plain("MA-02-unchanged-customer-is-not-written", **GOES, writes=2, no_notes=["customer_updated"], prepare=relayed_and_deleted)
plain("MA-02-changed-customer-is-written", **GOES, writes=3, notes=["customer_updated"], cards={"1001": {"name": "Kivijärven Paja Oy"}},
      prepare=lambda sb: (relayed_and_deleted(sb), sb.change("customers/1001", name="Kivijärven Paja Oy")) and None)


def keeps_theirs(sb):
    """Severa has no e-mail address and never had one; a person has made a card with one at Maestro."""
    number = str(sb.invoice("several-vat-rates")["customer"]["number"])
    vat = next(c for c in sb.call("GET", "severa/kajo/customers") if str(c["number"]) == number)["vatNumber"]
    sb.change("customers/" + number, email=None)
    sb.call("POST", "maestro/kajo/customers", {"number": number, "name": "Vanha nimi", "email": "kirjanpito@asiakas.example",
                                               "businessId": vat[2:9] + "-" + vat[9:]})


plain("MA-02-what-only-maestro-has-stays", "several-vat-rates", **GOES, prepare=keeps_theirs, notes=["customer_updated"],
      cards={"*": {"email": "kirjanpito@asiakas.example"}})
plain("MA-02-what-severa-took-away-goes", **GOES, notes=["customer_updated"], cards={"1001": {"email": None}},
      prepare=lambda sb: (relayed_and_deleted(sb), sb.change("customers/1001", email=None)) and {
          "values": {"maestro:%s|customer:%s" % (sb.setup["maestro"]["company_id"], sb.invoice("plain-hours")["customer"]["guid"]): "name email"}})
plain("MA-02-steering-word-is-no-address", "print-word", **GOES, notes=["customer_added"])
plain("MA-02-customer-without-number", "customer-without-number", error="data", reason="customer_number_missing", **STAYS)
plain("MA-02-number-of-another-customer", error="data", reason="customer_number_taken", **STAYS,
      prepare=lambda sb: sb.call("POST", "maestro/kajo/customers", {
          "externalId": "another", "number": "1001", "name": "Toinen", "businessId": sb.cards()["1001"]["businessId"]}) and None)
plain("MA-02-cut-line-while-the-customer-is-written", error="outage", **STAYS,
      prepare=lambda sb: sb.fault(system="maestro", method="PUT", match="/v1/customers", kind="cut_after_commit"))


def written_in_silence(sb):
    relayed_and_deleted(sb)
    guid = sb.invoice("plain-hours")["customer"]["guid"]
    return {"steps": {"maestro.customer." + guid: {"state": "intent", "age_ms": 1000}}}


plain("MA-02-customer-in-doubt-is-found-and-not-written-again", **GOES, writes=2, prepare=written_in_silence)

# ---- MA-03, MA-04: products --------------------------------------------------------------------

plain("MA-03-work-type-and-product-by-code", "several-vat-rates", **GOES, no_notes=["fallback_product"])
plain("MA-04-unknown-code-goes-to-A-0", "three-decimals", **GOES, notes=["fallback_product"], codes=["A/0", "SUUN-02"],
      rows={0: {"quantity": 13337, "price": 0.0375, "vat_percent": 25.5, "text": "Rajapintatapahtumat, lokakuu (API-TX)"}})
plain("MA-04-row-without-a-code-goes-to-A-0", "code-missing", **GOES, notes=["fallback_product"])
plain("MA-04-row-with-several-codes-goes-to-A-0", "two-codes", **GOES, notes=["fallback_product"])
plain("MA-04-inactive-code-goes-to-A-0", **GOES, notes=["fallback_product"], prepare=with_rows({"code": ["VANHA-9"]}))
plain("MA-04-fallback-of-the-connection", "three-decimals", spec={"settings": {"maestro": {"fallback_product": "T-33"}}}, **GOES,
      codes=["T-33", "SUUN-02"])
plain("MA-04-no-fallback-product-there", "three-decimals", spec={"settings": {"maestro": {"fallback_product": "EI-OLE"}}}, error="data",
      reason="temp_product_missing", **STAYS, writes=0)

CODES = '{"API-TX":2,"PVR":1}'


def counted(sb):
    """An invoice stands in the transferred status whose rows had those codes."""
    relay(sb)
    sb.change("invoices/plain-hours", status=sb.setup["severa"]["transferred_status"])
    return {"kind": "poll", "known": {"delivered": True}, "values": {"case|unknown_codes:" + sb.invoice("plain-hours")["guid"]: CODES}}


plain("MA-04-report-counts-codes-that-maestro-does-not-know", prepare=counted, outcome="done",
      report={"unknown_codes": [{"code": "API-TX", "rows": 2}, {"code": "PVR", "rows": 1}]})
plain("MA-04-report-leaves-mended-codes-out", prepare=lambda sb: sb.product("PVR") or counted(sb), outcome="done",
      report={"unknown_codes": [{"code": "API-TX", "rows": 2}]})
plain("MA-04-report-when-maestro-is-away", outcome="done", report={"unknown_codes": [{"code": "API-TX", "rows": 2}, {"code": "PVR", "rows": 1}]},
      prepare=lambda sb: (spec := counted(sb)) and (sb.fault(system="maestro", match="/v1/products", kind="status", status=503, count=9) or spec))

# ---- MA-04, SV-06, SV-09: the check ------------------------------------------------------------

plain("MA-04-check-of-a-sound-connection", spec={"kind": "check"}, problems=[], writes=0)
plain("MA-04-check-names-a-missing-fallback", spec={"kind": "check", "settings": {"maestro": {"fallback_product": "EI-OLE"}}},
      problems=["temp_product_missing"])
plain("MA-04-check-names-a-fallback-not-in-use", spec={"kind": "check", "settings": {"maestro": {"fallback_product": "VANHA-9"}}},
      problems=["temp_product_missing"])
plain("MA-06-check-names-a-refused-key", spec={"kind": "check", "keys": {"api_key": "wrong"}}, problems=["credentials_refused"])
plain("SV-09-check-names-keys-of-another-company", spec={"kind": "check", "settings": {"company": {"vat_number": "FI90001022"}}},
      problems=["company_differs"])

# ---- SV-01, SV-02: once ------------------------------------------------------------------------

IN_DOUBT = {"maestro.invoice": {"state": "intent", "age_ms": 200000}}
TWICE = {"maestro.invoice": {"state": "intent", "age_ms": 200000, "lookups": 1, "lookup_age_ms": 5000}}
ALL_DONE = {"maestro.invoice": {"state": "done", "outcome": "x"}, "severa.status": {"state": "done", "outcome": "x"}}

plain("SV-01-not-in-transfer-status-is-skipped", "draft", outcome="skipped", count=0, writes=0)
plain("SV-09-invoice-of-another-company", "other-company-of-the-group", outcome="skipped", count=0, writes=0)
plain("SV-02-line-cut-after-commit-leaves-doubt", error="doubt", count=1, status="transfer",
      prepare=lambda sb: sb.fault(system="maestro", method="POST", match="/v1/sales-invoices", kind="cut_after_commit"))
plain("SV-02-in-doubt-and-found-is-not-sent-again", **GOES, notes=["found_at_target"], prepare=lambda sb: relay(sb, steps=IN_DOUBT))
plain("SV-02-credit-note-in-doubt-is-known-again", "credit-note", **GOES, notes=["found_at_target"],
      prepare=lambda sb: relay(sb, "credit-note", steps=IN_DOUBT))
plain("SV-02-rounded-total-is-known-again", "off-by-a-cent", **GOES, notes=["found_at_target"],
      prepare=lambda sb: relay(sb, "off-by-a-cent", steps=IN_DOUBT))
plain("SV-02-in-doubt-first-empty-look-up-does-not-count", spec={"steps": IN_DOUBT}, error="doubt", **STAYS)
plain("SV-02-in-doubt-absent-twice-is-sent", spec={"steps": TWICE}, **GOES, notes=["absent_at_target"])
plain("SV-02-in-doubt-and-the-number-is-taken", error="data", reason="number_taken", count=1,
      prepare=lambda sb: (relay(sb), change(referenceNumber="999993")(sb)) and {"steps": IN_DOUBT})
plain("SV-02-duplicate-is-believed-only-after-a-look", **GOES, notes=["found_at_target"], prepare=relay)
plain("SV-02-duplicate-that-is-another-invoice", error="data", reason="number_taken", count=1,
      prepare=lambda sb: (relay(sb), change(date="2026-11-01")(sb)) and None)
plain("SV-02-new-store-asks-maestro-first", spec={"epoch_ms": 4000000000000}, **GOES, notes=["found_at_target"], prepare=relay)
plain("SV-02-gateway-page-proves-no-absence", spec={"steps": TWICE}, error="system", **STAYS,
      prepare=lambda sb: sb.fault(system="maestro", match="/v1/sales-invoices", kind="status", status=404, code="GATEWAY"))
plain("SV-02-relayed-and-seen-again", spec={"steps": ALL_DONE}, **GOES, notes=["already_relayed"], prepare=lambda sb: relay(sb))
plain("SV-02-relayed-and-gone-at-maestro", spec={"steps": ALL_DONE}, error="data", reason="gone_at_target", **STAYS)


if __name__ == "__main__":
    recorder.main(Book(HERE, SCENARIOS, run, complaints), Sandbox)
