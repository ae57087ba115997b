-- What would lift each team most this quarter for a day of work, and when does it show?
select t.name_en as team, m.title_en as metric, g.effort_days, round(g.gain_this_quarter, 2) as gain_this_quarter,
    round(g.quarter_gain_per_day, 2) as gain_per_day, g.shows_on, g.waits_for
from scores.gap as g
join ref.teams as t using (team_id)
join meta.metrics as m using (metric_id)
where g.grain = 'latest' and g.quarter_gain_per_day > 0
qualify row_number() over (
    partition by g.team_id order by g.is_for_gate desc, g.quarter_gain_per_day desc, g.metric_id
) <= 3
order by team, g.is_for_gate desc, gain_per_day desc, metric
