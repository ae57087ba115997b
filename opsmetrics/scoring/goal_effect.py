"""Whether a metric really shifted after the action of a goal, on the chart that fits it (method 3.11, ADR 0017, 0035).

The periods before the action set the limits. Afterwards a shift is lasting or it is none: the newest period is still
there, and two of three lie near the same limit, or seven on one side; of rare misses, longer without one than chance
explains; of a full count that stands still, another value than before.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from opsmetrics.scoring.control_chart import (
    BASELINE,
    FACTOR,
    RUN,
    laney,
    natural_limits,
    number_between,
    one_side,
    seven_on_one_side,
    two_of_three,
)
from opsmetrics.scoring.intervals import Floats
from opsmetrics.scoring.trend import kendall_variance, trends

REVIEW = ("team_id", "metric_id", "decided_on", "as_of", "grain")
FEWEST_BEFORE, FEWEST_AFTER = 8, 3
# One-sided 5 %: a metric that moved the same way before the action tells nothing of it.
DRIFT = 1.645
# Sums taken in another order are no change.
DECIMALS = 9
_EQUAL = 1e-9

Flags = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Periods:
    """The periods of each review on one side of its action, left-aligned, nan behind the last one.

    Attributes:
        values: Shape (reviews, periods).
        items: What each value is a share of, or nan.
        count: Shape (reviews).
    """

    values: Floats
    items: Floats
    count: Counts

    @property
    def newest(self) -> Floats:
        """The last value of each review; nan without any."""
        return self.values[np.arange(len(self.values)), np.maximum(self.count - 1, 0)]


def goal_effects(reviews: pl.DataFrame, points: pl.DataFrame) -> pl.DataFrame:
    """Judge every review of every goal.

    Args:
        reviews: The columns of ``REVIEW``, ``is_acted`` (the action works on the day of the review),
            ``is_higher_better`` and ``best`` (the best value that the unit allows, or infinite).
        points: The columns of ``REVIEW``, ``period_at``, ``value``, ``items`` (what it is a share of, or null),
            ``chart``, ``is_before`` and ``is_after``: the periods of the metric's chart up to the review; the one in
            which the action fell is neither.

    Returns:
        Columns as ``scores.goal_effect``, sorted by key.
    """
    reviews = reviews.sort("decided_on", *REVIEW).with_row_index("row")
    points = points.join(reviews.select("row", *REVIEW), on=list(REVIEW)).sort("row", "period_at")
    before = _periods(points.filter("is_before").group_by("row", maintain_order=True).tail(BASELINE), len(reviews))
    after = _periods(points.filter("is_after"), len(reviews))
    kinds = reviews.select("row").join(points.group_by("row").agg(pl.col("chart").last()), on="row", how="left")
    kind = kinds.sort("row")["chart"].fill_null("xmr").to_numpy().astype(str)
    higher = reviews["is_higher_better"].to_numpy()
    best = np.where(higher, reviews["best"].to_numpy(), 0.0)
    judged = _judge(kind, before, after, higher, best)
    effect = np.select(
        [
            ~reviews["is_acted"].to_numpy(),
            before.count < FEWEST_BEFORE,
            after.count < FEWEST_AFTER,
            _moved_before(before, judged.up, judged.down),
            judged.up | judged.down,
        ],
        [
            "not_acted",
            "too_few_before",
            "too_few_after",
            "moved_before",
            np.where(judged.up == higher, "better", "worse"),
        ],
        "no_certain_shift",
    )
    has_before, has_after = before.count > 0, after.count > 0
    return reviews.select(REVIEW).with_columns(
        before_count=pl.Series(before.count, dtype=pl.Int64),
        after_count=pl.Series(after.count, dtype=pl.Int64),
        before_mean=_where(has_before, _mean(before)),
        low=_where(has_before, judged.low),
        high=_where(has_before, judged.high),
        after_mean=_where(has_after, _mean(after)),
        effect=pl.Series(effect.tolist(), dtype=pl.String),
        can_show_better=pl.Series(np.where(has_before, judged.can_show_better, False).tolist(), dtype=pl.Boolean),
    )


@dataclass(frozen=True, slots=True)
class _Judged:
    """What the charts say, shape (reviews): lasting shifts, limits (nan where there is none), and what can be told."""

    up: Flags
    down: Flags
    low: Floats
    high: Floats
    can_show_better: Flags


def _judge(kind: npt.NDArray[np.str_], before: _Periods, after: _Periods, higher: Flags, best: Floats) -> _Judged:
    counted, between, one_sided = np.isin(kind, ("p", "g")), np.isin(kind, ("xmr", "t")), np.isin(kind, ("g", "t"))
    limits = natural_limits(before.values)
    shares = laney(before.values, before.items)
    centre = np.round(
        np.select([counted, kind == "run"], [shares.centre, _typical(before.values)], limits.centre), DECIMALS
    )
    swing = 3 * np.sqrt(centre * np.clip(1 - centre, 0, None)) * shares.spread
    with np.errstate(invalid="ignore", divide="ignore"):
        wide = np.where(
            counted, swing / np.sqrt(_typical(before.items)), np.where(between, FACTOR * limits.moving_range, np.inf)
        )
        reach = np.where(counted[:, None], swing[:, None] / np.sqrt(after.items), wide[:, None])
    up, down = _lasting(after, centre, reach)
    since, limit = _without_miss(kind, before, after, best)
    long, level = since > limit + _EQUAL, before.newest
    with np.errstate(invalid="ignore"):
        rose, fell = after.newest > level + _EQUAL, after.newest < level - _EQUAL
        line = centre + np.where(higher, wide, -wide) * 2 / 3
        reachable = np.where(higher, line < best, line > best)
    # On the better side of rare misses only the time without one tells.
    up = np.select([kind == "steps", kind == "none", one_sided & higher], [rose, False, long], up)
    down = np.select([kind == "steps", kind == "none", one_sided & ~higher], [fell, False, long], down)
    # Nothing lies beyond the end of a scale: until there are seven on one side, better could not have been told.
    can_show = np.select(
        [kind == "steps", kind == "none", one_sided],
        [True, False, np.isfinite(limit)],
        reachable | (after.count >= RUN),
    )
    low, high = centre - wide, centre + wide
    low = np.where(np.isfinite(wide) & ~(one_sided & ~higher), low, np.nan)
    high = np.where(np.isfinite(wide) & ~(one_sided & higher), high, np.nan)
    return _Judged(up, down, low, high, can_show)


def _periods(points: pl.DataFrame, rows: int) -> _Periods:
    points = points.with_columns(column=pl.int_range(pl.len()).over("row"))
    row, column = points["row"].to_numpy(), points["column"].to_numpy()
    values, items = np.full((2, rows, int(column.max(initial=0)) + 1), np.nan)
    values[row, column] = points["value"].to_numpy()
    items[row, column] = points["items"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    return _Periods(values, items, (~np.isnan(values)).sum(axis=1))


def _mean(periods: _Periods) -> Floats:
    return np.where(np.isnan(periods.values), 0, periods.values).sum(axis=1) / np.maximum(periods.count, 1)


def _typical(values: Floats) -> Floats:
    """Median of each row's numbers; nan without any."""
    ordered, count = np.sort(values, axis=1), (~np.isnan(values)).sum(axis=1)
    rows, last = np.arange(len(values)), np.maximum(count - 1, 0)
    return (ordered[rows, last // 2] + ordered[rows, (last + 1) // 2]) / 2


def _without_miss(kind: npt.NDArray[np.str_], before: _Periods, after: _Periods, best: Floats) -> tuple[Floats, Floats]:
    """Return items (g) or periods (t) since the last miss after the action, and how many chance explains; else nan."""
    with np.errstate(invalid="ignore", divide="ignore"):
        was_missed, is_missed = np.abs(best[:, None] - before.values), np.abs(best[:, None] - after.values)
        misses, all_items = np.nansum(was_missed * before.items, axis=1), np.nansum(before.items, axis=1)
        dirty = (np.nan_to_num(was_missed) > _EQUAL).sum(axis=1)
        mean = np.select(
            [kind == "g", kind == "t"], [(all_items - misses) / misses, (before.count - dirty) / dirty], np.nan
        )
        kept = np.where((kind == "g")[:, None], after.items, 1.0)
        since = np.zeros(len(mean))
        for column in range(after.values.shape[1]):
            there, missed = ~np.isnan(after.values[:, column]), is_missed[:, column] > _EQUAL
            since = np.where(there, np.where(missed, 0.0, since + kept[:, column]), since)
        return np.where(np.isnan(mean), np.nan, since), number_between(mean)


def _lasting(after: _Periods, centre: Floats, reach: Floats) -> tuple[Flags, Flags]:
    """Whether the periods after the action shifted up, and down, and the newest is still on that side."""
    if not len(after.values):
        none = np.zeros(0, dtype=bool)
        return none, none
    sides = one_side(after.values, centre)
    shifted = (two_of_three(after.values, centre, reach) | seven_on_one_side(sides)).any(axis=2)
    newest = sides[:, np.arange(len(after.values)), np.maximum(after.count - 1, 0)]
    up, down = shifted & newest
    return up, down


def _moved_before(before: _Periods, up: Flags, down: Flags) -> Flags:
    """Whether the periods before the action rose or fell the same way already (Kendall's S)."""
    s = trends(before.values).s
    spread = np.sqrt(np.maximum(kendall_variance(before.count.astype(np.float64)), 1))
    return ((up & (s > 0)) | (down & (s < 0))) & ((np.abs(s) - 1) / spread >= DRIFT)


def _where(there: Flags, values: Floats) -> pl.Series:
    return pl.Series(np.where(there, values, np.nan)).fill_nan(None)
