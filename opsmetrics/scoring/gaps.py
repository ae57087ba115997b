"""Gap attribution (section 3.12): points lost per metric, and what the team would gain by fixing it."""

from __future__ import annotations

import polars as pl

from opsmetrics.catalogue import Ruleset
from opsmetrics.scoring.aggregate import AREA, TEAM
from opsmetrics.scoring.points import FULL_POINTS, KRAV_POINTS


def gaps(cells: pl.DataFrame, areas: pl.DataFrame, ruleset: Ruleset) -> pl.DataFrame:
    """Split ``100 - T`` into metrics, and recompute T with each metric fixed.

    Args:
        cells: Metrics with ``points``, ``evidence_weight`` and ``krav``.
        areas: With ``score``, ``status`` and ``area_weight``; only published areas (status ok) take part.
        ruleset: For lambda.

    Returns:
        ``team_id, area_id, metric_id, as_of, grain, points_lost, gain_if_met, gain_to_krav``: points of the team
        score. ``points_lost`` sums to ``100 - T`` per team. ``gain_if_met`` is T with the metric at its target
        (100 points) minus T; ``gain_to_krav`` the same with the metric at the requirement (60 points, and 100 where
        only the target meets it).
    """
    share = ruleset.weakest_share
    published = areas.filter(pl.col("status") == "ok").select(*AREA, "score", "area_weight").sort(AREA)
    smallest = pl.col("score").min().over(TEAM)
    published = published.with_columns(
        part=(1 - share) * pl.col("area_weight") / pl.col("area_weight").sum().over(TEAM),
        ties=(pl.col("score") == smallest).sum().over(TEAM),
        smallest=smallest,
        others=_smallest_of_others(),
    )
    # The trend's own windows are never shown as a score, so there is nothing to explain.
    shown = ~pl.col("grain").cast(pl.String).str.starts_with("series_")
    published = published.filter(shown)
    scored = cells.select(*AREA, "metric_id", "points", "weight", "evidence_weight", "krav").filter(
        shown & pl.col("points").is_not_null() & (pl.col("evidence_weight") > 0)
    )
    joined = scored.join(published, on=AREA).with_columns(
        effective=pl.col("weight") * pl.col("evidence_weight"),
    )
    within = pl.col("effective") / pl.col("effective").sum().over(AREA)
    is_weakest = pl.col("score") == pl.col("smallest")
    lost = (pl.col("part") + pl.when(is_weakest).then(share / pl.col("ties")).otherwise(0.0)) * within
    return (
        joined.sort([*AREA, "metric_id"])
        .with_columns(
            points_lost=lost * (100 - pl.col("points")),
            gain_if_met=_gain(within, pl.lit(FULL_POINTS), share),
            gain_to_krav=_gain(
                within, pl.when(pl.col("krav").is_null()).then(FULL_POINTS).otherwise(KRAV_POINTS), share
            ),
        )
        .select("team_id", "area_id", "metric_id", "as_of", "grain", "points_lost", "gain_if_met", "gain_to_krav")
    )


def _smallest_of_others() -> pl.Expr:
    """Smallest score among the team's other areas; null for a team with one area."""
    ordered = pl.col("score").sort().over(TEAM, mapping_strategy="join")
    second = ordered.list.get(1, null_on_oob=True)
    first = ordered.list.get(0)
    alone = (pl.col("score") == first) & ((pl.col("score") == first).sum().over(TEAM) == 1)
    return pl.when(alone).then(second).otherwise(first)


def _gain(within: pl.Expr, target: pl.Expr, share: float) -> pl.Expr:
    """T with the metric lifted to ``target`` points (never lowered), minus T."""
    lift = within * (target - pl.col("points")).clip(lower_bound=0.0)
    before, after = pl.col("score"), pl.col("score") + lift
    others = pl.col("others")
    least_before = pl.when(others.is_null()).then(before).otherwise(pl.min_horizontal(before, others))
    least_after = pl.when(others.is_null()).then(after).otherwise(pl.min_horizontal(after, others))
    return pl.col("part") * lift + share * (least_after - least_before)
