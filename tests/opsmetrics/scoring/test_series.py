"""Series that are tested: their windows, and that areas and teams are made of the same metrics all the time."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from opsmetrics.scoring.composition import area_series, fitting_cells, followed_share, team_series
from opsmetrics.scoring.series import own_series, trend_table

WEIGHTS = pl.DataFrame({"area_id": ["bck", "sec"], "area_weight": [1.0, 1.0]})
# Metric: area, window, items for full evidence, weight.
METRICS = {
    "bck_state": ("bck", 0, None, 4.0),
    "bck_month": ("bck", 28, None, 2.0),
    "bck_quarter": ("bck", 90, None, 2.0),
    "bck_year": ("bck", 365, None, 3.0),
    "sec_state": ("sec", 0, None, 1.0),
    "sec_items": ("sec", 90, 30, 4.0),
    "sec_long": ("sec", 180, 10, 2.0),
}


def at(month):
    return datetime(2025 + month // 12, month % 12 + 1, 1, tzinfo=UTC)


def cell(metric, month, points=50.0, *, grain="series_month", status="ok", items=20, team="t"):
    area, window, n_full, weight = METRICS[metric]
    return {
        **{"team_id": team, "area_id": area, "metric_id": metric, "as_of": at(month), "grain": grain},
        **{"window_days": window, "n_full": n_full, "weight": weight, "sample_size": items, "status": status},
        "points": points if status in {"ok", "low_evidence"} else None,
    }


def frame(rows):
    return pl.DataFrame(rows, schema_overrides={"n_full": pl.Int64, "points": pl.Float64})


def scores(rows, area="bck", grain="series_month"):
    found = area_series(fitting_cells(frame(rows), 36)).filter(area_id=area, grain=grain).sort("as_of")
    return found["score"].to_list()


def test_a_year_cut_to_a_month_is_in_no_area():
    """A restore test a year ago counts today; in a month of the series nearly nothing does."""
    rows = [cell("bck_state", month, 80.0) for month in range(12)]
    cut = [cell("bck_year", month, 9.0) for month in range(12)]
    quarter = [cell("bck_quarter", month, 9.0) for month in range(12)]
    assert scores(rows + cut + quarter) == [80.0] * 12
    assert scores(rows + [cell("bck_month", month, 20.0) for month in range(12)]) == [60.0] * 12


def test_quarters_hold_the_whole_windows_of_ninety_days():
    months = [
        cell(metric, month, points, grain="month")
        for month in range(12)
        for metric, points in (("bck_state", 80.0), ("bck_quarter", 20.0), ("bck_year", 0.0))
    ]
    ends = [cell("sec_long", month, grain="series_quarter") for month in (2, 5, 8, 11)]
    assert scores(months + ends, grain="series_quarter") == [60.0] * 4


def test_a_metric_that_comes_and_goes_moves_no_series():
    """Half of its months without points, it is not part of the series; a missing month of one that is, is a gap."""
    state = [cell("bck_state", month, 80.0) for month in range(12)]
    unsteady = [cell("bck_month", month, 20.0, status="ok" if month % 2 else "stale") for month in range(12)]
    assert scores(state + unsteady) == [80.0] * 12
    one_gap = [cell("bck_month", month, 20.0, status="stale" if month == 5 else "ok") for month in range(12)]
    assert scores(state + one_gap) == [60.0] * 5 + [None] + [60.0] * 6


def test_a_metric_enters_and_leaves_with_the_duties_of_the_team():
    state = [cell("bck_state", month, 80.0) for month in range(12)]
    for status in ("not_applicable", "waived"):
        joins = [cell("bck_month", month, 20.0, status="ok" if month >= 6 else status) for month in range(12)]
        assert scores(state + joins) == [80.0] * 6 + [60.0] * 6


def test_thin_evidence_does_not_change_what_an_area_is_made_of():
    months = [
        cell(metric, month, points, grain="month", items=8 if month == 5 else 40)
        for month in range(12)
        for metric, points in (("sec_state", 100.0), ("sec_items", 50.0))
    ]
    ends = [cell("sec_long", month, grain="series_quarter") for month in (2, 5, 8, 11)]
    assert scores(months + ends, "sec", "series_quarter") == [60.0] * 4


def test_a_team_is_the_mean_and_the_weakest_of_the_same_areas():
    rows = [cell("bck_state", month, 80.0) for month in range(12)]
    rows += [cell("sec_state", month, 40.0, status="stale" if month == 3 else "ok") for month in range(12)]
    teams = team_series(area_series(fitting_cells(frame(rows), 36)), WEIGHTS, 0.25).sort("as_of")
    assert teams["score"].to_list() == [0.75 * 60 + 0.25 * 40] * 3 + [None] + [55.0] * 8


def test_how_much_of_the_weight_a_series_follows():
    months = [cell(metric, 11, grain="month") for metric in METRICS]
    series = [cell(metric, month) for month in range(12) for metric in METRICS]
    cells = frame(months + series)
    areas = area_series(fitting_cells(cells, 36))
    shares = followed_share(cells, areas, WEIGHTS).filter(grain="series_month").sort("area_id")
    assert dict(shares.select("area_id", "weight_share").iter_rows()) == pytest.approx(
        {"bck": 6 / 11, "sec": 1 / 7, None: (6 / 11 + 1 / 7) / 2}
    )


def test_a_long_census_keeps_its_window_and_its_points_share_no_day():
    months = [cell("bck_year", month, float(month), grain="month") for month in range(40)]
    cut = [cell("bck_year", month, 9.0, grain="series_quarter") for month in range(2, 40, 3)]
    own = own_series(frame(months + cut)).sort("as_of")
    assert own["points"].to_list() == [3.0, 15.0, 27.0, 39.0]
    assert set(own["grain"]) == {"month"}


def test_the_items_of_a_long_sample_count_once_each_by_quarter():
    rows = [cell("sec_long", month, grain=grain) for month in range(12) for grain in ("month", "series_month")]
    ends = [cell("sec_long", month, grain="series_quarter", items=4 if month == 5 else 9) for month in (2, 5, 8, 11)]
    own = own_series(frame(rows + ends)).sort("as_of")
    assert own["grain"].unique().to_list() == ["series_quarter"]
    assert own["enough"].to_list() == [True, False, True, True]


def test_the_trend_of_an_area_is_that_of_its_series_by_the_book():
    """Theil-Sen and Mann-Kendall of pymannkendall on the points that the area must have, with a gap."""
    rng = np.random.default_rng(3)
    state, month = np.round(50 + 2 * np.arange(16) + rng.normal(0, 4, 16), 3), np.round(rng.normal(50, 5, 16), 3)
    rows = [cell("bck_state", n, float(value)) for n, value in enumerate(state)]
    rows += [cell("bck_month", n, float(value), status="stale" if n == 4 else "ok") for n, value in enumerate(month)]
    # What is cut would turn the trend.
    rows += [cell("bck_year", n, 100.0 - 6 * n) for n in range(16)]
    rows += [cell("bck_state", 15, grain="month")]
    found = trend_table(frame(rows), WEIGHTS, 0.25).filter(
        pl.col("metric_id").is_null(), pl.col("area_id") == "bck", pl.col("grain") == "series_month"
    )
    expected = (4 * state + 2 * month) / 6
    expected[4] = np.nan
    # Loaded here: of whoever only lists tests it takes seconds.
    import pymannkendall  # noqa: PLC0415

    book = pymannkendall.original_test(expected[~np.isnan(expected)])
    assert found["n"].item() == 15
    assert found["p"].item() == pytest.approx(book.p, abs=1e-9)
    points = [(step, value) for step, value in enumerate(expected) if not np.isnan(value)]
    slopes = [(b - a) / (j - i) for (i, a), (j, b) in itertools.combinations(points, 2)]
    assert found["slope"].item() == pytest.approx(np.median(slopes))
    assert found["verdict"].item() == "better"
    assert found["weight_share"].item() == 1.0
