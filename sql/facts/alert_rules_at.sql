-- title = "Alert rules as they stood at each instant of evaluation; a state stands for 14 days"
-- key = ["as_of", "grain", "service_id", "rule_id"]
-- [columns]
-- as_of = "Instant of evaluation, UTC"
-- grain = "month, tertial, week, latest; series_month and series_quarter for trends"
-- team_id = "Owner of the service at that instant"
-- service_id = "Service"
-- rule_id = "Normalised alert rule"
-- resource_id = "Capacity-critical resource it guards, or null"
-- kind = "burn_rate, probe, saturation, forecast, expiry, queue_growth, slow_burn or other"
-- is_enabled = "It is on"
-- is_paging = "It pages the duty"
-- is_routed = "It reaches an on-call receiver"
-- threshold_ratio = "Threshold / limit, for saturation rules"
-- forecast_hours = "Warning time, hours, for forecast rules"
-- tended_at = "Last changed, or approved by somebody other than the author, UTC"
-- proven_at = "Last fired or test-fired, UTC"
with named as (
    select s.* replace (n.service_id as service_id)
    from staging.alert_rule_states as s
    join ref.service_names as n on n.name = s.service_id
),
states as (
    select w.as_of, w.grain, s.*
    from ref.as_of as w
    join named as s on s.observed_on <= w."on" and s.observed_on > w."on" - 14
    qualify row_number() over (
        partition by w.as_of, w.grain, s.service_id, s.rule_id order by s.observed_on desc
    ) = 1
),
fired as (
    select n.service_id, a.rule_id, a.fired_at
    from staging.alerts as a
    join ref.service_names as n on n.name = a.service_id
),
last_fired as (
    select s.as_of, s.grain, s.service_id, s.rule_id, max(f.fired_at) as fired_at
    from states as s
    join fired as f on f.service_id = s.service_id and f.rule_id = s.rule_id and f.fired_at < s.as_of
    group by s.as_of, s.grain, s.service_id, s.rule_id
)
select s.as_of, s.grain, o.team_id, s.service_id, s.rule_id, s.resource_id, s.kind, s.is_enabled,
    coalesce(s.is_paging, false) as is_paging, coalesce(s.is_routed, false) as is_routed, s.threshold_ratio,
    s.forecast_hours, greatest(s.last_changed_at, s.last_reviewed_at) as tended_at,
    greatest(s.last_proven_at, f.fired_at) as proven_at
from states as s
join ref.owned_services as o on o.service_id = s.service_id and o.as_of = s.as_of and o.grain = s.grain
left join last_fired as f
    on f.as_of = s.as_of and f.grain = s.grain and f.service_id = s.service_id and f.rule_id = s.rule_id
order by s.service_id, s.rule_id, s.grain, s.as_of
