-- title = "Corrective actions, with the team that owned the service when they were decided, and their first due instant"
-- key = ["action_id"]
-- [columns]
-- action_id = "Action"
-- service_id = "Service"
-- team_id = "Owner when it was decided"
-- priority = "1 = most urgent"
-- created_at = "Decided, UTC"
-- due_at = "First due instant, UTC; default 28 days for priority 1, else 56"
-- done_at = "Done, UTC; null = open"
-- is_dropped_with_approval = "Will not be done, with approver"
select a.action_id, n.service_id, o.team_id, a.priority, a.created_at,
    coalesce(a.first_due_at, a.created_at + case when a.priority = 1 then interval 28 day else interval 56 day end)
        as due_at,
    a.done_at, coalesce(a.is_dropped_with_approval, false) as is_dropped_with_approval
from staging.action_items as a
join ref.service_names as n on n.name = a.service_id
join ref.service_owners as o
    on o.service_id = n.service_id and a.created_at >= o.valid_from_at and a.created_at < o.valid_to_at
order by a.created_at, a.action_id
