"""Run SQL files: build the table, check its contract in the same transaction, write its comments.

A file whose header says ``incremental = "day"`` rebuilds only days whose winning load changed; the result
equals a full rebuild (architecture D9).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import duckdb

from opsmetrics import unscored
from opsmetrics.catalogue import Catalogue
from opsmetrics.errors import SqlFileError
from opsmetrics.sqlfile import SqlFile
from opsmetrics.streams import STREAMS
from opsmetrics.warehouse.connection import comment, is_of_storage, kind_of, transaction
from opsmetrics.warehouse.engine import DUCKDB, EVERYTHING, Engine

# More changed days than this are a rebuild of everything.
MOST_DAYS = 200
# Rows of the streams that one statement of a rebuild reads: what is sorted and compared at once stays small.
ROWS_AT_ONCE = 4_000_000
_BUILT = """
    create table if not exists meta.built_days (table_name varchar, stream varchar, day date, load_id varchar);
    create table if not exists meta.built_tables (table_name varchar, inputs varchar);
"""


@dataclass(frozen=True, slots=True)
class Contract:
    """What a built table must fulfil."""

    columns: dict[str, str]
    key: list[str]
    not_null: list[str]
    ranges: dict[str, tuple[float, float]]
    title: str


@dataclass(frozen=True, slots=True)
class Built:
    """Outcome of building one table.

    Attributes:
        table: Qualified name.
        rows: Rows of the table afterwards.
        days: Days rebuilt, or None for a full rebuild.
    """

    table: str
    rows: int
    days: int | None


def contract_of(file: SqlFile, catalogue: Catalogue) -> Contract:
    """Return the contract that a file's header states."""
    if file.schema == "metrics":
        metric = catalogue.metric(file.name)
        key = ["team_id", "as_of", "grain", *(["entity_id"] if metric.header.entity else [])]
        return Contract(metric.columns, key, key, {"completeness": (0, 1)}, metric.header.title.en)
    if file.schema == "gates":
        gate = next(gate for gate in catalogue.gates if gate.file is file)
        return Contract(gate.header.columns, gate.header.key, gate.header.key, {}, gate.header.title)
    if file.schema in unscored.COLUMNS:
        definition = next(item for item in catalogue.unscored if item.file is file)
        key = unscored.KEYS[file.schema]
        return Contract(unscored.COLUMNS[file.schema], key, key, {}, definition.header.title.en)
    model = file.model
    if model.like_stream is not None:
        stream = STREAMS[model.like_stream]
        columns = {column.name: column.doc for column in stream.columns} | {"day": "Local day of the row"}
        required = [name for name in stream.key if stream.column(name).required]
        return Contract(columns, list(stream.key), required, model.ranges, model.title)
    return Contract(model.columns, model.key, model.key, model.ranges, model.title)


def table_inputs(files: Mapping[str, SqlFile], table: str) -> list[str]:
    """Return the streams that a table rests on, through any number of files."""
    found: set[str] = set()
    todo, seen = [table], set[str]()
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        if name.startswith("raw."):
            found.add(name.removeprefix("raw."))
        if name in files:
            todo += files[name].dependencies
    return sorted(found)


def build_table(
    con: duckdb.DuckDBPyConnection,
    file: SqlFile,
    catalogue: Catalogue,
    files: Mapping[str, SqlFile],
    inputs: str,
    engine: Engine = DUCKDB,
) -> Built:
    """Build one table.

    Args:
        con: The working file.
        file: The SQL file.
        catalogue: For the columns of metrics.
        files: All SQL files, to trace streams.
        inputs: Digest of what an incremental table rests on besides its loads (configuration, SQL). Another
            digest than at the last build means a full rebuild.
        engine: Who makes incremental tables.

    Raises:
        SqlFileError: The select fails, or its result breaks the contract; the last good table stays.
        OpsMetricsError: The engine fails; the last good table stays.
    """
    contract = contract_of(file, catalogue)
    con.execute(_BUILT)
    has_model = file.schema in {"ref", "staging", "facts", "scores", "marts"}
    is_landed = file.schema == "staging" and file.model.like_stream in engine.landed
    kind = "view" if is_landed or (has_model and file.model.view) else "table"
    days: int | None = None
    parts = [EVERYTHING]
    try:
        with transaction(con):
            if has_model and file.model.incremental:
                streams, digest = table_inputs(files, file.table), f"{inputs}|{file.digest}"
                days, parts = _build_days(con, file, streams, digest, engine, kind)
            else:
                con.execute(f"create or replace {kind} {file.table} as {file.text}")
            _check(con, file, contract, parts, engine if is_landed else DUCKDB)
            comment(con, file.table, contract.title, contract.columns, kind)
    except duckdb.Error as error:
        if is_of_storage(error):
            raise
        raise SqlFileError(f"{file.path}: {error}") from error
    ((rows,),) = con.execute(f"select count(*) from {file.table}").fetchall()
    return Built(file.table, rows, days)


