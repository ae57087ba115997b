"""``[[connector]]`` of sources.toml: which system delivers which streams, and what it needs to be asked.

Belongs here: settings of each kind of connector, the streams each can deliver, and how long its source remembers.
Does not belong here: asking the source (``opsmetrics.sources``) and secrets; a setting that ends in ``_env`` names
an environment variable, never its value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from fnmatch import fnmatchcase
from typing import Annotated, ClassVar, Literal, get_args

from pydantic import AfterValidator, Field, model_validator

from opsmetrics.core.model import Model, Slug
from opsmetrics.core.web import checked
from opsmetrics.organisation.connector import Connector, Feed, Url, Variable
from opsmetrics.organisation.desks import Jira, ServiceNow


def _expression(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from error
    return text


def _git_url(url: str) -> str:
    plain = re.match(r"^(https?|ssh|file)://(?:(?P<user>[^/@]*)@)?(?P<rest>.+)$", url)
    short = re.match(r"^[\w.-]+@[\w.-]+:[^:].*$", url)
    if plain is None and short is None:
        raise ValueError("it is no https, ssh or file address; write https://host/owner/name.git")
    if plain is not None and (plain["user"] or "") and (":" in plain["user"] or url.startswith("http")):
        raise ValueError("credentials belong to git's credential helper, not into the address")
    return checked(url) if url.startswith("http") and "{" not in url else url


GitUrl = Annotated[str, AfterValidator(_git_url)]


class ReleaseDateSources(Model):
    """Where release dates may be asked for; each address is optional, none has a default.

    Attributes:
        deps_dev: API v3 of deps.dev: npm, PyPI, NuGet, Go, Maven, crates.io and RubyGems at once.
        npm: The registry, as ``npm config get registry`` names it.
        pypi: The JSON API of the index, up to and with ``pypi``.
        nuget: The folder of the service index (``index.json``) of API v3.
        cargo: API v1 of the registry, up to and with ``v1``.
        rubygems: API v1 of the registry, up to and with ``v1``.
        packagist: The repository of Composer 2, in which ``p2`` lies.
    """

    deps_dev: Url | None = None
    npm: Url | None = None
    pypi: Url | None = None
    nuget: Url | None = None
    cargo: Url | None = None
    rubygems: Url | None = None
    packagist: Url | None = None


# What Actions calls a step that runs something, and what such steps are called in use-case tests.
_PROBE_STEPS = ("k6 run*", "run k6*", "run*use case*", "run*use-case*", "run*test*", "use case*", "test*", "*k6 run*")
_SETUP_STEPS = (
    *("set up*", "setup*", "*setup-*", "*set up*", "*install*", "create*", "prepare*", "generate*", "configure*"),
    *("pre *", "post *", "*checkout*", "*upload*", "*download*", "*secret*", "*login*", "*log in*", "*cache*"),
    *("*report*", "*summary*", "*notif*", "*publish*", "*build*", "*clean*"),
)
# Workflows that try something out: names of their files, or their own.
_TEST_WORKFLOWS = (
    *("test*", "*-test", "*-tests", "*_test", "*_tests", "* test", "* tests", "*use-case*", "*use case*", "*usecase*"),
    *("*e2e*", "*end-to-end*", "*smoke*", "*regression*", "*k6*", "*playwright*", "*cypress*", "*load-test*"),
)

# What only a deployment's own record says: an annotation or a release has none of it.
_DEPLOYMENT_ALONE = ("has_manual_step", "rolled_back_at", "hotfixed_at", "committed_at", "is_rework")
_PAGE_ALONE = ("acknowledged_at", "acknowledged_by_kind", "label", "incident_id")


class GitHub(Connector):
    """GitHub's REST and GraphQL APIs (source contracts, E and H).

    Authentication: an App installation (``app_id``, ``installation_id``, ``private_key_env``), else the token
    in ``token_env``, else none (public repositories, 60 requests an hour).

    Attributes:
        probe_workflows: Workflows whose scheduled runs are availability probes, by name of their file.
        probe_steps: Steps that are the probe; a step that no pattern names decides nothing.
        setup_steps: Steps that prepare or report, also where ``probe_steps`` names them.
        deploy_environments: Environments whose deployments count; empty = all.
        test_events: Events of workflow runs whose deployments are none: a schedule tests, it does not roll out.
        test_workflows: Workflows, by name or name of their file, whose deployments are none.
        deploy_workflows: Workflows whose deployments count although ``test_workflows`` names them.
        undone_statuses: Failed states after a success say what was rolled back or hotfixed, and the task what is
            rework (docs/sources.md); without it GitHub cannot tell.
    """

    feeds: ClassVar[Mapping[str, Feed]] = {
        "availability_checks": Feed(chunk_days=1, remembers_days=400, untold=("http_status",)),
        "deployments": Feed(),
        "update_merges": Feed(chunk_days=14, untold=("human_coauthor_count",)),
        "dependency_updates": Feed(chunk_days=14, untold=("from_digest", "to_digest")),
        "update_episodes": Feed(chunk_days=190),
        "repository_states": Feed(remembers_days=1, untold=("unmanaged_count",)),
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
    probe_steps: list[str] = list(_PROBE_STEPS)
    setup_steps: list[str] = list(_SETUP_STEPS)
    deploy_environments: list[str] = []
    test_events: list[str] = ["schedule"]
    test_workflows: list[str] = list(_TEST_WORKFLOWS)
    deploy_workflows: list[str] = ["*deploy*", "*release*"]
    undone_statuses: bool = False
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

    def untold(self, stream: str) -> tuple[str, ...]:
        """A release says nothing of what came of it, a deployment where states are written for it."""
        if stream == "deployments" and self.deployed_by == "releases":
            return _DEPLOYMENT_ALONE
        if stream == "deployments" and not self.undone_statuses:
            return ("rolled_back_at", "hotfixed_at", "is_rework")
        if stream == "vulnerabilities" and self.known_exploited_url is None:
            return ("is_exploited",)
        return super().untold(stream)


class AzureLogs(Connector):
    """Log Analytics (source contracts, A): aggregated in KQL on the server."""

    feeds: ClassVar[Mapping[str, Feed]] = {
        "availability_checks": Feed(chunk_days=1, remembers_days=30, untold=("http_status", "sequence")),
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

    feeds: ClassVar[Mapping[str, Feed]] = {
        "capacity_samples": Feed(chunk_days=7, remembers_days=93, untold=("is_at_ceiling",))
    }
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
        "alerts": Feed(chunk_days=31, remembers_days=30, untold=_PAGE_ALONE),
        "alert_rule_states": Feed(
            remembers_days=1,
            untold=("resource_id", "forecast_hours", "last_changed_at", "last_reviewed_at", "last_proven_at"),
        ),
        "component_states": Feed(remembers_days=1, untold=("first_seen_on",)),
        "workload_states": Feed(remembers_days=1, untold=("replica_count", "zone_count", "fixed_size_approved_on")),
        "recovery_points": Feed(chunk_days=14, remembers_days=14),
        "restore_tests": Feed(remembers_days=14, accumulates=True, untold=("verified_at", "data_gb")),
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


# Label or annotation of a rule, by agreement -> column of its state.
GRAFANA_NOTES: Mapping[str, str] = {
    "resource": "resource_id",
    "threshold_ratio": "threshold_ratio",
    "forecast_hours": "forecast_hours",
    "reviewed_at": "last_reviewed_at",
    "proven_at": "last_proven_at",
}


class Grafana(Connector):
    """Grafana's alerting and annotation APIs (source contracts, C2).

    ``oncall_receivers`` names the contact points of the duty (patterns): without it a rule counts as routed where its
    own receiver or a policy that matches it sends it somewhere, and nothing is known of what the root policy sends.
    ``rule_notes`` names what the organisation writes on its rules: of the others nobody says anything.
    """

    feeds: ClassVar[Mapping[str, Feed]] = {
        "alerts": Feed(chunk_days=7, remembers_days=90, untold=_PAGE_ALONE),
        "alert_rule_states": Feed(remembers_days=1),
        "deployments": Feed(chunk_days=31, remembers_days=90, untold=_DEPLOYMENT_ALONE),
    }
    kind: Literal["grafana"]
    url: Url
    token_env: Variable | None = None
    audience: str = "https://dashboard.azure.com"
    service_label: str = "service"
    kind_label: str = "kind"
    severity_label: str = "severity"
    oncall_receivers: list[str] = []
    rule_notes: list[Literal["resource", "threshold_ratio", "forecast_hours", "reviewed_at", "proven_at"]] = []
    state_history: Literal["annotations", "loki"] = "annotations"
    deployment_tag: str = "deployment"
    service_tags: list[str] = ["app", "service", "application"]
    environment_tags: list[str] = ["env", "environment"]
    environment: str | None = None
    bots: list[str] = []

    def untold(self, stream: str) -> tuple[str, ...]:
        """Of rules, what the organisation does not write on them."""
        untold = super().untold(stream)
        if stream != "alert_rule_states":
            return untold
        return (*untold, *(column for note, column in GRAFANA_NOTES.items() if note not in self.rule_notes))


_CURRENT = "max by (namespace, horizontalpodautoscaler) (kube_horizontalpodautoscaler_status_current_replicas)"
_MOST = "max by (namespace, horizontalpodautoscaler) (kube_horizontalpodautoscaler_spec_max_replicas)"
_AS_RESOURCE = '"resource", "$1", "horizontalpodautoscaler", "(.+)"'
# Without recording rules of one's own: replicas against the autoscaler's maximum (contracts, B2).
AUTOSCALER_SHARE = f"label_replace({_CURRENT} / {_MOST}, {_AS_RESOURCE})"
AUTOSCALER_CEILING = f"label_replace({_CURRENT} >= bool {_MOST}, {_AS_RESOURCE})"


class Prometheus(Connector):
    """Prometheus, own or Azure's managed (source contracts, B2), and its Alertmanager (C3)."""

    feeds: ClassVar[Mapping[str, Feed]] = {
        "availability_checks": Feed(
            chunk_days=1, remembers_days=15, untold=("recorded_at", "http_status", "response_ms", "sequence")
        ),
        "capacity_samples": Feed(chunk_days=7, remembers_days=15),
        "latency_daily": Feed(chunk_days=14, remembers_days=15),
        "workload_states": Feed(remembers_days=1, untold=("fixed_size_approved_on",)),
        "expiries": Feed(remembers_days=1),
        "alerts": Feed(chunk_days=7, remembers_days=15, untold=_PAGE_ALONE),
    }
    kind: Literal["prometheus"]
    url: Url
    token_env: Variable | None = None
    audience: str | None = None
    alertmanager_url: Url | None = None
    monitor_label: str = "instance"
    service_label: str = "service"
    severity_label: str = "severity"
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
    """Opsgenie, or Jira Service Management Operations as its successor (source contracts, D).

    ``url`` is by default Opsgenie's host in Europe, or Atlassian's: a token is sent to its own vendor only.
    """

    feeds: ClassVar[Mapping[str, Feed]] = {
        "alerts": Feed(chunk_days=31, remembers_days=365),
        "incidents": Feed(
            chunk_days=190,
            remembers_days=365,
            untold=(
                *("first_alert_at", "first_report_at", "manager_assigned_at", "is_escalated", "is_exercise"),
                *("is_data_loss", "postmortem_published_at", "is_postmortem_reviewed", "caused_by_deployment_id"),
                *("signature", "is_reportable", "notified_at"),
            ),
        ),
        "oncall_shifts": Feed(chunk_days=14, remembers_days=365),
    }
    kind: Literal["oncall"]
    dialect: Literal["opsgenie", "jsm"]
    url: Url | None = None
    cloud_id: str | None = None
    token_env: Variable
    user_env: Variable | None = None
    schedules: dict[str, Slug] = {}
    service_prefix: str = "service:"
    bots: list[str] = []

    @property
    def address(self) -> str:
        """Base address: the configured one, or that of the dialect's vendor."""
        own = "https://api.eu.opsgenie.com" if self.dialect == "opsgenie" else "https://api.atlassian.com"
        return self.url or own

    @model_validator(mode="after")
    def _cloud(self) -> OnCall:
        if self.dialect == "jsm" and (not self.cloud_id or not self.user_env):
            raise ValueError("jsm needs cloud_id and user_env")
        if self.dialect == "jsm" and "opsgenie.com" in self.address:
            raise ValueError("jsm is asked at https://api.atlassian.com: its token is not for Opsgenie's host")
        if "oncall_shifts" in self.streams and not self.schedules:
            raise ValueError('oncall_shifts needs schedules = { "<schedule id>" = "<team>" }')
        return self

    def untold(self, stream: str) -> tuple[str, ...]:
        """Jira Service Management's list of alerts does not say who acknowledged."""
        untold = super().untold(stream)
        return (*untold, "acknowledged_by_kind") if (self.dialect, stream) == ("jsm", "alerts") else untold


