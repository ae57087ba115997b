"""Settings of Azure: logs, metrics, resources.

Belongs here: which workspaces, subscriptions and metrics are asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from opsmetrics.core.model import Model, Slug
from opsmetrics.organisation.connectors.base import PAGE_ALONE, Connector, Feed, Url


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
        "alerts": Feed(chunk_days=31, remembers_days=30, untold=PAGE_ALONE),
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
