"""The main job on real input: what comes out of the snapshot equals the expected answers.

``shared/realdata`` lies beside the checkout on the project's own machines and in CI; ``tests/conftest.py`` leaves
this module out where it does not (a stranger's clone), and fails in CI.
"""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import pytest

from tests.patience import LIMIT_SECONDS

ROOT = Path(__file__).resolve().parents[2]
REALDATA = ROOT.parent / "shared" / "realdata"
EXPECTED = REALDATA / "expected"

MONTH = "strftime(month, '%Y-%m')"
# name -> (expected file, its key, {expected column: our SQL}, our table, our key, largest difference)
COMPARISONS = {
    "repository months": (
        "expected_altinn_monthly.csv",
        ("repo", "month"),
        {
            "bot_dependency_prs_merged": "update_merges",
            "security_titled_prs": "security_update_merges",
            "bot_package_updates": "package_updates",
            "commits_first_parent": "commits",
            "human_commits": "human_commits",
            "ai_agent_commits": "ai_agent_commits",
            "update_bot_share_of_commits": "update_bot_share",
            "all_bots_share_of_commits": "all_bots_share",
            "offhours_share_of_bot_prs": "offhours_share",
            "human_touched_share_of_bot_prs": "human_touched_share",
        },
        "marts.repository_months",
        ("repository", MONTH),
        1e-6,
    ),
    "patch lag": (
        "expected_altinn_lag.csv",
        ("repo", "month", "update_type"),
        {
            "n": "update_count",
            "median_lag_days": "lag_days_p50",
            "p90_lag_days": "lag_days_p90",
            "max_lag_days": "lag_days_max",
            "share_within_14_days": "within_14_days_share",
        },
        "marts.patch_lag_months",
        ("repository", "period", "update_type"),
        1e-4,
    ),
    "site months": (
        "expected_site_monthly.csv",
        ("source_repo", "site_id", "month"),
        {
            "checks": "check_count",
            "observed_minutes": "observed_minutes",
            "down_minutes": "down_minutes",
            "degraded_minutes": "degraded_minutes",
            "uptime_pct": "100 * uptime_ratio",
            "incidents_started": "outages_started",
            "open_at_end": "outages_open",
            "median_minutes_to_restore": "restore_minutes_p50",
            "p90_minutes_to_restore": "restore_minutes_p90",
            "longest_outage_minutes": "longest_outage_minutes",
        },
        "marts.monitor_months",
        ("provider", "monitor_id", MONTH),
        1e-4,
    ),
    "outages": (
        "expected_incidents.csv",
        ("source_repo", "site_id", "cast(started_at as timestamp)"),
        {"minutes_to_restore": "restore_minutes", "first_http_status": "first_http_status"},
        "facts.outages",
        ("provider", "monitor_id", "timezone('UTC', started_at)"),
        1e-4,
    ),
    "incident reports": (
        "expected_incident_reports.csv",
        ("source", "kind", "severity", "year"),
        {
            "n": "report_count",
            "n_with_valid_duration": "valid_duration_count",
            "n_negative_duration": "negative_duration_count",
            "median_hours_to_resolve": "resolve_hours_p50",
            "p90_hours_to_resolve": "resolve_hours_p90",
            "median_minutes_start_to_announced": "announce_minutes_p50",
        },
        "marts.incident_report_years",
        ("provider", "kind", "severity", "period"),
        1e-4,
    ),
}


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    """The real data through the README's own command."""
    import subprocess  # noqa: PLC0415 - only this fixture starts a process
    import sys  # noqa: PLC0415 - as above

    home = tmp_path_factory.mktemp("realdata")
    subprocess.run(
        [sys.executable, "-m", "opsmetrics", "run", "--org", "tests/realdata/org", "--json"],
        env=os.environ | {"OPSMETRICS_HOME": str(home)},
        cwd=ROOT,
        check=True,
        timeout=LIMIT_SECONDS,
        capture_output=True,
    )
    con = duckdb.connect(str((home / "snapshots" / "current.duckdb").resolve()), read_only=True)
    con.execute("set timezone = 'UTC'")
    yield con
    con.close()


@pytest.mark.parametrize("name", COMPARISONS)
def test_equal_to_the_expected_answers(snapshot, name):
    file, expected_key, columns, table, key, tolerance = COMPARISONS[name]
    expected = ", ".join(
        [f"cast({column} as varchar) as k{i}" for i, column in enumerate(expected_key)]
        + [f"cast({column} as double) as v{i}" for i, column in enumerate(columns)]
    )
    actual = ", ".join(
        [f"cast({column} as varchar) as k{i}" for i, column in enumerate(key)]
        + [f"cast({column} as double) as v{i}" for i, column in enumerate(columns.values())]
    )
    keys = [f"k{i}" for i in range(len(key))]
    joined = " and ".join(f"e.{k} is not distinct from a.{k}" for k in keys)
    differ = " or ".join(
        f"(e.v{i} is null) <> (a.v{i} is null) or abs(e.v{i} - a.v{i}) > {tolerance}" for i in range(len(columns))
    )
    wrong = snapshot.execute(
        f"""with e as (select {expected} from read_csv($1, all_varchar = true)), a as (select {actual} from {table})
            select * from e full join a on {joined} where e.k0 is null or a.k0 is null or {differ} limit 5""",
        [str(EXPECTED / file)],
    ).fetchall()
    ((count,),) = snapshot.execute("select count(*) from read_csv($1)", [str(EXPECTED / file)]).fetchall()
    assert wrong == []
    assert count > 40


def test_nothing_was_set_aside(snapshot):
    assert snapshot.execute("select count(*) from meta.quarantine").fetchall() == [(0,)]


def test_monitors_that_are_always_down_are_named(snapshot):
    ((count,),) = snapshot.execute(
        "select count(*) from marts.suspect_monitors where monitor_key like 'Certegy%'"
    ).fetchall()
    assert count > 0
