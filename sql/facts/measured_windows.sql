-- title = "Window of each metric at each instant, and how much of it is measured: what metrics and scores rest on"
-- key = ["metric_id", "as_of", "grain"]
-- [columns]
-- metric_id = "Metric"
-- as_of = "End of the window, UTC (exclusive)"
-- grain = "month, tertial, week, latest; series_month and series_quarter for trends"
-- on = "Last local day of the window"
-- starts_at = "Start of the window, UTC; equal to as_of for a state"
-- completeness = """\
--     As in ref.metric_windows; 0 where every row of a needed stream belongs to nobody, which is no quiet time"""
-- least_stream = "As in ref.metric_windows; null = nothing is missing"
-- [ranges]
-- completeness = [0, 1]
with strangers as (
    select distinct stream
    from (select stream, kind, sum(row_count) >= max(stream_rows) as is_all from facts.unmatched_rows group by all) as u
    where is_all and kind in ('service', 'team', 'repository', 'monitor', 'datastore', 'environment')
),

unmeasured as (
    select distinct n.metric_id
    from (select metric_id, unnest(needs) as stream from meta.metrics) as n
    join strangers as s on s.stream = n.stream
)

select
    w.metric_id, w.as_of, w.grain, w."on", w.starts_at,
    case when u.metric_id is null then w.completeness else 0.0 end as completeness, w.least_stream
from ref.metric_windows as w
left join unmeasured as u on u.metric_id = w.metric_id
order by w.metric_id, w.grain, w.as_of
