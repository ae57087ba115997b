"""Expected values of the state of things: rules, pages, components, repositories, workloads, controls, copies."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from simulator.truth.setting import Row, Setting, Value, midnight, shares
from simulator.world import ZONE, hours_of

DAY = timedelta(days=1)
EARLY = {"forecast", "expiry", "queue_growth", "slow_burn"}
RISK = {"critical": 10.0, "high": 7.5, "medium": 5.0, "low": 2.5}
TEST_DAYS = {"A": 90, "B": 180, "C": 365}


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


def _reviewed(
    s: Setting, kind: str, days: int, *, by_other: bool, complete: bool
) -> set[tuple[str | None, str | None]]:
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
    pages = {service for service, _ in _reviewed(s, "monitoring", 180, by_other=True, complete=False)}
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
        waiting = 1.0
        for day in sorted({days for days, done in own if done and days <= 30}):
            at_risk = sum(days >= day for days, _ in own)
            waiting *= 1 - sum(days == day and done for days, done in own) / at_risk
        met = sum(done and days <= 30 for days, done in own)
        found[team] = Value(met, len(own), len(own), value=1 - waiting)
    return found


def mnt_update_routine(s: Setting) -> dict[str, Value]:
    """Repositories and four-week periods with something open in which something was taken."""
    units: dict[tuple[str, str, int], bool] = {}
    for episode in s.records["update_episodes"]:
        service = episode["repository"].split("/")[1]
        team = s.owner(service, episode["available_at"]) or ""
        done = episode["applied_at"]
        for period in range(6):
            begin, end = s.as_of - (period + 1) * 28 * DAY, s.as_of - period * 28 * DAY
            if episode["available_at"] < end and (done is None or done >= begin):
                key = (team, episode["repository"], period)
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
    pages = _reviewed(s, "known_error", 365, by_other=False, complete=True)
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


def sec_control_pass_rate(s: Setting) -> dict[str, Value]:
    """Risk weight of passed controls; inconclusive ones lower completeness."""
    sums: dict[str, list[float]] = {}
    for row in s.newest("control_results", "control_id", "asset_id"):
        own = sums.setdefault(s.owner_now[row["service_id"]], [0.0, 0.0, 0.0, 0.0])
        risk = RISK[row["risk"]]
        own[0] += risk * (row["status"] == "passed")
        own[1] += risk * (row["status"] != "inconclusive")
        own[2] += risk
        own[3] += 1
    return {team: Value(a, b, int(n), b / c) for team, (a, b, c, n) in sums.items()}


def sec_assessment_currency(s: Setting) -> dict[str, Value]:
    """Services assessed within a year and after the last major change."""
    items: list[tuple[str, float, float]] = []
    for team, services in s.owned.items():
        for service in services:
            dates = [a["approved_at"] for a in s.records["assessments"] if a["service_id"] == service]
            newest = max((at for at in dates if at < s.as_of), default=None)
            changed = s.services[service].get("last_major_change_on")
            # A day without clock compares as midnight UTC.
            after = changed is None or (newest is not None and newest.replace(tzinfo=None) >= _naive(changed))
            items.append((team, float(newest is not None and newest >= s.as_of - 365 * DAY and after), 1.0))
    return shares(items)


def _naive(day: Any) -> datetime:
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - compared with naive UTC


def _tier_days(v: Row) -> int | None:
    """Days of BOD 26-04's table: 3, 14, 60 or none."""
    k, e, a, t = v["is_exploited"], v["is_exposed"], v["is_automatable"], v["is_total_impact"]
    table = {
        "0000": None, "0001": None, "0010": 60, "0011": 60, "0100": 60, "0101": 14, "0110": 14, "0111": 3,
        "1000": 14, "1001": 14, "1010": 14, "1011": 3, "1100": 14, "1101": 3, "1110": 3, "1111": 3,
    }  # fmt: skip
    return table["".join(str(int(flag)) for flag in (k, e, a, t))]


def _due(v: Row) -> datetime | None:
    """End of the last day."""
    days = _tier_days(v)
    return None if days is None else midnight(v["effective_at"].astimezone(ZONE).date() + (days + 1) * DAY)


def sec_vulns_fixed_on_time(s: Setting) -> dict[str, Value]:
    """Vulnerabilities fixed by their deadline (the simulator gives each one state)."""
    items: list[tuple[str, float, float]] = []
    for v in s.records["vulnerabilities"]:
        due = _due(v)
        if v["effective_at"] < s.as_of and due is not None and s.start(90) < due <= s.as_of:
            owner = s.owner(v["service_id"], due, at_end=True) or ""
            items.append((owner, float(v["fixed_at"] is not None and v["fixed_at"] < due), 1.0))
    return shares(items)


def sec_overdue_exploited(s: Setting) -> dict[str, Value]:
    """Open urgent vulnerabilities past their deadline; none is a true zero."""
    counts = dict.fromkeys(s.owned, 0)
    for v in s.records["vulnerabilities"]:
        due = _due(v)
        urgent = v["is_exploited"] or _tier_days(v) == 3
        is_open = v["fixed_at"] is None or v["fixed_at"] >= s.as_of
        if v["effective_at"] < s.as_of and urgent and due is not None and due <= s.as_of and is_open:
            counts[s.owner_now[v["service_id"]]] += 1
    return {team: Value(count, 1.0, count) for team, count in counts.items()}


