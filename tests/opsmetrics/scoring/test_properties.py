"""Properties P1 to P14 of the scoring method that concern the scoring core, under Hypothesis."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opsmetrics.scoring import compute
from opsmetrics.scoring.aggregate import area_scores, team_scores
from opsmetrics.scoring.compute import compute_instants, compute_scores, leveled
from opsmetrics.scoring.gaps import gaps
from opsmetrics.scoring.inputs import ScoreInputs
from opsmetrics.scoring.outlook import DUE, ITEMS
from opsmetrics.scoring.points import points
from opsmetrics.scoring.status import STATUSES

pytestmark = pytest.mark.filterwarnings("error")
AT = datetime(2026, 8, 31, 22, tzinfo=UTC)
TINY = 1e-9
quick = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])

CELL = st.fixed_dictionaries(
    {
        "area_id": st.sampled_from(["mon", "inc", "bck"]),
        "weight": st.integers(1, 4).map(float),
        "evidence_weight": st.floats(0.05, 1.0),
        "completeness": st.floats(0.5, 1.0),
        "points": st.floats(0, 100),
        "status": st.sampled_from(["ok", "low_evidence"]),
    }
)
EMPTY = st.fixed_dictionaries(
    {
        "area_id": st.sampled_from(["mon", "inc", "bck"]),
        "weight": st.integers(1, 4).map(float),
        "evidence_weight": st.none(),
        "completeness": st.floats(0, 1),
        "points": st.none(),
        "status": st.sampled_from(["not_measured", "stale", "invalid"]),
    }
)
CELLS = st.lists(st.one_of(CELL, EMPTY), min_size=1, max_size=12)
SCHEMA = {
    "area_id": pl.String,
    "weight": pl.Float64,
    "evidence_weight": pl.Float64,
    "completeness": pl.Float64,
    "points": pl.Float64,
    "status": pl.String,
}


def frame(rows) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA).with_columns(
        metric_id=pl.format("m{}", pl.int_range(pl.len())),
        team_id=pl.lit("t"),
        as_of=pl.lit(AT),
        grain=pl.lit("month"),
        krav=pl.lit(0.9),
        # Of what is not known, the worst is 0 and the best 100.
        points_low=pl.col("points") * pl.col("completeness"),
        points_high=pl.col("points") * pl.col("completeness") + 100 * (1 - pl.col("completeness")),
    )


def score(rows, ruleset):
    cells = frame(rows) if isinstance(rows, list) else rows
    areas = area_scores(cells, ruleset).with_columns(area_weight=pl.lit(1.0))
    return areas, team_scores(areas, ruleset).row(0, named=True)


@quick
@given(st.floats(-10, 10), st.floats(0, 10), st.floats(0.01, 5), st.floats(0.01, 5), st.booleans())
def test_p1_points_are_bounded_and_monotone(value, step, first, second, lower_is_better):
    floor, krav, mal = 0.0, first, first + second
    sign = -1 if lower_is_better else 1
    data = pl.DataFrame({"v": [value * sign, (value + step) * sign]})
    low, high = data.select(points(pl.col("v"), *(pl.lit(a * sign) for a in (floor, krav, mal)))).to_series()
    assert 0 <= low <= high <= 100


@quick
@given(CELLS)
def test_p2_p5_area_lies_between_its_metrics_and_its_bounds(ruleset, rows):
    areas, team = score(rows, ruleset)
    for area in areas.to_dicts():
        members = [row for row in rows if row["area_id"] == area["area_id"] and row["points"] is not None]
        if area["raw_score"] is not None:
            found = [row["points"] for row in members]
            assert min(found) - TINY <= area["raw_score"] <= max(found) + TINY
            assert area["low"] - TINY <= area["raw_score"] <= area["high"] + TINY
        assert area["high"] - area["low"] == pytest.approx(100 * (1 - area["coverage"]))
    assert team["low"] <= team["high"] + TINY


@quick
@given(CELLS, st.integers(0, 11), st.floats(0, 50))
def test_p3_raising_a_metric_never_lowers_anything(ruleset, rows, index, lift):
    raised = [dict(row) for row in rows]
    chosen = raised[index % len(raised)]
    if chosen["points"] is not None:
        chosen["points"] = min(100.0, chosen["points"] + lift)
    before, team_before = score(rows, ruleset)
    after, team_after = score(raised, ruleset)
    for name in ("raw_score", "low", "high"):
        pairs = zip(before[name], after[name], strict=True)
        assert all(new >= old - TINY for old, new in pairs if old is not None)
    if team_before["score"] is not None:
        assert team_after["score"] >= team_before["score"] - TINY


@quick
@given(CELLS)
def test_p4_p13_losses_sum_and_gains_stay_below_them(ruleset, rows):
    areas, team = score(rows, ruleset)
    found = gaps(frame(rows), areas, ruleset)
    if team["score"] is None:
        assert found.is_empty()
        return
    assert found["points_lost"].sum() == pytest.approx(100 - team["score"], abs=1e-8)
    published = areas.filter(status="ok")
    weakest = published["score"].min()
    for row in found.join(published.select("area_id", "score"), on="area_id").to_dicts():
        assert -TINY <= row["gain_to_krav"] <= row["gain_if_met"] + TINY
        if row["score"] > weakest + 1e-6:
            assert row["gain_if_met"] == pytest.approx(row["points_lost"], abs=1e-8)
        elif published.height > 1:
            assert row["gain_if_met"] <= row["points_lost"] + 1e-8


@quick
@given(CELLS, st.integers(0, 11))
def test_gain_is_what_recomputing_gives(ruleset, rows, index):
    areas, team = score(rows, ruleset)
    found = gaps(frame(rows), areas, ruleset)
    if found.is_empty():
        return
    row = found.row(index % found.height, named=True)
    mended = frame(rows).with_columns(
        points=pl.when(pl.col("metric_id") == row["metric_id"]).then(100.0).otherwise(pl.col("points"))
    )
    _, after = score(mended, ruleset)
    assert after["score"] - team["score"] == pytest.approx(row["gain_if_met"], abs=1e-8)


@quick
@given(CELLS, st.sampled_from(["mon", "inc", "bck"]), st.sampled_from(["no_opportunity", "not_applicable", "waived"]))
def test_p6_dropped_metrics_change_nothing(ruleset, rows, area, status):
    extra = {
        "area_id": area,
        "weight": 3.0,
        "evidence_weight": None,
        "completeness": 1.0,
        "points": None,
        "status": status,
    }
    if area not in {row["area_id"] for row in rows}:
        return
    before, team_before = score(rows, ruleset)
    after, team_after = score([*rows, extra], ruleset)
    assert before.drop("area_weight").equals(after.drop("area_weight"))
    assert team_before == team_after


@quick
@given(CELLS)
def test_p7_a_weight_towards_zero_equals_dropping_from_the_score(ruleset, rows):
    thin = {
        "area_id": rows[0]["area_id"],
        "weight": 4.0,
        "evidence_weight": 1e-12,
        "completeness": 1.0,
        "points": 0.0,
        "status": "low_evidence",
    }
    before, _ = score(rows, ruleset)
    after, _ = score([*rows, thin], ruleset)
    name = rows[0]["area_id"]
    old, new = (f.filter(area_id=name)["raw_score"].item() for f in (before, after))
    if old is not None:
        assert new == pytest.approx(old, abs=1e-6)


@quick
@given(CELLS, st.integers(0, 11), st.floats(0.5, 1.0))
def test_a_gap_in_the_data_changes_no_score_and_only_lowers_coverage(ruleset, rows, index, left):
    """A day without data is never better than the same day with nothing wrong (ADR 0010)."""
    row = rows[index % len(rows)]
    gap = {
        **row,
        "completeness": row["completeness"] * left if row["points"] is None else max(0.5, row["completeness"] * left),
    }
    before, team_before = score(rows, ruleset)
    after, team_after = score([gap if r is row else r for r in rows], ruleset)
    assert before.select("raw_score", "score", "status").equals(after.select("raw_score", "score", "status"))
    assert team_after["score"] == team_before["score"]
    for name, sign in (("coverage", 1), ("low", 1), ("high", -1)):
        for was, now in zip(before[name], after[name], strict=True):
            assert (was is None and now is None) or sign * now <= sign * was + TINY


@quick
@given(CELLS, st.randoms(), st.floats(0.5, 20))
def test_p8_order_and_scale_of_weights_change_nothing(ruleset, rows, shuffle, factor):
    cells = frame(rows)
    order = list(range(cells.height))
    shuffle.shuffle(order)
    other = cells[order].with_columns(weight=pl.col("weight") * factor)
    first, second = (score(f, ruleset)[0].sort("area_id") for f in (cells, other))
    for name in ("raw_score", "coverage", "low", "high"):
        assert second[name].to_list() == pytest.approx(first[name].to_list())


# ---- the whole computation, on random inputs

TEAMS = pl.DataFrame(
    {
        "team_id": [*"abcdefghijkl"],
        "type": ["product", "platform"] * 6,
        "onboarded_on": [date(2026, 1, 1), date(2026, 6, 1)] * 6,
    }
)


def inputs_of(catalogue, data, *, without: str | None = None) -> ScoreInputs:
    """Inputs in which every stream is connected, but for ``without``; ``data`` draws values."""
    weeks = [AT - timedelta(days=7 * number) for number in range(3)]
    windows, values = [], []
    for metric in catalogue.metrics:
        needed = without in metric.header.needs
        for as_of in weeks:
            on = (as_of - timedelta(hours=12)).date()
            windows.append((metric.id, as_of, "week", on, 0.0 if needed else 1.0, None, None))
            for team in TEAMS["team_id"]:
                n = data[(metric.id, team, as_of)]
                if needed or n is None:
                    continue
                entity = ("e", 1.0) if metric.header.entity else (None, None)
                met, total = n
                values.append(
                    (
                        team,
                        metric.id,
                        as_of,
                        "week",
                        *entity,
                        float(met),
                        float(total),
                        met / total,
                        total,
                        1.0,
                        None,
                        None,
                    )
                )
    streams = {stream for metric in catalogue.metrics for stream in metric.header.needs} - {without}
    instant = pl.Datetime("us", "UTC")
    empty = {"team_id": pl.String, "metric_id": pl.String, "valid_from": pl.Date, "valid_to": pl.Date}
    value_schema = {
        **{"team_id": pl.String, "metric_id": pl.String, "as_of": instant, "grain": pl.String},
        **{"entity_id": pl.String, "entity_weight": pl.Float64, "numerator": pl.Float64, "denominator": pl.Float64},
        **{"value": pl.Float64, "sample_size": pl.Int64, "completeness": pl.Float64, "standard_error": pl.Float64},
        "worst_value": pl.Float64,
    }
    window_schema = {
        "metric_id": pl.String,
        "as_of": instant,
        "grain": pl.String,
        "on": pl.Date,
        "completeness": pl.Float64,
        "least_stream": pl.String,
        "untold": pl.String,
    }
    gate_schema = {
        **{"gate_id": pl.String, "team_id": pl.String, "as_of": instant, "grain": pl.String},
        **{"area_id": pl.String, "cap": pl.Int64, "finding_count": pl.Int64, "lifted_by": pl.String},
    }
    return ScoreInputs(
        values=pl.DataFrame(values, schema=value_schema, orient="row"),
        windows=pl.DataFrame(windows, schema=window_schema, orient="row"),
        weaker=pl.DataFrame(
            schema={
                "team_id": pl.String,
                "metric_id": pl.String,
                "as_of": instant,
                "grain": pl.String,
                "weaker": pl.String,
            }
        ),
        teams=TEAMS,
        connections=pl.DataFrame(
            [(team, stream, date(2026, 6, 1)) for team in TEAMS["team_id"] for stream in sorted(streams)],
            schema={"team_id": pl.String, "stream": pl.String, "connected_on": pl.Date},
            orient="row",
        ),
        waivers=pl.DataFrame(schema={"waiver_id": pl.String, **empty}),
        applicability=pl.DataFrame(schema=empty | {"reason": pl.String}),
        efforts=pl.DataFrame(schema={"team_id": pl.String, "metric_id": pl.String, "effort_days": pl.Float64}),
        gates=pl.DataFrame(schema=gate_schema),
        frozen=pl.DataFrame(schema=value_schema),
        items=pl.DataFrame(schema=ITEMS),
        due=pl.DataFrame(schema=DUE),
    )


def values_of(catalogue, seed: int, empty_shares: list[float]):
    """Values from one seed: (met, total) or nothing, per metric, team and week; nothing as often as its team's share."""
    rolls = random.Random(seed)
    drawn = {}
    for metric in catalogue.metrics:
        for team, empty_share in zip(TEAMS["team_id"], empty_shares, strict=True):
            for number in range(3):
                total = rolls.randint(1, 40)
                found = None if rolls.random() < empty_share else (rolls.randint(0, total), total)
                drawn[(metric.id, team, AT - timedelta(days=7 * number))] = found
    return drawn


