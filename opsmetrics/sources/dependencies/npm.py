"""npm's manifests and the lock files of npm, Yarn, pnpm and Bun."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from opsmetrics.core.yaml_text import YamlError, read_yaml
from opsmetrics.sources.dependencies.model import Contents, Need, UnreadableError, json_object

_SECTIONS = ("dependencies", "devDependencies", "optionalDependencies")
_EXACT = re.compile(r"=?\s*v?(\d+\.\d+\.\d+(?:[-+][\w.+-]+)?)")
_ALIAS = re.compile(r"npm:(?P<package>@?[^@]+)(?:@(?P<wanted>.+))?")
# What comes from a folder, an address or the repository itself was never released by a registry.
_ELSEWHERE = re.compile(r"(?:file|link|portal|workspace|git|git\+\w+|https?|github|patch):|[\w.-]+/[\w.-]+(?:#|$)")
# One search for the whole file, which is long: what was asked for, and the version on the line below.
_YARN = re.compile(r'^(\S[^\n]*):\n  version:? "?([^"\n]+?)"?$', re.MULTILINE)
_PNPM_VERSION = re.compile(r"\d[^(_\s]*")
# ``"name": ["name@1.2.3", ...]``; what comes from elsewhere has no number behind the sign.
_BUN = re.compile(r'^\s+"(?P<place>[^"]+)":\s*\["@?[^"@]+@(?P<version>\d[^"]*)"', re.MULTILINE)
# Of pnpm's file only what the projects of the repository ask for is read: the rest is long, and not theirs.
_PNPM_HEAD = re.compile(r"^(?:packages|snapshots):\s*$", re.MULTILINE)


def manifest(text: str) -> Contents:
    """Read a package.json."""
    content = json_object(text)
    return Contents(tuple(_needs(content)))


def _needs(content: Mapping[str, Any]) -> Iterator[Need]:
    for section in _SECTIONS:
        named = content.get(section)
        for name, wanted in (named if isinstance(named, dict) else {}).items():
            if not isinstance(wanted, str) or _ELSEWHERE.match(wanted):
                continue
            alias = _ALIAS.fullmatch(wanted)
            package, asked = (alias["package"], alias["wanted"] or "") if alias else (name, wanted)
            exact = _EXACT.fullmatch(asked.strip())
            yield Need("npm", package, exact[1] if exact else None, wanted, name)


def package_lock(text: str) -> Contents:
    """Read npm's lock file: places below the root -> version; modules of modules are not asked for by anybody here."""
    content = json_object(text)
    places = content.get("packages")
    if isinstance(places, dict):
        found = {
            place: (str(entry["version"]),)
            for place, entry in places.items()
            if place.count("node_modules/") == 1 and isinstance(entry, dict) and entry.get("version")
        }
        return Contents(locked=found)
    first = content.get("dependencies")
    entries = first.items() if isinstance(first, dict) else ()
    return Contents(
        locked={f"node_modules/{name}": (str(entry["version"]),) for name, entry in entries if entry.get("version")}
    )


def yarn_lock(text: str) -> Contents:
    """Read Yarn's lock file, of version 1 or later: what was asked for -> version."""
    found: dict[str, tuple[str, ...]] = {}
    for keys, version in _YARN.findall(text):
        found |= dict.fromkeys((key.strip('" ') for key in keys.split(",")), (version,))
    return Contents(locked=found)


def pnpm_lock(text: str) -> Contents:
    """Read pnpm's lock file: project and name -> version."""
    end = _PNPM_HEAD.search(text)
    try:
        content = read_yaml(text[: end.start()] if end else text)
    except YamlError as error:
        raise UnreadableError from error
    if not isinstance(content, dict):
        raise UnreadableError
    importers = content.get("importers")
    found: dict[str, tuple[str, ...]] = {}
    for importer, sections in (importers if isinstance(importers, dict) else {".": content}).items():
        for section in _SECTIONS:
            named = (sections or {}).get(section)
            for name, entry in (named if isinstance(named, dict) else {}).items():
                said = str(entry.get("version", "") if isinstance(entry, dict) else entry)
                version = _PNPM_VERSION.match(said)
                if version is not None:
                    found[f"{importer}|{name}"] = (version[0],)
    return Contents(locked=found)


def bun_lock(text: str) -> Contents:
    """Read Bun's lock file: places below the root -> version, as in npm's own."""
    found = {
        f"node_modules/{match['place']}": (match["version"],)
        for match in _BUN.finditer(text)
        # ``a/b`` is b inside of a; ``@a/b`` is one name.
        if match["place"].count("/") == match["place"].startswith("@")
    }
    return Contents(locked=found)


def locked(need: Need, place: str, held: Mapping[str, tuple[str, ...]]) -> str | None:
    """Return the version that a lock file holds for a manifest.

    Args:
        need: What the manifest asks for.
        place: Its folder below that of the lock file, empty for the same.
        held: What the lock file says.
    """
    for key in (f"{place or '.'}|{need.name}", f"{need.name}@{need.wanted}", f"{need.name}@npm:{need.wanted}"):
        if key in held:
            return held[key][0]
    parts = place.split("/") if place else []
    for end in range(len(parts), -1, -1):
        key = "/".join((*parts[:end], "node_modules", need.name))
        if key in held:
            return held[key][0]
    return None
