-- title = "Metrics that did without a column for a team, because a source of its rows in the window cannot tell it"
-- key = ["team_id", "metric_id", "as_of", "grain"]
-- [columns]
-- team_id = "Team"
-- metric_id = "Metric"
-- as_of = "End of the window, UTC (exclusive)"
-- grain = "month, tertial, week, latest; series_month and series_quarter for trends"
-- better_with = "Columns without which the metric says less, stream.column with commas between"
with named as (
    select metric_id, window_days, unnest(better_with) as name from meta.metrics
)

select u.team_id, n.metric_id, w.as_of, w.grain, string_agg(distinct n.name, ',' order by n.name) as better_with
from named as n
join ref.windows as w on w.window_days = n.window_days
join facts.untold_by_team as u on u.stream || '.' || u.column_name = n.name
where macros.untold_within(u.first_on, u.last_on, w.starts_on, w."on", n.window_days)
group by u.team_id, n.metric_id, w.as_of, w.grain
order by u.team_id, n.metric_id, w.grain, w.as_of
