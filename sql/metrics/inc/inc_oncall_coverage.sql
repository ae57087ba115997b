-- title = { nb = "Vaktdekning (dagvakt og 24/7)", en = "On-call coverage" }
-- unit = "share"
-- kind = "census"
-- window = "28d"
-- floor = 0.9
-- krav = 0.99
-- mal = 1.0
-- weight = 4
-- obligations = ["O31", "O39"]
-- needs = ["oncall_shifts"]
-- when_empty = "not_applicable"
-- formula = { nb = "minutter med minst én tilgjengelig person / minutter med pålagt vakt", en = "minutes with at least one reachable person / minutes of required duty" }
-- why = { nb = "Dagvakt er pålagt alle team, døgnvakt der det er avtalt.", en = "Every team shall have a day rota, and some a 24/7 rota." }
-- remedy = { nb = "Fyll hull i vaktplanen; sett reservevakt; bruk felles dagvakt for små team.", en = "Fill the gaps in the rota; name a reserve; share the day rota between small teams." }
-- effort = "S"
-- version = 1
with windows as (
    select * from ref.metric_windows where metric_id = 'inc_oncall_coverage'
),
items as (
    select d.team_id, w.as_of, w.grain, cast(d.day as varchar) as item_id, c.starts_at as item_at,
        cast(d.covered_minutes as decimal(18, 6)) as numerator,
        cast(d.required_minutes as decimal(18, 6)) as denominator, 'minutes' as detail, w.completeness
    from windows as w
    join ref.calendar as c on c.starts_at >= w.starts_at and c.starts_at < w.as_of
    join facts.oncall_daily as d on d.day = c.day
)
select team_id, as_of, grain,
    sum(numerator) as numerator, sum(denominator) as denominator,
    sum(numerator) / nullif(sum(denominator), 0) as value,
    count(*) as sample_size, any_value(completeness) as completeness
from items
group by team_id, as_of, grain
order by team_id, grain, as_of
