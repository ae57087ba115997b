"""Back up what cannot be made again, restore it, and prove that it can be restored.

What cannot be made again is landing, the organisation's configuration and the notes of pulls; the working file and the
snapshots are built from them. A backup adds what is new: loads never change, and the checksum in a load's name proves
a copy. A manifest is written last, so that a backup that was cut off is none.
Does not belong here: where the other disk comes from, and how long it keeps what (``docs/operations.md``).
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from opsmetrics.build import build, load_context
from opsmetrics.core.atomic import copy_whole, write_whole_text
from opsmetrics.core.errors import OpsMetricsError, SnapshotError
from opsmetrics.core.settings import SPARK_ENGINE, Settings
from opsmetrics.landing import PACKS, SEPARATOR
from opsmetrics.landing.backup_copies import LANDING, verify_copy
from opsmetrics.organisation import load_organisation
from opsmetrics.scoring.tables import TABLES
from opsmetrics.snapshots import store
from opsmetrics.sources.files import files_root

MANIFESTS = "manifests"
ORGANISATION = "organisation"
PULLS = "pulls"
RESTORE_TESTS = "restore-tests"
SYSTEM = "opsmetrics"


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
        files: Path within the backup -> [path to restore to, SHA-256 or the checksum of a load].
    """

    name: str
    taken_at: str
    build_id: str | None
    known_at: str | None
    files: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class RestoreTest:
    """Outcome of a restore test, in the form that the ``restore_files`` connector reads (source contracts, F4b).

    Attributes:
        id: Id of the test.
        system: The datastore.
        started_at: When the restore began, ISO instant.
        restored_at: When the files were back, or None.
        verified_at: When the scores were built from them and compared, or None.
        result: ``ok`` or ``failed``.
        data_gb: Size of what was restored.
        seconds: From start to end.
        said: What was compared, or what went wrong.
        schema: Version of the form.
    """

    id: str
    system: str
    started_at: str
    restored_at: str | None
    verified_at: str | None
    result: str
    data_gb: float
    seconds: float
    said: str
    schema: int = 1


def back_up(settings: Settings, target: Path, now: datetime) -> tuple[Manifest, int]:
    """Copy what is new to ``target``.

    Args:
        settings: Whose state and configuration.
        target: Folder of the backups; made where it does not exist.
        now: Instant that names the backup.

    Returns:
        The manifest, and how many files were copied; the others were there already.

    Raises:
        BackupError: The target lies inside the state folder.
    """
    if settings.home.resolve() in (target.resolve(), *target.resolve().parents):
        raise BackupError(f"{target}: this lies inside {settings.home}; back up to another disk")
    name = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    loads, new_loads = _back_up_loads(settings.home / LANDING, target)
    texts, new_texts = _back_up_texts(settings, target)
    files = loads | texts
    try:
        published: store.Snapshot | None = store.current(settings.snapshots)
    except SnapshotError:
        # What cannot be made again does not wait for what can.
        published = None
    manifest = Manifest(
        name,
        now.astimezone(UTC).isoformat(),
        published.build_id if published else None,
        _known_at(published) if published else None,
        {to: files[to] for to in sorted(files)},
    )
    write_whole_text(target / MANIFESTS / f"{name}.json", json.dumps(asdict(manifest), indent=1) + "\n", durable=True)
    return manifest, new_loads + new_texts


def _back_up_loads(landing: Path, target: Path) -> tuple[dict[str, list[str]], int]:
    """Copy the loads that the backup lacks; return place -> (place in the backup, checksum), and how many were new."""
    files: dict[str, list[str]] = {}
    copied = 0
    for path in _landed(landing):
        inside = f"{LANDING}/{path.relative_to(landing).as_posix()}"
        files[inside] = [inside, path.stem.partition(SEPARATOR)[2] or _digest(path)]
        # A load never changes: one that is there with its size is the same.
        if not _same_size(path, target / inside):
            copy_whole(path, target / inside)
            copied += 1
    return files, copied


