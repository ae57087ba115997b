"""The cheapest way to the next level (method 3.12): which metrics to bring to their target, exactly, and when it shows.

A small integer programme per team: least effort such that the team score is sure of the next level's edge (method
3.6), no published area lies more than one level below it, and no gate holds an area below that. Solved by HiGHS. An
action that mends several metrics is priced once. What shows within a year is taken before anything that does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from opsmetrics.catalogue import Catalogue, Ruleset
from opsmetrics.scoring.aggregate import TEAM
from opsmetrics.scoring.cells import area_weights
from opsmetrics.scoring.compute import InstantScores, Scores
from opsmetrics.scoring.dates import formula_parts, prospects_of
from opsmetrics.scoring.distributions import normal_quantile
from opsmetrics.scoring.formula import KEY, TeamFormula, formulas
from opsmetrics.scoring.inputs import ScoreInputs
from opsmetrics.scoring.outlook import FULL_POINTS, HORIZON_DAYS, YEAR_DAYS, Prospect, done_after, quarter_ends
from opsmetrics.scoring.status import CELL

HALF_DAYS = 2
_SCHEMA = {
    "team_id": pl.String,
    "as_of": pl.Datetime("us", "UTC"),
    "grain": pl.String,
    "target_level": pl.Int32,
    "position": pl.Int64,
    "metric_id": pl.String,
    "effort_days": pl.Float64,
    "points_before": pl.Float64,
    "is_for_gate": pl.Boolean,
    "score_after": pl.Float64,
    "starts_on": pl.Date,
    "shows_on": pl.Date,
    "waits_for": pl.Int64,
    "dates_rest_on": pl.String,
    "remedy_id": pl.String,
    "level_on": pl.Date,
    "is_within_year": pl.Boolean,
    "gain_next_quarter": pl.Float64,
}
_Flags = npt.NDArray[np.bool_]
_Floats = npt.NDArray[np.float64]
_SLACK = 1e-7  # above the edge, so that rounding never leaves a plan a hair short


@dataclass(frozen=True, slots=True)
class _Team:
    """One team at one instant.

    Attributes:
        formula: Its score as a function of its metrics' points.
        days: Team-days of each metric's remedy.
        remedy: Number of the remedy of each metric; metrics with the same share its price.
        needs: Score from which the level is sure, with the luck of today.
        area_needs: The same of each area for the level below it; of an area that has that level the bare edge.
        forced: Metrics that lift a gate in the way.
        is_blocked: A gate that no metric lifts stands in the way.
    """

    formula: TeamFormula
    days: _Floats
    remedy: npt.NDArray[np.int64]
    needs: float
    area_needs: _Floats
    forced: _Flags
    is_blocked: bool

    @property
    def lift(self) -> _Floats:
        """What each metric at its target gives each area, shape (areas, metrics)."""
        found = np.zeros((len(self.formula.areas), len(self.formula.metrics)))
        found[self.formula.place, np.arange(len(self.formula.metrics))] = self.formula.within * (
            FULL_POINTS - self.formula.points
        )
        return found

    def score(self, done: _Flags) -> float:
        """The team score with some metrics at their target."""
        return float(self.formula.score(np.where(done, FULL_POINTS, self.formula.points)))

    def price(self, done: _Flags) -> float:
        """Team-days of some metrics: of each remedy the largest."""
        most = np.zeros(len(self.days))
        np.maximum.at(most, self.remedy[done], self.days[done])
        return float(most.sum())


def compute_plans(catalogue: Catalogue, scores: InstantScores | Scores, inputs: ScoreInputs) -> pl.DataFrame:
    """Return the cheapest set of metrics to bring to their target, per team, for the latest day.

    Args:
        catalogue: For area weights, lambda, the level edges, windows and shared remedies.
        scores: Computed scores; the gap table says which metrics count, and what mending one costs.
        inputs: For tripped gates (``lifted_by`` is the metric whose target lifts the gate, null where only time does),
            items and dues.

    Returns:
        Columns as ``scores.plan``. No rows where a team is at the top, has no published score, or a gate that only
        time lifts stands in the way.
    """
    latest = pl.col("grain") == "latest"
    weights = area_weights(catalogue).cast({"area_id": pl.String})
    cells = scores.metric.filter(latest).join(scores.gap.select(*CELL, "area_id", "effort_days"), on=CELL)
    parts = formula_parts(cells, scores.area.filter(latest).join(weights, on="area_id"))
    can = prospects_of(catalogue, cells, inputs)
    levels = scores.team.filter(latest & (pl.col("level") < len(catalogue.ruleset.level_edges)))
    wanted = {tuple(key): level + 1 for *key, level in levels.select(*TEAM, "level").iter_rows()}
    efforts = cells.select("team_id", "metric_id", "effort_days")
    margin = sure_margin(catalogue.ruleset)
    margins = scores.team.filter(latest).select("team_id", "level", margin=margin)
    area_margins = scores.area.filter(latest).select("team_id", "area_id", "level", margin=margin)
    edge = Edges(catalogue.ruleset, margins, area_margins)
    gates = inputs.gates.filter(pl.col("grain").cast(pl.String) == "latest").with_columns(
        pl.col("team_id", "area_id", "grain").cast(pl.String)
    )
    jobs = [
        (
            key,
            _team(
                formula,
                efforts.filter(team_id=key[0]),
                gates.filter(team_id=key[0]),
                edge.of(key[0], wanted[key], formula.areas),
                wanted[key],
                catalogue,
            ),
        )
        for key, formula in formulas(parts, catalogue.ruleset.weakest_share)
        if key in wanted
    ]
    # The solver releases the lock: two threads use both cores.
    with ThreadPoolExecutor(2) as pool:
        rows = pool.map(lambda job: _plan(catalogue, can, wanted[job[0]], *job), jobs)
        chosen = [row for some in rows for row in some]
    schema = _SCHEMA | {"as_of": scores.team.schema["as_of"]}
    return pl.DataFrame(chosen, schema=schema).sort("team_id", "position")


def sure_margin(ruleset: Ruleset) -> pl.Expr:
    """Points above an edge from which a level is sure, as wide as the interval is today; 0 where there is none."""
    half = (pl.col("interval_high") - pl.col("interval_low")).fill_null(0.0) / 2
    return half * (normal_quantile(ruleset.level_sure) / normal_quantile(0.95))


@dataclass(frozen=True, slots=True)
class Edges:
    """What scores need for levels.

    Attributes:
        ruleset: For the edges.
        teams: ``team_id, level, margin`` (:func:`sure_margin`) on the latest day.
        areas: ``team_id, area_id, level, margin``.
    """

    ruleset: Ruleset
    teams: pl.DataFrame
    areas: pl.DataFrame

    def of(self, team_id: object, target: int, areas: Sequence[str]) -> tuple[float, _Floats]:
        """Return the score that a team needs for a level, and those that its areas need for the level below."""
        edges = self.ruleset.level_edges
        needs = edges[target - 1] + self.teams.filter(team_id=team_id)["margin"][0]
        if target < 2:
            return needs, np.full(len(areas), -np.inf)
        own = self.areas.filter(team_id=team_id)
        known = {area: (level, margin) for area, level, margin in own.select("area_id", "level", "margin").iter_rows()}
        # An area keeps its level down to the edge; one that has still to be given it must be sure.
        least = [edges[target - 2] + (0.0 if known[area][0] >= target - 1 else known[area][1]) for area in areas]
        return needs, np.array(least)


def _team(
    formula: TeamFormula,
    efforts: pl.DataFrame,
    gates: pl.DataFrame,
    needs: tuple[float, _Floats],
    target: int,
    catalogue: Catalogue,
) -> _Team:
    days = dict(efforts.select("metric_id", "effort_days").iter_rows())
    shared = catalogue.remedy_of()
    remedies = [shared.get(metric, metric) for metric in formula.metrics]
    forced = np.zeros(len(formula.metrics), dtype=bool)
    blocked = False
    # A team's level is at most one above its lowest area: a gate below target - 1 must go first.
    for area, cap, lifted_by in gates.select("area_id", "cap", "lifted_by").iter_rows():
        if area in formula.areas and cap < target - 1:
            # Some gates are lifted by no metric.
            hit = np.array([metric == lifted_by for metric in formula.metrics])
            blocked |= not hit.any()
            forced |= hit
    return _Team(
        formula,
        np.array([days[metric] for metric in formula.metrics], dtype=np.float64),
        np.array([remedies.index(remedy) for remedy in remedies], dtype=np.int64),
        *needs,
        forced,
        blocked,
    )


def _plan(
    catalogue: Catalogue, can: dict[KEY, Prospect], target: int, key: KEY, team: _Team
) -> list[dict[str, object]]:
    """The rows of one team's plan."""
    if team.is_blocked:
        return []
    names = team.formula.metrics
    mine = [can[key[0], key[1], name] for name in names]
    alone = [prospect.shown_after(done_after(days)) for prospect, days in zip(mine, team.days, strict=True)]
    soon = np.array([shown is not None and shown <= YEAR_DAYS for shown in alone])
    picked = _cheapest(team, soon | team.forced)
    if picked is None:
        picked = _cheapest(team)
    if picked is None:
        return []
    steps = _schedule(team, picked, mine)
    level_after = _level_after(team, steps, mine, catalogue.ruleset.level_days)
    order = sorted(steps, key=lambda step: (not team.forced[step.index], step.shown, names[step.index]))
    done = np.zeros(len(names), dtype=bool)
    rows: list[dict[str, object]] = []
    shared = catalogue.remedy_of()
    for position, step in enumerate(order, start=1):
        before = team.price(done)
        done[step.index] = True
        prospect = mine[step.index]
        rows.append(
            {
                **dict(zip(TEAM, key, strict=True)),
                "target_level": target,
                "position": position,
                "metric_id": names[step.index],
                "effort_days": team.price(done) - before,
                "points_before": prospect.points,
                "is_for_gate": bool(team.forced[step.index]),
                "score_after": team.score(done),
                "starts_on": prospect.on + timedelta(days=step.begins + 1),
                "shows_on": prospect.on + timedelta(days=step.shown),
                "waits_for": prospect.waits_for(step.done, step.shown),
                "dates_rest_on": prospect.basis,
                "remedy_id": shared.get(names[step.index]),
                "level_on": None if level_after is None else prospect.on + timedelta(days=level_after),
                "is_within_year": step.shown <= YEAR_DAYS,
                "gain_next_quarter": team.formula.gain(
                    {
                        names[step.index]: float(
                            prospect.path(step.done)[(quarter_ends(prospect.on)[1] - prospect.on).days]
                        )
                    }
                ),
            }
        )
    return rows


