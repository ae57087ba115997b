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
with checks as (
    select m.monitor_key, m.service_id, c.status, c.checked_at, c.http_status, c.sequence,
        lead(c.checked_at) over checks_in_order as next_at,
        c.checked_at + m.hold_minutes * interval 1 minute as held_until
    from staging.availability_checks as c
    join facts.monitors as m on m.provider = coalesce(c.provider, '') and m.monitor_id = c.monitor_id
    window checks_in_order as (partition by m.monitor_key order by c.checked_at, c.sequence)
),
spans as (
    -- The earlier of the two; the last check of all has no next, and without a hold time it stands for nothing.
    select * exclude (next_at, held_until), coalesce(least(next_at, held_until), checked_at) as ends_at
    from checks
),
marked as (
    select *,
        status is distinct from lag(status) over in_order
            or checked_at > lag(ends_at) over in_order as is_new
    from spans
    window in_order as (partition by monitor_key order by checked_at, sequence)
),
numbered as (
    select *, cast(sum(cast(coalesce(is_new, true) as integer)) over in_order as bigint) as run_number
    from marked
    window in_order as (partition by monitor_key order by checked_at, sequence)
)
select monitor_key, run_number, service_id, status, min(checked_at) as starts_at, max(ends_at) as ends_at,
    arg_min(http_status, struct_pack(a := checked_at, b := sequence)) as first_http_status,
    count(*) as check_count
from numbered
group by monitor_key, service_id, status, run_number
order by monitor_key, run_number
