"""Which items of a sample bound its median (method 3.10).

Does not belong here: intervals of shares and means (``intervals``), which stand on numpy.
"""

from __future__ import annotations

import polars as pl

LEVEL = 0.95


def median_ranks(largest: int = 400, level: float = LEVEL) -> pl.DataFrame:
    """Return, per sample size, the ranks of the items that bound the median with at least ``level`` (G05).

    Returns:
        ``sample_size, low_rank, high_rank, coverage``; no row where even the extremes cover too little (n < 6).
    """
    rows = [row for size in range(1, largest + 1) if (row := _median_ranks_of(size, level)) is not None]
    return pl.DataFrame(rows, schema=["sample_size", "low_rank", "high_rank", "coverage"], orient="row")


def _median_ranks_of(size: int, level: float) -> tuple[int, int, int, float] | None:
    """Ranks for one sample size, from the binomial distribution in whole numbers: exact."""
    # Largest k with P(fewer than k items below the median) <= (1 - level) / 2.
    below, low, term = 0, 0, 1
    while 2 * (below + term) <= (1 - level) * 2**size:
        below, low = below + term, low + 1
        term = term * (size - low + 1) // low
    if low < 1:
        return None
    return size, low, size - low + 1, (2**size - 2 * below) / 2**size
