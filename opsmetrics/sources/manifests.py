"""Read package versions out of a diff's lines, manifest by manifest (realdata, altinn_patching, dependency_updates).

Lock files are not read. What no rule recognises is no update; nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import PurePosixPath

_JSON = re.compile(r'^\s*"(?P<package>@?[\w./-]+)"\s*:\s*"(?P<version>[~^<>=v\s]*\d[\w.+-]*)"')
_CSPROJ = re.compile(
    r'<(?:PackageReference|PackageVersion|GlobalPackageReference)\s+(?:Include|Update)="(?P<package>[^"]+)"'
    r'[^>]*\bVersion="(?P<version>[^"$]+)"'
)
_SDK = re.compile(r'^\s*"version"\s*:\s*"(?P<version>\d[\w.-]*)"')
_FROM = re.compile(
    r"^\s*(?:FROM\s+(?:--platform=\S+\s+)?|image:\s*[\"']?)(?P<package>[\w./-]+(?::\d+/[\w./-]+)?)"
    r"(?::(?P<version>[\w.-]+))?(?:@sha256:(?P<digest>[0-9a-f]{12})[0-9a-f]*)?",
    re.IGNORECASE,
)
_USES = re.compile(
    r"^\s*(?:-\s*)?uses:\s*[\"']?(?P<package>[\w.-]+/[\w./-]+)@(?P<ref>[\w./-]+)[\"']?(?:\s*#\s*(?P<comment>v?\d[\w.]*))?"
)
_GO = re.compile(r"^\s*(?:require\s+)?(?P<package>[\w.-]+\.[a-z]+/[\w./-]+)\s+(?P<version>v\d[\w.+-]*)")
_PYTHON = re.compile(r"^\s*[\"']?(?P<package>[A-Za-z][\w.-]*)(?:\[[\w,-]+\])?\s*==\s*(?P<version>\d[\w.+-]*)")
_TOOLS = re.compile(r"^(?P<package>[a-z][\w-]*)\s+(?P<version>\d[\w.-]*)\s*$")
_COMMIT = re.compile(r"^[0-9a-f]{40}$")
# Keys of package.json that look like packages and are none.
_NO_PACKAGE = {"version", "node", "npm"}


_FILES = {
    "package.json": "npm",
    "*.csproj": "nuget",
    "*.fsproj": "nuget",
    "*.props": "nuget",
    "*.targets": "nuget",
    "dotnet-tools.json": "nuget",
    "global.json": "dotnet-sdk",
    "*dockerfile*": "docker",
    "go.mod": "go",
    ".tool-versions": "tool",
    "pyproject.toml": "pypi",
    "requirements*.txt": "pypi",
}


@dataclass(frozen=True, slots=True)
class Pin:
    """One package at one version, as a line writes it."""

    ecosystem: str
    package: str
    version: str | None
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One package that went from one version to another in one file."""

    before: Pin
    after: Pin


def ecosystem_of(path: str) -> str | None:
    """Return the ecosystem that a file's name stands for, or None for a file that is no manifest."""
    file = PurePosixPath(path)
    name, suffix = file.name.lower(), file.suffix.lower()
    if suffix in {".yml", ".yaml"}:
        if ".github" in file.parts:
            return "github-actions"
        return "docker-compose" if "compose" in name else "kubernetes-yaml"
    return next((ecosystem for pattern, ecosystem in _FILES.items() if fnmatch(name, pattern)), None)


def pin_of(ecosystem: str, line: str) -> Pin | None:
    """Return the package that a line of a manifest pins, or None."""
    return _READERS[ecosystem](ecosystem, line)


def _npm(ecosystem: str, line: str) -> Pin | None:
    match = _JSON.match(line)
    if match is None or match["package"] in _NO_PACKAGE:
        return None
    return Pin(ecosystem, match["package"], match["version"].lstrip("~^<>=v "))


def _nuget(ecosystem: str, line: str) -> Pin | None:
    match = _CSPROJ.search(line)
    return Pin(ecosystem, match["package"], match["version"].strip("[]() ")) if match else None


def _sdk(ecosystem: str, line: str) -> Pin | None:
    match = _SDK.match(line)
    return Pin(ecosystem, ecosystem, match["version"]) if match else None


def _image(ecosystem: str, line: str) -> Pin | None:
    match = _FROM.match(line)
    if match is None or (match["version"] is None and match["digest"] is None):
        return None
    return Pin(ecosystem, match["package"], match["version"], match["digest"])


def _action(ecosystem: str, line: str) -> Pin | None:
    match = _USES.match(line)
    if match is None:
        return None
    commit = match["ref"] if _COMMIT.match(match["ref"]) else None
    return Pin(ecosystem, match["package"], match["comment"] if commit else match["ref"], commit and commit[:12])


def _plain(ecosystem: str, line: str) -> Pin | None:
    match = {"go": _GO, "pypi": _PYTHON, "tool": _TOOLS}[ecosystem].match(line)
    return Pin(ecosystem, match["package"], match["version"]) if match else None


_READERS: dict[str, Callable[[str, str], Pin | None]] = {
    "npm": _npm,
    "nuget": _nuget,
    "dotnet-sdk": _sdk,
    "docker": _image,
    "docker-compose": _image,
    "kubernetes-yaml": _image,
    "github-actions": _action,
    "go": _plain,
    "pypi": _plain,
    "tool": _plain,
}


def changes_of(diff: Iterable[str]) -> Iterator[Change]:
    """Yield the version changes of a unified diff: the same package taken out and put in, in the same file."""
    ecosystem: str | None = None
    out: dict[str, Pin] = {}
    into: dict[str, Pin] = {}

    def pairs() -> Iterator[Change]:
        for package, after in into.items():
            before = out.get(package)
            if before is not None and before != after:
                yield Change(before, after)

    for line in diff:
        if line.startswith("diff --git "):
            yield from pairs()
            out, into = {}, {}
            ecosystem = ecosystem_of(line.rsplit(" b/", 1)[-1].strip())
        elif ecosystem is not None and line[:1] in {"-", "+"} and not line.startswith(("---", "+++")):
            pin = pin_of(ecosystem, line[1:])
            if pin is not None:
                (out if line[0] == "-" else into)[pin.package] = pin
    yield from pairs()
