"""Figures of the calibration are what counting by hand gives, and its document is made of them, the same each time."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from calibration import __main__ as command
from calibration import inputs
from calibration.document import markdown, read, write
from calibration.inputs import Case, inputs_of
from calibration.measures import figures, metric_figures
from calibration.scored import Scored
from simulator.scenarios import SHIFT_DAY, Scenario, directions
from simulator.world import local

DOCS = Path(__file__).resolve().parents[2] / "docs"
SCALE = 0.3
BEFORE = local(SHIFT_DAY, 0)
TEAMS = sorted(directions(1))[:2]


def months(scenario, scores, *, team=TEAMS[0], low=2.0, high=3.0, **columns):
    """Month ends, the third of which is the last one before the shift, with intervals around the score."""
    return [
        {
            "scenario": scenario,
            "seed": 1,
            "team_id": team,
            "as_of": BEFORE + timedelta(days=30 * (number - 2)),
            "grain": "month",
            "score": float(score),
            "interval_low": score - low,
            "interval_high": score + high,
            "level": 3,
            "krav_probability": 0.9,
            "confidence": "high",
        }
        | {name: values[number] for name, values in columns.items()}
        for number, score in enumerate(scores)
    ]


def weeks(scenario, levels, **columns):
    return [
        {
            "scenario": scenario,
            "seed": 1,
            "team_id": TEAMS[0],
            "as_of": datetime(2026, 1, 4, 23, tzinfo=UTC) + timedelta(days=7 * number),
            "grain": "week",
            "level": level,
        }
        | columns
        for number, level in enumerate(levels)
    ]


def scored(team, area=(), metric=()):
    """Tables as the library makes them; what a case does not say is null."""
    nothing = weeks("steady", [None], area_id="mon")
    cells = {"scenario": pl.String, "seed": pl.Int64, "team_id": pl.String, "metric_id": pl.String}
    return Scored(
        pl.DataFrame(team, infer_schema_length=None).cast({"level": pl.Int32}),
        pl.DataFrame([*nothing, *area], infer_schema_length=None).cast({"level": pl.Int32}),
        pl.DataFrame(list(metric), schema=cells | {"points": pl.Float64}, orient="row"),
    )


def test_coverage_counts_the_next_month_and_the_own():
    # +3 is the edge of the interval, -3 lies below it, +4 above; the last month has no next one.
    found = figures(scored(months("steady", [60, 63, 60, 64])))
    assert found["steady.pairs"] == 3
    assert found["steady.covers_next"] == pytest.approx(1 / 3)
    assert (found["steady.next_above"], found["steady.next_below"]) == pytest.approx((1 / 3, 1 / 3))
    assert (found["steady.covers_own"], found["steady.off_centre"], found["steady.width"]) == (1, -0.5, 5)
    assert (found["steady.step"], found["steady.step_90"]) == pytest.approx((10 / 3, 3.8))
    beside = figures(scored(months("steady", [60, 60], low=-1.0)))
    assert beside["steady.covers_own"] == 0


def test_a_level_is_taken_back_when_the_old_one_is_there_within_four_weeks():
    # Up for four weeks and back (a change taken back), down for good (one that is not), and one too new to tell.
    levels = [2, 3, 3, 3, 3, 2, 2, 2, 2, 2, 1]
    found = figures(scored([*months("steady", [60]), *weeks("steady", levels)]))
    assert found["steady.team.changes"] == 2
    assert found["steady.team.taken_back"] == pytest.approx(0.5)
    areas = [*weeks("steady", [2, 3, 2, 2, 2, 2], area_id="mon"), *weeks("steady", [1] * 6, area_id="scl")]
    found = figures(scored(months("steady", [60]), areas))
    # Two weeks a series have a week before and four after.
    assert (found["steady.area.changes"], found["steady.area.taken_back"]) == (1, 1)
    assert found["steady.area.changes_a_year"] == pytest.approx(1 / 2 * 52)
    assert found["shift.area.taken_back"] is None


def test_words_and_levels_that_the_draws_do_not_carry():
    rows = months(
        "steady",
        [60] * 4,
        confidence=["high", "high", "low", None],
        level=[3, 3, 2, 4],
        krav_probability=[0.4, 0.6, 0.1, None],
    )
    found = figures(scored(rows))
    assert (found["steady.high"], found["steady.low"]) == pytest.approx((2 / 3, 1 / 3))
    assert found["steady.met_unlikely"] == pytest.approx(0.5)
    assert found["demo.high"] is None


def test_a_shift_is_told_outside_the_last_interval_before_it_on_the_right_side():
    signs = directions(1)
    up = next(team for team in signs if signs[team] > 0)
    down = next(team for team in signs if signs[team] < 0)
    rows = [
        # Told in the second month, and in the first one on the wrong side.
        *months("shift", [60, 60, 60, 62, 64, 60], team=up),
        *months("shift", [60, 60, 60, 70, 60, 57], team=down),
        *(row for team in (up, down) for row in months("steady", [60] * 6, team=team)),
        *months("shifted", [70] * 6, team=up),
        *months("shifted", [55] * 6, team=down),
    ]
    found = figures(scored(rows))
    assert [found[f"shift.told_{n}"] for n in (1, 2, 3)] == [0, 0.5, 1]
    assert (found["shift.teams"], found["shift.worth"]) == (2, 7.5)
    assert (found["shift.large"], found["shift.large_told_2"]) == (1, 1)
    assert found["shift.moved_1"] == pytest.approx((2 - 10) / 2)
    assert found["steady.false_3"] == 0
    falsely = figures(scored(months("steady", [60, 65, 60, 60])))
    # The first month is left at once; the second by the third; the third never.
    assert falsely["steady.false_1"] == pytest.approx(2 / 3)


def test_a_metric_that_stands_still_spreads_between_teams_only():
    cells = [
        ("steady", 1, team, "m", points) for team, points in ((TEAMS[0], 0.0), (TEAMS[1], 100.0)) for _ in range(3)
    ]
    cells += [("demo", 1, TEAMS[0], "m", points) for points in (40.0, 60.0, None)]
    found = metric_figures(scored(months("steady", [60]), metric=cells))
    assert found["steady"]["m"] == {
        "cells": 6,
        "at_0": 0.5,
        "at_100": 0.5,
        "within": 0,
        "between": pytest.approx(100 / 2**0.5),
    }
    assert found["demo"]["m"]["within"] == pytest.approx(200**0.5)
    assert found["demo"]["m"]["between"] is None


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    """One seed of a small organisation, from records to figures."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inputs, "CACHE", tmp_path_factory.mktemp("inputs"))
        yield command.measured(1, SCALE, reuse=False, jobs=1)


