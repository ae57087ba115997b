"""Open the working file: one writer, UTC, a storage version that older clients can read."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import duckdb

from opsmetrics.catalogue.schemas import NAMES
from opsmetrics.core.errors import StorageError, WarehouseBusyError, WarehouseDamagedError, is_refusal, refused
from opsmetrics.warehouse.lock import exclusive

# DuckDB 1.4 and 1.5 clients open what this version writes.
STORAGE_VERSION = "v1.5.0"
# DuckDB's own default is four fifths of the machine, which it shares with Polars; what does not fit goes to disk.
MEMORY_LIMIT = "2GB"


@contextmanager
def connect(path: Path, busy_seconds: float = 0.0) -> Generator[duckdb.DuckDBPyConnection]:
    """Open the working file for writing, creating it and its schemas where needed.

    A file that DuckDB cannot read is set aside (``.damaged``) and a new one begun: everything in it can be
    rebuilt from landing.

    Args:
        path: The working file.
        busy_seconds: How long to wait while another one works in it, in seconds.

    Raises:
        WarehouseBusyError: Another process holds it, and still does after the wait.
        WarehouseDamagedError: Damage was found only while working with it; it is set aside now.
        StorageError: The disk is full or refuses, or there is no memory or file handle left; nothing is set aside.
    """
    with _locked(path, busy_seconds), _opened(path) as con:
        yield con


@contextmanager
def _locked(path: Path, busy_seconds: float) -> Generator[None]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = ExitStack()
        lock.enter_context(exclusive(path, busy_seconds))
    except OSError as error:
        raise StorageError(error) from error
    with lock:
        yield


@contextmanager
def _opened(path: Path) -> Generator[duckdb.DuckDBPyConnection]:
    con = _connect(path)
    try:
        con.execute("set timezone = 'UTC'")
        con.execute("set preserve_insertion_order = true")
        con.execute(f"set memory_limit = '{MEMORY_LIMIT}'")
        for schema in NAMES:
            con.execute(f"create schema if not exists {schema}")
        yield con
    except duckdb.Error as error:
        if not is_of_storage(error):
            raise
        con.close()
        if is_refusal(error) or _is_of_another_file(error, path):
            raise refused(error) from error
        _set_aside(path)
        with suppress(duckdb.Error):
            # Begun at once: where there is none, what was set aside would come back, and be damaged again.
            _open(path).close()
        message = f"{path}: the working file was damaged and is set aside ({error}); run again to build it anew"
        raise WarehouseDamagedError(message) from error
    finally:
        con.close()


def is_of_storage(error: duckdb.Error) -> bool:
    """Whether the file or the disk is at fault, rather than a statement."""
    kinds = duckdb.IOException | duckdb.SerializationException | duckdb.FatalException | duckdb.InternalException
    # A commit that finds no space is told as an error of the transaction, and a broken block as a plain error.
    return isinstance(error, kinds) or is_refusal(error) or "corrupt database file" in str(error).lower()


def _is_of_another_file(error: duckdb.Error, path: Path) -> bool:
    """Whether DuckDB speaks of a file that it was to read, such as a load that was packed meanwhile."""
    said = str(error)
    return isinstance(error, duckdb.IOException) and ".parquet" in said and path.name not in said


def _connect(path: Path) -> duckdb.DuckDBPyConnection:
    _bring_back(path)
    try:
        return _open(path)
    except duckdb.Error as error:
        if "could not set lock" in str(error).lower():
            message = f"{path}: another run is writing; wait for it, or stop it, and try again"
            raise WarehouseBusyError(message) from error
        if is_refusal(error):
            raise refused(error) from error
    _may_be_read(path)
    _set_aside(path)
    return _open(path)


def _may_be_read(path: Path) -> None:
    """Ask the system itself before a file is taken for damaged.

    Raises:
        StorageError: It does not let us read or write the file: what it holds is not known to be wrong.
    """
    try:
        for name in (path, path.with_name(path.name + ".wal")):
            if name.exists():
                with name.open("r+b") as content:
                    content.read(1)
    except OSError as error:
        raise StorageError(error) from error


def _bring_back(path: Path) -> None:
    """Take a working file that was set aside where there is none: a process was killed before it began a new one.

    What it holds is compared with landing by every build, and DuckDB checks each block that it reads.
    """
    aside = path.with_suffix(".damaged")
    if path.exists() or not aside.exists():
        return
    try:
        _open(aside).close()
    except duckdb.Error:
        return
    aside.replace(path)


def _open(path: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(path), config={"storage_compatibility_version": STORAGE_VERSION})


def _set_aside(path: Path) -> None:
    """Keep one damaged file for whoever wants to look into it, and make way for a new one.

    Its log goes first: killed in between, the file without it is still what it was at the last checkpoint.
    """
    path.with_name(path.name + ".wal").unlink(missing_ok=True)
    path.replace(path.with_suffix(".damaged"))


def finished_build(con: duckdb.DuckDBPyConnection) -> str | None:
    """Return the id of the finished build in the working file, or None."""
    if kind_of(con, "meta.build") is None:
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


def kind_of(con: duckdb.DuckDBPyConnection, table: str) -> str | None:
    """Return ``table`` or ``view``, or None where there is neither of this name."""
    schema, _, name = table.partition(".")
    views = con.execute(
        "select 1 from duckdb_views() where not internal and schema_name = $1 and view_name = $2", [schema, name]
    ).fetchall()
    if views:
        return "view"
    # To plan a read of one name costs a tenth of DuckDB's list of tables, which looks into the storage of each; and
    # unlike a failed read it leaves the transaction as it is.
    plan = "select json_serialize_plan($1) ->> 'error_type'"
    ((error,),) = con.execute(plan, [f'select 1 from "{schema}"."{name}"']).fetchall()
    return None if error == "catalog" else "table"


def quote(text: str) -> str:
    """Return a SQL string literal (for statements that take no parameters, such as comments)."""
    return "'" + text.replace("'", "''") + "'"
