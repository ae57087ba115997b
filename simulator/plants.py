"""Planted faults and manipulations with known size: what the scorecard must find, and what it must not flag.

The honest improvements are planted too: a team that deletes a useless rule and a team that upgrades must raise
no alarm. Dates are local; minutes are real minutes.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from simulator.world import END_DAY, local, rng

Row = dict[str, Any]
Outage = tuple[datetime, datetime]

# Service -> outages that are exactly these minutes long, and nothing else that day.
KNOWN_OUTAGES: dict[str, list[Outage]] = {
    "havneavgift-api": [(local(date(2026, 9, 9), 10), local(date(2026, 9, 9), 10.75))],
    # Clocks go back at 03:00: two hours on the wall are three hours of downtime.
    "farled-web": [(local(date(2026, 10, 25), 1.5), local(date(2026, 10, 25), 3.5))],
}
FAILED_RESTORE = ("slepebat-api-db", date(2026, 10, 12))
USELESS_RULE = ("kaiplan-api", "queue-growth", date(2026, 3, 1), date(2026, 10, 5))  # service, rule, from, deleted
BROKEN_COUNTER = ("tidevann", date(2026, 8, 1))  # team, from
# A team whose releases come from a release pipeline that tells no rollbacks, from this day on.
RELEASE_TEAM = ("kaiplan", date(2026, 10, 24))
GAMING_TEAM = "ankerplass"
GAMING_FROM = date(2026, 7, 1)
GAMED = {
    "closed_within_a_minute",
    "counter_metric_fell",
    "denominator_shrunk",
    "inventory_vanished",
    "rules_disabled",
    "severity_below_impact",
}


def plant_outages(plan: dict[str, list[Outage]], team_of: dict[str, str]) -> None:
    """Put the known outages into a plan, in place of whatever was rolled for those days."""
    for service, known in KNOWN_OUTAGES.items():
        if service in plan:
            dates = {begin.date() for begin, _ in known} | {end.date() for _, end in known}
            rest = [o for o in plan[service] if o[0].date() not in dates and o[1].date() not in dates]
            plan[service] = sorted(rest + known)
    # The gaming team's large outages, which it will call small.
    for service, rolled in plan.items():
        if team_of[service] == GAMING_TEAM and service.endswith("-api"):
            large = [(local(date(2026, 9, day), 9), local(date(2026, 9, day), 18)) for day in (3, 15, 24)]
            large += [(local(date(2026, 11, day), 9), local(date(2026, 11, day), 18)) for day in (4, 12)]
            dates = {begin.date() for begin, _ in large}
            plan[service] = sorted([o for o in rolled if o[0].date() not in dates] + large)


def plant_practice(incidents: list[Row], pages: list[Row], team_of: dict[str, str], seed: int) -> None:
    """Plant the useless rule's pages and the gaming team's habits, before incidents and pages are written."""
    service, rule, start, end = USELESS_RULE
    day = start
    while day < end and service in team_of:
        fired = local(day, 10.5)
        pages.append(
            {
                "service_id": service,
                "rule_id": rule,
                "severity": 3,
                "fired_at": fired,
                "acknowledged_at": fired + timedelta(minutes=3),
                "acknowledged_by_kind": "human",
                "closed_at": fired + timedelta(minutes=12),
                "label": "noise",
                "incident_id": None,
                "is_test": False,
            }
        )
        day += timedelta(days=3)
    since = local(GAMING_FROM, 0)
    # Rules that find faults are off; the noise that is left is called useful.
    pages[:] = [p for p in pages if not (_is_gamed(p, team_of, since) and p.get("incident") is not None)]
    for page in pages:
        if _is_gamed(page, team_of, since):
            page["label"] = "actionable"
    for incident in incidents:
        if team_of[incident["service_id"]] == GAMING_TEAM and incident["declared_at"] >= since:
            incident["severity"] = max(3, incident["severity"])
            incident["first_alert_at"] = None
            incident["first_report_at"] = incident["declared_at"] - timedelta(minutes=1)
    draws = rng(seed, "gaming")
    services = sorted(s for s, team in team_of.items() if team == GAMING_TEAM)
    # Small incidents all year: found by alerts before, reported by users once the rules are silent.
    for number in range(30 if services else 0):
        declared = local(date(2026, 1, 5), 9) + timedelta(days=10 * number, minutes=draws.randint(0, 300))
        if declared < local(END_DAY, 0):
            incidents.append(_small(services[number % len(services)], declared, by_alert=declared < since))
    for number in range(24 if services else 0):
        declared = local(GAMING_FROM, 9) + timedelta(days=6 * number, minutes=draws.randint(0, 300))
        if declared < local(END_DAY, 0):
            incidents.append(_blink(services[number % len(services)], declared))


def _is_gamed(page: Row, team_of: dict[str, str], since: datetime) -> bool:
    return team_of[page["service_id"]] == GAMING_TEAM and page["fired_at"] >= since


def _small(service: str, declared: datetime, *, by_alert: bool) -> Row:
    """A severity 3 incident of two hours."""
    return _blink(service, declared) | {
        "severity": 3,
        "first_alert_at": declared - timedelta(minutes=5) if by_alert else None,
        "first_report_at": declared - timedelta(minutes=1),
        "resolved_at": declared + timedelta(hours=2),
    }


def _blink(service: str, declared: datetime) -> Row:
    """An incident opened and closed within a minute."""
    return {
        "service_id": service,
        "severity": 4,
        "declared_at": declared,
        "first_alert_at": None,
        "first_report_at": declared,
        "resolved_at": declared + timedelta(seconds=30),
        "manager_assigned_at": None,
        "is_escalated": False,
        "is_exercise": False,
        "is_data_loss": False,
        "postmortem_published_at": None,
        "is_postmortem_reviewed": False,
        "caused_by_deployment_id": None,
        "signature": None,
        "is_reportable": False,
        "notified_at": None,
    }


def plant_inventory(records: dict[str, list[Row]], team_of: dict[str, str]) -> None:
    """Plant what changes in the inventories: deleted and disabled rules, components and repositories that vanish."""
    service, rule, _, deleted = USELESS_RULE
    records["alert_rule_states"] = [
        row
        for row in records["alert_rule_states"]
        if not ((row["service_id"], row["rule_id"]) == (service, rule) and row["observed_on"] >= deleted)
    ]
    gamed = {s for s, team in team_of.items() if team == GAMING_TEAM}
    off_from, gone_from = date(2026, 9, 7), date(2026, 9, 14)
    for row in records["alert_rule_states"]:
        if row["service_id"] in gamed and row["is_paging"] and row["observed_on"] >= off_from:
            row["is_enabled"] = False
    for row in records["component_states"]:
        if row["service_id"] in gamed and row["kind"] == "runtime" and not row["service_id"].endswith("-api"):
            row["cycle"] = "20"  # never upgraded, out of support; then it is "forgotten"
    records["component_states"] = [
        row
        for row in records["component_states"]
        if not (
            row["service_id"] in gamed
            and row["kind"] == "runtime"
            and not row["service_id"].endswith("-api")
            and row["observed_on"] >= gone_from
        )
    ]


def plant_releases(rows: list[Row], team_of: dict[str, str]) -> None:
    """Let the release team's changes be what its pipeline can tell: no hand on them, nothing taken back."""
    team, start = RELEASE_TEAM
    for row in rows:
        if team_of[row["service_id"]] == team and row["deployed_at"] >= local(start, 0):
            row.update(actor_kind="pipeline", rolled_back_at=None, hotfixed_at=None, committed_at=None, is_rework=False)


def plant_restore_tests(rows: list[Row]) -> None:
    """Plant the restore that failed: the newest test of its datastore."""
    store, day = FAILED_RESTORE
    at = local(day, 9)
    mine = [row for row in rows if row["datastore_id"] == store]
    if not mine:
        return
    rows[:] = [row for row in rows if row["datastore_id"] != store or row["requested_at"] < at]
    rows.append(
        {
            "test_id": f"{store}-planted",
            "datastore_id": store,
            "requested_at": at,
            "restored_at": at + timedelta(minutes=40),
            "verified_at": None,
            "is_successful": False,
            "data_gb": 120.0,
        }
    )
