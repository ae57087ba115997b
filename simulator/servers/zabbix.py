"""Zabbix's JSON-RPC API: problems with their updates, and the events that ended them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.servers.records import PLANTED, Records, Row

VERSION = "7.0.5"
# Actions are bits: 2 acknowledges, 4 adds a message.
_ACKNOWLEDGED, _MESSAGE = 2, 4


def _clock(at: datetime) -> dict[str, str]:
    return {"clock": str(int(at.timestamp())), "ns": str(at.microsecond * 1000)}


def _events(records: Records) -> dict[int, Row]:
    """Return event id -> event; a problem has an odd id, its recovery the next one."""
    rows = sorted(records.rows["alerts"], key=lambda row: row["fired_at"])
    triggers = {rule: str(22_000 + number) for number, rule in enumerate(sorted({row["rule_id"] for row in rows}))}
    found: dict[int, Row] = {}
    for number, row in enumerate(rows):
        key = 2 * number + 1
        shared = {"source": "0", "object": "0", "objectid": triggers[row["rule_id"]], "name": PLANTED["text"]}
        updates = [
            {
                "action": str(action),
                "username": PLANTED["person"],
                "message": PLANTED["text"],
                "old_severity": "0",
                **_clock(at),
            }
            for action, at in ((_MESSAGE, row["fired_at"]), (_ACKNOWLEDGED | _MESSAGE, row["acknowledged_at"]))
            if at is not None
        ]
        found[key] = {
            **shared,
            **_clock(row["fired_at"]),
            "eventid": str(key),
            "value": "1",
            "severity": str(6 - row["severity"]),
            "r_eventid": str(key + 1) if row["closed_at"] else "0",
            "suppressed": "0",
            "acknowledges": [{name: update[name] for name in update if name != "ns"} for update in updates],
            "hosts": [{"hostid": "10084", "host": f"vm-{row['service_id']}", "status": "0"}],
            "relatedObject": {"triggerid": shared["objectid"], "status": "0"},
            "tags": [{"tag": "class", "value": "os"}, {"tag": "service", "value": row["service_id"]}],
        }
        if row["closed_at"]:
            end = {"eventid": str(key + 1), "value": "0", "severity": "0", "r_eventid": "0", "suppressed": "0"}
            found[key + 1] = {**shared, **_clock(row["closed_at"]), **end, "acknowledges": [], "hosts": [], "tags": []}
    return found


class _Api:
    def __init__(self, records: Records) -> None:
        self.events = _events(records)

    def get(self, params: Row) -> list[Row]:
        """Answer event.get."""
        found = list(self.events.values())
        if "eventids" in params:
            found = [self.events[int(key)] for key in params["eventids"] if int(key) in self.events]
        if "value" in params:
            found = [item for item in found if int(item["value"]) == params["value"]]
        if "severities" in params:
            found = [item for item in found if int(item["severity"]) in params["severities"]]
        low, high = params.get("time_from", 0), params.get("time_till", 1 << 40)
        first = int(params.get("eventid_from", 0))
        found = [item for item in found if low <= int(item["clock"]) <= high and int(item["eventid"]) >= first]
        found = sorted(found, key=lambda item: int(item["eventid"]))[: params.get("limit")]
        return [_shown(item, params) for item in found]

    async def answer(self, request: Request) -> Response:
        """Answer a method; what is refused is refused with status 200."""
        body = await request.json()
        is_known = request.headers.get("authorization", "").startswith("Bearer ")
        if body["method"] == "apiinfo.version" and not is_known:
            return JSONResponse({"jsonrpc": "2.0", "result": VERSION, "id": body["id"]})
        if body["method"] == "maintenance.get" and is_known:
            return JSONResponse({"jsonrpc": "2.0", "result": [], "id": body["id"]})
        if body["method"] != "event.get" or not is_known:
            error = {"code": -32602, "message": "Invalid params.", "data": "Not authorized."}
            return JSONResponse({"jsonrpc": "2.0", "error": error, "id": body["id"]})
        return JSONResponse({"jsonrpc": "2.0", "result": self.get(body["params"]), "id": body["id"]})


def _shown(item: Row, params: Row) -> Row:
    shown: dict[str, Any] = {name: item[name] for name in params["output"]}
    selected = {"selectAcknowledges": "acknowledges", "selectHosts": "hosts", "selectTags": "tags"}
    for option, name in selected.items():
        if option in params:
            # Hosts come with their ids, whatever was asked for.
            fields = [*(["hostid"] if name == "hosts" else []), *params[option]]
            shown[name] = [{field: each[field] for field in fields} for each in item[name]]
    if "selectRelatedObject" in params:
        shown["relatedObject"] = item["relatedObject"]
    return shown


def routes(records: Records) -> list[Route]:
    """Return the route below ``/zabbix``."""
    return [Route("/api_jsonrpc.php", _Api(records).answer, methods=["POST"])]
