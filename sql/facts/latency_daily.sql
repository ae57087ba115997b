-- title = "Requests of each service and local day, and those slower than the threshold of its latency SLO"
-- key = ["service_id", "day"]
-- [columns]
-- service_id = "Service"
-- day = "Local day"
-- valid_count = "Requests that count"
-- slow_count = "Slower than the threshold"
-- threshold_ms = "Threshold, milliseconds"
select
    n.service_id, l.observed_on as day, cast(sum(l.valid_count) as bigint) as valid_count,
    cast(sum(l.valid_count - l.fast_count) as bigint) as slow_count, max(l.threshold_ms) as threshold_ms
from staging.latency_daily as l
join ref.service_names as n on n.name = lower(l.service_id)
group by n.service_id, l.observed_on
order by n.service_id, l.observed_on
