"""The files source: CSV, JSON Lines and Parquet of any stream, one whole file or one file a day.

A whole file proves only the days it covers: those named by ``covers`` in sources.toml, else the days from its
first to its last row. A quiet day at the end of a file without ``covers`` is unknown, never quiet.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import polars as pl

from opsmetrics.core.errors import Problem, SourceError
from opsmetrics.landing import PARTIAL, SILENT, Batch, read_loads
from opsmetrics.organisation import Organisation, StreamSource
from opsmetrics.organisation.queries import QuerySource
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
from opsmetrics.sources.query_inputs import content_digest, files_of
from opsmetrics.sources.query_run import answer
from opsmetrics.sources.raw_table import RawTable, folded
from opsmetrics.sources.tables import read_table
from opsmetrics.streams import Stream

# A file that is rewritten while it is read is read again, after a pause that grows.
READINGS = 3
PAUSE_SECONDS = 0.2


def files_root(organisation: Organisation, override: Path | None) -> Path:
    """Return the folder that ``path`` in sources.toml starts from."""
    return override if override is not None else (organisation.folder / organisation.sources.root).resolve()


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading the files of a source rests on.

    Attributes:
        organisation: Whose files.
        source: How they are written.
        stream: Their contract.
        root: Folder that paths start from.
        today: Local day.
    """

    organisation: Organisation
    source: StreamSource
    stream: Stream
    root: Path
    today: date

    @property
    def query(self) -> QuerySource | None:
        """The source as a query, or None where it is a plain file."""
        return self.source if isinstance(self.source, QuerySource) else None

    @property
    def bases(self) -> tuple[Path, ...]:
        """Folders that paths of a query begin in."""
        return (self.root, self.organisation.folder)


def planned(reading: Reading, window: Window | None) -> Iterator[tuple[Path, Window | None]]:
    """Yield the files to read and, for daily files, the day each stands for; of a query its own.

    Raises:
        SourceError: The path leaves the root, or daily files were asked for without a range.
    """
    organisation, source = reading.organisation, reading.source
    if reading.query is not None:
        yield organisation.folder / source.path, None
        return
    if not source.is_daily:
        yield _inside(organisation, reading.root, source.path), None
        return
    first = window[0] if window else organisation.settings.history_from
    last = window[1] if window else reading.today
    day = first
    while day < last:
        path = _inside(organisation, reading.root, source.path.replace("{date}", day.isoformat()))
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


def paths_of(reading: Reading, path: Path) -> list[Path]:
    """Return the files that decide the rows of a source, by which a change is seen; none where it shows in no file."""
    if reading.query is None:
        return [path]
    if reading.query.tables:
        return []
    try:
        found = files_of(reading.query, reading.bases, str(path))
    except SourceError:
        return []
    return [path, *(file.path for name in sorted(found) for file in found[name])]


def digest(reading: Reading, path: Path) -> str:
    """Digest of everything that decides the landed rows: the rules that they are read with, and what is read.

    Raises:
        SourceError: A file of a query is not there, or a table of one cannot be read.
    """
    total = hashlib.sha256(rules_digest(reading.source, reading.stream, reading.today).encode())
    query = reading.query
    if query is not None:
        with one_error(str(path)):
            if query.tables:
                total.update(_rows_digest(answer(query, reading.bases, str(path)).table))
            total.update(content_digest(files_of(query, reading.bases, str(path))).encode())
        return total.hexdigest()
    if path.is_file():
        with one_error(str(path)), path.open("rb") as content:
            while chunk := content.read(1 << 20):
                total.update(chunk)
    return total.hexdigest()


def _rows_digest(table: RawTable) -> bytes:
    """Digest of rows in whatever order: a database does not say whether it changed."""
    hashes = table.data.hash_rows(1).sort().to_numpy() if table.data.width else table.lines.to_numpy()
    return hashlib.sha256(f"{table.names}".encode() + hashes.tobytes()).digest()


