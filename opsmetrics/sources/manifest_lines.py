"""Manifests of languages whose packages stand on one line each: a pattern for each way of writing it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from opsmetrics.sources.manifest_pins import NUMBER, Line, Pin, all_of, patterns


def go_modules(lines: Sequence[Line]) -> Iterator[Pin]:
    """Yield the direct modules of a go.mod and its Go version; ``// indirect`` is another module's wish."""
    yield from _GO([line for line in lines if "// indirect" not in line.text and "=>" not in line.text])


# What a go.mod takes in place of another module.
GO_REPLACED = patterns(
    "go",
    r"^\s*(?:replace\s+)?\S+(?:\s+v\S+)?\s+=>\s+(?P<package>[\w.-]+\.[a-z]+(?:/[\w.~-]+)*)\s+(?P<version>v\d[\w.+-]*)",
)
_GO = all_of(
    patterns("go", r"^\s*(?:require\s+)?(?P<package>[\w.-]+\.[a-z]+(?:/[\w.~-]+)*)\s+(?P<version>v\d[\w.+-]*)"),
    patterns("go", r"^go\s+(?P<version>\d[\w.]*)", package="go"),
)
NPM = patterns(
    "npm",
    r'^\s*"packageManager"\s*:\s*"(?P<package>[a-z]+)@(?P<version>\d[\w.-]*)',
    r'^\s*"[^"]+"\s*:\s*"npm:(?P<package>@?[\w./-]+)@(?P<version>[~^<>=v\s]*\d[\w.+-]*)"',
    r'^\s*"(?P<package>@?[\w./-]+)"\s*:\s*"(?P<version>[~^<>=v\s]*\d[\w.+-]*(?:[\s|,]++[~^<>=v-]*+\s*+\d[\w.+-]*)*)"',
    but={"version", "npm"},
)
# The catalogues of a workspace; what stands at the left edge is a setting.
PNPM_WORKSPACE = patterns(
    "npm", r"^\s+[\"']?(?P<package>@?[\w./-]+)[\"']?:\s*[\"']?(?P<version>[~^]?\d+\.\d[\w.+-]*)[\"']?\s*(?:#.*)?$"
)
_IN = r"\b(?:Include|Update|id|Name)=[\"'](?P<package>[^\"'$]+)[\"']"
_AT = r"\b(?:Version|VersionOverride|version)=[\"'](?P<version>[^\"'$*]+)[\"']"
_NUGET_TAG = r"<(?:PackageReference|PackageVersion|GlobalPackageReference|DotNetCliToolReference|package|Sdk)\s[^>]*"
NUGET = patterns(
    "nuget",
    rf"{_NUGET_TAG}{_IN}[^>]*{_AT}",
    rf"{_NUGET_TAG}{_AT}[^>]*{_IN}",
    r'<Project\s[^>]*\bSdk="(?P<package>[^"/]+)/(?P<version>\d[^"]*)"',
)
DOTNET = patterns("dotnet-sdk", r'^\s*"version"\s*:\s*"(?P<version>\d[\w.-]*)"', package="dotnet-sdk")
MSBUILD = patterns("nuget", r'^\s*"(?P<package>[A-Za-z][\w-]*\.[\w.-]+)"\s*:\s*"(?P<version>\d[\w.-]*)"')
# A range says from where, in any order of its conditions: what it must not reach may stand first.
_BELOW = r"(?:(?:<=?|!=)\s*[\w.*+-]+\s*,\s*)*"
_FROM = rf"\s*\(?{_BELOW}(?:===?|~=|>=|>)\s*(?P<version>\d[\w.+-]*)"
PYPI = patterns(
    "pypi",
    rf"^\s*[\"']?(?P<package>[A-Za-z][\w.-]*)(?:\[[\w,\s-]+\])?{_FROM}",
    rf"[\[,]\s*[\"'](?P<package>[A-Za-z][\w.-]*)(?:\[[\w,\s-]+\])?{_FROM}",
    rf"^\s*(?P<package>[A-Za-z][\w.-]*)\s*=\s*[\"']{_BELOW}(?P<version>[~^=<>]+\s*\d[\w.+-]*)",
    rf"^\s*(?P<package>[A-Za-z][\w.-]*)\s*=\s*\{{.*\bversion\s*=\s*[\"']{_BELOW}(?P<version>[~^=<>]*\s*\d[\w.+-]*)",
    but={"requires-python", "python_requires", "python"},
)
CARGO = patterns(
    "cargo",
    rf"^\s*(?P<package>[A-Za-z][\w-]*)\s*=\s*[\"']{_BELOW}(?P<version>[~^=<>]*\s*\d[\w.+-]*)(?:\s*,[^\"']*)?[\"']",
    rf"^\s*(?P<package>[A-Za-z][\w-]*)\s*=\s*\{{.*\bversion\s*=\s*[\"']{_BELOW}(?P<version>[~^=<>]*\s*\d[\w.+-]*)",
    but={"version", "edition", "rust-version", "resolver"},
)
GEMFILE = patterns(
    "rubygems", r"^\s*gem\s+[\"'](?P<package>[\w.-]+)[\"']\s*,\s*[\"'](?P<version>[~^=<>]*\s*\d[\w.+-]*)[\"']"
)
COMPOSER = patterns(
    "packagist",
    r'^\s*"(?P<package>[\w.-]+/[\w.-]+)"\s*:\s*"(?P<version>[~^<>=v\s]*\d[\w.*+-]*(?:[\s|,]++[~^<>=v-]*+\s*+\d[\w.*+-]*)*)"',
)
# A version that has a name of its own, as Gradle and Maven keep them; the project's own has none.
_NAMED_VERSION = r"(?P<package>[A-Za-z][\w.-]*?)[._-]?[vV](?:ersion|ERSION)"
_OWN = frozenset({"app", "project", "release", "artifact", "build", "java"})
# The three parts of a coordinate under names of their own.
_COORDINATE = r"\bgroup\s*[:=]\s*[\"'](?P<group>[\w.-]+)[\"']\s*,\s*name\s*[:=]\s*[\"'](?P<name>[\w.-]+)[\"']"
_NAMED_COORDINATE = re.compile(rf"{_COORDINATE}\s*,\s*version\s*[:=]\s*[\"'](?P<version>\d[\w.+-]*)[\"']")


