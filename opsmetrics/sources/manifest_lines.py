"""Manifests whose packages stand on one line each: a pattern for each way of writing it.

Patterns, and no parsers: a diff holds pieces of files, which no parser of whole files reads (ADR 30).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias


@dataclass(frozen=True, slots=True)
class Pin:
    """One package at one version, as a manifest writes it."""

    ecosystem: str
    package: str
    version: str | None
    digest: str | None = None


class Line(NamedTuple):
    """A line of one side of a diff.

    Attributes:
        text: Without its sign.
        is_changed: Whether the commit put it in or took it out; the others are its neighbours.
    """

    text: str
    is_changed: bool


Reader: TypeAlias = Callable[[Sequence[Line]], Iterator[Pin]]
# What a manifest writes before a number: a range's sign, or the v of a tag.
_SIGNS = "~^<>=![( "
_NUMBER = r"v?\d[\w.+-]*"
_IMAGE = (
    r"(?P<package>[\w.-]+(?::\d+)?(?:/[\w.-]+)+|[\w.-]+)(?::(?P<version>[\w.-]+))?"
    r"(?:@sha256:(?P<digest>[0-9a-f]{12})[0-9a-f]*)?(?=[\s\"']|$)"
)
_COMMIT = re.compile(r"[0-9a-f]{40}")
_USES = re.compile(
    r"^\s*(?:-\s*)?uses:\s*[\"']?(?P<package>[\w.-]+/[\w.-]+)(?P<below>/[\w./-]+)?@(?P<ref>[\w./-]+)[\"']?"
    rf"(?:\s*#\s*(?:tag=|pin\s*@?|ratchet:\S+@)?(?P<comment>{_NUMBER}))?"
)


def patterns(ecosystem: str, *expressions: str, but: Iterable[str] = (), package: str = "") -> Reader:
    """Return a reader of lines: the first pattern that fits tells ``version`` or ``digest``, or both.

    Args:
        ecosystem: What the packages belong to.
        expressions: Patterns with named groups.
        but: Names that look like packages and are none.
        package: The package of a pattern without the group.
    """
    compiled = [re.compile(expression) for expression in expressions]
    refused = frozenset(but)

    def read(lines: Sequence[Line]) -> Iterator[Pin]:
        for line in lines:
            if not line.is_changed:
                continue
            match = next((found for pattern in compiled if (found := pattern.search(line.text))), None)
            if match is None:
                continue
            parts = match.groupdict()
            name = parts.get("package") or package
            version, digest = parts.get("version"), parts.get("digest")
            if name not in refused and (version or digest):
                yield Pin(ecosystem, name, version and version.lstrip(_SIGNS).rstrip("]) "), digest)

    return read


def all_of(*readers: Reader) -> Reader:
    """Return a reader of what any of several reads."""

    def read(lines: Sequence[Line]) -> Iterator[Pin]:
        for reader in readers:
            yield from reader(lines)

    return read


def image_of(text: str) -> tuple[str, str | None, str | None] | None:
    """Return name, tag and first twelve of the digest of a container image, or None for what is none."""
    match = re.fullmatch(_IMAGE, text.strip("\"' "))
    return (match["package"], match["version"], match["digest"]) if match else None


def images(ecosystem: str) -> Reader:
    """Return a reader of images in Dockerfiles and YAML, as a key or in a list."""
    return patterns(
        ecosystem,
        rf"^\s*(?i:FROM)\s+(?:--platform=\S+\s+)?[\"']?{_IMAGE}",
        rf"^\s*(?:-\s+)?[\"']?image[\"']?:\s*[\"']?(?:docker://)?{_IMAGE}",
        rf"^\s*(?i:COPY)\s+--from={_IMAGE}",
        rf"^\s*(?:-\s*)?uses:\s*[\"']?docker://{_IMAGE}",
        rf"^\s*container:\s*[\"']?{_IMAGE}",
    )


def actions(lines: Sequence[Line]) -> Iterator[Pin]:
    """Yield the actions of a workflow: one repository of actions is one package, whatever it holds."""
    for line in lines:
        match = _USES.match(line.text) if line.is_changed else None
        if match is None:
            continue
        commit = match["ref"] if _COMMIT.fullmatch(match["ref"]) else None
        is_workflow = "/.github/workflows/" in (match["below"] or "")
        package = match["package"] + (match["below"] if is_workflow and match["below"] else "")
        yield Pin("github-actions", package, match["comment"] if commit else match["ref"], commit and commit[:12])


def go_modules(lines: Sequence[Line]) -> Iterator[Pin]:
    """Yield the direct modules of a go.mod and its Go version; ``// indirect`` is another module's wish."""
    yield from _GO([line for line in lines if "// indirect" not in line.text and "=>" not in line.text])


