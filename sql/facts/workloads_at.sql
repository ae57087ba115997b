-- title = "Workloads as they stood at each instant of evaluation; a state stands for 14 days"
-- key = ["as_of", "grain", "workload_id"]
-- [columns]
-- as_of = "Instant of evaluation, UTC"
-- grain = "month, tertial, week, latest; series_month and series_quarter for trends"
-- team_id = "Owner of the service at that instant"
-- service_id = "Service"
-- workload_id = "Workload"
-- is_spread = "At least two replicas in at least two zones; null = not known"
-- has_resource_requests = "Resource requests are set; null = not known"
-- can_grow = "An autoscaler whose smallest size is below its largest; null = not known"
-- fixed_size_approved_on = "Approval of a fixed size; null = none, or not known"
-- knows_fixed_size = "The source can tell approvals of a fixed size"
select
    s.as_of, s.grain, o.team_id, o.service_id, s.workload_id,
    s.replica_count >= 2 and s.zone_count >= 2 as is_spread, s.has_resource_requests,
    case
        when s.autoscaler_min is not null and s.autoscaler_max is not null then s.autoscaler_min < s.autoscaler_max
        when s.autoscaler_min is null and macros.told(s.untold, 'autoscaler_min') then false
        when s.autoscaler_max is null and macros.told(s.untold, 'autoscaler_max') then false
    end as can_grow,
    s.fixed_size_approved_on,
    s.fixed_size_approved_on is not null or macros.told(s.untold, 'fixed_size_approved_on') as knows_fixed_size
from macros.states_at('workload_states', workload_id) as s
join macros.owned_by_name() as o on o.name = lower(s.service_id) and o.as_of = s.as_of and o.grain = s.grain
order by s.workload_id, s.grain, s.as_of