def named_coordinates(lines: Sequence[Line]) -> Iterator[Pin]:
    """Yield coordinates of Maven that a build file or catalogue of Gradle writes part by part."""
    for line in lines:
        found = _NAMED_COORDINATE.search(line.text) if line.is_changed else None
        if found is not None:
            yield Pin("maven", f"{found['group']}:{found['name']}", found["version"])


# No registry knows plugins and properties by these names: they are ecosystems of their own.
GRADLE = all_of(
    patterns("maven", r"[\"'](?P<package>[A-Za-z][\w.-]*:[\w.-]+):(?P<version>\d[\w.+-]*)(?:@\w+)?[\"']"),
    patterns(
        "gradle-plugin",
        rf"\bid\s*\(?\s*[\"'](?P<package>[\w.-]+)[\"']\s*\)?\s+version\s*\(?\s*[\"'](?P<version>{NUMBER})",
        rf"\bkotlin\s*\(\s*[\"'](?P<package>[\w.-]+)[\"']\s*\)\s+version\s*\(?\s*[\"'](?P<version>{NUMBER})",
    ),
    patterns(
        "maven-property",
        rf"^\s*(?:(?:def|val|var|ext\.)\s*)?{_NAMED_VERSION}\s*=\s*[\"'](?P<version>{NUMBER})",
        rf"\b(?:ext|extra)?(?:\[|\bset\s*\(\s*)[\"']{_NAMED_VERSION}[\"']\s*(?:\]\s*=|,)\s*[\"'](?P<version>{NUMBER})",
        but=_OWN,
    ),
    named_coordinates,
)
CATALOGUE = all_of(
    patterns(
        "maven",
        r"\bmodule\s*=\s*[\"'](?P<package>[\w.-]+:[\w.-]+)[\"'].*\bversion\s*=\s*[\"'](?P<version>\d[\w.+-]*)",
        r"[\"'](?P<package>[A-Za-z][\w.-]*:[\w.-]+):(?P<version>\d[\w.+-]*)[\"']",
    ),
    patterns(
        "gradle-plugin",
        r"\bid\s*=\s*[\"'](?P<package>[\w.-]+)[\"'].*\bversion\s*=\s*[\"'](?P<version>\d[\w.+-]*)",
    ),
    patterns("maven-property", r"^\s*(?P<package>[A-Za-z][\w-]*)\s*=\s*[\"'](?P<version>\d[\w.+-]*)[\"']"),
    named_coordinates,
)
PROPERTIES = patterns("maven-property", rf"^\s*{_NAMED_VERSION}\s*=\s*(?P<version>{NUMBER})\s*$", but=_OWN)
# Of Elixir and Dart a range may have several conditions, joined by words in the one and by blanks in the other.
_MIX_CONDITION = r"[~^<>=!]*\s*\d[\w.+-]*"
_MIX_RANGE = rf"(?P<version>{_MIX_CONDITION}(?:\s+(?:and|or)\s+{_MIX_CONDITION})*)"
_MIX = patterns(
    "hex",
    rf'\{{:\w+,\s*"{_MIX_RANGE}\s*"[^{{}}]*\bhex:\s*:?"?(?P<package>[\w.-]+)',
    rf'\{{:(?P<package>\w+),\s*"{_MIX_RANGE}\s*"',
)


def mix(lines: Sequence[Line]) -> Iterator[Pin]:
    """Yield the packages of Hex of a mix.exs, which is a program: comments in it ask for nothing."""
    yield from _MIX([line for line in lines if not line.text.lstrip().startswith("#")])


# A package is a key of a table at the left edge; what Dart and Flutter themselves must be is no package.
PUBSPEC = patterns(
    "pub",
    r"^ {2}(?P<package>[a-z_]\w*):\s*[\"']?"
    r"(?P<version>(?:\^|[<>]=?)?\s*\d+\.\d[\w.+-]*(?:\s+[<>]=?\s*\d[\w.+-]*)?)[\"']?\s*(?:#.*)?$",
    but={"sdk", "flutter"},
)
