"""A whole organisation: what its configuration says, held together, and which source is to deliver what and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

from opsmetrics.organisation.connectors.base import Connector
from opsmetrics.organisation.file_sources import Sources, StreamSource
from opsmetrics.organisation.models import (
    Applicability,
    Datastore,
    Effort,
    Goal,
    MaintenanceWindow,
    OrganisationSettings,
    Roster,
    Service,
    Slo,
    Team,
    Waiver,
)
from opsmetrics.organisation.queries import QuerySource
from opsmetrics.organisation.working_time import TeamHours, WorkCalendar, WorkingHours


@dataclass(frozen=True, slots=True)
class Delivery:
    """One source of one stream.

    Attributes:
        stream: Stream.
        source: The files or the connector that deliver it.
        due_from: First day it is to deliver.
        due_to: Day from which it no longer is (exclusive), or None.
        remembers_days: How long the source itself remembers, None for years.
        accumulates: All loads of this register count, not only the newest.
        chunk_days: Days asked for at once.
        repull_days: Days for which a day is asked for again; None for those of the stream.
    """

    stream: str
    source: StreamSource | Connector
    due_from: date
    due_to: date | None
    remembers_days: int | None
    accumulates: bool = False
    chunk_days: int = 1
    repull_days: int | None = None

    @property
    def origin(self) -> str:
        """Name of the source."""
        return self.source.origin


@dataclass(frozen=True)
class Organisation:
    """One validated organisation. Built only by :func:`opsmetrics.organisation.load_organisation`.

    ``register_lines`` is register -> line of each of its rows, in their order.
    """

    folder: Path
    settings: OrganisationSettings
    teams: tuple[Team, ...]
    services: tuple[Service, ...]
    slos: tuple[Slo, ...]
    datastores: tuple[Datastore, ...]
    waivers: tuple[Waiver, ...]
    applicability: tuple[Applicability, ...]
    maintenance_windows: tuple[MaintenanceWindow, ...]
    rosters: tuple[Roster, ...]
    efforts: tuple[Effort, ...]
    goals: tuple[Goal, ...]
    sources: Sources
    digest: str
    queries: tuple[QuerySource, ...] = ()
    register_lines: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def zone(self) -> ZoneInfo:
        """The zone whose midnights cut days."""
        return ZoneInfo(self.settings.timezone)

    def work_calendar(self, team: Team | None, years: range) -> WorkCalendar:
        """Return when people work: in the organisation, or in a team that differs from it.

        Args:
            team: A team, or None for the organisation.
            years: Years that are asked for.
        """
        settings, own = self.settings, (team.working_hours if team else None) or TeamHours()
        usual = settings.working_hours
        hours = WorkingHours(
            start=own.start or usual.start, end=own.end or usual.end, days=list(own.days or usual.days)
        )
        holidays = settings.holidays if own.holidays is None else own.holidays
        closed = settings.closed_days if own.closed_days is None else own.closed_days
        return WorkCalendar(hours, ZoneInfo(own.timezone or settings.timezone), holidays, closed, years)

    def midnight(self, day: date) -> datetime:
        """Return the instant at which a local day begins, UTC."""
        return datetime.combine(day, time(), self.zone).astimezone(UTC)

    def last_second(self, day: date) -> datetime:
        """Return the last second of a local day, UTC: what is due on it is in time on all of it."""
        return self.midnight(day + timedelta(days=1)) - timedelta(seconds=1)

    @cached_property
    def deliveries(self) -> tuple[Delivery, ...]:
        """Every source of every configured stream."""
        start = self.settings.history_from
        written = (*self.sources.stream, *self.queries)
        found = [Delivery(source.name, source, start, source.valid_to, None) for source in written]
        for connector in self.sources.connector:
            found += [
                Delivery(
                    stream,
                    connector,
                    connector.valid_from or start,
                    connector.valid_to,
                    connector.remembers(stream),
                    accumulates=connector.feeds[stream].accumulates,
                    chunk_days=connector.feeds[stream].chunk_days,
                    repull_days=connector.feeds[stream].repull_days,
                )
                for stream in connector.streams
            ]
        return tuple(sorted(found, key=lambda delivery: (delivery.stream, delivery.origin)))

    @property
    def streams(self) -> tuple[str, ...]:
        """Names of the configured streams."""
        return tuple(dict.fromkeys(delivery.stream for delivery in self.deliveries))

    def deliveries_of(self, stream: str) -> tuple[Delivery, ...]:
        """Return the sources of one stream."""
        return tuple(delivery for delivery in self.deliveries if delivery.stream == stream)
