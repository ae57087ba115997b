"""Control charts: published worked examples, the rules told point by point, and which chart fits what."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from opsmetrics.scoring.chart_kinds import Points, fitted_charts
from opsmetrics.scoring.chart_names import KINDS, REASONS, SIGNALS
from opsmetrics.scoring.chart_table import chart_parameters
from opsmetrics.scoring.compute import compute_charts
from opsmetrics.scoring.control_chart import (
    FACTOR,
    laney,
    natural_limits,
    number_between,
    signals,
)

GOLDEN = json.loads((Path(__file__).parent / "scoring-golden.json").read_text())
# Attendances seen within four hours, of all, twenty weeks: Mohammed et al., Quality and Safety in Health Care 22 (2013),
# as the R package qicharts2 carries them.
SEEN = [
    *(266501, 264225, 276532, 281461, 269071, 261215, 270409, 279778, 270483, 270320),
    *(267923, 271478, 255353, 256820, 261835, 259144, 255910, 260863, 264465, 260989),
]
ATTENDANCES = [
    *(280443, 276823, 291681, 296155, 282343, 275888, 283867, 295251, 284468, 282529),
    *(279618, 283932, 266629, 268091, 276803, 271578, 266005, 273520, 278574, 273772),
]
# Deliveries between cases of asphyxia: Anhoej, SPC for healthcare, chapter on rare events.
BETWEEN_CASES = [99, 64, 255, 68, 148, 73, 35, 63, 286, 24, 176, 33, 418, 139, 54]
NIST = [49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1]


def near(expected, tolerance=5e-5):
    return pytest.approx(expected, abs=tolerance)


def points(
    values, *, items=None, kept=None, clean=None, top=1.0, is_up=True, is_counted=False, is_census=False, is_flow=True
):
    """One series."""
    row = np.array([values], dtype=float)
    nothing = np.zeros_like(row)
    return Points(
        values=row,
        items=np.full_like(row, np.nan) if items is None else np.array([items], dtype=float),
        kept=nothing if kept is None else np.array([kept], dtype=float),
        clean=nothing if clean is None else np.array([clean], dtype=float),
        top=np.array([top]),
        is_up=np.array([is_up]),
        is_counted=np.array([is_counted]),
        is_census=np.array([is_census]),
        is_flow=np.array([is_flow]),
        days=np.array([30.0]),
    )


def counted(misses, items, *, is_up=True):
    """One series of shares of counted items, with what was kept since the last miss."""
    kept, since = [], 0
    for missed, of in zip(misses, items, strict=True):
        since = 0 if missed else since + of
        kept.append(since)
    shares = [1 - m / n if is_up else m / n for m, n in zip(misses, items, strict=True)]
    return points(shares, items=items, kept=kept, is_counted=True, is_up=is_up)


def kind(charts):
    return KINDS[charts.kind[0]]


def names(charts):
    return [SIGNALS[code] for code in charts.signal[0]]


def test_g21_xmr_limits():
    golden = GOLDEN["G21_xmr_nist"]
    limits = natural_limits(np.array([NIST]))
    assert limits.centre[0] == near(golden["mean"])
    assert limits.moving_range[0] == near(golden["mrbar"])
    chart = fitted_charts(points(NIST, top=np.inf))
    assert kind(chart) == "xmr"
    assert [chart.low[0, 0], chart.high[0, 0]] == near([golden["lcl_266"], golden["ucl_266"]])
    assert chart.is_trial[0]


def test_g21b_seven_in_a_row():
    golden = GOLDEN["G21b_xmr_shift"]
    values = [71, 74, 70, 73, 72, 75, 71, 74, 73, 70, 72, 73, 76, 77, 76, 78, 77, 76, 79]
    chart = fitted_charts(points(values, top=np.inf))
    assert [chart.centre[0], chart.low[0, 0], chart.high[0, 18]] == near([golden["mean"], golden["lpl"], golden["upl"]])
    assert names(chart).index("seven_on_one_side") + 1 == golden["point_first_7run"]
    assert "outside" not in names(chart)
    assert not chart.is_trial[0]


def _signals_by_hand(values):
    """The rules, one point at a time."""
    base = values[:12]
    mean = sum(base) / len(base)
    moving = [abs(b - a) for a, b in itertools.pairwise(base)]
    half = 2.66 * (sum(moving) / len(moving) if moving else 0)
    found = []
    for index, value in enumerate(values):
        seven = values[max(0, index - 6) : index + 1]
        three = values[max(0, index - 2) : index + 1]
        rising = all(b > a for a, b in itertools.pairwise(seven))
        falling = all(b < a for a, b in itertools.pairwise(seven))
        if abs(value - mean) > half + 1e-12:
            found.append("outside")
        elif len(seven) == 7 and (all(v > mean for v in seven) or all(v < mean for v in seven)):
            found.append("seven_on_one_side")
        elif len(seven) == 7 and (rising or falling):
            found.append("seven_rising_or_falling")
        elif any(
            sign * (value - mean) > half * 2 / 3 and sum(sign * (v - mean) > half * 2 / 3 for v in three) >= 2
            for sign in (1, -1)
        ):
            found.append("two_of_three_near_limit")
        else:
            found.append("")
    return found


@example([0, 0, 0, 1, 1, 1])
@settings(max_examples=150)
@given(st.lists(st.integers(0, 20), min_size=2, max_size=30))
def test_signals_agree_with_the_rules_told_point_by_point(values):
    series = np.full((1, 34), np.nan)
    series[0, : len(values)] = values
    limits = natural_limits(series[:, :12])
    up, down = signals(series, limits.centre, FACTOR * limits.moving_range)
    first = [min((code for code in pair if code), default=0) for pair in zip(up[0], down[0], strict=True)]
    assert [SIGNALS[code] for code in first][: len(values)] == _signals_by_hand(values)
    assert not any(first[len(values) :])


def test_laneys_limits_are_those_of_the_published_example():
    """What qicharts2 0.8.1 gives for its p' chart with a baseline of ten and of all twenty weeks."""
    shares = np.array([[r / n for r, n in zip(SEEN, ATTENDANCES, strict=True)]])
    items = np.array([ATTENDANCES], dtype=float)
    for baseline, centre, first_low, last_high in (
        (10, 0.95105964383277042, 0.93866469138900677, 0.96360470122895214),
        (20, 0.95289971134419116, 0.9401296441775141, 0.96582442616547814),
    ):
        found = laney(shares, items, baseline)
        assert found.centre[0] == pytest.approx(centre, abs=1e-12)
        assert centre - found.reach[0, 0] == pytest.approx(first_low, abs=1e-12)
        assert centre + found.reach[0, -1] == pytest.approx(last_high, abs=1e-12)