SHARES = st.lists(st.floats(0, 1), min_size=len(TEAMS), max_size=len(TEAMS))
SEEDS = {"seed": st.integers(0, 2**32), "empty_shares": SHARES}


@contextmanager
def nothing_drawn() -> Iterator[None]:
    """Computations without what the draws say, which are half of their time: no bound and no score rests on them."""
    real = compute.score_chances
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compute, "score_chances", lambda cells, areas, rules: real(cells.clear(), areas.clear(), rules))
        yield


# Without draws a computation costs nearly the same for twelve teams as for two: fewer computations, of more teams.
@settings(max_examples=4, suppress_health_check=list(HealthCheck))
@given(**SEEDS, which=st.integers(0, 100))
def test_a_removed_source_never_raises_a_lower_bound_and_leaves_no_number(catalogue, seed, empty_shares, which):
    """For every team, area and instant, whatever the values were."""
    values = values_of(catalogue, seed, empty_shares)
    streams = sorted({stream for metric in catalogue.metrics for stream in metric.header.needs})
    with nothing_drawn():
        before = compute_instants(catalogue, inputs_of(catalogue, values))
        for gone in {streams[(which + apart) % len(streams)] for apart in (0, 3, 7, 11)}:
            without_one(catalogue, values, before, gone)


def without_one(catalogue, values, before, gone: str) -> None:
    after = compute_instants(catalogue, inputs_of(catalogue, values, without=gone))
    for table, keys in (("team", ["team_id", "as_of"]), ("area", ["team_id", "area_id", "as_of"])):
        joined = getattr(before, table).join(getattr(after, table), on=keys, suffix="_after")
        low, low_after = (pl.col(name).fill_null(100.0 if name == "low" else 0.0) for name in ("low", "low_after"))
        assert joined.filter(low_after > low + TINY).is_empty()
    dependent = [metric.id for metric in catalogue.metrics if gone in metric.header.needs]
    cells = after.metric.filter(pl.col("metric_id").is_in(dependent))
    assert set(cells["status"]) <= {"not_measured", "not_measured_overdue", "not_applicable"}
    assert (
        cells.filter(pl.col("status") == "not_measured")["points"].null_count()
        == cells.filter(pl.col("status") == "not_measured").height
    )