def test_one_seed_gives_every_figure(result):
    # Four teams, ten month ends: nine pairs each.
    assert result.figures["steady.pairs"] == 4 * 9
    assert result.figures["shift.teams"] == 4
    assert [name for name, value in result.figures.items() if value is None] == []
    assert result.metrics["steady"].keys() == result.metrics["demo"].keys()
    assert len(result.metrics["steady"]) > 30


def test_records_built_again_give_the_same_inputs(result, tmp_path, monkeypatch):
    case = Case(Scenario.SHIFT, 1, SCALE)
    kept = inputs_of(case)
    monkeypatch.setattr(inputs, "CACHE", tmp_path)
    again = inputs_of(case)
    assert again.values.height == kept.values.height > 5000
    keys = ["team_id", "metric_id", "as_of", "grain", "entity_id"]
    shown = [frame.values.sort(keys).with_columns(pl.col(pl.Float64).round(9)) for frame in (kept, again)]
    assert shown[0].equals(shown[1])


def test_the_document_holds_every_ruleset_and_is_the_same_each_time(result, tmp_path):
    before = json.loads((DOCS / "calibration-2.0.0.json").read_text())
    (tmp_path / "calibration-1.9.0.json").write_text(json.dumps(before | {"ruleset": "1.9.0"}))
    page, kept = write(result, tmp_path)
    text = page.read_text()
    assert f"| Figure | Should be | 1.9.0 | {result.ruleset} |" in text
    assert "| `inc_postmortem_on_time` |" in text
    assert json.loads(kept.read_text())["figures"]["steady.pairs"] == 36
    assert write(result, tmp_path)[0].read_text() == text


def test_the_document_of_the_project_says_what_its_figures_say():
    assert (DOCS / "calibration.md").read_text(encoding="utf-8") == markdown(read(DOCS))
