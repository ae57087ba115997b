-- title = { nb = "Hendelsesansvarlig involvert", en = "Incident manager involved" }
-- unit = "share"
-- kind = "sample"
-- window = "365d"
-- floor = 0.8
-- mal = 1.0
-- weight = 4
-- n_full = 5
-- obligations = ["O35"]
-- needs = ["incidents"]
-- rests_on = ["incidents.manager_assigned_at", "incidents.is_escalated", "incidents.is_exercise"]
-- better_with = ["incidents.resolved_at"]
-- when_empty = "no_opportunity"
-- formula.nb = "hendelser der hendelsesansvarlig var på plass innen 30 minutter / hendelser som krever det"
-- formula.en = "incidents with the incident manager assigned within 30 minutes / incidents that need one"
-- why = { nb = "Hendelsesansvarlig skal alltid involveres.", en = "The incident manager shall always be involved." }
-- remedy.nb = "Gjør hendelsesansvarlig til obligatorisk felt når en større hendelse opprettes; øv på rutinen."
-- remedy.en = "Make the incident manager a mandatory field of major incidents; rehearse the routine."
-- effort = "S"
-- version = 2
with items as (
    select
        i.team_id, w.as_of, w.grain, i.incident_id as item_id, coalesce(i.resolved_at, i.declared_at) as item_at,
        macros.kept(
            i.manager_assigned_at <= i.declared_at + interval 30 minute and i.manager_assigned_at < w.as_of,
            macros.told(i.untold, 'manager_assigned_at') and i.needs_manager and not i.is_exercise
        ) as numerator,
        1 as denominator, 'SEV' || i.severity as detail, w.completeness
    from macros.metric_windows('inc_incident_manager_involved') as w
    join facts.incidents as i on macros.concerns(i.declared_at, i.resolved_at, i.untold, w.starts_at, w.as_of)
    where
        i.needs_manager is distinct from false and i.is_exercise is distinct from true
        -- Nobody is assigned and there is still time: not due.
        and (i.manager_assigned_at < w.as_of or i.declared_at + interval 30 minute < w.as_of)
)

select team_id, as_of, grain, unnest(macros.share(numerator, denominator, completeness))
from items
group by team_id, as_of, grain
order by team_id, grain, as_of
