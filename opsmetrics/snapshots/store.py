"""Snapshots: immutable copies of a finished build, with unique names and one pointer (architecture D8).

A reader opens the file that ``current.json`` names and keeps it as long as it likes: files are never written
again, and removing an old one does not disturb whoever has it open.
"""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from opsmetrics.core.atomic import draft, settle, write_whole_text
from opsmetrics.core.errors import OTHER_SHAPE, SnapshotError
from opsmetrics.core.json_text import read_note

POINTER = "current.json"
LINK = "current.duckdb"
KEEP = 5
# What we call a snapshot and its export; whatever else somebody keeps beside them is theirs.
NAME = re.compile(r"ops-\d{8}T\d{6}Z-\w+")
# A pointer leads to a file beside it, and to nothing else.
_FILE = re.compile(r"[\w.-]+\.duckdb")
_TABLES = (
    "select schema_name, table_name from duckdb_tables() union all select schema_name, view_name from duckdb_views()"
)
# What every reader asks for; a file without them was written by something else.
_NEEDED = frozenset({"meta.build", "meta.known", "meta.organisation", "scores.team", "scores.area", "scores.metric"})
NO_SNAPSHOT = "this is not a readable snapshot\n    fix: run `opsmetrics run`, which publishes another one"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A published snapshot.

    Attributes:
        file: File name in the snapshots folder.
        build_id: Digest of what it holds.
        published_at: ISO instant, UTC.
        folder: Where it lies.
        size: Bytes of the file; another size means a copy that was cut off. None in pointers of older versions.
    """

    file: str
    build_id: str
    published_at: str
    folder: Path
    size: int | None = None

    @property
    def path(self) -> Path:
        """The snapshot's own, unique path."""
        return self.folder / self.file

    @property
    def is_whole(self) -> bool:
        """Whether the file is there with all its bytes."""
        try:
            return self.size in (None, self.path.stat().st_size)
        except FileNotFoundError:
            return False


