"""Expected values of the bulky records: availability, response times, capacity."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from simulator.telemetry import PROBE_MINUTES
from simulator.truth.setting import UTC, Setting, Value, midnight
from simulator.world import ZONE

SLOT = timedelta(minutes=PROBE_MINUTES)
FULL_MONTH_HOURS = 8.0


def _promise(s: Setting, service: str, kind: str) -> float | None:
    """The SLO of a service (the demo's promises never change)."""
    for row in s.table("slo.toml"):
        if row["service"] == service and row.get("kind", "availability") == kind:
            return float(row["target"])
    return None


def _slots(s: Setting, service: str) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Quarter-hours of the window: known, and down. Each probe tells about its own quarter-hour."""
    start, count = s.start(90), round((s.as_of - s.start(90)) / SLOT)
    rows = s.records["availability_checks"].filter(
        (pl.col("monitor_id") == f"probe-{service}")
        & (pl.col("checked_at") >= start)
        & (pl.col("checked_at") < s.as_of)
    )
    known, down = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
    for at, status in rows.select("checked_at", "status").iter_rows():
        place = round((at - start) / SLOT)
        known[place] = True
        down[place] = status == "down"
    return known, down


def _maintenance(s: Setting, service: str) -> list[tuple[datetime, datetime]]:
    """Windows that may be left out: two days ahead, eight hours a month, none overlap in the demo."""
    used: dict[tuple[int, int], float] = {}
    found: list[tuple[datetime, datetime]] = []
    for row in sorted(s.table("registers/maintenance_windows.csv"), key=lambda row: row["starts_at"]):
        start, end, known = (datetime.fromisoformat(row[x]) for x in ("starts_at", "ends_at", "registered_at"))
        if row["service_id"] != service or known > start - timedelta(hours=48):
            continue
        month = (start.astimezone(ZONE).year, start.astimezone(ZONE).month)
        left = FULL_MONTH_HOURS - used.get(month, 0.0)
        used[month] = used.get(month, 0.0) + (end - start) / timedelta(hours=1)
        if left > 0:
            found.append((start.astimezone(UTC), min(end, start + timedelta(hours=left)).astimezone(UTC)))
    return found


def inc_error_budget_consumed(s: Setting) -> dict[str, Value]:
    """Minutes down over minutes allowed, per service."""
    found: dict[str, Value] = {}
    for team, services in s.owned.items():
        entities: list[tuple[float, float | None, float]] = []
        down_minutes = budget = 0.0
        days = 0
        for service in services:
            target = _promise(s, service, "availability")
            if target is None:
                if s.services[service]["owners"][-1]["from"] <= (s.on - timedelta(days=90)):
                    entities.append((s.weight(service), None, 1.0))
                continue
            known, down = _slots(s, service)
            valid = known.copy()
            for begin, end in _maintenance(s, service):
                a, b = ((x - s.start(90)) / SLOT for x in (begin, end))
                valid[max(0, round(a)) : max(0, round(b))] = False
            bad = float((down & valid).sum()) * PROBE_MINUTES
            allowed = float(valid.sum()) * PROBE_MINUTES * (1 - target)
            entities.append((s.weight(service), bad / allowed if allowed else None, float(known.mean())))
            down_minutes, budget, days = down_minutes + bad, budget + allowed, days + 90
        found[team] = Value(down_minutes, budget, days, _mean_completeness(entities), entities=tuple(entities))
    return found


def _mean_completeness(entities: list[tuple[float, float | None, float]]) -> float:
    return sum(w * c for w, _, c in entities) / sum(w for w, _, _ in entities)


def budget_spent(s: Setting) -> dict[str, float]:
    """Incident -> share of a 28-day budget that was down while it lasted: from the first sign to its resolution."""
    found: dict[str, float] = {}
    checks: pl.DataFrame = s.records["availability_checks"].sort("checked_at")
    outages = {
        str(key[0]): _outages(list(frame.select("checked_at", "status").iter_rows()))
        for key, frame in checks.partition_by("monitor_id", as_dict=True).items()
    }
    for incident in s.records["incidents"]:
        service, resolved = incident["service_id"], incident["resolved_at"]
        target = _promise(s, service, "availability")
        if target is None or resolved is None:
            continue
        signs = [incident[x] for x in ("declared_at", "first_alert_at", "first_report_at")]
        began = min(sign for sign in signs if sign is not None)
        minutes = sum(
            max(0.0, (min(end, resolved) - max(start, began)) / timedelta(minutes=1))
            for start, end in outages.get(f"probe-{service}", [])
        )
        found[incident["incident_id"]] = minutes / (28 * 1440 * (1 - target))
    return found


def _outages(rows: list[tuple[datetime, str]]) -> list[tuple[datetime, datetime]]:
    """From the first check that is down to the first that is not."""
    found: list[tuple[datetime, datetime]] = []
    began: datetime | None = None
    for at, status in rows:
        if status == "down" and began is None:
            began = at
        elif status != "down" and began is not None:
            found.append((began, at))
            began = None
    return found


def scl_latency_budget_consumed(s: Setting) -> dict[str, Value]:
    """Slow requests over slow requests allowed, per service."""
    first = s.on - timedelta(days=89)
    sums: dict[str, list[int]] = {}
    for row in s.records["latency_daily"]:
        if first <= row["observed_on"] <= s.on:
            own = sums.setdefault(row["service_id"], [0, 0, 0])
            own[0] += row["valid_count"] - row["fast_count"]
            own[1] += row["valid_count"]
            own[2] += 1
    found: dict[str, Value] = {}
    for team, services in s.owned.items():
        entities: list[tuple[float, float | None, float]] = []
        slow = allowed = 0.0
        days = 0
        for service in services:
            target = _promise(s, service, "latency")
            if target is None:
                if midnight(_since(s, service)) + timedelta(days=90) <= s.as_of:
                    entities.append((s.weight(service), None, 1.0))
                continue
            bad, valid, seen = sums.get(service, [0, 0, 0])
            budget = valid * (1 - target)
            entities.append((s.weight(service), bad / budget if budget else None, seen / 90))
            slow, allowed, days = slow + bad, allowed + budget, days + 90
        if entities:
            found[team] = Value(slow, allowed, days, _mean_completeness(entities), entities=tuple(entities))
    return found


def _since(s: Setting, service: str) -> Any:
    owner = s.owner_now[service]
    return next(o["from"] for o in reversed(s.services[service]["owners"]) if o["team"] == owner)


def _samples(s: Setting) -> dict[str, tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]]:
    """Service -> samples of four weeks: utilisation and whether at the ceiling (one resource a service)."""
    rows = s.records["capacity_samples"].filter(
        (pl.col("sampled_at") >= s.start(28)) & (pl.col("sampled_at") < s.as_of)
    )
    return {
        str(key[0]): (frame["utilisation_ratio"].to_numpy(), frame["is_at_ceiling"].to_numpy())
        for key, frame in rows.partition_by("service_id", as_dict=True).items()
    }


def scl_saturation_headroom(s: Setting) -> dict[str, Value]:
    """95th percentile of utilisation, per resource."""
    samples = _samples(s)
    found: dict[str, Value] = {}
    for team, services in s.owned.items():
        own = [(s.weight(x), _quantile(samples[x][0], 0.95), 1.0) for x in services if x in samples]
        if own:
            count = sum(len(samples[x][0]) for x in services if x in samples)
            found[team] = Value(sum(v for _, v, _ in own), len(own), count, entities=tuple(own))
    return found


def _quantile(values: npt.NDArray[np.float64], share: float) -> float:
    """Type 7, by hand."""
    ordered = sorted(float(v) for v in values)
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def scl_time_at_ceiling(s: Setting) -> dict[str, Value]:
    """Share of samples at the ceiling, per resource."""
    samples = _samples(s)
    found: dict[str, Value] = {}
    for team, services in s.owned.items():
        own = [(s.weight(x), float(samples[x][1].mean()), 1.0) for x in services if x in samples]
        if own:
            hit = float(sum(samples[x][1].sum() for x in services if x in samples))
            count = sum(len(samples[x][1]) for x in services if x in samples)
            found[team] = Value(hit, count, count, entities=tuple(own))
    return found


def scl_capacity_alert_coverage(s: Setting) -> dict[str, Value]:
    """Resources with a saturation and a forecast alert that warn in time."""
    rules: dict[str, set[str]] = {}
    for rule in s.newest("alert_rule_states", "service_id", "rule_id"):
        if not (rule["is_enabled"] and rule["is_routed"] and rule["resource_id"]):
            continue
        in_time = (rule["kind"] == "saturation" and rule["threshold_ratio"] <= 0.9) or (
            rule["kind"] == "forecast" and rule["forecast_hours"] >= 24
        )
        if in_time:
            rules.setdefault(rule["resource_id"], set()).add(rule["kind"])
    samples = _samples(s)
    found: dict[str, Value] = {}
    for team, services in s.owned.items():
        own = [x for x in services if x in samples]
        if own:
            both = sum(rules.get(f"{x}-cpu", set()) == {"saturation", "forecast"} for x in own)
            found[team] = Value(both, len(own), len(own))
    return found
