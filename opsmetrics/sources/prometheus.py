"""Prometheus, own or Azure's managed, and ``ALERTS`` as the memory that Alertmanager lacks (contracts, B2 and C3)."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Any

from opsmetrics.organisation.connectors.telemetry import Prometheus
from opsmetrics.sources import alertmanager
from opsmetrics.sources.azure.client import authenticated_client
from opsmetrics.sources.earlier import Earlier
from opsmetrics.sources.fetching import FetchRequest, FetchResult
from opsmetrics.sources.http import Http, RefusedError
from opsmetrics.sources.notes import days_of
from opsmetrics.sources.prometheus_notes import Notes
from opsmetrics.sources.service_names import ServiceNames
from opsmetrics.sources.severities import is_no_page, severity_of

Row = dict[str, Any]
Series = tuple[dict[str, str], list[tuple[datetime, float]]]
POINTS = 11_000
DAY = timedelta(days=1)
# How far an alert is followed beyond the asked days, where the settings do not say how long the source remembers.
FARTHEST_DAYS = 60
UP = 0.5
UP_TARGETS = "count(up)"
# Rules that are evaluated less often than this are not looked for: their samples are told apart from other alerts.
RAREST = timedelta(hours=1)
# The blackbox exporter's metrics, whose instance is what was probed.
_OF_A_PROBE = "probe_"
# Labels of who tells a series, and those that an exporter's target may have as well.
_WHO_TELLS = frozenset({"instance", "pod", "node", "container", "endpoint", "prometheus", "prometheus_replica"})
_OF_A_TARGET = frozenset({"__name__", "job", "namespace", "service"})
LATENCY = ("valid_count", "fast_count")
# The year 10000, as seconds.
LATEST = 253_402_300_800
TOO_LATE = "expiries left out, later than the year 9999: are they milliseconds?"
NO_LABEL = "series of requests left out, without the label of service_label"
ONE_COUNTER = "days of services left out, of which only one of requests_total and requests_fast has data"


def _client(request: FetchRequest[Prometheus]) -> Http:
    settings = request.connector
    return authenticated_client(request, settings.url, token_env=settings.token_env, audience=settings.audience)


def probe(request: FetchRequest[Prometheus]) -> str:
    """Count the probed targets, and what fires at the Alertmanager, where one is named."""
    with _client(request) as http:
        found = http.post("api/v1/query", data={"query": f"count({request.connector.probe})"})
    values = found["data"]["result"]
    said = f"readable, {values[0]['value'][1] if values else 0} probed targets"
    if request.connector.alertmanager_url is None:
        return said
    with alertmanager.client(request) as http:
        return f"{said}, {len(http.get('api/v2/alerts'))} alerts at the Alertmanager"


def _range(
    request: FetchRequest[Prometheus], query: str, start: datetime, end: datetime, step: timedelta, notes: Notes
) -> Iterator[Series]:
    """Run a range query in pieces that no limit refuses; values come as text and may be NaN.

    A series of native histograms has other values, of which nothing is read.
    """
    pieces: dict[str, Series] = {}
    with _client(request) as http:
        while start <= end:
            stop = min(end, start + step * (POINTS - 1))
            data = {
                "query": query,
                "start": f"{start.timestamp():.3f}",
                "end": f"{stop.timestamp():.3f}",
                "step": f"{step.total_seconds():g}",
            }
            for item in notes.read(http.post("api/v1/query_range", data=data)):
                labels = item["metric"]
                _, values = pieces.setdefault(repr(sorted(labels.items())), (labels, []))
                values += [
                    (datetime.fromtimestamp(float(at), tz=UTC), number)
                    for at, text in item.get("values") or ()
                    if math.isfinite(number := float(text))
                ]
            start = stop + step
    yield from pieces.values()


def _unseen(request: FetchRequest[Prometheus], told: Iterable[datetime], notes: Notes) -> frozenset[date]:
    """Return the asked days of which there is nothing because Prometheus was away, or has lost or forgotten them.

    A day without what was asked for may be a quiet one. But ``up`` is there for whatever is scraped: a day without it
    was watched by nobody. Where there is no ``up`` today either (others write into the store), that says nothing.

    Args:
        request: The question.
        told: Instants of what was found; their days are not looked at.
        notes: Where warnings are kept.
    """
    zone, hour = request.organisation.zone, timedelta(hours=1)
    silent = set(days_of(request.days)) - {at.astimezone(zone).date() for at in told}
    if not silent:
        return frozenset()

    def watched(start: datetime, end: datetime) -> set[date]:
        # What carries labels is the answer to another question.
        series = (values for labels, values in _range(request, UP_TARGETS, start, end, hour, notes) if not labels)
        return {at.astimezone(zone).date() for values in series for at, _ in values if start <= at <= end}

    try:
        unwatched = silent - watched(request.starts_at, min(request.ends_at, request.now))
        return frozenset(unwatched) if unwatched and watched(request.now - DAY, request.now) else frozenset()
    except RefusedError as error:
        if error.status is None:
            raise
        return frozenset()


def availability_checks(request: FetchRequest[Prometheus]) -> FetchResult:
    """Return one row per target and bin, of all places that probe it; a bin without samples has none.

    Up when all samples are, degraded when at least half of them are.
    """
    settings, minutes = request.connector, request.connector.bin_minutes
    step = timedelta(minutes=minutes)
    rows, notes = list[Row](), Notes()
    # A point of avg_over_time looks back: the bin that begins at t is read at t + step, less what belongs to the next.
    back = timedelta(milliseconds=1)
    query = f"avg_over_time({settings.probe}[{minutes * 60_000 - 1}ms])"
    shares: dict[tuple[str | None, str | None], dict[datetime, list[float]]] = defaultdict(lambda: defaultdict(list))
    for labels, values in _range(request, query, request.starts_at + step - back, request.ends_at - back, step, notes):
        job = labels.get("job")
        # Series of one job that differ in other labels alone are the same check from several places.
        for at, share in values:
            shares[labels.get(settings.monitor_label) or job, job][at].append(share)
    for (monitor, _), bins in shares.items():
        for at, found in bins.items():
            share = sum(found) / len(found)
            rows.append(
                {
                    "provider": settings.name,
                    "monitor_id": monitor,
                    "checked_at": at + back - step,
                    "status": "up" if share == 1 else "degraded" if share >= UP else "down",
                }
            )
    unseen = _unseen(request, (row["checked_at"] for row in rows), notes)
    return notes.result(rows, f"{settings.url} {settings.probe}", unseen)


def capacity_samples(request: FetchRequest[Prometheus]) -> FetchResult:
    """Return hourly utilisation of resources and whether they stood at their ceiling."""
    settings, hour = request.connector, timedelta(hours=1)
    last, notes = request.ends_at - hour, Notes()
    ceiling = _Resources(_range(request, settings.at_ceiling, request.starts_at, last, hour, notes))
    found = _Resources(_range(request, settings.utilisation, request.starts_at, last, hour, notes))
    rows = [
        {
            "resource_id": found.name_of(labels),
            "service_id": settings.services.get(found.name_of(labels) or "")
            or settings.service(labels.get(settings.service_label) or labels.get("resource")),
            "sampled_at": at,
            "utilisation_ratio": value,
            "is_at_ceiling": None if (most := ceiling.at(labels, at)) is None else most > 0,
        }
        for labels, values in found.series
        for at, value in values
    ]
    unseen = _unseen(request, (row["sampled_at"] for row in rows), notes)
    return notes.result(rows, f"{settings.url} {settings.utilisation}", unseen)


class _Resources:
    """Series of resources. Those of one name in several namespaces or clusters are several, and have these before it.

    Args:
        series: With the label ``resource``, and where it comes from Kubernetes ``namespace`` and maybe ``cluster``.
    """

    def __init__(self, series: Iterable[Series]) -> None:
        self.series = list(series)
        # Resource -> cluster and namespace -> instant -> value.
        self._values: dict[str, dict[tuple[str, str], dict[datetime, float]]] = defaultdict(lambda: defaultdict(dict))
        for labels, values in self.series:
            self._values[labels.get("resource", "")][_place(labels)].update(values)

    def name_of(self, labels: Mapping[str, str]) -> str | None:
        """Return the id of a series' resource."""
        name, (cluster, space) = labels.get("resource"), _place(labels)
        places = self._values[name] if name else {}
        if not name or not space or len(places) == 1:
            return name
        is_shared = sum(other == space for _, other in places) > 1
        return "/".join(part for part in (cluster if is_shared else "", space, name) if part)

    def at(self, labels: Mapping[str, str], at: datetime) -> float | None:
        """Return the value of the resource that labels of another query name; one of these may say less of it."""
        places = self._values.get(labels.get("resource", ""), {})
        cluster, space = _place(labels)
        known = [(cluster, space), ("", space), (cluster, ""), ("", "")]
        values = next((places[place] for place in known if place in places), None)
        if values is None:
            # The other query does not say in which cluster, or where at all.
            near = [found for (_, other), found in places.items() if not cluster and space in {"", other}]
            values = near[0] if len(near) == 1 else None
        return None if values is None else values.get(at)


