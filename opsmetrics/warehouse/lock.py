"""One writer of the working file at a time; whoever comes second waits.

DuckDB's own lock refuses at once and names a process, not a start. A lock file beside the working file is held as long
as the file is open; the system lets it go when its holder dies, however that happens.
Does not belong here: DuckDB's own refusal, which stays behind it (``warehouse.connection``).
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from opsmetrics.core.errors import WarehouseBusyError
from opsmetrics.core.json_text import json_value

_LOG = logging.getLogger(__name__)
POLL_SECONDS = 0.2


def lock_path(path: Path) -> Path:
    """Return the lock file of a working file."""
    return path.with_name(f"{path.name}.lock")


@contextmanager
def exclusive(path: Path, busy_seconds: float) -> Generator[None]:
    """Be the only one who works in a file, as long as the block lasts; one thread may enter it again.

    Args:
        path: The working file.
        busy_seconds: How long to wait for another process or thread, in seconds.

    Raises:
        WarehouseBusyError: Another one still works in it after the wait.
        OSError: The lock file cannot be written.
    """
    lock = FileLock(lock_path(path), is_singleton=True)
    is_outermost = not lock.is_locked
    try:
        lock.acquire(timeout=0)
    except Timeout:
        _wait(lock, path, busy_seconds)
    try:
        if is_outermost:
            holder = {"pid": os.getpid(), "since": datetime.now(tz=UTC).isoformat(timespec="seconds")}
            lock_path(path).write_text(json.dumps(holder) + "\n", encoding="utf-8")
        yield
    finally:
        lock.release()


def _wait(lock: FileLock, path: Path, busy_seconds: float) -> None:
    if busy_seconds > 0:
        _LOG.warning("another run is building%s; waiting up to %g s", _holder(path), busy_seconds)
        try:
            lock.acquire(timeout=busy_seconds, poll_interval=POLL_SECONDS)
        except Timeout:
            pass
        else:
            return
    message = f"{path}: another run is writing{_holder(path)}; wait for it, or stop it, and try again"
    raise WarehouseBusyError(message)


def _holder(path: Path) -> str:
    """Say since when the file is held and by which process, as far as the holder has written that."""
    try:
        holder = json_value(lock_path(path).read_text(encoding="utf-8"))
        since = datetime.fromisoformat(holder["since"]).astimezone()
        return f" since {since:%Y-%m-%d %H:%M:%S} (process {int(holder['pid'])})"
    except (OSError, ValueError, KeyError, TypeError):
        return ""
