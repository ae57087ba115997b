"""States that come and go by chance, at the level of practice that a team has: the records of unscripted scenarios.

The demo rolls many states once and lets them stand, or moves them one way from a day on: a story, in which nothing
can vary from month to month. Where practice is steady, states still change: a rule loses its route, a copy is set up
again, a test comes late. Here each state is rolled again at a rate, so that its long-run mean is what the level of
practice says; when the level changes, the states that it decides change with it. Registers are renewals that began
long before the history.

Belongs here: what replaces frozen or one-way records of ``inventory``, ``care``, ``telemetry`` and ``follow_up``.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

from simulator import follow_up, inventory
from simulator.organisation import Organisation
from simulator.world import CHARACTERS, END_DAY, FIRST_DAY, days, hours_of, last_instant, local, rng

Row = dict[str, Any]
Outage = tuple[datetime, datetime]
# A state is rolled again every 50 weeks or so; half of the rolls and more give what was there before.
ROLLED_PER_WEEK = 0.02
# Registers begin so long before the history that nothing of their beginning is seen.
REGISTERS_FROM = FIRST_DAY - timedelta(days=1100)
PROBE_MINUTES = 15


class State:
    """A yes or no that is rolled again now and then.

    Between two rolls it only changes where the level of practice does: the roll stands, and is held against the
    chance of the day.
    """

    def __init__(self, draws: random.Random) -> None:
        self._draws = draws
        self._roll = draws.random()

    def a_week_later(self, chance: float) -> bool:
        """Let a week pass; return whether the state is good, whose long-run share is ``chance``."""
        if self._draws.random() < ROLLED_PER_WEEK:
            self._roll = self._draws.random()
        return self._roll < chance


def level(team: str, area: str, day: date) -> float:
    """Return a team's level of practice on a local day; before the history it is that of its first day."""
    return CHARACTERS[team].level(area, local(max(day, FIRST_DAY), 12))


def plan_outages(organisation: Organisation, seed: int) -> dict[str, list[Outage]]:
    """Roll each service's outages day by day, about as many as the demo's at the same level."""
    plan: dict[str, list[Outage]] = {}
    history = days()
    for service in organisation.services:
        draws = rng(seed, "churn", "outages", service.id)
        found: list[Outage] = []
        for day in history:
            roll, slot, length = draws.random(), draws.randrange(90), draws.lognormvariate(0.2, 0.8)
            if roll < (3.5 + 30 * (1 - level(service.team, "inc", day))) / len(history):
                begin = local(day, 0) + timedelta(minutes=PROBE_MINUTES * slot)
                end = begin + timedelta(minutes=PROBE_MINUTES * max(1, round(length)))
                if end < last_instant():
                    found.append((begin, end))
        plan[service.id] = found
    return plan


def signal_hours(organisation: Organisation, seed: int) -> list[Row]:
    """Return hours with data; connections are lost and made again, and so are gaps."""
    rows: list[Row] = []
    tools = {"availability": "prober", "performance": "fjordinnsikt", "security": "vaktmester"}
    for service in organisation.services:
        for signal, tool in tools.items():
            draws = rng(seed, "churn", "signal", service.id, signal)
            connected, whole = State(draws), State(draws)
            is_connected = is_whole = True
            for number, day in enumerate(days()):
                if number % 7 == 0:
                    at = level(service.team, "mon", day)
                    is_connected = connected.a_week_later(min(0.98, 0.55 + 0.5 * at))
                    is_whole = whole.a_week_later(0.75 + 0.25 * at)
                missing = draws.randint(0, 1) if is_whole else draws.randint(3, 9)
                if is_connected:
                    rows.append(
                        {
                            "service_id": service.id,
                            "signal": signal,
                            "tool": tool,
                            "observed_on": day,
                            "hours_with_data": max(0, hours_of(day) - missing),
                        }
                    )
    return rows


def alert_rule_states(organisation: Organisation, seed: int) -> list[Row]:
    """Return the weekly snapshot of every alert rule; rules are lost, misrouted and repaired."""
    rows: list[Row] = []
    for service in organisation.services:
        names = inventory.RULES | ({"cpu-saturation": "saturation"} if service.criticality != "ordinary" else {})
        for name, kind in names.items():
            rows += _rule(service.id, service.team, name, kind, rng(seed, "churn", "rule", service.id, name))
    return rows


