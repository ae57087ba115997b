"""Expected values of the bulky records: availability, response times, capacity."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from simulator.telemetry import PROBE_MINUTES
from simulator.truth.setting import UTC, Setting, Value, midnight, shares, working_deadline
from simulator.world import ZONE

SLOT = timedelta(minutes=PROBE_MINUTES)
FULL_MONTH_HOURS = 8.0
KNOWN_WELL = 0.9  # of the days: enough to say that nothing happened


def _promise(s: Setting, service: str, kind: str) -> float | None:
    """The SLO of a service (the demo's promises never change)."""
    for row in s.table("slo.toml"):
        if row["service"] == service and row.get("kind", "availability") == kind:
            return float(row["target"])
    return None


def _slots(
    s: Setting, service: str, start: datetime, end: datetime
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Quarter-hours from one instant to another: known, and down. Each probe tells about its own quarter-hour."""
    count = round((end - start) / SLOT)
    rows = s.records["availability_checks"].filter(
        (pl.col("monitor_id") == f"probe-{service}") & (pl.col("checked_at") >= start) & (pl.col("checked_at") < end)
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


@dataclass
class _Budget:
    """What a team's services spend and may spend, added up.

    Attributes:
        spent: Minutes or requests that were bad.
        allowed: Those that the promises allow.
        days: Days of promises.
        entities: (weight, share spent or None, completeness) of each service.
    """

    spent: float = 0.0
    allowed: float = 0.0
    days: int = 0
    entities: list[tuple[float, float | None, float]] = field(default_factory=list)

    def add(self, weight: float, spent: float, allowed: float, days: int, known: float) -> None:
        """Count one service."""
        self.entities.append((weight, spent / allowed if allowed else None, known))
        self.spent, self.allowed, self.days = self.spent + spent, self.allowed + allowed, self.days + days

    def value(self) -> Value:
        """Return what the metric must be."""
        completeness = _mean_completeness(self.entities)
        return Value(self.spent, self.allowed, self.days, completeness, entities=tuple(self.entities))


def _without_promise(s: Setting, budgets: dict[str, _Budget]) -> None:
    """A service that promises no availability gets no budget, 90 days after its team took it over."""
    for team, services in s.owned.items():
        for service in services:
            if (
                _promise(s, service, "availability") is None
                and midnight(_since(s, service)) + timedelta(days=90) <= s.as_of
            ):
                budgets.setdefault(team, _Budget()).entities.append((s.weight(service), None, 1.0))


def inc_error_budget_consumed(s: Setting) -> dict[str, Value]:
    """Minutes down over minutes allowed, per service and owner: each answers for its own days."""
    budgets: dict[str, _Budget] = {}
    for service in s.services:
        target = _promise(s, service, "availability")
        if target is None:
            continue
        for team, start, end in s.holdings(service, 90):
            known, down = _slots(s, service, start, end)
            valid = known.copy()
            for begin, until in _maintenance(s, service):
                a, b = ((x - start) / SLOT for x in (begin, until))
                valid[max(0, round(a)) : max(0, round(b))] = False
            bad = float((down & valid).sum()) * PROBE_MINUTES
            allowed = float(valid.sum()) * PROBE_MINUTES * (1 - target)
            days = round((end - start) / timedelta(days=1))
            budgets.setdefault(team, _Budget()).add(s.weight(service), bad, allowed, days, float(known.mean()))
    _without_promise(s, budgets)
    return {team: budget.value() for team, budget in budgets.items()}


def _mean_completeness(entities: list[tuple[float, float | None, float]]) -> float:
    return sum(w * c for w, _, c in entities) / sum(w for w, _, _ in entities)


def budget_spent(s: Setting) -> dict[str, bool | None]:
    """Incident -> whether more than a fifth of a 28-day budget was known to be spent while it lasted; None: not known.

    It lasts from the first sign to its resolution; while it is open, the deadline of its post mortem ends it.
    Maintenance that may be left out spends nothing.
    """
    found: dict[str, bool | None] = {}
    checks: pl.DataFrame = s.records["availability_checks"].filter(pl.col("status") != "unknown")
    down: dict[str, list[datetime]] = {}
    looked: dict[str, set[date]] = {}
    for key, frame in checks.partition_by("monitor_id", as_dict=True).items():
        down[str(key[0])] = frame.filter(pl.col("status") == "down")["checked_at"].to_list()
        days = frame.select(pl.col("checked_at").dt.convert_time_zone(ZONE.key).dt.date().unique())
        looked[str(key[0])] = set(days["checked_at"])
    for incident in s.records["incidents"]:
        probe = f"probe-{incident['service_id']}"
        target = _promise(s, incident["service_id"], "availability")
        began, ended = _lasted(s, incident)
        windows = _maintenance(s, incident["service_id"])
        minutes = sum(_minutes_spent(max(at, began), min(at + SLOT, ended), windows) for at in down.get(probe, []))
        first = began.astimezone(ZONE).date()
        last = (ended - timedelta(microseconds=1)).astimezone(ZONE).date()
        wanted = {first + timedelta(days=number) for number in range((last - first).days + 1)}
        if target is None:
            found[incident["incident_id"]] = False
        elif minutes > 0.2 * 28 * 1440 * (1 - target):
            found[incident["incident_id"]] = True
        else:
            found[incident["incident_id"]] = False if wanted <= looked.get(probe, set()) else None
    return found


def _minutes_spent(start: datetime, end: datetime, windows: list[tuple[datetime, datetime]]) -> float:
    """Minutes from start to end outside of windows that do not overlap."""
    left_out = sum(max(0.0, (min(end, until) - max(start, begin)) / timedelta(minutes=1)) for begin, until in windows)
    return max(0.0, (end - start) / timedelta(minutes=1) - left_out)


def _lasted(s: Setting, incident: dict[str, Any]) -> tuple[datetime, datetime]:
    """From the first sign of an incident to its end, as far as it is known now."""
    signs = [incident[x] for x in ("declared_at", "first_alert_at", "first_report_at")]
    resolved = incident["resolved_at"]
    if resolved is None or resolved >= s.as_of:
        team = s.owner(incident["service_id"], incident["declared_at"]) or ""
        resolved = working_deadline(incident["declared_at"], 5, s.hours(team)[1])
    return min(sign for sign in signs if sign is not None), resolved


def scl_latency_budget_consumed(s: Setting) -> dict[str, Value]:
    """Slow requests over slow requests allowed, per service and owner: each answers for its own days.

    A service that nobody asked for anything is no item of it, where that is known.
    """
    budgets: dict[str, _Budget] = {}
    for service in s.services:
        target = _promise(s, service, "latency")
        if target is None:
            continue
        rows = [row for row in s.records["latency_daily"] if row["service_id"] == service]
        for team, start, end in s.holdings(service, 90):
            own = [row for row in rows if start <= midnight(row["observed_on"]) < end]
            valid = sum(row["valid_count"] for row in own)
            slow = valid - sum(row["fast_count"] for row in own)
            days = round((end - start) / timedelta(days=1))
            if not valid and len(own) >= KNOWN_WELL * days:
                continue
            allowed = valid * (1 - target)
            budgets.setdefault(team, _Budget()).add(s.weight(service), slow, allowed, days, len(own) / days)
    return {team: budget.value() for team, budget in budgets.items()}


def scl_latency_targets(s: Setting) -> dict[str, Value]:
    """Services that promise a latency, weighted; who took one over has 90 days to agree on a promise."""
    items: list[tuple[str, float, float]] = []
    for team, services in s.owned.items():
        for service in services:
            promised = _promise(s, service, "latency") is not None
            if promised or midnight(_since(s, service)) + timedelta(days=90) <= s.as_of:
                items.append((team, promised * s.weight(service), s.weight(service)))
    return shares(items)


def _since(s: Setting, service: str) -> Any:
    owner = s.owner_now[service]
    return next(o["from"] for o in reversed(s.services[service]["owners"]) if o["team"] == owner)


def _samples(s: Setting) -> dict[tuple[str, str], pl.DataFrame]:
    """Team and service -> samples of its part of four weeks (one resource a service, sampled every hour)."""
    found: dict[tuple[str, str], pl.DataFrame] = {}
    frames = s.records["capacity_samples"].partition_by("service_id", as_dict=True)
    for (service,), frame in frames.items():
        for team, start, end in s.holdings(str(service), 28):
            own = frame.filter((pl.col("sampled_at") >= start) & (pl.col("sampled_at") < end))
            if len(own):
                found[team, str(service)] = own
    return found


def scl_saturation_headroom(s: Setting) -> dict[str, Value]:
    """95th percentile of utilisation, per resource."""
    samples = _samples(s)
    found: dict[str, Value] = {}
    for team in {team for team, _ in samples}:
        mine = {x: frame["utilisation_ratio"].to_numpy() for (owner, x), frame in samples.items() if owner == team}
        own = [(s.weight(service), _quantile(usage, 0.95), 1.0) for service, usage in mine.items()]
        count = sum(len(usage) for usage in mine.values())
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
    """Share of samples at the ceiling among those that say so or not, per resource."""
    samples = _samples(s)
    found: dict[str, Value] = {}
    for team in {team for team, _ in samples}:
        entities: list[tuple[float, float | None, float]] = []
        hits = known = 0
        for (owner, service), frame in samples.items():
            if owner != team:
                continue
            told = frame["is_at_ceiling"].drop_nulls()
            days = frame.group_by(pl.col("sampled_at").dt.convert_time_zone(str(ZONE)).dt.date()).agg(
                told=pl.col("is_at_ceiling").is_not_null().mean()
            )
            share = float(told.sum()) / len(told) if len(told) else None
            entities.append((s.weight(service), share, float(days["told"].to_numpy().mean())))
            hits, known = hits + int(told.sum()), known + len(told)
        found[team] = Value(hits, known, known, _mean_completeness(entities), entities=tuple(entities))
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
    sampled = {service for _, service in _samples(s)}
    found: dict[str, Value] = {}
    for team, services in s.owned.items():
        own = [x for x in services if x in sampled]
        if own:
            both = sum(rules.get(f"{x}-cpu", set()) == {"saturation", "forecast"} for x in own)
            found[team] = Value(both, len(own), len(own))
    return found
