"""Project files of .NET."""

from __future__ import annotations

import json
import re

from opsmetrics.sources.dependencies import xml
from opsmetrics.sources.dependencies.model import ELSEWHERE, Contents, Need, UnreadableError, json_object

_REFERENCES = {"PackageReference", "PackageVersion", "GlobalPackageReference", "DotNetCliToolReference"}
# The lowest version that fits is the one that NuGet takes: a bare number is the version in use.
_EXACT = re.compile(r"\[?\s*(?P<version>\d[\w.+-]*)\s*\]?")


def project(text: str) -> Contents:
    """Read a project file, Directory.Packages.props or packages.config of .NET."""
    root = xml.tree(text)
    properties = xml.properties_in(root, "PropertyGroup")
    needs: list[Need] = []
    for element in root.iter():
        tag, said = xml.tag(element), element.attrib
        if tag == "package":
            name, wanted = said.get("id", ""), said.get("version", "")
        elif tag in _REFERENCES:
            name = said.get("Include") or said.get("Update") or ""
            wanted = next((said[key] for key in ("VersionOverride", "Version") if key in said), "")
            wanted = wanted or xml.child(element, "VersionOverride") or xml.child(element, "Version")
        else:
            continue
        wanted = xml.resolved(wanted, properties)
        # Without a version it stands in another file, which is read there.
        if name and wanted and "$" not in name:
            exact = _EXACT.fullmatch(wanted)
            needs.append(Need("nuget", name.lower(), exact["version"] if exact else None, wanted))
    return Contents(tuple(needs), properties=properties)


def lock(text: str) -> Contents:
    """Read a packages.lock.json: packages of all target frameworks; a project is another one of the repository."""
    found: dict[str, dict[str, None]] = {}
    frameworks = json_object(text.lstrip("\ufeff")).get("dependencies")
    for packages in frameworks.values() if isinstance(frameworks, dict) else ():
        for name, entry in packages.items() if isinstance(packages, dict) else ():
            version = entry.get("resolved") if isinstance(entry, dict) else None
            held = found.setdefault(str(name).lower(), {})
            held[str(version) if version else ELSEWHERE] = None
    return Contents(locked={name: tuple(versions) for name, versions in found.items()})


def tools(text: str) -> Contents:
    """Read a dotnet-tools.json."""
    try:
        named = json.loads(text.lstrip("\ufeff"))["tools"].items()
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise UnreadableError from error
    return Contents(tuple(Need("nuget", name.lower(), entry.get("version")) for name, entry in named))
