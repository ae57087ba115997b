-- title = "Columns that a metric rests on and that a source of its window cannot tell"
-- key = ["metric_id", "as_of", "grain"]
-- [columns]
-- metric_id = "Metric"
-- as_of = "End of the window, UTC (exclusive)"
-- grain = "month, tertial, week, latest; series_month and series_quarter for trends"
-- rests_on = "Columns without which items are not measured, stream.column with commas between"
with named as (
    select metric_id, window_days, unnest(rests_on) as name from meta.metrics
)

select n.metric_id, w.as_of, w.grain, string_agg(distinct n.name, ',' order by n.name) as rests_on
from named as n
join ref.windows as w on w.window_days = n.window_days
join meta.untold as u on u.stream || '.' || u.column_name = n.name
where macros.untold_within(u.first_on, u.last_on, w.starts_on, w."on", n.window_days)
group by n.metric_id, w.as_of, w.grain
order by n.metric_id, w.grain, w.as_of
