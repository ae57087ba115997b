"""What several lifts give together, in points of the team score: never added up, because gains overlap (method 3.5).

Each area's score with the lifted points, then the mean and the weakest of those: where the weakest area rises, another
becomes the weakest. Every joint gain that a page or a report tells comes from here.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import polars as pl
from cachetools import LRUCache, cached

from opsmetrics.scoring.points import FULL_POINTS
from opsmetrics.snapshots.queries.catalogue import metrics as all_metrics
from opsmetrics.snapshots.queries.catalogue import rules
from opsmetrics.snapshots.queries.gaps import Gap, GoalReview
from opsmetrics.snapshots.queries.period import Period
from opsmetrics.snapshots.queries.reader import frame
from opsmetrics.snapshots.store import Snapshot

Lifts = Mapping[tuple[str, str], float]
"""What metrics of teams are lifted to, in points, by team and metric; one that has more is not lowered."""

_PARTS = """select s.team_id, m.area_id, s.metric_id, s.points, s.weight * s.evidence_weight as effective, a.score,
       p.weight as area_weight
   from scores.metric as s
   join meta.metrics as m using (metric_id)
   join meta.areas as p on p.area_id = m.area_id
   join scores.area as a
       on a.team_id = s.team_id and a.area_id = m.area_id and a.as_of = s.as_of and a.grain = s.grain
   where s.as_of = $as_of and s.grain = $grain and s.points is not null and a.status = 'ok'
       and s.weight * s.evidence_weight > 0
   order by s.team_id, m.area_id, s.metric_id"""
_TEAMS = "select team_id from scores.team where as_of = $as_of and grain = $grain and score is not null"

# A page asks for the same gains each time that it is opened; a fifth of its time went there.
_KEPT_GAINS = 20_000
_known: LRUCache[Any, Mapping[str, float]] = LRUCache(_KEPT_GAINS, getsizeof=lambda found: len(found) + 1)


def _key(snapshot: Snapshot, as_of: datetime, grain: str, lifts: Lifts) -> Hashable:
    return str(snapshot.path), as_of, grain, frozenset(lifts.items())


@cached(_known, key=_key, lock=threading.Lock())
def gains(snapshot: Snapshot, as_of: datetime, grain: str, lifts: Lifts) -> Mapping[str, float]:
    """Return what the lifts of each team give it together.

    Args:
        snapshot: Snapshot.
        as_of: Instant whose points are lifted.
        grain: Its grain.
        lifts: A metric without points in an area that has a score gives nothing.

    Returns:
        Points of the team score by team, of the teams that have both a lift and an area with a score.
    """
    if not lifts:
        return {}
    keys = list(lifts)
    wanted = pl.DataFrame(
        {
            "team_id": [team for team, _ in keys],
            "metric_id": [metric for _, metric in keys],
            "to": pl.Series([lifts[key] for key in keys], dtype=pl.Float64),
        }
    )
    parts = frame(snapshot, _PARTS, {"as_of": as_of, "grain": grain})
    # Of hundreds of teams a question is about a few: these first, and all steps in one.
    few = parts.lazy().filter(pl.col("team_id").is_in(sorted({team for team, _ in keys})))
    lifted = few.join(wanted.lazy(), on=["team_id", "metric_id"], how="left", maintain_order="left")
    return _gained(lifted, rules(snapshot).weakest_share)


def _gained(parts: pl.LazyFrame, weakest_share: float) -> dict[str, float]:
    """The team score with the lifts, minus the one without; parts have the lift in ``to``, or null."""
    lift = (pl.col("to") - pl.col("points")).clip(0).fill_null(0)
    areas = parts.group_by("team_id", "area_id", "area_weight", "score", maintain_order=True).agg(
        rise=(pl.col("effective") * lift).sum() / pl.col("effective").sum()
    )
    mean = (pl.col("area_weight") * pl.col("rise")).sum() / pl.col("area_weight").sum()
    weakest = (pl.col("score") + pl.col("rise")).min() - pl.col("score").min()
    found = areas.group_by("team_id", maintain_order=True).agg(
        gain=(1 - weakest_share) * mean + weakest_share * weakest
    )
    return dict(found.collect().iter_rows())


def joint_gains(snapshot: Snapshot, period: Period, chosen: Iterable[Gap]) -> Mapping[str, float]:
    """Return what closing some gaps together, up to their targets, would give each team."""
    return gains(snapshot, period.as_of, period.grain, {(gap.team_id, gap.metric_id): FULL_POINTS for gap in chosen})


def mean_of_teams(snapshot: Snapshot, period: Period, found: Mapping[str, float]) -> float | None:
    """Return what gains of some teams do to the mean score of all teams that have one; None where none has."""
    teams = set(frame(snapshot, _TEAMS, period.instant())["team_id"])
    return sum(gain for team, gain in found.items() if team in teams) / len(teams) if teams else None


def mean_gain(snapshot: Snapshot, period: Period, metrics: Sequence[str]) -> float | None:
    """Return what the mean team score gains if every team meets the requirement of some metrics, all of them together.

    None where no team has a score.
    """
    teams = frame(snapshot, _TEAMS, period.instant())["team_id"]
    required = {row.metric_id: row.required_points for row in all_metrics(snapshot)}
    lifts = {(str(team), metric): required[metric] for team in teams for metric in metrics}
    return mean_of_teams(snapshot, period, gains(snapshot, period.as_of, period.grain, lifts))


def expected_together(snapshot: Snapshot, goals: Sequence[GoalReview]) -> float:
    """Return what some goals were to bring together when they were decided, in points of their teams' scores.

    What the register says of a goal stands; the others of a day are computed together.
    """
    declared = sum(goal.declared_points for goal in goals if goal.declared_points is not None)
    by_day: dict[date, dict[tuple[str, str], float]] = defaultdict(dict)
    for goal in goals:
        if goal.declared_points is None and goal.aim_points is not None:
            by_day[goal.decided_on][goal.team_id, goal.metric_id] = goal.aim_points
    weeks = frame(snapshot, """select as_of, "on" from ref.as_of where grain = 'week' order by "on" desc""").rows()
    computed = 0.0
    for decided_on, lifts in by_day.items():
        before = next((as_of for as_of, on in weeks if on <= decided_on), None)
        if before is not None:
            computed += sum(gains(snapshot, before, "week", lifts).values())
    return declared + computed
