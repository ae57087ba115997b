"""The waterfall: why a team's score changed from one instant to the next (ADR 0009).

The before state is turned into the after state in a fixed order - performance, coverage, scope, waivers, rules,
ownership - and each step's effect on the team score is its part. The parts sum to the difference by construction;
the parts of a longer span are the sums of its steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from opsmetrics.catalogue import Ruleset
from opsmetrics.scoring.aggregate import AREA, TEAM, area_scores, team_scores
from opsmetrics.scoring.points import points
from opsmetrics.scoring.status import MEASURED

PARTS = ("performance", "coverage", "scope", "waivers", "rules", "ownership")
_STATE = ["status", "points", "evidence_weight", "completeness"]
_RULES = ["weight", "floor", "krav", "mal", "area_id", "area_weight"]
_OUT_OF_SCOPE = ("not_applicable", "no_opportunity")


@dataclass(frozen=True, slots=True)
class State:
    """Everything that makes team scores at an instant.

    Attributes:
        cells: ``team_id, as_of, grain`` (the step's end, at both ends of it), ``metric_id, area_id, area_weight,
            status`` (waivers left aside), ``points, evidence_weight, completeness, value, is_entity, weight,
            floor, krav, mal`` and ``is_waived``; one row per team, step and metric.
        ruleset: The rules.
    """

    cells: pl.DataFrame
    ruleset: Ruleset


def waterfall(before: State, after: State, frozen: State | None = None) -> pl.DataFrame:
    """Split the difference of every team's score into its parts.

    Args:
        before: State at the first instant of each step.
        after: State at the second instant.
        frozen: State at the second instant as if no service had changed hands in between; None where none did.

    Returns:
        ``team_id, as_of, grain, score_before, score_after`` and one column per part, all in points of the team
        score. Teams without a score at one of the two instants are left out: there is no difference to explain.
    """
    before, after = ordered(before), ordered(after)
    frozen = None if frozen is None else ordered(frozen)
    target = frozen or after
    merged = merge_states(before, target)
    steps = _scored(before.cells, before.ruleset, "0")
    taken: set[str] = set()
    for number, layer in enumerate(PARTS[:-1], start=1):
        taken.add(layer)
        # With every layer taken the state is the target itself, whatever the layers left out.
        is_last = len(taken) == len(PARTS) - 1
        cells = target.cells if is_last else with_layers(merged, taken)
        steps = steps.join(_scored(cells, (target if is_last else before).ruleset, str(number)), on=TEAM, how="left")
    if frozen is None:
        steps = steps.with_columns(score_end=pl.col(f"score_{len(PARTS) - 1}"))
    else:
        steps = steps.join(_scored(after.cells, after.ruleset, "end"), on=TEAM, how="left")
    steps = steps.filter(pl.col("score_0").is_not_null() & pl.col("score_end").is_not_null())
    # Where a state in between has no score, its effect is shown by the next part that has one.
    filled = [pl.col("score_0")]
    for number in range(1, len(PARTS)):
        filled.append(pl.coalesce(pl.col(f"score_{number}"), filled[-1]))
    parts = {part: filled[n + 1] - filled[n] for n, part in enumerate(PARTS[:-1])}
    return steps.select(
        *TEAM,
        score_before="score_0",
        score_after="score_end",
        **parts,
        ownership=pl.col("score_end") - filled[-1],
    ).sort(TEAM)


def ordered(state: State) -> State:
    """Return the state with its cells in the order in which sums are taken."""
    return State(state.cells.sort([*AREA, "metric_id"]), state.ruleset)


def merge_states(before: State, after: State) -> pl.DataFrame:
    """Return the cells of two states side by side, those of ``after`` with the suffix ``_after``."""
    keep = [*TEAM, "metric_id", *_STATE, *_RULES, "value", "is_entity", "is_waived"]
    return (
        before.cells.select(keep)
        .join(after.cells.select(keep), on=[*TEAM, "metric_id"], how="full", coalesce=True, suffix="_after")
        .sort([*TEAM, pl.coalesce("area_id", "area_id_after"), "metric_id"])
    )


def _in_scope(status: str) -> pl.Expr:
    return pl.col(status).is_not_null() & ~pl.col(status).is_in(_OUT_OF_SCOPE)


def with_layers(merged: pl.DataFrame, taken: set[str]) -> pl.DataFrame:
    """Return the cells with the layers in ``taken`` from after and the rest from before; rules are those of before."""
    was, now = _in_scope("status"), _in_scope("status_after")
    both_measured = pl.col("status").is_in(MEASURED) & pl.col("status_after").is_in(MEASURED)
    # A metric that comes into or goes out of scope belongs to scope; in scope at both, but not measured at both,
    # to coverage; measured at both, its points to performance and its evidence weight to coverage.
    from_scope = was != now
    from_coverage = was & now & ~both_measured

    def pick(layer: str, column: str) -> pl.Expr:
        return pl.col(f"{column}_after") if layer in taken else pl.col(column)

    def pick_points(layer: str) -> pl.Expr:
        return _points_under_before() if layer in taken else pl.col("points")

    return merged.select(
        *TEAM,
        "metric_id",
        *(pl.coalesce(name, f"{name}_after").alias(name) for name in ("area_id", "area_weight", "weight")),
        is_waived=pick("waivers", "is_waived").fill_null(value=False),
        status=pl.when(from_scope)
        .then(pick("scope", "status"))
        .otherwise(pick("coverage", "status"))
        .fill_null("not_applicable"),
        points=pl.when(from_scope)
        .then(pick_points("scope"))
        .when(from_coverage)
        .then(pick_points("coverage"))
        .otherwise(pick_points("performance")),
        **{
            name: pl.when(from_scope).then(pick("scope", name)).otherwise(pick("coverage", name))
            for name in ("evidence_weight", "completeness")
        },
    )


def _points_under_before() -> pl.Expr:
    """The after value under the before rules; entity metrics and rules without change keep their points."""
    anchors = ("floor", "krav", "mal")
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"{name}_after")) for name in anchors)
    new_metric = pl.col("floor").is_null()
    again = points(pl.col("value_after"), *(pl.col(name) for name in anchors))
    keep = same | new_metric | pl.col("is_entity_after") | ~pl.col("status_after").is_in(MEASURED)
    return pl.when(keep).then(pl.col("points_after")).otherwise(again)


def with_waivers(cells: pl.DataFrame) -> pl.DataFrame:
    """Return the cells as they count: what is waived has that status."""
    waived = pl.col("is_waived") & (pl.col("status") != "not_applicable")
    return cells.with_columns(status=pl.when(waived).then(pl.lit("waived")).otherwise(pl.col("status")))


def areas_of(cells: pl.DataFrame, ruleset: Ruleset) -> pl.DataFrame:
    """Return the areas of one state with their weights; cells as :func:`ordered` leaves them."""
    # Bounds of a state between two are asked for by nobody.
    now = with_waivers(cells).with_columns(points_low="points", points_high="points")
    areas = area_scores(now, ruleset, is_sorted=True)
    return areas.join(cells.select("area_id", "area_weight").unique(), on="area_id")


def _scored(cells: pl.DataFrame, ruleset: Ruleset, name: str) -> pl.DataFrame:
    """The team score of one state, as ``score_<name>``."""
    return team_scores(areas_of(cells, ruleset), ruleset).select(*TEAM, pl.col("score").alias(f"score_{name}"))
