"""Incidents, pages, on-call shifts and deployments: what people and machines did day by day."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from simulator.organisation import Organisation, Service
from simulator.plants import plant_releases
from simulator.telemetry import Outage
from simulator.world import CHARACTERS, FIRST_DAY, before_end, days, is_scripted, last_instant, local, rng

Row = dict[str, Any]
INCIDENTS_FROM = date(2024, 11, 1)


SIGNATURES = ("db-laas", "ko-full", "sertifikat", "minne", "dns")


def incidents(organisation: Organisation, outages: dict[str, list[Outage]], seed: int) -> list[Row]:
    """Return incidents: outages of half an hour or more, earlier ones without telemetry, and one never closed."""
    return list(_incidents(organisation, outages, seed))


def number_incidents(rows: list[Row]) -> None:
    """Give incidents their ids, in order of declaration."""
    rows.sort(key=lambda row: (row["declared_at"], row["service_id"]))
    for number, row in enumerate(rows, start=1):
        row["incident_id"] = f"H-{10000 + number}"


def _incidents(organisation: Organisation, outages: dict[str, list[Outage]], seed: int) -> Iterator[Row]:
    for service in organisation.services:
        draws = rng(seed, "incidents", service.id)
        known = [(begin, end) for begin, end in outages[service.id] if end - begin >= timedelta(minutes=30)]
        for day in days(INCIDENTS_FROM, FIRST_DAY):
            if draws.random() < 0.004:
                begin = local(day, draws.uniform(7, 22))
                known.append((begin, begin + timedelta(minutes=draws.randint(30, 400))))
        for begin, end in sorted(known):
            yield _incident(service, begin, end, draws)
    # A team that leaves its worst incident open: nothing may get better by that.
    for service in organisation.services:
        if service.id == "mannskap-api" and is_scripted():
            row = _incident(service, local(date(2026, 9, 28), 10), None, rng(seed, "o"))
            row.update(severity=1, manager_assigned_at=None, is_reportable=False, notified_at=None)
            yield row


def _incident(service: Service, begin: datetime, end: datetime | None, draws: random.Random) -> Row:
    level = CHARACTERS[service.team].level("inc", begin)
    watch = CHARACTERS[service.team].level("mon", begin)
    # Who spends a whole month's error budget at once calls it severe.
    budget = timedelta(days=28) * (1 - (service.slo or 0.99))
    is_large = end is not None and end - begin >= budget
    severity = draws.choices([1, 2, 3, 4], [3, 7, 0, 0] if is_large else [0, 15, 50, 35])[0]
    by_alert = draws.random() < watch
    declared = begin + timedelta(minutes=draws.randint(2, 14))
    resolved = None if end is None else max(end, declared) + timedelta(minutes=draws.randint(5, 60))
    escalated = severity == 3 and draws.random() < 0.1
    needs_manager = severity <= 2 or escalated
    assigned = declared + timedelta(minutes=draws.randint(1, 20 if draws.random() < 0.75 + level / 4 else 90))
    reportable = severity == 1 and draws.random() < 0.5
    notified = declared + timedelta(hours=draws.uniform(1, 20 + 30 * (1 - level))) if reportable else None
    published = None
    if resolved is not None and severity <= 2 and draws.random() < 0.25 + 0.75 * level:
        published = resolved + timedelta(days=draws.randint(2, 6 if draws.random() < level else 15))
    return {
        "service_id": service.id,
        "severity": severity,
        "declared_at": declared,
        "first_alert_at": begin + timedelta(minutes=draws.randint(1, 5)) if by_alert else None,
        "first_report_at": begin + timedelta(minutes=draws.randint(6, 40))
        if draws.random() < 0.7 or not by_alert
        else None,
        "resolved_at": before_end(resolved),
        "manager_assigned_at": assigned if needs_manager and draws.random() < 0.8 + level / 5 else None,
        "is_escalated": escalated,
        "is_exercise": False,
        "is_data_loss": False,
        "postmortem_published_at": before_end(published),
        "is_postmortem_reviewed": published is not None and draws.random() < 0.95,
        "caused_by_deployment_id": None,
        "signature": draws.choice(SIGNATURES) if draws.random() < 0.6 else None,
        "is_reportable": reportable,
        "notified_at": before_end(notified),
    }


def alerts(organisation: Organisation, found: list[Row], seed: int) -> list[Row]:
    """Return pages: those of incidents, and noise in proportion to how badly a team tends its rules."""
    services = {service.id: service for service in organisation.services}
    rows: list[Row] = []
    for incident in found:
        if incident["first_alert_at"] is not None and incident["declared_at"] >= local(FIRST_DAY, 0):
            draws = rng(seed, "page", incident["service_id"], incident["declared_at"].isoformat())
            rows.append(_page(services[incident["service_id"]], incident["first_alert_at"], incident, draws))
    for service in organisation.services:
        draws = rng(seed, "noise", service.id)
        for day in days():
            level = CHARACTERS[service.team].level("mon", local(day, 12))
            if draws.random() < 0.04 + 0.25 * (1 - level):
                rows.append(_page(service, local(day, draws.uniform(0, 23.9)), None, draws))
    return rows


def number_pages(rows: list[Row]) -> None:
    """Give pages their ids, in order of firing."""
    rows.sort(key=lambda row: (row["fired_at"], row["service_id"], row["rule_id"]))
    for number, row in enumerate(rows, start=1):
        row["alert_id"] = f"V-{100000 + number}"


def _page(service: Service, fired: datetime, incident: Row | None, draws: random.Random) -> Row:
    level = CHARACTERS[service.team].level("inc", fired)
    useful = incident is not None or draws.random() < level * 0.7
    wait = draws.uniform(0.5, 4.5) if draws.random() < 0.55 + 0.45 * level else draws.uniform(6, 90)
    label = None if draws.random() < 0.06 else ("actionable" if useful else "noise")
    acknowledged = fired + timedelta(minutes=wait)
    return {
        "service_id": service.id,
        "rule_id": draws.choice(("latency-burn", "errors-burn", "probe-down", "queue-growth", "disk-forecast")),
        "severity": incident["severity"] if incident else 3,
        "fired_at": fired,
        "acknowledged_at": before_end(acknowledged),
        "acknowledged_by_kind": "human",
        "closed_at": before_end(acknowledged + timedelta(minutes=draws.uniform(3, 60))),
        "label": label,
        "incident": incident,
        "is_test": False,
    }


def link_pages(pages: list[Row]) -> None:
    """Replace each page's incident by its id, once incidents have ids."""
    for page in pages:
        incident = page.pop("incident", None)
        page["incident_id"] = incident["incident_id"] if incident else None


