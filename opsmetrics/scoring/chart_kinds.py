"""Which chart fits a series, and what it says of each point (method 3.11, ADR 0035).

Only a chart that can tell a change for the better from chance is drawn; else the series says why it cannot tell yet.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from opsmetrics.scoring.chart_names import FEWEST_POINTS, KINDS, REASONS, SIGNALS
from opsmetrics.scoring.control_chart import (
    BASELINE,
    FACTOR,
    Proportions,
    laney,
    natural_limits,
    number_between,
    signals,
)
from opsmetrics.scoring.intervals import Floats

# Rarer than this in the baseline, nobody knows how rare a miss is.
FEWEST_MISSES = 3
_NONE, _XMR, _P, _G, _T, _STEPS, _RUN = range(len(KINDS))
_TOO_FEW_POINTS, _TOO_FEW_MISSES, _NOT_MOVED = range(1, len(REASONS))
_WITHOUT_MISS, _CHANGED = SIGNALS.index("long_without_miss"), SIGNALS.index("changed")
_SEVEN_ON_ONE_SIDE = SIGNALS.index("seven_on_one_side")
_EQUAL = 1e-9

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Points:
    """Series of points, left-aligned without gaps, nan behind the last one.

    Attributes:
        values: Shape (series, points), in the metric's unit.
        items: What each value is a share of, or nan.
        kept: Items since the last miss, up to the end of each period; it ends where nothing is known of a period.
        clean: The same in periods without a miss.
        top: Shape (series): highest value that the unit allows, or inf; the lowest is 0.
        is_up: More is better.
        is_counted: A share of items that are counted once each: chance makes binomial swings of it.
        is_census: A state or a complete fact: it has no swings of chance.
        is_flow: Something that happens in the period, not the state at its end.
        days: Usual days of a period.
    """

    values: Floats
    items: Floats
    kept: Floats
    clean: Floats
    top: Floats
    is_up: Flags
    is_counted: Flags
    is_census: Flags
    is_flow: Flags
    days: Floats


@dataclass(frozen=True, slots=True)
class Charts:
    """The chart of each series.

    Attributes:
        kind: Shape (series): index into ``KINDS``.
        reason: Why there is none: index into ``REASONS``.
        centre: Shape (series); nan where the chart has none.
        low: Shape (series, points); nan where no value can lie below.
        high: nan where no value can lie above.
        is_trial: Fewer than twelve points: the limits still move.
        signal: Shape (series, points): index into ``SIGNALS``.
        since: Items (g) or days (t) since the last miss; nan for other charts.
        since_limit: Shape (series): more than this without a miss is no chance.
    """

    kind: npt.NDArray[np.int64]
    reason: npt.NDArray[np.int64]
    centre: Floats
    low: Floats
    high: Floats
    is_trial: Flags
    signal: npt.NDArray[np.int8]
    since: Floats
    since_limit: Floats


@dataclass(frozen=True, slots=True)
class _Baseline:
    """What the first twelve points say."""

    count: npt.NDArray[np.int64]
    mean: Floats
    reach: Floats
    median: Floats
    shares: Proportions
    share_reach: Floats
    misses: Floats
    between: Floats
    dirty: npt.NDArray[np.int64]
    is_still: Flags


def fitted_charts(points: Points) -> Charts:
    """Choose the chart of each series by its baseline, and lay its rules on every point."""
    base = _baseline(points)
    kind, reason = _choose(points, base)
    counts = np.isin(kind, (_P, _G))
    centre = np.select(
        [counts, np.isin(kind, (_XMR, _T)), kind == _RUN], [base.shares.centre, base.mean, base.median], np.nan
    )
    reach = np.where(
        counts[:, None], base.shares.reach, np.where(np.isin(kind, (_XMR, _T)), base.reach, np.inf)[:, None]
    )
    with np.errstate(invalid="ignore"):
        low, high = centre[:, None] - reach, centre[:, None] + reach
    there = ~np.isnan(points.values)
    # Beside the number without a miss, only the worse side has limits that something can cross.
    one_sided = np.isin(kind, (_G, _T))
    up, down = (one_sided & points.is_up)[:, None], (one_sided & ~points.is_up)[:, None]
    is_between = counts | np.isin(kind, (_XMR, _T))
    low = np.where(there & is_between[:, None] & ~down & (low > 0), low, np.nan)
    high = np.where(there & is_between[:, None] & ~up & (high < points.top[:, None]), high, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        periods = (base.count - base.dirty) / base.dirty
    since_limit = np.select(
        [kind == _G, kind == _T], [number_between(base.between), number_between(periods) * points.days], np.nan
    )
    since = np.where((kind == _G)[:, None], points.kept, np.where((kind == _T)[:, None], points.clean, np.nan))
    since = np.where(there, np.where((kind == _T)[:, None], since * points.days[:, None], since), np.nan)
    signal = _signals(points, kind, centre, reach, since > since_limit[:, None] + _EQUAL)
    return Charts(kind, reason, centre, low, high, base.count < BASELINE, signal, since, since_limit)


def _baseline(points: Points) -> _Baseline:
    first = points.values[:, :BASELINE]
    there = ~np.isnan(first)
    limits = natural_limits(first)
    shares = laney(points.values, points.items)
    best = np.where(points.is_up, points.top, 0.0)[:, None]
    missed = np.abs(best - first)
    with np.errstate(invalid="ignore", divide="ignore"):
        of_items = np.where(there & points.is_counted[:, None], missed * points.items[:, :BASELINE], 0).sum(axis=1)
        all_items = np.where(there & points.is_counted[:, None], points.items[:, :BASELINE], 0).sum(axis=1)
        moved = (np.abs(np.diff(first, axis=1)) > _EQUAL).sum(axis=1)
        typical = _median(np.where(there, shares.reach[:, :BASELINE], np.nan))
        between = (all_items - of_items) / of_items
    return _Baseline(
        count=limits.count,
        mean=limits.centre,
        reach=FACTOR * limits.moving_range,
        median=_median(first),
        shares=shares,
        share_reach=typical,
        misses=of_items,
        between=between,
        dirty=(np.where(there, missed, 0) > _EQUAL).sum(axis=1),
        is_still=moved * 2 < limits.count - 1,
    )


def _choose(points: Points, base: _Baseline) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the kind of each series, and why it is none: the first rule that holds."""
    few = base.count < FEWEST_POINTS
    is_whole, xmr_low, xmr_high = _inside(points, base.mean, base.reach)
    _, near_low, near_high = _inside(points, base.shares.centre, base.share_reach)
    varies, counted = base.reach > 0, points.is_counted
    # Whether something can lie beyond the line on the side of a change for the better.
    better = np.where(points.is_up, near_high, near_low)
    xmr_better = np.where(points.is_up, xmr_high, xmr_low)
    is_mixed = (base.dirty >= FEWEST_MISSES) & (base.dirty < base.count)
    rules: list[tuple[Flags, int]] = [
        (few, _NONE),
        (~counted & points.is_flow & ~xmr_better & is_mixed, _T),
        # Moving ranges that are mostly nothing say nothing of what is usual.
        (points.is_census & base.is_still, _STEPS),
        (varies & is_whole, _XMR),
        (counted & ~better & (base.misses < FEWEST_MISSES), _NONE),
        (counted & near_low & near_high, _P),
        (counted & ~better, _G),
        (varies & xmr_low & xmr_high, _XMR),
        (varies, _RUN),
    ]
    kind = np.select([rule for rule, _ in rules], [name for _, name in rules], _NONE)
    why = np.select([few, counted & (base.misses < FEWEST_MISSES)], [_TOO_FEW_POINTS, _TOO_FEW_MISSES], _NOT_MOVED)
    return kind.astype(np.int64), np.where(kind == _NONE, why, 0)


