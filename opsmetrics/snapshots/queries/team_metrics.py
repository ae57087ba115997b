"""The metrics of one team over the months."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from opsmetrics.snapshots.queries.period import Period
from opsmetrics.snapshots.queries.reader import query
from opsmetrics.snapshots.queries.rows import Rows
from opsmetrics.snapshots.store import Snapshot


@dataclass(frozen=True, slots=True)
class MetricMonth:
    """Points of one metric at a month-end, or at the chosen instant itself."""

    metric_id: str
    as_of: datetime
    points: float | None


def metric_months(snapshot: Snapshot, period: Period, team_id: str, count: int) -> Rows[MetricMonth]:
    """Return the points of a team's metrics at the newest month-ends before an instant and at it, oldest first."""
    return query(
        snapshot,
        MetricMonth,
        """select metric_id, as_of, points from scores.metric
           where team_id = $team_id
               and ((grain = 'month' and as_of < $as_of) or (grain = $grain and as_of = $as_of))
           qualify dense_rank() over (order by as_of desc) <= $count
           order by metric_id, as_of""",
        period.instant(team_id=team_id, count=count),
    )