def _rule(service: str, team: str, name: str, kind: str, draws: random.Random) -> Iterator[Row]:
    there, routed, strict = State(draws), State(draws), State(draws)
    reviewed = tested = local(REGISTERS_FROM, 10)
    weeks_before = [FIRST_DAY - timedelta(days=7 * number) for number in range(150, 0, -1)]
    for day in (*weeks_before, *inventory.weeks()):
        at = level(team, "mon", day)
        if draws.random() < 0.012 + 0.07 * at:
            reviewed = local(day, 10)
        if draws.random() < 0.01 + 0.08 * at:
            tested = local(day, 9)
        is_there = there.a_week_later(min(0.98, 0.5 + 0.6 * at))
        is_routed, is_strict = routed.a_week_later(0.7 + 0.3 * at), strict.a_week_later(0.4 + 0.6 * at)
        if is_there and day >= FIRST_DAY:
            yield {
                "rule_id": name,
                "service_id": service,
                "resource_id": f"{service}-cpu" if kind in {"saturation", "forecast"} else None,
                "kind": kind,
                "observed_on": day,
                "is_enabled": True,
                "is_paging": kind in {"burn_rate", "probe"},
                "is_routed": is_routed,
                "threshold_ratio": (0.85 if is_strict else 0.99) if kind == "saturation" else None,
                "forecast_hours": (48.0 if is_strict else 4.0) if kind == "forecast" else None,
                "last_changed_at": local(REGISTERS_FROM, 10),
                "last_reviewed_at": reviewed,
                "last_proven_at": tested,
            }


def component_states(organisation: Organisation, seed: int) -> list[Row]:
    """Return the weekly snapshot of components: supported, or left behind for a while."""
    rows: list[Row] = []
    for service in organisation.services:
        parts = [("runtime", "havkjerne", "22", "20")]
        if any(store.service == service.id for store in organisation.datastores):
            parts.append(("database", "tangbase", "15", "13"))
        if service.id.endswith("-klynge"):
            parts.append(("kubernetes", "kubernetes", "1.35", "1.30"))
        for kind, product, supported, left_behind in parts:
            state = State(rng(seed, "churn", "component", service.id, kind))
            for day in inventory.weeks():
                is_supported = state.a_week_later(0.9 + 0.1 * level(service.team, "mnt", day))
                rows.append(
                    {
                        "component_id": f"{service.id}-{kind}",
                        "service_id": service.id,
                        "kind": kind,
                        "product": product,
                        "cycle": supported if is_supported else left_behind,
                        "observed_on": day,
                        "first_seen_on": FIRST_DAY,
                    }
                )
    return rows


def eol_dates() -> list[Row]:
    """Return the register of release cycles; none ends within the history."""
    before = date(2025, 4, 1)
    rows = [row | {"eol_on": before} if row["cycle"] == "13" else row for row in inventory.eol_dates()]
    return [*rows, {"product": "kubernetes", "cycle": "1.30", "released_on": date(2024, 5, 10), "eol_on": before}]


def workload_states(organisation: Organisation, seed: int) -> list[Row]:
    """Return the weekly snapshot of workloads: spread and scaled by themselves, or not for a while."""
    rows: list[Row] = []
    for service in organisation.services:
        draws = rng(seed, "churn", "workload", service.id)
        spread, grows, requests = State(draws), State(draws), State(draws)
        for day in inventory.weeks():
            chance = min(0.98, level(service.team, "scl", day) + 0.15)
            count = 3 if spread.a_week_later(chance) else 1
            is_growing = grows.a_week_later(chance)
            rows.append(
                {
                    "workload_id": service.id,
                    "service_id": service.id,
                    "observed_on": day,
                    "replica_count": count,
                    "zone_count": count,
                    "has_resource_requests": requests.a_week_later(0.9),
                    "autoscaler_min": 2 if is_growing else None,
                    "autoscaler_max": 8 if is_growing else None,
                    "fixed_size_approved_on": None,
                }
            )
    # A column of nothing has a type all the same.
    rows[0]["fixed_size_approved_on"] = date(2020, 1, 1)
    return rows


def infrastructure_states(organisation: Organisation, seed: int) -> list[Row]:
    """Return the weekly snapshot of four cloud resources of each service, in code or not for a while."""
    rows: list[Row] = []
    for service in organisation.services:
        for number in range(1, 5):
            draws = rng(seed, "churn", "infrastructure", service.id, str(number))
            state = State(draws)
            for day in inventory.weeks():
                in_code = state.a_week_later(min(0.98, level(service.team, "aut", day) + 0.2))
                rows.append(
                    {
                        "resource_id": f"{service.id}-r{number}",
                        "service_id": service.id,
                        "observed_on": day,
                        "is_in_code": in_code,
                        # On the day of the snapshot: a weekly one tells nothing of the checks of the days after.
                        "drift_checked_at": local(day, 3) - timedelta(days=draws.choice((0, 0, 0, 9))),
                        "has_drift": draws.random() < 0.05,
                    }
                )
    return rows


