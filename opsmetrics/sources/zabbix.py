"""Zabbix's problems as alerts, with the first acknowledgement and the recovery (contracts, C4).

Of the updates of a problem only instant, kind, the severity before and the name of the account are asked for; the name
decides whether a person or a machine acted, and is not kept. Names of problems and messages are not asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from opsmetrics.core.instants import instant
from opsmetrics.organisation.connectors.monitors import Zabbix
from opsmetrics.sources.actors import is_machine
from opsmetrics.sources.fetching import FetchRequest, FetchResult
from opsmetrics.sources.http import ROLES, Http, required_secret
from opsmetrics.sources.zabbix_maintenance import MEMORY, PERIOD, Calendar, Span, seen_with, spans_seen

Row = dict[str, Any]
PATH = "api_jsonrpc.php"
PAGE = 1000
# Since these versions the token goes into a header, and updates and groups are asked for by this name; the older forms
# were taken away in 7.2.
_HEADER_SINCE: tuple[int, int] = (6, 4)
_GROUPS_SINCE: tuple[int, int] = (6, 2)
_UPDATES_SINCE: tuple[int, int] = (7, 0)
_CLOSED, _ACKNOWLEDGED = 1, 2
# Whose acknowledgement counts before whose.
_WHO = ("human", None, "bot")
_SEVERITY, _SUPPRESSED = 8, 32
_MOST_SEVERE = 5
# Status of a trigger or host that is switched off.
_OFF = "1"
UNTOLD_MAINTENANCE = (
    "when hosts were in maintenance cannot be read (maintenance.get or host.get is refused): "
    "problems of maintenance that is over count as pages"
)
UNWATCHED = (
    "problems of triggers or hosts that were switched off or deleted, open for ever: when they ended is not known"
)


class Client:
    """A client of one Zabbix, which speaks JSON-RPC and refuses with status 200."""

    def __init__(self, request: FetchRequest[Zabbix]) -> None:
        self.request, settings = request, request.connector
        token = required_secret(settings.name, settings.token_env, ROLES[settings.kind])
        self._auth: Row = {}
        with self._http({}) as http:
            self.version = str(self._result(http, "apiinfo.version", {}))
        match = re.match(r"(\d+)\.(\d+)", self.version)
        version: tuple[int, int] = (int(match[1]), int(match[2])) if match else _UPDATES_SINCE
        self.select_updates = "selectAcknowledges" if version >= _UPDATES_SINCE else "select_acknowledges"
        self.select_groups = "selectHostGroups" if version >= _GROUPS_SINCE else "selectGroups"
        in_header = version >= _HEADER_SINCE
        self._auth = {} if in_header else {"auth": token}
        self.http = self._http({"Authorization": f"Bearer {token}"} if in_header else {})

    def _http(self, headers: dict[str, str]) -> Http:
        settings = self.request.connector
        return self.request.client(settings.url, headers=headers, variable=settings.token_env)

    def call(self, method: str, params: Row) -> Any:
        """Return the result of a method.

        Raises:
            SourceError: Zabbix refuses; its code is told, never its text.
        """
        return self._result(self.http, method, params)

    def call_if_allowed(self, method: str, params: Row) -> Any:
        """Return the result of a method, None where Zabbix refuses it."""
        return self._result(self.http, method, params, may_refuse=True)

    def _result(self, http: Http, method: str, params: Row, *, may_refuse: bool = False) -> Any:
        body = {"jsonrpc": "2.0", "method": method, "params": params, "id": 1, **self._auth}
        answer = http.post(PATH, json=body)
        if "error" in answer and may_refuse:
            return None
        if "error" in answer:
            fix = f"check the token in {self.request.connector.token_env} and that its role may call {method}"
            raise http.error(PATH, f"{method} is refused ({int(answer['error']['code'])})", fix)
        return answer["result"]


def probe(request: FetchRequest[Zabbix]) -> str:
    """Ask for the version, without and for one event with the token."""
    client = Client(request)
    with client.http:
        client.call("event.get", {"output": ["eventid"], "limit": 1})
    return f"readable, Zabbix {client.version}"


def alerts(request: FetchRequest[Zabbix]) -> FetchResult:
    """Return the problems of the asked days from ``min_severity`` on, without those that maintenance suppressed.

    A problem that outlives the maintenance in which it began tells somebody when that ends, and is of that day.
    """
    settings = request.connector
    client = Client(request)
    with client.http:
        found = _maintenance(client)
        problems = list(_problems(client, _first(request, found or [])))
        if not problems:
            _refuse_blindness(client)
        problems = _with_hosts(request, [item for item in problems if _severity(item) >= settings.min_severity])
        recovered = {item["r_eventid"] for item in problems if not _is_open(item)}
        ends = _clocks(client, sorted(recovered, key=int))
        unwatched = _unwatched(request, problems)
        calendar = None if found is None else _calendar(client, found, problems)
    rows: list[Row] = []
    for item in problems:
        ended = unwatched[item["eventid"]] if item["eventid"] in unwatched else ends.get(item["r_eventid"])
        fired = _fired(item, ended, calendar, request.now)
        if fired is None:
            continue
        acknowledged = _acknowledgement(settings, item["acknowledges"])
        severity = _severity(item)
        rows.append(
            {
                "alert_id": f"{settings.name}-{item['eventid']}",
                "service_id": _service(settings, item),
                "rule_id": f"{settings.name}-{item['objectid']}",
                # Zabbix counts from 0, not classified, up to 5, the worst.
                "severity": _MOST_SEVERE + 1 - severity if severity else None,
                "fired_at": fired,
                # Who acknowledged before anybody was told answered at once.
                "acknowledged_at": max(fired, acknowledged[0]) if acknowledged else None,
                "acknowledged_by_kind": acknowledged[1] if acknowledged else None,
                "closed_at": ended,
            }
        )
    notes = (UNTOLD_MAINTENANCE,) if calendar is None else ()
    left = sum(at is None for at in unwatched.values())
    return FetchResult(rows, source=f"{settings.url} problems", notes=notes, counted={UNWATCHED: left} if left else {})


def _refuse_blindness(client: Client) -> None:
    """Refuse to take an account without rights for a quiet time: events of hosts that it may not read are left out.

    Raises:
        SourceError: The token's user may read no host at all.
    """
    if client.call_if_allowed("host.get", {"output": ["hostid"], "limit": 1}) == []:
        message = "there are no hosts, or none that the token's user may read"
        raise client.http.error(PATH, message, "give the user of the token read access to the host groups")


def _severity(item: Row) -> int:
    """Return the severity that a problem had when it began: what people make of it later calls nobody."""
    changes = [update for update in item["acknowledges"] if int(update["action"]) & _SEVERITY]
    first = min(changes, key=lambda update: int(update["clock"]), default=None)
    before = first.get("old_severity") if first else None
    return int(item["severity"] if before is None else before)


def _fired(item: Row, ended: datetime | None, calendar: Calendar | None, now: datetime) -> datetime | None:
    """Return when somebody was told of a problem, None where nobody was."""
    began = _at(item["clock"], item["ns"])
    is_suppressed = item["suppressed"] == "1" and not _is_put_off(item)
    if calendar is None:
        return None if is_suppressed else began
    hosts, tags = [host["hostid"] for host in item["hosts"]], item["tags"]
    told = calendar.told_at(hosts, tags, began)
    if told > min(ended or now, now):
        return None
    # What is suppressed now was there before a maintenance that we see, or lies in one that we may not see.
    return None if is_suppressed and not calendar.holding(hosts, tags, now) else told


def _maintenance(client: Client) -> list[Span] | None:
    """Return when maintenances were in force around the asked days and now, None where that cannot be read."""
    request = client.request
    if "maintenance" not in request.known:
        told: list[Row] | None = client.call_if_allowed(
            "maintenance.get",
            {
                "output": ["maintenanceid", "active_since", "active_till", "tags_evaltype"],
                "selectHosts": ["hostid"],
                client.select_groups: ["groupid", "name"],
                "selectTags": ["tag", "operator", "value"],
                "selectTimeperiods": list(PERIOD),
            },
        )
        if told is not None:
            request.kept["maintenance"] = seen_with(told, request.kept.get("maintenance") or [], request.now)
        request.known["maintenance"] = told is not None
    if not request.known["maintenance"]:
        return None
    zone = ZoneInfo(request.connector.timezone or request.organisation.settings.timezone)
    until = request.now + timedelta(seconds=1)
    return spans_seen(request.kept["maintenance"], request.starts_at, until, request.now, zone)


def _first(request: FetchRequest[Zabbix], found: list[Span]) -> datetime:
    """Return from when on problems can tell somebody in the asked days."""
    return min([request.starts_at, *(span.since for span in found if request.covers(span.until))])


def _calendar(client: Client, found: list[Span], problems: list[Row]) -> Calendar | None:
    """Return when the hosts of problems were in maintenance, None where their groups cannot be read."""
    # Those of a host that was deleted are told no more.
    groups: dict[str, list[str]] = client.request.kept.setdefault("groups", {})
    if any(span.maintenance.groups for span in found):
        hosts = sorted({host["hostid"] for item in problems for host in item["hosts"]}, key=int)
        for place in range(0, len(hosts), PAGE):
            asked = {"output": ["hostid"], "hostids": hosts[place : place + PAGE], client.select_groups: ["name"]}
            told = client.call_if_allowed("host.get", asked)
            if told is None:
                return None
            for host in told:
                named: list[Row] = host.get("hostgroups") or host.get("groups") or []
                groups[host["hostid"]] = [group["name"] for group in named]
    return Calendar(found, groups)


def _problems(client: Client, since: datetime) -> Iterator[Row]:
    """Yield the problem events from an instant to the end of the asked days by id, a page at a time."""
    request = client.request
    last = 0
    while True:
        page = client.call(
            "event.get",
            {
                "output": ["eventid", "objectid", "clock", "ns", "severity", "r_eventid", "suppressed"],
                "source": 0,
                "object": 0,
                "value": 1,
                "time_from": int(since.timestamp()),
                "time_till": int(request.ends_at.timestamp()) - 1,
                "eventid_from": str(last + 1),
                client.select_updates: ["clock", "action", "username", "old_severity"],
                "selectHosts": ["host", "status"],
                "selectRelatedObject": ["status"],
                "selectTags": ["tag", "value"],
                "sortfield": ["eventid"],
                "sortorder": "ASC",
                "limit": PAGE,
            },
        )
        fresh = [item for item in page if int(item["eventid"]) > last]
        yield from {item["eventid"]: item for item in fresh}.values()
        if len(page) < PAGE or not fresh:
            return
        last = max(int(item["eventid"]) for item in fresh)


def _clocks(client: Client, ids: list[str]) -> dict[str, datetime]:
    """Return recovery event -> when; events lie outside the asked days, too."""
    found: dict[str, datetime] = {}
    for place in range(0, len(ids), PAGE):
        asked = {"output": ["eventid", "clock", "ns"], "source": 0, "object": 0, "eventids": ids[place : place + PAGE]}
        found |= {item["eventid"]: _at(item["clock"], item["ns"]) for item in client.call("event.get", asked)}
    return found


def _is_open(item: Row) -> bool:
    return item["r_eventid"] in (None, "0")


def _is_watched(item: Row) -> bool:
    """Whether Zabbix still looks whether a problem is over: its trigger and hosts are there and switched on."""
    trigger = item.get("relatedObject", {"status": "0"})
    return bool(trigger) and all(str(one.get("status")) != _OFF for one in (trigger, *item["hosts"]))


def _unwatched(request: FetchRequest[Zabbix], problems: list[Row]) -> dict[str, datetime | None]:
    """Return open problem -> since when Zabbix no longer looks whether it is over, None where no pull saw that begin.

    Of a trigger or host that somebody switched off or deleted no problem ever ends.
    """
    # Problem -> when it was last seen watched, and when it was first seen not to be.
    before: dict[str, list[str | None]] = request.kept.get("open") or {}
    seen = {key: said for key, said in before.items() if request.now - datetime.fromisoformat(said[0] or "") < MEMORY}
    found: dict[str, datetime | None] = {}
    for item in problems:
        key = item["eventid"]
        if not _is_open(item):
            seen.pop(key, None)
        elif _is_watched(item):
            seen[key] = [request.now.isoformat(), None]
        else:
            if key in seen and seen[key][1] is None:
                seen[key][1] = request.now.isoformat()
            found[key] = instant(seen[key][1]) if key in seen else None
    request.kept["open"] = seen
    return found


def _with_hosts(request: FetchRequest[Zabbix], problems: list[Row]) -> list[Row]:
    """Return problems with the hosts of their triggers, also where they were deleted after a pull was told of them."""
    hosts: dict[str, list[Row]] = request.kept.setdefault("hosts", {})
    for item in problems:
        if item["hosts"]:
            hosts[item["objectid"]] = [{name: each[name] for name in ("hostid", "host")} for each in item["hosts"]]
    return [item if item["hosts"] else item | {"hosts": hosts.get(item["objectid"], [])} for item in problems]


def _is_put_off(item: Row) -> bool:
    """Whether somebody suppressed a problem by hand: it was there to be seen before, and is a page as it was."""
    return any(int(update["action"]) & _SUPPRESSED for update in item["acknowledges"])


def _acknowledgement(settings: Zabbix, updates: list[Row]) -> tuple[datetime, str | None] | None:
    """Return when a problem was first acknowledged, and by whom: by a person, else by nobody knows whom or a machine.

    Who closes what nobody had acknowledged has answered it, but for machines; messages and severities answer nothing.
    """
    found: list[tuple[int, datetime]] = []
    for item in updates:
        # Zabbix leaves out the name of an account that ours may not see, and of one that is gone.
        who, action = item.get("username"), int(item["action"])
        kind = None if not who else "bot" if is_machine(who, bots=settings.bots) else "human"
        if action & _ACKNOWLEDGED or (action & _CLOSED and kind != "bot"):
            found.append((_WHO.index(kind), _at(item["clock"])))
    if not found:
        return None
    order, at = min(found)
    return at, _WHO[order]


def _service(settings: Zabbix, item: Row) -> str | None:
    """Return the service of the configured tag, else of the host; events carry the tags of their host.

    Of a host that is gone and was never told the trigger shows up as a name without owner.
    """
    tagged = next((tag["value"] for tag in item["tags"] if tag["tag"] == settings.service_tag and tag["value"]), None)
    host = next((each["host"] for each in item["hosts"]), None)
    return settings.service(tagged or host or f"{settings.name}-{item['objectid']}")


def _at(seconds: str, nanoseconds: str = "0") -> datetime:
    return datetime.fromtimestamp(int(seconds), tz=UTC) + timedelta(microseconds=int(nanoseconds) // 1000)
