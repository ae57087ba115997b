"""Times that come again at a time of day, as monitors' maintenance does: when they begin, in whose zone.

Does not belong here: what a system calls such times, and what they mean there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
MONTHS = frozenset(range(1, 13))
# The fifth of a kind of weekday is the last one, in months that have four.
_LAST_WEEK, _LONGEST_MONTH = 5, 4


@dataclass(frozen=True, slots=True)
class Recurring:
    """A time that comes again.

    Attributes:
        kind: How.
        length: How long it lasts each time.
        once_at: When it begins, if it comes but once.
        minute: Minute of the day at which it begins else.
        every: Every so many days or weeks; of weekdays of a month which one, 5 for the last.
        weekdays: Monday is 0; of a weekly one, and of a monthly one without days.
        days: Days of the month.
        months: Months of a monthly one.
    """

    kind: Literal["once", "daily", "weekly", "monthly"]
    length: timedelta
    once_at: datetime | None = None
    minute: int = 0
    every: int = 1
    weekdays: frozenset[int] = frozenset()
    days: frozenset[int] = frozenset()
    months: frozenset[int] = MONTHS

    def times(
        self, active: tuple[datetime, datetime], within: tuple[datetime, datetime], zone: ZoneInfo
    ) -> Iterator[tuple[datetime, datetime]]:
        """Yield begin and end of each time, cut to when it is active, of those that touch some time.

        Args:
            active: From when until when it comes again; days and weeks are counted from the first.
            within: Half-open, what is asked for.
            zone: Of the time of day.
        """
        for start in self._starts(active[0], (within[0] - self.length, within[1]), zone):
            since, until = max(start, active[0]), min(start + self.length, active[1])
            if since < until and since < within[1] and within[0] < until:
                yield since, until

    def _starts(self, active: datetime, within: tuple[datetime, datetime], zone: ZoneInfo) -> Iterator[datetime]:
        """Yield when it begins, of those that begin within some time, as Zabbix' server works it out."""
        if self.kind == "once":
            if self.once_at is not None:
                yield self.once_at
            return
        since = active.astimezone(zone).date()
        day = max(since, within[0].astimezone(zone).date() - DAY)
        hours, minutes = divmod(self.minute, 60)
        while day <= within[1].astimezone(zone).date():
            local = datetime(day.year, day.month, day.day, hours, minutes, tzinfo=zone)
            start = local.astimezone(UTC)
            # A time that the clocks skip does not come; what would begin before it is active does not either.
            is_there = start.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None)
            if is_there and start >= active and self._is_day(day, since):
                yield start
            day += DAY

    def _is_day(self, day: date, since: date) -> bool:
        """Whether it begins on a day; days and weeks are counted from the first one."""
        if self.kind == "daily":
            return (day - since).days % self.every == 0
        if self.kind == "weekly":
            weeks = (day - (since - timedelta(days=since.weekday()))).days // 7
            return weeks % self.every == 0 and day.weekday() in self.weekdays
        if day.month not in self.months:
            return False
        if self.days:
            return day.day in self.days
        number = (day.day - 1) // 7 + 1
        is_last = self.every == _LAST_WEEK and number == _LONGEST_MONTH and (day + timedelta(days=7)).month != day.month
        return day.weekday() in self.weekdays and (self.every == number or is_last)
