-- title = { nb = "Gyldige unntak", en = "Active waivers" }
-- unit = "count"
-- why_not_scored = { nb = "Viser bruken av unntak; poeng med og uten unntak står side om side.", en = "Shows how waivers are used; scores with and without them stand side by side." }
with windows as (
    select * from ref.windows where window_days = 0 and grain in ('month', 'latest')
),
active as (
    select a.team_id, w.as_of, w.grain, count(*) as waivers
    from windows as w
    join ref.waivers as a on a.valid_from <= w."on" and w."on" < a.valid_to
    group by a.team_id, w.as_of, w.grain
)
select team_id, as_of, grain, '' as entity_id, 'count' as statistic, waivers::double as value,
    waivers as sample_size, null::double as low, null::double as high
from active
order by team_id, grain, as_of
