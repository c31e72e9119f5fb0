"""Starting and speaking to viesti-sandbox from tests. Standard library only.

    with Sandbox() as sb:
        setup = sb.setup("kajo")
        severa = SeveraClient(setup["severa"])
        netvisor = NetvisorClient(setup["netvisor"])

The two clients here are small and blunt on purpose: they show what a client has to send, and let a
test send the wrong thing.
"""

import datetime
import decimal
import hashlib
import hmac
import http.client
import http.server
import json
import os
import pathlib
import subprocess
import threading
import urllib.parse
import uuid
import xml.etree.ElementTree as ET

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("BUILD", "build/gcc")
ALL_SCOPES = (
    "invoices:read,invoices:write,customers:read,settings:read,files:read,projects:read,"
    "organization:read"
)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    def json(self):
        return json.loads(self.body)

    def header(self, name):
        return self.headers.get(name)


def call(url, method="GET", headers=None, body=None, timeout=30):
    """One request on a connection of its own. Raises OSError or HTTPException when the line is cut."""
    parts = urllib.parse.urlsplit(url)
    target = parts.path + ("?" + parts.query if parts.query else "")
    conn = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
    try:
        conn.request(method, target, body=body, headers=headers or {})
        answer = conn.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    finally:
        conn.close()


class Sandbox:
    """A running viesti-sandbox and its control API."""

    def __init__(self, *args, seed="demo", severa_rate=0):
        self.args = [str(BUILD / "viesti-sandbox"), "--port", "0", "--seed", seed, "--severa-rate", str(severa_rate)]
        self.args += [str(a) for a in args]
        self.process = None
        self.url = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc):
        self.stop()

    def start(self):
        self.process = subprocess.Popen(self.args, stdout=subprocess.PIPE, text=True, process_group=0)  # Ctrl-C is for us
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("viesti-sandbox did not start: %s" % " ".join(self.args))
        self.port = json.loads(line)["port"]
        self.url = "http://127.0.0.1:%d" % self.port

    def stop(self):
        """Ends it and returns its exit code."""
        if not self.process:
            return None
        self.process.terminate()
        try:
            code = self.process.wait(20)
        finally:
            self.process.stdout.close()
            self.process = None
        return code

    # --- control API ---

    def control(self, path, method="GET", body=None, raw=False):
        """raw: the answer's bytes; else what it says, text where it is no JSON."""
        data = None if body is None else json.dumps(body).encode()
        answer = call(self.url + "/_sandbox/" + path, method, {"Content-Type": "application/json"}, data)
        if answer.status >= 400:
            raise AssertionError("control %s %s: %d %s" % (method, path, answer.status, answer.text))
        if raw:
            return answer.body
        if (answer.header("Content-Type") or "").startswith("text/"):
            return answer.text
        return answer.json() if answer.body else None

    def setup(self, key=None):
        tenants = self.control("setup")["tenants"]
        if key is None:
            return tenants
        return next(t for t in tenants if t["key"] == key)

    def ledger(self, system=None, tenant=None):
        ledger = self.control("ledger")
        if system is None:
            return ledger
        return next(e for e in ledger[system] if e["tenant"] == tenant)

    def fault(self, **spec):
        return self.control("faults", "POST", spec)["ids"][0]

    def clear_faults(self, one=None):
        """All, or one by its id."""
        self.control("faults" if one is None else f"faults?id={one}", "DELETE")

    def reset(self, seed=None):
        self.control("reset", "POST", {"seed": seed} if seed else {})

    def tenants(self, **spec):
        return self.control("tenants", "POST", spec)["keys"]

    def requests(self, **query):
        return self.control("requests?" + urllib.parse.urlencode(query))

    def invoices(self, client, status=None):
        query = "?" + urllib.parse.urlencode({"status": status}) if status else ""
        return self.control("severa/%s/invoices%s" % (client, query))

    def add_invoices(self, client, **spec):
        return self.control("severa/%s/invoices" % client, "POST", spec)

    def change_invoice(self, client, which, **spec):
        return self.control("severa/%s/invoices/%s" % (client, which), "POST", spec)

    def rss_kb(self):
        with open("/proc/%d/status" % self.process.pid) as f:
            return next(int(l.split()[1]) for l in f if l.startswith("VmRSS:"))


