"""The simulated organisation has a link between practice and outcome between its teams, and none within them.

How often services fail follows from how well their team handles incidents, the same from the first day to the last; how
well it handles them drifts.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from opsmetrics.scoring.validity import links, validity_table
from simulator import practice, telemetry
from simulator.organisation import read_organisation
from simulator.scale import scaled_organisation
from simulator.world import local

DEMO = Path(__file__).resolve().parents[2] / "examples" / "demo"
QUARTERS = [local(date(year, month, 1), 0) for year, month in ((2025, 10), (2026, 1), (2026, 4), (2026, 7), (2026, 10))]
ON_TIME_MINUTES = 5


def simulated(folder, scale, seed):
    """Share of pages acknowledged on time, and minutes down per service of the quarter after; teams by quarters."""
    organisation = read_organisation(scaled_organisation(DEMO, folder, scale))
    outages = telemetry.plan_outages(organisation, seed)
    pages = practice.alerts(organisation, practice.incidents(organisation, outages, seed), seed)
    team_of = {service.id: service.team for service in organisation.services}
    teams = {team: row for row, team in enumerate(sorted(set(team_of.values())))}
    on_time, all_pages, down = np.zeros((3, len(teams), len(QUARTERS) - 1))
    services: dict[str, int] = defaultdict(int)
    for service in organisation.services:
        services[service.team] += 1
        for begin, end in outages[service.id]:
            _add(down, teams[service.team], begin, (end - begin).total_seconds() / 60)
    for page in pages:
        row = teams[team_of[page["service_id"]]]
        waited = page["acknowledged_at"]
        _add(all_pages, row, page["fired_at"], 1)
        if waited is not None and (waited - page["fired_at"]).total_seconds() <= 60 * ON_TIME_MINUTES:
            _add(on_time, row, page["fired_at"], 1)
    down /= np.array([services[team] for team in teams])[:, None]
    return (on_time / np.maximum(all_pages, 1))[:, :-1], down[:, 1:]


def _add(total, row, at, amount):
    quarter = int(np.searchsorted(np.array(QUARTERS, dtype=object), at, side="right")) - 1
    if 0 <= quarter < total.shape[1]:
        total[row, quarter] += amount


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    return [simulated(tmp_path_factory.mktemp("many"), 5, seed) for seed in (1, 2, 3)]


def test_seventy_teams_show_the_link_between_them_and_none_within(many):
    found = [links(*one) for one in many]
    assert all(between.teams == 70 and between.low > 0 and between.p < 0.01 for between, _ in found)
    assert sum(within.p <= 0.10 for _, within in found) <= 1


def test_exchanged_outcomes_show_no_link(many):
    """The truth without a link: each team's practice beside the outcomes of another."""
    score, down = many[0]
    dice = np.random.default_rng(1)
    alarms = [links(score, down[dice.permutation(len(down))]) for _ in range(60)]
    for kind in (0, 1):
        assert sum(found[kind].p <= 0.10 for found in alarms) <= 11  # 0.10, and chance in 60


def test_fourteen_teams_usually_cannot_tell_the_same_link_among_all_that_a_table_compares(tmp_path):
    """One comparison alone would mostly show it; a page of 48 must not believe the best of them."""
    dice = np.random.default_rng(2)
    verdicts = []
    for seed in range(1, 9):
        score, down = simulated(tmp_path / str(seed), 1, seed)
        others = [(score, down[dice.permutation(len(down))]) for _ in range(23)]
        table = validity_table(pl.concat([as_pairs(f"a{n}", *one) for n, one in enumerate([(score, down), *others])]))
        assert len(table) == 48
        verdicts.append(table.row(by_predicate=(pl.col("area_id") == "a0") & (pl.col("kind") == "between"), named=True))
    assert all(row["correlation"] > 0 for row in verdicts)
    assert [row["verdict"] for row in verdicts].count("cannot_tell") >= 5
    assert {row["verdict"] for row in verdicts} <= {"cannot_tell", "goes_with"}


def as_pairs(area_id, score, down):
    rows = [
        ("down_minutes", area_id, f"t{team:02}", quarter, score[team, quarter], down[team, quarter])
        for team, quarter in np.ndindex(*score.shape)
    ]
    return pl.DataFrame(
        rows, schema=["outcome", "area_id", "team_id", "quarter", "score", "value"], orient="row", strict=False
    )
