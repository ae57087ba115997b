"""PagerDuty's REST API v2 over the same pages, incidents and duties: pages without a priority, incidents with one."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.servers.records import PLANTED, Records, Row, parse, text

ACCEPTED = "application/vnd.pagerduty+json;version=2"


def _id(*parts: str) -> str:
    return "P" + hashlib.sha256("|".join(parts).encode()).hexdigest()[:13].upper()


def _reference(kind: str, name: str, summary: str) -> Row:
    number = _id(kind, name)
    address = f"https://api.pagerduty.com/{kind}s/{number}"
    return {"id": number, "type": f"{kind}_reference", "summary": summary, "self": address, "html_url": None}


def _incident(number: int, name: str, row: Row, **more: Any) -> Row:
    """What every incident has; recorded ones have no ``resolved_at``, newer ones do."""
    ended: datetime | None = more.pop("ended")
    changed = ended or more.pop("acknowledged", None) or more["created"]
    identity = _id("incident", name)
    return {
        "id": identity,
        "type": "incident",
        "summary": f"[#{number}] {PLANTED['text']}",
        "self": f"https://api.pagerduty.com/incidents/{identity}",
        "html_url": None,
        "incident_number": number,
        "title": f"{PLANTED['text']} {more['title']} {number}",
        "created_at": text(more["created"]),
        "status": "resolved" if ended else "triggered",
        "incident_key": hashlib.sha256(name.encode()).hexdigest()[:32],
        "service": _reference("service", row["service_id"], row["service_id"]),
        "assignments": [],
        "last_status_change_at": text(changed),
        **({"resolved_at": text(ended)} if ended and number % 2 else {}),
        "teams": [],
        "acknowledgements": [],
        "priority": more["priority"],
        "resolve_reason": None,
        "urgency": more["urgency"],
    }


def _entry(incident: Row, kind: str, at: datetime, agent: Row) -> Row:
    number = _id("entry", incident["id"], kind, agent["id"])
    return {
        "id": number,
        "type": f"{kind}_log_entry",
        "summary": f"{kind} {PLANTED['person']}",
        "self": f"https://api.pagerduty.com/log_entries/{number}",
        "html_url": None,
        "created_at": text(at),
        "agent": agent,
        "channel": {"type": "website" if agent["type"] == "user_reference" else "auto"},
        "incident": {key: incident[key] for key in ("id", "summary", "self", "html_url")}
        | {"type": "incident_reference"},
        "teams": [],
    }


class _Api:
    """One method per route."""

    def __init__(self, records: Records) -> None:
        self.entries: dict[str, list[Row]] = {}
        found: list[Row] = []
        person = _reference("user", "one", PLANTED["person"])
        for number, row in enumerate(records.rows["alerts"], start=1):
            incident = _incident(
                number,
                row["alert_id"],
                row,
                title=row["rule_id"],
                created=row["fired_at"],
                acknowledged=row["acknowledged_at"],
                ended=row["closed_at"],
                priority=None,
                urgency="high",
            )
            service = incident["service"]
            entries = [_entry(incident, "trigger", row["fired_at"], service)]
            if number % 10 == 0:
                # An integration acknowledges at once: that is not a person.
                entries.append(_entry(incident, "acknowledge", row["fired_at"], service))
            if row["acknowledged_at"]:
                entries.append(_entry(incident, "acknowledge", row["acknowledged_at"], person))
            elif number % 10 == 0:
                entries.pop()
            if row["closed_at"]:
                entries.append(_entry(incident, "resolve", row["closed_at"], service))
            self.entries[incident["id"]] = entries[::-1]
            found.append(incident)
        for number, row in enumerate(records.rows["incidents"], start=900_001):
            priority = _reference("priority", str(row["severity"]), f"P{row['severity']}")
            times = {"created": row["declared_at"], "ended": row["resolved_at"]}
            more = {"title": "incident", "priority": priority, "urgency": "low", **times}
            found.append(_incident(number, row["incident_id"], row, **more))
        self.incidents = sorted(found, key=lambda incident: str(incident["created_at"]))
        self.duties = [duty for row in records.rows["oncall_shifts"] for duty in _duties(row)]

    def list_incidents(self, request: Request) -> Response:
        """Incidents that were created in a window."""
        query = request.query_params
        since, until = (parse(query[name]) if name in query else None for name in ("since", "until"))
        found = [
            incident
            for incident in self.incidents
            if (since is None or parse(incident["created_at"]) >= since)
            and (until is None or parse(incident["created_at"]) < until)
        ]
        return _paged(request, "incidents", found)

    def list_entries(self, request: Request) -> Response:
        """What happened to an incident, newest first."""
        return _paged(request, "log_entries", self.entries.get(request.path_params["incident"], []))

    def list_duties(self, request: Request) -> Response:
        """Duties that overlap a window, on every level of escalation, whole."""
        query = request.query_params
        since, until, schedules = parse(query["since"]), parse(query["until"]), query.getlist("schedule_ids[]")
        found = [
            duty
            for duty in self.duties
            if duty["schedule"]["id"] in schedules and parse(duty["start"]) < until and parse(duty["end"]) > since
        ]
        return _paged(request, "oncalls", found)


def _duties(row: Row) -> list[Row]:
    schedule = _reference("schedule", row["team_id"], PLANTED["text"]) | {"id": f"vakt-{row['team_id']}"}
    common = {
        "escalation_policy": _reference("escalation_policy", row["team_id"], PLANTED["text"]),
        "schedule": schedule,
        "start": text(row["starts_at"]),
        "end": text(row["ends_at"]),
    }
    people = [_reference("user", f"{row['team_id']}{n}", PLANTED["person"]) for n in range(row["responder_count"] or 0)]
    backup = _reference("user", "backup", PLANTED["person"])
    return [{**common, "user": who, "escalation_level": 1} for who in people] + [
        {**common, "user": backup, "escalation_level": 2}
    ]


def _paged(request: Request, name: str, rows: list[Row]) -> Response:
    headers = request.headers
    if not headers.get("authorization", "").startswith("Token token="):
        return JSONResponse({"error": {"message": "Unauthorized", "code": 2006}}, status_code=401)
    if headers.get("accept") != ACCEPTED:
        return JSONResponse({"error": {"message": "Not Acceptable"}}, status_code=406)
    query = request.query_params
    limit, offset = int(query.get("limit", "25")), int(query.get("offset", "0"))
    if limit + offset > 10_000:
        return JSONResponse({"error": {"message": "Invalid Input", "code": 2001}}, status_code=400)
    more = offset + limit < len(rows)
    page = {name: rows[offset : offset + limit], "limit": limit, "offset": offset, "more": more, "total": None}
    return JSONResponse(page)


def routes(records: Records) -> list[Route]:
    """Return the routes below ``/pagerduty``."""
    api = _Api(records)
    return [
        Route("/incidents", api.list_incidents),
        Route("/incidents/{incident}/log_entries", api.list_entries),
        Route("/oncalls", api.list_duties),
    ]
