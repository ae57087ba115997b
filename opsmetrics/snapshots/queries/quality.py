"""Can the numbers be trusted? Sources, gaps, rows set aside, exemptions, signs of gaming."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from opsmetrics.language.bilingual import Text
from opsmetrics.snapshots.notices import SELECT, Notice
from opsmetrics.snapshots.queries.period import Period
from opsmetrics.snapshots.queries.reader import frame, query
from opsmetrics.snapshots.queries.rows import Rows
from opsmetrics.snapshots.store import Snapshot

SHOWN_ROWS = 50
SHOWN_RUNS = 30


@dataclass(frozen=True, slots=True)
class Alarm:
    """A sign that numbers are tended instead of operations."""

    alarm: str
    team_id: str
    subject: str
    finding_count: int
    detail: str | None
    title: Text
    explanation: Text


@dataclass(frozen=True, slots=True)
class Exemption:
    """A waiver, an exclusion or a maintenance window that is valid; no day is left on its last day.

    ``is_counted`` is false of a waiver for which its area has no room. A window of a service that nobody owned has no
    team.
    """

    kind: str
    team_id: str | None
    subject: str
    reason: str
    approver: str
    last_day: date
    days_left: int
    is_counted: bool | None


@dataclass(frozen=True, slots=True)
class ExemptionDebt:
    """What its waivers are worth to a team."""

    team_id: str
    debt_points: float | None


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """One connected stream of one source."""

    stream: str
    origin: str
    is_register: bool
    expected_hours: int
    attempted_at: datetime | None
    error: str | None
    last_day: date | None
    row_count: int | None
    quarantined: int | None
    state: str


@dataclass(frozen=True, slots=True)
class SystemHealth:
    """One system that delivers: its streams together, told by the one whose newest day is oldest for its rhythm.

    Attributes:
        kind: Of connector, or files.
        origins: Names of its connectors in the configuration.
        stream: The stream that the other figures are about.
        silent: Streams that are late or failed.
        streams: How many it delivers.
        error: What went wrong, where something did.
        last_day: Newest day that is complete; None where nothing ever came.
        age: Days from then to the newest day of the snapshot; None where nothing ever came.
        limit: Days at which the stream counts as late.
        state: failed, late or fresh: that of its worst stream.
    """

    kind: str
    origins: list[str]
    stream: str
    silent: list[str]
    streams: int
    error: str | None
    last_day: date | None
    age: int | None
    limit: int
    state: str


@dataclass(frozen=True, slots=True)
class Touched:
    """How many teams have numbers of an area that rest on a silent stream of a system."""

    kind: str
    area_id: str
    teams: int


@dataclass(frozen=True, slots=True)
class MissingDays:
    """An unbroken gap of days that a connector owes."""

    stream: str
    origin: str
    starts_on: date
    ends_on: date
    day_count: int
    lost_on: date | None
    state: str


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Rows of one source set aside for one reason, and the first line of them."""

    stream: str
    source: str
    reason: str
    rows: int
    line: int | None


@dataclass(frozen=True, slots=True)
class UnmatchedName:
    """A name in a source that the configuration does not know, or that had no owner then."""

    stream: str
    kind: str
    name: str
    reason: str
    row_count: int
    first_on: date | None
    last_on: date | None


@dataclass(frozen=True, slots=True)
class SuspectMonitor:
    """A monitor that is down most of the time."""

    monitor_key: str
    down_ratio: float | None
    first_http_status: int | None


@dataclass(frozen=True, slots=True)
class Deliveries:
    """The days that a source delivered, oldest first."""

    stream: str
    origin: str
    days: list[date]


@dataclass(frozen=True, slots=True)
class TeamsWithout:
    """The teams that a stream says nothing about."""

    stream: str
    teams: list[str]


