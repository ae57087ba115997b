"""Our failure is never theirs (ADR 34): each stream of the simulated organisation stops, one at a time, for nine weeks.

For as long as last values are carried, what a metric counts for stays what it was, no area goes out, no gate trips, and
the reason names the stream that fell silent.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import polars as pl
import pytest

from opsmetrics.scoring.status import MEASURED
from opsmetrics.streams import STREAMS
from tests.unknown.rebuilding import Changed, Told, Warehouse, copied_warehouse

# A Monday: the week before is whole. The newest week ends 63 days later, within the ninety days of the carry.
STOPPED_ON = date(2026, 9, 21)
FIRST_WEEK = date(2026, 8, 30)
CELL = ["team_id", "metric_id", "as_of"]
AREA = ["team_id", "area_id", "as_of"]
TINY = 1e-9


@pytest.fixture(scope="module")
def weekly_warehouse(whole_warehouse, tmp_path_factory) -> Iterator[Warehouse]:
    """What the week ends from August on say, in a copy of its own."""
    path = tmp_path_factory.mktemp("killed") / "weeks.duckdb"
    with copied_warehouse(whole_warehouse, path, f"""grain = 'week' and "on" >= '{FIRST_WEEK}'""") as weeks:
        yield weeks


@pytest.fixture(scope="module")
def alive(weekly_warehouse) -> Told:
    return weekly_warehouse.told()


def stopped_at(warehouse: Warehouse) -> object:
    """The newest evaluation that the streams still delivered."""
    ((at,),) = warehouse.con.execute('select max(as_of) from ref.as_of where "on" < $1', [STOPPED_ON]).fetchall()
    return at


def needed(warehouse: Warehouse, stream: str) -> list[str]:
    return [metric.id for metric in warehouse.context.catalogue.metrics if stream in metric.header.needs]


@pytest.mark.parametrize("stream", [name for name, stream in STREAMS.items() if not stream.is_register])
def test_a_stream_that_stops_moves_nobody(stream, weekly_warehouse, alive):
    metrics = needed(weekly_warehouse, stream)
    tables = (f"staging.{stream}", "meta.delivered_days", "meta.load_days")
    which_rows = ("true", f"stream = '{stream}'", f"stream = '{stream}'")
    gone = [
        f"delete from {table} where {which} and day >= '{STOPPED_ON}'"
        for table, which in zip(tables, which_rows, strict=True)
    ]
    of_stream = Changed(rows=frozenset({stream}))
    changed = {tables[0]: Changed()} | dict.fromkeys(tables[1:], of_stream)
    with weekly_warehouse.change(*gone, changed=changed) as warehouse:
        told = warehouse.told()
    measured = pl.col("status").is_in(MEASURED)
    mine = told.cells.filter(pl.col("metric_id").is_in(metrics)).sort(CELL)
    # What was measured at least once before counts for what it last did.
    known = mine.with_columns(
        last=pl.when(measured).then("points").forward_fill().over("team_id", "metric_id"),
        ever=measured.cum_max().over("team_id", "metric_id"),
    ).filter((pl.col("status") == "stale") & pl.col("ever"))
    assert known.filter(pl.col("points").is_null() | ((pl.col("points") - pl.col("last")).abs() > TINY)).is_empty()
    # A team whose own part fell silent before has nothing to name yet.
    since = known.filter(pl.col("as_of") > stopped_at(weekly_warehouse))
    assert since.filter(~pl.col("reason").str.contains("^carried_from:.*/[a-z_]+$")).is_empty()
    named = known.filter(pl.col("reason").str.ends_with(f"/{stream}"))
    before = alive.cells.filter(pl.col("metric_id").is_in(metrics) & measured)
    if not before.is_empty() and not known.is_empty():
        assert not named.is_empty(), "somebody's reason names the stream"
    both = alive.areas.join(told.areas, on=AREA, suffix="_now")
    assert both.height == alive.areas.height
    assert both.filter(pl.col("score").is_not_null() & pl.col("score_now").is_null()).is_empty()
    # In the first weeks the state of the last day stands, which may have been known better than those that followed.
    newest = both.filter(pl.col("as_of") == pl.col("as_of").max())
    assert newest.filter(pl.col("coverage_now") > pl.col("coverage") + TINY).is_empty()
    # What was open when the stream stopped may have been closed since; nobody knows, and it stays.
    open_then = {(gate, team) for gate, team, at, _ in alive.tripped if at == stopped_at(weekly_warehouse)}
    assert {row for row in told.tripped - alive.tripped if row[:2] not in open_then} == set()
