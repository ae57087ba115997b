-- title = "Incidents, with the team that owned the service when they were declared, and when their post mortem is due"
-- key = ["incident_id"]
-- [columns]
-- incident_id = "Incident"
-- service_id = "Service"
-- team_id = "Owner at that time"
-- severity = "1 (critical) to 4"
-- declared_at = "Declared, UTC"
-- first_alert_at = "First alert, UTC; null = none, or untold"
-- first_report_at = "First report by a person, UTC; null = none, or untold"
-- resolved_at = "Resolved, UTC; null = open, or untold"
-- restore_minutes = "Declared to resolved, minutes; null = open, or untold"
-- manager_assigned_at = "Incident manager assigned, UTC; null = nobody, or untold"
-- needs_manager = "Severity 1 or 2, or escalated severity 3; null = not known"
-- is_exercise = "Exercise or planned test; null = not known"
-- needs_postmortem = "Severity 1 or 2, data loss, or over 20% of a 28-day error budget; null = not known"
-- needs_postmortem_while_open = """\
--     The same while it is open: of the budget, what is spent by its deadline; null = not known"""
-- postmortem_due_at = """\
--     End of work on the team's fifth working day after the day it was resolved, or declared if no end is known, UTC"""
-- postmortem_due_while_open_at = "The same after the day it was declared: it holds for as long as it is open, UTC"
-- postmortem_published_at = "Published, UTC; null = not, or untold"
-- is_postmortem_reviewed = "Reviewed by somebody other than the author; null = not known"
-- caused_by_deployment_id = "Deployment that caused it; null = none, or untold"
-- signature = "Opaque code of the kind of fault; null = none, or untold"
-- is_reportable = "The law asks for a notification; null = not known"
-- notified_at = "Authority notified, UTC; null = not, or untold"
-- budget_ratio = """\
--     Share of the service's 28-day error budget that was spent while it lasted, or by postmortem_due_while_open_at \
--     if no end is known: some monitor was down outside eligible maintenance; null without SLO, or where no monitor \
--     looked"""
-- untold = "Columns that its source cannot tell: empty there says nothing at all"
with owned as (
    select
        i.*, o.service_id as owned_service_id, o.team_id, l.target,
        least(i.declared_at, i.first_alert_at, i.first_report_at) as began_at,
        d.due_at, w.due_at as open_due_at
    from staging.incidents as i
    join macros.owners_by_name() as o
        on o.name = lower(i.service_id) and macros.within(i.declared_at, o.valid_from_at, o.valid_to_at)
    -- While an incident is open its deadline runs from the day it was declared: leaving it open hides nothing.
    left join macros.deadlines(5) as w
        on w.team_id = o.team_id and macros.within(i.declared_at, w.starts_at, w.ends_at)
    left join macros.deadlines(5) as d
        on d.team_id = o.team_id and macros.within(coalesce(i.resolved_at, i.declared_at), d.starts_at, d.ends_at)
    left join ref.slos as l
        on
            l.service_id = o.service_id and l.kind = 'availability'
            and macros.within(i.declared_at, l.valid_from_at, l.valid_to_at)
),

-- Each incident once as it ended, and once as it is judged while it is open: until that deadline, not later.
lasting as (
    select
        i.incident_id, i.owned_service_id, i.began_at, i.target, j.is_open,
        case when j.is_open then i.open_due_at else coalesce(i.resolved_at, i.open_due_at) end as ended_at
    from owned as i
    cross join (values (false), (true)) as j (is_open)
    where i.target is not null
),

-- Known downtime meanwhile that spends of the budget: any monitor down is down, eligible maintenance is not.
seen as (
    select
        i.incident_id, i.is_open,
        sum(epoch_us(least(x.ends_at, i.ended_at)) - epoch_us(greatest(x.starts_at, i.began_at))) / 60e6 as minutes
    from lasting as i
    join macros.merged_runs(['down'], '-infinity'::timestamptz) as x
        on x.service_id = i.owned_service_id and x.starts_at < i.ended_at and x.ends_at > i.began_at
    group by i.incident_id, i.is_open
),

-- Where nobody looked on one of its days, no outage seen is no outage known.
spent as (
    select
        i.incident_id, i.is_open, bool_and(coalesce(a.known_minutes > 0, false)) as is_watched,
        coalesce(any_value(s.minutes), case when is_watched then 0.0 end) / (28 * 1440 * (1 - i.target)) as ratio
    from lasting as i
    join ref.calendar as c on c.ends_at > i.began_at and c.starts_at < i.ended_at
    left join facts.availability_daily as a on a.service_id = i.owned_service_id and a.day = c.day
    left join seen as s on s.incident_id = i.incident_id and s.is_open = i.is_open
    group by i.incident_id, i.is_open, i.target
)

select
    i.incident_id, i.owned_service_id as service_id, i.team_id, i.severity, i.declared_at, i.first_alert_at,
    i.first_report_at, i.resolved_at, epoch_us(i.resolved_at - i.declared_at) / 60e6 as restore_minutes,
    i.manager_assigned_at, i.severity <= 2 or (i.severity = 3 and i.is_escalated) as needs_manager, i.is_exercise,
    i.severity <= 2 or i.is_data_loss or macros.spends_budget(i.target, s.ratio, s.is_watched) as needs_postmortem,
    i.severity <= 2 or i.is_data_loss or macros.spends_budget(i.target, n.ratio, n.is_watched)
        as needs_postmortem_while_open,
    i.due_at as postmortem_due_at, i.open_due_at as postmortem_due_while_open_at, i.postmortem_published_at,
    i.is_postmortem_reviewed, i.caused_by_deployment_id, i.signature, i.is_reportable, i.notified_at,
    s.ratio as budget_ratio, i.untold
from owned as i
left join spent as s on s.incident_id = i.incident_id and not s.is_open
left join spent as n on n.incident_id = i.incident_id and n.is_open
order by i.declared_at, i.incident_id
