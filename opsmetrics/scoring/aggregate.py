"""Area and team scores with coverage and bounds (sections 3.4, 3.5), and the gates of an area (section 3.6)."""

from __future__ import annotations

import polars as pl

from opsmetrics.catalogue import Ruleset
from opsmetrics.scoring.status import DROPPED, MEASURED

TEAM = ["team_id", "as_of", "grain"]
AREA = [*TEAM, "area_id"]
_TINY = 1e-9


def area_scores(
    cells: pl.DataFrame, ruleset: Ruleset, by: list[str] = AREA, *, is_sorted: bool = False
) -> pl.DataFrame:
    """Return A, C and the worst and best case of each area.

    Args:
        cells: One row per metric with ``by``, ``weight``, ``evidence_weight``, ``completeness``, ``points``,
            ``points_low`` and ``points_high`` (between which they lie, whatever is unknown) and ``status``.
        ruleset: For the coverage limits.
        by: Columns that make an area.
        is_sorted: The cells already stand in the order of ``by`` and ``metric_id``: sums of numbers are the same in
            any run only if they are added in the same order.

    Returns:
        ``by`` plus ``score`` (null unless published or provisional), ``raw_score`` (always, null without any
        points), ``coverage``, ``low``, ``high`` (0..100, null where nothing applies), ``applicable_weight``
        and ``status``: ok, provisional, too_little_data or not_applicable.
    """
    z, w, p = pl.col("evidence_weight"), pl.col("weight"), pl.col("points")
    # What the sources did not deliver or tell is unknown: it lowers coverage and widens the bounds (ADR 0010, 0026).
    overdue = (pl.col("status") == "not_measured_overdue") & pl.col("points").is_not_null()
    seen = z * pl.when(overdue).then(1.0).otherwise(pl.col("completeness").fill_null(0.0).clip(0.0, 1.0))
    applies = ~pl.col("status").is_in(DROPPED)
    scored = pl.col("points").is_not_null() & applies
    # Known: measured, or 0 because the grace is used up. Carried values are not known today (ADR 0005).
    known = scored & (overdue | pl.col("status").is_in(MEASURED))
    measured = pl.col("status").is_in(MEASURED)
    # Only what is needed: sorting carries every column along.
    cells = cells.select(
        *by, "metric_id", "weight", "evidence_weight", "completeness", "points", "points_low", "points_high", "status"
    )
    parts = (
        (cells if is_sorted else cells.sort([*by, "metric_id"]))
        .group_by(by, maintain_order=True)
        .agg(
            scored_weight=(w * z).filter(scored).sum(),
            scored_points=(w * z * p).filter(scored).sum(),
            sure_weight=(w * z).filter(known).sum(),
            worst_points=(w * z * pl.col("points_low")).filter(known).sum(),
            best_points=(w * z * pl.col("points_high")).filter(known).sum(),
            measured_weight=(w * seen).filter(measured).sum(),
            applicable_weight=w.filter(applies).sum(),
        )
    )
    total = pl.col("applicable_weight")
    return (
        parts.with_columns(
            raw_score=pl.when(pl.col("scored_weight") > 0).then(pl.col("scored_points") / pl.col("scored_weight")),
            coverage=pl.when(total > 0).then(pl.col("measured_weight") / total),
            low=pl.when(total > 0).then(pl.col("worst_points") / total),
            high=pl.when(total > 0).then((pl.col("best_points") + 100 * (total - pl.col("sure_weight"))) / total),
        )
        .with_columns(status=_area_status(ruleset))
        .with_columns(score=pl.when(pl.col("status").is_in(["ok", "provisional"])).then(pl.col("raw_score")))
        .select(*by, "score", "raw_score", "coverage", "low", "high", "applicable_weight", "status")
    )