class PagerDuty(Connector):
    """PagerDuty's REST API v2 (source contracts, D).

    ``region = "eu"`` asks the European service. Pages are the incidents of ``paging_urgencies``; incidents are those
    with a priority, whose name ``priorities`` turns into a severity. ``test_services`` names the services that are only
    for tests, ``[]`` for none: without it nobody says which pages are tests.
    """

    feeds: ClassVar[Mapping[str, Feed]] = {
        "alerts": Feed(chunk_days=31, untold=("label",)),
        "incidents": Feed(
            chunk_days=170,
            untold=(
                *("first_alert_at", "first_report_at", "manager_assigned_at", "is_escalated", "is_exercise"),
                *("is_data_loss", "postmortem_published_at", "is_postmortem_reviewed", "caused_by_deployment_id"),
                *("signature", "is_reportable", "notified_at"),
            ),
        ),
        "oncall_shifts": Feed(chunk_days=14),
    }
    kind: Literal["pagerduty"]
    region: Literal["us", "eu"] = "us"
    url: Url | None = None
    token_env: Variable
    schedules: dict[str, Slug] = {}
    paging_urgencies: list[Literal["high", "low"]] = ["high"]
    urgency_severities: dict[Literal["high", "low"], int] = {"high": 1, "low": 3}
    priorities: dict[str, int] = {"P1": 1, "P2": 2, "P3": 3, "P4": 4, "P5": 4}
    test_services: list[str] | None = None
    bots: list[str] = []

    @property
    def address(self) -> str:
        """Base address: the configured one, or that of the region."""
        own = {"us": "https://api.pagerduty.com", "eu": "https://api.eu.pagerduty.com"}
        return self.url or own[self.region]

    def severity_of(self, priority: str) -> int | None:
        """Return the severity of a priority's name; case says nothing."""
        known = {name.casefold(): severity for name, severity in self.priorities.items()}
        return known.get(priority.strip().casefold())

    @model_validator(mode="after")
    def _schedules_and_urgencies(self) -> PagerDuty:
        if "oncall_shifts" in self.streams and not self.schedules:
            raise ValueError('oncall_shifts needs schedules = { "<schedule id>" = "<team>" }')
        if set(self.urgency_severities) != {"high", "low"}:
            raise ValueError("urgency_severities names a severity for high and for low")
        return self

    def untold(self, stream: str) -> tuple[str, ...]:
        """Which pages are tests is told by the services that are only for them, if those are named."""
        untold = super().untold(stream)
        return (*untold, "is_test") if stream == "alerts" and self.test_services is None else untold


