"""The one launcher of the service: a Redis and relay processes that tests may kill, the sandbox beside them, signed webhooks.

    with Service(poll_interval="1h") as s:            # VIESTI_POLL_INTERVAL; sandbox, Redis and one relay
        s.connect("kajo"); s.activate("kajo")
        s.call("GET", "/v1/transfers")                # every answer is held against openapi.yaml

A relay is waited for by what it tells its supervisor (NOTIFY_SOCKET), so no log level matters.
"""

import base64
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid

from contract import Contract
from sandbox import BUILD, ROOT, Sandbox

ADMIN = "admin-token-of-the-tests"
KEY = "11" * 32
KEY_BYTES = b"0123456789abcdef0123456789abcdef"
SECRET = "whsec_" + base64.b64encode(KEY_BYTES).decode()


def wait_for(what, condition, seconds=30, step=0.02):
    """Waits for a condition and answers what it gave; fails with `what` after so many seconds."""
    until = time.monotonic() + seconds
    while True:
        got = condition()
        if got:
            return got
        if time.monotonic() > until:
            raise AssertionError(f"still waiting after {seconds} s for {what}")
        time.sleep(step)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def signed(body, ident=None, when=None, key=KEY_BYTES, extra=()):
    """The headers of a Standard Webhooks message."""
    ident = ident or "msg_" + uuid.uuid4().hex
    when = str(int(time.time()) if when is None else when)
    mac = hmac.new(key, f"{ident}.{when}.".encode() + body, hashlib.sha256).digest()
    signatures = [*extra, "v1," + base64.b64encode(mac).decode()]
    return {"webhook-id": ident, "webhook-timestamp": when, "webhook-signature": " ".join(signatures)}


def event(source_id, kind="invoice.changed"):
    return json.dumps({"type": kind, "timestamp": "2026-11-22T10:00:00Z", "data": {"id": source_id}}).encode()


def connection_of(setup, name, **settings):
    """The body that creates a connection to one sandbox tenant."""
    severa, netvisor = setup["severa"], setup["netvisor"]
    values = {
        "statuses": {"transfer": severa["transfer_status"], "transferred": severa["transferred_status"]},
        "invoice_state": "unsent",
    }
    values.update(settings)
    return {
        "id": name, "name": f"Demo {name}", "flow": "severa-netvisor", "settings": values,
        "credentials": {
            "severa": {"client_id": severa["client_id"], "client_secret": severa["client_secret"]},
            "netvisor": {k: netvisor[k] for k in ("customer_id", "customer_key", "partner_id", "partner_key")}
            | {"sender": "Viesti", "organisation_id": netvisor["organisation_id"], "language": "FI"},
        },
    }


def severa_connection(setup, name, target, keys, settings):
    """The body of a flow severa-<target>: keys are those members of the target's set-up that are its credentials."""
    severa = setup["severa"]
    values = {"statuses": {"transfer": severa["transfer_status"], "transferred": severa["transferred_status"]}} | settings
    return {
        "id": name, "name": f"Demo {name}", "flow": "severa-" + target, "settings": {k: v for k, v in values.items() if v is not None},
        "credentials": {
            "severa": {k: severa[k] for k in ("client_id", "client_secret")},
            target: {k: setup[target][k] for k in keys},
        },
    }


def maventa_connection_of(setup, name, **settings):
    """The body that creates a severa-maventa connection to one sandbox tenant. A setting None is left out."""
    severa = setup["severa"]
    statuses = {"transfer": severa["transfer_status"], "transferred": severa["transferred_status"], "failed": severa["failed_status"]}
    values = {"statuses": statuses, "company": {"vat_number": setup["maventa"]["vat_number"]}} | settings
    return severa_connection(setup, name, "maventa", ("company_uuid", "user_api_key"), values)


def maestro_connection_of(setup, name, **settings):
    """The body that creates a severa-maestro connection to one sandbox tenant. A setting None is left out."""
    return severa_connection(setup, name, "maestro", ("api_key", "company_id"), {"contract_reference": "ADM-2026-17"} | settings)


def talenom_connection_of(setup, name, **settings):
    """The body that creates a severa-talenom connection to one sandbox tenant. A setting None is left out."""
    values = {"company": {"vat_number": setup["severa"]["vat_number"]}, "contract_reference": "TAL-2026-4", "transfer_times": {"interval_s": 1}}
    return severa_connection(setup, name, "talenom", ("client_id", "client_secret", "subscription_key", "organization_number"), values | settings)


def spotilla_connection_of(setup, name, **settings):
    """The body that creates a spotilla-procountor connection to one sandbox tenant. A setting None is left out."""
    spotilla, procountor = setup["spotilla"], setup["procountor"]
    values = {"tasks": {"from": "2026-01-01"}} | settings
    return {
        "id": name, "name": f"Demo {name}", "flow": "spotilla-procountor", "settings": {k: v for k, v in values.items() if v is not None},
        "credentials": {
            "spotilla": {k: spotilla[k] for k in ("token", "user_id", "subdomain")},
            "procountor": {"api_key": procountor["api_key"]},
        },
    }


