-- title = { nb = "Korrigerende tiltak i tide", en = "Corrective actions done by due date" }
-- unit = "share"
-- kind = "sample"
-- window = "180d"
-- floor = 0.4
-- krav = 0.8
-- mal = 0.95
-- weight = 3
-- n_full = 12
-- obligations = ["O36", "O38"]
-- needs = ["action_items"]
-- when_empty = "no_opportunity"
-- formula = { nb = "tiltak gjort innen første frist / alle tiltak med frist i perioden, også åpne; godkjent bortfalte utenom", en = "actions done by their first due date / all due in the window, also open ones; dropped with approval left out" }
-- why = { nb = "Læring etter hendelser er først gjort når tiltakene er gjort.", en = "Learning from incidents is done only when the actions are." }
-- remedy = { nb = "Løft tiltakene inn i vanlig backlog med eier; ukentlig sjekk; høyst tre tiltak per hendelse.", en = "Move actions into the normal backlog with an owner; check weekly; at most three per incident." }
-- effort = "S"
-- version = 1
with windows as (
    select * from ref.metric_windows where metric_id = 'inc_actions_on_time'
),
items as (
    select a.team_id, w.as_of, w.grain, a.action_id as item_id, a.due_at as item_at,
        cast(coalesce(a.done_at <= a.due_at, false) as integer) as numerator, 1 as denominator,
        'P' || a.priority || case when a.done_at < w.as_of then ' done' else ' open' end as detail, w.completeness
    from windows as w
    join facts.action_items as a on a.due_at >= w.starts_at and a.due_at < w.as_of
    where not a.is_dropped_with_approval
)
select team_id, as_of, grain,
    sum(numerator) as numerator, sum(denominator) as denominator,
    sum(numerator) / nullif(sum(denominator), 0) as value,
    count(*) as sample_size, any_value(completeness) as completeness
from items
group by team_id, as_of, grain
order by team_id, grain, as_of
