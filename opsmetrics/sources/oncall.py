"""Opsgenie, and Jira Service Management Operations as its successor, behind one interface (contracts, D).

Names of people and texts of alerts are read by nobody: only instants, priorities, and tags with agreed prefixes.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from opsmetrics.errors import Problem, SourceError
from opsmetrics.organisation.connectors import OnCall
from opsmetrics.settings import secret
from opsmetrics.sources.ask import Answer, Ask
from opsmetrics.sources.http import Http

Row = dict[str, Any]
PAGE = 100
# Opsgenie shows offset + limit up to 20 000; a window with more is halved.
DEEPEST = 20_000
_BOTS = ("system", "opsgenie", "integration", "api")


def _client(ask: Ask[OnCall]) -> Http:
    settings = ask.connector
    token = secret(settings.token_env)
    if token is None:
        message = f"{settings.token_env} is not set"
        raise SourceError(Problem(settings.name, None, message, f"put a read-only API key into {settings.token_env}"))
    if settings.dialect == "opsgenie":
        headers = {"Authorization": f"GenieKey {token}"}
    else:
        pair = f"{secret(settings.user_env) or ''}:{token}"
        headers = {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    return Http(
        settings.name, settings.url, ask.settings, headers=headers, variable=settings.token_env, kind=settings.kind
    )


def _base(ask: Ask[OnCall]) -> str:
    return "v2" if ask.connector.dialect == "opsgenie" else f"jsm/ops/api/{ask.connector.cloud_id}/v1"


def probe(ask: Ask[OnCall]) -> str:
    """Ask for one alert."""
    size = "limit" if ask.connector.dialect == "opsgenie" else "size"
    with _client(ask) as http:
        http.get(f"{_base(ask)}/alerts", **{size: 1})
    return f"readable, {len(ask.connector.schedules)} schedules configured"


def _alerts(ask: Ask[OnCall], http: Http, start: datetime, end: datetime) -> Iterator[Row]:
    first, last = (int(at.timestamp() * 1000) for at in (start, end))
    query = f"createdAt>={first} AND createdAt<{last}"
    opsgenie = ask.connector.dialect == "opsgenie"
    for offset in range(0, DEEPEST, PAGE):
        size = {"limit": PAGE} if opsgenie else {"size": PAGE}
        page = http.get(f"{_base(ask)}/alerts", query=query, offset=offset, sort="createdAt", order="asc", **size)
        items = page["data"] if opsgenie else page["values"]
        yield from items
        following = page.get("paging") if opsgenie else page.get("links")
        if not items or not (following or {}).get("next"):
            return
    middle = start + (end - start) / 2
    yield from _alerts(ask, http, start, middle)
    yield from _alerts(ask, http, middle, end)


def _tag(item: Row, prefix: str) -> str | None:
    return next((tag.removeprefix(prefix) for tag in item.get("tags") or [] if tag.startswith(prefix)), None)


def alerts(ask: Ask[OnCall]) -> Answer:
    """Return pages. The key is the UUID: short ids are used again."""
    settings = ask.connector
    rows: dict[str, Row] = {}
    with _client(ask) as http:
        for item in _alerts(ask, http, ask.starts_at, ask.ends_at):
            created = datetime.fromisoformat(item["createdAt"])
            report: Row = item.get("report") or {}
            labels = {"actionable", "noise"} & set(item.get("tags") or [])
            acknowledged = _after(created, report.get("ackTime"))
            rows[item["id"]] = {
                "alert_id": item["id"],
                "service_id": settings.service(_tag(item, settings.service_prefix)),
                "rule_id": _tag(item, "rule:") or item.get("alias") or item["id"],
                "severity": int(item["priority"].removeprefix("P")),
                "fired_at": created,
                "acknowledged_at": acknowledged,
                "acknowledged_by_kind": _kind(report.get("acknowledgedBy")) if acknowledged else None,
                "closed_at": _after(created, report.get("closeTime")),
                "label": next(iter(labels)) if len(labels) == 1 else None,
                "incident_id": _tag(item, "incident:"),
                "is_test": "test" in (item.get("tags") or []),
            }
    return Answer(list(rows.values()), source=f"{settings.url} alerts")


def _after(start: datetime, milliseconds: Any) -> datetime | None:
    return start + timedelta(milliseconds=float(milliseconds)) if milliseconds is not None else None


def _kind(name: Any) -> str:
    """Say whether a person or a machine; who it was is not kept."""
    return "bot" if any(word in str(name or "system").lower() for word in _BOTS) else "human"


def incidents(ask: Ask[OnCall]) -> Answer:
    """Return Opsgenie's incidents; Jira Service Management keeps incidents as issues, which is another source."""
    settings, rows = ask.connector, dict[str, Row]()
    if settings.dialect != "opsgenie":
        message = "Jira Service Management Operations has no incidents of its own"
        raise SourceError(Problem(settings.name, None, message, "leave incidents out of streams for dialect jsm"))
    with _client(ask) as http:
        for offset in range(0, DEEPEST, PAGE):
            page = http.get("v1/incidents", limit=PAGE, offset=offset, sort="createdAt", order="desc")
            for item in page["data"]:
                if ask.covers(datetime.fromisoformat(item["createdAt"])):
                    rows[item["id"]] = _incident(ask, item)
            oldest = min((datetime.fromisoformat(item["createdAt"]) for item in page["data"]), default=None)
            if oldest is None or oldest < ask.starts_at or not (page.get("paging") or {}).get("next"):
                break
    return Answer(list(rows.values()), source=f"{settings.url} incidents")


def _incident(ask: Ask[OnCall], item: Row) -> Row:
    ended = item.get("impactEndDate") or (item["updatedAt"] if item["status"] in {"resolved", "closed"} else None)
    return {
        "incident_id": item["id"],
        "service_id": ask.connector.service(_tag(item, ask.connector.service_prefix)),
        "severity": min(4, int(item["priority"].removeprefix("P"))),
        "declared_at": item["createdAt"],
        "first_alert_at": item.get("impactDetectDate"),
        "resolved_at": ended,
    }


def oncall_shifts(ask: Ask[OnCall]) -> Answer:
    """Return periods of duty with a head count; two people over the same hours are one shift. Names are not kept."""
    settings = ask.connector
    people: dict[tuple[str, str, str], set[str]] = {}
    with _client(ask) as http:
        for schedule in settings.schedules:
            day = ask.starts_at
            while day < ask.ends_at:
                params = {"interval": 1, "intervalUnit": "weeks", "date": f"{day:%Y-%m-%dT%H:%M:%SZ}"}
                found = http.get(f"{_base(ask)}/schedules/{schedule}/timeline", **params)
                timeline = (found["data"] if settings.dialect == "opsgenie" else found)["finalTimeline"]
                for rotation in timeline["rotations"]:
                    for period in rotation.get("periods") or []:
                        on_duty = people.setdefault((schedule, period["startDate"], period["endDate"]), set())
                        who: Row = period.get("recipient") or period.get("responder") or {}
                        if who.get("type") in {"user", "team", "escalation"}:
                            on_duty.add(f"{rotation['id']} {who.get('id')}")
                day += timedelta(days=7)
    rows = [
        {
            "shift_id": hashlib.sha256(f"{schedule}|{start}|{end}".encode()).hexdigest()[:16],
            "team_id": settings.schedules[schedule],
            "starts_at": start,
            "ends_at": end,
            "responder_count": len(on_duty),
        }
        for (schedule, start, end), on_duty in people.items()
    ]
    return Answer(rows, source=f"{settings.url} schedules")
