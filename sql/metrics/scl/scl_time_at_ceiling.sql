-- title = { nb = "Tid i taket", en = "Time at scaling ceiling or throttled" }
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
-- formula = { nb = "målinger i taket eller strupet / alle målinger, per ressurs", en = "samples at the ceiling or throttled / all samples, per resource" }
-- why = { nb = "I taket kan ikke tjenesten skalere videre når trafikken øker.", en = "At the ceiling a service cannot scale further when traffic grows." }
-- remedy = { nb = "Hev maks, kortere skaleringsintervall, planlagt skalering før kjente frister.", en = "Raise the maximum, scale faster, and schedule scaling before known deadlines." }
-- effort = "M"
-- version = 1
with windows as (
    select * from ref.metric_windows where metric_id = 'scl_time_at_ceiling'
),
items as (
    select o.team_id, w.as_of, w.grain, c.resource_id as entity_id, any_value(o.criticality_weight) as entity_weight,
        c.resource_id || ' ' || c.day as item_id, min(c.sampled_at) as item_at,
        count(*) filter (c.is_at_ceiling) as numerator, count(*) as denominator, c.service_id as detail,
        any_value(w.completeness) as completeness
    from windows as w
    join facts.capacity_samples as c on c.sampled_at >= w.starts_at and c.sampled_at < w.as_of
    join ref.owned_services as o on o.service_id = c.service_id and o.as_of = w.as_of and o.grain = w.grain
    group by o.team_id, w.as_of, w.grain, c.resource_id, c.service_id, c.day
)
select team_id, as_of, grain, entity_id, any_value(entity_weight) as entity_weight,
    sum(numerator) as numerator, sum(denominator) as denominator,
    sum(numerator) / nullif(sum(denominator), 0) as value,
    sum(denominator) as sample_size, any_value(completeness) as completeness
from items
group by team_id, as_of, grain, entity_id
order by team_id, grain, as_of, entity_id