def _build_days(
    con: duckdb.DuckDBPyConnection, file: SqlFile, streams: list[str], inputs: str, engine: Engine, kind: str
) -> tuple[int | None, list[str]]:
    """Rebuild the days whose winning load changed; all of them when anything else did. A view has nothing to rebuild.

    Returns:
        Days rebuilt (None for all), and conditions on ``day`` that cut what was rebuilt into parts of bounded size.
    """
    before = con.execute("select inputs from meta.built_tables where table_name = $1", [file.table]).fetchall()
    was = kind_of(con, file.table)
    current = "select stream, day, load_id from meta.load_days where list_contains($streams, stream)"
    built = "select stream, day, load_id from meta.built_days where table_name = $table"
    names = {"table": file.table, "streams": streams}
    changed = con.execute(
        "select distinct cast(day as varchar) from"
        f" ((({current}) except ({built})) union all (({built}) except ({current}))) order by 1",
        names,
    ).fetchall()
    days: int | None = len(changed)
    # Days stand as literals, because only these are pushed down into the scans below windows and groups.
    listed = ", ".join(f"date '{day}'" for (day,) in changed)
    parts = [f"day in ({listed})"] if changed else []
    if before != [(inputs,)] or was != kind or days > MOST_DAYS:
        # Not `as select ... limit 0`: DuckDB 2.0.0 keeps the statistics of the empty table when rows follow in the same
        # transaction, and then finds none of them by a filter (tests/test_duckdb.py).
        columns = con.execute(f"select column_name, column_type from (describe {file.text})").fetchall()
        declared = ", ".join(f'"{name}" {of_type}' for name, of_type in columns)
        if was is not None:
            con.execute(f"drop {was} {file.table}")
        con.execute(f"create {kind} {file.table} " + (f"as {file.text}" if kind == "view" else f"({declared})"))
        con.execute("delete from meta.built_tables where table_name = $1", [file.table])
        con.execute("insert into meta.built_tables values ($1, $2)", [file.table, inputs])
        # Spark cuts what it reads itself.
        days, parts = None, [EVERYTHING] if kind == "view" else _spans(con, streams)
    elif days and kind == "table":
        con.execute(f"delete from {file.table} where {parts[0]}")
    if kind == "table":
        engine.insert(con, file, parts)
    con.execute("delete from meta.built_days where table_name = $1", [file.table])
    con.execute(f"insert into meta.built_days select $table, stream, day, load_id from ({current})", names)
    return days, parts


def _spans(con: duckdb.DuckDBPyConnection, streams: list[str]) -> list[str]:
    """Return conditions on ``day`` that together hold for every day, each for some millions of rows of the streams."""
    rows = con.execute(
        """select cast(day as varchar) from (
            select day, sum(rows) over (order by day) // $size as part
            from (select day, sum(rows) as rows from meta.day_rows where list_contains($streams, stream) group by day)
            where day is not null
        ) qualify part is distinct from lag(part) over (order by day) order by day""",
        {"streams": streams, "size": ROWS_AT_ONCE},
    ).fetchall()
    borders = [f"date '{day}'" for (day,) in rows[1:]]
    if not borders:
        return [EVERYTHING]
    middle = [f"day >= {first} and day < {last}" for first, last in pairwise(borders)]
    return [f"day < {borders[0]}", *middle, f"day >= {borders[-1]}"]


def _check(con: duckdb.DuckDBPyConnection, file: SqlFile, contract: Contract, parts: list[str], engine: Engine) -> None:
    """Hold what was built against its contract, part by part.

    The key of an incremental table holds the day or the instant that decides it, so that a key cannot stand in two
    parts.
    """
    produced = [name for (name,) in con.execute(f"select column_name from (describe {file.table})").fetchall()]
    if produced != list(contract.columns):
        raise SqlFileError(
            f"{file.path}: the select gives columns {produced}, the header declares {list(contract.columns)}"
        )
    key = ", ".join(f'"{name}"' for name in contract.key)
    rules = {f"null in {name}": f'"{name}" is null' for name in contract.not_null}
    rules |= {
        f"{name} outside {low:g} to {high:g}": f'"{name}" < {low} or "{name}" > {high} or isnan("{name}"::double)'
        for name, (low, high) in contract.ranges.items()
    }
    counts = ", ".join(f"count(*) filter ({rule})" for rule in rules.values())
    row = [0] * (1 + len(rules))
    for part in parts:
        duplicates = f"count(*) - (select count(*) from (select distinct {key} from {file.table} where {part}))"
        found = engine.ask(con, f"select {duplicates}, {counts} from {file.table} where {part}", part)
        row = [total + count for total, count in zip(row, found, strict=True)]
    wrong = [
        f"{count} rows with {name}"
        for name, count in zip([f"a repeated key ({key})", *rules], row, strict=True)
        if count
    ]
    if wrong:
        raise SqlFileError(f"{file.path}: the result breaks its contract: {'; '.join(wrong)}")
