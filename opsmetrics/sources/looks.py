"""How the days of a stream were last looked at: when, and which records were landed of each."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import polars as pl

from opsmetrics.landing import read_columns, read_numbered
from opsmetrics.sources.notes import Seen, Window, days_of
from opsmetrics.streams import Stream

# Streams of what has happened, and is removed by somebody where it is told no more.
_HAPPENED = frozenset({"alerts", "deployments", "incidents"})
GONE = "{stream} that were landed before, and that the source shows no more: removed there, or not to be seen"


@dataclass(frozen=True, slots=True)
class Look:
    """A local day as it was last looked at.

    Attributes:
        at: When.
        keys: Ids of the rows that were landed of it.
    """

    at: datetime
    keys: frozenset[str]


def gone(landing: Path, stream: Stream, days: Window, seen: Seen, told: pl.DataFrame) -> Counter[str]:
    """Count what was landed of a window before and is lacking in a newer answer, which is believed.

    Args:
        landing: Landing folder.
        stream: Any stream.
        days: Half-open local days.
        seen: How each day was last seen, before this answer.
        told: Rows of the answer, also those that are set aside.
    """
    if stream.name not in _HAPPENED:
        return Counter()
    before = {key for look in looks_at(landing, stream, days, seen).values() for key in look.keys}
    return +Counter({GONE.format(stream=stream.name): len(before - set(told[stream.key[0]].to_list()))})


def looks_at(landing: Path, stream: Stream, days: Window, seen: Seen) -> dict[date, Look]:
    """Return how the days of a window were last looked at, those that were.

    Args:
        landing: Landing folder.
        stream: A stream whose key is one column.
        days: Half-open local days.
        seen: How each day was last seen.
    """
    marked: dict[int, list[date]] = defaultdict(list)
    for day in days_of(days):
        if day.isoformat() in seen:
            marked[seen[day.isoformat()].sequence].append(day)
    found: dict[date, Look] = {}
    for sequence, its_days in marked.items():
        load = read_numbered(landing, stream.name, sequence)
        if load is None:
            continue
        keys: dict[date, set[str]] = defaultdict(set)
        for day, key in read_columns(load, ("_day", stream.key[0])).iter_rows():
            keys[day].add(key)
        for day in its_days:
            at = datetime.fromisoformat(seen[day.isoformat()].at)
            found[day] = Look(at, frozenset(keys[day]))
    return found
