"""Run SQL files: build the table, check its contract in the same transaction, write its comments.

A file whose header says ``incremental = "day"`` rebuilds only days whose winning load changed; the result
equals a full rebuild (architecture D9).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from weakref import WeakKeyDictionary

import duckdb

from opsmetrics.catalogue import Catalogue
from opsmetrics.catalogue.macros import Macro
from opsmetrics.catalogue.schemas import BY_NAME
from opsmetrics.catalogue.sqlfile import SqlFile
from opsmetrics.catalogue.tables import table_of
from opsmetrics.core.declare import Table, day, id_
from opsmetrics.core.errors import SqlFileError
from opsmetrics.warehouse import unchanged
from opsmetrics.warehouse.connection import is_of_storage, kind_of, quote
from opsmetrics.warehouse.declared import Examined, check_table, comment_table, create_missing, examine
from opsmetrics.warehouse.engine import DUCKDB, EVERYTHING, Engine

# More changed days than this are a rebuild of everything.
MOST_DAYS = 200
# Rows of the streams that one statement of a rebuild reads: what is sorted and compared at once stays small.
ROWS_AT_ONCE = 4_000_000
# What each incremental table was built from at the last build.
BUILT_DAYS = Table(
    "meta.built_days",
    "The load that each day of an incremental table was built from",
    (
        id_("table_name", "Table that is rebuilt day by day"),
        id_("stream", "Stream that it reads"),
        day("day", "Local day", required=True),
        id_("load_id", "Load that counted"),
    ),
    ("table_name", "stream", "day", "load_id"),
)
_CURRENT = "select stream, day, load_id from meta.load_days where list_contains($streams, stream)"
_BUILT = "select stream, day, load_id from meta.built_days where table_name = $table"
# Texts of the macros that stand in an open working file because this process made them: forty macros are called by
# files four hundred times, and nobody else writes meanwhile.
_made: WeakKeyDictionary[duckdb.DuckDBPyConnection, set[str]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class TableResult:
    """Outcome of building one table.

    Attributes:
        table: Qualified name.
        rows: Rows of the table afterwards.
        days: Days rebuilt, or None for a full rebuild.
        is_unchanged: Whether it was left as it stands, because nothing that it rests on is another.
    """

    table: str
    rows: int
    days: int | None
    is_unchanged: bool = False


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
    engine: Engine = DUCKDB,
) -> TableResult:
    """Build one table; one that rests on the same as at the last build stays as it is.

    Args:
        con: The working file.
        file: The SQL file.
        catalogue: For the columns of metrics.
        files: All SQL files, to trace streams.
        engine: Who makes incremental tables.

    Raises:
        SqlFileError: The select fails, or its result breaks the contract; the last good table stays.
        OpsMetricsError: The engine fails; the last good table stays.
    """
    table = table_of(file, catalogue)
    is_landed = file.schema == "staging" and file.model.like_stream in engine.external_streams
    kind = "view" if is_landed or (BY_NAME[file.schema].header == "model" and file.model.view) else "table"
    if con not in _made:
        unchanged.renew(con)
        create_missing(con, BUILT_DAYS)
        _made[con] = set()
    found = unchanged.standing(con, file, table, kind, files)
    is_daily = unchanged.is_incremental(file)
    streams = table_inputs(files, file.table) if is_daily else []
    changed = _changed_days(con, file.table, streams) if is_daily else []
    if found.is_made and not changed:
        return TableResult(file.table, _count(con, file.table), 0 if is_daily else None, is_unchanged=True)
    days: int | None = None
    parts = [EVERYTHING]
    made: int | None = None
    new = [macro for macro in file.macros if macro.text not in _made[con]]
    try:
        with unchanged.transaction(con):
            make_macros(con, new)
            if is_daily:
                days, parts = _build_days(con, file, streams, changed if found.is_made else None, engine, kind)
            else:
                told = con.execute(f"create or replace {kind} {file.table} as {file.text}").fetchall()
                made = told[0][0] if told else None
            examined = _checked(con, file, table, parts, engine if is_landed else None, made)
            comment_table(con, table, kind)
            unchanged.remember(con, file, kind, found, examined.content)
    except duckdb.Error as error:
        if is_of_storage(error):
            raise
        raise SqlFileError(f"{file.path}: {error}") from error
    _made[con].update(macro.text for macro in new)
    return TableResult(file.table, _count(con, file.table) if is_daily else examined.rows, days)


def _count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    ((rows,),) = con.execute(f"select count(*) from {table}").fetchall()
    return rows


def make_macros(con: duckdb.DuckDBPyConnection, macros: Iterable[Macro]) -> None:
    """Make macros, each after those that it calls. DuckDB checks one as it is made: what it reads has to be there."""
    statements: list[str] = []
    for macro in macros:
        kind = "macro table" if macro.is_table else "macro"
        statements += [macro.text, f"comment on {kind} macros.{macro.name} is {quote(macro.header.title)}"]
    if statements:
        # Each on lines of its own: the last of a macro may be a comment.
        con.execute("\n;\n".join(statements))


def _changed_days(con: duckdb.DuckDBPyConnection, table: str, streams: list[str]) -> list[str]:
    """Return the days whose load is another one than a table was built from, in order."""
    rows = con.execute(
        "select distinct cast(day as varchar) from"
        f" ((({_CURRENT}) except ({_BUILT})) union all (({_BUILT}) except ({_CURRENT}))) order by 1",
        {"table": table, "streams": streams},
    ).fetchall()
    return [day for (day,) in rows]


def _build_days(
    con: duckdb.DuckDBPyConnection,
    file: SqlFile,
    streams: list[str],
    changed: list[str] | None,
    engine: Engine,
    kind: str,
) -> tuple[int | None, list[str]]:
    """Rebuild the days whose load changed; all of them when anything else did. A view has nothing to rebuild.

    Args:
        con: The working file.
        file: The SQL file.
        streams: Streams that the table rests on.
        changed: The days; None where anything else changed.
        engine: Who makes the rows.
        kind: ``table`` or ``view``.

    Returns:
        Days rebuilt (None for all), and conditions on ``day`` that cut what was rebuilt into parts of bounded size.
    """
    days: int | None = None
    if changed is None or len(changed) > MOST_DAYS:
        # Not `as select ... limit 0`: DuckDB 2.0.0 keeps the statistics of the empty table when rows follow in the same
        # transaction, and then finds none of them by a filter (tests/opsmetrics/warehouse/test_duckdb.py).
        columns = con.execute(f"select column_name, column_type from (describe {file.text})").fetchall()
        declared = ", ".join(f'"{name}" {of_type}' for name, of_type in columns)
        was = kind_of(con, file.table)
        if was is not None:
            con.execute(f"drop {was} {file.table}")
        con.execute(f"create {kind} {file.table} " + (f"as {file.text}" if kind == "view" else f"({declared})"))
        # Spark cuts what it reads itself.
        parts = [EVERYTHING] if kind == "view" else _spans(con, streams)
    else:
        # Days stand as literals, because only these are pushed down into the scans below windows and groups.
        listed = ", ".join(f"date '{day}'" for day in changed)
        days, parts = len(changed), [f"day in ({listed})"]
        if kind == "table":
            con.execute(f"delete from {file.table} where {parts[0]}")
    if kind == "table":
        engine.insert(con, file, parts)
    names = {"table": file.table, "streams": streams}
    con.execute("delete from meta.built_days where table_name = $1", [file.table])
    con.execute(f"insert into meta.built_days select $table, stream, day, load_id from ({_CURRENT})", names)
    check_table(con, BUILT_DAYS, where=f"table_name = {quote(file.table)}")
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


def _checked(
    con: duckdb.DuckDBPyConnection,
    file: SqlFile,
    table: Table,
    parts: list[str],
    engine: Engine | None,
    rows: int | None,
) -> Examined:
    """Hold what was built against its contract, part by part; of a table that was made whole its rows are known.

    The key of an incremental table holds the day or the instant that decides it, so that a key cannot stand in two
    parts.
    """
    ask = None if engine is None else lambda select, part: engine.ask(con, select, part)
    found = examine(con, table, parts, ask, rows=rows, with_content=rows is not None)
    if found.wrong:
        raise SqlFileError(f"{file.path}: the result breaks its contract: {'; '.join(found.wrong)}")
    return found
