"""The files source: CSV, JSON Lines and Parquet of any stream, whole files or one file a day.

A whole file proves only the days it covers: those that its own date or ``covers`` in sources.toml names, else the days
from its first to its last row. A quiet day at the end of a file that says neither is unknown, never quiet.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from pathlib import Path
from time import sleep
from zoneinfo import ZoneInfo

import polars as pl

from opsmetrics.core.errors import Problem, SourceError
from opsmetrics.core.places import followed
from opsmetrics.landing import PARTIAL, SILENT, Batch, read_loads
from opsmetrics.organisation import Organisation, StreamSource
from opsmetrics.organisation.file_sources import MANIFEST, READ
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
from opsmetrics.sources.exports import (
    Export,
    Part,
    claim,
    export_of,
    first_local_day,
    half_told,
    manifest_of,
    matching,
    merged,
    zone_days,
)
from opsmetrics.sources.file_days import holes, unnamed_days
from opsmetrics.sources.file_marks import rules_digest
from opsmetrics.sources.forms import Zones
from opsmetrics.sources.notes import Window, days_of
from opsmetrics.sources.overlaps import agreed, is_left_open, left_open
from opsmetrics.sources.query_inputs import content_digest, files_of
from opsmetrics.sources.query_run import answer
from opsmetrics.sources.raw_table import FILE, RawTable, folded
from opsmetrics.sources.tables import MAX_FILE_BYTES, read_table
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
    if source.is_several:
        # Read together: the newest stands for all of them.
        yield from ((export.path, None) for export in _several(reading)[-1:])
        return
    if not source.is_daily:
        yield _inside(organisation, reading.root, source.path), None
        return
    first = window[0] if window else organisation.settings.history_from
    last = window[1] if window else reading.today
    day = first
    while day < last:
        of_day = [path for path, _ in _daily(reading, day) if path.exists()]
        if of_day:
            yield of_day[-1], (day, day + DAY)
        day += DAY


def _daily(reading: Reading, day: date) -> list[tuple[Path, date]]:
    """Return the daily files that a local day has a part in, there or not, and the day on which each begins."""
    source, zone = reading.source, reading.organisation.zone
    if source.cut is None:
        named = [(day, day)]
    else:
        cut = ZoneInfo(source.cut)
        named = [(each, first_local_day(each, cut, zone)) for each in zone_days(day, cut, zone)]
    return [
        (_inside(reading.organisation, reading.root, source.path.replace("{date}", name.isoformat())), begins)
        for name, begins in named
    ]


def _several(reading: Reading) -> list[Export]:
    return matching(reading.source, reading.bases, reading.organisation.zone)


def exports_of(reading: Reading, path: Path, day: Window | None) -> list[Export]:
    """Return the files that are read as one, oldest first.

    Raises:
        SourceError: One says of itself what cannot be.
    """
    source = reading.source
    if reading.query is not None:
        return [_of_query(reading, path)]
    if reading.stream.is_register:
        return [Export(path)]
    if source.is_several:
        return _several(reading)
    if day is not None:
        return [Export(each) for each, _ in _daily(reading, day[0]) if each.exists()]
    return [export_of(path, source, reading.organisation.zone)]


def _inside(organisation: Organisation, root: Path, name: str) -> Path:
    """Return a path below the root or below the organisation's own folder (registers), nowhere else."""
    bases = [root.resolve(), organisation.folder.resolve()]
    candidates = [followed(base / name) for base in bases]
    allowed = [path for path, base in zip(candidates, bases, strict=True) if path.is_relative_to(base)]
    # A link that leads out is as far away as a path that does.
    if not any(path.exists() for path in allowed) and len(allowed) < len(bases):
        problem = Problem(
            str(organisation.folder / "sources.toml"), None, f"path {name!r} leaves the root", "stay below it"
        )
        raise SourceError(problem)
    return next((path for path in allowed if path.exists()), allowed[0])


def _of_query(reading: Reading, path: Path) -> Export:
    """Return what the files of a query say together: they go as far as the newest of them."""
    query = reading.query
    if query is None or query.exported is None:
        return Export(path)
    if query.exported == READ:
        return Export(path, datetime.combine(reading.today, time(12), reading.organisation.zone))
    found = files_of(query, reading.bases, str(path))
    dated = [export_of(file.path, query, reading.organisation.zone) for each in found.values() for file in each]
    return max(dated, key=lambda export: export.age, default=Export(path))