def alarms(snapshot: Snapshot, period: Period, team_id: str | None = None) -> Rows[Alarm]:
    """Return gaming alarms at an instant, of one team or of all."""
    return query(
        snapshot,
        Alarm,
        """select a.*, u.title_nb, u.title_en, u.explanation_nb, u.explanation_en from marts.gaming_alarms as a
           join meta.unscored as u on u.table_id = a.alarm
           where a.as_of = $as_of and a.grain = $grain and ($team_id is null or a.team_id = $team_id)
           order by a.team_id, a.alarm, a.subject""",
        period.instant(team_id=team_id),
    )


def exemptions(snapshot: Snapshot, period: Period | None = None) -> Rows[Exemption]:
    """Return waivers and exemptions that are valid at an instant, else on the newest day; the next to end first."""
    return query(
        snapshot,
        Exemption,
        """with instant as (select coalesce($on, max("on")) as "on" from ref.as_of),
           counted as (
               select distinct s.team_id, s.reason
               from scores.metric as s
               join ref.as_of as w on w.as_of = s.as_of and w.grain = s.grain and w.grain in ('month', 'latest')
               join instant as i on i."on" = w."on"
               where s.status = 'waived'
           )
           select x.kind, x.exemption_id, x.team_id, x.subject, x.reason, x.compensating_measure, x.approver,
               x.valid_from, x.valid_to, true as is_active, date_diff('day', i."on", x.valid_to - 1) as days_left,
               x.weight, case when x.kind = 'waiver' then c.reason is not null end as is_counted,
               x.valid_to - 1 as last_day
           from marts.exemptions as x
           join instant as i on x.valid_from <= i."on" and i."on" < x.valid_to
           left join counted as c on c.team_id = x.team_id and c.reason = 'waiver:' || x.exemption_id
           order by x.valid_to, x.kind, x.exemption_id""",
        {"on": period.on if period else None},
    )


def exemption_debt(snapshot: Snapshot, period: Period) -> Rows[ExemptionDebt]:
    """Return what waivers are worth to each team at an instant; teams without any are left out."""
    return query(
        snapshot,
        ExemptionDebt,
        """select * from marts.exemption_debt where as_of = $as_of and grain = $grain and waived_count > 0
           order by debt_points desc nulls last, team_id""",
        period.instant(),
    )


def sources(snapshot: Snapshot) -> Rows[SourceHealth]:
    """Return every connected stream with its freshness, worst first."""
    return query(
        snapshot,
        SourceHealth,
        """select * from marts.source_health
           order by list_position(['failed', 'late', 'gaps', 'fresh', 'ended'], state), stream, origin""",
    )


def systems(snapshot: Snapshot) -> Rows[SystemHealth]:
    """Return the systems that deliver, worst first: failed, late, fresh, and of those the longest silent."""
    return query(
        snapshot,
        SystemHealth,
        """with today as (select max("on") as day from ref.as_of),
           live as (
               select h.* replace (case state when 'gaps' then 'fresh' else state end as state),
                   case state when 'failed' then 0 when 'late' then 1 else 2 end as rank,
                   greatest(0, date_diff('day', h.last_day, t.day)) as age,
                   -- As marts.source_health judges: late is older than two expected intervals.
                   cast(greatest(2, ceil(h.expected_hours / 12.0)) as integer) as days
               from marts.source_health as h cross join today as t where h.state <> 'ended'
           ),
           worst as (
               select * from live qualify row_number() over (
                   partition by kind order by rank, age / days desc nulls first, age desc, stream, origin
               ) = 1
           )
           select w.kind, w.stream, w.error, w.last_day, w.age, w.days as "limit", w.state, a.origins, a.streams,
               a.silent
           from worst as w
           join (
               select kind, list(distinct origin order by origin) as origins, count(distinct stream) as streams,
                   coalesce(list(distinct stream order by stream) filter (rank < 2), []) as silent
               from live group by kind
           ) as a using (kind)
           order by w.rank, w.age desc nulls first, w.kind""",
    )


