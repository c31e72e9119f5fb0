"""TLS to Redis: a throwaway authority, a redis-server on loopback that wants a client certificate, and every way in which the
two must not trust each other. Where hiredis has no TLS (Debian 12), the refusal is what is tested."""

import concurrent.futures
import os
import shutil
import subprocess

import pytest

from sandbox import BUILD, Sandbox
from service import KEY, SECRET, Redis, Relay, connection_of, event, free_port, signed

VERSION = subprocess.run([BUILD / "viesti", "version"], capture_output=True, text=True, check=True).stdout
HAS_TLS = ", with TLS" in VERSION
needs_tls = pytest.mark.skipif(not HAS_TLS, reason=f"no TLS to Redis in this build: {VERSION.strip()}")


class Authority:
    """Signs certificates; everything lies in one folder as NAME.pem and NAME.key."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self.run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                 "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-keyout", self.path(name, "key"), "-out", self.path(name, "pem"))

    def run(self, *words):
        subprocess.run(["openssl", *map(str, words)], capture_output=True, check=True)

    def path(self, name, ending):
        return self.folder / f"{name}.{ending}"

    def sign(self, name, alternative):
        request, extension = self.path(name, "csr"), self.path(name, "ext")
        extension.write_text(f"subjectAltName={alternative}\nauthorityKeyIdentifier=keyid\n", encoding="ascii")
        self.run("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", self.path(name, "key"), "-out", request)
        self.run("x509", "-req", "-days", "2", "-in", request, "-CA", self.path(self.name, "pem"), "-CAkey",
                 self.path(self.name, "key"), "-CAcreateserial", "-extfile", extension, "-out", self.path(name, "pem"))


class World:
    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        ours = Authority(folder, "ours")
        ours.sign("server", "DNS:localhost,IP:127.0.0.1")
        ours.sign("elsewhere", "DNS:redis.example,IP:192.0.2.1")
        ours.sign("client", "DNS:relay")
        Authority(folder, "foreign").sign("stranger", "DNS:relay")
        self.redis = Redis(folder / "redis", "--tls-port", str(self.port), "--tls-auth-clients", "yes",
                           "--tls-cert-file", str(folder / "server.pem"), "--tls-key-file", str(folder / "server.key"),
                           "--tls-ca-cert-file", str(folder / "ours.pem"))

    def show(self, name):
        """Redis answers with this certificate from now on."""
        assert self.redis.cli("CONFIG", "SET", "tls-cert-file", str(self.folder / f"{name}.pem"), "tls-key-file",
                              str(self.folder / f"{name}.key")) == "OK"

    def settings(self, host="localhost", ca="ours", cert="client", key=None):
        found = {"redis_url": f"rediss://{host}:{self.port}"}
        if ca:
            found["redis_ca_file"] = self.folder / f"{ca}.pem"
        if cert:
            found |= {"redis_cert_file": self.folder / f"{cert}.pem", "redis_cert_key_file": self.folder / f"{key or cert}.key"}
        return found


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    w = World(tmp_path_factory.mktemp("tls"))
    yield w
    w.redis.stop()


def check(folder, **settings):
    """`viesti check`: its exit status and what it says."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("VIESTI_")}
    env |= {"VIESTI_DATA_DIR": str(folder), "VIESTI_KEY": KEY}
    env |= {f"VIESTI_{k.upper()}": str(v) for k, v in settings.items()}
    done = subprocess.run([BUILD / "viesti", "check"], env=env, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.skipif(HAS_TLS, reason="this build has TLS to Redis")
def test_without_tls_in_hiredis_rediss_is_refused_in_one_sentence(tmp_path):
    status, said = check(tmp_path, redis_url="rediss://localhost:1")
    assert status == 1 and "rediss:// needs hiredis 1.0 or later with TLS (Debian 13 has it)" in said


@needs_tls
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_webhook_is_kept_over_tls(world, host):
    settings = world.settings(host)
    with Sandbox() as sandbox:
        relay = Relay(world.folder / host, settings.pop("redis_url"), sandbox, poll_interval="1h", redis_prefix=host[:3], **settings)
        try:
            body = connection_of(sandbox.setup("kajo"), "kajo") | {"webhook_secrets": [SECRET]}
            assert relay.call("POST", "/v1/connections", body).status == 201
            assert relay.call("POST", "/v1/connections/kajo/activate").status == 200
            hint = event("7b1e0000-0000-4000-8000-000000000001")
            answer = relay.call("POST", "/v1/webhooks/kajo", hint, signed(hint), token=None)
            assert answer.status == 202 and answer.headers["Viesti-Durability"] == "fsync"
        finally:
            assert relay.stop() == 0


@needs_tls
@pytest.mark.parametrize("settings, why", [
    ({"ca": "foreign"}, "certificate of localhost: "),
    ({"ca": None}, "certificate of localhost: "),
    ({"key": "stranger"}, "key of the client certificate"),
    ({"ca": "key-of-ours"}, "CA certificate"),
])
def test_what_cannot_be_trusted_is_refused_at_once(world, tmp_path, settings, why):
    shutil.copy(world.folder / "ours.key", world.folder / "key-of-ours.pem")
    status, said = check(tmp_path, **world.settings(**settings))
    assert status == 1 and why in said, said


@needs_tls
@pytest.mark.parametrize("host, why", [("localhost", "ostname mismatch"), ("127.0.0.1", "IP address mismatch")])
def test_a_certificate_for_another_host_is_refused_at_once(world, tmp_path, host, why):
    world.show("elsewhere")
    try:
        status, said = check(tmp_path, **world.settings(host))
    finally:
        world.show("server")
    assert status == 1 and f"certificate of {host}: " in said and why in said, said


@needs_tls
def test_redis_refuses_who_shows_no_good_certificate(world, tmp_path):
    """It says nothing about it, so we can only guess, after the time that a Redis gets to come up."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        without = pool.submit(check, tmp_path / "a", **world.settings(cert=None))
        foreign = pool.submit(check, tmp_path / "b", **world.settings(cert="stranger"))
        assert without.result()[0] == foreign.result()[0] == 1
        assert "does it want a client certificate? VIESTI_REDIS_CERT" in without.result()[1]
        assert "does it accept the certificate in VIESTI_REDIS_CERT?" in foreign.result()[1]
