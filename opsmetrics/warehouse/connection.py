"""Open the working file: one writer, UTC, a storage version that older clients can read."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import polars as pl

from opsmetrics.errors import StorageError, WarehouseBusyError, WarehouseDamagedError

SCHEMAS = (
    *("raw", "staging", "ref", "meta", "facts", "metrics", "gates", "scores"),
    *("diagnostics", "organisation", "alarms", "marts"),
)
# DuckDB 1.4 and 1.5 clients open what this version writes (stack.md, storage format).
STORAGE_VERSION = "v1.5.0"
# DuckDB's own default is four fifths of the machine, which it shares with Polars; what does not fit goes to disk.
MEMORY_LIMIT = "2GB"


@contextmanager
def connect(path: Path) -> Generator[duckdb.DuckDBPyConnection]:
    """Open the working file for writing, creating it and its schemas where needed.

    A file that DuckDB cannot read is set aside (``.damaged``) and a new one begun: everything in it can be
    rebuilt from landing.

    Raises:
        WarehouseBusyError: Another process holds it.
        WarehouseDamagedError: Damage was found only while working with it; it is set aside now.
        StorageError: The disk is full or refuses to be written.
    """
    con = _connect(path)
    try:
        con.execute("set timezone = 'UTC'")
        con.execute("set preserve_insertion_order = true")
        con.execute(f"set memory_limit = '{MEMORY_LIMIT}'")
        for schema in SCHEMAS:
            con.execute(f"create schema if not exists {schema}")
        yield con
    except duckdb.Error as error:
        if not is_of_storage(error):
            raise
        con.close()
        if _refuses(error):
            raise StorageError(error) from error
        _set_aside(path)
        message = f"{path}: the working file was damaged and is set aside ({error}); run again to build it anew"
        raise WarehouseDamagedError(message) from error
    finally:
        con.close()


def is_of_storage(error: duckdb.Error) -> bool:
    """Whether the file or the disk is at fault, rather than a statement."""
    kinds = duckdb.IOException | duckdb.SerializationException | duckdb.FatalException | duckdb.InternalException
    # A commit that finds no space is told as an error of the transaction, and a broken block as a plain error.
    return isinstance(error, kinds) or _refuses(error) or "corrupt database file" in str(error).lower()


_REFUSALS = ("no space left", "file too large", "quota exceeded", "read-only", "permission denied")


def _refuses(error: Exception) -> bool:
    """Whether the disk refused a write; then what was written before is whole."""
    return any(text in str(error).lower() for text in _REFUSALS)


def _connect(path: Path) -> duckdb.DuckDBPyConnection:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return _open(path)
    except OSError as error:
        raise StorageError(error) from error
    except duckdb.Error as error:
        if "could not set lock" in str(error).lower():
            message = f"{path}: another run is writing; wait for it, or stop it, and try again"
            raise WarehouseBusyError(message) from error
        if _refuses(error):
            raise StorageError(error) from error
    _set_aside(path)
    return _open(path)


def _open(path: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(path), config={"storage_compatibility_version": STORAGE_VERSION})


def _set_aside(path: Path) -> None:
    """Keep one damaged file for whoever wants to look into it, and make way for a new one."""
    path.replace(path.with_suffix(".damaged"))
    path.with_name(path.name + ".wal").unlink(missing_ok=True)


def finished_build(con: duckdb.DuckDBPyConnection) -> str | None:
    """Return the id of the finished build in the working file, or None."""
    found = con.execute(
        "select count(*) from duckdb_tables() where schema_name = 'meta' and table_name = 'build'"
    ).fetchall()
    if found == [(0,)]:
        return None
    ((identity,),) = con.execute("select build_id from meta.build").fetchall()
    return identity


@contextmanager
def transaction(con: duckdb.DuckDBPyConnection) -> Generator[None]:
    """Commit on success, roll back on any error."""
    con.execute("begin")
    try:
        yield
    except BaseException:
        con.execute("rollback")
        raise
    con.execute("commit")


def replace_table(con: duckdb.DuckDBPyConnection, table: str, frame: pl.DataFrame) -> None:
    """Make ``table`` hold exactly the rows of ``frame``."""
    con.register("new_rows", frame)
    try:
        con.execute(f"create or replace table {table} as select * from new_rows")
    finally:
        con.unregister("new_rows")


def kind_of(con: duckdb.DuckDBPyConnection, table: str) -> str | None:
    """Return ``table`` or ``view``, or None where there is neither of this name."""
    schema, _, name = table.partition(".")
    found = con.execute(
        "select 'table' from duckdb_tables() where schema_name = $1 and table_name = $2"
        " union all select 'view' from duckdb_views() where schema_name = $1 and view_name = $2",
        [schema, name],
    ).fetchall()
    return found[0][0] if found else None


def comment(
    con: duckdb.DuckDBPyConnection, table: str, title: str, columns: dict[str, str], kind: str = "table"
) -> None:
    """Write the comments that analysts read on a table and its columns."""
    con.execute(f"comment on {kind} {table} is {quote(title)}")
    for column, text in columns.items():
        con.execute(f'comment on column {table}."{column}" is {quote(text)}')


def quote(text: str) -> str:
    """Return a SQL string literal (for statements that take no parameters, such as comments)."""
    return "'" + text.replace("'", "''") + "'"
