"""ServiceNow's Table API over incidents and changes, and the tokens of its OAuth."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.servers.records import PLANTED, Records, Row

TOKEN = "loopback-token"  # noqa: S105 - of servers on loopback
_PRIORITIES = {1: "1 - Kritisk", 2: "2 - Høy", 3: "3 - Moderat", 4: "4 - Lav"}


def _time(instant: datetime | None) -> Row:
    """A time: its value is UTC, its name that of the account's zone and format."""
    if instant is None:
        return {"value": "", "display_value": ""}
    at = instant.astimezone(UTC)
    return {"value": f"{at:%Y-%m-%d %H:%M:%S}", "display_value": f"{at + timedelta(hours=1):%d.%m.%Y %H:%M:%S}"}


def _plain(value: Any) -> Row:
    text = {True: "true", False: "false", None: ""}.get(value, value)
    return {"value": str(text), "display_value": str(text)}


def _named(value: str, name: str) -> Row:
    return {"value": value, "display_value": name}


def _id(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _reference(name: str | None) -> Row:
    return _named(_id(name), name) if name else _plain(None)


def _incident(row: Row, place: int) -> Row:
    resolved = row["resolved_at"]
    # One of three was never resolved, only closed.
    was_resolved = resolved is not None and place % 3 != 0
    state = ("6", "Løst") if was_resolved else ("7", "Lukket") if resolved else ("2", "Pågår")
    severity = row["severity"]
    return {
        "sys_id": _plain(_id(row["incident_id"])),
        "number": _plain(row["incident_id"]),
        "state": _named(*state),
        "priority": _named(str(severity), _PRIORITIES[severity]),
        "opened_at": _time(row["declared_at"]),
        "resolved_at": _time(resolved if was_resolved else None),
        "closed_at": _time(None if was_resolved else resolved),
        "business_service": _reference(row["service_id"] if place % 2 else None),
        "cmdb_ci": _reference(row["service_id"]),
        "short_description": _plain(PLANTED["text"]),
        "caller_id": _reference(PLANTED["person"]),
        "problem_id": _reference(PLANTED["text"]),
        "problem_id.closed_at": _time(row["postmortem_published_at"]),
        "u_first_alert": _time(row["first_alert_at"]),
        "u_first_report": _time(row["first_report_at"]),
        "u_manager_at": _time(row["manager_assigned_at"]),
        "u_authority_at": _time(row["notified_at"]),
        "u_escalated": _plain(row["is_escalated"]),
        "u_exercise": _plain(row["is_exercise"]),
        "u_data_loss": _named("yes" if row["is_data_loss"] else "no", "Ja" if row["is_data_loss"] else "Nei"),
        "u_reviewed": _plain(row["is_postmortem_reviewed"]),
        "u_reportable": _plain(row["is_reportable"]),
        # A sentence where a code belongs stays where it is.
        "u_fault": _plain(row["signature"] or PLANTED["text"]),
        "rfc": _reference(row["caused_by_deployment_id"]),
        "_at": row["declared_at"],
    }


def _cancelled(incident: Row) -> Row:
    """An incident that was none."""
    key = f"{incident['number']['value']}-x"
    more = {"number": _plain(key), "sys_id": _plain(_id(key)), "state": _named("8", "Avbrutt")}
    return incident | more


def _change(row: Row) -> Row:
    cancelled = row["is_cancelled_with_approval"]
    state = ("4", "Avbrutt") if cancelled else ("3", "Lukket") if row["completed_at"] else ("-2", "Planlagt")
    return {
        "sys_id": _plain(_id(row["task_id"])),
        "number": _plain(row["task_id"]),
        "state": _named(*state),
        "close_code": _named("successful", "Vellykket") if row["completed_at"] else _plain(None),
        "end_date": _time(row["first_due_at"]),
        "work_end": _time(row["completed_at"]),
        "closed_at": _time(row["completed_at"] and row["completed_at"] + timedelta(hours=3)),
        "assignment_group": _reference(row["team_id"]),
        "approval": _named("approved", "Godkjent"),
        "_at": row["first_due_at"],
    }


class _Api:
    """One method per route."""

    def __init__(self, records: Records) -> None:
        incidents = [_incident(row, place) for place, row in enumerate(records.rows["incidents"])]
        incidents += [_cancelled(row) for row in incidents[::10]]
        changes = [_change(row) for row in records.rows["maintenance_tasks"]]
        self.tables = {"incident": incidents, "change_request": changes}
        for rows in self.tables.values():
            rows.sort(key=lambda row: (row["_at"], row["sys_id"]["value"]))

    def table(self, request: Request) -> Response:
        """One page of a table: values, names, or both; fields that do not exist are left out without a word."""
        if not re.match(f"Basic |Bearer {TOKEN}$", request.headers.get("authorization", "")):
            said = {"error": {"message": "User Not Authenticated", "detail": ""}, "status": "failure"}
            return JSONResponse(said, status_code=401)
        asked = request.query_params
        rows = self.tables[request.path_params["table"]]
        bounds = re.findall(r"opened_at(>=|<)(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)", asked.get("sysparm_query", ""))
        for sign, text in bounds:
            at = datetime.fromisoformat(text).replace(tzinfo=UTC)
            rows = [row for row in rows if (row["_at"] >= at if sign == ">=" else row["_at"] < at)]
        start, size = int(asked.get("sysparm_offset", "0")), int(asked.get("sysparm_limit", "10000"))
        headers = {"X-Total-Count": str(len(rows))}
        if start + size < len(rows):
            following = request.url.include_query_params(sysparm_offset=start + size)
            headers["Link"] = f'<{following}>;rel="next"'
        fields = asked.get("sysparm_fields", "").split(",")
        form = {"true": "display_value", "false": "value"}.get(asked.get("sysparm_display_value", "false"))
        shown = [
            {name: row[name][form] if form else row[name] for name in fields if name in row and name != "_at"}
            for row in rows[start : start + size]
        ]
        return JSONResponse({"result": shown}, headers=headers)

    @staticmethod
    async def token(request: Request) -> Response:
        """A token for a client that knows its secret."""
        form = (await request.body()).decode()
        if "grant_type=client_credentials" not in form or "client_secret=" not in form:
            return JSONResponse({"error": "invalid_client"}, status_code=401)
        return JSONResponse({"access_token": TOKEN, "expires_in": 1799})


def routes(records: Records) -> list[Route]:
    """Return the routes below ``/servicenow``."""
    api = _Api(records)
    return [
        Route("/api/now/table/{table}", api.table),
        Route("/oauth_token.do", api.token, methods=["POST"]),
    ]