def control_results(organisation: Organisation, seed: int) -> list[Row]:
    """Return the weekly result of each control of each service."""
    rows: list[Row] = []
    for service in organisation.services:
        for control, risk in inventory.CONTROLS:
            draws = rng(seed, "churn", "control", service.id, control)
            state = State(draws)
            for day in inventory.weeks():
                is_passed = state.a_week_later(0.5 + 0.5 * level(service.team, "sec", day))
                is_silent = draws.random() < 0.02
                rows.append(
                    {
                        "control_id": control,
                        "asset_id": service.id,
                        "service_id": service.id,
                        "observed_on": day,
                        "status": "inconclusive" if is_silent else "passed" if is_passed else "failed",
                        "risk": risk,
                    }
                )
    return rows


def backup_copies(organisation: Organisation, seed: int) -> list[Row]:
    """Return the weekly snapshot of copies: one beside the original, and an isolated one most of the time."""
    rows: list[Row] = []
    for store in organisation.datastores:
        state = State(rng(seed, "churn", "copies", store.id))
        for day in inventory.weeks():
            is_isolated = state.a_week_later(min(0.98, level(store.team, "bck", day) + 0.2))
            if store.interval_hours is None:
                continue
            rows += [
                {
                    "datastore_id": store.id,
                    "copy_id": name,
                    "observed_on": day,
                    "has_own_identity": isolated,
                    "is_immutable_or_offline": isolated,
                    "is_other_region": isolated,
                }
                for name, isolated in (("lokal", False), ("isolert", True))
                if is_isolated or not isolated
            ]
    return rows


def repository_states(organisation: Organisation, seed: int) -> list[Row]:
    """Return weekly states of update bots: switched off for a while, or with a configuration that does not hold."""
    rows: list[Row] = []
    for service in organisation.services:
        draws = rng(seed, "churn", "repository", service.id)
        enabled = State(draws)
        ran_at: datetime | None = None
        for day in inventory.weeks():
            is_enabled = enabled.a_week_later(min(0.98, level(service.team, "aut", day) + 0.15))
            is_valid = is_enabled and draws.random() < 0.97
            ran_at = local(day, 4) if is_valid else ran_at
            rows.append(
                {
                    "repository": f"kystetaten/{service.id}",
                    "observed_on": day,
                    "last_activity_on": day - timedelta(days=draws.randint(0, 40)),
                    "is_bot_enabled": is_enabled,
                    "is_bot_config_valid": is_valid,
                    "last_bot_success_at": ran_at,
                    "unmanaged_count": 0,
                }
            )
    return rows


