-- title = "Pages not known to be tests, with the service and the team that owned it when the page was sent"
-- key = ["alert_id"]
-- [columns]
-- alert_id = "Page"
-- service_id = "Service"
-- team_id = "Owner at that time"
-- rule_id = "Normalised rule"
-- severity = "1 = most severe, 0 of sources that count from 0; null = not known"
-- fired_at = "Sent, UTC"
-- acknowledged_at = "Acknowledged, UTC; null = not, or untold"
-- acknowledged_by_kind = "human or bot; null = nobody, or untold"
-- closed_at = "Closed, UTC; null = open, or untold"
-- label = "actionable or noise; null = not labelled"
-- incident_id = "Linked incident; null = none, or untold"
-- is_test = "false; null = not known whether it was a test"
-- untold = "Columns that its source cannot tell: empty there says nothing at all"
select
    a.alert_id, o.service_id, o.team_id, a.rule_id, a.severity, a.fired_at, a.acknowledged_at,
    a.acknowledged_by_kind, a.closed_at, a.label, a.incident_id, a.is_test, a.untold
from staging.alerts as a
join macros.owners_by_name() as o
    on o.name = lower(a.service_id) and macros.within(a.fired_at, o.valid_from_at, o.valid_to_at)
where a.is_test is distinct from true
order by a.fired_at, a.alert_id
