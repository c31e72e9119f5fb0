#!/usr/bin/python3
"""Records the flow cases of severa_maventa against a fresh sandbox: record_maventa.py FLOW_CASES SANDBOX [PREFIX]. As record.py,
whose recorder this is: each scenario prepares the sandbox, says what must come of the run and what Maventa must hold afterwards."""
import base64
import email
import email.policy
import hashlib
import io
import json
import urllib.error
import zipfile

import record as recorder
from record import Book, record

HERE = recorder.HERE.parent / "severa_maventa"


class Sandbox(recorder.Sandbox):
    def documents(self):
        return self.call("GET", "maventa/kajo")["documents"]

    def account(self, **fields):
        self.call("POST", "maventa/kajo", fields)


def settings(setup, **more):
    s = setup["severa"]
    return {"statuses": {"transfer": s["transfer_status"], "transferred": s["transferred_status"], "failed": s["failed_status"]},
            "company": {"vat_number": setup["maventa"]["vat_number"]}, "severa": {"url": s["base_url"]},
            "maventa": {"url": setup["maventa"]["base_url"]}, **more}


def credentials(setup):
    s, m = setup["severa"], setup["maventa"]
    return {"severa": {"client_id": s["client_id"], "client_secret": s["client_secret"]},
            "maventa": {k: m[k] for k in ("company_uuid", "user_api_key", "vendor_api_key")}}


def run(sb, invoice, spec):
    spec = dict(spec)
    invoice = spec.pop("invoice", invoice)
    try:
        guid = sb.invoice(invoice)["guid"]
    except urllib.error.HTTPError:
        guid = sb.guids[invoice]
    keys = credentials(sb.setup)
    for system, values in spec.get("credentials", {}).items():
        keys[system].update(values)
    return record({"flow": "severa-maventa", "kind": "invoice", "source_id": guid, **spec,
                   "settings": settings(sb.setup, **spec.get("settings", {})), "credentials": keys})


# ---- what was sent -----------------------------------------------------------------------------


def body_of(exchange):
    coded = exchange.get("body_base64")
    return base64.b64decode(coded) if coded else exchange.get("body", "").encode()


class Upload:
    """A POST of an invoice: the form's plain fields, the names of the files, the document."""

    def __init__(self, raw):
        boundary = raw.split(b"\r\n", 1)[0][2:].decode()
        head = b"Content-Type: multipart/form-data; boundary=" + boundary.encode() + b"\r\n\r\n"
        self.fields, self.files = {}, []
        for part in email.message_from_bytes(head + raw, policy=email.policy.HTTP).iter_parts():
            name = part.get_param("name", header="content-disposition")
            value = part.get_payload(decode=True)
            if part.get_filename():
                self.take(value)
            else:
                self.fields[name] = (self.fields[name] + "," if name in self.fields else "") + value.decode()

    def take(self, value):
        self.xml = value
        if value.startswith(b"PK"):
            with zipfile.ZipFile(io.BytesIO(value)) as package:
                self.files = package.namelist()
                self.xml = package.read(self.files[0])
        self.text = self.xml.decode("iso-8859-15" if b"ISO-8859-15" in self.xml[:80] else "utf-8")


def uploads(case):
    return [Upload(body_of(x)) for x in case["exchanges"] if x["method"] == "POST" and x["url"].endswith("/v1/invoices")]


def is_write(x):
    return x["method"] != "GET" and not x["url"].endswith("/token")


def sent_complaints(want, sent):
    for text in want.get("sent", []):
        if not sent or text not in sent[-1].text:
            yield "document without %s: %s" % (text, sent and sent[-1].text)
    for name, value in want.get("fields", {}).items():
        if not sent or sent[-1].fields.get(name) != value:
            yield "field %s: %s" % (name, sent and sent[-1].fields)
    if "files" in want and (not sent or len(sent[-1].files) != want["files"]):
        yield "files: %s" % (sent and sent[-1].files)


