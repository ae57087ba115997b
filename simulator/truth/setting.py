"""The organisation at one instant: who owns what, which days are working days, which windows are open."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from simulator.world import ZONE

Row = dict[str, Any]
WEIGHTS = {"critical": 3.0, "important": 2.0, "ordinary": 1.0}
FOREVER = date(2200, 1, 1)
UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Value:
    """What a metric must be for a team.

    Attributes:
        numerator: Or the sum over entities.
        denominator: Or the sum over entities.
        size: Items behind it.
        completeness: Share of the window that is known.
        value: Where it is not numerator / denominator.
        entities: (weight, value or None, completeness) of metrics that are scored per entity.
        error: Standard error of the value, where the method asks for one.
    """

    numerator: float
    denominator: float
    size: int
    completeness: float = 1.0
    value: float | None = None
    entities: tuple[tuple[float, float | None, float], ...] = ()
    error: float | None = None


def midnight(day: date) -> datetime:
    """Return the UTC instant at which a local day begins."""
    return datetime.combine(day, time(), ZONE).astimezone(UTC)


def easter(year: int) -> date:
    """Return Easter Sunday (Gauss)."""
    a, b, c = year % 19, year % 4, year % 7
    k = year // 100
    m = (15 + k - (13 + 8 * k) // 25 - k // 4) % 30
    n = (4 + k - k // 4) % 7
    d = (19 * a + m) % 30
    e = (2 * b + 4 * c + 6 * d + n) % 7
    if d == 29 and e == 6:
        return date(year, 4, 19)
    if d == 28 and e == 6 and (11 * m + 11) % 30 < 19:
        return date(year, 4, 18)
    return date(year, 3, 22) + timedelta(days=d + e)


def is_working_day(day: date) -> bool:
    """Return whether people work in Norway on a day; 24 and 31 December are closed."""
    moved = {easter(day.year) + timedelta(days=offset) for offset in (-3, -2, 0, 1, 39, 49, 50)}
    fixed = {(1, 1), (5, 1), (5, 17), (12, 25), (12, 26), (12, 24), (12, 31)}
    return day.weekday() < 5 and day not in moved and (day.month, day.day) not in fixed


def _time(said: time | str) -> time:
    return said if isinstance(said, time) else time.fromisoformat(said)


def working_deadline(instant: datetime, days: int, end: time) -> datetime:
    """Return the end of work on the ``days``-th working day after the day of an instant."""
    day = instant.astimezone(ZONE).date()
    while days:
        day += timedelta(days=1)
        days -= is_working_day(day)
    return datetime.combine(day, end, ZONE).astimezone(UTC)


@dataclass
class Setting:
    """Records and configuration, seen from the end of one local day.

    Attributes:
        folder: The organisation's configuration.
        records: Rows per stream.
        on: Last local day.
    """

    folder: Path
    records: dict[str, Any]
    on: date
    tables: dict[str, Any] = field(default_factory=dict)

    def table(self, name: str) -> list[Row]:
        """Rows of a configuration file, such as services.toml or registers/waivers.csv."""
        if name not in self.tables:
            path = self.folder / name
            if not path.exists():
                self.tables[name] = []
            elif path.suffix == ".csv":
                with path.open(encoding="utf-8") as text:
                    self.tables[name] = list(csv.DictReader(text))
            else:
                (self.tables[name],) = tomllib.loads(path.read_text(encoding="utf-8")).values()
        return self.tables[name]

    @property
    def as_of(self) -> datetime:
        """End of the day, UTC."""
        return midnight(self.on + timedelta(days=1))

    def start(self, days: int) -> datetime:
        """Start of a window of local days that ends now."""
        return midnight(self.on + timedelta(days=1 - days))

    def within(self, instant: datetime | None, days: int) -> bool:
        """Whether an instant lies in the window."""
        return instant is not None and self.start(days) <= instant < self.as_of

    @cached_property
    def teams(self) -> dict[str, Row]:
        """Team -> its row."""
        return {row["id"]: row for row in self.table("teams.toml")}

    @cached_property
    def services(self) -> dict[str, Row]:
        """Service -> its row."""
        return {row["id"]: row for row in self.table("services.toml")}

    def owner(self, service: str, instant: datetime, *, at_end: bool = False) -> str | None:
        """Owner of a service at an instant; ``at_end`` asks who owned it just before."""
        for owner in self.services[service]["owners"]:
            start, end = midnight(owner["from"]), midnight(owner.get("to", FOREVER))
            if (start < instant <= end) if at_end else (start <= instant < end):
                return owner["team"]
        return None

    def holdings(self, service: str, days: int) -> list[tuple[str, datetime, datetime]]:
        """Who owned a service in a window of local days that ends now: team, from, to."""
        found: list[tuple[str, datetime, datetime]] = []
        for owner in self.services[service]["owners"]:
            start = max(self.start(days), midnight(owner["from"]))
            end = min(self.as_of, midnight(owner.get("to", FOREVER)))
            if start < end:
                found.append((owner["team"], start, end))
        return found

    @cached_property
    def owned(self) -> dict[str, list[str]]:
        """Team -> services it owns at the end of the day."""
        found: dict[str, list[str]] = {}
        for service in self.services:
            team = self.owner(service, self.as_of, at_end=True)
            if team:
                found.setdefault(team, []).append(service)
        return found

    @cached_property
    def owner_now(self) -> dict[str, str]:
        """Service -> team at the end of the day."""
        return {service: team for team, services in self.owned.items() for service in services}

    def weight(self, service: str) -> float:
        """Criticality weight of a service."""
        return WEIGHTS[self.services[service]["criticality"]]

    @cached_property
    def stores(self) -> dict[str, list[Row]]:
        """Team -> datastores it answers for."""
        found: dict[str, list[Row]] = {}
        for store in self.table("datastores.toml"):
            found.setdefault(self.owner_now[store["service"]], []).append(store)
        return found

    def duty(self, team: str, instant: datetime) -> str:
        """Duty that a team has at an instant."""
        for row in self.table("registers/rosters.csv"):
            start = midnight(date.fromisoformat(row["valid_from"]))
            end = midnight(date.fromisoformat(row["valid_to"]) if row["valid_to"] else FOREVER)
            if row["team_id"] == team and start <= instant < end:
                return row["coverage"]
        return self.teams[team].get("oncall", "working_hours")

    def on_duty(self, team: str, instant: datetime) -> bool:
        """Whether an instant lies in a team's required duty."""
        duty = self.duty(team, midnight(instant.astimezone(ZONE).date()))
        if duty == "always":
            return True
        local = instant.astimezone(ZONE)
        start, end = self.hours(team)
        return duty == "working_hours" and is_working_day(local.date()) and start <= local.time() < end

    def hours(self, team: str) -> tuple[time, time]:
        """When a team works: its own hours, the organisation's where it names none, 08 to 16 where neither does."""
        own, usual = self.teams[team].get("working_hours", {}), self.settings.get("working_hours", {})
        start, end = (own.get(key, usual.get(key, default)) for key, default in (("start", time(8)), ("end", time(16))))
        return _time(start), _time(end)

    @cached_property
    def settings(self) -> Row:
        """What organisation.toml says."""
        return tomllib.loads((self.folder / "organisation.toml").read_text(encoding="utf-8"))

    def newest(self, stream: str, *identity: str) -> list[Row]:
        """Newest state of each thing, at most 13 days old."""
        found: dict[tuple[Any, ...], Row] = {}
        for row in self.records[stream]:
            if self.on - timedelta(days=14) < row["observed_on"] <= self.on:
                key = tuple(row[name] for name in identity)
                if key not in found or found[key]["observed_on"] < row["observed_on"]:
                    found[key] = row
        return list(found.values())


def shares(items: Sequence[tuple[str, float | None, float]]) -> dict[str, Value]:
    """Sum (team, numerator, denominator) items per team; None is not known and counts in completeness alone."""
    found: dict[str, list[float]] = {}
    for team, numerator, denominator in items:
        sums = found.setdefault(team, [0.0, 0.0, 0.0, 0.0])
        sums[3] += denominator
        if numerator is not None:
            sums[0] += numerator
            sums[1] += denominator
            sums[2] += 1
    return {
        team: Value(top, bottom, int(count), bottom / whole if whole else 1.0)
        for team, (top, bottom, count, whole) in found.items()
    }
