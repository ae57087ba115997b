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
-- rests_on = ["action_items.done_at", "action_items.is_dropped_with_approval"]
-- better_with = ["action_items.first_due_at"]
-- when_empty = "no_opportunity"
-- formula.nb = """\
--     tiltak gjort innen første frist / alle tiltak med frist i perioden, også åpne; godkjent bortfalte utenom"""
-- formula.en = """\
--     actions done by their first due date / all due in the window, also open ones; dropped with approval left out"""
-- why.nb = "Læring etter hendelser er først gjort når tiltakene er gjort."
-- why.en = "Learning from incidents is done only when the actions are."
-- remedy.nb = "Løft tiltakene inn i den vanlige oppgavelisten med eier; ukentlig sjekk; høyst tre tiltak per hendelse."
-- remedy.en = "Move actions into the normal backlog with an owner; check weekly; at most three per incident."
-- effort = "S"
-- version = 2
with items as (
    select
        a.team_id, w.as_of, w.grain, a.action_id as item_id, a.due_at as item_at,
        macros.kept(
            a.done_at <= a.due_at, macros.told(a.untold, 'done_at') and a.is_dropped_with_approval is not null
        ) as numerator,
        1 as denominator, 'P' || a.priority || case when a.done_at < w.as_of then ' done' else ' open' end as detail,
        w.completeness
    from macros.metric_windows('inc_actions_on_time') as w
    join facts.action_items as a on macros.within(a.due_at, w.starts_at, w.as_of)
    -- No register says when it was dropped: that holds for every instant.
    where a.is_dropped_with_approval is distinct from true
)

select team_id, as_of, grain, unnest(macros.share(numerator, denominator, completeness))
from items
group by team_id, as_of, grain
order by team_id, grain, as_of
