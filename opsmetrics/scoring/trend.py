"""Trend of non-overlapping series (method 3.11): Theil-Sen slope, Mann-Kendall test, false discovery rate, verdict.

Batches: one row per series, left-aligned, nan behind the last point. Libraries (scipy, pymannkendall) take one series
at a time, which is too slow for every metric of every team; they are the oracles in the tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from opsmetrics.scoring.distributions import normal_quantile, normal_tails
from opsmetrics.scoring.intervals import Floats

FEWEST, FIRM, EXACT_AT_MOST, SEASON = 8, 12, 10, 12
SMALLEST_CHANGE, FALSE_DISCOVERY, SLOPE_LEVEL = 5.0, 0.10, 0.90
_CHUNK = 2000


@dataclass(frozen=True, slots=True)
class Trends:
    """One entry per series.

    Attributes:
        n: Points.
        s: Kendall's S.
        variance: Of S, with ties.
        p: Two-sided p; nan below two points; exact for at most ten points without ties.
        slope: Theil-Sen, per step; nan below two points.
        slope_low: Lower end of the 90 % interval.
        slope_high: Upper end.
    """

    n: npt.NDArray[np.int64]
    s: Floats
    variance: Floats
    p: Floats
    slope: Floats
    slope_low: Floats
    slope_high: Floats


def trends(series: Floats, *, seasonal: bool = False) -> Trends:
    """Return estimate and test of each series.

    Args:
        series: Shape (series, steps); equally spaced, nan where there is no point (gaps are allowed).
        seasonal: Compare only points twelve steps apart or a multiple of it (months over years).
    """
    if not len(series):
        empty = np.zeros(0)
        return Trends(empty.astype(np.int64), empty, empty, empty, empty, empty, empty)
    parts = [_trends(series[start : start + _CHUNK], seasonal=seasonal) for start in range(0, len(series), _CHUNK)]
    columns = zip(*((p.n, p.s, p.variance, p.p, p.slope, p.slope_low, p.slope_high) for p in parts), strict=True)
    return Trends(*(np.concatenate(column) for column in columns))


def _trends(series: Floats, *, seasonal: bool) -> Trends:
    steps = series.shape[1]
    first, second = np.triu_indices(steps, k=1)
    if seasonal:
        keep = (second - first) % SEASON == 0
        first, second = first[keep], second[keep]
    difference = series[:, second] - series[:, first]
    there = ~np.isnan(difference)
    s = np.where(there, np.sign(difference), 0).sum(axis=1)
    n = (~np.isnan(series)).sum(axis=1)
    if seasonal:
        phases = [series[:, phase::SEASON] for phase in range(min(SEASON, steps))]
        variance = np.sum([_variance(part)[0] for part in phases], axis=0)
        ties = np.ones(len(series), dtype=bool)  # the exact distribution is that of one season only
    else:
        variance, ties = _variance(series)
    with np.errstate(invalid="ignore", divide="ignore"):
        z = np.where(variance > 0, (s - np.sign(s)) / np.sqrt(variance), 0.0)
    p = np.minimum(1.0, 2 * normal_tails(z))
    for row in np.flatnonzero((n <= EXACT_AT_MOST) & (n >= 2) & ~ties):
        p[row] = _exact_p(int(n[row]), int(s[row]))
    slopes = np.sort(np.where(there, difference / (second - first), np.inf), axis=1)
    count = there.sum(axis=1)
    slope, low, high = _slope(slopes, count, variance)
    few = n < 2
    return Trends(n, s, variance, np.where(few, np.nan, p), slope, low, high)


def kendall_variance(n: Floats, tied: Floats | float = 0.0) -> Floats:
    """Return the variance of Kendall's S of n points; ``tied`` sums (t - 1) t (2 t + 5) over groups of t equal ones."""
    return (n * (n - 1) * (2 * n + 5) - tied) / 18


def _variance(series: Floats) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Variance of S with tie correction, and whether a series has ties."""
    ordered = np.sort(series, axis=1)
    n = (~np.isnan(series)).sum(axis=1).astype(np.float64)
    # Length of the run of equal values at each place: the sum over places of (t-1)(2t+5) is that over groups.
    equal = (ordered[:, :, None] == ordered[:, None, :]).sum(axis=2).astype(np.float64)
    inside = ~np.isnan(ordered)
    tied = np.where(inside, (equal - 1) * (2 * equal + 5), 0.0).sum(axis=1)
    has_ties: npt.NDArray[np.bool_] = np.asarray((np.where(inside, equal, 1) > 1).any(axis=1))
    return kendall_variance(n, tied), has_ties


def _slope(slopes: Floats, count: npt.NDArray[np.int64], variance: Floats) -> tuple[Floats, Floats, Floats]:
    """Median of the pairwise slopes and the ends of its interval, from sorted rows with inf behind."""
    rows = np.arange(len(slopes))
    if not slopes.shape[1]:
        none = np.full(len(slopes), np.nan)
        return none, none, none
    last = np.maximum(count - 1, 0)
    median = (slopes[rows, last // 2] + slopes[rows, (last + 1) // 2]) / 2
    reach = -normal_quantile((1 - SLOPE_LEVEL) / 2) * np.sqrt(variance)
    upper = np.minimum(np.round((count + reach) / 2).astype(np.int64), last)
    lower = np.maximum(np.round((count - reach) / 2).astype(np.int64) - 1, 0)
    enough = count > 0
    low, high = slopes[rows, lower], slopes[rows, upper]
    return np.where(enough, median, np.nan), np.where(enough, low, np.nan), np.where(enough, high, np.nan)


@cache
def _inversions(n: int) -> tuple[int, ...]:
    """Number of orders of n different values by inversions."""
    counts = [1]
    for size in range(2, n + 1):
        wider = [0] * (len(counts) + size - 1)
        for index, ways in enumerate(counts):
            for extra in range(size):
                wider[index + extra] += ways
        counts = wider
    return tuple(counts)


@cache
def _exact_p(n: int, s: int) -> float:
    """Two-sided exact p of Kendall's S without ties."""
    counts = _inversions(n)
    most = n * (n - 1) // 2
    extreme = (most - abs(s)) // 2  # inversions of the less likely tail
    tail = sum(counts[: extreme + 1])
    return min(1.0, 2 * tail / sum(counts))


def false_discovery(p: Floats) -> Floats:
    """Return Benjamini-Hochberg q values in the order given; nan stays nan (G23)."""
    q = np.full(len(p), np.nan)
    there = np.flatnonzero(~np.isnan(p))
    order = there[np.argsort(p[there], kind="stable")]
    m = len(order)
    scaled = p[order] * m / np.arange(1, m + 1)
    q[order] = np.minimum(1.0, np.minimum.accumulate(scaled[::-1])[::-1])
    return q


def verdict(n: int, q: float, change: float) -> str:
    """Return better, worse or no_certain_change, ``_preliminary`` at 8 to 11 points, too_few_points below."""
    if n < FEWEST:
        return "too_few_points"
    is_certain = q <= FALSE_DISCOVERY and abs(change) >= SMALLEST_CHANGE
    word = "no_certain_change" if not is_certain else "better" if change > 0 else "worse"
    return word if n >= FIRM else f"{word}_preliminary"
