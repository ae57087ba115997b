"""``meta`` tables of deliveries: streams, their sources, and which load counts for each day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import duckdb

from opsmetrics.core.declare import Column, Row, Table, at, count, day, flag, id_, text, texts
from opsmetrics.core.instants import instant
from opsmetrics.organisation import Organisation
from opsmetrics.organisation.source_links import link_of
from opsmetrics.sources.notes import read_notes
from opsmetrics.streams import FILES, STREAMS
from opsmetrics.warehouse.declared import check_table, comment_table

_STREAM = id_("stream", "Stream")
_ORIGIN = id_("origin", "Source")
_LOAD = id_("load_id", "Winning load")
_DAY = day("day", "Local day", required=True)
_IS_COMPLETE = flag("is_complete", "False: only a partial answer is known", required=True)
# A source whose end nobody knows is due until then.
_END_OF_TIME = date(9999, 12, 31)

STREAMS_TABLE = Table(
    "meta.streams",
    "Streams of the contract and whether this organisation has connected them",
    (
        _STREAM,
        id_("doc", "What a row is"),
        flag("is_register", "Every load is the whole state", required=True),
        flag("is_connected", "Named in sources.toml", required=True),
        flag("is_left_out", "Left unconnected on purpose: `without` in sources.toml", required=True),
        count("expected_hours", "Hours between new data", required=True),
    ),
    ("stream",),
)


def streams(organisation: Organisation) -> Iterator[Row]:
    """Return the rows of ``meta.streams``."""
    for name, stream in sorted(STREAMS.items()):
        yield {
            "stream": name,
            "doc": stream.doc,
            "is_register": stream.is_register,
            "is_connected": name in organisation.streams,
            "is_left_out": name in organisation.sources.without,
            "expected_hours": stream.expected_hours,
        }


SOURCES = Table(
    "meta.sources",
    "Sources of each stream as configured: files and connectors",
    (
        _STREAM,
        id_("origin", "Source: files, or a connector of sources.toml"),
        id_("kind", "Kind of connector, or files"),
        day("due_from", "First local day that it is to deliver", required=True),
        day("due_to", "Local day from which it no longer is", required=True),
        # A state is remembered for less than a day, which the connectors write as -1.
        Column("remembers_days", "integer", "Days after which the source has forgotten; null = years"),
        at("attempted_at", "Last pull, UTC"),
        at("succeeded_at", "Last pull without error, UTC"),
        text("error", "What went wrong last, or null"),
        texts("told", "What the last pull took back or left open, and why"),
    ),
    ("stream", "origin"),
)


def sources(organisation: Organisation, pulls: Path) -> Iterator[Row]:
    """Return the rows of ``meta.sources``.

    Args:
        organisation: The configuration.
        pulls: Folder of the pull notes.
    """
    notes = read_notes(pulls)
    for delivery in organisation.deliveries:
        note = notes.get((delivery.stream, delivery.origin))
        yield {
            "stream": delivery.stream,
            "origin": delivery.origin,
            "kind": getattr(delivery.source, "kind", FILES),
            "due_from": delivery.due_from,
            "due_to": delivery.due_to or _END_OF_TIME,
            "remembers_days": delivery.remembers_days,
            "attempted_at": instant(note.attempted_at) if note else None,
            "succeeded_at": instant(note.succeeded_at) if note else None,
            "error": note.error if note else None,
            "told": list(note.told) if note else [],
        }


SOURCE_LINKS = Table(
    "meta.source_links",
    "Where a row is found in the system that told it; a stream and source without one stands not here",
    (
        _STREAM,
        _ORIGIN,
        id_("template", "Address; what stands in {braces} is of the row: id, repository, number, service, team"),
    ),
    ("stream", "origin"),
)


def source_links(organisation: Organisation) -> Iterator[Row]:
    """Return the rows of ``meta.source_links``."""
    for delivery in organisation.deliveries:
        template = link_of(delivery)
        if template is not None:
            yield {"stream": delivery.stream, "origin": delivery.origin, "template": template}


LOAD_DAYS = Table(
    "meta.load_days",
    "The load that counts for each stream, source and local day",
    (
        _STREAM,
        _ORIGIN,
        _DAY,
        _LOAD,
        _IS_COMPLETE,
        count("sequence", "Number of the load within its stream: the higher was landed later", required=True),
    ),
    ("stream", "origin", "day"),
)
# The winning load of a stream, source and day: complete before partial, then the newest (architecture D1, D2).
# Newest is what was landed last by number: a clock may jump, the order of landing does not. Where the newest word on a
# day is that its file no longer covers it, nothing is known of it any more. A day of which rows were set aside is a
# part, but the last word: the source says more than before, not less, as it does where its answer was cut off. Of a day
# inside a long silence the load says nothing. Of a day that has not begun nothing is known but what is planned: a load
# that claims more was landed while the clock stood wrong.
_LOAD_DAYS_SQL = """
    with known as (select * from meta.loads where loaded_at <= $1),
    spans as (
        select stream, origin, load_id, is_complete, sequence, window_start, window_end, false as is_withdrawn
        from known
        union all
        select stream, origin, load_id, true, sequence, cast(split_part(days, '/', 1) as date),
            cast(split_part(days, '/', 2) as date), true
        from (select *, unnest(withdrawn) as days from known)
    ),
    days as (
        select stream, origin, load_id, is_complete, sequence, is_withdrawn,
            cast(unnest(generate_series(window_start, window_end - 1, interval 1 day)) as date) as day
        from spans
        where stream not in (select stream from meta.streams where is_register)
    ),
    begun as (
        select *, day <= $2 as has_begun from days where day <= $2 or list_contains($3, stream)
    ),
    claims as (
        select d.stream, d.origin, d.load_id, d.sequence, d.day, d.is_withdrawn, d.is_complete as is_whole,
            d.is_complete and u.state is null and d.has_begun as is_complete,
            coalesce(max(d.sequence) filter (d.is_withdrawn) over (partition by d.stream, d.origin, d.day), 0)
                as withdrawn_by
        from begun as d
        left join meta.unproven_days as u
            on u.stream = d.stream and u.load_id = d.load_id and u.day = d.day and not d.is_withdrawn
        where u.state is distinct from 'silent'
    )
    select stream, origin, day, load_id, is_complete, sequence
    from claims
    where not is_withdrawn and sequence >= withdrawn_by
    qualify row_number() over (partition by stream, origin, day order by is_whole desc, sequence desc) = 1
    order by stream, day, origin