class StatusPage(Connector):
    """An Atlassian Statuspage (source contracts, D): public pages need no key."""

    feeds: ClassVar[Mapping[str, Feed]] = {"incident_reports": Feed(accumulates=True)}
    kind: Literal["statuspage"]
    url: Url


class AzureDevOps(Connector):
    """Classic releases of Azure DevOps (source contracts, H's counterpart)."""

    feeds: ClassVar[Mapping[str, Feed]] = {
        "deployments": Feed(
            chunk_days=31, remembers_days=365, untold=("rolled_back_at", "hotfixed_at", "committed_at", "is_rework")
        )
    }
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
        test_events: Reasons of runs whose deployments are none: a schedule tests, it does not roll out.
        test_workflows: Pipelines, by name, whose deployments are none.
        deploy_workflows: Pipelines whose deployments count although ``test_workflows`` names them.
    """

    feeds: ClassVar[Mapping[str, Feed]] = {
        "deployments": Feed(
            chunk_days=31, remembers_days=365, untold=("rolled_back_at", "hotfixed_at", "committed_at", "is_rework")
        )
    }
    kind: Literal["azure_pipelines"]
    url: Url = "https://dev.azure.com"
    organization: str
    project: str
    token_env: Variable | None = None
    audience: str = "499b84ac-1321-427f-aa17-267ca6975798"
    deploy_environments: list[str] = []
    test_events: list[str] = ["schedule", "scheduleForced"]
    test_workflows: list[str] = list(_TEST_WORKFLOWS)
    deploy_workflows: list[str] = ["*deploy*", "*release*"]


class SupportEnds(Connector):
    """End-of-life data (endoflife's v1 API shape)."""

    feeds: ClassVar[Mapping[str, Feed]] = {"eol_dates": Feed()}
    kind: Literal["support_ends"]
    url: Url = "https://endoflife.date/api/v1"
    products: list[str] = Field(min_length=1)


class GitClones(Connector):
    """Clones of repositories: those of a folder that somebody keeps fresh, or copies that are fetched from ``url``.

    In ``url`` the sign ``{repository}`` stands for the names in ``repositories``; each may have an address of its own.
    Who may read them is told to git itself (its credential helper, or ssh), never here. ``depth`` and ``since`` leave
    out old commits; days that a clone cannot show are not told. A release is there to be taken when it is
    ``minimum_release_age_days`` old, as update bots wait where they are told to.
    """

    feeds: ClassVar[Mapping[str, Feed]] = {
        "update_merges": Feed(chunk_days=400, untold=("human_coauthor_count",)),
        "dependency_updates": Feed(chunk_days=400),
        "update_episodes": Feed(chunk_days=400, untold=("dismissed_at",)),
        "commits_daily": Feed(chunk_days=400),
        "component_states": Feed(remembers_days=1),
        "repository_states": Feed(remembers_days=1, untold=("last_bot_success_at", "unmanaged_count")),
    }
    kind: Literal["git_clones"]
    folder: str | None = None
    url: GitUrl | None = None
    repositories: list[str] | dict[str, str] = {}
    depth: int | None = Field(default=None, ge=1)
    since: date | None = None
    minimum_release_age_days: float = Field(default=0, ge=0)
    release_dates: ReleaseDateSources | None = None

    @property
    def places(self) -> dict[str, str]:
        """``owner/name`` -> its folder below ``folder``, or its own address."""
        named = self.repositories
        return dict(named) if isinstance(named, dict) else {name: name for name in named}

    @property
    def addresses(self) -> dict[str, str]:
        """``owner/name`` -> address of each repository that is fetched."""
        pattern = self.url or ""
        named = self.repositories
        own = named if isinstance(named, dict) else dict.fromkeys(named, "")
        return {name: address or pattern.replace("{repository}", name) for name, address in own.items()}

    @model_validator(mode="after")
    def _one_place(self) -> GitClones:
        if (self.folder is None) == (self.url is None):
            raise ValueError("set folder (clones that somebody keeps) or url (copies that are fetched), one of them")
        if self.url is None and (self.depth or self.since):
            raise ValueError("depth and since belong to url")
        if self.depth and self.since:
            raise ValueError("set depth or since, one of them")
        if "update_episodes" in self.streams and self.release_dates is None:
            raise ValueError("update_episodes needs [connector.release_dates]: who is to say what was released when")
        if self.url is not None:
            if not self.addresses:
                raise ValueError("url needs repositories")
            if len(self.addresses) > 1 and "{repository}" not in self.url:
                raise ValueError("url needs {repository} where there is more than one")
            for address in self.addresses.values():
                _git_url(address)
        return self


class RestoreFiles(Connector):
    """``restore-test.json`` files in a folder (source contracts, F4)."""

    feeds: ClassVar[Mapping[str, Feed]] = {"restore_tests": Feed()}
    kind: Literal["restore_files"]
    folder: str
    datastores: dict[str, str] = {}


class ScannedArtifact(Model):
    """Whose an artifact of a scan is, and what no scanner knows of it.

    Attributes:
        match: The artifact as the report names it, without tag and digest of an image; ``*`` stands for anything.
        service: Its service; default: the last part of its name, as an id or alias of services.toml.
        exposed: Whether its service can be reached from outside.
    """

    match: str = Field(min_length=1)
    service: Slug | None = None
    exposed: bool

    def fits(self, artifact: str) -> bool:
        """Whether an artifact is meant."""
        return fnmatchcase(artifact, self.match)


class ScanReports(Connector):
    """Reports of Trivy or Grype as JSON files (source contracts, G): scans of vulnerabilities only."""

    feeds: ClassVar[Mapping[str, Feed]] = {"vulnerabilities": Feed(chunk_days=400)}
    kind: Literal["scan_reports"]
    tool: Literal["trivy", "grype"]
    folder: str
    files: str = "**/*.json"
    artifacts: list[ScannedArtifact] = Field(min_length=1)
    known_exploited_url: Url | None = None
    known_exploited_file: str | None = None

    @model_validator(mode="after")
    def _catalogue(self) -> ScanReports:
        if (self.known_exploited_url is None) == (self.known_exploited_file is None):
            raise ValueError("no scan tells what is exploited: name known_exploited_url or known_exploited_file")
        return self

    def untold(self, stream: str) -> tuple[str, ...]:
        """Only Grype carries EPSS."""
        return ("epss_ratio",) if self.tool == "trivy" else super().untold(stream)


class LoadLimit(Model):
    """A value of a load test that must not be exceeded, such as ``http_req_duration``, ``p(95)``, 500 (ms)."""

    metric: str = Field(min_length=1)
    value: str = Field(min_length=1)
    at_most: float


class K6Summaries(Connector):
    """Summaries of k6 as JSON files (source contracts, I).

    ``peaks`` is the highest hourly load of the last twelve months, requests, by service; ``names`` reads the service
    and the time from a file's name, for forms that do not tell them; ``limits`` come before the test's own thresholds.
    """

    feeds: ClassVar[Mapping[str, Feed]] = {"load_tests": Feed()}
    kind: Literal["k6_summaries"]
    folder: str
    files: str = "**/*.json"
    names: Annotated[str, AfterValidator(_expression)] = r"(?P<service>.+?)[-_](?P<at>\d{8}T\d{6}Z)\.json"
    of_service: Slug | None = None
    peaks: dict[Slug, Annotated[float, Field(gt=0)]] = {}
    limits: list[LoadLimit] = []


# A source of changes has no single checks.
_CHANGES_ALONE = ("recorded_at", "http_status", "response_ms", "sequence")


class UptimeRobot(Connector):
    """UptimeRobot's API v2 (source contracts, K); monitors are named by their number."""

    feeds: ClassVar[Mapping[str, Feed]] = {
        "availability_checks": Feed(chunk_days=100, remembers_days=90, untold=_CHANGES_ALONE)
    }
    kind: Literal["uptimerobot"]
    url: Url = "https://api.uptimerobot.com"
    token_env: Variable = "UPTIMEROBOT_API_KEY"  # noqa: S105 - the name of a variable


class BetterStack(Connector):
    """Better Stack's uptime API (source contracts, K); monitors are named by their number.

    ``never_paused`` is the organisation's own word that no monitor was paused, which the API does not tell of the past.
    """

    feeds: ClassVar[Mapping[str, Feed]] = {"availability_checks": Feed(untold=_CHANGES_ALONE)}
    kind: Literal["betterstack"]
    url: Url = "https://uptime.betterstack.com"
    token_env: Variable = "BETTERSTACK_API_TOKEN"  # noqa: S105 - the name of a variable
    never_paused: bool = False


class Upptime(Connector):
    """An Upptime repository on GitHub (source contracts, K); a monitor is ``owner/repository/site``.

    ``message`` finds the state in the first line of a commit's message, as Upptime's template writes it.
    """

    feeds: ClassVar[Mapping[str, Feed]] = {"availability_checks": Feed(untold=_CHANGES_ALONE)}
    kind: Literal["upptime"]
    url: Url = "https://api.github.com"
    repository: str = Field(pattern=r"^[^/\s]+/[^/\s]+$")
    token_env: Variable = "GITHUB_TOKEN"  # noqa: S105 - the name of a variable
    stands_hours: float = Field(default=50, gt=0, le=24 * 31)
    message: Annotated[str, AfterValidator(_expression)] = r" is (?P<status>up|down|degraded) \(\d+ in [\d.]+ ms\)"


class Zabbix(Connector):
    """Zabbix's JSON-RPC API (source contracts, C4): every problem from ``min_severity`` (0 to 5) on is an alert."""

    feeds: ClassVar[Mapping[str, Feed]] = {
        "alerts": Feed(chunk_days=7, remembers_days=365, untold=("label", "incident_id", "is_test"))
    }
    kind: Literal["zabbix"]
    url: Url
    token_env: Variable = "ZABBIX_TOKEN"  # noqa: S105 - the name of a variable
    min_severity: int = Field(default=4, ge=0, le=5)
    service_tag: str = "service"


class ArgoCD(Connector):
    """Argo CD's API (source contracts, H): the history that each application keeps.

    ``environment`` names the environment of all, else ``environment_from`` says what of an application does.
    """

    feeds: ClassVar[Mapping[str, Feed]] = {
        "deployments": Feed(
            chunk_days=1,
            remembers_days=7,
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

    feeds: ClassVar[Mapping[str, Feed]] = {"deployments": Feed(untold=_DEPLOYMENT_ALONE)}
    kind: Literal["flux_events"]
    folder: str
    files: str = "**/*.json"
    environment: str = Field(min_length=1)
    objects: list[str] = ["*"]


class GitLab(Connector):
    """GitLab's REST API (source contracts, M): deployments and merge requests of update bots.

    ``group`` is the path or number of the group that holds the projects, subgroups included; projects are those of
    ``projects`` (paths, or patterns after ``glob:``), else those that services.toml names. ``update_authors`` are the
    names of the accounts under which update bots work.

    Attributes:
        deploy_environments: Environments that count; empty = all.
        test_events: What starts pipelines whose deployments are none: a schedule tests, it does not roll out.
        test_workflows: Jobs, by name, whose deployments are none.
        deploy_workflows: Jobs whose deployments count although ``test_workflows`` names them.
    """

    feeds: ClassVar[Mapping[str, Feed]] = {
        "deployments": Feed(untold=_DEPLOYMENT_ALONE),
        "update_merges": Feed(chunk_days=14, untold=("human_coauthor_count",)),
        "dependency_updates": Feed(chunk_days=14, untold=("from_digest", "to_digest")),
        "update_episodes": Feed(chunk_days=190),
    }
    kind: Literal["gitlab"]
    url: Url = "https://gitlab.com"
    group: str = Field(min_length=1)
    token_env: Variable = "GITLAB_TOKEN"  # noqa: S105 - the name of a variable
    projects: list[str] = []
    update_authors: list[str] = []
    deploy_environments: list[str] = []
    test_events: list[str] = ["schedule"]
    test_workflows: list[str] = list(_TEST_WORKFLOWS)
    deploy_workflows: list[str] = ["*deploy*", "*release*"]
    release_dates: ReleaseDateSources | None = None

    @model_validator(mode="after")
    def _authors(self) -> GitLab:
        if {"update_merges", "dependency_updates", "update_episodes"} & set(self.streams) and not self.update_authors:
            raise ValueError("merge requests of update bots need update_authors: the names of the bots' accounts")
        return self


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
