"""What a preview says: each changed area and metric, of young teams too."""

from __future__ import annotations

import polars as pl

from opsmetrics.proposals.preview import Effect, effect_text

TEAM = {"team_id": "t1", "score": None, "level": None, "coverage": 0.2, "status": "too_little_data"}
AREA = {
    "team_id": "t1",
    "area_id": "mon",
    "area": "Monitoring",
    "score": 60.0,
    "level": 2,
    "coverage": 0.5,
    "status": "provisional",
    "gate": None,
}
METRIC = {
    "team_id": "t1",
    "metric_id": "m",
    "metric": "Coverage of alerts",
    "points": 60.0,
    "value": 0.6,
    "status": "ok",
}
TYPES = {"score": pl.Float64, "level": pl.Int64, "gate": pl.String, "points": pl.Float64, "value": pl.Float64}


def frame(row, **after):
    whole = {
        **row,
        **{
            f"{key}_after": after.get(key, value)
            for key, value in row.items()
            if key not in {"team_id", "area_id", "metric_id"}
        },
    }
    return pl.DataFrame(
        [whole],
        schema_overrides={key: kind for name, kind in TYPES.items() for key in (name, f"{name}_after") if key in whole},
    )


def test_nothing_changed_is_said_of_areas_and_metrics_too():
    text = effect_text(Effect(frame(TEAM), frame(AREA), frame(METRIC)))
    assert "None: all 1 teams keep score, level and coverage, in every area and metric." in text


def test_an_area_of_a_team_without_a_score_is_told():
    text = effect_text(Effect(frame(TEAM), frame(AREA, score=70.0), frame(METRIC)))
    assert "| t1 | – → – | – → – | 20% → 20% | Monitoring 60.0 → 70.0 |" in text


def test_a_metric_that_no_area_shows_is_told():
    text = effect_text(Effect(frame(TEAM), frame(AREA), frame(METRIC, points=None, value=None, status="not_measured")))
    assert "| t1 | Coverage of alerts | 60.0 → – | ok → not_measured |" in text
    assert "0 of 1 teams are not affected" in text


def test_a_gate_or_a_coverage_alone_is_told():
    assert "Monitoring gate – → g_mon_1" in effect_text(Effect(frame(TEAM), frame(AREA, gate="g_mon_1"), frame(METRIC)))
    assert "Monitoring coverage 50% → 40%" in effect_text(Effect(frame(TEAM), frame(AREA, coverage=0.4), frame(METRIC)))
