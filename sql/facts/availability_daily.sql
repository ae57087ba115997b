-- title = """\
--     Availability of each service and local day: any monitor down is down, overlaps count once, eligible maintenance \
--     left out"""
-- key = ["service_id", "day"]
-- [columns]
-- service_id = "Service"
-- day = "Local day"
-- day_minutes = "Length of the day; 1380 or 1500 at clock changes"
-- known_minutes = "Minutes with a known state"
-- valid_minutes = "Known minutes outside eligible maintenance"
-- down_minutes = "Valid minutes down"
-- raw_down_minutes = "Minutes down, maintenance included"
-- [ranges]
-- known_minutes = [0, 1500]
-- down_minutes = [0, 1500]
with runs as (
    select * from facts.availability_runs
    where service_id is not null and status in ('up', 'down', 'degraded') and ends_at > starts_at
),

-- Sweep line: every start and end changes how many monitors are known, down or in maintenance.
changes as (
    select service_id, starts_at as change_at, 1 as known, cast(status = 'down' as integer) as down, 0 as maintenance
    from runs
    union all
    select service_id, ends_at, -1, -cast(status = 'down' as integer), 0 from runs
    union all
    select service_id, starts_at, 0, 0, 1 from facts.maintenance
    union all
    select service_id, ends_at, 0, 0, -1 from facts.maintenance
    union all
    select r.service_id, c.starts_at, 0, 0, 0
    from (select service_id, min(starts_at) as first_at, max(ends_at) as last_at from runs group by service_id) as r
    join ref.calendar as c on c.starts_at > r.first_at and c.starts_at < r.last_at
),

instants as (
    select service_id, change_at, sum(known) as known, sum(down) as down, sum(maintenance) as maintenance
    from changes group by service_id, change_at
),

segments as (
    select
        service_id, change_at,
        epoch_us(lead(change_at) over in_order) - epoch_us(change_at) as us,
        sum(known) over in_order > 0 as is_known,
        sum(down) over in_order > 0 as is_down,
        sum(maintenance) over in_order > 0 as is_maintenance
    from instants
    window in_order as (partition by service_id order by change_at)
),

placed as (
    select s.*, c.day, (epoch_us(c.ends_at) - epoch_us(c.starts_at)) / 60e6 as day_minutes
    from segments as s asof join ref.calendar as c on s.change_at >= c.starts_at
    where s.is_known and s.us > 0
)

select
    service_id, day, any_value(day_minutes) as day_minutes,
    sum(us) / 60e6 as known_minutes,
    coalesce(sum(us) filter (not is_maintenance), 0) / 60e6 as valid_minutes,
    coalesce(sum(us) filter (is_down and not is_maintenance), 0) / 60e6 as down_minutes,
    coalesce(sum(us) filter (is_down), 0) / 60e6 as raw_down_minutes
from placed
group by service_id, day
order by service_id, day
