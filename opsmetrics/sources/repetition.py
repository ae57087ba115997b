"""The rhythm of an event that repeats (RFC 5545, 3.3.10): when each of its events begins, on the clock of its zone.

Rhythms of days, weeks, months and years are known, which is what programs offer for duty; of any other nobody guesses.
Does not belong here: which zone that is, and which of the events were moved or called off (``calendars``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import MAXYEAR, datetime, timedelta
from itertools import count, islice, takewhile

_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_EVERY = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_PARTS = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "WKST"}


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often an event repeats.

    Attributes:
        every: DAILY, WEEKLY, MONTHLY or YEARLY.
        interval: Every how many of them.
        times: How many events there are; None for no such limit.
        until: Day or time of the last one as the calendar writes it, or empty.
        weekdays: On which days only, 0 being Monday; empty for that of the first event.
        week_begins: Day with which a week begins.
    """

    every: str
    interval: int
    times: int | None
    until: str
    weekdays: frozenset[int]
    week_begins: int

    @classmethod
    def of(cls, rule: str) -> Rhythm | None:
        """Return what a rule says; None where it says more than is known here."""
        said = {
            key.upper(): value.strip().upper() for key, _, value in (part.partition("=") for part in rule.split(";"))
        }
        said.pop("", None)
        days = [day.strip() for day in said.get("BYDAY", "").split(",") if day.strip()]
        begins, numbers = said.get("WKST", "MO"), (said.get("INTERVAL", "1"), said.get("COUNT", "1"))
        is_known = said.keys() <= _PARTS and said.get("FREQ") in _EVERY and {begins, *days} <= set(_WEEKDAYS)
        if not is_known or not all(each.isdecimal() and 0 < len(each) < 7 and int(each) for each in numbers):
            return None
        if days and said["FREQ"] not in {"DAILY", "WEEKLY"}:
            return None
        return cls(
            said["FREQ"],
            int(numbers[0]),
            int(numbers[1]) if "COUNT" in said else None,
            said.get("UNTIL", ""),
            frozenset(map(_WEEKDAYS.index, days)),
            _WEEKDAYS.index(begins),
        )

    def begins(self, first: datetime, until: datetime) -> Iterator[datetime]:
        """Yield when each event begins, the first one first.

        Args:
            first: When the first one does.
            until: How far to look where there is no other limit.
        """
        found = takewhile(lambda at: at <= until, self._all(first))
        kept = (at for at in found if at >= first and (not self.weekdays or at.weekday() in self.weekdays))
        try:
            yield from islice(kept, self.times)
        except OverflowError:
            # Beyond all calendars.
            return

    def _all(self, first: datetime) -> Iterator[datetime]:
        match self.every:
            case "DAILY":
                yield from (first + timedelta(days=number) for number in count(0, self.interval))
            case "WEEKLY":
                week = first - timedelta(days=(first.weekday() - self.week_begins) % 7)
                days = sorted((day - self.week_begins) % 7 for day in self.weekdays or {first.weekday()})
                yield from (
                    week + timedelta(days=7 * number + day) for number in count(0, self.interval) for day in days
                )
            case _:
                # A month without such a day has no event.
                for number in count(0, self.interval * (12 if self.every == "YEARLY" else 1)):
                    years, month = divmod(first.month - 1 + number, 12)
                    with suppress(ValueError):
                        yield first.replace(year=min(first.year + years, MAXYEAR), month=month + 1)
