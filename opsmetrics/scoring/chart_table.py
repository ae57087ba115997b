"""``scores.control_chart``: the chart that fits each metric of each team, one row per period (method 3.11)."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from opsmetrics.catalogue import Catalogue
from opsmetrics.scoring.chart_kinds import Points, fitted_charts
from opsmetrics.scoring.chart_names import KINDS, REASONS, SIGNALS
from opsmetrics.scoring.intervals import Floats
from opsmetrics.scoring.series import LATEST, MONTH, MONTHLY, OWN, QUARTERLY, own_series
from opsmetrics.scoring.status import MEASURED

# Days between two points of a metric's own series; of a long census its own window.
_PERIOD_DAYS = {MONTHLY: 365.25 / 12, QUARTERLY: 365.25 / 4}
_BOUNDED = ("share", "utilisation")
_USED = ("value", "numerator", "denominator", "sample_size", "status", "n_full", "window_days")
_EQUAL = 1e-9


def chart_parameters(catalogue: Catalogue) -> pl.DataFrame:
    """Return what decides the chart of each metric: ``metric_id, krav, top, is_up, is_counted, is_flow``."""
    rows: list[dict[str, Any]] = [
        {
            "metric_id": metric.id,
            "krav": metric.header.mal if metric.header.krav is None else metric.header.krav,
            "top": 1.0 if metric.header.unit in _BOUNDED else float("inf"),
            "is_up": metric.header.mal > metric.header.floor,
            "is_counted": (metric.header.kind, metric.header.unit, metric.header.interval)
            == ("sample", "share", "jeffreys"),
            # A count says how many there are now: it comes and goes like something that happens.
            "is_flow": metric.window_days > 0 or metric.header.unit == "count",
        }
        for metric in catalogue.metrics
    ]
    return pl.DataFrame(rows)


def chart_table(cells: pl.DataFrame, parameters: pl.DataFrame) -> pl.DataFrame:
    """Return the chart of every metric and team, one row per point (method 3.11).

    Args:
        cells: As ``series.trend_table`` takes them, with ``numerator``, ``denominator`` and the newest values.
        parameters: As :func:`chart_parameters` gives them.

    Returns:
        Columns as ``scores.control_chart``.
    """
    key = ["team_id", "metric_id"]
    series = own_series(cells.select(*OWN, *_USED)).join(parameters, on="metric_id").sort(*key, "as_of")
    starts = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift()) for name in key)
    runs = _runs(series.with_columns(row=starts.cum_sum()))
    rows = runs.filter(pl.col("enough") & pl.col("value").is_not_null()).with_columns(
        row=pl.col("row").rle_id().cast(pl.Int64), column=pl.int_range(pl.len()).over("row")
    )
    row, column = rows["row"].to_numpy(), rows["column"].to_numpy()
    charts = fitted_charts(_points(rows, row, column))
    today = cells.filter(grain=LATEST).filter(pl.col("status").is_in(MEASURED)).select(*key, today="value")
    found = rows.select(*OWN, "value", "krav").with_columns(
        centre=pl.Series(charts.centre[row]),
        low=pl.Series(charts.low[row, column]),
        high=pl.Series(charts.high[row, column]),
        is_trial=pl.Series(charts.is_trial[row], dtype=pl.Boolean),
        signal=_named(SIGNALS, charts.signal[row, column]),
        chart=_named(KINDS, charts.kind[row]),
        reason=_named(REASONS, charts.reason[row]),
        since_miss=pl.Series(charts.since[row, column]),
        since_limit=pl.Series(charts.since_limit[row]),
    )
    return found.fill_nan(None).join(today, on=key, how="left")


def _named(names: tuple[str, ...], index: Any) -> pl.Series:
    return pl.Series(np.array(names)[index].tolist(), dtype=pl.String)


def _runs(series: pl.DataFrame) -> pl.DataFrame:
    """Add what was kept since the last miss: items, and periods; nothing is known across a period without data.

    Args:
        series: Sorted by ``row``, the number of the series, and ``as_of``.
    """
    known = pl.col("status").is_in(MEASURED) | (pl.col("status") == "no_opportunity")
    items = pl.when(pl.col("status").is_in(MEASURED)).then(pl.col("denominator")).fill_null(0.0)
    missed = pl.when("is_up").then(pl.col("denominator") - pl.col("numerator")).otherwise("numerator")
    best = pl.when("is_up").then("top").otherwise(0.0)
    is_dirty = (pl.col("value") - best).abs() > _EQUAL
    return (
        series.with_columns(
            ends_items=~known | (missed.fill_null(0.0) > _EQUAL), ends_clean=~known | is_dirty.fill_null(value=False)
        )
        # Each end begins another run.
        .with_columns(items_run=pl.col("ends_items").cum_sum(), clean_run=pl.col("ends_clean").cum_sum())
        .with_columns(
            kept=pl.when("ends_items").then(0.0).otherwise(items).cum_sum().over("row", "items_run"),
            clean=pl.when("ends_clean").then(0.0).otherwise(1.0).cum_sum().over("row", "clean_run"),
        )
    )


def _points(rows: pl.DataFrame, row: Any, column: Any) -> Points:
    size = (int(row.max(initial=-1)) + 1, int(column.max(initial=0)) + 1)

    def matrix(name: str) -> Floats:
        found = np.full(size, np.nan)
        found[row, column] = rows[name].to_numpy()
        return found

    first = rows.filter(column=0)
    days = pl.col("grain").replace_strict(_PERIOD_DAYS | {MONTH: None}, return_dtype=pl.Float64)
    return Points(
        values=matrix("value"),
        items=matrix("denominator"),
        kept=matrix("kept"),
        clean=matrix("clean"),
        top=first["top"].to_numpy(),
        is_up=first["is_up"].to_numpy(),
        is_counted=first["is_counted"].to_numpy(),
        is_census=first["n_full"].is_null().to_numpy(),
        is_flow=first["is_flow"].to_numpy(),
        days=first.select(days.fill_null(pl.col("window_days").cast(pl.Float64))).to_series().to_numpy(),
    )
