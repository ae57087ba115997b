"""Limits and rules that the charts of method 3.11 are made of: XmR, Laney's p', number between, and signals.

Signals as the NHS "making data count" rules state them: a point outside; seven in a row on one side of the mean;
seven rising or falling; two of three beyond two thirds of the way to the same limit. Which chart fits which series
is the matter of ``chart_kinds``.
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
# Mean moving range over standard deviation of two independent normal values (d2 of pairs).
PAIRS = 1.128


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


@dataclass(frozen=True, slots=True)
class Proportions:
    """What a baseline says of shares of counted items (Laney's p').

    Attributes:
        centre: Shape (series): items together, not the mean of the shares.
        sigma: Shape (series, points): what chance alone makes of the items of each point.
        spread: Shape (series): how many times wider the shares swing; 1 = by chance alone.
    """

    centre: Floats
    sigma: Floats
    spread: Floats

    @property
    def reach(self) -> Floats:
        """Distance from the centre to the limits, shape (series, points)."""
        return 3 * self.sigma * self.spread[:, None]


def laney(shares: Floats, items: Floats, baseline: int = BASELINE) -> Proportions:
    """Return centre and spread of shares of counted items; the spread is never narrower than chance alone.

    Args:
        shares: Shape (series, points), left-aligned without gaps, nan behind the last point.
        items: What each is a share of; same shape.
        baseline: Points that decide.
    """
    there = ~np.isnan(shares[:, :baseline])
    of = np.where(there, items[:, :baseline], 0).sum(axis=1)
    hits = np.where(there, shares[:, :baseline] * items[:, :baseline], 0).sum(axis=1)
    centre = np.clip(hits / np.maximum(of, 1), 0, 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        sigma = np.sqrt((centre * (1 - centre))[:, None] / items)
        standard = np.where(sigma > 0, (shares - centre[:, None]) / sigma, np.where(np.isnan(shares), np.nan, 0.0))
    return Proportions(centre, sigma, np.maximum(1.0, natural_limits(standard[:, :baseline]).moving_range / PAIRS))


def number_between(mean: Floats) -> Floats:
    """Return how many between two misses are more than chance explains (g chart): mean + 3 sqrt(mean (mean + 1)).

    Args:
        mean: Mean number between misses; a geometric distribution has this standard deviation.
    """
    return mean + 3 * np.sqrt(mean * (mean + 1))


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
        reach: Distance from it to the limits, of each series or of each point.

    Returns:
        Shape (2, series, points).
    """
    c, half = centre[:, None], reach if reach.ndim == 2 else reach[:, None]
    with np.errstate(invalid="ignore"):
        near = np.stack([series > c + half * 2 / 3, series < c - half * 2 / 3])
    # The point itself lies near the same limit as the other one.
    return _ending(near, 3, 2) & near


def seven_rising_or_falling(series: Floats) -> npt.NDArray[np.bool_]:
    """Whether seven in a row, ending at each point, rise, and fall: shape (2, series, points)."""
    with np.errstate(invalid="ignore"):
        steps = np.diff(series, axis=1, prepend=np.nan)
        direction = np.stack([steps > 0, steps < 0])
    return _ending(direction, RUN - 1, RUN - 1)


def signals(series: Floats, centre: Floats, reach: Floats) -> npt.NDArray[np.int8]:
    """Return the first rule that each point breaks upwards, and downwards: indices into ``chart_names.SIGNALS``.

    Args:
        series: Shape (series, points).
        centre: Shape (series).
        reach: Distance to the limits, shape (series) or (series, points).

    Returns:
        Shape (2, series, points).
    """
    wide = reach if reach.ndim == 2 else reach[:, None]
    with np.errstate(invalid="ignore"):
        from_centre = series - centre[:, None]
        outside = np.stack([from_centre > wide + 1e-12, from_centre < -wide - 1e-12])
    found = np.zeros(outside.shape, dtype=np.int8)
    # From the last rule to the first, so that the first one wins.
    found[two_of_three(series, centre, reach)] = 4
    found[seven_rising_or_falling(series)] = 3
    found[seven_on_one_side(one_side(series, centre))] = 2
    found[outside] = 1
    return found


def _ending(flags: npt.NDArray[np.bool_], width: int, least: int) -> npt.NDArray[np.bool_]:
    """Whether at least ``least`` of the ``width`` flags ending at each point hold."""
    padding = np.zeros((*flags.shape[:2], width - 1), dtype=bool)
    padded = np.concatenate([padding, flags], axis=2)
    return sliding_window_view(padded, width, axis=2).sum(axis=3) >= least
