"""Azure Resource Graph: alerts, rules, versions, backups, assessments (contracts, C1, E2, F, G)."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from opsmetrics.organisation.connectors import AzureLogs, AzureResources
from opsmetrics.sources.ask import Answer, Ask
from opsmetrics.sources.azure.graph import query

Row = dict[str, Any]
_SATURATION = re.compile(r"cpu|memory|storage|percent|usage", re.IGNORECASE)
_THRESHOLD = re.compile(r'"threshold"\s*:\s*([0-9.]+)')
_IMAGE_DATE = re.compile(r"-(\d{6})\.(\d{2})\.\d+$")
_DONE = {"completed", "completedwithwarnings"}
_STATUS = {"Healthy": "passed", "Unhealthy": "failed", "NotApplicable": "not_applicable"}


def _rows(ask: Ask[AzureResources], name: str) -> list[Row]:
    return query(ask, name, ask.connector.url, ask.connector.subscriptions)


def probe(ask: Ask[AzureResources]) -> str:
    """Count the tagged resources."""
    rows = _rows(ask, "asset_services")
    return f"readable, {len(rows)} resources carry the tag service"


def web_tests(ask: Ask[AzureLogs]) -> dict[str, float]:
    """Return expected runs a minute of each enabled web test: its locations over its frequency (contracts, A)."""
    settings = ask.connector
    rows = query(ask, "web_tests", settings.management_url, settings.subscriptions)
    return {
        name: (row["locations"] or 1) * 60 / row["frequency"]
        for row in rows
        if row["enabled"] and row["frequency"]
        for name in (row["testName"] or row["name"], row["name"])
    }


def _last(resource: str) -> str:
    return resource.rstrip("/").rsplit("/", 1)[-1]


def alerts(ask: Ask[AzureResources]) -> Answer:
    """Return fired alerts. Closed is what people closed; the rule's own end is not (contracts, C1)."""
    rows = [
        {
            "alert_id": _last(row["id"]),
            "service_id": ask.connector.service(_last(row["target"])),
            "rule_id": _last(row["rule"]),
            "severity": int(row["severity"].removeprefix("Sev")) if row["severity"] else None,
            "fired_at": row["firedAt"],
            "closed_at": row["resolvedAt"],
            "is_test": False,
        }
        for row in _rows(ask, "alerts")
        if not row["suppressed"]
    ]
    return Answer(rows, source=f"{ask.connector.url} alerts")


def alert_rule_states(ask: Ask[AzureResources]) -> Answer:
    """Return every alert rule of today; the tags ``service`` and ``kind`` say what it guards."""
    rows: list[Row] = []
    for row in _rows(ask, "alert_rules"):
        criteria = row["criteria"] or ""
        saturation = bool(_SATURATION.search(criteria))
        threshold = _THRESHOLD.search(criteria)
        kind = row["guards"] or (
            "probe" if "availability" in criteria.lower() else "saturation" if saturation else "other"
        )
        routed = (row["actions"] or "[]") not in {"[]", "{}", ""}
        rows.append(
            {
                "rule_id": row["name"].lower(),
                "service_id": ask.connector.service(row["service"]) or "",
                "kind": kind,
                "observed_on": ask.today,
                "is_enabled": row["enabled"],
                "is_paging": routed and row["severity"] is not None and row["severity"] <= 1,
                "is_routed": routed,
                "threshold_ratio": float(threshold[1]) / 100 if threshold and kind == "saturation" else None,
            }
        )
    return Answer([row for row in rows if row["service_id"]], source=f"{ask.connector.url} alert rules")


def component_states(ask: Ask[AzureResources]) -> Answer:
    """Return databases, clusters and node images of today with their release cycle."""
    products = ask.connector.products

    def component(row: Row, suffix: str, kind: str, product: str, cycle: str | None) -> Row:
        return {
            "component_id": f"{row['name']}{suffix}",
            "service_id": ask.connector.service(row["service"]) or row["name"],
            "kind": kind,
            "product": products.get(product, product),
            "cycle": cycle,
            "observed_on": ask.today,
        }

    rows = [
        component(row, "", "kubernetes", "kubernetes", ".".join(row["version"].split(".")[:2]))
        for row in _rows(ask, "clusters")
    ]
    rows += [component(row, "", "database", "postgresql", row["version"]) for row in _rows(ask, "databases")]
    for row in _rows(ask, "node_images"):
        made = _IMAGE_DATE.search(row["nodeImage"] or "")
        cycle = f"{made[1]}.{made[2]}" if made else None
        rows.append(component(row, f"/{row['poolName']}", "base_image", "aks-node-image", cycle))
    return Answer(rows, source=f"{ask.connector.url} versions")


