#!/usr/bin/env python3
"""Runs make targets one after the other and sums what they count: tests/run_all.py "TARGET [VARIABLE=VALUE ...]" ...

A suite says how it went in its last line that holds "N passed" or "N failed" (cmocka runner, pytest and lint do). One
that fails without a count, or passes without one, counts as one failure, so that silence is never taken for success.
The last line printed is the sum: "N passed, N failed". Processes that a suite left behind are ended.
"""
import ctypes
import os
import re
import signal
import subprocess
import sys
import threading
import time

COUNT = re.compile(r"(\d+) (passed|failed|errors?|skipped)\b")
PR_SET_CHILD_SUBREAPER = 36


def counts(line):
    found = {"passed": 0, "failed": 0, "skipped": 0}
    for number, word in COUNT.findall(line):
        found["failed" if word.startswith("error") else word] += int(number)
    return found


def copy(stream, found):
    """Passes a suite's output on; the counts of its last line that holds some go into found."""
    for line in stream:
        sys.stdout.write(line)
        sys.stdout.flush()
        if re.search(r"\d+ (passed|failed|errors?)\b", line):
            found.clear()
            found.update(counts(line))


def wait_for(child):
    """The child's exit status; orphans that end meanwhile are reaped too, as init would."""
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == child.pid:
            child.returncode = os.waitstatus_to_exitcode(status)
            return child.returncode


def run(target):
    """The suite's exit status, and its counts (empty when it gave none)."""
    found = {}
    make = os.environ.get("MAKE", "make")
    child = subprocess.Popen([make, "--no-print-directory", "-s", f"-j{os.cpu_count() or 1}", *target.split()],
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             errors="replace", text=True)
    reader = threading.Thread(target=copy, args=(child.stdout, found), daemon=True)
    reader.start()
    status = wait_for(child)
    end_leftovers()  # they may hold the pipe open
    reader.join(10)
    return status, found


def descendants():
    """Process ids of everything below this process (orphans too: we are their reaper)."""
    parent = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as f:
                    parent[int(entry)] = int(f.read().rpartition(")")[2].split()[1])
            except OSError:
                continue
    below, frontier = [], [os.getpid()]
    while frontier:
        frontier = [p for p, pp in parent.items() if pp in frontier]
        below += frontier
    return below


def end_leftovers():
    for sig, patience in ((signal.SIGTERM, 3), (signal.SIGKILL, 3)):
        for pid in descendants():
            try:
                os.kill(pid, sig)
            except ProcessLookupError:
                pass
        deadline = time.monotonic() + patience
        while descendants() and time.monotonic() < deadline:
            try:
                os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            time.sleep(0.05)


def stop(signum, _frame):
    end_leftovers()
    sys.exit(128 + signum)


def main():
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for sig in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(sig, stop)
    os.environ.pop("MAKEFLAGS", None)  # of an outer make, whose job server is not ours
    os.environ.pop("MAKELEVEL", None)
    passed = failed = 0
    for target in sys.argv[1:]:
        start = time.monotonic()
        print(f"== {target}", flush=True)
        status, found = run(target)
        if not found:
            found = {"passed": 0, "failed": 1, "skipped": 0}
            print(f"{target}: no result was counted")
        elif status != 0 and found["failed"] == 0:
            found["failed"] = 1
            print(f"{target}: exit status {status}")
        passed += found["passed"]
        failed += found["failed"]
        skipped = f", {found['skipped']} skipped" if found["skipped"] else ""
        print(f"-- {target}: {found['passed']} ok, {found['failed']} bad{skipped}, {time.monotonic() - start:.1f} s", flush=True)
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
