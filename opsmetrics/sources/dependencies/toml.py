"""TOML of manifests, the lock files that are written in it, and Cargo's manifest."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from opsmetrics.core.toml_text import bounded_toml
from opsmetrics.sources.dependencies.model import ELSEWHERE, Contents, Need, Package, UnreadableError

# Written by machines, name before version; a whole parser of TOML takes a hundred times as long for each of them.
_LOCKED = re.compile(
    # Old ones of Poetry have their lines in the order of the alphabet.
    r'^\[\[packages?\]\]\s*?\n(?:(?:category|description) = [^\n]*\n){0,2}name = "([^"]+)"\s*?\n'
    r'(?:(?:optional|python-versions|marker|platform) = [^\n]*\n){0,4}version = "([^"]+)"[^\n]*'
    r"(?:\nsource = ([^\n]+))?",
    re.MULTILINE,
)
# Of uv and Cargo: what stands in a folder, or came from a repository or a file.
_SOURCE_ELSEWHERE = re.compile(r'\{\s*(?:editable|virtual|directory|path|git|url)\s*=|"git\+')
_CARGO_SECTIONS = ("dependencies", "dev-dependencies", "build-dependencies")


def whole(text: str) -> dict[str, Any]:
    """Read a whole file."""
    try:
        return bounded_toml(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableError from error


def table(content: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a table of a table, empty where there is none."""
    found = content.get(name)
    return found if isinstance(found, dict) else {}


def lock(text: str) -> Contents:
    """Read a lock file of Poetry, uv, PDM, Cargo, or one of PEP 751: package -> versions."""
    found: dict[str, list[str]] = defaultdict(list)
    for name, version, source in _LOCKED.findall(text):
        found[name].append(ELSEWHERE if _SOURCE_ELSEWHERE.match(source) else version)
    return Contents(locked={name: tuple(versions) for name, versions in found.items()})


def cargo(text: str) -> Contents:
    """Read a Cargo.toml; a bare number is a range there."""
    content = whole(text)
    tables = [table(content, part) for part in _CARGO_SECTIONS]
    tables.append(table(table(content, "workspace"), "dependencies"))
    for target in table(content, "target").values():
        tables += [table(target, part) for part in _CARGO_SECTIONS if isinstance(target, dict)]
    name = table(content, "package").get("name")
    makes = Package("cargo", name) if isinstance(name, str) else None
    return Contents(tuple(need for table in tables for need in _crates(table)), makes=makes)


def _crates(named: Mapping[str, Any]) -> Iterator[Need]:
    for name, said in named.items():
        entry = said if isinstance(said, dict) else {"version": said}
        wanted = entry.get("version")
        # From a folder or a repository; ``workspace = true`` is asked for where the workspace is declared.
        if not isinstance(wanted, str) or "path" in entry or "git" in entry:
            continue
        exact = re.fullmatch(r"=\s*(\d+\.\d+\.\d+\S*)", wanted.strip())
        yield Need("cargo", str(entry.get("package", name)), exact[1] if exact else None, wanted)