def read_rows(reading: Reading, path: Path) -> Judged:
    """Read one file and hold its rows against the contract, whatever days they are of; for a look at it.

    Raises:
        SourceError: The file cannot be read, or lacks a column.
    """
    with one_error(str(path)):
        return judged(reading, path, _table(reading, path))


def _table(reading: Reading, path: Path) -> RawTable:
    if reading.query is not None:
        return answer(reading.query, reading.bases, str(path)).table
    return read_table(path, wanted(reading.stream, reading.source.columns))


def judged(reading: Reading, path: Path, table: RawTable) -> Judged:
    """Hold the rows of a file, or of a query, against the contract.

    Raises:
        SourceError: A column is missing.
    """
    source, organisation = reading.source, reading.organisation
    there = {folded(name) for name in table.names}
    told = {name for name in source.assume if folded(name) in there}
    found = apply_contract(
        table.with_constants({name: _written(value) for name, value in source.assume.items() if name not in told}),
        reading.stream,
        columns=source.columns,
        zones=Zones(source.naive_time, organisation.settings.timezone),
        happened=happened_days(organisation, reading.today),
        file=path,
    )
    return replace(found, idle=tuple(sorted(told)))


def read_parcel(reading: Reading, path: Path, *, landing: Path, day: Window | None, window: Window | None) -> Batch:
    """Read one file into a batch for the days it proves, cut to ``window`` where one is given.

    Args:
        reading: Whose file, how it is written, and on which day.
        path: The file.
        landing: Folder of the loads, which tell what the file claimed before.
        day: The day of a daily file.
        window: Half-open days to cut it to.

    Raises:
        SourceError: The file cannot be read, proves no day, or every row of it was set aside.
    """
    source, stream, today = reading.source, reading.stream, reading.today
    with one_error(str(path)):
        table, of_file = _settled(reading, path)
        found = judged(reading, path, table)
        frame = found.frame
        if table.height == 0 and not source.is_daily:
            _refuse_vanished(reading, path, landing)
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
            dropped_columns=found.dropped,
            origin=source.origin,
            untold=found.untold,
            unproven=runs(states),
        )


def _written(value: float | str) -> str:
    """Return a value of the configuration as a file would write it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def mark(digest_of_file: str, window: Window | None) -> str:
    """Return what stands for a file and the days it is cut to; equal marks land nothing new."""
    return f"{digest_of_file}|{window}"


def _settled(reading: Reading, path: Path) -> tuple[RawTable, str]:
    """Read a file that stays the same while it is read, and its digest: what is landed is what was hashed."""
    before = digest(reading, path)
    for attempt in range(READINGS):
        if attempt:
            time.sleep(attempt * PAUSE_SECONDS)
        try:
            table, failure = _table(reading, path), None
        except SourceError as error:
            table, failure = None, error
        after = digest(reading, path)
        if after == before:
            if table is None:
                raise failure or AssertionError
            return table, after
        before = after
    message = f"the file was changed {READINGS} times while it was read"
    fix = "let the exporter write a file of another name and rename it when it is whole; the next pull reads it"
    raise SourceError(Problem(str(path), None, message, fix))


def _refuse_vanished(reading: Reading, path: Path, landing: Path) -> None:
    """Refuse a whole file without rows where it had some: an export fails more often than everything vanishes."""
    organisation, source, today = reading.organisation, reading.source, reading.today
    last = max(
        (load for load in read_loads(landing, reading.stream.name, source.origin) if load.rows),
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
    counts = reasons(frame)
    said = "; ".join(f"{each.rows} x {each.text} (first in line {each.line})" for each in counts[:3])
    message = f"every row was set aside, {frame.height} of {frame.height}: {said}"
    fix = "mend the export or its description in sources.toml (columns, naive_time, covers); nothing of it is landed"
    raise SourceError(Problem(counts[0].file or str(path), counts[0].line, message, fix))


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