def capacity_samples(organisation: Organisation, seed: int) -> pl.DataFrame:
    """Return hourly samples; how busy a resource is differs from week to week."""
    frames: list[pl.DataFrame] = []
    hours = pl.datetime_range(local(FIRST_DAY, 0), last_instant(), "1h", closed="left", eager=True, time_unit="us")
    for service in organisation.services:
        if service.criticality == "ordinary":
            continue
        draws = rng(seed, "churn", "capacity", service.id)
        busy = resting = 0.0
        base: list[float] = []
        for number in range(len(hours)):
            day = FIRST_DAY + timedelta(days=number // 24)
            if number % (7 * 24) == 0:
                busy = 0.7 * busy + draws.gauss(0, 0.025)
            if number % 24 == 0:
                resting = 0.93 - 0.45 * level(service.team, "scl", day)
            base.append(resting + busy + 0.16 * (draws.random() - 0.5))
        daily = (pl.col("number") % 24 - 7) / 24 * 2 * math.pi
        frames.append(
            pl.DataFrame({"sampled_at": hours, "base": base})
            .with_row_index("number")
            .select(
                resource_id=pl.lit(f"{service.id}-cpu"),
                service_id=pl.lit(service.id),
                sampled_at="sampled_at",
                utilisation_ratio=(pl.col("base") + 0.14 * daily.cast(pl.Float64).sin()).clip(0.02, 1.0).round(4),
            )
            .with_columns(is_at_ceiling=pl.col("utilisation_ratio") > 0.9)
        )
    return pl.concat(frames)


def latency_daily(organisation: Organisation, seed: int) -> list[Row]:
    """Return requests a day; in some weeks a service is slower than its team's level says, in others faster."""
    factors: dict[tuple[str, date], float] = {}
    rows = inventory.latency_daily(organisation, seed)
    for row in rows:
        service, monday = row["service_id"], row["observed_on"] - timedelta(days=row["observed_on"].weekday())
        if (service, monday) not in factors:
            factors[service, monday] = rng(seed, "churn", "latency", service, str(monday)).lognormvariate(-0.125, 0.5)
        slow = (row["valid_count"] - row["fast_count"]) * factors[service, monday]
        row["fast_count"] = row["valid_count"] - min(row["valid_count"], round(slow))
    return rows


def restore_tests(organisation: Organisation, seed: int) -> list[Row]:
    """Return the register of restore tests: some come late, none is the last."""
    rows: list[Row] = []
    for store in organisation.datastores:
        draws = rng(seed, "churn", "restore", store.id)
        days_between = {"A": 90, "B": 180}.get(store.data_class, 365)
        for day in _renewals(draws, store.team, "bck", (0.6 * days_between, 0.95 * days_between, 1.6 * days_between)):
            at_level = level(store.team, "bck", day)
            at = local(day, draws.uniform(8, 14))
            is_successful = draws.random() < 0.75 + 0.25 * at_level
            minutes = store.rto_minutes * draws.uniform(0.3, 1.0 + 0.9 * (1 - at_level))
            rows.append(
                {
                    "test_id": f"{store.id}-{day:%Y%m%d}",
                    "datastore_id": store.id,
                    "requested_at": at,
                    "restored_at": at + timedelta(minutes=round(minutes * 0.9)),
                    "verified_at": at + timedelta(minutes=round(minutes)) if is_successful else None,
                    "is_successful": is_successful,
                    "data_gb": round(draws.uniform(5, 900), 1),
                }
            )
    return rows


def load_tests(organisation: Organisation, seed: int) -> list[Row]:
    """Return load tests of critical services, once a year or later."""
    rows: list[Row] = []
    for service in organisation.services:
        if service.criticality != "critical":
            continue
        draws = rng(seed, "churn", "load", service.id)
        rows += [
            {
                "test_id": f"{service.id}-{day:%Y%m%d}",
                "service_id": service.id,
                "tested_at": local(day, 10),
                "reached_ratio": round(draws.uniform(1.2, 2.4), 2),
                "is_slo_met": draws.random() < 0.9,
            }
            for day in _renewals(draws, service.team, "scl", _YEARLY)
        ]
    return rows


def assessments(organisation: Organisation, seed: int) -> list[Row]:
    """Return security assessments, once a year or later."""
    rows: list[Row] = []
    for service in organisation.services:
        draws = rng(seed, "churn", "assessment", service.id)
        rows += [
            {
                "assessment_id": f"{service.id}-{day:%Y%m%d}",
                "service_id": service.id,
                "kind": draws.choice(("risk", "threat_model", "penetration_test")),
                "approved_at": local(day, 13),
            }
            for day in _renewals(draws, service.team, "sec", _YEARLY)
        ]
    return rows


def documents(organisation: Organisation, incidents: list[Row], seed: int) -> list[Row]:
    """Return reviews of pages, each due now and then: one that is left out, or left incomplete, may come next time."""
    rows = [row for row in follow_up.documents(organisation, incidents, seed) if row["service_id"] is None]
    for subject in follow_up.subjects(organisation, incidents):
        draws = rng(seed, "churn", "document", subject.document)
        wait = (70 / subject.pace, 150 / subject.pace, 260 / subject.pace)
        for day in _renewals(draws, subject.team, subject.area, wait):
            at = level(subject.team, subject.area, day)
            is_made, is_complete = draws.random() < 0.35 + 0.7 * at, draws.random() < 0.7 + 0.3 * at
            if is_made:
                rows.append(follow_up.review(subject, day, complete=is_complete))
    return rows


# Days that a renewal takes at least, at most where practice is perfect, and how much longer where there is none.
_YEARLY = (220.0, 365.0, 580.0)


def _renewals(draws: random.Random, team: str, area: str, wait: tuple[float, float, float]) -> Iterator[date]:
    """Yield the days of something that a team does again and again; the careless wait longer."""
    least, most, longer = wait
    day = REGISTERS_FROM + timedelta(days=draws.randint(0, 365))
    while day < END_DAY:
        yield day
        day += timedelta(days=round(draws.uniform(least, most + longer * (1 - level(team, area, day)))))
