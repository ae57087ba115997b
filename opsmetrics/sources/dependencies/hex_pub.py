"""Elixir's packages of Hex and Dart's of pub: no registry of them is asked, so that their updates are unknown."""

from __future__ import annotations

import re
from typing import Any

from opsmetrics.sources.dependencies.model import ELSEWHERE, Contents, Need, Package, yaml_object

_MIX_NEED = re.compile(r'\{:(?P<name>\w+),\s*"(?P<wanted>[^"\n]{1,80})"(?P<rest>[^{}]{0,400})\}')
_MIX_LOCKED = re.compile(
    r'^\s*"(?P<name>[\w.-]+)":\s*\{:(?P<kind>\w+)(?:,\s*:"?(?P<package>[\w.-]+)"?,\s*"(?P<version>[^"\n]+)")?'
)
_HEX_NAME = re.compile(r"\bhex:\s*:?\"?(?P<name>[\w.-]+)")
_FROM_ELSEWHERE = re.compile(r"\b(?:path|git|github|in_umbrella):")
_EXACT = re.compile(r"(?:==)?\s*(?P<version>\d+\.\d+\.\d[\w.+-]*)")


def mix(text: str) -> Contents:
    """Read a mix.exs of Elixir, which is a program: what stands there as a name and what it wants of it."""
    code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    needs: list[Need] = []
    for found in _MIX_NEED.finditer(code):
        if _FROM_ELSEWHERE.search(found["rest"]) or not re.search(r"\d", found["wanted"]):
            continue
        named = _HEX_NAME.search(found["rest"])
        exact = _EXACT.fullmatch(found["wanted"].strip())
        name = named["name"] if named else found["name"]
        needs.append(Need("hex", name, exact["version"] if exact else None, found["wanted"]))
    return Contents(tuple(needs))


def mix_lock(text: str) -> Contents:
    """Read a mix.lock: packages of Hex, and what comes from repositories."""
    found: dict[str, tuple[str, ...]] = {}
    for line in text.splitlines():
        said = _MIX_LOCKED.match(line)
        if said is not None and said["kind"] == "hex" and said["package"]:
            found[said["package"]] = (said["version"],)
        elif said is not None:
            found[said["name"]] = (ELSEWHERE,)
    return Contents(locked=found)


def pubspec(text: str) -> Contents:
    """Read a pubspec.yaml of Dart; what comes with Flutter, from folders and from repositories is no package."""
    content = yaml_object(text)
    needs: list[Need] = []
    for part in ("dependencies", "dev_dependencies"):
        for name, said in _items(content.get(part)):
            if isinstance(said, dict) and not {"hosted", "version"} & said.keys():
                continue
            version = said.get("version") if isinstance(said, dict) else said
            wanted = "" if version is None else str(version).strip()
            exact = _EXACT.fullmatch(wanted)
            needs.append(Need("pub", str(name), exact["version"] if exact else None, wanted))
    own = content.get("name")
    return Contents(tuple(needs), makes=Package("pub", own) if isinstance(own, str) else None)


def pubspec_lock(text: str) -> Contents:
    """Read a pubspec.lock."""
    found: dict[str, tuple[str, ...]] = {}
    for name, entry in _items(yaml_object(text).get("packages")):
        if isinstance(entry, dict):
            is_hosted = entry.get("source") == "hosted" and entry.get("version") is not None
            found[str(name)] = (str(entry["version"]) if is_hosted else ELSEWHERE,)
    return Contents(locked=found)


def _items(value: Any) -> list[tuple[Any, Any]]:
    return list(value.items()) if isinstance(value, dict) else []
