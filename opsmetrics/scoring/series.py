"""Series of points that share no data, and the trend of each (method 3.11)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from opsmetrics.catalogue.model import LONG_WINDOW_DAYS
from opsmetrics.scoring.composition import area_series, fitting_cells, followed_share, has_point, team_series
from opsmetrics.scoring.intervals import Floats
from opsmetrics.scoring.trend import SEASON, Trends, false_discovery, trends, verdict

MONTHLY, QUARTERLY, MONTH, LATEST = "series_month", "series_quarter", "month", "latest"
LONGEST = 36
_SCHEMA: dict[str, Any] = {
    "team_id": pl.String,
    "area_id": pl.String,
    "metric_id": pl.String,
    "grain": pl.String,
    "n": pl.Int64,
    **dict.fromkeys(("slope", "slope_low", "slope_high", "change", "p"), pl.Float64),
    "is_fact": pl.Boolean,
}
OWN = ["team_id", "metric_id", "as_of", "grain"]
SERIES = ["team_id", "area_id", "metric_id", "grain"]


@dataclass(frozen=True, slots=True)
class Series:
    """Equally spaced points of many series.

    Attributes:
        ids: One row per series.
        values: Shape (series, periods), nan where there is no point.
        instants: Instant of each period.
    """

    ids: pl.DataFrame
    values: Floats
    instants: pl.Series


def collect(frame: pl.DataFrame, by: Sequence[str], value: str) -> Series:
    """Return the series of the newest periods.

    Args:
        frame: ``by``, ``as_of`` and ``value``; every period that exists stands in some row.
        by: Columns that make a series.
        value: Column with the points; null is a gap.
    """
    instants = frame["as_of"].unique().sort().tail(LONGEST)
    place = pl.DataFrame({"as_of": instants, "column": np.arange(len(instants))})
    ids = frame.select(by).unique().sort(by)
    rows = frame.join(place, on="as_of").join(ids.with_row_index("row"), on=list(by), nulls_equal=True)
    values = np.full((len(ids), len(instants)), np.nan)
    values[rows["row"].to_numpy(), rows["column"].to_numpy()] = rows[value].to_numpy().astype(np.float64)
    return Series(ids, values, instants)


def own_series(cells: pl.DataFrame) -> pl.DataFrame:
    """Return the cells of each metric's own series, with ``enough``: whether the period is a point.

    An item of a sample counts in one period alone, so a shorter window holds fewer of the same. A long census looks
    back over its window: it keeps it, at ends of months that lie a window apart.

    Args:
        cells: ``team_id, metric_id, as_of, grain, window_days, n_full, sample_size, status``.
    """
    is_long, is_census = pl.col("window_days") > LONG_WINDOW_DAYS, pl.col("n_full").is_null()
    grain = pl.when(~is_long).then(pl.lit(MONTHLY)).when(is_census).then(pl.lit(MONTH)).otherwise(pl.lit(QUARTERLY))
    own = cells.filter(pl.col("grain") == grain)
    apart = [_apart(rows) for rows in own.filter(pl.col("grain") == MONTH).partition_by("window_days")]
    return has_point(pl.concat([own.filter(pl.col("grain") != MONTH), *apart]))


def _apart(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of one window at the newest instant, and at those before that lie a window or more apart."""
    # An hour's slack for the change of clocks.
    least = timedelta(days=rows["window_days"][0], hours=-1)
    kept: list[datetime] = []
    for instant in rows["as_of"].unique().sort(descending=True):
        if not kept or kept[-1] - instant >= least:
            kept.append(instant)
    return rows.filter(pl.col("as_of").is_in(kept))


