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
-- has_drift = "The check found drift; null = never checked, or not known"
-- knows_drift_check = "The source can tell when drift was checked: no check says that there was none"
select
    s.as_of, s.grain, o.team_id, o.service_id, s.resource_id, s.is_in_code, s.drift_checked_at, s.has_drift,
    s.drift_checked_at is not null or macros.told(s.untold, 'drift_checked_at') as knows_drift_check
from macros.states_at('infrastructure_states', resource_id) as s
join macros.owned_by_name() as o on o.name = lower(s.service_id) and o.as_of = s.as_of and o.grain = s.grain
order by s.resource_id, s.grain, s.as_of
