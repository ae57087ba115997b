-- title = { nb = "Planlagt vedlikehold gjennomført i tide", en = "Planned maintenance done by due date" }
-- unit = "share"
-- kind = "sample"
-- window = "180d"
-- floor = 0.4
-- krav = 0.8
-- mal = 0.95
-- weight = 2
-- n_full = 8
-- obligations = ["O21"]
-- needs = ["maintenance_tasks"]
-- when_empty = "no_opportunity"
-- formula.nb = "oppgaver gjort innen første frist / alle oppgaver med frist i perioden, åpne medregnet"
-- formula.en = "tasks done by their first due date / all tasks due in the window, open ones included"
-- why.nb = "Systemer og plattform skal vedlikeholdes regelmessig."
-- why.en = "Systems and platform shall be maintained regularly."
-- remedy.nb = "Etabler vedlikeholdsplan med eier og frist per oppgave; fjern oppgaver som kan automatiseres."
-- remedy.en = "Make a maintenance plan with owner and due date per task; remove tasks that can be automated."
-- effort = "S"
-- rests_on = ["maintenance_tasks.completed_at"]
-- better_with = ["maintenance_tasks.is_cancelled_with_approval"]
-- version = 2
with items as (
    select
        t.team_id, w.as_of, w.grain, t.task_id as item_id, t.first_due_at as item_at,
        -- What was done was not cancelled; of the rest it must be known, unless the source has no word for it.
        macros.kept(
            t.completed_at <= t.first_due_at,
            coalesce(t.completed_at < w.as_of, false) or (
                macros.told(t.untold, 'completed_at') and (
                    t.is_cancelled_with_approval is not null
                    or not macros.told(t.untold, 'is_cancelled_with_approval')
                )
            )
        ) as numerator,
        1 as denominator,
        case when t.completed_at is null or t.completed_at >= w.as_of then 'open' else 'done' end as detail,
        w.completeness
    from macros.metric_windows('mnt_planned_maintenance_on_time') as w
    join
        macros.rows_of_teams('maintenance_tasks', first_due_at) as t
        on macros.within(t.first_due_at, w.starts_at, w.as_of)
    where t.is_cancelled_with_approval is not true or t.completed_at < w.as_of
    union all
    -- Of what a platform team without any plan maintains nothing is known.
    select o.team_id, w.as_of, w.grain, 'no plan', null, null, 1, 'no plan', w.completeness
    from macros.metric_windows('mnt_planned_maintenance_on_time') as w
    join (select distinct team_id, as_of, grain from ref.owned_services) as o on o.as_of = w.as_of and o.grain = w.grain
    join ref.teams as p on p.team_id = o.team_id and p.type = 'platform'
    anti join macros.rows_of_teams('maintenance_tasks', first_due_at) as t on t.team_id = o.team_id
)

select team_id, as_of, grain, unnest(macros.share(numerator, denominator, completeness))
from items
group by team_id, as_of, grain
order by team_id, grain, as_of
