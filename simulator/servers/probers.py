"""UptimeRobot, Better Stack and Upptime: probers that keep changes of state."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from typing import Any
from urllib.parse import parse_qs, urlencode

import polars as pl
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.servers.records import PLANTED, Records, parse, text

# The service of a monitor is told by its place among the services, from here on.
FIRST_MONITOR = 777_000_001
REPOSITORY = "kystetaten/status"
# Fewer than the API's fifty, so that there are pages.
_PAGE = 5
Changes = list[tuple[datetime, str]]


def changes(records: Records) -> dict[str, Changes]:
    """Return service -> when its probe's state changed, and to what."""
    frame = records.frames["availability_checks"].sort("monitor_id", "checked_at")
    told = frame.select("monitor_id", "checked_at", "status")
    is_first = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift()) for name in ("monitor_id", "status"))
    found: dict[str, Changes] = {}
    for monitor, at, status in told.filter(is_first).iter_rows():
        found.setdefault(monitor.removeprefix("probe-"), []).append((at, status))
    return found


def _seconds(at: datetime) -> int:
    return round(at.timestamp())


class _UptimeRobot:
    """The API v2: everything is a form that is posted."""

    def __init__(self, records: Records, found: dict[str, Changes]) -> None:
        self.monitors = [_monitor(number, name, found[name], records.now) for number, name in enumerate(sorted(found))]

    async def monitors_of(self, request: Request) -> Response:
        """A page of monitors with their logs."""
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        if not form.get("api_key"):
            error = {"type": "invalid_parameter", "parameter_name": "api_key", "message": "api_key not found."}
            return JSONResponse({"stat": "fail", "error": error})
        offset, limit = int(form.get("offset", "0")), min(_PAGE, int(form.get("limit", "50")))
        pagination = {"offset": offset, "limit": limit, "total": len(self.monitors)}
        page = self.monitors[offset : offset + limit]
        return JSONResponse({"stat": "ok", "pagination": pagination, "monitors": page})


def _monitor(number: int, name: str, mine: Changes, now: datetime) -> dict[str, Any]:
    ends = [*(at for at, _ in mine[1:]), now]
    logs = [
        {"type": 2 if status == "up" else 1, "datetime": _seconds(at), "duration": _seconds(end) - _seconds(at)}
        for (at, status), end in zip(mine, ends, strict=True)
    ]
    return {
        "id": FIRST_MONITOR + number,
        "friendly_name": name,
        "url": f"https://{name}.invalid",
        "type": 1,
        "sub_type": "",
        "keyword_type": "",
        "keyword_value": "",
        "http_username": PLANTED["person"],
        "http_password": PLANTED["secret"],
        "port": "",
        "interval": 300,
        "status": 2 if mine[-1][1] == "up" else 9,
        "create_datetime": _seconds(mine[0][0]),
        "monitor_group": 0,
        "is_group_main": 0,
        # Newest first, as the API lists them.
        "logs": logs[::-1],
    }


class _BetterStack:
    """The uptime API: records in pages, with the address of the next one."""

    def __init__(self, found: dict[str, Changes]) -> None:
        self.monitors: list[dict[str, Any]] = []
        self.incidents: dict[str, list[dict[str, Any]]] = {}
        for number, name in enumerate(sorted(found)):
            key, mine = str(FIRST_MONITOR + number), found[name]
            ends = [*(at for at, _ in mine[1:]), None]
            self.monitors.append({"id": key, "type": "monitor", "attributes": _attributes(name, mine)})
            self.incidents[key] = [
                {"id": f"{key}{place}", "type": "incident", "attributes": _incident(name, at, end)}
                for place, ((at, status), end) in enumerate(zip(mine, ends, strict=True))
                if status != "up"
            ]

    def monitors_of(self, request: Request) -> Response:
        """A page of monitors."""
        return _page(request, self.monitors)

    def incidents_of(self, request: Request) -> Response:
        """A page of a monitor's incidents, by the day they began."""
        query = request.query_params
        found = self.incidents.get(query["monitor_id"], [])
        if query.get("resolved") == "false":
            found = [item for item in found if item["attributes"]["resolved_at"] is None]
        if "from" in query:
            low, high = parse(query["from"]), parse(query["to"]) + timedelta(days=1)
            found = [item for item in found if low <= parse(item["attributes"]["started_at"]) < high]
        return _page(request, found)


def _bearer(function: Callable[[Request], Response]) -> Callable[[Request], Response]:
    def checked(request: Request) -> Response:
        if not request.headers.get("authorization", "").startswith("Bearer "):
            return JSONResponse({"errors": "Invalid Team API token. How to find your Team API token?"}, status_code=401)
        return function(request)

    return checked


