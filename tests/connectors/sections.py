"""Connectors that the demo does not have, as sections of ``sources.toml``: over the same simulated records."""

JSM = """
[[connector]]
name = "jsm"
kind = "oncall"
dialect = "jsm"
cloud_id = "c1"
streams = ["alerts", "oncall_shifts"]
from = 2026-10-24
url = "$SIMULATOR/oncall"
token_env = "SIMULATOR_TOKEN"
user_env = "SIMULATOR_TOKEN"
schedules = { "vakt-maskinrommet" = "maskinrommet" }

[[connector]]
name = "opsgenie-incidents"
kind = "oncall"
dialect = "opsgenie"
streams = ["incidents"]
from = 2026-10-24
url = "$SIMULATOR/oncall"
token_env = "SIMULATOR_TOKEN"
"""
PAGERDUTY = """
[[connector]]
name = "prometheus-alerts"
kind = "prometheus"
streams = ["alerts"]
from = 2026-10-24
url = "$SIMULATOR/prometheus"
alertmanager_url = "$SIMULATOR/alertmanager"
token_env = "SIMULATOR_TOKEN"
remembers_days = 60

[[connector]]
name = "pagerduty"
kind = "pagerduty"
streams = ["alerts", "incidents", "oncall_shifts"]
from = 2026-10-24
url = "$SIMULATOR/pagerduty"
token_env = "SIMULATOR_TOKEN"
schedules = { "vakt-maskinrommet" = "maskinrommet" }
test_services = []
"""
GRAFANA = """
[[connector]]
name = "grafana-alerts"
kind = "grafana"
streams = ["alerts"]
from = 2026-10-24
url = "$SIMULATOR/grafana"
token_env = "SIMULATOR_TOKEN"

[[connector]]
name = "grafana-history"
kind = "grafana"
streams = ["alerts", "deployments"]
from = 2026-10-24
url = "$SIMULATOR/grafana"
token_env = "SIMULATOR_TOKEN"
state_history = "loki"

[[connector]]
name = "azure-alerts"
kind = "azure_resources"
streams = ["alerts"]
from = 2026-10-24
url = "$SIMULATOR/arm"
subscriptions = ["11111111-1111-1111-1111-111111111111"]
"""
PROBERS = """
[[connector]]
name = "uptimerobot"
kind = "uptimerobot"
streams = ["availability_checks"]
from = 2026-10-24
url = "$SIMULATOR/uptimerobot"
token_env = "SIMULATOR_TOKEN"

[[connector]]
name = "betterstack"
kind = "betterstack"
streams = ["availability_checks"]
from = 2026-10-24
url = "$SIMULATOR/betterstack"
token_env = "SIMULATOR_TOKEN"

[[connector]]
name = "upptime"
kind = "upptime"
streams = ["availability_checks"]
from = 2026-10-24
url = "$SIMULATOR/upptime"
repository = "kystetaten/status"
token_env = "SIMULATOR_TOKEN"
"""
ZABBIX = """
[[connector]]
name = "zabbix"
kind = "zabbix"
streams = ["alerts"]
from = 2026-10-24
url = "$SIMULATOR/zabbix"
token_env = "SIMULATOR_TOKEN"
min_severity = 1
"""
ARGOCD = """
[[connector]]
name = "argocd"
kind = "argocd"
streams = ["deployments"]
from = 2026-10-24
url = "$SIMULATOR/argocd"
token_env = "SIMULATOR_TOKEN"
"""
FLUX = """
[[connector]]
name = "flux"
kind = "flux_events"
streams = ["deployments"]
from = 2026-10-24
folder = "flux"
environment = "prod"
"""
K6 = """
[[connector]]
name = "k6"
kind = "k6_summaries"
streams = ["load_tests"]
from = 2026-10-24
folder = "k6"
names = '(?P<service>.+?)-(?P<at>\\d{8}T\\d{6}Z)\\.(export|handled|machine)\\.json'
limits = [{ metric = "http_req_duration", value = "p(95)", at_most = 500 }]
"""
SCANS = """
[[connector]]
name = "trivy"
kind = "scan_reports"
streams = ["vulnerabilities"]
from = 2026-10-24
tool = "trivy"
folder = "scans/trivy"
artifacts = [{ match = "registry.example/*", exposed = true }]
known_exploited_file = "scans/known-exploited.json"

[[connector]]
name = "grype"
kind = "scan_reports"
streams = ["vulnerabilities"]
from = 2026-10-24
tool = "grype"
folder = "scans/grype"
artifacts = [{ match = "registry.example/*", exposed = true }]
known_exploited_file = "scans/known-exploited.json"
"""
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
