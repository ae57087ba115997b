"""Expected scores: points, statuses, areas and teams, added up one by one (method, section 3)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from simulator.truth import assurance, duty, practice, state, telemetry
from simulator.truth.setting import FOREVER, Setting, Value

# Metric -> (weight, floor, krav, mal, n_full), as the method's table 2.2 has them; what weighs nothing is a guard.
RULES: dict[str, tuple[int, float, float | None, float, int | None]] = {
    "mon_signal_coverage": (4, 0.5, 0.9, 1, None),
    "mon_alert_coverage": (3, 0.4, 0.9, 1, None),
    "mon_detection_by_alert": (3, 0.4, 0.75, 0.95, 10),
    "mon_alert_precision": (3, 0.3, 0.7, 0.9, 30),
    "mon_pager_load_ok": (0, 0.5, 0.85, 0.95, 30),
    "mon_review_currency": (2, 0.3, 0.8, 0.95, None),
    "mnt_supported_versions": (4, 0.7, 0.95, 1, None),
    "mnt_updates_within_30d": (3, 0.3, 0.7, 0.9, 40),
    "mnt_update_routine": (2, 0.4, 0.85, 1, 24),
    "mnt_planned_maintenance_on_time": (2, 0.4, 0.8, 0.95, 8),
    "inc_oncall_coverage": (4, 0.9, 0.99, 1, None),
    "inc_incident_manager_involved": (4, 0.8, None, 1, 5),
    "inc_error_budget_consumed": (4, 3, 1, 0.8, None),
    "inc_ack_within_target": (3, 0.6, 0.9, 0.97, 30),
    "inc_postmortem_on_time": (3, 0.0, 0.8, 1, 5),
    "inc_actions_on_time": (3, 0.4, 0.8, 0.95, 12),
    "inc_known_error_docs": (2, 0.4, 0.9, 1, None),
    "inc_assist_response": (1, 0.5, 0.8, 0.95, 10),
    "scl_saturation_headroom": (4, 0.95, 0.8, 0.7, None),
    "scl_capacity_alert_coverage": (3, 0.4, 0.9, 1, None),
    "scl_latency_budget_consumed": (3, 3, 1, 0.8, None),
    "scl_latency_targets": (2, 0, 0.8, 1, None),
    "scl_time_at_ceiling": (2, 0.05, 0.01, 0.001, None),
    "scl_elastic_workloads": (2, 0.4, 0.8, 0.95, None),
    "scl_load_test_currency": (2, 0.2, 0.8, 1, None),
    "sec_vulns_fixed_on_time": (4, 0.5, 0.9, 0.98, 30),
    "sec_overdue_exploited": (0, 2, None, 0, None),
    "sec_control_pass_rate": (3, 0.6, 0.9, 0.98, None),
    "sec_assessment_currency": (3, 0.3, 0.9, 1, None),
    "sec_findings_on_time": (2, 0.4, 0.8, 0.95, 10),
    "aut_update_bot_coverage": (3, 0.5, 0.95, 1, None),
    "aut_automated_deploy_share": (3, 0.5, 0.9, 0.99, 20),
    "aut_change_fail_rate": (3, 0.3, 0.15, 0.05, 20),
    "aut_toil_share": (2, 0.5, 0.33, 0.2, 8),
    "aut_iac_managed_share": (2, 0.4, 0.9, 0.98, None),
    "bck_coverage": (4, 0.8, None, 1, None),
    "bck_rpo_attainment": (4, 0.95, 0.995, 1, None),
    "bck_restore_test_currency": (4, 0.2, 0.8, 1, None),
    "bck_restore_within_rto": (3, 0.2, 0.8, 1, None),
    "bck_isolation": (3, 0.3, 0.9, 1, None),
    "bck_restore_runbook": (2, 0.4, 0.9, 1, None),
}
AREAS = ("mon", "mnt", "inc", "scl", "sec", "aut", "bck")
# Streams of the demo that a team has not connected: every metric that needs them.
UNCONNECTED = {
    "tidevann": (
        *("mon_detection_by_alert", "mon_alert_precision", "mon_pager_load_ok", "inc_ack_within_target"),
        *("mon_detection_by_alert",),
    ),
    "slepebat": ("sec_vulns_fixed_on_time", "sec_overdue_exploited"),
}


@dataclass(frozen=True, slots=True)
class Expected:
    """What must come out at the end of one day.

    Attributes:
        values: (team, metric) -> numbers, for teams and metrics that are measured.
        points: (team, metric) -> points that enter the score.
        areas: (team, area) -> score, null where there is too little data.
        teams: Team -> score.
        parts: (team, area) -> metric, weight with evidence and points of what is in the score, and the value that luck
            may change: null where an old one is carried.
        published: Team -> areas that are in its score.
    """

    values: dict[tuple[str, str], Value]
    points: dict[tuple[str, str], float]
    areas: dict[tuple[str, str], float]
    teams: dict[str, float]
    parts: dict[tuple[str, str], list[tuple[str, float, float, Value | None]]]
    published: dict[str, list[str]]


def points_of(metric: str, value: float) -> float:
    """Floor 0, krav 60, mal 100, straight between them."""
    _, floor, krav, mal, _ = RULES[metric]
    if krav is None:
        share = (value - floor) / (mal - floor) * 100
    elif (value - krav) * (1 if mal > floor else -1) < 0:
        share = (value - floor) / (krav - floor) * 60
    else:
        share = 60 + (value - krav) / (mal - krav) * 40
    return min(100.0, max(0.0, share))


def expected(folder: Path, records: dict[str, Any], on: date) -> Expected:
    """Return what the engine must say about the end of a local day.

    Args:
        folder: Configuration of the organisation.
        records: As ``simulator.demo.generate`` returns them.
        on: Last local day of a month, late enough for every window to be covered.
    """
    s = Setting(folder, records, on)
    values: dict[tuple[str, str], Value] = {}
    for metric in RULES:
        for team, value in _values(s, metric).items():
            if team in s.teams and s.teams[team]["onboarded_on"] <= on:
                values[team, metric] = value
    # What our own failure hides: the newest week of the last ninety days at the end of which enough was known.
    hidden = {key for key, value in values.items() if _is_hidden(value)}
    carried: dict[tuple[str, str], Value] = {}
    for day in (on - timedelta(days=back) for back in range(91)):
        if day.weekday() != 6 or not hidden - carried.keys():
            continue
        then = Setting(folder, records, day)
        for metric in sorted({metric for _, metric in hidden - carried.keys()}):
            for team, value in _values(then, metric).items():
                known = value.denominator > 0 and value.numerator >= 0 and not _is_hidden(value)
                if known and (team, metric) in hidden - carried.keys():
                    carried[team, metric] = value
    return _scored(s, values, carried)


def _values(s: Setting, metric: str) -> dict[str, Value]:
    modules = (practice, duty, state, assurance, telemetry)
    function: Callable[..., dict[str, Value]] = next(getattr(m, metric) for m in modules if hasattr(m, metric))
    return function(s, telemetry.budget_spent(s)) if metric == "inc_postmortem_on_time" else function(s)


def _is_hidden(value: Value) -> bool:
    return value.numerator >= 0 and value.completeness < 0.5


def _scored(s: Setting, values: dict[tuple[str, str], Value], carried: dict[tuple[str, str], Value]) -> Expected:
    found = Expected({}, {}, {}, {}, {}, {})
    for team, row in s.teams.items():
        if row["onboarded_on"] > s.on:
            continue
        published: list[float] = []
        found.published[team] = []
        for area in AREAS:
            judged, score = _area(s, row, area, values, carried, found)
            if score is not None and judged >= 0.4 - 1e-9:
                found.areas[team, area] = score
            if score is not None and judged >= 0.6 - 1e-9:
                published.append(score)
                found.published[team].append(area)
        if published:
            found.teams[team] = 0.75 * sum(published) / len(published) + 0.25 * min(published)
    return found


def _area(
    s: Setting,
    row: dict[str, Any],
    area: str,
    values: dict[tuple[str, str], Value],
    carried: dict[tuple[str, str], Value],
    found: Expected,
) -> tuple[float, float | None]:
    """Share of the area's weight that is judged, and its score; notes values and points on the way."""
    team = row["id"]
    applying = [metric for metric in RULES if metric.startswith(area) and not _exempt(s, row, metric)]
    waived = _waived(s, team, [metric for metric in applying if _exists(values, team, metric)], applying)
    top = bottom = total = 0.0
    for metric in applying:
        status, point, evidence = _judge(row, metric, values.get((team, metric)), carried.get((team, metric)))
        if status == "measured":
            found.values[team, metric] = values[team, metric]
        if status == "dropped" or metric in waived:
            continue
        weight = RULES[metric][0]
        total += weight
        if point is not None:
            found.points[team, metric] = point
            top += weight * evidence * point
            bottom += weight * evidence
            own = values[team, metric] if status == "measured" else None
            found.parts.setdefault((team, area), []).append((metric, weight * evidence, point, own))
    return (bottom / total, top / bottom) if bottom else (0.0, None)


