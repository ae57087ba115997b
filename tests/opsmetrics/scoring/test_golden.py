"""The numbered examples of the scoring method that concern points, evidence, areas, teams, levels and gaps.

Examples that are about values (G02 to G13, G27, G29) run through the SQL in ``tests/sql``.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from opsmetrics.catalogue import Ruleset
from opsmetrics.scoring.aggregate import area_scores, mean_min, team_scores, with_gates, with_shares
from opsmetrics.scoring.gaps import gaps
from opsmetrics.scoring.levels import level, standing_levels, with_levels
from opsmetrics.scoring.points import entity_points, evidence_weight, points
from opsmetrics.scoring.status import apply_waivers

GOLDEN = json.loads((Path(__file__).parent / "scoring-golden.json").read_text())
AT = datetime(2026, 8, 31, 22, tzinfo=UTC)
CLOSE = 5e-5


def one(expression: pl.Expr) -> float:
    return pl.select(expression).item()


def point(value, floor, krav, mal):
    return one(points(*(pl.lit(v, pl.Float64) for v in (value, floor, krav, mal))))


def near(expected, tolerance=CLOSE):
    return pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize(
    ("values", "anchors", "name"),
    [
        ((0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 1.0), (0.30, 0.70, 0.90), "up"),
        ((80, 60, 45, 30, 22, 14, 3), (60, 30, 14), "down"),
        ((0.75, 0.8, 0.9, 0.95, 1), (0.80, None, 1.00), "two_anchor"),
        ((0, 1, 2, 5), (2, None, 0), "count"),
    ],
)
def test_g14_points(values, anchors, name):
    assert [point(value, *anchors) for value in values] == near(GOLDEN["G14_points"][name])


def test_points_of_other_examples():
    assert point(1.3541, 3, 1, 0.8) == pytest.approx(GOLDEN["G03_error_budget"]["points"], abs=5e-3)
    assert point(60 / 44.31, 3, 1, 0.8) == near(GOLDEN["G03_error_budget"]["points"])
    assert point(7 / 13, 0.6, 0.9, 0.97) == near(GOLDEN["G05b_ack_share"]["points"])
    assert point(52 / 56, 0.9, 0.99, 1) == near(GOLDEN["G07_dayoncall"]["points"])
    assert point(0.6875, 0.3, 0.7, 0.9) == near(GOLDEN["G09_km"]["points_F30"])
    assert point(0.6, 0.3, 0.7, 0.9) == near(GOLDEN["G09b_km_gaming"]["points_F30"])
    assert point(4 / 7, 0.5, 0.9, 0.98) == near(GOLDEN["G10_vuln_due"]["points"])
    assert point(1, 2, None, 0) == near(GOLDEN["G10_vuln_due"]["points_2026_09_15"])
    assert point(132 / 168, 0.95, 0.995, 1) == near(GOLDEN["G11_rpo"]["points"])
    assert point(2 / 6, 0.2, 0.8, 1) == near(GOLDEN["G12_restore"]["pts_current"])
    assert point(52 / 60, 0.5, 0.85, 0.95) == near(GOLDEN["G13_alert_quality"]["load_points"])
    assert point(4 / 50, 0.3, 0.15, 0.05) == near(GOLDEN["G29_cfr"]["points"])


def test_g22_evidence_weight():
    for case, expected in GOLDEN["G22_shrink"]["credibility_Z"].items():
        n, full = (int(part.partition("=")[2]) for part in case.split(","))
        assert one(evidence_weight(pl.lit(n), pl.lit(full), 0.0)) == near(expected)
    assert one(evidence_weight(pl.lit(7), pl.lit(30), 0.0)) == near(GOLDEN["G10_vuln_due"]["Z"])
    assert one(evidence_weight(pl.lit(0), pl.lit(None, pl.Int64), 0.0)) == near(1.0)


def test_g34_no_evidence_weight_turns_two_stated_weights_round(ruleset):
    golden = GOLDEN["G34_evidence_3"]
    least = ruleset.evidence_at_least
    for case, expected in golden["Z"].items():
        n, full = (int(part.partition("=")[2]) for part in case.split(","))
        assert one(evidence_weight(pl.lit(n), pl.lit(full), least)) == near(expected)
    assert 4 * one(evidence_weight(pl.lit(1), pl.lit(10**9), least)) == near(golden["least_of_4"], 5e-4)
    assert golden["least_of_4"] >= golden["most_of_3"]


def test_g30_score_first_average_after():
    golden = GOLDEN["G30_entity_points"]
    frame = pl.DataFrame({"c": [0.2, 60 / 44.31, 12.0], "w": golden["crit_weight"]})
    scored = frame.with_columns(p=points(pl.col("c"), pl.lit(3.0), pl.lit(1.0), pl.lit(0.8)))
    assert scored["p"].to_list() == near(golden["points"])
    assert scored.select(entity_points(pl.col("w"), pl.col("p"))).item() == near(golden["metric_points"])


def cells(rows, area="bck"):
    """(metric, weight, evidence weight, points, status) rows as a frame."""
    return pl.DataFrame(
        [("t", AT, "month", area, *row) for row in rows],
        schema={
            "team_id": pl.String,
            "as_of": pl.Datetime("us", "UTC"),
            "grain": pl.String,
            "area_id": pl.String,
            "metric_id": pl.String,
            "weight": pl.Float64,
            "evidence_weight": pl.Float64,
            "points": pl.Float64,
            "status": pl.String,
        },
        orient="row",
    ).with_columns(completeness=pl.lit(1.0), points_low="points", points_high="points")


def check_area(rows, golden, ruleset):
    area = area_scores(cells(rows), ruleset).row(0, named=True)
    assert area["score"] == near(golden["score"])
    assert area["coverage"] == near(golden["coverage"])
    assert (area["low"], area["high"]) == near((golden["lo"], golden["hi"]))
    assert area["applicable_weight"] == golden["applicable_weight"]


BACKUP = [
    ("coverage", 4, 1.0, 75.0, "ok"),
    ("rpo", 4, 1.0, 84.0, "ok"),
    ("currency", 4, 1.0, 30.0, "ok"),
    ("rto", 3, 1.0, 20.0, "ok"),
]


def test_g15_area_with_missing_waived_and_overdue(ruleset):
    golden = GOLDEN["G15_area_backup"]
    grace = ("isolation", 3, None, None, "not_measured")
    overdue = ("isolation", 3, 1.0, 0.0, "not_measured_overdue")
    waived = ("runbook", 2, None, None, "waived")
    check_area([*BACKUP, grace, waived], golden["before"], ruleset)
    check_area([*BACKUP, overdue, waived], golden["after_grace"], ruleset)
    check_area([*BACKUP, grace, ("runbook", 2, 1.0, 0.0, "ok")], golden["without_waiver_runbook40"], ruleset)


def test_g16_area_with_thin_evidence(ruleset):
    golden = GOLDEN["G16_area_incident"]
    ack, one_of_five, actions = ((12 / 30) ** 0.5, (1 / 5) ** 0.5, (3 / 12) ** 0.5)
    assert [ack, one_of_five, actions] == near(golden["Z"])
    rows = [
        ("oncall", 4, 1.0, 80.0, "ok"),
        ("ack", 3, ack, 50.0, "low_evidence"),
        ("assist", 1, None, None, "no_opportunity"),
        ("manager", 4, one_of_five, 100.0, "low_evidence"),
        ("budget", 4, 1.0, 62.0, "ok"),
        ("postmortem", 3, one_of_five, 100.0, "low_evidence"),
        ("actions", 3, actions, 20.0, "low_evidence"),
        ("docs", 2, 1.0, 90.0, "ok"),
    ]
    check_area(rows, golden["area"], ruleset)


def test_g35_area_with_thin_evidence_since_3_0(ruleset):
    golden = GOLDEN["G35_area_incident_3"]

    def z(n, full):
        return one(evidence_weight(pl.lit(n), pl.lit(full), ruleset.evidence_at_least))

    assert [z(12, 30), z(1, 5), z(3, 12)] == near(golden["Z"])
    rows = [
        ("oncall", 4, 1.0, 80.0, "ok"),
        ("ack", 3, z(12, 30), 50.0, "low_evidence"),
        ("manager", 4, z(1, 5), 100.0, "low_evidence"),
        ("budget", 4, 1.0, 62.0, "ok"),
        ("postmortem", 3, z(1, 5), 100.0, "low_evidence"),
        ("actions", 3, z(3, 12), 20.0, "low_evidence"),
        ("docs", 2, 1.0, 90.0, "ok"),
        ("assist", 1, None, None, "no_opportunity"),
    ]
    check_area(rows, golden["area"], ruleset)
    found = with_shares(cells(rows))
    pairs = [list(pair) for pair in found.select("stated_share", "effective_share").rows()]
    assert pairs[:-1] == [near(pair) for pair in golden["stated_and_effective"]]
    assert pairs[-1] == [None, None]


def test_g38_guards_and_targets_since_4_0(catalogue, ruleset):
    """Weights and thresholds are the catalogue's own, but for the weight that the guard had before."""
    golden = GOLDEN["G38_guards_4"]
    weight = {metric.id: metric.header.weight for metric in catalogue.metrics if metric.area_id == "sec"}

    def area(of_guard):
        rows = [
            ("vulns", weight["sec_vulns_fixed_on_time"], 0.75 + 0.25 * (12 / 30) ** 0.5, 50.0, "low_evidence"),
            ("exploited", of_guard, 1.0, 100.0, "ok"),
            ("controls", weight["sec_control_pass_rate"], 1.0, 70.0, "ok"),
            ("assessments", weight["sec_assessment_currency"], 1.0, 100.0, "ok"),
            ("findings", weight["sec_findings_on_time"], 0.75 + 0.25 * (5 / 10) ** 0.5, 80.0, "low_evidence"),
        ]
        found = area_scores(cells(rows), ruleset).row(0, named=True)
        return [found["score"], found["coverage"]]

    assert area(4) == near(golden["area_security_before"])
    assert area(weight["sec_overdue_exploited"]) == near(golden["area_security_after"])

    def of(metric_id, value):
        header = catalogue.metric(metric_id).header
        return point(value, header.floor, header.krav, header.mal)

    budgets = [of("scl_latency_budget_consumed", value) for value in (0.2, 1.3541)]
    assert (budgets[0] + 2 * budgets[1]) / (1 + 2) == near(golden["latency_after"])
    assert of("scl_latency_targets", golden["targets"]["value"]) == near(golden["targets"]["points"])
    assert of("inc_postmortem_on_time", 1 / 3) == near(golden["postmortem_one_of_three"]["after"])