def complaints(sb, invoice, want, case):
    got = case["expect"]
    for key in ("outcome", "error", "reason", "generation", "verdict", "watch_days", "words"):
        if key in want and got.get(key) != want[key]:
            yield "%s is %s" % (key, got.get(key))
    if "error" in got and "error" not in want:
        yield "failed"
    if "note" in want and want["note"] not in got["notes"]:
        yield "no note " + want["note"]
    if "count" in want and len(sb.documents()) != want["count"]:
        yield "Maventa has %d documents" % len(sb.documents())
    yield from sent_complaints(want, uploads(case))
    if "writes" in want and sum(map(is_write, case["exchanges"])) != want["writes"]:
        yield "writes: %s" % [x["url"] for x in case["exchanges"] if is_write(x)]
    if "patched" in want:
        patches = [json.loads(body_of(x)) for x in case["exchanges"] if x["url"].endswith("/v1/company/settings") and x["method"] == "PATCH"]
        if patches != want["patched"]:
            yield "patched: %s" % patches
    if "status" in want:
        wanted = sb.setup["severa"].get(want["status"] + "_status", want["status"])
        if wanted not in sb.invoice(invoice)["status"].values():
            yield "status is " + sb.invoice(invoice)["status"]["name"]
    if "key" in want and got.get("key") not in [d["uuid"] for d in sb.documents() if d["status"] == want["key"]]:
        yield "taken for another: %s" % got.get("key")
    if "problems" in want and {p["code"] for p in got["result"]["problems"]} != set(want["problems"]):
        yield "problems: %s" % got["result"]
    if "ok" in want and got["result"]["ok"] is not want["ok"]:
        yield "check: %s" % got["result"]
    if "items" in want and got["result"]["items"] != want["items"]:
        yield "items: %s" % got["result"]["items"]
    if "dry" in want and (want["dry"] not in got["result"]["document"] or got["result"]["media_type"] != "application/xml"):
        yield "dry run: %s" % got["result"]


SCENARIOS = []


def plain(title, invoice="plain-hours", spec=None, prepare=None, **want):
    def make(sb):
        made = prepare(sb) if prepare else None
        return {**(spec or {}), **(made if isinstance(made, dict) else {})}
    SCENARIOS.append((title, invoice, make, want))


def scenario(title, invoice="plain-hours", **want):
    def add(prepare):
        SCENARIOS.append((title, invoice, prepare, want))
        return prepare
    return add


def change(**fields):
    return lambda sb: sb.change("invoices/plain-hours", fields=fields)


def made(rows=None, **invoice):
    """An invoice of its own, "made"."""
    def prepare(sb):
        sb.change("invoices", invoices=[{"name": "made", **({"rows": rows} if rows is not None else {}), **invoice}])
        return {"invoice": "made"}
    return prepare


GOES = {"outcome": "following", "count": 1, "status": "transferred"}
NO_VAT = [{"description": "Luento", "vatRate": 0, "code": ["KONS-01"]}]

# ---- MV-13: a valid document -------------------------------------------------------------------

plain("MV-13-finnish-invoice-is-finvoice", **GOES, sent=["<Finvoice Version=\"3.0\"", "<EpiAccountID IdentificationSchemeName=\"IBAN\">FI545",
                                                        "<FromIntermediator>003721291126<", "<ToIntermediator>003723327487<"])
plain("MV-13-format-of-the-connection", spec={"settings": {"format": "peppol"}}, **GOES,
      sent=["peppol.eu:2017:poacc:billing:3.0", "schemeID=\"0216\">003790001102<"])
plain("MV-13-finvoice-that-follows-the-norm", spec={"settings": {"finvoice_en16931": True}}, **GOES,
      sent=["<SpecificationIdentifier>EN16931<"])
plain("MV-13-norm-without-an-operator", spec={"settings": {"finvoice_en16931": True}}, **GOES, sent=["<BuyerOrganisationName>"],
      prepare=lambda sb: sb.change("customers/1001", eInvoiceOperator=None))
