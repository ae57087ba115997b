"""Value to points (section 3.1) and evidence weight (section 3.2)."""

from __future__ import annotations

import polars as pl

KRAV_POINTS = 60.0
FULL_POINTS = 100.0
# The level that means that the requirement is met and no gate says otherwise (method 3.6).
MET_LEVEL = 3


def points(value: pl.Expr, floor: pl.Expr, krav: pl.Expr, mal: pl.Expr) -> pl.Expr:
    """Return points 0..100: floor 0, krav 60, mal 100, piecewise linear and clipped.

    Args:
        value: The metric's value, in its unit.
        floor: Value worth nothing; above ``mal`` for lower-is-better metrics.
        krav: Value that meets the requirement; null for a straight line from floor to mal, which alone meets it.
        mal: Value beyond which there is no more reward.

    Returns:
        Points, or null where the value is null or not finite.
    """
    sign = pl.when(floor < mal).then(1.0).otherwise(-1.0)
    v, f, k, m = value * sign, floor * sign, krav * sign, mal * sign
    straight = 100.0 * (v - f) / (m - f)
    lower = KRAV_POINTS * (v - f) / (k - f)
    upper = KRAV_POINTS + (100.0 - KRAV_POINTS) * (v - k) / (m - k)
    bent = pl.when(v < k).then(lower).otherwise(upper)
    line = pl.when(krav.is_null()).then(straight).otherwise(bent)
    return pl.when(value.is_finite()).then(line.clip(0.0, 100.0))


def required_points(krav: float | None) -> float:
    """Return the points at which a requirement is met: all of them where only the target meets it (section 3.1)."""
    return FULL_POINTS if krav is None else KRAV_POINTS


def evidence_weight(sample_size: pl.Expr, n_full: pl.Expr, at_least: float) -> pl.Expr:
    """Return Z in 0..1: from ``at_least`` up to 1 with ``sqrt(n / n_full)`` for samples, 1 for a census.

    Neighbouring weights of the method stand as 4 to 3 at the closest: with three quarters as the least, no metric
    weighs less in effect than one of a lower weight, however little happened (ADR 0034).

    Completeness is not a part of it: it lowers coverage and bounds, never a metric's weight in the score, or a day
    without data would lift the score of an area with a bad metric (ADR 0010).

    Args:
        sample_size: Number of events, n.
        n_full: Events for full weight; null for a census.
        at_least: Weight of a metric with hardly any events; without any it has no value and weighs nothing.
    """
    size = sample_size.cast(pl.Float64)
    sample = at_least + (1.0 - at_least) * (size / n_full).sqrt().clip(0.0, 1.0)
    return pl.when(n_full.is_null()).then(1.0).when(size > 0).then(sample).otherwise(0.0)


def entity_points(weight: pl.Expr, entity_point: pl.Expr) -> pl.Expr:
    """Return the criticality-weighted mean of entities' points: score first, average after (G30).

    Entities without points (nothing is known of them) do not take part; none at all gives null.
    """
    there = entity_point.is_not_null()
    return pl.when(there.any()).then((weight * entity_point).filter(there).sum() / weight.filter(there).sum())
