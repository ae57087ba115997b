"""Connectors of service desks and of GitLab that the demo does not have, over the same simulated records."""

from __future__ import annotations

JIRA = """
[[connector]]
name = "jira"
kind = "jira"
streams = ["incidents", "action_items", "maintenance_tasks"]
from = 2024-11-01
url = "$SIMULATOR/jira"
user_env = "SIMULATOR_TOKEN"
token_env = "SIMULATOR_TOKEN"
postmortems = 'issuetype = "Etterarbeid"'

[connector.queries]
incidents = 'issuetype = "Hendelse"'
action_items = 'issuetype = "Tiltak"'
maintenance_tasks = 'issuetype = "Vedlikehold"'

[connector.fields.incidents]
severity = { field = "Alvorlighet", values = { "Alvor 1" = 1, "Alvor 2" = 2, "20003" = 3, "20004" = 4 } }
first_alert_at = "Første varsel"
first_report_at = "customfield_10042"
manager_assigned_at = { filled = "Hendelsesansvarlig" }
caused_by_deployment_id = "Utløst av"
signature = "Signatur"
notified_at = "Myndighet varslet"
is_escalated = { field = "labels", whether = ["eskalert"] }
is_exercise = { field = "labels", whether = ["øvelse"] }
is_data_loss = { field = "labels", whether = ["datatap"] }
is_postmortem_reviewed = { field = "labels", whether = ["gjennomgått"] }
is_reportable = { field = "labels", whether = ["meldepliktig"] }

[connector.fields.action_items]
incident_id = { link = ["Tiltak etter"] }
first_due_at = { first = "Frist" }
is_dropped_with_approval = { field = "labels", whether = ["godkjent"] }

[connector.fields.maintenance_tasks]
team_id = "Team"
first_due_at = "Frist"
completed_at = { status = ["done"] }
is_cancelled_with_approval = { field = "labels", whether = ["godkjent"] }
"""
SERVICENOW = """
[[connector]]
name = "servicenow"
kind = "servicenow"
streams = ["incidents", "maintenance_tasks"]
from = 2024-11-01
url = "$SIMULATOR/servicenow"
user_env = "SIMULATOR_TOKEN"
password_env = "SIMULATOR_TOKEN"

[connector.queries]
maintenance_tasks = "category=Maintenance"

[connector.fields.incidents]
first_alert_at = "u_first_alert"
first_report_at = "u_first_report"
manager_assigned_at = "u_manager_at"
postmortem_published_at = "problem_id.closed_at"
caused_by_deployment_id = "rfc"
signature = "u_fault"
notified_at = "u_authority_at"
is_escalated = "u_escalated"
is_exercise = "u_exercise"
is_data_loss = { field = "u_data_loss", whether = ["yes"] }
is_postmortem_reviewed = "u_reviewed"
is_reportable = "u_reportable"

[connector.fields.maintenance_tasks]
is_cancelled_with_approval = { field = "approval", whether = ["approved"] }
"""
SERVICENOW_OAUTH = """
[[connector]]
name = "servicenow-changes"
kind = "servicenow"
streams = ["maintenance_tasks"]
from = 2024-11-01
url = "$SIMULATOR/servicenow"
client_id_env = "SIMULATOR_TOKEN"
client_secret_env = "SIMULATOR_TOKEN"

[connector.queries]
maintenance_tasks = "category=Maintenance"
"""
GITLAB = """
[[connector]]
name = "gitlab"
kind = "gitlab"
streams = ["deployments", "update_episodes", "update_merges", "dependency_updates"]
from = 2026-11-02
url = "$SIMULATOR/gitlab"
group = "kystetaten"
update_authors = ["renovate-bot"]
token_env = "SIMULATOR_TOKEN"
"""
DESK = JIRA + SERVICENOW + SERVICENOW_OAUTH + GITLAB
