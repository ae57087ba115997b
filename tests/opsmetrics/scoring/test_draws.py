"""Where next month's scores lie: examples G24 and G36, and look-ups against exact draws."""

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
    score_chances,
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
    """Rows of (kept, items) as the frame that quantiles are asked of."""
    return pl.DataFrame(
        [("share", x / n, float(n), None) for x, n in rows],
        schema={"chance": pl.String, "share": pl.Float64, "items": pl.Float64, "standard_error": pl.Float64},
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
    """One metric a row: (metric, area, weight, kept or None where chance does not enter, items, window, points)."""
    records = []
    for metric, area, weight, x, n, window, points in rows:
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
                "chance": None if x is None else "share",
                "units": float(n),
                "window_days": window,
                "value": None if x is None else x / n,
                "standard_error": None,
                "floor": floor,
                "krav": krav,
                "mal": mal,
            }
        )
    overrides = {"standard_error": pl.Float64, "as_of": pl.Datetime("us", "UTC"), "chance": pl.String}
    return pl.DataFrame(records, schema_overrides=overrides)


def areas_of(cells):
    """Areas as their cells make them, all published."""
    effective = pl.col("weight") * pl.col("evidence_weight")
    return (
        cells.group_by("team_id", "as_of", "grain", "area_id")
        .agg(score=(effective * pl.col("points")).sum() / effective.sum())
        .with_columns(status=pl.lit("ok"), area_weight=pl.lit(1.0))
    )


def scored(x, n, area):
    return float(points_of(np.array([x / n]), *(np.array([a]) for a in ANCHORS[area]))[0])


