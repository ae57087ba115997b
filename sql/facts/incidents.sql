-- title = "Incidents, with the team that owned the service when they were declared, and when their post mortem is due"
-- key = ["incident_id"]
-- [columns]
-- incident_id = "Incident"
-- service_id = "Service"
-- team_id = "Owner at that time"
-- severity = "1 (critical) to 4"
-- declared_at = "Declared, UTC"
-- first_alert_at = "First alert, UTC"
-- first_report_at = "First report by a person, UTC"
-- resolved_at = "Resolved, UTC; null = open"
-- restore_minutes = "Declared to resolved, minutes"
-- manager_assigned_at = "Incident manager assigned, UTC"
-- needs_manager = "Severity 1 or 2, or escalated severity 3"
-- is_exercise = "Exercise or planned test"
-- needs_postmortem = "Severity 1 or 2, data loss, or over 20 % of a 28-day error budget"
-- postmortem_due_at = "16:00 local on the fifth working day after the day it was resolved, or declared while it is open, UTC"
-- postmortem_published_at = "Published, UTC"
-- is_postmortem_reviewed = "Reviewed by somebody other than the author"
-- caused_by_deployment_id = "Deployment that caused it"
-- signature = "Opaque code of the kind of fault"
-- is_reportable = "The law asks for a notification"
-- notified_at = "Authority notified, UTC"
-- budget_ratio = "Share of the service's 28-day error budget that was spent while it lasted; null without SLO or data"
with owned as (
    select i.*, n.service_id as owned_service_id, o.team_id, c.working_day_number
    from staging.incidents as i
    join ref.service_names as n on n.name = i.service_id
    join ref.service_owners as o
        on o.service_id = n.service_id and i.declared_at >= o.valid_from_at and i.declared_at < o.valid_to_at
    -- While an incident is open its deadline runs from the day it was declared: leaving it open hides nothing.
    left join ref.calendar as c
        on coalesce(i.resolved_at, i.declared_at) >= c.starts_at and coalesce(i.resolved_at, i.declared_at) < c.ends_at
),
-- Downtime while the incident lasted, by the monitor that saw most of it (summing monitors would count twice).
seen as (
    select i.incident_id, x.monitor_key,
        sum(epoch_us(least(x.restored_at, i.resolved_at) - greatest(x.started_at, i.began_at))) / 60e6 as minutes
    from (select *, least(declared_at, first_alert_at, first_report_at) as began_at from owned) as i
    -- An open incident has no end yet: whatever was down since it began counts (ADR 0010). least passes over nulls.
    join facts.outages as x
        on x.service_id = i.owned_service_id and coalesce(x.started_at < i.resolved_at, true)
        and least(x.restored_at, i.resolved_at) > i.began_at
    group by i.incident_id, x.monitor_key
),
spent as (
    select i.incident_id, max(s.minutes) / any_value(28 * 1440 * (1 - l.target)) as budget_ratio
    from owned as i
    join seen as s on s.incident_id = i.incident_id
    join ref.slos as l
        on l.service_id = i.owned_service_id and l.kind = 'availability'
        and i.declared_at >= l.valid_from_at and i.declared_at < l.valid_to_at
    group by i.incident_id
)
select i.incident_id, i.owned_service_id as service_id, i.team_id, i.severity, i.declared_at, i.first_alert_at,
    i.first_report_at, i.resolved_at, epoch_us(i.resolved_at - i.declared_at) / 60e6 as restore_minutes,
    i.manager_assigned_at,
    i.severity <= 2 or (i.severity = 3 and coalesce(i.is_escalated, false)) as needs_manager,
    coalesce(i.is_exercise, false) as is_exercise,
    i.severity <= 2 or coalesce(i.is_data_loss, false) or coalesce(s.budget_ratio > 0.2, false) as needs_postmortem,
    d.work_ends_at as postmortem_due_at, i.postmortem_published_at,
    coalesce(i.is_postmortem_reviewed, false) as is_postmortem_reviewed, i.caused_by_deployment_id,
    i.signature, coalesce(i.is_reportable, false) as is_reportable, i.notified_at, s.budget_ratio
from owned as i
left join spent as s on s.incident_id = i.incident_id
left join ref.calendar as d on d.working_day_number = i.working_day_number + 5 and d.is_working_day
order by i.declared_at, i.incident_id
