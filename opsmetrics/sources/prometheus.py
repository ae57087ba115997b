"""Prometheus, own or Azure's managed, and ``ALERTS`` as the memory that Alertmanager lacks (contracts, B2 and C3)."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from opsmetrics.organisation.connectors import Prometheus
from opsmetrics.sources.ask import Answer, Ask
from opsmetrics.sources.azure.client import signed
from opsmetrics.sources.http import Http, RefusedError

Row = dict[str, Any]
Series = tuple[dict[str, str], list[tuple[datetime, float]]]
POINTS = 11_000
UP = 0.5


def _client(ask: Ask[Prometheus]) -> Http:
    settings = ask.connector
    return signed(ask, settings.url, token_env=settings.token_env, audience=settings.audience)


def probe(ask: Ask[Prometheus]) -> str:
    """Count the probed targets."""
    with _client(ask) as http:
        found = http.post("api/v1/query", data={"query": f"count({ask.connector.probe})"})
    values = found["data"]["result"]
    return f"readable, {values[0]['value'][1] if values else 0} probed targets"


def _range(ask: Ask[Prometheus], query: str, start: datetime, end: datetime, step: timedelta) -> Iterator[Series]:
    """Run a range query in pieces that no limit refuses; values come as text and may be NaN."""
    pieces: dict[str, Series] = {}
    with _client(ask) as http:
        while start <= end:
            stop = min(end, start + step * (POINTS - 1))
            data = {
                "query": query,
                "start": f"{start.timestamp():.3f}",
                "end": f"{stop.timestamp():.3f}",
                "step": f"{step.total_seconds():g}",
            }
            found = http.post("api/v1/query_range", data=data)["data"]
            for item in found["result"]:
                labels = item["metric"]
                _, values = pieces.setdefault(repr(sorted(labels.items())), (labels, []))
                values += [
                    (datetime.fromtimestamp(float(at), tz=UTC), number)
                    for at, text in item["values"]
                    if math.isfinite(number := float(text))
                ]
            start = stop + step
    yield from pieces.values()


def availability_checks(ask: Ask[Prometheus]) -> Answer:
    """Return one row per target and bin: up when at least half of its samples are; a bin without samples has none."""
    settings, minutes = ask.connector, ask.connector.bin_minutes
    step = timedelta(minutes=minutes)
    rows: list[Row] = []
    # A point of avg_over_time looks back: the bin that begins at t is read at t + step, less what belongs to the next.
    back = timedelta(milliseconds=1)
    query = f"avg_over_time({settings.probe}[{minutes * 60_000 - 1}ms])"
    for labels, values in _range(ask, query, ask.starts_at + step - back, ask.ends_at - back, step):
        for at, share in values:
            rows.append(
                {
                    "provider": settings.name,
                    "monitor_id": labels.get(settings.monitor_label) or labels.get("job"),
                    "checked_at": at + back - step,
                    "status": "up" if share == 1 else "degraded" if share >= UP else "down",
                }
            )
    return Answer(rows, source=f"{settings.url} {settings.probe}")


def capacity_samples(ask: Ask[Prometheus]) -> Answer:
    """Return hourly utilisation of resources and whether they stood at their ceiling."""
    settings, hour = ask.connector, timedelta(hours=1)
    last = ask.ends_at - hour
    ceiling = {
        (labels.get("resource", ""), at): value > 0
        for labels, values in _range(ask, settings.at_ceiling, ask.starts_at, last, hour)
        for at, value in values
    }
    rows = [
        {
            "resource_id": labels.get("resource"),
            "service_id": settings.service(labels.get(settings.service_label) or labels.get("resource")),
            "sampled_at": at,
            "utilisation_ratio": value,
            "is_at_ceiling": ceiling.get((labels.get("resource", ""), at)),
        }
        for labels, values in _range(ask, settings.utilisation, ask.starts_at, last, hour)
        for at, value in values
    ]
    return Answer(rows, source=f"{settings.url} {settings.utilisation}")


def latency_daily(ask: Ask[Prometheus]) -> Answer:
    """Return requests and fast requests of each local day from SLO counters (hourly increases added up)."""
    settings, hour, zone = ask.connector, timedelta(hours=1), ask.organisation.zone
    counts: dict[tuple[str, Any], dict[str, float]] = defaultdict(dict)
    for column, metric in (("valid_count", settings.requests_total), ("fast_count", settings.requests_fast)):
        query = f"sum by ({settings.service_label}) (increase({metric}[1h]))"
        for labels, values in _range(ask, query, ask.starts_at + hour, ask.ends_at, hour):
            service = settings.service(labels.get(settings.service_label))
            for at, value in values:
                day = (at - hour).astimezone(zone).date()
                found = counts[str(service), day]
                found[column] = found.get(column, 0.0) + value
    rows = [
        {
            "service_id": service,
            "observed_on": day,
            **{column: round(value) for column, value in found.items()},
            "threshold_ms": settings.latency_threshold_ms,
        }
        for (service, day), found in counts.items()
        if len(found) == 2
    ]
    return Answer(rows, source=f"{settings.url} {settings.requests_total}")


def _workload(metric: str, pod: str = "pod", tail: str = "-[a-z0-9]+-[a-z0-9]+") -> str:
    """PromQL that gives each pod's series the name of its deployment."""
    return f'label_replace({metric}, "workload", "$1", "{pod}", "(.*){tail}")'


