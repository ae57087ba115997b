-- title = "Uptime and outages of each monitor and local month; a state holds until the next check"
-- key = ["monitor_key", "month"]
-- [columns]
-- monitor_key = "provider/monitor_id"
-- provider = "System or status page"
-- monitor_id = "Monitor"
-- service_id = "Service, or null where no pattern fits"
-- month = "First day of the month"
-- check_count = "Rows in the month"
-- observed_minutes = "Minutes with a known state"
-- down_minutes = "Minutes down"
-- degraded_minutes = "Minutes degraded; counted as up"
-- uptime_ratio = "1 - down / observed, time-weighted; null where nothing was observed"
-- outages_started = "Outages that began in the month"
-- outages_open = "Those still open at the last check"
-- restore_minutes_p50 = "Median minutes to restore, open outages left out; null = none was restored"
-- restore_minutes_p90 = "90th percentile; null = none was restored"
-- longest_outage_minutes = """\
--     Longest restored outage that began in the month, not cut at its end; null = none was restored"""
with zone as (select timezone from meta.organisation),

months as (
    select
        r.monitor_key, r.status, r.starts_at, r.ends_at,
        unnest(generate_series(
            date_trunc('month', timezone(z.timezone, r.starts_at)),
            -- What ends at the midnight after a month has no minute in the next.
            date_trunc('month', timezone(z.timezone, greatest(r.starts_at, r.ends_at - interval 1 microsecond))),
            interval 1 month
        )) as month
    from facts.availability_runs as r, zone as z
    where r.status <> 'unknown'
),

parts as (
    select
        m.monitor_key, m.status, cast(m.month as date) as month,
        greatest(
            0, epoch_us(least(m.ends_at, timezone(z.timezone, m.month + interval 1 month)))
            - epoch_us(greatest(m.starts_at, timezone(z.timezone, m.month)))
        ) as us
    from months as m, zone as z
),

minutes as (
    select
        monitor_key, month, sum(us) / 60e6 as observed_minutes,
        coalesce(sum(us) filter (status = 'down'), 0) / 60e6 as down_minutes,
        coalesce(sum(us) filter (status = 'degraded'), 0) / 60e6 as degraded_minutes
    from parts group by monitor_key, month
),

checks as (
    select
        m.monitor_key, cast(date_trunc('month', d.day) as date) as month,
        cast(sum(d.check_count) as bigint) as check_count
    from facts.monitor_days as d
    join facts.monitors as m on m.provider = d.provider and m.monitor_id = d.monitor_id
    group by all
),

outages as (
    select
        o.monitor_key, cast(date_trunc('month', timezone(z.timezone, o.started_at)) as date) as month,
        count(*) as outages_started, count(*) filter (o.not_down_at is null) as outages_open,
        quantile_cont(o.restore_minutes, 0.5) as restore_minutes_p50,
        quantile_cont(o.restore_minutes, 0.9) as restore_minutes_p90, max(o.restore_minutes) as longest_outage_minutes
    from facts.outages as o, zone as z
    group by all
)

select
    i.monitor_key, i.provider, i.monitor_id, i.service_id, coalesce(m.month, c.month) as month,
    coalesce(c.check_count, 0) as check_count,
    coalesce(m.observed_minutes, 0) as observed_minutes, coalesce(m.down_minutes, 0) as down_minutes,
    coalesce(m.degraded_minutes, 0) as degraded_minutes,
    1 - m.down_minutes / nullif(m.observed_minutes, 0) as uptime_ratio,
    coalesce(o.outages_started, 0) as outages_started, coalesce(o.outages_open, 0) as outages_open,
    o.restore_minutes_p50, o.restore_minutes_p90, o.longest_outage_minutes
from minutes as m
-- A month in which the monitor said nothing but that it does not know is there too.
full join checks as c on c.monitor_key = m.monitor_key and c.month = m.month
join facts.monitors as i on i.monitor_key = coalesce(m.monitor_key, c.monitor_key)
left join outages as o on o.monitor_key = m.monitor_key and o.month = m.month
order by i.monitor_key, month
