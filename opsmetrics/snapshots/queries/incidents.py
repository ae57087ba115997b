"""Incidents of the whole organisation as they stood at an instant, and the services that were down."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from opsmetrics.language.bilingual import Text
from opsmetrics.snapshots.queries.period import Period
from opsmetrics.snapshots.queries.reader import query
from opsmetrics.snapshots.queries.rows import Rows
from opsmetrics.snapshots.store import Snapshot

MONTHS = 12
SHOWN_TEAMS = 20
SHOWN_SERVICES = 10

# What was known at the instant: what was closed or published later was still open then.
RESOLVED = "case when resolved_at < $as_of then resolved_at end"
PUBLISHED = "case when postmortem_published_at < $as_of then postmortem_published_at end"
NEEDS_POSTMORTEM = "case when resolved_at < $as_of then needs_postmortem else needs_postmortem_while_open end"
POSTMORTEM_DUE = "case when resolved_at < $as_of then postmortem_due_at else postmortem_due_while_open_at end"
# Nothing there says nothing, where the source has no such column: neither that it is open, nor that it is missing.
END_UNTOLD = "(resolved_at is null and coalesce(list_contains(untold, 'resolved_at'), false))"
# What fell due after the source was heard last may be there all the same.
HEARD = """(select coalesce(max(c.ends_at), $as_of) from meta.delivered_days as d join ref.calendar as c using (day)
    where d.stream = 'incidents' and c.ends_at <= $as_of)"""
POSTMORTEM_UNTOLD = f"""(postmortem_published_at is null and (
    coalesce(list_contains(untold, 'postmortem_published_at'), false)
    or coalesce({POSTMORTEM_DUE} >= {HEARD} and {POSTMORTEM_DUE} < $as_of, false)))"""

# What is down most of 28 days is more likely a fault of its monitor than an outage (as marts.suspect_monitors says of
# now): it is left out of the time in question, and of no other.
PERIOD_DAYS = 28
DOUBTED = "sum(known_minutes) >= 1440 and sum(raw_down_minutes) > 0.5 * sum(known_minutes)"

KNOWN = f"""
    select incident_id, service_id, team_id, severity, declared_at, {RESOLVED} as resolved_at,
        {NEEDS_POSTMORTEM} as needs_postmortem, {POSTMORTEM_DUE} as postmortem_due_at,
        {PUBLISHED} as postmortem_published_at,
        {END_UNTOLD} as is_end_untold, {POSTMORTEM_UNTOLD} as is_postmortem_untold
    from facts.incidents
    where is_exercise is distinct from true and declared_at < $as_of
        and declared_at >= $as_of - interval {MONTHS} month
