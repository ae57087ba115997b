"""Scores, what they are made of, and how they moved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from opsmetrics.reading.reader import at, query
from opsmetrics.scoring.points import KRAV_POINTS
from opsmetrics.snapshot import Snapshot

SHOWN_CHANGES = 12
MONTHS = 12


def team_scores(snapshot: Snapshot, period: Mapping[str, Any]) -> pl.DataFrame:
    """Return every team's score at an instant."""
    return query(snapshot, "select * from scores.team where as_of = $as_of and grain = $grain", at(period))


def area_scores(snapshot: Snapshot, period: Mapping[str, Any]) -> pl.DataFrame:
    """Return every area score at an instant, with the gate's reason."""
    return query(
        snapshot,
        """select s.*, g.reason_nb, g.reason_en from scores.area as s
           left join meta.gates as g on g.gate_id = s.gate
           where s.as_of = $as_of and s.grain = $grain""",
        at(period),
    )


def metric_scores(snapshot: Snapshot, period: Mapping[str, Any]) -> pl.DataFrame:
    """Return every metric score at an instant."""
    return query(snapshot, "select * from scores.metric where as_of = $as_of and grain = $grain", at(period))


def team_months(snapshot: Snapshot) -> pl.DataFrame:
    """Return the monthly team scores, oldest first."""
    return query(snapshot, "select * from scores.team where grain = 'month' order by team_id, as_of")


def area_months(snapshot: Snapshot, team_id: str) -> pl.DataFrame:
    """Return the monthly area scores of a team, oldest first."""
    return query(
        snapshot,
        "select * from scores.area where grain = 'month' and team_id = $team_id order by area_id, as_of",
        {"team_id": team_id},
    )


def metric_weeks(snapshot: Snapshot, team_id: str, metric_id: str) -> pl.DataFrame:
    """Return the weekly values of a metric, oldest first."""
    return query(
        snapshot,
        """select s.*, w."on" from scores.metric as s join ref.as_of as w using (as_of, grain)
           where s.grain = 'week' and s.team_id = $team_id and s.metric_id = $metric_id order by s.as_of""",
        {"team_id": team_id, "metric_id": metric_id},
    )


def entities(snapshot: Snapshot, period: Mapping[str, Any], team_id: str, metric_id: str) -> pl.DataFrame:
    """Return the points of each entity, worst first."""
    return query(
        snapshot,
        """select * from scores.entity where as_of = $as_of and grain = $grain and team_id = $team_id
           and metric_id = $metric_id order by points nulls first, entity_id""",
        {**at(period), "team_id": team_id, "metric_id": metric_id},
    )


def evidence(snapshot: Snapshot, evidence_sql: str, period: Mapping[str, Any], team_id: str) -> pl.DataFrame:
    """Return the rows behind a metric's numbers: the metric's own SQL, stopped one step earlier."""
    return query(
        snapshot,
        f"select * from ({evidence_sql}) where team_id = $team_id and as_of = $as_of and grain = $grain"
        " order by item_at desc nulls last, item_id",
        {**at(period), "team_id": team_id},
    )


def trends(snapshot: Snapshot, team_id: str) -> pl.DataFrame:
    """Return the trends of a team, its areas and its metrics."""
    return query(snapshot, "select * from scores.trend where team_id = $team_id", {"team_id": team_id})


def changes(snapshot: Snapshot, team_id: str) -> pl.DataFrame:
    """Return what the changes of a team's score are made of, newest first."""
    return query(
        snapshot,
        f"""select c.*, w."on" from scores.change as c join ref.as_of as w using (as_of, grain)
            where c.team_id = $team_id order by c.as_of desc, c.grain limit {SHOWN_CHANGES}""",
        {"team_id": team_id},
    )


def plan(snapshot: Snapshot, team_id: str) -> pl.DataFrame:
    """Return the cheapest way to a team's next level, first step first."""
    return query(snapshot, "select * from scores.plan where team_id = $team_id order by position", {"team_id": team_id})


def plans(snapshot: Snapshot) -> pl.DataFrame:
    """Return the cheapest way to the next level of every team that has one to reach."""
    return query(snapshot, "select * from scores.plan order by team_id, position")


def score_parts(snapshot: Snapshot, period: Mapping[str, Any], team_id: str) -> pl.DataFrame:
    """Return the metrics that make a team's area scores, with their weights, in the order of areas."""
    return query(
        snapshot,
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
        {**at(period), "team_id": team_id},
    )


def restated(snapshot: Snapshot, team_id: str) -> pl.DataFrame:
    """Return published team and area scores that are others today, newest first."""
    return query(
        snapshot,
        """select p.*, w.label from scores.published as p join ref.as_of as w using (as_of, grain)
           where p.team_id = $team_id and p.metric_id = '' and p.cause <> 'none' order by p.as_of desc, p.area_id""",
        {"team_id": team_id},
    )


