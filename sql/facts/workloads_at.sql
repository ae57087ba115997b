-- title = "Workloads as they stood at each instant of evaluation; a state stands for 14 days"
-- key = ["as_of", "grain", "workload_id"]
-- [columns]
-- as_of = "Instant of evaluation, UTC"
-- grain = "month, tertial, week, latest; series_month and series_quarter for trends"
-- team_id = "Owner of the service at that instant"
-- service_id = "Service"
-- workload_id = "Workload"
-- is_spread = "At least two replicas in at least two zones"
-- has_resource_requests = "Resource requests are set"
-- can_grow = "An autoscaler whose smallest size is below its largest"
-- fixed_size_approved_on = "Approval of a fixed size, or null"
with states as (
    select w.as_of, w.grain, s.*
    from ref.as_of as w
    join staging.workload_states as s on s.observed_on <= w."on" and s.observed_on > w."on" - 14
    qualify row_number() over (partition by w.as_of, w.grain, s.workload_id order by s.observed_on desc) = 1
)
select s.as_of, s.grain, o.team_id, o.service_id, s.workload_id,
    coalesce(s.replica_count >= 2 and s.zone_count >= 2, false) as is_spread,
    coalesce(s.has_resource_requests, false) as has_resource_requests,
    coalesce(s.autoscaler_min < s.autoscaler_max, false) as can_grow, s.fixed_size_approved_on
from states as s
join ref.service_names as n on n.name = s.service_id
join ref.owned_services as o on o.service_id = n.service_id and o.as_of = s.as_of and o.grain = s.grain
order by s.workload_id, s.grain, s.as_of
