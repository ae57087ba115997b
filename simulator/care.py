"""Updates, repositories, vulnerabilities, backups and the registers that people keep by hand."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from simulator.organisation import Organisation
from simulator.world import (
    BOT_SILENT_FROM,
    CHARACTERS,
    END_DAY,
    FIRST_DAY,
    before_end,
    days,
    is_scripted,
    last_instant,
    local,
    rng,
)

Row = dict[str, Any]
EPISODES_FROM = date(2025, 5, 1)


def update_episodes(organisation: Organisation, seed: int) -> list[Row]:
    """Return lag episodes; what a team does not take stays open."""
    rows: list[Row] = []
    for service in organisation.services:
        draws = rng(seed, "updates", service.id)
        for day in days(EPISODES_FROM):
            if draws.random() > 0.09:
                continue
            at = local(day, 5)
            level = CHARACTERS[service.team].level("mnt", at)
            applied = None
            if draws.random() < 0.35 + 0.64 * level:
                applied = before_end(at + timedelta(days=min(150.0, draws.expovariate(1 / (4 + 45 * (1 - level))))))
            rows.append(
                {
                    "episode_id": f"{service.id}-{len(rows)}",
                    "repository": f"kystetaten/{service.id}",
                    "package": f"pakke-{draws.randint(1, 60)}",
                    "available_at": at,
                    "applied_at": applied,
                    "dismissed_at": None,
                }
            )
        _covered_by_newer(rows, f"kystetaten/{service.id}")
    return rows


def _covered_by_newer(rows: list[Row], repository: str) -> None:
    """A newer version that was taken brings the older ones of its package with it."""
    mine = [row for row in rows if row["repository"] == repository]
    for row in mine:
        taken = [
            other["applied_at"]
            for other in mine
            if other["package"] == row["package"]
            and other["available_at"] >= row["available_at"]
            and other["applied_at"] is not None
        ]
        if row["applied_at"] is None and taken:
            row["applied_at"] = min(taken)


def repository_states(organisation: Organisation, seed: int) -> list[Row]:
    """Return weekly states; the source falls silent on 1 November 2026, which is nobody's fault."""
    rows: list[Row] = []
    for service in organisation.services:
        draws = rng(seed, "repository", service.id)
        enabled_from = FIRST_DAY + timedelta(days=round(500 * (draws.random() - CHARACTERS[service.team].craft + 0.35)))
        ran_at: datetime | None = None
        for day in days(FIRST_DAY, BOT_SILENT_FROM):
            if day.weekday() != 0 and day != BOT_SILENT_FROM - timedelta(days=1):
                continue
            enabled = day >= enabled_from
            active_on = day - timedelta(days=draws.randint(0, 40))
            valid = enabled and draws.random() < 0.97
            # A bot that cannot read its configuration does not run.
            ran_at = local(day, 4) if valid else ran_at
            rows.append(
                {
                    "repository": f"kystetaten/{service.id}",
                    "observed_on": day,
                    "last_activity_on": active_on,
                    "is_bot_enabled": enabled,
                    "is_bot_config_valid": valid,
                    "last_bot_success_at": ran_at,
                    "unmanaged_count": 0,
                }
            )
    return rows


def vulnerabilities(organisation: Organisation, seed: int) -> list[Row]:
    """Return tier states; one team has an exploited one open past its deadline."""
    rows: list[Row] = []
    for service in organisation.services:
        draws = rng(seed, "vulnerabilities", service.id)
        for day in days():
            if draws.random() > 0.03:
                continue
            at = local(day, draws.uniform(1, 22))
            level = CHARACTERS[service.team].level("sec", at)
            exploited = draws.random() < 0.06
            due = 3 if exploited else 14
            late = draws.random() > 0.45 + 0.54 * level
            fixed = at + timedelta(days=due * (draws.uniform(1.1, 2.5) if late else draws.uniform(0.1, 0.9)))
            rows.append(
                {
                    "vulnerability_id": f"S-{service.id}-{day:%y%m%d}",
                    "service_id": service.id,
                    "detected_at": at,
                    "effective_at": at,
                    "is_exposed": draws.random() < 0.6,
                    "is_exploited": exploited,
                    "is_automatable": draws.random() < 0.3,
                    "is_total_impact": draws.random() < 0.4,
                    "fixed_at": before_end(fixed),
                    "epss_ratio": round(draws.random() ** 4, 4),
                }
            )
    if is_scripted():
        rows.append(_left_open())
    return rows


def _left_open() -> Row:
    at = local(date(2026, 11, 10), 9)
    return {
        "vulnerability_id": "S-fiskekvote-api-planted",
        "service_id": "fiskekvote-api",
        "detected_at": at,
        "effective_at": at,
        "is_exposed": True,
        "is_exploited": True,
        "is_automatable": True,
        "is_total_impact": True,
        "fixed_at": None,
        "epss_ratio": 0.93,
    }


