"""What can be gained: gaps, the plan to the next level, goals and what came of them, duties that are not met."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from opsmetrics.language.bilingual import Text
from opsmetrics.snapshots.queries.catalogue import REQUIRED_POINTS
from opsmetrics.snapshots.queries.period import Period
from opsmetrics.snapshots.queries.reader import frame, query
from opsmetrics.snapshots.queries.rows import Rows
from opsmetrics.snapshots.store import Snapshot

# The register keeps a goal's state of today alone. At an instant of the past one is done where its review says so,
# begun where the action was at work; of one that was given up nobody knows when, so it is that from the start.
STATUS_THEN = """case when $grain = 'latest' or g.status = 'dropped' then g.status when r.is_closed then 'done'
    when g.acted_on <= $on then 'in_progress' else 'planned' end"""

STANDINGS = ("over", "late", "cannot_tell", "on_time", "closed", "ended")
"""How a decision can stand, the most pressing first; what is reached is not overdue, whatever the register says."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Points that a team does not have, what closing the gap gives, and the goal that was set for it."""

    team_id: str
    area_id: str
    metric_id: str
    points_lost: float
    gain_if_met: float
    gain_to_krav: float
    effort_days: float
    shows_on: date | None
    waits_for: int | None
    dates_rest_on: str | None
    gain_this_quarter: float | None
    quarter_gain_per_day: float | None
    is_for_gate: bool | None
    value: float | None
    points: float | None
    status: str
    effort: str
    owner_role: str | None
    due_on: date | None
    goal_status: str | None
    is_overdue: bool


@dataclass(frozen=True, slots=True)
class PlanStep:
    """One step of the cheapest way to a team's next level."""

    team_id: str
    target_level: int
    position: int
    metric_id: str
    effort_days: float
    points_before: float | None
    is_for_gate: bool
    score_after: float | None
    shows_on: date | None
    waits_for: int | None
    dates_rest_on: str | None
    remedy_id: str | None
    level_on: date | None
    is_within_year: bool


@dataclass(frozen=True, slots=True)
class GoalReview:
    """One decision and what came of it (method 3.11); ``days_left`` is negative where it is overdue."""

    team_id: str
    metric_id: str
    title: Text
    unit: str
    decided_on: date
    due_on: date
    points_then: float | None
    points_now: float | None
    aim_points: float | None
    expected_points: float | None
    declared_points: float | None
    recovered_points: float | None
    forecast_on: date | None
    slip_days: int | None
    forecast: str
    owner_role: str
    status: str
    is_open: bool
    campaign: str | None
    effect: str
    can_show_better: bool
    before_mean: float | None
    after_mean: float | None
    days_left: int

    @property
    def standing(self) -> str:
        """Return one of :data:`STANDINGS`: reached; of what is open its date and pace; else ``ended``."""
        if self.forecast == "closed" and self.status != "dropped":
            return "closed"
        if not self.is_open:
            return "ended"
        if self.days_left < 0:
            return "over"
        return "late" if self.forecast == "not_moving" else self.forecast

    @property
    def said(self) -> str:
        """What people are told of the effect: where better could not have been seen, that nobody can tell."""
        is_hidden = self.effect == "no_certain_shift" and not self.can_show_better
        return "out_of_reach" if is_hidden else self.effect


@dataclass(frozen=True, slots=True)
class UnmetObligation:
    """A duty of the handbook, the teams that do not meet it, how many have points for it, and where it is read."""

    obligation_id: str
    text: Text
    unmet_count: int
    team_count: int
    teams: list[str]
    link: str | None


