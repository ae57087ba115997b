"""What the sources say in plain numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from opsmetrics.language.bilingual import Text
from opsmetrics.snapshots.queries.incidents import (
    DOUBTED,
    END_UNTOLD,
    NEEDS_POSTMORTEM,
    PERIOD_DAYS,
    POSTMORTEM_DUE,
    POSTMORTEM_UNTOLD,
    PUBLISHED,
    RESOLVED,
)
from opsmetrics.snapshots.queries.period import Period
from opsmetrics.snapshots.queries.reader import frame, query
from opsmetrics.snapshots.queries.rows import Rows
from opsmetrics.snapshots.store import Snapshot

SHOWN_PERIODS = 13  # the newest and the twelve before it
FEWEST_PERIODS = 4  # fewer than these tell nothing about what is usual
MAJOR = 2  # severity 1 and 2
FEWEST_DAYS = 26  # of 28 delivered: a day or two may come late
TOLD = f"""select cast(floor(date_diff('day', day, $on) / {PERIOD_DAYS}) as bigint) as age, count(*) as days
    from meta.delivered_days where stream = 'incidents' and day <= $on group by age"""
# The tables of the facts page, newest first.
FACTS = {
    "updates": "select * exclude (service_id) from marts.repository_months order by month desc, repository",
    "lag": """select * exclude (service_id) from marts.patch_lag_months
        order by period = 'ALL' desc, period desc, repository, update_type""",
    "uptime": """select * exclude (monitor_key, service_id) from marts.monitor_months
        order by month desc, down_minutes desc, provider, monitor_id""",
    "reports": "select * from marts.incident_report_years order by period = 'ALL' desc, period desc, kind, severity",
}


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident of a team; severity 1 is the gravest.

    What is None because the source has no such column is said apart: such an incident is not open, and its evaluation
    not missing.
    """

    incident_id: str
    service_id: str | None
    severity: int
    declared_at: datetime
    resolved_at: datetime | None
    needs_postmortem: bool | None
    postmortem_due_at: datetime | None
    postmortem_published_at: datetime | None
    is_end_untold: bool
    is_postmortem_untold: bool


def facts(snapshot: Snapshot, name: str, most: int | None = None) -> pl.DataFrame:
    """Return one of the tables of the facts page; its first rows where a number of them is given."""
    return frame(snapshot, f"select * from ({FACTS[name]}) limit $most", {"most": most})


def fact_count(snapshot: Snapshot, name: str) -> int:
    """Return how many rows one of the tables of the facts page has."""
    return int(frame(snapshot, f"select count(*) as found from ({FACTS[name]})")["found"].item())


def incidents(snapshot: Snapshot, period: Period, team_id: str) -> Rows[Incident]:
    """Return a team's incidents of the twelve months before an instant, newest first; exercises left out.

    As the instant knew them: what was resolved or published later is open.
    """
    return query(
        snapshot,
        Incident,
        f"""select * replace (
               {RESOLVED} as resolved_at, {PUBLISHED} as postmortem_published_at,
               {NEEDS_POSTMORTEM} as needs_postmortem, {POSTMORTEM_DUE} as postmortem_due_at
           ), {END_UNTOLD} as is_end_untold, {POSTMORTEM_UNTOLD} as is_postmortem_untold
           from facts.incidents
           where team_id = $team_id and is_exercise is distinct from true and declared_at < $as_of
               and declared_at >= $as_of - interval 12 month
           order by declared_at desc, incident_id""",
        {"as_of": period.as_of, "team_id": team_id},
    )


MAJORS = f"""with told as ({TOLD})
   select cast($as_of - a.age * interval {PERIOD_DAYS} day as timestamptz) as ends_at,
       case when coalesce(any_value(t.days), 0) >= {FEWEST_DAYS} then count(i.incident_id) end as found
   from range({SHOWN_PERIODS}) as a (age)
   left join told as t using (age)
   left join facts.incidents as i on i.is_exercise is distinct from true and i.severity <= {MAJOR}
       and i.declared_at < $as_of - a.age * interval {PERIOD_DAYS} day
       and i.declared_at >= $as_of - (a.age + 1) * interval {PERIOD_DAYS} day
   group by a.age order by a.age desc"""
"""The select of :func:`major_periods`, which notes of slides quote."""


@dataclass(frozen=True, slots=True)
class MajorIncidents:
    """How many incidents of severity 1 and 2 some 28 days had, None where too few days were told of, and their end."""

    ends_at: datetime
    found: int | None


def major_periods(snapshot: Snapshot, period: Period) -> Rows[MajorIncidents]:
    """Return the major incidents of the newest 28 days and of the twelve periods before, oldest first.

    Periods are 28 days, so that they compare; the newest ends at the instant. One of which too few days were
    delivered is None: nobody told, which is not the same as none.
    """
    return query(snapshot, MajorIncidents, MAJORS, {"as_of": period.as_of, "on": period.on})


def major_incidents(snapshot: Snapshot, period: Period) -> list[int | None]:
    """Return the counts of :func:`major_periods` alone."""
    return [row.found for row in major_periods(snapshot, period)]


@dataclass(frozen=True, slots=True)
class TeamMajors:
    """A team's major incidents of the newest 28 days, and the most that any of the twelve periods before had.

    ``most_before`` is None where fewer than four of them were told of.
    """

    team_id: str
    found: int
    most_before: int | None


