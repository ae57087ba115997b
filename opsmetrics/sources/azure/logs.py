"""Log Analytics (contracts, A): bins come back, never rows; partial answers are landed as partial."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import Any

from azure.monitor.query import LogsQueryClient, LogsQueryPartialResult

from opsmetrics.errors import Problem, SourceError
from opsmetrics.organisation.connectors import AzureLogs
from opsmetrics.settings import expand
from opsmetrics.sources.ask import Answer, Ask
from opsmetrics.sources.azure.client import client_arguments, credential, explained, is_shipped, rendered
from opsmetrics.sources.azure.resources import web_tests

Row = dict[str, Any]
SIGNALS = ("availability", "performance", "security")
# An instant may lie two days before its receipt (contracts, 0.2): a backup job is logged when it ends.
LATE = timedelta(days=2)
# Fewer runs than this share of the expected: the test was not running, whatever it says.
COVERED = 0.5
# An answer above the service's 64 MB is asked for again in up to eight parts.
HALVINGS = 3


def _query(ask: Ask[AzureLogs], name: str, start: datetime, end: datetime, **words: object) -> tuple[list[Row], bool]:
    """Run a shipped query on every workspace and resource; returns rows and whether all answers were whole.

    A workspace speaks the new table names, an Application Insights resource the classic ones (contracts, A).
    """
    settings = ask.connector
    rows: list[Row] = []
    whole = True
    url, audience = expand(settings.url), settings.audience
    client = LogsQueryClient(
        credential(ask.settings), endpoint=url, audience=audience, **client_arguments(ask.settings)
    )
    with client:
        for scope in (*settings.workspaces, *settings.resources):
            shipped = f"{name}_classic" if scope.startswith("/") else name
            # Vaults and audit logs are no business of an Application Insights resource.
            if is_shipped(shipped):
                found, complete = _ask_scope(ask, client, scope, shipped, (start, end), words, HALVINGS)
                rows += found
                whole = whole and complete
    return rows, whole


def _ask_scope(
    ask: Ask[AzureLogs],
    client: LogsQueryClient,
    scope: str,
    name: str,
    span: tuple[datetime, datetime],
    words: dict[str, object],
    halvings: int,
) -> tuple[list[Row], bool]:
    """Ask one scope; an answer that was too large is asked for again in halves, cut at whole hours."""
    run = client.query_resource if scope.startswith("/") else client.query_workspace
    with explained(ask, name):
        try:
            answer = run(scope, rendered(name, *span, **words), timespan=span, server_timeout=600)
        except ValueError:
            # 204: a workspace in which nothing was ever logged; the SDK fails on the empty body.
            return [], True
    if isinstance(answer, LogsQueryPartialResult):
        hours = int((span[1] - span[0]).total_seconds() // 3600)
        if halvings > 0 and hours >= 2:
            middle = span[0] + timedelta(hours=hours // 2)
            halves = [
                _ask_scope(ask, client, scope, name, half, words, halvings - 1)
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


def probe(ask: Ask[AzureLogs]) -> str:
    """Ask for the newest availability result: proves address, identity, role and scope, and tells the lag."""
    rows, _ = _query(ask, "freshness", ask.now - timedelta(days=1), ask.now)
    newest = max((row["Newest"] for row in rows if row["Newest"]), default=None)
    if newest is None:
        return f"{len(ask.connector.workspaces) + len(ask.connector.resources)} scopes readable, no data in 24 hours"
    return f"readable, newest row {(ask.now - newest).total_seconds() / 60:.0f} minutes old"


def availability_checks(ask: Ask[AzureLogs]) -> Answer:
    """Return one row per test and bin; a bin with too few of the expected runs is *unknown*."""
    found, whole = _query(ask, "availability", ask.starts_at, ask.ends_at, bin=ask.connector.bin_minutes)
    expected = web_tests(ask) if ask.connector.subscriptions else {}
    rows: list[Row] = []
    for row in found:
        runs, ok = row["Runs"], row["Ok"]
        due = expected.get(row["TestName"], 0.0) * ask.connector.bin_minutes
        status = "up" if ok == runs else "down" if ok * 2 < runs else "degraded"
        rows.append(
            {
                "provider": f"{ask.connector.name}/{row['ResourceId'].rsplit('/', 1)[-1]}",
                "monitor_id": row["TestName"],
                "checked_at": row["Bin"],
                "recorded_at": row["LastReceived"],
                "status": "unknown" if not runs or runs < COVERED * due else status,
                "response_ms": row["P95Ms"] if status == "up" else None,
            }
        )
    return Answer(rows, is_complete=whole, source=f"{ask.connector.url} AppAvailabilityResults")


def _by_day(ask: Ask[AzureLogs], rows: list[Row]) -> dict[tuple[str, date], list[Row]]:
    """Gather hourly bins by service and local day: KQL's own days are UTC."""
    found: dict[tuple[str, date], list[Row]] = defaultdict(list)
    for row in rows:
        service = ask.connector.service(row["Role"] or row["ResourceId"].rsplit("/", 1)[-1])
        found[str(service), row["Bin"].astimezone(ask.organisation.zone).date()].append(row)
    return found


def latency_daily(ask: Ask[AzureLogs]) -> Answer:
    """Return requests and fast requests of each service and local day; ``sum(ItemCount)`` undoes sampling."""
    threshold = ask.connector.latency_threshold_ms
    found, whole = _query(ask, "requests", ask.starts_at, ask.ends_at, threshold=f"{threshold:g}")
    rows = [
        {
            "service_id": service,
            "observed_on": day,
            "valid_count": sum(row["Requests"] for row in bins),
            "fast_count": sum(row["Fast"] for row in bins),
            "threshold_ms": threshold,
        }
        for (service, day), bins in _by_day(ask, found).items()
    ]
    return Answer(rows, is_complete=whole, source=f"{ask.connector.url} AppRequests")


def signal_hours(ask: Ask[AzureLogs]) -> Answer:
    """Return the hours with data of each service, signal and local day."""
    rows: list[Row] = []
    complete = True
    for signal in SIGNALS:
        found, whole = _query(ask, f"signal_{signal}", ask.starts_at, ask.ends_at)
        complete = complete and whole
        rows += [
            {
                "service_id": service,
                "signal": signal,
                "tool": ask.connector.tools.get(signal, ask.connector.name),
                "observed_on": day,
                "hours_with_data": len({row["Bin"] for row in bins}),
            }
            for (service, day), bins in _by_day(ask, found).items()
        ]
    return Answer(rows, is_complete=complete, source=f"{ask.connector.url} signals")


def recovery_points(ask: Ask[AzureLogs]) -> Answer:
    """Return backup jobs that ended; a job that failed is a point that cannot be used."""
    found, whole = _query(ask, "backup_jobs_log", ask.starts_at, min(ask.ends_at + LATE, ask.now))
    rows = [
        {
            "datastore_id": _datastore(ask, row["DataSource"]),
            "taken_at": row["JobStartDateTime"],
            "is_usable": row["JobStatus"] in {"Completed", "CompletedWithWarnings"},
        }
        for row in found
        if row["JobStatus"] != "InProgress"
    ]
    return Answer(rows, is_complete=whole, source=f"{ask.connector.url} AddonAzureBackupJobs")


def _datastore(ask: Ask[AzureLogs], resource: str) -> str:
    if not resource:
        message = "a backup job names no data source"
        raise SourceError(Problem(ask.connector.name, None, message, "send the vault's diagnostics in resource mode"))
    name = resource.rsplit("/", 1)[-1]
    return ask.connector.datastores.get(name, name)
