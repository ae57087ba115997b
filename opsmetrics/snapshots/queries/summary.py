"""Selects that a slide's notes quote where no query of a page says the same, and how any select is quoted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from opsmetrics.snapshots.queries.gaps import STATUS_THEN

SCORES = """select team_id, area_id, score, coverage, level, status from scores.area
   where as_of = $as_of and grain = $grain order by team_id, area_id"""

CHANGES = """select team_id, score_before, score_after, performance, coverage, scope, waivers, rules, ownership
   from scores.change where as_of = $as_of and grain = $grain
   order by abs(score_after - score_before) desc, team_id"""

GOALS = f"""select r.team_id, r.metric_id, r.decided_on, r.due_on, r.points_then, r.points_now, r.forecast, g.owner_role
   from scores.goal as r join ref.goals as g using (team_id, metric_id, decided_on)
   where r.as_of = $as_of and r.grain = $grain
       and {STATUS_THEN} in ('planned', 'in_progress') order by r.due_on, r.team_id, r.metric_id"""

GAPS = """select team_id, metric_id, points_lost, gain_if_met, effort_days, is_for_gate from scores.gap
   where as_of = $as_of and grain = $grain and points_lost > 0 order by gain_if_met desc, team_id, metric_id"""

STANDINGS = f"""select case when r.forecast = 'closed' and g.status <> 'dropped' then 'closed'
           when {STATUS_THEN} not in ('planned', 'in_progress') then 'ended'
           when r.due_on < w."on" then 'over' when r.forecast = 'not_moving' then 'late'
           else r.forecast end as standing, count(*) as decisions
   from scores.goal as r join ref.goals as g using (team_id, metric_id, decided_on)
   join ref.as_of as w using (as_of, grain)
   where r.as_of = $as_of and r.grain = $grain group by standing order by standing"""


def written(sql: str, parameters: Mapping[str, Any]) -> str:
    """Return a select with its parameters written in, as an analyst can run it on the snapshot."""
    for name in sorted(parameters, key=len, reverse=True):
        value = parameters[name]
        if isinstance(value, datetime):
            said = f"timestamptz '{value.isoformat(sep=' ')}'"
        elif isinstance(value, date):
            said = f"date '{value.isoformat()}'"
        else:
            said = f"'{value}'" if isinstance(value, str) else str(value)
        sql = sql.replace(f"${name}", said)
    return sql
