"""Lint catches what it is there to catch: each rule is broken once in a small tree of its own."""
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import layers  # noqa: E402
import promises  # noqa: E402
import sources  # noqa: E402

GOOD = {
    "include/base/base.h": "/* base */\n#ifndef BASE_BASE_H\n#define BASE_BASE_H\n#endif\n",
    "include/codec/json.h": "/* json */\n#ifndef J_H\n#define J_H\n#include \"base/base.h\"\n#endif\n",
    "include/config/config.h": "/* config */\n#ifndef C_H\n#define C_H\n#endif\n",
    "include/net/redis.h": "/* redis */\n#ifndef R_H\n#define R_H\n#endif\n",
    "include/queue/queue.h": "/* queue */\n#ifndef Q_H\n#define Q_H\n#endif\n",
    "include/http/http.h": "/* http */\n#ifndef H_H\n#define H_H\n#endif\n",
    "include/worker/worker.h": "/* worker */\n#ifndef W_H\n#define W_H\n#endif\n",
    "include/flow.h": "/* flow */\n#ifndef F_H\n#define F_H\n#include \"queue/queue.h\"\n#endif\n",
    "service/main.c": "/* main */\n#include \"base/base.h\"\n#include \"http/http.h\"\nint main(void) { exit(0); }\n",
    "service/systems/severa/map.h": "/* map */\n#ifndef M_H\n#define M_H\n#endif\n",
    "service/systems/severa/calls.c": "/* calls */\n#include \"base/base.h\"\n#include \"flow.h\"\n#include \"map.h\"\n",
    "service/systems/netvisor/map.h": "/* map */\n#ifndef N_H\n#define N_H\n#endif\n",
    "include/flows/a.h": "/* a */\n#ifndef FA_H\n#define FA_H\n#include \"flow.h\"\n#endif\n",
    "include/flows/severa_road.h": "/* road */\n#ifndef FR_H\n#define FR_H\n#include \"flow.h\"\n#endif\n",
    "service/flows/a/rules.h": "/* rules */\n#ifndef A_H\n#define A_H\n#endif\n",
    "service/queue/queue.c": "/* queue */\n#include \"base/base.h\"\n#include \"net/redis.h\"\n",
    "tests/sandbox/main.c": "/* sandbox */\n#include \"base/base.h\"\n#include <microhttpd.h>\n",
}


@pytest.fixture(name="tree")
def fixture_tree(tmp_path):
    for name, text in GOOD.items():
        write(tmp_path, name, text)
    return tmp_path


