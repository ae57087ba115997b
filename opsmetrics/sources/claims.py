"""Which days a delivery proves: those its rows reach without a long silence, and none of which a row was set aside.

Does not belong here: what a file no longer covers (``file_pulls``), and which load counts for a day (``warehouse``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from opsmetrics.core.errors import Problem, SourceError
from opsmetrics.landing import PARTIAL
from opsmetrics.organisation import Organisation, StreamSource
from opsmetrics.sources.notes import Window, days_of
from opsmetrics.streams import Rule, Stream

DAY = timedelta(days=1)
# A file that does not say which days it covers proves no silence longer than this: one wrong year is one.
LONGEST_SILENCE = timedelta(days=92)
# What began before the history may still be open in it.
BEFORE_HISTORY_YEARS = 10


def happened_days(organisation: Organisation, today: date) -> Window:
    """Return the half-open days that a row can be of: ten years before the history to tomorrow."""
    first = organisation.settings.history_from
    earliest = date(max(first.year - BEFORE_HISTORY_YEARS, 1), first.month, min(first.day, 28))
    return earliest, today + 2 * DAY


def doubtful_days(frame: pl.DataFrame, window: Window, stream: Stream, zone: ZoneInfo) -> set[date]:
    """Return the days of a window of which a row was set aside, or may have been.

    Where two times of a row contradict each other nobody knows which of them is mistyped: it may be of the day of
    either. A row whose day cannot be read may be of any, unless its end says when it began at the earliest.

    Args:
        frame: Rows as :func:`opsmetrics.sources.contract.apply_contract` returns them.
        window: Half-open local days.
        stream: Their contract.
        zone: Whose midnights cut days.
    """
    aside = frame.filter(pl.col("_reason").is_not_null())
    found = set(aside["_day"].drop_nulls().to_list())
    for rule in stream.rules:
        if stream.time in {rule.least, rule.most}:
            other = rule.most if stream.time == rule.least else rule.least
            found |= _possible_days(aside.filter(_contradicts(rule)), other, stream, zone)
    unread = aside.filter(pl.col("_day").is_null())
    for number in range(unread.height):
        begun = _begun(unread[number], stream, zone)
        if not any(window[0] <= day < window[1] for day in begun):
            return set(days_of(window))
        found |= begun
    return {day for day in found if window[0] <= day < window[1]}


def _contradicts(rule: Rule) -> pl.Expr:
    least, most = pl.col(rule.least), pl.col(rule.most)
    if rule.within_days is not None:
        return most > least + timedelta(days=rule.within_days)
    return least >= most if rule.is_strict else least > most


def _begun(unread: pl.DataFrame, stream: Stream, zone: ZoneInfo) -> set[date]:
    """Return the days on which rows of no known day may have begun, by when they ended; else none."""
    if stream.lasts_days is None:
        return set()
    return set().union(*(_possible_days(unread, name, stream, zone) for name in stream.ends))


def _possible_days(rows: pl.DataFrame, name: str, stream: Stream, zone: ZoneInfo) -> set[date]:
    """Return the local days that a time of rows names, and before an end those on which they may have begun."""
    times = rows[name].drop_nulls()
    days = times if stream.column(name).type == "date" else times.dt.convert_time_zone(zone.key).dt.date()
    back = (stream.lasts_days or 0) if name in stream.ends else 0
    return {day - timedelta(days=number) for day in days.unique().to_list() for number in range(back + 1)}


def silent_days(frame: pl.DataFrame) -> set[date]:
    """Return the days inside silences between rows that are too long for a file to prove by itself."""
    days = sorted(frame.filter(pl.col("_reason").is_null())["_day"].drop_nulls().unique().to_list())
    long = [(before + DAY, after) for before, after in pairwise(days) if after - before > LONGEST_SILENCE]
    return {day for window in long for day in days_of(window)}


def runs(states: Mapping[date, str]) -> tuple[tuple[date, date, str], ...]:
    """Join days of one state that follow each other into half-open windows."""
    found: list[tuple[date, date, str]] = []
    for day in sorted(states):
        if found and found[-1][1] == day and found[-1][2] == states[day]:
            found[-1] = (found[-1][0], day + DAY, states[day])
        else:
            found.append((day, day + DAY, states[day]))
    return tuple(found)


def within(unproven: tuple[tuple[date, date, str], ...], window: Window) -> tuple[tuple[date, date, str], ...]:
    """Cut half-open windows of unproven days to a window."""
    cut = ((max(start, window[0]), min(end, window[1]), state) for start, end, state in unproven)
    return tuple((start, end, state) for start, end, state in cut if start < end)


def covered_days(source: StreamSource, stream: Stream, frame: pl.DataFrame, path: Path, today: date) -> Window:
    """Return the days that a whole file is about; what has not happened yet is only there as rows of plans."""
    if source.covers is not None:
        first, last = source.covers
        return min(first, today), (last if stream.is_plan else min(last, today)) + DAY
    days = frame.filter(pl.col("_reason").is_null())["_day"]
    start, end = days.min(), days.max()
    if not isinstance(start, date) or not isinstance(end, date):
        message = f"the file has no rows, and {source.described_in} does not name the days that it covers"
        raise SourceError(Problem(str(path), None, message, "set covers = [first day, last day], or export it again"))
    return start, end + DAY


def proven(
    frame: pl.DataFrame, covered: Window, stream: Stream, today: date, zone: ZoneInfo
) -> tuple[pl.DataFrame, dict[date, str]]:
    """Set rows outside the covered days aside, and say of which of these days not everything is known."""
    states = dict.fromkeys(doubtful_days(frame, covered, stream, zone), PARTIAL)
    if stream.is_plan:
        states |= dict.fromkeys(days_of((max(covered[0], today + DAY), covered[1])), PARTIAL)
    return _outside(frame, covered), states


def carried(frame: pl.DataFrame, day: Window) -> pl.DataFrame:
    """Let the day's file tell how a row of an earlier day went on: it belongs to the day that it is told on."""
    is_earlier = pl.col("_reason").is_null() & (pl.col("_day") < day[0])
    return frame.with_columns(_day=pl.when(is_earlier).then(pl.lit(day[0])).otherwise(pl.col("_day")))


