"""Hold rows against a stream's contract: type them, or set them aside with a reason. Nothing is lost.

The typing runs in DuckDB over the whole frame. A value is never repaired: a timestamp without offset, a number
with a unit or a fraction in an integer column is a reason, not a guess.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl

from opsmetrics.errors import Problem, SourceError
from opsmetrics.sources.tables import BROKEN
from opsmetrics.streams import DUCKDB_TYPES, Column, Stream

# A clock time and then an offset: the last part of a bare date (2026-03-29) is none.
_OFFSET = r".*[0-9]:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?\s*([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)"
_PLAUSIBLE = ("1990-01-01", "2100-01-01")


def apply_contract(
    frame: pl.DataFrame,
    stream: Stream,
    *,
    columns: dict[str, str],
    naive_time: str | None,
    zone: str,
    file: Path,
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Type a frame and mark the rows that break the contract.

    Args:
        frame: As :func:`opsmetrics.sources.tables.read_table` gives it.
        stream: The contract.
        columns: Contract column -> column of the frame, where they differ.
        naive_time: Zone of timestamps without offset, or None to set such rows aside.
        zone: The organisation's zone, which decides the day of an instant.
        file: For messages.

    Returns:
        Contract columns plus ``_day`` (date or null), ``_line``, ``_reason`` (null = kept) and ``_raw`` (JSON
        of the contract's columns as they came, for rows set aside); and the names of columns left out.

    Raises:
        SourceError: A required column is missing from the file altogether.
    """
    names = {column.name: columns.get(column.name, column.name) for column in stream.columns}
    for column in stream.columns:
        if column.required and names[column.name] not in frame.columns and frame.height:
            found = ", ".join(name for name in frame.columns if not name.startswith("_"))
            fix = f'map it in sources.toml: columns = {{ {column.name} = "..." }}; the file has {found}'
            raise SourceError(Problem(str(file), 1, f"column {names[column.name]!r} is missing", fix))
    dropped = tuple(sorted(set(frame.columns) - set(names.values()) - {"_line", BROKEN}))
    present = {name: source for name, source in names.items() if source in frame.columns}
    with duckdb.connect() as con:
        con.execute("set timezone = 'UTC'")
        # The prefix keeps the file's names apart from the contract's.
        own = {"_line", BROKEN}
        con.register("source", frame.rename({name: f"in {name}" for name in frame.columns if name not in own}))
        typed = con.sql(_typing_sql(frame, stream, present, naive_time, zone)).pl()
    return typed, dropped


def _typing_sql(frame: pl.DataFrame, stream: Stream, present: dict[str, str], naive_time: str | None, zone: str) -> str:
    values: list[str] = []
    reasons: list[str] = [f"{BROKEN}"]
    for column in stream.columns:
        source = present.get(column.name)
        kind = DUCKDB_TYPES[column.type]
        if source is None:
            values.append(f"cast(null as {kind}) as {_q(column.name)}")
            if column.required:
                reasons.append(f"case when {BROKEN} is null then '{column.name}: missing' end")
            continue
        given, dtype = _q(f"in {source}"), frame.schema[source]
        value, extra = _value(column, given, dtype, naive_time)
        values.append(f"{value} as {_q(column.name)}")
        values.append(f"coalesce({_given(given, dtype)}, false) as {_q('given ' + column.name)}")
        reasons += [f"case when {condition} then '{column.name}: {text}' end" for condition, text in extra]
        reasons += _rules(column)
    day = "cast(null as date)"
    if stream.time is not None:
        is_date = stream.column(stream.time).type == "date"
        day = _q(stream.time) if is_date else f"cast(timezone('{zone}', {_q(stream.time)}) as date)"
    key = ", ".join(_q(name) for name in stream.key)
    names = ", ".join(_q(column.name) for column in stream.columns)
    raw = ", ".join(f"{_q(name)} := cast({_q(f'in {source}')} as varchar)" for name, source in present.items())
    raw = f"to_json(struct_pack({raw}))" if raw else "null"
    return f"""
        with typed as (select {", ".join(values)}, * from source),
        judged as (
            select *, nullif(concat_ws('; ', {", ".join(reasons)}), '') as _why, {day} as _day from typed
        ),
        ranked as (
            select *, row_number() over (partition by {key}, _why is null order by _line) as _nth,
                first(_line) over (partition by {key}, _why is null order by _line) as _first
            from judged
        ),
        final as (
            select *, coalesce(_why, case when _nth > 1 then
                'duplicate of line ' || _first || ' (key {", ".join(stream.key)})' end) as _reason
            from ranked
        )
        select {names}, _day, _line, _reason,
            case when _reason is not null and {BROKEN} is null then left(cast({raw} as varchar), 4000) end as _raw
        from final order by _line
    """


