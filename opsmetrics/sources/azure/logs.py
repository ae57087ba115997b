"""Log Analytics (contracts, A): bins come back, never rows; partial answers are landed as partial."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import Any

from azure.monitor.query import LogsQueryClient, LogsQueryPartialResult

from opsmetrics.core.settings import expand
from opsmetrics.organisation.connectors.azure import AzureLogs
from opsmetrics.sources.azure.client import client_arguments, credential, is_shipped, rendered, translate_errors
from opsmetrics.sources.azure.graph import last_part
from opsmetrics.sources.azure.jobs import UNKNOWN_STATUS, is_known, kind_of, outcome_of
from opsmetrics.sources.azure.resources import web_tests
from opsmetrics.sources.fetching import FetchRequest, FetchResult, midpoint

Row = dict[str, Any]
SIGNALS = ("availability", "performance", "security")
# An instant may lie two days before its receipt (contracts, 0.2): a backup job is logged when it ends.
LATE = timedelta(days=2)
# Fewer runs than this share of the expected: the test was not running, whatever it says.
COVERED = 0.5
# An answer above the service's 64 MB is asked for again in up to eight parts.
HALVINGS = 3
# What the engine says where it cut off an answer: more bytes or more rows than it gives.
TOO_LARGE = ("-2133196797", "-2133196799", "exceed the set limit", "has exceeded the allowed limits")


def _query(
    request: FetchRequest[AzureLogs], name: str, start: datetime, end: datetime, **words: object
) -> tuple[list[Row], bool]:
    """Run a shipped query on every workspace and resource; returns rows and whether all answers were whole.

    A workspace speaks the new table names, an Application Insights resource the classic ones (contracts, A).
    """
    settings = request.connector
    rows: list[Row] = []
    whole = True
    url, audience = expand(settings.url), settings.audience
    client = LogsQueryClient(
        credential(request.settings), endpoint=url, audience=audience, **client_arguments(request.settings)
    )
    with client:
        for scope in (*settings.workspaces, *settings.resources):
            shipped = f"{name}_classic" if scope.startswith("/") else name
            # Vaults and audit logs do not concern an Application Insights resource.
            if is_shipped(shipped):
                found, complete = _ask_scope(request, client, scope, shipped, (start, end), words, HALVINGS)
                rows += found
                whole = whole and complete
    return rows, whole


def _ask_scope(
    request: FetchRequest[AzureLogs],
    client: LogsQueryClient,
    scope: str,
    name: str,
    span: tuple[datetime, datetime],
    words: dict[str, object],
    halvings: int,
) -> tuple[list[Row], bool]:
    """Ask one scope; an answer that was too large is asked for again in halves, cut at whole hours."""
    run = client.query_resource if scope.startswith("/") else client.query_workspace
    with translate_errors(request, name):
        try:
            answer = run(scope, rendered(name, *span, **words), timespan=span, server_timeout=600)
        except ValueError:
            # 204: a workspace in which nothing was ever logged; the SDK fails on the empty body.
            return [], True
    if isinstance(answer, LogsQueryPartialResult):
        hours = int((span[1] - span[0]).total_seconds() // 3600)
        # Only what was too large is whole in smaller parts; any other fault is asked for by the next pull.
        if halvings > 0 and hours >= 2 and _is_too_large(answer.partial_error):
            middle = midpoint(*span, timedelta(hours=1))
            halves = [
                _ask_scope(request, client, scope, name, half, words, halvings - 1)
                for half in ((span[0], middle), (middle, span[1]))
            ]
            return [row for found, _ in halves for row in found], all(whole for _, whole in halves)
        tables = answer.partial_data or []
    else:
        tables = answer.tables
        if not tables:
            # An answer without result table is not an empty one.
            raise KeyError("tables")
    rows = [
        {"ResourceId": scope.lower()} | dict(zip(table.columns, row, strict=True))
        for table in tables
        for row in table.rows
    ]
    return rows, not isinstance(answer, LogsQueryPartialResult)


def _is_too_large(error: Any) -> bool:
    """Whether a partial answer is one for its size: codes of the engine, or the words that come with them."""
    said = json.dumps(error, default=lambda item: getattr(item, "__dict__", str(item)))
    return any(sign in said for sign in TOO_LARGE)


def _number(value: Any) -> float | None:
    """Return a number; NaN, which the service writes as a text for a statistic of nothing, is none."""
    number = float(value) if value not in (None, "") else math.nan
    return number if math.isfinite(number) else None


def probe(request: FetchRequest[AzureLogs]) -> str:
    """Ask for the newest availability result: proves address, identity, role and scope, and tells the lag."""
    rows, _ = _query(request, "freshness", request.now - timedelta(days=1), request.now)
    newest = max((row["Newest"] for row in rows if row["Newest"]), default=None)
    if newest is None:
        scopes = len(request.connector.workspaces) + len(request.connector.resources)
        return f"{scopes} scopes readable, no data in 24 hours"
    return f"readable, newest row {(request.now - newest).total_seconds() / 60:.0f} minutes old"


def availability_checks(request: FetchRequest[AzureLogs]) -> FetchResult:
    """Return one row per test and bin; a bin with too few of the expected runs is *unknown*."""
    found, whole = _query(
        request, "availability", request.starts_at, request.ends_at, bin=request.connector.bin_minutes
    )
    expected = web_tests(request) if request.connector.subscriptions else {}
    rows: list[Row] = []
    for row in found:
        runs, ok = row["Runs"], row["Ok"]
        due = expected.get(row["TestName"], 0.0) * request.connector.bin_minutes
        status = "up" if ok == runs else "down" if ok * 2 < runs else "degraded"
        rows.append(
            {
                "provider": f"{request.connector.name}/{row['ResourceId'].rsplit('/', 1)[-1]}",
                "monitor_id": row["TestName"],
                "checked_at": row["Bin"],
                "recorded_at": row["LastReceived"],
                "status": "unknown" if not runs or runs < COVERED * due else status,
                "response_ms": _number(row["P95Ms"]) if status == "up" else None,
            }
        )
    return FetchResult(rows, is_complete=whole, source=f"{request.connector.url} AppAvailabilityResults")


def _by_day(request: FetchRequest[AzureLogs], rows: list[Row]) -> dict[tuple[str, date], list[Row]]:
    """Gather hourly bins by service and local day: KQL's own days are UTC."""
    found: dict[tuple[str, date], list[Row]] = defaultdict(list)
    for row in rows:
        service = request.connector.service(row["Role"] or row["ResourceId"].rsplit("/", 1)[-1])
        found[str(service), row["Bin"].astimezone(request.organisation.zone).date()].append(row)
    return found


