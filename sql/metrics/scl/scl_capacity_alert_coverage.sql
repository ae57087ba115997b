-- title = { nb = "Kapasitetsvarsler", en = "Capacity alert coverage" }
-- unit = "share"
-- kind = "census"
-- window = "now"
-- floor = 0.4
-- krav = 0.9
-- mal = 1.0
-- weight = 3
-- obligations = ["O42"]
-- needs = ["capacity_samples", "alert_rule_states"]
-- when_empty = "not_applicable"
-- formula = { nb = "kapasitetskritiske ressurser med både metningsvarsel (høyst 90 %) og prognosevarsel (minst 24 timer), rutet / slike ressurser målt siste 28 dager", en = "capacity-critical resources with both a saturation alert (at most 90 %) and a forecast alert (at least 24 hours), routed / such resources measured in the last 28 days" }
-- why = { nb = "Kontroll på ytelsen forutsetter et varsel før ressursen er full.", en = "Control of performance asks for an alert before the resource is full." }
-- remedy = { nb = "Legg inn standard varselpakke fra plattformen.", en = "Add the platform's standard set of alerts." }
-- effort = "S"
-- version = 1
with windows as (
    select * from ref.metric_windows where metric_id = 'scl_capacity_alert_coverage'
),
resources as (
    select w.as_of, w.grain, w.completeness, o.team_id, c.resource_id, max(c.day) as last_day
    from windows as w
    join (select distinct resource_id, service_id, day from facts.capacity_samples) as c
        on c.day <= w."on" and c.day > w."on" - 28
    join ref.owned_services as o on o.service_id = c.service_id and o.as_of = w.as_of and o.grain = w.grain
    group by w.as_of, w.grain, w.completeness, o.team_id, c.resource_id
),
rules as (
    select as_of, grain, resource_id,
        bool_or(kind = 'saturation' and threshold_ratio <= 0.9) as has_saturation,
        bool_or(kind = 'forecast' and forecast_hours >= 24) as has_forecast
    from facts.alert_rules_at
    where is_enabled and is_routed and resource_id is not null
    group by as_of, grain, resource_id
),
items as (
    select r.team_id, r.as_of, r.grain, r.resource_id as item_id, cast(r.last_day as timestamptz) as item_at,
        cast(coalesce(a.has_saturation and a.has_forecast, false) as integer) as numerator, 1 as denominator,
        case when a.has_saturation and a.has_forecast then 'both' when a.has_saturation then 'saturation only'
            when a.has_forecast then 'forecast only' else 'none' end as detail,
        r.completeness
    from resources as r
    left join rules as a on a.as_of = r.as_of and a.grain = r.grain and a.resource_id = r.resource_id
)
select team_id, as_of, grain,
    sum(numerator) as numerator, sum(denominator) as denominator,
    sum(numerator) / nullif(sum(denominator), 0) as value,
    count(*) as sample_size, any_value(completeness) as completeness
from items
group by team_id, as_of, grain
order by team_id, grain, as_of
