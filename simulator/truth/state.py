"""Expected values of the state of things: signals, rules, pages, components, updates, workloads."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from simulator.truth.setting import Row, Setting, Value, shares
from simulator.world import hours_of

DAY = timedelta(days=1)
EARLY = {"forecast", "expiry", "queue_growth", "slow_burn"}


def mon_signal_coverage(s: Setting) -> dict[str, Value]:
    """Cells with data in nine of ten hours of four weeks."""
    first = s.on - 27 * DAY
    needed = 0.9 * sum(hours_of(first + number * DAY) for number in range(28))
    hours: dict[tuple[str, str], int] = {}
    for row in s.records["signal_hours"]:
        if first <= row["observed_on"] <= s.on:
            key = (row["service_id"], row["signal"])
            hours[key] = hours.get(key, 0) + row["hours_with_data"]
    return shares(
        [
            (team, float(hours.get((service, signal), 0) >= needed), 1.0)
            for team, services in s.owned.items()
            for service in services
            for signal in ("availability", "performance", "security")
        ]
    )


def _rules(s: Setting) -> list[Row]:
    """Newest state of every rule, with the last time it fired."""
    fired: dict[tuple[str, str], datetime] = {}
    for page in s.records["alerts"]:
        if page["fired_at"] < s.as_of:
            key = (page["service_id"], page["rule_id"])
            fired[key] = max(fired.get(key, page["fired_at"]), page["fired_at"])
    rules: list[Row] = []
    for row in s.newest("alert_rule_states", "service_id", "rule_id"):
        proven = [row["last_proven_at"], fired.get((row["service_id"], row["rule_id"]))]
        tended = [row["last_changed_at"], row["last_reviewed_at"]]
        rules.append(
            row
            | {
                "proven": max((x for x in proven if x is not None), default=None),
                "tended": max((x for x in tended if x is not None), default=None),
            }
        )
    return rules


def mon_alert_coverage(s: Setting) -> dict[str, Value]:
    """Services warned of symptoms and early, weighted."""
    kinds: dict[str, set[str]] = {}
    for rule in _rules(s):
        if rule["is_enabled"] and rule["is_routed"] and rule["proven"] and rule["proven"] >= s.as_of - 180 * DAY:
            kinds.setdefault(rule["service_id"], set()).add(rule["kind"])
    items: list[tuple[str, float, float]] = []
    for team, services in s.owned.items():
        for service in services:
            found = kinds.get(service, set())
            both = bool(found & {"burn_rate", "probe"}) and bool(found & EARLY)
            items.append((team, both * s.weight(service), s.weight(service)))
    return shares(items)


def reviewed(s: Setting, kind: str, days: int, *, by_other: bool, complete: bool) -> set[tuple[str | None, str | None]]:
    """(service, subject) of pages reviewed within some days."""
    return {
        (d["service_id"], d["subject_id"])
        for d in s.records["documents"]
        if d["kind"] == kind
        and s.as_of - days * DAY <= d["reviewed_at"] < s.as_of
        and (d["is_reviewed_by_other"] or not by_other)
        and (d["is_complete"] or not complete)
    }


def mon_review_currency(s: Setting) -> dict[str, Value]:
    """Rules and pages tended within 180 days; the simulator never tends fifty in a day."""
    limit = s.as_of - 180 * DAY
    items = [
        (s.owner_now[r["service_id"]], float(r["tended"] is not None and r["tended"] >= limit), 1.0)
        for r in _rules(s)
        if r["is_enabled"]
    ]
    pages = {service for service, _ in reviewed(s, "monitoring", 180, by_other=True, complete=False)}
    items += [(team, float(service in pages), 1.0) for team, services in s.owned.items() for service in services]
    return shares(items)


def mnt_supported_versions(s: Setting) -> dict[str, Value]:
    """Components that their maker supports."""
    register = {(r["product"], r["cycle"]): r for r in s.records["eol_dates"]}
    items: list[tuple[str, float, float]] = []
    for row in s.newest("component_states", "component_id"):
        cycle = register[row["product"], row["cycle"]]
        newer = [
            other
            for other in register.values()
            if other["product"] == row["product"] and cycle["released_on"] < other["released_on"] <= s.on
        ]
        supported = cycle["eol_on"] is None or cycle["eol_on"] > s.on
        if row["kind"] == "kubernetes":
            supported = supported and len(newer) <= 2
        items.append((s.owner_now[row["service_id"]], float(supported), 1.0))
    return shares(items)


def past_support(s: Setting) -> dict[str, int]:
    """Team -> components more than ninety days past the end of their support (gate G-VED-1)."""
    register = {(r["product"], r["cycle"]): r["eol_on"] for r in s.records["eol_dates"]}
    found: dict[str, int] = {}
    for row in s.newest("component_states", "component_id"):
        eol = register[row["product"], row["cycle"]]
        if eol is not None and eol + 90 * DAY < s.on:
            team = s.owner_now[row["service_id"]]
            found[team] = found.get(team, 0) + 1
    return found


def mnt_updates_within_30d(s: Setting) -> dict[str, Value]:
    """Kaplan-Meier, one step after the other."""
    spans: dict[str, list[tuple[float, bool]]] = {}
    for episode in s.records["update_episodes"]:
        begin = episode["available_at"]
        if s.within(begin, 180):
            done = episode["applied_at"] is not None and episode["applied_at"] < s.as_of
            end = episode["applied_at"] if done else s.as_of
            service = episode["repository"].split("/")[1]
            spans.setdefault(s.owner(service, begin) or "", []).append(((end - begin) / DAY, done))
    found: dict[str, Value] = {}
    for team, own in spans.items():
        # While none was taken and none has waited for thirty days, nothing is due.
        if not any(done or days >= 30 for days, done in own):
            continue
        waiting, greenwood = 1.0, 0.0
        for day in sorted({days for days, done in own if done and days <= 30}):
            at_risk = sum(days >= day for days, _ in own)
            taken = sum(days == day and done for days, done in own)
            waiting *= 1 - taken / at_risk
            greenwood += taken / (at_risk * (at_risk - taken)) if taken < at_risk else 0.0
        met = sum(done and days <= 30 for days, done in own)
        error = waiting * math.sqrt(greenwood)
        found[team] = Value(met, len(own), len(own), value=1 - waiting, error=error)
    return found


def mnt_update_routine(s: Setting) -> dict[str, Value]:
    """Repositories and four-week periods with something open in which something was taken, of the owner then."""
    units: dict[tuple[str, str, int], bool] = {}
    for episode in s.records["update_episodes"]:
        service = episode["repository"].split("/")[1]
        done = episode["applied_at"]
        for period in range(6):
            begin, end = s.as_of - (period + 1) * 28 * DAY, s.as_of - period * 28 * DAY
            if episode["available_at"] < end and (done is None or done >= begin):
                key = (s.owner(service, begin) or "", episode["repository"], period)
                units[key] = units.get(key, False) or (done is not None and begin <= done < end)
    return shares([(team, float(taken), 1.0) for (team, _, _), taken in units.items()])


def inc_known_error_docs(s: Setting) -> dict[str, Value]:
    """Paging rules and repeated faults with a complete page."""
    subjects = {(r["service_id"], r["rule_id"]) for r in _rules(s) if r["is_enabled"] and r["is_paging"]}
    counts: dict[tuple[str, str], int] = {}
    for incident in s.records["incidents"]:
        if incident["signature"] and s.as_of - 180 * DAY <= incident["declared_at"] < s.as_of:
            key = (incident["service_id"], incident["signature"])
            counts[key] = counts.get(key, 0) + 1
    subjects |= {key for key, count in counts.items() if count >= 2}
    pages = reviewed(s, "known_error", 365, by_other=False, complete=True)
    return shares([(s.owner_now[service], float((service, subject) in pages), 1.0) for service, subject in subjects])


def scl_elastic_workloads(s: Setting) -> dict[str, Value]:
    """Workloads that are spread, bounded and can grow."""
    items: list[tuple[str, float, float]] = []
    for row in s.newest("workload_states", "workload_id"):
        spread = row["replica_count"] >= 2 and row["zone_count"] >= 2
        grows = row["autoscaler_min"] is not None and row["autoscaler_min"] < row["autoscaler_max"]
        fixed = row["fixed_size_approved_on"] is not None and row["fixed_size_approved_on"] > s.on - 365 * DAY
        met = spread and row["has_resource_requests"] and (grows or fixed)
        items.append((s.owner_now[row["service_id"]], float(met), 1.0))
    return shares(items)


def scl_load_test_currency(s: Setting) -> dict[str, Value]:
    """Critical services with a load test of this year that reached far enough."""
    good = {
        t["service_id"]
        for t in s.records["load_tests"]
        if s.as_of - 365 * DAY <= t["tested_at"] < s.as_of and t["reached_ratio"] >= 1.5 and t["is_slo_met"]
    }
    return shares(
        [
            (team, float(service in good), 1.0)
            for team, services in s.owned.items()
            for service in services
            if s.services[service]["criticality"] == "critical"
        ]
    )
