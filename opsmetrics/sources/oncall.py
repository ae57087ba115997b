"""Opsgenie, and Jira Service Management Operations as its successor, behind one interface (contracts, D).

Names of people and texts of alerts are read by nobody: only instants, priorities, and tags with agreed prefixes.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from opsmetrics.core.errors import Problem, SourceError
from opsmetrics.core.settings import secret
from opsmetrics.organisation.connectors.on_call import OnCall
from opsmetrics.sources.actors import is_machine
from opsmetrics.sources.duty import GONE, MARGIN, Period, shifts
from opsmetrics.sources.fetching import FetchRequest, FetchResult, halved
from opsmetrics.sources.http import ROLES, Http, RefusedError, required_secret, retry_after
from opsmetrics.sources.service_names import ServiceNames

Row = dict[str, Any]
PAGE = 100
# Offset and page together stay below this, in both dialects; a window with more is halved.
DEEPEST = 20_000
# What Opsgenie writes where no user acknowledged: users have mail addresses.
_MACHINES = ("system", "opsgenie", "api", "alert api")
WEEK = timedelta(days=7)
# JSM shows no timeline of more than a year ago.
OLDEST = timedelta(days=364)


def _client(request: FetchRequest[OnCall]) -> Http:
    settings = request.connector
    token = required_secret(settings.name, settings.token_env, ROLES[settings.kind])
    if settings.dialect == "opsgenie":
        headers = {"Authorization": f"GenieKey {token}"}
    else:
        pair = f"{secret(settings.user_env) or ''}:{token}"
        headers = {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    return request.client(settings.address, headers=headers, variable=settings.token_env, waits=_waits)


def _waits(answer: httpx.Response) -> float | None:
    """Return how long Opsgenie wants us to wait: it names the period whose limit is used up, a minute or a second."""
    asked, period = retry_after(answer), answer.headers.get("x-ratelimit-period-in-sec", "")
    return float(period) if asked is None and answer.status_code == 429 and period.isdecimal() else asked


def _base(request: FetchRequest[OnCall]) -> str:
    return "v2" if request.connector.dialect == "opsgenie" else f"jsm/ops/api/{request.connector.cloud_id}/v1"


def probe(request: FetchRequest[OnCall]) -> str:
    """Ask for one alert."""
    size = "limit" if request.connector.dialect == "opsgenie" else "size"
    with _client(request) as http:
        http.get(f"{_base(request)}/alerts", **{size: 1})
    return f"readable, {len(request.connector.schedules)} schedules configured"


def _created(request: FetchRequest[OnCall], http: Http, path: str) -> Iterator[Row]:
    """Yield what was created in the asked days, page by page; a window with more than is shown is halved."""
    opsgenie = request.connector.dialect == "opsgenie"
    size = {"limit": PAGE} if opsgenie else {"size": PAGE}

    def fetch(start: datetime, end: datetime, can_halve: bool) -> list[Row] | None:  # noqa: FBT001 - see halved
        first, last = (int(at.timestamp() * 1000) for at in (start, end))
        words = {"query": f"createdAt>={first} AND createdAt<{last}", "sort": "createdAt", "order": "asc", **size}
        found: list[Row] = []
        offset = 0
        while offset < DEEPEST - PAGE:
            page = http.get(path, offset=offset, **words)
            items = page["data"] if opsgenie else page["values"]
            found += items
            told, total = (page.get("paging"), None) if opsgenie else (page.get("links"), page.get("count"))
            following = _following(told, total, offset, len(items))
            if not items or following is None:
                return found
            offset = following
        return None if can_halve else found

    millisecond = timedelta(milliseconds=1)
    return halved(fetch, request.starts_at, request.ends_at, shortest=millisecond, unit=millisecond)


def _following(links: Row | None, total: int | None, offset: int, length: int) -> int | None:
    """Return where the next page begins, None after the last one: its address says it, or a count of all."""
    address = (links or {}).get("next")
    if address:
        # A page may hold less than was asked for.
        (told, *_) = parse_qs(urlsplit(address).query).get("offset") or [""]
        return int(told) if told.isdecimal() and int(told) > offset else offset + PAGE
    has_more = offset + length < total if isinstance(total, int) else links is None and length >= PAGE
    return offset + length if has_more else None


def _tag(item: Row, prefix: str) -> str | None:
    return next((tag.removeprefix(prefix) for tag in item.get("tags") or [] if tag.startswith(prefix)), None)


def _service(
    request: FetchRequest[OnCall], names: ServiceNames, item: Row, ids: list[str | None], written: list[str | None]
) -> str | None:
    """Return the service of an alert or incident: its tag, else the first of its other names that we know.

    Args:
        request: The question, for the connector's settings.
        names: Names that mean a service.
        item: Alert or incident.
        ids: Ids of what it is about and was sent to. Where none is known the first shows up as a name without owner.
        written: Names that people and programs fill in.
    """
    settings = request.connector
    tagged = _tag(item, settings.service_prefix)
    if tagged:
        return settings.service(tagged)
    return names.first([*ids, *written]) or next((name for name in ids if name), settings.name)


def _responders(item: Row) -> list[str | None]:
    """Return the ids of the teams, schedules and escalations that were to answer; those of people are left."""
    responders: list[Row] = item.get("responders") or []
    return [who["id"] for who in responders if who.get("type") != "user" and who.get("id")]


def _priority(item: Row) -> int | None:
    priority = item.get("priority")
    return int(priority.removeprefix("P")) if priority else None


def alerts(request: FetchRequest[OnCall]) -> FetchResult:
    """Return pages. The key is the UUID: short ids are used again."""
    settings = request.connector
    names = ServiceNames(request)
    with _client(request) as http:
        rows = {
            item["id"]: _alert(request, names, item) for item in _created(request, http, f"{_base(request)}/alerts")
        }
    return FetchResult(list(rows.values()), source=f"{settings.address} alerts")


def _alert(request: FetchRequest[OnCall], names: ServiceNames, item: Row) -> Row:
    created = datetime.fromisoformat(item["createdAt"])
    labels = {"actionable", "noise"} & set(item.get("tags") or [])
    row: Row = {
        "alert_id": item["id"],
        "service_id": _service(request, names, item, *_names_of(request, item)),
        "rule_id": _tag(item, "rule:") or item.get("alias") or item["id"],
        "severity": _priority(item),
        "fired_at": created,
        "label": next(iter(labels)) if len(labels) == 1 else None,
        "incident_id": _tag(item, "incident:"),
        "is_test": "test" in (item.get("tags") or []),
    }
    if request.connector.dialect == "jsm":
        # Who acknowledged is in no answer of the list.
        acknowledged, closed = item.get("ackTime"), item.get("closeTime")
        if acknowledged == closed and item.get("acknowledged") is False:
            acknowledged = None
        return row | {"acknowledged_at": acknowledged, "closed_at": closed or _last_change(item)}
    report: Row = item.get("report") or {}
    at, who = _acknowledgement(item, report)
    bots = [*request.connector.bots, *_own_machines(item)]
    kind = _kind(who, bots)
    if kind != "human" and report.get("closeTime") is not None and _kind(report.get("closedBy"), bots) == "human":
        # The first person counts before any machine.
        at, kind = report["closeTime"], "human"
    elif at is not None and "acknowledgedBy" not in report and kind == "bot":
        # What closed it, by itself, answered nobody's call.
        at = None
    return row | {
        "acknowledged_at": _after(created, at),
        "acknowledged_by_kind": kind if at is not None else None,
        "closed_at": _after(created, report.get("closeTime")) or _last_change(item),
    }


def _acknowledgement(item: Row, report: Row) -> tuple[Any, str | None]:
    """Return when after its creation an alert was acknowledged, and by whom.

    Where nobody had when it was closed Opsgenie writes the time of closing: who closed it answered then.
    """
    at, who = report.get("ackTime"), report.get("acknowledgedBy")
    if who or at is None or at != report.get("closeTime") or item.get("acknowledged"):
        return at, who
    return (at, report["closedBy"]) if report.get("closedBy") else (None, None)


def _own_machines(item: Row) -> list[str]:
    """Return the names of what sent an alert: it closes it, too. A person who wrote one has an address."""
    names = [(item.get("integration") or {}).get("name"), item.get("source")]
    return [name for name in names if name and "@" not in name]


def _last_change(item: Row) -> str | None:
    """Return when an alert that is closed was last changed, for one of which nobody says when: it is not open.

    Where nobody says that either its row is set aside, with the words as its reason.
    """
    return item.get("updatedAt") or "closed, without a time" if item.get("status") == "closed" else None


def _names_of(request: FetchRequest[OnCall], item: Row) -> tuple[list[str | None], list[str | None]]:
    """Return the ids and the written names of an alert, each service with its own fields."""
    if request.connector.dialect == "jsm":
        ids = [*_responders(item), item.get("ownerTeamId")]
        return ids, [item.get("entity"), item.get("integrationName"), item.get("source")]
    integration: Row = item.get("integration") or {}
    return [*_responders(item), integration.get("id")], [
        item.get("entity"),
        integration.get("name"),
        item.get("source"),
    ]


def _after(start: datetime, milliseconds: Any) -> datetime | None:
    return start + timedelta(milliseconds=float(milliseconds)) if milliseconds is not None else None


def _kind(name: str | None, bots: list[str]) -> str | None:
    """Say whether a person or a machine, None where nobody says who; the name is not kept."""
    if not name:
        return None
    return "bot" if is_machine(name, bots=(*_MACHINES, *bots)) else "human"


def incidents(request: FetchRequest[OnCall]) -> FetchResult:
    """Return Opsgenie's incidents; Jira Service Management keeps incidents as issues, which is another source."""
    settings = request.connector
    if settings.dialect != "opsgenie":
        message = "Jira Service Management Operations has no incidents of its own"
        raise SourceError(
            Problem(
                settings.name,
                None,
                message,
                "leave incidents out of its streams; a connector of kind jira delivers them",
            )
        )
    names = ServiceNames(request)
    with _client(request) as http:
        rows = {item["id"]: _incident(request, names, item) for item in _created(request, http, "v1/incidents")}
    return FetchResult(list(rows.values()), source=f"{settings.address} incidents")


