"""make demo as a newcomer meets it: it ends well, KEEP=1 serves, and README's first steps work as they stand there."""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys

import pytest

from sandbox import ROOT
from service import wait_for


def steps_of(chapter):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.partition(f"## {chapter}\n")[2].partition("\n## ")[0]
    return "\n".join(line[4:] for line in section.splitlines() if line.startswith("    "))


def left_of(session):
    """Processes of a session, zombies apart: fields 3 and 6 of their stat."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text(encoding="utf-8", errors="replace").rpartition(") ")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(path.parent.name)
    return found


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The demo that serves, and what it has said so far."""
    path = tmp_path_factory.mktemp("demo") / "out"
    with open(path, "wb") as out:
        process = subprocess.Popen([sys.executable, "tests/system/demo.py"], cwd=ROOT, env=os.environ | {"KEEP": "1"}, stdout=out,
                                   stderr=subprocess.STDOUT, start_new_session=True)
    process.said = lambda: path.read_text(encoding="utf-8")

    def serves():
        assert process.poll() is None, process.said()
        return re.search(r"^    (V=\S+ TOKEN=\S+ SANDBOX=\S+)$", process.said(), re.M)
    try:
        process.exports = wait_for("a demo that serves", serves, 120)[1]
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)  # as a terminal does: everyone hears it
        status = process.wait(60)
    assert status == 0, process.said()
    assert "Traceback" not in process.said()
    assert left_of(process.pid) == []


def test_the_demo_shows_what_arrived_and_that_the_ledgers_agree(demo):
    said = demo.said()
    assert "invoices wait at Severa" in said and "The ledgers agree: nothing lost, nothing doubled." in said
    assert re.search(r"^ *10401  done ", said, re.M) and re.search(r"^ *10413  needs_data .* has no code", said, re.M)
    assert re.search(r"^ *T-90037  skipped .* billed by somebody else", said, re.M)  # its state has no error: the timeline tells


def test_TA_01_the_demo_shows_all_five_integrations_side_by_side(demo):
    table = demo.said().partition("side by side")[2]
    found = re.findall(r"^(\w+) +(\w+) +(\w+) +(\d+) +(\d+) +(\d+) +(\d+) +(\d+) +(\d+)  hold the same: (\d+)$", table, re.M)
    assert [(f[1], f[2]) for f in found] == [("Severa", "Netvisor"), ("Severa", "Maestro"), ("Severa", "Maventa"), ("Severa", "Talenom"),
                                             ("Spotilla", "Procountor")], table
    for seen, arrived, *others, doubled, there in (map(int, f[3:]) for f in found):
        assert seen == arrived + sum(others) and arrived == there > 0 and doubled == 0


def run(demo, steps):
    """Runs the commands as they stand, but waits where they sleep; answers their statuses and their JSON, line by line."""
    if subprocess.run(["sh", "-c", "command -v curl"], capture_output=True, check=False).returncode != 0:
        pytest.skip("no curl here")
    statuses, answers = [], []
    for part in steps.split("sleep 5\n"):
        asked = re.match(r'curl .*"(\$V/v1/transfers\?connection=\w+)"', part)
        if asked:
            wait_for("the transfers", lambda url=asked[1]: at_rest(shell(demo, f'curl -sS -H "$T" "{url}"')), 60, 0.3)
        for url in re.findall(r"\$V/v1/connections/\w+/runs", part):
            wait_for("a run of the registers", lambda url=url: '"state":"done"' in shell(demo, f'curl -sS -H "$T" "{url}"'), 60, 0.3)
        said = shell(demo, re.sub(r"^curl ", "curl -sS -w '\\\\n<%{http_code}>\\\\n' ", part, flags=re.M).replace("$(curl ", "$(curl -sS "))
        statuses += re.findall(r"^<(\d+)>$", said, re.M)
        answers += [line for line in said.splitlines() if line.startswith("{")]
    return statuses, answers


def shell(demo, script):
    done = subprocess.run(["sh", "-ec", f'{demo.exports}\nT="Authorization: Bearer $TOKEN"\n{script}'], cwd=ROOT, capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return done.stdout


def at_rest(transfers):
    items = json.loads(transfers)["items"]
    return items and all(t["state"] in ("done", "following", "needs_data", "skipped") for t in items)


def test_the_first_steps_of_the_readme_work(demo):
    steps = steps_of("First steps")
    assert steps.count("curl ") == 8
    statuses, answers = run(demo, steps)
    assert statuses == ["201"] + ["200"] * 7, answers
    made, checked, active, own, one, registers, standing, runs = answers
    assert '"name":"customers"' in registers and standing == '{"items":[],"next":null}' and '"state":"done"' in runs
    assert '"state":"draft"' in made and '"ok":true' in checked and '"waiting":3' in checked and '"state":"active"' in active
    assert own.count('"state":"done"') == 3, own
    assert '"number":"10413"' in one and '"state":"needs_data"' in one


def test_MV_01_the_readmes_way_from_nothing_to_the_first_invoice(demo):
    steps = steps_of("Maventa: from nothing to the first invoice")
    assert steps.count("curl ") == 12
    statuses, answers = run(demo, steps)
    assert statuses == ["201", "200", "201", "201", "200", "200", "200", "200", "201", "201", "200"], (statuses, answers)
    answers = [json.loads(line) for line in answers]
    _, found, registered, sent, _, verified, active, sent_on, _, connected, second = answers
    assert [c["at_maventa"] for c in found["companies"]] == ["registered", "free"]
    assert registered["state"] == "registered" and registered["has_user_key"] and sent["state"] == "waiting"
    assert verified["state"] == "verified" and active["state"] == second["state"] == "active" and connected["state"] == "verified"
    assert active["waiting"] >= 1 and {t["state"] for t in sent_on["items"]} & {"following", "done"}, [t.get("error") for t in sent_on["items"]]