"""

DELIVERED_DAYS = Table(
    "meta.delivered_days",
    "Local days of which every source that was due has delivered the whole",
    (_STREAM, _DAY),
    ("stream", "day"),
)
# A day is delivered when every source that was due has delivered it; where none was due, when any did.
_DELIVERED_DAYS_SQL = """
    select d.stream, d.day
    from meta.load_days as d
    left join meta.sources as s
        on s.stream = d.stream and s.origin = d.origin and d.day >= s.due_from and d.day < s.due_to
    group by d.stream, d.day
    having count(*) filter (d.is_complete and s.stream is not null) = (
            select count(*) from meta.sources as due
            where due.stream = d.stream and d.day >= due.due_from and d.day < due.due_to
        )
        and bool_or(d.is_complete)
    order by d.stream, d.day
"""

REGISTER_LOADS = Table(
    "meta.register_loads",
    "The loads that count for each register and source",
    (
        _STREAM,
        _ORIGIN,
        _LOAD,
        _IS_COMPLETE,
        at("loaded_at", "When, UTC", required=True),
        count("sequence", "Number of the load within its stream", required=True),
    ),
    ("stream", "load_id"),
)
_REGISTER_LOADS_SQL = """
    select l.stream, l.origin, l.load_id, l.is_complete and not exists (
            select 1 from meta.unproven_days as u where u.stream = l.stream and u.load_id = l.load_id
        ) as is_complete, l.loaded_at, l.sequence
    from meta.loads as l
    where l.loaded_at <= $1 and l.stream in (select stream from meta.streams where is_register)
    qualify l.accumulates or row_number() over (
        partition by l.stream, l.origin order by l.is_complete desc, l.sequence desc) = 1
    order by stream, sequence
"""

UNTOLD = Table(
    "meta.untold",
    "Columns that a source cannot tell, and for which local days: what rests on them there is not measured",
    (
        _STREAM,
        _ORIGIN,
        id_("column_name", "Column of the stream's contract"),
        day("first_on", "First local day of the loads that count; null: a register"),
        day("last_on", "Last local day of them; null: a register"),
    ),
    ("stream", "origin", "column_name"),
)
_UNTOLD_SQL = """
    with counting as (
        select stream, origin, load_id, min(day) as first_on, max(day) as last_on
        from meta.load_days group by stream, origin, load_id
        union all
        select stream, origin, load_id, null, null from meta.register_loads
    ),
    named as (
        select c.stream, c.origin, unnest(l.untold) as column_name, c.first_on, c.last_on
        from counting as c join meta.loads as l on l.stream = c.stream and l.load_id = c.load_id
    )
    select stream, origin, column_name, min(first_on) as first_on, max(last_on) as last_on
    from named group by stream, origin, column_name order by stream, origin, column_name
"""


def choose_loads(con: duckdb.DuckDBPyConnection, horizon: datetime, today: date) -> None:
    """Write which loads count, from ``meta.loads``, ``meta.streams`` and ``meta.sources``; in the caller's transaction.

    Args:
        con: The working file.
        horizon: Loads landed later are left out.
        today: Local day of the build's clock; of later days only plans are known.
    """
    plans = [name for name, stream in STREAMS.items() if stream.is_plan]
    for table, select, arguments in (
        (LOAD_DAYS, _LOAD_DAYS_SQL, [horizon, today, plans]),
        (DELIVERED_DAYS, _DELIVERED_DAYS_SQL, []),
        (REGISTER_LOADS, _REGISTER_LOADS_SQL, [horizon]),
        (UNTOLD, _UNTOLD_SQL, []),
    ):
        con.execute(f"create or replace table {table.name} as {select}", arguments)
        check_table(con, table)
        comment_table(con, table)
