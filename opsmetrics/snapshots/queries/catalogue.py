"""What is measured, of whom and when: organisation, areas, teams, metrics, periods."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from opsmetrics.core.errors import SnapshotError
from opsmetrics.language.bilingual import Text
from opsmetrics.language.fmt import Requirement
from opsmetrics.scoring.points import FULL_POINTS, KRAV_POINTS, required_points
from opsmetrics.snapshots.queries.period import Period
from opsmetrics.snapshots.queries.reader import frame, query
from opsmetrics.snapshots.queries.rows import Rows
from opsmetrics.snapshots.store import Snapshot

REQUIRED_POINTS = f"if(m.krav is null, {FULL_POINTS:.0f}, {KRAV_POINTS:.0f})"
"""Points at which the requirement of a metric is met, where ``m`` is its row of ``meta.metrics``."""


@dataclass(frozen=True, slots=True)
class Organisation:
    """Whose scorecard it is, and the build that made it."""

    name: Text
    language: str
    timezone: str
    is_fictional: bool
    built_at: datetime
    known_at: datetime
    ruleset_version: str


@dataclass(frozen=True, slots=True)
class Area:
    """One area of the scorecard."""

    area_id: str
    name: Text
    short: Text


@dataclass(frozen=True, slots=True)
class Team:
    """One team; ``type`` is product or platform."""

    team_id: str
    name: Text
    type: str
    onboarded_on: date | None


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of the catalogue; the method's document explains each number (docs/metrics.md)."""

    metric_id: str
    area_id: str
    title: Text
    unit: str
    kind: str
    is_entity: bool
    window_days: int
    floor: float
    krav: float | None
    mal: float
    weight: float
    n_full: int | None
    obligations: list[str]
    needs: list[str]
    formula: Text
    why: Text
    remedy: Text
    effort: str
    lifecycle: str
    metric_version: int
    sql: str
    evidence_sql: str

    @property
    def requirement(self) -> float:
        """The value that gives the requirement's points; the target where there is no requirement of its own."""
        return self.krav if self.krav is not None else self.mal

    @property
    def required_points(self) -> float:
        """Points at which the requirement is met."""
        return required_points(self.krav)

    @property
    def is_up_good(self) -> bool:
        """Whether more is better."""
        return self.mal > self.floor

    @property
    def required(self) -> Requirement:
        """The requirement as values are written beside it."""
        return Requirement(self.requirement, self.is_up_good)


@dataclass(frozen=True, slots=True)
class Rules:
    """The ruleset's constants: the share of the weakest area (lambda), and where the levels begin."""

    weakest_share: float
    level_edges: list[float]


@dataclass(frozen=True, slots=True)
class Obligation:
    """One sentence of the handbook."""

    obligation_id: str
    text: Text
    strength: str
    measured_by: list[str]
    link: str | None


@dataclass(frozen=True, slots=True)
class Unscored:
    """Something that is measured and never scored."""

    table_id: str
    title: Text


@dataclass(frozen=True, slots=True)
class RuleChange:
    """One thing in which the organisation's rules differ from the shipped ones."""

    kind: str
    subject_id: str
    setting: str
    shipped: str | None
    own: str
    why: str | None


@dataclass(frozen=True, slots=True)
class Datastore:
    """A datastore that must be restorable, and the team that owns it today."""

    datastore_id: str
    team_id: str | None


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """One table of the snapshot and what it says."""

    schema_name: str
    table_name: str
    comment: str
    column_count: int


def organisation(snapshot: Snapshot) -> Organisation:
    """Return the organisation and its build.

    Raises:
        SnapshotError: The snapshot holds none: it is damaged.
    """
    found = query(snapshot, Organisation, "select * from meta.organisation, meta.build").first()
    if found is None:
        raise SnapshotError(f"{snapshot.path}: no organisation in it; run `opsmetrics publish` again")
    return found


def areas(snapshot: Snapshot) -> Rows[Area]:
    """Return the areas in order."""
    return query(snapshot, Area, "select * from meta.areas order by position")


def teams(snapshot: Snapshot) -> Rows[Team]:
    """Return the teams, product teams first, by name."""
    return query(snapshot, Team, "select * from ref.teams order by type desc, name_nb")


def metrics(snapshot: Snapshot) -> Rows[Metric]:
    """Return the catalogue, by area and weight."""
    return query(
        snapshot,
        Metric,
        "select m.*, a.position from meta.metrics as m join meta.areas as a using (area_id)"
        " order by a.position, m.weight desc, m.metric_id",
    )


def periods(snapshot: Snapshot) -> Rows[Period]:
    """Return what can be chosen: the latest day, then months, newest first."""
    return query(
        snapshot,
        Period,
        """select as_of, grain, label, "on" from ref.as_of where grain in ('latest', 'month')
           order by grain = 'month', as_of desc""",
    )


def rules(snapshot: Snapshot) -> Rules:
    """Return the ruleset's constants."""
    return query(snapshot, Rules, "select weakest_share, level_edges from meta.known")[0]


def obligations(snapshot: Snapshot) -> Rows[Obligation]:
    """Return the handbook's sentences and what measures them."""
    return query(snapshot, Obligation, "select * from meta.obligations order by obligation_id")


def unscored_titles(snapshot: Snapshot) -> dict[str, Text]:
    """Return what is measured and never scored is called, by its id."""
    found = query(snapshot, Unscored, "select table_id, title_nb, title_en from meta.unscored order by table_id")
    return {row.table_id: row.title for row in found}


def rule_changes(snapshot: Snapshot) -> Rows[RuleChange]:
    """Return in what the organisation's rules differ from the shipped ones."""
    return query(snapshot, RuleChange, "select * from meta.rule_changes order by kind, subject_id, setting")


def datastores(snapshot: Snapshot) -> Rows[Datastore]:
    """Return the datastores that must be restorable, each with the team that owns it today (or None)."""
    return query(
        snapshot,
        Datastore,
        """select d.datastore_id, o.team_id from ref.datastores as d
           left join ref.service_owners as o on o.service_id = d.service_id
               and (select max(as_of) from ref.as_of) >= o.valid_from_at
               and (select max(as_of) from ref.as_of) < o.valid_to_at
           order by d.datastore_id""",
    )


def services(snapshot: Snapshot) -> list[str]:
    """Return the ids of all services."""
    return frame(snapshot, "select service_id from ref.services order by service_id")["service_id"].to_list()


def tables(snapshot: Snapshot) -> Rows[PublishedTable]:
    """Return every published table with what it says, schema by schema."""
    return query(
        snapshot,
        PublishedTable,
        """select schema_name, table_name, comment, column_count from duckdb_tables()
           where not internal and comment is not null order by schema_name, table_name""",
    )
