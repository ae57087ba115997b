"""What machines report about the state of things, week by week or day by day: rules, components, workloads, signals."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from simulator.organisation import Organisation, Service
from simulator.plants import BROKEN_COUNTER
from simulator.world import CHARACTERS, END_DAY, FIRST_DAY, days, hours_of, is_scripted, local, rng

Row = dict[str, Any]

# Rule -> kind; the pages of ``practice.alerts`` carry these names.
RULES = {
    "latency-burn": "burn_rate",
    "errors-burn": "burn_rate",
    "probe-down": "probe",
    "queue-growth": "queue_growth",
    "disk-forecast": "forecast",
}
EOL_DATES: tuple[tuple[str, str, date, date | None], ...] = (
    ("havkjerne", "20", date(2022, 4, 1), date(2025, 4, 1)),
    ("havkjerne", "22", date(2024, 4, 1), date(2027, 4, 1)),
    ("havkjerne", "24", date(2026, 4, 1), None),
    ("tangbase", "13", date(2021, 10, 1), date(2026, 9, 1)),
    ("tangbase", "15", date(2023, 10, 1), date(2028, 11, 1)),
    ("kubernetes", "1.31", date(2025, 1, 10), date(2027, 1, 31)),
    ("kubernetes", "1.32", date(2025, 5, 10), date(2027, 5, 31)),
    ("kubernetes", "1.33", date(2025, 9, 10), date(2027, 9, 30)),
    ("kubernetes", "1.34", date(2026, 1, 10), date(2028, 1, 31)),
    ("kubernetes", "1.35", date(2026, 5, 10), date(2028, 5, 31)),
)
CONTROLS = (("tls-only", "critical"), ("branch-protection", "high"), ("image-signed", "medium"), ("log-masking", "low"))


def weeks() -> list[date]:
    """Return the days of the weekly inventories: every Monday, and the last day."""
    return sorted({day for day in days() if day.weekday() == 0} | {END_DAY - timedelta(days=1)})


def signal_hours(organisation: Organisation, seed: int) -> list[Row]:
    """Return hours with data of each signal and day; a signal that a team never connected has no rows."""
    rows: list[Row] = []
    tools = {"availability": "prober", "performance": "fjordinnsikt", "security": "vaktmester"}
    for service in organisation.services:
        level = CHARACTERS[service.team].level("mon", local(FIRST_DAY, 0))
        for signal, tool in tools.items():
            draws = rng(seed, "signal", service.id, signal)
            if draws.random() > 0.55 + 0.5 * level:
                continue
            gap = draws.random() > 0.75 + 0.25 * level
            rows += [
                {
                    "service_id": service.id,
                    "signal": signal,
                    "tool": tool,
                    "observed_on": day,
                    "hours_with_data": max(0, hours_of(day) - (draws.randint(3, 9) if gap else draws.randint(0, 1))),
                }
                for day in days()
            ]
    return rows


def alert_rule_states(organisation: Organisation, seed: int) -> list[Row]:
    """Return the weekly snapshot of every alert rule."""
    rows: list[Row] = []
    for service in organisation.services:
        names = dict(RULES)
        if service.criticality != "ordinary":
            names["cpu-saturation"] = "saturation"
        for name, kind in names.items():
            rows += _rule(service, name, kind, seed)
    return rows


def _rule(service: Service, name: str, kind: str, seed: int) -> list[Row]:
    draws = rng(seed, "rule", service.id, name)
    level = CHARACTERS[service.team].level("mon", local(FIRST_DAY, 0))
    if draws.random() > 0.5 + 0.6 * level:
        return []
    routed, strict = draws.random() < 0.7 + 0.3 * level, draws.random() < 0.4 + 0.6 * level
    changed = local(FIRST_DAY - timedelta(days=draws.randint(0, 300)), 10)
    reviewed = tested = changed
    found: list[Row] = []
    for day in weeks():
        level = CHARACTERS[service.team].level("mon", local(day, 12))
        if draws.random() < 0.012 + 0.07 * level:
            reviewed = local(day, 10)
        if draws.random() < 0.01 + 0.08 * level:
            tested = local(day, 9)
        found.append(
            {
                "rule_id": name,
                "service_id": service.id,
                "resource_id": f"{service.id}-cpu" if kind in {"saturation", "forecast"} else None,
                "kind": kind,
                "observed_on": day,
                "is_enabled": True,
                "is_paging": kind in {"burn_rate", "probe"},
                "is_routed": routed,
                "threshold_ratio": (0.85 if strict else 0.99) if kind == "saturation" else None,
                "forecast_hours": (48.0 if strict else 4.0) if kind == "forecast" else None,
                "last_changed_at": changed,
                "last_reviewed_at": reviewed,
                "last_proven_at": tested,
            }
        )
    return found


def component_states(organisation: Organisation, seed: int) -> list[Row]:
    """Return the weekly snapshot of runtimes, databases and clusters; careless teams upgrade late."""
    rows: list[Row] = []
    for service in organisation.services:
        draws = rng(seed, "components", service.id)
        level = CHARACTERS[service.team].level("mnt", local(FIRST_DAY, 0))
        late = timedelta(days=round(draws.uniform(20, 60) + 420 * (1 - level) * draws.random()))
        parts: list[tuple[str, str, tuple[str, ...], date, date | None]] = [
            ("runtime", "havkjerne", ("20", "22", "24"), date(2024, 10, 1), date(2026, 5, 1))
        ]
        if any(store.service == service.id for store in organisation.datastores):
            parts.append(("database", "tangbase", ("13", "15"), date(2025, 9, 1), None))
        if service.id.endswith("-klynge"):
            parts.append(("kubernetes", "kubernetes", ("1.32", "1.33", "1.35"), date(2025, 10, 1), date(2026, 6, 1)))
        for kind, product, cycles, first, second in parts:
            for day in weeks():
                step = (day >= first + late) + (second is not None and day >= second + late)
                rows.append(
                    {
                        "component_id": f"{service.id}-{kind}",
                        "service_id": service.id,
                        "kind": kind,
                        "product": product,
                        "cycle": cycles[min(step, len(cycles) - 1)],
                        "observed_on": day,
                        "first_seen_on": FIRST_DAY,
                    }
                )
    return rows


def eol_dates() -> list[Row]:
    """Return the register of release cycles (invented products, but for the cluster)."""
    return [
        {"product": product, "cycle": cycle, "released_on": released, "eol_on": eol}
        for product, cycle, released, eol in EOL_DATES
    ]


def workload_states(organisation: Organisation, seed: int) -> list[Row]:
    """Return the weekly snapshot of workloads."""
    rows: list[Row] = []
    for service in organisation.services:
        draws = rng(seed, "workload", service.id)
        spread_from, grow_from = (
            FIRST_DAY + timedelta(days=round(500 * (draws.random() - CHARACTERS[service.team].craft + 0.3)))
            for _ in range(2)
        )
        requests = draws.random() < 0.9
        fixed = date(2026, 2, 10) if draws.random() < 0.2 else None
        for day in weeks():
            grows = day >= grow_from and fixed is None
            rows.append(
                {
                    "workload_id": service.id,
                    "service_id": service.id,
                    "observed_on": day,
                    "replica_count": 3 if day >= spread_from else 1,
                    "zone_count": 3 if day >= spread_from else 1,
                    "has_resource_requests": requests,
                    "autoscaler_min": 2 if grows else None,
                    "autoscaler_max": 8 if grows else None,
                    "fixed_size_approved_on": fixed if fixed is not None and day >= fixed else None,
                }
            )
    return rows


def control_results(organisation: Organisation, seed: int) -> list[Row]:
    """Return the weekly result of each control of each service."""
    rows: list[Row] = []
    for service in organisation.services:
        for control, risk in CONTROLS:
            draws = rng(seed, "control", service.id, control)
            passing = draws.random() < 0.6 + 0.4 * CHARACTERS[service.team].level("sec", local(FIRST_DAY, 0))
            for day in weeks():
                level = CHARACTERS[service.team].level("sec", local(day, 12))
                if draws.random() < 0.04:
                    passing = draws.random() < 0.5 + 0.5 * level
                silent = draws.random() < 0.02
                rows.append(
                    {
                        "control_id": control,
                        "asset_id": service.id,
                        "service_id": service.id,
                        "observed_on": day,
                        "status": "inconclusive" if silent else "passed" if passing else "failed",
                        "risk": risk,
                    }
                )
    return rows


def infrastructure_states(organisation: Organisation, seed: int) -> list[Row]:
    """Return the weekly snapshot of four cloud resources of each service."""
    rows: list[Row] = []
    for service in organisation.services:
        for number in range(1, 5):
            draws = rng(seed, "infrastructure", service.id, str(number))
            code_from = FIRST_DAY + timedelta(
                days=round(600 * (draws.random() - CHARACTERS[service.team].level("aut", local(FIRST_DAY, 0)) + 0.1))
            )
            rows += [
                {
                    "resource_id": f"{service.id}-r{number}",
                    "service_id": service.id,
                    "observed_on": day,
                    "is_in_code": day >= code_from,
                    "drift_checked_at": local(day, 3) - timedelta(days=draws.choice((0, 1, 2, 9))),
                    "has_drift": draws.random() < 0.05,
                }
                for day in weeks()
            ]
    return rows


def latency_daily(organisation: Organisation, seed: int) -> list[Row]:
    """Return requests a day, and how many were fast enough; busy services of weak teams are slower."""
    rows: list[Row] = []
    for service in organisation.services:
        draws = rng(seed, "latency", service.id)
        volume = draws.randint(2_000, 60_000)
        for day in days():
            level = CHARACTERS[service.team].level("scl", local(day, 12))
            valid = round(volume * draws.uniform(0.6, 1.2) * (0.3 if day.weekday() >= 5 else 1))
            slow = round(valid * (0.002 + 0.03 * (1 - level) ** 2) * draws.uniform(0.3, 1.9))
            # A counter that broke: its exporter is off, and of its requests nothing is known from then on.
            if is_scripted() and service.team == BROKEN_COUNTER[0] and day >= BROKEN_COUNTER[1]:
                continue
            rows.append(
                {
                    "service_id": service.id,
                    "observed_on": day,
                    "valid_count": valid,
                    "fast_count": valid - slow,
                    "threshold_ms": 500.0,
                }
            )
    return rows


def backup_copies(organisation: Organisation, seed: int) -> list[Row]:
    """Return the weekly snapshot of copies: one beside the original, and an isolated one where a team made it."""
    rows: list[Row] = []
    for store in organisation.datastores:
        draws = rng(seed, "copies", store.id)
        isolated_from = FIRST_DAY + timedelta(
            days=round(500 * (draws.random() - CHARACTERS[store.team].level("bck", local(FIRST_DAY, 0)) + 0.2))
        )
        for day in weeks():
            copies = [("lokal", False)] + ([("isolert", True)] if day >= isolated_from else [])
            rows += [
                {
                    "datastore_id": store.id,
                    "copy_id": name,
                    "observed_on": day,
                    "has_own_identity": isolated,
                    "is_immutable_or_offline": isolated,
                    "is_other_region": isolated,
                }
                for name, isolated in copies
                if store.interval_hours is not None
            ]
    return rows


def dependency_states(organisation: Organisation, seed: int) -> list[Row]:
    """Return the monthly snapshot of twelve dependencies of each repository."""
    rows: list[Row] = []
    for service in organisation.services:
        draws = rng(seed, "dependencies", service.id)
        behind = 0.15 + 1.6 * (1 - CHARACTERS[service.team].level("mnt", local(FIRST_DAY, 0)))
        lags = [draws.expovariate(1 / behind) for _ in range(12)]
        for day in days():
            if day.day != 1 and day != END_DAY - timedelta(days=1):
                continue
            for number, lag in enumerate(lags, start=1):
                newest = day - timedelta(days=20 * number)
                rows.append(
                    {
                        "repository": f"kystetaten/{service.id}",
                        "package": f"pakke-{number}",
                        "observed_on": day,
                        "installed_released_on": newest - timedelta(days=round(365 * lag)),
                        "newest_released_on": newest,
                    }
                )
    return rows