@settings(max_examples=3, suppress_health_check=list(HealthCheck))
@given(**SEEDS)
def test_p11_p12_same_input_same_output_and_waivers_leave_the_raw_score(catalogue, seed, empty_shares):
    values = values_of(catalogue, seed, empty_shares)
    inputs = inputs_of(catalogue, values)
    shuffled = replace(
        inputs,
        values=inputs.values.sample(fraction=1, shuffle=True, seed=1),
        windows=inputs.windows.sample(fraction=1, shuffle=True, seed=2),
    )
    first = compute_scores(catalogue, inputs)
    second = leveled(catalogue, compute_instants(catalogue, shuffled))
    for table in ("metric", "entity", "area", "team", "gap"):
        assert getattr(first, table).equals(getattr(second, table))
    waiver = pl.DataFrame(
        {
            "waiver_id": ["w"],
            "team_id": ["a"],
            "metric_id": ["bck_restore_within_rto"],
            "valid_from": [date(2026, 7, 1)],
            "valid_to": [date(2026, 12, 1)],
        }
    )
    with nothing_drawn():
        waived = compute_instants(catalogue, replace(inputs, waivers=waiver))
    assert waived.area["score_without_waivers"].to_list() == first.area["score"].to_list()
    assert waived.team["score_without_waivers"].to_list() == first.team["score"].to_list()
    assert set(first.metric["status"]) <= set(STATUSES)
