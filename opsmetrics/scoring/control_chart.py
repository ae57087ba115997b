"""XmR charts (method 3.11): natural limits from moving ranges, and signals.

Signals as the NHS "making data count" rules state them: a point outside; seven in a row on one side of the mean;
seven rising or falling; two of three beyond two thirds of the way to the same limit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from opsmetrics.scoring.intervals import Floats

FACTOR = 2.66
BASELINE = 12
RUN = 7
SIGNALS = ("", "outside", "seven_on_one_side", "seven_rising_or_falling", "two_of_three_near_limit")


@dataclass(frozen=True, slots=True)
class Charts:
    """Limits per series and a signal per point.

    Attributes:
        centre: Mean of the baseline.
        moving_range: Mean moving range of the baseline.
        low: Lower natural limit.
        high: Upper natural limit.
        is_trial: Fewer than twelve points: the limits still move.
        signal: Shape (series, points): index into ``SIGNALS``, the first rule that holds.
    """

    centre: Floats
    moving_range: Floats
    low: Floats
    high: Floats
    is_trial: npt.NDArray[np.bool_]
    signal: npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a baseline says of each series: mean, mean moving range, and number of points."""

    centre: Floats
    moving_range: Floats
    count: npt.NDArray[np.int64]


def natural_limits(base: Floats) -> Limits:
    """Return the mean of each baseline and its mean moving range; limits lie ``FACTOR`` of them from the mean.

    Args:
        base: Shape (series, points), left-aligned without gaps, nan behind the last point.
    """
    inside = ~np.isnan(base)
    count = inside.sum(axis=1)
    centre = np.where(inside, base, 0).sum(axis=1) / np.maximum(count, 1)
    ranges = np.abs(np.diff(base, axis=1))
    there = ~np.isnan(ranges)
    return Limits(centre, np.where(there, ranges, 0).sum(axis=1) / np.maximum(there.sum(axis=1), 1), count)


def one_side(series: Floats, centre: Floats) -> npt.NDArray[np.bool_]:
    """Whether each point lies above, and below, its series' mean: shape (2, series, points)."""
    with np.errstate(invalid="ignore"):
        return np.stack([series > centre[:, None], series < centre[:, None]])


def seven_on_one_side(sides: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Whether seven in a row, ending at each point, lie above, and below: shape (2, series, points)."""
    return _ending(sides, RUN, RUN)


def two_of_three(series: Floats, centre: Floats, reach: Floats) -> npt.NDArray[np.bool_]:
    """Whether two of three, each point among them, lie beyond two thirds of the way to the upper, and lower, limit.

    Args:
        series: Shape (series, points).
        centre: Mean of each series' baseline.
        reach: Distance from it to the limits.

    Returns:
        Shape (2, series, points).
    """
    c, half = centre[:, None], reach[:, None]
    with np.errstate(invalid="ignore"):
        near = np.stack([series > c + half * 2 / 3, series < c - half * 2 / 3])
    # The point itself lies near the same limit as the other one.
    return _ending(near, 3, 2) & near


def control_charts(series: Floats) -> Charts:
    """Return the chart of each series.

    Args:
        series: Shape (series, points), left-aligned without gaps, nan behind the last point.
    """
    limits = natural_limits(series[:, :BASELINE])
    centre, moving = limits.centre, limits.moving_range
    low, high = centre - FACTOR * moving, centre + FACTOR * moving
    signal = np.zeros(series.shape, dtype=np.int8)
    # Limits need at least two points; rules are laid on from the last to the first so that the first one wins.
    usable = (limits.count >= 2)[:, None] & ~np.isnan(series)
    with np.errstate(invalid="ignore"):
        steps = np.diff(series, axis=1, prepend=np.nan)
        direction = np.stack([steps > 0, steps < 0])
        outside = (series > high[:, None] + 1e-12) | (series < low[:, None] - 1e-12)
    signal[two_of_three(series, centre, high - centre).any(axis=0)] = 4
    signal[_ending(direction, RUN - 1, RUN - 1).any(axis=0)] = 3
    signal[seven_on_one_side(one_side(series, centre)).any(axis=0)] = 2
    signal[outside] = 1
    signal[~usable] = 0
    return Charts(centre, moving, low, high, (~np.isnan(series)).sum(axis=1) < BASELINE, signal)


def _ending(flags: npt.NDArray[np.bool_], width: int, least: int) -> npt.NDArray[np.bool_]:
    """Whether at least ``least`` of the ``width`` flags ending at each point hold."""
    padding = np.zeros((*flags.shape[:2], width - 1), dtype=bool)
    padded = np.concatenate([padding, flags], axis=2)
    return sliding_window_view(padded, width, axis=2).sum(axis=3) >= least
