"""Better Stack's monitors and their incidents: down while an incident lasts (contracts, K).

Past pauses are not told, only the present one. So between incidents a monitor counts as up since its settings were
last changed, which pausing and starting does; before that its state is unknown unless ``never_paused`` says otherwise.
In a maintenance window nothing is checked: windows are told as they are now, and the past is read with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from opsmetrics.core.instants import instant
from opsmetrics.organisation.connectors.monitors import BetterStack
from opsmetrics.sources.fetching import FetchRequest, FetchResult
from opsmetrics.sources.http import ROLES, Http, required_secret
from opsmetrics.sources.quiet_times import times_of
from opsmetrics.sources.transitions import Change, Status, rows_of

PAGE = 50
# An incident that began this long before the asked days, and has ended since, is not asked for.
LONGEST = timedelta(days=92)
_NO_STATE = {"paused", "pending", "maintenance"}
# Better Stack itself waits before it believes such an incident.
_UNCONFIRMED = "unconfirmed"
# Hours and minutes of a time of day; its seconds are always nought.
_MINUTES = len("01:00")
_WEEKDAYS = {day[:3]: day for day in ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")}
# Elsewhere a name of Rails may mean another place (Samoa is Apia there, and Pago Pago in Pacific/Samoa).
_CONTINENTS = ("Africa/", "America/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/")
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
    windows = _windows(request, monitor)
    sure = begins if request.connector.never_paused else datetime.fromisoformat(monitor["updated_at"])
    paused = instant(monitor.get("paused_at"))
    if paused is None and monitor["status"] in _NO_STATE:
        paused = instant(monitor.get("last_checked_at")) or request.now

    def between(at: datetime) -> Status:
        is_checked = windows is not None and not _within(windows, at)
        return "up" if is_checked and at >= sure and (paused is None or at < paused) else "unknown"

    spans: list[tuple[datetime, datetime | None]] = [span for item in incidents for span in _spans(item)]
    unsure = {
        datetime.fromisoformat(item["started_at"])
        for item in incidents
        if (item.get("status") or "").lower() == _UNCONFIRMED
    }
    edges = [begins, max(begins, sure), *(at for window in windows or () for at in window)]
    changes = [Change(at, between(at)) for at in sorted(edges) if not _within(spans, at)]
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


def _windows(request: FetchRequest[BetterStack], monitor: dict[str, Any]) -> list[tuple[datetime, datetime]] | None:
    """Return when a monitor is not checked, around the asked days; None where its window cannot be read.

    A window over midnight is one of both days: the vendor has both named.
    """
    first, last = monitor.get("maintenance_from"), monitor.get("maintenance_to")
    if first is None and last is None:
        return []
    try:
        begins, ends = str(first)[:_MINUTES], str(last)[:_MINUTES]
        times = [(begins, ends)] if begins < ends else [("00:00", ends), (begins, "24:00")]
        item = {
            "times": [{"start_time": start, "end_time": end} for start, end in times],
            "weekdays": [_WEEKDAYS[day] for day in monitor.get("maintenance_days") or ()],
            "location": _zone(monitor.get("maintenance_timezone") or "UTC"),
        }
        return times_of(item, request.starts_at - timedelta(days=1), request.ends_at)
    except (LookupError, TypeError, ValueError, OSError):
        return None


@cache
def _zone(name: str) -> str:
    """Return the zone that a name of Ruby on Rails means: most are the town of a zone, and only of those it is known.

    Raises:
        LookupError: It is no such name.
    """
    known = available_timezones()
    town = f"/{name.replace(' ', '_')}"
    found = sorted(zone for zone in known if zone.endswith(town) and zone.startswith(_CONTINENTS))
    return name if name in known else found[0]


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


def _within(spans: Iterable[tuple[datetime, datetime | None]], at: datetime) -> bool:
    """Whether an incident or a window lasts at an instant."""
    return any(started <= at and (resolved is None or at < resolved) for started, resolved in spans)
