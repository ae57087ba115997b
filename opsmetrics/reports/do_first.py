"""What a team does first: one action with what fails, why, who, when and how much work; then the way to the next level.

Gates stand before points, and exploited vulnerabilities before other gates. What nobody measures has no remedy: there
the advice is to connect the source. Does not belong here: how it looks, and what the words are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from opsmetrics.reports.failing import FULL_POINTS, Failing, failing
from opsmetrics.snapshots.queries import catalogue, scores
from opsmetrics.snapshots.queries import gaps as gap_queries
from opsmetrics.snapshots.queries.catalogue import Metric, Obligation, Team
from opsmetrics.snapshots.queries.gaps import Gap, PlanStep
from opsmetrics.snapshots.queries.period import Period
from opsmetrics.snapshots.queries.rows import index_by
from opsmetrics.snapshots.queries.scores import AreaScore, MetricScore, TeamScore
from opsmetrics.snapshots.store import Snapshot

SECURITY = "sec"
TOP_LEVEL = 4
_NOT_CONNECTED = "not_connected"
State = Literal["act", "past", "before_first_day", "no_data", "too_little", "nothing"]


@dataclass(frozen=True, slots=True)
class Action:
    """The thing to do first.

    Attributes:
        gap: The metric that it improves, with points, effort, date and goal.
        metric: The same metric in the catalogue.
        gate: The area that a gate holds down and this action frees, or None.
        step: The step of the plan that it is, or None.
        failing: What fails, by name, the worst first.
        duties: The handbook's sentences that ask for it.
    """

    gap: Gap
    metric: Metric
    gate: AreaScore | None
    step: PlanStep | None
    failing: Sequence[Failing]
    duties: Sequence[Obligation]


@dataclass(frozen=True, slots=True)
class Unconnected:
    """Streams that a team's metrics wait for.

    Attributes:
        streams: Names of the streams that are needed together.
        metric_ids: Metrics that nobody measures without them.
        overdue: How many of the metrics should have been measured by now.
    """

    streams: tuple[str, ...]
    metric_ids: tuple[str, ...]
    overdue: int


@dataclass(frozen=True, slots=True)
class DoFirst:
    """What a team's page says on top.

    Attributes:
        state: ``act``: there is an action. ``past``: the period is over. ``before_first_day``: the team had not begun.
            ``no_data``: nothing is measured. ``too_little``: something is and falls short, in areas with too little
            data for a score. ``nothing``: no measured point is lost.
        action: What to do first, where the state is ``act``.
        plan: The cheapest way to the next level, first step first; empty where there is none.
        waiting: Areas that a gate holds down and that no work frees: it ends by itself.
        unconnected: What should be connected, overdue first.
        reached: The next level where the scores reach it already, so that it needs no step but time; else None.
        is_top: Whether there is no level above the team's.
        first_day: The team's first day.
    """

    state: State
    action: Action | None
    plan: Sequence[PlanStep]
    waiting: Sequence[AreaScore]
    unconnected: Sequence[Unconnected]
    reached: int | None
    is_top: bool
    first_day: date | None


def do_first(
    snapshot: Snapshot, period: Period, team: Team, score: TeamScore | None, cells: Sequence[AreaScore]
) -> DoFirst:
    """Return what a team does first.

    Args:
        snapshot: Snapshot.
        period: Only the latest day has actions: what was to be done in a month that is over is of no use.
        team: Whose.
        score: Its score at the period, or None.
        cells: Its areas at the period.
    """
    if team.onboarded_on is not None and team.onboarded_on > period.on:
        return _without("before_first_day", team)
    if period.grain != "latest":
        return _without("past", team)
    metrics = index_by(catalogue.metrics(snapshot), lambda row: row.metric_id)
    found = list(gap_queries.gaps(snapshot, period, team_id=team.team_id))
    plan = list(gap_queries.plan(snapshot, period, team.team_id))
    rows = list(scores.metric_scores(snapshot, period, team_id=team.team_id))
    gates = [row for row in cells if row.gate is not None]
    gap = _first(found, plan, gates, gap_queries.gate_streams(snapshot), metrics)
    action = _action(snapshot, period, metrics, gap, gates, plan) if gap is not None else None
    freed = {each.area_id for each in found if each.is_for_gate}
    return DoFirst(
        state="act" if action is not None else _idle([row.points for row in rows if row.points is not None]),
        action=action,
        plan=plan,
        waiting=[row for row in gates if row.area_id not in freed],
        unconnected=unconnected(rows),
        reached=_reached(score, cells),
        is_top=score is not None and score.level == TOP_LEVEL,
        first_day=team.onboarded_on,
    )


def _idle(points: Sequence[float]) -> State:
    """Why there is no action, from the points of what is measured."""
    if not points:
        return "no_data"
    return "nothing" if min(points) >= FULL_POINTS else "too_little"


def _reached(score: TeamScore | None, cells: Sequence[AreaScore]) -> int | None:
    """The next level, where it waits for its weeks alone: the team's score is there, and no area is too low for it."""
    if score is None or score.level is None or (score.level_by_score or 0) <= score.level:
        return None
    known = [row for row in cells if row.score is not None]
    is_free = all(row.gate is None and (row.level_by_score or 0) >= score.level for row in known)
    return score.level + 1 if is_free else None


