"""What benchmarks are made of keeps up with what they measure: nobody runs them every day."""

from __future__ import annotations

from benchmarks.scores import synthetic
from opsmetrics.catalogue import load_catalogue
from opsmetrics.catalogue.sqlfile import load_all
from opsmetrics.core.settings import default_sql_root
from opsmetrics.scoring.compute import compute_scores
from opsmetrics.scoring.plan import compute_plans


def test_made_up_inputs_of_scores_have_every_column():
    root = default_sql_root()
    catalogue = load_catalogue(root, load_all(root))
    inputs = synthetic(catalogue, teams=2, months=3)
    scores = compute_scores(catalogue, inputs)
    assert scores.team["score"].null_count() == 0
    compute_plans(catalogue, scores, inputs)