def touched(snapshot: Snapshot, period: Period) -> Rows[Touched]:
    """Return whose numbers rest on what is silent, most teams first: areas of each system."""
    return query(
        snapshot,
        Touched,
        """with silent as (
               select distinct kind, stream from marts.source_health where state in ('failed', 'late')
           )
           select h.kind, m.area_id, count(distinct s.team_id) as teams
           from silent as h
           join meta.metrics as m on list_contains(m.needs, h.stream)
           join scores.metric as s on s.metric_id = m.metric_id and s.as_of = $as_of and s.grain = $grain
               and s.status <> 'not_applicable'
           group by h.kind, m.area_id order by teams desc, m.area_id""",
        period.instant(),
    )


def is_connected(snapshot: Snapshot, stream: str) -> bool:
    """Whether anybody delivers a stream."""
    return bool(
        frame(snapshot, "select 1 from meta.streams where stream = $stream and is_connected", {"stream": stream}).height
    )


def missing_days(snapshot: Snapshot) -> Rows[MissingDays]:
    """Return the days that sources owe, most urgent first."""
    return query(
        snapshot,
        MissingDays,
        f"""select * from marts.missing_days
            order by case state when 'at_risk' then 0 when 'late' then 1 else 2 end, stream, origin, starts_on
            limit {SHOWN_ROWS}""",
    )


def quarantine(snapshot: Snapshot) -> Rows[Quarantined]:
    """Return the rows set aside in loads that still count, by reason: correcting a source clears its list."""
    return query(
        snapshot,
        Quarantined,
        f"""select stream, source, reason, count(*) as rows, min(line) as line from meta.quarantine
            where (stream, load_id) in (
                select (stream, load_id) from meta.load_days
                union select (stream, load_id) from meta.register_loads
            )
            group by all order by rows desc, stream, reason limit {SHOWN_ROWS}""",
    )


def unmatched(snapshot: Snapshot) -> Rows[UnmatchedName]:
    """Return the names in the sources whose rows belong to nobody, most rows first."""
    return query(
        snapshot,
        UnmatchedName,
        f"""select stream, kind, name, reason, service_id, row_count, stream_rows, first_on, last_on
            from facts.unmatched_rows order by row_count desc limit {SHOWN_ROWS}""",
    )


def notices(snapshot: Snapshot) -> Rows[Notice]:
    """Return what makes the data say less than they seem to."""
    return query(snapshot, Notice, SELECT)


def suspect_monitors(snapshot: Snapshot) -> Rows[SuspectMonitor]:
    """Return monitors that are down most of the time, worst first."""
    sql = f"select * from marts.suspect_monitors order by down_ratio desc limit {SHOWN_ROWS}"
    return query(snapshot, SuspectMonitor, sql)


def deliveries(snapshot: Snapshot) -> Rows[Deliveries]:
    """Return the last thirty days that each source delivered. A register stands for every day, so it has none."""
    return query(
        snapshot,
        Deliveries,
        f"""select stream, origin, list(distinct day order by day) as days from meta.load_days
            where day > (select max("on") from ref.as_of) - {SHOWN_RUNS} group by all""",
    )


def last_day(snapshot: Snapshot) -> date:
    """Return the newest day that the snapshot speaks of."""
    return frame(snapshot, """select max("on") as day from ref.as_of""")["day"][0]


def due_exemptions(snapshot: Snapshot, within_days: int, period: Period | None = None) -> list[Exemption]:
    """Return exemptions that are valid at an instant and end within some days of it, the next first."""
    return [row for row in exemptions(snapshot, period) if row.days_left <= within_days]


def teams_without(snapshot: Snapshot, period: Period) -> Rows[TeamsWithout]:
    """Return the teams that a stream says nothing about, by the reasons of their metrics."""
    return query(
        snapshot,
        TeamsWithout,
        """with missing as (
               select team_id, unnest(string_split(split_part(reason, ':', 2), ',')) as stream
               from scores.metric where as_of = $as_of and grain = $grain and reason like 'not_connected:%'
           )
           select stream, list(distinct team_id order by team_id) as teams from missing group by stream""",
        period.instant(),
    )
