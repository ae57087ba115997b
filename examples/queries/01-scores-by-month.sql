-- How has each team's score moved month by month, and how much of it is measured?
select t.name_en as team, w.label as month, round(s.score, 1) as score, round(s.coverage, 2) as coverage, s.level, s.status
from scores.team as s
join ref.teams as t using (team_id)
join ref.as_of as w using (as_of, grain)
where s.grain = 'month'
order by team, w.as_of