def _inside(points: Points, centre: Floats, reach: Floats) -> tuple[Flags, Flags, Flags]:
    """Whether both limits, the lower two-thirds line, and the upper one lie where a value can lie beyond them."""
    near = reach * 2 / 3
    with np.errstate(invalid="ignore"):
        return (
            (centre - reach > 0) & (centre + reach < points.top),
            centre - near > 0,
            centre + near < points.top,
        )


def _signals(
    points: Points, kind: npt.NDArray[np.int64], centre: Floats, reach: Floats, long: Flags
) -> npt.NDArray[np.int8]:
    up, down = signals(points.values, np.nan_to_num(centre), reach)
    one_sided = np.isin(kind, (_G, _T))[:, None]
    up[one_sided[:, 0] & points.is_up] = 0
    down[one_sided[:, 0] & ~points.is_up] = 0
    both = np.where((up > 0) & ((down == 0) | (up < down)), up, down)
    # A run chart has no limits, and the ends of a scale make runs up and down by themselves.
    both = np.where((kind == _RUN)[:, None] & (both != _SEVEN_ON_ONE_SIDE), 0, both)
    steps = (kind == _STEPS)[:, None]
    with np.errstate(invalid="ignore"):
        moved = np.abs(np.diff(points.values, axis=1, prepend=np.nan)) > _EQUAL
    found = np.where(steps, np.where(moved, _CHANGED, 0), both)
    found = np.where(long & (found == 0), _WITHOUT_MISS, found)
    found = np.where((kind == _NONE)[:, None] | np.isnan(points.values), 0, found)
    return found.astype(np.int8)


def _median(values: Floats) -> Floats:
    """Median of each row's numbers; nan without any."""
    ordered = np.sort(values, axis=1)
    count = (~np.isnan(values)).sum(axis=1)
    rows, last = np.arange(len(values)), np.maximum(count - 1, 0)
    return (ordered[rows, last // 2] + ordered[rows, (last + 1) // 2]) / 2
