"""Series of areas and teams made of the same metrics from the first period to the last (method 3.11, ADR 0035).

The published score follows whatever is measured; a series that is tested may not: a metric that comes and goes would
move it without any practice having changed. Nor may a metric be cut to less than its window.
"""

from __future__ import annotations

import polars as pl

from opsmetrics.scoring.aggregate import mean_min
from opsmetrics.scoring.status import MEASURED

# Fewer items in a period are a gap in a sample metric's series, not a point.
FEWEST_ITEMS = 5
# Days of the longest month and quarter: a window must lie within the period.
FITTING_DAYS = {"series_month": 31, "series_quarter": 92}
# A metric or area without points in more than a quarter of its periods is not part of the series.
LEAST_MEASURED = 0.75
_OUT_OF_DUTY = ("not_applicable", "waived")
_PERIOD = ["team_id", "grain", "as_of"]


def has_point(cells: pl.DataFrame) -> pl.DataFrame:
    """Add ``enough``: measured, and of a sample with enough items."""
    items = pl.col("n_full").is_null() | (pl.col("sample_size") >= FEWEST_ITEMS)
    return cells.with_columns(enough=(pl.col("status").is_in(MEASURED) & items).fill_null(value=False))


def fitting_cells(cells: pl.DataFrame, longest: int) -> pl.DataFrame:
    """Return the cells that areas are followed by: windows that lie within the period, whole.

    Args:
        cells: ``grain`` month, series_month and series_quarter, ``as_of``, ``window_days``.
        longest: Newest periods that are kept.

    Returns:
        Rows with the grain of the series that they belong to.
    """
    monthly = cells.filter(pl.col("grain") == "series_month")
    # At the end of a quarter the whole window of a month's row lies within the quarter.
    ends = cells.filter(pl.col("grain") == "series_quarter").select("as_of").unique()
    quarterly = cells.filter(pl.col("grain") == "month").join(ends, on="as_of", how="semi")
    found: list[pl.DataFrame] = []
    for (grain, days), rows in zip(FITTING_DAYS.items(), (monthly, quarterly), strict=True):
        newest = rows.select("as_of").unique().sort("as_of").tail(longest)
        fits = rows.filter(pl.col("window_days") <= days).join(newest, on="as_of", how="semi")
        found.append(fits.with_columns(grain=pl.lit(grain)))
    return pl.concat(found)


def area_series(cells: pl.DataFrame) -> pl.DataFrame:
    """Return the points of every area: the weighted mean of the same metrics in every period.

    A metric enters or leaves only with the team's duties. A period in which one of them has no points is a gap.

    Args:
        cells: As :func:`fitting_cells` gives them, with ``team_id``, ``area_id``, ``metric_id``, ``weight``,
            ``points``, ``status``, ``n_full`` and ``sample_size``.

    Returns:
        ``team_id, area_id, grain, as_of, score`` (null = gap) and ``weight``, the weight that is followed.
    """
    duties = has_point(cells).filter(~pl.col("status").is_in(_OUT_OF_DUTY), pl.col("weight") > 0)
    member = pl.col("enough").mean().over("team_id", "metric_id", "grain") >= LEAST_MEASURED
    return _means(duties.filter(member), pl.col("points"), "weight")


def _means(rows: pl.DataFrame, points: pl.Expr, weight: str) -> pl.DataFrame:
    total = pl.col(weight).sum()
    return (
        rows.sort(*_PERIOD, "area_id", "metric_id")
        .group_by(*_PERIOD, "area_id", maintain_order=True)
        .agg(score=pl.when(pl.col("enough").all()).then((points * pl.col(weight)).sum() / total), weight=total)
    )


def team_series(areas: pl.DataFrame, area_weights: pl.DataFrame, weakest_share: float) -> pl.DataFrame:
    """Return the points of every team: the mean-min score of the same areas in every period.

    Args:
        areas: As :func:`area_series` gives them.
        area_weights: ``area_id, area_weight``.
        weakest_share: Lambda of method 3.5.

    Returns:
        ``team_id, grain, as_of, score``; null = gap.
    """
    there = pl.col("score").is_not_null()
    member = there.mean().over("team_id", "area_id", "grain") >= LEAST_MEASURED
    score = mean_min(pl.col("score"), pl.col("area_weight"), weakest_share)
    return (
        areas.filter(member)
        .join(area_weights, on="area_id")
        .sort(*_PERIOD, "area_id")
        .group_by(_PERIOD, maintain_order=True)
        .agg(score=pl.when(there.all()).then(score))
    )


def followed_share(cells: pl.DataFrame, areas: pl.DataFrame, area_weights: pl.DataFrame) -> pl.DataFrame:
    """Return which share of the weight the series of each area, and of each team, follow at their newest period.

    Args:
        cells: All metrics at the ends of months.
        areas: As :func:`area_series` gives them.
        area_weights: ``area_id, area_weight``.

    Returns:
        ``team_id, area_id`` (null for the team), ``grain, weight_share``.
    """
    months = cells.filter(pl.col("grain") == "month")
    newest = months.filter(pl.col("as_of") == pl.col("as_of").max(), ~pl.col("status").is_in(_OUT_OF_DUTY))
    whole = newest.group_by("team_id", "area_id").agg(whole=pl.col("weight").sum()).filter(pl.col("whole") > 0)
    grains = pl.DataFrame({"grain": list(FITTING_DAYS)})
    followed = areas.sort("as_of").group_by("team_id", "area_id", "grain").agg(pl.col("weight").last())
    share = (
        whole.join(grains, how="cross")
        .join(followed, on=["team_id", "area_id", "grain"], how="left")
        .with_columns(weight_share=(pl.col("weight").fill_null(0.0) / pl.col("whole")).clip(0.0, 1.0))
        .join(area_weights, on="area_id")
    )
    weight = pl.col("area_weight")
    teams = (
        share.sort("area_id")
        .group_by("team_id", "grain")
        .agg(weight_share=(pl.col("weight_share") * weight).sum() / weight.sum())
    )
    columns = ["team_id", "area_id", "grain", "weight_share"]
    none = pl.lit(None, pl.String)
    return pl.concat([share.select(columns), teams.with_columns(area_id=none).select(columns)])