"""
_MINUTES = """case when not is_end_untold
    then date_diff('second', declared_at, coalesce(resolved_at, $as_of)) / 60.0 end"""
# A sum of which parts are not known is not known either.
_MAJOR_MINUTES = f"""case when not coalesce(bool_or(is_end_untold) filter (severity <= 2), false)
    then coalesce(sum({_MINUTES}) filter (severity <= 2), 0) end"""
_WORST_FIRST = f"count(*) filter (severity <= 2) desc, {_MAJOR_MINUTES} desc nulls last, count(*) desc, team_id"


@dataclass(frozen=True, slots=True)
class TeamIncidents:
    """What twelve months were to a team; what its source does not tell is None, or counted apart.

    Attributes:
        minutes: Of incidents of severity 1 and 2 together; None where the end of one of them is not told.
        still_open: Those without an end, where the source tells ends.
        ends_untold: Those of which nobody tells whether they have ended.
        overdue: Evaluations that are not there after their deadline, where the source tells of evaluations.
        evaluations_untold: Incidents that need one, and of which nobody tells whether it is there.
    """

    team_id: str
    total: int
    major: int
    still_open: int
    ends_untold: int
    minutes: float | None
    overdue: int
    evaluations_untold: int


@dataclass(frozen=True, slots=True)
class Declared:
    """One incident; severity 1 is the gravest.

    ``minutes`` last until the instant where it is open, and are None where the source does not tell ends.
    """

    incident_id: str
    team_id: str
    service_id: str | None
    severity: int
    declared_at: datetime
    resolved_at: datetime | None
    is_end_untold: bool
    minutes: float | None


@dataclass(frozen=True, slots=True)
class Told:
    """Of how many of the days of twelve months the source told incidents, and the first of those."""

    days: int
    told: int
    first_on: date | None


@dataclass(frozen=True, slots=True)
class DownService:
    """A service that was down: minutes of each month that was watched, oldest first.

    Counted as error budgets are: any monitor down is down, and eligible maintenance is not. Services of which a monitor
    is doubted are left out.
    """

    service_id: str
    name: Text
    team_id: str | None
    months: list[date]
    minutes: list[float]
    total: float
    newest: float | None


def team_incidents(snapshot: Snapshot, period: Period) -> Rows[TeamIncidents]:
    """Return the teams that had incidents in the twelve months before an instant, most major ones first."""
    return query(
        snapshot,
        TeamIncidents,
        f"""select team_id, count(*) as total, count(*) filter (severity <= 2) as major,
                count(*) filter (resolved_at is null and not is_end_untold) as still_open,
                count(*) filter (is_end_untold) as ends_untold, {_MAJOR_MINUTES} as minutes,
                count(*) filter (needs_postmortem and postmortem_published_at is null and not is_postmortem_untold
                    and postmortem_due_at < $as_of) as overdue,
                count(*) filter (needs_postmortem and is_postmortem_untold) as evaluations_untold
            from ({KNOWN}) where team_id is not null group by team_id
            order by {_WORST_FIRST}""",
        {"as_of": period.as_of},
    )


def declared(
    snapshot: Snapshot, period: Period, *, team_id: str | None = None, skip: int = 0, teams: int | None = None
) -> Rows[Declared]:
    """Return the incidents of the twelve months before an instant, newest first.

    Args:
        snapshot: To read.
        period: The instant.
        team_id: Of one team only.
        skip: Teams of :func:`team_incidents` to pass over.
        teams: How many teams after those; None for all of them.
    """
    return query(
        snapshot,
        Declared,
        f"""with known as ({KNOWN}),
            ranked as (
                select team_id, row_number() over (order by {_WORST_FIRST}) as place
                from known where team_id is not null group by team_id
            )
            select known.*, {_MINUTES} as minutes from known join ranked using (team_id)
            where ($team_id is null or team_id = $team_id)
                and place > $skip and ($teams is null or place <= $skip + $teams)
            order by declared_at desc, incident_id""",
        {"as_of": period.as_of, "team_id": team_id, "skip": skip, "teams": teams},
    )


def told(snapshot: Snapshot, period: Period) -> Told:
    """Return of how many days of the twelve months before an instant the source told incidents."""
    return query(
        snapshot,
        Told,
        f"""select date_diff('day', cast($on::date + 1 - interval {MONTHS} month as date), $on::date + 1) as days,
                count(day) as told, min(day) as first_on
            from meta.delivered_days
            where stream = 'incidents' and day <= $on and day >= $on::date + 1 - interval {MONTHS} month""",
        {"on": period.on},
    )[0]


def down_services(snapshot: Snapshot, period: Period, team_id: str | None = None) -> Rows[DownService]:
    """Return the services that were down in the twelve months up to an instant, most minutes first."""
    return query(
        snapshot,
        DownService,
        f"""with known as (
               select *, cast(date_trunc('month', day) as date) as month from facts.availability_daily
               where day <= $on and known_minutes > 0
           ),
           months as (
               select service_id, month, sum(down_minutes) as minutes, least(last_day(month), $on::date) as last_on
               from known where month > $on - interval {MONTHS} month group by service_id, month
           ),
           doubted as (
               select m.service_id, m.month from months as m
               join known as k on k.service_id = m.service_id and k.day <= m.last_on
                   and k.day > m.last_on - {PERIOD_DAYS}
               group by m.service_id, m.month having {DOUBTED}
           ),
           watched as (select * from months anti join doubted using (service_id, month))
           select w.service_id, coalesce(s.name_nb, w.service_id) as name_nb,
               coalesce(s.name_en, w.service_id) as name_en,
               any_value(o.team_id) as team_id, list(w.month order by w.month) as months,
               list(w.minutes order by w.month) as minutes, sum(w.minutes) as total,
               max(w.minutes) filter (w.month = date_trunc('month', $on::date)) as newest
           from watched as w
           left join ref.services as s on s.service_id = w.service_id
           left join ref.service_owners as o on o.service_id = w.service_id
               and $as_of > o.valid_from_at and $as_of <= o.valid_to_at
           group by w.service_id, s.name_nb, s.name_en
           having sum(w.minutes) > 0 and ($team_id is null or any_value(o.team_id) = $team_id)
           order by total desc, w.service_id""",
        {"as_of": period.as_of, "on": period.on, "team_id": team_id},
    )
