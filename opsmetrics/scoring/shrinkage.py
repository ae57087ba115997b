"""Display values of peers, pulled towards the common value (method 3.13). The score itself is never shrunk."""

from __future__ import annotations

import numpy as np

from opsmetrics.scoring.intervals import Floats


def empirical_bayes(successes: Floats, items: Floats) -> tuple[Floats, float]:
    """Return shrunk shares and the prior's weight k, by weighted moments of the beta-binomial (G22b).

    Args:
        successes: Per team.
        items: Per team, above 0.

    Returns:
        ``(x + k * pooled) / (n + k)`` per team, and k; k is infinite (everybody gets the pooled share) where the
        teams differ no more than chance explains.
    """
    total = float(items.sum())
    pooled = float(successes.sum()) / total
    if len(items) < 2 or pooled in {0.0, 1.0}:
        return np.full(len(items), pooled), float("inf")
    shares = successes / items
    between = float((items * (shares - pooled) ** 2).sum())
    spread = total - float((items**2).sum()) / total
    noise = pooled * (1 - pooled)
    rho = (between - noise * (len(items) - 1)) / (noise * (spread - (len(items) - 1)))
    if rho <= 0:
        return np.full(len(items), pooled), float("inf")
    k = (1 - rho) / rho
    return shrunk(successes, items, k, pooled), k


def shrunk(successes: Floats, items: Floats, k: float, centre: float) -> Floats:
    """Return ``(x + k * centre) / (n + k)`` (G22)."""
    return (successes + k * centre) / (items + k)