def control_chart(snapshot: Snapshot, team_id: str, metric_id: str) -> pl.DataFrame:
    """Return the XmR chart of a metric, oldest point first."""
    return query(
        snapshot,
        """select c.*, w."on" from scores.control_chart as c join ref.as_of as w using (as_of, grain)
           where c.team_id = $team_id and c.metric_id = $metric_id order by c.as_of""",
        {"team_id": team_id, "metric_id": metric_id},
    )


def diagnostics(snapshot: Snapshot, period: Mapping[str, Any], team_id: str) -> pl.DataFrame:
    """Return every diagnostic of a team at an instant."""
    names = query(snapshot, "select table_id from meta.unscored where kind = 'diagnostics' order by 1")["table_id"]
    union = " union all by name ".join(f"select '{name}' as table_id, * from diagnostics.{name}" for name in names)
    return query(
        snapshot,
        f"""select d.*, u.title_nb, u.title_en, u.explanation_nb, u.explanation_en, u.unit from ({union}) as d
            join meta.unscored as u using (table_id)
            where d.team_id = $team_id and d.as_of = $as_of and d.grain = $grain
            order by d.table_id, d.entity_id, d.statistic""",
        {**at(period), "team_id": team_id},
    )


def organisation_facts(snapshot: Snapshot, period: Mapping[str, Any]) -> pl.DataFrame:
    """Return the facts that no single team answers for, at an instant."""
    names = query(snapshot, "select table_id from meta.unscored where kind = 'organisation' order by 1")["table_id"]
    union = " union all by name ".join(f"select '{name}' as table_id, * from organisation.{name}" for name in names)
    return query(
        snapshot,
        f"""select o.*, u.title_nb, u.title_en, u.explanation_nb, u.explanation_en from ({union}) as o
            join meta.unscored as u using (table_id)
            where o.as_of = $as_of and o.grain = $grain order by o.table_id""",
        at(period),
    )


def gaps(snapshot: Snapshot, period: Mapping[str, Any], team_id: str | None = None) -> pl.DataFrame:
    """Return the gaps of a team or of all, largest gain first, with value, goal, and whether the goal is overdue."""
    return query(
        snapshot,
        """select g.*, s.value, s.points, s.status, m.effort, o.owner_role, o.due_on, o.status as goal_status,
               coalesce(o.due_on < (select max("on") from ref.as_of), false) as is_overdue
           from scores.gap as g
           join scores.metric as s using (team_id, metric_id, as_of, grain)
           join meta.metrics as m using (metric_id)
           left join ref.goals as o on o.team_id = g.team_id and o.metric_id = g.metric_id and o.is_open
           where g.as_of = $as_of and g.grain = $grain and ($team_id is null or g.team_id = $team_id)
               and g.points_lost > 0
           order by g.gain_if_met desc, g.team_id, g.metric_id""",
        {**at(period), "team_id": team_id},
    )


def goal_reviews(snapshot: Snapshot, period: Mapping[str, Any]) -> pl.DataFrame:
    """Return every goal decided by an instant with what came of it, the next to fall due first.

    ``days_left`` is counted from the instant (negative: overdue).
    """
    return query(
        snapshot,
        """select r.*, g.owner_role, g.status, g.is_open, g.acted_on, g.campaign, e.effect, e.before_count,
               e.after_count, e.before_mean, e.low, e.high, e.after_mean, m.title_nb, m.title_en, m.unit, m.area_id,
               date_diff('day', w."on", r.due_on) as days_left
           from scores.goal as r
           join ref.goals as g using (team_id, metric_id, decided_on)
           join scores.goal_effect as e using (team_id, metric_id, decided_on, as_of, grain)
           join ref.as_of as w using (as_of, grain)
           join meta.metrics as m using (metric_id)
           where r.as_of = $as_of and r.grain = $grain
           order by r.due_on, r.team_id, r.metric_id, r.decided_on""",
        at(period),
    )


def unmet_obligations(snapshot: Snapshot, period: Mapping[str, Any], krav: float) -> pl.DataFrame:
    """Return the handbook's duties that some team does not meet at an instant, most teams first.

    A duty is met by a team where every metric of it that has points has at least ``krav``; what is not measured is
    neither. ``team_count``: teams with points for it.
    """
    return query(
        snapshot,
        """with duties as (
               select obligation_id, area_id, text_nb, text_en, strength, unnest(measured_by) as metric_id
               from meta.obligations where strength = 'shall'
           ),
           verdicts as (
               select d.obligation_id, d.area_id, d.text_nb, d.text_en, s.team_id, min(s.points) < $krav as is_unmet
               from duties as d join scores.metric as s using (metric_id)
               where s.as_of = $as_of and s.grain = $grain and s.points is not null
               group by all
           )
           select obligation_id, area_id, text_nb, text_en, count(*) filter (is_unmet) as unmet_count,
               count(*) as team_count, list(team_id order by team_id) filter (is_unmet) as teams
           from verdicts group by all having count(*) filter (is_unmet) > 0
           order by unmet_count desc, obligation_id""",
        {**at(period), "krav": krav},
    )


