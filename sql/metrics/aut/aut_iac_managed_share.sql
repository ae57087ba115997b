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
-- formula.nb = "ressurser i kode uten avvik ved kontroll siste 7 dager / ressurser i produksjon"
-- formula.en = "resources in code without drift at a check in the last 7 days / production resources"
-- why.nb = "Det som settes opp for hånd, kan ikke gjenskapes, og ingen ser hva som ble endret."
-- why.en = "What is set up by hand cannot be rebuilt, and nobody sees what changed."
-- remedy.nb = "Importer manuelle ressurser; steng skrivetilgang i portalen."
-- remedy.en = "Import manual resources; close write access in the portal."
-- effort = "L"
-- rests_on = ["infrastructure_states.drift_checked_at", "infrastructure_states.has_drift"]
-- version = 2
with checked as (
    select
        r.*, w.completeness,
        coalesce(
            macros.within(r.drift_checked_at, r.as_of - interval 7 day, r.as_of),
            case when r.knows_drift_check then false end
        ) as is_checked
    from macros.metric_windows('aut_iac_managed_share') as w
    join facts.infrastructure_at as r on r.as_of = w.as_of and r.grain = w.grain
),

items as (
    select
        team_id, as_of, grain, resource_id as item_id, drift_checked_at as item_at,
        cast(is_in_code and is_checked and not has_drift as integer) as numerator, 1 as denominator,
        case
            when not is_in_code then 'by hand' when not is_checked then 'unchecked' when has_drift then 'drift'
            when is_checked and not has_drift then 'in code'
            else 'not known'
        end as detail,
        completeness
    from checked
)

select team_id, as_of, grain, unnest(macros.share(numerator, denominator, completeness))
from items
group by team_id, as_of, grain
order by team_id, grain, as_of
