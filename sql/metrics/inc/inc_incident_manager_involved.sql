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
-- when_empty = "no_opportunity"
-- formula = { nb = "hendelser der hendelsesansvarlig var på plass innen 30 minutter / hendelser som krever det", en = "incidents with the incident manager assigned within 30 minutes / incidents that need one" }
-- why = { nb = "Hendelsesansvarlig skal alltid involveres.", en = "The incident manager shall always be involved." }
-- remedy = { nb = "Gjør hendelsesansvarlig til obligatorisk felt når en alvorlig hendelse opprettes; øv på rutinen.", en = "Make the incident manager a mandatory field of serious incidents; rehearse the routine." }
-- effort = "S"
-- version = 1
with windows as (
    select * from ref.metric_windows where metric_id = 'inc_incident_manager_involved'
),
items as (
    select i.team_id, w.as_of, w.grain, i.incident_id as item_id, coalesce(i.resolved_at, i.declared_at) as item_at,
        cast(coalesce(i.manager_assigned_at <= i.declared_at + interval 30 minute, false) as integer) as numerator,
        1 as denominator, 'SEV' || i.severity as detail, w.completeness
    from windows as w
    -- Resolved in the window or still open at its end: leaving an incident open takes it out of nothing (ADR 0010).
    join facts.incidents as i on i.declared_at < w.as_of and coalesce(i.resolved_at >= w.starts_at, true)
    where i.needs_manager and not i.is_exercise
)
select team_id, as_of, grain,
    sum(numerator) as numerator, sum(denominator) as denominator,
    sum(numerator) / nullif(sum(denominator), 0) as value,
    count(*) as sample_size, any_value(completeness) as completeness
from items
group by team_id, as_of, grain
order by team_id, grain, as_of