@dataclass(frozen=True, slots=True)
class Reason:
    """Why rows were set aside, and where the first of them stands.

    Attributes:
        text: Why.
        rows: How many.
        line: Line of the first.
        file: Its file, where a query reads several; else None.
    """

    text: str
    rows: int
    line: int
    file: str | None


def reasons(frame: pl.DataFrame) -> list[Reason]:
    """Return why rows were set aside, most rows first."""
    aside = frame.filter(pl.col("_reason").is_not_null()).sort("_line")
    first = [pl.len().alias("rows"), pl.col("_line").first(), pl.col("_raw").first()]
    counts = aside.group_by("_reason").agg(first).sort(["rows", "_reason"], descending=[True, False])
    return [Reason(text, rows, line, file_of(raw)) for text, rows, line, raw in counts.iter_rows()]


def file_of(raw: str | None) -> str | None:
    """Return the file that a row stands in, where the row as it came says so."""
    found = re.match(r'\{"_file":("(?:[^"\\]|\\.)*")', raw or "")
    return str(json.loads(found[1])) if found else None


def _outside(frame: pl.DataFrame, covered: Window) -> pl.DataFrame:
    """Set rows outside the covered days aside: the window would not be replaced with them."""
    late = pl.col("_reason").is_null() & ~pl.col("_day").is_between(*covered, closed="left")
    # Without the days, so that the rows of all daily files share one reason.
    text = "outside the days that the file covers, which go from local midnight to local midnight"
    return set_aside(frame, late, text)


def set_aside(frame: pl.DataFrame, which: pl.Expr, why: str) -> pl.DataFrame:
    """Set rows aside, which are good but for that.

    Args:
        frame: Judged rows.
        which: Condition.
        why: The reason.
    """
    keys = [name for name in frame.columns if not name.startswith("_")]
    raw = pl.struct([pl.col(name).cast(pl.String) for name in keys]).struct.json_encode()
    return frame.with_columns(
        _raw=pl.when(which).then(raw).otherwise(pl.col("_raw")),
        _reason=pl.when(which).then(pl.lit(why)).otherwise(pl.col("_reason")),
    )