def trend_table(cells: pl.DataFrame, area_weights: pl.DataFrame, weakest_share: float) -> pl.DataFrame:
    """Return the trend of every team, area and metric (method 3.11).

    Args:
        cells: Metrics at the grains month, series_month and series_quarter: ``team_id, area_id, metric_id, as_of,
            grain, points, status, sample_size, weight, n_full, window_days``.
        area_weights: ``area_id, area_weight``.
        weakest_share: Lambda of method 3.5.

    Returns:
        One row per series; columns as ``scores.trend``. Census metrics get no test: their change is a fact.
    """
    areas = area_series(fitting_cells(cells, LONGEST))
    teams = team_series(areas, area_weights, weakest_share)
    none = pl.lit(None, pl.String)
    columns = [*SERIES, "as_of", "score"]
    scores = pl.concat(
        [
            teams.with_columns(area_id=none, metric_id=none).select(columns),
            areas.with_columns(metric_id=none).select(columns),
        ]
    )
    tables = [_tested(collect(own, SERIES, "score")) for own in scores.partition_by("grain")]
    points = own_series(cells).with_columns(
        score=pl.when("enough").then("points"), is_census=pl.col("n_full").is_null()
    )
    # Whole windows of one length have instants of their own.
    whole_window = pl.when(pl.col("grain") == MONTH).then("window_days")
    own_tables = points.with_columns(length=whole_window).partition_by("grain", "is_census", "length")
    tables += [(_facts if own["is_census"][0] else _tested)(collect(own, SERIES, "score")) for own in own_tables]
    shares = followed_share(cells, areas, area_weights).with_columns(metric_id=none)
    found = pl.concat([pl.DataFrame(schema=_SCHEMA), *tables], how="diagonal_relaxed")
    return _judged(found.join(shares, on=SERIES, how="left", nulls_equal=True))


def _tested(series: Series) -> pl.DataFrame:
    if not len(series.ids):
        return pl.DataFrame()
    plain = trends(series.values)
    found = _frame(series, plain)
    is_monthly = series.ids["grain"][0] == MONTHLY
    if is_monthly and series.values.shape[1] >= 2 * SEASON:
        # Two years of months or more: January is compared with January.
        seasonal = _frame(series, trends(series.values, seasonal=True))
        found = pl.concat([found.filter(pl.col("n") < 2 * SEASON), seasonal.filter(pl.col("n") >= 2 * SEASON)])
    return found


def _frame(series: Series, found: Trends) -> pl.DataFrame:
    span = _span(series.values)
    return series.ids.with_columns(
        n=pl.Series(found.n),
        slope=pl.Series(found.slope),
        slope_low=pl.Series(found.slope_low),
        slope_high=pl.Series(found.slope_high),
        change=pl.Series(found.slope * span),
        p=pl.Series(found.p),
    ).fill_nan(None)


def _span(values: Floats) -> Floats:
    """Steps from the first to the last point of each series."""
    there = ~np.isnan(values)
    first = there.argmax(axis=1)
    last = values.shape[1] - 1 - there[:, ::-1].argmax(axis=1)
    return np.where(there.any(axis=1), last - first, 0).astype(np.float64)


def _facts(series: Series) -> pl.DataFrame:
    """Census series: from the first to the last point, without a test."""
    if not len(series.ids):
        return pl.DataFrame()
    there = ~np.isnan(series.values)
    rows = np.arange(len(series.values))
    first = series.values[rows, there.argmax(axis=1)]
    last = series.values[rows, series.values.shape[1] - 1 - there[:, ::-1].argmax(axis=1)]
    return series.ids.with_columns(
        n=pl.Series(there.sum(axis=1)), change=pl.Series(last - first), is_fact=pl.lit(value=True)
    ).fill_nan(None)


def _judged(table: pl.DataFrame) -> pl.DataFrame:
    """Add q and the verdict: the false discovery rate is held over everything that a page shows."""
    table = table.sort("team_id", "area_id", "metric_id", nulls_last=False)
    p = table["p"].fill_null(float("nan")).to_numpy()
    q = np.full(len(table), np.nan)
    for (_,), rows in table.with_row_index("row").group_by(["team_id"], maintain_order=True):
        own = rows["row"].to_numpy()
        q[own] = false_discovery(p[own])
    # Team series stand on the overview too, beside those of all other teams: the stricter of the two pages counts.
    overview = table["area_id"].is_null().to_numpy()
    q[overview] = np.fmax(q[overview], false_discovery(p[overview]))
    words = [
        "fact" if is_fact else verdict(n, q_value, change if change is not None else 0.0)
        for is_fact, n, q_value, change in zip(table["is_fact"], table["n"], q, table["change"], strict=True)
    ]
    return table.with_columns(q=pl.Series(q).fill_nan(None), verdict=pl.Series(words, dtype=pl.String))