def _place(labels: Mapping[str, str]) -> tuple[str, str]:
    return labels.get("cluster", ""), labels.get("namespace", "")


def latency_daily(request: FetchRequest[Prometheus]) -> FetchResult:
    """Return requests and fast requests of each local day from SLO counters (hourly increases added up)."""
    settings, hour, zone = request.connector, timedelta(hours=1), request.organisation.zone
    counts: dict[tuple[str, Any], dict[str, float]] = defaultdict(dict)
    told, notes = set[datetime](), Notes()
    for column, metric in zip(LATENCY, (settings.requests_total, settings.requests_fast), strict=True):
        query = f"sum by ({settings.service_label}) (increase({metric}[1h]))"
        for labels, values in _range(request, query, request.starts_at + hour, request.ends_at, hour, notes):
            service = settings.service(labels.get(settings.service_label))
            if service is None:
                notes.count(NO_LABEL, 1)
                continue
            for at, value in values:
                told.add(at - hour)
                day = (at - hour).astimezone(zone).date()
                found = counts[service, day]
                found[column] = found.get(column, 0.0) + value
    rows = [
        {
            "service_id": service,
            "observed_on": day,
            **{column: round(value) for column, value in found.items()},
            "threshold_ms": settings.latency_threshold_ms,
        }
        for (service, day), found in counts.items()
        if len(found) == len(LATENCY)
    ]
    notes.count(ONE_COUNTER, sum(len(found) != len(LATENCY) for found in counts.values()))
    return notes.result(rows, f"{settings.url} {settings.requests_total}", _unseen(request, told, notes))