@dataclass(frozen=True, slots=True)
class _Step:
    """One metric of a plan: days from today on which its work begins, is done, and shows in full."""

    index: int
    begins: int
    done: int
    shown: int


def _schedule(team: _Team, picked: _Flags, can: list[Prospect]) -> list[_Step]:
    """Do one step after the other, gates first, then what takes longest to show: then the last one shows soonest."""
    chosen = [int(index) for index in np.flatnonzero(picked)]

    def wait(index: int) -> int:
        own = done_after(team.days[index])
        return (can[index].shown_after(own) or HORIZON_DAYS) - own

    steps: list[_Step] = []
    done = np.zeros(len(team.days), dtype=bool)
    begun: dict[int, int] = {}
    for index in sorted(chosen, key=lambda index: (not team.forced[index], -wait(index), index)):
        # What shares its remedy with an earlier step is done together with it.
        before = team.price(done)
        done[index] = True
        after = done_after(team.price(done))
        begins = begun.setdefault(int(team.remedy[index]), done_after(before) if before else 0)
        steps.append(_Step(index, begins, after, can[index].shown_after(after) or HORIZON_DAYS))
    return steps


def _level_after(team: _Team, steps: list[_Step], can: list[Prospect], level_days: int) -> int | None:
    """The first day from today on which the level can be given: score, areas and gates were sure for long enough."""
    formula = team.formula
    points = np.tile(formula.points, (HORIZON_DAYS + 1, 1))
    there = np.ones(HORIZON_DAYS + 1, dtype=bool)
    for step in steps:
        points[:, step.index] = can[step.index].path(step.done)
        if team.forced[step.index]:
            there &= points[:, step.index] >= FULL_POINTS - _SLACK
    there &= formula.score(points) >= team.needs
    there &= (formula.area_scores(points) >= team.area_needs).all(axis=1)
    reached = np.flatnonzero(there)
    return int(reached[0]) + level_days if len(reached) else None


