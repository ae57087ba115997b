"""What to connect next: the order, the gain, and that the gains of all steps make coverage whole."""

from __future__ import annotations

import pytest

from opsmetrics.scoring.reach import ReachCell, shares, steps


def cell(team: str, metric: str, *lacks: str, area: str = "a", weight: float = 1, area_weight: float = 1) -> ReachCell:
    return ReachCell(team, metric, area, weight, area_weight, frozenset(lacks))


def test_shares_add_up_to_one_for_each_team_whatever_the_weights():
    cells = [cell("t", "m1", weight=3), cell("t", "m2"), cell("t", "m3", area="b", area_weight=3), cell("u", "m1")]
    found = shares(cells)
    assert found == {("t", "m1"): 3 / 16, ("t", "m2"): 1 / 16, ("t", "m3"): 3 / 4, ("u", "m1"): 1}


def test_the_largest_gain_for_each_stream_comes_first_and_each_step_counts_on_the_ones_before():
    cells = [
        cell("t", "measured"),
        cell("t", "large", "alerts", "oncall_shifts", weight=5),
        cell("t", "small", "incidents"),
        cell("t", "both", "incidents", "alerts", weight=2),
        cell("t", "column", "alerts.closed_at"),
    ]
    found = steps(cells)
    assert [step.lacks for step in found] == [
        ("alerts", "oncall_shifts"),
        ("incidents",),
        ("alerts.closed_at",),
    ]
    assert [step.metrics for step in found] == [("large",), ("both", "small"), ("column",)]
    assert [step.gain for step in found] == pytest.approx([0.5, 0.3, 0.1])
    assert found[0].helped == ("both",)
    assert found[0].teams == {"t": pytest.approx(0.5)}


def test_gains_are_means_over_all_teams_and_nothing_lacking_is_no_step():
    found = steps([cell("t", "m", "incidents"), cell("u", "m")])
    assert [(step.gain, step.teams) for step in found] == [(0.5, {"t": 1.0})]
    assert steps([cell("t", "m")]) == []
    assert steps([]) == []
