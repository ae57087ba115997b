"""Carry out a declaration: frames of its schema, its table in DuckDB with comments, and the check of its rows.

The check is the same for tables of SQL files and of Python; it runs in the transaction that writes, so that a table
that breaks its declaration never replaces a good one. Does not belong here: what any table declares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import polars as pl

from opsmetrics.core.declare import DUCKDB_TYPES, Column, ColumnType, Row, Table
from opsmetrics.core.errors import ContractError
from opsmetrics.warehouse.connection import kind_of, quote

EVERYTHING = "true"
# Sums of floating point numbers end a few units in the last place beside 0, 1 or 100.
ROUNDING = 1e-9
_POLARS_TYPES: dict[ColumnType, pl.DataType] = {
    "text": pl.String(),
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "boolean": pl.Boolean(),
    "timestamp": pl.Datetime("us", "UTC"),
    "date": pl.Date(),
    "integer32": pl.Int32(),
    "unsigned32": pl.UInt32(),
    "texts": pl.List(pl.String()),
    "numbers": pl.List(pl.Float64()),
}
_FULL_NAMES = {"timestamptz": "timestamp with time zone"}
_INTEGERS = ("tinyint", "smallint", "integer", "bigint", "hugeint", "utinyint", "usmallint", "uinteger", "ubigint")
_NUMBERS = (*_INTEGERS, "double", "float", "decimal")
_INFINITY = "cast('infinity' as double)"
# Name of a row as a whole; no column is called so.
_THIS = "this_row"
_FIX = "the rows before are kept; please report it with this message"

# Answers a select of one row; the second argument is the condition on the rows that it reads.
Ask = Callable[[str, str], tuple[Any, ...]]


def schema_of(table: Table) -> dict[str, pl.DataType]:
    """Return the schema of the table's frames."""
    return {column.name: _POLARS_TYPES[column.type] for column in table.columns}


def frame_of(table: Table, rows: Iterable[Row]) -> pl.DataFrame:
    """Return rows as a frame with the declared columns and types, also when there are none.

    Args:
        table: The declaration.
        rows: Every row names every declared column, in any order, and no other.

    Raises:
        ContractError: A row lacks a column or has one too many, or a value is of another type.
    """
    found = list(rows)
    names = table.names
    for number, row in enumerate(found, start=1):
        if set(row) != set(names):
            missing, extra = sorted(set(names) - set(row)), sorted(set(row) - set(names))
            raise ContractError(f"{table.name}: row {number} lacks columns {missing} and has undeclared {extra}")
    return pl.DataFrame([_series(table, column, [row[column.name] for row in found]) for column in table.columns])


def _series(table: Table, column: Column, values: list[object]) -> pl.Series:
    try:
        return pl.Series(column.name, values, dtype=_POLARS_TYPES[column.type], strict=True)
    except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError) as error:
        said = str(error).partition("\n")[0]
        message = f"{table.name}: a value of column {column.name} is not of type {column.type}: {said}"
        raise ContractError(message) from error


def write_table(con: duckdb.DuckDBPyConnection, table: Table, frame: pl.DataFrame) -> None:
    """Make a table hold exactly the rows of a frame, checked and commented; in the caller's transaction.

    Raises:
        ContractError: Columns, types or rows are not as declared.
    """
    replace_rows(con, table, frame)
    check_table(con, table, rows=frame.height)
    comment_table(con, table)


def replace_rows(con: duckdb.DuckDBPyConnection, table: Table, frame: pl.DataFrame) -> None:
    """Make a table of a frame; the caller checks and comments it once it is whole."""
    _run(con, frame, f"create or replace table {quoted(table.name)} as select * from new_rows")


def create_missing(con: duckdb.DuckDBPyConnection, *tables: Table) -> None:
    """Create tables that are not there yet, empty, with their comments."""
    for table in tables:
        if kind_of(con, table.name) is None:
            con.execute(f"create table {quoted(table.name)} ({columns_sql(table.columns)})")
            comment_table(con, table)


def append_rows(con: duckdb.DuckDBPyConnection, table: Table, frame: pl.DataFrame) -> None:
    """Add rows to a table that is there; the caller checks it once it is whole."""
    _run(con, frame, f"insert into {quoted(table.name)} by name select * from new_rows")


def _run(con: duckdb.DuckDBPyConnection, frame: pl.DataFrame, statement: str) -> None:
    con.register("new_rows", frame)
    try:
        con.execute(statement)
    finally:
        con.unregister("new_rows")


