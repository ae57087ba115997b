"""Areas over time and across the teams, and the metrics that an area is made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from opsmetrics.language.bilingual import Text
from opsmetrics.snapshots.queries.catalogue import REQUIRED_POINTS
from opsmetrics.snapshots.queries.period import Period
from opsmetrics.snapshots.queries.reader import query
from opsmetrics.snapshots.queries.rows import Rows
from opsmetrics.snapshots.store import Snapshot


@dataclass(frozen=True, slots=True)
class AreaMonth:
    """One area's score of a team at a month-end."""

    area_id: str
    as_of: datetime
    score: float | None


@dataclass(frozen=True, slots=True)
class AreaSpread:
    """An area over the teams at a month-end: median and middle half."""

    on: date
    median: float
    low: float
    high: float
    teams: int


@dataclass(frozen=True, slots=True)
class TeamValue:
    """One number of a team."""

    team_id: str
    score: float


@dataclass(frozen=True, slots=True)
class AreaMetric:
    """A metric over the teams: median points, how many meet the requirement, points to gain.

    Points to gain are those of total scores: None where no team with such a score is measured.
    """

    metric_id: str
    title: Text
    why: Text
    points: float | None
    met: int
    measured: int
    gain: float | None


@dataclass(frozen=True, slots=True)
class Caveats:
    """How many metrics behind a team's area live on their last value, and how many are waived."""

    team_id: str
    area_id: str
    stale: int
    waived: int


def area_months(snapshot: Snapshot, team_id: str) -> Rows[AreaMonth]:
    """Return the area scores of a team at month-ends and at the latest day, oldest first."""
    return query(
        snapshot,
        AreaMonth,
        """select * from scores.area where team_id = $team_id and (grain = 'month' or grain = 'latest'
               and as_of > (select max(as_of) from ref.as_of where grain = 'month'))
           order by area_id, as_of""",
        {"team_id": team_id},
    )


def area_spread(snapshot: Snapshot, period: Period, area_id: str) -> Rows[AreaSpread]:
    """Return median and middle half of an area over the month-ends up to an instant, oldest first."""
    return query(
        snapshot,
        AreaSpread,
        """select w."on", median(s.score) as median, quantile_cont(s.score, 0.25) as low,
               quantile_cont(s.score, 0.75) as high, count(s.score) as teams
           from scores.area as s join ref.as_of as w using (as_of, grain)
           where s.area_id = $area_id
               and ((s.grain = 'month' and s.as_of < $as_of) or (s.grain = $grain and s.as_of = $as_of))
           group by w."on" having count(s.score) > 0 order by w."on" """,
        period.instant(area_id=area_id),
    )


def area_before(snapshot: Snapshot, period: Period, area_id: str) -> Rows[TeamValue]:
    """Return each team's score of an area at the month-end nearest to twelve months before an instant."""
    return query(
        snapshot,
        TeamValue,
        """with earlier as (
               select as_of from ref.as_of
               where grain = 'month' and as_of <= $as_of - interval 11 month order by as_of desc limit 1
           )
           select team_id, score from scores.area where grain = 'month' and area_id = $area_id
               and as_of = (select as_of from earlier) and score is not null""",
        {"as_of": period.as_of, "area_id": area_id},
    )


def area_metrics(snapshot: Snapshot, period: Period, area_id: str) -> Rows[AreaMetric]:
    """Return an area's metrics: median points, how many teams meet the requirement, points to gain; most first."""
    return query(
        snapshot,
        AreaMetric,
        f"""select m.metric_id, m.title_nb, m.title_en, m.why_nb, m.why_en, median(s.points) as points,
               count(*) filter (s.points >= {REQUIRED_POINTS}) as met,
               count(s.points) filter (not starts_with(s.status, 'not_measured')) as measured,
               case when count(s.points) filter (t.score is not null) > 0
                   then coalesce(sum(g.gain_if_met), 0) end as gain
           from meta.metrics as m
           left join scores.metric as s on s.metric_id = m.metric_id and s.as_of = $as_of and s.grain = $grain
           left join scores.gap as g on g.team_id = s.team_id and g.metric_id = s.metric_id
               and g.as_of = s.as_of and g.grain = s.grain
           left join scores.team as t on t.team_id = s.team_id and t.as_of = s.as_of and t.grain = s.grain
           where m.area_id = $area_id group by all order by gain desc nulls last, m.metric_id""",
        period.instant(area_id=area_id),
    )


def caveats(snapshot: Snapshot, period: Period) -> Rows[Caveats]:
    """Return for each team and area how many metrics stand on a value that is stale, and how many are waived.

    Stale without a value stands on nothing: coverage says so.
    """
    return query(
        snapshot,
        Caveats,
        """select s.team_id, m.area_id, count(*) filter (s.status = 'stale' and s.points is not null) as stale,
               count(*) filter (s.status = 'waived') as waived
           from scores.metric as s join meta.metrics as m using (metric_id)
           where s.as_of = $as_of and s.grain = $grain group by all""",
        period.instant(),
    )


@dataclass(frozen=True, slots=True)
class Carried:
    """A source that does not deliver: in which areas, and of how many teams, values of its last day stand."""

    stream: str
    areas: list[str]
    teams: int


def carried(snapshot: Snapshot, period: Period) -> Rows[Carried]:
    """Return the streams whose last known values stand in for newer ones at an instant, most teams first."""
    return query(
        snapshot,
        Carried,
        """select split_part(s.reason, '/', 2) as stream, list(distinct m.area_id order by m.area_id) as areas,
               count(distinct s.team_id) as teams
           from scores.metric as s join meta.metrics as m using (metric_id)
           where s.as_of = $as_of and s.grain = $grain and s.status = 'stale' and s.reason like 'carried_from:%/%'
           group by stream order by teams desc, stream""",
        period.instant(),
    )
