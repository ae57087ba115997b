"""From values to points, areas, teams, levels and gaps: pure functions, Polars in and out (architecture D5).

Same input, same output, in any row order. Section numbers in this package are those of the scoring method.
Does not belong here: values (``sql/metrics``), files, clocks, databases.
"""

from opsmetrics.scoring.compute import Scores, compute_scores
from opsmetrics.scoring.inputs import ScoreInputs
from opsmetrics.scoring.plan import compute_plans

__all__ = ["ScoreInputs", "Scores", "compute_plans", "compute_scores"]
