"""Spread among teams of the same type, without names (method 3.13)."""

from __future__ import annotations

import numpy as np
import polars as pl

from opsmetrics.scoring.shrinkage import empirical_bayes
from opsmetrics.scoring.status import MEASURED
from opsmetrics.scoring.tables import FEWEST_TEAMS


def peer_table(cells: pl.DataFrame, teams: pl.DataFrame) -> pl.DataFrame:
    """Return median and quartiles per metric and type of team, latest day only.

    Args:
        cells: Metrics with ``value``, ``numerator``, ``denominator``, ``status`` and ``interval``.
        teams: ``team_id, type``.

    Returns:
        Columns as ``scores.peer``; no row with fewer than five teams.
    """
    measured = (
        cells.filter((pl.col("grain") == "latest") & pl.col("status").is_in(MEASURED))
        .select("team_id", "metric_id", "as_of", "value", "numerator", "denominator", "interval")
        .join(teams.select("team_id", team_type="type"), on="team_id")
        .sort("metric_id", "team_type", "team_id")
    )
    spread = (
        measured.group_by("metric_id", "team_type", "as_of", maintain_order=True)
        .agg(
            team_count=pl.len(),
            quartile_low=pl.col("value").quantile(0.25, "linear"),
            median=pl.col("value").median(),
            quartile_high=pl.col("value").quantile(0.75, "linear"),
            shares=pl.struct("numerator", "denominator").filter(pl.col("interval") == "jeffreys"),
        )
        .filter(pl.col("team_count") >= FEWEST_TEAMS)
    )
    pooled: list[float | None] = []
    weight: list[float | None] = []
    for shares in spread["shares"]:
        items = np.array([row["denominator"] for row in shares], dtype=np.float64)
        if not len(items):
            pooled.append(None)
            weight.append(None)
            continue
        successes = np.array([row["numerator"] for row in shares], dtype=np.float64)
        _, k = empirical_bayes(successes, items)
        pooled.append(float(successes.sum() / items.sum()))
        weight.append(k if np.isfinite(k) else None)
    return spread.drop("shares").with_columns(
        pooled=pl.Series(pooled, dtype=pl.Float64), prior_weight=pl.Series(weight, dtype=pl.Float64)
    )
