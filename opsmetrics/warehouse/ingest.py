"""Landing to ``raw``: new files only, some at once in one transaction with their rows in ``meta.loads``."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import polars as pl

from opsmetrics import published
from opsmetrics.errors import DamagedLoadError, OpsMetricsError
from opsmetrics.landing import (
    Load,
    LoadName,
    Pack,
    damaged_paths,
    is_pack,
    load_paths,
    packs,
    set_aside,
    verify_load,
    verify_pack,
)
from opsmetrics.streams import DUCKDB_TYPES, STREAMS, Stream
from opsmetrics.warehouse.connection import comment, kind_of, quote, replace_table, transaction
from opsmetrics.warehouse.landed import raw_view

# Loads that one statement reads: enough to keep every core busy, few enough to hold in memory.
AT_ONCE = 64
_LOADS = """
    create table if not exists meta.loads (
        load_id varchar, stream varchar, window_start date, window_end date, loaded_at timestamptz,
        sequence bigint, is_complete boolean, rows bigint, quarantined bigint, source varchar,
        source_digest varchar, dropped_columns varchar[], code_version varchar, origin varchar, accumulates boolean
    )
"""
_QUARANTINE = """
    create table if not exists meta.quarantine (
        stream varchar, load_id varchar, source varchar, line bigint, reason varchar, raw varchar
    )
"""
_DAY_ROWS = """
    create table if not exists meta.day_rows (stream varchar, load_id varchar, day date, rows bigint)