def drive_system(system, url, credentials, steps, **given):
    """Single calls of a system of the service against the sandbox (`flow-cases drive`): what each step came to."""
    given |= {"system": system, "url": url, "credentials": credentials, "steps": steps}
    done = subprocess.run([str(BUILD / "flow-cases"), "drive"], input=json.dumps(given), capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


class SeveraClient:
    def __init__(self, setup, scope=ALL_SCOPES):
        self.base = setup["base_url"]
        self.setup = setup
        self.scope = scope
        self.token = None

    def login(self):
        body = {
            "client_id": self.setup["client_id"],
            "client_secret": self.setup["client_secret"],
            "scope": self.scope,
        }
        answer = self.raw("/v1/token", "POST", body, token=None)
        if answer.status == 200:
            self.token = answer.json()["access_token"]
        return answer

    def raw(self, path, method="GET", body=None, token="own", headers=None, timeout=30):
        head = {}
        if token == "own":
            if not self.token:
                self.login()
            token = self.token
        if token:
            head["Authorization"] = "Bearer " + token
            head["Client_Id"] = self.setup["client_id"]
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            head["Content-Type"] = "application/json"
        head.update(headers or {})
        return call(self.base + path, method, head, data, timeout)

    def get(self, path, **query):
        if query:
            path += "?" + urllib.parse.urlencode(query, doseq=True)
        return self.raw(path)

    def all_pages(self, path, **query):
        rows, pages, token = [], 0, None
        while True:
            if token:
                query["pageToken"] = token
            answer = self.get(path, **query)
            assert answer.status == 200, answer.text
            rows += answer.json()
            pages += 1
            token = answer.header("NextPageToken")
            if not token:
                return rows, pages

    def patch_status(self, invoice, status, form="/status/guid"):
        value = status if form == "/status/guid" else {"guid": status}
        ops = [{"op": "Replace", "path": form, "value": value}]
        return self.raw("/v1/invoices/" + invoice, "PATCH", ops)


class NetvisorAnswer(Answer):
    def __init__(self, answer):
        super().__init__(answer.status, answer.headers, answer.body)
        self.root = ET.fromstring(self.body)
        self.statuses = [e.text for e in self.root.find("ResponseStatus").findall("Status")]

    @property
    def ok(self):
        return self.statuses == ["OK"]

    @property
    def code(self):
        return None if self.ok else self.statuses[1].split(" :: ", 1)[0]

    @property
    def message(self):
        return None if self.ok else self.statuses[1].split(" :: ", 1)[1]

    @property
    def key(self):
        return self.root.findtext("Replies/InsertedDataIdentifier")


class NetvisorClient:
    def __init__(self, setup, language="EN", real_status=True):
        self.setup = setup
        self.language = language
        self.real_status = real_status

    def headers(self, url, **change):
        now = datetime.datetime.now(datetime.timezone.utc)
        s = self.setup
        values = {
            "Sender": "Viesti tests",
            "CustomerId": s["customer_id"],
            "PartnerId": s["partner_id"],
            "Timestamp": now.strftime("%Y-%m-%d %H:%M:%S.") + "%03d" % (now.microsecond // 1000),
            "TimestampUnix": str(int(now.timestamp())),
            "TransactionId": uuid.uuid4().hex,
            "Language": self.language,
            "Organisation": s["organisation_id"],
            "Algorithm": "HMACSHA256",
        }
        values.update({k: v for k, v in change.items() if k in values})
        keys = s["customer_key"] + "&" + s["partner_key"]
        parts = ["Sender", "CustomerId", "Timestamp", "Language", "Organisation", "TransactionId",
                 "TimestampUnix"]
        message = "&".join([url] + [values[p] for p in parts]) + "&" + keys
        mac = hmac.new(keys.encode(), message.encode(), hashlib.sha256).hexdigest()
        prefix = "X-Netvisor-Authentication-"
        head = {prefix + n: values[n] for n in
                ("Sender", "CustomerId", "PartnerId", "Timestamp", "TimestampUnix", "TransactionId")}
        head["X-Netvisor-Interface-Language"] = values["Language"]
        head["X-Netvisor-Organisation-ID"] = values["Organisation"]
        head[prefix + "MACHashCalculationAlgorithm"] = values["Algorithm"]
        head[prefix + "MAC"] = change.get("MAC", mac)
        if self.real_status:
            head[prefix + "UseHTTPResponseStatusCodes"] = "1"
        return head

    def raw(self, resource, method="GET", body=None, timeout=30, **change):
        url = self.setup["base_url"] + "/" + resource
        head = self.headers(url, **change)
        if body is not None:
            head["Content-Type"] = "text/xml; charset=utf-8"
            body = body if isinstance(body, bytes) else body.encode()
        return call(url, method, head, body, timeout)

    def __call__(self, resource, method="GET", body=None, **change):
        return NetvisorAnswer(self.raw(resource, method, body, **change))

    def post(self, resource, body, **change):
        return self(resource, "POST", body, **change)


class MaventaClient:
    ALL = "global invoice:send invoice:receive company:read company:write lookup"

    def __init__(self, setup, scope=ALL):
        self.base, self.setup, self.scope = setup["base_url"], setup, scope
        self.token = None

    def login(self, **change):
        form = {"grant_type": "client_credentials", "client_id": self.setup["company_uuid"], "client_secret": self.setup["user_api_key"],
                "vendor_api_key": self.setup["vendor_api_key"], "scope": self.scope} | change
        body = urllib.parse.urlencode({k: v for k, v in form.items() if v is not None})
        answer = call(self.base + "/oauth2/token", "POST", {"Content-Type": "application/x-www-form-urlencoded"}, body)
        if answer.status == 200:
            self.token = answer.json()["access_token"]
        return answer

    def raw(self, path, method="GET", body=None, content_type="application/json", token=None, timeout=30):
        if not token and not self.token:
            self.login()
        head = {"Authorization": "Bearer " + (token or self.token)}
        if body is not None:
            head["Content-Type"] = content_type
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
        return call(self.base + path, method, head, body, timeout)

    def get(self, path, **query):
        return self.raw(path + ("?" + urllib.parse.urlencode(query) if query else ""))

    def send(self, file, filename="invoice.xml", fields=(), timeout=30):
        """fields: (name, value) pairs; file: bytes."""
        mark = "b" + uuid.uuid4().hex
        parts = [b'Content-Disposition: form-data; name="%s"\r\n\r\n%s' % (n.encode(), str(v).encode()) for n, v in fields]
        if file is not None:
            name = b'; filename="%s"' % filename.encode() if filename else b""
            parts.append(b'Content-Disposition: form-data; name="file"%s\r\nContent-Type: application/octet-stream\r\n\r\n%s' % (name, file))
        body = b"".join(b"--%s\r\n%s\r\n" % (mark.encode(), p) for p in parts) + b"--%s--\r\n" % mark.encode()
        return self.raw("/v1/invoices", "POST", body, "multipart/form-data; boundary=" + mark, timeout=timeout)

    def register(self, **change):
        params = {"vendor_api_key": self.setup["vendor_api_key"], "license_agreement": "true", "company_name": "Kajo Data Oy",
                  "company_bid": "FI90001022", "company_email": "info@kajo.example", "user_first_name": "Kalle",
                  "user_last_name": "Kokeilija", "user_email": "kalle@kajo.example", "country": "FI"} | change
        members = "".join("<%s>%s</%s>" % (k, v, k) for k, v in params.items() if v is not None)
        body = ('<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><m:register_with_password '
                'xmlns:m="https://secure.maventa.com/"><registration_params>%s</registration_params><user_password/>'
                "</m:register_with_password></s:Body></s:Envelope>" % members)
        answer = call(self.base + "/apis/v1.1/api", "POST", {"Content-Type": "text/xml", "SOAPAction": '"/v1.1/api/register_with_password"'},
                      body.encode())
        return {e.tag: e.text for e in ET.fromstring(answer.body).iter() if not e.tag.startswith("{")}


class MaestroClient:
    def __init__(self, setup):
        self.base, self.setup = setup["base_url"], setup

    def raw(self, path, method="GET", body=None, headers=None, timeout=30):
        """headers: over the usual ones; None leaves one out."""
        head = {"Authorization": "Bearer " + self.setup["api_key"], "X-Company-Id": self.setup["company_id"]} | (headers or {})
        return call(self.base + path, method, {k: v for k, v in head.items() if v is not None}, body, timeout)

    def get(self, path, **query):
        return self.raw(path + ("?" + urllib.parse.urlencode(query) if query else ""))

    def put_customer(self, card):
        return self.raw("/v1/customers/" + card["externalId"], "PUT", json.dumps(card).encode())

    def send(self, document, key="key-10401", content_type="application/xml"):
        return self.raw("/v1/sales-invoices", "POST", document, {"Content-Type": content_type, "Idempotency-Key": key, "X-Source": "severa"})


class Listener:
    """A server that answers 202 and keeps what it was sent: (path, headers, body) in heard."""

    def __enter__(self):
        class Ear(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.server.heard.append((self.path, self.headers, body))
                self.send_response(202)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Ear)
        self.heard = self.server.heard = []
        self.url = "http://127.0.0.1:%d" % self.server.server_port
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class SpotillaClient:
    def __init__(self, setup):
        self.base, self.setup = setup["base_url"], setup

    def raw(self, path, method="GET", body=None, headers=None, timeout=30):
        """headers: over the usual ones; None leaves one out."""
        s = self.setup
        head = {"X-User-Token": s["token"], "X-User-Id": s["user_id"], "X-User-Subdomain": s["subdomain"]} | (headers or {})
        data = None if body is None else json.dumps(body).encode()
        return call(self.base + path, method, {k: v for k, v in head.items() if v is not None}, data, timeout)

    def get(self, path, **query):
        return self.raw(path + ("?" + urllib.parse.urlencode(query) if query else ""))

    def create(self, key=None, **customer):
        return self.raw("/customers", "POST", customer, {"Idempotency-Key": key})

    def patch(self, path, **members):
        return self.raw(path, "PATCH", members)


class ProcountorClient:
    def __init__(self, setup):
        self.base, self.setup = setup["base_url"], setup
        self.token = None

    def login(self, query="", **change):
        form = {"grant_type": "client_credentials"} | {k: self.setup[k] for k in ("client_id", "client_secret", "api_key")} | change
        body = urllib.parse.urlencode({k: v for k, v in form.items() if v is not None})
        answer = call(self.base + "/oauth/token" + query, "POST", {"Content-Type": "application/x-www-form-urlencoded"}, body)
        if answer.status == 200:
            self.token = answer.json()["access_token"]
        return answer

    def raw(self, path, method="GET", body=None, headers=None, timeout=30):
        if not self.token:
            self.login()
        head = {"Authorization": "Bearer " + self.token} | (headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        return call(self.base + path, method, head, body, timeout)

    def get(self, path, headers=None, **query):
        return self.raw(path + ("?" + urllib.parse.urlencode(query) if query else ""), headers=headers)

    def post(self, path, body, timeout=30):
        return self.raw(path, "POST", body, timeout=timeout)

    def ids(self, path, headers=None, **query):
        return [r["id"] for r in self.get(path, headers=headers, **query).json()["results"]]


class TalenomClient:
    def __init__(self, setup):
        self.setup = setup
        self.sales = "/fi/sales/v1/%s/" % setup["organization_number"]
        self.vouchers = "/fi/general-ledger/v2/vouchers/" + setup["organization_number"]
        self.token = None

    def login(self, **change):
        form = {"grant_type": "client_credentials", "client_id": self.setup["client_id"], "client_secret": self.setup["client_secret"]} | change
        answer = call(self.setup["token_url"], "POST", {"Content-Type": "application/x-www-form-urlencoded"}, urllib.parse.urlencode(form))
        if answer.status == 200:
            self.token = answer.json()["access_token"]
        return answer

    def raw(self, path, method="GET", body=None, headers=None, timeout=30):
        """headers: over the usual ones; None leaves one out."""
        if not self.token:
            self.login()
        head = {"Authorization": "Bearer " + self.token, "Ocp-Apim-Subscription-Key": self.setup["subscription_key"]} | (headers or {})
        data = None if body is None else json.dumps(body).encode()
        return call(self.setup["base_url"] + path, method, {k: v for k, v in head.items() if v is not None}, data, timeout)

    def get(self, resource, **query):
        return self.raw(self.sales + resource + ("?" + urllib.parse.urlencode(query) if query else ""))

    def post(self, resource, body=None):
        return self.raw(self.sales + resource, "POST", body)

    def put(self, resource, body):
        return self.raw(self.sales + resource, "PUT", body)


def customer_xml(code="10234", name="Kivijärven Konepaja Oy", operator="003723327487", extra=""):
    return (
        "<root><customer><customerbaseinformation><internalidentifier>%s</internalidentifier>"
        "<externalidentifier>9000110-2</externalidentifier><name>%s</name>"
        "<streetaddress>Sahatie 4</streetaddress><city>Lappeenranta</city>"
        '<postnumber>53850</postnumber><country type="ISO-3166">FI</country>'
        "<isactive>1</isactive><isprivatecustomer>0</isprivatecustomer></customerbaseinformation>"
        "<customerfinvoicedetails><finvoiceaddress>003790001102</finvoiceaddress>"
        "<finvoiceroutercode>%s</finvoiceroutercode></customerfinvoicedetails>%s"
        "</customer></root>" % (code, name, operator, extra)
    )


def product_xml(code="KONS-01", name="Konsultointi"):
    return (
        "<root><product><productbaseinformation><productcode>%s</productcode>"
        "<productgroup>Severa</productgroup><name>%s</name>"
        '<unitprice type="net">95,00</unitprice><unit>h</unit><purchaseprice>0,00</purchaseprice>'
        "<isactive>1</isactive><issalesproduct>1</issalesproduct></productbaseinformation>"
        "<productbookkeepingdetails><defaultvatpercentage>25,5</defaultvatpercentage>"
        "</productbookkeepingdetails></product></root>" % (code, name)
    )


def line_xml(product="TEMP", price="95,00", vat="25,5", code="KOMY", quantity="10", sums=None,
             extra=""):
    given = "" if sums is None else (
        "<salesinvoiceproductlinevatsum>%s</salesinvoiceproductlinevatsum>"
        "<salesinvoiceproductlinesum>%s</salesinvoiceproductlinesum>" % sums
    )
    return (
        '<invoiceline><salesinvoiceproductline><productidentifier type="customer">%s'
        "</productidentifier><productname>Konsultointi</productname>"
        '<productunitprice type="net">%s</productunitprice>'
        '<productvatpercentage vatcode="%s">%s</productvatpercentage>'
        "<salesinvoiceproductlinequantity>%s</salesinvoiceproductlinequantity>%s%s"
        "</salesinvoiceproductline></invoiceline>" % (product, price, code, vat, quantity, given, extra)
    )


def invoice_xml(number="20260117", amount="1192,25", customer="TEMP", lines=None, status="unsent",
                date="2026-01-31", reference="202601171", currency="EUR", head="", tail=""):
    number = "" if number is None else "<salesinvoicenumber>%s</salesinvoicenumber>" % number
    return (
        "<root><salesinvoice>%s"
        '<salesinvoicedate format="ansi">%s</salesinvoicedate>'
        '<salesinvoiceduedate format="ansi">2026-02-14</salesinvoiceduedate>'
        "<salesinvoicereferencenumber>%s</salesinvoicereferencenumber>"
        '<salesinvoiceamount iso4217currencycode="%s">%s</salesinvoiceamount>%s'
        '<salesinvoicestatus type="netvisor">%s</salesinvoicestatus>'
        '<invoicingcustomeridentifier type="customer">%s</invoicingcustomeridentifier>'
        "<invoicelines>%s</invoicelines>%s</salesinvoice></root>"
        % (number, date, reference, currency, amount, head, status, customer,
           "".join(lines or [line_xml()]), tail)
    )


def ubl_xml(number="10401", date="2026-11-02", net="100.00", gross="125.50", address="0216:003790001102", email="", country="FI", street="Sahatie 4",
            sender="9000101-4", currency="EUR", root="Invoice"):
    """As much of a Peppol invoice as the stand-in reads."""
    return (
        '<%(root)s xmlns="urn:oasis:names:specification:ubl:schema:xsd:%(root)s-2"><ID>%(number)s</ID><IssueDate>%(date)s</IssueDate>'
        "<DocumentCurrencyCode>%(currency)s</DocumentCurrencyCode><AccountingSupplierParty><Party><PartyLegalEntity>"
        "<RegistrationName>Kajo Ohjelmistotalo Oy</RegistrationName><CompanyID>%(sender)s</CompanyID></PartyLegalEntity></Party>"
        '</AccountingSupplierParty><AccountingCustomerParty><Party>%(endpoint)s<PostalAddress><StreetName>%(street)s</StreetName>'
        "<CityName>Lappeenranta</CityName><PostalZone>53850</PostalZone><Country><IdentificationCode>%(country)s</IdentificationCode></Country>"
        "</PostalAddress><PartyLegalEntity><RegistrationName>Kivijärven Konepaja Oy</RegistrationName></PartyLegalEntity>"
        "<Contact><ElectronicMail>%(email)s</ElectronicMail></Contact></Party></AccountingCustomerParty>"
        "<LegalMonetaryTotal><TaxExclusiveAmount>%(net)s</TaxExclusiveAmount><TaxInclusiveAmount>%(gross)s</TaxInclusiveAmount>"
        "</LegalMonetaryTotal></%(root)s>" % dict(locals(), endpoint="<EndpointID>%s</EndpointID>" % address if address else "")
    ).encode()


def finvoice_xml(number="10401", customer="1001", date="20261102", rate="25,5", rows=(("KONS-01", "7,5", "115,00"),), version="3.0", off=0,
                 seller="9000101-4"):
    """As much of a Finvoice as the stand-in reads. rows: code, quantity, price; off: cents added to the total."""
    def dec(text):
        return decimal.Decimal(text.replace(",", ".")) if text[0].isdigit() else decimal.Decimal(0)

    def comma(value):
        return str(value.quantize(decimal.Decimal("0.01"), decimal.ROUND_HALF_UP)).replace(".", ",")

    lines, net, vat = "", decimal.Decimal(0), decimal.Decimal(0)
    for code, quantity, price in rows:
        row = (dec(quantity) * dec(price)).quantize(decimal.Decimal("0.01"), decimal.ROUND_HALF_UP)
        tax = (row * dec(rate) / 100).quantize(decimal.Decimal("0.01"), decimal.ROUND_HALF_UP)
        net, vat = net + row, vat + tax
        lines += ("<InvoiceRow>%s<ArticleName>Työ</ArticleName><InvoicedQuantity>%s</InvoicedQuantity><UnitPriceAmount>%s</UnitPriceAmount>"
                  "<RowVatRatePercent>%s</RowVatRatePercent><RowVatAmount>%s</RowVatAmount><RowVatExcludedAmount>%s</RowVatExcludedAmount></InvoiceRow>"
                  % ("<ArticleIdentifier>%s</ArticleIdentifier>" % code if code else "", quantity, price, rate, comma(tax), comma(row)))
    return (
        '<Finvoice Version="%s"><SellerPartyDetails><SellerPartyIdentifier>%s</SellerPartyIdentifier></SellerPartyDetails><InvoiceDetails>'
        "<InvoiceTypeCode>INV01</InvoiceTypeCode><InvoiceNumber>%s</InvoiceNumber><InvoiceDate>%s</InvoiceDate>"
        "<SellersBuyerIdentifier>%s</SellersBuyerIdentifier><InvoiceTotalVatExcludedAmount>%s</InvoiceTotalVatExcludedAmount>"
        "<InvoiceTotalVatAmount>%s</InvoiceTotalVatAmount>"
        '<InvoiceTotalVatIncludedAmount AmountCurrencyIdentifier="EUR">%s</InvoiceTotalVatIncludedAmount></InvoiceDetails>%s'
        "<EpiDetails><EpiPaymentInstructionDetails><EpiDateOptionDate>20261116</EpiDateOptionDate></EpiPaymentInstructionDetails></EpiDetails></Finvoice>"
        % (version, seller, number, date, customer, comma(net), comma(vat), comma(net + vat + decimal.Decimal(off) / 100), lines)
    ).encode()


def in_threads(n, work):
    """Runs work(i) in n threads at once; returns the results, exceptions among them."""
    results = [None] * n

    def run(i):
        try:
            results[i] = work(i)
        except Exception as e:  # a test looks at it
            results[i] = e

    threads = [threading.Thread(target=run, args=(i,)) for i in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return results


def waiting(severa, number=10401):
    """An invoice of kajo, by its number."""
    return severa.get("/v1/invoices", numbers=number).json()[0]


def fi_check(base):
    """The check digit of a Finnish business id; None: there is none."""
    r = sum(int(d) * w for d, w in zip(base, (7, 9, 10, 5, 8, 4, 2))) % 11
    return None if r == 1 else str((11 - r) % 11)
