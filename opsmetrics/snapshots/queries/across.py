"""One thing over all teams: a metric's values and trends, and what indexes of metrics, areas and teams say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from opsmetrics.scoring.points import MET_LEVEL
from opsmetrics.snapshots.queries.catalogue import REQUIRED_POINTS
from opsmetrics.snapshots.queries.period import Period
from opsmetrics.snapshots.queries.reader import query
from opsmetrics.snapshots.queries.rows import Rows
from opsmetrics.snapshots.store import Snapshot

_BETWEEN = ","

# The month-ends of a year up to an instant, and the instant itself, which is the newest point of every line.
# A latest day that ends a month is that month once more.
_YEAR = """
    select as_of, grain, "on" from ref.as_of
    where (grain = 'month' and as_of < $as_of and as_of > $as_of - interval 12 month)
        or (grain = $grain and as_of = $as_of)
"""


@dataclass(frozen=True, slots=True)
class TeamWeek:
    """A metric of one team on a day; None where it was not measured."""

    team_id: str
    on: date
    value: float | None


@dataclass(frozen=True, slots=True)
class MetricTotal:
    """A metric over the teams: medians, how many meet the requirement of those that are measured, points to gain.

    Points to gain are those of total scores: None where no team with such a score is measured.
    """

    metric_id: str
    value: float | None
    points: float | None
    met: int
    measured: int
    gain: float | None


@dataclass(frozen=True, slots=True)
class AreaTotal:
    """An area over the teams: median, how many are at the level that meets the requirement, points to gain.

    Points to gain are those of total scores: None where no team with such a score has one of the area.
    """

    area_id: str
    median: float | None
    met: int
    scored: int
    gain: float | None


@dataclass(frozen=True, slots=True)
class OnDay:
    """One number on a day."""

    subject_id: str
    on: date
    value: float | None


@dataclass(frozen=True, slots=True)
class ScoreAt:
    """One score of a team at a month-end or at the instant; ``level`` knows gates, the score does not."""

    team_id: str
    label: str
    grain: str
    on: date
    score: float | None
    level: int | None
    status: str


def metric_weeks(snapshot: Snapshot, period: Period, metric_id: str, team_ids: Sequence[str]) -> Rows[TeamWeek]:
    """Return the weekly values of a metric of some teams over the year up to an instant, and that of the instant."""
    return query(
        snapshot,
        TeamWeek,
        """select s.team_id, w."on", case when s.status in ('ok', 'low_evidence') then s.value end as value
           from scores.metric as s join ref.as_of as w using (as_of, grain)
           where s.metric_id = $metric_id and s.team_id in (select unnest(string_split($teams, ',')))
               and ((s.grain = 'week' and s.as_of < $as_of and s.as_of > $as_of - interval 12 month)
                   or (s.grain = $grain and s.as_of = $as_of))
           order by s.team_id, w."on" """,
        period.instant(metric_id=metric_id, teams=_BETWEEN.join(team_ids)),
    )


def metric_totals(snapshot: Snapshot, period: Period) -> Rows[MetricTotal]:
    """Return every metric of the catalogue over the teams at an instant."""
    return query(
        snapshot,
        MetricTotal,
        f"""with mine as (select * from scores.metric where as_of = $as_of and grain = $grain),
               gains as (
                   select metric_id, sum(gain_if_met) as gain from scores.gap
                   where as_of = $as_of and grain = $grain group by metric_id
               )
           select m.metric_id,
               median(s.value) filter (s.points is not null and s.status <> 'not_measured_overdue') as value,
               median(s.points) as points, count(*) filter (s.points >= {REQUIRED_POINTS}) as met,
               count(s.points) filter (not starts_with(s.status, 'not_measured')) as measured,
               case when count(s.points) filter (t.score is not null) > 0
                   then coalesce(any_value(g.gain), 0) end as gain
           from meta.metrics as m left join mine as s using (metric_id) left join gains as g using (metric_id)
           left join scores.team as t on t.team_id = s.team_id and t.as_of = s.as_of and t.grain = s.grain
           group by m.metric_id order by m.metric_id""",
        period.instant(),
    )


def metric_points(snapshot: Snapshot, period: Period) -> Rows[OnDay]:
    """Return each metric's median points at the month-ends of a year and at the instant, oldest first."""
    return query(
        snapshot,
        OnDay,
        f"""select s.metric_id as subject_id, w."on", median(s.points) as value
            from scores.metric as s join ({_YEAR}) as w using (as_of, grain)
            group by s.metric_id, w."on" order by s.metric_id, w."on" """,
        period.instant(),
    )


def area_totals(snapshot: Snapshot, period: Period) -> Rows[AreaTotal]:
    """Return every area over the teams at an instant, in the order of areas."""
    return query(
        snapshot,
        AreaTotal,
        """with gains as (
               select m.area_id, sum(g.gain_if_met) as gain
               from scores.gap as g join meta.metrics as m using (metric_id)
               where g.as_of = $as_of and g.grain = $grain group by m.area_id
           )
           select a.area_id, median(s.score) as median, count(*) filter (s.level >= $level) as met,
               count(s.score) as scored,
               case when count(s.score) filter (t.score is not null) > 0 then coalesce(any_value(g.gain), 0) end as gain
           from meta.areas as a
           left join scores.area as s on s.area_id = a.area_id and s.as_of = $as_of and s.grain = $grain
           left join scores.team as t on t.team_id = s.team_id and t.as_of = s.as_of and t.grain = s.grain
           left join gains as g on g.area_id = a.area_id
           group by a.area_id, a.position order by a.position""",
        period.instant(level=MET_LEVEL),
    )


def area_medians(snapshot: Snapshot, period: Period) -> Rows[OnDay]:
    """Return each area's median at the month-ends of a year and at the instant, oldest first."""
    return query(
        snapshot,
        OnDay,
        f"""select s.area_id as subject_id, w."on", median(s.score) as value
            from scores.area as s join ({_YEAR}) as w using (as_of, grain)
            group by s.area_id, w."on" order by s.area_id, w."on" """,
        period.instant(),
    )


def team_year(snapshot: Snapshot, period: Period) -> Rows[OnDay]:
    """Return each team's score at the month-ends of a year and at the instant, oldest first."""
    return query(
        snapshot,
        OnDay,
        f"""select s.team_id as subject_id, w."on", s.score as value
            from scores.team as s join ({_YEAR}) as w using (as_of, grain)
            order by s.team_id, w."on" """,
        period.instant(),
    )


def scores_of_year(snapshot: Snapshot, period: Period, area_id: str | None = None) -> Rows[ScoreAt]:
    """Return every team's score, or that of an area, at the month-ends of a year and at the instant, oldest first."""
    table = "scores.team" if area_id is None else "scores.area"
    chosen = "" if area_id is None else "where s.area_id = $area_id"
    year = _YEAR.replace('"on"', '"on", label')
    return query(
        snapshot,
        ScoreAt,
        f"""select s.team_id, w.label, w.grain, w."on", s.score, s.level, s.status
            from {table} as s join ({year}) as w using (as_of, grain) {chosen}
            order by w.as_of, w.grain = 'latest', s.team_id""",
        period.instant() if area_id is None else period.instant(area_id=area_id),
    )
