"""Robustness annex (method 3.14): how far scores, ranks and levels depend on the choice of weights and lambda.

Rank intervals exist to prove that ranks are not robust. They are never published as a list of teams.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from opsmetrics.catalogue import Ruleset
from opsmetrics.scoring.draws import seed_of, uniforms
from opsmetrics.scoring.intervals import Floats

DRAWS = 2000
ON_EDGE = 0.20


@dataclass(frozen=True, slots=True)
class Robustness:
    """Per team, over the draws.

    Attributes:
        score: 5 %, 50 % and 95 % quantiles of the score, shape (teams, 3).
        rank: 5 % and 95 % quantiles of the rank, shape (teams, 2); 1 = best.
        mean_rank: Mean rank.
        level_share: Share of draws in which the level differs from the base level.
    """

    score: Floats
    rank: Floats
    mean_rank: Floats
    level_share: Floats


def robustness(areas: Floats, seed: int, edges: list[float], weakest_share: float) -> Robustness:
    """Vary area weights (half equal, half Dirichlet) and lambda (0 to 0.5) and watch scores, ranks and levels (G25).

    Args:
        areas: Area scores, shape (teams, areas); nan where an area is not published.
        seed: Of the draws.
        edges: Level edges.
        weakest_share: Lambda of the ruleset, for the base level.
    """
    count = areas.shape[1]
    u = uniforms(seed, DRAWS, count + 1)
    gamma = -np.log1p(-u[:, :count])
    weights = 0.5 / count + 0.5 * gamma / gamma.sum(axis=1, keepdims=True)
    scores = _mean_min(areas, weights, 0.5 * u[:, count])
    base = _mean_min(areas, np.full((1, count), 1 / count), np.array([weakest_share]))[0]
    ranks = _ranks(scores)
    levels = np.searchsorted(edges, scores, side="right")
    base_levels = np.searchsorted(edges, base, side="right")
    return Robustness(
        np.quantile(scores, [0.05, 0.5, 0.95], axis=0).T,
        np.quantile(ranks, [0.05, 0.95], axis=0).T,
        ranks.mean(axis=0),
        (levels != base_levels[None, :]).mean(axis=0),
    )


def _mean_min(areas: Floats, weights: Floats, shares: Floats) -> Floats:
    """Scores of shape (draws, teams)."""
    there = ~np.isnan(areas)
    filled = np.where(there, areas, 0.0)
    mean = (weights @ filled.T) / (weights @ there.T.astype(np.float64))
    return (1 - shares)[:, None] * mean + shares[:, None] * np.nanmin(areas, axis=1)[None, :]


def _ranks(scores: Floats) -> npt.NDArray[np.float64]:
    """Rank of each team in each draw, 1 = best; equal scores keep the teams' order."""
    order = np.argsort(-scores, axis=1, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(1, scores.shape[1] + 1)[None, :].repeat(len(scores), 0), axis=1)
    return ranks.astype(np.float64)


def robustness_table(areas: pl.DataFrame, teams: pl.DataFrame, ruleset: Ruleset) -> pl.DataFrame:
    """Return the annex for the latest day.

    Args:
        areas: With ``score``, ``status``, ``grain``.
        teams: With ``score`` and ``grain``; teams without a score do not take part.
        ruleset: For lambda, the edges and the version.

    Returns:
        Columns as ``scores.robustness``.
    """
    scored = teams.filter((pl.col("grain") == "latest") & pl.col("score").is_not_null()).select("team_id", "as_of")
    published = areas.filter((pl.col("grain") == "latest") & (pl.col("status") == "ok"))
    wide = scored.join(
        published.pivot("area_id", index="team_id", values="score", sort_columns=True), on="team_id", how="inner"
    ).sort("team_id")
    names = ("score_low", "score_median", "score_high", "rank_low", "rank_high", "level_change_ratio")
    if wide.is_empty():
        return wide.select("team_id", "as_of", *(pl.lit(None, pl.Float64).alias(name) for name in names)).with_columns(
            is_on_edge=pl.lit(None, pl.Boolean)
        )
    matrix = wide.drop("team_id", "as_of").to_numpy().astype(np.float64)
    seed = seed_of("robustness", ruleset.version, wide["as_of"][0].isoformat())
    found = robustness(matrix, seed, ruleset.level_edges, ruleset.weakest_share)
    columns = [*found.score.T, *found.rank.T, found.level_share]
    return wide.select("team_id", "as_of").with_columns(
        *(pl.Series(name, column) for name, column in zip(names, columns, strict=True)),
        is_on_edge=pl.Series(found.level_share > ON_EDGE),
    )
