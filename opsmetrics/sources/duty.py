"""Periods of duty as sources show them, made into shifts that are the same whichever days are asked for.

A source cuts the first and the last period of its answer at the edges of what was asked. A shift that could be such a
piece is longer than ``LONGEST``: it is cut at local midnights before Mondays, so that each piece has the same begin
and end in every answer. Nobody's name or id is kept, only how many there were.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from opsmetrics.organisation import Organisation

# A weekly shift over a change of the clocks is an hour longer than a week.
LONGEST = timedelta(days=8)
# What is asked for on either side of the wanted days: a period that is cut there is longer than the longest.
MARGIN = timedelta(days=10)
GONE = "schedule {schedule} is not there, or not to be seen with this key: who was on duty is not known"


@dataclass(frozen=True, slots=True)
class Period:
    """One period of duty of one schedule, as the source shows it.

    Attributes:
        schedule: Its schedule.
        starts_at: Start.
        ends_at: End.
        people: Ids of the people on duty, only counted; None where it is not known who that is.
    """

    schedule: str
    starts_at: datetime
    ends_at: datetime
    people: frozenset[str] | None


def shifts(organisation: Organisation, teams: dict[str, str], periods: Iterable[Period]) -> list[dict[str, Any]]:
    """Return rows of shifts; several people over the same hours are one.

    Args:
        organisation: Whose midnights.
        teams: Schedule -> team.
        periods: What the source shows, in any order, also more than once.
    """
    found: dict[tuple[str, datetime, datetime], set[str]] = defaultdict(set)
    unknown: set[tuple[str, datetime, datetime]] = set()
    for period in periods:
        for start, end in _pieces(organisation, period.starts_at, period.ends_at):
            key = (period.schedule, start, end)
            found[key] |= period.people or set()
            if period.people is None:
                unknown.add(key)
    return [
        {
            "shift_id": _id(*key),
            "team_id": teams[key[0]],
            "starts_at": key[1],
            "ends_at": key[2],
            "responder_count": len(people) if people or key not in unknown else None,
        }
        for key, people in found.items()
    ]


def _id(schedule: str, start: datetime, end: datetime) -> str:
    text = "|".join((schedule, *(at.astimezone(UTC).isoformat() for at in (start, end))))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _pieces(organisation: Organisation, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    if end - start <= LONGEST:
        if end > start:
            yield start, end
        return
    monday = _next_monday(start.astimezone(organisation.zone).date())
    while (at := organisation.midnight(monday)) < end:
        if at > start:
            yield start, at
            start = at
        monday += timedelta(days=7)
    yield start, end


def _next_monday(day: date) -> date:
    return day + timedelta(days=7 - day.weekday())
