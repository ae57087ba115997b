"""Stretches of equal state against a plain loop over the checks: gaps, midnights, equal instants, monitors without hold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsmetrics.settings import default_sql_root
from opsmetrics.sqlfile import load_all

OSLO = ZoneInfo("Europe/Oslo")
# Across the night to summer time, so that days of 23 hours and of 24 are cut.
START = datetime(2026, 3, 28, 12, tzinfo=OSLO).astimezone(UTC)
HOLDS = {"probe-a": None, "probe-b": 60, "probe-c": 5}
FILES = ("facts.monitor_days", "facts.monitor_day_runs", "facts.availability_runs")
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
            " hold_minutes bigint)"
        )
        rows = [(f"/{name}", "", name, name[-1], hold) for name, hold in HOLDS.items()]
        found.executemany("insert into facts.monitors values ($1, $2, $3, $4, $5)", rows)
        yield found


def by_loop(checks: list[Check]) -> list[tuple]:
    """What the method says, one check after the other."""
    found = []
    for name, hold in HOLDS.items():
        mine = sorted((minute, number, status) for who, minute, status, number in checks if who == name)
        runs: list[dict] = []
        for place, (minute, number, status) in enumerate(mine):
            following = mine[place + 1][0] if place + 1 < len(mine) else None
            ends = [end for end in (following, None if hold is None else minute + hold) if end is not None]
            end = min(ends, default=minute)
            if runs and runs[-1]["status"] == status and minute <= runs[-1]["end"]:
                runs[-1]["end"] = max(runs[-1]["end"], end)
                runs[-1]["count"] += 1
            else:
                runs.append({"status": status, "start": minute, "end": end, "http": number, "count": 1})
        for number, run in enumerate(runs, start=1):
            found.append((f"/{name}", number, run["status"], run["start"], run["end"], run["http"], run["count"]))
    return found


# Minutes are unique within a monitor or told apart by their sequence number, which is the http status here too.
check = st.tuples(
    st.sampled_from(sorted(HOLDS)),
    st.one_of(st.integers(0, 40).map(lambda n: n * 5), st.integers(0, 2 * 1440)),
    st.sampled_from(["up", "up", "up", "down", "degraded"]),
    st.integers(1, 999),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(check, max_size=60, unique_by=lambda item: (item[0], item[1], item[3])))
def test_stretches_equal_a_loop(con, checks):
    con.execute("delete from staging.availability_checks")
    rows = []
    for name, minute, status, number in checks:
        at = START + timedelta(minutes=minute)
        rows.append((None, name, at, status, number, number, at.astimezone(OSLO).date()))
    if rows:
        con.executemany("insert into staging.availability_checks values ($1, $2, $3, $4, $5, $6, $7)", rows)
    files = load_all(default_sql_root())
    for table in FILES:
        con.execute(f"create or replace table {table} as {files[table].text}")
    minutes = f"(epoch_us({{}}) - {int(START.timestamp() * 1e6)}) // 60000000"
    found = con.execute(
        f"select monitor_key, run_number, status, {minutes.format('starts_at')}, {minutes.format('ends_at')},"
        " first_http_status, check_count from facts.availability_runs order by monitor_key, run_number"
    ).fetchall()
    assert found == by_loop(checks)
