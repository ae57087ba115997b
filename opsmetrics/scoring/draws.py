"""Intervals of team scores by seeded draws (method 3.10).

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
from opsmetrics.scoring.intervals import Floats, effective_size, jeffreys_quantiles
from opsmetrics.scoring.points import KRAV_POINTS, points
from opsmetrics.scoring.status import MEASURED

DRAWS = 2000
_ROUNDING = 1e-4  # scores are drawn in single precision
GRAINS = ("month", "tertial", "latest")
# Inverse distribution functions are tabulated: 1024 steps of a uniform, so that a draw is one look-up. Against
# exact draws the ends of a team's interval differ by less than 0.05 points (tests/opsmetrics/scoring/test_draws.py).
_BITS = 10
_STEPS = 1 << _BITS
_NODES = 128
_CHUNK = 256


_NEEDED = (
    *("metric_id", "points", "weight", "evidence_weight", "status", "interval", "sample_size"),
    *("numerator", "denominator", "value", "standard_error", "floor", "krav", "mal"),
)


def seed_of(*parts: str) -> int:
    """Return the seed of a team and period: first 8 bytes of SHA-256 over ``team|period|ruleset|as_of``."""
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


def score_intervals(cells: pl.DataFrame, areas: pl.DataFrame, ruleset: Ruleset) -> pl.DataFrame:
    """Return the 5 % to 95 % interval of every team score and the chance that the requirement is met.

    Args:
        cells: Metrics after waivers with ``points``, ``weight``, ``evidence_weight``, ``numerator``,
            ``denominator``, ``effective_size``, ``standard_error``, ``value``, ``interval`` (null for a census),
            anchors and ``status``.
        areas: With ``score``, ``status`` and ``area_weight``; only published areas take part.
        ruleset: For lambda and the version.

    Returns:
        ``team_id, as_of, grain, interval_low, interval_high, krav_probability``; month, tertial and latest only.
    """
    published = areas.filter((pl.col("status") == "ok") & pl.col("grain").is_in(GRAINS))
    parts = (
        cells.select(*AREA, *_NEEDED)
        .filter(pl.col("points").is_not_null() & (pl.col("evidence_weight") > 0))
        .join(published.select(*AREA, "area_weight"), on=AREA)
        .with_columns(effective=pl.col("weight") * pl.col("evidence_weight"))
        .with_columns(within=pl.col("effective") / pl.col("effective").sum().over(AREA))
        .with_columns(
            is_drawn=pl.col("interval").is_not_null() & pl.col("status").is_in(MEASURED) & (pl.col("denominator") > 0)
        )
        .sort([*TEAM, "area_id", "metric_id"])
    )
    if parts.is_empty():
        empty = pl.lit(None, pl.Float64)
        return parts.select(TEAM).with_columns(interval_low=empty, interval_high=empty, krav_probability=empty)
    tables = _tabulate(parts.filter("is_drawn"))
    columns = _columns_of(parts, tables.row_of)
    groups = (
        parts.with_row_index("position").group_by(TEAM, maintain_order=True).agg(pl.col("position").min(), pl.len())
    )
    ends = np.empty((len(groups), 3))
    for number, (team, as_of, grain, start, count) in enumerate(groups.iter_rows()):
        seed = seed_of(team, grain, ruleset.version, as_of.isoformat())
        ends[number] = _team_interval(seed, columns, slice(start, start + count), tables.points, ruleset.weakest_share)
    return groups.select(TEAM).with_columns(
        interval_low=pl.Series(ends[:, 0]), interval_high=pl.Series(ends[:, 1]), krav_probability=pl.Series(ends[:, 2])
    )


@dataclass(frozen=True, slots=True)
class _Columns:
    """The metrics of all teams and instants, one after the other.

    Attributes:
        area: Number of the area.
        within: Share of the area's weight.
        fixed: ``within`` times points.
        weight: Weight of the area.
        table: Row of the tables, -1 for what chance does not touch.
        areas: Number of areas.
    """

    area: npt.NDArray[np.int64]
    within: Floats
    fixed: Floats
    weight: Floats
    table: npt.NDArray[np.int64]
    areas: int


def _team_interval(
    seed: int, columns: _Columns, span: slice, tables: npt.NDArray[np.float32], weakest_share: float
) -> tuple[float, float, float]:
    """Interval and chance of one team at one instant; this runs thousands of times, so it writes in place."""
    area, table = columns.area[span], columns.table[span]
    weight = np.zeros(columns.areas, dtype=np.float32)
    weight[area] = columns.weight[span]
    there = np.flatnonzero(weight)
    share = weight / weight.sum()
    drawn = np.flatnonzero(table >= 0)
    still = table < 0
    constant = np.bincount(area[still], columns.fixed[span][still], columns.areas).astype(np.float32)
    coefficients = np.zeros((len(drawn), columns.areas), dtype=np.float32)
    coefficients[np.arange(len(drawn)), area[drawn]] = columns.within[span][drawn]
    steps = raw_bits(seed, DRAWS * len(drawn))
    np.right_shift(steps, np.uint64(64 - _BITS), out=steps)
    places = steps.view(np.int64).reshape(DRAWS, len(drawn))
    places += table[drawn] * _STEPS
    areas = tables.take(places) @ coefficients
    areas += constant
    least = areas[:, there[0]].copy()
    for column in there[1:]:
        np.minimum(least, areas[:, column], out=least)
    scores = (1 - weakest_share) * (areas @ share) + weakest_share * least
    chance = float(np.mean(scores >= KRAV_POINTS - _ROUNDING))
    low, high = interval_ends(scores)
    return low, high, chance


def interval_ends(scores: npt.NDArray[np.floating[Any]]) -> tuple[float, float]:
    """Return the 5 % and 95 % quantiles (type 7); sorts the scores in place, which is faster than asking numpy."""
    scores.sort()
    ends: list[float] = []
    for quantile in (0.05, 0.95):
        whole, part = divmod(quantile * (len(scores) - 1), 1)
        below, above = scores[int(whole)], scores[min(int(whole) + 1, len(scores) - 1)]
        ends.append(float(below + (above - below) * part))
    return ends[0], ends[1]


def _columns_of(parts: pl.DataFrame, row_of: npt.NDArray[np.int64]) -> _Columns:
    """Return what a draw reads, as arrays in the order of ``parts``; ``row_of`` is for the drawn ones."""
    table = np.full(len(parts), -1)
    table[parts["is_drawn"].to_numpy()] = row_of
    # All areas, also those that these instants lack: sums of single precision depend on how many there are.
    kind = parts.schema["area_id"]
    area_ids = kind.categories if isinstance(kind, pl.Enum) else parts["area_id"].unique().sort()
    area = parts["area_id"].replace_strict(area_ids, np.arange(len(area_ids)), return_dtype=pl.Int64).to_numpy()
    return _Columns(
        area,
        parts["within"].to_numpy(),
        parts["within"].to_numpy() * parts["points"].to_numpy(),
        parts["area_weight"].to_numpy(),
        table,
        len(area_ids),
    )


def _tabulate(drawn: pl.DataFrame) -> _Tables:
    """Tabulate points by step for every distinct sample; equal samples of a metric share a row."""
    identity = ["metric_id", "interval", "numerator", "denominator", "value", "standard_error"]
    keyed = drawn.with_columns(
        value=pl.when(pl.col("interval") != "jeffreys").then("value"),
        standard_error=pl.when(pl.col("interval") != "jeffreys").then("standard_error"),
        denominator=pl.when(pl.col("interval") == "jeffreys").then("denominator"),
        numerator=pl.when(pl.col("interval") == "jeffreys").then("numerator"),
        size=pl.col("sample_size"),
    ).with_columns(key=pl.struct([*identity, "size"]))
    codes = keyed.with_columns(code=pl.col("key").rank("dense").cast(pl.Int64) - 1)
    distinct = codes.unique("code", maintain_order=True).sort("code")
    middle = (np.arange(_STEPS) + 0.5) / _STEPS
    table = np.empty((len(distinct), _STEPS), dtype=np.float32)
    for start in range(0, len(distinct), _CHUNK):
        part = distinct[start : start + _CHUNK]
        anchors = [part[name].to_numpy().astype(np.float64)[:, None] for name in ("floor", "krav", "mal")]
        table[start : start + _CHUNK] = points_of(_quantiles(part, middle), *anchors)
    return _Tables(table.ravel(), codes["code"].to_numpy())


def _quantiles(samples: pl.DataFrame, share: Floats) -> Floats:
    """Return values at each share, one row per sample: exact at nodes dense in the tails, linear between them."""
    angle = (np.arange(_NODES) + 0.5) / _NODES * np.pi
    nodes = np.concatenate([[1e-6], (1 - np.cos(angle)) / 2, [1 - 1e-6]])
    exact = value_quantiles(samples, nodes)
    return np.vstack([np.interp(share, nodes, row) for row in exact])


def value_quantiles(samples: pl.DataFrame, share: Floats) -> Floats:
    """Return quantiles of the values that chance could have given, one row per sample (method 3.10).

    Args:
        samples: ``interval``, ``numerator``, ``denominator``, ``value``, ``standard_error``, ``size``.
        share: Shares 0..1, for every row the same.
    """
    from scipy.special import ndtri

    kind = samples["interval"].to_numpy()
    value, error = (samples[name].to_numpy().astype(np.float64) for name in ("value", "standard_error"))
    size = samples["size"].to_numpy().astype(np.float64)
    effective = effective_size(value, error, size)
    is_survival = kind == "survival"
    successes = np.where(is_survival, effective * value, samples["numerator"].to_numpy().astype(np.float64))
    items = np.where(is_survival, effective, samples["denominator"].to_numpy().astype(np.float64))
    is_normal = kind == "normal"
    beta = jeffreys_quantiles(
        np.where(is_normal, 1.0, successes)[:, None], np.where(is_normal, 2.0, items)[:, None], share[None, :]
    )
    bell = value[:, None] + np.nan_to_num(error)[:, None] * ndtri(share)[None, :]
    return np.where(is_normal[:, None], bell, beta)
