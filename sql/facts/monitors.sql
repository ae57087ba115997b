-- title = "Availability monitors seen in the data, with the service they belong to"
-- key = ["monitor_key"]
-- [columns]
-- monitor_key = "provider/monitor_id"
-- provider = "System or status page; empty where the source names none"
-- monitor_id = "Monitor"
-- service_id = "Service, or null where no pattern of services.toml fits"
-- hold_minutes = "How long a result stands; null = until the next row"
with seen as (
    select distinct provider, monitor_id from facts.monitor_days
),
matched as (
    select s.provider, s.monitor_id, p.service_id, p.hold_minutes
    from seen as s
    left join ref.monitor_patterns as p
        on s.monitor_id glob p.pattern or (s.provider || '/' || s.monitor_id) glob p.pattern
    qualify row_number() over (
        partition by s.provider, s.monitor_id order by length(p.pattern) desc, p.pattern
    ) = 1
)
select provider || '/' || monitor_id as monitor_key, provider, monitor_id, service_id, hold_minutes
from matched
order by monitor_key
