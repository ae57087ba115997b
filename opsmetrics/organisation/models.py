"""What the configuration may say, as validated models. Every unknown key is an error."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from opsmetrics.core.instants import is_of_our_time
from opsmetrics.core.links import checked_link
from opsmetrics.core.model import Model, Slug
from opsmetrics.organisation.names import AnyAlias, Name, composed, folded, has_pattern_signs
from opsmetrics.organisation.working_time import Holidays, TeamHours, WorkingHours, YearDay, zone_name

# Open ends of periods become this day, so that SQL compares instead of testing for null.
FOREVER = date(2200, 1, 1)
# What began before the history began then; a history that begins earlier is mistyped.
BEGINNING = date(2000, 1, 1)
# No promise and no pause is longer; a longer one is mistyped, and beyond what an instant can hold.
TEN_YEARS_HOURS = 87_660
Reason = Annotated[str, StringConstraints(min_length=10, max_length=500, strip_whitespace=True)]


def _with_offset(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError("the instant has no offset from UTC; write 2026-11-23T06:00:00Z or +01:00")
    if not is_of_our_time(instant):
        raise ValueError("the instant lies before 1990 or after 2099; correct the year")
    return instant.astimezone(UTC)


Instant = Annotated[datetime, AfterValidator(_with_offset)]


def _repository(name: str) -> str:
    if has_pattern_signs(name):
        raise ValueError(f"{name!r} is not a repository's name; write 'glob:{name}' if it is a pattern")
    if "://" in name:
        raise ValueError(f"{name!r} is an address; write owner/name")
    if "@" in name or name.endswith(".git"):
        raise ValueError(f"{name!r} is where it is cloned from; write owner/name")
    return _source_name(name)


def _source_name(name: str) -> str:
    """Return a name that sources write."""
    if not name.strip():
        raise ValueError("a name is empty; write what the source calls it, or leave it out")
    return name


SourceName = Annotated[str, AfterValidator(_source_name)]


def _environments(environments: dict[str, list[SourceName]]) -> dict[str, list[SourceName]]:
    if "prod" not in environments:
        said = "none is called prod, so that no deployment would count"
        raise ValueError(f'{said}; write prod = ["production"] with the names that sources have for it')
    meant: dict[str, str] = {}
    for environment, names in environments.items():
        for name in {folded(each) for each in (environment, *names)}:
            other = meant.setdefault(name, environment)
            if other != environment:
                raise ValueError(f"{name!r} means {other!r} and {environment!r}; let one environment have it")
    return environments


def _first_day(day: date) -> date:
    if day < BEGINNING:
        raise ValueError(f"the history would begin on {day}, and each day since be scored; write a year from 2000 on")
    return day


class _Dated(Model):
    """Something valid in the half-open range [valid_from, valid_to)."""

    valid_from: date = Field(alias="from")
    valid_to: date | None = Field(default=None, alias="to")

    @model_validator(mode="after")
    def _ends_after_start(self) -> _Dated:
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            raise ValueError("'to' must be later than 'from' (the range is half-open)")
        return self


class Handbook(Model):
    """``[handbook]``: where the organisation's own document of duties is read.

    Attributes:
        address: Of the whole.
        sections: Duty (``O11``) or area (``mon``) -> address of what it says of it; others lead to the whole.
    """

    address: Annotated[str, AfterValidator(checked_link)] | None = None
    sections: dict[str, Annotated[str, AfterValidator(checked_link)]] = {}

    def link(self, duty: str, area: str) -> str | None:
        """Return where a duty is read: its own section, else its area's, else the whole; None where none is named."""
        return self.sections.get(duty) or self.sections.get(area) or self.address


class OrganisationSettings(Model):
    """``organisation.toml``: name, zone, calendar, clock.

    Attributes:
        id: Id.
        name: Name, in one language or in both.
        language: Language of pages, briefs and tables where nobody chooses another.
        timezone: Zone whose midnights cut days.
        holidays: Country of the public holidays, or a list of days; nothing for none.
        closed_days: Days of every year on which nobody works, as month and day.
        working_hours: When people work; a team may have hours of its own.
        fictional: The data are invented, and every page says so.
        history_from: First day of the scorecard.
        now: A clock that stands still, for examples.
        environments: Environment -> its names in the sources.
        handbook: Where the duties are read.
    """

    id: Slug
    name: Name
    language: Literal["nb", "en"] = "nb"
    timezone: Annotated[str, AfterValidator(zone_name)] = "Europe/Oslo"
    holidays: Holidays = "NO"
    closed_days: list[YearDay] = ["12-24", "12-31"]
    working_hours: WorkingHours = WorkingHours()
    fictional: bool = False
    history_from: Annotated[date, AfterValidator(_first_day)]
    now: Instant | None = None
    environments: Annotated[dict[Slug, list[SourceName]], AfterValidator(_environments)] = {"prod": []}
    handbook: Handbook = Handbook()