def _page(request: Request, found: list[dict[str, Any]]) -> Response:
    page, size = int(request.query_params.get("page", "1")), min(_PAGE, int(request.query_params.get("per_page", "10")))

    def address(number: int) -> str:
        return f"{request.url.replace(query=None)}?{urlencode({**request.query_params, 'page': number})}"

    last = max(1, -(-len(found) // size))
    pagination = {
        "first": address(1),
        "last": address(last),
        "prev": address(page - 1) if page > 1 else None,
        "next": address(page + 1) if page < last else None,
    }
    return JSONResponse({"data": found[(page - 1) * size : page * size], "pagination": pagination})


def _attributes(name: str, mine: Changes) -> dict[str, Any]:
    return {
        "url": f"https://{name}.invalid",
        "pronounceable_name": name,
        "monitor_type": "status",
        "last_checked_at": text(mine[-1][0]),
        "status": "up" if mine[-1][1] == "up" else "down",
        "check_frequency": 180,
        "http_method": "get",
        "paused_at": None,
        "created_at": text(mine[0][0]),
        "updated_at": text(mine[0][0]),
        "regions": ["eu"],
        "maintenance_from": None,
        "maintenance_to": None,
    }


def _incident(name: str, at: datetime, end: datetime | None) -> dict[str, Any]:
    return {
        "name": name,
        "url": f"https://{name}.invalid",
        "http_method": "get",
        "cause": PLANTED["text"],
        "incident_group_id": None,
        "started_at": text(at),
        "acknowledged_at": text(end),
        "acknowledged_by": PLANTED["person"] if end else None,
        "resolved_at": text(end),
        "resolved_by": PLANTED["person"] if end else None,
        "status": "Resolved" if end else "Started",
        "response_content": PLANTED["text"],
        "regions": ["eu"],
    }


class _Upptime:
    """The part of GitHub's REST API that shows an Upptime repository."""

    def __init__(self, records: Records, found: dict[str, Changes]) -> None:
        self.commits = {f"history/{name}.yml": _commits(name, mine, records.now) for name, mine in found.items()}

    def history(self, _request: Request) -> Response:
        """The files of the folder."""
        names = sorted([*self.commits, "history/summary.json"])
        return JSONResponse([{"type": "file", "name": name.rsplit("/", 1)[1], "path": name} for name in names])

    def commits_of(self, request: Request) -> Response:
        """Commits of a file, newest first."""
        query = request.query_params
        low = parse(query["since"]) if "since" in query else datetime.min.replace(tzinfo=UTC)
        high = parse(query["until"])
        found = [item for at, item in self.commits.get(query["path"], []) if low <= at <= high][::-1]
        page, size = int(query.get("page", "1")), int(query.get("per_page", "30"))
        following = f"{request.url.replace(query=None)}?{urlencode({**query, 'page': page + 1})}"
        headers = {"link": f'<{following}>; rel="next"'} if page * size < len(found) else {}
        return JSONResponse(found[(page - 1) * size : page * size], headers=headers)


def _commits(name: str, mine: Changes, now: datetime) -> list[tuple[datetime, dict[str, Any]]]:
    """A commit for each change, and one each night whatever the state."""
    found: list[tuple[datetime, str]] = []
    for place, (at, status) in enumerate(mine):
        end = mine[place + 1][0] if place + 1 < len(mine) else now
        found.append((at, status))
        night = at.replace(hour=23, minute=0, second=0, microsecond=0)
        while night < end:
            if night > at:
                found.append((night, status))
            night += timedelta(days=1)
    return [(at, _commit(f"{name}{place}", at, name, status)) for place, (at, status) in enumerate(found)]


def _commit(key: str, at: datetime, name: str, status: str) -> dict[str, Any]:
    sign = {"up": "\U0001f7e9", "down": "\U0001f7e5"}[status]
    who = {"name": PLANTED["person"], "email": PLANTED["mail"], "date": text(at)}
    message = f"{sign} {name} is {status} ({200 if status == 'up' else 0} in 123 ms) [skip ci] [upptime]"
    return {
        "sha": sha1(key.encode(), usedforsecurity=False).hexdigest(),
        "commit": {"author": who, "committer": who, "message": message},
    }


def routes(records: Records) -> dict[str, list[Route]]:
    """Return prefix -> the routes below it."""
    found = changes(records)
    robot, stack, upptime = _UptimeRobot(records, found), _BetterStack(found), _Upptime(records, found)
    return {
        "/uptimerobot": [Route("/v2/getMonitors", robot.monitors_of, methods=["POST"])],
        "/betterstack": [
            Route("/api/v2/monitors", _bearer(stack.monitors_of)),
            Route("/api/v3/incidents", _bearer(stack.incidents_of)),
        ],
        "/upptime": [
            Route(f"/repos/{REPOSITORY}/contents/history", upptime.history),
            Route(f"/repos/{REPOSITORY}/commits", upptime.commits_of),
        ],
    }