def mm(values, share=0.25):
    return pl.DataFrame({"a": values}).select(mean_min(pl.col("a"), pl.lit(1.0), share)).item()


def test_g17_mean_min():
    golden = GOLDEN["G17_team"]
    areas = [72.5, 81, 64, 90, 58, 77, 816 / 18]
    assert mm(areas) == near(golden["mean_min_25"])
    assert mm(areas, 0.0) == near(golden["mean_min_00"])
    assert mm(areas, 0.5) == near(golden["mean_min_50"])
    assert mm([area for area in areas if area != 77]) == near(golden["missing_aut"])
    assert mm([80.0] * 6 + [0.0]) == near(golden["one_zero"]["mean_min"])
    assert mm([40.0] * 6 + [90.0]) == near(GOLDEN["G17b_monotone"]["meanmin_before"])
    assert mm([40.0] * 6 + [100.0]) == near(GOLDEN["G17b_monotone"]["meanmin_after"])


def test_g31_effective_weights_of_areas():
    golden = GOLDEN["G31_effective_weight"]
    base = [50.0, 60, 60, 60, 60, 60, 60]
    raised = mm([50.0, 61, 60, 60, 60, 60, 60]) - mm(base)
    weakest = mm([51.0, 60, 60, 60, 60, 60, 60]) - mm(base)
    assert raised == near(golden["area_share_normal"])
    assert weakest == near(golden["area_share_weakest"])