def _cheapest(team: _Team, allowed: _Flags | None = None) -> _Flags | None:
    """The set of least effort, or None where even everything at its target does not reach the level."""
    share = team.formula.weakest_share
    count, areas, lift = len(team.days), len(team.formula.areas), team.lift
    base, weight = team.formula.base, team.formula.weight
    # Variables: one per metric (take it or not), the price of each remedy that several share, and t, at most every
    # area score, which stands for the weakest area.
    shared = [number for number in np.unique(team.remedy) if (team.remedy == number).sum() > 1]
    width = count + len(shared) + 1
    rows = np.zeros((1 + areas, width))
    rows[0, :count], rows[0, -1] = (1 - share) * weight @ lift, share
    rows[1:, :count], rows[1:, -1] = lift, -1.0
    floors = np.zeros((areas, width))
    floors[:, :count] = lift
    rows = np.vstack([rows, floors])
    needs = team.needs + _SLACK - (1 - share) * weight @ base
    least = np.concatenate([[needs], -base, np.maximum(team.area_needs, 0.0) + _SLACK - base])
    # Efforts are whole half-days: a proof to less than one unit is a proof of the optimum.
    effort = np.round(team.days * HALF_DAYS)
    cost, upper = np.append(effort, np.zeros(len(shared) + 1)), np.append(np.ones(count), np.zeros(len(shared) + 1))
    for place, number in enumerate(shared, start=count):
        for metric in np.flatnonzero(team.remedy == number):
            row = np.zeros(width)
            row[place], row[metric] = 1.0, -effort[metric]
            rows, least = np.vstack([rows, row]), np.append(least, 0.0)
            cost[metric], cost[place], upper[place] = 0.0, 1.0, max(upper[place], effort[metric])
    upper[-1] = FULL_POINTS
    if allowed is not None:
        upper[:count] = allowed
    lower = np.append(team.forced.astype(np.float64), np.zeros(len(shared) + 1))
    found = _solve(cost, rows, least, lower, upper, np.arange(width) < count)
    return None if found is None else found[:count] > 0.5


def _solve(
    cost: _Floats, rows: _Floats, least: _Floats, lower: _Floats, upper: _Floats, whole: _Flags
) -> _Floats | None:
    """Minimise ``cost @ x`` with ``rows @ x >= least``; ``whole`` says which variables are whole numbers."""
    import highspy

    solver = highspy.Highs()
    for name, value in (("output_flag", False), ("threads", 1), ("mip_rel_gap", 0.0), ("mip_abs_gap", 0.49)):
        solver.setOptionValue(name, value)
    model = highspy.HighsLp()
    count = len(cost)
    there = rows != 0
    model.num_col_, model.num_row_ = count, len(rows)
    model.col_cost_, model.col_lower_ = cost, lower
    model.col_upper_ = upper
    model.row_lower_, model.row_upper_ = least, np.full(len(rows), highspy.kHighsInf)
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = np.concatenate([[0], np.cumsum(there.sum(axis=1))])
    model.a_matrix_.index_, model.a_matrix_.value_ = np.nonzero(there)[1], rows[there]
    kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    model.integrality_ = [kinds[int(each)] for each in whole]
    solver.passModel(model)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    return np.asarray(solver.getSolution().col_value, dtype=np.float64)
