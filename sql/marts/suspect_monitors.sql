-- title = "Monitors that are down most of the time: more likely a fault of the monitor than an outage"
-- key = ["monitor_key"]
-- [columns]
-- monitor_key = "provider/monitor_id"
-- service_id = "Service, or null"
-- observed_minutes = "Minutes with a known state"
-- down_ratio = "Share of them down, 0..1; above 0.5"
-- first_http_status = "HTTP status of the newest outage; 401 and 404 speak for a wrong check; null = not told"
with totals as (
    select
        monitor_key, any_value(service_id) as service_id,
        sum(epoch_us(ends_at) - epoch_us(starts_at)) / 60e6 as observed_minutes,
        coalesce(sum(epoch_us(ends_at) - epoch_us(starts_at)) filter (status = 'down'), 0) / 60e6 as down_minutes,
        arg_max_null(first_http_status, run_number) filter (status = 'down') as first_http_status
    from facts.availability_runs
    where status <> 'unknown'
    group by monitor_key
)

select monitor_key, service_id, observed_minutes, down_minutes / observed_minutes as down_ratio, first_http_status
from totals
where observed_minutes >= 1440 and down_minutes / observed_minutes > 0.5
order by monitor_key
