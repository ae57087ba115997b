"""Landing to ``raw``: new files only, some at once in one transaction with their rows in ``meta.loads``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from opsmetrics.core.atomic import literal
from opsmetrics.core.declare import DUCKDB_TYPES
from opsmetrics.core.errors import DamagedLoadError, OpsMetricsError, VanishedError
from opsmetrics.landing import (
    Load,
    LoadName,
    load_paths,
    packs,
    quarantine,
    verify_load,
    verify_pack,
)
from opsmetrics.landing.loads import MOST_DAYS
from opsmetrics.landing.unpacking import MOST_IN_A_PACK, overfull
from opsmetrics.streams import PUBLISHED_SCORES, STREAMS, Stream
from opsmetrics.warehouse.connection import is_of_storage, kind_of, quote, transaction
from opsmetrics.warehouse.declared import (
    append_rows,
    check_table,
    comment_table,
    create_missing,
    frame_of,
    quoted,
    write_table,
)
from opsmetrics.warehouse.external_views import raw_view
from opsmetrics.warehouse.load_tables import (
    DAMAGED_LOADS,
    DAY_ROWS,
    LOADS,
    QUARANTINE,
    UNPROVEN_DAYS,
    damaged_rows,
    load_rows,
    raw_table,
    unproven_rows,
)

# Loads that one statement reads: enough to keep every core busy, few enough to hold in memory.
AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Ingested:
    """What an ingest did.

    Attributes:
        rows: Rows brought in per stream (only streams with new loads).
        damaged: One text per load that was found damaged and set aside, by stream.
    """

    rows: dict[str, int] = field(default_factory=dict[str, int])
    damaged: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def add(self, stream: Stream, loads: list[Load]) -> None:
        """Count loads that were brought in."""
        self.rows[stream.name] = self.rows.get(stream.name, 0) + sum(load.rows for load in loads)

    def merge(self, later: Ingested) -> None:
        """Add what a later ingest did."""
        for name, count in later.rows.items():
            self.rows[name] = self.rows.get(name, 0) + count
        for name, texts in later.damaged.items():
            self.damaged.setdefault(name, []).extend(texts)

    def quarantine(self, stream: Stream, error: DamagedLoadError) -> None:
        """Move a damaged file out of the way and keep what is wrong with it."""
        quarantine(error.path)
        self.damaged.setdefault(stream.name, []).append(str(error))


def ingest(
    con: duckdb.DuckDBPyConnection,
    landing: Path,
    external: frozenset[str] = frozenset(),
    *,
    only: frozenset[str] | None = None,
) -> Ingested:
    """Bring loads that the working file does not know yet into ``raw``.

    Loads whose file has vanished from landing are forgotten, so that the working file always mirrors landing. A load
    that cannot be read is set aside and the others still come in.

    Args:
        con: The working file.
        landing: Folder of the loads.
        external: Streams whose rows stay where they are (``Engine.external_streams``): checked and counted, not copied.
        only: Look at these streams only; default all.

    Raises:
        UnreadableError: The system does not let us read a load; it is not set aside, and nothing is forgotten for it.
    """
    _renew(con)
    create_missing(con, LOADS, QUARANTINE, DAY_ROWS, UNPROVEN_DAYS)
    done = Ingested()
    streams = (*STREAMS.values(), PUBLISHED_SCORES)
    uncounted = _uncounted(con)
    for stream in (stream for stream in streams if only is None or stream.name in only):
        _ensure_raw(con, stream, is_counted=stream.name not in uncounted, is_landed=stream.name in external)
        rows = con.execute("select load_id from meta.loads where stream = $1", [stream.name]).fetchall()
        known = {load_id for (load_id,) in rows}
        is_external = stream.name in external
        found = _bring_packs(con, stream, landing, known, done, is_external=is_external)
        found |= _bring_files(con, stream, landing, known, done, is_external=is_external)
        for gone in sorted(known - found):
            _forget(con, stream, gone)
        if is_external and found:
            _show_landed(con, stream, landing)
    with transaction(con):
        damaged = frame_of(DAMAGED_LOADS, damaged_rows(landing, [stream.name for stream in streams]))
        write_table(con, DAMAGED_LOADS, damaged)
    return done


def _bring_files(
    con: duckdb.DuckDBPyConnection, stream: Stream, landing: Path, known: set[str], done: Ingested, *, is_external: bool
) -> set[str]:
    """Bring in the loads that are files of their own; return the ids of all of them."""
    found: set[str] = set()
    new: list[Load] = []
    for path in load_paths(landing, stream.name):
        load_id = LoadName.parse(path).load_id
        if load_id not in known:
            try:
                new.append(verify_load(path))
            except VanishedError:
                continue
            except DamagedLoadError as error:
                done.quarantine(stream, error)
                continue
            known.add(load_id)
        found.add(load_id)
    for error in overfull([load.path for load in new]):
        done.quarantine(stream, error)
        found.discard(LoadName.parse(error.path).load_id)
    for loads in _some([load for load in new if load.load_id in found]):
        try:
            _bring_loads(con, stream, loads, is_external=is_external)
        except (OpsMetricsError, duckdb.Error) as error:
            _refuse_of_storage(error)
            _bring_one_by_one(con, stream, loads, found, done, is_external=is_external)
        done.add(stream, [load for load in loads if load.load_id in found])
    return found


def _bring_one_by_one(
    con: duckdb.DuckDBPyConnection,
    stream: Stream,
    loads: list[Load],
    found: set[str],
    done: Ingested,
    *,
    is_external: bool,
) -> None:
    """Bring in loads of which one is not what its facts tell: that one alone is set aside."""
    for load in loads:
        try:
            _bring_loads(con, stream, [load], is_external=is_external)
        except (OpsMetricsError, duckdb.Error) as error:
            _refuse_of_storage(error)
            done.quarantine(stream, _of_another_form(load.path, error))
            found.discard(load.load_id)


def _refuse_of_storage(error: Exception) -> None:
    """Raise what the disk or the working file is at fault of, rather than a load."""
    if isinstance(error, duckdb.Error) and is_of_storage(error):
        raise error


def _bring_loads(con: duckdb.DuckDBPyConnection, stream: Stream, loads: list[Load], *, is_external: bool) -> None:
    """Bring in loads that are files of their own, all of them or none."""
    names = ", ".join(quote(str(load.path)) for load in loads)
    paths = ", ".join(quote(literal(load.path)) for load in loads)
    ids = ", ".join(quote(load.load_id) for load in loads)
    named = f"(select unnest([{names}]) as path, unnest([{ids}]) as _load_id)"
    files = f"read_parquet([{paths}], filename = true, union_by_name = true)"
    rows = f"(select p.*, n._load_id from {files} as p join {named} as n on n.path = p.filename)"
    _bring(con, stream, loads, rows, is_external=is_external)


def _some(loads: list[Load]) -> Iterator[list[Load]]:
    """Yield loads that one statement reads: not too many, nor too many days that each is a row of."""
    some: list[Load] = []
    days = 0
    for load in loads:
        more = sum((end - start).days for start, end, _ in load.unproven)
        if some and (len(some) == AT_ONCE or days + more > MOST_DAYS):
            yield some
            some, days = [], 0
        some.append(load)
        days += more
    if some:
        yield some


def _of_another_form(path: Path, error: Exception) -> DamagedLoadError:
    return DamagedLoadError(path, f"its rows are not those of a load: {str(error).partition(chr(10))[0]}")


def _bring_packs(
    con: duckdb.DuckDBPyConnection, stream: Stream, landing: Path, known: set[str], done: Ingested, *, is_external: bool
) -> set[str]:
    """Bring in the loads of packs; return the ids of all of them. A pack of known loads is not read."""
    found: set[str] = set()
    for pack in packs(landing, stream.name):
        try:
            new = [load for load in pack.loads() if load.load_id not in known]
            if new:
                verify_pack(pack)
                for error in overfull([pack.path], MOST_IN_A_PACK):
                    raise error
        except DamagedLoadError as error:
            done.quarantine(stream, error)
            continue
        if new:
            ids = ", ".join(quote(load.load_id) for load in new)
            rows = f"(from read_parquet({quote(literal(pack.path))}) where _load_id in ({ids}))"
            try:
                _bring(con, stream, new, rows, is_external=is_external)
            except (OpsMetricsError, duckdb.Error) as error:
                _refuse_of_storage(error)
                done.quarantine(stream, _of_another_form(pack.path, error))
                continue
            done.add(stream, new)
        found |= {load.load_id for load in pack.loads()}
        known |= found
    return found


def _renew(con: duckdb.DuckDBPyConnection) -> None:
    """Drop what an earlier version knew of loads in another form: landing tells it all again."""
    rows = con.execute(
        "select column_name from duckdb_columns() where schema_name = 'meta' and table_name = 'loads'"
        " order by column_index"
    ).fetchall()
    if not rows or [name for (name,) in rows] == LOADS.names:
        return
    with transaction(con):
        for table in (LOADS, QUARANTINE, DAY_ROWS, UNPROVEN_DAYS, *(raw_table(stream) for stream in STREAMS.values())):
            kind = kind_of(con, table.name)
            if kind is not None:
                con.execute(f"drop {kind} {quoted(table.name)}")
        if kind_of(con, f"raw.{PUBLISHED_SCORES.name}") is not None:
            con.execute(f"drop table {quoted(f'raw.{PUBLISHED_SCORES.name}')}")


def _uncounted(con: duckdb.DuckDBPyConnection) -> set[str]:
    """Streams whose rows were not counted by day: a version before this one brought them in."""
    rows = con.execute(
        """select stream from (
            select stream, rows from meta.loads union all select stream, -rows from meta.day_rows
        ) group by stream having sum(rows) <> 0"""
    ).fetchall()
    return {stream for (stream,) in rows}


def _ensure_raw(con: duckdb.DuckDBPyConnection, stream: Stream, *, is_counted: bool, is_landed: bool) -> None:
    """Create the raw table; one of an older contract or version is dropped and its loads are read again."""
    table = raw_table(stream)
    kind = kind_of(con, f"raw.{stream.name}")
    rows = con.execute(f'select column_name from (describe raw."{stream.name}")').fetchall() if kind else []
    fits = kind == "view" or _is_empty(con, stream) if is_landed else kind == "table"
    if [name for (name,) in rows] == table.names and is_counted and fits:
        return
    with transaction(con):
        if kind is not None:
            con.execute(f'drop {kind} raw."{stream.name}"')
        con.execute("delete from meta.loads where stream = $1", [stream.name])
        con.execute("delete from meta.quarantine where stream = $1", [stream.name])
        con.execute("delete from meta.day_rows where stream = $1", [stream.name])
        con.execute("delete from meta.unproven_days where stream = $1", [stream.name])
        create_missing(con, table)


def _is_empty(con: duckdb.DuckDBPyConnection, stream: Stream) -> bool:
    found = con.execute("select count(*) from meta.loads where stream = $1", [stream.name]).fetchall()
    return found == [(0,)]


def _show_landed(con: duckdb.DuckDBPyConnection, stream: Stream, landing: Path) -> None:
    """Make the raw table a view on the files of landing."""
    with transaction(con):
        if kind_of(con, f"raw.{stream.name}") == "table":
            con.execute(f'drop table raw."{stream.name}"')
        con.execute(f'create or replace view raw."{stream.name}" as {raw_view(landing, stream)}')
        comment_table(con, raw_table(stream), "view")


def _bring(
    con: duckdb.DuckDBPyConnection, stream: Stream, loads: list[Load], source: str, *, is_external: bool
) -> None:
    """Bring loads in, all of them or none.

    Args:
        con: The working file.
        stream: Their stream.
        loads: The loads.
        source: Their rows as a relation, with the load of each in ``_load_id``.
        is_external: Their rows stay where they are and are only counted.
    """
    there = {name for (name,) in con.execute(f"select column_name from (describe from {source})").fetchall()}
    # Loads that were landed before a column joined the contract do not have it.
    names = ", ".join(
        f'"{column.name}"' if column.name in there else f'cast(null as {DUCKDB_TYPES[column.type]}) as "{column.name}"'
        for column in stream.columns
    )
    expected = sum(load.rows for load in loads)
    with transaction(con):
        rows = f"select {names}, _day, _line, _load_id from {source} where _reason is null"
        into = f"select count(*) from ({rows})" if is_external else f'insert into raw."{stream.name}" {rows}'
        ((brought,),) = con.execute(into).fetchall()
        if brought != expected:
            message = (
                f"{stream.name}: {brought} rows came in, where {loads[0].path} and the loads after it say {expected}"
            )
            raise OpsMetricsError(
                f"{message}\n    fix: move these files out of landing and pull again; please report it"
            )
        con.execute(
            f"insert into meta.day_rows select $stream, _load_id, _day, count(*) from {source}"
            " where _reason is null group by _load_id, _day order by _load_id, _day",
            {"stream": stream.name},
        )
        if any(load.quarantined for load in loads):
            con.execute(
                "insert into meta.quarantine select $stream, q._load_id, l.source, q._line, q._reason, q._raw"
                f" from {source} as q join (select unnest($ids) as load_id, unnest($sources) as source) as l"
                " on l.load_id = q._load_id where q._reason is not null",
                {
                    "stream": stream.name,
                    "ids": [load.load_id for load in loads],
                    "sources": [load.source for load in loads],
                },
            )
        append_rows(con, LOADS, frame_of(LOADS, load_rows(loads)))
        append_rows(con, UNPROVEN_DAYS, frame_of(UNPROVEN_DAYS, unproven_rows(loads)))
        for table in (LOADS, QUARANTINE, DAY_ROWS, UNPROVEN_DAYS):
            check_table(con, table, where=f"stream = {quote(stream.name)}")


def _forget(con: duckdb.DuckDBPyConnection, stream: Stream, load_id: str) -> None:
    with transaction(con):
        if kind_of(con, f"raw.{stream.name}") == "table":
            con.execute(f'delete from raw."{stream.name}" where _load_id = $1', [load_id])
        con.execute("delete from meta.loads where load_id = $1 and stream = $2", [load_id, stream.name])
        for table in ("quarantine", "day_rows", "unproven_days"):
            con.execute(f"delete from meta.{table} where load_id = $1 and stream = $2", [load_id, stream.name])
