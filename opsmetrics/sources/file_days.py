"""The days in the names of files: which days a file is about, whose word is newer, and how its kin are called.

A name says a day (``2026-08-31``, ``20260831T0600``, ``31.8.2026``, ``31 aug 2026``), a month (``2026-08``,
``08.2026``, ``august 2026``), a quarter (``2026-Q3``), a week (``2026-W35``, ``uke 35 2026``) or, with two days or
months, all between them. ``(1)`` at its end is what a browser writes where a file of that name is there already.
"""

from __future__ import annotations

import glob
import re
from calendar import monthrange
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Literal

Days = tuple[date, date]

_DAY = timedelta(days=1)
# Files that are a file of every day.
_FEWEST = 3
# In English, Norwegian, German and French; a letter with an accent may be two signs (macOS).
_MONTHS = (
    r"jan(?:uary?|vier)?",
    r"feb(?:ruary?)?|f(?:e|é|e\u0301)v(?:rier|r)?",
    r"mar(?:ch|s)?|m(?:ä|a\u0308|ae)rz?",
    r"apr(?:il)?|avr(?:il)?",
    r"ma[iy]",
    r"jun[ei]?|juin",
    r"jul[iy]?|juil(?:let)?",
    r"aug(?:ust)?|ao(?:u|û|u\u0302)t",
    r"sept?(?:ember|embre)?",
    r"o[ck]t(?:ober|obre)?",
    r"nov(?:ember|embre)?",
    r"de[csz](?:ember|embre)?|d(?:é|e\u0301)c(?:embre)?",
)
_YEAR = r"(?:19|20)\d\d"
_MONTH = r"(?:0[1-9]|1[0-2])"
_NAME = "|".join(f"(?P<m{number}>{names})" for number, names in enumerate(_MONTHS, 1))
_NO_WORD = r"(?<![^\W\d_])"
# Four digits behind a day are a time, unless they are the year of another day or month.
_CLOCK = (
    rf"(?:(?![T_ -]{_YEAR}[-._]{_MONTH})[T_ -]?(?P<clock>(?:[01]\d|2[0-3])[-:.]?[0-5]\d(?:[-:.]?[0-5]\d)?)"
    r"(?:Z|[+-]\d\d:?\d\d)?)?(?!\d)"
)


@dataclass(frozen=True, slots=True)
class _Said:
    """A piece of a name: where it stands, and the half-open days that it says; None where nobody can tell.

    Of a part of a month nobody knows which days it is about.
    """

    start: int
    end: int
    kind: Literal["day", "span", "part", "copy"]
    days: Days | None
    clock: str = ""


def _one(year: int, month: int, day: int) -> Days:
    found = date(year, month, day)
    return found, found + _DAY


def _month(year: int, month: int, months: int = 1) -> Days:
    last = month + months - 1
    return date(year, month, 1), date(year, last, monthrange(year, last)[1]) + _DAY


def _either(found: re.Match[str]) -> Days:
    """Return the day of ``31-08-2026`` or ``08-31-2026``; with full stops between the day comes first."""
    first, second, year = int(found["first"]), int(found["second"]), int(found["year"])
    if found["sign"] == "." or first > 12 or first == second:
        return _one(year, second, first)
    if second > 12:
        return _one(year, first, second)
    raise ValueError("day or month first?")


def _named(found: re.Match[str]) -> Days:
    month = next(number for number in range(1, 13) if found[f"m{number}"])
    said = found.groupdict()
    day = said.get("day") or said.get("after")
    return _one(int(found["year"]), month, int(day)) if day else _month(int(found["year"]), month)


def _week(found: re.Match[str]) -> Days:
    first = date.fromisocalendar(int(found["year"]), int(found["week"]), 1)
    return first, first + 7 * _DAY