_POD_ZONES = (
    f"{_workload('kube_pod_info')} * on (node) group_left (zone)"
    ' label_replace(kube_node_labels, "zone", "$1", "label_topology_kubernetes_io_zone", "(.+)")'
)


def _renamed(metric: str, label: str) -> str:
    """PromQL that gives a series' own label the name that all of them share."""
    return f'label_replace({metric}, "workload", "$1", "{label}", "(.+)")'


def _autoscaler(metric: str) -> str:
    scaled = (
        f"{metric} * on (namespace, horizontalpodautoscaler) group_left (scaletargetref_name)"
        " kube_horizontalpodautoscaler_info"
    )
    return f"max by (namespace, workload) ({_renamed(scaled, 'scaletargetref_name')})"


# Names as kube-state-metrics gives them; on Azure's managed Prometheus every selector has one metric name, as asked.
WORKLOADS = {
    "replica_count": f"max by (namespace, workload) "
    f"({_renamed('kube_deployment_status_replicas_available', 'deployment')})",
    "zone_count": f"count by (namespace, workload) (count by (namespace, workload, zone) ({_POD_ZONES}))",
    "has_resource_requests": "count by (namespace, workload) ("
    + _workload('kube_pod_container_resource_requests{resource="cpu"}')
    + ")",
    "autoscaler_min": _autoscaler("kube_horizontalpodautoscaler_spec_min_replicas"),
    "autoscaler_max": _autoscaler("kube_horizontalpodautoscaler_spec_max_replicas"),
}


def workload_states(ask: Ask[Prometheus]) -> Answer:
    """Return deployments of today from kube-state-metrics: replicas, zones, requests, autoscaler bounds."""
    found: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    with _client(ask) as http:
        for column, query in WORKLOADS.items():
            answer = http.post("api/v1/query", data={"query": query, "time": f"{ask.now.timestamp():.3f}"})
            for item in answer["data"]["result"]:
                labels = item["metric"]
                found[labels.get("namespace", ""), labels["workload"]][column] = round(float(item["value"][1]))
    rows = [
        {
            "workload_id": f"{namespace}/{name}" if namespace else name,
            "service_id": ask.connector.service(name),
            "observed_on": ask.today,
            **values,
            "has_resource_requests": values.get("has_resource_requests", 0) > 0,
        }
        for (namespace, name), values in found.items()
        if "replica_count" in values
    ]
    return Answer(rows, source=f"{ask.connector.url} kube-state-metrics")


