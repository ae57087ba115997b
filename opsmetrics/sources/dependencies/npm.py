"""npm's manifests and the lock files of npm, Yarn, pnpm and Bun."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from opsmetrics.sources.dependencies.model import ELSEWHERE, Contents, Need, Package, json_object, yaml_object

_SECTIONS = ("dependencies", "devDependencies", "optionalDependencies")
_EXACT = re.compile(r"=?\s*v?(\d+\.\d+\.\d+(?:[-+][\w.+-]+)?)")
_ALIAS = re.compile(r"npm:(?P<package>@?[^@]+)(?:@(?P<wanted>.+))?")
# Of Yarn: the same package, with a name of where it comes from; and one of a registry that is changed after it came.
_OF_REGISTRY = re.compile(r"npm:(?P<wanted>[~^<>=*v]+\s*\d?[^@/:]*|\d+\.[^@/:]*)")
_PATCHED = re.compile(r"patch:@?[^@]+@(?P<wanted>[^#]+)(?:#.*)?")
# What comes from a folder, an address or the repository itself was never released by a registry.
# No range has a colon or a slash.
_ELSEWHERE = re.compile(r"(?!npm:|catalog:)[^\s]*[:/]")
# One search for the whole file, which is long: what was asked for, and the version on the line below.
_YARN = re.compile(r'^(\S[^\n]*):\n  version:? "?([^"\n]+?)"?$', re.MULTILINE)
# A version, or behind the name that an alias stands for.
_PNPM_VERSION = re.compile(r"(?:/?@?[^@/(:]+(?:/[^@/(:]+)?[@/])?(?P<version>\d[^(_\s/:]*)(?:[(_].*)?")
_PNPM_ELSEWHERE = re.compile(r"(?:link|file|git\+?\w*|https?):|[\w.-]+\.\w+/")
# ``"name": ["name@1.2.3", ...]``; what comes from elsewhere has an address behind the sign.
_BUN = re.compile(r'^\s+"(?P<place>[^"]+)":\s*\["@?[^"@]+@(?P<version>\d[^"]*|[a-z+]+:[^"]*)"', re.MULTILINE)
# Of pnpm's file only what the projects of the repository ask for is read: the rest is long, and not theirs. Since
# pnpm 11 a document before the projects' own says which pnpm reads them.
_PNPM_HEAD = re.compile(r"^(?:packages|snapshots):\s*$", re.MULTILINE)
_PNPM_DOCUMENT = re.compile(r"^---\s*$", re.MULTILINE)


def manifest(text: str) -> Contents:
    """Read a package.json."""
    content = json_object(text)
    name = content.get("name")
    return Contents(tuple(_needs(content)), makes=Package("npm", name) if isinstance(name, str) and name else None)


def _needs(content: Mapping[str, Any]) -> Iterator[Need]:
    for section in _SECTIONS:
        named = content.get(section)
        for name, said in (named if isinstance(named, dict) else {}).items():
            if not isinstance(said, str):
                continue
            patched = _PATCHED.fullmatch(said)
            wanted = unquote(patched["wanted"]) if patched else said
            if _ELSEWHERE.match(wanted):
                continue
            same, alias = _OF_REGISTRY.fullmatch(wanted), _ALIAS.fullmatch(wanted)
            package, asked = (alias["package"], alias["wanted"] or "") if alias and not same else (name, wanted)
            asked = same["wanted"] if same else asked
            exact = _EXACT.fullmatch(asked.strip())
            yield Need("npm", package, exact[1] if exact else None, wanted, name)


def package_lock(text: str) -> Contents:
    """Read npm's lock file: places below the root -> version; modules of modules are not asked for by anybody here."""
    content = json_object(text)
    places = content.get("packages")
    if isinstance(places, dict):
        found = {
            place: (ELSEWHERE if _is_elsewhere(entry) else str(entry["version"]),)
            for place, entry in places.items()
            if place.count("node_modules/") == 1
            and isinstance(entry, dict)
            and (entry.get("version") or _is_elsewhere(entry))
        }
        return Contents(locked=found)
    first = content.get("dependencies")
    entries = first.items() if isinstance(first, dict) else ()
    return Contents(
        locked={f"node_modules/{name}": (str(entry["version"]),) for name, entry in entries if entry.get("version")}
    )


def _is_elsewhere(entry: Mapping[str, Any]) -> bool:
    """Whether a place is a link to a folder of the repository, or holds what came from a repository or a file."""
    return bool(entry.get("link")) or str(entry.get("resolved", "")).startswith(("git", "file:"))


def yarn_lock(text: str) -> Contents:
    """Read Yarn's lock file, of version 1 or later: what was asked for -> version."""
    found: dict[str, tuple[str, ...]] = {}
    for keys, version in _YARN.findall(text):
        said = ELSEWHERE if version.endswith("-use.local") else version
        found |= dict.fromkeys((key.strip('" ') for key in keys.split(",")), (said,))
    return Contents(locked=found)


def pnpm_lock(text: str) -> Contents:
    """Read pnpm's lock file: project and name -> version."""
    found: dict[str, tuple[str, ...]] = {}
    for document in _PNPM_DOCUMENT.split(text):
        end = _PNPM_HEAD.search(document)
        head = document[: end.start()] if end else document
        if head.strip():
            found |= _pnpm_document(head)
    return Contents(locked=found)


def _pnpm_document(text: str) -> dict[str, tuple[str, ...]]:
    content = yaml_object(text)
    importers = content.get("importers")
    found: dict[str, tuple[str, ...]] = {}
    for importer, sections in (importers if isinstance(importers, dict) else {".": content}).items():
        for section in _SECTIONS:
            named = (sections or {}).get(section)
            for name, entry in (named if isinstance(named, dict) else {}).items():
                said = str(entry.get("version", "") if isinstance(entry, dict) else entry)
                version = _PNPM_VERSION.fullmatch(said)
                if version is not None:
                    found[f"{importer}|{name}"] = (version["version"],)
                elif _PNPM_ELSEWHERE.match(said):
                    found[f"{importer}|{name}"] = (ELSEWHERE,)
    return found


def bun_lock(text: str) -> Contents:
    """Read Bun's lock file: places below the root -> version, as in npm's own."""
    found = {
        f"node_modules/{match['place']}": (match["version"] if match["version"][0].isdigit() else ELSEWHERE,)
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
