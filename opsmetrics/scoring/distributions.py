"""Quantiles and tails of the normal, beta and t distributions, and ranks with ties (method 3.10, 3.12).

Five functions, instead of the 113 MB of scipy (ADR 47). Tests hold them against it, over wide grids and to the last
digits.
Does not belong here: what a number is made of (``intervals``, ``draws``, ``trend``, ``validity``).
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_STANDARD = NormalDist()
_TINY = 1e-300
_CLOSE = 3e-6
_CONVERGED = 1e-15
# Of the continued fraction: some tens for usual sizes, about the root of the size for large ones.
_MOST_TERMS = 20_000
_MOST_STEPS = 60
_FAR, _FARTHEST = 40.0, 700.0
_STIRLING_FROM = 16.0
_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360)
# Where log(1 + t) - t loses digits.
_SMALL = 0.4
_SERIES = tuple(1 / (2 * k + 3) for k in range(24))


def normal_quantile(share: float) -> float:
    """Return where a share of the standard normal distribution lies below.

    Args:
        share: Between 0 and 1, exclusive.

    Raises:
        statistics.StatisticsError: It is not.
    """
    return _STANDARD.inv_cdf(share)


def normal_quantiles(shares: Floats) -> Floats:
    """Return :func:`normal_quantile` of each share."""
    return np.array([_STANDARD.inv_cdf(share) for share in shares.ravel().tolist()]).reshape(shares.shape)


def normal_tails(deviations: Floats) -> Floats:
    """Return how much of the standard normal distribution lies further out on one side; nan stays nan."""
    flat = [0.5 * math.erfc(abs(one) * math.sqrt(0.5)) for one in deviations.ravel().tolist()]
    return np.array(flat, dtype=np.float64).reshape(deviations.shape)


def t_quantile(share: float, freedom: int) -> float:
    """Return where a share of the t distribution lies below.

    Args:
        share: Between 0.5 and 1, exclusive.
        freedom: Degrees of freedom, at least one.
    """
    half, own = np.array([0.5]), np.array([freedom / 2])
    if share < 0.75:
        # Near the middle what lies outside is close to 1, and has no digits left.
        part = beta_quantiles(half, own, np.array([2 * share - 1]))[0]
        return math.sqrt(freedom * part / (1 - part))
    part = beta_quantiles(own, half, np.array([2 * (1 - share)]))[0]
    return math.sqrt(freedom * (1 - part) / part)


def mid_ranks(values: Floats) -> Floats:
    """Return the ranks in each column, from 1 on; equal values share the mean of theirs; nan has none."""
    ranks = np.full(values.shape, np.nan)
    for number in range(values.shape[1]):
        column = values[:, number]
        there = ~np.isnan(column)
        ordered = np.sort(column[there])
        below, upto = (np.searchsorted(ordered, column[there], side=side) for side in ("left", "right"))
        ranks[there, number] = (below + upto + 1) / 2
    return ranks


def beta_quantiles(a: Floats, b: Floats, share: Floats) -> Floats:
    """Return quantiles of Beta(a, b); arguments broadcast, nan gives nan.

    Args:
        a: First shape, more than 0.
        b: Second shape, more than 0.
        share: 0..1.
    """
    a, b, share = np.broadcast_arrays(*(np.asarray(one, dtype=np.float64) for one in (a, b, share)))
    is_upper = share > 0.5
    tail = np.where(is_upper, 1.0 - share, share)
    found = np.where(tail == 0, 0.0, np.nan)
    inside = (tail > 0) & ~np.isnan(a + b)
    if inside.any():
        swaps = is_upper[inside]
        left, right = np.where(swaps, b[inside], a[inside]), np.where(swaps, a[inside], b[inside])
        x, rest = _solve(left, right, tail[inside])
        found[inside] = np.where(swaps, rest, x)
    return np.where(is_upper & (tail == 0), 1.0, found)


def _solve(a: Floats, b: Floats, tail: Floats) -> tuple[Floats, Floats]:
    """Return x below which a tail of Beta(a, b) lies, and 1 - x, each to its own last digits; 0 < tail <= 1/2.

    Halley's method on the logarithm of the tail by log(x / (1 - x)), which are close to a line in each other.
    """
    constant, goal = _constant(a, b), np.log(tail)
    odds = _guess(a, b, tail, constant)
    open_ = np.arange(len(odds))
    for _ in range(_MOST_STEPS):
        left, right = a[open_], b[open_]
        x, rest = _parts(odds[open_])
        log_below, log_power = _log_below(left, right, x, rest, constant[open_])
        slope = np.exp(log_power - log_below)
        newton = (goal[open_] - log_below) / slope
        bend = left * rest - right * x - slope
        step = np.clip(newton / np.maximum(1.0 + 0.5 * newton * bend, 0.25), -_FAR, _FAR)
        odds[open_] += step
        # What a step leaves is of the order of its third power.
        open_ = open_[np.abs(step) > _CLOSE]
        if not len(open_):
            break
    return _parts(odds)


def _parts(odds: Floats) -> tuple[Floats, Floats]:
    """Return x and 1 - x of log(x / (1 - x))."""
    less = np.exp(-np.abs(odds))
    small, large = less / (1 + less), 1 / (1 + less)
    return np.where(odds < 0, small, large), np.where(odds < 0, large, small)


def _guess(a: Floats, b: Floats, tail: Floats, constant: Floats) -> Floats:
    """Of a bell, where both shapes are large, else of the power of x that the tail follows."""
    n = a + b
    bell = np.log(a / b) + normal_quantiles(tail) * np.sqrt(1 / a + 1 / b)
    # x^a / (a B(a, b)), as if the density had only this factor.
    log_beta = -(constant + a * np.log(a / n) + b * np.log(b / n))
    power = np.minimum((np.log(tail * a) + log_beta) / a, -1e-3)
    by_power = np.minimum(power - np.log(-np.expm1(power)), bell)
    return np.clip(np.where((a > 2) & (b > 2), bell, by_power), -_FARTHEST, _FARTHEST)


def _constant(a: Floats, b: Floats) -> Floats:
    """Return log of the greatest value of x^a (1-x)^b / B(a, b), that at the mean: no large numbers are subtracted."""
    n = a + b
    return 0.5 * np.log(a * b / (2 * np.pi * n)) + _stirling_rest(n) - _stirling_rest(a) - _stirling_rest(b)


def _stirling_rest(z: Floats) -> Floats:
    """Return what Stirling's formula leaves out of log(gamma(z))."""
    rest, z = np.zeros_like(z), z.copy()
    while (low := z < _STIRLING_FROM).any():
        rest[low] += (z[low] + 0.5) * np.log1p(1 / z[low]) - 1
        z[low] += 1
    square, sum_ = 1 / (z * z), np.zeros_like(z)
    for term in reversed(_STIRLING):
        sum_ = sum_ * square + term
    return rest + sum_ / z


