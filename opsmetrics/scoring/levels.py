"""Levels 0 to 4: claimed while the score is there, given only when it will stay (method 3.6, ADR 0034).

A level falls with the score. It rises when, at every evaluation of the last weeks, the chance of reaching it was large:
so what was given is rarely taken back, and what is claimed is always more likely than not.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl

from opsmetrics.catalogue import Ruleset
from opsmetrics.scoring.aggregate import TEAM

REACH = "reach_"


def level(score: pl.Expr, edges: list[float]) -> pl.Expr:
    """Return the level 0..4 whose edge an unrounded score reaches; null for null."""
    reached = sum(((score >= edge).cast(pl.Int32) for edge in edges), pl.lit(0, pl.Int32))
    return pl.when(score.is_not_null()).then(reached)


def with_chances(scores: pl.DataFrame, chances: pl.DataFrame, by: list[str], ruleset: Ruleset) -> pl.DataFrame:
    """Add the interval, the level of the score and what the chances say of levels.

    Args:
        scores: ``by`` and ``score``.
        chances: ``by``, ``interval_low``, ``interval_high`` and the chance of each level, ``reach_1`` to ``reach_4``.
        by: What identifies a row.
        ruleset: For level edges and how sure a level must be.

    Returns:
        The scores with ``interval_low``, ``interval_high``, ``level_by_score``, ``level_sure`` (the highest level that
        is reached with the chance ``level_sure`` of the ruleset), ``is_on_edge`` (a level is reached with a chance that
        is neither so large nor so small) and ``reach_3``, the chance that the requirement is met.
    """
    count = len(ruleset.level_edges)
    reach = [pl.col(f"{REACH}{number}") for number in range(1, count + 1)]
    sure, unsure = ruleset.level_sure, 1.0 - ruleset.level_sure
    steps = sum(((chance >= sure).cast(pl.Int32) for chance in reach), pl.lit(0, pl.Int32))
    edge = pl.any_horizontal(*((chance > unsure) & (chance < sure) for chance in reach))
    # The trend's own periods are neither drawn nor given a level.
    known = pl.col("score").is_not_null() & reach[0].is_not_null()
    return scores.join(chances, on=by, how="left").with_columns(
        level_by_score=pl.when(known).then(level(pl.col("score"), ruleset.level_edges)),
        level_sure=pl.when(known).then(steps),
        is_on_edge=pl.when(known).then(edge),
    )


def standing_levels(rows: pl.DataFrame, by: list[str], ruleset: Ruleset) -> pl.Series:
    """Return the level that stands at each evaluation.

    Args:
        rows: ``as_of``, ``by``, ``level_by_score``, ``level_sure`` and ``cap`` (the highest level allowed at the time,
            or null); every evaluation there is, of all grains but the trend's own, in any order.
        by: What has a level: a team, or a team and an area.
        ruleset: For the number of days that a level must have been sure.

    Returns:
        One level per row, null where there is no score. A level that went out with too little data stands again when
        there is enough.
    """
    days = timedelta(days=ruleset.level_days)
    ordered = (
        rows.with_row_index("row")
        .sort([*by, "as_of"])
        .select(
            *("row", "as_of"),
            reached=pl.min_horizontal("level_by_score", "cap"),
            sure=pl.min_horizontal(pl.coalesce("level_sure", "level_by_score"), "level_by_score"),
            is_known=pl.col("level_by_score").is_not_null(),
            who=pl.struct(by).rank("dense"),
        )
        # A month that ends with a week is evaluated twice with luck of their own: the less sure of them counts.
        .with_columns(sure=pl.col("sure").min().over("who", "as_of"))
    )
    found: list[int | None] = [None] * len(rows)
    previous: int | None = None
    standing: int | None = None
    seen: list[tuple[datetime, int]] = []
    for row, as_of, reached, sure, is_known, who in ordered.iter_rows():
        if who != previous:
            previous, standing, seen = who, None, []
        if not is_known:
            continue
        seen.append((as_of, sure))
        # As long ago as asked for, and the newest one before: the whole time is spanned.
        while len(seen) > 1 and seen[1][0] <= as_of - days:
            seen.pop(0)
        if standing is None or reached < standing:
            standing = reached
        elif seen[0][0] <= as_of - days:
            standing = max(standing, min(reached, *(least for _, least in seen)))
        found[row] = standing
    return pl.Series("level", found, dtype=pl.Int32)


def with_levels(
    areas: pl.DataFrame, teams: pl.DataFrame, caps: dict[str, int], ruleset: Ruleset
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Set ``level`` of areas and teams from all evaluations there are.

    Args:
        areas: ``team_id, area_id, as_of, grain, status, level_by_score, level_sure, gate``.
        teams: ``team_id, as_of, grain, level_by_score, level_sure``.
        caps: Highest level of an area while a gate is tripped, by gate.
        ruleset: For the rules of levels.

    Returns:
        Both with ``level``: of an area capped by its strictest gate, of a team at most one above the lowest level of a
        published area.
    """
    cap = pl.col("gate").cast(pl.String).replace_strict(caps, default=None, return_dtype=pl.Int32)
    # What a gate took comes back as other levels do, when there was no finding for long enough. The weakest area has
    # waited itself, and a team that has long been sure does not wait for it twice.
    gated = areas.with_columns(cap=cap).with_columns(level_sure=pl.min_horizontal("level_sure", "cap"))
    areas = areas.with_columns(level=standing_levels(gated, ["team_id", "area_id"], ruleset))
    lowest = areas.filter(pl.col("status") == "ok").group_by(TEAM).agg(cap=pl.col("level").min() + 1)
    capped = teams.join(lowest, on=TEAM, how="left", maintain_order="left")
    return areas, teams.with_columns(level=standing_levels(capped, ["team_id"], ruleset))