def oncall_shifts(organisation: Organisation, seed: int) -> list[Row]:
    """Return shifts: a day shift each working day, or one duty a day round the clock; some are missed."""
    rows: list[Row] = []
    for team, duty in organisation.duties.items():
        draws = rng(seed, "shifts", team)
        for day in days():
            is_summer = is_scripted() and team == "datakaia" and date(2026, 7, 1) <= day < date(2026, 8, 15)
            always = duty == "always" or is_summer
            if not always and day.weekday() >= 5:
                continue
            level = CHARACTERS[team].level("inc", local(day, 12))
            if draws.random() < 0.03 * (1 - level):
                continue
            start, end = (
                (local(day, 0), local(day + timedelta(days=1), 0)) if always else (local(day, 8), local(day, 16))
            )
            if draws.random() < 0.04 * (1 - level):
                end -= timedelta(hours=2)
            rows.append(
                {
                    "shift_id": f"{team}-{day}",
                    "team_id": team,
                    "starts_at": start,
                    "ends_at": end,
                    "responder_count": 1 if draws.random() < 0.7 else 2,
                }
            )
    return rows


def deployments(organisation: Organisation, found: list[Row], seed: int) -> list[Row]:
    """Return production deployments (a few of staging too) and blame some incidents on them."""
    rows: list[Row] = []
    for service in organisation.services:
        draws = rng(seed, "deployments", service.id)
        character = CHARACTERS[service.team]
        for day in days():
            level = character.level("aut", local(day, 12))
            if day.weekday() >= 5 or draws.random() > 0.04 + 0.22 * level:
                continue
            at = local(day, draws.uniform(8, 15.5))
            if at >= last_instant():
                continue
            failed = draws.random() < 0.03 + 0.28 * (1 - level)
            rolled_back = (
                before_end(at + timedelta(hours=draws.uniform(0.2, 30))) if failed and draws.random() < 0.6 else None
            )
            rows.append(
                {
                    "deployment_id": f"{service.id}-{day:%Y%m%d}",
                    "service_id": service.id,
                    "environment": draws.choice(("prod", "production", "PROD")) if draws.random() < 0.93 else "stage",
                    "deployed_at": at,
                    "actor_kind": "pipeline" if draws.random() < 0.5 + 0.5 * level else "human",
                    "has_manual_step": draws.random() < 0.4 * (1 - level),
                    "rolled_back_at": rolled_back,
                    "hotfixed_at": before_end(at + timedelta(hours=draws.uniform(2, 60)))
                    if failed and not rolled_back
                    else None,
                    "committed_at": at - timedelta(hours=draws.uniform(0.5, 20 + 150 * (1 - level))),
                    "is_rework": draws.random() < 0.04 + 0.15 * (1 - level),
                }
            )
    if is_scripted():
        plant_releases(rows, {service.id: service.team for service in organisation.services})
    _blame(found, rows, seed)
    return sorted(rows, key=lambda row: (row["deployed_at"], row["deployment_id"]))


def _blame(found: list[Row], rows: list[Row], seed: int) -> None:
    """Every third incident within a day of a deployment of its service was caused by it."""
    for incident in found:
        draws = rng(seed, "blame", incident["incident_id"])
        near = [
            row
            for row in rows
            if row["service_id"] == incident["service_id"]
            and timedelta() <= incident["declared_at"] - row["deployed_at"] <= timedelta(days=1)
        ]
        if near and draws.random() < 0.33:
            incident["caused_by_deployment_id"] = near[-1]["deployment_id"]
