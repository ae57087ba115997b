"""Trend and control-chart tables from non-overlapping series (method 3.11)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from opsmetrics.catalogue.model import LONG_WINDOW_DAYS
from opsmetrics.scoring.control_chart import SIGNALS, control_charts
from opsmetrics.scoring.intervals import Floats
from opsmetrics.scoring.status import MEASURED
from opsmetrics.scoring.trend import SEASON, Trends, false_discovery, trends, verdict

MONTHLY, QUARTERLY = "series_month", "series_quarter"
LONGEST = 36
FEWEST_ITEMS = 5  # fewer items in a period are a gap in a sample metric's series, not a point
_SCHEMA: dict[str, Any] = {
    "team_id": pl.String,
    "area_id": pl.String,
    "metric_id": pl.String,
    "grain": pl.String,
    "n": pl.Int64,
    **dict.fromkeys(("slope", "slope_low", "slope_high", "change", "p"), pl.Float64),
    "is_fact": pl.Boolean,
}
_OF_CELLS = (
    *("team_id", "area_id", "metric_id", "as_of", "grain", "value", "points", "status", "sample_size"),
    *("n_full", "window_days"),
)
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


def _points(cells: pl.DataFrame) -> pl.DataFrame:
    """Points and values of each metric in its own series; a sample with too few items is a gap."""
    long = pl.col("window_days") > LONG_WINDOW_DAYS
    enough = pl.col("status").is_in(MEASURED) & (pl.col("n_full").is_null() | (pl.col("sample_size") >= FEWEST_ITEMS))
    return cells.filter((long & (pl.col("grain") == QUARTERLY)) | (~long & (pl.col("grain") == MONTHLY))).with_columns(
        points=pl.when(enough).then("points"), value=pl.when(enough).then("value"), is_census=pl.col("n_full").is_null()
    )


def _series_only(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.filter(pl.col("grain").is_in([MONTHLY, QUARTERLY]))


def trend_table(cells: pl.DataFrame, areas: pl.DataFrame, teams: pl.DataFrame) -> pl.DataFrame:
    """Return the trend of every team, area and metric (method 3.11).

    Args:
        cells: Metrics of all grains with ``window_days``, ``n_full``, ``sample_size``, ``status``, ``points``.
        areas: Areas of all grains with ``score``.
        teams: Teams of all grains with ``score``.

    Returns:
        One row per series; columns as ``scores.trend``. Census metrics get no test: their change is a fact.
    """
    none = pl.lit(None, pl.String)
    cells = cells.select(*_OF_CELLS)
    cells, areas, teams = (
        frame.with_columns(pl.col("team_id", "grain").cast(pl.String), pl.col("^(metric|area)_id$").cast(pl.String))
        for frame in (_series_only(cells), _series_only(areas), _series_only(teams))
    )
    monthly = pl.col("grain") == MONTHLY
    scores = pl.concat(
        [
            teams.filter(monthly).select("team_id", none.alias("area_id"), none.alias("metric_id"), "as_of", "score"),
            areas.filter(monthly).select("team_id", "area_id", none.alias("metric_id"), "as_of", "score"),
        ]
    ).with_columns(grain=pl.lit(MONTHLY))
    points = _points(cells)
    tables = [_tested(collect(scores, SERIES, "score"))]
    for grain in (MONTHLY, QUARTERLY):
        own = points.filter(pl.col("grain") == grain).rename({"points": "score"})
        tables.append(_tested(collect(own.filter(~pl.col("is_census")), SERIES, "score")))
        tables.append(_facts(collect(own.filter("is_census"), SERIES, "score")))
    return _judged(pl.concat([pl.DataFrame(schema=_SCHEMA), *tables], how="diagonal_relaxed"))


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


def chart_table(cells: pl.DataFrame) -> pl.DataFrame:
    """Return the XmR chart of every metric and team, one row per point (method 3.11).

    Args:
        cells: As :func:`trend_table` takes them.

    Returns:
        Columns as ``scores.control_chart``.
    """
    points = (
        _points(cells.select(*_OF_CELLS)).filter(pl.col("value").is_not_null()).sort("team_id", "metric_id", "as_of")
    )
    if points.is_empty():
        return points.select("team_id", "metric_id", "as_of", "grain", "value").with_columns(
            centre=pl.lit(None, pl.Float64),
            low=pl.lit(None, pl.Float64),
            high=pl.lit(None, pl.Float64),
            is_trial=pl.lit(None, pl.Boolean),
            signal=pl.lit(None, pl.String),
        )
    points = points.with_columns(
        row=pl.struct("team_id", "metric_id").rank("dense").cast(pl.Int64) - 1,
        column=pl.int_range(pl.len()).over("team_id", "metric_id"),
    )
    row, column = points["row"].to_numpy(), points["column"].to_numpy()
    values = np.full((int(row.max()) + 1, int(column.max()) + 1), np.nan)
    values[row, column] = points["value"].to_numpy()
    charts = control_charts(values)
    names = np.array(SIGNALS)
    return points.select("team_id", "metric_id", "as_of", "grain", "value").with_columns(
        centre=pl.Series(charts.centre[row]),
        low=pl.Series(charts.low[row]),
        high=pl.Series(charts.high[row]),
        is_trial=pl.Series(charts.is_trial[row]),
        signal=pl.Series(names[charts.signal[row, column]].tolist(), dtype=pl.String),
    )
