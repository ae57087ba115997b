"""PagerDuty: pages, incidents and duty from its REST API v2 (contracts, D).

PagerDuty calls every page an incident. Those that ever had one of the configured urgencies are our pages, from when
they first had it; those with a priority are our incidents, where the organisation lists that stream. Names of people
and titles are not kept: people are counted, and of a title only a code is left, so that repeats are known.
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias

import httpx

from opsmetrics.organisation.connectors.on_call import PagerDuty
from opsmetrics.sources.actors import is_machine
from opsmetrics.sources.duty import GONE, MARGIN, Period, shifts
from opsmetrics.sources.fetching import FetchRequest, FetchResult, halved
from opsmetrics.sources.http import ROLES, Http, RefusedError, required_secret, retry_after
from opsmetrics.sources.service_names import ServiceNames

Row = dict[str, Any]
# Rows, and whether they are all that there are.
_Shown: TypeAlias = tuple[list[Row], bool]
Urgency: TypeAlias = Literal["high", "low"]
PAGE = 100
# Offset and limit together; a window with more is halved.
DEEPEST = 10_000
DAY = timedelta(days=1)
# Whose acknowledgement counts before whose.
_WHO = ("human", None, "bot")
# The specification says acknowledgement_log_entry, recorded answers say acknowledge_log_entry.
_ACKNOWLEDGED = frozenset({"acknowledge_log_entry", "acknowledgement_log_entry"})
# A person who resolves what nobody had acknowledged has answered it.
_RESOLVED = "resolve_log_entry"
# It says that the urgency changed, not to which of the two.
_URGENCY_CHANGED = "urgency_change_log_entry"
_OTHER: dict[Urgency, Urgency] = {"high": "low", "low": "high"}
# How long after its begin an incident may become urgent and still be a page of that day: over Easter, when the hours of
# support begin again.
RAISED = timedelta(days=7)


def _client(request: FetchRequest[PagerDuty]) -> Http:
    settings = request.connector
    token = required_secret(settings.name, settings.token_env, ROLES[settings.kind])
    headers = {
        "Authorization": f"Token token={token}",
        "Accept": "application/vnd.pagerduty+json;version=2",
        "Content-Type": "application/json",
    }
    return request.client(settings.address, headers=headers, variable=settings.token_env, waits=_waits)


def _waits(answer: httpx.Response) -> float | None:
    """Return how long PagerDuty wants us to wait: it says so in ``ratelimit-reset``, in seconds."""
    asked = retry_after(answer)
    reset = answer.headers.get("ratelimit-reset", "")
    return float(reset) if asked is None and answer.status_code == 429 and reset.isdigit() else asked


def probe(request: FetchRequest[PagerDuty]) -> str:
    """Ask for one incident."""
    with _client(request) as http:
        http.get("incidents", limit=1, time_zone="UTC")
    return f"readable, {len(request.connector.schedules)} schedules configured"


def _paged(http: Http, path: str, name: str, **params: Any) -> tuple[list[Row], bool]:
    """Return the rows of all pages, and whether there are more than can be shown."""
    found: list[Row] = []
    offset = 0
    while offset + PAGE <= DEEPEST:
        page = http.get(path, limit=PAGE, offset=offset, time_zone="UTC", **params)
        found += page[name]
        # The description's own examples leave out whether there are more: a full page may have some after it.
        more = page.get("more")
        has_more = len(page[name]) >= PAGE if more is None else more
        if not has_more or not page[name]:
            return found, False
        # By what the page says that it holds at most, which may be less than was asked for.
        offset += min(PAGE, int(page.get("limit") or PAGE))
    return found, True


def _incidents(request: FetchRequest[PagerDuty], http: Http, before: timedelta = timedelta()) -> _Shown:
    """Return the incidents that were created in the asked days, or so long before them, and whether these are all.

    A day more is asked for: of ``until`` only the date may count (PagerDuty/pagerduty-mcp-server#47).
    """
    is_whole = True

    def fetch(start: datetime, end: datetime, can_halve: bool) -> list[Row] | None:  # noqa: FBT001 - see halved
        window = {"since": _text(start), "until": _text(end + DAY), "sort_by": "created_at:asc"}
        found, is_cut = _paged(http, "incidents", "incidents", **window)
        if is_cut and can_halve:
            return None
        if is_cut and datetime.fromisoformat(found[-1]["created_at"]) < end:
            nonlocal is_whole
            is_whole = False
        return [item for item in found if start <= datetime.fromisoformat(item["created_at"]) < end]

    found = {item["id"]: item for item in halved(fetch, request.starts_at - before, request.ends_at, shortest=DAY)}
    return list(found.values()), is_whole


def _text(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _service(names: ServiceNames, item: Row) -> str:
    """Return the service: mapped or known by its id or its name, else the name, which then has no owner."""
    service: Row = item["service"]
    known = names.first([service["id"], service.get("summary")])
    return known or service.get("summary") or service["id"]


def _ended(item: Row) -> str | None:
    if item["status"] != "resolved":
        return None
    return item.get("resolved_at") or item.get("last_status_change_at")


def _severity(settings: PagerDuty, item: Row) -> int | None:
    """Return the severity that the priority says; None where there is none, or one that the settings do not know."""
    priority = (item.get("priority") or {}).get("summary")
    return settings.severity_of(priority) if priority else None


def alerts(request: FetchRequest[PagerDuty]) -> FetchResult:
    """Return pages with their first acknowledgement by a person, else by a machine; resolving by hand is one."""
    settings, names = request.connector, ServiceNames(request)
    rows: list[Row] = []
    with _client(request) as http:
        found, is_whole = _incidents(request, http, RAISED)
        for item in found:
            is_paging = item["urgency"] in settings.paging_urgencies
            # What is not urgent now may have been; of the days before only what became urgent in the asked ones counts.
            if is_paging or request.covers(datetime.fromisoformat(item["created_at"])):
                entries = _entries(http, item, may_be_gone=not is_paging)
                fired = _fired(settings, item, entries)
                if fired is not None:
                    rows.append(_page(settings, names, item, entries, *fired))
    return _answer(request, rows, is_whole=is_whole)


def _answer(request: FetchRequest[PagerDuty], rows: list[Row], *, is_whole: bool) -> FetchResult:
    said = (
        () if is_whole else (f"more than {DEEPEST} incidents in a day: PagerDuty shows no more, the rest is missing",)
    )
    return FetchResult(rows, is_whole, source=f"{request.connector.address} incidents", notes=said)


def _entries(http: Http, item: Row, *, may_be_gone: bool) -> list[Row]:
    """Return what happened to an incident: ``acknowledgements`` of the incident itself is empty once it is resolved."""
    try:
        return _paged(http, f"incidents/{item['id']}/log_entries", "log_entries")[0]
    except RefusedError as error:
        if error.status != 404 or not may_be_gone:
            raise
        return []


def _fired(settings: PagerDuty, item: Row, entries: list[Row]) -> tuple[datetime, Urgency] | None:
    """Return when an incident first had an urgency that pages, and which; None where it never had.

    An incident shows the urgency that it has now. It is lowered by hand after the page was sent, and raised by hand or
    when the hours of support begin. There are two urgencies, so that each change says what was before it.
    """
    created = datetime.fromisoformat(item["created_at"])
    urgency: Urgency = item["urgency"]
    told: list[tuple[datetime, Urgency]] = []
    changes = sorted(datetime.fromisoformat(each["created_at"]) for each in entries if each["type"] == _URGENCY_CHANGED)
    for at in reversed(changes):
        told.append((at, urgency))
        urgency = _OTHER[urgency]
    told.append((created, urgency))
    fired = next(((at, which) for at, which in reversed(told) if which in settings.paging_urgencies), None)
    return (created, fired[1]) if fired and fired[0] - created > RAISED else fired


def _page(
    settings: PagerDuty, names: ServiceNames, item: Row, entries: list[Row], fired: datetime, urgency: Urgency
) -> Row:
    answers = (
        (entry["type"], _kind(settings, entry.get("agent") or {}), datetime.fromisoformat(entry["created_at"]))
        for entry in entries
    )
    acknowledged = [
        (_WHO.index(kind), at)
        for what, kind, at in answers
        if what in _ACKNOWLEDGED or (what == _RESOLVED and kind == "human")
    ]
    who, at = min(acknowledged, default=(None, None))
    severity = _severity(settings, item)
    service: Row = item["service"]
    row: Row = {
        "alert_id": item["id"],
        "service_id": _service(names, item),
        "rule_id": f"{service['id']}-{_code(item.get('title') or '')}",
        "severity": severity if severity is not None else settings.urgency_severities[urgency],
        "fired_at": fired,
        # Who acknowledged before it was urgent answered at once.
        "acknowledged_at": at and max(fired, at),
        "acknowledged_by_kind": None if who is None else _WHO[who],
        "closed_at": _ended(item),
        "incident_id": _incident_of(item),
    }
    if settings.test_services is not None:
        row["is_test"] = bool({service["id"], service.get("summary")} & set(settings.test_services))
    return row


def _kind(settings: PagerDuty, agent: Row) -> str | None:
    """Return who acted: services, integrations and users that the settings name are machines; None if nobody says."""
    if not agent.get("type"):
        return None
    if not agent["type"].startswith("user"):
        return "bot"
    is_bot = agent.get("id") in settings.bots or is_machine(agent.get("summary"), bots=settings.bots)
    return "bot" if is_bot else "human"


def _code(title: str) -> str:
    """Return a code of a title without its numbers: the same rule has the same code, and no word of it is left."""
    plain = " ".join(re.sub(r"[0-9]+", "", title).casefold().split())
    return hashlib.sha256(plain.encode()).hexdigest()[:12]


def _incident_of(item: Row) -> str | None:
    """Return the incident that a page belongs to: the one it was merged into, or itself where it has a priority."""
    return _merged_into(item) or (item["id"] if item.get("priority") else None)


def _merged_into(item: Row) -> str | None:
    """Return the incident that another one was merged into; any other reason for an end is an end."""
    reason: Row = item.get("resolve_reason") or {}
    merged: str | None = (reason.get("incident") or {}).get("id")
    return merged


def incidents(request: FetchRequest[PagerDuty]) -> FetchResult:
    """Return incidents: those with a priority, but for what was merged into another."""
    settings, names = request.connector, ServiceNames(request)
    with _client(request) as http:
        found, is_whole = _incidents(request, http)
    rows = [
        {
            "incident_id": item["id"],
            "service_id": _service(names, item),
            "severity": _severity(settings, item),
            "declared_at": item["created_at"],
            "resolved_at": _ended(item),
        }
        for item in found
        if item.get("priority") and _merged_into(item) is None
    ]
    return _answer(request, rows, is_whole=is_whole)


def oncall_shifts(request: FetchRequest[PagerDuty]) -> FetchResult:
    """Return periods of duty of the first escalation level; a duty without begin or end is cut as a long one is.

    A schedule that is only asked when somebody else did not answer is nobody's first duty: it is named in a note.
    """
    settings = request.connector
    since, until = request.starts_at - MARGIN, request.ends_at + MARGIN
    periods: list[Period] = []
    notes: list[str] = []
    is_complete = True
    with _client(request) as http:
        for schedule in settings.schedules:
            window = {"since": _text(since), "until": _text(until), "schedule_ids[]": schedule}
            duties, is_cut = _paged(http, "oncalls", "oncalls", **window)
            is_complete = is_complete and not is_cut
            if not duties:
                is_there, note = _without_duties(request, http, schedule)
                is_complete = is_complete and is_there
                notes += [note] if note else []
            first = min((duty["escalation_level"] for duty in duties), default=1)
            if first > 1:
                notes.append(
                    f"schedule {schedule} is called at escalation level {first} at the earliest: it is no shift; "
                    "name the schedule of level 1 in schedules"
                )
            for duty in duties:
                if duty["escalation_level"] == 1:
                    start, end = (
                        datetime.fromisoformat(duty[name]) if duty[name] else edge
                        for name, edge in (("start", since), ("end", until))
                    )
                    periods.append(Period(schedule, start, end, frozenset({duty["user"]["id"]})))
    rows = shifts(request.organisation, settings.schedules, periods)
    return FetchResult(rows, is_complete, source=f"{settings.address} on-calls", notes=tuple(notes))


def _without_duties(request: FetchRequest[PagerDuty], http: Http, schedule: str) -> tuple[bool, str | None]:
    """Return whether a schedule without any duty is there at all, and what is to be said of it.

    The list of duties is empty for a schedule that was deleted or never was, and for one that no escalation policy
    asks, whoever stands in it.
    """
    key = f"schedule {schedule}"
    if key not in request.known:
        try:
            request.known[key] = http.get(f"schedules/{schedule}", time_zone="UTC")["schedule"]
        except RefusedError as error:
            if error.status not in {403, 404}:
                raise
            request.known[key] = None
    found: Row | None = request.known[key]
    if found is None:
        return False, GONE.format(schedule=schedule)
    if found.get("escalation_policies") == []:
        return True, f"schedule {schedule} is in no escalation policy: nobody is called by it, and it gives no shifts"
    return True, None
