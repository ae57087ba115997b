-- title = { nb = "Post mortem i tide", en = "Post-mortem completed on time" }
-- unit = "share"
-- kind = "sample"
-- window = "365d"
-- floor = 0.4
-- krav = 0.8
-- mal = 1.0
-- weight = 3
-- n_full = 5
-- obligations = ["O37"]
-- needs = ["incidents"]
-- when_empty = "no_opportunity"
-- formula = { nb = "post mortem publisert og gjennomgått innen fristen / alle som hadde frist i perioden", en = "post mortems published and reviewed by the due date / all due in the window" }
-- why = { nb = "Etter større hendelser skal det holdes post mortem.", en = "After major incidents there shall be a post mortem." }
-- remedy = { nb = "Sett eier av post mortem ved lukking; bruk kort mal; skyldfri gjennomgang.", en = "Name the owner at closing time; use a short template; keep it blameless." }
-- effort = "S"
-- version = 1
with windows as (
    select * from ref.metric_windows where metric_id = 'inc_postmortem_on_time'
),
items as (
    select i.team_id, w.as_of, w.grain, i.incident_id as item_id, i.postmortem_due_at as item_at,
        cast(coalesce(i.postmortem_published_at <= i.postmortem_due_at and i.is_postmortem_reviewed, false) as integer)
            as numerator,
        1 as denominator,
        case when i.postmortem_published_at < w.as_of then 'published' else 'missing' end as detail, w.completeness
    from windows as w
    -- An open incident stays in the cohort however old it is (ADR 0010).
    join facts.incidents as i
        on i.postmortem_due_at < w.as_of
        and (i.postmortem_due_at >= w.starts_at or coalesce(i.resolved_at >= w.as_of, true))
    where i.needs_postmortem and not i.is_exercise
)
select team_id, as_of, grain,
    sum(numerator) as numerator, sum(denominator) as denominator,
    sum(numerator) / nullif(sum(denominator), 0) as value,
    count(*) as sample_size, any_value(completeness) as completeness
from items
group by team_id, as_of, grain
order by team_id, grain, as_of
