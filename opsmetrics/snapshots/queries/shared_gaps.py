"""What many teams lack at once: the strongest lever of whoever leads them all."""

from __future__ import annotations

from dataclasses import dataclass

from opsmetrics.language.bilingual import Text
from opsmetrics.snapshots.queries.catalogue import REQUIRED_POINTS
from opsmetrics.snapshots.queries.period import Period
from opsmetrics.snapshots.queries.reader import query
from opsmetrics.snapshots.queries.rows import Rows
from opsmetrics.snapshots.store import Snapshot


@dataclass(frozen=True, slots=True)
class SharedGap:
    """A metric that some teams do not meet the requirement of.

    Attributes:
        below: Teams that are measured and below the requirement.
        measured: Teams that are measured, now or by a last known value (method 3.3).
        carried: Those of which the last known value stands in.
        unmeasured: Teams that have the duty, and of which nothing is known; never counted as below.
        teams: Those below, by id.
    """

    metric_id: str
    area_id: str
    title: Text
    below: int
    measured: int
    carried: int
    unmeasured: int
    teams: list[str]


SHARED = f"""with told as (
       select s.metric_id, s.team_id, s.points,
           s.points is not null and not starts_with(s.status, 'not_measured') as is_measured,
           s.status = 'stale' as is_carried, starts_with(s.status, 'not_measured') as is_unmeasured
       from scores.metric as s where s.as_of = $as_of and s.grain = $grain
   )
   select m.metric_id, m.area_id, m.title_nb, m.title_en, m.weight,
       count(*) filter (t.is_measured and t.points < {REQUIRED_POINTS}) as below,
       count(*) filter (t.is_measured) as measured, count(*) filter (t.is_measured and t.is_carried) as carried,
       count(*) filter (t.is_unmeasured) as unmeasured,
       list(t.team_id order by t.team_id) filter (t.is_measured and t.points < {REQUIRED_POINTS}) as teams
   from told as t join meta.metrics as m using (metric_id)
   group by all having below > 1
   order by below desc, m.weight desc, m.metric_id limit $count"""
"""The select of :func:`shared_gaps`, which notes of slides quote."""


def shared_gaps(snapshot: Snapshot, period: Period, count: int | None = None) -> Rows[SharedGap]:
    """Return the metrics that more than one team is below the requirement of, most teams first; all without a count."""
    return query(snapshot, SharedGap, SHARED, period.instant(count=count))
