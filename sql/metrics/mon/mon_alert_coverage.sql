-- title = { nb = "Varslingsdekning (varsler før det smeller)", en = "Early-warning alert coverage" }
-- unit = "share"
-- kind = "census"
-- window = "now"
-- floor = 0.4
-- krav = 0.9
-- mal = 1.0
-- weight = 3
-- obligations = ["O14"]
-- needs = ["alert_rule_states"]
-- when_empty = "not_applicable"
-- formula = { nb = "kritikalitetsvekt av tjenester med både symptomvarsel og forvarsel, rutet til vakten og utløst eller prøvd siste 180 dager / kritikalitetsvekt av alle tjenester", en = "criticality weight of services with both a symptom and an early warning alert, routed to the duty and fired or tested in the last 180 days / criticality weight of all services" }
-- why = { nb = "Vakten skal varsles når noe er i ferd med å skje, ikke bare når det har skjedd.", en = "The duty shall be warned when something is about to happen, not only after it has." }
-- remedy = { nb = "Legg inn burn-rate-varsel per tjenestemål og ett forvarsel per kritisk ressurs; prøvevarsle hvert kvartal.", en = "Add a burn-rate alert per SLO and an early warning per critical resource; test-fire every quarter." }
-- effort = "M"
-- version = 1
with windows as (
    select * from ref.metric_windows where metric_id = 'mon_alert_coverage'
),
rules as (
    select as_of, grain, service_id,
        bool_or(kind in ('burn_rate', 'probe')) as has_symptom,
        bool_or(kind in ('forecast', 'expiry', 'queue_growth', 'slow_burn')) as has_early
    from facts.alert_rules_at
    where is_enabled and is_routed and proven_at >= as_of - interval 180 day
    group by as_of, grain, service_id
),
items as (
    select o.team_id, o.as_of, o.grain, o.service_id as item_id, cast(null as timestamptz) as item_at,
        cast(coalesce(r.has_symptom and r.has_early, false) as integer) * o.criticality_weight as numerator,
        o.criticality_weight as denominator,
        case when r.has_symptom and r.has_early then 'both' when r.has_symptom then 'symptom only'
            when r.has_early then 'early warning only' else 'none' end as detail,
        w.completeness
    from windows as w
    join ref.owned_services as o on o.as_of = w.as_of and o.grain = w.grain
    left join rules as r on r.as_of = o.as_of and r.grain = o.grain and r.service_id = o.service_id
)
select team_id, as_of, grain,
    sum(numerator) as numerator, sum(denominator) as denominator,
    sum(numerator) / nullif(sum(denominator), 0) as value,
    count(*) as sample_size, any_value(completeness) as completeness
from items
group by team_id, as_of, grain
order by team_id, grain, as_of
