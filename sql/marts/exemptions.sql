-- title = "Every waiver, exemption and maintenance window, with reason, approver and expiry"
-- key = ["kind", "exemption_id"]
-- [columns]
-- kind = "waiver, applicability or maintenance"
-- exemption_id = "Id"
-- team_id = "Team; for maintenance the owner at its start; null = nobody owned the service then"
-- subject = "Metric or service"
-- reason = "Reason"
-- compensating_measure = "Compensating measure of a waiver; null = another kind of exemption"
-- approver = "Approving role"
-- valid_from = "First day"
-- valid_to = "Day after the last"
-- is_active = "Valid on the latest day"
-- days_left = "Days until its last day, 0 on it; negative = over"
-- weight = "Weight of the metric in its area; null for maintenance"
-- is_counted = """\
--     The metric is set aside by it on the latest day: a waiver for which the area has no room any more is not; \
--     null = no waiver, or not active"""
with latest as (select "on" from ref.as_of where grain = 'latest'),

listed as (
    select
        'waiver' as kind, waiver_id as exemption_id, team_id, metric_id as subject, reason, compensating_measure,
        approver, valid_from, valid_to
    from ref.waivers
    union all
    select
        'applicability', team_id || ' ' || metric_id || ' ' || valid_from, team_id, metric_id, reason, null,
        approver, valid_from, valid_to
    from ref.applicability
    union all
    select 'maintenance', w.window_id, o.team_id, w.service_id, w.reason, null, w.approver, s.day, e.day + 1
    from ref.maintenance_windows as w
    left join ref.service_owners as o
        on o.service_id = w.service_id and macros.within(w.starts_at, o.valid_from_at, o.valid_to_at)
    join ref.calendar as s on macros.within(w.starts_at, s.starts_at, s.ends_at)
    join ref.calendar as e on w.ends_at > e.starts_at and w.ends_at <= e.ends_at
)

select
    x.*, x.valid_from <= l."on" and l."on" < x.valid_to as is_active,
    cast(x.valid_to - l."on" - 1 as integer) as days_left, m.weight,
    case
        when x.kind = 'waiver' and x.valid_from <= l."on" and l."on" < x.valid_to
            then coalesce(s.status = 'waived' and s.reason = 'waiver:' || x.exemption_id, false)
    end as is_counted
from listed as x
cross join latest as l
left join meta.metrics as m on m.metric_id = x.subject
left join scores.metric as s on s.team_id = x.team_id and s.metric_id = x.subject and s.grain = 'latest'
order by x.valid_to, x.kind, x.exemption_id
