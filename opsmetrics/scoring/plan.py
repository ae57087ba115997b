"""The cheapest way to the next level (method 3.12): which metrics to bring to their target, exactly.

A small integer programme per team: least effort such that the team score reaches the next level's edge, no published
area lies more than one level below it, and no gate holds an area below that. Solved by HiGHS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import polars as pl

from opsmetrics.catalogue import Catalogue, Ruleset
from opsmetrics.scoring.aggregate import AREA, TEAM
from opsmetrics.scoring.cells import area_weights
from opsmetrics.scoring.compute import InstantScores, Scores
from opsmetrics.scoring.status import CELL

HALF_DAYS = 2
_Floats = npt.NDArray[np.float64]
_Score = Callable[[npt.NDArray[np.bool_]], float]
_SLACK = 1e-7  # above the edge, so that rounding never leaves a plan a hair short


@dataclass(frozen=True, slots=True)
class _Team:
    """One team at one instant: arrays over its candidate metrics and its published areas."""

    lift: npt.NDArray[np.float64]
    days: npt.NDArray[np.float64]
    base: npt.NDArray[np.float64]
    weight: npt.NDArray[np.float64]
    forced: npt.NDArray[np.bool_]
    is_blocked: bool


def compute_plans(catalogue: Catalogue, scores: InstantScores | Scores, gates: pl.DataFrame) -> pl.DataFrame:
    """Return the cheapest set of metrics to bring to their target, per team, for the latest day.

    Args:
        catalogue: For area weights, lambda and the level edges.
        scores: Computed scores; the gap table says which metrics count, and what mending one costs.
        gates: Tripped gates with ``area_id``, ``cap`` and ``lifted_by``: the metric whose target lifts the gate,
            null where only time does.

    Returns:
        Columns as ``scores.plan``. No rows where a team is at the top, has no published score, or a gate that only
        time lifts stands in the way.
    """
    ruleset = catalogue.ruleset
    weights = area_weights(catalogue).cast({"area_id": pl.String})
    latest = pl.col("grain") == "latest"
    published = scores.area.filter(latest & (pl.col("status") == "ok")).join(weights, on="area_id")
    effective = pl.col("weight") * pl.col("evidence_weight")
    candidates = (
        scores.gap.filter(latest)
        .join(scores.metric.select(*CELL, "points", "weight", "evidence_weight"), on=CELL)
        .with_columns(within=effective / effective.sum().over(AREA))
    )
    levels = scores.team.filter(latest & (pl.col("level") < len(ruleset.level_edges)))
    wanted = levels.select(*TEAM, "level")
    chosen = list(_solve_all(candidates, published, wanted, gates.filter(latest), ruleset))
    schema = {
        "team_id": pl.String,
        "as_of": scores.team.schema["as_of"],
        "grain": pl.String,
        "target_level": pl.Int32,
        "position": pl.Int64,
        "metric_id": pl.String,
        "effort_days": pl.Float64,
        "points_before": pl.Float64,
        "is_for_gate": pl.Boolean,
        "score_after": pl.Float64,
    }
    return pl.DataFrame(chosen, schema=schema, orient="row").sort("team_id", "position")


def _solve_all(
    candidates: pl.DataFrame, areas: pl.DataFrame, wanted: pl.DataFrame, gates: pl.DataFrame, ruleset: Ruleset
) -> Iterator[tuple[object, ...]]:
    by_team = candidates.sort([*TEAM, "area_id", "metric_id"]).partition_by(TEAM, as_dict=True)
    areas_of = areas.sort(AREA).partition_by(TEAM, as_dict=True)
    gates_of = gates.partition_by(TEAM, as_dict=True) if len(gates) else {}
    jobs = [
        (by_team[key], areas_of[key], gates_of.get(key), level + 1)
        for *names, level in wanted.sort(TEAM).iter_rows()
        for key in [tuple(names)]
        if key in by_team
    ]
    # The solver releases the lock: two threads use both cores.
    with ThreadPoolExecutor(2) as pool:
        for rows in pool.map(partial(_plan, ruleset), *zip(*jobs, strict=True)) if jobs else ():
            yield from rows


def _plan(
    ruleset: Ruleset, mine: pl.DataFrame, areas: pl.DataFrame, gates: pl.DataFrame | None, target: int
) -> list[tuple[object, ...]]:
    """The rows of one team's plan."""
    team = _team(mine, areas, gates, target)
    picked = None if team.is_blocked else _cheapest(team, target, ruleset)
    if picked is None:
        return []
    score = _score_after(team, ruleset)
    done = np.zeros(len(mine), dtype=bool)
    rows: list[tuple[object, ...]] = []
    for position, index in enumerate(_order(team, picked, score), start=1):
        done[index] = True
        row = mine.row(index, named=True)
        identity = (*(row[name] for name in TEAM), target, position, row["metric_id"], row["effort_days"])
        rows.append((*identity, row["points"], bool(team.forced[index]), score(done)))
    return rows


