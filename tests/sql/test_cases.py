"""Every SQL case, and that the evidence of a metric recounts to its numbers."""

from __future__ import annotations

import pytest

from opsmetrics.build.cases import difference, give, recounted
from opsmetrics.warehouse.goal_effects import read_goal_effects
from tests.sql.cases import BY_PYTHON, CASES, table_of


@pytest.mark.parametrize("case", CASES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_case(case, warehouse, context):
    table = table_of(case, context.files)
    give(warehouse, context, case)
    if table in BY_PYTHON:
        warehouse.register("made", read_goal_effects(warehouse))
        warehouse.execute("create or replace temp table actual as select * from made")
        warehouse.unregister("made")
    else:
        warehouse.execute(f"create or replace temp table actual as {context.files[table].text}")
    assert difference(warehouse, case) == ""


METRIC_CASES = [
    case for case in CASES if case.parent.name[:4] in {"mon_", "mnt_", "inc_", "scl_", "sec_", "aut_", "bck_"}
]


@pytest.mark.parametrize("case", METRIC_CASES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_evidence_recounts_to_the_metric(case, warehouse, context):
    """The evidence rows are the items that the metric's own SQL sums: they add up to its numbers."""
    give(warehouse, context, case)
    assert warehouse.execute(
        f"select count(*) from ({context.files[f'metrics.{case.parent.name}'].text})"
    ).fetchone() != (0,)
    assert recounted(warehouse, context, case.parent.name) == ""
