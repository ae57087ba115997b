"""Every kind of connector that sources.toml may name.

Belongs here: the list. Does not belong here: settings of any one kind.
"""

from __future__ import annotations

from typing import Annotated, get_args

from pydantic import Field

from opsmetrics.organisation.connectors.azure import AzureLogs, AzureMetrics, AzureResources
from opsmetrics.organisation.connectors.base import Connector
from opsmetrics.organisation.connectors.code_hosts import GitClones, GitHub, GitLab
from opsmetrics.organisation.connectors.deployers import ArgoCD, AzureDevOps, AzurePipelines, FluxEvents
from opsmetrics.organisation.connectors.desks import Jira, ServiceNow
from opsmetrics.organisation.connectors.monitors import BetterStack, StatusPage, Upptime, UptimeRobot, Zabbix
from opsmetrics.organisation.connectors.on_call import OnCall, PagerDuty
from opsmetrics.organisation.connectors.result_files import K6Summaries, RestoreFiles, ScanReports, SupportEnds
from opsmetrics.organisation.connectors.telemetry import Grafana, Prometheus

AnyConnector = Annotated[
    GitHub
    | AzureLogs
    | AzureMetrics
    | AzureResources
    | Grafana
    | Prometheus
    | OnCall
    | PagerDuty
    | StatusPage
    | AzureDevOps
    | AzurePipelines
    | SupportEnds
    | GitClones
    | RestoreFiles
    | ScanReports
    | K6Summaries
    | UptimeRobot
    | BetterStack
    | Upptime
    | Jira
    | Zabbix
    | ArgoCD
    | FluxEvents
    | ServiceNow
    | GitLab,
    Field(discriminator="kind"),
]

# Kind -> its settings, as the union above lists them.
KINDS: dict[str, type[Connector]] = {
    str(get_args(model.model_fields["kind"].annotation)[0]): model for model in get_args(get_args(AnyConnector)[0])
}