plain("MV-13-credit-note-names-what-it-credits", "credit-note", **GOES, prepare=lambda sb: sb.change("invoices/credit-note", fields={
    "reimburseInvoice": {"guid": sb.invoice("plain-hours")["guid"], "number": 10401}}),
      sent=[">INV02<", "<OriginalInvoiceNumber>10401<", "<OriginalInvoiceDate Format=\"CCYYMMDD\">20261030<", ">-360,81<"])
plain("MV-13-credited-invoice-that-was-deleted", "credit-note", **GOES, prepare=lambda sb: sb.change("invoices/credit-note", fields={
    "reimburseInvoice": {"guid": "0e6d9a10-0000-4000-8000-00000000dead", "number": 9999}}), sent=["<OriginalInvoiceNumber>9999<"])
plain("MV-13-reverse-charge-by-the-invoice", "reverse-charge", **GOES, sent=["<VatCode>AE<", "AVL 8 c §"])
plain("MV-13-tax-free-by-the-customers-country", "norwegian-einvoice", **GOES, prepare=lambda sb: sb.change(
    "invoices/norwegian-einvoice", fields={"yourReference": "Innkjøp"}), sent=["<cbc:ID>G</cbc:ID>", "schemeID=\"0192\">977123453<"])
plain("MV-13-buyer-whom-peppol-has-no-address-for", "german-customer", **GOES, sent=["<Finvoice", "<VatCode>AE<"])
plain("MV-13-domestic-zero-without-a-reason", spec={}, prepare=made(NO_VAT), error="data", reason="vat_category_missing", count=0)
plain("MV-13-domestic-zero-by-the-setting", spec={"settings": {"vat": {"zero_domestic": "E", "exempt_reason": "AVL 39 §"}}},
      prepare=made(NO_VAT), outcome="following", count=1, sent=["<VatCode>E<", "AVL 39 §"])
plain("MV-13-vat-in-the-own-currency", prepare=made([{"description": "Arbete", "vatRate": 25.5}], currency="SEK", currency_rate="10.0"),
      outcome="following", count=1, sent=["InvoiceTotalVatAccountingAmount AmountCurrencyIdentifier=\"EUR\">2,55<"])
plain("MV-13-no-reference-of-the-buyer", "norwegian-customer", error="data", reason="buyer_reference_missing", count=0, status="failed")
plain("MV-13-reference-of-the-connection", "norwegian-customer", spec={"settings": {"buyer_reference": "Tilaaja"}}, **GOES,
      sent=["<cbc:BuyerReference>Tilaaja<"])
plain("MV-13-account-of-another-company-is-not-paid-to", "other-company-of-the-group",
      spec={"settings": {"company": {"vat_number": "FI90001022"}}}, error="data", reason="bank_account_missing", count=0)
plain("MV-13-account-of-the-connection", "other-company-of-the-group", outcome="following", count=1, spec={"settings": {
    "company": {"vat_number": "FI90001022"}, "seller": {"iban": "FI2112345600000785", "bic": "NDEAFIHH"}}}, sent=[">FI2112345600000785<"])
plain("MV-13-reference-that-is-none", prepare=change(referenceNumber="12345"), error="data", reason="reference_invalid", count=0)
plain("MV-13-sum-off-by-five-is-refused", "off-by-five", error="data", reason="sum_mismatch", count=0, status="failed")
plain("MV-13-country-by-the-vat-number", prepare=lambda sb: sb.change("invoices/plain-hours", fields={"senderAddress": {"country": None}}),
      **GOES, sent=["<CountryCode>FI<"])
plain("MV-13-invoice-that-maventa-refuses", error="data", reason="refused_by_target", count=0, status="failed",
      prepare=lambda sb: sb.fault(system="maventa", method="POST", match="/v1/invoices", kind="status", status=400))
plain("MV-13-dry-run-shows-and-writes-nothing", spec={"preview": True, "settings": {"send_pdf": True, "print": {"enabled": True}}},
      outcome="done", count=0, writes=0, status="transfer", dry="encoding=\"UTF-8\"")
