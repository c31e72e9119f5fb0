"""The layer rule: who may include what, which library stands where, who may exit or allocate.

A folder includes headers of lower lines only; folders of one line do not know each other; two systems never include each
other, nor two flows; what several flows share is a part of their line that includes no flow (SHARED). The contracts flow.h,
register.h, system.h and attempt.h are open to all. problems(root) lists violations as "file:line: text".
"""
import pathlib
import re

# Top to bottom; folders in one row are neighbours that do not include each other.
LINES = [
    ["main"],
    ["http", "worker"],
    ["flows"],
    ["systems"],
    ["formats"],
    ["queue"],
    ["store"],
    ["net"],
    ["model"],
    ["codec", "config"],
    ["base"],
]
HEIGHT = {folder: len(LINES) - i for i, row in enumerate(LINES) for folder in row}
SHARED = {"flows": {"delivery", "report", "setup", "severa_road"}}  # by line: parts that its units may include, and that include no unit
CONTRACTS = {"flow.h", "register.h", "system.h", "attempt.h"}
TOP = {"service/main.c", "service/serve.c", "service/serve.h", "service/registry.c", "service/registry.h", "service/keyfile.c", "service/keyfile.h",
       "service/notify.c", "service/notify.h"}  # see everything; so do headers in include/ that belong to them

# Where a library's headers may be included: prefixes of paths.
LIBRARIES = {
    r"microhttpd\.h": ["service/http/", "tests/sandbox/", "tests/bench/bare_mhd"],
    r"curl/.*": ["service/net/"],
    r"hiredis/.*": ["service/net/redis"],
    r"cjson/.*|cJSON.*": ["service/codec/json"],
    r"libxml/.*": ["service/codec/xml"],
    r"zip\.h": ["service/codec/zip"],
    r"openssl/.*": ["service/codec/sign", "service/net/redis", "tests/unit/tls_server"],
    r"cmocka\.h": ["tests/unit/", "tests/flows/"],
}
# Headers that only some folders may use: Redis is spoken to by queue/ and store/ alone.
RESERVED = {"net/redis.h": {"queue", "store", "net", "main"}}
SANDBOX_MAY = {"base", "codec", "http", "net", "model", "config"}  # never a system's map.c, queue or store

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')
WORD_CALLS = {
    "exit": (re.compile(r"(?<![\w.>])(exit|quick_exit)\s*\("), {"service/main.c"}),
    "malloc": (re.compile(r"(?<![\w.>])(malloc|calloc|realloc|free|strdup|strndup|asprintf|vasprintf)\s*\("), {"service/base/"}),
    "BASE_MAY_MALLOC": (re.compile(r"^\s*#\s*define\s+BASE_MAY_MALLOC"), {"service/base/"}),
}


def without_comments(text):
    """The code with comments and string contents blanked, line numbers kept."""
    token = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)

    def blank(m):
        s = m.group(0)
        if s[0] in "\"'":
            return s[0] + s[0]
        return re.sub(r"[^\n]", " ", s)

    return token.sub(blank, text)


def folder_of(path):
    """'service/flows/severa_netvisor/rules.c' -> ('flows', 'severa_netvisor'); main for the files that see everything."""
    parts = path.split("/")
    if path in TOP or len(parts) == 2:
        return "main", None
    unit = pathlib.PurePosixPath(parts[2]).stem if parts[1] in ("systems", "flows") else None
    return parts[1], unit


def target_of(root, including, name):
    """The path, below root, of the header an #include names; None for one that is not ours."""
    for base in ("include", "service", str(pathlib.PurePosixPath(including).parent)):
        path = pathlib.Path(root, base, name)
        if path.is_file():
            return str(pathlib.PurePosixPath(base) / name)
    return None


def check_include(root, path, name):
    """The rule that an #include of one of our headers breaks, or None."""
    if ".." in name.split("/"):
        return f'"{name}" climbs out of its folder'
    target = target_of(root, path, name)
    if name in CONTRACTS or target is None:
        return None
    to, to_unit = folder_of(target)
    if path.startswith("tests/sandbox/"):
        if target.startswith("tests/") or to in SANDBOX_MAY:
            return None
        return f'the sandbox must not include "{name}"'
    if path.startswith("tests/"):
        return None
    own, own_unit = folder_of(path)
    if target.startswith("tests/"):
        return f'the service must not include "{name}" of the tests'
    if own == "main":
        return None
    if own == to:
        if own_unit and to_unit and own_unit != to_unit and to_unit not in SHARED.get(to, ()):
            return f'{own}/{own_unit} must not include "{name}": {own} do not know each other'
        return check_reserved(own, name)
    if own not in HEIGHT or to not in HEIGHT:
        return f'folder {own if own not in HEIGHT else to} stands in no line of the layer table ("{name}")'
    if HEIGHT[to] >= HEIGHT[own]:
        return f'{own}/ must not include "{name}": {to}/ is not below it'
    return check_reserved(own, name)


def check_reserved(own, name):
    if name in RESERVED and own not in RESERVED[name]:
        return f'"{name}" is for {", ".join(sorted(RESERVED[name]))} alone'
    return None


def check_library(path, name):
    for pattern, places in LIBRARIES.items():
        if re.fullmatch(pattern, name) and not any(path.startswith(p) for p in places):
            return f"<{name}> may be included only in {', '.join(places)}"
    return None


def own_folder(path):
    """The folder whose rules hold for a header in include/ are those of service/."""
    return "service/" + path[len("include/"):] if path.startswith("include/") else path


def check_file(root, path):
    text = pathlib.Path(root, path).read_text(encoding="utf-8")
    found = []
    judged_as = own_folder(path)
    if path.startswith("include/") and pathlib.PurePosixPath(path).name in CONTRACTS:
        judged_as = "service/main.c"  # a contract names types of every layer
    for number, line in enumerate(text.splitlines(), 1):
        m = INCLUDE.match(line)
        if m:
            problem = (check_include(root, judged_as, m.group(2)) if m.group(1) == '"' else None) or \
                check_library(judged_as, m.group(2))
            if problem:
                found.append(f"{path}:{number}: {problem}")
    if path.startswith("service/"):
        for number, line in enumerate(without_comments(text).splitlines(), 1):
            for word, (pattern, places) in WORD_CALLS.items():
                if pattern.search(line) and not any(path.startswith(p) for p in places):
                    found.append(f"{path}:{number}: {word} is for {', '.join(places)} alone")
    return found


def sources(root, folders=("service", "include", "tests")):
    for folder in folders:
        for p in sorted(pathlib.Path(root, folder).rglob("*")):
            if p.suffix in (".c", ".h") and p.is_file():
                yield p.relative_to(root).as_posix()


def problems(root):
    return [problem for path in sources(root) for problem in check_file(root, path)]
