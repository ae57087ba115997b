"""From values to points, areas, teams, levels and gaps: pure functions, Polars in and out (architecture D5).

Same input, same output, in any row order. Section numbers in this package are those of the scoring method.
Does not belong here: values (``sql/metrics``), files, clocks, databases.
"""

from opsmetrics.scoring.compute import (
    InstantScores,
    Scores,
    compute_changes,
    compute_instants,
    compute_scores,
    compute_trends,
)
from opsmetrics.scoring.inputs import ScoreInputs
from opsmetrics.scoring.plan import compute_plans
from opsmetrics.scoring.steps import steps_of

__all__ = [
    "InstantScores",
    "ScoreInputs",
    "Scores",
    "compute_changes",
    "compute_instants",
    "compute_plans",
    "compute_scores",
    "compute_trends",
    "steps_of",
]
