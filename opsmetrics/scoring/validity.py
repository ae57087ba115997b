"""Whether practice scores of a quarter go with outcomes of the next, between teams and within them (method 3.19).

Scores and outcomes are ranked among the teams of each quarter: what moved everybody alike is gone, whatever its shape,
and one dreadful quarter weighs no more than a bad one. Between teams the means of these ranks are compared; within
teams, what is left of the ranks without each team's own mean. Teams are what chance draws: quarters of a team resemble
each other, so whole teams are exchanged for p and drawn for the interval.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import polars as pl

from opsmetrics.scoring.distributions import mid_ranks, t_quantile
from opsmetrics.scoring.draws import DRAWS, seed_of, uniforms
from opsmetrics.scoring.intervals import Floats
from opsmetrics.scoring.tables import VALIDITY_KINDS
from opsmetrics.scoring.trend import FALSE_DISCOVERY, false_discovery

FEWEST_TEAMS = 8  # as few points as a trend is judged on
LEVEL = 0.90
_DECIMALS = 9  # sums taken in another order are no difference
_NOTHING = 1e-9
_ENDLESS = 0.999  # Fisher's z of a perfect correlation has no end
_SWEEPS = 200

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Link:
    """How a practice goes with an outcome; +1: the better the practice, the better the outcome.

    Attributes:
        teams: Teams that tell something: within teams, those with two quarters or more.
        quarters: Their quarters, each with the outcome of the next.
        correlation: Rank correlation; nan where there are too few teams, or where nothing varies.
        low: Lower end of the 90 % interval.
        high: Upper end.
        p: Two-sided p, of exchanging teams.
    """

    teams: int
    quarters: int
    correlation: float
    low: float
    high: float
    p: float


def validity_table(pairs: pl.DataFrame) -> pl.DataFrame:
    """Judge every practice against every outcome.

    Args:
        pairs: ``outcome, area_id, team_id, quarter, score`` and ``value`` (the more, the worse), null = not known.

    Returns:
        Columns as ``scores.validity`` but for the metrics left out, two rows per outcome and area.
    """
    rows = [row for key, group in _groups(pairs) for row in _rows(*key, group)]
    schema = {
        **dict.fromkeys(("outcome", "area_id", "kind"), pl.String),
        **dict.fromkeys(("team_count", "quarter_count", "left_out_count"), pl.Int64),
        **dict.fromkeys(("correlation", "low", "high", "p"), pl.Float64),
    }
    table = pl.DataFrame(rows, schema=schema, orient="row")
    q = pl.Series("q", false_discovery(table["p"].to_numpy()))
    certain = (q <= FALSE_DISCOVERY) & ((table["low"] > 0) | (table["high"] < 0))
    word = (
        pl.when(pl.col("team_count") < FEWEST_TEAMS)
        .then(pl.lit("too_few"))
        .when(~certain)
        .then(pl.lit("cannot_tell"))
        .when(pl.col("correlation") > 0)
        .then(pl.lit("goes_with"))
        .otherwise(pl.lit("goes_against"))
    )
    return table.with_columns(q=q, verdict=word).fill_nan(None)


def _groups(pairs: pl.DataFrame) -> Iterator[tuple[tuple[str, str | None], pl.DataFrame]]:
    ordered = pairs.sort("outcome", "area_id", "team_id", "quarter")
    for (outcome, area_id), group in ordered.group_by("outcome", "area_id", maintain_order=True):
        yield (str(outcome), None if area_id is None else str(area_id)), group


def _rows(outcome: str, area_id: str | None, group: pl.DataFrame) -> Iterator[tuple[object, ...]]:
    known = group.drop_nulls(["score", "value"])
    score, value = _panel(known)
    for kind, link in zip(VALIDITY_KINDS, links(score, value), strict=True):
        found = (link.correlation, link.low, link.high, link.p)
        yield outcome, area_id, kind, link.teams, link.quarters, len(group) - len(known), *found


def _panel(known: pl.DataFrame) -> tuple[Floats, Floats]:
    """Score and outcome as arrays of teams by quarters, nan where a team has no known pair."""
    row, column = (
        known.select(pl.col(name).rank("dense").cast(pl.Int64) - 1).to_series().to_numpy()
        for name in ("team_id", "quarter")
    )
    shape = (int(row.max(initial=-1)) + 1, int(column.max(initial=-1)) + 1)
    found = np.full((2, *shape), np.nan)
    for number, name in enumerate(("score", "value")):
        found[number, row, column] = np.round(known[name].to_numpy(), _DECIMALS)
    return found[0], found[1]


def links(score: Floats, value: Floats) -> tuple[Link, Link]:
    """Return the links between teams and within them.

    Args:
        score: Practice, shape (teams, quarters); nan where the pair is not known.
        value: Outcome of the next quarter, the more the worse; nan in the same places.
    """
    there = ~np.isnan(score)
    practice, good = _ranks(score), _ranks(-value)
    filled = there.sum(axis=1)
    some = filled > 0
    means = [_centred_ranks(_mean(part[some], there[some])[:, None]) for part in (practice, good)]
    several = filled > 1
    left = [_without_means(part[several], there[several]) for part in (practice, good)]
    return (
        _link(means[0], means[1], np.ones_like(means[0], dtype=bool), int(filled.sum())),
        _link(left[0], left[1], there[several], int(filled[several].sum())),
    )


def _ranks(values: Floats) -> Floats:
    """Ranks among the teams of each quarter, as their distance from the middle in shares of the teams; 0 for nan."""
    count = np.maximum((~np.isnan(values)).sum(axis=0), 1)
    return _centred_ranks(values) / count


def _centred_ranks(values: Floats) -> Floats:
    """Mid-ranks of each column less their mean; 0 for nan."""
    if not values.size:
        return np.zeros(values.shape)
    count = (~np.isnan(values)).sum(axis=0)
    return np.nan_to_num(mid_ranks(values) - (count + 1) / 2)


def _mean(values: Floats, there: npt.NDArray[np.bool_]) -> Floats:
    return np.round(values.sum(axis=1) / there.sum(axis=1), _DECIMALS)


def _without_means(values: Floats, there: npt.NDArray[np.bool_]) -> Floats:
    """Take out what a team always has and what a quarter has for all, until neither is left; 0 where nothing is."""
    rows, columns = (np.maximum(there.sum(axis=axis, keepdims=True), 1) for axis in (1, 0))
    for _ in range(_SWEEPS):
        before = values
        values = np.where(there, values - values.sum(axis=1, keepdims=True) / rows, 0.0)
        values = np.where(there, values - values.sum(axis=0, keepdims=True) / columns, 0.0)
        if np.abs(values - before).max(initial=0.0) < _NOTHING:
            break
    return values


def _link(practice: Floats, good: Floats, there: npt.NDArray[np.bool_], quarters: int) -> Link:
    """Judge centred values: their correlation, exchanging and drawing whole teams."""
    teams = len(practice)
    both, own, others = ((a * b).sum(axis=1) for a, b in ((practice, good), (practice, practice), (good, good)))
    if teams < FEWEST_TEAMS or min(own.sum(), others.sum()) < _NOTHING:
        return Link(teams, quarters, np.nan, np.nan, np.nan, np.nan)
    correlation = round(float(both.sum() / np.sqrt(own.sum() * others.sum())), _DECIMALS)
    low, high = _interval(correlation, both, own, others)
    return Link(teams, quarters, correlation, low, high, _exchanged(correlation, practice, good, there))


def _exchanged(correlation: float, practice: Floats, good: Floats, there: npt.NDArray[np.bool_]) -> float:
    """Share of exchanges (each team's practice beside another's outcomes) that go together at least as much."""
    places = _places(len(practice))
    both = np.take(practice @ good.T, places).sum(axis=1)
    if there.all():
        own, others = (practice * practice).sum(), (good * good).sum()
    else:
        # Beside another team only the quarters count that both have.
        mask = there.astype(np.float64)
        pairs = (((practice * practice) @ mask.T), (mask @ (good * good).T))
        own, others = (np.take(pair, places).sum(axis=1) for pair in pairs)
    found = both / np.sqrt(np.maximum(own * others, _NOTHING))
    return float((1 + (np.abs(found) >= abs(correlation) - _NOTHING).sum()) / (1 + DRAWS))


def _interval(correlation: float, both: Floats, own: Floats, others: Floats) -> tuple[float, float]:
    """90 % interval on Fisher's scale, whose standard error is that of drawing teams with replacement.

    Quantiles of the draws themselves cover 74 to 83 % with 8 to 14 teams; this covers 87 to 93 % (ADR 0037).
    """
    teams = len(both)
    drawn = _samples(teams)
    # A draw of teams among which nothing varies tells nothing.
    sums = drawn @ np.stack([both, own, others], axis=1)
    scale = np.sqrt(sums[:, 1] * sums[:, 2])
    there = scale > _NOTHING
    found = _fisher(sums[there, 0] / scale[there])
    spread = np.std(found) * np.sqrt(teams / (teams - 1)) * t_quantile((1 + LEVEL) / 2, teams - 2)
    middle = _fisher(np.array([correlation]))[0]
    return round(float(np.tanh(middle - spread)), _DECIMALS), round(float(np.tanh(middle + spread)), _DECIMALS)


def _fisher(correlation: Floats) -> Floats:
    return np.arctanh(np.clip(correlation, -_ENDLESS, _ENDLESS))


@cache
def _places(teams: int) -> Counts:
    """Where, in a flat table of teams by teams, each team meets its partner of each exchange; the same for all."""
    order = np.argsort(uniforms(seed_of("validity", "orders", str(teams)), DRAWS, teams), axis=1, kind="stable")
    return order + teams * np.arange(teams)


@cache
def _samples(teams: int) -> Floats:
    """How often each team stands in each draw with replacement."""
    chosen = (uniforms(seed_of("validity", "samples", str(teams)), DRAWS, teams) * teams).astype(np.int64)
    flat = np.bincount((chosen + teams * np.arange(DRAWS)[:, None]).ravel(), minlength=DRAWS * teams)
    return flat.reshape(DRAWS, teams).astype(np.float64)
