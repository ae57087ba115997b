-- What is not measured today, and why? Missing data is a status, never a number.
select t.name_en as team, m.title_en as metric, s.status, s.reason
from scores.metric as s
join ref.teams as t using (team_id)
join meta.metrics as m using (metric_id)
where s.grain = 'latest' and s.points is null and s.status <> 'not_applicable'
order by team, metric
