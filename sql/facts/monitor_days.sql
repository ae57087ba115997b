-- title = "Monitors heard of on each local day"
-- key = ["day", "provider", "monitor_id"]
-- incremental = "day"
-- [columns]
-- day = "Local day"
-- provider = "System or status page; empty where the source names none"
-- monitor_id = "Monitor"
-- check_count = "Checks"
-- last_checked_at = "Last check of the day, UTC"
-- known_count = "Checks that say something: all but those with status unknown"
-- last_known_at = "Last of these, UTC; null = none"
select
    day, coalesce(provider, '') as provider, monitor_id, count(*) as check_count, max(checked_at) as last_checked_at,
    count(*) filter (status <> 'unknown') as known_count,
    max(checked_at) filter (status <> 'unknown') as last_known_at
from staging.availability_checks
group by day, coalesce(provider, ''), monitor_id
order by day, provider, monitor_id
