"""Azure Monitor metrics, batch API (contracts, B1): groups of one subscription, region and type, 50 at a time."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import Any

from azure.monitor.querymetrics import MetricAggregationType, MetricsClient

from opsmetrics.core.errors import Problem, SourceError
from opsmetrics.core.settings import expand
from opsmetrics.organisation.connectors.azure import AzureMetrics, CapacityMetric
from opsmetrics.sources.azure.client import client_arguments, credential, translate_errors
from opsmetrics.sources.fetching import FetchRequest, FetchResult

BATCH = 50
GRAIN = timedelta(hours=1)
_MARK = "/providers/microsoft.insights/metrics/"


def probe(request: FetchRequest[AzureMetrics]) -> str:
    """Ask the last hour of the first resource."""
    first = request.connector.resources[0]
    _values(request, [first], request.now - GRAIN, request.now)
    return f"{len(request.connector.resources)} metrics, first one readable"


def capacity_samples(request: FetchRequest[AzureMetrics]) -> FetchResult:
    """Return hourly utilisation; an hour without a sample has no row."""
    groups: dict[tuple[str, ...], list[CapacityMetric]] = defaultdict(list)
    for item in request.connector.resources:
        subscription = item.resource.split("/")[2].lower()
        groups[subscription, item.region, item.namespace, item.metric, item.aggregation].append(item)
    rows: list[dict[str, Any]] = []
    notes: list[str] = []
    for items in groups.values():
        for start in range(0, len(items), BATCH):
            found, lacking = _values(request, items[start : start + BATCH], request.starts_at, request.ends_at)
            rows += found
            notes += lacking
    return FetchResult(rows, is_complete=not notes, source="metrics batch", notes=tuple(notes))


def _values(
    request: FetchRequest[AzureMetrics], items: list[CapacityMetric], start: Any, end: Any
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the samples of a batch, and which of its resources got no answer or a failed one."""
    settings, first = request.connector, items[0]
    url = expand(settings.url) if settings.url else f"https://{first.region}.metrics.monitor.azure.com"
    by_id = {item.resource.lower(): item for item in items}
    rows: list[dict[str, Any]] = []
    failed: dict[str, str] = {}

    def note_errors(answer: Any) -> None:
        # The package keeps the values of a failed metric, which are none, and drops that it failed.
        for resource in answer.http_response.json().get("values") or ():
            for metric in resource.get("value") or ():
                if metric.get("errorCode", "Success") != "Success":
                    failed[metric["id"].lower().split(_MARK)[0]] = str(metric["errorCode"])

    client = MetricsClient(
        url, credential(request.settings), audience=settings.audience, **client_arguments(request.settings)
    )
    with client, translate_errors(request, first.metric):
        # The package puts its method on at run time.
        results = client.query_resources(  # pyrefly: ignore[missing-attribute]
            resource_ids=[item.resource for item in items],
            metric_namespace=first.namespace,
            metric_names=[first.metric],
            timespan=(start, end),
            granularity=GRAIN,
            aggregations=[getattr(MetricAggregationType, first.aggregation.upper())],
            raw_response_hook=note_errors,
        )
    told: set[str] = set()
    for result in results:
        for metric in result.metrics:
            # The SDK drops resourceid, and the order of results is not a promise: the metric's own id says whose it is.
            resource = metric.id.lower().split(_MARK)[0]
            item = by_id[resource]
            told.add(resource)
            _check_unit(request, item, metric.unit)
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
    lacking = {**dict.fromkeys(by_id.keys() - told, "no answer"), **failed}
    return rows, [f"{by_id[resource].resource_id}: {why}" for resource, why in sorted(lacking.items())]


def _check_unit(request: FetchRequest[AzureMetrics], item: CapacityMetric, unit: str | None) -> None:
    """Refuse to divide bytes or counts by the default limit, which is 100 percent."""
    if unit != "Percent" and "limit" not in item.model_fields_set:
        message = f"{item.metric} of {item.resource_id} is told in {unit or 'no unit'}, not in percent"
        raise SourceError(Problem(request.connector.name, None, message, "set limit to what is full, in that unit"))
