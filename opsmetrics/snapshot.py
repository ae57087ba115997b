"""Snapshots: immutable copies of a finished build, with unique names and one pointer (architecture D8).

A reader opens the file that ``current.json`` names and keeps it as long as it likes: files are never written
again, and removing an old one does not disturb whoever has it open.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from opsmetrics.errors import SnapshotError
from opsmetrics.landing import sync_folder

POINTER = "current.json"
LINK = "current.duckdb"
KEEP = 5


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A published snapshot.

    Attributes:
        file: File name in the snapshots folder.
        build_id: Digest of what it holds.
        published_at: ISO instant, UTC.
        folder: Where it lies.
    """

    file: str
    build_id: str
    published_at: str
    folder: Path

    @property
    def path(self) -> Path:
        """The snapshot's own, unique path."""
        return self.folder / self.file


def publish(warehouse: Path, folder: Path, *, build_id: str, now: datetime, keep: int = KEEP) -> tuple[Snapshot, bool]:
    """Publish the working file; nobody may hold it open meanwhile.

    Copy to a temporary name, fsync, rename, swap the pointer, then remove snapshots beyond ``keep``. A process
    killed at any moment leaves the old pointer with its whole file, or the new one with its whole file.

    Returns:
        The current snapshot and whether it is new (the same build is not published twice).
    """
    folder.mkdir(parents=True, exist_ok=True)
    for leftover in folder.glob(".*.tmp"):
        leftover.unlink(missing_ok=True)
    before = read_pointer(folder)
    if before is not None and before.build_id == build_id and before.path.exists():
        return before, False
    with duckdb.connect(str(warehouse)) as con:
        con.execute("checkpoint")
    name = f"ops-{now:%Y%m%dT%H%M%SZ}-{build_id[:12]}.duckdb"
    target = folder / name
    if not target.exists():
        temporary = folder / f".{name}.{secrets.token_hex(4)}.tmp"
        shutil.copyfile(warehouse, temporary)
        _sync(temporary)
        temporary.chmod(0o444)
        temporary.replace(target)
    snapshot = Snapshot(name, build_id, now.isoformat(), folder)
    _swap(snapshot)
    _prune(folder, name, keep)
    return snapshot, True


def _sync(path: Path) -> None:
    with path.open("rb") as content:
        os.fsync(content.fileno())


def _swap(snapshot: Snapshot) -> None:
    folder = snapshot.folder
    content = {key: value for key, value in asdict(snapshot).items() if key != "folder"}
    pointer = folder / f".{POINTER}.tmp"
    pointer.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    _sync(pointer)
    pointer.replace(folder / POINTER)
    link = folder / f".{LINK}.tmp"
    link.unlink(missing_ok=True)
    link.symlink_to(snapshot.file)
    link.replace(folder / LINK)
    sync_folder(folder)


def _prune(folder: Path, current: str, keep: int) -> None:
    names = sorted((path for path in folder.glob("ops-*.duckdb")), key=lambda path: path.stat().st_mtime_ns)
    for path in names[: max(0, len(names) - keep)]:
        if path.name != current:
            path.unlink(missing_ok=True)


def read_pointer(folder: Path) -> Snapshot | None:
    """Return the snapshot that the pointer names, or None where nothing was published yet.

    Raises:
        SnapshotError: The pointer is damaged.
    """
    pointer = folder / POINTER
    try:
        content = json.loads(pointer.read_text(encoding="utf-8"))
        return Snapshot(content["file"], content["build_id"], content["published_at"], folder)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise SnapshotError(f"{pointer}: damaged pointer; run `opsmetrics publish` again") from error


def current(folder: Path) -> Snapshot:
    """Return the current snapshot.

    Raises:
        SnapshotError: Nothing was published yet, or the file is gone.
    """
    snapshot = read_pointer(folder)
    if snapshot is None:
        raise SnapshotError(f"{folder}: no snapshot was published yet; run `opsmetrics run` first")
    if not snapshot.path.exists():
        raise SnapshotError(f"{snapshot.path}: the file is gone; run `opsmetrics publish` again")
    return snapshot


def open_current(folder: Path) -> duckdb.DuckDBPyConnection:
    """Open the current snapshot read-only, with UTC as session zone and no access to other files.

    Raises:
        SnapshotError: As :func:`current`.
    """
    con = duckdb.connect(str(current(folder).path), read_only=True, config={"enable_external_access": False})
    con.execute("set timezone = 'UTC'")
    return con
