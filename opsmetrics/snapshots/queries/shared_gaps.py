"""What many teams lack at once: the strongest lever of whoever leads them all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from opsmetrics.language.bilingual import Text
from opsmetrics.scoring.points import KRAV_POINTS
from opsmetrics.snapshots.queries.period import Period
from opsmetrics.snapshots.queries.reader import frame, query
from opsmetrics.snapshots.queries.rows import Rows
from opsmetrics.snapshots.store import Snapshot


@dataclass(frozen=True, slots=True)
class SharedGap:
    """A metric that some teams do not meet the requirement of.

    Attributes:
        below: Teams that are measured and below the requirement.
        measured: Teams that are measured.
        unmeasured: Teams that have the duty, and of which nothing is known; never counted as below.
        teams: Those below, by id.
    """

    metric_id: str
    area_id: str
    title: Text
    below: int
    measured: int
    unmeasured: int
    teams: list[str]


def shared_gaps(snapshot: Snapshot, period: Period) -> Rows[SharedGap]:
    """Return the metrics that more than one team is below the requirement of, most teams first."""
    return query(
        snapshot,
        SharedGap,
        """with told as (
               select s.metric_id, s.team_id, s.points,
                   s.points is not null and not starts_with(s.status, 'not_measured') as is_measured,
                   starts_with(s.status, 'not_measured') as is_unmeasured
               from scores.metric as s where s.as_of = $as_of and s.grain = $grain
           )
           select m.metric_id, m.area_id, m.title_nb, m.title_en, m.weight,
               count(*) filter (t.is_measured and t.points < $krav) as below,
               count(*) filter (t.is_measured) as measured, count(*) filter (t.is_unmeasured) as unmeasured,
               list(t.team_id order by t.team_id) filter (t.is_measured and t.points < $krav) as teams
           from told as t join meta.metrics as m using (metric_id)
           group by all having below > 1
           order by below desc, m.weight desc, m.metric_id""",
        period.instant(krav=KRAV_POINTS),
    )


def mean_gain(snapshot: Snapshot, period: Period, metrics: Sequence[str]) -> float | None:
    """Return what the mean team score gains if every team meets the requirement of some metrics, all of them together.

    Teams are lifted jointly: of each area the score with the lifted points, of each team the mean and the weakest of
    those (method 3.5), so nothing is counted twice. Points of the team score; None where no team has a score.
    """
    found = frame(
        snapshot,
        """with parts as (
               select s.team_id, m.area_id, a.score, p.weight as area_weight, s.weight * s.evidence_weight as effective,
                   case when list_contains(string_split($metrics, ','), s.metric_id)
                       then greatest($krav - s.points, 0) else 0 end as lift
               from scores.metric as s
               join meta.metrics as m using (metric_id)
               join meta.areas as p on p.area_id = m.area_id
               join scores.area as a
                   on a.team_id = s.team_id and a.area_id = m.area_id and a.as_of = s.as_of and a.grain = s.grain
               where s.as_of = $as_of and s.grain = $grain and s.points is not null and a.status = 'ok'
                   and s.weight * s.evidence_weight > 0
           ),
           areas as (
               select team_id, area_id, area_weight, score, score + sum(effective * lift) / sum(effective) as lifted
               from parts group by team_id, area_id, area_weight, score
           ),
           teams as (
               select team_id, weakest_share * (min(lifted) - min(score))
                   + (1 - weakest_share) * sum(area_weight * (lifted - score)) / sum(area_weight) as gain
               from areas cross join (select weakest_share from meta.known) group by team_id, weakest_share
           )
           select sum(coalesce(t.gain, 0)) / count(s.score) as gain
           from scores.team as s left join teams as t using (team_id)
           where s.as_of = $as_of and s.grain = $grain and s.score is not null""",
        period.instant(krav=KRAV_POINTS, metrics=",".join(metrics)),
    )
    return found["gain"][0]
