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
-- first_seen_on = "First day it was seen"
-- eol_on = "First day without support; null = none announced or product unknown"
-- is_known = "Product and cycle are in the register"
-- is_supported = "Supported on the last day of the period; Kubernetes also at most two newer cycles (N-2)"
with states as (
    select w.as_of, w.grain, w."on", s.*
    from ref.as_of as w
    join staging.component_states as s on s.observed_on <= w."on" and s.observed_on > w."on" - 14
    qualify row_number() over (partition by w.as_of, w.grain, s.component_id order by s.observed_on desc) = 1
),
newer as (
    select s.as_of, s.grain, s.component_id, count(*) as cycles
    from states as s
    join staging.eol_dates as mine on mine.product = s.product and mine.cycle = s.cycle
    join staging.eol_dates as other
        on other.product = s.product and other.released_on > mine.released_on and other.released_on <= s."on"
    where s.kind = 'kubernetes'
    group by s.as_of, s.grain, s.component_id
)
select s.as_of, s.grain, o.team_id, o.service_id, s.component_id, s.kind, s.product, s.cycle,
    coalesce(s.first_seen_on, s.observed_on) as first_seen_on, e.eol_on, e.product is not null as is_known,
    e.product is not null and coalesce(e.eol_on > s."on", true) and coalesce(k.cycles, 0) <= 2 as is_supported
from states as s
join ref.service_names as n on n.name = s.service_id
join ref.owned_services as o on o.service_id = n.service_id and o.as_of = s.as_of and o.grain = s.grain
left join staging.eol_dates as e on e.product = s.product and e.cycle = s.cycle
left join newer as k on k.as_of = s.as_of and k.grain = s.grain and k.component_id = s.component_id
order by s.component_id, s.grain, s.as_of