def aut_update_bot_coverage(s: Setting) -> dict[str, Value]:
    """Active repositories where the bot works."""
    items: list[tuple[str, float, float]] = []
    for row in s.newest("repository_states", "repository"):
        if row["last_activity_on"] < row["observed_on"] - 180 * DAY:
            continue
        ran = row["last_bot_success_at"]
        met = (
            row["is_bot_enabled"]
            and row["is_bot_config_valid"]
            and row["unmanaged_count"] == 0
            and ran is not None
            and ran >= s.as_of - 7 * DAY
        )
        items.append((s.owner_now[row["repository"].split("/")[1]], float(met), 1.0))
    return shares(items)


def aut_iac_managed_share(s: Setting) -> dict[str, Value]:
    """Resources in code, without drift at a recent check."""
    items: list[tuple[str, float, float]] = []
    for row in s.newest("infrastructure_states", "resource_id"):
        checked = row["drift_checked_at"] is not None and row["drift_checked_at"] >= s.as_of - 7 * DAY
        items.append(
            (s.owner_now[row["service_id"]], float(row["is_in_code"] and checked and not row["has_drift"]), 1.0)
        )
    return shares(items)


def _points(s: Setting, store: str) -> list[datetime]:
    return sorted(p["taken_at"] for p in s.records["recovery_points"] if p["datastore_id"] == store and p["is_usable"])


def bck_coverage(s: Setting) -> dict[str, Value]:
    """Stores with a copy no older than two intervals."""
    items: list[tuple[str, float, float]] = []
    for team, stores in s.stores.items():
        for store in stores:
            if store.get("class") == "D" and store.get("rebuild_rationale"):
                continue
            interval = store.get("backup_interval_hours")
            newest = max((p for p in _points(s, store["id"]) if p < s.as_of), default=None)
            fresh = interval is not None and newest is not None and newest >= s.as_of - timedelta(hours=2 * interval)
            items.append((team, float(fresh), 1.0))
    return shares(items)


def bck_rpo_attainment(s: Setting) -> dict[str, Value]:
    """Hours with a recovery point young enough, weighted by criticality."""
    items: list[tuple[str, float, float]] = []
    begin, end = s.start(90), s.as_of
    hour = timedelta(hours=1)
    for team, stores in s.stores.items():
        for store in stores:
            if store.get("class") == "D":
                continue
            weight, kept = s.weight(store["service"]), 0.0
            points = [p for p in _points(s, store["id"]) if p < end]
            for point, following in zip(points, [*points[1:], end], strict=False):
                until = min(following, point + store["rpo_hours"] * hour, end)
                kept += max(0.0, (until - max(point, begin)) / hour)
            items.append((team, weight * kept, weight * ((end - begin) / hour)))
    return shares(items)


def _ended(test: Row) -> datetime:
    return test["verified_at"] or test["restored_at"] or test["requested_at"]


def bck_restore_test_currency(s: Setting) -> dict[str, Value]:
    """Stores with a plan and a fresh success."""
    items: list[tuple[str, float, float]] = []
    for team, stores in s.stores.items():
        for store in stores:
            if store.get("class") == "D":
                continue
            ends = [
                _ended(t) for t in s.records["restore_tests"] if t["datastore_id"] == store["id"] and t["is_successful"]
            ]
            newest = max((at for at in ends if at < s.as_of), default=None)
            limit = s.as_of - TEST_DAYS[store.get("class", "A")] * DAY
            items.append(
                (team, float(store.get("restore_plan", False) and newest is not None and newest >= limit), 1.0)
            )
    return shares(items)


def bck_restore_within_rto(s: Setting) -> dict[str, Value]:
    """Stores whose newest test of the year succeeded fast enough."""
    items: list[tuple[str, float, float]] = []
    for team, stores in s.stores.items():
        for store in stores:
            if store.get("class") == "D":
                continue
            tests = [
                t for t in s.records["restore_tests"] if t["datastore_id"] == store["id"] and s.within(_ended(t), 365)
            ]
            newest = max(tests, key=_ended, default=None)
            met = newest is not None and newest["is_successful"]
            if met and newest is not None:
                minutes = (newest["verified_at"] - newest["requested_at"]) / timedelta(minutes=1)
                met = minutes <= store["rto_minutes"]
            items.append((team, float(met), 1.0))
    return shares(items)


def untested(s: Setting) -> dict[str, int]:
    """Team -> class A and B stores without a successful test in a year (gate G-BCK-2)."""
    found: dict[str, int] = {}
    for team, stores in s.stores.items():
        for store in stores:
            tests = [t for t in s.records["restore_tests"] if t["datastore_id"] == store["id"] and t["is_successful"]]
            recent = any(s.as_of - 365 * DAY <= _ended(t) < s.as_of for t in tests)
            if store.get("class", "A") in {"A", "B"} and not recent:
                found[team] = found.get(team, 0) + 1
    return found


def bck_isolation(s: Setting) -> dict[str, Value]:
    """Class A and B stores with an isolated copy."""
    isolated = {
        row["datastore_id"]
        for row in s.newest("backup_copies", "datastore_id", "copy_id")
        if row["has_own_identity"] and row["is_immutable_or_offline"] and row["is_other_region"]
    }
    return shares(
        [
            (team, float(store["id"] in isolated), 1.0)
            for team, stores in s.stores.items()
            for store in stores
            if store.get("class", "A") in {"A", "B"}
        ]
    )


def bck_restore_runbook(s: Setting) -> dict[str, Value]:
    """Stores with a complete runbook reviewed this year."""
    pages = {subject for _, subject in _reviewed(s, "restore", 365, by_other=False, complete=True)}
    return shares(
        [
            (team, float(store["id"] in pages), 1.0)
            for team, stores in s.stores.items()
            for store in stores
            if store.get("class") != "D"
        ]
    )
