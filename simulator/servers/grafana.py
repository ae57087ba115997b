"""Grafana's provisioning, annotation and state history APIs: what its own types hold, and no field more."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.servers.records import PLANTED, Records, Row, precise

DUTY = "vakt"
# Every other routed rule is sent by a policy, the others by the rule itself.
POLICIES: Row = {
    "receiver": "grafana-default-email",
    "group_by": ["grafana_folder", "alertname"],
    "routes": [{"receiver": DUTY, "object_matchers": [["duty", "=", "yes"]]}],
}


def _uid(row: Row) -> str:
    return f"{row['rule_id']}-{row['service_id']}"


def _rule(number: int, row: Row) -> Row:
    by_policy = number % 2 == 0
    labels = {
        "service": row["service_id"],
        "kind": row["kind"],
        "rule": row["rule_id"],
        "severity": "critical" if row["is_paging"] else "warning",
        "duty": "yes" if row["is_routed"] and by_policy else "no",
    }
    notes = {
        "threshold_ratio": row["threshold_ratio"],
        "forecast_hours": row["forecast_hours"],
        "reviewed_at": precise(row["last_reviewed_at"]),
        "proven_at": precise(row["last_proven_at"]),
    }
    rule = {
        "id": number,
        "uid": _uid(row),
        "orgID": 1,
        "title": PLANTED["text"],
        "folderUID": "drift",
        "ruleGroup": row["service_id"],
        "condition": "A",
        "data": [],
        "noDataState": "NoData",
        "execErrState": "Error",
        "for": "5m",
        "isPaused": not row["is_enabled"],
        "updated": precise(row["last_changed_at"]),
        "labels": labels | ({"resource": row["resource_id"]} if row["resource_id"] else {}),
        "annotations": {name: str(value) for name, value in notes.items() if value is not None},
    }
    return rule | ({"notification_settings": {"receiver": DUTY}} if row["is_routed"] and not by_policy else {})


def _recording_rule(number: int) -> Row:
    """A rule that writes a metric: it stands among the others and alerts nobody."""
    return {
        "id": number,
        "uid": "recording",
        "orgID": 1,
        "title": "Requests",
        "folderUID": "drift",
        "ruleGroup": "recording",
        "condition": "",
        "data": [],
        "noDataState": "",
        "execErrState": "",
        "for": "0s",
        "isPaused": False,
        "record": {"metric": "requests:rate", "from": "A"},
    }


def _transitions(records: Records, numbers: dict[str, int]) -> list[Row]:
    """Changes of state, oldest first: what annotations and the history are both made of."""
    found: list[Row] = []
    for row in records.rows["alerts"]:
        labels = {
            "alertname": PLANTED["text"],
            "grafana_folder": "drift",
            "instance": row["alert_id"],
            "owner": PLANTED["person"],
            "rule": row["rule_id"],
            "service": row["service_id"],
        }
        common = {"uid": _uid(row), "number": numbers.setdefault(_uid(row), len(numbers) + 1), "labels": labels}
        found.append({**common, "at": row["fired_at"], "new": "Alerting", "old": "Pending", "value": 2.5})
        if row["closed_at"] is not None:
            found.append({**common, "at": row["closed_at"], "new": "Normal", "old": "Alerting", "value": 0.0})
    return sorted(found, key=lambda change: change["at"])


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _annotation(change: Row) -> Row:
    labels = ", ".join(f"{name}={value}" for name, value in sorted(change["labels"].items()))
    return {
        "alertId": change["number"],
        "newState": change["new"],
        "prevState": change["old"],
        "time": _milliseconds(change["at"]),
        "text": f"{PLANTED['text']} {{{labels}}} - A={change['value']:f}",
        "data": {"values": {"A": change["value"]}},
    }


def _deployment(row: Row) -> Row:
    return {
        "userId": 7,
        "login": "sa-1-deploy",
        "time": _milliseconds(row["deployed_at"]),
        "text": f"{PLANTED['text']} {PLANTED['person']}",
        "tags": ["deployment", f"env:{row['environment']}", f"app:{row['service_id']}", "team:"],
    }


def _kept(notes: list[Row]) -> list[Row]:
    """Annotations as the database returns them: numbered, with an end, newest first."""
    for number, note in enumerate(sorted(notes, key=lambda note: int(note["time"])), start=1):
        note |= {"id": number, "timeEnd": note["time"], "created": note["time"], "updated": note["time"]}
    return sorted(notes, key=lambda note: int(note["timeEnd"]), reverse=True)


def _line(change: Row) -> Row:
    return {
        "schemaVersion": 1,
        "previous": change["old"],
        "current": change["new"],
        "values": {"A": change["value"]},
        "condition": "A",
        "dashboardUID": "",
        "panelID": 0,
        "fingerprint": hashlib.sha256(change["labels"]["instance"].encode()).hexdigest()[:16],
        "ruleTitle": PLANTED["text"],
        "ruleID": change["number"],
        "ruleUID": change["uid"],
        "labels": change["labels"],
    }


def _frame(changes: list[Row]) -> Row:
    names = {"time": "time", "line": "other", "labels": "other"}
    stream = {"from": "state-history", "orgID": "1", "group": "drift", "folderUID": "drift"}
    return {
        "schema": {"name": "states", "fields": [{"name": name, "type": kind} for name, kind in names.items()]},
        "data": {
            "values": [
                [_milliseconds(change["at"]) for change in changes],
                [_line(change) for change in changes],
                [stream for _ in changes],
            ]
        },
    }


class _Api:
    """One method per route."""

    def __init__(self, records: Records) -> None:
        rows = records.newest("alert_rule_states")
        self.rules = [_rule(number, row) for number, row in enumerate(rows, start=1)]
        numbers: dict[str, int] = {rule["uid"]: rule["id"] for rule in self.rules}
        self.rules.append(_recording_rule(100_000))
        self.changes = _transitions(records, numbers)
        notes = [_annotation(change) for change in self.changes]
        self.notes = _kept(notes + [_deployment(row) for row in records.rows["deployments"]])

    def _refused(self, request: Request) -> Response | None:
        if request.headers.get("authorization", "").startswith("Bearer "):
            return None
        return JSONResponse({"message": "Unauthorized"}, status_code=401)

    def alert_rules(self, request: Request) -> Response:
        """All rules, recording ones among them."""
        return self._refused(request) or JSONResponse(self.rules)

    def policies(self, request: Request) -> Response:
        """The tree of notification policies."""
        return self._refused(request) or JSONResponse(POLICIES)

    def nothing(self, request: Request) -> Response:
        """No silences, and no mute timings."""
        return self._refused(request) or JSONResponse([])

    def annotations(self, request: Request) -> Response:
        """Annotations that touch a window, newest first and no more than asked for."""
        query = request.query_params
        first, last, tags = int(query["from"]), int(query["to"]), set(query.getlist("tags"))

        def is_wanted(note: Row) -> bool:
            if query.get("type") == "alert" and "alertId" not in note:
                return False
            return tags <= set(note.get("tags") or []) and note["time"] <= last and note["timeEnd"] >= first

        found = [note for note in self.notes if is_wanted(note)]
        return self._refused(request) or JSONResponse(found[: int(query.get("limit", "100"))])

    def history(self, request: Request) -> Response:
        """Changes of state as a data frame, as where Loki keeps them: columns, not rows."""
        query = request.query_params
        first, last = int(query["from"]) * 1000, int(query["to"]) * 1000
        found = [change for change in self.changes if first <= _milliseconds(change["at"]) <= last]
        return self._refused(request) or JSONResponse(_frame(found[-int(query.get("limit", "1000")) :]))


def routes(records: Records) -> list[Route]:
    """Return the routes below ``/grafana``."""
    api = _Api(records)
    answers: dict[str, Any] = {
        "/api/v1/provisioning/alert-rules": api.alert_rules,
        "/api/v1/provisioning/policies": api.policies,
        "/api/annotations": api.annotations,
        "/api/v1/rules/history": api.history,
        "/api/v1/provisioning/mute-timings": api.nothing,
        "/api/alertmanager/grafana/api/v2/silences": api.nothing,
    }
    return [Route(path, answer) for path, answer in answers.items()]
