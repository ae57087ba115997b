"""All nine statuses of method 3.3, one cell each, and what happens to a value whose source went silent."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from opsmetrics.scoring.aggregate import area_scores
from opsmetrics.scoring.status import assign_status, carry_last_value

AT = datetime(2026, 8, 31, 22, tzinfo=UTC)
GOOD = {
    "team_id": "t",
    "metric_id": "m",
    "area_id": "a",
    "as_of": AT,
    "grain": "week",
    "on": date(2026, 8, 31),
    "applies": True,
    "applies_reason": None,
    "missing_streams": None,
    "connected_on": date(2026, 1, 1),
    "grace_from": date(2026, 1, 1),
    "completeness": 1.0,
    "window_completeness": 1.0,
    "untold": None,
    "least_stream": None,
    "weaker": None,
    "numerator": 8.0,
    "denominator": 10.0,
    "value": 0.8,
    "sample_size": 10,
    "n_full": 10,
    "standard_error": None,
    "units": 10.0,
    "when_empty": "no_opportunity",
    "unit": "share",
    "weight": 1.0,
    "evidence_weight": 1.0,
    "points": 75.0,
    "points_low": 75.0,
    "points_high": 75.0,
}
SCHEMA = {
    "as_of": pl.Datetime("us", "UTC"),
    "applies_reason": pl.String,
    "missing_streams": pl.String,
    "untold": pl.String,
    "least_stream": pl.String,
    "weaker": pl.String,
    "n_full": pl.Int64,
    "numerator": pl.Float64,
    "denominator": pl.Float64,
    "value": pl.Float64,
    "standard_error": pl.Float64,
}


def status_of(ruleset, **changes):
    grid = pl.DataFrame([GOOD | changes], schema_overrides=SCHEMA)
    return assign_status(grid, ruleset).row(0, named=True)


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({}, "ok", None),
        ({"evidence_weight": 0.5, "sample_size": 3}, "low_evidence", "thin:3/10"),
        ({"completeness": 0.9, "window_completeness": 0.9}, "low_evidence", "incomplete:90"),
        (
            {"completeness": 0.9, "window_completeness": 0.9, "least_stream": "alerts"},
            "low_evidence",
            "incomplete:90/alerts",
        ),
        ({"denominator": 0.0, "numerator": 0.0, "value": None}, "no_opportunity", "no_events"),
        ({"denominator": None, "numerator": None, "value": None}, "no_opportunity", "no_events"),
        (
            {"denominator": None, "value": None, "when_empty": "not_applicable"},
            "not_applicable",
            "nothing_of_this_kind",
        ),
        ({"applies": False, "applies_reason": "register"}, "not_applicable", "register"),
        ({"completeness": 0.49, "window_completeness": 0.49}, "stale", "incomplete:49"),
        # Silence of which a part was not delivered is no quiet.
        (
            {"denominator": None, "numerator": None, "value": None, "completeness": 0.89, "window_completeness": 0.89},
            "stale",
            "incomplete:89",
        ),
        ({"denominator": None, "numerator": None, "value": None, "completeness": 0.9}, "no_opportunity", "no_events"),
        ({"completeness": 0.999, "window_completeness": 0.999}, "low_evidence", "incomplete:99"),
        # Everything was delivered, and some of it says nothing: nobody is told that the source was silent.
        ({"completeness": 0.9}, "low_evidence", "known:90"),
        ({"completeness": 0.49}, "stale", "known:49"),
        (
            {"completeness": 0.76, "window_completeness": 0.96, "least_stream": "alerts"},
            "low_evidence",
            "known:76/alerts",
        ),
        ({"completeness": 0.0, "untold": "alerts.label"}, "not_measured", "not_told:alerts.label"),
        ({"completeness": 0.8, "untold": "alerts.label"}, "low_evidence", "not_told:alerts.label"),
        # Delivered by nobody: what a source could tell does not matter.
        ({"completeness": 0.0, "window_completeness": 0.0, "untold": "alerts.label"}, "stale", "incomplete:0"),
        # Another source tells it for all of this team's items.
        ({"untold": "alerts.label"}, "ok", None),
        ({"weaker": "deployments.has_manual_step"}, "low_evidence", "weaker:deployments.has_manual_step"),
        ({"missing_streams": "alerts", "grace_from": date(2026, 6, 3)}, "not_measured", "not_connected:alerts"),
        ({"missing_streams": "alerts", "grace_from": date(2026, 6, 2)}, "not_measured_overdue", "not_connected:alerts"),
        ({"connected_on": date(2026, 9, 1), "grace_from": date(2026, 8, 1)}, "not_measured", "connected_later"),
        ({"numerator": 11.0, "value": 1.1}, "invalid", "failed_check"),
        ({"numerator": -1.0, "value": -0.1}, "invalid", "failed_check"),
        ({"value": float("nan")}, "invalid", "failed_check"),
        ({"value": float("inf")}, "invalid", "failed_check"),
    ],
)
def test_status(ruleset, changes, status, reason):
    found = status_of(ruleset, **changes)
    assert (found["status"], found["reason"]) == (status, reason)
    if status in {"ok", "low_evidence"}:
        assert found["points"] == 75.0
    else:
        assert found["points"] is None
        assert found["evidence_weight"] is None


@pytest.mark.parametrize(
    ("changes", "is_shown"),
    [
        ({"missing_streams": "alerts"}, False),
        ({"missing_streams": "alerts", "grace_from": date(2026, 8, 1)}, False),
        ({"connected_on": date(2026, 9, 1)}, False),
        ({"completeness": 0.0, "untold": "alerts.label"}, False),
        ({"applies": False, "completeness": 0.0, "window_completeness": 0.0}, False),
        ({"applies": False}, True),
        ({"value": 1.1, "numerator": 11.0}, True),
    ],
)
def test_a_count_of_none_is_no_finding_where_nobody_looked(ruleset, changes, is_shown):
    """A scanner that is not connected has found nothing in anything; what was looked at keeps its numbers."""
    nothing = {"numerator": 0.0, "denominator": 1.0, "value": 0.0, "sample_size": 0} | changes
    found = status_of(ruleset, **nothing)
    numbers = [found[name] for name in ("value", "numerator", "denominator", "sample_size", "units")]
    assert (None not in numbers) == is_shown
    assert is_shown or set(numbers) == {None}


@pytest.mark.parametrize(("weeks_silent", "carried"), [(1, True), (12, True), (13, False)])
def test_a_stale_value_is_carried_for_ninety_days_and_counts_as_unknown_in_the_bounds(ruleset, weeks_silent, carried):
    earlier = AT - timedelta(days=7 * weeks_silent)
    rows = [
        GOOD | {"as_of": earlier, "points": 80.0},
        GOOD | {"completeness": 0.0, "denominator": None, "value": None, "points": None},
    ]
    grid = assign_status(pl.DataFrame(rows, schema_overrides=SCHEMA), ruleset)
    cell = carry_last_value(grid, ruleset).filter(as_of=AT)
    assert cell["status"].item() == "stale"
    assert cell["points"].item() == (80.0 if carried else None)
    area = area_scores(cell, ruleset).row(0, named=True)
    assert (area["coverage"], area["low"], area["high"]) == (0.0, 0.0, 100.0)
    # Our own failure hides no area: it shows what was known last, with a coverage of nothing.
    assert area["score"] == (80.0 if carried else None)


def test_an_obligation_that_nobody_measures_is_unknown_however_long_and_counted_zero_under_the_first_rules(ruleset):
    overdue = {"missing_streams": "alerts", "grace_from": date(2026, 1, 1)}
    found = status_of(ruleset, **overdue)
    assert (found["status"], found["points"], found["evidence_weight"]) == ("not_measured_overdue", None, None)
    first = ruleset.model_copy(update={"overdue_points": 0.0})
    found = status_of(first, **overdue)
    assert (found["status"], found["points"], found["evidence_weight"]) == ("not_measured_overdue", 0.0, 1.0)


def test_a_stale_cell_shows_the_value_that_its_points_were_given_for(ruleset):
    earlier = GOOD | {"as_of": AT - timedelta(days=7), "points": 80.0, "value": 0.82, "numerator": 8.2}
    little = GOOD | {"completeness": 0.1, "value": 0.0, "numerator": 0.0, "points": 0.0}
    grid = assign_status(pl.DataFrame([earlier, little], schema_overrides=SCHEMA), ruleset)
    cell = carry_last_value(grid, ruleset).filter(as_of=AT).row(0, named=True)
    assert (cell["value"], cell["numerator"], cell["points"]) == (0.82, 8.2, 80.0)
    alone = carry_last_value(grid.filter(as_of=AT), ruleset).row(0, named=True)
    assert (alone["value"], alone["numerator"], alone["points"]) == (None, None, None)
