"""What the configuration may say, as validated models. Every unknown key is an error."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from opsmetrics.organisation.base import Model, Slug
from opsmetrics.organisation.connectors import AnyConnector, Connector
from opsmetrics.streams import FILES

Reason = Annotated[str, StringConstraints(min_length=10, max_length=500, strip_whitespace=True)]


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no time zone name, such as Europe/Oslo") from error
    return name


def _with_offset(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError("the instant has no offset from UTC; write 2026-11-23T06:00:00Z or +01:00")
    return instant.astimezone(UTC)


Instant = Annotated[datetime, AfterValidator(_with_offset)]


class Text(Model):
    """A text in both languages of the scorecard."""

    nb: str = Field(min_length=1)
    en: str = Field(min_length=1)


class _Dated(Model):
    """Something valid in the half-open range [valid_from, valid_to)."""

    valid_from: date = Field(alias="from")
    valid_to: date | None = Field(default=None, alias="to")

    @model_validator(mode="after")
    def _ends_after_start(self) -> _Dated:
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            raise ValueError("'to' must be later than 'from' (the range is half-open)")
        return self


class OrganisationSettings(Model):
    """``organisation.toml``: name, zone, calendar, clock."""

    id: Slug
    name: Text
    timezone: Annotated[str, AfterValidator(_zone)] = "Europe/Oslo"
    holidays: str | None = "NO"
    closed_days: list[Annotated[str, StringConstraints(pattern=r"^\d\d-\d\d$")]] = ["12-24", "12-31"]
    fictional: bool = False
    history_from: date
    now: Instant | None = None
    environments: dict[Slug, list[str]] = {"prod": []}


class Team(Model):
    """``[[team]]``: who answers for services. ``oncall`` is the duty the handbook asks of the team."""

    id: Slug
    name: Text
    type: Literal["product", "platform"]
    onboarded_on: date
    oncall: Literal["working_hours", "always", "none"] = "working_hours"


class Owner(_Dated):
    """One period of ownership (D7)."""

    team: Slug


class Monitor(Model):
    """An availability probe.

    ``hold_minutes`` says how long a check result stands; without it a state holds until the next row,
    which suits sources that record changes only.
    """

    id: str = Field(min_length=1)
    hold_minutes: float | None = Field(default=None, gt=0)


class Service(Model):
    """``[[service]]``: one production service with its dated owners and its names in the sources."""

    id: Slug
    name: Text
    criticality: Literal["critical", "important", "ordinary"]
    owners: list[Owner] = Field(min_length=1)
    aliases: list[str] = []
    repositories: list[str] = []
    monitors: list[Monitor] = []
    last_major_change_on: date | None = None


class Slo(_Dated):
    """``[[slo]]``: the promise. Changes are new dated rows, so softening one is visible."""

    service: Slug
    kind: Literal["availability", "latency"] = "availability"
    target: float = Field(gt=0, lt=1)


class Datastore(Model):
    """``[[datastore]]``: what must be restorable. Class A to D as the method's section 2.2 (backup) says."""

    id: Slug
    service: Slug
    data_class: Literal["A", "B", "C", "D"] | None = Field(default=None, alias="class")
    rpo_hours: float | None = Field(default=None, gt=0)
    rto_minutes: float | None = Field(default=None, gt=0)
    backup_interval_hours: float | None = Field(default=None, gt=0)
    restore_plan: bool = False
    rebuild_rationale: Reason | None = None


class Waiver(Model):
    """A time-limited exception (method 3.7): reason, compensation, approver outside the team, at most 180 days."""

    waiver_id: Slug
    team_id: Slug
    metric_id: Slug
    reason: Reason
    compensating_measure: Reason
    approver: Slug
    valid_from: date
    valid_to: date

    @model_validator(mode="after")
    def _bounded(self) -> Waiver:
        days = (self.valid_to - self.valid_from).days
        if not 0 < days <= 180:
            raise ValueError(f"a waiver lasts 1 to 180 days, this one {days}")
        if self.approver == self.team_id:
            raise ValueError("the approver must stand outside the team")
        return self


class Applicability(Model):
    """A metric that does not apply to a team, reviewed yearly (method 3.7)."""

    team_id: Slug
    metric_id: Slug
    reason: Reason
    approver: Slug
    valid_from: date
    valid_to: date

    @model_validator(mode="after")
    def _bounded(self) -> Applicability:
        days = (self.valid_to - self.valid_from).days
        if not 0 < days <= 366:
            raise ValueError(f"an applicability row lasts 1 to 366 days, this one {days}")
        return self


