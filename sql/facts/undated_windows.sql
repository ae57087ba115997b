-- title = "Windows of metrics on updates in which packages were in use that nobody can date"
-- key = ["metric_id", "as_of", "grain"]
-- [columns]
-- metric_id = "Metric that needs update episodes"
-- as_of = "End of the window, UTC (exclusive)"
-- grain = "month, tertial, week, latest; series_month and series_quarter for trends"
-- rests_on = "The column that is no date there, stream.column, as in ref.untold_columns"
select distinct w.metric_id, w.as_of, w.grain, 'update_episodes.available_at' as rests_on
from facts.measured_windows as w
join meta.metrics as m on m.metric_id = w.metric_id and list_contains(m.needs, 'update_episodes')
-- A required column: every row fills it, and a row of what nobody can date says why it is no date.
join facts.update_episodes as e on e.unknown_because is not null and macros.within(e.available_at, w.starts_at, w.as_of)
order by w.metric_id, w.grain, w.as_of
