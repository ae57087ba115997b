"""Intervals of team scores by seeded draws (method 3.10).

Random numbers must be the same for years: numpy promises only the raw bits of PCG64, so uniforms are made from them
and everything else goes through inverse distribution functions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.special import ndtri

from opsmetrics.catalogue import Ruleset
from opsmetrics.scoring.aggregate import AREA, TEAM
from opsmetrics.scoring.intervals import Floats, jeffreys_quantiles
from opsmetrics.scoring.status import MEASURED

DRAWS = 2000
KRAV_SCORE = 60.0
GRAINS = ("month", "tertial", "latest")
# Inverse distribution functions are tabulated: 4096 steps of a uniform, so that a draw is one look-up. Against
# exact draws the ends of a team's interval differ by less than 0.01 points (tests/opsmetrics/test_draws.py).
_STEPS = 4096
_NODES = 192


def seed_of(*parts: str) -> int:
    """Return the seed of a team and period: first 8 bytes of SHA-256 over ``team|period|ruleset|as_of``."""
    return int.from_bytes(hashlib.sha256("|".join(parts).encode()).digest()[:8], "big")


def raw_uniforms(seed: int, rows: int, columns: int) -> npt.NDArray[np.uint64]:
    """Return ``rows x columns`` raw draws of 53 bits, row-major."""
    return (np.random.PCG64(seed).random_raw(rows * columns) >> np.uint64(11)).reshape(rows, columns)


def uniforms(seed: int, rows: int, columns: int) -> Floats:
    """Return ``rows x columns`` uniforms in [0, 1), row-major (G24, G25)."""
    return raw_uniforms(seed, rows, columns).astype(np.float64) * 2.0**-53


def points_of(values: Floats, floor: Floats, krav: Floats, mal: Floats) -> Floats:
    """Return points 0..100 as ``points.points`` does, for arrays; ``krav`` is nan where there is none."""
    sign = np.where(floor < mal, 1.0, -1.0)
    v, f, k, m = values * sign, floor * sign, krav * sign, mal * sign
    with np.errstate(invalid="ignore", divide="ignore"):
        straight = 100 * (v - f) / (m - f)
        bent = np.where(v < k, 60 * (v - f) / (k - f), 60 + 40 * (v - k) / (m - k))
    return np.clip(np.where(np.isnan(k), straight, bent), 0, 100)


@dataclass(frozen=True, slots=True)
class _Tables:
    """Points by step of the uniform, one row per distinct sample, and the row of each cell."""

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
        cells.filter(pl.col("points").is_not_null() & (pl.col("evidence_weight") > 0))
        .join(published.select(*AREA, "area_weight"), on=AREA)
        .with_columns(effective=pl.col("weight") * pl.col("evidence_weight"))
        .with_columns(within=pl.col("effective") / pl.col("effective").sum().over(AREA))
        .with_columns(
            is_drawn=pl.col("interval").is_not_null() & pl.col("status").is_in(MEASURED) & (pl.col("denominator") > 0)
        )
        .sort([*TEAM, "area_id", "metric_id"])
    )
    if parts.is_empty():
        instant = areas.schema["as_of"]
        return pl.DataFrame(
            schema={"team_id": pl.String, "as_of": instant, "grain": pl.String}
            | dict.fromkeys(("interval_low", "interval_high", "krav_probability"), pl.Float64)
        )
    tables = _tabulate(parts.filter("is_drawn"))
    parts = parts.with_columns(table=pl.lit(-1, pl.Int64)).with_row_index("position")
    drawn = parts.filter("is_drawn").select("position", table=pl.Series(tables.row_of))
    parts = parts.drop("table").join(drawn, on="position", how="left", maintain_order="left")
    groups = parts.group_by(TEAM, maintain_order=True).agg(start=pl.col("position").min(), count=pl.len())
    # numpy releases the lock while it draws and looks up: two threads use both cores.
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda job: _team_interval(*job), _jobs(groups, parts, tables, ruleset), chunksize=64))
    ends = np.array(results)
    return groups.select(TEAM).with_columns(
        interval_low=pl.Series(ends[:, 0]), interval_high=pl.Series(ends[:, 1]), krav_probability=pl.Series(ends[:, 2])
    )


_Job = tuple[int, Floats, npt.NDArray[np.int64], npt.NDArray[np.float32], float]


def _jobs(groups: pl.DataFrame, parts: pl.DataFrame, tables: _Tables, ruleset: Ruleset) -> Iterator[_Job]:
    """One job per team and instant: seed; per area constant part, weight and coefficients; rows of the tables."""
    area_ids = sorted(parts["area_id"].unique())
    area = parts["area_id"].replace_strict({name: n for n, name in enumerate(area_ids)}, return_dtype=pl.Int64)
    areas, within = area.to_numpy(), parts["within"].to_numpy()
    points, rows = parts["points"].to_numpy(), parts["table"].fill_null(-1).to_numpy()
    weights = parts["area_weight"].to_numpy()
    for team, as_of, grain, start, count in groups.iter_rows():
        span = slice(start, start + count)
        there, local = np.unique(areas[span], return_inverse=True)
        weight = np.zeros(len(there))
        weight[local] = weights[span]
        fixed = rows[span] < 0
        constant = np.bincount(local[fixed], (within[span] * points[span])[fixed], len(there))
        chosen = np.flatnonzero(~fixed)
        coefficients = np.zeros((len(chosen), len(there)))
        coefficients[np.arange(len(chosen)), local[chosen]] = within[span][chosen]
        seed = seed_of(team, grain, ruleset.version, as_of.isoformat())
        combined = np.vstack([constant, weight / weight.sum(), coefficients])
        yield seed, combined, rows[span][chosen], tables.points, ruleset.weakest_share


def _team_interval(
    seed: int,
    combined: Floats,
    rows: npt.NDArray[np.int64],
    table: npt.NDArray[np.float32],
    weakest_share: float,
) -> tuple[float, float, float]:
    constant, share, coefficients = combined[0], combined[1], combined[2:]
    if not len(rows):
        score = (1 - weakest_share) * float(constant @ share) + weakest_share * float(constant.min())
        return score, score, float(score >= KRAV_SCORE)
    steps = (raw_uniforms(seed, DRAWS, len(rows)) >> np.uint64(53 - 12)).astype(np.int64)
    drawn = table.ravel()[steps + rows * _STEPS]
    areas = drawn @ coefficients.astype(np.float32) + constant.astype(np.float32)
    scores = (1 - weakest_share) * (areas @ share) + weakest_share * areas.min(axis=1)
    low, high = interval_ends(scores.astype(np.float64))
    return low, high, float(np.mean(scores >= KRAV_SCORE - 1e-5))


def interval_ends(scores: Floats) -> tuple[float, float]:
    """Return the 5 % and 95 % quantiles (type 7)."""
    low, high = np.quantile(scores, [0.05, 0.95])
    return float(low), float(high)


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
    values = _quantiles(distinct, middle)
    anchors = [distinct[name].to_numpy().astype(np.float64)[:, None] for name in ("floor", "krav", "mal")]
    return _Tables(points_of(values, *anchors).astype(np.float32), codes["code"].to_numpy())


def _quantiles(samples: pl.DataFrame, share: Floats) -> Floats:
    """Return values at each share, one row per sample: exact at nodes dense in the tails, linear between them."""
    angle = (np.arange(_NODES) + 0.5) / _NODES * np.pi
    nodes = np.concatenate([[1e-6], (1 - np.cos(angle)) / 2, [1 - 1e-6]])
    exact = value_quantiles(samples, nodes)
    return np.vstack([np.interp(share, nodes, row) for row in exact]) if len(exact) else np.zeros((0, len(share)))


def value_quantiles(samples: pl.DataFrame, share: Floats) -> Floats:
    """Return quantiles of the values that chance could have given, one row per sample (method 3.10).

    Args:
        samples: ``interval``, ``numerator``, ``denominator``, ``value``, ``standard_error``, ``size``.
        share: Shares 0..1, for every row the same.
    """
    kind = samples["interval"].to_numpy()
    value, error = (samples[name].to_numpy().astype(np.float64) for name in ("value", "standard_error"))
    size = samples["size"].to_numpy().astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        effective = np.where((value > 0) & (value < 1) & (error > 0), value * (1 - value) / error**2, size)
    is_survival = kind == "survival"
    successes = np.where(is_survival, effective * value, samples["numerator"].to_numpy().astype(np.float64))
    items = np.where(is_survival, effective, samples["denominator"].to_numpy().astype(np.float64))
    is_normal = kind == "normal"
    beta = jeffreys_quantiles(
        np.where(is_normal, 1.0, successes)[:, None], np.where(is_normal, 2.0, items)[:, None], share[None, :]
    )
    bell = value[:, None] + np.nan_to_num(error)[:, None] * ndtri(share)[None, :]
    return np.where(is_normal[:, None], bell, beta)
