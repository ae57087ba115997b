-- What is not measured today, and why? Missing data is a status, never a number.
select t.name_en as team, m.title_en as metric, s.status, s.reason
from scores.metric as s
join ref.teams as t using (team_id)
join meta.metrics as m using (metric_id)
-- A quiet window is measured; a value that is carried on is not, whatever points it has.
where s.grain = 'latest' and s.status in ('not_measured', 'not_measured_overdue', 'stale', 'invalid')
order by team, metric
