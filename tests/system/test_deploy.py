"""What stands in deploy/ and docker/ is what people run: the compose file's settings and its Redis, the unit's settings, and the
nginx site in front of a relay. OP-04."""

import http.client
import http.server
import json
import os
import pathlib
import re
import shlex
import shutil
import socket
import ssl
import subprocess
import threading
import time

import pytest
import yaml  # Debian: python3-yaml

from sandbox import BUILD, ROOT
from service import ADMIN, KEY, Service, connection_of, event, signed, wait_for
from test_redis_tls import Authority, free_port


def settings_of(env):
    """`viesti config` under these variables: what is in force, by name."""
    outside = {k: v for k, v in os.environ.items() if not k.startswith("VIESTI_")}
    done = subprocess.run([BUILD / "viesti", "config"], env=outside | env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(re.findall(r"^(VIESTI_\w+)=(\S*)", done.stdout, re.M))


# --- docker/compose.yaml ---

@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((ROOT / "docker/compose.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def secrets(tmp_path_factory):
    """Made by the very lines that the file's head tells people to run."""
    folder = tmp_path_factory.mktemp("compose")
    head = (ROOT / "docker/compose.yaml").read_text(encoding="utf-8").partition("name:")[0]
    lines = [line[4:] for line in head.splitlines() if line.startswith("#   ")]
    assert len(lines) == 6
    subprocess.run(["sh", "-ec", "\n".join(lines)], cwd=folder, check=True)
    assert folder.joinpath("secrets").stat().st_mode & 0o077 == 0
    return folder / "secrets"


def test_compose_names_only_options_and_secrets_that_are(compose, secrets):
    service = compose["services"]["viesti"]
    env = {k: v.replace("/run/secrets", str(secrets)) for k, v in service["environment"].items()}
    found = settings_of(env)
    assert found["VIESTI_REDIS_URL"] == "redis://***@redis:6379/0" and found["VIESTI_KEY"] == "***"
    used = {pathlib.Path(v).name for v in env.values() if v.startswith(str(secrets))}
    assert used == set(service["secrets"]) <= set(compose["secrets"])
    assert all((secrets / pathlib.Path(s["file"]).name).is_file() for s in compose["secrets"].values())
    assert {v.partition(":")[0] for s in compose["services"].values() for v in s["volumes"]} == set(compose["volumes"])
    grace = int(re.fullmatch(r"(\d+)s", service["stop_grace_period"]).group(1))
    assert grace > int(found["VIESTI_SHUTDOWN_GRACE"].rstrip("s")) + 10  # the private Redis gets 10 s to end


def test_the_redis_of_compose_is_fit_and_asks_for_its_password(compose, secrets, tmp_path):
    port = free_port()
    shell = compose["services"]["redis"]["command"][2].replace("$$", "$").replace("/run/secrets", str(secrets))
    shell = shell.replace("/data", str(tmp_path)).replace('--save ""', f'--save "" --port {port} --bind 127.0.0.1')
    if not shutil.which("redis-server"):
        shell = shell.replace("redis-server", "valkey-server")
    redis = subprocess.Popen(["sh", "-c", shell], stdout=subprocess.DEVNULL)
    try:
        url = (secrets / "redis_url").read_text(encoding="ascii").replace("redis:6379", f"127.0.0.1:{port}")
        env = {k: v for k, v in os.environ.items() if not k.startswith("VIESTI_")} | {"VIESTI_KEY": KEY, "VIESTI_DATA_DIR": str(tmp_path / "d")}
        good = subprocess.run([BUILD / "viesti", "check"], env=env | {"VIESTI_REDIS_URL": url}, capture_output=True, text=True, check=False)
        assert good.returncode == 0 and "durability fsync" in good.stdout, good.stderr
        without = url[:8] + url.partition("@")[2]
        bad = subprocess.run([BUILD / "viesti", "check"], env=env | {"VIESTI_REDIS_URL": without}, capture_output=True, text=True, check=False)
        assert bad.returncode == 1 and "NOAUTH" in bad.stderr
    finally:
        redis.terminate()
        redis.wait(20)


# --- deploy/systemd ---

def test_the_unit_names_only_options_and_leaves_time_to_stop(tmp_path):
    text = (ROOT / "deploy/systemd/viesti.service").read_text(encoding="utf-8")
    (tmp_path / "key").write_text(KEY, encoding="ascii")
    env = dict(line.split("=", 1) for line in re.findall(r"^Environment=(.*)$", text, re.M))
    found = settings_of({k: v.replace("%d", str(tmp_path)) for k, v in env.items()})
    assert found["VIESTI_KEY"] == "***" and found["VIESTI_DATA_DIR"] == "/var/lib/viesti"
    stop = int(re.search(r"^TimeoutStopSec=(\d+)s$", text, re.M).group(1))
    assert stop > int(found["VIESTI_SHUTDOWN_GRACE"].rstrip("s")) + 10


def test_the_unit_is_sound_to_systemd(tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd-analyze here")
    text = (ROOT / "deploy/systemd/viesti.service").read_text(encoding="utf-8")
    unit = tmp_path / "viesti.service"
    unit.write_text(text.replace("/usr/local/bin/viesti", str(BUILD / "viesti")), encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "viesti.service" not in done.stderr, done.stderr


def test_the_sample_can_be_used_as_it_is(tmp_path):
    """Each line of the environment file, taken in, gives the default."""
    given = dict(re.findall(r"^#(VIESTI_\w+)=(.*)$", (ROOT / "deploy/viesti.env.sample").read_text(encoding="utf-8"), re.M))
    assert settings_of(given) == settings_of({})
    assert len(given) > 30


# --- deploy/nginx ---

class Echo(http.server.BaseHTTPRequestHandler):
    """In Viesti's place: answers what it was sent."""

    def do_POST(self):
        body = json.dumps({"path": self.path, "headers": list(self.headers.items())}).encode()
        self.server.seen += 1
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST

    def log_message(self, *_args):
        pass


class Proxy:
    """nginx with the site of deploy/, on free ports and with a throwaway certificate."""

    def __init__(self, program, folder, upstream):
        self.https, self.http, self.folder = free_port(), free_port(), folder
        Authority(folder, "ca").sign("site", "DNS:viesti.example.com")
        site = (ROOT / "deploy/nginx/viesti.conf").read_text(encoding="utf-8")
        for old, new, times in (("server 127.0.0.1:8080;", f"server 127.0.0.1:{upstream};", 1), ("listen 80;", f"listen 127.0.0.1:{self.http};", 1),
                                ("listen 443 ssl;", f"listen 127.0.0.1:{self.https} ssl;", 1), ("\tlisten [::]", "#", 2),
                                ("/etc/ssl/viesti/fullchain.pem", f"{folder}/site.pem", 1), ("/etc/ssl/viesti/privkey.pem", f"{folder}/site.key", 1)):
            assert site.count(old) == times, old
            site = site.replace(old, new)
        places = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (folder / "nginx.conf").write_text(f"daemon off;\npid {folder}/pid;\nworker_processes 1;\nerror_log {folder}/error.log;\nevents {{}}\n"
                                           f"http {{\naccess_log off;\n{places}{site}}}\n", encoding="utf-8")
        test = subprocess.run([program, "-e", "stderr", "-t", "-c", folder / "nginx.conf"], capture_output=True, text=True, check=False)
        assert test.returncode == 0 and "[warn]" not in test.stderr, test.stderr
        self.process = subprocess.Popen([program, "-e", folder / "error.log", "-c", folder / "nginx.conf"])
        self.tls = ssl.create_default_context(cafile=str(folder / "ca.pem"))
        wait_for("nginx", self.answers, 10)

    def answers(self):
        assert self.process.poll() is None, (self.folder / "error.log").read_text(encoding="utf-8")
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.https)) == 0

    def call(self, method, path, body=None, headers=None):
        return self.calls(1, method, path, body, headers)[0]

    def calls(self, times, method, path, body=None, headers=None, client="127.0.0.1"):
        """The same several times, on one connection."""
        found = []
        with socket.create_connection(("127.0.0.1", self.https), timeout=20, source_address=(client, 0)) as raw:
            conn = http.client.HTTPSConnection("viesti.example.com", timeout=20)
            conn.sock = self.tls.wrap_socket(raw, server_hostname="viesti.example.com")
            for _ in range(times):
                conn.request(method, path, body, headers or {})
                found.append(conn.getresponse())
                found[-1].body = found[-1].read()
            conn.close()
        return found

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


@pytest.fixture(scope="module")
def nginx():
    """The program; installed, or unpacked by deps.sh, so that none starts by itself."""
    said = subprocess.run(["sh", "tests/deps.sh", "proxy"], cwd=ROOT, capture_output=True, text=True, check=False).stderr
    for path in ("/usr/sbin/nginx", ROOT / "build/deps/nginx/usr/sbin/nginx"):
        if os.access(path, os.X_OK):
            return path
    return pytest.skip("no nginx: " + said.strip())


@pytest.fixture(scope="module")
def front(nginx, service, tmp_path_factory):
    service.connect("kajo", "kajo")
    service.activate("kajo")
    p = Proxy(nginx, tmp_path_factory.mktemp("nginx"), service.relay.port)
    yield p
    p.stop()


def test_OP_04_a_signed_webhook_through_nginx_is_kept(front):
    hint = event("7b1e0000-0000-4000-8000-000000000001")
    got = front.call("POST", "/v1/webhooks/kajo", hint, signed(hint))
    assert got.status == 202 and got.headers["Viesti-Durability"] == "fsync"
    assert got.headers["Strict-Transport-Security"] and "nginx/" not in got.headers["Server"]
    assert front.call("POST", "/v1/webhooks/kajo", hint, signed(hint, key=b"x" * 32)).status == 401


def test_what_is_for_the_inside_stays_inside(front):
    assert [front.call("GET", path).status for path in ("/metrics", "/healthz", "/readyz", "/", "/v2/x")] == [404] * 5
    assert front.call("GET", "/openapi.yaml").status == front.call("GET", "/docs").status == 200
    assert front.call("GET", "/v1/transfers").status == 401  # ours, not nginx's
    plain = http.client.HTTPConnection("127.0.0.1", front.http, timeout=10)
    plain.request("GET", "/v1/flows", headers={"Host": "viesti.example.com"})
    got = plain.getresponse()
    assert got.status == 301 and got.headers["Location"] == "https://viesti.example.com/v1/flows"
    plain.close()


def test_large_headers_and_bodies_end_at_nginx(front):
    assert front.call("GET", "/v1/flows", headers={"X-Large": "x" * 9000}).status == 400
    assert front.call("POST", "/v1/webhooks/kajo", b"x" * (256 * 1024 + 1)).status == 413


def test_a_client_that_hammers_rest_is_slowed_and_webhooks_are_not(front):
    rest = [got.status for got in front.calls(120, "GET", "/v1/flows")]
    hint = event("7b1e0000-0000-4000-8000-000000000002")
    hooks = [got.status for got in front.calls(90, "POST", "/v1/webhooks/kajo", hint, signed(hint))]
    assert set(rest) == {401, 429} and set(hooks) == {202}


def test_what_a_client_claims_of_itself_does_not_pass(nginx, tmp_path):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo) as echo:
        echo.seen = 0
        threading.Thread(target=echo.serve_forever, daemon=True).start()
        proxy = Proxy(nginx, tmp_path, echo.server_port)
        try:
            got = proxy.call("POST", "/v1/webhooks/kajo", b"{}", {"X-Forwarded-For": "192.0.2.66", "X-Forwarded-Proto": "http"})
            seen = [(k.lower(), v) for k, v in json.loads(got.body)["headers"]]
            assert [v for k, v in seen if k == "x-forwarded-for"] == ["127.0.0.1"]
            assert [v for k, v in seen if k == "x-forwarded-proto"] == ["https"]
            assert ("host", "viesti.example.com") in seen
        finally:
            proxy.stop()
            echo.shutdown()


def test_OP_04_the_audit_names_who_stood_before_nginx(nginx, tmp_path):
    with Service(poll_interval="1h", trusted_proxies="127.0.0.1") as service:
        proxy = Proxy(nginx, tmp_path, service.relay.port)
        try:
            body = json.dumps(connection_of(service.setup("kajo"), "kajo")).encode()
            head = {"Authorization": "Bearer " + ADMIN, "Content-Type": "application/json", "X-Forwarded-For": "192.0.2.66"}
            assert proxy.calls(1, "POST", "/v1/connections", body, head, client="127.0.0.9")[0].status == 201
            entries = service.call("GET", "/v1/audit").json()["items"]
            assert [e["client"] for e in entries if e.get("client") not in (None, "127.0.0.1")] == ["127.0.0.9"], entries
        finally:
            proxy.stop()


def test_a_webhook_is_never_sent_twice_by_nginx(nginx, tmp_path):
    """A line that is cut after the request went is an error to the sender, who knows what to do."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        accepted = []

        def serve():
            while True:
                try:
                    conn, _ = server.accept()
                except OSError:
                    return
                accepted.append(conn.recv(65536))
                conn.close()

        threading.Thread(target=serve, daemon=True).start()
        proxy = Proxy(nginx, tmp_path, server.getsockname()[1])
        try:
            assert proxy.call("POST", "/v1/webhooks/kajo", b"{}").status == 502
            time.sleep(0.2)
            assert len(accepted) == 1
        finally:
            proxy.stop()


def test_nginx_lets_go_of_idle_connections_before_we_do():
    site = (ROOT / "deploy/nginx/viesti.conf").read_text(encoding="utf-8")
    idle = int(re.search(r"keepalive_timeout (\d+)s;", site).group(1))
    assert idle < int(settings_of({})["VIESTI_HTTP_TIMEOUT"].rstrip("s"))
    assert re.search(r"client_max_body_size (\w+);", site).group(1) == settings_of({})["VIESTI_MAX_BODY"]


# --- make install ---

def test_make_install_brings_programs_unit_and_documents(tmp_path):
    made = subprocess.run(["make", "-s", "install", f"DESTDIR={tmp_path}", "PREFIX=/opt/viesti"], cwd=ROOT, capture_output=True, text=True, check=False, umask=0o077)
    assert made.returncode == 0, made.stderr
    at = tmp_path / "opt/viesti"
    files = {p.relative_to(at).as_posix(): p.stat().st_mode & 0o777 for p in at.rglob("*") if p.is_file()}
    assert files == {"bin/viesti": 0o755, "bin/viesti-sandbox": 0o755, "lib/systemd/system/viesti.service": 0o644,
                     "share/doc/viesti/CONFIGURATION.md": 0o644, "share/doc/viesti/REASONS.md": 0o644, "share/doc/viesti/viesti.env.sample": 0o644,
                     "share/doc/viesti/nginx.conf": 0o644, "share/viesti/netvisor-operators.tsv": 0o644}
    assert [p for p in tmp_path.rglob("*") if p.is_file() and at not in p.parents] == []
    assert re.findall(r"^ExecStart=(.*)$", (at / "lib/systemd/system/viesti.service").read_text(encoding="utf-8"), re.M) == ["/opt/viesti/bin/viesti serve"]
    said = subprocess.run([at / "bin/viesti", "--help"], capture_output=True, text=True, check=True).stdout
    assert {"serve", "check", "config", "token", "healthcheck", "version"} <= set(said.split())