def _back_up_texts(settings: Settings, target: Path) -> tuple[dict[str, list[str]], int]:
    """Copy configuration and notes of pulls, by content: the same text is stored once."""
    files: dict[str, list[str]] = {}
    copied = 0
    exports = _exports(settings.org)
    for root, at in ((settings.org, ORGANISATION), (settings.home / PULLS, PULLS)):
        for path in _below(root, leave_out=exports):
            digest = _digest(path)
            inside = f"texts/{digest[:2]}/{digest}"
            files[f"{at}/{path.relative_to(root).as_posix()}"] = [inside, digest]
            if not (target / inside).exists():
                copy_whole(path, target / inside)
                copied += 1
    return files, copied


def _landed(landing: Path) -> list[Path]:
    """Every load and pack, without those that were set aside."""
    found = (*landing.glob("*/*.parquet"), *landing.glob(f"*/{PACKS}/*.parquet"))
    return sorted(path for path in found if not path.name.startswith("."))


def _known_at(published: store.Snapshot) -> str:
    with duckdb.connect(str(published.path), read_only=True) as con:
        ((known_at,),) = con.execute("select known_at from meta.known").fetchall()
    return known_at.astimezone(UTC).isoformat()


def _exports(org: Path) -> Path | None:
    """The folder of exported files below the configuration: a source, not configuration; landing holds its rows."""
    try:
        root = files_root(load_organisation(org), None)
    except OpsMetricsError:
        # A configuration with a mistake in it is backed up whole.
        return None
    return root if root != org.resolve() else None


def _below(root: Path, leave_out: Path | None) -> Iterator[Path]:
    """Files below a folder, without what tools leave there (hidden files, temporary ones)."""
    for path in sorted(root.rglob("*")):
        parts = path.relative_to(root).parts
        is_export = leave_out is not None and path.resolve().is_relative_to(leave_out)
        if path.is_file() and not path.is_symlink() and not is_export and not any(p.startswith(".") for p in parts):
            yield path


