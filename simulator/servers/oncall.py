"""Opsgenie's API, and Jira Service Management Operations' over the same pages and duties."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections import defaultdict
from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.servers.records import PLANTED, Records, Row, parse

WEEK = timedelta(days=7)


def _milliseconds(start: datetime, end: datetime | None) -> int | None:
    return round((end - start).total_seconds() * 1000) if end else None


def _instant(at: datetime) -> str:
    """Write an instant as both services do: to the millisecond, without zeros at the end."""
    text = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3].rstrip("0").rstrip(".")
    return f"{text}Z"


def _tags(row: Row) -> list[str]:
    tags = [f"service:{row['service_id']}", f"rule:{row['rule_id']}"]
    tags += [row["label"]] if row["label"] else []
    return tags + ([f"incident:{row['incident_id']}"] if row["incident_id"] else [])


def _common(row: Row) -> Row:
    """What alerts of both services have."""
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, row["alert_id"])),
        "tinyId": str(int(row["alert_id"].removeprefix("V-")) % 1000),
        "alias": row["rule_id"],
        "message": PLANTED["text"],
        "status": "closed" if row["closed_at"] else "open",
        "acknowledged": row["acknowledged_at"] is not None,
        "tags": _tags(row),
        "snoozed": False,
        "count": 1,
        "createdAt": _instant(row["fired_at"]),
        "updatedAt": _instant(row["closed_at"] or row["acknowledged_at"] or row["fired_at"]),
        "source": PLANTED["mail"],
        "owner": PLANTED["mail"],
        "priority": f"P{row['severity']}",
        "responders": [{"type": "team", "id": str(uuid.uuid5(uuid.NAMESPACE_OID, "team"))}],
    }


def _opsgenie_alert(row: Row) -> Row:
    fired = row["fired_at"]
    report = {
        "ackTime": _milliseconds(fired, row["acknowledged_at"]),
        "closeTime": _milliseconds(fired, row["closed_at"]),
        "acknowledgedBy": PLANTED["mail"] if row["acknowledged_at"] else None,
    }
    return _common(row) | {
        "isSeen": True,
        "lastOccurredAt": _instant(fired),
        "integration": {"id": str(uuid.uuid5(uuid.NAMESPACE_OID, "api")), "name": "Default API", "type": "API"},
        "report": {name: value for name, value in report.items() if value is not None},
    }


def _jsm_alert(row: Row) -> Row:
    times = {"ackTime": row["acknowledged_at"], "closeTime": row["closed_at"]}
    return _common(row) | {
        "entity": "",
        "seen": True,
        "lastOccuredAt": _instant(row["fired_at"]),
        "integrationType": "API",
        "integrationName": "Default API",
        "actions": [],
        **{name: _instant(at) for name, at in times.items() if at is not None},
    }


def _incident(number: int, row: Row) -> Row:
    """An incident has no tag of ours: the service that it is about is in ``impactedServices``."""
    ends = {"impactEndDate": _instant(row["resolved_at"])} if row["resolved_at"] else {}
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, row["incident_id"])),
        "description": PLANTED["text"],
        "impactedServices": [row["service_id"]],
        "tinyId": str(number),
        "message": PLANTED["text"],
        "status": "resolved" if row["resolved_at"] else "open",
        "tags": [],
        "createdAt": _instant(row["declared_at"]),
        "updatedAt": _instant(row["resolved_at"] or row["declared_at"]),
        "priority": f"P{row['severity']}",
        "ownerTeam": "",
        "responders": [{"type": "user", "id": str(uuid.uuid5(uuid.NAMESPACE_OID, "user"))}],
        "extraProperties": {},
        "impactStartDate": _instant(row["declared_at"]),
        **ends,
        "actions": [],
    }


def _refused(request: Request) -> Response | None:
    known = request.headers.get("authorization", "").startswith(("GenieKey ", "Basic "))
    return None if known else JSONResponse({"message": "Could not authenticate"}, status_code=401)


def _paged(request: Request, rows: list[Row], size: int) -> tuple[list[Row], str | None]:
    offset = int(request.query_params.get("offset", "0"))
    more = offset + size < len(rows)
    following = str(request.url.include_query_params(offset=offset + size)) if more else None
    return rows[offset : offset + size], following


class _Api:
    """One method per route."""

    def __init__(self, records: Records) -> None:
        self.alerts = {"v2": [], "jsm": []}
        for row in records.rows["alerts"]:
            self.alerts["v2"].append(_opsgenie_alert(row))
            self.alerts["jsm"].append(_jsm_alert(row))
        declared = sorted(records.rows["incidents"], key=lambda row: row["declared_at"])
        self.incidents = [_incident(number, row) for number, row in enumerate(declared, start=1)]
        self.shifts: dict[str, list[Row]] = defaultdict(list)
        for row in records.rows["oncall_shifts"]:
            self.shifts[row["team_id"]].append(row)

    def _wanted(self, request: Request, rows: list[Row]) -> list[Row]:
        match = re.fullmatch(r"createdAt>=(\d+) AND createdAt<(\d+)", request.query_params.get("query", ""))
        if match is None:
            return rows
        low, high = int(match[1]), int(match[2])
        return [row for row in rows if low <= parse(row["createdAt"]).timestamp() * 1000 < high]

    def _listed(self, request: Request, rows: list[Row]) -> Response:
        """Answer a page in Opsgenie's form."""
        size = min(int(request.query_params.get("limit", "20")), 100)
        part, following = _paged(request, self._wanted(request, rows), size)
        paging = {"next": following} if following else {}
        answer = {"data": part, "paging": paging, "took": 0.01, "requestId": "r"}
        return _refused(request) or JSONResponse(answer)

    def opsgenie_alerts(self, request: Request) -> Response:
        """Alerts, in Opsgenie's form."""
        return self._listed(request, self.alerts["v2"])

    def jsm_alerts(self, request: Request) -> Response:
        """Alerts, in JSM's form."""
        size = min(int(request.query_params.get("size", "20")), 100)
        part, following = _paged(request, self._wanted(request, self.alerts["jsm"]), size)
        links = {"next": following} if following else {}
        return _refused(request) or JSONResponse({"values": part, "count": len(part), "links": links})

    def opsgenie_incidents(self, request: Request) -> Response:
        """Incidents, which nobody gets without a query."""
        if "query" not in request.query_params:
            return JSONResponse({"message": "query is required", "took": 0.0, "requestId": "r"}, status_code=422)
        return self._listed(request, self.incidents)

    def _timeline(self, request: Request, person: str) -> Row:
        """Answer whole weeks from the one that holds the date; what reaches over their edges is cut there."""
        team = request.path_params["schedule"].removeprefix("vakt-")
        query = request.query_params
        day = parse(query["date"])
        start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=day.weekday())
        end = start + WEEK * int(query.get("interval", "1"))
        rotations: list[Row] = []
        for place in (0, 1):
            who = {"id": hashlib.sha256(f"{team}{place}".encode()).hexdigest()[:8], "type": "user"}
            if person == "recipient":
                who["name"] = PLANTED["mail"]
            periods = [
                {
                    "startDate": _instant(max(row["starts_at"], start)),
                    "endDate": _instant(min(row["ends_at"], end)),
                    "type": "historical",
                    person: who,
                }
                for row in self.shifts.get(team, [])
                if row["responder_count"] > place and row["starts_at"] < end and row["ends_at"] > start
            ]
            rotations.append({"id": f"rot-{place}", "name": PLANTED["person"], "order": place + 1, "periods": periods})
        return {"startDate": _instant(start), "endDate": _instant(end), "finalTimeline": {"rotations": rotations}}

    def opsgenie_timeline(self, request: Request) -> Response:
        """Weeks of a schedule, in Opsgenie's form."""
        answer = {"data": self._timeline(request, "recipient"), "took": 0.01, "requestId": "r"}
        return _refused(request) or JSONResponse(answer)

    def jsm_timeline(self, request: Request) -> Response:
        """Weeks of a schedule, in JSM's form."""
        return _refused(request) or JSONResponse(self._timeline(request, "responder"))


def routes(records: Records) -> list[Route]:
    """Return the routes below ``/oncall`` for both dialects."""
    api = _Api(records)
    jsm = "/jsm/ops/api/{cloud}/v1"
    return [
        Route("/v2/alerts", api.opsgenie_alerts),
        Route("/v1/incidents", api.opsgenie_incidents),
        Route("/v2/schedules/{schedule}/timeline", api.opsgenie_timeline),
        Route(f"{jsm}/alerts", api.jsm_alerts),
        Route(f"{jsm}/schedules/{{schedule}}/timeline", api.jsm_timeline),
    ]
