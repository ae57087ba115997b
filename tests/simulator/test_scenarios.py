"""Scenarios in which nothing is told: practice is constant or changes once, and states still come and go."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from opsmetrics.organisation import load_organisation
from simulator import plants
from simulator.demo import generate
from simulator.organisation import read_organisation
from simulator.scenarios import (
    LIFT,
    SHIFT_DAY,
    SHIFTED_AREAS,
    Scenario,
    characters,
    directions,
    organisation_without_story,
)
from simulator.world import CHARACTERS, END_DAY, FIRST_DAY, is_scripted, local, played

DEMO = Path(__file__).resolve().parents[2] / "examples" / "demo"
AREAS = ("mon", "mnt", "inc", "scl", "sec", "aut", "bck")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return organisation_without_story(DEMO, tmp_path_factory.mktemp("org") / "org")


@pytest.fixture(scope="module")
def steady(folder):
    return generate(read_organisation(folder), 1, Scenario.STEADY)


def levels(scenario, team, day):
    with played(characters(scenario, 1)):
        return {area: CHARACTERS[team].level(area, local(day, 12)) for area in AREAS}


def test_practice_is_constant_or_changes_once():
    for team, direction in directions(1).items():
        first, last = (levels(Scenario.STEADY, team, day) for day in (FIRST_DAY, END_DAY))
        assert first == last
        before, after = (levels(Scenario.SHIFT, team, SHIFT_DAY - timedelta(days=n)) for n in (1, 0))
        assert before == first
        assert after == levels(Scenario.SHIFTED, team, FIRST_DAY)
        moved = {area: after[area] - before[area] for area in AREAS if after[area] != before[area]}
        assert 0 < len(moved) <= SHIFTED_AREAS
        assert all(0 < change * direction <= LIFT + 1e-9 for change in moved.values())


def test_as_many_get_better_as_get_worse():
    for seed in (1, 2, 3):
        assert Counter(directions(seed).values()) == {1: len(CHARACTERS) // 2, -1: len(CHARACTERS) // 2}


def test_a_copy_of_a_team_plays_the_scenario_too():
    assert levels(Scenario.SHIFTED, "sjokart-2", END_DAY) == levels(Scenario.SHIFTED, "sjokart", END_DAY)
    assert is_scripted()


def test_the_configuration_is_valid_and_nothing_in_it_happens(folder):
    organisation = load_organisation(folder)
    assert not organisation.waivers
    assert all(len(service.owners) == 1 for service in organisation.services)
    assert {team.onboarded_on.isoformat() for team in organisation.teams} == {"2025-01-01"}


def test_nothing_is_planted(steady):
    services = {
        row["service_id"] for row in steady["latency_daily"] if row["observed_on"] == END_DAY - timedelta(days=1)
    }
    assert any(service.startswith(plants.BROKEN_COUNTER[0]) for service in services)
    assert all(row["resolved_at"] for row in steady["incidents"] if row["declared_at"] < local(SHIFT_DAY, 0))
    assert not any("planted" in row["vulnerability_id"] for row in steady["vulnerabilities"])
    assert max(row["observed_on"] for row in steady["repository_states"]) == END_DAY - timedelta(days=1)


@pytest.mark.parametrize(
    ("stream", "item", "column"),
    [
        ("workload_states", "workload_id", "replica_count"),
        ("infrastructure_states", "resource_id", "is_in_code"),
        ("control_results", "asset_id", "status"),
        ("component_states", "component_id", "cycle"),
        ("alert_rule_states", "service_id", "is_routed"),
        ("repository_states", "repository", "is_bot_enabled"),
    ],
)
def test_states_come_and_go_without_a_trend(steady, stream, item, column):
    """Some things get better and some worse, as often as each other or nearly so."""
    rows = steady[stream]
    first = min(row["observed_on"] for row in rows)
    last = max(row["observed_on"] for row in rows)
    good = Counter(row[column] for row in rows if row["observed_on"] == first)
    now = Counter(row[column] for row in rows if row["observed_on"] == last)
    most = good.most_common(1)[0][0]
    assert abs(good[most] / good.total() - now[most] / now.total()) < 0.2
    changed = {row[item] for row in rows if row[column] != most} & {row[item] for row in rows if row[column] == most}
    assert changed
