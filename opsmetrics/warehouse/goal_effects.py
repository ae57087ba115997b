"""Read goals and charts, judge them (``opsmetrics.scoring.goal_effect``): the rows of ``scores.goal_effect``."""

from __future__ import annotations

import duckdb
import polars as pl

from opsmetrics.scoring.goal_effect import goal_effects

# A month, quarter or whole window (grain month) in which the action fell is neither before nor after it.
_REVIEWS = """
    select g.team_id, g.metric_id, g.decided_on, r.as_of, r.grain, g.acted_on, m.mal > m.floor as is_higher_better,
        coalesce(g.acted_on <= r."on", false) as is_acted,
        case
            when m.mal < m.floor then 0.0
            when m.unit in ('share', 'utilisation') then 1.0
            else 'infinity'::double
        end as best
    from ref.goals as g
    join ref.as_of as r on r.grain in ('month', 'latest') and r."on" >= g.decided_on
    join meta.metrics as m on m.metric_id = g.metric_id
"""
_POINTS = f"""
    select r.team_id, r.metric_id, r.decided_on, r.as_of, r.grain, c.as_of as period_at,
        -- Rounded, so that sums taken in another order are no change.
        round(c.value, 9) as value, s.denominator as items, c.chart, w."on" < r.acted_on as is_before,
        case w.grain
            when 'series_quarter' then date_trunc('quarter', w."on")
            when 'month' then w."on" - cast(m.window_days as integer) + 1
            else date_trunc('month', w."on")
        end >= r.acted_on as is_after
    from ({_REVIEWS}) as r
    join scores.control_chart as c on c.team_id = r.team_id and c.metric_id = r.metric_id and c.as_of <= r.as_of
    join ref.as_of as w on w.as_of = c.as_of and w.grain = c.grain
    join meta.metrics as m on m.metric_id = c.metric_id
    left join scores.metric as s
        on s.team_id = c.team_id and s.metric_id = c.metric_id and s.as_of = c.as_of and s.grain = c.grain
    where r.acted_on is not null
"""


def read_goal_effects(con: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Return the rows of ``scores.goal_effect`` as goals, instants and ``scores.control_chart`` stand now."""
    return goal_effects(con.sql(_REVIEWS).pl(), con.sql(_POINTS).pl())