def test_g18_gap_attribution(ruleset):
    golden = GOLDEN["G18_gap"]
    given = {
        "mon": [("mon_signal_coverage", 4, 90), ("mon_alert_precision", 3, 55)],
        "sec": [("sec_vulns_fixed_on_time", 4, 40), ("sec_control_pass_rate", 3, 70)],
        "bck": [("bck_coverage", 4, 75), ("bck_restore_test_currency", 4, 30), ("bck_isolation", 3, 50)],
    }
    frame = pl.concat(cells([(m, w, 1.0, float(p), "ok") for m, w, p in rows], area) for area, rows in given.items())
    areas = area_scores(frame, ruleset).with_columns(area_weight=pl.lit(1.0))
    team = team_scores(areas, ruleset).row(0, named=True)
    assert {row["area_id"]: row["score"] for row in areas.to_dicts()} == near(golden["area_scores"])
    assert team["score"] == near(golden["team"])
    # Of backup the target alone meets the requirement: 75 points are not there.
    krav = pl.when(pl.col("metric_id") != "bck_coverage").then(0.9)
    found = gaps(frame.with_columns(krav=krav), areas, ruleset)
    to_krav = dict(found.select("metric_id", "gain_to_krav").iter_rows())
    assert to_krav["mon_signal_coverage"] == 0
    assert to_krav["bck_coverage"] == near(golden["gain_if_fixed"]["bck_coverage"]) != 0
    assert dict(found.select("metric_id", "points_lost").iter_rows()) == near(golden["loss"])
    assert dict(found.select("metric_id", "gain_if_met").iter_rows()) == near(golden["gain_if_fixed"])
    assert found["points_lost"].sum() == near(golden["sum_loss"]) == near(100 - team["score"])
    assert found.sort("gain_if_met", descending=True)["metric_id"].to_list() == golden["first_by_gain"]


