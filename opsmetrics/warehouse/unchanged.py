"""What each table was made from and what it holds: a table that rests on the same as before is not made again.

Held against the last build by content (two 64-bit sums over all rows), as scores are (``changed_instants``): a table
that was made again and came out the same changes nothing of what reads it. Whoever writes a table says here what it
holds, in the transaction that writes it; of what nobody said anything, everything that reads it is made again.

Does not belong here: which days of an incremental table are made again (``materialize``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import duckdb

from opsmetrics.catalogue.schemas import BY_NAME
from opsmetrics.catalogue.sqlfile import SqlFile
from opsmetrics.core.declare import Table, id_, text
from opsmetrics.core.version import source_digest
from opsmetrics.streams import PUBLISHED_SCORES, STREAMS
from opsmetrics.warehouse import connection
from opsmetrics.warehouse.connection import kind_of
from opsmetrics.warehouse.declared import content_in, create_missing, quoted, sums
from opsmetrics.warehouse.load_tables import raw_table

BUILT_TABLES = Table(
    "meta.built_tables",
    "What each table was made from and what it holds, by content: only what rests on something else is made again",
    (
        id_("table_name", "Table"),
        text(
            "inputs", "Digest of its SQL, its declaration and the content of what it reads; null where Python makes it"
        ),
        id_("content", "Digest of its rows, or of all that decides them"),
    ),
    ("table_name",),
)
# Which load counts, told of every stream: a table of one stream reads the rows of that stream alone.
_BY_STREAM = ("meta.loads", "meta.load_days", "meta.register_loads", "meta.day_rows", "meta.untold")
# What stands in an open working file: this process alone writes it.
_known: WeakKeyDictionary[duckdb.DuckDBPyConnection, dict[str, tuple[str | None, str]]] = WeakKeyDictionary()


def is_incremental(file: SqlFile) -> bool:
    """Whether a file's table is made again by the day."""
    return BY_NAME[file.schema].header == "model" and bool(file.model.incremental)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a table would be made from now, and what it was made from.

    Attributes:
        inputs: Digest of everything that decides what it holds; None where of something it reads nobody told what it
            holds. Of a table that is made again by the day it leaves out the loads: these are known by the day.
        before: The same of the last build; None where there is none.
        is_made: Whether the table stands as it would be made now.
    """

    inputs: str | None
    before: str | None
    is_made: bool


def standing(
    con: duckdb.DuckDBPyConnection, file: SqlFile, table: Table, kind: str, files: Mapping[str, SqlFile]
) -> Standing:
    """Hold what a table rests on against the last build."""
    if is_incremental(file):
        below = _below(file.table, files)
        streams = sorted(name.removeprefix("raw.") for name in below if name.startswith("raw."))
        # A contract that gained a column has brought all rows of its stream in anew, under the same loads.
        contracts = [(column.name, column.type) for name in streams for column in STREAMS[name].columns]
        decides = [file.digest, *(files[name].digest for name in sorted(below) if name in files), contracts]
        reads = {name for name in below if name not in files and not _is_of_loads(name)}
    else:
        # Another version of the program, or of DuckDB, may make something else of the same.
        decides = [file.digest, repr(table), source_digest(), duckdb.__version__]
        reads, own = set(file.dependencies), _own_stream(file)
        if own is not None and reads <= {own, *_BY_STREAM}:
            reads = {own}
    known = _known_of(con)
    contents = {name: known[name][1] for name in reads if name in known}
    before, content = known.get(file.table, (None, None))
    inputs = _digest(*decides, sorted(contents.items())) if len(contents) == len(reads) else None
    is_made = inputs is not None and inputs == before and kind_of(con, file.table) == kind
    if is_made and kind == "table" and not is_incremental(file):
        # What stands was not written by this build: a broken block, or a hand, would be published unseen.
        is_made = content_in(con, file.table) == content
        for raw in reads & {f"raw.{name}" for name in STREAMS}:
            content_in(con, raw)
    return Standing(inputs, before, is_made)


def remember(con: duckdb.DuckDBPyConnection, file: SqlFile, kind: str, found: Standing, content: str | None) -> None:
    """Write down what a table of a SQL file was made from and holds; in the transaction that made it.

    Args:
        con: The working file.
        file: The SQL file.
        kind: ``table`` or ``view``.
        found: What it was made from.
        content: What it holds, where it was read whole.
    """
    if is_incremental(file):
        # To read all of it would cost a day of history for each day of it.
        days = f"select {sums('b')} from meta.built_days as b where table_name = $1"
        ((days_built,),) = con.execute(days, [file.table]).fetchall()
        content = f"{found.inputs}|{days_built}"
    elif kind == "view":
        content = found.inputs
    _write(con, {file.table: content} if found.inputs and content else {}, found.inputs, [file.table])


def remember_given(con: duckdb.DuckDBPyConnection, tables: Iterable[str]) -> None:
    """Write down what tables of Python hold; in the transaction that wrote them, or after :func:`forget_given`."""
    contents = {name: content_in(con, name) for name in tables}
    _write(con, contents, None, contents)


def remember_reference(con: duckdb.DuckDBPyConnection, files: Mapping[str, SqlFile]) -> None:
    """Write down what files read of configuration, calendar and catalogue, and which loads there are and count."""
    reads = {name for file in files.values() for name in file.dependencies} - set(files)
    remember_given(con, sorted(name for name in reads if name.startswith(("ref.", "meta."))))
    _remember_loads(con)


def _remember_loads(con: duckdb.DuckDBPyConnection) -> None:
    found: dict[str, list[object]] = {}
    for name in _BY_STREAM:
        for stream, content in con.execute(f"select stream, {sums('t')} from {name} as t group by stream").fetchall():
            found.setdefault(stream, []).append((name, content))
    tables = [raw_table(stream) for stream in (*STREAMS.values(), PUBLISHED_SCORES)]
    contents = {
        table.name: _digest(repr(table.columns), found.get(table.name.removeprefix("raw."))) for table in tables
    }
    _write(con, contents, None, contents)


def forget_given(con: duckdb.DuckDBPyConnection) -> None:
    """Forget what the tables of Python hold, before they are written."""
    renew(con)
    _write(con, {}, None, [name for name, (inputs, _) in _known_of(con).items() if inputs is None])


@contextmanager
def transaction(con: duckdb.DuckDBPyConnection) -> Generator[None]:
    """Commit on success, roll back on any error, and then know no more than the file does."""
    try:
        with connection.transaction(con):
            yield
    except BaseException:
        _known.pop(con, None)
        raise


def renew(con: duckdb.DuckDBPyConnection) -> None:
    """Make the table that this module writes; one of an earlier version told of less."""
    columns = con.execute(
        "select column_name from duckdb_columns() where schema_name = 'meta' and table_name = 'built_tables'"
        " order by column_index"
    ).fetchall()
    if columns and [name for (name,) in columns] != BUILT_TABLES.names:
        con.execute(f"drop table {quoted(BUILT_TABLES.name)}")
    create_missing(con, BUILT_TABLES)


def _known_of(con: duckdb.DuckDBPyConnection) -> dict[str, tuple[str | None, str]]:
    if con not in _known:
        rows = con.execute("select table_name, inputs, content from meta.built_tables").fetchall()
        _known[con] = {name: (inputs, content) for name, inputs, content in rows}
    return _known[con]


def _write(
    con: duckdb.DuckDBPyConnection, contents: Mapping[str, str], inputs: str | None, instead_of: Iterable[str]
) -> None:
    known = _known_of(con)
    if gone := [name for name in instead_of if name in known]:
        con.execute("delete from meta.built_tables where list_contains($1, table_name)", [gone])
    if contents:
        con.execute(
            "insert into meta.built_tables select unnest($names), $inputs, unnest($contents)",
            {"names": list(contents), "inputs": inputs, "contents": list(contents.values())},
        )
    for name in gone:
        del known[name]
    known.update({name: (inputs, content) for name, content in contents.items()})


def _own_stream(file: SqlFile) -> str | None:
    """Return the raw table of the stream that a staging table repeats."""
    stream = file.model.like_stream if BY_NAME[file.schema].header == "model" else None
    return f"raw.{stream}" if stream else None


def _below(table: str, files: Mapping[str, SqlFile]) -> set[str]:
    """Return every table that a table rests on, through any number of files."""
    found: set[str] = set()
    todo = [table]
    while todo:
        name = todo.pop()
        if name in files:
            new = files[name].dependencies - found
            found |= new
            todo += new
    return found


def _is_of_loads(name: str) -> bool:
    return name.startswith("raw.") or name in _BY_STREAM


def _digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
