"""Every request body that the recorded cases of severa_netvisor send to Netvisor is valid by the vendor's document type
definitions (NV-01 to NV-11). They are not part of this repository: VIESTI_SHARED names the folder that holds them."""

import collections
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEFINITIONS = pathlib.Path(os.environ.get("VIESTI_SHARED", "/nonexistent"), "data/netvisor")


def bodies():
    """By resource: (case, body), each body once."""
    found = collections.defaultdict(dict)
    for path in sorted((ROOT / "tests/flows/severa_netvisor").glob("*/case.json")):
        for x in json.loads(path.read_text(encoding="utf-8")).get("exchanges", []):
            resource = re.search(r"/netvisor/(\w+)\.nv", x["url"])
            if resource and x.get("body"):
                found[resource.group(1)].setdefault(x["body"], path.parent.name)
    return found


def definition(resource, folder):
    """A copy as xmllint reads it: some of the vendor's are wrapped as a document has them inside. Those of "extended" have
    the newer elements too."""
    source = next(p for f in ("extended", "vendor") if (p := DEFINITIONS / f / (resource + ".dtd")).is_file())
    text = source.read_text(encoding="utf-8-sig")
    inside = re.fullmatch(r"\s*<!DOCTYPE root \[(.*)\]>\s*", text, re.S)
    copy = folder / (resource + ".dtd")
    copy.write_text(inside.group(1) if inside else text, encoding="utf-8")
    return copy


def test_there_are_bodies_of_each_kind():
    assert set(bodies()) == {"customer", "product", "dimensionitem", "salesinvoice"}


@pytest.mark.skipif(not DEFINITIONS.is_dir(), reason="VIESTI_SHARED does not name the folder with the vendor's definitions")
@pytest.mark.skipif(not shutil.which("xmllint"), reason="xmllint (package libxml2-utils) is not installed")
@pytest.mark.parametrize("resource", ["customer", "product", "dimensionitem", "salesinvoice"])
def test_bodies_are_valid(resource, tmp_path):
    sent = bodies()[resource]
    for n, (body, case) in enumerate(sent.items()):
        assert body.startswith("<root>"), case  # Netvisor refuses a declaration before it
        (tmp_path / f"{case}.{n}.xml").write_text(body, encoding="utf-8")
    done = subprocess.run(["xmllint", "--noout", "--nonet", "--dtdvalid", definition(resource, tmp_path), *sorted(tmp_path.glob("*.xml"))],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:4000]
    print(f"{len(sent)} bodies of {resource}.nv are valid")
