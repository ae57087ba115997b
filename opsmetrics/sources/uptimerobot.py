"""UptimeRobot's log of each monitor: when it went down, came up, was paused and started (contracts, K).

In a maintenance window nothing is checked, and the log says nothing of it: the state is unknown then. Windows are told
as they are now; the past is read with them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from opsmetrics.organisation.connectors.monitors import UptimeRobot
from opsmetrics.sources.fetching import FetchRequest, FetchResult
from opsmetrics.sources.http import ROLES, required_secret
from opsmetrics.sources.recurring import Recurring
from opsmetrics.sources.transitions import Change, Status, rows_of

PAGE = 50
# A monitor that is paused, or was just started and has not been checked, has no state that anybody knows.
_STATES: dict[int, Status] = {1: "down", 2: "up", 98: "unknown", 99: "unknown"}
# Kinds of maintenance windows.
_KINDS: Mapping[int, Literal["once", "daily", "weekly", "monthly"]] = {1: "once", 2: "daily", 3: "weekly", 4: "monthly"}
UNREADABLE = "maintenance windows that cannot be read: what was not checked then counts as it stood"


def _monitors(request: FetchRequest[UptimeRobot], *, most: int | None = None) -> Iterator[dict[str, Any]]:
    """Yield the monitors with their whole log, each once; the API says with status 200 that it refuses."""
    settings, seen = request.connector, set[int]()
    key = required_secret(settings.name, settings.token_env, ROLES[settings.kind])
    with request.client(settings.url, variable=settings.token_env) as http:
        offset = 0
        while True:
            form = {"api_key": key, "format": "json", "logs": "1", "mwindows": "1"}
            answer = http.post("v2/getMonitors", data={**form, "offset": str(offset), "limit": str(most or PAGE)})
            if answer["stat"] != "ok":
                fix = f"put {ROLES[settings.kind]} into {settings.token_env}"
                raise http.error("v2/getMonitors", "the API refuses", fix)
            for monitor in answer["monitors"]:
                if monitor["id"] not in seen:
                    seen.add(monitor["id"])
                    yield monitor
            # Not by what came: a page that tells a monitor twice would skip another one.
            offset += max(1, int(answer["pagination"]["limit"]))
            if most is not None or not answer["monitors"] or offset >= int(answer["pagination"]["total"]):
                return


def probe(request: FetchRequest[UptimeRobot]) -> str:
    """Ask for one monitor."""
    return f"readable, {len(list(_monitors(request, most=1)))} of the monitors seen"


def availability_checks(request: FetchRequest[UptimeRobot]) -> FetchResult:
    """Return the changes of each monitor; before the oldest that the plan keeps the state is unknown."""
    rows: list[dict[str, Any]] = []
    unreadable = set[str]()
    for monitor in _monitors(request):
        # A monitor without a log yet has no state that anybody knows. Numbers come as numbers or as texts.
        told = sorted(
            Change(_at(entry["datetime"]), _STATES.get(int(entry["type"]), "unknown"))
            for entry in monitor.get("logs") or ()
        )
        changes = [*told, *_unchecked(request, monitor, told, unreadable)]
        rows += rows_of(request, str(monitor["id"]), _at(monitor["create_datetime"]), changes)
    counted = {UNREADABLE: len(unreadable)} if unreadable else {}
    return FetchResult(rows, source=f"{request.connector.url} monitors", counted=counted)


def _unchecked(
    request: FetchRequest[UptimeRobot], monitor: dict[str, Any], told: list[Change], unreadable: set[str]
) -> Iterator[Change]:
    """Yield when a monitor is not checked, and the state that stands again afterwards; what is logged was checked."""
    zone = ZoneInfo(request.connector.timezone or request.organisation.settings.timezone)
    windows: list[Recurring] = []
    for window in monitor.get("mwindows") or ():
        if not isinstance(window, dict) or str(window.get("status", 1)) == "0":
            # Only its number is told, or it is switched off.
            continue
        try:
            windows.append(_recurring(window, zone))
        except (LookupError, TypeError, ValueError, OverflowError, OSError):
            unreadable.add(str(window.get("id")))
    # One that began before the asked days may reach into them.
    bounds = (request.starts_at - timedelta(days=2), request.ends_at)
    found = sorted({times for window in windows for times in window.times(bounds, bounds, zone)})
    for since, until in found:
        ends = next((change.at for change in told if since < change.at < until), until)
        before: list[Status] = [change.status for change in told if change.at <= ends]
        yield Change(since, "unknown")
        if before and not any(other[0] < ends < other[1] for other in found if other != (since, until)):
            yield Change(ends, before[-1])


def _recurring(window: dict[str, Any], zone: ZoneInfo) -> Recurring:
    """Read a maintenance window; its value is the days of the week or the month."""
    kind, begins = _KINDS[int(window["type"])], str(window["start_time"])
    days = frozenset(int(day) for day in str(window.get("value") or "").split("-") if day)
    if ":" in begins:
        hours, minutes = (int(part) for part in begins.split(":")[:2])
    else:
        local = _at(begins).astimezone(zone)
        hours, minutes = local.hour, local.minute
    return Recurring(
        kind,
        timedelta(minutes=int(window["duration"])),
        once_at=_at(int(begins)) if kind == "once" else None,
        minute=hours * 60 + minutes,
        weekdays=frozenset(day - 1 for day in days) if kind == "weekly" else frozenset(),
        days=days if kind == "monthly" else frozenset(),
    )


def _at(seconds: int | str) -> datetime:
    return datetime.fromtimestamp(int(seconds), tz=UTC)
