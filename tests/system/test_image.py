"""The image, built by `make image` and run as it is meant to: as its own user, as process 1, on a root that cannot be written,
with one volume. OP-04.

Needs the folder VIESTI_IMAGE_TOOLS with build-image and run-image (buildah without an engine); CI names it.
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import time
import urllib.request

import pytest

from sandbox import ROOT, Sandbox
from service import ADMIN, KEY, SECRET, Redis, connection_of, event, signed, wait_for
from test_process_one import children
from test_redis_tls import free_port

TOOLS = os.environ.get("VIESTI_IMAGE_TOOLS")
TAG = "viesti:under-test"
pytestmark = pytest.mark.skipif(not TOOLS, reason="the image is left out: VIESTI_IMAGE_TOOLS names no folder with build-image and run-image")

# What `docker run --read-only` and a user without rights come to, in words of util-linux: a process namespace, a root that is
# mounted read-only, no capability left.
AS_CONTAINER = """mount -o remount,bind,ro / && exec setpriv --reuid "$1" --regid "$2" --clear-groups --inh-caps=-all \
--bounding-set=-all --no-new-privs -- sh -c 'for f in /x /tmp/x /var/x; do ! touch $f 2>/dev/null || exit 9; done; shift 2; exec "$@"' sh "$@" """


def buildah(*words):
    return subprocess.run(["buildah", "--storage-driver", "vfs", *words], capture_output=True, text=True, check=True).stdout


class Image:
    def __init__(self):
        began = time.monotonic()
        done = subprocess.run(["sh", "tests/image.sh", TAG], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        assert done.returncode == 0, done.stdout[-4000:]
        self.seconds = time.monotonic() - began
        self.log = done.stdout
        self.config = json.loads(buildah("inspect", "--type", "image", TAG))["Docker"]["config"]

    def sh(self, script):
        """Runs a script in it as its own user and answers what it wrote."""
        return subprocess.run([f"{TOOLS}/run-image", TAG, "--", "sh", "-c", script], capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def image():
    yield Image()
    buildah("rmi", TAG)


class Container:
    """The image's entry point and command as process 1."""

    def __init__(self, image, volume, sandbox, **settings):
        self.port, self.folder = free_port(), volume
        volume.mkdir(exist_ok=True)
        volume.chmod(0o700)
        user, _, group = image.config["User"].partition(":")
        os.chown(volume, int(user), int(group))
        host = f"127.0.0.1:{sandbox.port}"
        env = {"VIESTI_PORT": self.port, "VIESTI_LISTEN": "127.0.0.1", "VIESTI_ADMIN_TOKEN": ADMIN, "VIESTI_ALLOW_HTTP": "true",
               "VIESTI_ALLOW_PRIVATE": "true", "VIESTI_ALLOW_HOSTS": host, "VIESTI_SEVERA_URL": f"http://{host}/severa/rest-api",
               "VIESTI_NETVISOR_URL": f"http://{host}/netvisor", "VIESTI_POLL_INTERVAL": "1h"}
        env.update({f"VIESTI_{k.upper()}": v for k, v in settings.items()})
        self.env = [word for name, value in env.items() for word in ("--env", f"{name}={value}")]
        argv = [f"{TOOLS}/run-image", TAG, "--user", "0:0", "--cap-add", "CAP_SYS_ADMIN", "--cap-add", "CAP_SETPCAP",
                "--volume", f"{volume}:{next(iter(image.config['Volumes']))}", *self.env,
                "--", "unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", AS_CONTAINER, "sh", user, group,
                *image.config["Entrypoint"], *image.config["Cmd"]]
        self.log = open(volume.with_suffix(".log"), "wb+")
        began = time.monotonic()
        self.process = subprocess.Popen(argv, stdout=self.log, stderr=self.log)
        wait_for("a container that answers", lambda: self.get("/readyz"), 30)
        self.seconds = time.monotonic() - began
        self.init = wait_for("process 1", self.find_init, 5)

    def find_init(self):
        """Ours is the one that was told our port."""
        for path in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if (path / "comm").read_text() == "viesti\n" and f"VIESTI_PORT={self.port}\0".encode() in (path / "environ").read_bytes():
                    return int(path.name)
            except OSError:
                continue
        return None

    def get(self, path, headers=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=5) as got:
                return got.read()
        except OSError:
            if self.process.poll() is not None:
                raise AssertionError("the container ended: " + self.text()) from None
            return None

    def post(self, path, body, headers):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body, headers, method="POST")
        with urllib.request.urlopen(request, timeout=10) as got:
            return got.status, got.headers

    def text(self):
        self.log.flush()
        return pathlib.Path(self.log.name).read_text(encoding="utf-8", errors="replace")

    def status(self, name):
        return re.search(rf"^{name}:\s*(.*)$", pathlib.Path(f"/proc/{self.init}/status").read_text(encoding="ascii"), re.M).group(1)

    def connect(self, sandbox):
        body = json.dumps(connection_of(sandbox.setup("kajo"), "kajo") | {"webhook_secrets": [SECRET]}).encode()
        admin = {"Authorization": "Bearer " + ADMIN, "Content-Type": "application/json"}
        assert self.post("/v1/connections", body, admin)[0] == 201
        assert self.post("/v1/connections/kajo/activate", b"", admin)[0] == 200

    def webhook(self):
        hint = event("7b1e0000-0000-4000-8000-000000000001")
        return self.post("/v1/webhooks/kajo", hint, signed(hint))

    def stop(self):
        """As `docker stop`; answers how long it took and the exit status."""
        began = time.monotonic()
        os.kill(self.init, signal.SIGTERM)
        status = self.process.wait(40)
        return time.monotonic() - began, status

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self.process.poll() is None:
            os.kill(self.init, signal.SIGKILL)
            self.process.wait(20)
        self.log.close()


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as s:
        yield s