def test_swings_narrower_than_chance_do_not_narrow_the_limits():
    found = laney(np.full((1, 12), 0.5), np.full((1, 12), 100.0))
    assert found.spread[0] == 1.0
    assert found.reach[0] == pytest.approx([0.15] * 12)


def test_number_between_is_that_of_the_published_example():
    """518 deliveries without a case are the first number that the example's limit does not hold."""
    mean = np.array([sum(BETWEEN_CASES) / len(BETWEEN_CASES)])
    assert mean[0] == 129
    assert number_between(mean)[0] == near(517.4971)


def test_a_share_in_the_middle_of_its_scale_has_an_xmr_chart():
    chart = fitted_charts(points([0.5, 0.52, 0.49, 0.51] * 3, is_census=True))
    assert kind(chart) == "xmr"
    assert 0 < chart.low[0, 0] < chart.high[0, 0] < 1


def test_near_its_bound_a_share_of_items_counts_between_misses():
    misses = [0, 1, 0, 2, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    chart = fitted_charts(counted(misses, [10] * 21))
    assert kind(chart) == "g"
    # 114 kept, 6 missed: 19 between two misses on average; more than 19 + 3 sqrt(19 * 20) = 77.5 is no chance.
    assert chart.since_limit[0] == near(77.4808)
    assert chart.since[0, -1] == 100
    assert names(chart)[:18] == [""] * 18
    assert names(chart)[18:] == ["long_without_miss"] * 3
    assert np.isnan(chart.high[0]).all()
    # Worse shows below. Equal numbers of items make p' an XmR chart: eleven moving ranges of 12 items together, of ten.
    assert chart.low[0, 0] == near(0.95 - 3 * (12 / 11 / 10) / 1.128)


def test_a_decline_shows_beside_the_number_between():
    misses = [0, 1, 0, 2, 0, 1, 0, 0, 1, 0, 1, 0, 4, 0]
    assert names(fitted_charts(counted(misses, [10] * 14)))[12:] == ["outside", ""]
    assert names(fitted_charts(counted(misses, [10] * 14, is_up=False)))[12:] == ["outside", ""]


def test_with_enough_items_each_point_has_limits_of_its_own():
    rng = np.random.default_rng(4)
    items = [20, 60] * 7
    misses = [int(m) for m in rng.binomial(items, 0.45)]
    chart = fitted_charts(counted(misses, items))
    swings = fitted_charts(points([1 - m / n for m, n in zip(misses, items, strict=True)]))
    assert (kind(chart), kind(swings)) == ("xmr", "xmr")
    few = fitted_charts(counted([4, 2, 6, 3, 5, 1, 5, 4, 3, 6, 2, 5], [9, 7, 12, 8, 10, 6, 11, 9, 8, 10, 7, 12]))
    assert kind(few) == "p"
    assert few.centre[0] == near(1 - 46 / 109)
    assert len(set(few.low[0])) > 1


def test_without_misses_nobody_knows_how_rare_they_are():
    chart = fitted_charts(counted([0] * 14, [30] * 14))
    assert (kind(chart), REASONS[chart.reason[0]]) == ("none", "too_few_misses")
    assert names(chart) == [""] * 14
    assert np.isnan(chart.centre).all()


def test_what_never_moved_has_no_usual_swings():
    for chart in (fitted_charts(counted([9] * 12, [9] * 12)), fitted_charts(points([0.3] * 12))):
        assert (kind(chart), REASONS[chart.reason[0]]) == ("none", "has_not_moved")


def test_seven_points_are_too_few():
    chart = fitted_charts(points([0.5, 0.7, 0.4, 0.6, 0.5, 0.4, 0.9]))
    assert (kind(chart), REASONS[chart.reason[0]]) == ("none", "too_few_points")
    assert names(chart) == [""] * 7
    assert kind(fitted_charts(points([0.5, 0.7, 0.4, 0.6, 0.5, 0.4, 0.6, 0.5]))) != "none"


def test_a_full_count_that_stands_still_is_told_at_each_change():
    chart = fitted_charts(points([1.0] * 12 + [0.5, 0.5, 1.0], is_census=True, is_flow=False))
    assert kind(chart) == "steps"
    assert names(chart) == [""] * 12 + ["changed", "", "changed"]
    # XmR would call everything after the first change an exception, for ever.
    limits = natural_limits(np.array([[1.0] * 12]))
    assert (limits.centre[0], limits.moving_range[0]) == (1.0, 0.0)


def test_time_without_a_gap_is_counted_in_days():
    """Months with and without a gap in the rota: a year without one is told, the first month without is not."""
    dirty = [0.99, 1, 0.98, 0.99, 1, 0.97, 1, 0.99, 0.98, 1, 0.99, 0.98]
    values = dirty + [1.0] * 5
    clean, run = [], 0
    for value in values:
        run = run + 1 if value == 1 else 0
        clean.append(run)
    chart = fitted_charts(points(values, clean=clean, is_census=True))
    assert kind(chart) == "t"
    # 4 clean months to 8: half a month between; 0.5 + 3 sqrt(0.75) = 3.098 months of 30 days.
    assert chart.since_limit[0] == near(30 * (0.5 + 3 * 0.75**0.5))
    assert names(chart)[12:] == ["", "", "", "long_without_miss", "long_without_miss"]


def test_swings_as_wide_as_the_scale_leave_only_runs():
    chart = fitted_charts(
        points([0.1, 0.9, 0.2, 0.8, 0.0, 0.9, 0.3, 0.7, 0.1, 1.0, 0.2, 0.9] + [0.95] * 7, is_census=True, is_flow=False)
    )
    assert kind(chart) == "run"
    assert names(chart) == [""] * 17 + ["seven_on_one_side"] * 2
    assert np.isnan(chart.low).all()
    assert np.isnan(chart.high).all()


@settings(max_examples=150)
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(12, 30)), min_size=1, max_size=24), st.booleans())
def test_no_limit_lies_where_no_value_can(rows, is_up):
    chart = fitted_charts(counted([m for m, _ in rows], [n for _, n in rows], is_up=is_up))
    low, high = chart.low[0], chart.high[0]
    assert (low[~np.isnan(low)] > 0).all()
    assert (high[~np.isnan(high)] < 1).all()
    assert (chart.kind[0] == 0) == (chart.reason[0] != 0)
    assert chart.kind[0] != 0 or not chart.signal.any()


