"""Settings of what measures and alerts: Grafana, Prometheus.

Belongs here: how rules, series and deployments in them are told.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from opsmetrics.organisation.connectors.base import DEPLOYMENT_ALONE, PAGE_ALONE, Connector, Feed, Url, Variable

# Label or annotation of a rule, by agreement -> column of its state.
GRAFANA_NOTES: Mapping[str, str] = {
    "resource": "resource_id",
    "threshold_ratio": "threshold_ratio",
    "forecast_hours": "forecast_hours",
    "reviewed_at": "last_reviewed_at",
    "proven_at": "last_proven_at",
}
# Silences are forgotten five days after their end: days whose pages were silenced are not asked for again after that.
_UNTIL_FORGOTTEN = 3


class Grafana(Connector):
    """Grafana's alerting and annotation APIs (source contracts, C2).

    ``oncall_receivers`` names the contact points of the duty (patterns): without it a rule counts as routed where its
    own receiver or a policy that matches it sends it somewhere, and nothing is known of what the root policy sends.
    ``rule_notes`` names what the organisation writes on its rules: of the others nobody says anything.
    """

    feeds: ClassVar[Mapping[str, Feed]] = {
        "alerts": Feed(chunk_days=7, remembers_days=90, repull_days=_UNTIL_FORGOTTEN, untold=PAGE_ALONE),
        "alert_rule_states": Feed(remembers_days=1),
        "deployments": Feed(chunk_days=31, remembers_days=90, untold=DEPLOYMENT_ALONE),
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


_CURRENT = "max by (cluster, namespace, horizontalpodautoscaler) (kube_horizontalpodautoscaler_status_current_replicas)"

_MOST = "max by (cluster, namespace, horizontalpodautoscaler) (kube_horizontalpodautoscaler_spec_max_replicas)"

_AS_RESOURCE = '"resource", "$1", "horizontalpodautoscaler", "(.+)"'

# Without recording rules of one's own: replicas against the autoscaler's maximum (contracts, B2).
AUTOSCALER_SHARE = f"label_replace({_CURRENT} / {_MOST}, {_AS_RESOURCE})"

AUTOSCALER_CEILING = f"label_replace({_CURRENT} >= bool {_MOST}, {_AS_RESOURCE})"


class Prometheus(Connector):
    """Prometheus, own or Azure's managed (source contracts, B2), and its Alertmanager (C3).

    Attributes:
        alertmanager_token_env: Variable with the Alertmanager's token; at the origin of ``url`` that of ``token_env``.
        replica_labels: Labels that tell replicas of one Prometheus apart, in a store that keeps what each of them says.
    """

    feeds: ClassVar[Mapping[str, Feed]] = {
        "availability_checks": Feed(
            chunk_days=1, remembers_days=15, untold=("recorded_at", "http_status", "response_ms", "sequence")
        ),
        "capacity_samples": Feed(chunk_days=7, remembers_days=15),
        "latency_daily": Feed(chunk_days=14, remembers_days=15),
        "workload_states": Feed(remembers_days=1, untold=("fixed_size_approved_on",)),
        "expiries": Feed(remembers_days=1),
        "alerts": Feed(chunk_days=7, remembers_days=15, repull_days=_UNTIL_FORGOTTEN, untold=PAGE_ALONE),
    }
    kind: Literal["prometheus"]
    url: Url
    token_env: Variable | None = None
    audience: str | None = None
    alertmanager_url: Url | None = None
    alertmanager_token_env: Variable | None = None
    monitor_label: str = "instance"
    service_label: str = "service"
    severity_label: str = "severity"
    replica_labels: list[str] = ["prometheus_replica", "thanos_ruler_replica"]
    bin_minutes: int = Field(default=5, ge=1, le=60)
    probe: str = "probe_success"
    utilisation: str = AUTOSCALER_SHARE
    at_ceiling: str = AUTOSCALER_CEILING
    requests_total: str = "http_server_request_duration_seconds_count"
    requests_fast: str = 'http_server_request_duration_seconds_bucket{le="0.5"}'
    secret_expiry: str = "lakmus_keyvault_secret_expiration_timestamp_seconds"  # noqa: S105 - a metric
    certificate_expiry: str = "probe_ssl_earliest_cert_expiry"
    latency_threshold_ms: float = Field(default=500, gt=0)
