#!/usr/bin/env python3
"""make lint: runs every check, or those named, and counts them: tests/lint/run.py [CHECK ...].

A check lists its problems; none is a pass, None means that it could not judge and counts as nothing. The last line is "lint: N passed, N failed".
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.dont_write_bytecode = True
import layers  # noqa: E402
import promises  # noqa: E402
import sources  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLANG_FORMAT = "14"  # later versions lay some lines out differently; Debian 12's is the judge


def command(*argv):
    done = subprocess.run(argv, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace", check=False)
    if done.returncode == 0:
        return []
    return done.stdout.strip().splitlines() or [f"{argv[0]}: exit status {done.returncode}"]


def layout(_root):
    for program in (f"clang-format-{CLANG_FORMAT}", "clang-format"):
        if shutil.which(program):
            said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
            if re.search(rf"version {CLANG_FORMAT}\.", said):
                return command(program, "--dry-run", "-Werror", "--style=file", *layers.sources(ROOT))
    print(f"note: layout is judged by clang-format {CLANG_FORMAT}, which is not here")
    return None


def tidy(_root):
    make = os.environ.get("MAKE", "make")
    os.environ.pop("MAKEFLAGS", None)  # of an outer make, whose job server is not ours
    said = command(make, "--no-print-directory", "-s", "-k", f"-j{os.cpu_count() or 1}", "tidy")
    return [line for line in said if ": error: " in line] or said[-20:]  # the way there: build/*/tidy/**/*.out


def scripts(root):
    shell = [p for p in sources.tracked(root) if p.endswith(".sh") or p == ".ci/run"]
    return command("shellcheck", "-S", "warning", *shell) if shell else []


def lint_itself(_root):
    return command(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "tests/lint")


# A check of something that only a grown tree has starts to count with the file it needs.
CHECKS = {
    "layers": (layers.problems, None),
    "starts": (sources.starts, None),
    "open-ends": (sources.open_ends, None),
    "paths": (sources.foreign_paths, None),
    "layout": (layout, None),
    "tidy": (tidy, None),
    "scripts": (scripts, None),
    "options": (promises.options, None),
    "options-named": (promises.options_named, "deploy/viesti.env.sample"),
    "options-used": (promises.options_used, "service/main.c"),
    "routes": (promises.routes, "openapi.yaml"),
    "reasons": (promises.reasons, "service/model/reason.c"),
    "notes": (promises.notes, "service/flows"),
    "registered": (promises.registered, "service/registry.c"),
    "flow-cases": (promises.flow_cases, None),
    "requirement-ids": (promises.requirement_ids, None),
    "lint-itself": (lint_itself, None),
}


def main():
    passed = failed = 0
    for name in sys.argv[1:] or CHECKS:
        check, needs = CHECKS[name]
        if needs and not (ROOT / needs).exists():
            continue
        problems = check(str(ROOT))
        if problems is None:
            continue
        if problems:
            failed += 1
            print(f"{name}: {len(problems)} problem lines")
            for p in problems[:60]:
                print(f"    {p}")
        else:
            passed += 1
    print(f"lint: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
