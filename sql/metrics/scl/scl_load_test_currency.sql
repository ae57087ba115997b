-- title = { nb = "Oppdatert lasttest", en = "Up-to-date load test" }
-- unit = "share"
-- kind = "census"
-- window = "now"
-- floor = 0.2
-- krav = 0.8
-- mal = 1.0
-- weight = 2
-- obligations = ["O43"]
-- needs = ["load_tests"]
-- when_empty = "not_applicable"
-- formula.nb = """\
--     kritiske tjenester lasttestet siste 365 dager med minst 1,5 × høyeste last og tjenestemålet holdt / kritiske \
--     tjenester"""
-- formula.en = """\
--     critical services load tested in the last 365 days at 1.5 × peak or more with the SLO met / critical services"""
-- why.nb = "Uten lasttest vet vi ikke hva tjenesten tåler før fristen kommer."
-- why.en = "Without a load test nobody knows what the service stands before the deadline comes."
-- remedy = { nb = "Planlegg lasttest før neste store frist.", en = "Plan a load test before the next large deadline." }
-- effort = "M"
-- version = 1
with items as (
    select
        o.team_id, o.as_of, o.grain, o.service_id as item_id, max(t.tested_at) as item_at,
        coalesce(max(cast(t.reached_ratio >= 1.5 and t.is_slo_met as integer)), 0) as numerator, 1 as denominator,
        case when max(t.tested_at) is null then 'no test' else 'x' || round(max(t.reached_ratio), 2) end as detail,
        any_value(o.completeness) as completeness
    from macros.owned_services('scl_load_test_currency') as o
    left join facts.load_tests as t
        on t.service_id = o.service_id and t.tested_at < o.as_of and t.tested_at >= o.as_of - interval 365 day
    where o.criticality = 'critical'
    group by o.team_id, o.as_of, o.grain, o.service_id
)

select team_id, as_of, grain, unnest(macros.share(numerator, denominator, completeness))
from items
group by team_id, as_of, grain
order by team_id, grain, as_of
