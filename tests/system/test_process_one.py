"""As process 1 of a container without an init: what loses its parent is reaped, SIGTERM ends everything in order. Here in a
process namespace of its own; tests/image does it in the image."""

import os
import pathlib
import signal
import subprocess

import pytest

from sandbox import Sandbox
from service import Relay, wait_for


def first_that_works(*commands):
    for command in commands:
        try:
            if subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0:
                return command
        except OSError:
            continue
    return None


UNSHARE = first_that_works(["unshare", "--pid", "--fork"], ["unshare", "--user", "--map-root-user", "--pid", "--fork"])
pytestmark = pytest.mark.skipif(not UNSHARE, reason="this machine gives no process namespace (unshare)")


def children(pid):
    """Name and state of each child."""
    found = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text(encoding="ascii").split():
            try:
                text = pathlib.Path(f"/proc/{child}/stat").read_text(encoding="ascii")
            except OSError:  # ended meanwhile
                continue
            name, _, rest = text.partition(" (")[2].rpartition(") ")
            found[int(child)] = (name, rest[0])
    return found


@pytest.fixture
def relay(tmp_path):
    with Sandbox() as sandbox:
        r = Relay(tmp_path, None, sandbox, wrap=UNSHARE, poll_interval="1h")
        try:
            r.init = next(iter(children(r.process.pid)))  # process 1 in there
            yield r
        finally:
            if r.alive():
                os.kill(r.init, signal.SIGKILL)  # and with it whatever is in the namespace
                r.kill()


def names(relay):
    return sorted(name for name, _state in children(relay.init).values())


def test_orphans_are_reaped(relay):
    own = names(relay)
    assert own in (["redis-server"], ["valkey-server"])
    subprocess.run(["nsenter", "--target", str(relay.init), "--pid", *(["--user"] if "--user" in UNSHARE else []),
                    "sh", "-c", "(sleep 0.5 &) ; exit 0"], check=True)
    wait_for("the orphan to come to process 1", lambda: names(relay) == sorted([*own, "sleep"]), 5)
    wait_for("the orphan to be gone without a trace", lambda: names(relay) == own, 5)


def test_a_killed_redis_is_reaped_by_who_started_it(relay):
    own, before = names(relay), next(iter(children(relay.init)))
    os.kill(before, signal.SIGKILL)
    wait_for("another Redis", lambda: names(relay) == own and before not in children(relay.init), 5)
    wait_for("service", lambda: relay.call("GET", "/readyz", token=None).status == 200, 10)


def test_sigterm_ends_all_in_order(relay):
    redis = next(iter(children(relay.init)))
    os.kill(relay.init, signal.SIGTERM)
    assert relay.process.wait(10) == 0
    assert not pathlib.Path(f"/proc/{redis}").exists()
    assert relay.log_lines("stopped")
