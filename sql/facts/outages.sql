-- title = "Outages: from the first check that is down to the first that is not"
-- key = ["monitor_key", "outage_number"]
-- [columns]
-- monitor_key = "Monitor"
-- outage_number = "Number of the outage within its monitor"
-- provider = "System or status page"
-- monitor_id = "Monitor id at the source"
-- service_id = "Service, or null"
-- started_at = "First check that is down, UTC"
-- restored_at = "First later check that is not down, UTC; null = still down at the last check"
-- restore_minutes = "Minutes to restore"
-- first_http_status = "HTTP status of the first failed check"
with runs as (
    select *, lag(status) over in_order as previous_status
    from facts.availability_runs
    window in_order as (partition by monitor_key order by run_number)
),
starts as (
    -- A gap in the checks splits a run; the outage goes on while the next state is down too.
    select *,
        sum(cast(status = 'down' and previous_status is distinct from 'down' as integer)) over (
            partition by monitor_key order by run_number
        ) as outage_number
    from runs
),
outages as (
    select monitor_key, any_value(service_id) as service_id, cast(outage_number as bigint) as outage_number,
        min(starts_at) filter (status = 'down') as started_at,
        min(starts_at) filter (status <> 'down') as restored_at,
        arg_min(first_http_status, run_number) filter (status = 'down') as first_http_status
    from starts
    where outage_number > 0
    group by monitor_key, outage_number
)
select o.monitor_key, o.outage_number, m.provider, m.monitor_id, o.service_id, o.started_at, o.restored_at,
    epoch_us(o.restored_at - o.started_at) / 60e6 as restore_minutes, o.first_http_status
from outages as o
join facts.monitors as m on m.monitor_key = o.monitor_key
order by o.monitor_key, o.outage_number
