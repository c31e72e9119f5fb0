"""A Redis and relay processes that tests may kill: the hard side of the system tests. Standard library only."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD", "build/gcc"))
ADMIN = "admin-token-of-the-tests"
KEY = "11" * 32


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


class Redis:
    """redis-server on a unix socket: AOF, appendfsync always, noeviction. May be killed, restarted and emptied."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.socket = self.folder / "redis.sock"
        self.process = None
        self.start()

    @property
    def url(self):
        return f"unix://{self.socket}"

    def start(self):
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", str(self.socket), "--dir", str(self.folder),
             "--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction", "--save", ""],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("Redis", lambda: self.cli("PING") == "PONG", 10)

    def cli(self, *words):
        done = subprocess.run(["redis-cli", "-s", str(self.socket), *words], capture_output=True, text=True, check=False)
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


class Relay:
    """One `viesti serve`."""

    def __init__(self, folder, redis_url, sandbox, **settings):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        host = f"127.0.0.1:{sandbox.port}"
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("VIESTI_")}
        self.env.update({
            "VIESTI_DATA_DIR": str(self.folder), "VIESTI_PORT": "0", "VIESTI_ADMIN_TOKEN": ADMIN, "VIESTI_KEY": KEY,
            "VIESTI_ALLOW_HTTP": "true", "VIESTI_ALLOW_PRIVATE": "true", "VIESTI_ALLOW_HOSTS": host,
            "VIESTI_SEVERA_URL": f"http://{host}/severa/rest-api", "VIESTI_NETVISOR_URL": f"http://{host}/netvisor",
            "VIESTI_REDIS_PREFIX": "t",
        })
        if redis_url:
            self.env["VIESTI_REDIS_URL"] = redis_url
        self.env.update({f"VIESTI_{k.upper()}": str(v) for k, v in settings.items()})
        self.process, self.port = None, None
        self.start()

    def start(self, seconds=30):
        self.log = open(self.folder / "log", "ab")
        size = self.log.tell()
        self.process = subprocess.Popen([str(ROOT / BUILD / "viesti"), "serve"], env=self.env, stdout=self.log, stderr=self.log)
        self.port = wait_for("a ready relay", lambda: self._ready(size), seconds)

    def _ready(self, from_byte):
        with open(self.folder / "log", "rb") as f:
            f.seek(from_byte)
            for line in f:
                if line.startswith(b"{") and b'"event":"ready"' in line:
                    return json.loads(line)["port"]
        if self.process.poll() is not None:
            raise AssertionError("the relay ended: " + self.tail())
        return None

    def tail(self, n=40):
        return (self.folder / "log").read_bytes()[-20000:].decode("utf-8", "replace")[-200 * n:]

    def call(self, method, path, body=None, headers=None, token=ADMIN, timeout=30):
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=data, method=method)
        if token:
            request.add_header("Authorization", "Bearer " + token)
        if data is not None:
            request.add_header("Content-Type", "application/json")
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as got:
                return Answer(got.status, got.headers, got.read())
        except urllib.error.HTTPError as e:
            return Answer(e.code, e.headers, e.read())

    def alive(self):
        return self.process.poll() is None

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


def temp_folder():
    return tempfile.mkdtemp(prefix="viesti-system-")


def remove(folder):
    shutil.rmtree(folder, ignore_errors=True)
