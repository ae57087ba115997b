"""Jira Cloud: incidents, actions, planned tasks and post mortems as issues of one project, in Norwegian."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.servers.records import PLANTED, Records, Row
from simulator.world import local

# Changes that a search shows of a long history.
SHOWN = 40
SITE = "https://jira.invalid/rest/api/3"
NEW, DOING, DONE = "10001", "10002", "10003"
_CATEGORIES = {
    NEW: (2, "new", "blue-gray", "Ny"),
    DOING: (4, "indeterminate", "yellow", "Pågår"),
    DONE: (3, "done", "green", "Løst"),
}
# Custom fields: number -> name, type, what it holds.
_CUSTOM = {
    10040: ("Alvorlighet", "option", "select"),
    10041: ("Første varsel", "datetime", "datetime"),
    10042: ("Første melding", "datetime", "datetime"),
    10043: ("Hendelsesansvarlig", "user", "userpicker"),
    10044: ("Utløst av", "string", "textfield"),
    10045: ("Signatur", "string", "textfield"),
    10046: ("Myndighet varslet", "datetime", "datetime"),
    10047: ("Frist", "datetime", "datetime"),
    10048: ("Team", "option", "select"),
    10049: ("Beskrivelse av feilen", "string", "textarea"),
}
_PRIORITIES = {1: "Høyest", 2: "Høy", 3: "Middels", 4: "Lav"}
PERSON = {"accountId": "5b10", "accountType": "atlassian", "active": True, "displayName": PLANTED["person"]}


def written(instant: datetime | None) -> str | None:
    """Write an instant as Jira does: milliseconds, and an offset without a colon."""
    return f"{instant:%Y-%m-%dT%H:%M:%S}.{instant.microsecond // 1000:03d}{instant:%z}" if instant else None


def _status(key: str) -> Row:
    number, category, colour, name = _CATEGORIES[key]
    told = {"id": number, "key": category, "colorName": colour, "name": name}
    return {"id": key, "name": name, "untranslatedName": category, "statusCategory": told}


def _fields() -> list[Row]:
    system = {"created": "datetime", "updated": "datetime", "resolutiondate": "datetime", "duedate": "date"}
    system |= {"summary": "string", "description": "string", "status": "status", "priority": "priority"}
    system |= {"resolution": "resolution", "statuscategorychangedate": "datetime", "assignee": "user"}
    rows: list[Row] = [
        {"id": key, "key": key, "name": key.capitalize(), "custom": False, "schema": {"type": kind, "system": key}}
        for key, kind in system.items()
    ]
    for key, items in {"components": "component", "labels": "string", "issuelinks": "issuelinks"}.items():
        schema = {"type": "array", "items": items, "system": key}
        rows.append({"id": key, "key": key, "name": key.capitalize(), "custom": False, "schema": schema})
    for number, (name, kind, made) in _CUSTOM.items():
        schema = {
            "type": kind,
            "custom": f"com.atlassian.jira.plugin.system.customfieldtypes:{made}",
            "customId": number,
        }
        rows.append({"id": f"customfield_{number}", "name": name, "custom": True, "schema": schema})
    return rows


class Issues:
    """The project's issues, by type."""

    def __init__(self, records: Records) -> None:
        self.now, self.all = records.now, list[Row]()
        for row in records.rows["incidents"]:
            self._incident(row)
        for row in records.rows["action_items"]:
            self._action(row)
        for row in records.rows["maintenance_tasks"]:
            self._task(row)

    def _incident(self, row: Row) -> None:
        flags = {
            "eskalert": row["is_escalated"],
            "øvelse": row["is_exercise"],
            "datatap": row["is_data_loss"],
            "gjennomgått": row["is_postmortem_reviewed"],
            "meldepliktig": row["is_reportable"],
        }
        manager = row["manager_assigned_at"]
        fields = {
            "labels": [name for name, on in flags.items() if on],
            "components": [{"id": "1", "name": row["service_id"]}],
            "priority": {"id": "3", "name": _PRIORITIES[3]},
            "customfield_10040": {"id": f"2000{row['severity']}", "value": f"Alvor {row['severity']}"},
            "customfield_10041": written(row["first_alert_at"]),
            "customfield_10042": written(row["first_report_at"]),
            "customfield_10043": PERSON if manager else None,
            "customfield_10044": row["caused_by_deployment_id"],
            # A sentence where a code belongs stays where it is.
            "customfield_10045": row["signature"] or PLANTED["text"],
            "customfield_10046": written(row["notified_at"]),
        }
        changes = [(manager, "customfield_10043", None, "5b10")] if manager else []
        issue = self._issue(row["incident_id"], "Hendelse", fields, row["declared_at"], row["resolved_at"], changes)
        published = row["postmortem_published_at"]
        if published:
            link = {"id": "7", "type": {"id": "10100", "name": "Gjelder"}, "outwardIssue": _ref(issue)}
            self._issue(f"PM-{issue['id']}", "Etterarbeid", {"issuelinks": [link]}, row["declared_at"], published, [])

    def _action(self, row: Row) -> None:
        dropped = row["is_dropped_with_approval"]
        fields = {
            "labels": ["godkjent"] if dropped else [],
            "components": [{"id": "1", "name": row["service_id"]}],
            "priority": {"id": str(row["priority"]), "name": _PRIORITIES[row["priority"]]},
            "customfield_10047": written(row["first_due_at"]),
        }
        changes = self._postponed(row["first_due_at"], row["created_at"])
        if changes:
            fields["customfield_10047"] = changes[0][3]
        if row["incident_id"]:
            ref = {"id": "1", "key": row["incident_id"], "self": f"{SITE}/issue/1"}
            kind = {"id": "10200", "name": "Tiltak etter"}
            fields["issuelinks"] = [{"id": "8", "type": kind, "inwardIssue": ref}]
        ended = row["done_at"] or (self.now if dropped else None)
        self._issue(row["action_id"], "Tiltak", fields, row["created_at"], ended, changes, dropped=dropped)

    def _task(self, row: Row) -> None:
        made = min(row["first_due_at"] - timedelta(days=30), self.now)
        cancelled = row["is_cancelled_with_approval"]
        fields: Row = {
            "labels": ["godkjent"] if cancelled else [],
            "customfield_10048": {"id": "30001", "value": row["team_id"]},
            "customfield_10047": written(row["first_due_at"]),
        }
        ended = row["completed_at"] or (self.now if cancelled else None)
        self._issue(row["task_id"], "Vedlikehold", fields, made, ended, [], dropped=cancelled)

    def _postponed(self, due: datetime | None, made: datetime) -> list[Any]:
        """Of actions that were decided on an even day the due time was moved later."""
        if due is None or made.day % 2:
            return []
        at = min(made + timedelta(days=1), self.now)
        return [(at, "customfield_10047", written(due), written(due + timedelta(days=30)))]

    def _issue(
        self,
        key: str,
        kind: str,
        fields: Row,
        created: datetime,
        ended: datetime | None,
        changes: list[Any],
        *,
        dropped: bool = False,
    ) -> Row:
        number = str(10_000 + len(self.all))
        steps = [*changes, (created, "status", NEW, DOING), *([(ended, "status", DOING, DONE)] if ended else [])]
        if int(number) % 25 == 0:
            # Somebody moved it about in a list, often.
            steps += [(created + timedelta(seconds=n), "customfield_10019", "", "") for n in range(45)]
        steps.sort(key=lambda step: step[0], reverse=True)
        histories = [
            {
                "id": f"{number}{place:03d}",
                "author": PERSON,
                "created": written(at),
                "items": [
                    {
                        "field": field,
                        "fieldId": field,
                        "fieldtype": "custom" if field.startswith("custom") else "jira",
                        "from": before,
                        "fromString": PLANTED["text"],
                        "to": after,
                        "toString": PLANTED["text"],
                    }
                ],
            }
            for place, (at, field, before, after) in enumerate(steps)
        ]
        resolution = {"id": "10001", "name": "Won't Do"} if dropped else {"id": "10000", "name": "Ferdig"}
        issue: Row = {
            "id": number,
            "key": key,
            "self": f"{SITE}/issue/{number}",
            "expand": "",
            "fields": {
                "summary": PLANTED["text"],
                "customfield_10049": PLANTED["text"],
                "assignee": PERSON,
                "created": written(created),
                "updated": written(ended or self.now),
                "status": _status(DONE if ended else DOING),
                "resolution": resolution if ended else None,
                # Every third workflow sets no resolution.
                "resolutiondate": written(ended) if int(number) % 3 else None,
                "statuscategorychangedate": written(ended or created),
                "duedate": None,
                **fields,
            },
            "_kind": kind,
            "_created": created,
            "_updated": ended or self.now,
            "_histories": histories,
        }
        self.all.append(issue)
        return issue