def publish(
    con: duckdb.DuckDBPyConnection, warehouse: Path, folder: Path, *, build_id: str, now: datetime, keep: int = KEEP
) -> Snapshot:
    """Publish the working file, which the caller holds open: so nobody writes to what is being copied.

    Copy to a temporary name, fsync, rename, swap the pointer, then remove snapshots beyond ``keep``. A process
    killed at any moment leaves the old pointer with its whole file, or the new one with its whole file.

    Raises:
        duckdb.Error: A block of the working file is broken, also where this build did not read it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for leftover in folder.glob(".*.tmp"):
        # Whoever publishes holds the working file, so this is what a killed process left.
        leftover.unlink(missing_ok=True)
    con.execute("checkpoint")
    snapshot = _copy(warehouse, folder, build_id, now)
    _swap(snapshot)
    _prune(folder, snapshot.file, keep)
    return snapshot


def _copy(warehouse: Path, folder: Path, build_id: str, now: datetime) -> Snapshot:
    name = f"ops-{now:%Y%m%dT%H%M%SZ}-{build_id[:12]}.duckdb"
    from opsmetrics.snapshots.blocks import has_broken_blocks  # noqa: PLC0415 - numpy waits until it is needed

    with draft(folder, name) as temporary:
        shutil.copyfile(warehouse, temporary)
        if has_broken_blocks(temporary):
            _read_whole(temporary)
        temporary.chmod(0o440)
        settle(temporary, folder / name)
    return Snapshot(name, build_id, now.isoformat(), folder, warehouse.stat().st_size)


def _read_whole(path: Path) -> None:
    """Read every row of a file: DuckDB tells the first broken block that is in use, and passes over the others."""
    with duckdb.connect(str(path), read_only=True) as con:
        tables = con.execute("select schema_name, table_name from duckdb_tables()").fetchall()
        for schema, table in tables:
            con.execute(f'select max(hash(this_row)) from "{schema}"."{table}" as this_row').fetchall()


def _swap(snapshot: Snapshot) -> None:
    folder = snapshot.folder
    content = {key: value for key, value in asdict(snapshot).items() if key != "folder"}
    write_whole_text(folder / POINTER, json.dumps(content, indent=2) + "\n", durable=True)
    _link(snapshot)


def _link(snapshot: Snapshot) -> None:
    """Let the link for analysts lead to a snapshot."""
    with draft(snapshot.folder, LINK) as link:
        link.symlink_to(snapshot.file)
        settle(link, snapshot.folder / LINK)


def finish(snapshot: Snapshot, keep: int = KEEP) -> None:
    """Do what a process that was killed right after it swapped the pointer left: link and old snapshots."""
    link = snapshot.folder / LINK
    if not link.is_symlink() or link.readlink() != Path(snapshot.file):
        _link(snapshot)
    _prune(snapshot.folder, snapshot.file, keep)


def _prune(folder: Path, current: str, keep: int) -> None:
    found = (path for path in folder.glob("ops-*.duckdb") if NAME.fullmatch(path.stem))
    names = sorted(found, key=lambda path: path.stat().st_mtime_ns)
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
        content = read_note(pointer)
    except ValueError:
        content = {}
    match content:
        case None:
            return None
        case {"file": str(file), "build_id": str(build_id), "published_at": str(published_at)} if _FILE.fullmatch(file):
            size = content.get("size")
            if size is None or isinstance(size, int):
                return Snapshot(file, build_id, published_at, folder, size)
        case _:
            pass
    raise SnapshotError(f"{pointer}: damaged pointer; run `opsmetrics publish` again")


def published(folder: Path, build_id: str) -> Snapshot | None:
    """Return the current snapshot if it is whole and holds that build; a damaged pointer is to be written anew."""
    try:
        found = read_pointer(folder)
    except SnapshotError:
        return None
    return found if found is not None and found.build_id == build_id and found.is_whole else None


def current(folder: Path) -> Snapshot:
    """Return the current snapshot.

    Raises:
        SnapshotError: Nothing was published yet, or the file is gone or cut off.
    """
    snapshot = read_pointer(folder)
    if snapshot is None:
        raise SnapshotError(f"{folder}: no snapshot was published yet; run `opsmetrics run` first")
    if not snapshot.is_whole:
        raise SnapshotError(f"{snapshot.path}: the file is gone or cut off; run `opsmetrics publish` again")
    return snapshot


def open_current(folder: Path) -> duckdb.DuckDBPyConnection:
    """Open the current snapshot read-only, with UTC as session zone, no access to other files, and no other settings.

    Raises:
        SnapshotError: As :func:`current`, or the file is no snapshot that this version reads.
    """
    return opened(current(folder))


def fixed_in_utc(con: duckdb.DuckDBPyConnection) -> None:
    """Make UTC the zone of every session of a file that this process reads, and let no query change a setting.

    All connections to one file share it: what another has settled is not to be set again.
    """
    if not con.execute("select current_setting('lock_configuration')").fetchall()[0][0]:
        con.execute("set global timezone = 'UTC'")
        # A query may name files for DuckDB's own log or profile: it writes none, but ends the process over it.
        con.execute("set lock_configuration = true")


def opened(snapshot: Snapshot) -> duckdb.DuckDBPyConnection:
    """Open a snapshot as :func:`open_current` does.

    Raises:
        SnapshotError: The file is no snapshot that this version reads.
    """
    try:
        con = duckdb.connect(str(snapshot.path), read_only=True, config={"enable_external_access": False})
    except (duckdb.IOException, duckdb.SerializationException, duckdb.FatalException) as error:
        raise SnapshotError(f"{snapshot.path}: {NO_SNAPSHOT}") from error
    fixed_in_utc(con)
    there = {f"{schema}.{table}" for schema, table in con.execute(_TABLES).fetchall()}
    if not there >= _NEEDED:
        con.close()
        raise SnapshotError(f"{snapshot.path}: {OTHER_SHAPE}")
    return con
