-- title = { nb = "Dokumentert gjenopprettingsrutine", en = "Documented restore routine" }
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
-- formula.nb = "datalagre i klasse A–C med fullstendig rutine gjennomgått siste 365 dager / datalagre i klasse A–C"
-- formula.en = "class A–C datastores with a complete runbook reviewed in the last 365 days / class A–C datastores"
-- why.nb = "Den som må gjenopprette midt på natten, skal ha oppskriften."
-- why.en = "Who must restore in the middle of the night shall have the recipe."
-- remedy.nb = "Skriv rutinen under neste gjenopprettingstest."
-- remedy.en = "Write the runbook during the next restore test."
-- effort = "S"
-- rests_on = ["documents.subject_id"]
-- version = 2
with
-- The newest complete page that says of no datastore that it is about it, because its source cannot tell.
unnamed as (
    select w.as_of, w.grain, max(d.reviewed_at) as reviewed_at
    from macros.metric_windows('bck_restore_runbook') as w
    join staging.documents as d on d.reviewed_at < w.as_of
    where d.kind = 'restore' and d.is_complete and d.subject_id is null and not macros.told(d.untold, 'subject_id')
    group by w.as_of, w.grain
),

items as (
    select
        d.team_id, d.as_of, d.grain, d.datastore_id as item_id, max(r.reviewed_at) as item_at,
        macros.kept(
            max(r.reviewed_at) >= d.as_of - interval 365 day,
            coalesce(max(r.reviewed_at) >= d.as_of - interval 365 day, false)
            or coalesce(any_value(u.reviewed_at) < d.as_of - interval 365 day, true)
        ) as numerator,
        1 as denominator, 'class ' || d.data_class as detail, any_value(d.completeness) as completeness
    from macros.owned_datastores('bck_restore_runbook') as d
    left join facts.documents as r
        on r.kind = 'restore' and lower(r.subject_id) = d.datastore_id and r.is_complete and r.reviewed_at < d.as_of
    left join unnamed as u on u.as_of = d.as_of and u.grain = d.grain
    where d.data_class in ('A', 'B', 'C')
    group by d.team_id, d.as_of, d.grain, d.datastore_id, d.data_class
)

select team_id, as_of, grain, unnest(macros.share(numerator, denominator, completeness))
from items
group by team_id, as_of, grain
order by team_id, grain, as_of
