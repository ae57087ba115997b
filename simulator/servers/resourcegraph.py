"""Azure Resource Graph: inventory, alerts, backups and assessments; the KQL that is asked is executed."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

import polars as pl
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.servers.identity import refuse_wrong_audience
from simulator.servers.kusto import Engine
from simulator.servers.records import BACKUP_SUBSCRIPTION, PLANTED, SUBSCRIPTION, Records, Row, precise, resource_id

AUDIENCE = "https://management.azure.com"
TABLES = (
    "resources",
    "resourcecontainers",
    "alertsmanagementresources",
    "recoveryservicesresources",
    "securityresources",
    "patchassessmentresources",
)
_STATUS = {"passed": "Healthy", "failed": "Unhealthy", "not_applicable": "NotApplicable", "inconclusive": "Unknown"}


def _item(kind: str, name: str, properties: Row, tags: Row | None = None, **more: Any) -> Row:
    identity = more.pop("id", None) or resource_id(kind, name)
    return {
        "id": identity,
        "name": name,
        "type": kind.lower(),
        "location": more.pop("location", "norwayeast"),
        "subscriptionId": identity.split("/")[2],
        "properties": json.dumps(properties),
        "tags": json.dumps(tags or {}),
    }


def _resources(records: Records) -> list[Row]:
    found = [
        _item(
            "Microsoft.App/containerApps",
            service.id,
            {"template": {"scale": {"minReplicas": 2, "maxReplicas": 8}, "containers": [{"resources": {"cpu": 0.5}}]}},
            {"service": service.id},
        )
        for service in records.organisation.services
    ]
    found += [
        _item(
            "Microsoft.Insights/webtests",
            f"probe-{service.id}",
            {
                "Name": f"probe-{service.id}",
                "Frequency": 900,
                "Locations": [{"Id": "emea-nl-ams-azr"}],
                "Enabled": True,
            },
        )
        for service in records.organisation.services
    ]
    found += [_item(machine.kind, name, {}, {"service": "maskinrommet-klynge"}) for name, machine in MACHINES.items()]
    for row in records.newest("component_states"):
        tags = {"service": row["service_id"]}
        if row["kind"] == "database":
            properties = {
                "version": row["cycle"],
                "backup": {"backupRetentionDays": 35, "geoRedundantBackup": "Enabled"},
            }
            found.append(_item("Microsoft.DBforPostgreSQL/flexibleServers", row["component_id"], properties, tags))
        elif row["kind"] == "kubernetes":
            pools = [{"name": "system", "nodeImageVersion": "AKSUbuntu-2204gen2containerd-202611.03.0"}]
            properties = {"currentKubernetesVersion": f"{row['cycle']}.4", "agentPoolProfiles": pools}
            found.append(_item("Microsoft.ContainerService/managedClusters", row["component_id"], properties, tags))
    for row in records.newest("alert_rule_states"):
        properties = {
            "enabled": row["is_enabled"],
            "severity": 1 if row["is_paging"] else 3,
            "actions": [{"actionGroupId": "ag", "webHookProperties": {}}] if row["is_routed"] else [],
            "scopes": [resource_id("Microsoft.Web/sites", row["service_id"])],
            "evaluationFrequency": "PT1M",
            "windowSize": "PT5M",
            "criteria": {
                "odata.type": "Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria",
                "allOf": [
                    {
                        "criterionType": "StaticThresholdCriterion",
                        "name": "one",
                        "metricName": "x",
                        "operator": "GreaterThan",
                        "threshold": round(100 * (row["threshold_ratio"] or 0.9)),
                        "timeAggregation": "Average",
                    }
                ],
            },
            "description": PLANTED["text"],
        }
        tags = {"service": row["service_id"], "kind": row["kind"]}
        found.append(
            _item("Microsoft.Insights/metricAlerts", f"{row['rule_id']}-{row['service_id']}", properties, tags)
        )
    # A rule that tells somebody of everything in a group of resources that none of ours lies in.
    groups = {"actionType": "AddActionGroups", "actionGroupIds": ["ag"]}
    scopes = [f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-andre"]
    elsewhere = {"enabled": True, "scopes": scopes, "actions": [groups], "description": PLANTED["text"]}
    found.append(_item("Microsoft.AlertsManagement/actionRules", "all", elsewhere))
    for row in records.newest("backup_copies"):
        isolated = row["is_immutable_or_offline"]
        vault = _vault(row)
        properties = {
            "securitySettings": {"immutabilitySettings": {"state": "Locked" if isolated else "Disabled"}},
            "storageSettings": [{"datastoreType": "VaultStore", "type": "LocallyRedundant"}],
        }
        found.append(
            _item(
                "Microsoft.DataProtection/backupVaults",
                vault.rsplit("/", 1)[-1],
                properties,
                id=vault,
                location="norwaywest" if row["is_other_region"] else "norwayeast",
            )
        )
    return found


def _vault(row: Row) -> str:
    subscription = BACKUP_SUBSCRIPTION if row["has_own_identity"] else SUBSCRIPTION
    return resource_id(
        "Microsoft.DataProtection/backupVaults", f"{row['datastore_id']}-{row['copy_id']}-vault", subscription
    )


def _recovery(records: Records) -> list[Row]:
    found: list[Row] = []
    for row in records.newest("backup_copies"):
        source = resource_id("Microsoft.DBforPostgreSQL/flexibleServers", row["datastore_id"])
        properties: Row = {
            "currentProtectionState": "ProtectionConfigured",
            "dataSourceInfo": {"resourceID": source, "resourceLocation": "norwayeast"},
        }
        kind = "Microsoft.DataProtection/backupVaults/backupInstances"
        found.append(_item(kind, row["copy_id"], properties, id=f"{_vault(row)}/backupInstances/{row['copy_id']}"))
    for place, row in enumerate(records.rows["recovery_points"]):
        if (records.now - row["taken_at"]).days < 14:
            ends = "Completed" if row["is_usable"] else "Failed"
            found.append(_job(f"job{place}", "Backup", ends, row["datastore_id"], row["taken_at"], row["taken_at"]))
    for row in records.rows["restore_tests"]:
        ends = "Completed" if row["is_successful"] else "Failed"
        times = (row["requested_at"], row["restored_at"])
        found.append(_job(row["test_id"], "Restore", ends, row["datastore_id"], *times))
    return found + _other_jobs(records)


def _job(
    name: str, category: str, status: str, datastore: str, started: datetime, ended: datetime | None, **more: Any
) -> Row:
    properties: Row = {
        "operation": category,
        "operationCategory": category,
        "status": status,
        "startTime": precise(started),
        "duration": "00:25:00",
        "dataSourceId": resource_id("Microsoft.DBforPostgreSQL/flexibleServers", datastore),
        "supportedActions": [""],
        **({"endTime": precise(ended)} if ended else {}),
        **more,
    }
    return _item("Microsoft.DataProtection/backupVaults/backupJobs", name, properties)


def _other_jobs(records: Records) -> list[Row]:
    """Jobs that took or restored nothing: one under way, and what is done to a protected item."""
    at = records.now - timedelta(days=2)
    datastore = records.rows["recovery_points"][0]["datastore_id"]
    found = [
        _job("under-way", "Backup", "Started", datastore, at, None),
        _job("stopped", "Management", "Completed", datastore, at, at, operation="StopProtection"),
    ]
    for operation in ("ConfigureBackup", "DisableBackup", "DeleteBackupData"):
        properties: Row = {
            "jobType": "AzureIaaSVMJob",
            "operation": operation,
            "status": "Completed",
            "startTime": precise(at),
            "endTime": precise(at),
            "duration": "PT12.4S",
            "entityFriendlyName": datastore,
            "backupManagementType": "AzureIaasVM",
        }
        found.append(_item("Microsoft.RecoveryServices/vaults/backupJobs", operation, properties))
    return found


def _alerts(records: Records) -> list[Row]:
    found: list[Row] = []
    for row in records.rows["alerts"]:
        if (records.now - row["fired_at"]).days >= 30:
            continue
        essentials = {
            "severity": f"Sev{min(4, row['severity'])}",
            "monitorCondition": "Resolved" if row["closed_at"] else "Fired",
            "alertState": "New",
            "alertRule": resource_id("Microsoft.Insights/metricAlerts", row["rule_id"]),
            "targetResource": resource_id("Microsoft.Web/sites", row["service_id"]),
            "startDateTime": precise(row["fired_at"]),
            "monitorConditionResolvedDateTime": precise(row["closed_at"]),
            "lastModifiedUserName": PLANTED["person"],
            "description": PLANTED["text"],
            "actionStatus": {"isSuppressed": False},
        }
        identity = resource_id("Microsoft.AlertsManagement/alerts", row["alert_id"])
        # The name of an alert is its rule's, the end of its id is its own.
        found.append(
            _item("Microsoft.AlertsManagement/alerts", row["rule_id"], {"essentials": essentials}, id=identity)
        )
    return found


def _app(name: str) -> str:
    return resource_id("Microsoft.App/containerApps", name)


def _security(records: Records) -> list[Row]:
    found = [
        _item(
            "Microsoft.Security/assessments",
            row["control_id"],
            {
                "status": {"code": _STATUS[row["status"]], "description": PLANTED["finding"]},
                "displayName": PLANTED["finding"],
                "metadata": {"severity": row["risk"].capitalize()},
                "resourceDetails": {"Id": _app(row["asset_id"])},
            },
            id=f"{_app(row['asset_id'])}/providers/Microsoft.Security/assessments/{row['control_id']}",
        )
        for row in records.newest("control_results")
    ]
    score = {"score": {"current": 32.8, "max": 50.0, "percentage": 0.656}, "weight": 120}
    found.append(_item("Microsoft.Security/secureScores", "ascScore", score))
    return found


class Machine(NamedTuple):
    """A machine and what an assessment of it counted, None where there was none."""

    kind: str
    os: str
    counts: Row | None


# One lacks updates, one has all, one was never assessed. Linux has no class *critical*.
MACHINES: dict[str, Machine] = {
    "vm-bak": Machine("Microsoft.Compute/virtualMachines", "Windows", {"critical": 0, "security": 2, "updates": 5}),
    "vm-frisk": Machine("Microsoft.HybridCompute/machines", "Linux", {"security": 0, "other": 1}),
    "vm-ukjent": Machine("Microsoft.Compute/virtualMachines", "Linux", None),
}


def _patches() -> list[Row]:
    return [
        _item(
            f"{machine.kind}/patchAssessmentResults",
            "latest",
            {"osType": machine.os, "status": "Succeeded" if machine.counts else "Unknown"}
            | ({"availablePatchCountByClassification": machine.counts} if machine.counts else {}),
            id=f"{resource_id(machine.kind, name)}/patchAssessmentResults/latest",
        )
        for name, machine in MACHINES.items()
    ]


def tables(records: Records) -> dict[str, list[Row]]:
    """Return the rows of each table; ``properties`` and ``tags`` are JSON."""
    return {
        "resources": _resources(records),
        "resourcecontainers": [
            _item("Microsoft.Resources/subscriptions", "drift", {}, id=f"/subscriptions/{number}")
            for number in (SUBSCRIPTION, BACKUP_SUBSCRIPTION)
        ],
        "alertsmanagementresources": _alerts(records),
        "recoveryservicesresources": _recovery(records),
        "securityresources": _security(records),
        "patchassessmentresources": _patches(),
    }


def routes(records: Records) -> list[Route]:
    """Return the route below ``/arm``."""

    @cache
    def engine() -> Engine:
        made = tables(records)
        frames = {name: pl.DataFrame(rows, infer_schema_length=None) for name, rows in made.items()}
        return Engine(frames, json_columns=("properties", "tags"))

    def answer(body: Row) -> Response:
        try:
            columns, rows = engine().run(body["query"])
        except Exception as error:  # noqa: BLE001 - whatever the query did wrong is the asker's 400
            details = [{"code": "InvalidQuery", "message": type(error).__name__}]
            return JSONResponse(
                {"error": {"code": "BadRequest", "message": "invalid query", "details": details}}, status_code=400
            )
        options = body.get("options") or {}
        top, start = min(int(options.get("$top") or 100), 1000), int(options.get("$skipToken") or 0)
        names = [column["name"] for column in columns]
        data = [dict(zip(names, row, strict=True)) for row in rows[start : start + top]]
        found: Row = {
            "totalRecords": len(rows),
            "count": len(data),
            "resultTruncated": "false",
            "data": data,
            "facets": [],
        }
        # A token is only given where id is projected.
        if start + top < len(rows) and "id" in names:
            found["$skipToken"] = str(start + top)
        return JSONResponse(
            found, headers={"x-ms-user-quota-remaining": "14", "x-ms-user-quota-resets-after": "00:00:05"}
        )

    async def resources(request: Request) -> Response:
        refused = refuse_wrong_audience(request, AUDIENCE)
        if refused is not None:
            return refused
        body = await request.json()
        return await run_in_threadpool(answer, body)

    return [Route("/providers/Microsoft.ResourceGraph/resources", resources, methods=["POST"])]
