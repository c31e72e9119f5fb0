"""Mail about what stands still: a real SMTP server with STARTTLS and login, the real service (MV-11)."""

import email
import email.policy
import re
import socket
import ssl
import subprocess

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from service import Service, connection_of, maventa_connection_of, spotilla_connection_of, wait_for

WIDE = {"severa_concurrency": "64", "severa_rate": "10000", "severa_burst": "10000", "workers": "8",
        "poll_interval": "1s"}
MANY = 200


class Mailbox:
    """What the server took; refuse: recipients it does not know, answer: a temporary refusal of everything."""

    def __init__(self):
        self.mails, self.refuse, self.answer = [], set(), None

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in self.refuse:
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if self.answer:
            return self.answer
        assert session.ssl and session.authenticated
        self.mails.append((envelope.rcpt_tos, email.message_from_bytes(envelope.content, policy=email.policy.default)))
        return "250 OK"


@pytest.fixture(scope="module")
def post(tmp_path_factory):
    folder = tmp_path_factory.mktemp("smtp")
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
                    "-out", cert, "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"],
                   check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)

    def login(server, session, envelope, mechanism, data):
        return AuthResult(success=(data.login, data.password) == (b"viesti", b"hush"))

    box = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        box.port = free.getsockname()[1]
    server = Controller(box, hostname="127.0.0.1", port=box.port, tls_context=context, require_starttls=True, authenticator=login,
                        auth_required=True)
    server.start()
    box.cert = cert
    yield box
    server.stop()


@pytest.fixture(scope="module")
def service(post):
    with Service(relays=2, seed="empty", smtp_hosts=f"127.0.0.1:{post.port}", smtp_user="viesti", smtp_password="hush",
                 smtp_ca_file=post.cert, mail_from="viesti@example.org", mail_wait="1s", mail_interval="1h", **WIDE) as s:
        yield s


def tenant(service, name, **settings):
    key, = service.sandbox.tenants(count=1, prefix=name, customers=1)
    service.connect(key, key, **settings)
    service.sandbox.control(f"/netvisor/{key}", "POST", {"locked_until": "2099-12-31"})
    service.activate(key)
    return key


def to(post, address):
    return [mail for recipients, mail in post.mails if recipients == [address]]


def test_MV_11_hundreds_of_failures_are_few_mails_and_one_says_when_all_is_mended(service, post):
    key = tenant(service, "many", error_email="kirjanpito@example.org", error_email_language="fi")
    service.sandbox.add_invoices(key, count=1)
    first, = wait_for("the first mail", lambda: to(post, "kirjanpito@example.org"), 20)
    assert first["From"].addresses[0].addr_spec == "viesti@example.org" and first["Auto-Submitted"] == "auto-generated"
    assert first["Subject"] == f"Viesti: 1 tositetta odottaa korjausta: Demo {key}"
    failed, = service.transfers(key)
    body = first.get_body().get_content()
    assert failed["number"] in body and failed["error"]["detail"]["target_text"] in body

    service.sandbox.add_invoices(key, count=MANY)
    wait_for("all to fail", lambda: service.redis.cli("ZCARD", f"t:ix:{key}:needs_data") == str(MANY + 1), 60, 0.2)
    service.sandbox.control(f"/netvisor/{key}", "POST", {"locked_until": ""})
    assert len(to(post, "kirjanpito@example.org")) == 1  # the interval is an hour: the rest waits for it
    done = service.call("POST", "/v1/transfers/retry", {"connection": key, "dry": False, "count": MANY + 1})
    assert done.status == 200, done.body
    last = wait_for("the mail that all is well", lambda: to(post, "kirjanpito@example.org")[1:], 60)
    assert [m["Subject"] for m in last] == [f"Viesti: Kaikki on edennyt: Demo {key}"]
    wait_for("all to be relayed", lambda: service.redis.cli("ZCARD", f"t:ix:{key}:done") == str(MANY + 1), 60, 0.2)


def test_MV_11_a_server_that_is_away_holds_no_transfer_up_and_loses_no_mail(service, post):
    post.answer = "451 4.3.0 come back later"
    key = tenant(service, "away", error_email="feil@example.org", error_email_language="nb")
    service.sandbox.add_invoices(key, count=3)
    wait_for("the failures", lambda: len(service.transfers(key, state="needs_data")) == 3, 30)
    wait_for("a refused mail", lambda: any(line.get("code") == "outage" and "451" in line["message"]
                                           for relay in service.relays for line in relay.log_lines("mail_failed")), 20)
    post.answer = None
    # The next try is that of the lease's end, two minutes later; another process may not shorten it: the test does.
    service.redis.cli("HDEL", f"t:al:{key}", "lease")
    mail, = wait_for("the mail", lambda: to(post, "feil@example.org"), 20)
    assert mail["Subject"] == f"Viesti: 3 dokumenter står stille: Demo {key}"