def _log_power(a: Floats, b: Floats, x: Floats, rest: Floats, constant: Floats) -> Floats:
    """Return log of x^a (1-x)^b / B(a, b)."""
    n = a + b
    off = np.where(x < rest, x - a / n, b / n - rest)
    return constant + a * _log_rest(off * n / a, x * n / a) + b * _log_rest(-off * n / b, rest * n / b)


def _log_rest(t: Floats, one_more: Floats) -> Floats:
    """Return log(1 + t) - t, also where that is little; ``one_more`` is 1 + t, also where that is little."""
    ratio = t / (1 + one_more)
    square, sum_ = ratio * ratio, np.zeros_like(t)
    for term in reversed(_SERIES):
        sum_ = sum_ * square + term
    return np.where(np.abs(t) < _SMALL, ratio * (2 * square * sum_ - t), np.log(one_more) - (one_more - 1))


def _log_below(a: Floats, b: Floats, x: Floats, rest: Floats, constant: Floats) -> tuple[Floats, Floats]:
    """Return log of how much of Beta(a, b) lies below x, and of x^a (1-x)^b / B(a, b)."""
    log_power = _log_power(a, b, x, rest, constant)
    swaps = x > (a + 1) / (a + b + 2)
    parts = [np.where(swaps, *pair) for pair in ((b, a), (a, b), (rest, x), (x, rest))]
    log_part = log_power - np.log(_fraction(*parts))
    above = np.minimum(np.exp(np.minimum(log_part, 0.0)), 1 - 1e-16)
    return np.where(swaps, np.log1p(-above), log_part), log_power


def _fraction(a: Floats, b: Floats, x: Floats, rest: Floats) -> Floats:
    """Return the continued fraction of the incomplete beta function, contracted by two, by Lentz's method."""
    value = a * (a * rest - b * x + 1) / (a + 1)
    value = np.where(np.abs(value) < _TINY, _TINY, value)
    top, bottom = value.copy(), np.zeros_like(value)
    open_ = np.arange(len(a))
    for m in range(1, _MOST_TERMS):
        p, q, r, s = a[open_], b[open_], x[open_], rest[open_]
        odd = p + (2 * m - 1)
        above = (m * (p + (m - 1)) / odd) * ((p + q + (m - 1)) / odd) * (q - m) * r * r
        beside = m + m * (q - m) * r / odd + (p + m) * (p * s - q * r + 1 + m * (1 + s)) / (odd + 2)
        under = beside + above * bottom[open_]
        over = beside + above / top[open_]
        under = 1 / np.where(np.abs(under) < _TINY, _TINY, under)
        over = np.where(np.abs(over) < _TINY, _TINY, over)
        change = under * over
        bottom[open_], top[open_] = under, over
        value[open_] *= change
        open_ = open_[np.abs(change - 1) > _CONVERGED]
        if not len(open_):
            break
    return value