def workload_states(ask: Ask[AzureResources]) -> Answer:
    """Return container apps of today with the bounds of their autoscaler."""
    rows = [
        {
            "workload_id": row["name"],
            "service_id": ask.connector.service(row["service"]) or row["name"],
            "observed_on": ask.today,
            "has_resource_requests": _has_requests(row["containers"]),
            "autoscaler_min": row["minReplicas"],
            "autoscaler_max": row["maxReplicas"],
        }
        for row in _rows(ask, "container_apps")
    ]
    return Answer(rows, source=f"{ask.connector.url} container apps")


def _has_requests(containers: str | None) -> bool | None:
    try:
        found = json.loads(containers or "")
    except ValueError:
        return None
    return all((item.get("resources") or {}).get("cpu") for item in found) if found else None


def _jobs(ask: Ask[AzureResources], category: str) -> list[Row]:
    """Recovery Services keeps the category inside ``operation`` (contracts, F1)."""
    return [
        row
        for row in _rows(ask, "backup_jobs")
        if category in (row["category"] or row["operation"] or "").lower() and row["status"] != "InProgress"
    ]


def _datastore(ask: Ask[AzureResources], resource: str) -> str:
    return ask.connector.datastores.get(_last(resource), _last(resource))


def recovery_points(ask: Ask[AzureResources]) -> Answer:
    """Return backup jobs that ended."""
    rows = [
        {
            "datastore_id": _datastore(ask, row["dataSource"]),
            "taken_at": row["startedAt"],
            "is_usable": row["status"].lower().replace(" ", "") in _DONE,
        }
        for row in _jobs(ask, "backup")
    ]
    return Answer(rows, source=f"{ask.connector.url} backup jobs")


def restore_tests(ask: Ask[AzureResources]) -> Answer:
    """Return restore jobs as restore tests; nobody verified them, so that only their time is known."""
    rows = [
        {
            "test_id": _last(row["id"]),
            "datastore_id": _datastore(ask, row["dataSource"]),
            "requested_at": row["startedAt"],
            "restored_at": row["endedAt"],
            "is_successful": row["status"].lower().replace(" ", "") in _DONE,
        }
        for row in _jobs(ask, "restore")
    ]
    return Answer(rows, source=f"{ask.connector.url} restore jobs")


def backup_copies(ask: Ask[AzureResources]) -> Answer:
    """Return protected instances of today and what their vault adds: another subscription, lock, region."""
    vaults = {row["id"].lower(): row for row in _rows(ask, "backup_vaults")}
    rows: list[Row] = []
    for row in _rows(ask, "backup_items"):
        instance = row["id"].lower()
        vault = vaults.get(instance.split("/backupinstances/")[0])
        if vault is None or row["state"] not in {"ProtectionConfigured", "ProtectionStopped"}:
            continue
        rows.append(
            {
                "datastore_id": _datastore(ask, row["dataSource"]),
                "copy_id": _last(instance),
                "observed_on": ask.today,
                "has_own_identity": instance.split("/")[2] != row["dataSource"].split("/")[2],
                "is_immutable_or_offline": vault["immutability"] == "Locked",
                "is_other_region": vault["region"] != row["region"] or vault["redundancy"] == "GeoRedundant",
            }
        )
    return Answer(rows, source=f"{ask.connector.url} backup items")


def control_results(ask: Ask[AzureResources]) -> Answer:
    """Return security assessments and patch assessments of today, by opaque asset; never what was found."""
    services = {row["id"].lower(): row["service"] for row in _rows(ask, "asset_services")}
    rows: list[Row] = []

    def add(control: str, asset: str, status: str, risk: str) -> None:
        if asset in services:
            rows.append(
                {
                    "control_id": control,
                    "asset_id": hashlib.sha256(asset.encode()).hexdigest()[:16],
                    "service_id": ask.connector.service(services[asset]),
                    "observed_on": ask.today,
                    "status": status,
                    "risk": risk,
                }
            )

    for row in _rows(ask, "assessments"):
        risk = (row["severity"] or "").lower()
        known = risk if risk in {"critical", "high", "medium", "low"} else "medium"
        add(row["control"], row["asset"], _STATUS.get(row["code"], "inconclusive"), known)
    for row in _rows(ask, "patches"):
        asset = row["id"].lower().split("/patchassessmentresults/")[0]
        counts = (row["critical"], row["security"])
        # No counts means not assessed, never zero (contracts, E2).
        status = "inconclusive" if None in counts else "failed" if any(counts) else "passed"
        add("patch-assessment", asset, status, "high")
    return Answer(rows, source=f"{ask.connector.url} assessments")


def secure_scores(ask: Ask[AzureResources]) -> Answer:
    """Return the secure score of each subscription today; Azure keeps no history of it."""
    rows = [
        {
            "subscription_id": row["subscriptionId"],
            "observed_on": ask.today,
            "score_ratio": row["percentage"],
            "weight": row["weight"],
        }
        for row in _rows(ask, "secure_scores")
    ]
    return Answer(rows, source=f"{ask.connector.url} secure scores")
