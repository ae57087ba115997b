"""Rows of one key in one delivery: which is believed follows from a rule, never from their order.

Equal rows are one row. Of others the newest is kept where the stream says which column tells it; else none is believed,
and all of them are set aside with their lines.
"""

from __future__ import annotations

import duckdb

from opsmetrics.sources.forms import quoted
from opsmetrics.streams import Stream

_LINES_SHOWN = 5


def settle_keys(con: duckdb.DuckDBPyConnection, stream: Stream, *, has_files: bool) -> None:
    """Leave at most one good row of each key in the table ``judged``.

    Args:
        con: Holds ``judged``: the columns of the contract, ``_line``, ``_reason``, ``_raw``, and others that are kept.
        stream: Says what the key is, and which column tells the newest.
        has_files: Whether the table ``source`` says in ``_file`` where each ``_row`` stands.
    """
    key = ", ".join(quoted(name) for name in stream.key)
    # Nearly always there is none, and finding that out must cost little.
    con.execute(
        f"create temp table alike as select {key} from judged where _reason is null group by {key} having count(*) > 1"
    )
    if con.execute("select count(*) from alike").fetchall() == [(0,)]:
        return
    same = " and ".join(f"j.{quoted(name)} is not distinct from a.{quoted(name)}" for name in stream.key)
    names = ", ".join(quoted(column.name) for column in stream.columns)
    file = "s._file" if has_files else "cast(null as varchar)"
    places = "join source as s using (_row)" if has_files else ""
    newest = f"{quoted(stream.newest)} desc nulls last" if stream.newest else "null"
    packed = ", ".join(
        f"{quoted(name)} := {quoted(name)}" for name in [*(["_file"] if has_files else []), *stream.names]
    )
    con.execute(f"""
        create temp table settled as
        with several as (
            select j.*, {file} as _file from judged as j join alike as a on {same} {places} where j._reason is null
        ),
        different as (
            select * from several qualify row_number() over (partition by {names} order by _line, _file) = 1
        ),
        ranked as (
            select *, rank() over (partition by {key} order by {newest}) as _rank,
                list(_line) over same as _lines,
                list(distinct _file) over same as _files,
                list(concat_ws(':', _file, _line)) over same as _places
            from different
            window same as (
                partition by {key} order by _line, _file rows between unbounded preceding and unbounded following
            )
        ),
        counted as (
            select *, count(*) filter (where _rank = 1) over (partition by {key}) as _newest from ranked
        )
        select * exclude (_lines, _file, _files, _places, _rank, _newest) replace (
            case when _newest > 1 then 'conflict: ' || case when len(_files) > 1
                then array_to_string(_places[1:{_LINES_SHOWN}], ', ')
                else 'lines ' || array_to_string(_lines[1:{_LINES_SHOWN}], ', ') end
                || ' have {", ".join(stream.key)} in common and differ elsewhere' end as _reason,
            case when _newest > 1 then left(cast(to_json(struct_pack({packed})) as varchar), 4000) end as _raw
        )
        from counted where _newest > 1 or _rank = 1
    """)
    con.execute(f"delete from judged as j using alike as a where {same} and j._reason is null")
    con.execute("insert into judged by name select * from settled")