def _workload(metric: str, pod: str = "pod", tail: str = "-[a-z0-9]+-[a-z0-9]+") -> str:
    """PromQL that gives each pod's series the name of its deployment."""
    return f'label_replace({metric}, "workload", "$1", "{pod}", "(.*){tail}")'


# A pod that has ended stays in the list, at the node where it was; one that was evicted is none of today's.
_ENDED = '(kube_pod_status_phase{phase=~"Failed|Succeeded"} == 1)'
# A pod of another kind of workload may have a name as one of a deployment; old versions do not tell whose it is.
_OF_OTHERS = 'kube_pod_info{created_by_kind!~"ReplicaSet|"}'


def _living(metric: str) -> str:
    """PromQL that leaves series of the pods that deployments run now."""
    return f"({metric} unless on (cluster, namespace, pod) {_OF_OTHERS} unless on (cluster, namespace, pod) {_ENDED})"


_PODS = _workload(_living("kube_pod_info"))
# Only nodes that say their zone: those that do not are not all in one. What two collectors tell of a node is one.
_POD_ZONES = (
    f"{_PODS} * on (cluster, node) group_left (zone)"
    ' max by (cluster, node, zone) (label_replace(kube_node_labels{label_topology_kubernetes_io_zone!=""},'
    ' "zone", "$1", "label_topology_kubernetes_io_zone", "(.+)"))'
)
# Of a workload with a pod in a zone that nobody names the number of zones is not known.
_ALL_ZONES_KNOWN = (
    f"count by (cluster, namespace, workload) ({_POD_ZONES}) == count by (cluster, namespace, workload) ({_PODS})"
)


