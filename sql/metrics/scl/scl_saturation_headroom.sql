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
-- formula.nb = "95-persentilen av bruk / grense, per ressurs"
-- formula.en = "95th percentile of usage / limit, per resource"
-- why.nb = "Ventetiden vokser bratt når utnyttelsen nærmer seg grensen."
-- why.en = "Waiting grows steeply as utilisation nears the limit."
-- remedy.nb = "Øk grensen eller reduser lasten; legg inn kapasitetsprognose; se på topper ved frister."
-- remedy.en = "Raise the limit or reduce the load; add a capacity forecast; look at peaks before deadlines."
-- effort = "M"
-- shows = "window"
-- worst_value = true
-- version = 2
with items as (
    select
        team_id, as_of, grain, resource_id as entity_id, arg_max(criticality_weight, sampled_at) as entity_weight,
        resource_id as item_id, max(sampled_at) as item_at, quantile_cont(utilisation_ratio, 0.95) as numerator,
        1 as denominator, arg_max(service_id, sampled_at) as detail, count(*) as sample_count,
        max(utilisation_ratio) as highest,
        count(distinct day) / any_value(base_days) as completeness
    from macros.delivered_samples('scl_saturation_headroom')
    group by team_id, as_of, grain, resource_id
)

select
    team_id, as_of, grain, entity_id, any_value(entity_weight) as entity_weight,
    unnest(macros.ratio(numerator, denominator)),
    any_value(sample_count) as sample_size, any_value(completeness) as completeness,
    -- While less than a twentieth is unknown, the 95th percentile cannot lie above the highest known sample.
    case when any_value(completeness) >= 0.95 then any_value(highest) end as worst_value
from items
group by team_id, as_of, grain, entity_id
order by team_id, grain, as_of, entity_id
