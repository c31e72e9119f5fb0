"""make demo as a newcomer meets it: it ends well, KEEP=1 serves, and README's first steps work as they stand there."""

import os
import pathlib
import re
import signal
import subprocess
import sys

import pytest

from sandbox import ROOT
from service import wait_for


def first_steps():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.partition("## First steps\n")[2].partition("\n## ")[0]
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
        return re.search(r"^    (V=\S+ TOKEN=\S+)$", process.said(), re.M)
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


def test_the_first_steps_of_the_readme_work(demo):
    steps = first_steps()
    assert steps.count("curl ") == 5
    if subprocess.run(["sh", "-c", "command -v curl"], capture_output=True, check=False).returncode != 0:
        pytest.skip("no curl here")
    script = f"{demo.exports}\n" + steps.replace("curl ", "curl -sS -w '\\n<%{http_code}>\\n' ")
    done = subprocess.run(["sh", "-ec", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert re.findall(r"^<(\d+)>$", done.stdout, re.M) == ["201", "200", "200", "200", "200"], done.stdout
    made, checked, active, own, one = [line for line in done.stdout.splitlines() if line.startswith("{")]
    assert '"state":"draft"' in made and '"ok":true' in checked and '"waiting":3' in checked and '"state":"active"' in active
    assert own.count('"state":"done"') == 3, own
    assert '"number":"10413"' in one and '"state":"needs_data"' in one