def _judge(
    team: dict[str, Any], metric: str, value: Value | None, carried: Value | None
) -> tuple[str, float | None, float]:
    """Status, points and evidence of one metric, waivers aside."""
    if metric in UNCONNECTED.get(team["id"], ()):
        return "unmeasured", None, 0.0
    if value is None:
        return "dropped", None, 0.0
    if value.numerator < 0:
        return "invalid", None, 0.0
    if _is_hidden(value):
        _, point, evidence = ("", None, 0.0) if carried is None else _judge(team, metric, carried, None)
        return "unmeasured", point, evidence
    if value.denominator == 0:
        return "dropped", None, 0.0
    n_full = RULES[metric][4]
    # Three quarters for a single event, and the rest with the root of their number (method 3.2).
    evidence = 1.0 if n_full is None else 0.75 + 0.25 * min(1.0, math.sqrt(value.size / n_full))
    if value.entities:
        known = [(w, 0.0 if v is None else points_of(metric, v)) for w, v, c in value.entities if c >= 0.5]
        point = sum(w * p for w, p in known) / sum(w for w, _ in known)
    else:
        point = points_of(metric, value.value if value.value is not None else value.numerator / value.denominator)
    return "measured", point, evidence


def _exists(values: dict[tuple[str, str], Value], team: str, metric: str) -> bool:
    return (team, metric) in values or metric in UNCONNECTED.get(team, ())


def _exempt(s: Setting, team: dict[str, Any], metric: str) -> bool:
    """Another type of team, or a row of the register."""
    if metric == "bck_isolation" and team["type"] != "platform":
        return True
    return any(
        row["team_id"] == team["id"] and row["metric_id"] == metric and _valid(s, row)
        for row in s.table("registers/applicability.csv")
    )


def _valid(s: Setting, row: dict[str, str]) -> bool:
    until = date.fromisoformat(row["valid_to"]) if row["valid_to"] else FOREVER
    return date.fromisoformat(row["valid_from"]) <= s.on < until


def _waived(s: Setting, team: str, there: list[str], applying: list[str]) -> set[str]:
    """Metrics under a waiver, oldest first, up to a quarter of the area's weight."""
    rows = [r for r in s.table("registers/waivers.csv") if r["team_id"] == team and r["metric_id"] in applying]
    used, found = 0, set[str]()
    total = sum(RULES[metric][0] for metric in there)
    for row in sorted(rows, key=lambda r: (r["valid_from"], r["waiver_id"])):
        weight = RULES[row["metric_id"]][0]
        if _valid(s, row) and used + weight <= total / 4 + 1e-9:
            used += weight
            found.add(row["metric_id"])
    return found
