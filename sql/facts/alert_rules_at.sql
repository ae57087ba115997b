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
-- is_paging = "It pages the duty; null = not known"
-- is_routed = "It reaches an on-call receiver; null = not known"
-- threshold_ratio = "Threshold / limit, for saturation rules; null = another kind of rule, or not known"
-- forecast_hours = "Warning time, hours, for forecast rules; null = another kind of rule, or not known"
-- tended_at = "Last changed, or approved by somebody other than the author, before that instant, UTC"
-- proven_at = "Last fired or test-fired before that instant, UTC"
-- is_heard = "Pages of the 180 days before were all delivered: a rule without one has not fired"
-- untold = "Columns that its source cannot tell: empty there says nothing at all"
with named as (
    select s.* replace (n.service_id as service_id)
    from staging.alert_rule_states as s
    join ref.service_names as n on n.name = lower(s.service_id)
),

states as (
    select w.as_of, w.grain, w."on", s.*
    from ref.as_of as w
    join named as s on macros.stands(s.observed_on, w."on")
    qualify row_number() over (
        partition by w.as_of, w.grain, s.service_id, lower(s.rule_id) order by s.observed_on desc, s.rule_id
    ) = 1
),

fired as (
    select n.service_id, lower(a.rule_id) as rule_id, a.fired_at
    from staging.alerts as a
    join ref.service_names as n on n.name = lower(a.service_id)
),

-- Days on which pages were due and nobody delivered them: a rule may have proven itself there.
silent_days as (
    select distinct c.day
    from ref.calendar as c
    join meta.sources as s on s.stream = 'alerts' and macros.within(c.day, s.due_from, s.due_to)
    left join meta.delivered_days as d on d.stream = 'alerts' and d.day = c.day
    where d.day is null
),

heard as (
    select w.as_of, w.grain, count(d.day) = 0 as is_whole
    from ref.as_of as w
    left join silent_days as d on d.day <= w."on" and d.day > w."on" - 180
    group by w.as_of, w.grain
),

last_fired as (
    select s.as_of, s.grain, s.service_id, s.rule_id, max(f.fired_at) as fired_at
    from states as s
    join fired as f on f.service_id = s.service_id and f.rule_id = lower(s.rule_id) and f.fired_at < s.as_of
    group by s.as_of, s.grain, s.service_id, s.rule_id
)

select
    s.as_of, s.grain, o.team_id, s.service_id, s.rule_id, s.resource_id, s.kind, s.is_enabled,
    s.is_paging, s.is_routed, s.threshold_ratio, s.forecast_hours,
    -- greatest passes over nulls; what a state says of a time after the instant has not happened yet.
    greatest(
        case when s.last_changed_at < s.as_of then s.last_changed_at end,
        case when s.last_reviewed_at < s.as_of then s.last_reviewed_at end
    ) as tended_at,
    greatest(case when s.last_proven_at < s.as_of then s.last_proven_at end, f.fired_at) as proven_at,
    h.is_whole and (k.told_from <= s."on" - 179) is not false as is_heard, s.untold
from states as s
join heard as h on h.as_of = s.as_of and h.grain = s.grain
join ref.owned_services as o on o.service_id = s.service_id and o.as_of = s.as_of and o.grain = s.grain
left join macros.told_from('alerts') as k on k.team_id = o.team_id
left join last_fired as f
    on f.as_of = s.as_of and f.grain = s.grain and f.service_id = s.service_id and f.rule_id = s.rule_id
order by s.service_id, s.rule_id, s.grain, s.as_of