def expiries(ask: Ask[Prometheus]) -> Answer:
    """Return secrets and certificates of today with their end; what they are called stays there."""
    settings, rows = ask.connector, list[Row]()
    with _client(ask) as http:
        for kind, query in (("secret", settings.secret_expiry), ("certificate", settings.certificate_expiry)):
            data = {"query": query, "time": f"{ask.now.timestamp():.3f}"}
            for item in http.post("api/v1/query", data=data)["data"]["result"]:
                labels: dict[str, str] = item["metric"]
                seconds = float(item["value"][1])
                # Zero and NaN say that it has no end, or that nothing was reached.
                if math.isfinite(seconds) and seconds > 0:
                    name = labels.get(settings.service_label) or labels.get(settings.monitor_label)
                    rows.append(
                        {
                            "expiry_id": f"{kind}-{hash_of(labels):x}",
                            "service_id": settings.service(name),
                            "kind": kind,
                            "observed_on": ask.today,
                            "expires_at": datetime.fromtimestamp(seconds, tz=UTC),
                        }
                    )
    return Answer(rows, source=f"{settings.url} expiries")


def alerts(ask: Ask[Prometheus]) -> Answer:
    """Return firing stretches of ``ALERTS``; what fires now starts when Alertmanager says, where one is named."""
    settings, minute = ask.connector, timedelta(minutes=1)
    starts = _active_starts(ask)
    rows: list[Row] = []
    query = 'ALERTS{alertstate="firing"}'
    for labels, values in _range(ask, query, ask.starts_at, min(ask.ends_at, ask.now) - minute, minute):
        service = settings.service(labels.get(settings.service_label) or labels.get(settings.monitor_label))
        for first, last in _stretches([at for at, _ in values], minute):
            running = last + 2 * minute >= ask.now
            fired = starts.get(_identity(labels), first) if running else first
            rows.append(
                {
                    "alert_id": f"{settings.name}-{abs(hash_of(labels))}-{fired:%Y%m%dT%H%M%S}",
                    "service_id": service,
                    "rule_id": labels["alertname"],
                    "severity": {"critical": 1, "page": 1, "warning": 3}.get(labels.get("severity", "")),
                    "fired_at": fired,
                    "closed_at": None if running else last + minute,
                    "is_test": False,
                }
            )
    return Answer(rows, source=f"{settings.url} ALERTS")


def _stretches(instants: list[datetime], step: timedelta) -> Iterator[tuple[datetime, datetime]]:
    """Join samples that follow each other; one missing sample is a missed scrape, two are an end."""
    first = last = None
    for at in sorted(instants):
        if first is None or last is None:
            first = at
        elif at - last > 2 * step:
            yield first, last
            first = at
        last = at
    if first is not None and last is not None:
        yield first, last


def _identity(labels: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((k, v) for k, v in labels.items() if k not in {"alertstate", "__name__"}))


def hash_of(labels: dict[str, str]) -> int:
    """Return a number that is the same in every process."""
    total = 0
    for character in repr(_identity(labels)):
        total = (total * 131 + ord(character)) % (1 << 40)
    return total


def _active_starts(ask: Ask[Prometheus]) -> dict[tuple[tuple[str, str], ...], datetime]:
    """Return when active alerts began to fire; Prometheus' own activeAt is when they were pending."""
    url = ask.connector.alertmanager_url
    if url is None:
        return {}
    with Http(f"{ask.connector.name} alertmanager", url, ask.settings) as http:
        try:
            found = http.get("api/v2/alerts")
        except RefusedError as error:
            if error.status != 404:
                raise
            found = []
    return {
        _identity(item["labels"]): datetime.fromisoformat(item["startsAt"])
        for item in found
        if item["status"]["state"] == "active"
    }