_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Days]], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), read)
    for pattern, read in (
        (
            rf"(?<!\d)(?P<year>{_YEAR})(?P<sign>[-_.]?)(?P<month>{_MONTH})(?P=sign)(?P<day>0[1-9]|[12]\d|3[01]){_CLOCK}",
            lambda found: _one(int(found["year"]), int(found["month"]), int(found["day"])),
        ),
        (rf"(?<![\d.])(?P<first>\d\d?)(?P<sign>[-_.])(?P<second>\d\d?)(?P=sign)(?P<year>{_YEAR}){_CLOCK}", _either),
        (
            rf"(?<!\d)(?P<year>{_YEAR})[-_.]?(?P<month>{_MONTH})(?!\d)",
            lambda found: _month(int(found["year"]), int(found["month"])),
        ),
        (
            rf"(?<!\d)(?<!\d[-_.])(?P<month>{_MONTH})[-_.](?P<year>{_YEAR})(?!\d)",
            lambda found: _month(int(found["year"]), int(found["month"])),
        ),
        (
            (
                rf"(?:(?<![^\W_])(?P<day>\d\d?)\.?[ _-]*)?{_NO_WORD}(?:{_NAME})\.?"
                rf"(?:[ _-]*(?P<after>\d\d?)(?:st|nd|rd|th)?,?(?=[ _-]))?[ _.-]*(?P<year>{_YEAR})(?!\d)"
            ),
            _named,
        ),
        (rf"(?<!\d)(?P<year>{_YEAR})[ _.-]*(?:{_NAME})(?![^\W\d_])(?:[ _.-]*(?P<day>\d\d)(?!\d))?", _named),
        (
            rf"(?:{_NO_WORD}Q(?P<q>[1-4])[ _.-]*(?P<year>{_YEAR})(?!\d))",
            lambda found: _month(int(found["year"]), int(found["q"]) * 3 - 2, 3),
        ),
        (
            rf"(?<!\d)(?P<year>{_YEAR})[ _.-]*Q(?P<q>[1-4])(?!\d)",
            lambda found: _month(int(found["year"]), int(found["q"]) * 3 - 2, 3),
        ),
        (rf"{_NO_WORD}(?:W|uke|KW|week)[ _.-]*(?P<week>\d\d?)[ _.-]+(?P<year>{_YEAR})(?!\d)", _week),
        (rf"(?<!\d)(?P<year>{_YEAR})[ _.-]*(?:W|uke|KW|week)[ _.-]*(?P<week>\d\d?)(?!\d)", _week),
    )
)
_COPY = re.compile(r" ?\((?P<copy>[1-9]\d{0,2})\)(?=(?:\.[^.]+)?$)")
# Behind a month: 2026-08-1 is its first day, or its first part.
_GOES_ON = re.compile(rf"[-_.]?(?!{_YEAR})\d")


def _found(text: str) -> Iterator[_Said]:
    """Yield what a name says, from left to right."""
    at = 0
    while True:
        found = [(match, read) for pattern, read in _FORMS if (match := pattern.search(text, at)) is not None]
        if not found:
            break
        match, read = min(found, key=lambda each: (each[0].start(), -each[0].end()))
        yield _read(match, read, text)
        at = match.end()
    copy = _COPY.search(text, at)
    if copy is not None:
        yield _Said(copy.start(), copy.end(), "copy", None)


def _read(match: re.Match[str], read: Callable[[re.Match[str]], Days], text: str) -> _Said:
    groups = match.groupdict()
    is_day = bool(groups.get("day") or groups.get("after") or groups.get("first"))
    try:
        days = read(match)
    except ValueError:
        days = None
    clock = re.sub(r"\D", "", groups.get("clock") or "")
    kind = "day" if is_day else "part" if _GOES_ON.match(text, match.end()) else "span"
    return _Said(match.start(), match.end(), kind, days, clock)


@lru_cache(maxsize=4096)
def _of(text: str) -> tuple[_Said, ...]:
    return tuple(_found(text))


def _parts(name: str) -> tuple[str, str]:
    """Return a file's name, and that of its folders as one text: 2026/08 is a month."""
    folder, _, own = name.rpartition("/")
    return own, folder.replace("/", "-")


def undated(name: str) -> str | None:
    """Return the pattern of a file's name with ``*`` for the days and months in it; None where there are none."""
    said = _of(name)
    if not said:
        return None
    return f"{glob.escape(name[: said[0].start])}*{glob.escape(name[said[-1].end :])}"


def named_days(name: str) -> Days | None:
    """Return the half-open days that a file's name, else its folder's, says: a month, a week, or from day to day."""
    own, folder = _parts(name)
    for part, may_span in ((own, True), (folder, False)):
        days = [said.days for said in _of(part) if said.kind == "day"]
        if days:
            ends = [each for each in days if each is not None]
            is_range = len(days) == len(ends) == 2 and ends[0] < ends[1]
            return (ends[0][0], ends[1][1]) if is_range else None
        spans = [said.days for said in _of(part) if said.kind == "span"]
        known = [each for each in spans if each is not None]
        if known:
            is_range = may_span and len(known) == len(spans) == 2 and known[0] < known[1]
            return (known[0][0], known[1][1]) if is_range else known[-1]
    return None