def test_MV_11_an_address_that_the_server_does_not_know_is_given_up_with_a_word(service, post):
    post.refuse = {"nobody@example.org"}
    key = tenant(service, "nobody", error_email="nobody@example.org")
    service.sandbox.add_invoices(key, count=1)
    wait_for("the refusal", lambda: any("no such mailbox" in line["message"] for relay in service.relays
                                        for line in relay.log_lines("mail_failed")), 20)
    assert not to(post, "nobody@example.org")


@pytest.mark.parametrize("address", ["", "no-at", "a@b\r\nBcc: c@d", "a b@c", "a@b,c@d", "<a@b>"])
def test_MV_11_an_address_that_is_none_is_refused_where_it_is_set(service, address):
    key, = service.sandbox.tenants(count=1, prefix="odd", customers=1)
    made = service.call("POST", "/v1/connections", connection_of(service.setup(key), key, error_email=address))
    assert made.status == 422 and made.json()["pointer"] == "/settings/error_email", made.body


def test_MV_11_MV_14_a_sending_that_failed_is_mailed_with_maventas_own_words(service, post):
    words = "Vastaanottajan operaattori hylkäsi laskun 4711"
    key, = service.sandbox.tenants(count=1, prefix="mv", customers=1)
    service.connect(key, key, maventa_connection_of, error_email="talous@mv.example", error_email_language="fi")
    service.sandbox.control(f"maventa/{key}/outcomes", "POST", {"outcome": "failed", "after_reads": 0, "message": words})
    service.activate(key)
    service.sandbox.add_invoices(key, count=1)
    sent, = wait_for("an invoice sent", lambda: [t for t in service.transfers(key) if t["state"] == "following"])
    assert service.call("POST", f"/v1/transfers/{sent['id']}/retry", {}, {"If-Match": "*"}).status == 200
    mail, = wait_for("a mail", lambda: to(post, "talous@mv.example"))
    text = mail.get_body().get_content()
    assert sent["number"] in text and words in text and "ei voinut toimittaa" in text
    notices = service.sandbox.control(f"maventa/{key}")["settings"]["invoice_notifications"]
    assert notices == service.sandbox.control("maventa")["companies"][-1]["settings"]["invoice_notifications"]  # as Maventa made them


def test_MV_11_records_that_a_register_run_cannot_bring_are_one_mail(service, post):
    key, = service.sandbox.tenants(count=1, prefix="registers", customers=1)
    service.sandbox.control("procountor", "POST", {"rate": 0})
    first = service.sandbox.control(f"spotilla/{key}/customers", "POST", {"count": 40, "fields": {"name": ""}})["first"]
    service.connect(key, key, spotilla_connection_of, error_email="asiakkaat@example.org", error_email_language="fi")
    service.activate(key)
    mail, = wait_for("the mail", lambda: to(post, "asiakkaat@example.org"), 30)
    text = mail.get_body().get_content()
    assert mail["Subject"] == f"Viesti: Rekisterien tietoja odottaa korjausta: Demo {key}" and text.count("* ") == 1, text
    assert re.search(r"^\* customers \(\d+, esimerkiksi\): Asiakkaalla SP-\d+ ei ole nimeä\.$", text, re.M), text
    runs = service.call("GET", f"/v1/connections/{key}/runs").json()["items"]
    wait_for("all of them", lambda: service.redis.cli("HGET", f"t:sc:{key}:customers", "customer_name_missing") == "40", 60, 0.2)
    assert runs and len(to(post, "asiakkaat@example.org")) == 1
    for i in range(40):
        service.sandbox.control(f"spotilla/{key}/customers/{first + i}", "POST", {"name": f"Firma {i} Oy"})
    service.call("POST", f"/v1/connections/{key}/runs", {})
    last = wait_for("the mail that all is well", lambda: to(post, "asiakkaat@example.org")[1:], 60)
    assert [m["Subject"] for m in last] == [f"Viesti: Kaikki on edennyt: Demo {key}"]
