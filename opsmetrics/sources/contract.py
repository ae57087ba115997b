"""Hold rows against a stream's contract: type them, or set them aside with a reason. Nothing is lost.

The typing runs in DuckDB over the whole table. A value is never repaired, and which row of several is believed never
follows from their order: a rule decides, or none is.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import duckdb
import polars as pl

from opsmetrics.core.errors import SourceError
from opsmetrics.sources.conflicts import settle_keys
from opsmetrics.sources.forms import Fault, Zones, blurs_of, expected, faults_of, form_of, given, quoted
from opsmetrics.sources.raw_table import BOOLEAN, FILE, RawTable, folded, unreadable
from opsmetrics.streams import DUCKDB_TYPES, Column, Stream

# Oldest day and latest plan that a contract can name; what has happened is bounded more narrowly.
FIRST_EVER, LAST_PLAN = date(1990, 1, 1), date(2100, 1, 1)
MAX_RAW = 4_000


@dataclass(frozen=True, slots=True)
class Judged:
    """Rows held against a contract.

    Attributes:
        frame: Contract columns plus ``_day`` (date, or null where it cannot be read), ``_line``, ``_reason``
            (null = kept) and ``_raw`` (JSON of the contract's columns as they came, for rows set aside).
        dropped: Names of columns left out; what of them cannot be printed is written as an escape.
        untold: Columns of the contract that the source cannot tell.
        idle: Columns that the configuration assumes and the source tells itself.
    """

    frame: pl.DataFrame
    dropped: tuple[str, ...]
    untold: tuple[str, ...]
    idle: tuple[str, ...] = ()


def wanted(stream: Stream, columns: Mapping[str, str]) -> frozenset[str]:
    """Return the folded names of the columns that a source of this stream may deliver.

    Args:
        stream: The contract.
        columns: Contract column -> column of the source, where they differ.
    """
    return frozenset(folded(columns.get(column.name, column.name)) for column in stream.columns)


def apply_contract(
    table: RawTable,
    stream: Stream,
    *,
    columns: Mapping[str, str],
    zones: Zones,
    happened: tuple[date, date],
    file: Path,
) -> Judged:
    """Type a table and mark the rows that break the contract.

    Of rows of one key, equal ones are one row; of others the newest is kept where the stream says which that is, and
    else none is.

    Args:
        table: As :func:`opsmetrics.sources.tables.read_table` gives it.
        stream: The contract.
        columns: Contract column -> column of the source, where they differ.
        zones: Zone of timestamps without offset, and the organisation's, which decides the day of an instant.
        happened: First day that a row can be of, and the day after the last that can have happened.
        file: For messages.

    Raises:
        SourceError: A required or a mapped column is missing, or two columns could be meant.
    """
    present = _resolved(table, stream, columns, file)
    frame = _named(table, present)
    with _typist().cursor() as con:
        con.execute("set timezone = 'UTC'")
        con.execute("set enable_progress_bar = false")
        con.register("source", frame)
        _judge(con, stream, _judging(frame, stream, zones, happened))
        settle_keys(con, stream, has_files=FILE in frame.columns)
        names = ", ".join(quoted(column.name) for column in stream.columns)
        typed = con.sql(f"select {names}, _day, _line, _reason, _raw from judged order by _line").pl()
    dropped = (_shown(name) for name in set(table.names) - set(present.values()))
    untold = tuple(name for name in stream.names if name not in present)
    return Judged(typed, tuple(sorted(dropped)), untold)


@cache
def _typist() -> duckdb.DuckDBPyConnection:
    """One database for all tables: opening one costs more than typing a small table. Every table has a cursor."""
    return duckdb.connect()


def _resolved(table: RawTable, stream: Stream, columns: Mapping[str, str], file: Path) -> dict[str, str]:
    """Return contract column -> column of the file, for those that the file has."""
    found = {column.name: _match(table, columns.get(column.name, column.name), file) for column in stream.columns}
    missing = [
        column
        for column in stream.columns
        if found[column.name] is None and (column.required or column.name in columns)
    ]
    if missing:
        if file.suffix == ".sql":
            raise _not_given(table, missing, file)
        raise _missing(table, columns, missing[0].name, file)
    return {name: source for name, source in found.items() if source is not None}


def _match(table: RawTable, name: str, file: Path) -> str | None:
    """Return the column of this name: the exact one, or the only one that differs in case and outer blanks."""
    if name in table.names:
        return name
    alike = [other for other in table.names if folded(other) == folded(name)]
    if len(alike) > 1:
        message = f"columns {', '.join(map(repr, alike))} could all be {name!r}: they differ in case or blanks only"
        raise unreadable(file, 1, message, "name the one that is meant in sources.toml (columns), or rename the others")
    return alike[0] if alike else None


def _shown(name: str) -> str:
    """Return a name of the file's own as a terminal may show it: what cannot be printed is written as an escape."""
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in name)


