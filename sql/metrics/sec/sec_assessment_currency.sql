-- title = { nb = "Sikkerhetsvurdering er fersk", en = "Security assessment currency" }
-- unit = "share"
-- kind = "census"
-- window = "now"
-- floor = 0.3
-- krav = 0.9
-- mal = 1.0
-- weight = 3
-- obligations = ["O52"]
-- needs = ["assessments"]
-- when_empty = "not_applicable"
-- formula = { nb = "tjenester med vurdering siste 365 dager og etter siste store endring / tjenester", en = "services assessed in the last 365 days and after the last major change / services" }
-- why = { nb = "Sikkerhetsvurderinger skal gjøres regelmessig.", en = "Security assessments shall be made regularly." }
-- remedy = { nb = "Book ROS-verksted; start med tjenester med personopplysninger.", en = "Book a risk workshop; start with services that hold personal data." }
-- effort = "M"
-- version = 1
with windows as (
    select * from ref.metric_windows where metric_id = 'sec_assessment_currency'
),
owned as (
    select o.*, w.completeness
    from windows as w
    join ref.owned_services as o on o.as_of = w.as_of and o.grain = w.grain
),
items as (
    select o.team_id, o.as_of, o.grain, o.service_id as item_id, max(a.approved_at) as item_at,
        cast(coalesce(max(a.approved_at) >= any_value(o.as_of) - interval 365 day
            and (any_value(o.last_major_change_on) is null or max(a.approved_at) >= any_value(o.last_major_change_on)),
            false) as integer) as numerator,
        1 as denominator, coalesce(arg_max(a.kind, a.approved_at), 'none') as detail,
        any_value(o.completeness) as completeness
    from owned as o
    left join facts.assessments as a on a.service_id = o.service_id and a.approved_at < o.as_of
    group by o.team_id, o.as_of, o.grain, o.service_id
)
select team_id, as_of, grain,
    sum(numerator) as numerator, sum(denominator) as denominator,
    sum(numerator) / nullif(sum(denominator), 0) as value,
    count(*) as sample_size, any_value(completeness) as completeness
from items
group by team_id, as_of, grain
order by team_id, grain, as_of