class Redis:
    """redis-server (or valkey-server) on a unix socket: AOF, appendfsync always, noeviction. May be killed, restarted and
    emptied. args: further arguments of the server."""

    def __init__(self, folder, *args):
        self.folder, self.args = pathlib.Path(folder), args
        self.kind = "redis" if shutil.which("redis-server") else "valkey"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.socket = self.folder / "redis.sock"
        self.process = None
        self.start()

    @property
    def url(self):
        return f"unix://{self.socket}"

    def start(self):
        self.process = subprocess.Popen(
            [self.kind + "-server", "--port", "0", "--unixsocket", str(self.socket), "--dir", str(self.folder),
             "--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction", "--save", "", *self.args],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, process_group=0)
        wait_for("Redis", lambda: self.cli("PING") == "PONG", 10)

    def cli(self, *words):
        done = subprocess.run([self.kind + "-cli", "-s", str(self.socket), *words], capture_output=True, text=True, check=False)
        return done.stdout.strip()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


def vendor_options(sandbox, host):
    """Where the outside systems are, and what of them is the operator's."""
    partner = sandbox.control("maventa")["partner"]
    return {
        "VIESTI_SEVERA_URL": f"http://{host}/severa/rest-api", "VIESTI_NETVISOR_URL": f"http://{host}/netvisor",
        "VIESTI_MAVENTA_URL": f"http://{host}/maventa", "VIESTI_MAVENTA_SOAP_URL": f"http://{host}/maventa/apis/v1.1/wsdl",
        "VIESTI_MAESTRO_URL": f"http://{host}/maestro",
        "VIESTI_TALENOM_URL": f"http://{host}/talenom", "VIESTI_TALENOM_TOKEN_URL": f"http://{host}/talenom/identity/connect/token",
        "VIESTI_SPOTILLA_URL": f"http://{host}/spotilla/api/v3", "VIESTI_PROCOUNTOR_URL": f"http://{host}/procountor/api",
        "VIESTI_PROCOUNTOR_CLIENT_ID": "viestiClient", "VIESTI_PROCOUNTOR_CLIENT_SECRET": "viesti-sandbox-secret",
        "VIESTI_MAVENTA_VENDOR_KEY": partner["vendor_api_key"], "VIESTI_MAVENTA_PARTNER_COMPANY": partner["company_uuid"],
        "VIESTI_MAVENTA_PARTNER_KEY": partner["user_api_key"],
    }


class Relay:
    """One `viesti serve`, ready from its making on. redis_url None: it keeps a private Redis. wrap: a command that runs it."""

    def __init__(self, folder, redis_url, sandbox, wrap=(), program="viesti", **settings):
        self.argv = [*wrap, str(BUILD / program), "serve"]
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        host = f"127.0.0.1:{sandbox.port}"
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("VIESTI_")}
        self.env.update({
            "VIESTI_DATA_DIR": str(self.folder), "VIESTI_PORT": "0", "VIESTI_ADMIN_TOKEN": ADMIN, "VIESTI_KEY": KEY,
            "VIESTI_ALLOW_HTTP": "true", "VIESTI_ALLOW_PRIVATE": "true", "VIESTI_ALLOW_HOSTS": host,
            "VIESTI_REDIS_PREFIX": "t", "NOTIFY_SOCKET": str(self.folder / "notify"),
        })
        if program == "viesti":  # viesti-world knows no outside systems, hence none of their options
            self.env |= vendor_options(sandbox, host)
        if redis_url:
            self.env["VIESTI_REDIS_URL"] = redis_url
        self.env.update({f"VIESTI_{k.upper()}": str(v) for k, v in settings.items()})
        self.process, self.port = None, None
        self.start()

    def start(self, seconds=30):
        self.log = open(self.folder / "log", "ab")
        path = self.folder / "notify"
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
            told.bind(str(path))
            told.settimeout(0.05)
            self.process = subprocess.Popen(self.argv, env=self.env, stdout=self.log, stderr=self.log,
                                            process_group=0)  # Ctrl-C is for us, who end it in order
            self.port = wait_for("a ready relay", lambda: self._told_ready(told), seconds, 0)

    def _told_ready(self, told):
        """The port of the notification READY=1, once it came."""
        try:
            state = dict(line.split("=", 1) for line in told.recv(4096).decode().splitlines())
        except socket.timeout:
            if not self.alive():
                raise AssertionError("the relay ended: " + self.tail()) from None
            return None
        return state.get("READY") == "1" and int(re.search(r":(\d+)$", state["STATUS"]).group(1))

    def tail(self, n=40):
        return (self.folder / "log").read_bytes()[-20000:].decode("utf-8", "replace")[-200 * n:]

    def log_lines(self, event_name=None):
        """The log's JSON lines, of one event or all."""
        lines = [json.loads(line) for line in (self.folder / "log").read_bytes().splitlines() if line.startswith(b"{")]
        return [line for line in lines if event_name in (None, line["event"])]

    def call(self, method, path, body=None, headers=None, token=ADMIN, timeout=30):
        """body: bytes as they are, or what JSON can say."""
        head = {"Authorization": "Bearer " + token} if token else {}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            head["Content-Type"] = "application/json"
        conn = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            conn.request(method, path, body, head | (headers or {}))
            got = conn.getresponse()
            return Answer(got.status, got.headers, got.read())
        finally:
            conn.close()

    def alive(self):
        return self.process.poll() is None

    def rss_kb(self):
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(re.search(r"VmRSS:\s+(\d+)", text).group(1))

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.log.close()

    def stop(self, seconds=40):
        """Ends it politely and answers its exit status."""
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError("the relay did not stop: " + self.tail()) from None
        self.log.close()
        return self.process.returncode


