-- title = { nb = "Tid ved kapasitetsgrensen", en = "Time at the capacity limit" }
-- unit = "share"
-- kind = "census"
-- entity = true
-- window = "28d"
-- floor = 0.05
-- krav = 0.01
-- mal = 0.001
-- weight = 2
-- obligations = ["O43"]
-- needs = ["capacity_samples"]
-- when_empty = "not_applicable"
-- formula.nb = "målinger i taket eller strupet / alle målinger, per ressurs"
-- formula.en = "samples at the ceiling or throttled / all samples, per resource"
-- why.nb = "I taket kan ikke tjenesten skalere videre når trafikken øker."
-- why.en = "At the ceiling a service cannot scale further when traffic grows."
-- remedy.nb = "Hev maks, kortere skaleringsintervall, planlagt skalering før kjente frister."
-- remedy.en = "Raise the maximum, scale faster, and schedule scaling before known deadlines."
-- effort = "M"
-- rests_on = ["capacity_samples.is_at_ceiling"]
-- version = 2
with items as (
    select
        team_id, as_of, grain, resource_id as entity_id, arg_max(criticality_weight, sampled_at) as entity_weight,
        resource_id || ' ' || day as item_id, min(sampled_at) as item_at,
        count(*) filter (is_at_ceiling) as numerator, count(is_at_ceiling) as denominator,
        arg_max(service_id, sampled_at) as detail, any_value(base_days) as base_days,
        count(is_at_ceiling) / count(*) as known_days
    from macros.delivered_samples('scl_time_at_ceiling')
    group by team_id, as_of, grain, resource_id, day
)

select
    team_id, as_of, grain, entity_id, arg_max(entity_weight, item_at) as entity_weight,
    unnest(macros.ratio(numerator, denominator)),
    sum(denominator) as sample_size, sum(known_days) / any_value(base_days) as completeness
from items
group by team_id, as_of, grain, entity_id
order by team_id, grain, as_of, entity_id
