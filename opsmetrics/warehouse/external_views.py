"""``raw`` tables of streams whose rows stay in landing: views on its files, which hold what the table would hold."""

from __future__ import annotations

from pathlib import Path

import duckdb

from opsmetrics.core.atomic import literal
from opsmetrics.landing import PACKS, Load, LoadName, load_paths, packs
from opsmetrics.landing.reading import readable_loads
from opsmetrics.streams import DUCKDB_TYPES, STREAMS, Stream
from opsmetrics.warehouse.connection import quote


def raw_view(landing: Path, stream: Stream) -> str:
    """Return the select behind ``raw.<stream>`` over all its loads, packed or not.

    A load that is not a pack does not hold its own id; its name does.
    """
    folder = landing.resolve() / stream.name
    globs = [path for path in (folder, folder / PACKS) if any(path.glob("*.parquet"))]
    files = ", ".join(quote(f"{literal(path)}/*.parquet") for path in globs)
    columns = ", ".join(f'p."{column.name}"' for column in stream.columns)
    # Loads that were landed before a column joined the contract do not have it.
    nulls = ", ".join(f'cast(null as {DUCKDB_TYPES[column.type]}) as "{column.name}"' for column in stream.columns)
    # Killed between a pack and the removal of its files, a load lies in both.
    once = "_load_id is not null or its_load not in (select _load_id from p where _load_id is not null)"
    return f"""
        with p as (
            select * from read_parquet([{files}], filename = true, union_by_name = true)
            union all by name
            select {nulls}, cast(null as varchar) as _load_id where false
        ),
        n as (
            select *, coalesce(_load_id, regexp_extract(filename, '([^/~]*)(~[^/]*)?\\.parquet$', 1)) as its_load
            from p where _reason is null
        )
        select {columns}, p._day, p._line, p.its_load as _load_id
        from n as p semi join meta.loads as l on l.stream = {quote(stream.name)} and l.load_id = p.its_load
        where {once if len(globs) > 1 else "true"}"""


def layout(landing: Path, streams: frozenset[str]) -> list[str]:
    """Say which folders the views read, because a first pack needs another view."""
    folders = [landing / stream / part for stream in sorted(streams) for part in ("", PACKS)]
    return [str(folder.relative_to(landing)) for folder in folders if any(folder.glob("*.parquet"))]


def files_with(con: duckdb.DuckDBPyConnection, landing: Path, stream: str, part: str) -> dict[Path, list[str]]:
    """Return the files that hold the winning loads of some days, each with the ids of these loads."""
    rows = con.execute(
        f"select distinct load_id from meta.load_days where stream = $1 and ({part}) order by load_id", [stream]
    ).fetchall()
    wanted = {load_id for (load_id,) in rows}
    found: dict[Path, list[str]] = {}
    for pack in packs(landing, stream):
        loads: tuple[Load, ...] = readable_loads(pack)
        if ids := [load.load_id for load in loads if load.load_id in wanted]:
            found[pack.path] = ids
            wanted -= set(ids)
    for path in load_paths(landing, stream):
        load_id = LoadName.parse(path).load_id
        if load_id in wanted:
            found[path] = [load_id]
    return found


def stream_of(table: str) -> Stream:
    """Return the stream behind ``raw.<stream>``."""
    return STREAMS[table.removeprefix("raw.")]