def columns_sql(columns: Iterable[Column]) -> str:
    """Return the column list of a ``create table``."""
    return ", ".join(f'"{column.name}" {DUCKDB_TYPES[column.type]}' for column in columns)


def quoted(name: str) -> str:
    """Return a qualified name as a SQL identifier."""
    return ".".join(f'"{part}"' for part in name.split("."))


def comment_table(con: duckdb.DuckDBPyConnection, table: Table, kind: str = "table") -> None:
    """Write the comments that analysts read on a table (or view) and its columns."""
    name = quoted(table.name)
    columns = (f'comment on column {name}."{column.name}" is {quote(column.doc)}' for column in table.columns)
    # In one call: of a build's thousands of comments most of the time went into the calls.
    con.execute("; ".join((f"comment on {kind} {name} is {quote(table.title)}", *columns)))


def check_table(
    con: duckdb.DuckDBPyConnection, table: Table, *, where: str = EVERYTHING, rows: int | None = None
) -> None:
    """Hold a table of Python's against its declaration.

    Args:
        con: The working file, in the transaction that wrote.
        table: The declaration.
        where: Condition on the rows that were written; of a table that only grows, the new ones.
        rows: How many there are, where the caller knows it.

    Raises:
        ContractError: Names every column that is wrong, how many rows, and the key of the first.
    """
    wrong = examine(con, table, [where], rows=rows).wrong
    if wrong:
        raise ContractError(f"{table.name}: the table breaks its declaration: {'; '.join(wrong)}\n    fix: {_FIX}")


@dataclass(frozen=True, slots=True)
class Examined:
    """What an examination of a table found.

    Attributes:
        wrong: One text per broken rule.
        rows: Rows that were examined.
        content: What the table holds, where that was asked for and nothing is wrong.
    """

    wrong: list[str]
    rows: int = 0
    content: str | None = None


def examine(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    parts: Sequence[str] = (EVERYTHING,),
    ask: Ask | None = None,
    *,
    rows: int | None = None,
    with_content: bool = False,
) -> Examined:
    """Hold a table against its declaration.

    Args:
        con: The working file.
        table: The declaration.
        parts: Conditions that cut the rows into parts of bounded size; no key stands in two of them.
        ask: Answers a select of at most one row; default: the working file.
        rows: How many rows there are, where the caller knows it: of none, no rule can be broken.
        with_content: Whether to tell what the table holds; of a table that is read whole.
    """
    columns = columns_of(con, table.name)
    if wrong := _form_errors(table, columns):
        return Examined(wrong)
    if rows == 0:
        return Examined([], 0, _content(columns, "0") if with_content else None)
    answer = ask or (lambda select, _: (con.execute(select).fetchall() or [()])[0])
    wrong, rows, digest = _examine_rows(table, parts, answer, with_digest=with_content)
    return Examined(wrong, rows, None if digest is None or wrong else _content(columns, digest))


def content_in(con: duckdb.DuckDBPyConnection, table: str) -> str:
    """Return what a table holds, as :func:`examine` tells it; all of it is read."""
    ((digest,),) = con.execute(f"select {sums(_THIS)} from {quoted(table)} as {_THIS}").fetchall()
    return _content(columns_of(con, table), digest)


def _content(columns: Sequence[tuple[str, str]], digest: str) -> str:
    return f"{[f'{name} {of_type}' for name, of_type in columns]}|{digest}"


def columns_of(con: duckdb.DuckDBPyConnection, table: str) -> list[tuple[str, str]]:
    """Return names and types of a table's columns, as DuckDB has them."""
    return con.execute(f"select column_name, column_type from (describe {quoted(table)})").fetchall()


def sums(name: str) -> str:
    """Return the expression for a digest of any number of rows of a relation in any order; of none it is ``0``."""
    return f"concat_ws('.', count(*), sum(hash({name})), sum(hash({name}, 'again')))"


def form_errors(con: duckdb.DuckDBPyConnection, table: Table) -> list[str]:
    """Return what is wrong with the columns of a table in DuckDB: names, order or types."""
    return _form_errors(table, columns_of(con, table.name))


