"""Between which points a metric lies, whatever was not delivered or not told (method 3.4, ADR 0026).

The worst case takes everything unknown for kept as badly as it can be, the best case as well as it can be. So a blank
never raises a lower bound and never lowers an upper one.
"""

from __future__ import annotations

import polars as pl

from opsmetrics.scoring.points import points

_PART, _CASES = "known_part", ("worst_case", "best_case")


def with_value_bounds(frame: pl.DataFrame) -> pl.DataFrame:
    """Add ``worst_case`` and ``best_case``: the worst and the best value that a measured cell can have.

    Reads the columns ``value, sample_size, completeness, window_completeness, window_days, n_full, unit, floor, mal``,
    and ``worst_value`` (in the metric's unit, or null), where SQL knows more than the share of what is known.

    Of a share, the unknown part counts as none or as all. Where events are counted, a day that nobody delivered may
    have brought as many as a busy day does: the daily mean and three of its standard deviations, and one more. Of
    other units only the ends of the scale are certain, as soon as anything is unknown.
    """
    value, known = pl.col("value"), pl.col("completeness")
    is_share, is_whole = pl.col("unit") == "share", known >= 1.0
    part = pl.when(pl.col("n_full").is_null()).then(known).otherwise(_known_events())
    kept, rest = value * pl.col(_PART), 1.0 - pl.col(_PART)
    rises = pl.col("floor") < pl.col("mal")
    worst = pl.when(rises).then(kept).otherwise(kept + rest)
    best = pl.when(rises).then(kept + rest).otherwise(kept)
    other_worst = pl.coalesce("worst_value", "floor")
    # A column for each step: in one expression every step would stand as often as the ones after it name it, and
    # polars plans each place by itself, which took a hundred times as long as counting.
    return (
        frame.with_columns(part.alias(_PART))
        .with_columns(
            worst_case=pl.when(is_whole).then(value).when(is_share).then(worst).otherwise(other_worst),
            best_case=pl.when(is_whole).then(value).when(is_share).then(best).otherwise(pl.col("mal")),
        )
        .drop(_PART)
    )


def _known_events() -> pl.Expr:
    """Share of the events of a window that are known, if undelivered days were busy ones."""
    delivered, size = pl.col("window_completeness").clip(0.0, 1.0), pl.col("sample_size").cast(pl.Float64)
    told = pl.when(delivered > 0).then((pl.col("completeness") / delivered).clip(0.0, 1.0)).otherwise(0.0)
    seen = pl.when(told > 0).then(size / told)
    days = pl.col("window_days").cast(pl.Float64)
    daily = pl.when(delivered * days > 0).then(seen / (delivered * days)).otherwise(seen)
    unseen = (1.0 - delivered) * days * (daily + 3.0 * daily.sqrt() + 1.0)
    return pl.when((seen + unseen) > 0).then(size / (seen + unseen)).otherwise(0.0)


def with_point_bounds(frame: pl.DataFrame) -> pl.DataFrame:
    """Add ``points_low`` and ``points_high``: points of :func:`with_value_bounds`; also needs ``krav`` and ``points``.

    A measured cell without a value (a service that promised nothing) has its points for certain.
    """
    anchors = (pl.col("floor"), pl.col("krav"), pl.col("mal"))
    low, high = (pl.coalesce(points(pl.col(case), *anchors), "points") for case in _CASES)
    return with_value_bounds(frame).with_columns(points_low=low, points_high=high).drop(_CASES)