def _ref(issue: Row) -> Row:
    return {"id": issue["id"], "key": issue["key"], "self": issue["self"]}


def _wanted(issues: list[Row], jql: str) -> Iterator[Row]:
    kind = re.search(r'issuetype = "([^"]*)"', jql)
    bounds = re.findall(r'(created|updated) (>=|<) "(\d{4}-\d\d-\d\d \d\d:\d\d)"', jql)
    for issue in issues:
        if kind and issue["_kind"] != kind[1]:
            continue
        # Times of a query are those of the account's zone.
        ats = [(issue[f"_{name}"], sign, local_time(at)) for name, sign, at in bounds]
        if all(at >= bound if sign == ">=" else at < bound for at, sign, bound in ats):
            yield issue


def local_time(text: str) -> datetime:
    """Read a time of a query in the zone of the account."""
    at = datetime.strptime(text, "%Y-%m-%d %H:%M")  # noqa: DTZ007 - the zone follows
    return local(at.date(), at.hour) + timedelta(minutes=at.minute)


class _Api:
    """One method per route."""

    def __init__(self, records: Records) -> None:
        self.issues = sorted(Issues(records).all, key=lambda issue: (issue["_created"], issue["id"]))
        self.by_id = {issue["id"]: issue for issue in self.issues}

    @staticmethod
    def fields(_request: Request) -> Response:
        """The site's fields."""
        return JSONResponse(_fields())

    @staticmethod
    def statuses(_request: Request) -> Response:
        """The site's statuses."""
        return JSONResponse([_status(key) for key in _CATEGORIES])

    async def search(self, request: Request) -> Response:
        """One page of a search; the token of the next page stands in the answer."""
        asked = await request.json()
        token = asked.get("nextPageToken")
        start = int(base64.b64decode(token)) if token else 0
        found = list(_wanted(self.issues, asked["jql"]))
        size = min(asked.get("maxResults", 50), 5000)
        history = "changelog" in asked.get("expand", "")
        page: Row = {"issues": [self._shown(i, asked.get("fields", []), history) for i in found[start : start + size]]}
        page["isLast"] = start + size >= len(found)
        if not page["isLast"]:
            page["nextPageToken"] = base64.b64encode(str(start + size).encode()).decode()
        return JSONResponse(page)

    @staticmethod
    def _shown(issue: Row, fields: list[str], history: bool) -> Row:  # noqa: FBT001 - of one request
        shown = {key: issue[key] for key in ("id", "key", "self", "expand")}
        shown["fields"] = {name: issue["fields"][name] for name in fields if name in issue["fields"]}
        if history:
            newest = issue["_histories"][:SHOWN]
            told = {"startAt": 0, "maxResults": len(newest), "total": len(issue["_histories"])}
            shown["changelog"] = {**told, "histories": newest}
        return shown

    def changelog(self, request: Request) -> Response:
        """One page of a whole history, oldest first."""
        rows = self.by_id[request.path_params["issue"]]["_histories"][::-1]
        start, size = int(request.query_params.get("startAt", "0")), int(request.query_params.get("maxResults", "100"))
        is_last = start + size >= len(rows)
        return JSONResponse(
            {
                "self": f"{SITE}/issue/1/changelog",
                "startAt": start,
                "maxResults": size,
                "total": len(rows),
                "isLast": is_last,
                "values": rows[start : start + size],
            }
        )


def routes(records: Records) -> list[Route]:
    """Return the routes below ``/jira``."""
    api = _Api(records)

    def known(answer: Any) -> Any:
        async def checked(request: Request) -> Response:
            if not request.headers.get("authorization", "").startswith("Basic "):
                return JSONResponse({"message": "Client must be authenticated"}, status_code=401)
            found = answer(request)
            return found if isinstance(found, Response) else await found

        return checked

    return [
        Route("/rest/api/3/field", known(api.fields)),
        Route("/rest/api/3/status", known(api.statuses)),
        Route("/rest/api/3/search/jql", known(api.search), methods=["POST"]),
        Route("/rest/api/3/issue/{issue}/changelog", known(api.changelog)),
    ]
