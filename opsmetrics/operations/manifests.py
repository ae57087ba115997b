"""What a backup holds, by name: its manifest, written last and twice, so that one flipped byte costs none.

Does not belong here: the files that it names (``operations.backup``, ``operations.restoring``).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from opsmetrics.core.atomic import read_bounded, write_whole_text
from opsmetrics.core.errors import NoFileError, OpsMetricsError, VanishedError

MANIFESTS = "manifests"
SPARE = "spare"
# Above what three years of hourly pulls make, were no load ever packed; values take more memory than their text.
MOST_BYTES, MOST_VALUES = 128 << 20, 5_000_000
_CHECKSUM = "checksum"


class BackupError(OpsMetricsError):
    """A backup cannot be written, read or restored."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one backup holds.

    Attributes:
        name: Instant of the backup; names sort in time.
        taken_at: ISO instant, UTC.
        build_id: Build of the snapshot that was current, or None where there was no whole one.
        known_at: Clock of that build, ISO instant.
        files: Path to restore to -> [path within the backup, SHA-256 or the checksum of a load].
        left_out: Paths of loads that were damaged when the backup was taken, and of which it holds no whole copy.
    """

    name: str
    taken_at: str
    build_id: str | None
    known_at: str | None
    files: dict[str, list[str]]
    left_out: tuple[str, ...] = ()


def names_of(source: Path) -> list[str]:
    """Return the names of the backups in a folder, oldest first."""
    folder = source / MANIFESTS
    return sorted({path.stem for place in (folder, folder / SPARE) for path in place.glob("*.json")})


def read_manifest(source: Path, name: str | None = None) -> Manifest:
    """Read one manifest, by default the newest that is whole.

    Raises:
        BackupError: There is none, or it is damaged.
        UnreadableError: The system does not let us read it.
    """
    names = names_of(source)
    if not names:
        raise BackupError(f"{source}: no backup lies here; `opsmetrics backup --to` writes one")
    if name is not None and name not in names:
        raise BackupError(f"{source}: there is no backup {name}; the newest is {names[-1]}, the oldest {names[0]}")
    for wanted in [name] if name is not None else reversed(names):
        found = _whole_of(source, wanted)
        if found is not None:
            return found
    path = source / MANIFESTS / f"{name or names[-1]}.json"
    raise BackupError(f"{path}: damaged manifest; take an older one with --at")


def damaged_manifests(source: Path) -> list[str]:
    """Return the names of the backups of which no whole manifest is left, oldest first."""
    return [name for name in names_of(source) if _whole_of(source, name) is None]


def write_manifest(target: Path, manifest: Manifest) -> None:
    """Write a manifest whole, and a spare one."""
    for path in _places(target, manifest.name):
        write_whole_text(path, _text(asdict(manifest)), durable=True)


def heal_manifests(target: Path) -> list[str]:
    """Write manifests again from their spare ones, and spare ones from them.

    Returns:
        Names of those that were damaged or missing.
    """
    healed: list[str] = []
    for name in names_of(target):
        places = _places(target, name)
        found = [_read(path) for path in places]
        whole = next((item for item in found if item is not None), None)
        for path, item in zip(places, found, strict=True):
            if item is None and whole is not None:
                write_whole_text(path, _text(asdict(whole)), durable=True)
                healed.append(name)
    return healed


def _places(source: Path, name: str) -> tuple[Path, Path]:
    """The spare one is written first and read last."""
    return source / MANIFESTS / SPARE / f"{name}.json", source / MANIFESTS / f"{name}.json"


def _whole_of(source: Path, name: str) -> Manifest | None:
    return next((found for path in reversed(_places(source, name)) if (found := _read(path)) is not None), None)


def _text(content: dict[str, Any]) -> str:
    return json.dumps({**content, _CHECKSUM: _checksum(content)}, indent=1) + "\n"


def _checksum(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def read_json(path: Path) -> object:
    """Return what a file of the backup holds, or None where that is more than it may be: others may have written it.

    Raises:
        ValueError: It is no JSON.
        VanishedError: There is no such file.
        NoFileError: Something else lies there.
        UnreadableError: The system does not let us read it.
    """
    text = read_bounded(path, MOST_BYTES)
    if text is None or sum(map(text.count, (b",", b"[", b"{"))) > MOST_VALUES:
        return None
    found: object = json.loads(text.decode())
    return found


def _read(path: Path) -> Manifest | None:
    """Return a manifest, or None where it is missing or damaged; those of earlier versions carry no checksum.

    Raises:
        UnreadableError: The system does not let us read it.
    """
    try:
        content = read_json(path)
    except (VanishedError, NoFileError, ValueError, RecursionError):
        return None
    if not isinstance(content, dict):
        return None
    checksum = content.pop(_CHECKSUM, None)
    if checksum not in {None, _checksum(content)} or not _is_manifest(content, path.stem):
        return None
    return Manifest(**content | {"left_out": tuple(content.get("left_out", ()))})


def _is_manifest(content: dict[str, Any], name: str) -> bool:
    """Whether what a file holds has the shape of a manifest: anybody may have written one without a checksum."""
    files, left_out = content.get("files"), content.get("left_out", [])
    return (
        content.keys() | {"left_out"} == {item.name for item in fields(Manifest)}
        and content["name"] == name
        and isinstance(content["taken_at"], str)
        and all(isinstance(content[key], str | None) for key in ("build_id", "known_at"))
        and isinstance(files, dict)
        and all(_is_place(to) and _is_held(held) for to, held in files.items())
        and isinstance(left_out, list)
        and all(isinstance(to, str) for to in left_out)
    )


def _is_held(held: object) -> bool:
    match held:
        case [str(inside), str(checksum)]:
            return _is_place(inside) and re.fullmatch("[0-9a-f]{16,64}", checksum) is not None
        case _:
            return False


def _is_place(text: str) -> bool:
    """Whether a text can be the path of a file in a folder; where it leads is another question."""
    try:
        return b"\0" not in os.fsencode(text) and "/" in text and all(text.split("/"))
    except UnicodeEncodeError:
        return False
