-- title = "Availability monitors seen in the data, with the service they belong to"
-- key = ["monitor_key"]
-- [columns]
-- monitor_key = "provider/monitor_id"
-- provider = "System or status page; empty where the source names none"
-- monitor_id = "Monitor"
-- service_id = "Service, or null where services.toml names it not"
-- kind = """\
--     polling (a row stands for hold_minutes), transitions (a row stands until the next one, on all days that its \
--     source delivered), or null (a row stands until the next one, and nothing is known after the last)"""
-- hold_minutes = "How long a result stands; null = until the next row"
with seen as (
    select distinct provider, monitor_id from facts.monitor_days
),

matched as (
    select s.provider, s.monitor_id, p.service_id, p.kind, p.hold_minutes
    from seen as s
    left join ref.monitor_patterns as p
        on
            case
                when p.is_pattern then s.monitor_id glob p.pattern or (s.provider || '/' || s.monitor_id) glob p.pattern
                else p.pattern in (s.monitor_id, s.provider || '/' || s.monitor_id)
            end
    -- A name says more than a pattern, and a long pattern more than a short one.
    qualify row_number() over (
        partition by s.provider, s.monitor_id order by p.is_pattern, length(p.pattern) desc, p.pattern
    ) = 1
)

select provider || '/' || monitor_id as monitor_key, provider, monitor_id, service_id, kind, hold_minutes
from matched
order by monitor_key