def months(snapshot: Snapshot, level: int) -> pl.DataFrame:
    """Return each month-end's median team score and how many teams have at least a level, oldest first."""
    return query(
        snapshot,
        """select as_of, median(score) as score, count(*) filter (level >= $level) as met, count(score) as scored
           from scores.team where grain = 'month' group by as_of order by as_of""",
        {"level": level},
    )


def area_spread(snapshot: Snapshot, period: Mapping[str, Any], area_id: str) -> pl.DataFrame:
    """Return median and middle half of an area over the month-ends up to an instant, oldest first."""
    return query(
        snapshot,
        """select w."on", median(s.score) as median, quantile_cont(s.score, 0.25) as low,
               quantile_cont(s.score, 0.75) as high, count(s.score) as teams
           from scores.area as s join ref.as_of as w using (as_of, grain)
           where s.area_id = $area_id and s.as_of <= $as_of
               and (s.grain = 'month' or (s.grain = $grain and s.as_of = $as_of))
           group by w."on" having count(s.score) > 0 order by w."on" """,
        {**at(period), "area_id": area_id},
    )


def area_before(snapshot: Snapshot, period: Mapping[str, Any], area_id: str) -> pl.DataFrame:
    """Return each team's score of an area at the month-end nearest to twelve months before an instant."""
    return query(
        snapshot,
        """with earlier as (
               select as_of from ref.as_of
               where grain = 'month' and as_of <= $as_of - interval 11 month order by as_of desc limit 1
           )
           select team_id, score from scores.area where grain = 'month' and area_id = $area_id
               and as_of = (select as_of from earlier) and score is not null""",
        {"as_of": period["as_of"], "area_id": area_id},
    )


def area_metrics(snapshot: Snapshot, period: Mapping[str, Any], area_id: str) -> pl.DataFrame:
    """Return an area's metrics: median points, how many teams meet the requirement, points to gain; most first."""
    return query(
        snapshot,
        """select m.metric_id, m.title_nb, m.title_en, m.why_nb, m.why_en, median(s.points) as points,
               count(*) filter (s.points >= $krav) as met, count(s.points) as measured,
               coalesce(sum(g.gain_if_met), 0) as gain
           from meta.metrics as m
           left join scores.metric as s on s.metric_id = m.metric_id and s.as_of = $as_of and s.grain = $grain
           left join scores.gap as g on g.team_id = s.team_id and g.metric_id = s.metric_id
               and g.as_of = s.as_of and g.grain = s.grain
           where m.area_id = $area_id group by all order by gain desc, m.metric_id""",
        {**at(period), "area_id": area_id, "krav": KRAV_POINTS},
    )


def marks(snapshot: Snapshot, period: Mapping[str, Any]) -> pl.DataFrame:
    """Return for each team and area how many metrics are stale and how many are waived."""
    return query(
        snapshot,
        """select s.team_id, m.area_id, count(*) filter (s.status = 'stale') as stale,
               count(*) filter (s.status = 'waived') as waived
           from scores.metric as s join meta.metrics as m using (metric_id)
           where s.as_of = $as_of and s.grain = $grain group by all""",
        at(period),
    )


def verdicts(snapshot: Snapshot) -> pl.DataFrame:
    """Return the trends of teams and areas that are certain, with their change in points over the year."""
    return query(
        snapshot,
        """select team_id, coalesce(area_id, '') as area_id, verdict, change from scores.trend
           where metric_id is null and verdict in ('better', 'worse')""",
    )


def signals(snapshot: Snapshot, period: Mapping[str, Any]) -> pl.DataFrame:
    """Return metrics whose newest period left its natural variation when the one before had not (method 3.11).

    Largest weight first. ``is_better``: the metric moved the way its target lies.
    """
    return query(
        snapshot,
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
           select p.team_id, p.metric_id, p.value, b.value as value_before, p.low, p.high, p.centre, p.signal, w."on",
               m.area_id, m.title_nb, m.title_en, m.unit,
               (case when p.signal = 'seven_rising_or_falling' then p.value > b.value
                   else p.value > p.centre end) = (m.mal > m.floor) as is_better
           from points as p
           join ref.as_of as w using (as_of, grain)
           join meta.metrics as m using (metric_id)
           left join before as b on b.team_id = p.team_id and b.metric_id = p.metric_id
           where coalesce(b.signal, '') = ''
           order by m.weight desc, p.team_id, p.metric_id""",
        {"as_of": period["as_of"]},
    )


def all_changes(snapshot: Snapshot, period: Mapping[str, Any]) -> pl.DataFrame:
    """Return what the change of every team's score up to an instant is made of, largest change first."""
    return query(
        snapshot,
        """select c.*, w."on" from scores.change as c join ref.as_of as w using (as_of, grain)
           where c.as_of = $as_of and c.grain = $grain
           order by abs(c.score_after - c.score_before) desc, c.team_id""",
        at(period),
    )