def _digest(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _same_size(path: Path, other: Path) -> bool:
    try:
        return path.stat().st_size == other.stat().st_size
    except FileNotFoundError:
        return False


def manifests(source: Path) -> list[str]:
    """Return the names of the backups in a folder, oldest first."""
    return sorted(path.stem for path in (source / MANIFESTS).glob("*.json"))


def read_manifest(source: Path, name: str | None = None) -> Manifest:
    """Read one manifest, by default the newest.

    Raises:
        BackupError: There is none, or it is damaged.
    """
    names = manifests(source)
    if not names:
        raise BackupError(f"{source}: no backup lies here; `opsmetrics backup --to` writes one")
    if name is not None and name not in names:
        raise BackupError(f"{source}: there is no backup {name}; the newest is {names[-1]}, the oldest {names[0]}")
    path = source / MANIFESTS / f"{name or names[-1]}.json"
    try:
        return Manifest(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise BackupError(f"{path}: damaged manifest; take an older one with --at") from error


def restore(source: Path, manifest: Manifest, home: Path, org: Path) -> int:
    """Bring a backup back into folders that hold nothing yet.

    Returns:
        Bytes restored.

    Raises:
        BackupError: Something lies there already, a file is missing or damaged, or a path leads elsewhere.
    """
    for folder, at in ((home / LANDING, home), (home / PULLS, home), (org, org)):
        if folder.exists() and any(folder.iterdir()):
            raise BackupError(f"{folder}: this is not empty; restore to a new place, or move it away from {at} first")
    total = 0
    for to, (inside, checksum) in manifest.files.items():
        at, _, rest = to.partition("/")
        target = (org / rest) if at == ORGANISATION else home / to
        root = org if at == ORGANISATION else home
        if not target.resolve().is_relative_to(root.resolve()) or not _within(source, inside):
            raise BackupError(f"{manifest.name}: {to} leads out of the folder; this manifest was not written by us")
        try:
            copy_whole(source / inside, target)
        except FileNotFoundError as error:
            raise BackupError(f"{source / inside}: missing in the backup; take an older one with --at") from error
        if at == LANDING:
            verify_copy(target)
        elif _digest(target) != checksum:
            raise BackupError(f"{source / inside}: damaged in the backup; take an older one with --at")
        total += target.stat().st_size
    return total


def _within(root: Path, inside: str) -> bool:
    return (root / inside).resolve().is_relative_to(root.resolve())


def restore_test(settings: Settings, source: Path, name: str | None = None) -> RestoreTest:
    """Restore a backup to a scratch folder, build the scores from it and compare them with what was published.

    The outcome is written to ``restore-tests/`` in the state folder, where the ``restore_files`` connector finds it.
    """
    began, clock = datetime.now(tz=UTC), time.monotonic()
    restored_at = verified_at = None
    size, result = 0, "failed"
    # A cluster sees the state folder, not this machine's own one.
    place = settings.home if settings.engine == SPARK_ENGINE else None
    with tempfile.TemporaryDirectory(prefix="opsmetrics-restore-", dir=place) as folder:
        scratch = replace(settings, home=Path(folder) / "home", org=Path(folder) / "org", now=None)
        try:
            manifest = read_manifest(source, name)
            size = restore(source, manifest, scratch.home, scratch.org)
            restored_at = datetime.now(tz=UTC).isoformat()
            said = _compared(settings, scratch, manifest)
            verified_at, result = datetime.now(tz=UTC).isoformat(), "ok"
        except OpsMetricsError as error:
            said = str(error)
    test = RestoreTest(
        f"{SYSTEM}-{began:%Y%m%dT%H%M%SZ}",
        SYSTEM,
        began.isoformat(),
        restored_at,
        verified_at,
        result,
        round(size / 1e9, 6),
        round(time.monotonic() - clock, 1),
        said,
    )
    path = settings.home / RESTORE_TESTS / f"restore-test-{began:%Y%m%dT%H%M%SZ}.json"
    write_whole_text(path, json.dumps(asdict(test)) + "\n", durable=True)
    return test


def _compared(settings: Settings, scratch: Settings, manifest: Manifest) -> str:
    """Build from the restored files and compare every table of scores with the published ones.

    Raises:
        BackupError: They differ.
    """
    if manifest.known_at is None:
        build(load_context(scratch))
        return "nothing was published yet; the restored files build"
    known_at = datetime.fromisoformat(manifest.known_at)
    build(replace(load_context(scratch, known_at), is_replay=False))
    published = _published(settings, manifest)
    with duckdb.connect(str(scratch.warehouse), read_only=True) as con:
        rows = {table: _rows(con, table) for table in TABLES}
    if published is None:
        return f"built {sum(count for count, _ in rows.values())} rows of scores; that snapshot is no longer kept"
    with duckdb.connect(str(published), read_only=True) as con:
        differing = [table for table, found in rows.items() if _rows(con, table) != found]
    if differing:
        raise BackupError(f"restored scores differ from the published ones in {', '.join(differing)}")
    return f"{sum(count for count, _ in rows.values())} rows of scores in {len(rows)} tables equal the published ones"


def _published(settings: Settings, manifest: Manifest) -> Path | None:
    found = sorted(settings.snapshots.glob(f"ops-*-{(manifest.build_id or '')[:12]}.duckdb"))
    return found[-1] if found else None


def _rows(con: duckdb.DuckDBPyConnection, table: str) -> tuple[int, int | None]:
    """Count and content of a table, in any order of rows."""
    con.execute("set timezone = 'UTC'")
    ((count, total),) = con.execute(
        f"select count(*), sum(hash(row_text)::hugeint) from (select t::varchar as row_text from scores.{table} as t)"
    ).fetchall()
    return count, total
