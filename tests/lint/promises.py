"""What documents promise is there: options in reference and sample, routes in openapi.yaml, cases for flows, requirement
ids that exist."""
import json
import os
import pathlib
import re
import subprocess

import layers

ID = re.compile(r"(?<![A-Za-z0-9])(SV|MA|MV|NV|TA|PC|OP)[-_](\d\d)(?![0-9])", re.I)
ROUTE = re.compile(r'^\s*\{\s*(?:\.method\s*=\s*)?"?(?:HTTP_)?(GET|POST|PUT|PATCH|DELETE)"?\s*,\s*(?:\.path\s*=\s*)?"(/[^"]*)"', re.M)


def options(root):
    """deploy/CONFIGURATION.md and the sample are what the option table makes."""
    return not_as_made(root, ("reference", "deploy/CONFIGURATION.md"), ("sample", "deploy/viesti.env.sample"))


def not_as_made(root, *documents):
    program = pathlib.Path(root, os.environ.get("BUILD", "build/gcc"), "config-doc")
    if not program.is_file():
        return [f"{program.relative_to(root)} is not built; run: make lint, or make docs"]
    found = []
    for kind, name in documents:
        made = subprocess.run([program, kind], capture_output=True, check=True).stdout
        if pathlib.Path(root, name).read_bytes() != made:
            found.append(f"{name} is not what its table makes; run: make docs")
    return found


RAISED = re.compile(r'err_reason\([^;]*?ERR_\w+,\s*"(\w+)"|\breason = "(\w+)"|\b(?:lack|wrong)\(err, "(\w+)"')
CLASSES = re.compile(r'return "(\w+)";')  # err_code_name: what an error without a reason is called


def reasons(root):
    """The list of reasons is closed (OP-05): each is raised somewhere, none that is raised is missing, and the document is what
    the table makes. What a flow, a system or the model raises is awaited by a test or a case."""
    sources = {p: p.read_text(encoding="utf-8") for p in pathlib.Path(root, "service").rglob("*.c")}
    rows = sources.pop(pathlib.Path(root, "service/model/reason.c")).split("{ NULL", 1)[0]  # the table stands first
    table = set(re.findall(r'^\t\{ "(\w+)", "', rows, re.M))
    api = set(re.findall(r'^\t\{ "(\w+)", \d+,', sources[pathlib.Path(root, "service/http/respond.c")], re.M))
    classes = set(CLASSES.findall(sources.pop(pathlib.Path(root, "service/base/err.c"))))
    code = "".join(sources.values())
    met = "".join(text for p, text in sources.items() if p.parts[-2] != "formats")  # those have a suite of their own
    raised = {name for found in RAISED.findall(code) for name in found if name}
    tests = "".join(p.read_text(encoding="utf-8") for folder, kind in (("unit", "*.c"), ("system", "*.py"))
                    for p in pathlib.Path(root, "tests", folder).glob(kind))
    tests += "".join(json.dumps(json.loads(p.read_text(encoding="utf-8"))["expect"])
                     for p in pathlib.Path(root, "tests/flows").glob("*/*/case.json"))
    return [f"service: {c} is raised, but is no reason of service/model/reason.c" for c in sorted(raised - table - api)] + \
        [f"service/model/reason.c: nothing raises {c}" for c in sorted(table - classes) if f'"{c}"' not in code] + \
        [f"service/model/reason.c: no test and no case awaits {c}" for c in sorted(table - classes)
         if f'"{c}"' in met and f'"{c}"' not in tests] + \
        not_as_made(root, ("reasons", "deploy/REASONS.md"))


def notes(root):
    """Each note that a flow leaves on the timeline stands in its README."""
    found = []
    for flow in sorted(p for p in pathlib.Path(root, "service/flows").glob("*") if p.is_dir()):
        code = "".join(p.read_text(encoding="utf-8") for p in flow.glob("*.c"))
        readme = flow / "README.md"
        if not readme.is_file():
            found.append(f"service/flows/{flow.name}: no README.md, in which its notes stand")
            continue
        said = readme.read_text(encoding="utf-8")
        left = re.findall(r'(?:->note\(at, |->note\(r->at, |\w+_note(?:_change)?\([\w&>.-]+, |leave\(r, OUTCOME_\w+, )\s*"(\w+)"', code)
        found += [f"service/flows/{flow.name}/README.md does not name the note {n}" for n in sorted(set(left)) if f"`{n}`" not in said]
    return found


def options_named(root):
    """Every VIESTI_ name that image, compose file, unit, proxy and documents speak of is an option."""
    sample = pathlib.Path(root, "deploy/viesti.env.sample").read_text(encoding="utf-8")
    known = set(re.findall(r"^#(VIESTI_\w+)=", sample, re.M)) | {"VIESTI_CONFIG"}
    known |= {name + "_FILE" for name in known} | {"VIESTI_X", "VIESTI_X_FILE"}
    known |= {"VIESTI_SHARED", "VIESTI_IMAGE_TOOLS"}  # what tests find by the environment
    found = []
    for p in sorted([*pathlib.Path(root).glob("*.md"), *pathlib.Path(root, "deploy").rglob("*"),
                     *pathlib.Path(root, "docker").rglob("*"), pathlib.Path(root, "Dockerfile")]):
        for number, line in enumerate(p.read_text(encoding="utf-8").splitlines() if p.is_file() else [], 1):
            found += [f"{p.relative_to(root).as_posix()}:{number}: {name} is no option"
                      for name in re.findall(r"\bVIESTI_[A-Z][A-Z0-9_]*\b", line.replace("(_FILE)", ""))
                      if name not in known]
    return found


