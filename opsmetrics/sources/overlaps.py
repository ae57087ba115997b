"""What the files of a query say of each other's records, where their names tell which days each is about (ADR 6).

Only of files whose records all began in the days of their names: whoever exports by the day of a change has others in
them, and then a newer file that lacks a record says nothing of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from opsmetrics.sources.claims import set_aside
from opsmetrics.sources.contract import Judged
from opsmetrics.sources.exports import Export
from opsmetrics.sources.file_days import Days, named_day, named_days, said_to_be_made, undated
from opsmetrics.sources.query_inputs import InputFile, made_at, written_at
from opsmetrics.sources.raw_table import RawTable
from opsmetrics.streams import Stream

_DAY = timedelta(days=1)
_STALE = "not over in {}, and no newer file tells of it: export again what was open then"


@dataclass(frozen=True, slots=True)
class _File:
    name: str
    days: Days
    made: tuple[str, str]
    written: date
    has_rows: bool

    def is_newer(self, other: _File) -> bool:
        """Whether it was made after another one: by its name, unless the other was written on a later day."""
        return self.made > other.made and self.written >= other.written

    def is_about(self, day: date) -> bool:
        """Whether it is about a day for certain: its own days may be those of another zone."""
        return self.has_rows and self.days[0] + _DAY <= day < self.days[1] - _DAY

    @property
    def kind(self) -> str | None:
        """What it is called without its days: files of other teams are called otherwise."""
        return undated(Path(self.name).name)


def agreed(stream: Stream, inputs: Mapping[str, Sequence[InputFile]], table: RawTable) -> RawTable:
    """Return the rows that hold when all files have spoken, with notes of what does not.

    A record of a day that a newer file is about and that it does not have is gone. One that was not over when its file
    was made, and of which no newer file tells, is set aside: nobody knows whether it is over.

    Args:
        stream: The contract.
        inputs: Files of each input of the query.
        table: Rows of the select.
    """
    if stream.is_register or stream.time not in table.data.columns or table.files is None:
        return table
    day = table.data[stream.time].cast(pl.String).str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    rows = pl.DataFrame({"file": table.files, "day": day, "is_open": _is_open(stream, table)})
    told = [known for files in inputs.values() if len(files) > 1 and (known := _dated(files, rows))]
    notes = [note for files in inputs.values() if len(files) > 1 for note in _left_behind(files, rows)]
    if not told:
        return replace(table, notes=tuple(notes))
    of_file: dict[str | None, list[tuple[int, date | None, bool]]] = {}
    for place, (file, began, is_open) in enumerate(rows.iter_rows()):
        of_file.setdefault(file, []).append((place, began, is_open))
    gone = set[int]()
    stale: dict[int, str] = {}
    for known in told:
        for file in known:
            own = of_file.get(file.name, [])
            newer = [other for other in known if other.is_newer(file)] if own else []
            same = [other for other in newer if other.kind == file.kind and other.days[0] < file.days[1]]
            overtaken = {
                place
                for place, day, _ in own
                if day is not None and file.days[0] <= day < file.days[1] and any(each.is_about(day) for each in same)
            }
            if overtaken:
                names = ", ".join(each.name for each in same)
                notes.append(f"{len(overtaken)} rows of {file.name} are gone: {names} is newer and does not have them")
            gone |= overtaken
            if any(other.days[1] > file.days[1] for other in newer):
                reason = _STALE.format(file.name)
                stale |= {place: reason for place, _, is_open in own if is_open}
    return _without(table, gone, stale, tuple(notes))


def _left_behind(files: Sequence[InputFile], rows: pl.DataFrame) -> list[str]:
    """Return what is to be said of records that only older exports have, where the newest seems to be all there is.

    Files that say the day on which they were made do not say how far they go: nobody but their owner knows.
    """
    newest = max(files, key=made_at)
    known = rows.drop_nulls(["file", "day"])
    own = known.filter(pl.col("file") == newest.name)["day"]
    first = own.min()
    if not isinstance(first, date) or 2 * own.len() <= known.height or not all(named_day(file.name) for file in files):
        return []
    behind = known.filter((pl.col("file") != newest.name) & (pl.col("day") > first + _DAY))
    text = (
        "{} records of {} are not in {}, which is newer and has older ones: where they were taken back, move the old"
        " file away, or write newest = true beside its path in the header of the query, if each file is all there is"
    )
    counts = behind.group_by("file").len().sort("file").iter_rows()
    return [text.format(count, name, newest.name) for name, count in counts]


def left_open(stream: Stream, told: Sequence[tuple[Export, Judged]]) -> list[Judged]:
    """Return the rows of files of given days, where what was not over in an older one is set aside; see :func:`agreed`.

    Args:
        stream: The contract.
        told: The files, the oldest first, and the rows of each.
    """
    rows = [judged for _, judged in told]
    if not stream.ends or any(not set(stream.ends).isdisjoint(judged.untold) for judged in rows):
        return rows
    for export, judged in told:
        day = judged.frame["_day"].drop_nulls()
        if export.days is None or not day.is_between(export.days[0], export.days[1] - _DAY).all():
            return rows
    is_open = pl.all_horizontal(pl.col("_reason").is_null(), *(pl.col(name).is_null() for name in stream.ends))
    found: list[Judged] = []
    for export, judged in told:
        is_told = not any(_follows(other, export) for other, _ in told)
        text = _STALE.format(export.path.name)
        found.append(judged if is_told else replace(judged, frame=set_aside(judged.frame, is_open, text)))
    return found


def is_left_open() -> pl.Expr:
    """Return the condition of judged rows that are set aside because nobody knows whether they are over."""
    return pl.col("_reason").str.starts_with(_STALE.partition("{")[0])


def _follows(other: Export, export: Export) -> bool:
    """Whether a file is about later days, and was not written on an earlier day."""
    if other.days is None or export.days is None or other.days[1] <= export.days[1]:
        return False
    return not (other.written_at and export.written_at) or other.written_at.date() >= export.written_at.date()


def _is_open(stream: Stream, table: RawTable) -> pl.Series:
    """Return which rows say that they are not over; none where the query does not tell it."""
    ends = [table.data[name].cast(pl.String).str.strip_chars() for name in stream.ends if name in table.data.columns]
    if not ends or len(ends) < len(stream.ends):
        return pl.Series([False]).new_from_index(0, table.height)
    said = pl.DataFrame([series.alias(str(number)) for number, series in enumerate(ends)])
    return said.select(pl.all_horizontal((pl.all().is_null()) | (pl.all() == ""))).to_series()


def _dated(files: Sequence[InputFile], rows: pl.DataFrame) -> list[_File]:
    """Return the files of an input, where all say their days and no record of theirs began on others."""
    reach = {name: (first, last) for name, first, last in _reach(rows).iter_rows()}
    found: list[_File] = []
    for file in files:
        days, written = named_days(file.name), written_at(file.path).date()
        if days is None:
            return []
        first, last = reach.get(file.name, (None, None))
        if first is not None and not days[0] - _DAY <= first <= last < days[1] + _DAY:
            return []
        found.append(_File(file.name, days, said_to_be_made(file.name, written), written, first is not None))
    return found


def _reach(rows: pl.DataFrame) -> pl.DataFrame:
    days = rows.drop_nulls(["file", "day"]).group_by("file")
    return days.agg(pl.col("day").min().alias("first"), pl.col("day").max().alias("last"))


def _without(table: RawTable, gone: set[int], stale: Mapping[int, str], notes: tuple[str, ...]) -> RawTable:
    if not gone and not stale:
        return replace(table, notes=notes)
    said = [reason or stale.get(place) for place, reason in enumerate(table.broken)]
    keep = [place for place in range(table.height) if place not in gone]
    return replace(
        table,
        data=table.data[keep],
        lines=table.lines[keep],
        broken=pl.Series(table.broken.name, said, dtype=pl.String)[keep],
        odd={name: series[keep] for name, series in table.odd.items()},
        files=None if table.files is None else table.files[keep],
        notes=notes,
    )
