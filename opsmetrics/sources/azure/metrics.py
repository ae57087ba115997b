"""Azure Monitor metrics, batch API (contracts, B1): groups of one subscription, region and type, 50 at a time."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import Any

from azure.monitor.querymetrics import MetricAggregationType, MetricsClient

from opsmetrics.organisation.connectors import AzureMetrics, CapacityMetric
from opsmetrics.settings import expand
from opsmetrics.sources.ask import Answer, Ask
from opsmetrics.sources.azure.client import client_arguments, credential, explained

BATCH = 50
GRAIN = timedelta(hours=1)
_MARK = "/providers/microsoft.insights/metrics/"


def probe(ask: Ask[AzureMetrics]) -> str:
    """Ask the last hour of the first resource."""
    first = ask.connector.resources[0]
    _values(ask, [first], ask.now - GRAIN, ask.now)
    return f"{len(ask.connector.resources)} metrics, first one readable"


def capacity_samples(ask: Ask[AzureMetrics]) -> Answer:
    """Return hourly utilisation; an hour without a sample has no row."""
    groups: dict[tuple[str, ...], list[CapacityMetric]] = defaultdict(list)
    for item in ask.connector.resources:
        subscription = item.resource.split("/")[2].lower()
        groups[subscription, item.region, item.namespace, item.metric, item.aggregation].append(item)
    rows: list[dict[str, Any]] = []
    for items in groups.values():
        for start in range(0, len(items), BATCH):
            rows += _values(ask, items[start : start + BATCH], ask.starts_at, ask.ends_at)
    return Answer(rows, source="metrics batch")


def _values(ask: Ask[AzureMetrics], items: list[CapacityMetric], start: Any, end: Any) -> list[dict[str, Any]]:
    settings, first = ask.connector, items[0]
    url = expand(settings.url) if settings.url else f"https://{first.region}.metrics.monitor.azure.com"
    by_id = {item.resource.lower(): item for item in items}
    rows: list[dict[str, Any]] = []
    client = MetricsClient(url, credential(ask.settings), audience=settings.audience, **client_arguments(ask.settings))
    with client, explained(ask, first.metric):
        results = client.query_resources(
            resource_ids=[item.resource for item in items],
            metric_namespace=first.namespace,
            metric_names=[first.metric],
            timespan=(start, end),
            granularity=GRAIN,
            aggregations=[getattr(MetricAggregationType, first.aggregation.upper())],
        )
    for result in results:
        for metric in result.metrics:
            # The SDK drops resourceid, and the order of results is no promise: the metric's own id says whose it is.
            item = by_id[metric.id.lower().split(_MARK)[0]]
            for series in metric.timeseries:
                for point in series.data:
                    value = getattr(point, first.aggregation.lower())
                    if value is not None:
                        rows.append(
                            {
                                "resource_id": item.resource_id,
                                "service_id": item.service,
                                "sampled_at": point.timestamp,
                                "utilisation_ratio": value / item.limit,
                            }
                        )
    return rows
