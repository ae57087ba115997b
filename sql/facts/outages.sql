-- title = "Outages: from the first check that is down to the first known one that is not"
-- key = ["monitor_key", "outage_number"]
-- [columns]
-- monitor_key = "Monitor"
-- outage_number = "Number of the outage within its monitor"
-- provider = "System or status page"
-- monitor_id = "Monitor id at the source"
-- service_id = "Service, or null"
-- started_at = "First check that is down, UTC"
-- down_until_at = "Known to be down until, UTC: the outage ended no earlier"
-- not_down_at = "First later check that is not down, UTC: it ended no later; null = none yet, the outage is open"
-- restored_at = "When it ended, UTC: the two instants where they are one; null = open, or lost in unknown time"
-- restore_minutes = "Minutes to restore; null where the end is not known"
-- down_minutes = "Minutes known to be down"
-- first_http_status = "HTTP status of the first failed check; null = not told"
with runs as (
    select *, lag(status) over in_order as previous_status
    from facts.availability_runs
    -- Unknown time, whether the source wrote it down or wrote nothing, neither ends an outage nor begins one.
    where status <> 'unknown'
    window in_order as (partition by monitor_key order by run_number)
),

starts as (
    -- A gap in the checks splits a run; the outage goes on while the next state is down too.
    select
        *,
        sum(cast(status = 'down' and previous_status is distinct from 'down' as integer)) over (
            partition by monitor_key order by run_number
        ) as outage_number
    from runs
),

outages as (
    select
        monitor_key, any_value(service_id) as service_id, cast(outage_number as bigint) as outage_number,
        min(starts_at) filter (status = 'down') as started_at,
        max(ends_at) filter (status = 'down') as down_until_at,
        min(starts_at) filter (status <> 'down') as not_down_at,
        sum(epoch_us(ends_at) - epoch_us(starts_at)) filter (status = 'down') / 60e6 as down_minutes,
        arg_min_null(first_http_status, run_number) filter (status = 'down') as first_http_status
    from starts
    where outage_number > 0
    group by monitor_key, outage_number
)

select
    o.monitor_key, o.outage_number, m.provider, m.monitor_id, o.service_id, o.started_at, o.down_until_at,
    o.not_down_at, case when o.not_down_at <= o.down_until_at then o.not_down_at end as restored_at,
    case when o.not_down_at <= o.down_until_at then epoch_us(o.not_down_at - o.started_at) end / 60e6
        as restore_minutes,
    o.down_minutes, o.first_http_status
from outages as o
join facts.monitors as m on m.monitor_key = o.monitor_key
order by o.monitor_key, o.outage_number
