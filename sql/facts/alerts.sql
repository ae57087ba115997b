-- title = "Pages, with the service and the team that owned it when the page was sent"
-- key = ["alert_id"]
-- [columns]
-- alert_id = "Page"
-- service_id = "Service"
-- team_id = "Owner at that time"
-- rule_id = "Normalised rule"
-- severity = "1 = most severe"
-- fired_at = "Sent, UTC"
-- acknowledged_at = "Acknowledged, UTC"
-- acknowledged_by_kind = "human or bot"
-- closed_at = "Closed, UTC"
-- label = "actionable or noise; null = not labelled"
-- incident_id = "Linked incident"
select a.alert_id, n.service_id, o.team_id, a.rule_id, a.severity, a.fired_at, a.acknowledged_at,
    a.acknowledged_by_kind, a.closed_at, a.label, a.incident_id
from staging.alerts as a
join ref.service_names as n on n.name = a.service_id
join ref.service_owners as o
    on o.service_id = n.service_id and a.fired_at >= o.valid_from_at and a.fired_at < o.valid_to_at
where not coalesce(a.is_test, false)
order by a.fired_at, a.alert_id
