"""Azure Resource Graph: versions, workloads, assessments (contracts, E2 and G)."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from typing import Any

from opsmetrics.organisation.connectors.azure import AzureLogs, AzureResources
from opsmetrics.sources.azure.graph import inventory, names_of, query
from opsmetrics.sources.fetching import FetchRequest, FetchResult

Row = dict[str, Any]
_IMAGE_DATE = re.compile(r"-(\d{6})\.(\d{2})\.\d+$")
# Status of a patch assessment that saw everything; an answer without one is of before there was a status.
_ASSESSED = frozenset({"succeeded", ""})
_STATUS = {"Healthy": "passed", "Unhealthy": "failed", "NotApplicable": "not_applicable"}


def probe(request: FetchRequest[AzureResources]) -> str:
    """Count the tagged resources."""
    rows = inventory(request, "asset_services")
    return f"readable, {len(rows)} resources carry the tag service"


def web_tests(request: FetchRequest[AzureLogs]) -> dict[str, float]:
    """Return expected runs a minute of each enabled web test: its locations over its frequency (contracts, A)."""
    settings = request.connector
    rows = query(request, "web_tests", settings.management_url, settings.subscriptions)
    found: dict[str, float] = {}
    for row in rows:
        if row["enabled"] and row["frequency"]:
            rate = (row["locations"] or 1) * 60 / row["frequency"]
            # Of several tests with one name results do not say which: none of them lacks runs that the rarest has.
            found |= {name: min(rate, found.get(name, rate)) for name in (row["testName"] or row["name"], row["name"])}
    return found


def component_states(request: FetchRequest[AzureResources]) -> FetchResult:
    """Return databases, clusters and node images of today with their release cycle."""
    products = request.connector.products
    clusters, databases = inventory(request, "clusters"), inventory(request, "databases")
    images = inventory(request, "node_images")
    names = names_of([*clusters, *databases, *images])

    def component(row: Row, suffix: str, kind: str, product: str, cycle: str | None) -> Row:
        return {
            "component_id": f"{names[row['id'].lower()]}{suffix}",
            "service_id": request.connector.service(row["service"]) or row["name"],
            "kind": kind,
            "product": products.get(product, product),
            "cycle": cycle,
            "observed_on": request.today,
        }

    rows = [component(row, "", "kubernetes", "kubernetes", ".".join(row["version"].split(".")[:2])) for row in clusters]
    rows += [component(row, "", "database", "postgresql", row["version"]) for row in databases]
    for row in images:
        made = _IMAGE_DATE.search(row["nodeImage"] or "")
        cycle = f"{made[1]}.{made[2]}" if made else None
        rows.append(component(row, f"/{row['poolName']}", "base_image", "aks-node-image", cycle))
    return FetchResult(rows, source=f"{request.connector.url} versions")


def workload_states(request: FetchRequest[AzureResources]) -> FetchResult:
    """Return container apps of today with the bounds of their autoscaler."""
    apps = inventory(request, "container_apps")
    names = names_of(apps)
    rows = [
        {
            "workload_id": names[row["id"].lower()],
            "service_id": request.connector.service(row["service"]) or row["name"],
            "observed_on": request.today,
            "has_resource_requests": _has_requests(row["containers"]),
            "autoscaler_min": row["minReplicas"],
            "autoscaler_max": row["maxReplicas"],
        }
        for row in apps
    ]
    return FetchResult(rows, source=f"{request.connector.url} container apps")


def _has_requests(containers: str | None) -> bool | None:
    try:
        found = json.loads(containers or "")
    except ValueError:
        return None
    return all((item.get("resources") or {}).get("cpu") for item in found) if found else None


def control_results(request: FetchRequest[AzureResources]) -> FetchResult:
    """Return security assessments and patch assessments of today, by opaque asset; never what was found."""
    services = {row["id"].lower(): row["service"] for row in inventory(request, "asset_services")}
    rows: list[Row] = []
    counted: Counter[str] = Counter()

    def add(control: str, asset: str, status: str, risk: str) -> None:
        if asset not in services:
            counted["assessments left out, of resources without the tag service"] += 1
        else:
            rows.append(
                {
                    "control_id": control,
                    "asset_id": hashlib.sha256(asset.encode()).hexdigest()[:16],
                    "service_id": request.connector.service(services[asset]),
                    "observed_on": request.today,
                    "status": status,
                    "risk": risk,
                }
            )

    for row in inventory(request, "assessments"):
        risk = (row["severity"] or "").lower()
        known = risk if risk in {"critical", "high", "medium", "low"} else "medium"
        counted["assessments without a severity, weighed as medium"] += known != risk and row["asset"] in services
        add(row["control"], row["asset"], _STATUS.get(row["code"], "inconclusive"), known)
    for row in inventory(request, "patches"):
        asset = row["id"].lower().split("/patchassessmentresults/")[0]
        add("patch-assessment", asset, _patch_status(row), "high")
    return FetchResult(rows, source=f"{request.connector.url} assessments", counted=+counted)


def _patch_status(row: Row) -> str:
    """Say whether updates that matter are missing; no counts means not assessed, never zero (contracts, E2).

    Linux has no class *critical*: its updates are security or other ones.
    """
    counts = [row["security"]] if (row["os"] or "").lower() == "linux" else [row["critical"], row["security"]]
    if any(count for count in counts if count is not None):
        return "failed"
    is_over = (row["status"] or "").lower() in _ASSESSED
    return "passed" if is_over and None not in counts else "inconclusive"


def secure_scores(request: FetchRequest[AzureResources]) -> FetchResult:
    """Return the secure score of each subscription today; Azure keeps no history of it."""
    rows = [
        {
            "subscription_id": row["subscriptionId"],
            "observed_on": request.today,
            "score_ratio": row["percentage"],
            "weight": row["weight"],
        }
        for row in inventory(request, "secure_scores")
    ]
    return FetchResult(rows, source=f"{request.connector.url} secure scores")
