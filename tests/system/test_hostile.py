"""Raw bytes and crowds: a clear 4xx or a closed line, never a second meaning; memory stays flat; nobody else is disturbed."""

import contextlib
import http.client
import os
import re
import resource
import select
import socket
import threading
import time
import uuid

import pytest

from service import ADMIN, Service, event, signed, wait_for

NAME = "kajo"
TIMEOUT_S = 2
WATCH_S = 4  # a slow client is cut so long after the time-out at the latest
IDLE = 1000
SMUGGLED = b"GET /healthz HTTP/1.1\r\nHost: smuggled\r\n\r\n"


@pytest.fixture(scope="module")
def service():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))  # the service raises its own
    try:
        with Service(poll_interval="1h", http_timeout=f"{TIMEOUT_S}s", max_body="64k", max_connections=IDLE + 400, log_level="warn") as s:
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
            s.connect(NAME)
            s.activate(NAME)
            assert s.call("POST", f"/v1/connections/{NAME}/pause").status == 200
            yield s
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def line(service, seconds=10):
    return socket.create_connection(("127.0.0.1", service.relay.port), timeout=seconds)


def raw(service, data, seconds=10):
    """Sends bytes on a line of their own; what came until its end, and whether it came to one."""
    got = b""
    with line(service, seconds) as s:
        with contextlib.suppress(ConnectionError):
            s.sendall(data)
        try:
            while chunk := s.recv(65536):
                got += chunk
        except ConnectionError:
            pass
        except socket.timeout:
            return got, False
    return got, True


def statuses(got):
    return [int(s) for s in re.findall(rb"HTTP/1\.[01] (\d{3}) ", got)]


def webhook_with(extra, body, source_id=None):
    """A signed webhook's bytes, its framing left to the caller."""
    body = body or event(source_id or str(uuid.uuid4()))
    head = "".join(f"{k}: {v}\r\n" for k, v in signed(body).items()).encode()
    return b"POST /v1/webhooks/kajo HTTP/1.1\r\nHost: x\r\n" + head + extra