def test_OP_04_what_the_image_says_of_itself(image):
    config = image.config
    assert config["User"] == "10001:10001"
    assert (config["Entrypoint"], config["Cmd"]) == (["viesti"], ["serve"])
    assert config["Healthcheck"]["Test"] == ["CMD", "viesti", "healthcheck"]
    assert list(config["Volumes"]) == ["/var/lib/viesti"] and list(config["ExposedPorts"]) == ["8080/tcp"]
    assert config["StopSignal"] == "SIGTERM"


def test_the_image_holds_what_it_needs_and_no_tools_to_build(image):
    said = image.sh("viesti version; command -v gcc cc make python3 git; find /src /var/lib/apt/lists -type f 2>/dev/null; dpkg-query -W -f '${Package}\\n'; true")
    assert "with TLS" in said
    packages = set(said.split())
    assert {"redis-server", "ca-certificates", "tzdata"} <= packages
    assert not [word for word in packages if word.endswith("-dev") or word.startswith("/")]
    assert image.sh("ls /usr/local/bin").split() == ["viesti", "viesti-sandbox"]
    assert image.sh("find / -xdev -perm /6000 -newer /usr/local/bin/viesti -type f 2>/dev/null; true") == ""


def test_OP_04_a_private_redis_on_the_volume(image, sandbox, tmp_path):
    with Container(image, tmp_path / "data", sandbox) as c:
        assert c.status("Uid").split() == ["10001"] * 4 and c.status("CapEff").strip("0") == "" and c.status("NoNewPrivs") == "1"
        assert c.status("NSpid").split()[-1] == "1"
        c.connect(sandbox)
        status, headers = c.webhook()
        assert status == 202 and headers["Viesti-Durability"] == "fsync"
        assert [name for name, _ in children(c.init).values()] == ["redis-server"]
        subprocess.run(["nsenter", "--target", str(c.init), "--pid", "sh", "-c", "(sleep 0.3 &) ; exit 0"], check=True)
        wait_for("the orphan", lambda: len(children(c.init)) == 2, 5)
        wait_for("the orphan's end", lambda: len(children(c.init)) == 1, 5)
        health = subprocess.run([f"{TOOLS}/run-image", TAG, *c.env, "--", *image.config["Healthcheck"]["Test"][1:]], check=False)
        assert health.returncode == 0
        memory = c.status("VmRSS")
        took, status = c.stop()
        assert status == 0 and took < 10, c.text()
        print(f"\nimage built in {image.seconds:.0f} s; ready {c.seconds * 1000:.0f} ms after the engine was called; {memory}; ended in {took:.2f} s; "
              + image.log.strip().splitlines()[-1])
    with Container(image, tmp_path / "data", sandbox) as after:  # another container, the same volume
        assert json.loads(after.get("/v1/connections/kajo", {"Authorization": "Bearer " + ADMIN}))["state"] == "active"


def test_OP_04_a_redis_outside(image, sandbox, tmp_path):
    port = free_port()
    redis = Redis(tmp_path / "redis", "--port", str(port), "--bind", "127.0.0.1")
    try:
        with Container(image, tmp_path / "data", sandbox, redis_url=f"redis://127.0.0.1:{port}", key=KEY) as c:
            c.connect(sandbox)
            assert c.webhook()[0] == 202 and children(c.init) == {}
            took, status = c.stop()
            assert status == 0 and took < 10, c.text()
    finally:
        redis.stop()
