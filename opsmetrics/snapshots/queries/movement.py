"""How scores and metrics moved: changes and their parts, trends, control charts, signals, restated scores."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from opsmetrics.language import fmt
from opsmetrics.language.bilingual import Text
from opsmetrics.snapshots.queries.period import Period
from opsmetrics.snapshots.queries.reader import query
from opsmetrics.snapshots.queries.rows import Rows
from opsmetrics.snapshots.store import Snapshot

SHOWN_CHANGES = 12


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a team's score and its parts, which sum to the difference (ADR 0009).

    ``from_on`` and ``on`` are the last days of what it goes from and to, by the organisation's own clock.
    """

    team_id: str
    from_on: date
    on: date
    score_before: float
    score_after: float
    performance: float
    coverage: float
    scope: float
    waivers: float
    rules: float
    ownership: float

    @property
    def points(self) -> float:
        """What it comes to, as the two scores are shown."""
        return fmt.moved(self.score_before, self.score_after) or 0.0

    def part(self, name: str) -> float:
        """Return the points of one part of ``opsmetrics.scoring.change.PARTS``."""
        parts = {
            "performance": self.performance,
            "coverage": self.coverage,
            "scope": self.scope,
            "waivers": self.waivers,
            "rules": self.rules,
            "ownership": self.ownership,
        }
        return parts[name]


@dataclass(frozen=True, slots=True)
class Trend:
    """The trend of a team, of one of its areas or of one of its metrics (method 3.11)."""

    area_id: str | None
    metric_id: str | None
    grain: str
    n: int
    change: float | None
    verdict: str
    weight_share: float | None


@dataclass(frozen=True, slots=True)
class CertainTrend:
    """The change over a year of a team (``area_id`` empty) or of one of its areas, where it is certain."""

    team_id: str
    area_id: str
    change: float


@dataclass(frozen=True, slots=True)
class ControlPeriod:
    """One period of a metric's control chart (method 3.11)."""

    as_of: datetime
    grain: str
    on: date
    value: float
    centre: float | None
    low: float | None
    high: float | None
    is_trial: bool
    signal: str
    chart: str
    reason: str
    krav: float
    today: float | None
    since_miss: float | None
    since_limit: float | None


@dataclass(frozen=True, slots=True)
class Signal:
    """A metric that left its natural variation; ``is_better``: it moved the way its target lies.

    ``value`` is that of the chart's newest period, ``value_now`` that of the instant over the metric's own window.
    """

    team_id: str
    metric_id: str
    title: Text
    unit: str
    value: float
    value_before: float | None
    value_now: float | None
    centre: float | None
    signal: str
    is_better: bool | None


@dataclass(frozen=True, slots=True)
class Restated:
    """A published score that is another today; ``area_id`` is empty for the team's."""

    label: str
    grain: str
    on: date
    area_id: str
    published_score: float | None
    restated_score: float | None
    cause: str

    @property
    def difference(self) -> float | None:
        """Points between the two, as they are shown; None where one of them is missing."""
        return fmt.moved(self.published_score, self.restated_score)


_DAYS = """(select any_value(f."on") from ref.as_of as f where f.as_of = c.from_as_of) as from_on, w."on" """

# A team or area has series of months and of quarters: the one that can tell, of two the one that follows more weight.
_BEST_FOLLOWED = """
    select * from scores.trend where metric_id is null
    qualify row_number() over (
        partition by team_id, area_id order by verdict <> 'too_few_points' desc, weight_share desc, grain
    ) = 1
"""


def team_trend(snapshot: Snapshot, period: Period, team_id: str) -> Trend | None:
    """Return the trend of a team's own score; None where it has none, and of the past: it is kept of now."""
    if period.is_past:
        return None
    return query(
        snapshot,
        Trend,
        f"select * from ({_BEST_FOLLOWED}) where team_id = $team_id and area_id is null",
        {"team_id": team_id},
    ).first()


def certain_trends(snapshot: Snapshot) -> Rows[CertainTrend]:
    """Return the trends of teams and areas that are certain, with their change in points over the year."""
    return query(
        snapshot,
        CertainTrend,
        f"""select team_id, coalesce(area_id, '') as area_id, verdict, change from ({_BEST_FOLLOWED})
            where verdict in ('better', 'worse')""",
    )


