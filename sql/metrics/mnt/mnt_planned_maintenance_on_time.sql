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
-- formula = { nb = "oppgaver gjort innen første frist / alle oppgaver med frist i perioden, åpne medregnet", en = "tasks done by their first due date / all tasks due in the window, open ones included" }
-- why = { nb = "Systemer og plattform skal vedlikeholdes regelmessig.", en = "Systems and platform shall be maintained regularly." }
-- remedy = { nb = "Etabler vedlikeholdsplan med eier og frist per oppgave; fjern oppgaver som kan automatiseres.", en = "Make a maintenance plan with owner and due date per task; remove tasks that can be automated." }
-- effort = "S"
-- version = 1
with windows as (
    select * from ref.metric_windows where metric_id = 'mnt_planned_maintenance_on_time'
),
items as (
    select t.team_id, w.as_of, w.grain, t.task_id as item_id, t.first_due_at as item_at,
        cast(coalesce(t.completed_at <= t.first_due_at, false) as integer) as numerator, 1 as denominator,
        case when t.completed_at is null or t.completed_at >= w.as_of then 'open' else 'done' end as detail,
        w.completeness
    from windows as w
    join staging.maintenance_tasks as t on t.first_due_at >= w.starts_at and t.first_due_at < w.as_of
    where not coalesce(t.is_cancelled_with_approval, false)
)
select team_id, as_of, grain,
    sum(numerator) as numerator, sum(denominator) as denominator,
    sum(numerator) / nullif(sum(denominator), 0) as value,
    count(*) as sample_size, any_value(completeness) as completeness
from items
group by team_id, as_of, grain
order by team_id, grain, as_of
