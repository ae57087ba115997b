-- title = { nb = "Funn lukket i tide", en = "Assessment findings closed on time" }
-- unit = "share"
-- kind = "sample"
-- window = "180d"
-- floor = 0.4
-- krav = 0.8
-- mal = 0.95
-- weight = 2
-- n_full = 10
-- obligations = ["O52"]
-- needs = ["findings"]
-- when_empty = "no_opportunity"
-- formula = { nb = "funn lukket innen første frist / alle funn med frist i perioden; fristen er høyst 30, 90 eller 180 dager etter alvorlighet", en = "findings closed by their first due date / all due in the window; due at most 30, 90 or 180 days by severity" }
-- why = { nb = "En vurdering er verdt noe først når funnene er lukket.", en = "An assessment is worth something only when its findings are closed." }
-- remedy = { nb = "Legg funn i backlog med eier og frist.", en = "Put findings into the backlog with an owner and a due date." }
-- effort = "S"
-- version = 1
with windows as (
    select * from ref.metric_windows where metric_id = 'sec_findings_on_time'
),
items as (
    select f.team_id, w.as_of, w.grain, f.finding_id as item_id, f.due_at as item_at,
        cast(coalesce(f.closed_at <= f.due_at, false) as integer) as numerator, 1 as denominator,
        f.severity || case when f.closed_at < w.as_of then ': closed' else ': open' end as detail, w.completeness
    from windows as w
    join facts.findings as f on f.due_at >= w.starts_at and f.due_at < w.as_of
)
select team_id, as_of, grain,
    sum(numerator) as numerator, sum(denominator) as denominator,
    sum(numerator) / nullif(sum(denominator), 0) as value,
    count(*) as sample_size, any_value(completeness) as completeness
from items
group by team_id, as_of, grain
order by team_id, grain, as_of
