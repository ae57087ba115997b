"""Azure Resource Graph: inventory, alerts, backups and assessments; the KQL that is asked is executed."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

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
    found += [
        _item("Microsoft.Compute/virtualMachines", name, {}, {"service": "maskinrommet-klynge"}) for name in MACHINES
    ]
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
            "actions": [{"actionGroupId": "ag"}] if row["is_routed"] else [],
            "scopes": [],
            "criteria": {"threshold": round(100 * (row["threshold_ratio"] or 0.9))},
            "description": PLANTED["text"],
        }
        tags = {"service": row["service_id"], "kind": row["kind"]}
        found.append(
            _item("Microsoft.Insights/metricAlerts", f"{row['rule_id']}-{row['service_id']}", properties, tags)
        )
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
            properties = {
                "operationCategory": "Backup",
                "status": "Completed" if row["is_usable"] else "Failed",
                "startTime": precise(row["taken_at"]),
                "endTime": precise(row["taken_at"]),
                "duration": "PT25M",
                "dataSourceId": resource_id("Microsoft.DBforPostgreSQL/flexibleServers", row["datastore_id"]),
            }
            found.append(_item("Microsoft.DataProtection/backupVaults/backupJobs", f"job{place}", properties))
    for row in records.rows["restore_tests"]:
        properties = {
            "operationCategory": "Restore",
            "status": "Completed" if row["is_successful"] else "Failed",
            "startTime": precise(row["requested_at"]),
            "endTime": precise(row["restored_at"]),
            "dataSourceId": resource_id("Microsoft.DBforPostgreSQL/flexibleServers", row["datastore_id"]),
        }
        found.append(_item("Microsoft.DataProtection/backupVaults/backupJobs", row["test_id"], properties))
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
        found.append(_item("Microsoft.AlertsManagement/alerts", row["alert_id"], {"essentials": essentials}))
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


# Virtual machines: one lacks updates, one has all, one was never assessed.
MACHINES: dict[str, Row | None] = {
    "vm-bak": {"critical": 0, "security": 2, "other": 5},
    "vm-frisk": {"critical": 0, "security": 0, "other": 1},
    "vm-ukjent": None,
}


def _machine(name: str) -> str:
    return resource_id("Microsoft.Compute/virtualMachines", name)


def _patches() -> list[Row]:
    kind = "microsoft.compute/virtualmachines/patchassessmentresults"
    return [
        _item(
            kind,
            "latest",
            {"osType": "Linux"} | ({"availablePatchCountByClassification": counts} if counts else {}),
            id=f"{_machine(name)}/patchAssessmentResults/latest",
        )
        for name, counts in MACHINES.items()
    ]


def routes(records: Records) -> list[Route]:
    """Return the route below ``/arm``."""

    @cache
    def engine() -> Engine:
        made = {
            "resources": _resources(records),
            "alertsmanagementresources": _alerts(records),
            "recoveryservicesresources": _recovery(records),
            "securityresources": _security(records),
            "patchassessmentresources": _patches(),
        }
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
