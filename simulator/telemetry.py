"""Availability checks and capacity samples: the bulky records, made column-wise."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from simulator.organisation import Organisation, Service
from simulator.plants import plant_outages
from simulator.world import CHARACTERS, FIRST_DAY, last_instant, local, rng

PROBE_MINUTES = 15
INSTANT = pl.Datetime("us", "UTC")
Outage = tuple[datetime, datetime]


def plan_outages(organisation: Organisation, seed: int) -> dict[str, list[Outage]]:
    """Roll each service's outages: start and end, on the probe grid."""
    plan: dict[str, list[Outage]] = {}
    start = local(FIRST_DAY, 0)
    span = int((last_instant() - start).total_seconds() // 60 // PROBE_MINUTES)
    for service in organisation.services:
        draws = rng(seed, "outages", service.id)
        level = CHARACTERS[service.team].level("inc", last_instant())
        found: list[Outage] = []
        for _ in range(draws.randint(2, 5 + round(60 * (1 - level)))):
            begin = start + timedelta(minutes=PROBE_MINUTES * draws.randrange(span))
            length = PROBE_MINUTES * max(1, round(draws.lognormvariate(0.2, 0.8)))
            found.append((begin, begin + timedelta(minutes=length)))
        plan[service.id] = sorted(found)
    plant_outages(plan, {service.id: service.team for service in organisation.services})
    return plan


def availability_checks(organisation: Organisation, outages: dict[str, list[Outage]], seed: int) -> pl.DataFrame:
    """Return one row per probe; about one in two hundred never ran (unknown time, not downtime)."""
    return pl.concat([_checks(service, outages[service.id], seed) for service in organisation.services])


def _raw(seed: int, *names: str) -> np.random.PCG64:
    text = "|".join((str(seed), *names))
    return np.random.PCG64(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big"))


def _uniform(bits: np.random.PCG64, count: int) -> npt.NDArray[np.float64]:
    """Return reproducible uniforms in 0..1 (method 3.10: numpy promises only its raw bits)."""
    return np.asarray(bits.random_raw(count) >> np.uint64(11), dtype=np.float64) * 2.0**-53


def _checks(service: Service, outages: list[Outage], seed: int) -> pl.DataFrame:
    start = local(FIRST_DAY, 0)
    count = int((last_instant() - start).total_seconds() // 60 // PROBE_MINUTES)
    origin = np.datetime64(start.replace(tzinfo=None), "us")
    at = origin + np.arange(count) * np.timedelta64(PROBE_MINUTES * 60_000_000, "us")
    down = np.zeros(count, dtype=bool)
    for begin, end in outages:
        first = int((begin - start).total_seconds() // 60 // PROBE_MINUTES)
        last = int((end - start).total_seconds() // 60 // PROBE_MINUTES)
        down[first:last] = True
    draws = _uniform(_raw(seed, "probes", service.id), count)
    ran = (draws >= 0.005) | down
    milliseconds = np.where(down, 0, np.round(40 + 260 * draws**4))
    return pl.DataFrame(
        {
            "provider": pl.repeat("probe", count, eager=True),
            "monitor_id": pl.repeat(f"probe-{service.id}", count, eager=True),
            "checked_at": pl.Series(at).dt.replace_time_zone("UTC"),
            "status": pl.Series(np.where(down, "down", "up")),
            "http_status": pl.Series(np.where(down, 503, 200)),
            "response_ms": pl.Series(milliseconds),
        }
    ).filter(pl.Series(ran))


def capacity_samples(organisation: Organisation, seed: int) -> pl.DataFrame:
    """Return hourly samples of one resource for each service that is not ordinary."""
    wanted = [service for service in organisation.services if service.criticality != "ordinary"]
    return pl.concat([_samples(service, seed) for service in wanted])


def _samples(service: Service, seed: int) -> pl.DataFrame:
    start = local(FIRST_DAY, 0)
    count = int((last_instant() - start).total_seconds() // 3600)
    hours = np.arange(count)
    character = CHARACTERS[service.team]
    base = 0.93 - 0.45 * character.level("scl", start)
    growth = (character.level("scl", start) - character.level("scl", last_instant())) * 0.4
    draws = _uniform(_raw(seed, "capacity", service.id), count)
    daily = 0.14 * np.sin((hours % 24 - 7) / 24 * 2 * np.pi)
    usage = np.clip(base + growth * hours / count + daily + 0.16 * (draws - 0.5), 0.02, 1.0)
    origin = np.datetime64(start.replace(tzinfo=None), "us")
    at = origin + hours * np.timedelta64(3_600_000_000, "us")
    return pl.DataFrame(
        {
            "resource_id": pl.repeat(f"{service.id}-cpu", count, eager=True),
            "service_id": pl.repeat(service.id, count, eager=True),
            "sampled_at": pl.Series(at).dt.replace_time_zone("UTC"),
            "utilisation_ratio": pl.Series(np.round(usage, 4)),
            "is_at_ceiling": pl.Series(usage > 0.9),
        }
    )