_GO = all_of(
    patterns("go", r"^\s*(?:require\s+)?(?P<package>[\w.-]+\.[a-z]+(?:/[\w.~-]+)*)\s+(?P<version>v\d[\w.+-]*)"),
    patterns("go", r"^go\s+(?P<version>\d[\w.]*)", package="go"),
)
NPM = patterns(
    "npm",
    r'^\s*"packageManager"\s*:\s*"(?P<package>[a-z]+)@(?P<version>\d[\w.-]*)',
    r'^\s*"[^"]+"\s*:\s*"npm:(?P<package>@?[\w./-]+)@(?P<version>[~^<>=v\s]*\d[\w.+-]*)"',
    r'^\s*"(?P<package>@?[\w./-]+)"\s*:\s*"(?P<version>[~^<>=v\s]*\d[\w.+-]*)"',
    but={"version", "npm"},
)
_IN = r"\b(?:Include|Update|id|Name)=\"(?P<package>[^\"$]+)\""
_AT = r"\b(?:Version|VersionOverride|version)=\"(?P<version>[^\"$*]+)\""
_NUGET_TAG = r"<(?:PackageReference|PackageVersion|GlobalPackageReference|DotNetCliToolReference|package|Sdk)\s[^>]*"
NUGET = patterns(
    "nuget",
    rf"{_NUGET_TAG}{_IN}[^>]*{_AT}",
    rf"{_NUGET_TAG}{_AT}[^>]*{_IN}",
    r'<Project\s[^>]*\bSdk="(?P<package>[^"/]+)/(?P<version>\d[^"]*)"',
)
DOTNET = patterns("dotnet-sdk", r'^\s*"version"\s*:\s*"(?P<version>\d[\w.-]*)"', package="dotnet-sdk")
MSBUILD = patterns("nuget", r'^\s*"(?P<package>[A-Za-z][\w-]*\.[\w.-]+)"\s*:\s*"(?P<version>\d[\w.-]*)"')
PYPI = patterns(
    "pypi",
    r"^\s*[\"']?(?P<package>[A-Za-z][\w.-]*)(?:\[[\w,\s-]+\])?\s*(?:==|~=|>=)\s*(?P<version>\d[\w.+-]*)",
    r"[\[,]\s*[\"'](?P<package>[A-Za-z][\w.-]*)(?:\[[\w,\s-]+\])?\s*(?:==|~=|>=)\s*(?P<version>\d[\w.+-]*)",
    r"^\s*(?P<package>[A-Za-z][\w.-]*)\s*=\s*[\"'](?P<version>[~^=<>]+\s*\d[\w.+-]*)",
    r"^\s*(?P<package>[A-Za-z][\w.-]*)\s*=\s*\{.*\bversion\s*=\s*[\"'](?P<version>[~^=<>]*\s*\d[\w.+-]*)",
    but={"requires-python", "python"},
)
TOOL_VERSIONS = patterns("tool", r"^(?P<package>[a-z][\w-]*)\s+(?P<version>\d[\w.+-]*)\s*(?:#|$)")
MISE = patterns(
    "tool", rf"^\s*[\"']?(?P<package>[\w:/.@-]+)[\"']?\s*=\s*(?:\{{\s*version\s*=\s*)?[\"'](?P<version>{_NUMBER})"
)
ARGUMENTS = patterns(
    "docker", rf"^\s*(?:ARG|ENV)\s+(?P<package>[A-Z][A-Z0-9_]*?)_VERSION[=\s]\s*[\"']?(?P<version>{_NUMBER})"
)
MAKE = patterns(
    "tool", rf"^\s*(?:export\s+)?(?P<package>[A-Z][A-Z0-9_]*?)_VERSION\s*[?:]?=\s*[\"']?(?P<version>{_NUMBER})"
)
_BICEP = patterns(
    "bicep",
    r"'(?P<package>[A-Za-z]\w*(?:\.\w+)+/[\w/]+)@(?P<version>\d{4}-\d{2}-\d{2}[\w-]*)'",
    r"'(?P<package>br(?:/[\w-]+)?:[\w./-]+):(?P<version>v?\d[\w.-]*)'",
)


def bicep(lines: Sequence[Line]) -> Iterator[Pin]:
    """Yield the API versions of resource types, whose names know no case, and the versions of modules."""
    for pin in _BICEP(lines):
        yield Pin("bicep", pin.package.lower(), pin.version)


TOOLCHAIN = patterns(
    "toolchain", rf"^\s*(?:-\s+)?(?P<package>[a-z]+)-version:\s*\[?\s*[\"']?(?P<version>{_NUMBER})", but={"api"}
)


def one_version(tool: str) -> Reader:
    """Return the reader of a file that holds nothing but one tool's version."""
    return patterns("tool", rf"^(?:{tool}-)?(?P<version>{_NUMBER})\s*$", package=tool)
