"""Intervals for single numbers: shares, survival, medians (method 3.10).

Shares show Wilson, draws use Jeffreys, medians use order statistics: a bootstrap of a median with few items is erratic.
Does not belong here: intervals of team scores (``draws``).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from opsmetrics.scoring.distributions import beta_quantiles, normal_quantile
from opsmetrics.scoring.median_ranks import LEVEL

Floats = npt.NDArray[np.float64]


def _z(level: float) -> float:
    """Return how many standard deviations a two-sided interval of this level reaches."""
    return normal_quantile(0.5 + level / 2)


def wilson(numerator: pl.Expr, denominator: pl.Expr, level: float = LEVEL) -> tuple[pl.Expr, pl.Expr]:
    """Return the two ends of Wilson's interval for a share; null where there are no items (G01)."""
    z = _z(level)
    p = numerator / denominator
    scale = 1 + z**2 / denominator
    centre = p + z**2 / (2 * denominator)
    half = z * (p * (1 - p) / denominator + z**2 / (4 * denominator**2)).clip(lower_bound=0).sqrt()
    there = denominator > 0
    low, high = ((centre + sign * half) / scale for sign in (-1, 1))
    return tuple(pl.when(there).then(end.clip(0.0, 1.0)) for end in (low, high))  # type: ignore[return-value]


def log_log(value: pl.Expr, standard_error: pl.Expr, level: float = LEVEL) -> tuple[pl.Expr, pl.Expr]:
    """Return the log-log interval of F = 1 - S from Greenwood's standard error (G09); null at F = 0 or 1."""
    z = _z(level)
    survival = 1 - value
    spread = z * standard_error / (survival * survival.log().abs())
    there = (value > 0) & (value < 1)
    low, high = (1 - survival.pow((sign * spread).exp()) for sign in (-1, 1))
    return pl.when(there).then(low), pl.when(there).then(high)


def normal(value: pl.Expr, standard_error: pl.Expr, level: float = LEVEL) -> tuple[pl.Expr, pl.Expr]:
    """Return the normal interval of a mean, cut to 0..1; null without a standard error."""
    z = _z(level)
    return tuple((value + sign * z * standard_error).clip(0.0, 1.0) for sign in (-1, 1))  # type: ignore[return-value]


def jeffreys_quantiles(successes: Floats, items: Floats, share: Floats) -> Floats:
    """Return quantiles of the Jeffreys posterior Beta(x + 1/2, n - x + 1/2); arguments broadcast."""
    return beta_quantiles(successes + 0.5, items - successes + 0.5, share)


def jeffreys(successes: float, items: float, level: float = LEVEL) -> tuple[float, float]:
    """Return the Jeffreys interval with the usual ends: 0 without successes, 1 with nothing else (G01)."""
    tail = np.array([(1 - level) / 2, (1 + level) / 2])
    low, high = jeffreys_quantiles(np.float64(successes), np.float64(items), tail)  # type: ignore[arg-type]
    return (0.0 if successes == 0 else float(low)), (1.0 if successes == items else float(high))


def effective_size(value: pl.Expr, standard_error: pl.Expr, size: pl.Expr) -> pl.Expr:
    """Return n_eff = F (1 - F) / SE^2 of survival shares (method 3.10); the plain size where F is 0 or 1."""
    inside = (value > 0) & (value < 1) & (standard_error > 0)
    return pl.when(inside).then(value * (1 - value) / standard_error**2).otherwise(size)
