"""Calendars (iCalendar, RFC 5545): each event is a row, its properties are the columns, and its times say their zone.

An event that repeats is set aside: how often it does, its single events say, which programs for duty export. One that
was called off is none.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from opsmetrics.sources.raw_table import Collector, RawTable, folded, unreadable

_LINE = re.compile(
    r'(?P<name>[A-Za-z0-9-]+)(?P<parameters>(?:;[^:;="]+=(?:"[^"]*"|[^:;"]*))*):(?P<value>.*)', re.DOTALL
)
_PARAMETER = re.compile(r';([^:;="]+)=(?:"([^"]*)"|([^:;"]*))')
_TIME = re.compile(r"[0-9]{8}T[0-9]{6}(Z?)")
_DAY = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_LASTS = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_TIMES = {"DTSTART", "DTEND", "DTSTAMP", "CREATED", "LAST-MODIFIED", "RECURRENCE-ID"}
_REPEATS = {"RRULE", "RDATE"}
# What programs on Windows call the zones of Europe.
_ON_WINDOWS = {
    "W. Europe Standard Time": "Europe/Berlin",
    "Central Europe Standard Time": "Europe/Budapest",
    "Central European Standard Time": "Europe/Warsaw",
    "Romance Standard Time": "Europe/Paris",
    "GMT Standard Time": "Europe/London",
    "FLE Standard Time": "Europe/Helsinki",
    "Greenwich Standard Time": "UTC",
}


@dataclass(slots=True)
class _Event:
    line: int
    cells: dict[str, str] = field(default_factory=dict[str, str])
    start: datetime | None = None
    repeats: bool = False


def read_calendar(path: Path, lines: Iterator[tuple[int, str]], wanted: Container[str]) -> RawTable:
    """Return the events of a calendar: columns are named as its properties are, in small letters with ``_`` for ``-``.

    Args:
        path: The file, for messages.
        lines: Its lines with their numbers.
        wanted: Folded names of the columns to keep.

    Raises:
        SourceError: It is no calendar.
    """
    collector = Collector()
    names: dict[str, None] = {}
    for event in _events(path, lines):
        reason = "an event that repeats (RRULE or RDATE): export its single events" if event.repeats else None
        cells = {name: cell for name, cell in event.cells.items() if folded(name) in wanted}
        names |= dict.fromkeys(cells)
        collector.add(event.line, {} if reason else dict(cells), reason)
    return collector.table(list(names), list(names))


def _events(path: Path, lines: Iterator[tuple[int, str]]) -> Iterator[_Event]:
    inside: list[str] = []
    event: _Event | None = None
    for line, text in _unfolded(lines):
        found = _LINE.fullmatch(text)
        if found is None:
            if not inside:
                raise unreadable(path, line, "this is no calendar", "export it as iCalendar (BEGIN:VCALENDAR)")
            continue
        name, value = found["name"].upper(), found["value"]
        if name == "BEGIN":
            inside.append(value.strip().upper())
            event = _Event(line) if inside[-1] == "VEVENT" else event
        elif name == "END":
            if event is not None and inside[-1:] == ["VEVENT"]:
                _end(event)
                # Programs leave what was called off in the calendar, with its times.
                if event.cells.get("status", "").strip().upper() != "CANCELLED":
                    yield event
                event = None
            inside = inside[:-1]
        elif event is not None and inside[-1:] == ["VEVENT"]:
            _add(event, name, found["parameters"], value)
    if inside:
        raise unreadable(path, None, "the calendar is cut off", "export it again")


def _unfolded(lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Yield whole lines: one that begins with a blank goes on with the one before it."""
    number, whole = 0, ""
    for line, raw in lines:
        text = raw.rstrip("\r\n")
        if text[:1] in {" ", "\t"}:
            whole += text[1:]
            continue
        if whole.strip():
            yield number, whole
        number, whole = line, text
    if whole.strip():
        yield number, whole


def _add(event: _Event, name: str, parameters: str, value: str) -> None:
    """Take up one property; of one that stands several times the first."""
    column = name.lower().replace("-", "_")
    if name in _REPEATS:
        event.repeats = True
    if column in event.cells:
        return
    if name in _TIMES:
        said = {key.upper(): quoted or plain for key, quoted, plain in _PARAMETER.findall(parameters)}
        event.cells[column], at = _time(value.strip(), said.get("TZID", ""))
        event.start = at if name == "DTSTART" else event.start
    else:
        event.cells[column] = re.sub(r"\\([\\;,nN])", lambda found: found[1] if found[1] in "\\;," else " ", value)


def _end(event: _Event) -> None:
    """Where an event says how long it lasts, say when it ends: a day is as long as the clock there makes it."""
    lasts = _LASTS.fullmatch(event.cells.get("duration", "").strip())
    if lasts is None or event.start is None or "dtend" in event.cells:
        return
    try:
        weeks, days, hours, minutes, seconds = (int(part or 0) for part in lasts.groups())
        ends = event.start + timedelta(weeks=weeks, days=days)
        ends = ends if ends.tzinfo is None else ends.astimezone(UTC)
        event.cells["dtend"] = _written(ends + timedelta(hours=hours, minutes=minutes, seconds=seconds))
    except (OverflowError, ValueError):
        # Longer than time: when it ends is not told.
        return


def _time(value: str, zone: str) -> tuple[str, datetime | None]:
    """Return a time as it is read elsewhere; with the zone's name behind it where that does not tell one instant."""
    day = _DAY.fullmatch(value)
    if day is not None:
        return "-".join(day.groups()), None
    found = _TIME.fullmatch(value)
    if found is None:
        return value, None
    try:
        at = datetime.strptime(value[:15], "%Y%m%dT%H%M%S")  # noqa: DTZ007 - its zone follows
    except ValueError:
        return value, None
    if found[1]:
        at = at.replace(tzinfo=UTC)
    elif zone:
        try:
            there = at.replace(tzinfo=ZoneInfo(_ON_WINDOWS.get(zone, zone.lstrip("/"))))
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return f"{at.isoformat()} {zone}", None
        # An hour that the clock repeats or leaves out.
        if there.utcoffset() != there.replace(fold=1).utcoffset():
            return f"{at.isoformat()} {zone}", None
        at = there
    return _written(at), at


def _written(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
