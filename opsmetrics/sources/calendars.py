"""Calendars (iCalendar, RFC 5545): each event is a row, its properties are the columns, and its times say their zone.

An event that repeats is each of its events, but for those that were moved or called off; without an end they go on for
a year after the file was written. One whose rhythm nobody knows here is set aside.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from opsmetrics.sources.raw_table import Collector, RawTable, folded, unreadable
from opsmetrics.sources.repetition import Rhythm

_LINE = re.compile(
    r'(?P<name>[A-Za-z0-9-]+)(?P<parameters>(?:;[^:;="]+=(?:"[^"]*"|[^:;"]*))*):(?P<value>.*)', re.DOTALL
)
_PARAMETER = re.compile(r';([^:;="]+)=(?:"([^"]*)"|([^:;"]*))')
_TIME = re.compile(r"[0-9]{8}T[0-9]{6}(Z?)")
_DAY = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_LASTS = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_TIMES = {"DTSTART", "DTEND", "DTSTAMP", "CREATED", "LAST-MODIFIED", "RECURRENCE-ID"}
# How far events without an end go, and how many there may be of one.
_AHEAD = timedelta(days=366)
_MOST = 10_000
_UNKNOWN_RHYTHM = "an event that repeats in a rhythm that is not known here (RRULE or RDATE): export its single events"
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
    """An event: its cells, and of its times what the calendar wrote, with the zone."""

    line: int
    cells: dict[str, str] = field(default_factory=dict[str, str])
    start: datetime | None = None
    written: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    without: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    rule: str | None = None
    is_unknown: bool = False

    @property
    def uid(self) -> str:
        return self.cells.get("uid", "")


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
    events = list(_events(path, lines))
    # What was moved or called off stands beside the event that repeats, under the time that it had.
    moved = {(event.uid, _key(*event.written["recurrence_id"])) for event in events if "recurrence_id" in event.written}
    until = datetime.fromtimestamp(path.stat().st_mtime, tz=UTC).replace(tzinfo=None) + _AHEAD
    # Programs leave what was called off in the calendar, with its times.
    for event in (each for each in events if each.cells.get("status", "").strip().upper() != "CANCELLED"):
        each_of_it = _each(event, moved, until)
        for cells in each_of_it if each_of_it is not None else [event.cells]:
            kept = {name: cell for name, cell in cells.items() if folded(name) in wanted}
            names |= dict.fromkeys(kept)
            is_known = each_of_it is not None
            collector.add(event.line, dict(kept) if is_known else {}, None if is_known else _UNKNOWN_RHYTHM)
    return collector.table(list(names), list(names))


def _each(event: _Event, moved: Container[tuple[str, str]], until: datetime) -> list[dict[str, str]] | None:
    """Return the cells of each event that one stands for; None where nobody knows which these are."""
    if event.is_unknown:
        return None
    if "recurrence_id" in event.written:
        return [event.cells | {"uid": f"{event.uid}/{_key(*event.written['recurrence_id'])}"}]
    if event.rule is None:
        return [event.cells]
    rhythm, (value, zone) = Rhythm.of(event.rule), event.written.get("dtstart", ("", ""))
    first, length = _naive(value), _length(event)
    if rhythm is None or first is None or length is None or (rhythm.until and _naive(rhythm.until) is None):
        return None
    off = {_key(*each) for each in event.without}
    found: list[dict[str, str]] = []
    for at in rhythm.begins(first, until):
        if _is_after(at, value, zone, rhythm.until):
            break
        if len(found) >= _MOST:
            return None
        start = _like(at, value)
        key = _key(start, zone)
        if key in off or f"{at:%Y-%m-%d}" in off or (event.uid, key) in moved:
            continue
        one = _Event(event.line, event.cells | {"uid": f"{event.uid}/{key}"})
        one.cells["dtstart"], one.start = _time(start, zone)
        if "dtend" in event.written:
            ending, its_zone = event.written["dtend"]
            one.cells["dtend"] = _time(_like(at + length, ending), its_zone)[0]
        else:
            one.cells.pop("dtend", None)
            _end(one)
        found.append(one.cells)
    return found


def _naive(value: str) -> datetime | None:
    """Return a time or day on the clock of its zone."""
    try:
        return datetime.strptime(value[:15], "%Y%m%dT%H%M%S" if "T" in value else "%Y%m%d")  # noqa: DTZ007
    except ValueError:
        return None


def _like(at: datetime, value: str) -> str:
    """Write a time as another one is written."""
    return f"{at:%Y%m%dT%H%M%S}{value[15:]}" if "T" in value else f"{at:%Y%m%d}"


def _key(value: str, zone: str) -> str:
    """What two spellings of one time share."""
    text, at = _time(value, zone)
    return _written(at.astimezone(UTC)) if at is not None and at.tzinfo is not None else text


def _length(event: _Event) -> timedelta | None:
    """Return how long an event lasts on the clock; None where it begins and ends in different zones."""
    if "dtend" not in event.written:
        return timedelta()
    (begin, zone), (end, other) = event.written.get("dtstart", ("", "")), event.written["dtend"]
    first, last = _naive(begin), _naive(end)
    if first is None or last is None or zone != other or begin[15:] != end[15:] or ("T" in begin) != ("T" in end):
        return None
    return last - first


def _is_after(at: datetime, value: str, zone: str, until: str) -> bool:
    """Whether an event begins after the last one, which is said as a day or as a time."""
    last = _naive(until) if until else None
    if last is None:
        return False
    if "T" not in until:
        return at.date() > last.date()
    _, start = _time(_like(at, value), zone)
    if until.endswith("Z") and start is not None and start.tzinfo is not None:
        return start > last.replace(tzinfo=UTC)
    return at > last


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
    said = {key.upper(): quoted or plain for key, quoted, plain in _PARAMETER.findall(parameters)}
    if (
        name == "RDATE"
        or (name == "RRULE" and event.rule is not None)
        or (column == "recurrence_id" and "RANGE" in said)
    ):
        event.is_unknown = True
    elif name == "RRULE":
        event.rule = value
    elif name == "EXDATE":
        event.without += [(each.strip(), said.get("TZID", "")) for each in value.split(",")]
    if column in event.cells:
        return
    if name in _TIMES:
        event.written[column] = value.strip(), said.get("TZID", "")
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