plain("MV-06-dry-run-says-what-stands-in-the-way", spec={"preview": True}, outcome="done", count=0, writes=0, note="company_unverified",
      prepare=lambda sb: sb.account(company_state="UNVERIFIED"))

# ---- MV-08 to MV-12: files, routes, the account's settings -------------------------------------

plain("MV-08-pdf-and-files-go-along", "several-vat-rates", spec={"settings": {"send_pdf": True}}, **GOES, files=3)
plain("MV-08-data-alone", "several-vat-rates", spec={"settings": {"send_pdf": False}}, **GOES, files=0)
plain("MV-08-file-that-maventa-does-not-take", spec={"settings": {"send_pdf": True}}, outcome="following", count=1, files=2,
      note="attachment_left_out", prepare=made(files=[{"name": "ohjelma.exe", "content_type": "application/x-msdownload", "text": "MZ"}]))
plain("MV-08-file-that-is-too-large", spec={"settings": {"send_pdf": True}}, error="data", reason="attachment_too_large", count=0,
      prepare=lambda sb: sb.fault(system="severa", match="/pdf", kind="huge", bytes=11 << 20))
plain("MV-09-own-pdf-on-paper", spec={"settings": {"send_pdf": True, "print": {"enabled": True, "own_pdf": True}}}, **GOES, files=2,
      fields={"print_settings[print_own_image]": "true"}, patched=[{"send_invoice_print": {"enabled": True, "use_own_pdf": True}}],
      note="account_settings")
plain("MV-10-customers-own-address-goes-along", **GOES, fields={"recipient_email": "laskut@kivijarvenkonepaja.example"}, patched=[])
plain("MV-10-no-contact-persons-address", prepare=lambda sb: (sb.change("customers/1001", email=None), change(
    receiverContactEmail="maija@elsewhere.example")(sb)) and None, **GOES, fields={"recipient_email": None, "disabled_routes": None})
plain("MV-10-e-mail-switched-off", spec={"settings": {"send_by_email": False}}, **GOES,
      fields={"recipient_email": None, "disabled_routes": "email"}, patched=[{"send_invoice_email": {"enabled": False}}])
plain("MV-10-address-in-the-einvoice-field", "email-in-einvoice-field", **GOES, note="by_email",
      fields={"recipient_email": "laskut@metsalanpuutarha.example", "disabled_routes": "print,einvoice"})
plain("MV-10-word-without-an-address", prepare=lambda sb: sb.change("customers/1001", eInvoiceAddress="EMAIL", email=None), error="data",
      reason="recipient_email_missing", count=0, status="failed")
plain("MV-10-e-mail-asked-for-and-switched-off", "email-in-einvoice-field", spec={"settings": {"send_by_email": False}}, **GOES,
      note="on_paper", fields={"recipient_email": None, "disabled_routes": "email,einvoice"})
plain("MV-10-word-for-paper", "print-word", **GOES, note="on_paper", fields={"recipient_email": None, "disabled_routes": "email,einvoice"})
plain("MV-10-word-for-nobody", "donotsend-word", **GOES, note="not_sent_on", fields={"recipient_email": None, "prevent_routing": "true"})
plain("MV-10-word-with-blanks-around-it", "donotsend-word", **GOES, note="not_sent_on", fields={"prevent_routing": "true"},
      prepare=lambda sb: sb.change("customers/" + str(sb.invoice("donotsend-word")["customer"]["number"]), eInvoiceAddress=" DoNotSend ",
                                   eInvoiceOperator=None))
plain("MV-13-address-without-an-operator-goes-along", **GOES, fields={"recipient_eia": "TE003723327487", "recipient_operator": None},
      prepare=lambda sb: sb.change("customers/1001", eInvoiceAddress="TE003723327487", eInvoiceOperator=None))
