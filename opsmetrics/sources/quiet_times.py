"""Times at which a notification policy tells nobody, as Alertmanager and Grafana write them (contracts, C2, C3).

Both call them mute and active time intervals, and tell only those of now: the past is read with them.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

Row = dict[str, Any]
# Inclusive ends.
Range = tuple[int, int]
MINUTE = timedelta(minutes=1)
HALF_HOUR = 30  # minutes
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# From Sunday to Saturday: the order in which ranges of weekdays are written.
_ORDER = (_WEEKDAYS[-1], *_WEEKDAYS[:-1])
_MONTHS = tuple(name.lower() for name in calendar.month_name)


@dataclass(frozen=True, slots=True)
class _Interval:
    """One time interval: what it does not name, it does not ask for."""

    zone: tzinfo
    minutes: tuple[Range, ...]
    weekdays: tuple[Range, ...]
    days: tuple[Range, ...]
    months: tuple[Range, ...]
    years: tuple[Range, ...]

    def holds(self, at: datetime) -> bool:
        here = at.astimezone(self.zone)
        last = calendar.monthrange(here.year, here.month)[1]
        days = tuple(
            (first if first > 0 else last + first + 1, end if end > 0 else last + end + 1) for first, end in self.days
        )
        asked = (
            (self.minutes, here.hour * 60 + here.minute),
            (self.weekdays, _ORDER.index(_WEEKDAYS[here.weekday()])),
            (days, here.day),
            (self.months, here.month),
            (self.years, here.year),
        )
        return all(not ranges or any(first <= is_now <= end for first, end in ranges) for ranges, is_now in asked)


class QuietTimes:
    """The time intervals that policies name.

    Args:
        items: ``name`` and ``time_intervals`` of each. One that cannot be read makes nothing quiet.
    """

    def __init__(self, items: Iterable[Row]) -> None:
        self._by_name: dict[str, tuple[_Interval, ...]] = {}
        for item in items:
            try:
                found = tuple(_interval(each) for each in item.get("time_intervals") or [])
            except (LookupError, TypeError, ValueError, OSError):
                continue
            self._by_name[str(item.get("name"))] = found

    def cover(self, policy: Row, first: datetime, last: datetime) -> bool:
        """Whether a policy tells nobody from the first to the last instant.

        Args:
            policy: With ``mute_time_intervals`` and ``active_time_intervals``, names of intervals.
            first: When an alert began.
            last: When it ended.
        """
        muted, active = self._named(policy, "mute_time_intervals"), self._named(policy, "active_time_intervals")
        if not muted and not active:
            return False
        at = first
        while at <= last:
            is_muted = any(interval.holds(at) for found in muted for interval in found or ())
            # Of an interval that nobody knows it may be the time now.
            is_active = not active or any(found is None or any(each.holds(at) for each in found) for found in active)
            if is_active and not is_muted:
                return False
            if at == last:
                break
            at = min(_next(at, [*muted, *active]), last)
        return True

    def _named(self, policy: Row, kind: str) -> list[tuple[_Interval, ...] | None]:
        return [self._by_name.get(str(name)) for name in policy.get(kind) or []]


def times_of(item: Row, first: datetime, last: datetime) -> list[tuple[datetime, datetime]]:
    """Return when one time interval holds between two instants, as pairs of begin and end, in order.

    Args:
        item: As Alertmanager writes one: ``times``, ``weekdays``, ``location``.
        first: From when on.
        last: Until when.

    Raises:
        LookupError, TypeError, ValueError, OSError: It cannot be read.
    """
    interval, at = _interval(item), first
    found: list[tuple[datetime, datetime]] = []
    while at < last:
        until = min(_next(at, [(interval,)]), last)
        if interval.holds(at):
            begin = found.pop()[0] if found and found[-1][1] == at else at
            found.append((begin, until))
        at = until
    return found


def _next(at: datetime, asked: Iterable[Sequence[_Interval] | None]) -> datetime:
    """Return the next instant at which an interval may begin or end, so that an alert of years takes no million steps.

    Days and clocks change at half hours only, in every zone.
    """
    start = at.replace(second=0, microsecond=0)
    minutes = HALF_HOUR - start.minute % HALF_HOUR
    for interval in (each for found in asked for each in found or ()):
        here = start.astimezone(interval.zone)
        since = here.hour * 60 + here.minute
        edges = (edge - since for first, end in interval.minutes for edge in (first, end + 1))
        minutes = min([minutes, *(edge for edge in edges if edge > 0)])
    return start + minutes * MINUTE


def _interval(item: Row) -> _Interval:
    times = [(_minute(each["start_time"]), _minute(each["end_time"]) - 1) for each in item.get("times") or []]
    zone = str(item.get("location") or "UTC")
    return _Interval(
        UTC if zone == "UTC" else ZoneInfo(zone),
        tuple(times),
        _ranges(item.get("weekdays"), _ORDER),
        _ranges(item.get("days_of_month")),
        _ranges(item.get("months"), _MONTHS),
        _ranges(item.get("years")),
    )


def _minute(written: str | int) -> int:
    """Return the minute of a day; YAML reads 17:00 without quotes as a number to the base of 60, which is the same."""
    if isinstance(written, int):
        return written
    hours, _, minutes = written.partition(":")
    return int(hours) * 60 + int(minutes)


def _ranges(items: Sequence[Any] | None, words: Sequence[str] = ()) -> tuple[Range, ...]:
    found: list[Range] = []
    for item in items or []:
        first, _, end = str(item).lower().partition(":")
        found.append((_place(first, words), _place(end or first, words)))
    return tuple(found)


def _place(word: str, words: Sequence[str]) -> int:
    return words.index(word.strip()) if word.strip() in words else int(word)