def _renamed(metric: str, label: str) -> str:
    """PromQL that gives a series' own label the name that all of them share."""
    return f'label_replace({metric}, "workload", "$1", "{label}", "(.+)")'


def _autoscaler(metric: str) -> str:
    scaled = (
        f"{metric} * on (cluster, namespace, horizontalpodautoscaler) group_left (scaletargetref_name)"
        " max by (cluster, namespace, horizontalpodautoscaler, scaletargetref_name) (kube_horizontalpodautoscaler_info)"
    )
    return f"max by (cluster, namespace, workload) ({_renamed(scaled, 'scaletargetref_name')})"


# Several clusters may write into one store, each with its label, and none where there is one.
# Names as kube-state-metrics gives them; on Azure's managed Prometheus every selector has one metric name, as asked.
WORKLOADS = {
    "replica_count": f"max by (cluster, namespace, workload) "
    f"({_renamed('kube_deployment_status_replicas_available', 'deployment')})",
    "zone_count": "count by (cluster, namespace, workload) ("
    f"count by (cluster, namespace, workload, zone) ({_POD_ZONES}))"
    f" and on (cluster, namespace, workload) ({_ALL_ZONES_KNOWN})",
    "has_resource_requests": "count by (cluster, namespace, workload) ("
    + _workload(_living('kube_pod_container_resource_requests{resource="cpu"}'))
    + ")",
    "autoscaler_min": _autoscaler("kube_horizontalpodautoscaler_spec_min_replicas"),
    "autoscaler_max": _autoscaler("kube_horizontalpodautoscaler_spec_max_replicas"),
}


def workload_states(request: FetchRequest[Prometheus]) -> FetchResult:
    """Return deployments of today from kube-state-metrics: replicas, zones, requests, autoscaler bounds."""
    found: dict[tuple[str, str, str], dict[str, int]] = defaultdict(dict)
    notes = Notes()
    with _client(request) as http:
        for column, query in WORKLOADS.items():
            answer = http.post("api/v1/query", data={"query": query, "time": f"{request.now.timestamp():.3f}"})
            for item in notes.read(answer):
                labels = item["metric"]
                place = (labels.get("cluster", ""), labels.get("namespace", ""), labels["workload"])
                found[place][column] = round(float(item["value"][1]))
    # Where nothing at all has requests, nobody collects them.
    without: bool | None = False if any("has_resource_requests" in values for values in found.values()) else None
    told = {place: values for place, values in found.items() if "replica_count" in values}
    clusters = Counter(place[1:] for place in told)
    rows = [
        {
            # One that stands in several clusters is several.
            "workload_id": "/".join(
                part for part in (cluster if clusters[namespace, name] > 1 else "", namespace, name) if part
            ),
            "service_id": request.connector.service(name),
            "observed_on": request.today,
            **values,
            "has_resource_requests": True if values.get("has_resource_requests") else without,
        }
        for (cluster, namespace, name), values in told.items()
    ]
    return notes.result(rows, f"{request.connector.url} kube-state-metrics")


