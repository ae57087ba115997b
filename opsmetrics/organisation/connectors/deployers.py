"""Settings of what rolls out: Azure DevOps, Azure Pipelines, Argo CD, Flux.

Belongs here: which environments and applications are production, and of what service.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar, Literal

from pydantic import Field

from opsmetrics.organisation.connectors.base import DEPLOYMENT_ALONE, Connector, Feed, Url, Variable
from opsmetrics.organisation.connectors.code_hosts import TEST_WORKFLOWS

# Releases and pipelines are kept as long, and tell as little of what came after them.
_AZURE_DEVOPS = Feed(
    chunk_days=31, remembers_days=365, untold=("rolled_back_at", "hotfixed_at", "committed_at", "is_rework")
)


class AzureDevOps(Connector):
    """Classic releases of Azure DevOps (source contracts, H's counterpart)."""

    feeds: ClassVar[Mapping[str, Feed]] = {"deployments": _AZURE_DEVOPS}
    kind: Literal["azure_devops"]
    url: Url = "https://vsrm.dev.azure.com"
    organization: str
    project: str
    token_env: Variable | None = None
    audience: str = "499b84ac-1321-427f-aa17-267ca6975798"


class AzurePipelines(Connector):
    """YAML pipelines of Azure DevOps: what reached its environments (source contracts, H's counterpart).

    Attributes:
        deploy_environments: Environments that count; empty = all.
        test_events: Reasons of runs whose deployments are none: a schedule tests, and a pull request is not merged yet.
        test_workflows: Pipelines, by name, whose deployments are none.
        deploy_workflows: Pipelines whose deployments count although ``test_workflows`` names them.
    """

    # What a stage rolled out is shown when its whole run is over, which may wait 30 days for a later stage's approval.
    feeds: ClassVar[Mapping[str, Feed]] = {"deployments": replace(_AZURE_DEVOPS, repull_days=35)}
    kind: Literal["azure_pipelines"]
    url: Url = "https://dev.azure.com"
    organization: str
    project: str
    token_env: Variable | None = None
    audience: str = "499b84ac-1321-427f-aa17-267ca6975798"
    deploy_environments: list[str] = []
    test_events: list[str] = ["schedule", "scheduleForced", "pullRequest"]
    test_workflows: list[str] = list(TEST_WORKFLOWS)
    deploy_workflows: list[str] = ["*deploy*", "*release*"]


class ArgoCD(Connector):
    """Argo CD's API (source contracts, H): the history that each application keeps.

    ``environment`` names the environment of all, else ``environment_from`` says what of an application does.
    """

    feeds: ClassVar[Mapping[str, Feed]] = {
        "deployments": Feed(
            chunk_days=1,
            remembers_days=7,
            # What was rolled out is told at once and does not change, but for being forgotten with its application.
            repull_days=0,
            untold=("rolled_back_at", "hotfixed_at", "committed_at", "is_rework"),
        )
    }
    kind: Literal["argocd"]
    url: Url
    token_env: Variable = "ARGOCD_TOKEN"  # noqa: S105 - the name of a variable
    selector: str | None = None
    service_label: str = "service"
    environment: str | None = None
    environment_from: Literal["namespace", "cluster", "project"] = "namespace"


class FluxEvents(Connector):
    """Notifications of Flux as JSON files (source contracts, H), of one environment.

    ``objects`` are patterns of ``namespace/name`` of the Kustomizations and Helm releases that are services.
    """

    feeds: ClassVar[Mapping[str, Feed]] = {"deployments": Feed(untold=DEPLOYMENT_ALONE)}
    kind: Literal["flux_events"]
    folder: str
    files: str = "**/*.json"
    environment: str = Field(min_length=1)
    objects: list[str] = ["*"]
