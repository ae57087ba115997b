-- title = { nb = "Etterevaluering i tide", en = "Post-mortem completed on time" }
-- unit = "share"
-- kind = "sample"
-- window = "365d"
-- floor = 0.0
-- krav = 0.8
-- mal = 1.0
-- weight = 3
-- n_full = 5
-- obligations = ["O37"]
-- needs = ["incidents"]
-- rests_on = [
--     "incidents.resolved_at",
--     "incidents.postmortem_published_at",
--     "incidents.is_postmortem_reviewed",
--     "incidents.is_data_loss",
--     "incidents.is_exercise",
-- ]
-- better_with = ["incidents.first_alert_at", "incidents.first_report_at"]
-- when_empty = "no_opportunity"
-- formula.nb = "etterevalueringer publisert og gjennomgått innen fristen / alle som hadde frist i perioden"
-- formula.en = "post mortems published and reviewed by the due date / all due in the window"
-- why.nb = "Etter større hendelser skal det holdes etterevaluering."
-- why.en = "After major incidents there shall be a post mortem."
-- remedy.nb = "Gi etterevalueringen en eier når hendelsen lukkes; bruk kort mal; skyldfri gjennomgang."
-- remedy.en = "Name the owner at closing time; use a short template; keep it blameless."
-- effort = "S"
-- version = 3
with cohort as (
    select
        w.as_of, w.grain, w.starts_at, w.completeness, i.*, coalesce(i.resolved_at >= w.as_of, true) as is_open
    from macros.metric_windows('inc_postmortem_on_time') as w
    join facts.incidents as i on i.declared_at < w.as_of and i.is_exercise is distinct from true
),

-- While it is open, the deadline runs from the day it was declared: what ends later changes nothing said before.
due as (
    select
        *, case when is_open then postmortem_due_while_open_at else postmortem_due_at end as due_at,
        case when is_open then needs_postmortem_while_open else needs_postmortem end as is_needed
    from cohort
),

items as (
    select
        team_id, as_of, grain, incident_id as item_id, due_at as item_at,
        macros.kept(
            postmortem_published_at <= due_at and is_postmortem_reviewed,
            macros.told(untold, 'resolved_at') and macros.told(untold, 'postmortem_published_at')
            and macros.told(untold, 'is_postmortem_reviewed') and is_needed and not is_exercise
            and (is_postmortem_reviewed is not null or coalesce(postmortem_published_at > due_at, true))
        ) as numerator,
        1 as denominator, case when postmortem_published_at < as_of then 'published' else 'missing' end as detail,
        completeness
    from due
    where
        is_needed is distinct from false and due_at < as_of
        -- An open incident stays in the cohort however old it is (ADR 0010), one whose end is untold does not.
        and (due_at >= starts_at or (is_open and macros.told(untold, 'resolved_at')))
)

select team_id, as_of, grain, unnest(macros.share(numerator, denominator, completeness))
from items
group by team_id, as_of, grain
order by team_id, grain, as_of