def team_majors(snapshot: Snapshot, period: Period) -> Rows[TeamMajors]:
    """Return the teams that had major incidents in the newest 28 days, most first."""
    return query(
        snapshot,
        TeamMajors,
        f"""with told as ({TOLD}),
           counted as (
               select i.team_id, a.age, count(*) as found
               from range({SHOWN_PERIODS}) as a (age)
               join facts.incidents as i on i.is_exercise is distinct from true and i.severity <= {MAJOR}
                   and i.declared_at < $as_of - a.age * interval {PERIOD_DAYS} day
                   and i.declared_at >= $as_of - (a.age + 1) * interval {PERIOD_DAYS} day
               where i.team_id is not null group by all
           ),
           known as (select count(*) filter (age > 0 and days >= {FEWEST_DAYS}) as periods from told)
           select team_id, cast(sum(found) filter (age = 0) as bigint) as found,
               case when any_value(periods) >= {FEWEST_PERIODS}
                   then cast(coalesce(max(found) filter (age > 0), 0) as bigint) end as most_before
           from counted cross join known group by team_id having sum(found) filter (age = 0) > 0
           order by found desc, team_id""",
        {"as_of": period.as_of, "on": period.on},
    )


@dataclass(frozen=True, slots=True)
class Downtime:
    """All services together in 28 days: minutes down, maintenance left out, and the share of minutes that is known.

    The share is of the services of which anything was known, and of all days, also those on which nothing was.

    Where nothing was known ``down_minutes`` is None.
    """

    age: int
    down_minutes: float | None
    known_share: float | None
    services: int

    @property
    def is_told(self) -> bool:
        """Whether the minutes are those of the whole period, but for a day or two."""
        return self.known_share is not None and self.known_share >= FEWEST_DAYS / PERIOD_DAYS


def downtime(snapshot: Snapshot, period: Period) -> Rows[Downtime]:
    """Return the minutes down of the newest 28 days and of the twelve periods before, oldest first.

    Services that were down most of one of these periods are left out of it, as in :func:`worst_services`.
    """
    return query(
        snapshot,
        Downtime,
        f"""with days as (
               select cast(floor(date_diff('day', day, $on) / {PERIOD_DAYS}) as bigint) as age, *
               from facts.availability_daily
               where day <= $on and day > $on - {SHOWN_PERIODS * PERIOD_DAYS}
           ),
           doubted as (select service_id, age from days group by service_id, age having {DOUBTED}),
           trusted as (select * from days anti join doubted using (service_id, age)),
           lengths as (
               select cast(floor(date_diff('day', day, $on) / {PERIOD_DAYS}) as bigint) as age,
                   sum(epoch_us(ends_at - starts_at)) / 60e6 as minutes
               from ref.calendar where day <= $on group by age
           )
           select a.age, case when sum(known_minutes) > 0 then sum(down_minutes) end as down_minutes,
               sum(known_minutes) / (count(distinct service_id) * any_value(l.minutes)) as known_share,
               count(distinct service_id) filter (known_minutes > 0) as services
           from range({SHOWN_PERIODS}) as a (age) left join trusted using (age) left join lengths as l using (age)
           group by a.age order by a.age desc""",
        {"on": period.on},
    )


@dataclass(frozen=True, slots=True)
class ServiceOutcome:
    """One service in the newest 28 days, ``known_share`` of them; what nobody measured is None."""

    service_id: str
    name: Text
    team_id: str | None
    down_minutes: float | None
    known_share: float | None
    majors: int | None


WORST = f"""with told as ({TOLD}),
   whole as (
       select b.service_id, sum(epoch_us(c.ends_at - c.starts_at)) / 60e6 as minutes
       from (select service_id, min(valid_from_at) as begun_at from ref.service_owners group by service_id) as b
       join ref.calendar as c on c.ends_at > b.begun_at
       where c.day <= $on and c.day > $on - {PERIOD_DAYS}
       group by b.service_id
   ),
   down as (
       select service_id, sum(down_minutes) as down_minutes,
           least(1, sum(known_minutes) / any_value(w.minutes)) as known_share
       from facts.availability_daily left join whole as w using (service_id)
       where day <= $on and day > $on - {PERIOD_DAYS}
       group by service_id having sum(known_minutes) > 0 and not ({DOUBTED})
   ),
   majors as (
       select service_id, count(*) as majors from facts.incidents
       where is_exercise is distinct from true and severity <= {MAJOR} and declared_at < $as_of
           and declared_at >= $as_of - interval {PERIOD_DAYS} day
       group by service_id
   )
   select s.service_id, s.name_nb, s.name_en, o.team_id, d.down_minutes, d.known_share,
       case when t.days >= {FEWEST_DAYS} then coalesce(m.majors, 0) end as majors
   from down as d
   join ref.services as s using (service_id)
   left join told as t on t.age = 0
   left join majors as m using (service_id)
   left join ref.service_owners as o
       on o.service_id = s.service_id and $as_of > o.valid_from_at and $as_of <= o.valid_to_at
   where d.down_minutes > 0
   order by d.down_minutes desc, majors desc nulls last, s.service_id limit $count"""
"""The select of :func:`worst_services`, which notes of slides quote."""


def worst_services(snapshot: Snapshot, period: Period, count: int) -> Rows[ServiceOutcome]:
    """Return the services that were down longest in the newest 28 days; those that were not down are left out.

    A service that was down most of the time is left out: its monitor is more likely at fault.
    """
    return query(snapshot, ServiceOutcome, WORST, {"on": period.on, "as_of": period.as_of, "count": count})
