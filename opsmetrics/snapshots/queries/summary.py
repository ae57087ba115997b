"""What the pictures of a meeting are made of. Each select stands alone, so that a slide's notes can quote it whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from opsmetrics.language.bilingual import Text
from opsmetrics.snapshots.queries.facts import FEWEST_DAYS, MAJOR, PERIOD_DAYS, SHOWN_PERIODS, TOLD
from opsmetrics.snapshots.queries.gaps import STATUS_THEN
from opsmetrics.snapshots.queries.period import Period
from opsmetrics.snapshots.queries.reader import query
from opsmetrics.snapshots.queries.rows import Rows
from opsmetrics.snapshots.store import Snapshot

MONTHS = """select w."on", median(s.score) as score, count(*) filter (s.level >= $level) as met,
       count(s.score) as scored
   from scores.team as s join ref.as_of as w using (as_of, grain)
   where w.as_of <= $as_of and (w.grain = 'month' or (w.grain = $grain and w.as_of = $as_of))
   group by w."on" order by w."on" desc limit $count"""

SHARED = """select s.metric_id, m.title_nb, m.title_en, m.remedy_nb, m.remedy_en,
       count(*) filter (s.points < $krav) as below, count(s.points) as measured
   from scores.metric as s join meta.metrics as m using (metric_id)
   where s.as_of = $as_of and s.grain = $grain
   group by all having count(*) filter (s.points < $krav) > 1
   order by below desc, below / measured desc, s.metric_id limit $count"""

MAJORS = f"""with told as ({TOLD})
   select cast($as_of - age * interval {PERIOD_DAYS} day as timestamptz) as ends_at,
       case when coalesce(any_value(t.days), 0) >= {FEWEST_DAYS} then count(i.incident_id) end as found
   from range({SHOWN_PERIODS}) as ages (age)
   left join told as t using (age)
   left join facts.incidents as i on i.is_exercise is distinct from true and i.severity <= {MAJOR}
       and i.declared_at < $as_of - age * interval {PERIOD_DAYS} day
       and i.declared_at >= $as_of - (age + 1) * interval {PERIOD_DAYS} day
   group by age order by age desc"""

DOWN = """select s.service_id, s.name_nb, s.name_en, max(m.down_minutes) as minutes
   from marts.monitor_months as m join ref.services as s using (service_id)
   where m.month = date_trunc('month', cast($on as date))
       and m.monitor_key not in (select monitor_key from marts.suspect_monitors)
   group by all having max(m.down_minutes) > 0 order by minutes desc, s.service_id limit $count"""

SCORES = """select team_id, area_id, score, coverage, level, status from scores.area
   where as_of = $as_of and grain = $grain order by team_id, area_id"""

CHANGES = """select team_id, score_before, score_after, performance, coverage, scope, waivers, rules, ownership
   from scores.change where as_of = $as_of and grain = $grain
   order by abs(score_after - score_before) desc, team_id"""

GOALS = f"""select r.team_id, r.metric_id, r.decided_on, r.due_on, r.points_then, r.points_now, r.forecast, g.owner_role
   from scores.goal as r join ref.goals as g using (team_id, metric_id, decided_on)
   where r.as_of = $as_of and r.grain = $grain
       and {STATUS_THEN} in ('planned', 'in_progress') order by r.due_on, r.team_id, r.metric_id"""

GAPS = """select team_id, metric_id, points_lost, gain_if_met, effort_days, is_for_gate from scores.gap
   where as_of = $as_of and grain = $grain and points_lost > 0 order by gain_if_met desc, team_id, metric_id"""

STANDINGS = f"""select case when r.forecast = 'closed' then 'closed'
           when {STATUS_THEN} not in ('planned', 'in_progress') then 'ended'
           when r.due_on < w."on" then 'over' when r.forecast = 'not_moving' then 'late'
           else r.forecast end as standing, count(*) as decisions
   from scores.goal as r join ref.goals as g using (team_id, metric_id, decided_on)
   join ref.as_of as w using (as_of, grain)
   where r.as_of = $as_of and r.grain = $grain group by standing order by standing"""


@dataclass(frozen=True, slots=True)
class OrganisationMonth:
    """The organisation at a month-end, or at the instant itself: median score, teams that meet, teams with a score."""

    on: date
    score: float | None
    met: int
    scored: int


@dataclass(frozen=True, slots=True)
class SharedGap:
    """A metric that several teams are below the requirement of."""

    metric_id: str
    title: Text
    remedy: Text
    below: int
    measured: int


@dataclass(frozen=True, slots=True)
class MajorIncidents:
    """How many incidents of severity 1 and 2 some 28 days had, None where too few days were told of, and their end."""

    ends_at: datetime
    found: int | None


@dataclass(frozen=True, slots=True)
class DownService:
    """How long a service was down in a month: by the worst of its monitors, since two may see the same minutes.

    Monitors that are down most of the time are doubted and left out.
    """

    service_id: str
    name: Text
    minutes: float


def organisation_months(snapshot: Snapshot, parameters: Mapping[str, Any]) -> Rows[OrganisationMonth]:
    """Return month-ends up to an instant, and the instant itself, newest first (:data:`MONTHS`)."""
    return query(snapshot, OrganisationMonth, MONTHS, parameters)


def shared_gaps(snapshot: Snapshot, parameters: Mapping[str, Any]) -> Rows[SharedGap]:
    """Return the metrics that most teams are below the requirement of, most teams first (:data:`SHARED`)."""
    return query(snapshot, SharedGap, SHARED, parameters)


def major_incidents(snapshot: Snapshot, period: Period) -> Rows[MajorIncidents]:
    """Return major incidents in periods of 28 days, oldest first (:data:`MAJORS`)."""
    return query(snapshot, MajorIncidents, MAJORS, {"as_of": period.as_of, "on": period.on})


def down_services(snapshot: Snapshot, parameters: Mapping[str, Any]) -> Rows[DownService]:
    """Return the services that were down longest in the month of a day, longest first (:data:`DOWN`)."""
    return query(snapshot, DownService, DOWN, parameters)


def written(sql: str, parameters: Mapping[str, Any]) -> str:
    """Return a select with its parameters written in, as an analyst can run it on the snapshot."""
    for name in sorted(parameters, key=len, reverse=True):
        value = parameters[name]
        if isinstance(value, datetime):
            said = f"timestamptz '{value.isoformat(sep=' ')}'"
        elif isinstance(value, date):
            said = f"date '{value.isoformat()}'"
        else:
            said = f"'{value}'" if isinstance(value, str) else str(value)
        sql = sql.replace(f"${name}", said)
    return sql