def expiries(request: FetchRequest[Prometheus]) -> FetchResult:
    """Return secrets and certificates of today with their end; what they are called stays there.

    What several probes or exporters tell of one thing, with one end, is one.
    """
    settings, notes = request.connector, Notes()
    rows: dict[tuple[Any, ...], Row] = {}
    with _client(request) as http:
        for kind, query in (("secret", settings.secret_expiry), ("certificate", settings.certificate_expiry)):
            data = {"query": query, "time": f"{request.now.timestamp():.3f}"}
            for item in sorted(
                notes.read(http.post("api/v1/query", data=data)), key=lambda item: hash_of(item["metric"])
            ):
                labels: dict[str, str] = item["metric"]
                seconds = float(item["value"][1])
                # Milliseconds, or an end that no calendar has.
                if math.isfinite(seconds) and seconds >= LATEST:
                    notes.count(TOO_LATE, 1)
                # Zero and NaN say that it has no end, or that nothing was reached.
                elif math.isfinite(seconds) and seconds > 0:
                    name = labels.get(settings.service_label) or labels.get(settings.monitor_label)
                    rows.setdefault(
                        (kind, seconds, *_what_expires(settings, labels)),
                        {
                            "expiry_id": f"{kind}-{hash_of(labels):x}",
                            "service_id": settings.service(name),
                            "kind": kind,
                            "observed_on": request.today,
                            "expires_at": datetime.fromtimestamp(seconds, tz=UTC),
                        },
                    )
    return notes.result(list(rows.values()), f"{settings.url} expiries")


def _what_expires(settings: Prometheus, labels: dict[str, str]) -> tuple[object, ...]:
    """Return what tells secrets or certificates of one end apart: the target of a probe, else labels of their own."""
    target = labels.get(settings.monitor_label)
    if target is not None and labels.get("__name__", "").startswith(_OF_A_PROBE):
        return (target,)
    own = {name: text for name, text in labels.items() if name not in _WHO_TELLS}
    # Where only the exporter is told, nobody knows how many there are behind it.
    return _identity(own) if own.keys() - {*_OF_A_TARGET, settings.service_label} else _identity(labels)


def alerts(request: FetchRequest[Prometheus]) -> FetchResult:
    """Return firing runs of ``ALERTS``; what fires now starts when Alertmanager says, where one is named.

    No pages are heartbeats and what told nobody from its first to its last instant.
    """
    settings, minute = request.connector, timedelta(minutes=1)
    names, manager = ServiceNames(request), alertmanager.Alertmanager(request)
    rows, notes = list[Row](), Notes()
    pauses = _Pauses(request, minute)
    firing = _firing(request, minute, pauses, notes)
    manager.note(firing)
    runs = [
        (_alert_id(settings, labels, first), labels, instants, first, last)
        for labels, instants in firing
        if not is_no_page(labels["alertname"], labels.get(settings.severity_label))
        for first, last in _runs(instants, pauses.longest(labels, instants))
    ]
    earlier = Earlier(request, [run[0] for run in runs])
    for key, labels, instants, first, last in runs:
        own = dict(_identity(labels))
        running = last + pauses.longest(labels, instants) >= request.now
        fired = manager.fired(own, first) if running else first
        is_page = earlier.was_page(key, fired, None if running else last + minute)
        if is_page is None:
            during = [at for at in instants if first <= at <= last]
            is_page = not manager.tells_nobody(own, fired, request.now if running else last, during)
        if is_page:
            rows.append(
                {
                    "alert_id": key,
                    "service_id": _alert_service(settings, names, labels),
                    "rule_id": labels["alertname"],
                    "severity": severity_of(labels.get(settings.severity_label)),
                    "fired_at": fired,
                    "closed_at": None if running else last + minute,
                    "is_test": False,
                }
            )
    unseen = _unseen(request, (at for _, instants in firing for at in instants), notes)
    return notes.result(rows, f"{settings.url} ALERTS", unseen)


