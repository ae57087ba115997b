"""Bounds of points: a blank never raises the worst case and never lowers the best, and the truth lies between."""

from __future__ import annotations

import random

import polars as pl
import pytest

from opsmetrics.scoring.bounds import with_point_bounds, with_value_bounds
from opsmetrics.scoring.points import points

SHARE = {"floor": 0.3, "krav": 0.7, "mal": 0.9, "unit": "share"}
FAILURES = {"floor": 0.3, "krav": 0.15, "mal": 0.05, "unit": "share"}
BUDGET = {"floor": 3.0, "krav": 1.0, "mal": 0.8, "unit": "budgets"}
SILENT = {"worst_value": None}
SCHEMA = {"n_full": pl.Int64, "worst_value": pl.Float64, "value": pl.Float64, "completeness": pl.Float64}


def framed(rows, rules) -> pl.DataFrame:
    anchors = (pl.col(name) for name in ("floor", "krav", "mal"))
    frame = pl.DataFrame([SILENT | rules | row for row in rows], schema_overrides=SCHEMA, infer_schema_length=None)
    return frame.with_columns(points=points(pl.col("value"), *anchors))


def bounds(rules, *, value, size, known, delivered=1.0, days=90, n_full=None, worst=None):
    row = rules | {
        **{"value": value, "sample_size": size, "completeness": known, "window_completeness": delivered},
        **{"window_days": days, "n_full": n_full, "worst_value": worst},
    }
    frame = with_point_bounds(with_value_bounds(framed([row], {})).rename({"worst_case": "worst", "best_case": "best"}))
    return frame.select("worst", "best", "points_low", "points_high").row(0)


def test_what_is_whole_has_no_bounds_to_speak_of():
    worst, best, low, high = bounds(SHARE, value=0.7, size=10, known=1.0)
    assert (worst, best) == (0.7, 0.7)
    assert low == high == pytest.approx(60.0)


def test_the_unknown_part_of_a_state_counts_as_none_or_all_of_it():
    assert bounds(SHARE, value=0.8, size=8, known=0.8)[:2] == pytest.approx((0.64, 0.84))
    # Where less is better, the worst case is that all of it failed.
    assert bounds(FAILURES, value=0.1, size=8, known=0.8)[:2] == pytest.approx((0.28, 0.08))


def test_a_day_that_nobody_delivered_may_have_been_a_busy_one():
    # 90 events in 89 days: about one a day, so up to five on the day that is missing.
    worst, best, *_ = bounds(SHARE, value=0.9, size=90, known=89 / 90, delivered=89 / 90, n_full=30)
    busy = 90 / 89 + 3 * (90 / 89) ** 0.5 + 1
    assert worst == pytest.approx(81 / (90 + busy))
    assert best == pytest.approx((81 + busy) / (90 + busy))


def test_of_other_units_only_the_ends_of_the_scale_are_certain():
    assert bounds(BUDGET, value=0.5, size=90, known=0.99)[:2] == (3.0, 0.8)
    assert bounds(BUDGET, value=0.5, size=90, known=0.99, worst=1.2)[:2] == (1.2, 0.8)


@pytest.mark.parametrize("rules", [SHARE, FAILURES], ids=["more_is_better", "less_is_better"])
@pytest.mark.parametrize("n_full", [None, 30], ids=["state", "events"])
def test_blanks_widen_and_hold_the_truth(rules, n_full):
    rolls, rows = random.Random(17), []
    for case in range(200):
        items = [rolls.random() < 0.7 for _ in range(rolls.randint(1, 40))]
        order = rolls.sample(range(len(items)), len(items))
        for count in range(len(items)):
            left = [item for place, item in enumerate(items) if place not in order[:count]]
            known = len(left) / len(items)
            rows.append({"case": case, "value": sum(left) / len(left), "sample_size": len(left), "completeness": known})
    frame = framed(rows, rules | {"window_completeness": 1.0, "window_days": 90, "n_full": n_full})
    found = with_point_bounds(frame).rename({"points_low": "low", "points_high": "high"})
    found = found.with_columns(truth=pl.col("low").first().over("case"))
    assert found.filter(pl.col("low") > pl.col("low").shift(1).over("case") + 1e-9).is_empty()
    assert found.filter(pl.col("high") < pl.col("high").shift(1).over("case") - 1e-9).is_empty()
    assert found.filter(~pl.col("truth").is_between(pl.col("low") - 1e-9, pl.col("high") + 1e-9)).is_empty()
