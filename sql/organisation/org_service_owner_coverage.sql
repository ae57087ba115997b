-- title = { nb = "Alt har én eier", en = "Everything has one owner" }
-- obligations = ["O04"]
-- why.nb = "OPS er fordelt mellom teamene; det ingen eier, drifter ingen."
-- why.en = "OPS is shared between the teams; what nobody owns, nobody operates."
with things as (
    -- A service, its datastore and its repository may bear one name, and a repository several over time.
    select 'service' as kind, service_id as thing_id, service_id, null::date as first_seen_on from ref.services
    union all
    select 'datastore', datastore_id, service_id, null from ref.datastores
    union all
    select 'repository', current_name, max(service_id), min(first_seen_on) from facts.repositories group by current_name
),

items as (
    select w.as_of, w.grain, t.kind, t.thing_id, cast(count(o.team_id) = 1 as integer) as numerator
    from macros.shown_instants() as w
    cross join things as t
    left join macros.services_there() as s
        on s.service_id = t.service_id and s.as_of = w.as_of and s.grain = w.grain
    left join ref.owned_services as o on o.service_id = t.service_id and o.as_of = w.as_of and o.grain = w.grain
    where (t.service_id is null or s.service_id is not null) and (t.first_seen_on <= w."on") is not false
    group by w.as_of, w.grain, t.kind, t.thing_id
)

select as_of, grain, unnest(macros.share_in_order(numerator))
from items
group by as_of, grain
order by grain, as_of
