"""The sums of tests/run_all.py are honest, and nothing that a suite started outlives it."""
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

RUN_ALL = pathlib.Path(__file__).parents[1] / "run_all.py"

# Stands for make: its last argument is the suite.
FAKE_MAKE = """#!/bin/sh
for suite; do :; done
case $suite in
good) echo "noise 7 failed to matter"; echo "good: 5 passed, 0 failed" ;;
bad) echo "bad: 2 passed, 3 failed"; exit 1 ;;
pytest) echo "== 1 failed, 4 passed, 2 skipped, 1 error in 0.1s =="; exit 1 ;;
silent) ;;
crash) echo "crash: 3 passed, 0 failed"; exit 139 ;;
leak) setsid sleep 300 & echo $! >"$PIDS"; echo "leak: 1 passed, 0 failed" ;;
orphan)
	(sh -c 'exit 0' & echo $! >"$PIDS")
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		kill -0 "$(cat "$PIDS")" 2>/dev/null || { echo "orphan: 1 passed, 0 failed"; break; }
		sleep 0.1
	done
	;;
hang) setsid sleep 300 & echo $! >"$PIDS"; echo started; sleep 300 ;;
esac
"""


@pytest.fixture(name="env")
def fixture_env(tmp_path):
    make = tmp_path / "make"
    make.write_text(FAKE_MAKE, encoding="utf-8")
    make.chmod(0o755)
    return {**os.environ, "MAKE": str(make), "PIDS": str(tmp_path / "pids")}


def run(env, *suites):
    done = subprocess.run([sys.executable, RUN_ALL, *suites], env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=60, check=False)
    return done.returncode, done.stdout.splitlines()[-1]


def is_alive(pid):
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.parametrize("suites, status, last", [
    (["good"], 0, "5 passed, 0 failed"),
    (["good", "good"], 0, "10 passed, 0 failed"),
    (["good", "bad"], 1, "7 passed, 3 failed"),
    (["pytest"], 1, "4 passed, 2 failed"),
    (["good", "silent"], 1, "5 passed, 1 failed"),  # silence is no success
    (["crash"], 1, "3 passed, 1 failed"),  # nor is a count before a crash
    ([], 1, "0 passed, 0 failed"),  # nor nothing at all
])
def test_sums(env, suites, status, last):
    assert run(env, *suites) == (status, last)


def test_what_a_suite_left_behind_is_ended(env):
    assert run(env, "leak") == (0, "1 passed, 0 failed")
    assert not is_alive(int(pathlib.Path(env["PIDS"]).read_text(encoding="utf-8")))


def test_an_orphan_that_ends_is_reaped_as_init_would(env):
    assert run(env, "orphan") == (0, "1 passed, 0 failed")


def test_an_interrupted_run_ends_its_suite(env):
    child = subprocess.Popen([sys.executable, RUN_ALL, "hang"], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    while "started" not in child.stdout.readline():
        pass
    left = int(pathlib.Path(env["PIDS"]).read_text(encoding="utf-8"))
    child.send_signal(signal.SIGTERM)
    assert child.wait(20) == 128 + signal.SIGTERM
    deadline = time.monotonic() + 5
    while is_alive(left) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_alive(left)
