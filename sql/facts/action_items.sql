-- title = """\
--     Corrective actions, with the team that owned the service when they were decided, and their first due instant"""
-- key = ["action_id"]
-- [columns]
-- action_id = "Action"
-- service_id = "Service"
-- team_id = "Owner when it was decided"
-- priority = "1 = most urgent"
-- created_at = "Decided, UTC"
-- due_at = "First due instant, UTC; default 28 days for priority 1, else 56"
-- done_at = "Done, UTC; null = open"
-- is_dropped_with_approval = "Will not be done, with approver; null = not known"
-- untold = "Columns that its source cannot tell: empty there says nothing at all"
select
    a.action_id, o.service_id, o.team_id, a.priority, a.created_at,
    coalesce(a.first_due_at, a.created_at + case when a.priority = 1 then interval 28 day else interval 56 day end)
        as due_at,
    a.done_at, a.is_dropped_with_approval, a.untold
from staging.action_items as a
join macros.owners_by_name() as o
    on o.name = lower(a.service_id) and macros.within(a.created_at, o.valid_from_at, o.valid_to_at)
order by a.created_at, a.action_id
