-- title = "Utilisation samples of capacity-critical resources, with their service"
-- key = ["resource_id", "sampled_at"]
-- incremental = "day"
-- [columns]
-- resource_id = "Resource"
-- service_id = "Service"
-- sampled_at = "When, UTC"
-- day = "Local day"
-- utilisation_ratio = "Usage / limit"
-- is_at_ceiling = "At maximum with demand above target, or throttled; null = not known"
select
    c.resource_id, n.service_id, c.sampled_at, c.day, c.utilisation_ratio, c.is_at_ceiling
from staging.capacity_samples as c
join ref.service_names as n on n.name = lower(c.service_id)
