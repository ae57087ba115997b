"""What a pull brought, looked at before any build: rows set aside, names that lead nowhere, days in the future.

The same things are found in ``marts.warnings`` once it is built; here they are said to who pulls.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date

import duckdb

from opsmetrics.core.atomic import literal
from opsmetrics.landing import Load, read_columns
from opsmetrics.organisation import Organisation
from opsmetrics.organisation.known import KnownNames
from opsmetrics.snapshots.notices import Notice
from opsmetrics.sources import PullResult
from opsmetrics.streams import STREAMS
from opsmetrics.streams.names import named_columns

_FROM = "from read_parquet($paths, union_by_name = true)"


def notices_of_pull(organisation: Organisation, results: Iterable[PullResult], today: date) -> list[Notice]:
    """Return what is to be said of the loads that a pull landed, or of those that stand and cannot be used.

    Args:
        organisation: Whose.
        results: What the pull did.
        today: Local day of the pull.
    """
    known = KnownNames(organisation)
    with duckdb.connect() as con:
        return [
            notice
            for result in results
            for notice in (_notices(con, known, result, today) if result.loads else _still_aside(result))
        ]


def _still_aside(result: PullResult) -> Iterator[Notice]:
    """Why no row of the loads that stand can be used: it is as wrong as on the day on which they were landed."""
    counts = Counter(reason for load in result.useless for reason in read_columns(load, ["_reason"])["_reason"])
    yield from (
        Notice("all_set_aside", result.stream, result.origin, reason, count) for reason, count in sorted(counts.items())
    )


def _notices(con: duckdb.DuckDBPyConnection, known: KnownNames, result: PullResult, today: date) -> Iterator[Notice]:
    stream, paths = result.stream, [literal(load.path) for load in result.loads]
    if result.quarantined:
        kind = "set_aside" if result.rows else "all_set_aside"
        reasons = con.execute(
            f"select _reason, count(*) {_FROM} where _reason is not null group by _reason order by all",
            {"paths": paths},
        ).fetchall()
        yield from (Notice(kind, stream, result.origin, reason, count) for reason, count in reasons)
    yield from _strangers(con, known, stream, paths)
    late = con.execute(
        f"select count(*), min(_day), max(_day) {_FROM} where _reason is null and _day > $today",
        {"paths": paths, "today": today},
    ).fetchall()
    if not STREAMS[stream].is_plan:
        notices = (Notice("future", stream, result.origin, "", *row) for row in late if row[0])
        yield from notices
    if stream == "update_merges":
        yield from _unread_updates(con, paths)
    yield from _new_columns(result.loads, stream, result.origin)


def _strangers(con: duckdb.DuckDBPyConnection, known: KnownNames, stream: str, paths: list[str]) -> Iterator[Notice]:
    """Names that lead nowhere; all of a kind are as bad as no rows."""
    for column, kind in named_columns(STREAMS[stream]):
        name = "concat(provider, '/', monitor_id)" if kind == "monitor" else column
        rows = con.execute(
            f"select {name}, count(*), min(_day), max(_day) {_FROM}"
            f" where _reason is null and {column} is not null group by all order by 2 desc, 1",
            {"paths": paths},
        ).fetchall()
        strange = [row for row in rows if not known.knows(kind, row[0])]
        found = "all_unmatched" if len(strange) == len(rows) else "unknown_name"
        yield from (
            Notice(found, stream, "", f"{kind} {said.lstrip('/')}", count, first, last)
            for said, count, first, last in strange
        )


def _unread_updates(con: duckdb.DuckDBPyConnection, paths: list[str]) -> Iterator[Notice]:
    """Forms of update requests that nobody understood: how many packages they changed is not known."""
    rows = con.execute(
        f"select unread_form, count(*), min(_day), max(_day) {_FROM}"
        " where _reason is null and unread_form is not null group by all order by 2 desc, 1",
        {"paths": paths},
    ).fetchall()
    yield from (Notice("unread_update", "update_merges", "", *row) for row in rows)


def _new_columns(loads: tuple[Load, ...], stream: str, origin: str) -> Iterator[Notice]:
    """Columns of the newest load that the one before it, of the same pull, did not have; of one load, all."""
    newest = loads[-1]
    before = set(loads[-2].dropped_columns) if len(loads) > 1 else set[str]()
    yield from (Notice("new_column", stream, origin, name) for name in newest.dropped_columns if name not in before)
