"""Scores for other programs: JSON, OpenMetrics and requirements with exit codes; what is unknown is not a number and no verdict."""

from __future__ import annotations

import json
import math

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from opsmetrics.snapshots import results
from opsmetrics.snapshots.results import MET, MISSED, UNKNOWN, Requirements


@pytest.fixture(scope="module")
def home(first_run):
    """A home in which the small organisation is published; these tests only read it."""
    return first_run / "home"


def values(here, home, query: str) -> list[dict]:
    return json.loads(here("sql", query, "--format", "json", home=home).stdout)


def test_json_says_what_the_snapshot_says(here, home):
    told = json.loads(here("results", home=home).stdout)
    assert (told["schema"], told["organisation_id"]) == (1, "small")
    assert [team["team_id"] for team in told["teams"]] == ["alfa", "beta"]
    for level, key in (("area", "area_id"), ("metric", "metric_id")):
        measure = "score" if level == "area" else "points"
        shown = {
            (row["team_id"], row[key]): row[measure]
            for row in values(here, home, f"select * from scores.{level} where grain = 'latest'")
        }
        assert shown == {
            (team["team_id"], part[key]): part[measure] for team in told["teams"] for part in team[f"{level}s"]
        }
    assert None in {metric["points"] for team in told["teams"] for metric in team["metrics"]}


def test_openmetrics_parses_and_unknown_is_no_sample(cli, here, home, tmp_path):
    target = tmp_path / "scores.prom"
    cli("results", "--format", "openmetrics", "--out", str(target), home=home)
    samples = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(target.read_text())
        for sample in family.samples
    }
    assert not any(math.isnan(value) for value in samples.values())
    rows = values(here, home, "select * from scores.metric where grain = 'latest'")
    expected = {
        ("opsmetrics_metric_points", ("metric", row["metric_id"]), ("team", row["team_id"])): row["points"]
        for row in rows
        if row["points"] is not None
    }
    assert len(expected) < len(rows)
    assert {key: value for key, value in samples.items() if key[0] == "opsmetrics_metric_points"} == expected
    assert [path.name for path in tmp_path.glob("*.prom*")] == ["scores.prom"]


@pytest.mark.parametrize(
    ("requirements", "code", "said"),
    [
        ([], 0, ""),
        (["--min-coverage", "0"], 0, ""),
        (["--min-coverage", "1"], 3, "missed: alfa: coverage"),
        (["--min-level", "4", "--team", "alfa"], 3, "missed: alfa: level"),
        (["--min-coverage", "1.1"], 2, "1.1 is not in the range"),
        (["--min-level", "5"], 2, "5 is not in the range"),
        (["--min-score", "0", "--team", "nobody"], 1, "no such team in the snapshot: nobody"),
    ],
)
def test_exit_codes(here, home, requirements, code, said):
    team = values(here, home, "select level from scores.team where team_id = 'alfa' and grain = 'latest'")[0]
    if code == 3 and "--min-level" in requirements and team["level"] is None:
        code, said = 4, "unknown: alfa: level"
    done = here("results", *requirements, home=home, check=False)
    assert done.returncode == code, done.stderr
    assert said in done.stderr


def team(**more) -> dict:
    return {"team_id": "a", "score": 70.0, "level": 2, "coverage": 0.8, "areas": [], "metrics": []} | more


@pytest.mark.parametrize(
    ("found", "requirements", "verdict"),
    [
        (team(), Requirements(score=70), MET),
        (team(), Requirements(score=70.1), MISSED),
        (team(score=None), Requirements(score=0), UNKNOWN),
        (team(level=None), Requirements(level=0), UNKNOWN),
        (team(level=0), Requirements(level=0), MET),
        (team(areas=[{"gate": None}]), Requirements(no_gate=True), MET),
        (team(areas=[{"gate": "G-SIK-1"}, {"gate": None}]), Requirements(no_gate=True), MISSED),
    ],
)
def test_what_is_unknown_is_neither_met_nor_missed(found, requirements, verdict):
    (told,) = results.judge({"teams": [found]}, requirements)
    assert told["verdict"] == verdict


def test_without_wishes_there_is_no_verdict():
    assert results.judge({"teams": [team(score=None)]}, Requirements()) == []
