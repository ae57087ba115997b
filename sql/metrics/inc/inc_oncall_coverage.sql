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
-- rests_on = [
--     "oncall_shifts.responder_count",
--     "alerts.acknowledged_at",
--     "alerts.acknowledged_by_kind",
--     "alerts.closed_at",
--     "alerts.is_test",
-- ]
-- when_empty = "not_applicable"
-- of_oncall_duty = true
-- formula.nb = "minutter med minst én tilgjengelig person / minutter med pålagt vakt"
-- formula.en = "minutes with at least one reachable person / minutes of required duty"
-- why.nb = "Dagvakt er pålagt alle team, døgnvakt der det er avtalt."
-- why.en = "Every team shall have a day rota, and some a 24/7 rota."
-- remedy.nb = "Fyll hull i vaktplanen; sett reservevakt; bruk felles dagvakt for små team."
-- remedy.en = "Fill the gaps in the rota; name a reserve; share the day rota between small teams."
-- effort = "S"
-- version = 2
with days as (
    select d.*, c.starts_at as item_at, w.as_of, w.grain, w.completeness
    from macros.metric_windows('inc_oncall_coverage') as w
    join ref.calendar as c on macros.within(c.starts_at, w.starts_at, w.as_of)
    join facts.oncall_daily as d on d.day = c.day
),

items as (
    select
        team_id, as_of, grain, cast(day as varchar) as item_id, item_at,
        cast(covered_minutes as decimal(18, 6)) as numerator, cast(known_minutes as decimal(18, 6)) as denominator,
        'minutes' as detail, completeness
    from days where known_minutes > 0
    union all
    select
        team_id, as_of, grain, cast(day as varchar) || ' unknown', item_at, null,
        cast(required_minutes - known_minutes as decimal(18, 6)), 'minutes', completeness
    from days where required_minutes > known_minutes
)

select team_id, as_of, grain, unnest(macros.share(numerator, denominator, completeness))
from items
group by team_id, as_of, grain
order by team_id, grain, as_of
