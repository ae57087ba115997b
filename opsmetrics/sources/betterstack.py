"""Better Stack's monitors and their incidents: down while an incident lasts (contracts, K).

Past pauses are not told, only the present one. So between incidents a monitor counts as up since its settings were
last changed, which pausing and starting does; before that its state is unknown unless ``never_paused`` says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from opsmetrics.core.instants import instant
from opsmetrics.organisation.connectors.monitors import BetterStack
from opsmetrics.sources.fetching import FetchRequest, FetchResult
from opsmetrics.sources.http import ROLES, Http, required_secret
from opsmetrics.sources.transitions import Change, Status, rows_of

PAGE = 50
# An incident that began this long before the asked days, and has ended since, is not asked for.
LONGEST = timedelta(days=92)
_NO_STATE = {"paused", "pending", "maintenance"}
# Better Stack itself waits before it believes such an incident.
_UNCONFIRMED = "unconfirmed"
# An incident that tells one of these is about that day.
_EXPIRIES = ("ssl_certificate_expires_at", "domain_expires_at")


def _client(request: FetchRequest[BetterStack]) -> Http:
    settings = request.connector
    token = required_secret(settings.name, settings.token_env, ROLES[settings.kind])
    headers = {"Authorization": f"Bearer {token}"}
    return request.client(settings.url, headers=headers, variable=settings.token_env)


def _items(http: Http, path: str, **params: Any) -> Iterator[dict[str, Any]]:
    """Yield the records of all pages, each once."""
    following: str | None = path
    seen: set[str] = set()
    asked: set[str] = set()
    while following is not None:
        asked.add(following)
        page = http.get(following, **({} if len(asked) > 1 else {"per_page": PAGE, **params}))
        for item in page["data"]:
            if item["id"] not in seen:
                seen.add(item["id"])
                yield item
        following = page["pagination"]["next"]
        if following in asked:
            raise http.error(path, "the same page came twice", "pull again")


def probe(request: FetchRequest[BetterStack]) -> str:
    """Ask for the monitors."""
    with _client(request) as http:
        return f"{len(list(_items(http, 'api/v2/monitors')))} monitors readable"


def availability_checks(request: FetchRequest[BetterStack]) -> FetchResult:
    """Return the changes of each monitor."""
    first, end = request.days
    asked = {"from": f"{first - LONGEST}", "to": f"{end}"}
    rows: list[dict[str, Any]] = []
    with _client(request) as http:
        for monitor in _items(http, "api/v2/monitors"):
            incidents = {
                item["id"]: item["attributes"]
                for which in (asked, {"resolved": "false"})
                for item in _items(http, "api/v3/incidents", monitor_id=monitor["id"], **which)
            }
            told = monitor["attributes"]
            begins = datetime.fromisoformat(told["created_at"])
            changes = _changes(request, told, begins, [item for item in incidents.values() if not _is_warning(item)])
            rows += rows_of(request, monitor["id"], begins, changes)
    return FetchResult(rows, source=f"{request.connector.url} incidents")


def _changes(
    request: FetchRequest[BetterStack], monitor: dict[str, Any], begins: datetime, incidents: list[dict[str, Any]]
) -> list[Change]:
    """Return when a monitor was up, down or unknown."""
    # Better Stack does not check in a maintenance window, and says its hours in names of zones of its own.
    has_window = monitor.get("maintenance_from") is not None
    sure = begins if request.connector.never_paused else datetime.fromisoformat(monitor["updated_at"])
    paused = instant(monitor.get("paused_at"))
    if paused is None and monitor["status"] in _NO_STATE:
        paused = instant(monitor.get("last_checked_at")) or request.now

    def between(at: datetime) -> Status:
        return "unknown" if has_window or at < sure or (paused is not None and at >= paused) else "up"

    spans = [span for item in incidents for span in _spans(item)]
    unsure = {
        datetime.fromisoformat(item["started_at"])
        for item in incidents
        if (item.get("status") or "").lower() == _UNCONFIRMED
    }
    changes = [Change(at, between(at)) for at in (begins, max(begins, sure)) if not _within(spans, at)]
    for started, resolved in spans:
        changes.append(Change(started, "unknown" if started in unsure else "down"))
        if resolved is not None and not _within(spans, resolved):
            changes.append(Change(resolved, between(resolved)))
    ends = [resolved for _, resolved in spans if resolved is not None]
    if monitor["status"] == "down" and ends and len(ends) == len(spans):
        # People may end an incident while the checks still fail: nobody says for how long they have since.
        changes.append(Change(max(ends), "unknown"))
    if paused is not None:
        changes.append(Change(paused, "unknown"))
    return changes


def _is_warning(incident: dict[str, Any]) -> bool:
    """Whether an incident only says that a certificate or a domain will expire: until then all works.

    What no longer works when that day has come is found by the checks, which make an incident of their own.
    """
    started = datetime.fromisoformat(incident["started_at"])
    days = [instant(incident.get(name)) for name in _EXPIRIES]
    return any(day is not None and day > started for day in days)


def _spans(incident: dict[str, Any]) -> list[tuple[datetime, datetime | None]]:
    """Return from when to when an incident lasted; one that was opened again keeps the time of its first end."""
    started, resolved = datetime.fromisoformat(incident["started_at"]), instant(incident["resolved_at"])
    reopened = instant(incident.get("reopened_at"))
    if reopened is None or resolved is None or reopened < resolved:
        return [(started, resolved)]
    return [(started, resolved), (reopened, None)]


def _within(spans: list[tuple[datetime, datetime | None]], at: datetime) -> bool:
    """Whether an incident lasts at an instant."""
    return any(started <= at and (resolved is None or at < resolved) for started, resolved in spans)
