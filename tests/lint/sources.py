"""Rules of the text itself (STYLE §3, §9): base.h first, a comment that says what a file is for, nothing left open, no path
of one machine."""
import pathlib
import re
import subprocess

from layers import sources

OPEN_ENDS = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
# Paths of the machine a commit was made on, and of material that is no part of the repository.
FOREIGN = re.compile(r"\.\./shared|(?<![\w.])/work/|/home/\w+/")
MAY_NAME_SHARED = {".ci/run"}
TEXT = {".c", ".h", ".def", ".lua", ".py", ".sh", ".md", ".yaml", ".yml", ".mjs", ".json", ".conf", ".service", ""}


NOT_OURS = {".git", "build", "node_modules", "__pycache__", ".pytest_cache"}


def tracked(root):
    """The repository's files; in a tree that is none, all but what is made."""
    try:
        done = subprocess.run(["git", "-C", root, "ls-files", "-z"], capture_output=True, check=True)
        return [p for p in done.stdout.decode().split("\0") if p]
    except (OSError, subprocess.CalledProcessError):
        paths = (p.relative_to(root) for p in pathlib.Path(root).rglob("*") if p.is_file())
        return [p.as_posix() for p in paths if not NOT_OURS & set(p.parts)]


def starts(root):
    """Every .c of ours: a comment first, then "base/base.h" as first include; every header: a comment and a guard."""
    found = []
    for path in sources(root):
        text = pathlib.Path(root, path).read_text(encoding="utf-8")
        if not text.startswith("/*"):
            found.append(f"{path}:1: no comment that says what the file is for")
        first = re.search(r"^\s*#\s*include\s*(\S+)", text, re.M)
        if path.endswith(".c") and first and first.group(1) != '"base/base.h"':
            found.append(f'{path}: the first include is {first.group(1)}, not "base/base.h"')
        if path.endswith(".h") and not re.search(r"^#ifndef \w+_H\n#define \w+_H$", text, re.M):
            found.append(f"{path}: no include guard")
    return found


def open_ends(root):
    found = []
    for path in tracked(root):
        file = pathlib.Path(root, path)
        if file.suffix not in TEXT or path.startswith("tests/lint/") or not file.is_file():
            continue
        for number, line in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if OPEN_ENDS.search(line):
                found.append(f"{path}:{number}: {OPEN_ENDS.search(line).group(0)} left in")
    return found


def foreign_paths(root):
    found = []
    for path in tracked(root):
        file = pathlib.Path(root, path)
        if file.suffix not in TEXT or path.startswith("tests/lint/") or not file.is_file():
            continue
        for number, line in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            m = FOREIGN.search(line)
            if m and not (m.group(0) == "../shared" and path in MAY_NAME_SHARED):
                found.append(f"{path}:{number}: names {m.group(0)}")
    return found
