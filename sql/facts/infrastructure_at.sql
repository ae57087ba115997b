-- title = "Infrastructure as it stood at each instant of evaluation; a state stands for 14 days"
-- key = ["as_of", "grain", "resource_id"]
-- [columns]
-- as_of = "Instant of evaluation, UTC"
-- grain = "month, tertial, week, latest; series_month and series_quarter for trends"
-- team_id = "Owner of the service at that instant"
-- service_id = "Service"
-- resource_id = "Resource"
-- is_in_code = "It is in the state of infrastructure as code"
-- drift_checked_at = "Last drift check, UTC"
-- has_drift = "The check found drift; null = never checked"
with states as (
    select w.as_of, w.grain, s.*
    from ref.as_of as w
    join staging.infrastructure_states as s on s.observed_on <= w."on" and s.observed_on > w."on" - 14
    qualify row_number() over (partition by w.as_of, w.grain, s.resource_id order by s.observed_on desc) = 1
)
select s.as_of, s.grain, o.team_id, o.service_id, s.resource_id, s.is_in_code, s.drift_checked_at, s.has_drift
from states as s
join ref.service_names as n on n.name = s.service_id
join ref.owned_services as o on o.service_id = n.service_id and o.as_of = s.as_of and o.grain = s.grain
order by s.resource_id, s.grain, s.as_of
