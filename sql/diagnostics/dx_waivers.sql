-- title = { nb = "Gyldige unntak", en = "Active exemptions" }
-- unit = "count"
-- why_not_scored.nb = "Viser bruken av unntak; poeng med og uten unntak står side om side."
-- why_not_scored.en = "Shows how exemptions are used; scores with and without them stand side by side."
with active as (
    select a.team_id, w.as_of, w.grain, count(*) as waivers
    from macros.shown_windows(0) as w
    join ref.waivers as a on a.valid_from <= w."on" and w."on" < a.valid_to
    group by a.team_id, w.as_of, w.grain
)

select
    team_id, as_of, grain, '' as entity_id,
    unnest(macros.statistic('count', waivers::double, waivers))
from active
order by team_id, grain, as_of
