-- title = { nb = "Infrastruktur som kode", en = "IaC-managed resources without drift" }
-- unit = "share"
-- kind = "census"
-- window = "now"
-- floor = 0.4
-- krav = 0.9
-- mal = 0.98
-- weight = 2
-- obligations = ["O61"]
-- needs = ["infrastructure_states"]
-- when_empty = "not_applicable"
-- formula = { nb = "ressurser i kode uten avvik ved kontroll siste 7 dager / ressurser i produksjon", en = "resources in code without drift at a check in the last 7 days / production resources" }
-- why = { nb = "Det som settes opp for hånd, kan ikke gjenskapes, og ingen ser hva som ble endret.", en = "What is set up by hand cannot be rebuilt, and nobody sees what changed." }
-- remedy = { nb = "Importer manuelle ressurser; steng skrivetilgang i portalen.", en = "Import manual resources; close write access in the portal." }
-- effort = "L"
-- version = 1
with windows as (
    select * from ref.metric_windows where metric_id = 'aut_iac_managed_share'
),
items as (
    select r.team_id, r.as_of, r.grain, r.resource_id as item_id, r.drift_checked_at as item_at,
        cast(r.is_in_code and not coalesce(r.has_drift, true)
            and coalesce(r.drift_checked_at >= r.as_of - interval 7 day, false) as integer) as numerator,
        1 as denominator,
        case when not r.is_in_code then 'by hand' when coalesce(r.has_drift, true) then 'drift or unchecked'
            else 'in code' end as detail,
        w.completeness
    from windows as w
    join facts.infrastructure_at as r on r.as_of = w.as_of and r.grain = w.grain
)
select team_id, as_of, grain,
    sum(numerator) as numerator, sum(denominator) as denominator,
    sum(numerator) / nullif(sum(denominator), 0) as value,
    count(*) as sample_size, any_value(completeness) as completeness
from items
group by team_id, as_of, grain
order by team_id, grain, as_of
