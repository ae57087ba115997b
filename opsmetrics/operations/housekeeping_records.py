"""What housekeeping did last, kept beside the state: also when it was killed, and when the disk was full.

A record is begun before the work and written again at its end. One that says ``running`` while nobody holds its lock is
of a process that was killed. Does not belong here: who is told (``operations.health``).
"""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import TypeAdapter

from opsmetrics.core.atomic import make_folder, write_whole_text
from opsmetrics.core.errors import OpsMetricsError, UnreadableError
from opsmetrics.core.instants import instant
from opsmetrics.core.json_text import read_note

FOLDER = "upkeep"
BACKUP, COMPACTION = "backup", "compaction"
RUNNING, OK, FAILED = "running", "ok", "failed"


@dataclass(frozen=True, slots=True)
class Record:
    """One piece of housekeeping.

    Attributes:
        what: Which, such as ``backup``.
        began_at: ISO instant, UTC.
        ended_at: ISO instant, UTC, or None.
        result: ``running``, ``ok`` or ``failed``.
        said: What is wrong, one line each.
        succeeded_at: When it last ended well, ISO instant.
    """

    what: str
    began_at: str
    ended_at: str | None
    result: str
    said: tuple[str, ...] = ()
    succeeded_at: str | None = None


_RECORD = TypeAdapter(Record)


class Recording:
    """A record in the making.

    Attributes:
        said: What is wrong so far; anything makes the outcome ``failed``.
    """

    def __init__(self) -> None:
        self.said: list[str] = []


@contextmanager
def recorded(home: Path, what: str, busy_seconds: float) -> Generator[Recording]:
    """Keep a record of what the block does, however it ends.

    Where the state folder cannot be written at all, such as on a disk that went read-only, the block runs without.

    Raises:
        OpsMetricsError: The same is being done by another process, and still is after the wait.
    """
    recording, before = Recording(), read_record(home, what)
    record = Record(what, _now(), None, RUNNING, succeeded_at=before.succeeded_at if before else None)
    lock = FileLock(_lock(home, what), timeout=busy_seconds)
    try:
        make_folder(home / FOLDER)
        lock.acquire()
    except Timeout as error:
        raise OpsMetricsError(f"{home}: another {what} is at work; wait for it, or stop it") from error
    except OSError:
        yield recording
        return
    try:
        _write(home, record)
        yield recording
    except (OpsMetricsError, OSError, MemoryError) as error:
        _write(home, _ended(record, (*recording.said, str(error).partition("\n")[0] or type(error).__name__)))
        raise
    else:
        _write(home, _ended(record, tuple(recording.said)))
    finally:
        lock.release()


def _ended(record: Record, said: tuple[str, ...]) -> Record:
    now = _now()
    if said:
        return replace(record, ended_at=now, result=FAILED, said=said)
    return replace(record, ended_at=now, result=OK, succeeded_at=now)


def read_record(home: Path, what: str) -> Record | None:
    """Return the last record, or None where there is none that can be read.

    One of a process that was killed, or that could not write its end, is ``failed``.
    """
    try:
        content = read_note(home / FOLDER / f"{what}.json")
        found = _RECORD.validate_python(content)
        instant(found.succeeded_at)
    except (UnreadableError, ValueError):
        return None
    if found.result == RUNNING and not _is_held(home, what):
        return replace(found, result=FAILED, said=("it was killed, or its disk was full, before it ended",))
    return found


def _is_held(home: Path, what: str) -> bool:
    try:
        with FileLock(_lock(home, what), timeout=0):
            return False
    except Timeout:
        return True
    except OSError:
        # Not ours to lock, such as on a read-only disk: nothing is said of it.
        return True


def _lock(home: Path, what: str) -> Path:
    return home / FOLDER / f"{what}.lock"


def _write(home: Path, record: Record) -> None:
    """Write a record; on a full disk what was begun stays, which says that nothing ended well."""
    with suppress(OSError):
        write_whole_text(home / FOLDER / f"{record.what}.json", json.dumps(asdict(record)) + "\n", durable=True)


def _now() -> str:
    return datetime.now(tz=UTC).isoformat(timespec="seconds")