def test_g28_levels_and_gates(ruleset):
    golden = GOLDEN["G28_levels"]
    for score, expected in golden["levels"].items():
        assert one(level(pl.lit(float(score)), ruleset.level_edges)) == expected
    key = {"team_id": ["t"], "as_of": [AT], "grain": ["month"]}
    gated = golden["gate"]
    areas = pl.DataFrame({**key, "area_id": ["sec"], "score": [gated["score"]], "status": ["ok"]})
    gate = pl.DataFrame({**key, "area_id": ["sec"], "gate_id": ["G-SIK-1"], "cap": [1], "finding_count": [2]})
    by_score = level(pl.col("score"), ruleset.level_edges)
    areas = with_gates(areas, gate).with_columns(level_by_score=by_score, level_sure=by_score)
    teams = pl.DataFrame({**key, "score": [83.0]}).with_columns(level_by_score=by_score, level_sure=by_score)
    capped, _ = with_levels(areas, teams, {"G-SIK-1": gated["gate_cap"]}, ruleset)
    assert capped.select("score", "level_by_score", "level", "gate").row(0) == (
        *(gated["score"], gated["level_by_score"], gated["level"]),
        "G-SIK-1",
    )
    lowest = areas.with_columns(level_by_score=pl.lit(golden["team_cap"]["lowest_area_level"]), gate=pl.lit("none"))
    _, found = with_levels(lowest, teams, {"none": 4}, ruleset)
    assert found["level"].item() == golden["team_cap"]["team_level"]


def test_g37_a_level_falls_at_once_and_rises_after_four_sure_weeks(ruleset):
    golden = GOLDEN["G37_levels_3"]
    weeks = pl.DataFrame(
        [("t", AT + timedelta(weeks=number), *row) for number, row in enumerate(golden["weeks"])],
        schema={
            "team_id": pl.String,
            "as_of": pl.Datetime("us", "UTC"),
            "level_by_score": pl.Int32,
            "level_sure": pl.Int32,
            "cap": pl.Int32,
        },
        orient="row",
    ).with_columns(level_sure=pl.min_horizontal("level_sure", "cap"))
    assert standing_levels(weeks, ["team_id"], ruleset).to_list() == golden["levels"]
    # Another team's history and the order of rows change nothing, and a gap is no evidence against a team.
    gap = weeks.with_columns(level_by_score=pl.when(pl.col("as_of") != AT + timedelta(weeks=7)).then("level_by_score"))
    both = pl.concat([weeks.with_columns(team_id=pl.lit("a")), gap]).sample(fraction=1, shuffle=True, seed=1)
    found = both.with_columns(level=standing_levels(both, ["team_id"], ruleset)).filter(team_id="t").sort("as_of")
    assert found["level"].to_list() == [*golden["levels"][:7], None, *golden["levels"][8:]]
    # Before 3.0.0 a level was that of the score, whatever came before.
    before = Ruleset(**ruleset.model_dump() | {"level_days": 0, "level_sure": 0.5})
    plain = weeks.with_columns(level_sure="level_by_score", cap=pl.lit(None, pl.Int32))
    assert standing_levels(plain, ["team_id"], before).to_list() == weeks["level_by_score"].to_list()


