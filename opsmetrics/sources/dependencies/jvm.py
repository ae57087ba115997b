"""Maven's pom.xml, and Gradle's version catalogues and build files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree import ElementTree as ET

from opsmetrics.sources.dependencies import toml, xml
from opsmetrics.sources.dependencies.model import Contents, Need, Package

# What ends with a plus asks for whatever is newest.
_EXACT = re.compile(r"\[?(?P<version>\d[\w.+-]*)(?<!\+)\]?")
# Without a number the group must have a dot: ``jdbc:h2:$name`` is no coordinate.
_GRADLE = re.compile(
    r"[\"'](?P<group>[\w-]+(?:\.[\w-]+)+|[\w.-]+(?=:[\w.-]+:\d)):(?P<name>[\w.-]+)"
    r":(?P<version>\d[\w.+-]*|\$\w[\w.]*|\$\{[^}]+\})(?::[\w.-]+)?(?:@\w+)?(?<!\\)[\"']"
)
_GRADLE_PARTS = re.compile(
    r"\bgroup\s*[:=]\s*[\"'](?P<group>[\w.-]+)[\"']\s*,\s*name\s*[:=]\s*[\"'](?P<name>[\w.-]+)[\"']"
    r"\s*,\s*version\s*[:=]\s*(?P<version>[\"'][^\"']+[\"']|[^\W\d][\w.]*)"
)
_GRADLE_VARIABLE = re.compile(
    r"(?:\b(?P<name>[^\W\d]\w*)(?:\s*:\s*String)?\s*(?:=\s*|by extra\()"
    r"|(?:\[|\bset\s*\(\s*)[\"'](?P<key>[\w.-]+)[\"']\s*(?:\]\s*=|,)\s*)[\"'](?P<version>\d[\w.+-]*)[\"']"
)
_GRADLE_NAME = re.compile(r"[^\W\d][\w-]*(?:\.[\w-]+)*(?=[\"'])|[^\W\d]\w*")
_GRADLE_PROPERTY = re.compile(r"^\s*(?P<name>[\w.-]+)\s*[=:]\s*(?P<version>\d[\w.+-]*)\s*$", re.MULTILINE)
# What names a group, an artifact and a version of a repository; the last are processors of annotations.
_COORDINATES = {"dependency", "plugin", "parent", "extension", "path", "annotationProcessorPath"}
_GRADLE_PREFER = ("strictly", "require", "prefer")


def pom(text: str) -> Contents:
    """Read a pom.xml: dependencies, managed ones, plugins and the parent."""
    root = xml.tree(text)
    properties = xml.properties_in(root, "properties")
    parent = next((element for element in root if xml.tag(element) == "parent"), None)
    group = xml.child(root, "groupId") or (xml.child(parent, "groupId") if parent is not None else "")
    made = Package("maven", f"{xml.resolved(group, properties)}:{xml.child(root, 'artifactId')}")
    return Contents(tuple(_maven(root, properties)), makes=made, properties=properties)


def _maven(root: ET.Element, properties: Mapping[str, str]) -> Iterator[Need]:
    for element in root.iter():
        kind = xml.tag(element)
        if kind not in _COORDINATES:
            continue
        group = xml.child(element, "groupId") or ("org.apache.maven.plugins" if kind == "plugin" else "")
        name, wanted = xml.child(element, "artifactId"), xml.resolved(xml.child(element, "version"), properties)
        # Without a version another pom manages it; ``${project.version}`` is the repository's own.
        if not (group and name and wanted) or "${project." in group + wanted:
            continue
        exact = _EXACT.fullmatch(wanted)
        yield Need("maven", f"{xml.resolved(group, properties)}:{name}", exact["version"] if exact else None, wanted)


def gradle(text: str) -> Contents:
    """Read the coordinates that a build file writes out, and the names that stand for their versions."""
    found = [
        _gradle_need(one["group"], one["name"], one["version"])
        for pattern in (_GRADLE, _GRADLE_PARTS)
        for one in pattern.finditer(text)
    ]
    variables = {one["name"] or one["key"]: one["version"] for one in _GRADLE_VARIABLE.finditer(text)}
    return Contents(tuple(found), properties=variables)


def _gradle_need(group: str, name: str, said: str) -> Need:
    said = said.strip("\"'")
    if said[:1].isdigit() and not said.endswith("+"):
        return Need("maven", f"{group}:{name}", said, said)
    # Of ``rootProject.extra["x"]``, ``property("x")`` and ``Versions.x`` the last name is the one that stands for it.
    names = [] if said[:1].isdigit() else _GRADLE_NAME.findall(said)
    return Need("maven", f"{group}:{name}", None, f"${{{names[-1]}}}" if names else said)


def gradle_properties(text: str) -> Contents:
    """Read the properties of a build of Gradle."""
    return Contents(properties={one["name"]: one["version"] for one in _GRADLE_PROPERTY.finditer(text)})


def catalogue(text: str) -> Contents:
    """Read a version catalogue of Gradle; plugins are in another registry, and are left out."""
    content = toml.whole(text)
    versions, libraries = toml.table(content, "versions"), toml.table(content, "libraries")
    return Contents(tuple(need for entry in libraries.values() if (need := _library(entry, versions)) is not None))


def _library(entry: Any, versions: Mapping[str, Any]) -> Need | None:
    if isinstance(entry, str):
        module, _, wanted = entry.rpartition(":")
        return _coordinate(module, wanted)
    if not isinstance(entry, dict):
        return None
    said = entry.get("version")
    if isinstance(said, dict) and "ref" in said:
        said = versions.get(said["ref"])
    if isinstance(said, dict):
        said = next((said[key] for key in _GRADLE_PREFER if key in said), None)
    return _coordinate(entry.get("module") or f"{entry.get('group')}:{entry.get('name')}", said)


def _coordinate(module: str, wanted: Any) -> Need | None:
    if module.count(":") != 1 or not isinstance(wanted, str):
        return None
    exact = _EXACT.fullmatch(wanted.strip())
    return Need("maven", module, exact["version"] if exact else None, wanted)


def gradle_lock(text: str) -> Contents:
    """Read a gradle.lockfile: group, name and version of what each configuration takes."""
    found: dict[str, tuple[str, ...]] = {}
    for line in text.splitlines():
        parts = line.partition("=")[0].split(":")
        if len(parts) == 3 and not line.startswith("#"):
            name = f"{parts[0]}:{parts[1]}"
            found[name] = (*found.get(name, ()), parts[2])
    return Contents(locked=found)
