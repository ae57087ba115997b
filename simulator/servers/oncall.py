"""Opsgenie's API, and Jira Service Management Operations' over the same pages and duties."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections import defaultdict
from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.servers.records import PLANTED, Records, Row, parse, precise


def _milliseconds(start: datetime, end: datetime | None) -> float | None:
    return (end - start).total_seconds() * 1000 if end else None


def _alert(row: Row) -> Row:
    tags = [f"service:{row['service_id']}", f"rule:{row['rule_id']}"]
    tags += [row["label"]] if row["label"] else []
    tags += [f"incident:{row['incident_id']}"] if row["incident_id"] else []
    fired = row["fired_at"]
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, row["alert_id"])),
        "tinyId": str(int(row["alert_id"].removeprefix("V-")) % 1000),
        "alias": row["rule_id"],
        "message": PLANTED["text"],
        "status": "closed" if row["closed_at"] else "open",
        "acknowledged": row["acknowledged_at"] is not None,
        "tags": tags,
        "createdAt": precise(fired),
        "priority": f"P{row['severity']}",
        "owner": PLANTED["mail"],
        "report": {
            "ackTime": _milliseconds(fired, row["acknowledged_at"]),
            "closeTime": _milliseconds(fired, row["closed_at"]),
            "acknowledgedBy": PLANTED["mail"],
        },
    }


def _incident(row: Row) -> Row:
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, row["incident_id"])),
        "message": PLANTED["text"],
        "description": PLANTED["text"],
        "status": "closed" if row["resolved_at"] else "open",
        "tags": [f"service:{row['service_id']}"],
        "createdAt": precise(row["declared_at"]),
        "updatedAt": precise(row["resolved_at"] or row["declared_at"]),
        "priority": f"P{row['severity']}",
        "impactDetectDate": precise(row["first_alert_at"]),
        "responders": [{"type": "user", "id": PLANTED["person"]}],
    }


def routes(records: Records) -> list[Route]:  # noqa: C901 - one closure per route
    """Return the routes below ``/oncall`` for both dialects."""
    alerts = [_alert(row) for row in records.rows["alerts"]]
    incidents = [
        _incident(row) for row in sorted(records.rows["incidents"], key=lambda row: row["declared_at"], reverse=True)
    ]
    shifts: dict[str, list[Row]] = defaultdict(list)
    for row in records.rows["oncall_shifts"]:
        shifts[row["team_id"]].append(row)

    def _refused(request: Request) -> Response | None:
        known = request.headers.get("authorization", "").startswith(("GenieKey ", "Basic "))
        return None if known else JSONResponse({"message": "Could not authenticate"}, status_code=401)

    def _wanted(request: Request) -> list[Row]:
        match = re.fullmatch(r"createdAt>=(\d+) AND createdAt<(\d+)", request.query_params.get("query", ""))
        if match is None:
            return alerts
        low, high = int(match[1]), int(match[2])
        return [row for row in alerts if low <= parse(row["createdAt"]).timestamp() * 1000 < high]

    def _paged(request: Request, rows: list[Row], size: int) -> tuple[list[Row], str | None]:
        offset = int(request.query_params.get("offset", "0"))
        more = offset + size < len(rows)
        following = str(request.url.include_query_params(offset=offset + size)) if more else None
        return rows[offset : offset + size], following

    def opsgenie_alerts(request: Request) -> Response:
        part, following = _paged(request, _wanted(request), min(int(request.query_params.get("limit", "20")), 100))
        paging = {"next": following} if following else {}
        return _refused(request) or JSONResponse({"data": part, "paging": paging, "took": 0.01, "requestId": "r"})

    def jsm_alerts(request: Request) -> Response:
        part, following = _paged(request, _wanted(request), min(int(request.query_params.get("size", "20")), 100))
        links = {"next": following} if following else {}
        return _refused(request) or JSONResponse({"values": part, "count": len(part), "links": links})

    def opsgenie_incidents(request: Request) -> Response:
        part, following = _paged(request, incidents, min(int(request.query_params.get("limit", "20")), 100))
        return _refused(request) or JSONResponse({"data": part, "paging": {"next": following} if following else {}})

    def _timeline(request: Request, person: str) -> Row:
        team = request.path_params["schedule"].removeprefix("vakt-")
        start = parse(request.query_params["date"])
        end = start + timedelta(days=7)
        rotations: list[Row] = []
        for place in (0, 1):
            periods: list[Row] = []
            for row in shifts.get(team, []):
                if row["responder_count"] > place and row["starts_at"] < end and row["ends_at"] > start:
                    who = {
                        "id": hashlib.sha256(f"{team}{place}".encode()).hexdigest()[:8],
                        "type": "user",
                        "name": PLANTED["person"],
                    }
                    periods.append(
                        {
                            "startDate": precise(row["starts_at"]),
                            "endDate": precise(row["ends_at"]),
                            "type": "historical",
                            person: who,
                        }
                    )
            rotations.append({"id": f"rot-{place}", "name": PLANTED["person"], "periods": periods})
        return {"finalTimeline": {"rotations": rotations}}

    def opsgenie_timeline(request: Request) -> Response:
        return _refused(request) or JSONResponse({"data": _timeline(request, "recipient"), "took": 0.01})

    def jsm_timeline(request: Request) -> Response:
        return _refused(request) or JSONResponse(_timeline(request, "responder"))

    jsm = "/jsm/ops/api/{cloud}/v1"
    return [
        Route("/v2/alerts", opsgenie_alerts),
        Route("/v1/incidents", opsgenie_incidents),
        Route("/v2/schedules/{schedule}/timeline", opsgenie_timeline),
        Route(f"{jsm}/alerts", jsm_alerts),
        Route(f"{jsm}/schedules/{{schedule}}/timeline", jsm_timeline),
    ]
