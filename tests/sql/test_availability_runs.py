"""Stretches of equal state against a plain loop over the checks: gaps, midnights, equal instants, monitors without hold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsmetrics.catalogue.sqlfile import load_all
from opsmetrics.core.settings import default_sql_root
from opsmetrics.warehouse.materialize import make_macros

OSLO = ZoneInfo("Europe/Oslo")
# Across the night to summer time, so that days of 23 hours and of 24 are cut.
START = datetime(2026, 3, 28, 12, tzinfo=OSLO).astimezone(UTC)
HOLDS = {"probe-a": None, "probe-b": 60, "probe-c": 5, "probe-d": None}
TRANSITIONS = "probe-d"
# Local midnights, in minutes since the start; the second day has 23 hours.
MIDNIGHTS = [-720, 720, 720 + 23 * 60, 720 + 47 * 60]
FILES = ("facts.monitor_days", "facts.monitor_day_runs", "facts.availability_runs")
SQL = {name: file for name, file in load_all(default_sql_root()).items() if name in FILES}
Check = tuple[str, int, str, int]


@pytest.fixture(scope="module")
def con():
    """The tables that the three files read."""
    with duckdb.connect() as found:
        found.execute("set timezone = 'UTC'")
        found.execute("create schema staging; create schema facts")
        found.execute(
            "create table staging.availability_checks (provider varchar, monitor_id varchar, checked_at timestamptz,"
            " status varchar, http_status bigint, sequence bigint, day date)"
        )
        found.execute(
            "create table facts.monitors (monitor_key varchar, provider varchar, monitor_id varchar, service_id varchar,"
            " hold_minutes bigint, kind varchar)"
        )
        found.execute("create schema meta")
        found.execute("create table meta.load_days (stream varchar, origin varchar, day date, is_complete boolean)")
        # Another source of the stream, which never delivers, tells of the others.
        found.execute(
            """create table meta.sources as select 'availability_checks' as stream, unnest(['changes', 'polls']) as origin,
                   date '2020-01-01' as due_from, date '9999-12-31' as due_to"""
        )
        found.execute(
            """create table staging.monitor_sources as select case monitor_id when $1 then 'changes' else 'polls' end
                   as origin, '' as provider, monitor_id from (select unnest($2) as monitor_id)""",
            [TRANSITIONS, list(HOLDS)],
        )
        found.execute(
            "create schema ref; create schema macros; create table ref.calendar as select cast(day as date) as day,"
            " timezone('Europe/Oslo', day) as starts_at, timezone('Europe/Oslo', day + interval 1 day) as ends_at"
            " from generate_series(timestamp '2026-03-27', timestamp '2026-04-02', interval 1 day) as t (day)"
        )
        make_macros(found, SQL["facts.availability_runs"].macros)
        kinds = {TRANSITIONS: "transitions"}
        rows = [(f"/{name}", "", name, name[-1], hold, kinds.get(name)) for name, hold in HOLDS.items()]
        found.executemany("insert into facts.monitors values ($1, $2, $3, $4, $5, $6)", rows)
        yield found


def spans(name: str, minute: int, following: int | None, delivered: set[int]) -> list[tuple[int, int]]:
    """When one row of a monitor is known to stand: from minute to minute, once or in pieces."""
    if name != TRANSITIONS:
        hold = HOLDS[name]
        return [
            (
                minute,
                min([e for e in (following, None if hold is None else minute + hold) if e is not None] or [minute]),
            )
        ]
    pieces: list[tuple[int, int]] = []
    for day in sorted(delivered):
        start, end = (
            max(minute, MIDNIGHTS[day]),
            min(MIDNIGHTS[day + 1], MIDNIGHTS[-1] if following is None else following),
        )
        if MIDNIGHTS[day + 1] > minute and (following is None or MIDNIGHTS[day] < following):
            if pieces and pieces[-1][1] == MIDNIGHTS[day]:
                pieces[-1] = (pieces[-1][0], end)
            else:
                pieces.append((start, end))
    return pieces or [(minute, minute)]


def by_loop(checks: list[Check], delivered: set[int]) -> list[tuple]:
    """What the method says, one check after the other."""
    found = []
    for name, hold in HOLDS.items():
        mine = sorted((minute, number, status) for who, minute, status, number in checks if who == name)
        # A check of a polling monitor that says "unknown" is one that is missing.
        mine = [check for check in mine if hold is None or check[2] != "unknown"]
        # What stands on a day that was not delivered is cut row by row, but rows of one state on one day are one.
        if name == TRANSITIONS:
            mine = [
                c
                for n, c in enumerate(mine)
                if not n or c[2] != mine[n - 1][2] or day_of(c[0]) != day_of(mine[n - 1][0])
            ]
        runs: list[dict] = []
        for place, (minute, number, status) in enumerate(mine):
            following = mine[place + 1][0] if place + 1 < len(mine) else None
            for start, end in spans(name, minute, following, delivered):
                if runs and runs[-1]["status"] == status and start <= runs[-1]["end"]:
                    runs[-1]["end"] = max(runs[-1]["end"], end)
                else:
                    runs.append({"status": status, "start": start, "end": end, "http": number})
        for number, run in enumerate(runs, start=1):
            found.append((f"/{name}", number, run["status"], run["start"], run["end"], run["http"]))
    return found


def day_of(minute: int) -> int:
    return sum(minute >= midnight for midnight in MIDNIGHTS) - 1


# Minutes are unique within a monitor or told apart by their sequence number, which is the http status here too.
check = st.tuples(
    st.sampled_from(sorted(HOLDS)),
    st.one_of(st.integers(0, 40).map(lambda n: n * 5), st.integers(0, 2 * 1440)),
    st.sampled_from(["up", "up", "up", "down", "degraded", "unknown"]),
    st.integers(1, 999),
)


# Longer lists rather than more of them: the statements cost the same.
@settings(max_examples=60)
@given(
    st.lists(check, max_size=150, unique_by=lambda item: (item[0], item[1], item[3])),
    st.sets(st.integers(0, 2), max_size=3),
)
def test_stretches_equal_a_loop(con, checks, delivered):
    con.execute("delete from staging.availability_checks; delete from meta.load_days")
    for day in delivered:
        con.execute(
            "insert into meta.load_days values ('availability_checks', 'changes', '2026-03-28'::date + $1, true)", [day]
        )
    rows = []
    for name, minute, status, number in checks:
        at = START + timedelta(minutes=minute)
        rows.append((None, name, at, status, number, number, at.astimezone(OSLO).date()))
    if rows:
        marks = ", ".join(
            f"(${n}, ${n + 1}, ${n + 2}, ${n + 3}, ${n + 4}, ${n + 5}, ${n + 6})" for n in range(1, 7 * len(rows), 7)
        )
        con.execute(f"insert into staging.availability_checks values {marks}", [value for row in rows for value in row])
    for table in FILES:
        con.execute(f"create or replace table {table} as {SQL[table].text}")
    minutes = f"(epoch_us({{}}) - {int(START.timestamp() * 1e6)}) // 60000000"
    found = con.execute(
        f"select monitor_key, run_number, status, {minutes.format('starts_at')}, {minutes.format('ends_at')},"
        " first_http_status from facts.availability_runs order by monitor_key, run_number"
    ).fetchall()
    assert found == by_loop(checks, delivered)
    counts = "select monitor_key, sum(check_count) from facts.monitor_day_runs group by all order by all"
    polled = [who for who, _, status, _ in checks if HOLDS[who] is None or status != "unknown"]
    assert con.execute(counts).fetchall() == [(f"/{who}", polled.count(who)) for who in sorted(set(polled))]
