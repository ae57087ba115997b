"""Instants as texts, the way files and answers write them.

Belongs here: reading one, and names that sort by one. Does not belong here: forms that a source alone has, and whether
a zone may be missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime

# Clocks, registers and replays lie between them: beyond, neither a zone's days nor DuckDB's have a form.
_EARLIEST, _LATEST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_NAME = re.compile(r"(\d{8}T\d{6}Z)(?:\+(\d{6}))?")


def is_of_our_time(at: datetime) -> bool:
    """Whether an instant with an offset is one that anything here can have happened at, or be planned for."""
    # Compared as they are: to give the first one of all another offset has no result.
    return _EARLIEST <= at < _LATEST


def instant(text: str | None) -> datetime | None:
    """Read an instant of ISO 8601, such as ``2026-11-10T08:15:00.000+0100``; nothing or an empty text is none.

    Raises:
        ValueError: The text is no such instant.
    """
    return datetime.fromisoformat(text) if text else None


def name_after(names: Iterable[str], now: datetime) -> str:
    """Return a name for ``now`` that sorts after the names that were given before, whatever the clock said then.

    Usually it is the instant alone, ``20261110T071500Z``. Where the clock has been set back, the newest name gets a
    number, ``20271110T071500Z+000001``: what is made last stays the newest.
    """
    name = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    found = [match for match in map(_NAME.fullmatch, names) if match]
    newest = max(found, key=lambda match: match[0], default=None)
    if newest is None or newest[0] <= name:
        return name
    return f"{newest[1]}+{int(newest[2] or 0) + 1:06d}"
