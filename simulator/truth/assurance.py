"""Expected values of security, automation and backup: controls, vulnerabilities, repositories, copies, restores."""

from __future__ import annotations

from datetime import datetime, timedelta

from simulator.truth.setting import Row, Setting, Value, midnight, shares
from simulator.truth.state import reviewed
from simulator.world import ZONE

DAY = timedelta(days=1)
RISK = {"critical": 10.0, "high": 7.5, "medium": 5.0, "low": 2.5}
TEST_DAYS = {"A": 90, "B": 180, "C": 365}


def sec_control_pass_rate(s: Setting) -> dict[str, Value]:
    """Risk weight of passed controls; inconclusive ones lower completeness."""
    sums: dict[str, list[float]] = {}
    for row in s.newest("control_results", "control_id", "asset_id"):
        own = sums.setdefault(s.owner_now[row["service_id"]], [0.0, 0.0, 0.0, 0.0])
        risk = RISK[row["risk"]]
        own[0] += risk * (row["status"] == "passed")
        own[1] += risk * (row["status"] != "inconclusive")
        own[2] += risk
        own[3] += row["status"] != "inconclusive"
    return {team: Value(a, b, int(n), b / c) for team, (a, b, c, n) in sums.items()}


def sec_assessment_currency(s: Setting) -> dict[str, Value]:
    """Services assessed within a year and after the last major change."""
    items: list[tuple[str, float, float]] = []
    for team, services in s.owned.items():
        for service in services:
            dates = [a["approved_at"] for a in s.records["assessments"] if a["service_id"] == service]
            newest = max((at for at in dates if at < s.as_of), default=None)
            changed = s.services[service].get("last_major_change_on")
            # A change that is still to come voids nothing.
            after = changed is None or changed > s.on or (newest is not None and newest >= midnight(changed))
            items.append((team, float(newest is not None and newest >= s.as_of - 365 * DAY and after), 1.0))
    return shares(items)


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
    """Hours with a recovery point young enough, weighted by criticality; each owner answers for its own time."""
    items: list[tuple[str, float, float]] = []
    hour = timedelta(hours=1)
    for store in s.table("datastores.toml"):
        if store.get("class") == "D":
            continue
        weight = s.weight(store["service"])
        points = _points(s, store["id"])
        for team, begin, end in s.holdings(store["service"], 90):
            kept = 0.0
            taken = [p for p in points if p < end]
            for point, following in zip(taken, [*taken[1:], end], strict=False):
                until = min(following, point + store["rpo_hours"] * hour, end)
                kept += max(0.0, (until - max(point, begin)) / hour)
            items.append((team, weight * kept, weight * ((end - begin) / hour)))
    return shares(items)


def _tests(s: Setting, store: str) -> list[tuple[datetime, Row]]:
    """Restore tests of a store that have ended, with the end: verified, else data back, else given up."""
    found: list[tuple[datetime, Row]] = []
    for test in s.records["restore_tests"]:
        if test["datastore_id"] != store or test["requested_at"] >= s.as_of:
            continue
        ends = [at for at in (test["verified_at"], test["restored_at"]) if at is not None and at < s.as_of]
        if ends or not test["is_successful"]:
            found.append((max(ends, default=test["requested_at"]), test))
    return found


def bck_restore_test_currency(s: Setting) -> dict[str, Value]:
    """Stores with a plan and a fresh success."""
    items: list[tuple[str, float, float]] = []
    for team, stores in s.stores.items():
        for store in stores:
            if store.get("class") == "D":
                continue
            newest = max((at for at, test in _tests(s, store["id"]) if test["is_successful"]), default=None)
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
            tests = [(at, test) for at, test in _tests(s, store["id"]) if s.within(at, 365)]
            newest = max(tests, key=lambda ended: ended[0])[1] if tests else None
            met = newest is not None and newest["is_successful"]
            if newest is not None and met:
                met = newest["verified_at"] < s.as_of
            if newest is not None and met:
                minutes = (newest["verified_at"] - newest["requested_at"]) / timedelta(minutes=1)
                met = minutes <= store["rto_minutes"]
            items.append((team, float(met), 1.0))
    return shares(items)


def untested(s: Setting) -> dict[str, int]:
    """Team -> class A and B stores without a successful test in a year (gate G-BCK-2)."""
    found: dict[str, int] = {}
    for team, stores in s.stores.items():
        for store in stores:
            ends = [at for at, test in _tests(s, store["id"]) if test["is_successful"]]
            recent = any(s.as_of - 365 * DAY <= at for at in ends)
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
    pages = {subject for _, subject in reviewed(s, "restore", 365, by_other=False, complete=True)}
    return shares(
        [
            (team, float(store["id"] in pages), 1.0)
            for team, stores in s.stores.items()
            for store in stores
            if store.get("class") != "D"
        ]
    )
