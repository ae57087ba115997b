"""Scores at an instant and over time, and what they are made of. How they moved is in ``movement``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from opsmetrics.language.bilingual import Text
from opsmetrics.snapshots.queries.period import Period
from opsmetrics.snapshots.queries.reader import query
from opsmetrics.snapshots.queries.rows import Rows
from opsmetrics.snapshots.store import Snapshot


@dataclass(frozen=True, slots=True)
class TeamScore:
    """One team's score at an instant (method 3.5)."""

    team_id: str
    as_of: datetime
    score: float | None
    coverage: float | None
    low: float | None
    high: float | None
    level: int | None
    status: str
    score_without_waivers: float | None
    interval_low: float | None
    interval_high: float | None
    krav_probability: float | None
    confidence: str | None
    level_by_score: int | None
    is_on_edge: bool | None


@dataclass(frozen=True, slots=True)
class TeamMonth:
    """One team's score at a month-end."""

    team_id: str
    as_of: datetime
    score: float | None


@dataclass(frozen=True, slots=True)
class AreaScore:
    """One area's score of a team at an instant, with the gate that holds its level and why."""

    team_id: str
    area_id: str
    as_of: datetime
    score: float | None
    coverage: float | None
    low: float | None
    high: float | None
    level: int | None
    gate: str | None
    status: str
    gate_findings: int | None
    level_by_score: int | None
    is_on_edge: bool | None
    reason: Text | None


@dataclass(frozen=True, slots=True)
class MetricScore:
    """One metric of a team at an instant (method 3.2 and 3.3)."""

    team_id: str
    metric_id: str
    numerator: float | None
    denominator: float | None
    value: float | None
    completeness: float | None
    points: float | None
    weight: float
    evidence_weight: float | None
    status: str
    reason: str | None
    interval_low: float | None
    interval_high: float | None
    stated_share: float | None
    effective_share: float | None
    measured_at: datetime | None


@dataclass(frozen=True, slots=True)
class MetricWeek:
    """One metric of a team at a week's end."""

    as_of: datetime
    on: date
    value: float | None
    status: str


@dataclass(frozen=True, slots=True)
class EntityScore:
    """One SLO, resource or datastore behind a metric."""

    entity_id: str
    entity_weight: float
    numerator: float | None
    denominator: float | None
    value: float | None
    points: float | None


@dataclass(frozen=True, slots=True)
class ScorePart:
    """One metric in the formula of an area's score."""

    area_id: str
    weight: float
    evidence_weight: float
    points: float
    area_score: float
    area_status: str
    area_weight: float


@dataclass(frozen=True, slots=True)
class Month:
    """The whole organisation at an instant: median score, teams with at least a level, teams with a score."""

    on: date
    score: float | None
    met: int
    scored: int


# Month-ends before an instant, and the instant itself: a line ends with the newest point.
_UP_TO = "(s.grain = 'month' and s.as_of < $as_of or s.grain = $grain and s.as_of = $as_of)"

MONTHS = f"""select * from (
       select w."on", median(s.score) as score, count(*) filter (s.level >= $level) as met, count(s.score) as scored
       from scores.team as s join ref.as_of as w using (as_of, grain) where {_UP_TO}
       group by s.as_of, w."on" order by s.as_of desc limit $count
   ) order by "on\""""
"""The select of :func:`months`, which notes of slides quote."""


def team_scores(snapshot: Snapshot, period: Period) -> Rows[TeamScore]:
    """Return every team's score at an instant."""
    sql = "select * from scores.team where as_of = $as_of and grain = $grain"
    return query(snapshot, TeamScore, sql, period.instant())


def area_scores(
    snapshot: Snapshot, period: Period, *, team_id: str | None = None, area_id: str | None = None
) -> Rows[AreaScore]:
    """Return area scores at an instant, of one team or area or of all, with the gate's reason."""
    return query(
        snapshot,
        AreaScore,
        """select s.*, g.reason_nb, g.reason_en from scores.area as s
           left join meta.gates as g on g.gate_id = s.gate
           where s.as_of = $as_of and s.grain = $grain and ($team_id is null or s.team_id = $team_id)
               and ($area_id is null or s.area_id = $area_id)""",
        period.instant(team_id=team_id, area_id=area_id),
    )


def metric_scores(
    snapshot: Snapshot, period: Period, *, team_id: str | None = None, metric_id: str | None = None
) -> Rows[MetricScore]:
    """Return metric scores at an instant, of one team or metric or of all."""
    return query(
        snapshot,
        MetricScore,
        """select * from scores.metric where as_of = $as_of and grain = $grain
           and ($team_id is null or team_id = $team_id) and ($metric_id is null or metric_id = $metric_id)""",
        period.instant(team_id=team_id, metric_id=metric_id),
    )


def team_months(snapshot: Snapshot, period: Period, count: int) -> Rows[TeamMonth]:
    """Return the scores of each team at an instant and at the newest month-ends before it, oldest first."""
    return query(
        snapshot,
        TeamMonth,
        f"""select team_id, as_of, score from scores.team as s where {_UP_TO}
           qualify row_number() over (partition by team_id order by as_of desc) <= $count
           order by team_id, as_of""",
        period.instant(count=count),
    )


def metric_weeks(snapshot: Snapshot, team_id: str, metric_id: str) -> Rows[MetricWeek]:
    """Return the weekly values of a metric, oldest first."""
    return query(
        snapshot,
        MetricWeek,
        """select s.*, w."on" from scores.metric as s join ref.as_of as w using (as_of, grain)
           where s.grain = 'week' and s.team_id = $team_id and s.metric_id = $metric_id order by s.as_of""",
        {"team_id": team_id, "metric_id": metric_id},
    )


def entities(snapshot: Snapshot, period: Period, team_id: str, metric_id: str) -> Rows[EntityScore]:
    """Return the points of each entity, worst first."""
    return query(
        snapshot,
        EntityScore,
        """select * from scores.entity where as_of = $as_of and grain = $grain and team_id = $team_id
           and metric_id = $metric_id order by points nulls first, entity_id""",
        period.instant(team_id=team_id, metric_id=metric_id),
    )


def score_parts(snapshot: Snapshot, period: Period, team_id: str) -> Rows[ScorePart]:
    """Return the metrics that make a team's area scores, with their weights, in the order of areas."""
    return query(
        snapshot,
        ScorePart,
        """select m.area_id, m.title_nb, m.title_en, s.weight, s.evidence_weight, s.points, a.score as area_score,
               a.status as area_status, p.position, p.weight as area_weight
           from scores.metric as s
           join meta.metrics as m using (metric_id)
           join meta.areas as p on p.area_id = m.area_id
           join scores.area as a
               on a.team_id = s.team_id and a.area_id = m.area_id and a.as_of = s.as_of and a.grain = s.grain
           where s.as_of = $as_of and s.grain = $grain and s.team_id = $team_id and s.points is not null
               and a.score is not null
           order by p.position, s.weight desc, s.metric_id""",
        period.instant(team_id=team_id),
    )


def months(snapshot: Snapshot, period: Period, level: int, count: int) -> Rows[Month]:
    """Return an instant and the newest month-ends before it, oldest first (:data:`MONTHS`)."""
    return query(snapshot, Month, MONTHS, period.instant(level=level, count=count))