@pytest.mark.parametrize("seed", range(4))
def test_look_ups_differ_from_exact_draws_by_hundredths(seed, ruleset):
    """The product's look-up tables against inverse distribution functions, on the same raw bits."""
    rolls = random.Random(seed)
    rows = []
    for number in range(12):
        area = rolls.choice(sorted(ANCHORS))
        n = rolls.randint(3, 60)
        x = rolls.randint(n // 2, n)
        window = rolls.choice((0, 28, 90, 365))
        rows.append((f"m{number:02d}", area, rolls.choice((1, 2, 3, 4)), x, n, window, scored(x, n, area)))
    cells = cells_of(rows).sort("area_id", "metric_id")
    areas = areas_of(cells)
    chances = score_chances(cells, areas, ruleset)
    found = chances.team.row(0, named=True)
    counts = cells.group_by("area_id", maintain_order=True).len().rows()
    period = ("t", "month", ruleset.version, AT.isoformat())
    u = np.hstack([uniforms(seed_of(area, *period), DRAWS, count) for area, count in counts])
    month = 365.25 / 12
    turns = [2 * min(1.0, month / (window or ruleset.state_days)) for window in cells["window_days"]]
    items = [(value * n / turn, n / turn) for value, n, turn in zip(cells["value"], cells["units"], turns, strict=True)]
    anchors = [cells[name].to_numpy()[None, :] for name in ("floor", "krav", "mal")]
    points = points_of(exact(items, u), *anchors)
    weights, names = cells["weight"].to_numpy(), cells["area_id"].to_numpy()
    drawn = np.stack(
        [points[:, names == a] @ weights[names == a] / weights[names == a].sum() for a in sorted(set(names))], axis=1
    )
    own = areas.sort("area_id")["score"].to_numpy()
    drawn += own - np.median(drawn, axis=0)
    scores = mean_min(drawn)
    scores += mean_min(own[None, :])[0] - np.median(scores)
    low, high = interval_ends(scores.copy())
    assert (found["interval_low"], found["interval_high"]) == near((max(0.0, low), min(100.0, high)), 0.1)
    assert found["reach_3"] == near(float(np.mean(scores >= 60)), 0.01)
    for column, area in enumerate(sorted(set(names))):
        one = chances.area.filter(area_id=area).row(0, named=True)
        low, high = interval_ends(drawn[:, column].copy())
        assert (one["interval_low"], one["interval_high"]) == near((max(0.0, low), min(100.0, high)), 0.15)


@pytest.mark.parametrize("case", GOLDEN["G36_next_month"])
def test_g36_where_next_month_lies(case, ruleset):
    """One metric alone makes area and team: the ends follow from the distribution function, without a draw."""
    golden = GOLDEN["G36_next_month"][case]
    kept, items = (int(part) for part in case.split(" ")[:3:2])
    window = 365 if "state" in case else int(case.partition(" in ")[2].split(" ")[0])
    floor, krav, mal = (float(part) for part in case.rpartition(", ")[2].split("/"))
    cells = cells_of([("a", "mon", 4, kept, items, window, golden["points"])]).with_columns(
        floor=pl.lit(floor), krav=pl.lit(krav), mal=pl.lit(mal)
    )
    chances = score_chances(cells, areas_of(cells), ruleset)
    for found in (chances.area.row(0, named=True), chances.team.row(0, named=True)):
        # The ends of 2,000 draws have a standard error of their own.
        assert (found["interval_low"], found["interval_high"]) == near((golden["low"], golden["high"]), 2.5)
        assert [found[f"reach_{number}"] for number in range(1, 5)] == near(golden["reach"], 0.035)
        assert found["interval_low"] <= golden["points"] <= found["interval_high"]


def test_a_small_census_is_no_certainty_and_a_large_one_nearly_is(ruleset):
    """Two of two stores tested: the practice behind it may be another."""

    def width(n):
        cells = cells_of([("a", "mon", 4, n * 4 // 5, n, 0, scored(n * 4 // 5, n, "mon"))])
        found = score_chances(cells, areas_of(cells), ruleset).team.row(0, named=True)
        return found["interval_high"] - found["interval_low"]

    assert width(5) > 20 > width(50) > 2 * width(5000)


def test_a_team_without_chance_has_a_point_and_not_an_interval(ruleset):
    cells = cells_of([("a", "mon", 4, None, 10, 90, 80.0), ("b", "sec", 4, None, 10, 90, 40.0)])
    found = score_chances(cells, areas_of(cells), ruleset).team.row(0, named=True)
    assert found["interval_low"] == near(0.75 * 60 + 0.25 * 40)
    assert found["interval_high"] == near(0.75 * 60 + 0.25 * 40)
    assert found["reach_3"] == 0


def test_order_of_teams_and_rows_changes_nothing(ruleset):
    rows = [(f"m{n}", area, 3, 5 + n, 10 + n, 90, 50.0) for n, area in enumerate(["mon", "sec", "inc", "mon"])]
    one = cells_of(rows)
    two = pl.concat([one, one.with_columns(team_id=pl.lit("a"))]).sample(fraction=1, shuffle=True, seed=3)
    first = score_chances(one, areas_of(one), ruleset)
    second = score_chances(two, areas_of(two), ruleset)
    assert first.team.equals(second.team.filter(pl.col("team_id") == "t"))
    assert first.area.sort("area_id").equals(second.area.filter(pl.col("team_id") == "t").sort("area_id"))


def test_the_order_of_rows_changes_no_digit_of_sums_that_are_not_exact(ruleset):
    rows = [(f"m{n}", ("mon", "sec")[n % 2], 1 + n % 4, 5 + n, 10 + n, 90, 50 + n / 7) for n in range(14)]
    cells = cells_of(rows).with_columns(evidence_weight=0.3 + pl.int_range(pl.len()) / 29)
    expected = score_chances(cells, areas_of(cells), ruleset)
    for seed in range(20):
        shuffled = cells.sample(fraction=1, shuffle=True, seed=seed)
        found = score_chances(shuffled, areas_of(shuffled), ruleset)
        assert found.team.equals(expected.team)
        assert found.area.sort("area_id").equals(expected.area.sort("area_id"))


def test_what_happens_in_one_area_moves_no_other(ruleset):
    rows = [(f"m{n}", area, 3, 5 + n, 10 + n, 90, 50.0) for n, area in enumerate(["mon", "sec", "inc", "mon"])]
    whole, fewer = cells_of(rows), cells_of(rows[:3])
    before, after = (score_chances(cells, areas_of(cells), ruleset).area for cells in (whole, fewer))
    others = pl.col("area_id") != "mon"
    assert before.filter(others).sort("area_id").equals(after.filter(others).sort("area_id"))


def test_the_periods_of_trends_are_not_drawn_and_unpublished_areas_make_no_team(ruleset):
    cells = cells_of([("a", "mon", 4, 5, 10, 90, 80.0)])
    series = cells.with_columns(grain=pl.lit("series_month"))
    assert score_chances(series, areas_of(series), ruleset).team.is_empty()
    provisional = areas_of(cells).with_columns(status=pl.lit("provisional"))
    found = score_chances(cells, provisional, ruleset)
    assert found.area["interval_low"].item() < 80
    assert found.team["interval_low"].item() is None
