"""The Log Analytics query API over tables made of the records; the KQL that is asked is executed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from typing import Any

import polars as pl
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.servers.identity import refuse_wrong_audience
from simulator.servers.kusto import Engine
from simulator.servers.records import (
    PROBED_BY_GITHUB,
    PROMETHEUS_SLO_TEAM,
    PROMETHEUS_TEAM,
    WORKSPACE,
    Records,
    Row,
    resource_id,
)

AUDIENCE = "https://api.loganalytics.io"
EMPTY = "00000000-0000-0000-0000-000000000204"
INSTANT = pl.Datetime("us")


def _availability(records: Records) -> pl.DataFrame:
    frame = records.frames["availability_checks"]
    elsewhere = [
        service.id
        for service in records.organisation.services
        if service.team == PROMETHEUS_TEAM or service.id in PROBED_BY_GITHUB
    ]
    service = pl.col("monitor_id").str.strip_prefix("probe-")
    at = pl.col("checked_at").dt.replace_time_zone(None)
    return frame.filter(~service.is_in(elsewhere)).select(
        TimeGenerated=at,
        _TimeReceived=at + pl.duration(seconds=90),
        Name="monitor_id",
        Success=pl.col("status") == "up",
        DurationMs=pl.col("response_ms").cast(pl.Float64),
        Location=pl.lit("North Europe"),
        ItemCount=pl.lit(1, pl.Int64),
        AppRoleName=service,
        # Real ids come in mixed case.
        _ResourceId=pl.format(
            "/subscriptions/S/resourceGroups/RG/providers/Microsoft.Insights/components/AI-{}", service
        ),
    )


def _requests(records: Records) -> pl.DataFrame:
    """Spread each day's requests over two hours: the fast ones and the slow ones, sampled one in ten."""
    rows: list[Row] = []
    for row in records.rows["latency_daily"]:
        if records.team_of(row["service_id"]) == PROMETHEUS_SLO_TEAM:
            continue
        from simulator.world import local  # noqa: PLC0415 - only the zone of the records' days

        slow = row["valid_count"] - row["fast_count"]
        for hour, count, ms in ((9, row["fast_count"], 120.0), (14, slow, 900.0)):
            if count > 0:
                rows.append(
                    {
                        "TimeGenerated": local(row["observed_on"], hour).replace(tzinfo=None),
                        "_TimeReceived": local(row["observed_on"], hour).replace(tzinfo=None),
                        "ItemCount": count,
                        "DurationMs": ms,
                        "Success": True,
                        "ResultCode": "200",
                        "ClientType": "PC",
                        "SyntheticSource": "",
                        "AppRoleName": row["service_id"],
                        "_ResourceId": resource_id("microsoft.insights/components", f"ai-{row['service_id']}"),
                    }
                )
    return pl.DataFrame(rows, infer_schema_length=None)


def _classic(frame: pl.DataFrame, success: pl.Expr) -> pl.DataFrame:
    """Return a table under the names of before workspaces; success is a text there."""
    names = {
        "TimeGenerated": "timestamp",
        "Name": "name",
        "DurationMs": "duration",
        "ItemCount": "itemCount",
        "AppRoleName": "cloud_RoleName",
        "ClientType": "client_Type",
        "SyntheticSource": "operation_SyntheticSource",
    }
    kept = [column for column in names if column in frame.columns]
    return frame.select(*kept, success=success).rename({column: names[column] for column in kept})


def _diagnostics(records: Records) -> pl.DataFrame:
    """One audit event for each hour in which the security tool saw something."""
    from simulator.world import local  # noqa: PLC0415 - only the zone of the records' days

    rows = [
        {
            "TimeGenerated": (local(row["observed_on"], 0) + timedelta(hours=hour)).replace(tzinfo=None),
            "Category": "AuditEvent",
            "Resource": row["service_id"],
            "_ResourceId": resource_id("microsoft.keyvault/vaults", row["service_id"]),
        }
        for row in records.rows["signal_hours"]
        if row["signal"] == "security" and (records.now.date() - row["observed_on"]).days < 45
        for hour in range(row["hours_with_data"])
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def _backup_jobs(records: Records) -> pl.DataFrame:
    """Two rows a job, as the service logs them: when it starts and when it ends."""

    def both() -> Iterator[Row]:
        for place, row in enumerate(records.rows["recovery_points"]):
            job: Row = {
                "JobUniqueId": f"job-{place:08d}",
                "JobOperation": "Backup",
                "JobStartDateTime": row["taken_at"].replace(tzinfo=None),
                "DatasourceResourceId": resource_id("Microsoft.DBforPostgreSQL/flexibleServers", row["datastore_id"]),
            }
            done = "Completed" if row["is_usable"] else "Failed"
            for minutes, status, seconds in ((0, "InProgress", None), (25, done, 1500.0)):
                at = row["taken_at"].replace(tzinfo=None) + timedelta(minutes=minutes)
                yield job | {
                    "TimeGenerated": at,
                    "JobStatus": status,
                    "JobDurationInSecs": seconds,
                    "_ResourceId": "vault",
                }

    return pl.DataFrame(list(both()), infer_schema_length=None)


def routes(records: Records) -> list[Route]:
    """Return the routes below ``/logs``: workspace and resource scope."""

    @cache
    def engine() -> Engine:
        availability, requests = _availability(records), _requests(records)
        return Engine(
            {
                "AppAvailabilityResults": availability,
                "AppRequests": requests,
                "availabilityResults": _classic(
                    availability, pl.when("Success").then(pl.lit("1")).otherwise(pl.lit("0"))
                ),
                "requests": _classic(requests, pl.when("Success").then(pl.lit("True")).otherwise(pl.lit("False"))),
                "AzureDiagnostics": _diagnostics(records),
                "AddonAzureBackupJobs": _backup_jobs(records),
            }
        )

    def answer(query: str) -> Response:
        try:
            columns, rows = engine().run(query)
        except Exception as error:  # noqa: BLE001 - whatever the query did wrong is the asker's 400
            inner = {"code": "SEM0100", "message": type(error).__name__}
            return JSONResponse(
                {
                    "error": {
                        "code": "BadArgumentError",
                        "message": "The request had some invalid properties",
                        "innererror": inner,
                    }
                },
                status_code=400,
            )
        return JSONResponse({"tables": [{"name": "PrimaryResult", "columns": columns, "rows": rows}]})

    async def query(request: Request) -> Response:
        refused = refuse_wrong_audience(request, AUDIENCE)
        if refused is not None:
            return refused
        scope = request.path_params["scope"]
        if scope == f"workspaces/{EMPTY}":
            return Response(status_code=204)
        if scope != f"workspaces/{WORKSPACE}" and not scope.startswith("subscriptions/"):
            error: dict[str, Any] = {"error": {"code": "WorkspaceNotFoundError", "message": "no such workspace"}}
            return JSONResponse(error, status_code=404)
        body = await request.json()
        return await run_in_threadpool(answer, body["query"])

    return [Route("/v1/{scope:path}/query", query, methods=["POST"])]
