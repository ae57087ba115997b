"""Whether a metric really shifted after the action of a goal, on its XmR chart (method 3.11, ADR 0017).

The periods before the action set the limits. Afterwards a shift is lasting or it is none: two of three near the same
limit, or seven on one side, and the newest period still there.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from opsmetrics.scoring.control_chart import BASELINE, FACTOR, natural_limits, one_side, seven_on_one_side, two_of_three
from opsmetrics.scoring.intervals import Floats
from opsmetrics.scoring.trend import kendall_variance, trends

REVIEW = ("team_id", "metric_id", "decided_on", "as_of", "grain")
FEWEST_BEFORE, FEWEST_AFTER = 8, 3
# One-sided 5 %: a metric that moved the same way before the action tells nothing of it.
DRIFT = 1.645
# Sums taken in another order are no change.
DECIMALS = 9

Flags = npt.NDArray[np.bool_]


def goal_effects(reviews: pl.DataFrame, points: pl.DataFrame) -> pl.DataFrame:
    """Judge every review of every goal.

    Args:
        reviews: The columns of ``REVIEW``, ``is_acted`` (the action works on the day of the review) and
            ``is_higher_better``.
        points: The columns of ``REVIEW``, ``period_at``, ``value``, ``is_before`` and ``is_after``: the periods of the
            metric's chart up to the review; the one in which the action fell is neither.

    Returns:
        Columns as ``scores.goal_effect``, sorted by key.
    """
    reviews = reviews.sort("decided_on", *REVIEW).with_row_index("row")
    points = points.join(reviews.select("row", *REVIEW), on=list(REVIEW)).sort("row", "period_at")
    before = _matrix(points.filter("is_before").group_by("row", maintain_order=True).tail(BASELINE), len(reviews))
    after = _matrix(points.filter("is_after"), len(reviews))
    limits = natural_limits(before)
    after_count = (~np.isnan(after)).sum(axis=1)
    centre, reach = np.round(limits.centre, DECIMALS), FACTOR * limits.moving_range
    up, down = _lasting(after, after_count, centre, reach)
    after_sum = np.where(np.isnan(after), 0, after).sum(axis=1)
    has_before, has_after = limits.count > 0, after_count > 0
    higher = reviews["is_higher_better"].to_numpy()
    effect = np.select(
        [
            ~reviews["is_acted"].to_numpy(),
            limits.count < FEWEST_BEFORE,
            after_count < FEWEST_AFTER,
            _moved_before(before, limits.count, up, down),
            up | down,
        ],
        ["not_acted", "too_few_before", "too_few_after", "moved_before", np.where(up == higher, "better", "worse")],
        "no_certain_shift",
    )
    return reviews.select(REVIEW).with_columns(
        before_count=pl.Series(limits.count, dtype=pl.Int64),
        after_count=pl.Series(after_count, dtype=pl.Int64),
        before_mean=_where(has_before, centre),
        low=_where(has_before, centre - reach),
        high=_where(has_before, centre + reach),
        after_mean=_where(has_after, after_sum / np.maximum(after_count, 1)),
        effect=pl.Series(effect.tolist(), dtype=pl.String),
    )


def _matrix(points: pl.DataFrame, rows: int) -> Floats:
    """One row per review, its periods left-aligned in order of time, nan behind the last one."""
    points = points.with_columns(column=pl.int_range(pl.len()).over("row"))
    column = points["column"].to_numpy()
    width = int(column.max(initial=0)) + 1
    values = np.full((rows, width), np.nan)
    values[points["row"].to_numpy(), column] = points["value"].to_numpy()
    return values


def _lasting(after: Floats, count: npt.NDArray[np.int64], centre: Floats, reach: Floats) -> tuple[Flags, Flags]:
    """Whether the periods after the action shifted up, and down, and the newest is still on that side."""
    if not len(after):
        none = np.zeros(0, dtype=bool)
        return none, none
    sides = one_side(after, centre)
    shifted = (two_of_three(after, centre, reach) | seven_on_one_side(sides)).any(axis=2)
    newest = sides[:, np.arange(len(after)), np.maximum(count - 1, 0)]
    up, down = shifted & newest
    return up, down


def _moved_before(before: Floats, count: npt.NDArray[np.int64], up: Flags, down: Flags) -> Flags:
    """Whether the periods before the action rose or fell the same way already (Kendall's S)."""
    s = trends(before).s
    spread = np.sqrt(np.maximum(kendall_variance(count.astype(np.float64)), 1))
    return ((up & (s > 0)) | (down & (s < 0))) & ((np.abs(s) - 1) / spread >= DRIFT)


def _where(there: Flags, values: Floats) -> pl.Series:
    return pl.Series(np.where(there, values, np.nan)).fill_nan(None)
