-- Why did scores change most in the last complete month? The parts sum to the change, but for what rounding takes.
select t.name_en as team, w.label as month, round(c.score_before, 2) as before, round(c.score_after, 2) as after,
    round(c.performance, 2) as performance, round(c.coverage, 2) as coverage, round(c.scope, 2) as scope,
    round(c.waivers, 2) as waivers, round(c.rules, 2) as rules, round(c.ownership, 2) as ownership
from scores.change as c
join ref.teams as t using (team_id)
join ref.as_of as w on w.as_of = c.as_of and w.grain = c.grain
where c.grain = 'month' and c.as_of = (select max(as_of) from scores.change where grain = 'month')
order by abs(c.score_after - c.score_before) desc nulls last, team
