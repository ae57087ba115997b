"""``opsmetrics next`` before a snapshot and after one: what is not connected, what it needs, and what it gives."""

from __future__ import annotations

import json
from datetime import date

import pytest

from opsmetrics.catalogue import Catalogue
from opsmetrics.organisation import load_organisation
from opsmetrics.reports.next_sources import configured_cells, next_steps, rests_on_of
from opsmetrics.scoring.reach import shares
from opsmetrics.snapshots.queries.reach import reach_cells
from opsmetrics.snapshots.store import current, open_current
from opsmetrics.streams import STREAMS

TODAY = date(2026, 9, 2)


@pytest.fixture
def told(here, small):
    def ask(*words: str) -> list[dict]:
        return json.loads(here("next", "--org", str(small), "--json", *words).stdout)

    return ask


def test_before_the_first_snapshot_it_follows_from_the_configuration(told, here, small):
    found = told()
    parts = {part["stream"] for item in found for part in item["parts"]}
    assert parts.isdisjoint({"availability_checks", "incidents", "deployments"}), "these are connected"
    assert {"alerts", "oncall_shifts", "restore_tests"} <= parts
    (alerts,) = [part for item in found for part in item["parts"] if part["stream"] == "alerts"]
    assert alerts["required"] == [column.name for column in STREAMS["alerts"].columns if column.required]
    assert "label" in alerts["wanted"]
    assert alerts["connectors"]
    assert all(item["effort"] in {"S", "M", "L"} for item in found)
    shown = here("next", "--org", str(small), "--most", "1").stdout
    assert "columns " in shown
    assert "more steps" in shown
    refused = here("next", "--org", str(small), "--team", "gamma", check=False)
    assert (refused.returncode, "there are alfa, beta" in refused.stderr) == (2, True)


def test_after_a_run_it_says_the_same_as_the_scores(here, small_run):
    found = json.loads(here("next", "--org", str(small_run.org), "--team", "alfa", "--json").stdout)
    with open_current(small_run.snapshots) as con:
        reasons = con.execute(
            "select reason from scores.metric where grain = 'latest' and team_id = 'alfa' and (status like 'not_measured%' or reason like 'not_told:%' and status = 'stale')"
        ).fetchall()
    lacking = {name for (reason,) in reasons for name in reason.partition(":")[2].split(",")}
    assert {name for item in found for name in item["step"]["lacks"]} == lacking
    assert all(set(item["step"]["teams"]) == {"alfa"} for item in found)


def test_connecting_everything_makes_coverage_whole(small_run, catalogue: Catalogue):
    for cells in (
        reach_cells(current(small_run.snapshots)),
        configured_cells(load_organisation(small_run.org), catalogue, TODAY),
    ):
        share = shares(cells)
        for team in {cell.team_id for cell in cells}:
            measured = sum(share[c.team_id, c.metric_id] for c in cells if c.team_id == team and not c.lacks)
            gained = sum(item.step.gain for item in next_steps(cells, rests_on_of(catalogue), team))
            assert measured > 0
            assert measured + gained == pytest.approx(1.0)