def _not_given(table: RawTable, missing: list[Column], file: Path) -> SourceError:
    """Return what a select lacks, all at once, with what each may hold."""
    there = ", ".join(_shown(other)[:60] for other in table.names[:40]) or "no columns"
    names = ", ".join(repr(column.name) for column in missing)
    near = difflib.get_close_matches(missing[0].name, table.names, n=1)
    guess = f"did you mean {near[0]!r}? " if near else ""
    wanted = "; ".join(f"{column.name} ({column.doc}; {column.allowed})" for column in missing)
    message = f"the select gives no column{'s' if len(missing) > 1 else ''} {names}"
    return unreadable(file, None, message, f"{guess}let it give {wanted}; it gives {there}")


def _missing(table: RawTable, columns: Mapping[str, str], name: str, file: Path) -> SourceError:
    source = columns.get(name, name)
    there = ", ".join(_shown(other)[:60] for other in table.names[:40]) or "no columns"
    mapped = f" (mapped to {name!r} in sources.toml)" if name in columns else ""
    near = difflib.get_close_matches(source, table.names, n=1)
    guess = f"did you mean {near[0]!r}? " if near else ""
    example = f'columns = {{ {name} = "..." }}'
    fix = f"{guess}map it in sources.toml: {example}; the file has {there}"
    # Only CSV has a line of names.
    line = 1 if file.suffix.lower() == ".csv" else None
    if line and len(table.names) == 1:
        fix = f"let the first line hold the column names, with comma, semicolon or tab between them; it holds {there}"
    if file.suffix.lower() in {".jsonl", ".ndjson"}:
        fix += "; a key that no line has is missing: write it with null where there is nothing"
    return unreadable(file, line, f"column {source!r}{mapped} is missing", fix)


def _named(table: RawTable, present: Mapping[str, str]) -> pl.DataFrame:
    """Return the columns under names of our own, so that no name of the file can meet one of ours."""
    series = [table.data[source].alias(f"in {name}") for name, source in present.items()]
    odd = [table.odd[source].alias(f"odd {name}") for name, source in present.items() if source in table.odd]
    places = [] if table.files is None else [table.files.alias("_file")]
    named = pl.DataFrame([table.lines.alias("_line"), table.broken.alias("_broken"), *places, *series, *odd])
    return named.with_row_index("_row")


@dataclass(frozen=True, slots=True)
class _Judging:
    """SQL that holds the rows of ``source`` against a contract, each once.

    Attributes:
        typed: Values and whether anything was written, by column.
        faults: What can be wrong with a row.
        day: Day of a row of whose time nothing is wrong.
        doubts: What can be wrong with its time, so that it has no day.
        kept: What is kept of a row that breaks the contract.
    """

    typed: list[str]
    faults: list[Fault]
    day: str
    doubts: list[Fault]
    kept: str


def _judging(frame: pl.DataFrame, stream: Stream, zones: Zones, happened: tuple[date, date]) -> _Judging:
    values: list[str] = []
    faults: dict[str, list[Fault]] = {column.name: [] for column in stream.columns}
    blurs: list[Fault] = []
    for column in stream.columns:
        if f"in {column.name}" in frame.columns:
            # What has no end yet may have begun at any time.
            low = happened[0] if column.name == stream.time and not stream.ends else FIRST_EVER
            plausible = (low, _latest(column, happened[1]))
            typed, faults[column.name], blurred = _column(frame, column, zones, plausible)
            values += typed
            blurs += blurred
        else:
            values.append(f"cast(null as {DUCKDB_TYPES[column.type]}) as {quoted(column.name)}")
    said = [("_broken is not null", "_broken"), *(fault for found in faults.values() for fault in found), *blurs]
    said += [(rule.broken, f"'{rule.reason}'") for rule in stream.rules]
    doubts = faults[stream.time] if stream.time else []
    return _Judging(values, said, _day(stream, zones.home), doubts, _raw(frame, stream))