plain("MV-12-settings-that-maventa-refuses-hold-invoices-up", spec={"settings": {"print": {"enabled": True}}}, error="waiting",
      reason="settings_refused", count=0, status="transfer",
      prepare=lambda sb: sb.fault(system="maventa", method="PATCH", kind="status", status=400, count=2))
plain("MV-12-account-that-is-linked-already-and-says-so-with-a-refusal", **GOES, prepare=lambda sb: (
    sb.account(linked=True), sb.fault(system="maventa", method="POST", match="/v1/company/vendors", kind="status", status=422)) and None)
plain("MV-12-link-that-is-refused-holds-invoices-up", error="waiting", reason="settings_refused", count=0, status="transfer",
      prepare=lambda sb: (sb.account(linked=False), sb.fault(system="maventa", method="POST", match="/v1/company/vendors", kind="status",
                                                             status=422)) and None)
plain("MV-12-unclear-change-of-settings-is-made-again", spec={"settings": {"print": {"enabled": True}}}, error="outage", count=0,
      status="transfer", prepare=lambda sb: sb.fault(system="maventa", method="PATCH", kind="cut_after_commit"))


@scenario("MV-12-settings-written-before-are-not-written-again", **GOES, patched=[], writes=2)
def _(sb):
    text = "%s|0|-|2|0|-|-" % sb.setup["maventa"]["company_uuid"]
    return {"settings": {"print": {"enabled": True}}, "values": {"case|maventa.settings": hashlib.sha256(text.encode()).hexdigest()}}


# ---- MV-06, MV-07, MV-16: the account ----------------------------------------------------------

plain("MV-06-unverified-company-waits-and-nothing-is-written", spec={"settings": {"print": {"enabled": True}}}, error="waiting",
      reason="company_unverified", count=0, writes=0, status="transfer", prepare=lambda sb: sb.account(company_state="UNVERIFIED"))
plain("MV-07-keys-that-are-swapped", spec={"kind": "check"}, ok=False, problems=["keys_swapped"], prepare=lambda sb: {"credentials": {
    "maventa": {"company_uuid": sb.setup["maventa"]["user_api_key"], "user_api_key": sb.setup["maventa"]["company_uuid"]}}})
plain("MV-07-key-that-is-missing", spec={"kind": "check", "credentials": {"maventa": {"user_api_key": ""}}}, ok=False,
      problems=["credentials_refused"])
plain("MV-07-vendor-key-that-is-missing", spec={"kind": "check", "credentials": {"maventa": {"vendor_api_key": ""}}}, ok=False,
      problems=["vendor_key_refused"])
plain("MV-07-account-that-was-closed", spec={"kind": "check"}, ok=False, problems=["credentials_refused"],
      prepare=lambda sb: sb.account(disabled=True))
plain("MV-07-user-without-the-role-admin", spec={"settings": {"print": {"enabled": True}}}, error="waiting", reason="settings_refused",
      count=0, status="transfer", prepare=lambda sb: sb.account(admin=False))
plain("MV-07-refused-keys-pause", spec={"credentials": {"maventa": {"user_api_key": "0e6d9a10-0000-4000-8000-00000000dead"}}},
      error="credentials", reason="credentials_refused", count=0, status="transfer")
plain("MV-16-check-of-a-sound-connection", spec={"kind": "check"}, ok=True, problems=[])
plain("MV-16-status-marked-sent", spec={"kind": "check"}, ok=False, problems=["status_is_sent"],
      prepare=lambda sb: sb.change("statuses/" + sb.setup["severa"]["transfer_status"], isSent=True))
plain("MV-16-unverified-and-without-print-is-said", spec={"kind": "check", "settings": {"send_by_email": False}}, ok=True,
      problems=["company_unverified", "print_is_off"], prepare=lambda sb: sb.account(company_state="UNVERIFIED"))

# ---- SV-02: once -------------------------------------------------------------------------------

IN_DOUBT = {"maventa.invoice": {"state": "intent", "age_ms": 200000}}
TWICE = {"maventa.invoice": {"state": "intent", "age_ms": 200000, "lookups": 1, "lookup_age_ms": 5000}}
FAILED = {"source.failed": {"state": "done", "outcome": "x"}}