def test_fewer_false_alarms_and_real_improvements_sooner_than_xmr_near_the_bound():
    """A thousand teams with ten items a month, of which one in ten is missed; afterwards as before, or one in fifty."""
    rng = np.random.default_rng(17)
    teams, months = 1000, 24

    def told(after):
        chance = np.where(np.arange(months) < 12, 0.1, after)
        items = np.maximum(5, rng.poisson(10, (teams, months))).astype(float)
        misses = rng.binomial(items.astype(int), chance).astype(float)
        kept = np.zeros_like(items)
        for month in range(months):
            before = kept[:, month - 1] if month else 0
            kept[:, month] = np.where(misses[:, month] > 0, 0, before + items[:, month])
        yes, values = np.ones(teams, dtype=bool), 1 - misses / items
        ours = fitted_charts(
            Points(values, items, kept, kept, yes.astype(float), yes, yes, ~yes, yes, np.full(teams, 30.0))
        )
        better = (ours.signal == SIGNALS.index("long_without_miss")) | (
            (ours.signal > 0) & (values > ours.centre[:, None])
        )
        worse = (ours.signal > 0) & ~better
        limits = natural_limits(values[:, :12])
        up, down = signals(values, limits.centre, FACTOR * limits.moving_range)
        parts = (better[:, 12:18], worse[:, 12:], up[:, 12:18] > 0, down[:, 12:] > 0)
        return [part.any(axis=1).mean() for part in parts]

    better, _, xmr_better, _ = told(0.02)
    assert better > 0.5 > xmr_better
    false_better, false_worse, _, xmr_worse = told(0.1)
    assert false_better < 0.07
    assert false_worse < 0.2 < xmr_worse


