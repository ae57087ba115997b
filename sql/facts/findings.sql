-- title = "Assessment findings, with the team that owned the service when they were found, and their due instant"
-- key = ["finding_id"]
-- [columns]
-- finding_id = "Opaque id"
-- service_id = "Service"
-- team_id = "Owner when it was found"
-- severity = "critical, high, medium or low"
-- found_at = "Found, UTC"
-- due_at = "First due instant, UTC, at most 30 (critical, high), 90 (medium) or 180 (low) days after it was found"
-- closed_at = "Closed, UTC; null = open, or not known"
-- knows_closing = "It was closed, or its source can tell that: what is open is known to be open"
with limits as (
    select
        f.*, f.found_at + case f.severity
            when 'medium' then interval 90 day when 'low' then interval 180 day else interval 30 day
        end as latest_due_at
    from staging.findings as f
)

select
    f.finding_id, o.service_id, o.team_id, f.severity, f.found_at,
    least(coalesce(f.first_due_at, f.latest_due_at), f.latest_due_at) as due_at, f.closed_at,
    f.closed_at is not null or macros.told(f.untold, 'closed_at') as knows_closing
from limits as f
join macros.owners_by_name() as o
    on o.name = lower(f.service_id) and macros.within(f.found_at, o.valid_from_at, o.valid_to_at)
order by f.found_at, f.finding_id
