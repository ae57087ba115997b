"""The demo through simulated servers and the demo through files: the same scores, but for what a server cannot tell."""

from __future__ import annotations

import duckdb
import pytest

from opsmetrics.snapshots.store import current
from tests.built import demo

SCHEMAS = ("metrics", "gates", "diagnostics", "alarms", "scores")
# What two of the systems cannot tell and files do (the `untold` of their feeds, ADR 26), and where that shows: release
# pipelines of Azure DevOps whether a release was taken back, mended by a hotfix or rework; metrics of Azure Monitor
# whether a resource stood at its ceiling.
NOT_TOLD = {
    ("kaiplan", "dx_rework_rate"): ("diagnostics.dx_rework_rate",),
    ("kaiplan", "aut_change_fail_rate"): ("scores.metric",),
    ("kaiplan", "aut"): ("scores.area",),
    ("kaiplan", ""): ("scores.team",),
    ("datakaia", "scl_time_at_ceiling"): (
        "metrics.scl_time_at_ceiling",
        "scores.control_chart",
        "scores.entity",
        "scores.gap",
        "scores.metric",
    ),
    # Without it the others of its area weigh more.
    **{
        ("datakaia", f"scl_{name}"): ("scores.metric",)
        for name in (
            *("capacity_alert_coverage", "elastic_workloads", "latency_budget_consumed", "latency_targets"),
            *("load_test_currency", "saturation_headroom"),
        )
    },
    ("datakaia", "scl"): ("scores.area",),
    ("datakaia", ""): ("scores.team",),
}

# Ends of intervals are drawn in single precision: what differs in the tenth digit before shows in the sixth there.
DRAWN = ("interval_low", "interval_high")

# The duty's service tells times to the millisecond, files to the microsecond: of minutes the fifth digit.
TO_THE_MILLISECOND = "diagnostics.dx_time_to_ack"


@pytest.fixture(scope="module")
def both(demo_home) -> duckdb.DuckDBPyConnection:
    """A connection that sees both snapshots."""
    home = demo("--from-files")
    con = duckdb.connect()
    con.execute("set timezone = 'UTC'")
    con.execute(f"attach '{current(demo_home / 'snapshots').path}' as served (read_only)")
    con.execute(f"attach '{current(home / 'snapshots').path}' as filed (read_only)")
    return con


def tables(con: duckdb.DuckDBPyConnection) -> list[str]:
    rows = con.execute(
        "select schema_name || '.' || table_name from duckdb_tables() where database_name = 'served'"
        " and list_contains($1, schema_name) order by all",
        [list(SCHEMAS)],
    ).fetchall()
    return [name for (name,) in rows]


def rounded(con: duckdb.DuckDBPyConnection, table: str) -> str:
    """Columns of a table; numbers to nine digits, because percent on the wire rounds the last one."""
    columns = [c for c in con.execute(f"describe served.{table}").fetchall() if c[0] not in DRAWN]
    return ", ".join(f'round("{c[0]}", 9) as "{c[0]}"' if c[1] == "DOUBLE" else f'"{c[0]}"' for c in columns)


def test_the_servers_did_deliver(both):
    rows = both.execute(
        "select count(distinct origin) filter (origin <> 'files'), sum(rows) filter (origin <> 'files')"
        " from served.meta.loads"
    ).fetchall()
    assert rows[0][0] >= 14
    assert rows[0][1] > 95_000
    assert both.execute("select count(*) from filed.meta.loads where origin <> 'files'").fetchall() == [(0,)]


def subject(con: duckdb.DuckDBPyConnection, table: str) -> str:
    """SQL of what a row of a table is about, beside its team: a metric or diagnostic, an area, or the team itself."""
    columns = {name for name, *_ in con.execute(f"describe served.{table}").fetchall()}
    schema, name = table.split(".")
    known = next((column for column in ("metric_id", "area_id") if column in columns), None)
    return known or (f"'{name}'" if schema != "scores" else "''")


