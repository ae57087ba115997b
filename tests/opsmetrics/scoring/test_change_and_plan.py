"""The waterfall sums exactly and names the right part; plans reach the level, and nothing cheaper does."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsmetrics.scoring.aggregate import area_scores, team_scores
from opsmetrics.scoring.change import PARTS, State, waterfall
from opsmetrics.scoring.change_metric import metric_parts, weakest_shares
from opsmetrics.scoring.formula import TeamFormula
from opsmetrics.scoring.plan import _cheapest, _Team
from opsmetrics.scoring.steps import steps_of

AT = datetime(2026, 8, 31, 22, tzinfo=UTC)
AREAS = ("aut", "bck", "mon", "sec")
STATUSES = ("ok", "ok", "ok", "low_evidence", "stale", "not_measured", "not_measured_overdue", "no_opportunity")


def cells_of(rolls: random.Random, *, teams: int = 3) -> pl.DataFrame:
    rows = []
    for team, area, number in itertools.product(range(teams), AREAS, range(3)):
        status = rolls.choice((*STATUSES, "not_applicable", "invalid"))
        measured = status in {"ok", "low_evidence"}
        overdue = status == "not_measured_overdue"
        value = rolls.random() if measured else None
        points = min(100.0, max(0.0, 100 * (value - 0.2) / 0.7)) if measured else (0.0 if overdue else None)
        evidence = 1.0 if status == "ok" or overdue else (rolls.uniform(0.1, 0.9) if measured else None)
        rows.append(
            {
                "team_id": f"t{team}",
                "as_of": AT,
                "grain": "month",
                "metric_id": f"{area}_{number}",
                "area_id": area,
                "area_weight": 1.0,
                "status": status,
                "points": points,
                "evidence_weight": evidence,
                "completeness": rolls.uniform(0.5, 1) if measured else 0.0,
                "value": value,
                "is_entity": False,
                "weight": float(number + 1),
                "floor": 0.2,
                "krav": None,
                "mal": 0.9,
                "is_waived": rolls.random() < 0.1,
            }
        )
    return pl.DataFrame(rows, schema_overrides={"krav": pl.Float64}, infer_schema_length=None)


def team_score(state: State) -> dict[str, float | None]:
    waived = pl.col("is_waived") & (pl.col("status") != "not_applicable")
    cells = state.cells.with_columns(status=pl.when(waived).then(pl.lit("waived")).otherwise(pl.col("status")))
    cells = cells.with_columns(points_low="points", points_high="points")
    areas = area_scores(cells, state.ruleset).with_columns(area_weight=pl.lit(1.0))
    return dict(team_scores(areas, state.ruleset).select("team_id", "score").iter_rows())


def harder(cells: pl.DataFrame, floor: float) -> pl.DataFrame:
    """The same values under another floor."""
    points = (100 * (pl.col("value") - floor) / (0.9 - floor)).clip(0, 100)
    measured = pl.col("status").is_in(["ok", "low_evidence"])
    return cells.with_columns(floor=pl.lit(floor), points=pl.when(measured).then(points).otherwise(pl.col("points")))


# Nine teams in one frame cost what three do.
@settings(max_examples=20)
@given(st.integers(0, 2**32), st.booleans(), st.booleans())
def test_parts_sum_to_the_difference(ruleset, seed, moved, ruled):
    rolls = random.Random(seed)
    before, after, frozen = (State(cells_of(rolls, teams=9), ruleset) for _ in range(3))
    if ruled:
        after, frozen = (
            State(harder(s.cells, 0.35), ruleset.model_copy(update={"weakest_share": 0.4})) for s in (after, frozen)
        )
    found = waterfall(before, after, frozen if moved else None)
    was, now = team_score(before), team_score(after)
    assert set(found["team_id"]) == {team for team in was if was[team] is not None and now[team] is not None}
    for row in found.iter_rows(named=True):
        assert row["score_before"] == was[row["team_id"]]
        assert row["score_after"] == now[row["team_id"]]
        assert sum(row[part] for part in PARTS) == pytest.approx(row["score_after"] - row["score_before"], abs=1e-9)


def only(state: State, changed: pl.DataFrame, ruleset=None, frozen=None) -> dict[str, float]:
    """The parts that are not zero when only one thing changed."""
    found = waterfall(state, State(changed, ruleset or state.ruleset), frozen).row(0, named=True)
    return {part: found[part] for part in PARTS if abs(found[part]) > 1e-9}


@pytest.fixture
def plain(ruleset):
    """One team, everything measured."""
    cells = cells_of(random.Random(5), teams=1).with_columns(
        status=pl.lit("ok"),
        value=pl.lit(0.5),
        points=pl.lit(100 * 0.3 / 0.7),
        evidence_weight=pl.lit(1.0),
        is_waived=False,
    )
    return State(cells, ruleset)


def test_each_part_is_named_by_what_changed(plain, ruleset):
    first = pl.col("metric_id") == "mon_2"

    def with_(**changes):
        return plain.cells.with_columns(
            **{name: pl.when(first).then(pl.lit(value)).otherwise(pl.col(name)) for name, value in changes.items()}
        )

    assert set(only(plain, with_(value=0.9, points=100.0))) == {"performance"}
    assert set(only(plain, with_(status="stale", points=None, evidence_weight=None, value=None))) == set()
    dropped = with_(value=0.9, points=100.0)
    state = State(dropped, ruleset)
    gone = dropped.with_columns(
        status=pl.when(first).then(pl.lit("stale")).otherwise("status"),
        points=pl.when(~first).then("points"),
        evidence_weight=pl.when(~first).then("evidence_weight"),
    )
    assert set(only(state, gone)) == {"coverage"}
    assert set(
        only(state, gone.with_columns(status=pl.when(first).then(pl.lit("not_applicable")).otherwise("status")))
    ) == {"scope"}
    assert set(only(state, dropped.with_columns(is_waived=first))) == {"waivers"}
    assert set(only(state, harder(dropped, 0.4), ruleset.model_copy(update={"version": "2.0.0"}))) == {"rules"}
    # Better values that came with a service from somebody else are not performance.
    assert set(only(plain, dropped, frozen=plain)) == {"ownership"}


# Nine teams in one frame cost what three do.
@settings(max_examples=20)
@given(st.integers(0, 2**32))
def test_what_metrics_gave_sums_to_performance_and_has_their_sign(ruleset, seed):
    rolls = random.Random(seed)
    before, after = (State(cells_of(rolls, teams=9), ruleset) for _ in range(2))
    # A third of the metrics stand where they stood.
    still = pl.col("metric_id").str.ends_with("_1")
    kept = before.cells.select("team_id", "metric_id", was="points")
    cells = after.cells.join(kept, on=["team_id", "metric_id"], how="left")
    both = pl.col("was").is_not_null() & pl.col("points").is_not_null()
    after = State(cells.with_columns(points=pl.when(still & both).then("was").otherwise("points")).drop("was"), ruleset)
    found = metric_parts(before, after)
    for row in found.iter_rows(named=True):
        assert np.sign(row["performance"]) == np.sign(row["points_after"] - row["points_before"])
    assert (found.filter(pl.col("points_after") == pl.col("points_before"))["performance"] == 0).all()
    sums = dict(found.group_by("team_id").agg(pl.col("performance").sum()).iter_rows())
    for row in waterfall(before, after).iter_rows(named=True):
        assert sums[row["team_id"]] == pytest.approx(row["performance"], abs=1e-9)


def test_the_weakest_area_counts_as_long_as_it_is_the_weakest():
    before, after = np.array([10.0, 30.0, 50.0]), np.array([50.0, 30.0, 50.0])
    assert weakest_shares(before, after) == pytest.approx([0.5, 0.5, 0.0])
    assert weakest_shares(before, before) == pytest.approx([1.0, 0.0, 0.0])
    assert weakest_shares(np.zeros(2), np.zeros(2)) == pytest.approx([0.5, 0.5])


# ---- plans


def a_team(rolls: random.Random, target: int, edges: list[float], metrics: int = 9, areas: int = 3) -> _Team:
    place = np.arange(metrics) % areas
    weight = np.array([float(rolls.choice((1, 2, 3, 4))) for _ in range(metrics)])
    points = np.array([rolls.uniform(0, 95) for _ in range(metrics)])
    within = weight / np.bincount(place, weight)[place]
    formula = TeamFormula(
        tuple(f"m{number}" for number in range(metrics)),
        tuple(f"a{number}" for number in range(areas)),
        place,
        within,
        points,
        np.bincount(place, within * points),
        np.full(areas, 1 / areas),
        weakest_share=0.25,
    )
    days = np.array([rolls.choice((0.5, 1.5, 2.0, 5.0, 15.0)) for _ in range(metrics)])
    # Some share a remedy, as two or three of a kind.
    remedy = np.array([min(number, rolls.choice((number, number, 1))) for number in range(metrics)])
    forced = np.array([rolls.random() < 0.08 for _ in range(metrics)])
    needs = edges[target - 1] + rolls.choice((0.0, 3.5))
    area_needs = [edges[target - 2] + rolls.choice((0.0, 6.0)) if target >= 2 else -np.inf for _ in range(areas)]
    return _Team(formula, days, remedy, needs, np.array(area_needs), forced, is_blocked=False)


def price(team: _Team, picked) -> float:
    """Of each remedy the dearest metric."""
    return sum(
        max((team.days[m] for m in range(len(team.days)) if picked[m] and team.remedy[m] == remedy), default=0.0)
        for remedy in set(team.remedy.tolist())
    )


def reaches(team: _Team, picked) -> bool:
    areas = team.formula.base + team.lift @ picked
    score = 0.75 * areas.mean() + 0.25 * areas.min()
    assert team.score(picked) == pytest.approx(score)
    return score >= team.needs and bool((areas >= team.area_needs).all())


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.integers(1, 4))
def test_a_plan_reaches_the_level_and_nothing_cheaper_does(ruleset, seed, target):
    """Against every one of the 512 subsets."""
    team = a_team(random.Random(seed), target, ruleset.level_edges)
    best = None
    for subset in itertools.product((False, True), repeat=len(team.days)):
        picked = np.array(subset) | team.forced
        if reaches(team, picked):
            cost = price(team, picked)
            best = cost if best is None else min(best, cost)
    found = _cheapest(team)
    assert (found is None) == (best is None)
    if found is not None:
        assert reaches(team, found)
        assert price(team, found) == team.price(found) == pytest.approx(best)
        assert (found | ~team.forced).all()


def test_everything_at_its_target_is_the_most_that_can_be_done(ruleset):
    team = a_team(random.Random(1), 4, ruleset.level_edges)
    full = replace(team.formula, points=np.full(9, 100.0))
    assert _cheapest(replace(team, formula=full, needs=100.5)) is None


def test_what_is_not_allowed_is_not_taken(ruleset):
    team = replace(a_team(random.Random(3), 4, ruleset.level_edges), forced=np.zeros(9, dtype=bool))
    free = _cheapest(team)
    barred = int(np.flatnonzero(free)[0])
    found = _cheapest(team, np.arange(9) != barred)
    assert found is None or not found[barred]


def test_a_latest_day_that_ends_a_month_is_held_against_the_month_before():
    """On the first of a month what is shown of now is what is shown of the month that is over."""
    june, july = datetime(2026, 6, 30, 22, tzinfo=UTC), datetime(2026, 7, 31, 22, tzinfo=UTC)
    for latest, before in ((AT, july), (datetime(2026, 9, 1, 22, tzinfo=UTC), AT)):
        grains = {"month": (june, july, AT), "week": (july,), "latest": (latest,)}
        rows = [(as_of, grain) for grain, instants in grains.items() for as_of in instants]
        windows = pl.DataFrame(rows, schema={"as_of": pl.Datetime("us", "UTC"), "grain": pl.String}, orient="row")
        assert steps_of(windows).rows() == [
            (june, "month", july, "month"),
            (july, "month", AT, "month"),
            (before, "month", latest, "latest"),
        ]