class MaintenanceWindow(Model):
    """A registered maintenance window. Eligibility (48 h ahead, 8 h a month) is judged in SQL, not here."""

    window_id: Slug
    service_id: Slug
    reason: Reason
    approver: Slug
    starts_at: Instant
    ends_at: Instant
    registered_at: Instant

    @model_validator(mode="after")
    def _ends_after_start(self) -> MaintenanceWindow:
        if self.ends_at <= self.starts_at:
            raise ValueError("ends_at must be later than starts_at")
        return self


class Roster(Model):
    """A dated change of a team's on-call duty; outside such rows the team's own ``oncall`` holds."""

    team_id: Slug
    coverage: Literal["working_hours", "always", "none"]
    valid_from: date
    valid_to: date | None = None


class Effort(Model):
    """What a team expects the remedy of one metric to cost, in half team-days; without it the catalogue's default."""

    team_id: Slug
    metric_id: Slug
    effort_days: float = Field(gt=0, le=400, multiple_of=0.5)


class Goal(Model):
    """A decision to close a gap: who, and by when. Roles, never names; the remedy is the metric's own.

    Attributes:
        team_id: Team that closes it.
        metric_id: Metric whose gap it is.
        owner_role: Who answers for it.
        decided_on: Day of the meeting.
        due_on: Day by which the gap is to be closed.
        status: Only ``planned`` and ``in_progress`` are open, one a team and metric at a time.
        acted_on: Day from which the action works; what the metric did before and after is held against it.
        expected_points: Points of the team score that it is to bring; default: what the gap was worth that day.
        campaign: Goals of one campaign share its name.
    """

    team_id: Slug
    metric_id: Slug
    owner_role: Literal["team_lead", "tech_lead", "ops_lead", "product_owner", "security_lead"]
    decided_on: date
    due_on: date
    status: Literal["planned", "in_progress", "done", "dropped"]
    acted_on: date | None = None
    expected_points: Annotated[float, Field(gt=0, le=100)] | None = None
    campaign: Slug | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is still to be closed."""
        return self.status in {"planned", "in_progress"}


class StreamSource(Model):
    """``[[stream]]`` of sources.toml: where the rows of one stream come from.

    Attributes:
        path: File below the root; ``{date}`` stands for an ISO day and makes it one file a day.
        columns: Contract column -> column in the file, where the names differ.
        naive_time: Zone of timestamps written without offset; without it such rows are quarantined.
        covers: Days for which one whole file is complete, first and last day; default: days of its rows.
        teams: Teams that deliver to this stream; ``*`` for all.
        connected_on: First day that the teams are connected (default: the day each team was onboarded).
        valid_to: Day from which another source delivers instead.
    """

    name: Slug
    path: str = Field(min_length=1)
    columns: dict[str, str] = {}
    naive_time: Annotated[str, AfterValidator(_zone)] | None = None
    covers: tuple[date, date] | None = None
    teams: list[str] = ["*"]
    connected_on: date | None = None
    valid_to: date | None = Field(default=None, alias="until")

    @property
    def origin(self) -> str:
        """Name under which loads from files are told apart from those of connectors."""
        return FILES

    @property
    def is_daily(self) -> bool:
        """Whether it is one file a day."""
        return "{date}" in self.path


class Sources(Model):
    """``sources.toml``: files and connectors, any number of them for one stream."""

    root: str = "."
    stream: list[StreamSource] = []
    connector: list[AnyConnector] = []


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
    """

    stream: str
    source: StreamSource | Connector
    due_from: date
    due_to: date | None
    remembers_days: int | None
    accumulates: bool = False
    chunk_days: int = 1

    @property
    def origin(self) -> str:
        """Name of the source."""
        return self.source.origin


@dataclass(frozen=True)
class Organisation:
    """One validated organisation. Built only by :func:`opsmetrics.organisation.load_organisation`."""

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

    @property
    def zone(self) -> ZoneInfo:
        """The zone whose midnights cut days."""
        return ZoneInfo(self.settings.timezone)

    @cached_property
    def deliveries(self) -> tuple[Delivery, ...]:
        """Every source of every configured stream."""
        start = self.settings.history_from
        found = [Delivery(source.name, source, start, source.valid_to, None) for source in self.sources.stream]
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