def _judge(con: duckdb.DuckDBPyConnection, stream: Stream, judging: _Judging) -> None:
    """Make the table ``judged`` of ``source``.

    In two steps, because nearly all rows are good: which ones are asked first, and only of the others what is wrong.
    Most of what a small table costs is planning all that could be said of it.
    """
    names = ", ".join(quoted(column.name) for column in stream.columns)
    typed = f"typed as (select {', '.join(judging.typed)}, * from source)"
    # A condition that is null does not hold.
    is_wrong = f"({' or '.join(f'({condition})' for condition, _ in judging.faults)}) is true"
    con.execute(f"""
        create temp table judged as
        with {typed}, marked as (select *, {is_wrong} as _is_wrong from typed)
        select {names}, case when not _is_wrong then {judging.day} end as _day, _line,
            cast(null as varchar) as _reason, cast(null as varchar) as _raw, _row, _is_wrong
        from marked
    """)
    if con.execute("select count(*) from judged where _is_wrong").fetchall() != [(0,)]:
        reasons = ", ".join(f"case when {condition} then {said} end" for condition, said in judging.faults)
        doubt = " or ".join(f"({condition})" for condition, _ in judging.doubts) or "false"
        con.execute(f"""
            create temp table wrong as
            with {typed}
            select {names}, case when ({doubt}) is not true then {judging.day} end as _day, _line,
                nullif(concat_ws('; ', {reasons}), '') as _reason, {judging.kept} as _raw, _row, true as _is_wrong
            from typed semi join (select _row from judged where _is_wrong) using (_row)
        """)
        con.execute("delete from judged where _is_wrong")
        con.execute("insert into judged by name from wrong")


def _latest(column: Column, tomorrow: date) -> date:
    """Return the day from which a time of a column is not to be believed."""
    if not column.is_plan:
        return tomorrow
    ahead = column.most_days_ahead
    return LAST_PLAN if ahead is None else min(tomorrow + timedelta(days=ahead), LAST_PLAN)


def _column(
    frame: pl.DataFrame, column: Column, zones: Zones, plausible: tuple[date, date]
) -> tuple[list[str], list[Fault], list[Fault]]:
    """Return SQL of a column's value and of whether anything was written, what can be wrong, and what can blur it."""
    source, name, is_there = quoted(f"in {column.name}"), quoted(column.name), quoted(f"given {column.name}")
    dtype = frame.schema[f"in {column.name}"]
    form = form_of(column, source, dtype, zones)
    is_given, is_odd = f"coalesce({given(source, dtype)}, false)", "false"
    faults: list[Fault] = []
    if f"odd {column.name}" in frame.columns:
        odd = quoted(f"odd {column.name}")
        is_odd = f"{odd} is not null" + (f" and {odd} <> '{BOOLEAN}'" if column.type == "boolean" else "")
        said = expected(column, f"' || {odd} || '")
        faults.append((is_odd, f"'{column.name}: {said}'"))
        is_given = f"({is_given} and not ({is_odd}))"
    if column.required:
        faults.append((f"_broken is null and not {is_there} and not ({is_odd})", f"'{column.name}: missing'"))
    faults += faults_of(column, form, plausible, zones.home)
    return [f"{form.value} as {name}", f"{is_given} as {is_there}"], faults, blurs_of(column, form)


def _raw(frame: pl.DataFrame, stream: Stream) -> str:
    """SQL of the contract's columns as they came, as JSON, and of the file where there are several."""
    there = [column.name for column in stream.columns if f"in {column.name}" in frame.columns]
    place = [f"{quoted(FILE)} := {quoted(FILE)}"] if FILE in frame.columns else []
    parts = [f"{quoted(name)} := cast({quoted(f'in {name}')} as varchar)" for name in there]
    whole, alone = _packed([*place, *parts]), _packed(place)
    return f"case when _broken is null then {whole} else {alone} end"


def _packed(parts: list[str]) -> str:
    if not parts:
        return "cast(null as varchar)"
    return f"left(cast(to_json(struct_pack({', '.join(parts)})) as varchar), {MAX_RAW})"


def _day(stream: Stream, home: str) -> str:
    """SQL of a row's local day."""
    if stream.time is None:
        return "cast(null as date)"
    time = quoted(stream.time)
    return time if stream.column(stream.time).type == "date" else f"cast(timezone('{home}', {time}) as date)"
