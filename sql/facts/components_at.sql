-- title = "Components as they stood at each instant of evaluation, and whether their maker supports them"
-- key = ["as_of", "grain", "component_id"]
-- [columns]
-- as_of = "Instant of evaluation, UTC"
-- grain = "month, tertial, week, latest; series_month and series_quarter for trends"
-- team_id = "Owner of the service at that instant"
-- service_id = "Service"
-- component_id = "Component"
-- kind = "runtime, base_image, database, kubernetes or framework"
-- product = "Product, or null"
-- cycle = "Release cycle, or null"
-- first_seen_on = "First day it was seen, by the source or in its states"
-- eol_on = "First day without support; null = none announced, or not known"
-- is_known = "Product and cycle are in the register"
-- is_supported = """\
--     Supported on the last day of the period; Kubernetes also at most two newer cycles (N-2); null = the sources \
--     cannot tell product, cycle or end of support"""
-- knows_first_seen = "The source says when it was first seen"
with states as (
    select * from macros.states_at('component_states', component_id)
),

seen as (
    select component_id, min(observed_on) as observed_on from staging.component_states group by component_id
),

-- Inventories write PostgreSQL, the register postgresql.
cycles as (
    select distinct on (product, cycle) *
    from (select * replace (lower(product) as product, lower(cycle) as cycle) from staging.eol_dates) as e
    order by product, cycle, eol_on
),

newer as (
    select s.as_of, s.grain, s.component_id, count(*) as cycles
    from states as s
    join cycles as mine on mine.product = lower(s.product) and mine.cycle = lower(s.cycle)
    join cycles as other
        on other.product = mine.product and other.released_on > mine.released_on and other.released_on <= s."on"
    where s.kind = 'kubernetes'
    group by s.as_of, s.grain, s.component_id
)

select
    s.as_of, s.grain, o.team_id, o.service_id, s.component_id, s.kind, s.product, s.cycle,
    least(s.first_seen_on, f.observed_on) as first_seen_on, e.eol_on, e.product is not null as is_known,
    case
        when e.product is not null
            then
                -- Of an end that is over without a day nobody knows since when; it is not in support.
                coalesce(
                    e.eol_on > s."on",
                    case when e.has_ended then false when macros.told(e.untold, 'eol_on') then true end
                )
                and coalesce(k.cycles, 0) <= 2
        when s.product is null and not macros.told(s.untold, 'product') then null
        when s.cycle is null and not macros.told(s.untold, 'cycle') then null
        else false
    end as is_supported,
    s.first_seen_on is not null as knows_first_seen
from states as s
join macros.owned_by_name() as o on o.name = lower(s.service_id) and o.as_of = s.as_of and o.grain = s.grain
join seen as f on f.component_id = s.component_id
left join cycles as e on e.product = lower(s.product) and e.cycle = lower(s.cycle)
left join newer as k on k.as_of = s.as_of and k.grain = s.grain and k.component_id = s.component_id
order by s.component_id, s.grain, s.as_of