def options_used(root):
    """Every option's member is read somewhere in the service: a setting that does nothing is a lie."""
    table = pathlib.Path(root, "include/config/options.def").read_text(encoding="utf-8")
    members = re.findall(r"^OPTION\(\w+,\s*(\w+),", table, re.M)
    code = "".join(p.read_text(encoding="utf-8") for p in pathlib.Path(root, "service").rglob("*.c")
                   if p.parent.name != "config")
    found = [f"include/config/options.def: nothing reads {m}" for m in members
             if not re.search(rf"(->|\.){m}\b", code)]
    for header in sorted(pathlib.Path(root, "include/systems").glob("*.h")):
        for name, body in re.findall(r"struct (\w+_options) \{([^}]*)\}", header.read_text(encoding="utf-8")):
            if f"const struct {name} *{name}(" not in header.read_text(encoding="utf-8"):
                continue  # an argument's struct, not the system's own options
            found += [f"include/systems/{header.name}: nothing reads {m}" for m in re.findall(r"(\w+)[,;]", body)
                      if not re.search(rf"(->|\.){m}\b", code)]
    return found


def routes(root):
    """Every route of the server's table is a path and method of openapi.yaml, and the other way round."""
    import yaml  # Debian: python3-yaml

    document = pathlib.Path(root, "openapi.yaml")
    served = set()
    for p in pathlib.Path(root, "service/http").rglob("*.c"):
        for method, path in ROUTE.findall(p.read_text(encoding="utf-8")):
            served.add((method, re.sub(r"\{[^}]*\}|\*|:\w+", "{}", path)))
    described = set()
    for path, item in (yaml.safe_load(document.read_text(encoding="utf-8")) or {}).get("paths", {}).items():
        for method in item:
            if method.upper() in ("GET", "POST", "PUT", "PATCH", "DELETE"):
                described.add((method.upper(), re.sub(r"\{[^}]*\}", "{}", path)))
    if not served:
        return ["service/http: no route table was found"]
    return [f"openapi.yaml: {m} {p} is served but not described" for m, p in sorted(served - described)] + \
        [f"openapi.yaml: {m} {p} is described but not served" for m, p in sorted(described - served)]


def registered(root):
    """Each system and each flow stands where it is known by: a folder alone does nothing, and nothing else says so."""
    def lines(name):
        return set(re.findall(r"&(\w+)", pathlib.Path(root, name).read_text(encoding="utf-8")))

    def units(kind):
        return sorted(p.name for p in pathlib.Path(root, "service", kind).glob("*") if p.is_dir() and p.name not in layers.SHARED.get(kind, ()))

    known, standins = lines("service/registry.c"), lines("tests/sandbox/registry.c")
    found = []
    for system in units("systems"):
        found += [f"service/systems/{system}: no line &{system}_system in service/registry.c"] * (f"{system}_system" not in known)
        found += [f"service/systems/{system}: no line &{system}_standin in tests/sandbox/registry.c"] * (f"{system}_standin" not in standins)
        if not list(pathlib.Path(root, "tests/unit").glob(f"test_{system}*.c")):
            found.append(f"service/systems/{system}: no tests/unit/test_{system}.c, with what its stand-in never answers")
    for flow in units("flows"):
        found += [f"service/flows/{flow}: no line &{flow} in service/registry.c"] * (flow not in known)
        if not list(pathlib.Path(root, "tests/system").glob(f"test_{flow}*.py")):
            found.append(f"service/flows/{flow}: no tests/system/test_{flow}.py")
    return found


def flow_cases(root):
    """Each flow has a folder of cases, each case named after a requirement; what flows share is tested by theirs."""
    found = []
    for flow in sorted(p for p in pathlib.Path(root, "service/flows").glob("*")
                       if p.is_dir() and p.name not in layers.SHARED["flows"]):
        cases = [p for p in pathlib.Path(root, "tests/flows", flow.name).glob("*") if p.is_dir()]
        if not cases:
            found.append(f"service/flows/{flow.name}: no case in tests/flows/{flow.name}/")
        found += [f"tests/flows/{flow.name}/{c.name}: the name holds no requirement id" for c in cases
                  if not ID.match(c.name)]
    return found


def known_ids(root):
    return set(re.findall(r"^([A-Z]{2}-\d\d)\b", pathlib.Path(root, "tests/lint/requirements.txt").read_text(encoding="utf-8"), re.M))


def requirement_ids(root):
    """Ids that tests claim exist; the list is that of the requirements page, where it is at hand."""
    known, found = known_ids(root), []
    page = os.environ.get("VIESTI_SHARED")
    if page and pathlib.Path(page, "REQUIREMENTS.md").is_file():
        rows = set(re.findall(r"^\| ([A-Z]{2}-\d\d) \|", pathlib.Path(page, "REQUIREMENTS.md").read_text(encoding="utf-8"), re.M))
        found += [f"tests/lint/requirements.txt lacks {i}" for i in sorted(rows - known)]
        found += [f"tests/lint/requirements.txt: {i} is no requirement" for i in sorted(known - rows)]
    for p in sorted(pathlib.Path(root, "tests").rglob("*")):
        inside = p.relative_to(pathlib.Path(root, "tests")).parts
        if not inside or inside[0] == "lint" or "node_modules" in inside:
            continue
        texts = [(p.name, 0)]
        if p.suffix in (".c", ".py"):
            texts += [(line, n) for n, line in enumerate(p.read_text(encoding="utf-8", errors="replace").splitlines(), 1)]
        for text, number in texts:
            for m in ID.finditer(text):
                name = f"{m.group(1).upper()}-{m.group(2)}"
                if name not in known:
                    found.append(f"{p.relative_to(root).as_posix()}:{number}: {name} is no requirement")
    return found
