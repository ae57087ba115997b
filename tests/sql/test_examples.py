"""Numbered examples of the scoring method that run through several SQL files: G02, G03 and G27."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from opsmetrics.scoring.points import points

GOLDEN = json.loads((Path(__file__).parents[1] / "opsmetrics" / "scoring" / "scoring-golden.json").read_text())
MARCH = (datetime(2026, 2, 28, 23, tzinfo=UTC), datetime(2026, 3, 31, 22, tzinfo=UTC))


def instant(day: int, clock: str) -> datetime:
    """A local wall-clock time of March 2026 in Oslo, as UTC (summer time from the 29th at 02:00)."""
    hour, minute = map(int, clock.split(":"))
    summer = (day, hour) >= (29, 3)
    days, hour = divmod(hour - (2 if summer else 1), 24)
    return datetime(2026, 3, day + days, hour, minute, tzinfo=UTC)


DOWN = [(12, "21:50", "22:20"), (20, "12:10", "12:40"), (20, "12:30", "12:50"), (29, "03:50", "04:10")]
# The window of the 29th crosses the change of clocks; the one of the 20th was registered too late.
MAINTENANCE = [
    ("a", instant(29, "01:00"), instant(29, "04:00"), instant(1, "08:00")),
    ("b", instant(12, "22:00"), instant(12, "23:30"), instant(1, "08:00")),
    ("c", instant(12, "23:00"), datetime(2026, 3, 12, 23, tzinfo=UTC), instant(1, "08:00")),
    ("d", instant(20, "12:00"), instant(20, "13:00"), instant(20, "11:50")),
]
SILENT = (instant(5, "02:00"), instant(5, "02:30"))


def runs() -> list[tuple]:
    """One monitor that is always up but for the silence, and one per down interval: down anywhere is down."""
    up = [(MARCH[0], SILENT[0]), (SILENT[1], MARCH[1])]
    rows = [("m", n, "s1", "up", start, end) for n, (start, end) in enumerate(up)]
    return rows + [
        (f"d{n}", 1, "s1", "down", instant(day, start), instant(day, end)) for n, (day, start, end) in enumerate(DOWN)
    ]


@pytest.fixture
def march(warehouse, context):
    """G02's March, through the maintenance rules and the sweep line."""
    for window in MAINTENANCE:
        warehouse.execute("insert into ref.maintenance_windows values ($1, 's1', $2, $3, $4, 'r', 'a')", list(window))
    for run in runs():
        warehouse.execute(
            "insert into facts.availability_runs (monitor_key, run_number, service_id, status, starts_at, ends_at)"
            " values ($1, $2, $3, $4, $5, $6)",
            list(run),
        )
    for name in ("facts.maintenance", "facts.availability_daily"):
        warehouse.execute(f"insert into {name} {context.files[name].text}")
    return warehouse


def test_g02_availability_with_maintenance_unknown_time_and_summer_time(march):
    golden = GOLDEN["G02_availability"]
    ((period, known, valid, bad, raw),) = march.execute(
        """select sum(day_minutes), sum(known_minutes), sum(valid_minutes), sum(down_minutes), sum(raw_down_minutes)
           from facts.availability_daily where day between '2026-03-01' and '2026-03-31'"""
    ).fetchall()
    assert period == golden["period_min"]
    assert period - known == golden["unknown_min"]
    assert known - valid == golden["maint_min"]
    assert (valid, bad) == (golden["valid_min"], golden["bad_min"])
    assert 100 * (1 - bad / valid) == pytest.approx(golden["availability_pct"], abs=5e-5)
    assert 100 * (1 - raw / known) == pytest.approx(golden["raw_availability_pct"], abs=5e-4)
    assert known / period == pytest.approx(golden["completeness"], abs=5e-5)


def test_g03_error_budget(march, context):
    golden = GOLDEN["G03_error_budget"]
    march.execute("insert into ref.slos values ('s1', 'availability', 0.999, '2020-01-01', '2200-01-01')")
    march.execute("delete from facts.measured_windows")
    march.execute(
        "insert into facts.measured_windows values ('inc_error_budget_consumed', $2, 'month', '2026-03-31', $1, 1, null)",
        list(MARCH),
    )
    march.execute("insert into ref.as_of values ($2, 'month', $1, '2026-03-31', '2026-03')", list(MARCH))
    march.execute("delete from ref.owned_services")
    march.execute(f"insert into ref.owned_services {context.files['ref.owned_services'].text}")
    file = context.files["metrics.inc_error_budget_consumed"]
    ((budget, consumed, completeness),) = march.execute(
        f"select denominator::double, value, completeness from ({file.text}) where entity_id = 's1' and grain = 'month'"
    ).fetchall()
    assert budget == pytest.approx(golden["budget_min"], abs=5e-5)
    assert consumed == pytest.approx(golden["consumed_ratio"], abs=5e-5)
    assert completeness == pytest.approx(GOLDEN["G02_availability"]["completeness"], abs=5e-5)
    scored = pl.select(points(pl.lit(consumed), pl.lit(3.0), pl.lit(1.0), pl.lit(0.8))).item()
    assert scored == pytest.approx(golden["points"], abs=5e-5)


@pytest.mark.parametrize(("asked", "numerator", "denominator"), [("2026-09-03", 1, 2), ("2026-09-20", 2, 3)])
def test_g27_what_was_known_then(warehouse, context, asked, numerator, denominator):
    """The third incident was landed on 14 September; before that it is not counted.

    The choice of loads by ``known_at`` itself is tested in ``tests/journeys/test_landing_to_snapshot.py``.
    """
    incidents = [("I1", "2026-08-04", "2026-08-04", True), ("I2", "2026-08-18", "2026-08-19", False)]
    incidents.append(("I3", "2026-08-27", "2026-09-14", True))
    for name, happened, known, involved in incidents:
        if known > asked:
            continue
        assigned = f"{happened}T08:05:00Z" if involved else None
        warehouse.execute(
            "insert into facts.incidents by name select $1 as incident_id, 't1' as team_id, 1 as severity,"
            " $2::timestamptz as declared_at, $3::timestamptz as resolved_at, $4::timestamptz as manager_assigned_at,"
            " true as needs_manager, false as is_exercise",
            [name, f"{happened}T08:00:00Z", f"{happened}T12:00:00Z", assigned],
        )
    file = context.files["metrics.inc_incident_manager_involved"]
    found = warehouse.execute(f"select numerator, denominator from ({file.text})").fetchall()
    assert found == [(numerator, denominator)]
