"""The files source: CSV, JSON Lines and Parquet of any stream, one whole file or one file a day.

A whole file proves only the days it covers: those named by ``covers`` in sources.toml, else the days from its
first to its last row. A quiet day at the end of a file without ``covers`` is unknown, never quiet.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import polars as pl

from opsmetrics.core.errors import Problem, SourceError
from opsmetrics.landing import PARTIAL, SILENT, Batch, read_loads
from opsmetrics.organisation import Organisation, StreamSource
from opsmetrics.sources.border import one_error
from opsmetrics.sources.claims import (
    DAY,
    carried,
    covered_days,
    doubtful_days,
    happened_days,
    proven,
    reasons,
    runs,
    silent_days,
)
from opsmetrics.sources.contract import Judged, apply_contract, wanted
from opsmetrics.sources.file_marks import rules_digest
from opsmetrics.sources.forms import Zones
from opsmetrics.sources.notes import Window
from opsmetrics.sources.raw_table import RawTable, folded
from opsmetrics.sources.tables import read_table
from opsmetrics.streams import Stream

# A file that is rewritten while it is read is read again, after a pause that grows.
READINGS = 3
PAUSE_SECONDS = 0.2


def files_root(organisation: Organisation, override: Path | None) -> Path:
    """Return the folder that ``path`` in sources.toml starts from."""
    return override if override is not None else (organisation.folder / organisation.sources.root).resolve()


def planned(
    organisation: Organisation, source: StreamSource, root: Path, today: date, window: Window | None
) -> Iterator[tuple[Path, Window | None]]:
    """Yield the files to read and, for daily files, the day each stands for.

    Raises:
        SourceError: The path leaves the root, or daily files were asked for without a range.
    """
    if not source.is_daily:
        yield _inside(organisation, root, source.path), None
        return
    first = window[0] if window else organisation.settings.history_from
    last = window[1] if window else today
    day = first
    while day < last:
        path = _inside(organisation, root, source.path.replace("{date}", day.isoformat()))
        if path.exists():
            yield path, (day, day + DAY)
        day += DAY


def _inside(organisation: Organisation, root: Path, name: str) -> Path:
    """Return a path below the root or below the organisation's own folder (registers), nowhere else."""
    bases = [root.resolve(), organisation.folder.resolve()]
    candidates = [(base / name).resolve() for base in bases]
    allowed = [path for path, base in zip(candidates, bases, strict=True) if path.is_relative_to(base)]
    # A link that leads out is as far away as a path that does.
    if not any(path.exists() for path in allowed) and len(allowed) < len(bases):
        problem = Problem(
            str(organisation.folder / "sources.toml"), None, f"path {name!r} leaves the root", "stay below it"
        )
        raise SourceError(problem)
    return next((path for path in allowed if path.exists()), allowed[0])


def digest(path: Path, source: StreamSource, stream: Stream, today: date) -> str:
    """Digest of everything that decides the landed rows: the rules that the file is read with, and its bytes."""
    total = hashlib.sha256(rules_digest(source, stream, today).encode())
    if path.is_file():
        with one_error(str(path)), path.open("rb") as content:
            while chunk := content.read(1 << 20):
                total.update(chunk)
    return total.hexdigest()


def read_rows(organisation: Organisation, source: StreamSource, stream: Stream, path: Path, today: date) -> Judged:
    """Read one file and hold its rows against the contract, whatever days they are of; for a look at it.

    Raises:
        SourceError: The file cannot be read, or lacks a column.
    """
    with one_error(str(path)):
        table = read_table(path, wanted(stream, source.columns))
        return _judged(organisation, source, stream, path, table, today)


def _judged(
    organisation: Organisation, source: StreamSource, stream: Stream, path: Path, table: RawTable, today: date
) -> Judged:
    there = {folded(name) for name in table.names}
    told = {name for name in source.assume if folded(name) in there}
    judged = apply_contract(
        table.with_constants({name: _written(value) for name, value in source.assume.items() if name not in told}),
        stream,
        columns=source.columns,
        zones=Zones(source.naive_time, organisation.settings.timezone),
        happened=happened_days(organisation, today),
        file=path,
    )
    return replace(judged, idle=tuple(sorted(told)))


