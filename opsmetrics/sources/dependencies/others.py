"""Go's modules, Ruby's gems and PHP's packages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from opsmetrics.sources.dependencies.model import Contents, Need, Package, json_object
from opsmetrics.sources.manifest_lines import go_modules
from opsmetrics.sources.manifest_pins import Line, bounded

_MODULE = re.compile(r"module\s+\"?(?P<module>[^\s\"]+)")
_REPLACED = re.compile(
    r"\s*(?:replace\s+)?(?P<module>\S+)(?:\s+(?P<version>v\S+))?\s+=>\s+(?P<other>\S+)(?:\s+(?P<taken>v\S+))?"
)
_GEM = re.compile(r"^    (?P<name>[\w.-]+) \((?P<version>[^)]+)\)$")
_ASKED_GEM = re.compile(r"^  (?P<name>[\w.-]+)(?: \([^)]*\))?$")
_PLATFORM = re.compile(r"-(?:x86|x64|aarch64|arm|universal|java|mswin|mingw|ruby)[\w.-]*$")
# What Composer asks of PHP itself.
_OF_THE_PLATFORM = re.compile(r"php(?:-.*)?|hhvm|(?:ext|lib)-.*|composer(?:-.*)?")


def go_mod(text: str) -> Contents:
    """Read the modules that a go.mod asks for itself; the lowest that fits is what Go uses, unless it is replaced."""
    lines = [bounded(Line(line, True)) for line in _without_exclusions(text.splitlines())]
    replaced = {
        (match["module"], match["version"]): (match["other"], match["taken"])
        for line in lines
        if (match := _REPLACED.match(line.text)) is not None
    }
    module = next((match for line in lines if (match := _MODULE.match(line.text)) is not None), None)
    found: list[Need] = []
    for pin in go_modules(lines):
        asked = (pin.package, pin.version)
        name, version = replaced.get(asked) or replaced.get((pin.package, None)) or asked
        # What stands in a folder has no version.
        if pin.package != "go" and version is not None:
            found.append(Need("go", name, version))
    return Contents(tuple(found), makes=Package("go", module["module"]) if module is not None else None)


def _without_exclusions(lines: Iterable[str]) -> Iterator[str]:
    """Leave out versions that are not to be used: a line of its own, or lines in brackets."""
    is_inside = False
    for line in lines:
        if is_inside or line.split("(", 1)[0].strip().split(" ", 1)[0] == "exclude":
            is_inside = (is_inside or "(" in line) and ")" not in line
        else:
            yield line


def gemfile_lock(text: str) -> Contents:
    """Read a Gemfile.lock, which says both what was asked for and what is in use."""
    section = ""
    held: dict[str, str] = {}
    asked: list[str] = []
    for line in text.splitlines():
        if line[:1].strip():
            section = line.strip()
            continue
        gem, need = _GEM.match(line), _ASKED_GEM.match(line)
        if section == "GEM" and gem is not None:
            held[gem["name"]] = _PLATFORM.sub("", gem["version"])
        elif section == "DEPENDENCIES" and need is not None:
            asked.append(need["name"])
    # What ends with an exclamation mark comes from a folder or a repository, and no pattern takes it.
    return Contents(tuple(Need("rubygems", name, held.get(name)) for name in asked))


def composer(text: str) -> Contents:
    """Read a composer.json."""
    content = json_object(text)
    found: list[Need] = []
    for part in ("require", "require-dev"):
        named = content.get(part)
        for name, wanted in (named if isinstance(named, dict) else {}).items():
            if "/" in name and not _OF_THE_PLATFORM.fullmatch(name):
                exact = re.fullmatch(r"=?\s*v?(\d+\.\d+\.\d+\S*)", str(wanted).strip())
                found.append(Need("packagist", name.lower(), exact[1] if exact else None, str(wanted)))
    name = content.get("name")
    return Contents(tuple(found), makes=Package("packagist", name.lower()) if isinstance(name, str) else None)


def composer_lock(text: str) -> Contents:
    """Read a composer.lock."""
    content = json_object(text)
    found: dict[str, tuple[str, ...]] = {}
    for part in ("packages", "packages-dev"):
        for entry in content.get(part) or ():
            found[str(entry["name"]).lower()] = (str(entry["version"]).removeprefix("v"),)
    return Contents(locked=found)
