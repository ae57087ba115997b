-- title = "Which source told of each availability monitor on a local day: where one is silent, others go on"
-- key = ["day", "origin", "provider", "monitor_id"]
-- incremental = "day"
-- [columns]
-- day = "Local day"
-- origin = "Source: files, or a connector of sources.toml"
-- provider = "System or status page; empty where the source names none"
-- monitor_id = "Monitor"
select distinct r._day as day, w.origin, coalesce(r.provider, '') as provider, r.monitor_id
from raw.availability_checks as r
join meta.load_days as w on w.stream = 'availability_checks' and w.day = r._day and w.load_id = r._load_id
