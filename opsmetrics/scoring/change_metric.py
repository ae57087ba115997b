"""What each metric gave to the part performance of a change, with everything else held (ADR 0036).

Every metric walks the straight line from its points then to its points now, all at once; at each moment the team score
rises by what each of them adds. The weakest area counts while it is the weakest. So the parts sum to the whole in any
order, a metric that did not move has exactly 0, and one that rose never has less.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from opsmetrics.scoring.aggregate import AREA, TEAM
from opsmetrics.scoring.change import State, areas_of, merge_states, ordered, with_layers, with_waivers
from opsmetrics.scoring.intervals import Floats
from opsmetrics.scoring.status import DROPPED

_TIE = 1e-9


def metric_parts(before: State, after: State) -> pl.DataFrame:
    """Split the part performance of every step by metric.

    Args:
        before: State at the first instant of each step.
        after: State at the second, as :func:`opsmetrics.scoring.change.waterfall` compares it: as if no service had
            changed hands.

    Returns:
        ``team_id, as_of, grain, metric_id, points_before, points_after, performance``: one row for each metric that has
        a share in the team score then; performance in points of the team score.
    """
    before = ordered(before)
    moved = with_layers(merge_states(before, ordered(after)), {"performance"})
    published = _weights(before, moved)
    there = pl.col("points").is_not_null() & ~pl.col("status").is_in(DROPPED)
    effective = pl.col("weight") * pl.col("evidence_weight")
    was = with_waivers(before.cells).filter(there).select(*AREA, "metric_id", "points", within=effective)
    return (
        was.with_columns(within=pl.col("within") / pl.col("within").sum().over(AREA))
        .join(published, on=AREA)
        .join(moved.select(*TEAM, "metric_id", points_after="points"), on=[*TEAM, "metric_id"])
        .select(
            *TEAM,
            "metric_id",
            points_before="points",
            points_after="points_after",
            performance=pl.col("part") * pl.col("within") * (pl.col("points_after") - pl.col("points")),
        )
        .sort([*TEAM, "metric_id"])
    )


def _weights(before: State, moved: pl.DataFrame) -> pl.DataFrame:
    """Return ``team_id, as_of, grain, area_id, part``: what a point of a published area gives the team on the way."""
    ok = pl.col("status") == "ok"
    both = (
        areas_of(before.cells, before.ruleset)
        .filter(ok)
        .select(*AREA, "area_weight", "score")
        .join(areas_of(moved, before.ruleset).filter(ok).select(*AREA, score_after="score"), on=AREA)
        .sort(AREA)
    )
    share = before.ruleset.weakest_share
    parts = [
        weakest_shares(team["score"].to_numpy(), team["score_after"].to_numpy())
        for team in both.partition_by(TEAM, maintain_order=True)
    ]
    weakest = pl.Series(np.concatenate(parts) if parts else [], dtype=pl.Float64)
    mean = pl.col("area_weight") / pl.col("area_weight").sum().over(TEAM)
    return both.select(*AREA, part=(1 - share) * mean + share * weakest)


def weakest_shares(before: Floats, after: Floats) -> Floats:
    """Return the share of the way from ``before`` to ``after`` on which each area is the weakest; ties split it."""
    slope = after - before
    rows, columns = np.triu_indices(len(before), 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = (before[columns] - before[rows]) / (slope[rows] - slope[columns])
    inside = crossing[np.isfinite(crossing) & (crossing > 0) & (crossing < 1)]
    ends = np.concatenate([[0.0], np.sort(inside), [1.0]])
    middle, length = (ends[1:] + ends[:-1]) / 2, np.diff(ends)
    heights = before[:, None] + slope[:, None] * middle[None, :]
    lowest = heights <= heights.min(axis=0) + _TIE
    return (lowest / lowest.sum(axis=0)) @ length
