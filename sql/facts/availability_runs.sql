-- title = "Stretches of unbroken equal state of each monitor"
-- key = ["monitor_key", "run_number"]
-- [columns]
-- monitor_key = "Monitor"
-- run_number = "Number of the stretch within its monitor; orders stretches that begin at the same instant"
-- service_id = "Service, or null"
-- status = "up, down, degraded or unknown"
-- starts_at = "First check of the stretch, UTC"
-- ends_at = "Next check, or the end of the last result's hold time, UTC; nothing is known beyond"
-- first_http_status = "HTTP status of the first check"
-- check_count = "Checks in the stretch"
with spans as (
    -- The earlier of the two; the last check of all has no next, and without a hold time it stands for nothing.
    select r.*, m.service_id,
        coalesce(
            least(
                lead(r.starts_at) over in_order,
                make_timestamptz(cast(epoch_us(r.last_checked_at) + m.hold_minutes * 60e6 as bigint))
            ),
            r.last_checked_at
        ) as ends_at
    from facts.monitor_day_runs as r
    join facts.monitors as m on m.monitor_key = r.monitor_key
    window in_order as (partition by r.monitor_key order by r.day, r.run_number)
),
-- A stretch goes on over midnight.
marked as (
    select *,
        status is distinct from lag(status) over in_order
            or starts_at > lag(ends_at) over in_order as is_new
    from spans
    window in_order as (partition by monitor_key order by day, run_number)
),
numbered as (
    select * exclude (run_number),
        cast(sum(cast(coalesce(is_new, true) as integer)) over in_order as bigint) as run_number
    from marked
    window in_order as (partition by monitor_key order by day, run_number)
)
select monitor_key, run_number, service_id, status, min(starts_at) as starts_at, max(ends_at) as ends_at,
    arg_min(first_http_status, starts_at) as first_http_status, cast(sum(check_count) as bigint) as check_count
from numbered
group by monitor_key, service_id, status, run_number
order by monitor_key, run_number
