-- title = "Maintenance that may be left out of availability: registered 48 h ahead, at most 8 h per service and month"
-- key = ["service_id", "starts_at"]
-- [columns]
-- service_id = "Service"
-- starts_at = "Start, UTC"
-- ends_at = "End, UTC; cut where the month's 8 hours are used up"
with eligible as (
    select service_id, starts_at, ends_at from ref.maintenance_windows
    where registered_at <= starts_at - interval 48 hour
),

ordered as (
    select
        *, max(ends_at) over (
            partition by service_id order by starts_at, ends_at rows between unbounded preceding and 1 preceding
        ) as reached_at
    from eligible
),

islands as (
    select
        *, sum(cast(reached_at is null or starts_at > reached_at as integer)) over (
            partition by service_id order by starts_at, ends_at
        ) as island
    from ordered
),

merged as (
    select service_id, min(starts_at) as starts_at, max(ends_at) as ends_at from islands group by service_id, island
),

-- The local month of the start decides whose 8 hours are used.
counted as (
    select
        m.*, c.day, coalesce(sum(epoch_us(m.ends_at) - epoch_us(m.starts_at)) over (
            partition by m.service_id, date_trunc('month', c.day) order by m.starts_at
            rows between unbounded preceding and 1 preceding
        ), 0)::bigint as used_us
    from merged as m
    join ref.calendar as c on macros.within(m.starts_at, c.starts_at, c.ends_at)
)

select service_id, starts_at, least(ends_at, starts_at + to_microseconds(28800000000 - used_us)) as ends_at
from counted
where used_us < 28800000000
order by service_id, starts_at
