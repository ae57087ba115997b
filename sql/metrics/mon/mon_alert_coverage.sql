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
-- rests_on = ["alert_rule_states.is_routed", "alert_rule_states.last_proven_at"]
-- when_empty = "not_applicable"
-- formula.nb = """\
--     kritikalitetsvekt av tjenester med både symptomvarsel og forvarsel, rutet til vakten og utløst eller prøvd \
--     siste 180 dager / kritikalitetsvekt av alle tjenester"""
-- formula.en = """\
--     criticality weight of services with both a symptom and an early warning alert, routed to the duty and fired or \
--     tested in the last 180 days / criticality weight of all services"""
-- why.nb = "Vakten skal varsles når noe er i ferd med å skje, ikke bare når det har skjedd."
-- why.en = "The duty shall be warned when something is about to happen, not only after it has."
-- remedy.nb = """\
--     Legg inn burn-rate-varsel per tjenestemål og ett forvarsel per kritisk ressurs; prøvevarsle hvert kvartal."""
-- remedy.en = "Add a burn-rate alert per SLO and an early warning per critical resource; test-fire every quarter."
-- effort = "M"
-- version = 2
with rules as (
    select
        as_of, grain, service_id, kind in ('burn_rate', 'probe') as is_symptom,
        kind in ('forecast', 'expiry', 'queue_growth', 'slow_burn') as is_early,
        -- Where only pages prove a rule, those that are known to be ready would all count and the others not at all.
        is_routed and case
            when macros.told(untold, 'last_proven_at')
                then case when proven_at >= as_of - interval 180 day then true when is_heard then false end
        end as is_ready
    from facts.alert_rules_at
    where is_enabled
),

-- One rule that is ready is enough; otherwise one of which that is not known leaves the answer open.
found as (
    select
        as_of, grain, service_id,
        case
            when bool_or(is_symptom and is_ready) then true
            when not bool_or(is_symptom and is_ready is null) then false
        end as has_symptom,
        case
            when bool_or(is_early and is_ready) then true
            when not bool_or(is_early and is_ready is null) then false
        end as has_early
    from rules
    group by as_of, grain, service_id
),

services as (
    select
        o.*, w.completeness, case when r.service_id is null then false else r.has_symptom end as has_symptom,
        case when r.service_id is null then false else r.has_early end as has_early
    from macros.metric_windows('mon_alert_coverage') as w
    join ref.owned_services as o on o.as_of = w.as_of and o.grain = w.grain
    left join found as r on r.as_of = o.as_of and r.grain = o.grain and r.service_id = o.service_id
),

items as (
    select
        team_id, as_of, grain, service_id as item_id, cast(null as timestamptz) as item_at,
        cast(has_symptom and has_early as integer) * criticality_weight as numerator,
        criticality_weight as denominator,
        case
            when has_symptom and has_early then 'both' when has_symptom and not has_early then 'symptom only'
            when has_early and not has_symptom then 'early warning only'
            when not has_symptom and not has_early then 'none' else 'not known'
        end as detail,
        completeness
    from services
)

select team_id, as_of, grain, unnest(macros.share(numerator, denominator, completeness))
from items
group by team_id, as_of, grain
order by team_id, grain, as_of
