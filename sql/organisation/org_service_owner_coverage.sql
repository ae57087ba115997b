-- title = { nb = "Alt har én eier", en = "Everything has one owner" }
-- obligations = ["O04"]
-- why = { nb = "OPS er fordelt mellom teamene; det ingen eier, drifter ingen.", en = "OPS is shared between the teams; what nobody owns, nobody operates." }
with instants as (
    select * from ref.as_of where grain in ('month', 'latest')
),
things as (
    select service_id as thing_id, service_id from ref.services
    union all select datastore_id, service_id from ref.datastores
    union all select repository, service_id from facts.repositories
),
items as (
    select w.as_of, w.grain, t.thing_id, cast(count(o.team_id) = 1 as integer) as numerator
    from instants as w
    cross join things as t
    left join ref.owned_services as o on o.service_id = t.service_id and o.as_of = w.as_of and o.grain = w.grain
    group by w.as_of, w.grain, t.thing_id
)
select as_of, grain, sum(numerator)::double as numerator, count(*)::double as denominator,
    avg(numerator) as value
from items
group by as_of, grain
order by grain, as_of