def recovery_points(organisation: Organisation, seed: int) -> list[Row]:
    """Return recovery points; a store without policy has none, and jobs of careless teams fail."""
    rows: list[Row] = []
    for store in organisation.datastores:
        if store.interval_hours is None:
            continue
        draws = rng(seed, "backup", store.id)
        at = local(FIRST_DAY, 1)
        while at < last_instant():
            level = CHARACTERS[store.team].level("bck", at)
            rows.append(
                {
                    "datastore_id": store.id,
                    "taken_at": at,
                    "is_usable": draws.random() > 0.03 * (1 - level) ** 2,
                }
            )
            at += timedelta(hours=store.interval_hours)
    return rows


def restore_tests(organisation: Organisation, seed: int) -> list[Row]:
    """Return the register of restore tests, in hours rather than minutes for large stores."""
    rows: list[Row] = []
    for store in organisation.datastores:
        draws = rng(seed, "restore", store.id)
        day = FIRST_DAY - timedelta(days=draws.randint(20, 200))
        while True:
            level = CHARACTERS[store.team].level("bck", local(max(day, FIRST_DAY), 12))
            interval = {"A": 90, "B": 180}.get(store.data_class, 365)
            day += timedelta(days=round(interval * draws.uniform(0.6, 0.95 + 1.6 * (1 - level))))
            if day >= END_DAY or draws.random() < 0.5 * (1 - level):
                break
            at = local(day, draws.uniform(8, 14))
            successful = draws.random() < 0.75 + 0.25 * level
            minutes = store.rto_minutes * draws.uniform(0.3, 1.0 + 0.9 * (1 - level))
            rows.append(
                {
                    "test_id": f"{store.id}-{day:%Y%m%d}",
                    "datastore_id": store.id,
                    "requested_at": at,
                    "restored_at": at + timedelta(minutes=round(minutes * 0.9)),
                    "verified_at": at + timedelta(minutes=round(minutes)) if successful else None,
                    "is_successful": successful,
                    "data_gb": round(draws.uniform(5, 900), 1),
                }
            )
    return rows


def maintenance_tasks(organisation: Organisation, seed: int) -> list[Row]:
    """Return planned tasks, monthly or so."""
    rows: list[Row] = []
    for team in organisation.duties:
        if team in {"tidevann", "dykkerattest"}:
            continue
        draws = rng(seed, "maintenance", team)
        for day in days(date(2025, 5, 1), date(2027, 1, 1)):
            if draws.random() > 0.07:
                continue
            due = local(day, 16)
            level = CHARACTERS[team].level("mnt", due)
            done = (
                due - timedelta(days=draws.uniform(0, 9))
                if draws.random() < 0.3 + 0.7 * level
                else due + timedelta(days=draws.uniform(1, 40))
            )
            rows.append(
                {
                    "task_id": f"{team}-{day:%Y%m%d}",
                    "team_id": team,
                    "first_due_at": due,
                    "completed_at": before_end(done),
                    "is_cancelled_with_approval": False,
                }
            )
    return rows


def load_tests(organisation: Organisation, seed: int) -> list[Row]:
    """Return load tests of critical services."""
    rows: list[Row] = []
    for service in organisation.services:
        draws = rng(seed, "load", service.id)
        for year in (2024, 2025, 2026):
            level = CHARACTERS[service.team].level("scl", last_instant())
            if service.criticality != "critical" or draws.random() > level:
                continue
            rows.append(
                {
                    "test_id": f"{service.id}-{year}",
                    "service_id": service.id,
                    "tested_at": local(date(year, draws.randint(1, 10), draws.randint(1, 28)), 10),
                    "reached_ratio": round(draws.uniform(1.2, 2.4), 2),
                    "is_slo_met": draws.random() < 0.9,
                }
            )
    return rows


def assessments(organisation: Organisation, seed: int) -> list[Row]:
    """Return security assessments."""
    rows: list[Row] = []
    for service in organisation.services:
        draws = rng(seed, "assessment", service.id)
        for year in (2024, 2025, 2026):
            if draws.random() > 0.25 + 0.75 * CHARACTERS[service.team].level("sec", last_instant()):
                continue
            rows.append(
                {
                    "assessment_id": f"{service.id}-{year}",
                    "service_id": service.id,
                    "kind": draws.choice(("risk", "threat_model", "penetration_test")),
                    "approved_at": local(date(year, draws.randint(1, 10), draws.randint(1, 28)), 13),
                }
            )
    return rows
