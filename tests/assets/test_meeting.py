"""The month's brief and the week's reminders as Dagster makes them."""

from __future__ import annotations

import shutil

import dagster as dg

from assets.meeting import BRIEF, DIGEST, MEETING
from assets.resources import Workspace
from tests.conftest import ROOT


def test_brief_and_reminders_are_made(demo_home, tmp_path):
    shutil.copytree(demo_home / "snapshots", tmp_path / "snapshots", symlinks=True)
    workspace = Workspace(home=str(tmp_path), org=str(ROOT / "examples" / "demo"))
    with dg.instance_for_test() as instance:
        done = dg.materialize(MEETING, resources={"workspace": workspace}, instance=instance)
        assert done.success
        names = {path.name for path in (tmp_path / "briefs" / "2026-10").iterdir()}
        assert names == {
            f"brief-2026-10-{lang}.{kind}" for lang in ("nb", "en") for kind in ("html", "pdf", "pptx", "xlsx")
        }
        assert all(evaluation.passed for evaluation in done.get_asset_check_evaluations())
        written = done.asset_materializations_for_node("meeting__digest")[0].metadata["written"].value
        assert written == len(list((tmp_path / "digests").glob("*.eml"))) > 5
        again = dg.materialize(MEETING, resources={"workspace": workspace}, instance=instance)
        assert again.asset_materializations_for_node("meeting__digest")[0].metadata["written"].value == 0
    assert {BRIEF.path[1], DIGEST.path[1]} == {"brief", "digest"}
