"""Prometheus' query API for the questions that the demo asks; the tests ask the real program."""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.servers.records import (
    AZURE_METRICS_TEAM,
    PLANTED,
    PROMETHEUS_SLO_TEAM,
    PROMETHEUS_TEAM,
    Records,
    Row,
    precise,
)

Point = tuple[float, float]
Series = tuple[dict[str, str], list[Point]]
LOOK_BACK = 300.0


class Store:
    """Samples by metric name."""

    def __init__(self, records: Records) -> None:
        self.metrics: dict[str, list[Series]] = {
            "probe_success": list(_probes(records)),
            "ops:utilisation:ratio": list(_capacity(records, "utilisation_ratio")),
            "ops:utilisation:at_ceiling": list(_capacity(records, "is_at_ceiling")),
            "ops:requests:total": list(_requests(records, "valid_count")),
            "ops:requests:fast": list(_requests(records, "fast_count")),
        }
        self.states = _states(records)
        self.alerts = records.rows["alerts"]

    def firing(self, start: float, end: float, step: float) -> list[Series]:
        """Answer ``ALERTS{alertstate="firing"}``: a sample at each step at which an alert fired."""
        found: list[Series] = []
        for row in self.alerts:
            first, last = row["fired_at"].timestamp(), row["closed_at"].timestamp() if row["closed_at"] else end + 1
            if first > end or last < start:
                continue
            number = max(0, -(-(first - start) // step))
            points: list[Point] = []
            while (at := start + number * step) <= end and at < last:
                points.append((at, 1.0))
                number += 1
            if points:
                labels = {**_labels(row), "__name__": "ALERTS", "alertstate": "firing"}
                found.append((labels, points))
        return found

    def range(self, query: str, start: float, end: float, step: float) -> list[Series]:
        """Answer ``name``, ``avg_over_time(name[Nms])`` and ``increase(name[1h])``."""
        if query.startswith("ALERTS{"):
            return self.firing(start, end, step)
        inner = re.sub(r"^sum by \(service\) \((.*)\)$", r"\1", query)
        match = re.fullmatch(r"(?:(avg_over_time|increase)\()?([a-z_:]+)(?:\[(\d+)(ms|h)\])?\)?", inner)
        if match is None or match[2] not in self.metrics:
            return []
        span = float(match[3] or 0) * (0.001 if match[4] == "ms" else 3600.0)
        found: list[Series] = []
        for labels, points in self.metrics[match[2]]:
            values = list(_evaluate(match[1], points, span or LOOK_BACK, start, end, step))
            if values:
                # What a function makes of a metric is another metric, without a name.
                found.append(({k: v for k, v in labels.items() if not match[1] or k != "__name__"}, values))
        return found


def _labels(row: Row) -> dict[str, str]:
    """Labels of an alert, as its rule and its series give them."""
    severity = {1: "critical", 2: "major", 3: "warning"}.get(row["severity"], "info")
    pod = f"{row['service_id']}-{row['alert_id'].lower()}"
    return {"alertname": row["rule_id"], "service": row["service_id"], "severity": severity, "pod": pod}


def _evaluate(
    function: str | None, points: list[Point], span: float, start: float, end: float, step: float
) -> Iterator[Point]:
    """Walk the samples once: both they and the steps are in order."""
    at = start
    low, high = bisect_left(points, (at - span - 1e-6,)), bisect_left(points, (at + 1e-6,))
    while at <= end + 1e-6:
        while high < len(points) and points[high][0] <= at + 1e-6:
            high += 1
        while low < high and points[low][0] < at - span - 1e-6:
            low += 1
        window = points[low:high]
        if window:
            if function == "avg_over_time":
                yield at, sum(value for _, value in window) / len(window)
            elif function == "increase":
                yield at, sum(value for when, value in window if when > at - span + 1e-6)
            else:
                yield at, window[-1][1]
        at += step


def _probes(records: Records) -> Iterator[Series]:
    frame = records.frames["availability_checks"]
    for service in records.organisation.services:
        if service.team == PROMETHEUS_TEAM:
            rows = frame.filter(pl.col("monitor_id") == f"probe-{service.id}")
            is_up = pl.col("status") == "up"
            yield {"__name__": "probe_success", "instance": f"probe-{service.id}"}, _points(rows, "checked_at", is_up)


def _points(rows: pl.DataFrame, at: str, value: pl.Expr) -> list[Point]:
    """Seconds since 1970 and value of each row."""
    return rows.select(pl.col(at).dt.epoch("us") / 1e6, value.cast(pl.Float64).alias("value")).rows()


def _capacity(records: Records, column: str) -> Iterator[Series]:
    frame = records.frames["capacity_samples"]
    for (resource, service), rows in frame.group_by(["resource_id", "service_id"], maintain_order=True):
        if records.team_of(str(service)) != AZURE_METRICS_TEAM:
            labels = {"resource": str(resource), "service": str(service)}
            yield labels, _points(rows, "sampled_at", pl.col(column))


def _requests(records: Records, column: str) -> Iterator[Series]:
    """One increase a day, at noon UTC; a counter that only grows would say the same."""
    found: dict[str, list[Point]] = {}
    for row in records.rows["latency_daily"]:
        if records.team_of(row["service_id"]) == PROMETHEUS_SLO_TEAM:
            noon = datetime(row["observed_on"].year, row["observed_on"].month, row["observed_on"].day, 12, tzinfo=UTC)
            found.setdefault(row["service_id"], []).append((noon.timestamp(), float(row[column])))
    for service, points in found.items():
        yield {"service": service}, points


def _states(records: Records) -> dict[str, list[tuple[dict[str, str], float]]]:
    columns = {
        "kube_deployment_status_replicas_available": "replica_count",
        "kube_pod_info": "zone_count",
        "kube_pod_container_resource_requests": "has_resource_requests",
        "kube_horizontalpodautoscaler_spec_min_replicas": "autoscaler_min",
        "kube_horizontalpodautoscaler_spec_max_replicas": "autoscaler_max",
    }
    rows = records.newest("workload_states")
    return {
        metric: [({"workload": row["workload_id"]}, float(row[column])) for row in rows if row[column]]
        for metric, column in columns.items()
    }


def routes(records: Records) -> list[Route]:
    """Return the routes below ``/prometheus``."""
    store = Store(records)

    def answer(kind: str, result: list[dict[str, Any]]) -> Response:
        return JSONResponse({"status": "success", "data": {"resultType": kind, "result": result}})

    def refuse(text: str) -> Response:
        return JSONResponse({"status": "error", "errorType": "bad_data", "error": text}, status_code=400)

    async def query_range(request: Request) -> Response:
        form = await request.form()
        start, end, step = (float(str(form[name])) for name in ("start", "end", "step"))
        if (end - start) / step > 11_000:
            return refuse("exceeded maximum resolution of 11,000 points per timeseries")
        if timedelta(seconds=end - start) > timedelta(days=32):
            return refuse("time range exceeds 32 days")
        found = store.range(str(form["query"]), start, end, step)
        return answer(
            "matrix",
            [{"metric": labels, "values": [[at, f"{value:.17g}"] for at, value in points]} for labels, points in found],
        )

    async def query(request: Request) -> Response:
        form = await request.form()
        text, at = str(form["query"]), float(str(form.get("time") or records.now.timestamp()))
        # A query that asks for several is about the first.
        name = min((name for name in store.states if name in text), key=text.index, default=None)
        if name is not None:
            return answer(
                "vector", [{"metric": labels, "value": [at, f"{value:g}"]} for labels, value in store.states[name]]
            )
        return answer("vector", [{"metric": {}, "value": [at, str(len(store.metrics["probe_success"]))]}])

    return [
        Route("/api/v1/query_range", query_range, methods=["POST"]),
        Route("/api/v1/query", query, methods=["POST"]),
    ]


def alertmanager_routes(records: Records) -> list[Route]:
    """Return the routes below ``/alertmanager``: what fires now, with the labels that Prometheus adds, and silences."""
    now = records.now
    active = [
        row
        for row in records.rows["alerts"]
        if row["fired_at"] <= now and (row["closed_at"] is None or row["closed_at"] > now)
    ]

    def alerts(_: Request) -> Response:
        found = [
            {
                "annotations": {"summary": PLANTED["text"]},
                "endsAt": precise(now + timedelta(minutes=4)),
                "fingerprint": hashlib.sha256(row["alert_id"].encode()).hexdigest()[:16],
                "receivers": [{"name": "vakt"}],
                "startsAt": precise(row["fired_at"]),
                "status": {"inhibitedBy": [], "mutedBy": [], "silencedBy": [], "state": "active"},
                "updatedAt": precise(now),
                "generatorURL": "http://prometheus.invalid/graph",
                "labels": {**_labels(row), "cluster": "drift", "prometheus": "monitoring/k8s"},
            }
            for row in active
        ]
        return JSONResponse(found)

    def silences(_: Request) -> Response:
        found = {
            "id": "1f3a0b62-6c1e-4b8e-9c1a-0d6a1a2b3c4d",
            "status": {"state": "expired"},
            "updatedAt": precise(now),
            "matchers": [{"name": "alertname", "value": "nothing", "isRegex": False, "isEqual": True}],
            "startsAt": precise(now - timedelta(days=2)),
            "endsAt": precise(now - timedelta(days=1)),
            "createdBy": PLANTED["person"],
            "comment": PLANTED["text"],
        }
        return JSONResponse([found])

    def status(_: Request) -> Response:
        config = "route:\n  receiver: vakt\nreceivers:\n- name: vakt\n  webhook_configs:\n  - url: <secret>\n"
        cluster = {"status": "disabled", "peers": []}
        version = dict.fromkeys(("version", "revision", "branch", "buildUser", "buildDate", "goVersion"), "")
        told = {"cluster": cluster, "config": {"original": config}, "versionInfo": version, "uptime": precise(now)}
        return JSONResponse(told)

    answers = {"alerts": alerts, "silences": silences, "status": status}
    return [Route(f"/api/v2/{name}", answer) for name, answer in answers.items()]