def _team(mine: pl.DataFrame, areas: pl.DataFrame, gates: pl.DataFrame | None, target: int) -> _Team:
    names = areas["area_id"].to_list()
    lift = np.zeros((len(names), len(mine)))
    place = [names.index(area) for area in mine["area_id"]]
    lift[place, np.arange(len(mine))] = mine["within"].to_numpy() * (100 - mine["points"].to_numpy())
    forced = np.zeros(len(mine), dtype=bool)
    blocked = False
    if gates is not None:
        # A team's level is at most one above its lowest area: a gate below target - 1 must go first.
        for area, cap, lifted_by in gates.select("area_id", "cap", "lifted_by").iter_rows():
            if area in names and cap < target - 1:
                # Some gates are lifted by no metric.
                hit = mine["metric_id"].is_in([lifted_by] if lifted_by else []).to_numpy()
                blocked |= not hit.any()
                forced |= hit
    return _Team(
        lift,
        mine["effort_days"].to_numpy().astype(np.float64),
        areas["score"].to_numpy().astype(np.float64),
        areas["area_weight"].to_numpy().astype(np.float64),
        forced,
        blocked,
    )


def _cheapest(team: _Team, target: int, ruleset: Ruleset) -> npt.NDArray[np.bool_] | None:
    """The set of least effort, or None where even everything at its target does not reach the level."""
    share, edges = ruleset.weakest_share, ruleset.level_edges
    count, areas = len(team.days), len(team.base)
    weight = team.weight / team.weight.sum()
    # Variables: one per metric (take it or not) and t, at most every area score, which stands for the weakest area.
    rows = [np.append((1 - share) * weight @ team.lift, share)[None, :], np.hstack([team.lift, -np.ones((areas, 1))])]
    least = [np.array([edges[target - 1] + _SLACK - (1 - share) * weight @ team.base]), -team.base]
    if target >= 2:
        rows.append(np.hstack([team.lift, np.zeros((areas, 1))]))
        least.append(edges[target - 2] + _SLACK - team.base)
    # Efforts are whole half-days: a proof to less than one unit is a proof of the optimum.
    cost = np.append(np.round(team.days * HALF_DAYS), 0.0)
    found = _solve(cost, np.vstack(rows), np.concatenate(least), np.append(team.forced.astype(np.float64), 0.0))
    return None if found is None else found[:count] > 0.5


def _solve(cost: _Floats, rows: _Floats, least: _Floats, lower: _Floats) -> _Floats | None:
    """Minimise ``cost @ x`` with ``rows @ x >= least``; all but the last variable are 0 or 1, the last is 0 to 100."""
    import highspy

    solver = highspy.Highs()
    for name, value in (("output_flag", False), ("threads", 1), ("mip_rel_gap", 0.0), ("mip_abs_gap", 0.49)):
        solver.setOptionValue(name, value)
    model = highspy.HighsLp()
    count = len(cost)
    there = rows != 0
    model.num_col_, model.num_row_ = count, len(rows)
    model.col_cost_, model.col_lower_ = cost, lower
    model.col_upper_ = np.append(np.ones(count - 1), 100.0)
    model.row_lower_, model.row_upper_ = least, np.full(len(rows), highspy.kHighsInf)
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = np.concatenate([[0], np.cumsum(there.sum(axis=1))])
    model.a_matrix_.index_, model.a_matrix_.value_ = np.nonzero(there)[1], rows[there]
    model.integrality_ = [highspy.HighsVarType.kInteger] * (count - 1) + [highspy.HighsVarType.kContinuous]
    solver.passModel(model)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    return np.asarray(solver.getSolution().col_value, dtype=np.float64)


def _score_after(team: _Team, ruleset: Ruleset) -> _Score:
    share, weight = ruleset.weakest_share, team.weight / team.weight.sum()

    def score(done: npt.NDArray[np.bool_]) -> float:
        areas = team.base + team.lift @ done
        return float((1 - share) * (weight @ areas) + share * areas.min())

    return score


def _order(team: _Team, picked: npt.NDArray[np.bool_], score: _Score) -> list[int]:
    """Gates first, then always the metric with the most gain a day given what is already done."""
    rest = [int(index) for index in np.flatnonzero(picked)]
    done = np.zeros(len(team.days), dtype=bool)
    order: list[int] = []
    while rest:

        def worth(index: int) -> tuple[bool, float, int]:
            with_it = done.copy()
            with_it[index] = True
            return bool(team.forced[index]), (score(with_it) - score(done)) / team.days[index], -index

        best = max(rest, key=worth)
        rest.remove(best)
        done[best] = True
        order.append(best)
    return order
