-- title = { nb = "Kapasitetsmargin (p95 utnyttelse)", en = "Saturation headroom (p95 utilisation)" }
-- unit = "utilisation"
-- kind = "census"
-- entity = true
-- window = "28d"
-- floor = 0.95
-- krav = 0.8
-- mal = 0.7
-- weight = 4
-- obligations = ["O41", "O43"]
-- needs = ["capacity_samples"]
-- when_empty = "not_applicable"
-- formula = { nb = "95-persentilen av bruk / grense, per ressurs", en = "95th percentile of usage / limit, per resource" }
-- why = { nb = "Ventetiden vokser bratt når utnyttelsen nærmer seg grensen.", en = "Waiting grows steeply as utilisation nears the limit." }
-- remedy = { nb = "Øk grensen eller reduser lasten; legg inn kapasitetsprognose; se på topper ved frister.", en = "Raise the limit or reduce the load; add a capacity forecast; look at peaks before deadlines." }
-- effort = "M"
-- version = 1
with windows as (
    select * from ref.metric_windows where metric_id = 'scl_saturation_headroom'
),
items as (
    select o.team_id, w.as_of, w.grain, c.resource_id as entity_id, any_value(o.criticality_weight) as entity_weight,
        c.resource_id as item_id, max(c.sampled_at) as item_at,
        quantile_cont(c.utilisation_ratio, 0.95) as numerator, 1 as denominator, c.service_id as detail,
        count(*) as sample_count, any_value(w.completeness) as completeness
    from windows as w
    join facts.capacity_samples as c on c.sampled_at >= w.starts_at and c.sampled_at < w.as_of
    join ref.owned_services as o on o.service_id = c.service_id and o.as_of = w.as_of and o.grain = w.grain
    group by o.team_id, w.as_of, w.grain, c.resource_id, c.service_id
)
select team_id, as_of, grain, entity_id, any_value(entity_weight) as entity_weight,
    sum(numerator) as numerator, sum(denominator) as denominator,
    sum(numerator) / nullif(sum(denominator), 0) as value,
    any_value(sample_count) as sample_size, any_value(completeness) as completeness
from items
group by team_id, as_of, grain, entity_id
order by team_id, grain, as_of, entity_id