def named_day(name: str) -> date | None:
    """Return the one day that a file's name, else its folder's, says; None where it says none, several or a month."""
    for part in _parts(name):
        said = [each for each in _of(part) if each.kind != "copy"]
        if said:
            return said[0].days[0] if len(said) == 1 and said[0].kind == "day" and said[0].days else None
    return None


def holes(rows: Mapping[str, Sequence[date]]) -> set[Days]:
    """Return the half-open days between files that none of them is about, also of the files of each kind by themselves.

    Args:
        rows: Name of each file -> the days on which its records began.
    """
    kinds: dict[str | None, dict[str, Sequence[date]]] = {}
    for name, days in rows.items():
        kinds.setdefault(undated(name), {})[name] = days
    return {hole for each in (rows, *kinds.values()) for hole in (*_untold_months(each), *_untold_days(each))}


def _untold_months(rows: Mapping[str, Sequence[date]]) -> Iterator[Days]:
    """Yield the days between the months that names say.

    Where there are rows in such a hole, or a later file begins before it, they are about more than their names say.
    Times may be those of another zone: a day off says nothing.
    """
    named = {name: named_days(name) for name in rows}
    told = {day for days in rows.values() for day in days}
    for start, end in unnamed_days(list(named.values())):
        later = [day for name, days in named.items() if days is not None and days[0] >= end for day in rows[name]]
        is_inside = any(start + _DAY <= day < end - _DAY for day in told)
        if not is_inside and min(later, default=start) >= start - _DAY:
            yield start, end


def _untold_days(rows: Mapping[str, Sequence[date]]) -> list[Days]:
    """Return the days of which a file of every day is missing; none where there is no file of every day.

    Names follow each other day by day, and most records began on the day of their file or the day before, since the
    file before it. In exports of all there is, nearly all records are those of the newest file, whatever their age.
    """
    named = {name: named_day(name) for name in rows}
    told = sorted({day for day in named.values() if day is not None})
    steps = list(pairwise(told))
    if (
        None in named.values()
        or len(told) < _FEWEST
        or 2 * sum(end - start == _DAY for start, end in steps) < len(steps)
    ):
        return []
    before = {end: start for start, end in steps}
    began = [(day, began) for name, day in named.items() if day is not None for began in rows[name]]
    late = [day - start for day, start in began if before.get(day, day - _DAY) <= start <= day + _DAY]
    if 2 * len(late) <= len(began):
        return []
    # What is made in the morning is about the day before, or about both.
    first = _DAY if _is_usual(_DAY, late) else 0 * _DAY
    last = 0 * _DAY if _is_usual(0 * _DAY, late) else first
    found: list[Days] = []
    for start, end in steps:
        # As a file on Monday is about the weekend, where none is about anything older.
        is_over = len(late) == len(began) and any(day == end and start < other < end - _DAY for day, other in began)
        if end - start > _DAY and not is_over:
            found.append((start + _DAY - first, end - last))
    return found


def _is_usual(lag: timedelta, lags: Sequence[timedelta]) -> bool:
    return 20 * sum(each == lag for each in lags) >= len(lags)


def said_to_be_made(name: str, written: date) -> tuple[str, str]:
    """Return when a file's name, else its folder's, says that it was made, and which copy of one name it is.

    Both as texts whose order is that of time, empty where nothing is said. Of several days the last one counts: nothing
    can be told before it is there. One from day to day that was written before its end was made then.

    Args:
        name: Path of the file.
        written: Day on which it was last written.
    """
    own, folder = _parts(name)
    copies = [_COPY.search(own, said.start) for said in _of(own) if said.kind == "copy"]
    copy = f"{int(copies[0]['copy']):03}" if copies and copies[0] else ""
    for part in (own, folder):
        told = [(said.days[1] - _DAY, said.clock) for said in _of(part) if said.days is not None]
        if told:
            last, clock = max(told)
            if len(told) > 1 and last > written:
                last, clock = written, ""
            return f"{last}T{clock}" if clock else f"{last}", copy
    return "", copy


def unnamed_days(named: Sequence[Days | None]) -> list[Days]:
    """Return the half-open days between files that none of them is about; none where one does not say what it is about.

    Args:
        named: What the name of each file says.
    """
    windows = sorted(window for window in named if window is not None)
    if len(windows) < len(named):
        return []
    found: list[Days] = []
    end = windows[0][1] if windows else date.min
    for start, following in windows[1:]:
        if start > end:
            found.append((end, start))
        end = max(end, following)
    return found