"""
LOAD_COMMENTS: dict[str, tuple[str, dict[str, str]]] = {
    "meta.loads": (
        "Every load ever landed",
        {
            "load_id": "Instant, sequence and digest",
            "stream": "Stream",
            "window_start": "First local day",
            "window_end": "Day after the last",
            "loaded_at": "When it was landed, UTC",
            "sequence": "Number within the stream",
            "is_complete": "A partial load never replaces a complete one",
            "rows": "Rows that keep the contract",
            "quarantined": "Rows set aside, see meta.quarantine",
            "source": "File or address",
            "source_digest": "Digest of the input",
            "dropped_columns": "Columns that the contract does not name and that were not landed",
            "code_version": "Version of the code that landed it",
            "origin": "Name of the source: files, or a connector of sources.toml",
            "accumulates": "A register of which all loads of this source count",
        },
    ),
    "meta.quarantine": (
        "Rows that break their stream's contract, with the reason: nothing is lost, nothing is guessed",
        {
            "stream": "Stream",
            "load_id": "Load they came with",
            "source": "File or address",
            "line": "Line of the file (Parquet: row)",
            "reason": "What is wrong",
            "raw": "The contract's columns as they came, JSON; null where the line could not be split",
        },
    ),
    "meta.day_rows": (
        "Rows that each load brought for each local day, also replaced ones; a day without rows has none",
        {
            "stream": "Stream",
            "load_id": "Load they came with",
            "day": "Local day",
            "rows": "Rows that keep the contract",
        },
    ),
    "meta.damaged_loads": (
        "Loads whose file was found damaged: set aside, and asked for again where the source still remembers",
        {
            "stream": "Stream",
            "load_id": "Load",
            "origin": "Name of the source; null = a pack of loads of several",
            "window_start": "First local day",
            "window_end": "Day after the last",
        },
    ),
}


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

    def set_aside(self, stream: Stream, error: DamagedLoadError) -> None:
        """Move a damaged file out of the way and keep what is wrong with it."""
        set_aside(error.path)
        self.damaged.setdefault(stream.name, []).append(str(error))


def ingest(con: duckdb.DuckDBPyConnection, landing: Path, landed: frozenset[str] = frozenset()) -> Ingested:
    """Bring loads that the working file does not know yet into ``raw``.

    Loads whose file has vanished from landing are forgotten, so that the working file always mirrors landing. A load
    that cannot be read is set aside and the others still come in.

    Args:
        con: The working file.
        landing: Folder of the loads.
        landed: Streams whose rows stay where they are (``Engine.landed``): checked and counted, not copied.
    """
    con.execute(_LOADS)
    con.execute(_QUARANTINE)
    con.execute(_DAY_ROWS)
    done = Ingested()
    streams = (*STREAMS.values(), published.STREAM)
    uncounted = _uncounted(con)
    for stream in streams:
        _ensure_raw(con, stream, is_counted=stream.name not in uncounted, is_landed=stream.name in landed)
        rows = con.execute("select load_id from meta.loads where stream = $1", [stream.name]).fetchall()
        known = {load_id for (load_id,) in rows}
        stays = stream.name in landed
        found = _bring_packs(con, stream, landing, known, done, stays=stays)
        found |= _bring_files(con, stream, landing, known, done, stays=stays)
        for gone in sorted(known - found):
            _forget(con, stream, gone)
        if stays and found:
            _show_landed(con, stream, landing)
    replace_table(con, "meta.damaged_loads", _damaged(landing, [stream.name for stream in streams]))
    for table, (title, columns) in LOAD_COMMENTS.items():
        comment(con, table, title, columns)
    return done


def _bring_files(
    con: duckdb.DuckDBPyConnection, stream: Stream, landing: Path, known: set[str], done: Ingested, *, stays: bool
) -> set[str]:
    """Bring in the loads that are files of their own; return the ids of all of them."""
    found: set[str] = set()
    new: list[Load] = []
    for path in load_paths(landing, stream.name):
        load_id = LoadName.parse(path).load_id
        if load_id not in known:
            try:
                new.append(verify_load(path))
            except DamagedLoadError as error:
                done.set_aside(stream, error)
                continue
            known.add(load_id)
        found.add(load_id)
    for start in range(0, len(new), AT_ONCE):
        loads = new[start : start + AT_ONCE]
        paths, ids = (
            ", ".join(map(quote, texts)) for texts in zip(*((str(x.path), x.load_id) for x in loads), strict=True)
        )
        named = f"(select unnest([{paths}]) as path, unnest([{ids}]) as _load_id)"
        files = f"read_parquet([{paths}], filename = true, union_by_name = true)"
        rows = f"(select p.*, n._load_id from {files} as p join {named} as n on n.path = p.filename)"
        _bring(con, stream, loads, rows, stays=stays)
        done.add(stream, loads)
    return found


def _bring_packs(
    con: duckdb.DuckDBPyConnection, stream: Stream, landing: Path, known: set[str], done: Ingested, *, stays: bool
) -> set[str]:
    """Bring in the loads of packs; return the ids of all of them. A pack of known loads is not read."""
    found: set[str] = set()
    for pack in packs(landing, stream.name):
        try:
            new = [load for load in pack.loads() if load.load_id not in known]
            if new:
                verify_pack(pack)
        except DamagedLoadError as error:
            done.set_aside(stream, error)
            continue
        if new:
            ids = ", ".join(quote(load.load_id) for load in new)
            rows = f"(from read_parquet({quote(str(pack.path))}) where _load_id in ({ids}))"
            _bring(con, stream, new, rows, stays=stays)
            done.add(stream, new)
        found |= {load.load_id for load in pack.loads()}
        known |= found
    return found


def _damaged(landing: Path, streams: list[str]) -> pl.DataFrame:
    rows: list[tuple[object, ...]] = []
    found = [(stream, path) for stream in streams for path in damaged_paths(landing, stream)]
    for stream, path in found:
        if is_pack(path):
            rows.append((stream, path.stem, None, *Pack.parse(path).window))
        else:
            name = LoadName.parse(path)
            rows.append((stream, name.load_id, name.origin, *name.window))
    schema = {
        "stream": pl.String,
        "load_id": pl.String,
        "origin": pl.String,
        "window_start": pl.Date,
        "window_end": pl.Date,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def _raw_columns(stream: Stream) -> dict[str, str]:
    columns = {column.name: DUCKDB_TYPES[column.type] for column in stream.columns}
    return columns | {"_day": "date", "_line": "bigint", "_load_id": "varchar"}


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
    wanted = _raw_columns(stream)
    rows = con.execute(
        "select column_name from duckdb_columns() where schema_name = 'raw' and table_name = $1 order by column_index",
        [stream.name],
    ).fetchall()
    kind = kind_of(con, f"raw.{stream.name}")
    fits = kind == "view" or _is_empty(con, stream) if is_landed else kind == "table"
    if [name for (name,) in rows] == list(wanted) and is_counted and fits:
        return
    with transaction(con):
        if kind is not None:
            con.execute(f'drop {kind} raw."{stream.name}"')
        con.execute("delete from meta.loads where stream = $1", [stream.name])
        con.execute("delete from meta.quarantine where stream = $1", [stream.name])
        con.execute("delete from meta.day_rows where stream = $1", [stream.name])
        columns = ", ".join(f'"{name}" {kind}' for name, kind in wanted.items())
        con.execute(f'create table raw."{stream.name}" ({columns})')
        _comment_raw(con, stream, "table")


def _comment_raw(con: duckdb.DuckDBPyConnection, stream: Stream, kind: str) -> None:
    texts = {column.name: column.doc for column in stream.columns}
    texts |= {"_day": "Local day", "_line": "Line of the source", "_load_id": "Load, see meta.loads"}
    comment(con, f'raw."{stream.name}"', f"{stream.doc}; every load, also replaced ones", texts, kind)


def _is_empty(con: duckdb.DuckDBPyConnection, stream: Stream) -> bool:
    found = con.execute("select count(*) from meta.loads where stream = $1", [stream.name]).fetchall()
    return found == [(0,)]


def _show_landed(con: duckdb.DuckDBPyConnection, stream: Stream, landing: Path) -> None:
    """Make the raw table a view on the files of landing."""
    with transaction(con):
        if kind_of(con, f"raw.{stream.name}") == "table":
            con.execute(f'drop table raw."{stream.name}"')
        con.execute(f'create or replace view raw."{stream.name}" as {raw_view(landing, stream)}')
        _comment_raw(con, stream, "view")


def _bring(con: duckdb.DuckDBPyConnection, stream: Stream, loads: list[Load], source: str, *, stays: bool) -> None:
    """Bring loads in, all of them or none.

    Args:
        con: The working file.
        stream: Their stream.
        loads: The loads.
        source: Their rows as a relation, with the load of each in ``_load_id``.
        stays: Their rows stay where they are and are only counted.
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
        into = f"select count(*) from ({rows})" if stays else f'insert into raw."{stream.name}" {rows}'
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
        con.executemany(f"insert into meta.loads values ({', '.join('?' * 15)})", [_row(load) for load in loads])


def _row(load: Load) -> list[object]:
    """The load as a row of meta.loads."""
    return [
        load.load_id,
        load.stream,
        load.window_start,
        load.window_end,
        load.loaded_at,
        load.sequence,
        load.is_complete,
        load.rows,
        load.quarantined,
        load.source,
        load.source_digest,
        list(load.dropped_columns),
        load.code_version,
        load.origin,
        load.accumulates,
    ]


def _forget(con: duckdb.DuckDBPyConnection, stream: Stream, load_id: str) -> None:
    with transaction(con):
        if kind_of(con, f"raw.{stream.name}") == "table":
            con.execute(f'delete from raw."{stream.name}" where _load_id = $1', [load_id])
        con.execute("delete from meta.loads where load_id = $1 and stream = $2", [load_id, stream.name])
        for table in ("quarantine", "day_rows"):
            con.execute(f"delete from meta.{table} where load_id = $1 and stream = $2", [load_id, stream.name])
