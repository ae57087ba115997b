-- title = "Security control results as they stood at each instant of evaluation; a result stands for 14 days"
-- key = ["as_of", "grain", "control_id", "asset_id"]
-- [columns]
-- as_of = "Instant of evaluation, UTC"
-- grain = "month, tertial, week, latest; series_month and series_quarter for trends"
-- team_id = "Owner of the service at that instant"
-- service_id = "Service"
-- control_id = "Control"
-- asset_id = "Asset"
-- status = "passed, failed or inconclusive"
-- risk = "critical, high, medium or low"
-- risk_weight = "10, 7.5, 5 or 2.5"
select
    s.as_of, s.grain, o.team_id, o.service_id, s.control_id, s.asset_id, s.status, s.risk,
    cast(case s.risk when 'critical' then 10 when 'high' then 7.5 when 'medium' then 5 else 2.5 end as decimal(9, 1))
        as risk_weight
from macros.states_at('control_results', (control_id, asset_id)) as s
join macros.owned_by_name() as o on o.name = lower(s.service_id) and o.as_of = s.as_of and o.grain = s.grain
where s.status <> 'not_applicable'
order by s.control_id, s.asset_id, s.grain, s.as_of