def relay(sb, invoice="plain-hours", **more):
    """The invoice stands at Maventa, Severa's status is the transfer status again."""
    run(sb, invoice, more.pop("first", {}))
    sb.change("invoices/" + invoice, status=sb.setup["severa"]["transfer_status"])
    return more


def sent(sb, age_ms=1000, status="transferred", **more):
    """Sent before; its status was set."""
    relay(sb)
    sb.change("invoices/plain-hours", status=sb.setup["severa"][status + "_status"])
    uuid = sb.documents()[-1]["uuid"]
    return {"steps": {"maventa.invoice": {"state": "done", "outcome": uuid, "age_ms": age_ms},
                      "severa.status": {"state": "done", "outcome": "x"}}, **more}


plain("SV-02-line-cut-after-commit-leaves-doubt", error="doubt", count=1, status="transfer",
      prepare=lambda sb: sb.fault(system="maventa", method="POST", match="/v1/invoices", kind="cut_after_commit"))
plain("SV-02-in-doubt-and-found-is-not-sent-again", **GOES, note="found_at_target", prepare=lambda sb: relay(sb, steps=IN_DOUBT))
plain("SV-02-in-doubt-first-empty-look-up-does-not-count", spec={"steps": IN_DOUBT}, error="doubt", count=0)
plain("SV-02-in-doubt-absent-twice-is-sent", spec={"steps": TWICE}, **GOES, note="absent_at_target")
plain("SV-02-duplicate-is-believed-only-after-a-look", **GOES, note="found_at_target", prepare=relay)
plain("SV-02-new-store-asks-maventa-first", spec={"epoch_ms": 4000000000000}, **GOES, note="found_at_target", prepare=relay)
plain("SV-02-sent-by-another-connection-before", spec={"epoch_ms": 4000000000000}, **GOES, note="found_at_target",
      prepare=lambda sb: relay(sb, first={"connection": "before"}))
plain("SV-02-quota-of-the-day", error="quota", count=0, status="transfer",
      prepare=lambda sb: (relay(sb, "credit-note"), sb.account(daily_limit=1), sb.call("DELETE", "maventa/kajo/invoices/10407")) and None)


plain("SV-02-rounded-total-is-known-again", "off-by-a-cent", spec={"epoch_ms": 4000000000000}, **GOES, note="found_at_target",
      prepare=lambda sb: relay(sb, "off-by-a-cent", first={"connection": "before"}))


@scenario("SV-02-same-uuid-with-another-content", error="data", reason="number_taken", count=1)
def _(sb):
    relay(sb)
    sb.change("invoices/plain-hours", fields={"date": "2026-11-01"})
    return {"steps": IN_DOUBT}


@scenario("SV-02-failed-before-under-another-uuid-is-sent", outcome="following", count=2)
def _(sb):
    relay(sb, first={"connection": "before"})
    sb.call("POST", "maventa/kajo/invoices/10401", {"outcome": "failed", "after_reads": 0})
    return {"epoch_ms": 4000000000000}


@scenario("SV-02-lost-store-finds-the-one-that-went-through", outcome="following", note="found_at_target", count=2, key="DELIVERED")
def _(sb):
    relay(sb)
    sb.call("POST", "maventa/kajo/invoices/10401", {"outcome": "failed", "after_reads": 0})
    relay(sb, first={"connection": "before"})
    return {"epoch_ms": 4000000000000, "tells_key": True}


@scenario("SV-02-failed-before-a-loss-and-mended-is-sent-anew", outcome="following", note="next_generation", generation=2, count=2,
          status="transferred")
def _(sb):
    relay(sb)
    sb.call("POST", "maventa/kajo/invoices/10401", {"outcome": "failed", "after_reads": 0})
    sb.change("invoices/plain-hours", fields={"date": "2026-11-01"})
    return {"epoch_ms": 4000000000000}


