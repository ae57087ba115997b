-- title = "Stretches of unbroken equal state of each monitor within one local day"
-- key = ["monitor_key", "day", "run_number"]
-- incremental = "day"
-- [columns]
-- monitor_key = "Monitor"
-- day = "Local day"
-- run_number = "Number of the run within its monitor and day"
-- status = "up, down, degraded or unknown"
-- starts_at = "First check of the run, UTC"
-- last_checked_at = "Last check of the run, UTC"
-- first_http_status = "HTTP status of the first check; null = not told"
-- check_count = "Checks in the run"
with checks as (
    -- Microseconds, because arithmetic on instants with a zone costs ten times as much.
    select
        m.monitor_key, c.day, c.status, c.checked_at, c.http_status, lag(c.checked_at) over in_order as previous_at,
        row_number() over in_order as check_number,
        (c.status is distinct from lag(c.status) over in_order)
        or epoch_us(c.checked_at) - epoch_us(lag(c.checked_at) over in_order) > m.hold_minutes * 60e6 as is_new
    from staging.availability_checks as c
    join facts.monitors as m on m.provider = coalesce(c.provider, '') and m.monitor_id = c.monitor_id
    -- Of a source that polls, a check that says "unknown" and one that is missing are one fact.
    where m.hold_minutes is null or c.status <> 'unknown'
    window in_order as (partition by c.day, m.monitor_key order by c.checked_at, c.sequence)
),

starts as (select * from checks where is_new),

ends as (
    select
        m.monitor_key, d.day,
        case when m.hold_minutes is null then d.last_checked_at else d.last_known_at end as last_checked_at,
        case when m.hold_minutes is null then d.check_count else d.known_count end as check_count
    from facts.monitor_days as d
    join facts.monitors as m on m.provider = d.provider and m.monitor_id = d.monitor_id
)

select
    s.monitor_key, s.day, row_number() over in_order as run_number, s.status, s.checked_at as starts_at,
    coalesce(lead(s.previous_at) over in_order, e.last_checked_at) as last_checked_at,
    s.http_status as first_http_status,
    coalesce(lead(s.check_number) over in_order, e.check_count + 1) - s.check_number as check_count
from starts as s
join ends as e on e.monitor_key = s.monitor_key and e.day = s.day
window in_order as (partition by s.day, s.monitor_key order by s.check_number)
order by s.day, s.monitor_key, run_number
