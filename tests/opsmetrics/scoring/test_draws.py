"""Intervals of team scores: example G24, and look-ups against exact draws."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from opsmetrics.scoring.draws import (
    DRAWS,
    interval_ends,
    points_of,
    score_intervals,
    seed_of,
    uniforms,
    value_quantiles,
)

GOLDEN = json.loads((Path(__file__).parent / "scoring-golden.json").read_text())
AT = datetime(2026, 8, 31, 22, tzinfo=UTC)
ANCHORS = {"mon": (0.3, 0.7, 0.9), "sec": (0.5, 0.9, 0.98), "inc": (0.6, 0.9, 0.97)}


def near(expected, tolerance=5e-5):
    return pytest.approx(expected, abs=tolerance)


def samples(rows):
    """Rows of (numerator, denominator) as the frame that quantiles are asked of."""
    return pl.DataFrame(
        [("jeffreys", float(x), float(n), x / n, None, n) for x, n in rows],
        schema={
            "interval": pl.String,
            "numerator": pl.Float64,
            "denominator": pl.Float64,
            "value": pl.Float64,
            "standard_error": pl.Float64,
            "size": pl.Int64,
        },
        orient="row",
    )


def exact(rows, u):
    """Values at one uniform per draw and sample, without any table."""
    columns = [value_quantiles(samples([row]), u[:, index])[0] for index, row in enumerate(rows)]
    return np.stack(columns, axis=1)


def mean_min(areas, share=0.25):
    return (1 - share) * areas.mean(axis=1) + share * areas.min(axis=1)


def test_g24_score_interval_by_seeded_draws():
    golden = GOLDEN["G24_mc_interval"]
    u = uniforms(golden["seed"], golden["draws"], 3)
    assert list(u[0]) == near(golden["first_uniforms"])
    rows = [(42, 60), (27, 30), (25, 30)]
    anchors = [np.array(column)[None, :] for column in zip(*ANCHORS.values(), strict=True)]
    observed = points_of(np.array([[x / n for x, n in rows]]), *anchors)
    assert list(observed[0]) == near(golden["point_metrics"])
    p = points_of(exact(rows, u), *anchors)

    def areas(points):
        return np.stack(
            [(4 * 90 + 3 * points[:, 0]) / 7, (4 * points[:, 1] + 3 * 70) / 7, (4 * 80 + 3 * points[:, 2]) / 7], axis=1
        )

    assert list(areas(observed)[0]) == near(golden["point_areas"])
    assert mean_min(areas(observed))[0] == near(golden["point_team"])
    scores = mean_min(areas(p))
    assert scores.mean() == near(golden["mean"])
    assert np.median(scores) == near(golden["q50"])
    assert np.mean(scores >= 60) == near(golden["p_krav"])
    assert interval_ends(scores.copy()) == near((golden["q05"], golden["q95"]))


def cells_of(rows):
    """One metric a row: (metric, area, weight, numerator or None for a census, denominator, points)."""
    records = []
    for metric, area, weight, x, n, points in rows:
        floor, krav, mal = ANCHORS[area]
        records.append(
            {
                "team_id": "t",
                "as_of": AT,
                "grain": "month",
                "area_id": area,
                "metric_id": metric,
                "points": points,
                "weight": float(weight),
                "evidence_weight": 1.0,
                "status": "ok",
                "interval": None if x is None else "jeffreys",
                "sample_size": n,
                "numerator": None if x is None else float(x),
                "denominator": None if x is None else float(n),
                "value": None if x is None else x / n,
                "standard_error": None,
                "floor": floor,
                "krav": krav,
                "mal": mal,
            }
        )
    return pl.DataFrame(records, schema_overrides={"standard_error": pl.Float64, "as_of": pl.Datetime("us", "UTC")})


def areas_of(cells, grain="month"):
    return (
        cells.group_by("team_id", "as_of", "area_id")
        .agg(score=pl.lit(50.0))
        .with_columns(grain=pl.lit(grain), status=pl.lit("ok"), area_weight=pl.lit(1.0))
    )


@pytest.mark.parametrize("seed", range(4))
def test_look_ups_differ_from_exact_draws_by_less_than_five_hundredths(seed, ruleset):
    """The product's look-up tables against inverse distribution functions, on the same raw bits."""
    rolls = random.Random(seed)
    rows = []
    for number in range(12):
        area = rolls.choice(sorted(ANCHORS))
        n = rolls.randint(3, 60)
        rows.append((f"m{number:02d}", area, rolls.choice((1, 2, 3, 4)), rolls.randint(n // 2, n), n, 50.0))
    cells = cells_of(rows).sort("area_id", "metric_id")
    found = score_intervals(cells, areas_of(cells), ruleset).row(0, named=True)
    u = uniforms(seed_of("t", "month", ruleset.version, AT.isoformat()), DRAWS, len(rows))
    ordered = list(zip(cells["numerator"], cells["denominator"], strict=True))
    anchors = [cells[name].to_numpy()[None, :] for name in ("floor", "krav", "mal")]
    points = points_of(exact(ordered, u), *anchors)
    weights = cells["weight"].to_numpy()
    names = cells["area_id"].to_numpy()
    areas = np.stack(
        [points[:, names == a] @ weights[names == a] / weights[names == a].sum() for a in sorted(set(names))], axis=1
    )
    scores = mean_min(areas)
    expected = interval_ends(scores.copy())
    assert (found["interval_low"], found["interval_high"]) == near(expected, 0.05)
    assert found["krav_probability"] == near(float(np.mean(scores >= 60)), 0.01)


def test_a_team_without_chance_has_a_point_and_not_an_interval(ruleset):
    cells = cells_of([("a", "mon", 4, None, 10, 80.0), ("b", "sec", 4, None, 10, 40.0)])
    found = score_intervals(cells, areas_of(cells), ruleset).row(0, named=True)
    assert found["interval_low"] == near(0.75 * 60 + 0.25 * 40)
    assert found["interval_high"] == near(0.75 * 60 + 0.25 * 40)
    assert found["krav_probability"] == 0


def test_order_of_teams_and_rows_changes_nothing(ruleset):
    rows = [(f"m{n}", area, 3, 5 + n, 10 + n, 50.0) for n, area in enumerate(["mon", "sec", "inc", "mon"])]
    one = cells_of(rows)
    two = pl.concat([one, one.with_columns(team_id=pl.lit("a"))]).sample(fraction=1, shuffle=True, seed=3)
    first = score_intervals(one, areas_of(one), ruleset)
    second = score_intervals(two, areas_of(two), ruleset).filter(pl.col("team_id") == "t")
    assert first.equals(second)


def test_only_months_tertials_and_the_latest_day_are_drawn(ruleset):
    cells = cells_of([("a", "mon", 4, 5, 10, 80.0)]).with_columns(grain=pl.lit("week"))
    assert score_intervals(cells, areas_of(cells, "week"), ruleset).is_empty()
