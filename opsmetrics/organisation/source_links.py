"""Where a row of a stream is found in the system that told it: as configured (``link``), else as its vendor documents.

Does not belong here: filling a template with a row (``opsmetrics.reports.source_links``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import quote

from opsmetrics.core.links import checked_template
from opsmetrics.organisation.connectors.base import EVERY_STREAM, Connector
from opsmetrics.organisation.connectors.code_hosts import GitHub, GitLab
from opsmetrics.organisation.connectors.deployers import AzureDevOps, AzurePipelines
from opsmetrics.organisation.connectors.desks import Jira, ServiceNow
from opsmetrics.organisation.connectors.monitors import StatusPage, Upptime
from opsmetrics.organisation.connectors.on_call import OnCall
from opsmetrics.organisation.connectors.telemetry import Grafana, Prometheus
from opsmetrics.organisation.file_sources import StreamSource
from opsmetrics.organisation.organisation import Delivery


def link_of(delivery: Delivery) -> str | None:
    """Return the template of a delivery's rows, or None where nobody says where they are found."""
    source = delivery.source
    if isinstance(source, StreamSource):
        return source.link
    return source.link.get(delivery.stream) or source.link.get(EVERY_STREAM) or _documented(source, delivery.stream)


def _documented(source: Connector, stream: str) -> str | None:
    """The form that the vendor documents, below the address that is configured; none where that is in a variable."""
    for kind, links in _VENDORS.items():
        if isinstance(source, kind):
            template = links(source).get(stream)
            try:
                return checked_template(template) if template else None
            except ValueError:  # an address that begins with a variable is known to the pull alone
                return None
    return None


def _github(source: GitHub | Upptime) -> Mapping[str, str]:
    # GitHub's own API has a host of its own; that of an enterprise server lies below its pages.
    web = "https://github.com" if source.url == "https://api.github.com" else source.url.removesuffix("/api/v3")
    issue, pull = f"{web}/{{repository}}/issues/{{number}}", f"{web}/{{repository}}/pull/{{number}}"
    return {
        **dict.fromkeys(("incidents", "action_items", "maintenance_tasks"), issue),
        **dict.fromkeys(("update_episodes", "dependency_updates"), pull),
        "deployments": f"{web}/{{repository}}/deployments",
        "repository_states": f"{web}/{{repository}}",
        "availability_checks": f"{web}/{{repository}}/actions",
    }


def _gitlab(source: GitLab) -> Mapping[str, str]:
    return {
        "update_episodes": f"{source.url}/{{repository}}/-/merge_requests/{{number}}",
        "deployments": f"{source.url}/{{repository}}/-/environments",
    }


def _azure(source: AzureDevOps | AzurePipelines) -> Mapping[str, str]:
    web = "https://dev.azure.com" if source.url == "https://vsrm.dev.azure.com" else source.url
    project = f"{web}/{quote(source.organization)}/{quote(source.project)}"
    if isinstance(source, AzureDevOps):
        return {"deployments": f"{project}/_release"}
    return {"deployments": f"{project}/_build/results?buildId={{number}}"}


def _oncall(source: OnCall) -> Mapping[str, str]:
    hosts = {
        "https://api.opsgenie.com": "https://app.opsgenie.com",
        "https://api.eu.opsgenie.com": "https://app.eu.opsgenie.com",
    }
    web = hosts.get(source.address)
    return {"alerts": f"{web}/alert/detail/{{id}}/details"} if web else {}


def _prometheus(source: Prometheus) -> Mapping[str, str]:
    alerts = f"{source.alertmanager_url}/#/alerts" if source.alertmanager_url else f"{source.url}/alerts"
    return {"alerts": alerts, "alert_rule_states": f"{source.url}/alerts"}


_VENDORS: Mapping[type[Connector], Callable[..., Mapping[str, str]]] = {
    GitHub: _github,
    Upptime: _github,
    GitLab: _gitlab,
    AzureDevOps: _azure,
    AzurePipelines: _azure,
    Grafana: lambda source: dict.fromkeys(("alert_rule_states", "alerts"), f"{source.url}/alerting/list"),
    OnCall: _oncall,
    Prometheus: _prometheus,
    StatusPage: lambda source: {"incident_reports": f"{source.url}/incidents/{{id}}"},
    Jira: lambda source: dict.fromkeys(
        ("incidents", "action_items", "maintenance_tasks"), f"{source.url}/browse/{{id}}"
    ),
    ServiceNow: lambda source: {
        "incidents": f"{source.url}/incident.do?sysparm_query=number={{id}}",
        "maintenance_tasks": f"{source.url}/change_request.do?sysparm_query=number={{id}}",
    },
}