def _form_errors(table: Table, found: Sequence[tuple[str, str]]) -> list[str]:
    names = [name for name, _ in found]
    if names != table.names:
        missing, extra = ([n for n in a if n not in b] for a, b in ((table.names, names), (names, table.names)))
        if missing or extra:
            return [f"columns {missing} are missing and {extra} are not declared"]
        return [f"the columns are in the order {names}, declared is {table.names}"]
    return [
        f"column {column.name} is {found_type.lower()}, declared is {column.type}"
        for column, (_, found_type) in zip(table.columns, found, strict=True)
        if not _fits(column.type, found_type.lower())
    ]


def _fits(declared: ColumnType, found: str) -> bool:
    if declared == "any":
        return True
    if declared in {"any_integer", "any_number"}:
        return found.partition("(")[0] in (_INTEGERS if declared == "any_integer" else _NUMBERS)
    expected = DUCKDB_TYPES[declared]
    return found == _FULL_NAMES.get(expected, expected)


def _examine_rows(
    table: Table, parts: Sequence[str], ask: Ask, *, with_digest: bool
) -> tuple[list[str], int, str | None]:
    """Return one text per rule that rows break, how many rows there are, and their digest where it is asked for.

    All of it in one reading of each part: of a small table, most of the time goes into planning.
    """
    name = quoted(table.name)
    key = ", ".join(f'"{column}"' for column in table.key)
    rules = _rules(table)
    counts = [f"count(*) filter ({rule})" for rule in rules.values()]
    row, digest = [0] * (2 + len(rules)), None
    for part in parts:
        distinct = f"(select count(*) from (select distinct {key} from {name} where {part}))" if key else "count(*)"
        told = [sums(_THIS), "count(*)", f"count(*) - {distinct}", *counts]
        found = ask(f"select {', '.join(told if with_digest else told[1:])} from {name} as {_THIS} where {part}", part)
        if with_digest:
            digest, *found = found
        row = [total + count for total, count in zip(row, found, strict=True)]
    rows, repeated, *broken = row
    wrong: list[str] = []
    if repeated:
        again = f"group by {key} having count(*) > 1"
        wrong.append(f"{repeated} rows with a repeated key ({key}){_first(table, parts, ask, EVERYTHING, again)}")
    for (said, rule), count in zip(rules.items(), broken, strict=True):
        if count:
            wrong.append(f"{count} rows with {said}{_first(table, parts, ask, rule)}")
    return wrong, rows, digest


def _rules(table: Table) -> dict[str, str]:
    """What is wrong with a row -> the condition under which it is."""
    rules: dict[str, str] = {}
    for column in table.columns:
        name = f'"{column.name}"'
        if column.required:
            rules[f"null in {column.name}"] = f"{name} is null"
        low, high = column.low, column.high
        bounds = [f"{name} < {low} - {ROUNDING}"] if low is not None else []
        bounds += [f"{name} > {high} + {ROUNDING}"] if high is not None else []
        never = [f"isnan({name}::double) or abs({name}) = {_INFINITY}"] if _may_be_nan(table, column) else []
        if bounds or never:
            said = f"outside {_limit(low, 'any')} to {_limit(high, 'any')}" if bounds else "that is not a number"
            rules[f"{column.name} {said}"] = " or ".join([*bounds, *never])
        if column.one_of:
            allowed = ", ".join(map(quote, column.one_of))
            rules[f"{column.name} not one of {', '.join(column.one_of)}"] = f"{name} not in ({allowed})"
    return rules


def _may_be_nan(table: Table, column: Column) -> bool:
    is_limited = column.low is not None or column.high is not None
    # Of streams' rows, landing has refused what is not a number.
    is_float = column.type in {"number", "any_number"} and table.schema != "staging"
    return is_float or (column.type in {"number", "any_number", "any"} and is_limited)


def _limit(value: float | None, without: str) -> str:
    return without if value is None else f"{value:g}"


def _first(table: Table, parts: Sequence[str], ask: Ask, rule: str, rest: str = "") -> str:
    """Say the key of the first row that breaks a rule; nothing where the table has no key."""
    if not table.key:
        return ""
    key = ", ".join(f'"{column}"' for column in table.key)
    shown = ", ".join(f'cast("{column}" as varchar)' for column in table.key)
    for part in parts:
        select = f"select {shown} from {quoted(table.name)} where ({part}) and ({rule}) {rest} order by {key} limit 1"
        found = ask(select, part)
        if found:
            said = ", ".join(f"{column} = {value}" for column, value in zip(table.key, found, strict=True))
            return f", the first {said}"
    return ""