def latency_daily(request: FetchRequest[AzureLogs]) -> FetchResult:
    """Return requests and fast requests of each service and local day; ``sum(ItemCount)`` undoes sampling."""
    threshold = request.connector.latency_threshold_ms
    found, whole = _query(request, "requests", request.starts_at, request.ends_at, threshold=f"{threshold:g}")
    rows = [
        {
            "service_id": service,
            "observed_on": day,
            "valid_count": sum(row["Requests"] for row in bins),
            "fast_count": sum(row["Fast"] for row in bins),
            "threshold_ms": threshold,
        }
        for (service, day), bins in _by_day(request, found).items()
    ]
    return FetchResult(rows, is_complete=whole, source=f"{request.connector.url} AppRequests")


def signal_hours(request: FetchRequest[AzureLogs]) -> FetchResult:
    """Return the hours with data of each service, signal and local day."""
    rows: list[Row] = []
    complete = True
    for signal in SIGNALS:
        found, whole = _query(request, f"signal_{signal}", request.starts_at, request.ends_at)
        complete = complete and whole
        rows += [
            {
                "service_id": service,
                "signal": signal,
                "tool": request.connector.tools.get(signal, request.connector.name),
                "observed_on": day,
                "hours_with_data": len({row["Bin"] for row in bins}),
            }
            for (service, day), bins in _by_day(request, found).items()
        ]
    return FetchResult(rows, is_complete=complete, source=f"{request.connector.url} signals")


def recovery_points(request: FetchRequest[AzureLogs]) -> FetchResult:
    """Return backup jobs that ended; a job that failed or was cancelled is a point that cannot be used.

    A job that names no data source is set aside: the vault's diagnostics are not sent in resource mode.
    """
    found, whole = _query(request, "backup_jobs_log", request.starts_at, min(request.ends_at + LATE, request.now))
    jobs = [row for row in found if kind_of(None, row["JobOperation"]) == "backup"]
    rows = [
        {
            "datastore_id": _datastore(request, row["DataSource"]),
            "taken_at": row["JobStartDateTime"],
            "is_usable": outcome_of(row["JobStatus"]),
        }
        for row in jobs
        if outcome_of(row["JobStatus"]) is not None
    ]
    unknown = sum(not is_known(row["JobStatus"]) for row in jobs)
    counted = {UNKNOWN_STATUS: unknown} if unknown else {}
    source = f"{request.connector.url} AddonAzureBackupJobs"
    return FetchResult(rows, is_complete=whole, source=source, counted=counted)


def _datastore(request: FetchRequest[AzureLogs], resource: str | None) -> str | None:
    name = last_part(resource or "")
    return request.connector.datastores.get(name, name) or None