def paths_of(reading: Reading, path: Path, day: Window | None = None) -> list[Path]:
    """Return the files that decide the rows of a source, by which a change is seen; none where it shows in no file."""
    if reading.query is None:
        try:
            found = [export.path for export in exports_of(reading, path, day)]
        except SourceError:
            return []
        return [*found, *(manifest_of(each) for each in found if reading.source.exported == MANIFEST)]
    if reading.query.tables:
        return []
    try:
        found = files_of(reading.query, reading.bases, str(path))
    except SourceError:
        return []
    read = [file.path for name in sorted(found) for file in found[name]]
    return [path, *read, *(manifest_of(each) for each in read if reading.source.exported == MANIFEST)]


def digest(reading: Reading, path: Path, day: Window | None = None) -> str:
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
            made = _of_query(reading, path).made_on(reading.organisation.zone)
            total.update(f"{made}".encode() if made else b"")
        return total.hexdigest()
    for export in exports_of(reading, path, day):
        made = export.made_on(reading.organisation.zone)
        total.update(f"{export.path.name}|{made}|{export.days}".encode())
        # What is too large is refused when it is read, and not before all of it was.
        if export.path.is_file() and export.path.stat().st_size <= MAX_FILE_BYTES:
            with one_error(str(export.path)), export.path.open("rb") as content:
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
        table = answer(reading.query, reading.bases, str(path)).table
        return agreed(reading.stream, files_of(reading.query, reading.bases, str(path)), table)
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
    source = reading.source
    with one_error(str(path)):
        tables, of_file = _settled(reading, path, day)
        found = [judged(reading, export.path, table) for export, table in tables]
        if source.is_several:
            found = left_open(reading.stream, [(export, each) for (export, _), each in zip(tables, found, strict=True)])
        if not source.is_daily and not any(table.height for _, table in tables):
            _refuse_vanished(reading, path, landing)
        for each, (export, _) in zip(found, tables, strict=True):
            _refuse_useless(each.frame, export.path, source)
        part = _told(
            reading, path, day, [(export, each.frame) for (export, _), each in zip(tables, found, strict=True)]
        )
        holes = _holes(reading, path, tables)
        states = {each: SILENT for hole in holes for each in days_of(hole)} | part.states
        states |= dict.fromkeys(set(part.frame["_day"].drop_nulls()) & states.keys(), PARTIAL)
        covered, frame = _cut(part.covered, part.frame, source, window)
        return Batch(
            frame,
            covered,
            source.path if source.is_several else path.name,
            mark(of_file, window),
            dropped_columns=_joined(each.dropped for each in found),
            origin=source.origin,
            untold=_joined(each.untold for each in found),
            holes=tuple(holes),
            notes=tuple(note for _, table in tables for note in table.notes),
            unproven=runs({each: state for each, state in states.items() if covered[0] <= each < covered[1]}),
        )


def _holes(reading: Reading, path: Path, tables: list[tuple[Export, RawTable]]) -> list[Window]:
    """Return the days between files that none of them is about."""
    if reading.query is not None and tables:
        return _holes_of_query(reading, path, tables[0][1])
    return unnamed_days([export.days for export, _ in tables]) if reading.source.is_several else []


def _holes_of_query(reading: Reading, path: Path, table: RawTable) -> list[Window]:
    """Return the days between the files of a query that none of them is about: of such a month nothing is known."""
    query, time_name = reading.query, reading.stream.time
    if query is None or query.covers is not None or reading.stream.is_register or table.files is None:
        return []
    if time_name is None or time_name not in table.data.columns:
        return []
    day = table.data[time_name].cast(pl.String).str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    rows = pl.DataFrame({FILE: table.files, time_name: day}).drop_nulls()
    of_file: dict[str, list[date]] = dict(rows.group_by(FILE).agg(pl.col(time_name)).iter_rows())
    inputs = files_of(query, reading.bases, str(path)).values()
    return sorted({hole for each in inputs for hole in holes({file.name: of_file.get(file.name, []) for file in each})})


