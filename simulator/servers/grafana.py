"""Grafana's provisioning and annotation APIs."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.servers.records import PLANTED, Records, Row, precise


def _rule(row: Row) -> Row:
    labels = {
        "service": row["service_id"],
        "kind": row["kind"],
        "rule": row["rule_id"],
        "severity": "critical" if row["is_paging"] else "warning",
    }
    notes = {
        "threshold_ratio": row["threshold_ratio"],
        "forecast_hours": row["forecast_hours"],
        "reviewed_at": precise(row["last_reviewed_at"]),
        "proven_at": precise(row["last_proven_at"]),
    }
    return {
        "uid": f"{row['rule_id']}-{row['service_id']}",
        "title": PLANTED["text"],
        "folderUID": "drift",
        "ruleGroup": row["service_id"],
        "noDataState": "NoData",
        "execErrState": "Error",
        "for": "5m",
        "isPaused": not row["is_enabled"],
        "updated": precise(row["last_changed_at"]),
        "labels": labels | ({"resource": row["resource_id"]} if row["resource_id"] else {}),
        "annotations": {name: str(value) for name, value in notes.items() if value is not None},
        "notification_settings": {"receiver": "vakt"} if row["is_routed"] else None,
    }


def _annotations(records: Records) -> list[Row]:
    found: list[Row] = []

    def add(at: Any, **fields: Any) -> None:
        found.append(
            {
                "id": len(found) + 1,
                "time": int(at.timestamp() * 1000),
                "tags": [],
                "text": PLANTED["text"],
                "login": PLANTED["person"],
                **fields,
            }
        )

    for row in records.rows["alerts"]:
        alert = {
            "alertId": 1,
            "alertUID": f"{row['rule_id']}-{row['service_id']}",
            "data": {"fingerprint": row["alert_id"]},
            # Grafana's own text: the rule and its labels, which outlive the rule.
            "text": f"{PLANTED['text']} {{alertname=x, service={row['service_id']}, rule={row['rule_id']}}} - 1.0",
        }
        add(row["fired_at"], newState="Alerting", prevState="Pending", kind="alert", **alert)
        if row["closed_at"] is not None:
            add(row["closed_at"], newState="Normal (MissingSeries)", prevState="Alerting", kind="alert", **alert)
    for row in records.rows["deployments"]:
        tags = ["deployment", f"env:{row['environment']}", f"app:{row['service_id']}", "team:"]
        add(row["deployed_at"], kind="deployment", newState="", prevState="", alertId=0, tags=tags)
    return sorted(found, key=lambda row: row["time"], reverse=True)


def routes(records: Records) -> list[Route]:
    """Return the routes below ``/grafana``."""
    rules = [_rule(row) for row in records.newest("alert_rule_states")]
    notes = _annotations(records)

    def _known(request: Request) -> Response | None:
        if request.headers.get("authorization", "").startswith("Bearer "):
            return None
        return JSONResponse({"message": "Unauthorized"}, status_code=401)

    def alert_rules(request: Request) -> Response:
        return _known(request) or JSONResponse(rules)

    def annotations(request: Request) -> Response:
        query = request.query_params
        kind = "alert" if query.get("type") == "alert" else query.get("tags")
        first, last = int(query["from"]), int(query["to"])
        rows = [row for row in notes if row["kind"] == kind and first <= row["time"] <= last]
        shown = [{k: v for k, v in row.items() if k != "kind"} for row in rows[: int(query.get("limit", "100"))]]
        return _known(request) or JSONResponse(shown)

    return [Route("/api/v1/provisioning/alert-rules", alert_rules), Route("/api/annotations", annotations)]