class Service:
    """Sandbox, Redis and relays that share it; every call is held against the contract."""

    def __init__(self, relays=1, private_redis=False, seed="demo", **settings):
        self.folder, self.redis, self.relays = tempfile.mkdtemp(prefix="viesti-system-"), None, []
        self.contract = Contract((ROOT / "openapi.yaml").read_text(encoding="utf-8"))
        self.sandbox = Sandbox(seed=seed)
        self.settings = settings
        try:
            self.sandbox.start()
            self.redis = None if private_redis else Redis(self.folder + "/redis")
            for _ in range(relays):
                self.add_relay()
        except BaseException:
            self.stop()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.stop()

    @property
    def relay(self):
        return self.relays[0]

    def add_relay(self, **settings):
        """One more relay on the same Redis, with a data folder of its own."""
        folder = f"{self.folder}/relay{len(self.relays)}"
        self.relays.append(Relay(folder, self.redis and self.redis.url, self.sandbox, **self.settings | settings))
        return self.relays[-1]

    def stop(self):
        """Ends everything; a relay that lives must end politely, with status 0."""
        try:
            if self.relays:
                self.sandbox.clear_faults()  # a call that hangs would hold the end up
            for relay in self.relays:
                if relay.alive():
                    status = relay.stop()
                    assert status == 0, (status, relay.tail())
        finally:
            for relay in self.relays:
                if relay.alive():
                    relay.kill()
            if self.redis:
                self.redis.stop()
            self.sandbox.stop()
            shutil.rmtree(self.folder, ignore_errors=True)

    def call(self, method, path, body=None, headers=None, relay=None, **more):
        answer = (relay or self.relay).call(method, path, body, headers, **more)
        self.contract.check(method, path, answer)
        return answer

    def setup(self, n=0):
        """A tenant of the sandbox, by its number or its key."""
        tenants = self.sandbox.setup()
        return tenants[n] if isinstance(n, int) else next(t for t in tenants if t["key"] == n)

    def connect(self, name, n=0, body_of=connection_of, **settings):
        """Makes a connection with a webhook secret; not active yet. body_of: connection_of, maventa_connection_of."""
        body = body_of(self.setup(n), name, **settings) | {"webhook_secrets": [SECRET]}
        answer = self.call("POST", "/v1/connections", body)
        assert answer.status == 201, answer.body
        return answer

    def activate(self, name):
        answer = self.call("POST", f"/v1/connections/{name}/activate")
        assert answer.status == 200, answer.body
        return answer

    def transfers(self, name, **query):
        """Every transfer of a connection."""
        path = f"/v1/transfers?connection={name}&limit=200" + "".join(f"&{k}={v}" for k, v in query.items())
        found, cursor = [], ""
        while True:
            page = self.call("GET", path + cursor).json()
            found += page["items"]
            if not page.get("next"):
                return found
            cursor = "&cursor=" + page["next"]

    def flood(self, name, n, connections=64):
        """n signed webhooks about documents that do not exist, over so many lines at once; all must be taken."""
        done = subprocess.run([str(BUILD / "bench" / "load"), "-p", str(self.relay.port), "-u", f"/v1/webhooks/{name}", "-s", SECRET,
                               "-c", str(connections), "-n", str(n), "-d", "120000", "-w", "0"],
                              capture_output=True, text=True, check=False)
        report = json.loads(done.stdout)
        assert report["answers"] == n and not report["unexpected"] and not report["broken"], (done.stdout, done.stderr)

    def webhook(self, name, body, headers=None, relay=None):
        """Raw bytes to the webhook; headers None: signed."""
        answer = self.call("POST", f"/v1/webhooks/{name}", body, signed(body) if headers is None else headers, relay, token=None)
        stored = answer.status == 202 and answer.json()["result"] != "ignored"
        assert bool(answer.headers.get("Viesti-Durability")) == stored
        return answer