def _q(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _given(source: str, dtype: pl.DataType) -> str:
    """SQL that says whether the source wrote anything."""
    return f"(nullif(trim({source}), '') is not null)" if dtype == pl.String else f"({source} is not null)"


def _rules(column: Column) -> list[str]:
    name, given = _q(column.name), _q("given " + column.name)
    rules: list[str] = []
    kinds = {"integer": "no whole number", "number": "no finite number", "boolean": "neither true nor false"}
    kinds |= {"date": "no date as YYYY-MM-DD", "timestamp": "no instant"}
    if column.required:
        rules.append(f"case when {BROKEN} is null and not {given} then '{column.name}: missing' end")
    if column.type in kinds:
        rules.append(f"case when {given} and {name} is null then '{column.name}: {kinds[column.type]}' end")
    if column.one_of:
        allowed = ", ".join(f"'{value}'" for value in column.one_of)
        text = f"{column.name}: not one of {', '.join(column.one_of)}"
        rules.append(f"case when {name} is not null and {name} not in ({allowed}) then '{text}' end")
    for bound, sign, word in ((column.low, "<", "below"), (column.high, ">", "above")):
        if bound is not None:
            rules.append(f"case when {name} {sign} {bound} then '{column.name}: {word} {bound:g}' end")
    if column.type == "timestamp":
        low, high = _PLAUSIBLE
        text = f"{column.name}: not between {low[:4]} and {high[:4]}"
        rules.append(f"case when {name} < '{low}' or {name} >= '{high}' then '{text}' end")
    return rules


def _value(  # noqa: PLR0911 - one return per type of the contract
    column: Column, source: str, dtype: pl.DataType, naive_time: str | None
) -> tuple[str, list[tuple[str, str]]]:
    """SQL of the typed value, and (condition, reason) pairs beyond the common rules."""
    is_text = dtype == pl.String
    text = f"trim({source})" if is_text else source
    if column.type == "text":
        return f"nullif(cast({text} as varchar), '')", []
    if column.type == "integer":
        whole = f"regexp_full_match({text}, '[+-]?[0-9]+')" if is_text else f"{text} = trunc({text})"
        if not is_text and dtype.is_integer():
            whole = "true"
        return f"case when {whole} then try_cast({text} as bigint) end", []
    if column.type == "number":
        return f"case when isfinite(try_cast({text} as double)) then try_cast({text} as double) end", []
    if column.type == "boolean":
        if not is_text:
            return f"try_cast({text} as boolean)", []
        words = "when 'true' then true when '1' then true when 'false' then false when '0' then false"
        return f"case lower({text}) {words} end", []
    if column.type == "date":
        good = f"regexp_full_match({text}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}')" if is_text else "true"
        return f"case when {good} then try_cast({text} as date) end", []
    return _instant(text, dtype, naive_time)


def _instant(text: str, dtype: pl.DataType, naive_time: str | None) -> tuple[str, list[tuple[str, str]]]:
    is_text = dtype == pl.String
    if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None:
        return f"cast({text} as timestamptz)", []
    has_offset = f"regexp_full_match({text}, '{_OFFSET}')" if is_text else "false"
    aware = (
        f"case when {has_offset} then try_cast({text} as timestamptz) end" if is_text else "cast(null as timestamptz)"
    )
    if naive_time is None:
        missing = f"{text} is not null and {text} <> '' and not {has_offset}" if is_text else f"{text} is not null"
        return aware, [(missing, "no offset from UTC (set naive_time in sources.toml if the zone is known)")]
    local = f"try_cast({text} as timestamp)"
    instant = f"timezone('{naive_time}', {local})"
    value = f"coalesce({aware}, case when not {has_offset} then {instant} end)"
    if naive_time == "UTC":
        return value, []
    absent = f"not {has_offset} and timezone('{naive_time}', {instant}) <> {local}"
    shifted = [f"timezone('{naive_time}', {instant} {sign} interval 1 hour) = {local}" for sign in "+-"]
    twice = f"not {has_offset} and ({' or '.join(shifted)})"
    return value, [
        (absent, f"this local time does not exist in {naive_time} (clocks went forward)"),
        (twice, f"this local time happened twice in {naive_time} (clocks went back): write the offset"),
    ]
