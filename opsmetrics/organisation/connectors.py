"""``[[connector]]`` of sources.toml: which system delivers which streams, and what it needs to be asked.

Belongs here: settings of each kind of connector, the streams each can deliver, and how long its source remembers.
Does not belong here: asking the source (``opsmetrics.sources``) and secrets; a setting that ends in ``_env`` names
an environment variable, never its value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from opsmetrics.organisation.base import Model, Slug

# What a source shows of today only: it remembers a state for one day.
STATE = 1
Variable = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$", max_length=80)]


def _https(url: str) -> str:
    if re.match(r"^\$[A-Z][A-Z0-9_]*(/|$)", url):
        return url.rstrip("/")
    if not url.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        raise ValueError(f"{url!r} is no https address (plain http only on loopback)")
    return url.rstrip("/")


Url = Annotated[str, AfterValidator(_https)]


@dataclass(frozen=True, slots=True)
class Feed:
    """How one kind of connector delivers one stream.

    Attributes:
        chunk_days: Days asked for at once; each chunk is landed before the next is asked for.
        remembers_days: Days after which the source itself has forgotten (source contracts, 0.2), None = years.
        accumulates: A register of which each load holds only what the source still shows, so that all loads count.
    """

    chunk_days: int = 31
    remembers_days: int | None = None
    accumulates: bool = False


class Connector(Model):
    """What every kind of connector is told.

    Attributes:
        name: Name of the source; loads carry it, so renaming one makes it another source.
        streams: Streams it delivers.
        teams: Teams that deliver through it; ``*`` for all.
        connected_on: First day that the teams are connected (default: the day each was onboarded).
        valid_from: First day it delivers (default: the organisation's ``history_from``).
        valid_to: Day from which it no longer delivers.
        remembers_days: Overrides how long the source remembers.
        services: The source's name of a service -> id in services.toml, beside the aliases there.
    """

    feeds: ClassVar[Mapping[str, Feed]] = {}

    name: Slug
    # Each kind narrows this to its own name.
    kind: Any
    streams: list[str] = Field(min_length=1)
    teams: list[str] = ["*"]
    connected_on: date | None = None
    valid_from: date | None = Field(default=None, alias="from")
    valid_to: date | None = Field(default=None, alias="until")
    remembers_days: int | None = Field(default=None, ge=1)
    services: dict[str, Slug] = {}

    @property
    def origin(self) -> str:
        """Name under which its loads are told apart."""
        return self.name

    def remembers(self, stream: str) -> int | None:
        """Return the days the source remembers, None for years."""
        own = self.feeds[stream].remembers_days
        return own if own == STATE else self.remembers_days or own

    def service(self, name: Any) -> str | None:
        """Return the configured service of a source's own name, or the name itself (aliases are matched in SQL)."""
        return None if name in (None, "") else self.services.get(str(name), str(name))


class ReleaseDateSources(Model):
    """Where release dates may be asked for; each address is optional, none has a default."""

    deps_dev: Url | None = None
    npm: Url | None = None
    pypi: Url | None = None
    nuget: Url | None = None


class GitHub(Connector):
    """GitHub's REST and GraphQL APIs (source contracts, E and H).

    Authentication: an App installation (``app_id``, ``installation_id``, ``private_key_env``), else the token
    in ``token_env``, else none (public repositories, 60 requests an hour).
    """

    feeds: ClassVar[Mapping[str, Feed]] = {
        "availability_checks": Feed(chunk_days=1, remembers_days=400),
        "deployments": Feed(),
        "update_merges": Feed(chunk_days=14),
        "dependency_updates": Feed(chunk_days=14),
        "update_episodes": Feed(chunk_days=190),
        "repository_states": Feed(remembers_days=1),
        "incidents": Feed(chunk_days=190),
        "action_items": Feed(),
        "maintenance_tasks": Feed(),
        "vulnerabilities": Feed(chunk_days=400),
        "security_alerts": Feed(chunk_days=400),
        "restore_tests": Feed(accumulates=True),
    }
    kind: Literal["github"]
    url: Url = "https://api.github.com"
    owner: str = Field(min_length=1)
    token_env: Variable = "GITHUB_TOKEN"  # noqa: S105 - the name of a variable
    app_id: str | None = None
    installation_id: int | None = None
    private_key_env: Variable = "GITHUB_APP_PRIVATE_KEY"
    repositories: list[str] = []
    update_authors: list[str] = ["app/renovate", "app/dependabot"]
    minimum_release_age_days: float = Field(default=3, ge=0)
    incident_repository: str | None = None
    incident_label: str = "incident"
    action_label: str = "tiltak"
    task_label: str = "vedlikehold"
    service_prefix: str = "service:"
    team_prefix: str = "team:"
    severity_prefix: str = "sev"
    priority_prefix: str = "p"
    probe_workflows: list[str] = ["use-case-prod*", "test-use-cases-prod*", "regression-test-prod*"]
    probe_steps: list[str] = ["*k6*", "*test*", "*use case*"]
    setup_steps: list[str] = ["set up*", "setup*", "install*", "post *"]
    datastores: dict[str, str] = {}
    deployed_by: Literal["deployments", "releases"] = "deployments"
    restore_workflows: list[str] = ["restore-test*"]
    restore_files: list[str] = ["restore-test.json"]
    known_exploited_url: Url | None = None
    release_dates: ReleaseDateSources | None = None

    @model_validator(mode="after")
    def _whole_app(self) -> GitHub:
        if (self.app_id is None) != (self.installation_id is None):
            raise ValueError("app_id and installation_id go together")
        return self


class AzureLogs(Connector):
    """Log Analytics (source contracts, A): aggregated in KQL on the server."""

    feeds: ClassVar[Mapping[str, Feed]] = {
        "availability_checks": Feed(chunk_days=1, remembers_days=30),
        "latency_daily": Feed(chunk_days=7, remembers_days=30),
        "signal_hours": Feed(chunk_days=7, remembers_days=30),
        "recovery_points": Feed(chunk_days=7, remembers_days=30),
    }
    kind: Literal["azure_logs"]
    url: Url = "https://api.loganalytics.io"
    audience: str = "https://api.loganalytics.io"
    workspaces: list[str] = []
    resources: list[str] = []
    bin_minutes: int = Field(default=5, ge=1, le=60)
    latency_threshold_ms: float = Field(default=500, gt=0)
    tools: dict[Literal["availability", "performance", "security"], str] = {
        "availability": "application-insights",
        "performance": "application-insights",
        "security": "defender",
    }
    datastores: dict[str, str] = {}
    subscriptions: list[str] = []
    management_url: Url = "https://management.azure.com"

    @model_validator(mode="after")
    def _scoped(self) -> AzureLogs:
        if not self.workspaces and not self.resources:
            raise ValueError("name at least one workspace (its GUID) or resource (its ARM id)")
        return self


class AzureMetrics(Connector):
    """Azure Monitor metrics, batch API (source contracts, B1)."""

    feeds: ClassVar[Mapping[str, Feed]] = {"capacity_samples": Feed(chunk_days=7, remembers_days=93)}
    kind: Literal["azure_metrics"]
    url: Url | None = None
    audience: str = "https://metrics.monitor.azure.com"
    resources: list[CapacityMetric] = Field(min_length=1)


class CapacityMetric(Model):
    """One metric that says how full a resource is."""

    resource: str = Field(pattern=r"^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/.+")
    region: Slug
    namespace: str
    metric: str = Field(pattern=r"^[^,]+$")
    service: Slug
    resource_id: str
    limit: float = Field(default=100, gt=0)
    aggregation: Literal["Average", "Maximum"] = "Maximum"


class AzureResources(Connector):
    """Azure Resource Graph (source contracts, C1, E2, F, G)."""

    feeds: ClassVar[Mapping[str, Feed]] = {
        "alerts": Feed(chunk_days=31, remembers_days=30),
        "alert_rule_states": Feed(remembers_days=1),
        "component_states": Feed(remembers_days=1),
        "workload_states": Feed(remembers_days=1),
        "recovery_points": Feed(chunk_days=14, remembers_days=14),
        "restore_tests": Feed(remembers_days=14, accumulates=True),
        "backup_copies": Feed(remembers_days=1),
        "control_results": Feed(remembers_days=1),
        "secure_scores": Feed(remembers_days=1),
    }
    kind: Literal["azure_resources"]
    url: Url = "https://management.azure.com"
    audience: str = "https://management.azure.com"
    subscriptions: list[str] = Field(min_length=1)
    datastores: dict[str, str] = {}
    products: dict[str, str] = {}


class Grafana(Connector):
    """Grafana's alerting and annotation APIs (source contracts, C2)."""

    feeds: ClassVar[Mapping[str, Feed]] = {
        "alerts": Feed(chunk_days=7, remembers_days=90),
        "alert_rule_states": Feed(remembers_days=1),
        "deployments": Feed(chunk_days=31, remembers_days=90),
    }
    kind: Literal["grafana"]
    url: Url
    token_env: Variable | None = None
    audience: str = "https://dashboard.azure.com"
    service_label: str = "service"
    kind_label: str = "kind"


_CURRENT = "max by (namespace, horizontalpodautoscaler) (kube_horizontalpodautoscaler_status_current_replicas)"
_MOST = "max by (namespace, horizontalpodautoscaler) (kube_horizontalpodautoscaler_spec_max_replicas)"
_AS_RESOURCE = '"resource", "$1", "horizontalpodautoscaler", "(.+)"'
# Without recording rules of one's own: replicas against the autoscaler's maximum (contracts, B2).
AUTOSCALER_SHARE = f"label_replace({_CURRENT} / {_MOST}, {_AS_RESOURCE})"
AUTOSCALER_CEILING = f"label_replace({_CURRENT} >= bool {_MOST}, {_AS_RESOURCE})"


class Prometheus(Connector):
    """Prometheus, own or Azure's managed (source contracts, B2), and its Alertmanager (C3)."""

    feeds: ClassVar[Mapping[str, Feed]] = {
        "availability_checks": Feed(chunk_days=1, remembers_days=15),
        "capacity_samples": Feed(chunk_days=7, remembers_days=15),
        "latency_daily": Feed(chunk_days=14, remembers_days=15),
        "workload_states": Feed(remembers_days=1),
        "expiries": Feed(remembers_days=1),
        "alerts": Feed(chunk_days=7, remembers_days=15),
    }
    kind: Literal["prometheus"]
    url: Url
    token_env: Variable | None = None
    audience: str | None = None
    alertmanager_url: Url | None = None
    monitor_label: str = "instance"
    service_label: str = "service"
    bin_minutes: int = Field(default=5, ge=1, le=60)
    probe: str = "probe_success"
    utilisation: str = AUTOSCALER_SHARE
    at_ceiling: str = AUTOSCALER_CEILING
    requests_total: str = "http_server_request_duration_seconds_count"
    requests_fast: str = 'http_server_request_duration_seconds_bucket{le="0.5"}'
    secret_expiry: str = "lakmus_keyvault_secret_expiration_timestamp_seconds"  # noqa: S105 - a metric
    certificate_expiry: str = "probe_ssl_earliest_cert_expiry"
    latency_threshold_ms: float = Field(default=500, gt=0)


class OnCall(Connector):
    """Opsgenie, or Jira Service Management Operations as its successor (source contracts, D)."""

    feeds: ClassVar[Mapping[str, Feed]] = {
        "alerts": Feed(chunk_days=31, remembers_days=365),
        "incidents": Feed(chunk_days=190, remembers_days=365),
        "oncall_shifts": Feed(chunk_days=14, remembers_days=365),
    }
    kind: Literal["oncall"]
    dialect: Literal["opsgenie", "jsm"]
    url: Url = "https://api.eu.opsgenie.com"
    cloud_id: str | None = None
    token_env: Variable
    user_env: Variable | None = None
    schedules: dict[str, Slug] = {}
    service_prefix: str = "service:"

    @model_validator(mode="after")
    def _cloud(self) -> OnCall:
        if self.dialect == "jsm" and (not self.cloud_id or not self.user_env):
            raise ValueError("jsm needs cloud_id and user_env")
        if "oncall_shifts" in self.streams and not self.schedules:
            raise ValueError('oncall_shifts needs schedules = { "<schedule id>" = "<team>" }')
        return self


class StatusPage(Connector):
    """An Atlassian Statuspage (source contracts, D): public pages need no key."""

    feeds: ClassVar[Mapping[str, Feed]] = {"incident_reports": Feed(accumulates=True)}
    kind: Literal["statuspage"]
    url: Url


class AzureDevOps(Connector):
    """Releases of Azure DevOps (source contracts, H's counterpart)."""

    feeds: ClassVar[Mapping[str, Feed]] = {"deployments": Feed(chunk_days=31, remembers_days=365)}
    kind: Literal["azure_devops"]
    url: Url = "https://vsrm.dev.azure.com"
    organization: str
    project: str
    token_env: Variable | None = None
    audience: str = "499b84ac-1321-427f-aa17-267ca6975798"


class SupportEnds(Connector):
    """End-of-life data (endoflife's v1 API shape)."""

    feeds: ClassVar[Mapping[str, Feed]] = {"eol_dates": Feed()}
    kind: Literal["support_ends"]
    url: Url = "https://endoflife.date/api/v1"
    products: list[str] = Field(min_length=1)


class GitClones(Connector):
    """Local clones of repositories: no API and no token."""

    feeds: ClassVar[Mapping[str, Feed]] = {
        "update_merges": Feed(chunk_days=400),
        "dependency_updates": Feed(chunk_days=400),
        "commits_daily": Feed(chunk_days=400),
        "repository_states": Feed(remembers_days=1),
    }
    kind: Literal["git_clones"]
    folder: str
    repositories: dict[str, str] = {}
    release_dates: ReleaseDateSources | None = None


class RestoreFiles(Connector):
    """``restore-test.json`` files in a folder (source contracts, F4)."""

    feeds: ClassVar[Mapping[str, Feed]] = {"restore_tests": Feed()}
    kind: Literal["restore_files"]
    folder: str
    datastores: dict[str, str] = {}


AnyConnector = Annotated[
    GitHub
    | AzureLogs
    | AzureMetrics
    | AzureResources
    | Grafana
    | Prometheus
    | OnCall
    | StatusPage
    | AzureDevOps
    | SupportEnds
    | GitClones
    | RestoreFiles,
    Field(discriminator="kind"),
]
KINDS: dict[str, type[Connector]] = {
    "github": GitHub,
    "azure_logs": AzureLogs,
    "azure_metrics": AzureMetrics,
    "azure_resources": AzureResources,
    "grafana": Grafana,
    "prometheus": Prometheus,
    "oncall": OnCall,
    "statuspage": StatusPage,
    "azure_devops": AzureDevOps,
    "support_ends": SupportEnds,
    "git_clones": GitClones,
    "restore_files": RestoreFiles,
}