def different(con: duckdb.DuckDBPyConnection, table: str) -> set[tuple[str, str]]:
    """Team and subject of all rows that stand in one of the snapshots only."""
    columns = rounded(con, table)
    team = "team_id" if "team_id" in columns else "''"
    rows = con.execute(
        f"select distinct {team}, {subject(con, table)} from ("
        f"(select {columns} from served.{table} except all select {columns} from filed.{table})"
        f" union all (select {columns} from filed.{table} except all select {columns} from served.{table}))"
    ).fetchall()
    return set(rows)


def test_every_table_of_numbers_is_the_same_but_for_what_is_not_told(both):
    names = tables(both)
    assert len(names) > 70
    assert TO_THE_MILLISECOND in names
    names.remove(TO_THE_MILLISECOND)
    found = {(*about, name) for name in names for about in different(both, name)}
    assert found == {(*about, name) for about, of in NOT_TOLD.items() for name in of}


@pytest.mark.parametrize(("table", "keys"), [("scores.area", "team_id, area_id"), ("scores.team", "team_id")])
def test_ends_of_intervals_are_the_same_to_single_precision(both, table, keys):
    told = " and ".join(f"(s.{end} is null) = (f.{end} is null)" for end in DRAWN)
    near = " and ".join(f"abs(coalesce(s.{end} - f.{end}, 0)) < 1e-4" for end in DRAWN)
    rows = both.execute(
        f"select team_id, {'area_id' if 'area' in keys else chr(39) * 2}, count(*) filter (not ({told} and {near}))"
        f" from served.{table} as s join filed.{table} as f using (as_of, grain, {keys}) group by all"
    ).fetchall()
    assert len(rows) >= 14
    differing = {(team, area, table) for team, area, count in rows if count}
    assert differing <= {(*about, name) for about, of in NOT_TOLD.items() for name in of}


def test_times_to_acknowledge_are_the_same_to_the_millisecond(both):
    values = ("value", "low", "high")
    same = " and ".join(f"(s.{v} is not distinct from f.{v} or abs(s.{v} - f.{v}) < 1e-4)" for v in values)
    ((rows, wrong),) = both.execute(
        f"""select count(*), count(*) filter (
                s.sample_size is distinct from f.sample_size or not coalesce({same}, false)
            ) from served.{TO_THE_MILLISECOND} as s
            full join filed.{TO_THE_MILLISECOND} as f using (team_id, as_of, grain, entity_id, statistic)"""
    ).fetchall()
    assert rows > 100
    assert wrong == 0


def test_what_is_not_told_is_said_and_makes_nothing_better(both):
    # Where a part of the days is told the number stands; where none is there is no number. There is never another one.
    joined = "served.scores.metric as s join filed.scores.metric as f using (team_id, metric_id, as_of, grain)"
    marked = both.execute(
        f"""select team_id, s.reason, count(*) filter (s.points is null and f.points is not null) > 0,
               bool_and(coalesce(s.points, f.points) is not distinct from f.points)
           from {joined} where s.reason is distinct from f.reason group by all order by all"""
    ).fetchall()
    assert marked == [
        ("datakaia", "not_told:capacity_samples.is_at_ceiling", True, True),
        ("kaiplan", "weaker:deployments.hotfixed_at,deployments.rolled_back_at", False, True),
    ]
    for table, key in (("area", "team_id, area_id, as_of, grain"), ("team", "team_id, as_of, grain")):
        wider, narrower, better = both.execute(
            f"""select count(*) filter (s.low < f.low), count(*) filter (s.low > f.low or s.high < f.high),
                   count(*) filter (s.coverage > f.coverage)
               from served.scores.{table} as s join filed.scores.{table} as f using ({key})"""
        ).fetchall()[0]
        assert wider > 0
        assert (narrower, better) == (0, 0)
