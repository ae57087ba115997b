"""Where the next month's score lies if nothing changes but chance, by seeded draws (method 3.10, ADR 0034).

Of next month's window a month is new and a month is gone: the score moves by the luck of both. The draws tell how far;
the place is that of the score itself, because next month's score has the same luck in it as this month's.

Random numbers must be the same for years: numpy promises only the raw bits of PCG64, so uniforms are made from them
and everything else goes through inverse distribution functions.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from opsmetrics.catalogue import Ruleset
from opsmetrics.scoring.aggregate import AREA, TEAM
from opsmetrics.scoring.distributions import normal_quantiles
from opsmetrics.scoring.intervals import Floats, jeffreys_quantiles
from opsmetrics.scoring.points import points
from opsmetrics.scoring.status import MEASURED

DRAWS = 2000
MONTH_DAYS = 365.25 / 12
SERIES = "series_"
# Inverse distribution functions are tabulated: 1024 steps of a uniform, so that a draw is one look-up. Against
# exact draws the ends of a team's interval differ by less than 0.1 points, those of an area's by less than 0.15
# (tests/opsmetrics/scoring/test_draws.py).
_BITS = 10
_STEPS = 1 << _BITS
_NODES = 128
_CHUNK = 256
# Shares and points of one metric that differ by less share a table.
_DIGITS = 4
_NEEDED = (
    *("metric_id", "points", "weight", "evidence_weight", "status", "chance", "units", "window_days"),
    *("value", "standard_error", "floor", "krav", "mal"),
)


_EQUAL = 9  # digits of a score to which another order of its sum makes no difference
_ROUNDING = np.float32(1e-4)  # scores are drawn in single precision


def seed_of(*parts: str) -> int:
    """Return the seed of what its parts name: first 8 bytes of SHA-256 over them, ``area|team|grain|ruleset|as_of``."""
    return int.from_bytes(hashlib.sha256("|".join(parts).encode()).digest()[:8], "big")


def raw_bits(seed: int, count: int) -> npt.NDArray[np.uint64]:
    """Return raw 64-bit draws of PCG64."""
    return np.random.PCG64(seed).random_raw(count)


def uniforms(seed: int, rows: int, columns: int) -> Floats:
    """Return ``rows x columns`` uniforms in [0, 1), row-major: the upper 53 bits of each raw draw (G24, G25)."""
    bits = raw_bits(seed, rows * columns) >> np.uint64(11)
    return bits.astype(np.float64).reshape(rows, columns) * 2.0**-53


def points_of(values: Floats, floor: Floats, krav: Floats, mal: Floats) -> Floats:
    """Return points 0..100 of arrays that broadcast, by the one formula; ``krav`` is nan where there is none."""
    whole = np.broadcast_arrays(values, floor, krav, mal)
    columns = pl.DataFrame({name: a.ravel() for name, a in zip(("v", "f", "k", "m"), whole, strict=True)})
    found = columns.select(points(pl.col("v"), pl.col("f"), pl.col("k").fill_nan(None), pl.col("m")))
    return found.to_series().to_numpy().reshape(whole[0].shape)


@dataclass(frozen=True, slots=True)
class _Tables:
    """Points by step of the uniform, flat, one row of steps per distinct sample; and the row of each cell."""

    points: npt.NDArray[np.float32]
    row_of: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Chances:
    """What the draws say of areas and teams: ``team_id, as_of, grain`` (and ``area_id``) with the columns below.

    ``interval_low, interval_high``: 5 % and 95 % of the draws. ``reach_1`` to ``reach_4``: share of the draws that
    reach the edge of that level.
    """

    area: pl.DataFrame
    team: pl.DataFrame


def score_chances(cells: pl.DataFrame, areas: pl.DataFrame, ruleset: Ruleset) -> Chances:
    """Draw next month's scores of every area and team that has one.

    Args:
        cells: Metrics after waivers with ``points``, ``weight``, ``evidence_weight``, ``value``, ``standard_error``,
            ``chance`` (``share``: of ``units`` items in the value's own unit; ``points``: of the points; ``normal``:
            by the standard error), ``units``, ``window_days`` (0 for a state), anchors and ``status``.
        areas: With ``score``, ``status`` and ``area_weight``. Areas without a score are left out; in a team's score
            only published ones take part.
        ruleset: For lambda, level edges, how long a state stands, and the version.

    Returns:
        One row per area and per team; the trend's own periods are left out.
    """
    scored = areas.filter(
        pl.col("score").is_not_null() & ~pl.col("grain").cast(pl.String).str.starts_with(SERIES)
    ).select(*AREA, "area_weight", area_score=pl.col("score").round(_EQUAL), is_published=pl.col("status") == "ok")
    parts = (
        cells.select(*AREA, *_NEEDED)
        .filter(pl.col("points").is_not_null() & (pl.col("evidence_weight") > 0))
        .join(scored, on=AREA)
        # Before anything is summed: the last digit of a sum follows the order of its rows, which no table keeps.
        .sort([*TEAM, "area_id", "metric_id"])
        .with_columns(effective=pl.col("weight") * pl.col("evidence_weight"))
        .with_columns(within=pl.col("effective") / pl.col("effective").sum().over(AREA))
        # What a team has not connected is no matter of chance; what our own failure hides is.
        .with_columns(is_drawn=pl.col("status").is_in([*MEASURED, "stale"]) & pl.col("chance").is_not_null())
    )
    edges = np.array(ruleset.level_edges, dtype=np.float32)
    columns = _columns_of(parts, _tabulate(parts.filter("is_drawn"), ruleset.state_days))
    groups = (
        parts.with_row_index("position").group_by(TEAM, maintain_order=True).agg(pl.col("position").min(), pl.len())
    )
    area_rows: list[npt.NDArray[np.float64]] = []
    team_rows = np.full((len(groups), 2 + len(edges)), np.nan)
    for number, (team, as_of, grain, start, count) in enumerate(groups.iter_rows()):
        period = (team, grain, ruleset.version, as_of.isoformat())
        of_areas, of_team = _chances(period, columns, slice(start, start + count), edges, ruleset.weakest_share)
        area_rows.append(of_areas)
        team_rows[number] = of_team
    names = ["interval_low", "interval_high", *(f"reach_{level}" for level in range(1, len(edges) + 1))]
    found = np.vstack([np.empty((0, len(names))), *area_rows])
    return Chances(
        parts.select(AREA).unique(maintain_order=True).with_columns(pl.DataFrame(found, schema=names)),
        groups.select(TEAM).with_columns(pl.DataFrame(team_rows, schema=names).fill_nan(None)),
    )


@dataclass(frozen=True, slots=True)
class _Columns:
    """The metrics of all teams and instants, one after the other.

    Attributes:
        area: Number of the area.
        within: Share of the area's weight.
        fixed: ``within`` times points.
        weight: Weight of the area in the team's score, 0 where it is not published.
        score: Score of the area.
        table: Row of the tables, -1 for what chance does not touch.
        tables: Points by step, flat.
        names: Ids of all areas, by number.
    """

    area: npt.NDArray[np.int64]
    within: Floats
    fixed: Floats
    weight: Floats
    score: Floats
    table: npt.NDArray[np.int64]
    tables: npt.NDArray[np.float32]
    names: tuple[str, ...]

    @property
    def areas(self) -> int:
        """Number of areas."""
        return len(self.names)


def _chances(
    period: tuple[str, str, str, str],
    columns: _Columns,
    span: slice,
    edges: npt.NDArray[np.float32],
    weakest_share: float,
) -> tuple[Floats, Floats]:
    """Ends and chances of the areas of one team at one instant, in their order, and of the team."""
    area, table = columns.area[span], columns.table[span]
    there = np.unique(area)
    weight, score = np.zeros(columns.areas), np.zeros(columns.areas)
    weight[area], score[area] = columns.weight[span], columns.score[span]
    drawn = np.flatnonzero(table >= 0)
    still = table < 0
    constant = np.bincount(area[still], columns.fixed[span][still], columns.areas).astype(np.float32)
    coefficients = np.zeros((len(drawn), columns.areas), dtype=np.float32)
    coefficients[np.arange(len(drawn)), area[drawn]] = columns.within[span][drawn]
    # Each area has numbers of its own: what happens in one moves no other.
    own_bits = [
        raw_bits(seed_of(columns.names[place], *period), DRAWS * count).reshape(DRAWS, count)
        for place, count in zip(*np.unique(area[drawn], return_counts=True), strict=True)
    ]
    steps = np.hstack(own_bits) if own_bits else np.empty((DRAWS, 0), dtype=np.uint64)
    np.right_shift(steps, np.uint64(64 - _BITS), out=steps)
    places = steps.view(np.int64)
    places += table[drawn] * _STEPS
    drawn_areas = columns.tables.take(places) @ coefficients
    drawn_areas += constant
    drawn_areas += (score - np.median(drawn_areas, axis=0)).astype(np.float32)
    published = np.flatnonzero(weight)
    of_areas = np.array([_told(drawn_areas[:, column].copy(), edges) for column in there])
    if not len(published):
        return of_areas, np.full(2 + len(edges), np.nan)
    share = weight[published] / weight.sum()
    own = drawn_areas[:, published]
    teams = (1 - weakest_share) * (own @ share.astype(np.float32)) + weakest_share * own.min(axis=1)
    own_score = (1 - weakest_share) * (score[published] @ share) + weakest_share * score[published].min()
    return of_areas, _told(teams + np.float32(own_score - np.median(teams)), edges)


def _told(scores: npt.NDArray[np.float32], edges: npt.NDArray[np.float32]) -> Floats:
    """Ends of the interval within 0..100, and the share of the draws at or above each edge."""
    low, high = interval_ends(scores)
    reached = len(scores) - np.searchsorted(scores, edges - _ROUNDING)
    return np.array([max(0.0, low), min(100.0, high), *(reached / len(scores))])


def interval_ends(scores: npt.NDArray[np.floating[Any]]) -> tuple[float, float]:
    """Return the 5 % and 95 % quantiles (type 7); sorts the scores in place, which is faster than asking numpy."""
    scores.sort()
    ends: list[float] = []
    for quantile in (0.05, 0.95):
        whole, part = divmod(quantile * (len(scores) - 1), 1)
        below, above = scores[int(whole)], scores[min(int(whole) + 1, len(scores) - 1)]
        ends.append(float(below + (above - below) * part))
    return ends[0], ends[1]


def _columns_of(parts: pl.DataFrame, tables: _Tables) -> _Columns:
    """Return what a draw reads, as arrays in the order of ``parts``."""
    table = np.full(len(parts), -1)
    table[parts["is_drawn"].to_numpy()] = tables.row_of
    # All areas, also those that these instants lack: sums of single precision depend on how many there are.
    kind = parts.schema["area_id"]
    area_ids = kind.categories if isinstance(kind, pl.Enum) else parts["area_id"].unique().sort()
    area = parts["area_id"].replace_strict(area_ids, np.arange(len(area_ids)), return_dtype=pl.Int64).to_numpy()
    return _Columns(
        area,
        parts["within"].to_numpy(),
        parts["within"].to_numpy() * parts["points"].to_numpy(),
        parts.select(pl.when("is_published").then("area_weight").otherwise(0.0)).to_series().to_numpy(),
        parts["area_score"].to_numpy(),
        table,
        tables.points,
        tuple(area_ids),
    )


def turned_over(window_days: pl.Expr, state_days: float) -> pl.Expr:
    """Return by how much next month's variance differs from that of a whole window: twice the share that is new.

    Args:
        window_days: Length of the window; 0 for a state, which stands for ``state_days``.
        state_days: How long a state usually stands.
    """
    stands = pl.when(window_days > 0).then(window_days).otherwise(state_days)
    return 2.0 * (MONTH_DAYS / stands).clip(upper_bound=1.0)


def _tabulate(drawn: pl.DataFrame, state_days: float) -> _Tables:
    """Tabulate points by step for every distinct sample; equal samples of a metric share a row."""
    by_points, is_normal = pl.col("chance") == "points", pl.col("chance") == "normal"
    keyed = drawn.select(
        "metric_id",
        "chance",
        *(pl.when(~by_points).then(name).alias(name) for name in ("floor", "krav", "mal")),
        share=pl.when(by_points).then(pl.col("points") / 100).otherwise("value").round(_DIGITS),
        items=pl.when(~is_normal).then(
            (pl.col("units").clip(lower_bound=1.0) / turned_over(pl.col("window_days"), state_days)).round(_DIGITS)
        ),
        standard_error=pl.when(is_normal).then(
            (pl.col("standard_error") * turned_over(pl.col("window_days"), state_days).sqrt()).round(_DIGITS)
        ),
    )
    codes = keyed.with_columns(code=pl.struct("metric_id", "chance", "share", "items", "standard_error").rank("dense"))
    distinct = codes.unique("code", maintain_order=True).sort("code")
    middle = (np.arange(_STEPS) + 0.5) / _STEPS
    table = np.empty((len(distinct), _STEPS), dtype=np.float32)
    for start in range(0, len(distinct), _CHUNK):
        part = distinct[start : start + _CHUNK]
        found = _quantiles(part, middle)
        anchors = [part[name].to_numpy().astype(np.float64)[:, None] for name in ("floor", "krav", "mal")]
        is_points = (part["chance"] == "points").to_numpy()[:, None]
        table[start : start + _CHUNK] = np.where(is_points, 100 * found, points_of(found, *anchors))
    return _Tables(table.ravel(), codes["code"].cast(pl.Int64).to_numpy() - 1)


def _quantiles(samples: pl.DataFrame, share: Floats) -> Floats:
    """Return values at each share, one row per sample: exact at nodes dense in the tails, linear between them."""
    angle = (np.arange(_NODES) + 0.5) / _NODES * np.pi
    nodes = np.concatenate([[1e-6], (1 - np.cos(angle)) / 2, [1 - 1e-6]])
    exact = value_quantiles(samples, nodes)
    return np.vstack([np.interp(share, nodes, row) for row in exact])


def value_quantiles(samples: pl.DataFrame, at: Floats) -> Floats:
    """Return quantiles of the values that chance could have given, one row per sample (method 3.10).

    Args:
        samples: ``chance``, ``share`` and ``items`` (for all but ``normal``), ``standard_error`` (for ``normal``).
        at: Where to ask, 0..1, for every row the same.
    """
    is_normal = (samples["chance"] == "normal").to_numpy()
    value, items, error = (samples[name].to_numpy().astype(np.float64) for name in ("share", "items", "standard_error"))
    beta = jeffreys_quantiles(
        np.where(is_normal, 1.0, np.clip(value, 0.0, 1.0) * items)[:, None],
        np.where(is_normal, 2.0, items)[:, None],
        at[None, :],
    )
    bell = value[:, None] + np.nan_to_num(error)[:, None] * normal_quantiles(at)[None, :]
    return np.where(is_normal[:, None], bell, beta)
