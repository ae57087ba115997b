-- What would lift each team most for a day of work?
select t.name_en as team, m.title_en as metric, round(g.points_lost, 2) as points_lost, g.effort_days,
    round(g.gain_per_day, 2) as gain_per_day
from scores.gap as g
join ref.teams as t using (team_id)
join meta.metrics as m using (metric_id)
where g.grain = 'latest' and g.gain_per_day > 0
qualify row_number() over (partition by g.team_id order by g.gain_per_day desc, g.metric_id) <= 3
order by team, gain_per_day desc