def _cells(rows, **of_all):
    """Rows of ``scores.metric`` by what is said of them."""
    usual = {
        **{"team_id": "t", "metric_id": "aut_change_fail_rate", "grain": "series_month", "status": "ok"},
        **{"weight": 1.0, "points": 50.0, "sample_size": 10},
    }
    found = [usual | of_all | row for row in rows]
    return pl.DataFrame(
        found, schema_overrides={"value": pl.Float64, "numerator": pl.Float64, "denominator": pl.Float64}
    )


def _month(number):
    return datetime(2025 + number // 12, number % 12 + 1, 1, tzinfo=UTC)


def test_the_table_carries_requirement_and_today(catalogue):
    rows = [
        {"as_of": _month(n), "value": v, "numerator": 10 * v, "denominator": 10.0}
        for n, v in enumerate([0.1, 0, 0, 0.2, 0, 0.1, 0, 0, 0.1, 0, 0.1, 0])
    ]
    today = {"as_of": _month(12), "grain": "latest", "value": 0.07, "numerator": 2.0, "denominator": 30.0}
    found = compute_charts(catalogue, _cells([*rows, today]))
    assert len(found) == 12
    assert set(found["krav"]) == {catalogue.metric("aut_change_fail_rate").header.krav}
    assert set(found["today"]) == {0.07}
    assert set(found["chart"]) == {"g"}
    assert found["low"].null_count() == 12
    stale = compute_charts(catalogue, _cells([*rows, today | {"status": "stale"}]))
    assert stale["today"].null_count() == 12


def test_a_month_that_nobody_knows_ends_the_number_without_a_miss(catalogue):
    values = [0.1, 0.1, 0.2, 0.1, 0, 0.1, 0.1, 0, 0.1, 0, 0, 0, 0, 0, 0]
    rows = [{"as_of": _month(n), "value": v, "numerator": 10 * v, "denominator": 10.0} for n, v in enumerate(values)]
    assert compute_charts(catalogue, _cells(rows))["since_miss"][-1] == 60
    # Three items are no point, and are kept all the same; no items are no news.
    rows[11] |= {"sample_size": 3, "denominator": 3.0}
    rows[12] |= {"status": "no_opportunity", "value": None, "numerator": 0.0, "denominator": 0.0}
    assert compute_charts(catalogue, _cells(rows))["since_miss"][-1] == 43
    rows[13] |= {"status": "stale"}
    assert compute_charts(catalogue, _cells(rows))["since_miss"][-1] == 10


def test_the_chart_of_a_metric_follows_from_its_header(catalogue):
    found = {row["metric_id"]: row for row in chart_parameters(catalogue).to_dicts()}
    assert found["aut_change_fail_rate"]["is_counted"]
    assert not found["aut_change_fail_rate"]["is_up"]
    assert not found["aut_toil_share"]["is_counted"]  # hours, not items
    assert not found["mnt_updates_within_30d"]["is_counted"]  # a survival curve
    assert not found["bck_coverage"]["is_counted"]
    assert found["sec_overdue_exploited"]["is_flow"]
    assert found["inc_incident_manager_involved"]["krav"] == 1.0  # the target: it has none of its own