def read_parcel(
    organisation: Organisation,
    source: StreamSource,
    stream: Stream,
    path: Path,
    *,
    landing: Path,
    day: Window | None,
    window: Window | None,
    now: datetime,
) -> Batch:
    """Read one file into a batch for the days it proves, cut to ``window`` where one is given.

    Args:
        organisation: Whose file.
        source: How it is written.
        stream: Its contract.
        path: The file.
        landing: Folder of the loads, which tell what the file claimed before.
        day: The day of a daily file.
        window: Half-open days to cut it to.
        now: Clock of the pull.

    Raises:
        SourceError: The file cannot be read, proves no day, or every row of it was set aside.
    """
    today = now.astimezone(organisation.zone).date()
    with one_error(str(path)):
        table, of_file = _settled(path, source, stream, today)
        judged = _judged(organisation, source, stream, path, table, today)
        frame = judged.frame
        if table.height == 0 and not source.is_daily:
            _refuse_vanished(organisation, source, stream, path, landing, today)
        _refuse_useless(frame, path)
        if stream.is_register:
            covered, states = (today, today + DAY), dict.fromkeys(doubtful_days(frame, (today, today + DAY)), PARTIAL)
        else:
            covered = day or covered_days(source, stream, frame, path, today)
            if day is not None and stream.ends:
                frame = carried(frame, day)
            frame, states = proven(frame, covered, stream, today)
            _refuse_useless(frame, path)
            if day is None and source.covers is None:
                states = dict.fromkeys(silent_days(frame), SILENT) | states
            covered, frame = _cut(covered, frame, source, window)
            states = {each: state for each, state in states.items() if covered[0] <= each < covered[1]}
        return Batch(
            frame,
            covered,
            path.name,
            mark(of_file, window),
            dropped_columns=judged.dropped,
            untold=judged.untold,
            unproven=runs(states),
        )


def _written(value: float | str) -> str:
    """Return a value of the configuration as a file would write it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def mark(digest_of_file: str, window: Window | None) -> str:
    """Return what stands for a file and the days it is cut to; equal marks land nothing new."""
    return f"{digest_of_file}|{window}"


def _settled(path: Path, source: StreamSource, stream: Stream, today: date) -> tuple[RawTable, str]:
    """Read a file that stays the same while it is read, and its digest: what is landed is what was hashed."""
    before = digest(path, source, stream, today)
    for attempt in range(READINGS):
        if attempt:
            time.sleep(attempt * PAUSE_SECONDS)
        try:
            table, failure = read_table(path, wanted(stream, source.columns)), None
        except SourceError as error:
            table, failure = None, error
        after = digest(path, source, stream, today)
        if after == before:
            if table is None:
                raise failure or AssertionError
            return table, after
        before = after
    message = f"the file was changed {READINGS} times while it was read"
    fix = "let the exporter write a file of another name and rename it when it is whole; the next pull reads it"
    raise SourceError(Problem(str(path), None, message, fix))


def _refuse_vanished(
    organisation: Organisation, source: StreamSource, stream: Stream, path: Path, landing: Path, today: date
) -> None:
    """Refuse a whole file without rows where it had some: an export fails more often than everything vanishes."""
    last = max(
        (load for load in read_loads(landing, stream.name, source.origin) if load.rows),
        key=lambda load: load.sequence,
        default=None,
    )
    if last is None:
        return
    landed = last.loaded_at.astimezone(organisation.zone).date()
    if source.empty_since is None or source.empty_since < landed:
        message = f"the file has no rows, where {last.rows} were landed from it on {landed}"
        fix = f"export it again; if it is really empty, say so in sources.toml: empty_since = {today}"
        raise SourceError(Problem(str(path), 1, message, fix))


def _refuse_useless(frame: pl.DataFrame, path: Path) -> None:
    """Refuse a file of which every row was set aside: it proves nothing, least of all quiet days."""
    if frame.height == 0 or frame["_reason"].null_count():
        return
    counts = reasons(frame).head(3).iter_rows()
    said = "; ".join(f"{rows} x {reason} (first in line {line})" for reason, rows, line in counts)
    message = f"every row was set aside, {frame.height} of {frame.height}: {said}"
    fix = "mend the export or its description in sources.toml (columns, naive_time, covers); nothing of it is landed"
    raise SourceError(Problem(str(path), int(frame["_line"][0]), message, fix))


def _cut(
    covered: Window, frame: pl.DataFrame, source: StreamSource, window: Window | None
) -> tuple[Window, pl.DataFrame]:
    if source.valid_to is not None:
        # Another source delivers from there on; its days are not this file's to prove.
        limit = (date.min, source.valid_to)
        window = limit if window is None else (window[0], min(window[1], source.valid_to))
    if window is None:
        return covered, frame
    covered = (max(covered[0], window[0]), min(covered[1], window[1]))
    return covered, frame.filter(pl.col("_day").is_null() | pl.col("_day").is_between(*covered, closed="left"))