def _without(state: State, team: Team) -> DoFirst:
    return DoFirst(state, None, (), (), (), reached=None, is_top=False, first_day=team.onboarded_on)


def _first(
    found: Sequence[Gap],
    plan: Sequence[PlanStep],
    gates: Sequence[AreaScore],
    gate_streams: Mapping[str, Sequence[str]],
    metrics: Mapping[str, Metric],
) -> Gap | None:
    """The gap to close first: what frees a gate, security and then the lowest level first; the plan's first step; any.

    Where several gaps free gates of one area, the first is the one that rests on the streams of the gate that holds.
    """
    held = {row.area_id: row for row in gates}
    freeing = [gap for gap in found if gap.is_for_gate and gap.area_id in held]
    if freeing:

        def urgency(gap: Gap) -> tuple[bool, int, bool]:
            row = held[gap.area_id]
            rests_on = gate_streams.get(row.gate or "", ())
            return gap.area_id != SECURITY, row.level or 0, list(rests_on) != metrics[gap.metric_id].needs

        return min(freeing, key=urgency)
    by_metric = {gap.metric_id: gap for gap in found}
    planned = next((by_metric[step.metric_id] for step in plan if step.metric_id in by_metric), None)
    return planned or next(iter(found), None)


def _action(
    snapshot: Snapshot,
    period: Period,
    metrics: dict[str, Metric],
    gap: Gap,
    gates: Sequence[AreaScore],
    plan: Sequence[PlanStep],
) -> Action:
    metric = metrics[gap.metric_id]
    duties = index_by(catalogue.obligations(snapshot), lambda row: row.obligation_id)
    return Action(
        gap=gap,
        metric=metric,
        gate=next((row for row in gates if gap.is_for_gate and row.area_id == gap.area_id), None),
        step=next((step for step in plan if step.metric_id == gap.metric_id), None),
        failing=failing(snapshot, metric, period, gap.team_id),
        duties=[duties[name] for name in metric.obligations if name in duties],
    )


def is_unconnected(row: MetricScore) -> bool:
    """Whether a metric has no number because a source is not connected."""
    return row.points is None and (row.reason or "").startswith(f"{_NOT_CONNECTED}:")


def unconnected(rows: Sequence[MetricScore]) -> list[Unconnected]:
    """Return what a team's metrics wait for, by streams; the most overdue first, then what most metrics wait for.

    What is connected and does not tell a column is no missing connection.
    """
    waiting: dict[tuple[str, ...], list[MetricScore]] = {}
    for row in rows:
        name, _, streams = (row.reason or "").partition(":")
        if name == _NOT_CONNECTED and streams:
            waiting.setdefault(tuple(streams.split(",")), []).append(row)
    found = [
        Unconnected(
            streams,
            tuple(sorted(row.metric_id for row in each)),
            sum(row.status == "not_measured_overdue" for row in each),
        )
        for streams, each in waiting.items()
    ]
    return sorted(found, key=lambda each: (-each.overdue, -len(each.metric_ids), each.streams))
