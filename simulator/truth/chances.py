"""Where next month's scores lie and which level is given, from the text of the method alone (3.6 and 3.10).

Draws come from numpy's own Beta and normal generators; the engine looks up inverse distribution functions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from simulator.truth.scores import RULES, Expected
from simulator.truth.setting import Value

Floats = npt.NDArray[np.float64]

DRAWS = 4000
EDGES = (20, 40, 60, 80)
MONTH = 30.4375
# Days of the windows of table 2.2; all others are states, which usually stand for a year.
WINDOWS = {
    "mon_signal_coverage": 28,
    "mon_detection_by_alert": 180,
    "mon_alert_precision": 90,
    "mon_pager_load_ok": 90,
    "mnt_updates_within_30d": 180,
    "mnt_update_routine": 168,
    "mnt_planned_maintenance_on_time": 180,
    "inc_oncall_coverage": 28,
    "inc_incident_manager_involved": 365,
    "inc_error_budget_consumed": 90,
    "inc_ack_within_target": 90,
    "inc_postmortem_on_time": 365,
    "inc_actions_on_time": 180,
    "inc_assist_response": 180,
    "scl_saturation_headroom": 28,
    "scl_latency_budget_consumed": 90,
    "scl_time_at_ceiling": 28,
    "sec_vulns_fixed_on_time": 90,
    "sec_findings_on_time": 180,
    "aut_automated_deploy_share": 90,
    "aut_change_fail_rate": 90,
    "aut_toil_share": 91,
    "bck_rpo_attainment": 90,
    "bck_restore_within_rto": 365,
}


def next_month(stated: Expected, seed: int) -> dict[tuple[str, str], tuple[float, float, list[float]]]:
    """Return 5 %, 95 % and the chances of the four levels, by team and area; area "" is the team itself.

    Args:
        stated: What must come out at the end of a month.
        seed: Of the draws.
    """
    dice = np.random.default_rng(seed)
    moved = {
        key: _moved(_area(parts, dice), stated.areas[key])
        for key, parts in sorted(stated.parts.items())
        if key in stated.areas
    }
    found = {key: _ends(draws) for key, draws in moved.items()}
    for team, score in stated.teams.items():
        areas = np.array([moved[team, area] for area in stated.published[team]])
        found[team, ""] = _ends(_moved(0.75 * areas.mean(axis=0) + 0.25 * areas.min(axis=0), score))
    return found


def _area(parts: list[tuple[str, float, float, Value | None]], dice: np.random.Generator) -> Floats:
    total = sum(weight for _, weight, _, _ in parts)
    drawn = [weight / total * _points(metric, point, value, dice) for metric, weight, point, value in parts]
    return np.sum(drawn, axis=0)


def _points(metric: str, point: float, value: Value | None, dice: np.random.Generator) -> Floats:
    """Points that the same practice may bring next month."""
    if value is None:
        return np.full(DRAWS, point)
    turned_over = 2 * min(1.0, MONTH / WINDOWS.get(metric, 365))
    if metric == "aut_toil_share":
        share = value.numerator / value.denominator
        drawn = dice.normal(share, math.sqrt(turned_over) * value.error, DRAWS) if value.error else [share] * DRAWS
        return _points_of(metric, np.asarray(drawn))
    if value.entities:
        known = sum(complete >= 0.5 for _, _, complete in value.entities)
        return 100 * _beta(point / 100, max(known, 1) / turned_over, dice)
    share = value.numerator / value.denominator if value.value is None else value.value
    size: float = value.size
    if value.error and 0 < share < 1:
        size = share * (1 - share) / value.error**2
    return _points_of(metric, _beta(share, max(size, 1) / turned_over, dice))


def _points_of(metric: str, values: Floats) -> Floats:
    """Points of many values: what :func:`simulator.truth.scores.points_of` says of one."""
    _, floor, krav, mal, _ = RULES[metric]
    corners = [(floor, 0.0), (mal, 100.0)] if krav is None else [(floor, 0.0), (krav, 60.0), (mal, 100.0)]
    at, points = zip(*sorted(corners), strict=True)
    return np.interp(values, at, points)


def _beta(share: float, items: float, dice: np.random.Generator) -> Floats:
    return dice.beta(items * share + 0.5, items * (1 - share) + 0.5, DRAWS)


def _moved(draws: Floats, score: float) -> Floats:
    """The luck of this month is that of the next: half of the draws lie below the score."""
    return np.clip(draws - np.median(draws) + score, 0, 100)


def _ends(draws: Floats) -> tuple[float, float, list[float]]:
    low, high = np.quantile(draws, (0.05, 0.95))
    return float(low), float(high), [float((draws >= edge).mean()) for edge in EDGES]


def given(evaluations: Sequence[tuple[datetime, int | None, int | None, int | None, int | None]]) -> list[int | None]:
    """Return the level that stands after each evaluation, in their order.

    Args:
        evaluations: Instant, level of the score, highest level that is sure, highest level that a gate allows, and the
            highest that the weakest area allows; all null but the instant where there is no score.
    """
    found: list[int | None] = []
    # A week and a month that end together are one evaluation: the less sure counts.
    least: dict[datetime, int] = {}
    for at, _, sure, _, _ in evaluations:
        if sure is not None:
            least[at] = min(sure, least.get(at, 4))
    standing: int | None = None
    history: list[tuple[datetime, int]] = []
    for at, by_score, sure, gate, weakest in evaluations:
        if by_score is None or sure is None:
            found.append(None)
            continue
        allowed = min(by_score, *(cap for cap in (gate, weakest) if cap is not None), 4)
        # A gate has to be away as long as a score has to be sure; the weakest area has waited by itself.
        history.append((at, min(least[at], by_score, 4 if gate is None else gate)))
        begin = at - timedelta(days=28)
        first = max((when for when, _ in history if when <= begin), default=None)
        if standing is None or allowed < standing:
            standing = allowed
        elif first is not None:
            standing = max(standing, min(allowed, *(level for when, level in history if when >= first)))
        found.append(standing)
    return found