@scenario("SV-02-relayed-and-gone-at-maventa", error="data", reason="gone_at_target", count=0)
def _(sb):
    spec = sent(sb, status="transfer")
    sb.call("DELETE", "maventa/kajo/invoices/10401")
    return spec


# ---- MV-14: what became of it ------------------------------------------------------------------


def becomes(outcome, **more):
    """Sent before, and by now delivered or failed."""
    def prepare(sb):
        spec = sent(sb, **{k: v for k, v in more.items() if k in ("age_ms", "status")})
        script = {k: v for k, v in more.items() if k not in ("age_ms", "status")}
        sb.call("POST", "maventa/kajo/invoices/10401", {"outcome": outcome, "after_reads": 0, **script})
        return spec
    return prepare


plain("MV-14-pending-is-followed", prepare=sent, outcome="following", verdict="PENDING", writes=0)
plain("MV-14-delivered-is-done-and-watched", prepare=becomes("delivered"), outcome="done", verdict="DELIVERED", watch_days=14, writes=0)
plain("MV-14-failed-says-maventas-own-words", prepare=becomes("failed", message="Vastaanottajan operaattori hylkäsi laskun"), error="data",
      reason="delivery_failed", words="Vastaanottajan operaattori hylkäsi laskun", status="failed", count=1)
plain("MV-14-failed-status-not-over-one-of-a-person", prepare=lambda sb: (spec := becomes("failed")(sb)) and (
    sb.change("invoices/plain-hours", status="Maksettu") or spec), error="data", reason="delivery_failed", status="Maksettu", count=1)
plain("MV-14-failed-with-the-delivery-is-late", prepare=becomes("delivered", late_failure={"after_reads": 0}), error="data",
      reason="delivery_failed", status="failed", count=1)
plain("MV-14-pending-over-a-week-goes-to-a-person", prepare=lambda sb: sent(sb, age_ms=8 * 86400000), error="data",
      reason="delivery_pending_long", status="transferred", count=1)
plain("MV-14-back-from-failed-is-sent-anew", prepare=lambda sb: (spec := becomes("failed", status="transfer")(sb)) and {
    **spec, "steps": {**spec["steps"], **FAILED}}, outcome="following", note="next_generation", generation=2, count=2, status="transferred")
plain("MV-14-sent-on-at-maventa-is-not-sent-anew", prepare=lambda sb: (spec := becomes("delivered", status="transfer")(sb)) and {
    **spec, "steps": {**spec["steps"], **FAILED}}, outcome="done", note="already_relayed", count=1, status="transferred")


@scenario("MV-14-one-call-asks-for-many", items=[{"has_news": True, "seen": "PENDING"}, {"has_news": False, "seen": "PENDING"},
                                                 {"has_news": False, "seen": None}, {"has_news": True, "seen": "PENDING"}], writes=0)
def _(sb):
    for name in ("plain-hours", "credit-note"):
        relay(sb, name)
    uuids = [d["uuid"] for d in sb.documents()]
    absent = "0e6d9a10-0000-4000-8000-00000000dead"
    return {"kind": "follow", "items": [{"key": uuids[0], "word": ""}, {"key": uuids[1], "word": "PENDING"},
                                        {"key": absent, "word": "PENDING"},
                                        {"key": uuids[1], "word": "PENDING", "age_ms": 8 * 86400000}]}


# ---- the road: whose invoices, deleted ones ----------------------------------------------------

plain("SV-01-not-in-transfer-status-is-skipped", "draft", outcome="skipped", count=0, writes=0)
plain("SV-09-invoice-of-another-company", "other-company-of-the-group", outcome="skipped", count=0, writes=0)


@scenario("SV-01-deleted-invoice-is-cancelled", outcome="cancelled", count=0)
def _(sb):
    sb.call("DELETE", "severa/kajo/invoices/plain-hours")


if __name__ == "__main__":
    recorder.main(Book(HERE, SCENARIOS, run, complaints), Sandbox)
