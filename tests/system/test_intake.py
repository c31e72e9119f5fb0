"""Bad input: a clear 4xx problem document or a closed connection; memory stays flat; nothing else is disturbed."""

import json
import os
import socket
import time
import uuid

import pytest

from service import KEY_BYTES, event, signed, wait_for

NAME = "kajo"


@pytest.fixture(scope="module")
def active(service):
    service.connect(NAME)
    service.activate(NAME)
    return service


def code(answer):
    return answer.status, json.loads(answer.body)["code"]


def ident():
    return str(uuid.uuid4())


def raw(service, data, seconds=10):
    """Sends bytes on a line of their own; what came until the end of the line or the time-out."""
    got = b""
    with socket.create_connection(("127.0.0.1", service.relay.port), timeout=seconds) as s:
        try:
            s.sendall(data)
            while chunk := s.recv(65536):
                got += chunk
                if b"\r\n\r\n" in got and b"Connection: close" not in got:
                    break
        except (ConnectionError, socket.timeout):
            pass
    return got


def test_signed_webhook_is_taken(active):
    body = event(ident())
    answer = active.webhook(NAME, body)
    assert answer.status == 202 and answer.headers["Viesti-Durability"] == "fsync"
    assert json.loads(answer.body)["result"] == "queued"
    transfer = json.loads(answer.body)["transfer"]
    assert active.call("GET", f"/v1/transfers/{transfer}").json()["origin"] == "webhook"


def test_replay_changes_nothing(active):
    body = event(ident())
    headers = signed(body)
    first = json.loads(active.webhook(NAME, body, headers).body)
    assert first["result"] == "queued"
    again = active.webhook(NAME, body, headers)
    assert again.status == 202 and json.loads(again.body)["result"] == "replay"


def test_unsigned_late_and_forged(active):
    body, now = event(ident()), int(time.time())
    good = signed(body)
    for name in good:
        assert code(active.webhook(NAME, body, {k: v for k, v in good.items() if k != name})) == (401, "unsigned")
    assert code(active.webhook(NAME, body, {})) == (401, "unsigned")
    assert code(active.webhook(NAME, body, signed(body, when=now - 400))) == (401, "timestamp_late")
    assert code(active.webhook(NAME, body, signed(body, when=now + 400))) == (401, "timestamp_late")
    assert code(active.webhook(NAME, body, signed(body, when="soon"))) == (401, "unsigned")
    assert code(active.webhook(NAME, body, signed(body, key=b"x" * 32))) == (401, "signature_invalid")
    assert code(active.webhook(NAME, body + b" ", good)) == (401, "signature_invalid")
    assert active.webhook(NAME, body, signed(body, extra=["v1,AAAA", "v1a,AAAA", "v9,x"])).status == 202


def test_malformed_bodies(active):
    for body in (b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"type":"invoice.changed","data":{"id":"\xff"}}', b"{" * 5000,
                 b'{"type":7,"data":{"id":"x"}}', b'{"type":"invoice.changed"}', b'{"type":"invoice.changed","data":[]}',
                 b'{"type":"invoice.changed","data":{"id":{}}}', b'{"type":"a","type":"b","data":{"id":"1"}}',
                 b'{"type":"invoice.changed","data":{"id":"not-a-guid"}}'):
        answer = active.webhook(NAME, body, signed(body))
        assert answer.status in (400, 413, 422), (body[:40], answer.status, answer.body)


def test_unknown_ids_and_types(active):
    body = event(ident())
    assert code(active.webhook("nobody", body)) == (404, "not_found")
    answer = active.webhook(NAME, event(ident(), "weather.changed"))
    assert answer.status == 202 and json.loads(answer.body)["result"] == "ignored"
    active.connect("draft", 1)
    assert code(active.webhook("draft", body)) == (409, "connection_not_active")