def _area_status(ruleset: Ruleset) -> pl.Expr:
    # Obligations whose grace is used up are known to be unmet: they are not coverage, but hiding an area does
    # not keep its 0 out of the team score (method 3.5, ADR 0005).
    # Nor does a gap in the data: as long as a metric is measured at all, its whole weight counts here (ADR 0010). And
    # as long as a last value is carried, our own failure hides no area and moves no score (ADR 0034).
    covered = pl.col("scored_weight") / pl.col("applicable_weight") + _TINY
    return (
        pl.when(pl.col("applicable_weight") == 0)
        .then(pl.lit("not_applicable"))
        .when(pl.col("raw_score").is_null() | (covered < ruleset.area_provisional_coverage))
        .then(pl.lit("too_little_data"))
        .when(covered < ruleset.area_published_coverage)
        .then(pl.lit("provisional"))
        .otherwise(pl.lit("ok"))
    )


def mean_min(score: pl.Expr, weight: pl.Expr, weakest_share: float) -> pl.Expr:
    """Return the mean-min aggregate: ``(1 - lambda) * weighted mean + lambda * minimum`` over the non-null scores."""
    there = score.is_not_null()
    mean = (score * weight).filter(there).sum() / weight.filter(there).sum()
    return pl.when(there.any()).then((1 - weakest_share) * mean + weakest_share * score.min())


def team_scores(areas: pl.DataFrame, ruleset: Ruleset) -> pl.DataFrame:
    """Return T with coverage, bounds and status per team.

    Only published areas (coverage at least the limit) enter the score; every applicable area enters coverage
    and bounds.

    Args:
        areas: As :func:`area_scores` gives them, plus ``area_weight``.
        ruleset: For lambda and the publishing limits.

    Returns:
        ``team_id, as_of, grain, score, coverage, low, high, status``.
    """
    share = ruleset.weakest_share
    weight = pl.col("area_weight")
    applies = pl.col("status") != "not_applicable"
    published = pl.when(pl.col("status") == "ok").then(pl.col("score"))
    low, high = (pl.when(applies).then(pl.col(name)) for name in ("low", "high"))
    covered = (weight * pl.col("coverage")).filter(applies).sum() / weight.filter(applies).sum()
    parts = (
        areas.sort(AREA)
        .group_by(TEAM, maintain_order=True)
        .agg(
            score=mean_min(published, weight, share),
            coverage=pl.when(applies.any()).then(covered),
            low=mean_min(low, weight, share),
            high=mean_min(high, weight, share),
            published_share=published.is_not_null().sum() / applies.sum(),
        )
    )
    enough = (pl.col("published_share") + _TINY >= ruleset.team_published_share) & (
        pl.col("coverage") + _TINY >= ruleset.team_published_coverage
    )
    status = (
        pl.when(pl.col("coverage").is_null())
        .then(pl.lit("not_applicable"))
        .when(pl.col("score").is_null())
        .then(pl.lit("too_little_data"))
        .when(enough)
        .then(pl.lit("ok"))
        .otherwise(pl.lit("provisional"))
    )
    return parts.with_columns(status=status).drop("published_share")


def with_gates(areas: pl.DataFrame, gates: pl.DataFrame) -> pl.DataFrame:
    """Add ``gate`` and ``gate_findings`` to areas: the strictest tripped gate, or null.

    Args:
        areas: As :func:`area_scores` gives them.
        gates: ``gate_id, team_id, as_of, grain, area_id, cap, finding_count`` of tripped gates.
    """
    strictest = (
        gates.sort("cap", "gate_id")
        .group_by(AREA, maintain_order=True)
        .agg(gate=pl.col("gate_id").first(), gate_findings=pl.col("finding_count").first())
    )
    return areas.join(strictest, on=AREA, how="left")


def with_shares(cells: pl.DataFrame) -> pl.DataFrame:
    """Add ``stated_share`` and ``effective_share``: of the area's weight, and of its score after evidence (method 3.2).

    Args:
        cells: ``team_id, area_id, as_of, grain``, ``weight``, ``evidence_weight``, ``points`` and ``status``.
    """
    applies, scored = ~pl.col("status").is_in(DROPPED), pl.col("points").is_not_null()
    effective = pl.when(scored).then(pl.col("weight") * pl.col("evidence_weight"))
    stated = pl.when(applies).then(pl.col("weight"))
    total, effective_total = (expr.sum().over(AREA) for expr in (stated, effective))
    return cells.with_columns(
        stated_share=pl.when(total > 0).then(stated / total),
        effective_share=pl.when(effective_total > 0).then(effective / effective_total),
    )