def _alert_id(settings: Prometheus, labels: dict[str, str], first: datetime) -> str:
    """Return an alert's id: its first sample stands for it, which is the same while it fires and after."""
    return f"{settings.name}-{abs(hash_of(labels))}-{first:%Y%m%dT%H%M%S}"


def _alert_service(settings: Prometheus, names: ServiceNames, labels: dict[str, str]) -> str:
    """Return the service: what the labels say, else the first other label that we know, else one that nobody owns."""
    told = labels.get(settings.service_label)
    if told:
        return settings.service(told) or told
    others = [labels.get(name) for name in (settings.monitor_label, "namespace", "job")]
    return names.first(others) or next((name for name in others if name), labels["alertname"])


class _Pauses:
    """How long an alert may be without a sample while it fires.

    A sample is seen for five minutes. A rule that is evaluated less often leaves holes between its samples, though its
    alert goes on: how often that is tells the list of rules, which is asked for where there are holes.
    """

    def __init__(self, request: FetchRequest[Prometheus], step: timedelta) -> None:
        self._request, self._missed = request, 2 * step

    def longest(self, labels: dict[str, str], instants: Iterable[datetime]) -> timedelta:
        """Return the longest pause of one alert; one missing sample is a missed scrape."""
        holes = (after - before for before, after in pairwise(sorted(instants)))
        if not any(self._missed < hole <= RAREST for hole in holes):
            return self._missed
        return self._intervals.get(labels["alertname"], timedelta()) + self._missed

    @cached_property
    def _intervals(self) -> dict[str, timedelta]:
        found: dict[str, timedelta] = {}
        with _client(self._request) as http:
            try:
                groups = http.get("api/v1/rules", type="alert")["data"]["groups"]
            except RefusedError as error:
                if error.status is None:
                    raise
                # Not every store has the rules whose alerts it keeps.
                return found
        for group in groups:
            for rule in group["rules"]:
                seconds = timedelta(seconds=float(group.get("interval") or 0))
                found[rule["name"]] = max(found.get(rule["name"], seconds), seconds)
        return found


def _firing(
    request: FetchRequest[Prometheus], step: timedelta, pauses: _Pauses, notes: Notes
) -> list[tuple[dict[str, str], list[datetime]]]:
    """Return the samples of what fired in the window, and beyond its edges of what fires across them.

    Where a run of days were cut at each midnight, each piece would be a page of its own, begun and closed by the cut.
    """
    query, last = 'ALERTS{alertstate="firing"}', request.now - step
    start, end = request.starts_at, min(request.ends_at - step, last)
    found: dict[tuple[tuple[str, str], ...], tuple[dict[str, str], list[datetime]]] = {}
    memory = timedelta(days=request.connector.remembers(request.stream) or FARTHEST_DAYS)

    def add(first: datetime, until: datetime) -> None:
        for told, values in _range(request, query, first, until, step, notes):
            # What several replicas of one Prometheus say is one alert; Alertmanager is told none of these labels.
            labels = {name: text for name, text in told.items() if name not in request.connector.replica_labels}
            found.setdefault(_identity(labels), (labels, []))[1].extend(at for at, _ in values)

    def touches(edge: datetime, *, is_begin: bool) -> bool:
        return any(
            at and (min(at) - edge if is_begin else edge - max(at)) <= pauses.longest(labels, at)
            for labels, at in found.values()
        )

    add(start, end)
    while touches(start, is_begin=True) and start > request.now - memory:
        add(start - DAY, start - step)
        start -= DAY
    while touches(end, is_begin=False) and end < last:
        add(end + step, min(end + DAY, last))
        end = min(end + DAY, last)
    return list(found.values())


def _runs(instants: list[datetime], pause: timedelta) -> Iterator[tuple[datetime, datetime]]:
    """Join samples that follow each other; a longer pause is an end."""
    first = last = None
    for at in sorted(instants):
        if first is None or last is None:
            first = at
        elif at - last > pause:
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