def test_too_large(active):
    body = b'{"x":"' + b"a" * 70000 + b'"}'
    head = f"POST /v1/webhooks/{NAME} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    assert raw(active, head).startswith(b"HTTP/1.1 413")
    chunked = f"POST /v1/webhooks/{NAME} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    got = raw(active, chunked + f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n")
    assert got.startswith(b"HTTP/1.1 413")
    endless = raw(active, chunked + (b"10000\r\n" + b"a" * 65536 + b"\r\n") * 40)
    assert not endless.startswith(b"HTTP/1.1 2")


def test_hostile_headers(active):
    for data in (
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 100000 + b"\r\n\r\n",
        b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n" + b"".join(b"H%d: x\r\n" % i for i in range(5000)) + b"\r\n",
        b"POST /v1/webhooks/kajo HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/webhooks/kajo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"GET /v1/connections HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \x00\xff\r\n\r\n",
        b"GET /v1/jobs/%00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"BREW /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    ):
        got = raw(active, data, 5)
        assert got == b"" or got.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4", b"HTTP/1.1 505", b"HTTP/1.1 501")), (data[:60], got[:200])
    assert active.call("GET", "/healthz").status == 200


def test_slow_clients_are_cut(active):
    """One byte now and then keeps libmicrohttpd's idle clock from running out; the watch cuts the line all the same."""
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", active.relay.port), timeout=1) as s:
        s.sendall(b"POST /v1/webhooks/kajo HTTP/1.1\r\nHost: x\r\n")
        with pytest.raises(OSError):
            while time.monotonic() - began < 20:
                s.sendall(b"a")
                time.sleep(0.3)
                s.settimeout(0.05)
                try:
                    if s.recv(100) == b"":
                        raise ConnectionError("cut")
                except socket.timeout:
                    pass
    assert time.monotonic() - began < 15


@pytest.mark.skipif("address" in os.environ.get("BUILD", ""), reason="the sanitizer keeps what was freed")
def test_memory_stays_flat(active):
    def strike():
        for _ in range(300):
            body = event(ident())
            active.webhook(NAME, body, signed(body, key=b"x" * 32))
            active.webhook(NAME, b"{" * 2000, signed(b"{" * 2000))

    strike()
    before = active.relay.rss_kb()
    strike()
    assert active.relay.rss_kb() - before < 2048


def test_redis_away_is_never_a_yes(active):
    body = event(ident())
    headers = signed(body)
    active.redis.kill()
    answer = active.webhook(NAME, body, headers)
    assert code(answer) == (503, "unavailable") and int(answer.headers["Retry-After"]) > 0
    assert active.call("GET", "/healthz").status == 200
    assert active.call("GET", "/readyz").status == 503
    assert active.call("GET", "/v1/transfers").status == 503
    assert b"viesti_redis_up 0" in active.call("GET", "/metrics").body
    active.redis.start()
    began = time.monotonic()
    again = wait_for("a taken webhook", lambda: (a := active.webhook(NAME, body, signed(body, headers["webhook-id"]))).status == 202 and a, 20)
    assert time.monotonic() - began < 5
    transfer = json.loads(again.body)["transfer"]
    assert active.call("GET", f"/v1/transfers/{transfer}").status == 200


def test_second_secret_and_rotation(active):
    """Two live secrets: both sign; after the change the old one does not."""
    import base64
    new = b"fedcba9876543210fedcba9876543210"
    secrets = ["whsec_" + base64.b64encode(k).decode() for k in (new, KEY_BYTES)]
    path = f"/v1/connections/{NAME}"
    assert active.call("PATCH", path, {"webhook_secrets": secrets}, {"If-Match": "*"}).status == 200
    for key in (new, KEY_BYTES):
        body = event(ident())
        assert active.webhook(NAME, body, signed(body, key=key)).status == 202
    assert active.call("PATCH", path, {"webhook_secrets": secrets[:1]}, {"If-Match": "*"}).status == 200
    body = event(ident())
    assert code(active.webhook(NAME, body, signed(body))) == (401, "signature_invalid")
    assert active.webhook(NAME, body, signed(body, key=new)).status == 202
