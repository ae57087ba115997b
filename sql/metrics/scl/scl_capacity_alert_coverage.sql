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
-- formula.nb = """\
--     kapasitetskritiske ressurser med både metningsvarsel (høyst 90 %) og prognosevarsel (minst 24 timer), rutet / \
--     slike ressurser målt siste 28 dager"""
-- formula.en = """\
--     capacity-critical resources with both a saturation alert (at most 90%) and a forecast alert (at least 24 \
--     hours), routed / such resources measured in the last 28 days"""
-- why.nb = "Kontroll på ytelsen forutsetter et varsel før ressursen er full."
-- why.en = "Control of performance asks for an alert before the resource is full."
-- remedy = { nb = "Legg inn standard varselpakke fra plattformen.", en = "Add the platform's standard set of alerts." }
-- effort = "S"
-- rests_on = [
--     "alert_rule_states.resource_id", "alert_rule_states.is_routed", "alert_rule_states.threshold_ratio",
--     "alert_rule_states.forecast_hours",
-- ]
-- version = 2
with resources as (
    select r.*, o.team_id
    from macros.resources_at('scl_capacity_alert_coverage') as r
    join ref.owned_services as o on o.service_id = r.service_id and o.as_of = r.as_of and o.grain = r.grain
),

rules as (
    select
        as_of, grain, service_id, resource_id,
        kind = 'saturation' and is_routed
        and coalesce(threshold_ratio <= 0.9, case when macros.told(untold, 'threshold_ratio') then false end)
            as is_saturation,
        kind = 'forecast' and is_routed
        and coalesce(forecast_hours >= 24, case when macros.told(untold, 'forecast_hours') then false end)
            as is_forecast
    from facts.alert_rules_at
    where is_enabled and (resource_id is not null or not macros.told(untold, 'resource_id'))
),

-- A rule of which nobody can tell what it guards may guard any resource of its service.
guarded as (
    select
        r.as_of, r.grain, r.resource_id,
        case when a.resource_id is not null or not a.is_saturation then a.is_saturation end as is_saturation,
        case when a.resource_id is not null or not a.is_forecast then a.is_forecast end as is_forecast
    from resources as r
    join rules as a
        on
            a.as_of = r.as_of and a.grain = r.grain
            and (lower(a.resource_id) = lower(r.resource_id) or (a.resource_id is null and a.service_id = r.service_id))
),

found as (
    select
        as_of, grain, resource_id,
        case when bool_or(is_saturation) then true when bool_and(is_saturation is not null) then false end
            as has_saturation,
        case when bool_or(is_forecast) then true when bool_and(is_forecast is not null) then false end as has_forecast
    from guarded
    group by as_of, grain, resource_id
),

items as (
    select
        r.team_id, r.as_of, r.grain, r.resource_id as item_id, cast(r.last_day as timestamptz) as item_at,
        case when a.resource_id is null then 0 else cast(a.has_saturation and a.has_forecast as integer) end
            as numerator,
        1 as denominator,
        case
            when a.has_saturation and a.has_forecast then 'both'
            when a.has_saturation and not a.has_forecast then 'saturation only'
            when a.has_forecast and not a.has_saturation then 'forecast only'
            when numerator is null then 'not known' else 'none'
        end as detail,
        r.completeness
    from resources as r
    left join found as a on a.as_of = r.as_of and a.grain = r.grain and a.resource_id = r.resource_id
)

select team_id, as_of, grain, unnest(macros.share(numerator, denominator, completeness))
from items
group by team_id, as_of, grain
order by team_id, grain, as_of
