"""ServiceNow: incidents and changes by the Table API (contracts, L).

Values and names come together (``sysparm_display_value=all``): times are read from the values, which are UTC, and names
of services from the names of references. No text and nobody's name is asked for.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from opsmetrics.core.errors import Problem, SourceError
from opsmetrics.core.settings import secret
from opsmetrics.organisation.connectors.desks import SERVICENOW_STATES, RecordField, ServiceNow
from opsmetrics.organisation.names import folded
from opsmetrics.sources.codes import reference_of
from opsmetrics.sources.fetching import FetchRequest, FetchResult
from opsmetrics.sources.http import Http
from opsmetrics.streams import STREAMS

Row = dict[str, Any]
PAGE = 1000
# Times of a query are those of the account's zone in some places and UTC in others: a day more on both sides is enough.
MARGIN = timedelta(days=1)
TABLES = {"incidents": "incident", "maintenance_tasks": "change_request"}
KEYS = {"incidents": "incident_id", "maintenance_tasks": "task_id"}
ENDS = {"incidents": "resolved_at", "maintenance_tasks": "completed_at"}
_CODES = frozenset({"signature", "caused_by_deployment_id"})


def _secret(settings: ServiceNow, variable: str) -> str:
    value = secret(variable)
    if value is None:
        raise SourceError(Problem(settings.name, None, f"{variable} is not set", f"put the secret into {variable}"))
    return value


def _client(request: FetchRequest[ServiceNow]) -> Http:
    settings = request.connector
    if settings.user_env and settings.password_env:
        variable = settings.password_env
        pair = f"{_secret(settings, settings.user_env)}:{_secret(settings, variable)}"
        authorization = f"Basic {base64.b64encode(pair.encode()).decode()}"
    else:
        variable = settings.client_secret_env or ""
        form = {
            "grant_type": "client_credentials",
            "client_id": _secret(settings, settings.client_id_env or ""),
            "client_secret": _secret(settings, variable),
        }
        with request.client(settings.url, variable=variable) as http:
            authorization = f"Bearer {http.post('oauth_token.do', data=form)['access_token']}"
    headers = {"Authorization": authorization, "Accept": "application/json"}
    return request.client(settings.url, headers=headers, variable=variable)


def _path(request: FetchRequest[ServiceNow]) -> str:
    return f"api/now/table/{TABLES[request.stream]}"


def _query(request: FetchRequest[ServiceNow], *conditions: str) -> Row:
    """Return the parameters of a question for the records of a stream, in an order that new records do not change."""
    ways = request.connector.places(request.stream).values()
    names = {"sys_id", "number", "state", *(place.field for places in ways for place in places)}
    if request.stream == "maintenance_tasks":
        names.add("close_code")
    asked = [request.connector.queries.get(request.stream, ""), *conditions, "ORDERBYsys_created_on^ORDERBYsys_id"]
    return {
        "sysparm_query": "^".join(filter(None, asked)),
        "sysparm_fields": ",".join(sorted(names)),
        "sysparm_limit": PAGE,
        "sysparm_display_value": "all",
        "sysparm_exclude_reference_link": "true",
    }


def probe(request: FetchRequest[ServiceNow]) -> str:
    """Ask for one record of each stream: are its fields there, and how many records are there?"""
    found: list[str] = []
    with _client(request) as http:
        for stream in request.connector.streams:
            asked = replace(request, stream=stream)
            answer = http.answer("GET", _path(asked), params={**_query(asked), "sysparm_limit": 1})
            for record in answer.json()["result"]:
                _row(asked, record)
            found.append(f"{answer.headers.get('x-total-count', 'some')} records for {stream}")
    return f"readable, {', '.join(found)}"


def _records(request: FetchRequest[ServiceNow], *conditions: str) -> tuple[list[Row], int]:
    """Return the records of a stream, each once, and how many the account may not see.

    Pages follow the links in the answers' headers. What the account has no right to is taken out of a page after it
    was made, without a word: only the header that counts the records of the query still counts it.
    """
    found: dict[str, Row] = {}
    total = 0
    with _client(request) as http:
        for answer in http.answers(_path(request), **_query(request, *conditions)):
            page, count = answer.json(), answer.headers.get("x-total-count", "")
            total = max(total, int(count) if count.isdecimal() else 0)
            if page.get("error"):
                # It comes with status 200 and the records that were ready by then.
                fix = "narrow the query in sources.toml, or ask for a longer time in the instance's quota rules"
                raise http.error(_path(request), "the instance broke its answer off", fix)
            for record in page["result"]:
                found.setdefault(value_of(_cell(request, record, "sys_id")), record)
    return list(found.values()), max(0, total - len(found))


def incidents(request: FetchRequest[ServiceNow]) -> FetchResult:
    """Return the incidents that were opened in the asked days; those that were cancelled are none."""
    first, last = request.starts_at - MARGIN, request.ends_at + MARGIN
    field, sign = ("opened_at", True) if _is_opened(request) else ("sys_updated_on", False)
    conditions = [f"{field}>={first:%Y-%m-%d %H:%M:%S}", *([f"{field}<{last:%Y-%m-%d %H:%M:%S}"] if sign else [])]
    return _result(request, *_records(request, *conditions))


def _is_opened(request: FetchRequest[ServiceNow]) -> bool:
    """Whether incidents are declared when they are opened; else they are asked for by their last change."""
    return [place.field for place in request.connector.places(request.stream)["declared_at"]] == ["opened_at"]


def maintenance_tasks(request: FetchRequest[ServiceNow]) -> FetchResult:
    """Return all changes of the query; one that was cancelled, or closed as not done, has no end."""
    return _result(request, *_records(request))


def _result(request: FetchRequest[ServiceNow], records: Iterable[Row], hidden: int) -> FetchResult:
    """Return the rows of records.

    What cannot be told to be open or over, and what the account may not see, makes the answer a part, and is told.
    """
    states = {**SERVICENOW_STATES[request.stream], **request.connector.states.get(request.stream, {})}
    rows, odd = list[Row](), Counter[str]()
    for record in records:
        number = value_of(_cell(request, record, "state"))
        state, row = states.get(number), _row(request, record)
        end = ENDS[request.stream]
        is_own = end in request.connector.fields.get(request.stream, {})
        if state is None:
            odd[f"state {number or '(none)'} is not configured"] += 1
            continue
        if state == "ended" and row[end] is None:
            odd["ended without a time"] += 1
            continue
        if request.stream == "incidents" and state == "withdrawn":
            continue
        is_done = state == "ended" and _is_done(request, record)
        if not is_done and not (is_own and state == "open"):
            # A record that was opened again keeps the time at which it was resolved before.
            row[end] = None
        if "is_cancelled_with_approval" in row:
            row["is_cancelled_with_approval"] = state == "withdrawn" and row["is_cancelled_with_approval"]
        rows.append({KEYS[request.stream]: value_of(_cell(request, record, "number")), **row})
    odd.update({"kept back from this account by the table's access rules": hidden} if hidden else {})
    notes = tuple(f"{count} records: {said}" for said, count in sorted(odd.items()))
    return FetchResult(rows, not notes, f"{request.connector.url} {TABLES[request.stream]}", notes)


def _is_done(request: FetchRequest[ServiceNow], record: Row) -> bool:
    if request.stream != "maintenance_tasks":
        return True
    code = value_of(_cell(request, record, "close_code"))
    return folded(code) not in {folded(name) for name in request.connector.not_done}


def _row(request: FetchRequest[ServiceNow], record: Row) -> Row:
    """Return the columns of a record, each by the first of its fields that says anything."""
    stream, found = STREAMS[request.stream], Row()
    for name, places in request.connector.places(stream.name).items():
        kind = stream.column(name).type
        values = (_value(request, name, kind, place, _cell(request, record, place.field)) for place in places)
        found[name] = next((value for value in values if value is not None), None)
    return found


def _cell(request: FetchRequest[ServiceNow], record: Row, field: str) -> Any:
    """Return a field; one that does not exist, or must not be read, is left out of answers without a word."""
    if field not in record:
        where = f"{request.connector.name} ({TABLES[request.stream]})"
        fix = "correct fields in sources.toml, or let the account read the field"
        raise SourceError(Problem(where, None, f"no record has the field {field!r}", fix))
    return record[field]


def _value(request: FetchRequest[ServiceNow], column: str, kind: str, place: RecordField, cell: Any) -> Any:
    value, name = value_of(cell), name_of(cell)
    if not value:
        return None
    if kind == "timestamp":
        return _instant(request, value)
    if kind == "boolean":
        return bool({folded(value), folded(name)} & {folded(text) for text in place.whether})
    return _plain(request, column, place, value, name)


def _instant(request: FetchRequest[ServiceNow], value: str) -> datetime | str:
    """Return an instant; a day lasts until its end, and what is neither stays for the contract to set its row aside."""
    try:
        if len(value) == len("2026-11-10"):
            return request.organisation.last_second(date.fromisoformat(value))
        return datetime.strptime(value, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return value


def _plain(request: FetchRequest[ServiceNow], column: str, place: RecordField, value: str, name: str) -> Any:
    if place.values:
        values = {folded(key): told for key, told in place.values.items()}
        return values.get(folded(value), values.get(folded(name)))
    if not name.startswith(place.prefix):
        return None
    text = name.removeprefix(place.prefix)
    if column == "service_id":
        return request.connector.services.get(value) or request.connector.service(text)
    return reference_of(text.strip()) if column in _CODES else text


def value_of(cell: Any) -> str:
    """Return a field's value, empty where it has none: a text, or the value beside name or link."""
    return str((cell.get("value") if isinstance(cell, dict) else cell) or "")


def name_of(cell: Any) -> str:
    """Return what a field's value is called; the value itself where it has no name."""
    return str((cell.get("display_value") if isinstance(cell, dict) else None) or value_of(cell))
