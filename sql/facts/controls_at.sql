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
with states as (
    select w.as_of, w.grain, s.*
    from ref.as_of as w
    join staging.control_results as s on s.observed_on <= w."on" and s.observed_on > w."on" - 14
    qualify row_number() over (partition by w.as_of, w.grain, s.control_id, s.asset_id order by s.observed_on desc) = 1
)
select s.as_of, s.grain, o.team_id, o.service_id, s.control_id, s.asset_id, s.status, s.risk,
    cast(case s.risk when 'critical' then 10 when 'high' then 7.5 when 'medium' then 5 else 2.5 end as decimal(9, 1))
        as risk_weight
from states as s
join ref.service_names as n on n.name = s.service_id
join ref.owned_services as o on o.service_id = n.service_id and o.as_of = s.as_of and o.grain = s.grain
where s.status <> 'not_applicable'
order by s.control_id, s.asset_id, s.grain, s.as_of