def test_g33_waivers_are_half_open(ruleset):
    waivers = pl.DataFrame(
        {
            "waiver_id": ["w"],
            "team_id": ["t"],
            "metric_id": ["m0"],
            "valid_from": [date(2026, 3, 1)],
            "valid_to": [date(2026, 8, 31)],
        }
    )
    rows = [(f"m{i}", 1, 1.0, 50.0, "ok") for i in range(4)]
    for on, expected in ((date(2026, 7, 31), True), (date(2026, 8, 31), False)):
        frame = cells(rows).with_columns(on=pl.lit(on), reason=pl.lit(None, pl.String))
        found = apply_waivers(frame, waivers, ruleset)
        assert (found.filter(metric_id="m0")["status"].item() == "waived") is expected


def test_waivers_beyond_a_quarter_of_the_area_are_ignored_newest_first(ruleset):
    waivers = pl.DataFrame(
        {
            "waiver_id": ["new", "old"],
            "team_id": ["t", "t"],
            "metric_id": ["m0", "m1"],
            "valid_from": [date(2026, 8, 2), date(2026, 8, 1)],
            "valid_to": [date(2026, 10, 1)] * 2,
        }
    )
    rows = [(f"m{i}", 1, 1.0, 50.0, "ok") for i in range(5)]
    frame = cells(rows).with_columns(on=pl.lit(date(2026, 8, 31)), reason=pl.lit(None, pl.String))
    found = apply_waivers(frame, waivers, ruleset)
    assert found.filter(status="waived")["metric_id"].to_list() == ["m1"]


def test_g39_what_is_ignored_takes_no_room(ruleset):
    golden = GOLDEN["G39_waivers_over_the_cap"]
    waivers = pl.DataFrame(
        [
            {"waiver_id": waiver_id, "team_id": "t", "metric_id": metric_id, "valid_from": date(2026, 8, day)}
            for waiver_id, metric_id, day in golden["waivers"]
        ]
    ).with_columns(valid_to=pl.lit(date(2026, 10, 1)))
    rows = [(metric_id, weight, 1.0, points, "ok") for metric_id, weight, points in golden["metrics"]]
    frame = cells(rows).with_columns(on=pl.lit(date(2026, 8, 31)), reason=pl.lit(None, pl.String))
    # Another team's waivers, and the order of rows, change nothing.
    other = pl.concat([frame, frame.with_columns(team_id=pl.lit("u"))]).sample(fraction=1, shuffle=True, seed=1)
    found = apply_waivers(other, waivers.reverse(), ruleset).filter(team_id="t")
    assert found.filter(status="waived").sort("metric_id")["metric_id"].to_list() == golden["waived"]
    assert area_scores(found, ruleset)["score"].item() == near(golden["score"])


def test_a_waiver_holds_in_every_grain(ruleset):
    """A quarter's series lacks metrics with short windows: what a quarter of the area is, the month says."""
    waivers = pl.DataFrame(
        {
            **{"waiver_id": ["w"], "team_id": ["t"], "metric_id": ["m0"]},
            **{"valid_from": [date(2026, 8, 2)], "valid_to": [date(2026, 10, 1)]},
        }
    )
    month = cells([(f"m{i}", 1, 1.0, 50.0, "ok") for i in range(4)])
    quarter = month.filter(metric_id="m0").with_columns(grain=pl.lit("series_quarter"))
    frame = pl.concat([month, quarter]).with_columns(on=pl.lit(date(2026, 8, 31)), reason=pl.lit(None, pl.String))
    found = apply_waivers(frame, waivers, ruleset)
    assert found.filter(metric_id="m0").sort("grain")["status"].to_list() == ["waived", "waived"]