class Team(Model):
    """``[[team]]``: who answers for services.

    Attributes:
        id: Id.
        name: Name, in one language or in both.
        type: Product or platform.
        onboarded_on: First day of the team in the scorecard.
        oncall: Duty that is asked of the team.
        aliases: Names that sources have or had for it, with days where a name meant another team before or after.
        working_hours: Hours, days, holidays and zone of its own where they differ from the organisation's.
    """

    id: Slug
    name: Name
    type: Literal["product", "platform"]
    onboarded_on: date
    oncall: Literal["working_hours", "always", "none"] = "working_hours"
    aliases: list[AnyAlias] = []
    working_hours: TeamHours | None = None


class Owner(_Dated):
    """One period of ownership (D7)."""

    team: Slug


class Monitor(Model):
    """An availability probe, by its name or, after ``glob:``, by a pattern of names.

    Attributes:
        id: Name or pattern.
        kind: ``polling``: each row stands for ``hold_minutes``, and what no row stands for is not known.
            ``transitions``: the source writes changes only, so that a row stands until the next one, over every day
            that the source has delivered. Default: polling where ``hold_minutes`` is given; else a row stands until
            the next one, and nothing is known after the last.
        hold_minutes: How long a row of a polling source stands: the time between its checks, and a little more.
    """

    id: Annotated[str, AfterValidator(composed)] = Field(min_length=1)
    kind: Literal["polling", "transitions"] | None = None
    hold_minutes: float | None = Field(default=None, gt=0, le=60 * TEN_YEARS_HOURS)

    @model_validator(mode="after")
    def _kind_and_hold(self) -> Monitor:
        if self.kind == "polling" and self.hold_minutes is None:
            raise ValueError('kind = "polling" needs to know how long a result stands; write hold_minutes = 20')
        if self.kind == "transitions" and self.hold_minutes is not None:
            raise ValueError('hold_minutes belongs to kind = "polling": a transition stands until the next one')
        if self.kind is None and self.hold_minutes is not None:
            object.__setattr__(self, "kind", "polling")
        return self


class Service(Model):
    """``[[service]]``: one production service with its dated owners and its names in the sources.

    Attributes:
        id: Id.
        name: Name, in one language or in both.
        criticality: Weighs 3, 2 or 1.
        owners: Who answers for it, dated.
        aliases: Names that sources have for it; case says nothing.
        repositories: ``owner/name``, or a pattern after ``glob:``; case says nothing.
        renamed_repositories: Earlier ``owner/name`` -> the one it has now.
        monitors: Its availability probes.
        last_major_change_on: Last major change, which makes older assessments void.
    """

    id: Slug
    name: Name
    criticality: Literal["critical", "important", "ordinary"]
    owners: list[Owner] = Field(min_length=1)
    aliases: list[SourceName] = []
    repositories: list[Annotated[str, AfterValidator(_repository)]] = []
    renamed_repositories: dict[str, str] = {}
    monitors: list[Monitor] = []
    last_major_change_on: date | None = None

    @model_validator(mode="after")
    def _renamed_are_there(self) -> Service:
        own = {folded(name) for name in self.repositories}
        for old, new in self.renamed_repositories.items():
            if folded(new) not in own:
                raise ValueError(f"renamed_repositories: {old!r} became {new!r}, which is not in 'repositories'")
        return self


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
    rpo_hours: float | None = Field(default=None, gt=0, le=TEN_YEARS_HOURS)
    rto_minutes: float | None = Field(default=None, gt=0, le=60 * TEN_YEARS_HOURS)
    backup_interval_hours: float | None = Field(default=None, gt=0, le=TEN_YEARS_HOURS)
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

    @model_validator(mode="after")
    def _ends_after_start(self) -> Roster:
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            raise ValueError("valid_to must be later than valid_from (it is the first day without)")
        return self


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
