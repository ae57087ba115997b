"""Now against the last month end and against a year ago: scores of teams and areas, and what moved them most."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from opsmetrics.language import fmt
from opsmetrics.language.bilingual import Text
from opsmetrics.snapshots.queries import catalogue
from opsmetrics.snapshots.queries.period import Period
from opsmetrics.snapshots.queries.reader import query
from opsmetrics.snapshots.queries.rows import Rows
from opsmetrics.snapshots.store import Snapshot

YEAR = timedelta(days=365)
NEAR = timedelta(days=31)  # a month end further from a year ago than this is another time of the year


@dataclass(frozen=True, slots=True)
class Baselines:
    """What an instant is held against; None where the snapshot does not reach back that far.

    Attributes:
        before: The last month end before it.
        year: The month end nearest to a year before it.
    """

    before: Period | None
    year: Period | None


@dataclass(frozen=True, slots=True)
class Standing:
    """The whole organisation at an instant.

    Attributes:
        met: Teams with at least a level.
        teams: All teams of then, with a score or without.
        scored: Teams with a score.
        median: Of the scores.
        coverage: Median of the coverages, 0..1.
    """

    met: int
    teams: int
    scored: int
    median: float | None
    coverage: float | None


@dataclass(frozen=True, slots=True)
class ScoreMove:
    """A team's score (``area_id`` empty) or that of one of its areas, now, at the last month end and a year ago.

    Attributes:
        signs: Kinds of gaming alarms of the team.
        stale: Metrics that stand on their last known value.
    """

    team_id: str
    area_id: str
    score: float | None
    level: int | None
    status: str
    is_on_edge: bool | None
    score_before: float | None
    level_before: int | None
    status_before: str | None
    score_year: float | None
    signs: int
    stale: int

    @property
    def change(self) -> float | None:
        """Points since the last month end, as the two are shown; None where one of them is missing."""
        return fmt.moved(self.score_before, self.score)

    @property
    def year_change(self) -> float | None:
        """Points over the year, as the two are shown; None where one of them is missing."""
        return fmt.moved(self.score_year, self.score)

    @property
    def levels(self) -> int:
        """Levels won (above 0) or lost since the last month end; 0 where one of the two is missing."""
        if self.level is None or self.level_before is None:
            return 0
        return self.level - self.level_before


@dataclass(frozen=True, slots=True)
class Cause:
    """The metric that gave most of a rise or fall since the last month end, within a team's area.

    Attributes:
        performance: Its part of the change, in points of the team's score (method 3.12).
        effect: What its own change of points moved the area's score, with the weights of now.
        explained: The same of all metrics of the area together; what it lacks to the change has another cause.
    """

    team_id: str
    area_id: str
    metric_id: str
    title: Text
    unit: str
    value: float | None
    value_before: float | None
    points_after: float | None
    points_before: float | None
    performance: float
    effect: float | None
    explained: float | None


def baselines(snapshot: Snapshot, period: Period) -> Baselines:
    """Return the month ends that an instant is held against."""
    months = [row for row in catalogue.periods(snapshot) if row.grain == "month" and row.as_of < period.as_of]
    aim = period.as_of - YEAR
    nearest = min(months, key=lambda row: abs(row.as_of - aim), default=None)
    is_near = nearest is not None and abs(nearest.as_of - aim) <= NEAR and nearest is not (months or [None])[0]
    return Baselines(months[0] if months else None, nearest if is_near else None)


def score_moves(snapshot: Snapshot, period: Period, against: Baselines) -> Rows[ScoreMove]:
    """Return every score of teams and areas at an instant beside what it was."""
    return query(
        snapshot,
        ScoreMove,
        """with scored as (
               select team_id, '' as area_id, as_of, grain, score, level, status, is_on_edge from scores.team
               union all
               select team_id, area_id, as_of, grain, score, level, status, is_on_edge from scores.area
           ),
           signs as (
               select team_id, count(distinct alarm) as signs from marts.gaming_alarms
               where as_of = $as_of and grain = $grain group by team_id
           ),
           stale as (
               select s.team_id, m.area_id, count(*) as stale
               from scores.metric as s join meta.metrics as m using (metric_id)
               where s.as_of = $as_of and s.grain = $grain and s.status = 'stale' group by all
           )
           select n.team_id, n.area_id, n.score, n.level, n.status, n.is_on_edge,
               b.score as score_before, b.level as level_before, b.status as status_before,
               y.score as score_year,
               coalesce(g.signs, 0) as signs, coalesce(o.stale, 0) as stale
           from scored as n
           left join scored as b
               on b.team_id = n.team_id and b.area_id = n.area_id and b.as_of = $before and b.grain = 'month'
           left join scored as y
               on y.team_id = n.team_id and y.area_id = n.area_id and y.as_of = $year and y.grain = 'month'
           left join signs as g on g.team_id = n.team_id
           left join stale as o on o.team_id = n.team_id and o.area_id = n.area_id
           where n.as_of = $as_of and n.grain = $grain
           order by n.team_id, n.area_id""",
        period.instant(before=_as_of(against.before), year=_as_of(against.year)),
    )


def causes(snapshot: Snapshot, period: Period) -> Rows[Cause]:
    """Return for each area of a team the metric that lifted its score most and the one that lowered it most."""
    return query(
        snapshot,
        Cause,
        """with before as (
               -- Of three years, one instant is read.
               select team_id, metric_id, as_of, value from scores.metric
               where grain = 'month' and as_of in (
                   select distinct from_as_of from scores.change_metric where as_of = $as_of and grain = $grain
               )
           ),
           moved as materialized (
               select c.team_id, m.area_id, c.metric_id, m.title_nb, m.title_en, m.unit, s.value,
                   b.value as value_before, c.points_after, c.points_before, c.performance,
                   s.weight * s.evidence_weight as counts, s.points is not null as is_scored
               from scores.change_metric as c
               join meta.metrics as m using (metric_id)
               join scores.metric as s
                   on s.team_id = c.team_id and s.metric_id = c.metric_id and s.as_of = c.as_of and s.grain = c.grain
               left join before as b
                   on b.team_id = c.team_id and b.metric_id = c.metric_id and b.as_of = c.from_as_of
               where c.as_of = $as_of and c.grain = $grain
           ),
           sums as (
               select team_id, area_id, sum(counts) filter (is_scored) as total,
                   sum((points_after - points_before) * counts) as shifted
               from moved group by team_id, area_id
           ),
           largest as (
               select team_id, area_id, min_by(metric_id, (-abs(performance), metric_id)) as metric_id
               from moved where performance <> 0 group by team_id, area_id, sign(performance)
           )
           select m.*, (m.points_after - m.points_before) * m.counts / nullif(s.total, 0) as effect,
               s.shifted / nullif(s.total, 0) as explained
           from largest as l
           join moved as m using (team_id, area_id, metric_id)
           join sums as s using (team_id, area_id)
           order by abs(m.performance) desc, m.metric_id""",
        period.instant(),
    )


def standing_at(snapshot: Snapshot, at: Period | None, level: int) -> Standing | None:
    """Return how the organisation stood at an instant; None where there is none, or where no team had a score."""
    if at is None:
        return None
    found = query(
        snapshot,
        Standing,
        """select count(*) filter (level >= $level) as met, count(*) as teams, count(score) as scored,
               median(score) as median, median(coverage) as coverage
           from scores.team where as_of = $as_of and grain = $grain""",
        at.instant(level=level),
    ).first()
    return found if found is not None and found.scored else None


def _as_of(period: Period | None) -> datetime | None:
    return period.as_of if period else None
