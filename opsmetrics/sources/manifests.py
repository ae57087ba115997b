"""Which files name packages, how each is read, and what a commit changed in them (ADR 30).

Lock files are not read: what a manifest asks for is what somebody decided. What no reader recognises is no update;
nothing is guessed.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from itertools import groupby
from pathlib import PurePosixPath

from opsmetrics.sources import manifest_blocks as blocks
from opsmetrics.sources import manifest_lines as lines
from opsmetrics.sources import manifest_tools as tools
from opsmetrics.sources.manifest_pins import GAP, Line, Pin, Reader, all_of, bounded

_YAML = all_of(tools.images("kubernetes-yaml"), blocks.yaml_blocks("kubernetes-yaml"), tools.TASKS)
_WORKFLOW = all_of(tools.actions, tools.TOOLCHAIN, blocks.action_inputs, tools.images("docker"))
# Pattern of a file's name in lower case -> its reader, the first that fits.
_FILES: dict[str, Reader] = {
    "package.json": lines.NPM,
    "pnpm-workspace.y*ml": lines.PNPM_WORKSPACE,
    "pom.xml": blocks.maven,
    "build.gradle*": lines.GRADLE,
    "settings.gradle*": lines.GRADLE,
    "*.versions.toml": lines.CATALOGUE,
    "gradle.properties": lines.PROPERTIES,
    "*-wrapper.properties": tools.WRAPPER,
    "cargo.toml": all_of(lines.CARGO, blocks.toml_tables("cargo")),
    "gemfile": lines.GEMFILE,
    "composer.json": lines.COMPOSER,
    "mix.exs": lines.mix,
    "pubspec.y*ml": lines.PUBSPEC,
    "pipfile": lines.PYPI,
    "setup.py": lines.PYPI,
    "setup.cfg": lines.PYPI,
    "bicepconfig.json": tools.bicep,
    "devcontainer.json": tools.DEVCONTAINER,
    ".devcontainer.json": tools.DEVCONTAINER,
    "*.csproj": all_of(lines.NUGET, blocks.nuget_elements),
    "*.fsproj": all_of(lines.NUGET, blocks.nuget_elements),
    "*.vbproj": all_of(lines.NUGET, blocks.nuget_elements),
    "*.props": all_of(lines.NUGET, blocks.nuget_elements),
    "*.targets": all_of(lines.NUGET, blocks.nuget_elements),
    "packages.config": lines.NUGET,
    "dotnet-tools.json": blocks.dotnet_tools,
    "global.json": all_of(lines.DOTNET, lines.MSBUILD),
    "*dockerfile*": all_of(tools.images("docker"), tools.ARGUMENTS),
    "*containerfile*": all_of(tools.images("docker"), tools.ARGUMENTS),
    "go.mod": all_of(lines.go_modules, lines.GO_REPLACED),
    ".tool-versions": tools.TOOL_VERSIONS,
    "mise.toml": tools.MISE,
    "mise.*.toml": tools.MISE,
    ".mise.toml": tools.MISE,
    ".mise.*.toml": tools.MISE,
    ".sdkmanrc": tools.SDKMAN,
    ".ruby-version": tools.one_version("ruby"),
    ".java-version": tools.one_version("java"),
    ".nvmrc": tools.one_version("node"),
    ".node-version": tools.one_version("node"),
    ".python-version": tools.one_version("python"),
    ".terraform-version": tools.one_version("terraform"),
    "pyproject.toml": all_of(lines.PYPI, blocks.toml_tables("pypi")),
    "*requirements*.txt": lines.PYPI,
    "*requirements*.in": lines.PYPI,
    "constraints*.txt": lines.PYPI,
    "makefile": tools.MAKE,
    "*.mk": tools.MAKE,
    "*.tf": blocks.terraform,
    "*.tofu": blocks.terraform,
    # A lock file, and all others, which are Terragrunt's.
    ".terraform.lock.hcl": all_of(),
    "*.hcl": blocks.terraform,
    "*.bicep": tools.bicep,
    "*compose*.yml": tools.images("docker-compose"),
    "*compose*.yaml": tools.images("docker-compose"),
    "action.yml": _WORKFLOW,
    "action.yaml": _WORKFLOW,
    "kustomization.y*ml": all_of(_YAML, tools.KUSTOMIZE),
    "*.yml": _YAML,
    "*.yaml": _YAML,
}
# The same of files whose folder says what they are: the folder's end, the file, its reader.
_BELOW: tuple[tuple[str, str, Reader], ...] = (
    ("requirements", "*.txt", lines.PYPI),
    ("requirements", "*.in", lines.PYPI),
    ("mise", "config*.toml", tools.MISE),
    (".mise", "config*.toml", tools.MISE),
)
# What git is asked to compare, as its own patterns, which know no case: these are quick, others are not. The last ones
# are files that only a comment makes a manifest of.
PATHS = (
    *("*package.json", "*packages.config", "*dotnet-tools.json", "*global.json"),
    *("*proj", "*.props", "*.targets", "*ockerfile*", "*ontainerfile*", "*go.mod", "*.tool-versions", "*.toml"),
    *("*.nvmrc", "*-version", "*requirements*.txt", "*requirements*.in"),
    *("*akefile", "*.mk", "*.tf", "*.tofu", "*.hcl", "*.bicep", "*bicepconfig.json", "*.yml", "*.yaml"),
    *(
        "*pom.xml",
        "*.gradle",
        "*.gradle.kts",
        "*gradle.properties",
        "*-wrapper.properties",
        "*Gemfile",
        "*composer.json",
        "*mix.exs",
    ),
    *("*Pipfile", "*setup.py", "*setup.cfg", "*constraints*.txt", "*requirements/*.txt", "*requirements/*.in"),
    *("*devcontainer.json", "*.sdkmanrc"),
    *("*.sh", "*.env", "*.json5"),
)
_MANAGED = re.compile(
    r"\brenovate:\s+(?=.*\bdatasource=(?P<source>[\w.-]+))(?=.*\b(?:depName|packageName)=(?P<package>\S+))"
)
_MANAGED_VERSION = re.compile(r"[:=@\s\"']v?(?P<version>\d[\w.+-]*)|(?P<digest>sha256:[0-9a-f]{64})")
_NONE = all_of()


@dataclass(frozen=True, slots=True)
class Change:
    """One package that went from one version to another in one file."""

    before: Pin
    after: Pin


@lru_cache(maxsize=4096)
def _reader_of(path: str) -> Reader:
    file = PurePosixPath(path.lower())
    if ".github" in file.parts and file.suffix in {".yml", ".yaml"}:
        return _WORKFLOW
    folder = file.parent.name
    below = (reader for end, pattern, reader in _BELOW if folder == end and fnmatchcase(file.name, pattern))
    named = (reader for pattern, reader in _FILES.items() if fnmatchcase(file.name, pattern))
    return next(named, None) or next(below, _NONE)


def pins_of(path: str, text: Iterable[str | Line]) -> list[Pin]:
    """Return the packages that changed lines of a file pin; a bare text is a changed line."""
    given = [bounded(line if isinstance(line, Line) else Line(line, True)) for line in text]
    found: list[Pin] = []
    for is_gap, piece in groupby(given, lambda line: line == GAP):
        if not is_gap:
            managed, rest = _managed(list(piece))
            found += [*managed, *_reader_of(path)(rest)]
    return found


def _managed(given: Sequence[Line]) -> tuple[list[Pin], list[Line]]:
    """Read what a comment above a version says of it, as Renovate's custom managers do; and the other lines."""
    found: list[Pin] = []
    rest: list[Line] = []
    comment: re.Match[str] | None = None
    for line in given:
        version = _MANAGED_VERSION.search(line.text) if comment is not None else None
        if comment is not None and version is not None:
            if line.is_changed:
                found.append(Pin(comment["source"], comment["package"], version["version"] or version["digest"]))
        else:
            rest.append(line)
        comment = _MANAGED.search(line.text) if "renovate:" in line.text else None
    return found, rest


def changes_of(path: str, before: Sequence[Line], after: Sequence[Line]) -> Iterator[Change]:
    """Yield the version changes of a file: the same package taken out and put in.

    A package that stands there more than once is compared place by place, in the order of the file.
    """
    old, new = _by_package(pins_of(path, before)), _by_package(pins_of(path, after))
    for package, pins in new.items():
        known = old.get(package, [])
        if len(known) != len(pins):
            known = known[-1:] * len(pins)
        for was, now in zip(known, pins, strict=False):
            if was != now:
                yield Change(was, now)


def distinct(changes: Iterable[Change]) -> list[Change]:
    """Return the changes of a commit: the same one in many files is one.

    An API version belongs to the type of a resource and not to a file: several old ones that become one are one change.
    """
    found: dict[object, Change] = {}
    for change in changes:
        found.setdefault(change.after if change.after.ecosystem == "bicep" else change, change)
    return list(found.values())


def _by_package(pins: Iterable[Pin]) -> dict[tuple[str, str], list[Pin]]:
    found: dict[tuple[str, str], list[Pin]] = defaultdict(list)
    for pin in dict.fromkeys(pins):
        found[pin.ecosystem, pin.package].append(pin)
    return found