def _joined(names: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """Return what any of some files says, in order: of a day nobody knows which file told it."""
    return tuple(dict.fromkeys(name for each in names for name in each))


def _told(reading: Reading, path: Path, day: Window | None, frames: list[tuple[Export, pl.DataFrame]]) -> Part:
    """Return the rows of the files that are read as one, with the days that they are about and do not prove."""
    stream, today = reading.stream, reading.today
    if stream.is_register:
        ((_, frame),) = frames
        now = (today, today + DAY)
        doubtful = doubtful_days(frame, now, stream, reading.organisation.zone)
        return Part(frame, now, dict.fromkeys(doubtful, PARTIAL))
    if day is not None:
        return _day_told(reading, day, frames)
    return merged(
        [
            _whole_told(reading, export, path, frame, is_oldest=number == 0)
            for number, (export, frame) in enumerate(frames)
        ]
    )


def _day_told(reading: Reading, day: Window, frames: list[tuple[Export, pl.DataFrame]]) -> Part:
    """Return what daily files tell of a local day: partial where a file that has a part in it is not there."""
    planned_files = _daily(reading, day[0])
    begins = dict(planned_files)
    rows: list[pl.DataFrame] = []
    for export, frame in frames:
        first = begins[export.path]
        told = carried(frame, (first, first + DAY)) if reading.stream.ends else frame
        if reading.source.cut is not None:
            # What belongs to neither of the file's local days is set aside once: with the day that it begins on.
            is_stray = ~pl.col("_day").is_between(first, first + DAY) & pl.lit(first == day[0])
            told = told.filter(pl.col("_day").is_null() | (pl.col("_day") == day[0]) | is_stray)
        rows.append(told)
    frame, states = proven(pl.concat(rows), day, reading.stream, reading.today, reading.organisation.zone)
    if reading.source.cut is None:
        _refuse_useless(frame, frames[0][0].path, reading.source)
    missing = {day[0]: PARTIAL} if len(frames) < len(planned_files) else {}
    return Part(frame, day, states | missing)


def _whole_told(reading: Reading, export: Export, path: Path, frame: pl.DataFrame, *, is_oldest: bool) -> Part:
    """Return what one whole file tells: of the days of its own word, else of those of its rows."""
    source, stream, zone, today = reading.source, reading.stream, reading.organisation.zone, reading.today
    own = claim(export, source, frame, zone, today, is_oldest=is_oldest) if source.covers is None else None
    covered = own or covered_days(source, stream, frame, path, today)
    if export.days is not None and stream.ends:
        frame = carried(frame, covered)
    frame, states = proven(frame, covered, stream, today, zone)
    _refuse_useless(frame, export.path, reading.source)
    if source.covers is None and export.days is None:
        silent = silent_days(frame)
        if source.complete_from is not None:
            silent = {each for each in silent if each < source.complete_from}
        states = dict.fromkeys(silent, SILENT) | states
    return Part(frame, covered, states | half_told(export, covered, zone, today))


def _written(value: float | str) -> str:
    """Return a value of the configuration as a file would write it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def mark(digest_of_file: str, window: Window | None) -> str:
    """Return what stands for a file and the days it is cut to; equal marks land nothing new."""
    return f"{digest_of_file}|{window}"


def _settled(reading: Reading, path: Path, day: Window | None) -> tuple[list[tuple[Export, RawTable]], str]:
    """Read files that stay the same while they are read, and their digest: what is landed is what was hashed."""
    before = digest(reading, path, day)
    for attempt in range(READINGS):
        if attempt:
            sleep(attempt * PAUSE_SECONDS)
        try:
            tables, failure = _tables(reading, path, day), None
        except SourceError as error:
            tables, failure = [], error
        after = digest(reading, path, day)
        if after == before:
            if failure is not None:
                raise failure
            return tables, after
        before = after
    message = f"the file was changed {READINGS} times while it was read"
    fix = "let the exporter write a file of another name and rename it when it is whole; the next pull reads it"
    raise SourceError(Problem(str(path), None, message, fix))


def _tables(reading: Reading, path: Path, day: Window | None) -> list[tuple[Export, RawTable]]:
    """Read the files that are read as one; of several each row says its file."""
    exports = exports_of(reading, path, day)
    if reading.query is not None:
        return [(export, _table(reading, path)) for export in exports]
    tables = [(export, _table(reading, export.path)) for export in exports]
    if len(tables) < 2:
        return tables
    return [
        (export, replace(table, files=pl.Series(FILE, [export.path.name] * table.height, dtype=pl.String)))
        for export, table in tables
    ]


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
        fix = f"export it again; if it is really empty, say so in {source.described_in}: empty_since = {today}"
        raise SourceError(Problem(str(path), 1, message, fix))


def _refuse_useless(frame: pl.DataFrame, path: Path, source: StreamSource) -> None:
    """Refuse a file of which every row was set aside: it proves nothing, least of all quiet days."""
    # A row that was left open is none that nobody could read.
    if frame.height == 0 or frame.select((pl.col("_reason").is_null() | is_left_open()).any()).item():
        return
    counts = reasons(frame)
    said = "; ".join(f"{each.rows} x {each.text} (first in line {each.line})" for each in counts[:3])
    message = f"every row was set aside, {frame.height} of {frame.height}: {said}"
    settings = "naive_time, covers" if isinstance(source, QuerySource) else "columns, naive_time, covers"
    fix = f"mend the export or its description in {source.described_in} ({settings}); nothing of it is landed"
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