def write(root, name, text):
    path = pathlib.Path(root, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def unit(*lines):
    return "/* planted */\n#include \"base/base.h\"\n" + "".join(line + "\n" for line in lines)


def test_a_tree_in_order_passes(tree):
    assert layers.problems(tree) == []
    assert sources.starts(tree) == []


@pytest.mark.parametrize("path, line", [
    ("service/base/bad.c", '#include "codec/json.h"'),  # upwards
    ("service/codec/bad.c", '#include "config/config.h"'),  # a neighbour
    ("service/http/bad.c", '#include "worker/worker.h"'),  # a neighbour
    ("service/systems/severa/bad.c", '#include "systems/netvisor/map.h"'),  # another system
    ("service/flows/b/bad.c", '#include "flows/a/rules.h"'),  # another flow
    ("service/systems/severa/bad.c", '#include "queue/../http/http.h"'),  # in disguise
    ("service/flows/b/bad.c", '#include "flows/a.h"'),  # by its public header
    ("service/flows/severa_road/bad.c", '#include "flows/a.h"'),  # what flows share knows none of them
    ("service/flows/a/bad.c", '#include "net/redis.h"'),  # Redis is for queue and store
    ("include/codec/bad.h", '#include "net/redis.h"'),  # a header upwards
    ("service/net/bad.c", "#include <microhttpd.h>"),
    ("service/store/bad.c", "#  include <hiredis/hiredis.h>"),
    ("service/model/bad.c", "#include <cjson/cJSON.h>"),
    ("service/codec/json_x.c", "#include <openssl/evp.h>"),
    ("service/net/bad.c", "static void f(void) { exit(1); }"),
    ("service/net/bad.c", "static void f(void) { char *p = malloc(3); }"),
    ("service/net/bad.c", "#define BASE_MAY_MALLOC"),
    ("tests/sandbox/bad.c", '#include "systems/severa/map.h"'),  # the sandbox never shares a mapping
    ("tests/sandbox/bad.c", '#include "queue/queue.h"'),
])
def test_a_planted_violation_is_caught(tree, path, line):
    write(tree, path, unit(line))
    found = layers.problems(tree)
    assert len(found) == 1 and found[0].startswith(f"{path}:3: "), found


@pytest.mark.parametrize("path, line", [
    ("service/http/good.c", '#include "queue/queue.h"'),  # far below
    ("service/net/good.c", "/* exit(1) and malloc(2) in words */ static const char *s = \"exit(1)\";"),
    ("service/net/good.c", "static void f(struct x *p) { p->free(p); pool.exit(1); mem_free(p); }"),
    ("service/net/redis_tls.c", "#include <hiredis/hiredis_ssl.h>"),
    ("service/flows/a/good.c", '#include "flows/severa_road.h"'),  # a part that flows share
])
def test_what_only_looks_like_one_is_not(tree, path, line):
    write(tree, path, unit(line))
    assert layers.problems(tree) == []


def test_a_folder_without_a_line_is_named(tree):
    write(tree, "service/misc/x.c", unit('#include "codec/json.h"'))
    assert "stands in no line" in layers.problems(tree)[0]


@pytest.mark.parametrize("name, text, says", [
    ("service/net/a.c", "#include \"base/base.h\"\n", "no comment"),
    ("service/net/a.c", "/* a */\n#include <stdio.h>\n#include \"base/base.h\"\n", "the first include is <stdio.h>"),
    ("include/net/a.h", "/* a */\nint x;\n", "no include guard"),
])
def test_how_a_file_starts(tree, name, text, says):
    write(tree, name, text)
    found = sources.starts(tree)
    assert len(found) == 1 and says in found[0]


def committed(tree, name, text):
    write(tree, name, text)
    subprocess.run(["git", "init", "-q", tree], check=True)
    subprocess.run(["git", "-C", tree, "add", "-A"], check=True)
    return tree


def test_open_ends_and_foreign_paths_are_caught(tree):
    committed(tree, "service/net/a.c", "/* a */\n/* TO" + "DO: later */\n")
    assert sources.open_ends(tree) == ["service/net/a.c:2: TO" + "DO left in"]
    committed(tree, "deploy/x.md", "see .." + "/shared/DESIGN.md\n")
    assert len(sources.foreign_paths(tree)) == 1
    write(tree, "deploy/x.md", "nothing\n")
    committed(tree, ".ci/run", "# .." + "/shared\n")
    assert sources.foreign_paths(tree) == []


def test_a_tree_outside_git_is_looked_at_too(tree):
    write(tree, "service/net/a.c", "/* a */\n/* FIX" + "ME */\n")
    write(tree, "build/made.c", "/* FIX" + "ME */\n")
    assert sources.open_ends(tree) == ["service/net/a.c:2: FIX" + "ME left in"]


def test_an_option_that_nothing_reads_is_caught(tree):
    write(tree, "include/config/options.def", 'OPTION(INT, workers, "WORKERS", "8", "1..9", "x")\n'
          'OPTION(INT, idle, "IDLE", "8", "1..9", "x")\n')
    write(tree, "service/worker/pool.c", unit("int f(struct config *cfg) { return cfg->workers; }"))
    write(tree, "include/systems/acme.h", "struct acme_options {\n\tconst char *url;\n\tint rate, spare;\n};\n"
          "const struct acme_options *acme_options(const struct system_values *v);\n")
    write(tree, "service/systems/acme/calls.c", unit("int g(struct acme *a) { return a->opt->rate + !!a->opt->url; }"))
    assert promises.options_used(tree) == ["include/config/options.def: nothing reads idle",
                                           "include/systems/acme.h: nothing reads spare"]


def test_a_name_that_is_no_option_is_caught(tree):
    write(tree, "deploy/viesti.env.sample", "# Port.\n#VIESTI_PORT=8080\n")
    write(tree, "Dockerfile", "ENV VIESTI_PORT=1\n")
    write(tree, "README.md", "`VIESTI_PORT(_FILE)`, `VIESTI_CONFIG`\n")
    write(tree, "docker/compose.yaml", "environment:\n  VIESTI_PORT_FILE: x\n  VIESTI_PROT: 1\n")
    assert promises.options_named(tree) == ["docker/compose.yaml:3: VIESTI_PROT is no option"]


def test_a_route_on_one_side_only_is_caught(tree):
    write(tree, "service/http/routes.c", unit('\t{ HTTP_GET, "/healthz", health },', '\t{ HTTP_POST, "/v1/a/{id}", a },'))
    write(tree, "openapi.yaml", "paths:\n  /healthz: {get: {}}\n  /v1/b: {get: {}}\n")
    assert promises.routes(tree) == ["openapi.yaml: POST /v1/a/{} is served but not described",
                                     "openapi.yaml: GET /v1/b is described but not served"]


def test_a_flow_without_cases_and_a_case_without_id_are_caught(tree):
    assert promises.flow_cases(tree) == ["service/flows/a: no case in tests/flows/a/"]
    write(tree, "tests/flows/a/NV-01-plain/input.json", "{}")
    assert promises.flow_cases(tree) == []
    write(tree, "tests/flows/a/plain/input.json", "{}")
    assert "holds no requirement id" in promises.flow_cases(tree)[0]


def test_what_stands_in_no_registry_is_caught(tree):
    write(tree, "service/registry.c", "&severa_system, &netvisor_system, NULL,\n&a, NULL,\n")
    write(tree, "tests/sandbox/registry.c", "&severa_standin, &netvisor_standin,\n")
    for name in ("unit/test_severa.c", "unit/test_netvisor.c", "system/test_a.py"):
        write(tree, "tests/" + name, "")
    write(tree, "service/flows/severa_road/road.c", "")  # shared: no flow
    assert promises.registered(tree) == []
    write(tree, "service/systems/kirja/map.c", "")
    write(tree, "service/flows/severa_kirja/flow.c", "")
    said = promises.registered(tree)
    assert [s.split(":")[0] for s in said] == ["service/systems/kirja"] * 3 + ["service/flows/severa_kirja"] * 2
    for text, place in zip(("&kirja_system", "&kirja_standin", "test_kirja.c", "&severa_kirja", "test_severa_kirja.py"), said):
        assert text in place


def test_an_invented_requirement_is_caught(tree, monkeypatch):
    monkeypatch.delenv("VIESTI_SHARED", raising=False)
    write(tree, "tests/lint/requirements.txt", "NV-01\nNV-02\n")
    write(tree, "tests/unit/test_x.c", unit("static void nv_01_and_nv_99(void **state);", '"NV-02 is real"'))
    assert promises.requirement_ids(tree) == ["tests/unit/test_x.c:3: NV-99 is no requirement"]


REASON_TABLE = '\t{ "row_bad", "source_user", "A.", "B.", "C." },\n\t{ "never_raised", "admin", "A.", "B.", "C." },\n'


def test_reasons_are_closed_raised_and_awaited(tree, monkeypatch):
    monkeypatch.setattr(promises, "not_as_made", lambda *_: [])
    write(tree, "service/model/reason.c", REASON_TABLE)
    write(tree, "service/base/err.c", 'return "outage";\n')
    write(tree, "service/http/respond.c", '\t{ "stale", 412, "Changed." },\n')
    write(tree, "service/flows/a/rules.c", 'err_reason(err, ERR_DATA, "row_bad", "x", "y");\nerr_reason(err, ERR_DATA,\n'
                                           '\t"not_listed", "x", "y");\n')
    said = promises.reasons(str(tree))
    assert len(said) == 3 and "not_listed is raised" in said[0] and "nothing raises never_raised" in said[1] and \
        "awaits row_bad" in said[2]
    write(tree, "tests/flows/a/SV-01-x/case.json", '{"expect": {"reason": "row_bad"}}')
    assert len(promises.reasons(str(tree))) == 2


def test_a_note_stands_in_the_readme(tree):
    write(tree, "service/flows/a/flow.c", 'sn_note(r, "said", "x");\nat->ops->note(at, "unsaid", "x");\n')
    write(tree, "service/flows/a/README.md", "Notes: `said`.\n")
    assert promises.notes(str(tree)) == ["service/flows/a/README.md does not name the note unsaid"]
    write(tree, "service/flows/a/more.c", 'road_note(&r->road, "unsaid_too", "x");\nleave(r, OUTCOME_DONE, "said", "x");\n')
    assert len(promises.notes(str(tree))) == 2
    (tree / "service/flows/a/README.md").unlink()
    assert promises.notes(str(tree)) == ["service/flows/a: no README.md, in which its notes stand"]


def test_a_program_that_is_not_built_is_named(tree):
    assert "is not built; run: make lint" in promises.options(tree)[0]
