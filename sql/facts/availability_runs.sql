-- title = "Stretches of unbroken equal state of each monitor"
-- key = ["monitor_key", "run_number"]
-- [columns]
-- monitor_key = "Monitor"
-- run_number = "Number of the run within its monitor; orders runs that begin at the same instant"
-- service_id = "Service, or null"
-- status = "up, down, degraded or unknown"
-- starts_at = "First check of the run, UTC"
-- ends_at = """\
--     Next check, or the end of the last result's hold time or of a stretch of delivered days, UTC; nothing is known \
--     beyond"""
-- first_http_status = "HTTP status of the first check; null = not told"
-- check_count = "Checks in the run"
with told as (
    select r.*, m.service_id, m.kind, m.hold_minutes, lead(r.starts_at) over in_order as next_at
    from facts.monitor_day_runs as r
    join facts.monitors as m on m.monitor_key = r.monitor_key
    window in_order as (partition by r.monitor_key order by r.day, r.run_number)
),

-- Days that whoever tells of a monitor has delivered whole: another source of the stream says nothing of it.
heard as (
    select distinct m.monitor_key, s.origin
    from staging.monitor_sources as s
    join facts.monitors as m on m.provider = s.provider and m.monitor_id = s.monitor_id
    where m.kind = 'transitions'
),

-- Days that one of them owed and has not delivered whole.
owed as (
    select distinct h.monitor_key, c.day
    from heard as h
    join meta.sources as s on s.stream = 'availability_checks' and s.origin = h.origin
    join ref.calendar as c on macros.within(c.day, s.due_from, s.due_to)
    anti join meta.load_days as d on d.stream = s.stream and d.origin = s.origin and d.day = c.day and d.is_complete
),

delivered as (
    select distinct h.monitor_key, c.day, c.starts_at, c.ends_at
    from heard as h
    join meta.load_days as d on d.stream = 'availability_checks' and d.origin = h.origin and d.is_complete
    join ref.calendar as c on c.day = d.day
    anti join owed as o on o.monitor_key = h.monitor_key and o.day = c.day
),

stretches as (
    select monitor_key, min(starts_at) as starts_at, max(ends_at) as ends_at
    from (
        select *, day - cast(row_number() over (partition by monitor_key order by day) as integer) as island
        from delivered
    ) as d
    group by monitor_key, island
),

spans as (
    -- The earlier of the two; the last check of all has no next, and without a hold time it stands for nothing.
    select
        * exclude (next_at),
        coalesce(
            least(next_at, make_timestamptz(cast(epoch_us(last_checked_at) + hold_minutes * 60e6 as bigint))),
            last_checked_at
        ) as ends_at
    from told where kind is distinct from 'transitions'
    union all by name
    -- What a source of changes told stands on every day that it delivered, and on no other.
    select
        t.* exclude (next_at, starts_at, check_count),
        case when row_number() over each_row = 1 then t.check_count else 0 end as check_count,
        greatest(t.starts_at, s.starts_at) as starts_at,
        case when s.ends_at is null then t.starts_at else least(t.next_at, s.ends_at) end as ends_at
    from told as t
    left join stretches as s
        on s.monitor_key = t.monitor_key and s.ends_at > t.starts_at and coalesce(s.starts_at < t.next_at, true)
    where t.kind = 'transitions'
    window each_row as (partition by t.monitor_key, t.day, t.run_number order by s.starts_at)
),

-- A run goes on over midnight.
marked as (
    select
        *, (status is distinct from lag(status) over in_order) or starts_at > lag(ends_at) over in_order as is_new
    from spans
    window in_order as (partition by monitor_key order by day, run_number, starts_at)
),

numbered as (
    select
        * exclude (run_number),
        cast(sum(cast(coalesce(is_new, true) as integer)) over in_order as bigint) as run_number
    from marked
    window in_order as (partition by monitor_key order by day, run_number, starts_at)
)

select
    monitor_key, run_number, service_id, status, min(starts_at) as starts_at, max(ends_at) as ends_at,
    arg_min_null(first_http_status, starts_at) as first_http_status, cast(sum(check_count) as bigint) as check_count
from numbered
group by monitor_key, service_id, status, run_number
order by monitor_key, run_number
