"""An estate of any size, landed as the schedules would have landed it: for speed, never for its numbers.

Teams own four services each; every service has a probe with hourly bins, pages, incidents and deployments. One load a
month and stream, the last days one load each, so that days can be added one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from opsmetrics.landing import Batch, land
from opsmetrics.streams import STREAMS, Column

FED = ("availability_checks", "alerts", "incidents", "deployments")
SERVICES_PER_TEAM = 4
ZONE = "Europe/Oslo"
_POLARS = {
    "text": pl.String,
    "integer": pl.Int64,
    "number": pl.Float64,
    "boolean": pl.Boolean,
    "timestamp": pl.Datetime("us", "UTC"),
    "date": pl.Date,
}
_MINUTE, _HOUR = 60_000_000, 3_600_000_000
Window = tuple[date, date]


@dataclass(frozen=True, slots=True)
class Estate:
    """How large.

    Attributes:
        teams: Teams; services are four times as many.
        first: First day of history.
        days: Days of history.
        checks: Probe results of a service and day.
        pages: Pages of a service and day, on average.
        incidents: Incidents of a service and day, on average.
    """

    teams: int = 500
    first: date = date(2023, 11, 1)
    days: int = 1096
    checks: int = 24
    pages: float = 2.3
    incidents: float = 0.091

    @property
    def services(self) -> int:
        """Number of services."""
        return self.teams * SERVICES_PER_TEAM

    @property
    def end(self) -> date:
        """Day after the last."""
        return self.first + timedelta(days=self.days)

    def now(self, more: int = 0) -> datetime:
        """Return five in the morning after the last day, or ``more`` days later."""
        day = self.end + timedelta(days=more)
        return datetime.combine(day, time(5), ZoneInfo(ZONE)).astimezone(UTC)

    def windows(self) -> Iterator[Window]:
        """Yield months, and each day of the last month alone."""
        start = self.first
        while start < self.end:
            following = (start.replace(day=1) + timedelta(days=32)).replace(day=1)
            if following >= self.end - timedelta(days=1):
                for number in range((self.end - start).days):
                    yield start + timedelta(days=number), start + timedelta(days=number + 1)
                return
            yield start, following
            start = following


def write_organisation(estate: Estate, org: Path) -> None:
    """Write the configuration."""
    org.mkdir(parents=True)
    (org / "data").mkdir()
    (org / "organisation.toml").write_text(
        f'id = "estate"\nname = {{ nb = "Stor", en = "Large" }}\nfictional = true\nhistory_from = {estate.first}\n'
        '[environments]\nprod = ["production"]\n'
    )
    teams = (
        f'[[team]]\nid = "t{n:04d}"\nname = {{ nb = "Lag {n}", en = "Team {n}" }}\n'
        f'type = "{"platform" if n % 7 == 0 else "product"}"\nonboarded_on = {estate.first}\n'
        for n in range(estate.teams)
    )
    (org / "teams.toml").write_text("\n".join(teams))
    services = (
        f'[[service]]\nid = "s{n:05d}"\nname = {{ nb = "Tjeneste {n}", en = "Service {n}" }}\n'
        f'criticality = "{"critical" if n % 4 == 0 else "important"}"\n'
        f'owners = [{{ team = "t{n // SERVICES_PER_TEAM:04d}", from = {estate.first} }}]\n'
        f'monitors = [{{ id = "probe-s{n:05d}", hold_minutes = 60 }}]\n'
        for n in range(estate.services)
    )
    (org / "services.toml").write_text("\n".join(services))
    slos = (
        f'[[slo]]\nservice = "s{n:05d}"\ntarget = 0.995\nfrom = {estate.first}\n' for n in range(0, estate.services, 2)
    )
    (org / "slo.toml").write_text("\n".join(slos))
    text = "\n".join(f'[[stream]]\nname = "{name}"\npath = "{name}/{{date}}.parquet"\n' for name in FED)
    (org / "sources.toml").write_text(f'root = "data"\n{text}')


def land_estate(estate: Estate, landing: Path, windows: Iterator[Window] | None = None) -> int:
    """Land every stream for the windows, default all of history; return the rows."""
    rows = 0
    for number, window in enumerate(windows or estate.windows()):
        loaded_at = datetime.combine(window[1], time(4, 30), ZoneInfo(ZONE)).astimezone(UTC)
        for name, frame in day_frames(estate, window).items():
            batch = Batch(frame, window, "estate", f"{name}-{window[0]}-{number}")
            land(landing, name, batch, loaded_at=loaded_at)
            rows += frame.height
    return rows


def day_frames(estate: Estate, window: Window) -> dict[str, pl.DataFrame]:
    """Return the rows of all streams of some days; the same for the same days, whichever window asks."""
    parts = [_day(estate, window[0] + timedelta(days=n)) for n in range((window[1] - window[0]).days)]
    return {name: pl.concat([part[name] for part in parts], rechunk=True) for name in parts[0]}


def _day(estate: Estate, day: date) -> dict[str, pl.DataFrame]:
    rng = np.random.default_rng(day.toordinal())
    start, end = (
        int(datetime.combine(at, time(), ZoneInfo(ZONE)).timestamp() * 1_000_000)
        for at in (day, day + timedelta(days=1))
    )
    services = np.arange(estate.services)
    checks = np.arange(estate.checks)
    # A service is down for some hours of some days, not for single probes here and there.
    down_from = np.where(rng.random(estate.services) < 0.03, rng.integers(0, estate.checks, estate.services), 99_999)
    lasts = rng.integers(1, 5, estate.services)
    step = (end - start) // estate.checks
    at, who = np.repeat(checks, estate.services), np.tile(services, estate.checks)
    is_down = (at >= down_from[who]) & (at < (down_from + lasts)[who])
    found = {
        "availability_checks": _frame(
            "availability_checks",
            day,
            monitor_id=_ids("probe-s", who),
            checked_at=start + at * step,
            status=np.where(is_down, "down", "up"),
            http_status=np.where(is_down, 503, 200),
            response_ms=rng.integers(20, 900, who.size).astype(float),
        )
    }
    count = rng.poisson(estate.pages * estate.services)
    who, fired = rng.integers(0, estate.services, count), start + rng.integers(0, 23 * _HOUR, count)
    found["alerts"] = _frame(
        "alerts",
        day,
        alert_id=_numbered("a", day, count),
        service_id=_ids("s", who),
        rule_id=_ids("rule-", rng.integers(0, 20, count)),
        severity=rng.integers(1, 4, count),
        fired_at=fired,
        acknowledged_at=fired + rng.integers(1, 30, count) * _MINUTE,
        acknowledged_by_kind=np.full(count, "human"),
        closed_at=fired + rng.integers(5, 50, count) * _MINUTE,
        label=np.where(rng.random(count) < 0.8, "actionable", "noise"),
        is_test=np.zeros(count, bool),
    )
    count = rng.poisson(estate.incidents * estate.services)
    who, declared = rng.integers(0, estate.services, count), start + rng.integers(0, 20 * _HOUR, count)
    found["incidents"] = _frame(
        "incidents",
        day,
        incident_id=_numbered("i", day, count),
        service_id=_ids("s", who),
        severity=rng.integers(1, 5, count),
        declared_at=declared,
        resolved_at=declared + rng.integers(10, 240, count) * _MINUTE,
        manager_assigned_at=declared + rng.integers(1, 40, count) * _MINUTE,
    )
    count = rng.poisson(0.5 * estate.services)
    who, deployed = rng.integers(0, estate.services, count), start + rng.integers(6 * _HOUR, 18 * _HOUR, count)
    found["deployments"] = _frame(
        "deployments",
        day,
        deployment_id=_numbered("d", day, count),
        service_id=_ids("s", who),
        environment=np.full(count, "production"),
        deployed_at=deployed,
        actor_kind=np.full(count, "pipeline"),
        has_manual_step=rng.random(count) < 0.1,
    )
    return found


def _ids(prefix: str, numbers: np.ndarray) -> pl.Series:
    width = 2 if prefix == "rule-" else 5
    return pl.select(pl.lit(prefix) + pl.Series(numbers).cast(pl.String).str.zfill(width)).to_series()


def _numbered(prefix: str, day: date, count: int) -> pl.Series:
    return pl.select(pl.lit(f"{prefix}-{day:%Y%m%d}-") + pl.int_range(count).cast(pl.String)).to_series()


def _frame(stream: str, day: date, **values: np.ndarray | pl.Series) -> pl.DataFrame:
    """Return rows of a contract: the columns given, the others null, and what landing adds."""

    def column(found: Column) -> pl.Expr:
        kind = _POLARS[found.type]
        if found.name not in values:
            return pl.lit(None, kind).alias(found.name)
        return pl.col(found.name).cast(kind)

    return pl.DataFrame(values).select(
        *(column(found) for found in STREAMS[stream].columns),
        pl.lit(day).alias("_day"),
        pl.int_range(pl.len(), dtype=pl.Int64).alias("_line"),
        pl.lit(None, pl.String).alias("_reason"),
        pl.lit(None, pl.String).alias("_raw"),
    )
