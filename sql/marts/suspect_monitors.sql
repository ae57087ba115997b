-- title = "Monitors that were down most of their last 28 known days: more likely a fault of the monitor than an outage"
-- key = ["monitor_key"]
-- [columns]
-- monitor_key = "provider/monitor_id"
-- service_id = "Service, or null"
-- observed_minutes = "Minutes with a known state in the 28 days before the last of them; a day at least"
-- down_ratio = "Share of them down, 0..1; above 0.5"
-- first_http_status = "HTTP status of the newest outage; 401 and 404 speak for a wrong check; null = not told"
with known as (select * from facts.availability_runs where status <> 'unknown'),

newest as (select monitor_key, max(ends_at) - interval 28 day as starts_at from known group by monitor_key),

-- What is over and mended says nothing of a monitor as it was last, nor what was right before it broke.
runs as (
    select
        r.monitor_key, r.service_id, r.run_number, r.status, r.first_http_status,
        epoch_us(r.ends_at) - epoch_us(greatest(r.starts_at, n.starts_at)) as us
    from known as r
    join newest as n on n.monitor_key = r.monitor_key and r.ends_at > n.starts_at
),

totals as (
    select
        monitor_key, any_value(service_id) as service_id, sum(us) / 60e6 as observed_minutes,
        coalesce(sum(us) filter (status = 'down'), 0) / 60e6 as down_minutes,
        arg_max_null(first_http_status, run_number) filter (status = 'down') as first_http_status
    from runs
    group by monitor_key
)

select monitor_key, service_id, observed_minutes, down_minutes / observed_minutes as down_ratio, first_http_status
from totals
where observed_minutes >= 1440 and down_minutes / observed_minutes > 0.5
order by monitor_key
