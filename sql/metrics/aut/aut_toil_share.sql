-- title = { nb = "Andel rutinearbeid", en = "Toil share of team time" }
-- unit = "share"
-- kind = "sample"
-- window = "91d"
-- floor = 0.5
-- krav = 0.33
-- mal = 0.2
-- weight = 2
-- n_full = 8
-- obligations = ["O03", "O61", "O63"]
-- needs = ["toil_reports"]
-- when_empty = "no_opportunity"
-- formula = { nb = "gjennomsnitt over uker av rutinetimer / arbeidstimer; uker med under fire svar vises ikke", en = "mean over weeks of toil hours / working hours; weeks with fewer than four answers are not shown" }
-- why = { nb = "Tid brukt på gjentatt håndarbeid er tid som ikke går til forbedring.", en = "Time spent on repeated manual work is time not spent on improvement." }
-- remedy = { nb = "Velg én gjentakende oppgave per sprint til automatisering.", en = "Pick one repeated task per sprint to automate." }
-- effort = "M"
-- interval = "normal"
-- version = 1
with windows as (
    select * from ref.metric_windows where metric_id = 'aut_toil_share'
),
items as (
    select t.team_id, w.as_of, w.grain, cast(t.week_starts_on as varchar) as item_id,
        c.starts_at as item_at, cast(coalesce(t.toil_ratio, 0) as decimal(18, 6)) as numerator,
        cast(t.is_shown as integer) as denominator,
        case when t.is_shown then 'week' else 'fewer than four answers' end as detail, w.completeness
    from windows as w
    join ref.calendar as c on c.starts_at >= w.starts_at and c.starts_at < w.as_of
    join facts.toil_weeks as t on t.week_starts_on = c.day
)
select team_id, as_of, grain,
    sum(numerator) as numerator, sum(denominator) as denominator,
    sum(numerator) / nullif(sum(denominator), 0) as value,
    count(*) filter (denominator = 1) as sample_size,
    any_value(completeness) * avg(denominator) as completeness,
    stddev_samp(numerator order by item_id) filter (denominator = 1) / sqrt(nullif(sum(denominator), 0))
        as standard_error
from items
group by team_id, as_of, grain
order by team_id, grain, as_of
