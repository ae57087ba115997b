-- title = { nb = "Gjenopprettingsrutine dokumentert", en = "Restore runbook coverage" }
-- unit = "share"
-- kind = "census"
-- window = "now"
-- floor = 0.4
-- krav = 0.9
-- mal = 1.0
-- weight = 2
-- obligations = ["O72"]
-- needs = ["documents"]
-- when_empty = "not_applicable"
-- formula = { nb = "datalagre i klasse A–C med fullstendig rutine gjennomgått siste 365 dager / datalagre i klasse A–C", en = "class A–C datastores with a complete runbook reviewed in the last 365 days / class A–C datastores" }
-- why = { nb = "Den som må gjenopprette midt på natten, skal ha oppskriften.", en = "Who must restore in the middle of the night shall have the recipe." }
-- remedy = { nb = "Skriv rutinen under neste gjenopprettingstest.", en = "Write the runbook during the next restore test." }
-- effort = "S"
-- version = 1
with windows as (
    select * from ref.metric_windows where metric_id = 'bck_restore_runbook'
),
items as (
    select d.team_id, d.as_of, d.grain, d.datastore_id as item_id, max(r.reviewed_at) as item_at,
        cast(coalesce(max(r.reviewed_at) >= d.as_of - interval 365 day, false) as integer) as numerator,
        1 as denominator, 'class ' || d.data_class as detail, any_value(w.completeness) as completeness
    from windows as w
    join ref.owned_datastores as d on d.as_of = w.as_of and d.grain = w.grain
    left join facts.documents as r
        on r.kind = 'restore' and r.subject_id = d.datastore_id and r.is_complete and r.reviewed_at < d.as_of
    where d.data_class in ('A', 'B', 'C')
    group by d.team_id, d.as_of, d.grain, d.datastore_id, d.data_class
)
select team_id, as_of, grain,
    sum(numerator) as numerator, sum(denominator) as denominator,
    sum(numerator) / nullif(sum(denominator), 0) as value,
    count(*) as sample_size, any_value(completeness) as completeness
from items
group by team_id, as_of, grain
order by team_id, grain, as_of
