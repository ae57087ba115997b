-- title = "The newest scores of every team and area, one row each, ready to read"
-- key = ["team_id", "area_id"]
-- view = true
-- [columns]
-- team_id = "Team"
-- team = "Name, Norwegian"
-- team_type = "product or platform"
-- area_id = "Area"
-- area = "Name, Norwegian"
-- on = "Last local day"
-- score = "0..100; null where there is too little data"
-- coverage = "0..1"
-- low = "Score if everything unknown were 0"
-- high = "Score if everything unknown were 100"
-- level = "0 to 4"
-- gate = "Tripped gate, or null"
-- status = "ok, provisional, too_little_data or not_applicable"
-- team_en = "Name, English"
-- area_en = "Name, English"
select
    s.team_id, t.name_nb as team, t.type as team_type, s.area_id, a.name_nb as area, w."on", s.score, s.coverage,
    s.low, s.high, s.level, s.gate, s.status, t.name_en as team_en, a.name_en as area_en
from scores.area as s
join ref.teams as t on t.team_id = s.team_id
join meta.areas as a on a.area_id = s.area_id
join ref.as_of as w on w.as_of = s.as_of and w.grain = s.grain
where s.grain = 'latest'
order by t.type desc, t.name_nb, a.position