def gaps(snapshot: Snapshot, period: Period, *, team_id: str | None = None, area_id: str | None = None) -> Rows[Gap]:
    """Return gaps of one team or area or of all, with value, goal, and whether it is overdue; what to fix first on top.

    What frees a gate is one of them, also where it costs no points. Gates stand first, then what can be had this
    quarter per team-day; of an instant that is past, gain per team-day.
    """
    return query(
        snapshot,
        Gap,
        f"""with goals as (
               select g.team_id, g.metric_id, g.owner_role, g.due_on, {STATUS_THEN} as status,
                   coalesce(r.is_closed, false) as is_reached
               from ref.goals as g
               left join scores.goal as r on r.team_id = g.team_id and r.metric_id = g.metric_id
                   and r.decided_on = g.decided_on and r.as_of = $as_of and r.grain = $grain
               where g.decided_on <= $on and {STATUS_THEN} in ('planned', 'in_progress')
               qualify row_number() over (partition by g.team_id, g.metric_id order by g.decided_on desc) = 1
           )
           select g.*, s.value, s.points, s.status, m.effort, o.owner_role, o.due_on, o.status as goal_status,
               coalesce(o.due_on < $on and not o.is_reached, false) as is_overdue
           from scores.gap as g
           join scores.metric as s using (team_id, metric_id, as_of, grain)
           join meta.metrics as m using (metric_id)
           left join goals as o on o.team_id = g.team_id and o.metric_id = g.metric_id
           where g.as_of = $as_of and g.grain = $grain and ($team_id is null or g.team_id = $team_id)
               and ($area_id is null or g.area_id = $area_id)
               and (g.points_lost > 0 or g.is_for_gate)
           order by g.is_for_gate desc nulls last, (g.is_for_gate and g.area_id = 'sec') desc nulls last,
               g.quarter_gain_per_day desc nulls last, g.gain_per_day desc, g.team_id, g.metric_id""",
        period.instant(on=period.on, team_id=team_id, area_id=area_id),
    )


def plan(snapshot: Snapshot, period: Period, team_id: str) -> Rows[PlanStep]:
    """Return the cheapest way to a team's next level, first step first; none at instants of the past."""
    sql = "select * from scores.plan where team_id = $team_id and $grain = 'latest' order by position"
    return query(snapshot, PlanStep, sql, {"team_id": team_id, "grain": period.grain})


def plans(snapshot: Snapshot, period: Period) -> Rows[PlanStep]:
    """Return the cheapest way to the next level of every team that has one to reach; none at instants of the past."""
    sql = "select * from scores.plan where $grain = 'latest' order by team_id, position"
    return query(snapshot, PlanStep, sql, {"grain": period.grain})


def gate_streams(snapshot: Snapshot) -> dict[str, list[str]]:
    """Return the streams that each gate rests on."""
    return dict(frame(snapshot, "select gate_id, needs from meta.gates order by gate_id").iter_rows())


def goal_reviews(snapshot: Snapshot, period: Period) -> Rows[GoalReview]:
    """Return every goal decided by an instant with what came of it, the next to fall due first."""
    return query(
        snapshot,
        GoalReview,
        f"""select r.* replace (cast(r.aim_points as double) as aim_points),
               g.expected_points as declared_points, g.owner_role, {STATUS_THEN} as status,
               {STATUS_THEN} in ('planned', 'in_progress') as is_open, g.acted_on, g.campaign,
               e.effect, e.can_show_better, e.before_count,
               e.after_count, e.before_mean, e.low, e.high, e.after_mean, m.title_nb, m.title_en, m.unit, m.area_id,
               date_diff('day', w."on", r.due_on) as days_left
           from scores.goal as r
           join ref.goals as g using (team_id, metric_id, decided_on)
           join scores.goal_effect as e using (team_id, metric_id, decided_on, as_of, grain)
           join ref.as_of as w using (as_of, grain)
           join meta.metrics as m using (metric_id)
           where r.as_of = $as_of and r.grain = $grain
           order by r.due_on, r.team_id, r.metric_id, r.decided_on""",
        period.instant(on=period.on),
    )


def unmet_obligations(snapshot: Snapshot, period: Period) -> Rows[UnmetObligation]:
    """Return the handbook's duties that some team does not meet at an instant, most teams first.

    A duty is met by a team where every metric of it that has points has those that its requirement asks for; what is
    not measured is neither, also where it costs points because it should have been.
    """
    return query(
        snapshot,
        UnmetObligation,
        f"""with duties as (
               select obligation_id, area_id, text_nb, text_en, link, strength, unnest(measured_by) as metric_id
               from meta.obligations where strength = 'shall'
           ),
           verdicts as (
               select d.obligation_id, d.area_id, d.text_nb, d.text_en, d.link, s.team_id,
                   bool_or(s.points < {REQUIRED_POINTS}) as is_unmet
               from duties as d join scores.metric as s using (metric_id) join meta.metrics as m using (metric_id)
               where s.as_of = $as_of and s.grain = $grain and s.points is not null
                   and not starts_with(s.status, 'not_measured')
               group by all
           )
           select obligation_id, area_id, text_nb, text_en, link, count(*) filter (is_unmet) as unmet_count,
               count(*) as team_count, list(team_id order by team_id) filter (is_unmet) as teams
           from verdicts group by all having count(*) filter (is_unmet) > 0
           order by unmet_count desc, obligation_id""",
        period.instant(),
    )
