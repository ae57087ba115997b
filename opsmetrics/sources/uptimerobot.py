"""UptimeRobot's log of each monitor: when it went down, came up, was paused and started (contracts, K)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from opsmetrics.organisation.connectors.monitors import UptimeRobot
from opsmetrics.sources.fetching import FetchRequest, FetchResult
from opsmetrics.sources.http import ROLES, required_secret
from opsmetrics.sources.transitions import Change, Status, rows_of

PAGE = 50
# A monitor that is paused, or was just started and has not been checked, has no state that anybody knows.
_STATES: dict[int, Status] = {1: "down", 2: "up", 98: "unknown", 99: "unknown"}


def _monitors(request: FetchRequest[UptimeRobot], *, most: int | None = None) -> Iterator[dict[str, Any]]:
    """Yield the monitors with their whole log, each once; the API says with status 200 that it refuses."""
    settings, seen = request.connector, set[int]()
    key = required_secret(settings.name, settings.token_env, ROLES[settings.kind])
    with request.client(settings.url, variable=settings.token_env) as http:
        offset = 0
        while True:
            form = {"api_key": key, "format": "json", "logs": "1"}
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
    rows = [
        row
        for monitor in _monitors(request)
        for row in rows_of(
            request,
            str(monitor["id"]),
            _at(monitor["create_datetime"]),
            # A monitor without a log yet has no state that anybody knows. Numbers come as numbers or as texts.
            [
                Change(_at(entry["datetime"]), _STATES.get(int(entry["type"]), "unknown"))
                for entry in monitor.get("logs") or ()
            ],
        )
    ]
    return FetchResult(rows, source=f"{request.connector.url} monitors")


def _at(seconds: int | str) -> datetime:
    return datetime.fromtimestamp(int(seconds), tz=UTC)