BODY = event("00000000-0000-4000-8000-000000000001")
N = len(BODY)
CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (N, BODY)
FRAMES = {
    "two lengths": (b"Content-Length: %d\r\nContent-Length: 0\r\n\r\n" % N, BODY),
    "two lengths, the shorter first": (b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n" % N, BODY),
    "the same length twice": (b"Content-Length: %d\r\nContent-Length: %d\r\n\r\n" % (N, N), BODY),
    "a list of lengths": (b"Content-Length: %d, %d\r\n\r\n" % (N, N), BODY),
    "a signed length": (b"Content-Length: +%d\r\n\r\n" % N, BODY),
    "a negative length": (b"Content-Length: -1\r\n\r\n", BODY),
    "a length beyond all integers": (b"Content-Length: 99999999999999999999999\r\n\r\n", BODY),
    "a length in hex": (b"Content-Length: 0x%x\r\n\r\n" % N, BODY),
    "a blank before the colon": (b"Content-Length : %d\r\n\r\n" % N, BODY),
    "length and chunks": (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", CHUNKED),
    "chunks and length": (b"Transfer-Encoding: chunked\r\nContent-Length: %d\r\n\r\n" % N, CHUNKED),
    "chunked twice": (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", CHUNKED),
    "a list of codings": (b"Transfer-Encoding: gzip, chunked\r\n\r\n", CHUNKED),
    "an unknown coding": (b"Transfer-Encoding: xchunked\r\n\r\n", CHUNKED),
    "a chunk of no size": (b"Transfer-Encoding: chunked\r\n\r\n", b"zz\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "a chunk of negative size": (b"Transfer-Encoding: chunked\r\n\r\n", b"-5\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "a chunk beyond all integers": (b"Transfer-Encoding: chunked\r\n\r\n", b"ffffffffffffffff1\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "a chunk without its end": (b"Transfer-Encoding: chunked\r\n\r\n", b"%x\r\n" % N + BODY + b"XX0\r\n\r\n"),
    "a bare CR in a header": (b"X-A: a\rContent-Length: 0\r\nContent-Length: %d\r\n\r\n" % N, BODY),
    "a control character in a header": (b"X-A: a\x0bb\r\nContent-Length: %d\r\n\r\n" % N, BODY),
    "a NUL in a header's name": (b"X\x00A: a\r\nContent-Length: %d\r\n\r\n" % N, BODY),
    "a line without a colon": (b"nonsense\r\nContent-Length: %d\r\n\r\n" % N, BODY),
    "two webhook ids": (b"webhook-id: other\r\nContent-Length: %d\r\n\r\n" % N, BODY),
    "two hosts": (b"Host: y\r\nContent-Length: %d\r\n\r\n" % N, BODY),
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_request_has_one_meaning(service, name):
    """What two readers may read differently is refused and the line closed: what follows it is never served."""
    framing, body = FRAMES[name]
    got, ended = raw(service, webhook_with(framing, BODY) + body + SMUGGLED, 5)
    assert ended and all(400 <= s < 500 for s in statuses(got)), (name, got[:300])
    assert got == b"" or statuses(got)
    if b"problem+json" in got:
        assert b'"code":"malformed_request"' in got or b'"code":"body_too_large"' in got


HEADS = {
    "a long header": b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 1000000 + b"\r\n\r\n",
    "a long target": b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "many headers": b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"".join(b"H%d: x\r\n" % i for i in range(5000)) + b"\r\n",
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "two tokens": b"GET /v1/connections HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\nAuthorization: Bearer " + ADMIN.encode() + b"\r\n\r\n",
    "bytes for a token": b"GET /v1/connections HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \x00\xff\r\n\r\n",
    "a NUL in the path": b"GET /v1/jobs/%00 HTTP/1.1\r\nHost: x\r\n\r\n",
    "a step up": b"GET /v1/../healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200 + b"\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/0.9": b"GET /healthz\r\n\r\n",
    "an unknown method": b"BREW /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    "a proxy's request": b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    "noise": bytes(range(1, 256)) * 50 + b"\r\n\r\n",
}


@pytest.mark.parametrize("name", HEADS)
def test_hostile_headers(service, name):
    got, ended = raw(service, HEADS[name], 5)
    assert ended and all(400 <= s < 500 or s in (501, 505) for s in statuses(got)), (name, got[:300])
    assert service.call("GET", "/healthz").status == 200


def test_no_header_of_the_answer_is_made_by_the_request(service):
    for path in ("/v1/transfers?connection=a%0d%0aSet-Cookie:x", "/v1/connections/a%0d%0aSet-Cookie:x", "/a%0d%0aSet-Cookie:x"):
        answer = service.call("GET", path)
        assert answer.status in (200, 400, 404, 422) and answer.headers["Set-Cookie"] is None


def test_too_large(service):
    body = b'{"x":"' + b"a" * 70000 + b'"}'
    start = webhook_with(b"", body)
    assert statuses(raw(service, start + b"Content-Length: %d\r\n\r\n" % len(body))[0]) == [413]
    chunked = start + b"Transfer-Encoding: chunked\r\n\r\n"
    assert statuses(raw(service, chunked + b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n")[0]) == [413]
    got, ended = raw(service, chunked + (b"10000\r\n" + b"a" * 65536 + b"\r\n") * 40)
    assert ended and set(statuses(got)) <= {413}


class Neighbour(threading.Thread):
    """Sends good webhooks one after the other on a line of its own, and times them."""

    def __init__(self, service):
        super().__init__()
        self.port, self.took, self.bad, self.ends = service.relay.port, [], [], threading.Event()

    def run(self):
        conn = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        while not self.ends.is_set():
            body = event(str(uuid.uuid4()))
            began = time.monotonic()
            try:
                conn.request("POST", f"/v1/webhooks/{NAME}", body, signed(body))
                answer = conn.getresponse()
                answer.read()
                if answer.status != 202:
                    self.bad.append(answer.status)
            except (OSError, http.client.HTTPException) as e:
                self.bad.append(repr(e))
                conn.close()
            self.took.append(time.monotonic() - began)
            self.ends.wait(0.01)
        conn.close()


@contextlib.contextmanager
def undisturbed(service, what):
    neighbour = Neighbour(service)
    neighbour.start()
    try:
        yield
        wait_for("a neighbour's webhooks", lambda: len(neighbour.took) > 20)
    finally:
        neighbour.ends.set()
        neighbour.join()
    took = sorted(neighbour.took)
    print(f"{what}: {len(took)} webhooks of a neighbour, median {took[len(took) // 2] * 1000:.1f} ms, worst {took[-1] * 1000:.1f} ms")
    assert not neighbour.bad and took[-1] < 1


def cut_lines(lines):
    """Those of the lines that the server has closed."""
    ready = select.poll()
    for s in lines:
        ready.register(s, select.POLLIN | select.POLLHUP)
    found = {fd for fd, _ in ready.poll(0)}
    ended = []
    for s in lines:
        if s.fileno() in found:
            try:
                if s.recv(4096) == b"":
                    ended.append(s)
            except OSError:
                ended.append(s)
    return ended


def test_slow_clients_are_cut(service):
    """A byte now and then keeps libmicrohttpd's idle clock from running out; the watch cuts the line all the same."""
    starts = [b"POST /v1/webhooks/kajo HTTP/1.1\r\nHost: x\r\nX-A: ",
              webhook_with(b"Content-Length: %d\r\n\r\n" % N, BODY),
              webhook_with(b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % N, BODY)]
    with undisturbed(service, "300 slow clients"):
        lines = [line(service) for _ in range(300)]
        for i, s in enumerate(lines):
            s.sendall(starts[i % 3])
        began = time.monotonic()
        try:
            while lines and time.monotonic() - began < 20:
                for s in cut_lines(lines):
                    lines.remove(s)
                    s.close()
                for s in lines:
                    with contextlib.suppress(OSError):
                        s.send(b"a")
                time.sleep(0.3)
        finally:
            for s in lines:
                s.close()
    took = time.monotonic() - began
    print(f"300 slow clients were cut within {took:.1f} s")
    assert not lines and took < TIMEOUT_S + WATCH_S


def test_a_thousand_idle_lines(service):
    before = service.relay.rss_kb()
    with undisturbed(service, f"{IDLE} idle lines"):
        lines = []
        try:
            for _ in range(IDLE):
                lines.append(line(service))
            wait_for("lines that the server has", lambda: connections(service) > IDLE)
            while_idle = service.relay.rss_kb()
            began = time.monotonic()
            left = list(lines)

            def all_cut():
                for s in cut_lines(left):
                    left.remove(s)
                return not left

            wait_for("idle lines to be cut", all_cut, TIMEOUT_S + WATCH_S + 5, 0.1)
            print(f"{IDLE} idle lines: {while_idle - before} kB, cut within {time.monotonic() - began:.1f} s")
        finally:
            for s in lines:
                s.close()
    if not sanitized():
        assert while_idle - before < IDLE * 20
        wait_for("their memory to be given back", lambda: service.relay.rss_kb() - before < 4096, 15, 0.2)


def connections(service):
    """Established lines to the service's port."""
    port = f"{service.relay.port:04X}"
    with open("/proc/net/tcp", encoding="ascii") as f:
        return sum(row.split()[1].endswith(":" + port) and row.split()[3] == "01" for row in f)


def sanitized():
    """The address sanitizer keeps what was freed for a while, and the others grow too."""
    return "-" in os.path.basename(os.environ.get("BUILD", ""))


@pytest.mark.skipif(sanitized(), reason="the sanitizer keeps what was freed")
def test_memory_stays_flat(service):
    """Two rounds of the same bad input: the second costs no memory, and nobody else notices."""
    def strike():
        for _ in range(300):
            body = event(str(uuid.uuid4()))
            service.webhook(NAME, body, signed(body, key=b"x" * 32))
            service.webhook(NAME, b"{" * 2000, signed(b"{" * 2000))
        for framing, body in FRAMES.values():
            raw(service, webhook_with(framing, BODY) + body, 5)
        for data in HEADS.values():
            raw(service, data, 5)

    with undisturbed(service, "bad input"):
        strike()
        before = service.relay.rss_kb()
        strike()
    grown = service.relay.rss_kb() - before
    print(f"bad input: {grown} kB")
    assert grown < 2048