def changes(snapshot: Snapshot, period: Period, team_id: str) -> Rows[Change]:
    """Return what the changes of a team's score up to an instant are made of, newest first."""
    return query(
        snapshot,
        Change,
        f"""select c.*, {_DAYS} from scores.change as c join ref.as_of as w using (as_of, grain)
            where c.team_id = $team_id and c.as_of <= $as_of
            -- A latest day that ends a month is that month once more.
            qualify row_number() over (partition by c.as_of order by c.grain = $grain desc, c.grain desc) = 1
            order by c.as_of desc limit {SHOWN_CHANGES}""",
        period.instant(team_id=team_id),
    )


def all_changes(snapshot: Snapshot, period: Period) -> Rows[Change]:
    """Return what the change of every team's score up to an instant is made of, largest change first."""
    return query(
        snapshot,
        Change,
        f"""select c.*, {_DAYS} from scores.change as c join ref.as_of as w using (as_of, grain)
           where c.as_of = $as_of and c.grain = $grain
           order by abs(c.score_after - c.score_before) desc, c.team_id""",
        period.instant(),
    )


def restated(snapshot: Snapshot, period: Period, team_id: str) -> Rows[Restated]:
    """Return team and area scores published up to an instant that are others today, newest first."""
    return query(
        snapshot,
        Restated,
        """select p.*, w.label, w."on" from scores.published as p join ref.as_of as w using (as_of, grain)
           where p.team_id = $team_id and p.metric_id = '' and p.cause <> 'none' and p.as_of <= $as_of
           order by p.as_of desc, p.area_id""",
        {"as_of": period.as_of, "team_id": team_id},
    )


def control_chart(snapshot: Snapshot, team_id: str, metric_id: str) -> Rows[ControlPeriod]:
    """Return the control chart of a metric, oldest point first."""
    return query(
        snapshot,
        ControlPeriod,
        """select c.*, w."on" from scores.control_chart as c join ref.as_of as w using (as_of, grain)
           where c.team_id = $team_id and c.metric_id = $metric_id order by c.as_of""",
        {"team_id": team_id, "metric_id": metric_id},
    )


def signals(snapshot: Snapshot, period: Period) -> Rows[Signal]:
    """Return metrics whose newest period left its natural variation when the one before had not (method 3.11).

    Largest weight first.
    """
    return query(
        snapshot,
        Signal,
        """with newest as (
               select team_id, metric_id, max(as_of) as as_of from scores.control_chart
               where as_of <= $as_of and as_of > $as_of - interval 2 month
               group by team_id, metric_id
           ),
           points as (
               select c.* from scores.control_chart as c join newest using (team_id, metric_id, as_of)
               where c.signal <> '' and not c.is_trial
           ),
           before as (
               select c.team_id, c.metric_id, arg_max_null(c.signal, c.as_of) as signal,
                   arg_max_null(c.value, c.as_of) as value
               from scores.control_chart as c
               join points as p on p.team_id = c.team_id and p.metric_id = c.metric_id and c.as_of < p.as_of
               group by c.team_id, c.metric_id
           )
           select p.team_id, p.metric_id, p.value, b.value as value_before,
               case when s.points is not null then s.value end as value_now, p.low, p.high, p.centre, p.signal, w."on",
               m.area_id, m.title_nb, m.title_en, m.unit,
               p.signal = 'long_without_miss'
                   or (case when p.signal in ('seven_rising_or_falling', 'changed') then p.value > b.value
                       else p.value > p.centre end) = (m.mal > m.floor) as is_better
           from points as p
           join ref.as_of as w using (as_of, grain)
           join meta.metrics as m using (metric_id)
           left join before as b on b.team_id = p.team_id and b.metric_id = p.metric_id
           left join scores.metric as s on s.team_id = p.team_id and s.metric_id = p.metric_id
               and s.as_of = $as_of and s.grain = $grain
           -- Of a full count that stands still each change is a fact of its own.
           where coalesce(b.signal, '') = '' or p.signal = 'changed'
           order by m.weight desc, p.team_id, p.metric_id""",
        period.instant(),
    )
