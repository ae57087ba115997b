"""The plan is data: what comes after what, which part is taken, and what is repaired."""

from __future__ import annotations

import pytest

from opsmetrics.build import Kind, make_plan
from opsmetrics.build.plan import REFERENCE_TABLE, SNAPSHOT_TABLE, Repair
from opsmetrics.streams import PUBLISHED_SCORES, STREAMS

# Landed by the publication before, not by a pull.
FROM_BEFORE = f"raw.{PUBLISHED_SCORES.name}"


@pytest.fixture(scope="module")
def plan(files, catalogue):
    return make_plan(files, catalogue)


def test_every_stage_comes_after_what_it_needs(plan):
    made = {FROM_BEFORE}
    for stage in plan.stages:
        assert set(stage.needs) <= made, stage.name
        made |= set(stage.makes)


def test_every_table_is_made_once(plan, files):
    made = [table for stage in plan.stages for table in stage.makes]
    assert len(made) == len(set(made))
    assert set(files) <= set(made)
    assert len({stage.name for stage in plan.stages}) == len(plan.stages)


def test_kinds_come_in_the_order_of_a_run(plan):
    kinds = [stage.kind for stage in plan.stages if stage.kind is not Kind.SQL]
    assert kinds == sorted(kinds, key=list(Kind).index)
    assert len(plan.of(Kind.PULL)) == len(STREAMS)


def test_what_reads_scores_comes_after_them_and_nothing_else(plan, files):
    kinds = [stage.kind for stage in plan.stages]
    after = plan.stages[kinds.index(Kind.SCORES) + 1 : kinds.index(Kind.FINISH)]
    scores = set(plan.of(Kind.SCORES)[0].makes)
    reading = set(scores)
    for stage in after:
        assert reading & files[stage.name].dependencies, stage.name
        reading.add(stage.name)
    assert "scores.goal" in reading - scores


def test_a_part_holds_all_between_its_ends(plan):
    part = plan.part(Kind.REFERENCE, Kind.SCORES)
    assert part.stages[0].makes == (REFERENCE_TABLE,)
    assert part.stages[-1].kind is Kind.SCORES
    assert {stage.kind for stage in part.stages} == {Kind.REFERENCE, Kind.SQL, Kind.SCORES}
    assert plan.part(Kind.PUBLISH, Kind.PUBLISH).stages[0].makes == (SNAPSHOT_TABLE,)


def test_repair_begins_at_the_ingest(plan):
    """Whatever stage finds the working file damaged: everything that was in it is made again."""
    stages = plan.of(Kind.SQL)
    redone = plan.until(stages[:3])
    assert redone[0].kind is Kind.INGEST
    assert redone[-1] == stages[2]
    assert Kind.PULL not in {stage.kind for stage in redone}
    assert all(Repair.WORKING_FILE in stage.repairs for stage in plan.writing)
    assert [stage.name for stage in plan.stages if Repair.LOADS in stage.repairs] == ["ingest"]