def _incident(request: FetchRequest[OnCall], names: ServiceNames, item: Row) -> Row:
    priority = _priority(item)
    is_over = item["status"] in {"resolved", "closed"}
    return {
        "incident_id": item["id"],
        "service_id": _service(
            request,
            names,
            item,
            [*(item.get("impactedServices") or []), *_responders(item), item.get("ownerTeam")],
            [item.get("source")],
        ),
        "severity": min(4, priority) if priority is not None else None,
        "declared_at": item["createdAt"],
        # The state decides: what is open may say already when it no longer hurt.
        "resolved_at": (item.get("impactEndDate") or item.get("updatedAt")) if is_over else None,
    }


def oncall_shifts(request: FetchRequest[OnCall]) -> FetchResult:
    """Return periods of duty with a head count; two people over the same hours are one shift. Names are not kept.

    Whole weeks around the asked days are asked for: a timeline begins with the week that holds its date, wherever
    weeks begin, and cuts the periods at its edges.
    """
    settings = request.connector
    since = max(request.starts_at - MARGIN, request.now - OLDEST)
    weeks = math.ceil((request.ends_at + MARGIN - since) / WEEK) + 1
    params = {"interval": weeks, "intervalUnit": "weeks", "date": f"{since:%Y-%m-%dT%H:%M:%SZ}"}
    periods: list[Period] = []
    notes: list[str] = []
    with _client(request) as http:
        for schedule in settings.schedules:
            try:
                found = http.get(f"{_base(request)}/schedules/{schedule}/timeline", **params)
            except RefusedError as error:
                if error.status not in {403, 404}:
                    raise
                notes.append(GONE.format(schedule=schedule))
                if len(notes) == len(settings.schedules):
                    # Not one of them can be read.
                    raise
                continue
            timeline = (found["data"] if settings.dialect == "opsgenie" else found)["finalTimeline"]
            for rotation in timeline["rotations"]:
                periods += [_period(settings, schedule, period) for period in rotation.get("periods") or []]
    rows = shifts(request.organisation, settings.schedules, periods)
    return FetchResult(rows, not notes, source=f"{settings.address} schedules", notes=tuple(notes))


def _period(settings: OnCall, schedule: str, period: Row) -> Period:
    """Read a period; of a team or an escalation those behind it count, where they are told."""
    one, several = (
        ("recipient", "flattenedRecipients") if settings.dialect == "opsgenie" else ("responder", "flattenedResponders")
    )
    who: Row = period.get(one) or {}
    behind: list[Row] = period.get(several) or []
    people = frozenset(str(person["id"]) for person in [who, *behind] if person.get("type") == "user")
    is_untold = not people and who.get("type") in {"team", "escalation"}
    start, end = (datetime.fromisoformat(period[name]) for name in ("startDate", "endDate"))
    return Period(schedule, start, end, None if is_untold else people)
