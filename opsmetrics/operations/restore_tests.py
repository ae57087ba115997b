"""Prove a backup: restore it to a scratch folder, build the scores from it, compare them with what was published.

Each test leaves a record, in the form that the ``restore_files`` connector reads (source contracts, F4b): also one that
was killed, or that a full disk ended. Does not belong here: how files come back (``operations.restoring``).
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import polars as pl
from filelock import FileLock, Timeout

from opsmetrics.build import build, load_context
from opsmetrics.core.atomic import make_folder
from opsmetrics.core.errors import OpsMetricsError
from opsmetrics.core.settings import SPARK_ENGINE, Settings
from opsmetrics.operations.manifests import BackupError, Manifest, read_manifest
from opsmetrics.operations.restore_records import (
    RESTORE_TESTS,
    RestoreTest,
    begin_record,
    end_record,
    keep_begun,
    name_of,
)
from opsmetrics.operations.restoring import restore
from opsmetrics.scoring.tables import TABLES

SYSTEM = "opsmetrics"
LOCK = ".lock"
_ENDS = (OpsMetricsError, OSError, MemoryError, duckdb.Error, pl.exceptions.PolarsError)


def restore_test(settings: Settings, source: Path, name: str | None = None) -> RestoreTest:
    """Restore a backup to a scratch folder, build the scores from it and compare them with what was published.

    The outcome is written to ``restore-tests/`` in the state folder. One test runs at a time; what a killed one left is
    removed, and recorded as failed.

    Raises:
        BackupError: Another test is at work.
        OSError: The state folder cannot be written: not even that a test began.
    """
    folder = settings.home / RESTORE_TESTS
    make_folder(folder)
    try:
        with FileLock(folder / LOCK, timeout=settings.busy_seconds):
            _sweep(settings, folder)
            return _test(settings, source, name, folder)
    except Timeout as error:
        raise BackupError(f"{folder}: another restore test is at work; wait for it, or stop it") from error


def _test(settings: Settings, source: Path, name: str | None, folder: Path) -> RestoreTest:
    began, clock = datetime.now(tz=UTC), time.monotonic()
    record = name_of(folder, began)
    said = "it was killed, or the disk was full, before it ended"
    test = RestoreTest(f"{SYSTEM}-{record}", SYSTEM, began.isoformat(), None, None, "failed", 0.0, 0.0, said)
    begun = begin_record(folder, record, test)
    try:
        with _scratch(settings) as place:
            test = _tried(settings, source, name, place, test)
    except _ENDS as error:
        test = replace(test, said=_first_line(error))
    test = replace(test, seconds=round(time.monotonic() - clock, 1))
    end_record(begun, test)
    return test


def _tried(settings: Settings, source: Path, name: str | None, place: Path, test: RestoreTest) -> RestoreTest:
    scratch = replace(settings, home=place / "home", org=place / "org", now=None)
    try:
        done = restore(source, scratch.home, scratch.org, name)
        test = replace(test, data_gb=round(done.size / 1e9, 6))
        if not done.is_whole:
            lines = [*done.missing, *done.unread]
            more = f" and {len(lines) - 1} more files" if len(lines) > 1 else ""
            raise BackupError(f"{done.name} is not whole: {lines[0]}{more}")
        test = replace(test, restored_at=datetime.now(tz=UTC).isoformat())
        said = _compared(settings, scratch, read_manifest(source, done.name))
    except _ENDS as error:
        return replace(test, said=_first_line(error))
    return replace(test, verified_at=datetime.now(tz=UTC).isoformat(), result="ok", said=said)


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0] or type(error).__name__


def _sweep(settings: Settings, folder: Path) -> None:
    """Remove what killed tests of this state folder left, and keep their records; the caller holds the lock."""
    for leftover in _place(settings).glob(f"{_prefix(settings)}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    keep_begun(folder)


@contextmanager
def _scratch(settings: Settings) -> Generator[Path]:
    path = Path(tempfile.mkdtemp(prefix=_prefix(settings), dir=_place(settings)))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _place(settings: Settings) -> Path:
    # A cluster sees the state folder, not this machine's own one.
    return settings.home if settings.engine == SPARK_ENGINE else Path(tempfile.gettempdir())


def _prefix(settings: Settings) -> str:
    """Names of scratch folders tell whose they are: tests of other state folders may be at work beside."""
    return f"opsmetrics-restore-{hashlib.sha256(str(settings.home.resolve()).encode()).hexdigest()[:8]}-"


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
