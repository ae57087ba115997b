"""Back up what cannot be made again, restore it, and prove that it can be restored.

What cannot be made again is landing, the organisation's configuration and the notes of pulls; the working file and the
snapshots are built from them. A backup adds what is new: loads never change, and the checksum in a load's name proves
a copy. A manifest is written last, so that a backup that was cut off is none.
Does not belong here: where the other disk comes from, and how long it keeps what (``docs/operations.md``).
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from opsmetrics import pipeline, snapshot
from opsmetrics.errors import DamagedLoadError, OpsMetricsError, SnapshotError
from opsmetrics.landing import (
    PACKS,
    SEPARATOR,
    Pack,
    damaged_paths,
    is_pack,
    verify_load,
    verify_pack,
)
from opsmetrics.organisation import load_organisation
from opsmetrics.scoring.columns import COLUMNS
from opsmetrics.settings import SPARK_ENGINE, Settings
from opsmetrics.sources.files import files_root
from opsmetrics.whole import write_whole_text

MANIFESTS = "manifests"
ORGANISATION = "organisation"
LANDING = "landing"
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
    files: dict[str, list[str]] = {}
    copied = 0
    for path in _landed(settings.home / LANDING):
        inside = f"{LANDING}/{path.relative_to(settings.home / LANDING).as_posix()}"
        checksum = path.stem.partition(SEPARATOR)[2] or _digest(path)
        files[inside] = [inside, checksum]
        # A load never changes: one that is there with its size is the same.
        if not _same_size(path, target / inside):
            _copy(path, target / inside)
            copied += 1
    exports = _exports(settings.org)
    for root, at in ((settings.org, ORGANISATION), (settings.home / PULLS, PULLS)):
        for path in _below(root, leave_out=exports):
            # Small files that do change are kept by content: the same text is stored once.
            digest = _digest(path)
            inside = f"texts/{digest[:2]}/{digest}"
            files[f"{at}/{path.relative_to(root).as_posix()}"] = [inside, digest]
            if not (target / inside).exists():
                _copy(path, target / inside)
                copied += 1
    try:
        published: snapshot.Snapshot | None = snapshot.current(settings.snapshots)
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
    return manifest, copied


def _landed(landing: Path) -> list[Path]:
    """Every load and pack, without those that were set aside."""
    found = (*landing.glob("*/*.parquet"), *landing.glob(f"*/{PACKS}/*.parquet"))
    return sorted(path for path in found if not path.name.startswith("."))


def _verify(path: Path) -> None:
    if is_pack(path):
        verify_pack(Pack.parse(path))
    else:
        verify_load(path)


def _known_at(published: snapshot.Snapshot) -> str:
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


def _copy(path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name[:40]}.{secrets.token_hex(4)}.tmp")
    try:
        shutil.copyfile(path, temporary)
        with temporary.open("rb") as content:
            os.fsync(content.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


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
            _copy(source / inside, target)
        except FileNotFoundError as error:
            raise BackupError(f"{source / inside}: missing in the backup; take an older one with --at") from error
        if at == LANDING:
            _verify(target)
        elif _digest(target) != checksum:
            raise BackupError(f"{source / inside}: damaged in the backup; take an older one with --at")
        total += target.stat().st_size
    return total


def has_spare(settings: Settings, path: Path) -> bool:
    """Whether the backup holds a whole copy of a file of landing."""
    if settings.backup is None:
        return False
    try:
        _verify(settings.backup / LANDING / path.relative_to(settings.landing))
    except DamagedLoadError:
        return False
    return True


def mend(settings: Settings, streams: Iterable[str]) -> list[str]:
    """Bring loads that were set aside as damaged back from the backup, where one is configured and holds them whole.

    Returns:
        One text per load that is back.
    """
    mended: list[str] = []
    for path in (path for stream in streams for path in damaged_paths(settings.landing, stream)):
        target = path.parent.parent / (PACKS if is_pack(path) else "") / path.name
        if settings.backup is not None and not target.exists() and has_spare(settings, target):
            _copy(settings.backup / LANDING / target.relative_to(settings.landing), target)
            mended.append(f"{target}: brought back from the backup")
    return mended


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
        pipeline.build(pipeline.load_context(scratch))
        return "nothing was published yet; the restored files build"
    known_at = datetime.fromisoformat(manifest.known_at)
    pipeline.build(replace(pipeline.load_context(scratch, known_at), is_replay=False))
    published = _published(settings, manifest)
    with duckdb.connect(str(scratch.warehouse), read_only=True) as con:
        rows = {table: _rows(con, table) for table in COLUMNS if table != "published"}
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
