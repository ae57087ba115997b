"""Where the ticks of an axis stand: on whole units of the calendar, and on round values."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from opsmetrics.language.fmt import IN_PERCENT, number, percent, short_month

MOST = 5  # labels of an axis that fit on a phone
_DAYS = (1, 2, 7, 14)
_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120)


@dataclass(frozen=True, slots=True)
class Tick:
    """One tick of an axis of days.

    Attributes:
        on: First day of its month, or a Monday, or any day where days are shown.
        words: The month or the day; the year where it is the first tick or another year than the tick before.
        year: The year, where it is to be said, else empty.
    """

    on: date
    words: str
    year: str

    @property
    def label(self) -> str:
        """Month or day with the year on one line."""
        return f"{self.words}\u00a0{self.year}".rstrip("\u00a0")


def calendar_ticks(language: str, first: date, last: date, most: int = MOST) -> list[Tick]:
    """Return the ticks of an axis from one day to another: at most so many, on equal steps of the calendar.

    Args:
        language: Of the months.
        first: Left end of the axis.
        last: Right end; not before the left one.
        most: Ticks at most.
    """
    found = _days(first, last, most)
    by_day = any(day.day != 1 for day in found)
    ticks: list[Tick] = []
    for before, day in zip([None, *found], found, strict=False):
        month = short_month(language, day)
        if by_day:
            month = f"{day.day}.\u00a0{month}" if language == "nb" else f"{day.day}\u00a0{month}"
        is_said = before is None or before.year != day.year
        ticks.append(Tick(day, month, str(day.year) if is_said else ""))
    return ticks


def _days(first: date, last: date, most: int) -> list[date]:
    """Days of the finest step that gives no more ticks than asked for."""
    span = (last - first).days
    for step in _DAYS:
        if span / step < most:
            start = first if step < _DAYS[2] else first + timedelta(days=-first.weekday() % 7)
            return [
                start + timedelta(days=step * i)
                for i in range(span // step + 1)
                if start + timedelta(days=step * i) <= last
            ]
    for step in _MONTHS:
        found = list(_months(first, last, step))
        if 1 <= len(found) <= most:
            return found
    return [first]


def _months(first: date, last: date, step: int) -> Iterator[date]:
    """Firsts of months that are whole steps of the calendar: quarters begin in January, April, July, October."""
    at = first.year * 12 + first.month - 1 + (first.day > 1)
    at += -at % step
    while (day := date(at // 12, at % 12 + 1, 1)) <= last:
        yield day
        at += step


def round_ticks(lowest: float, highest: float, most: int = MOST) -> list[float]:
    """Return round values within a range, about as many as asked for; the same value twice gives one."""
    if not highest > lowest:
        return [lowest]
    rough = (highest - lowest) / most
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough * (1 - 1e-9))
    return [step * place for place in range(math.ceil(lowest / step - 1e-9), math.floor(highest / step + 1e-9) + 1)]


def tick_words(language: str, unit: str, ticks: list[float]) -> list[str]:
    """Return round values as the language writes the unit, with the decimals that their step needs."""
    step = ticks[1] - ticks[0] if len(ticks) > 1 else abs(ticks[0]) or 1.0
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    if unit in IN_PERCENT:
        return [percent(language, tick, max(0, decimals - 2)) for tick in ticks]
    return [number(language, tick, decimals) for tick in ticks]
