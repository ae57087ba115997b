"""Read the columns of a contract from issues, as sources.toml says where Jira keeps them.

No text of an issue and nobody's name is read: fields that hold either cannot be named, but when a field of people was
filled can be told. Statuses are compared by id, so that their names may be of any language.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from opsmetrics.core.errors import Problem, SourceError
from opsmetrics.core.instants import instant
from opsmetrics.organisation.connectors.desks import IssueField, Jira
from opsmetrics.organisation.known import KnownNames
from opsmetrics.organisation.names import folded
from opsmetrics.sources.codes import reference_of
from opsmetrics.sources.fetching import FetchRequest
from opsmetrics.sources.jira.client import Client, Row
from opsmetrics.streams import STREAMS

# The instant at which an issue ended; where a column has no place of its own, it is the issue's end.
ENDS = frozenset({"resolved_at", "done_at", "completed_at"})
# What an end is read from, beside the places that are configured.
OF_THE_END = ("status", "resolution", "resolutiondate", "statuscategorychangedate")
CODES = frozenset({"signature", "caused_by_deployment_id", "incident_id"})
_TEXTS = frozenset({"summary", "description", "environment", "comment", "worklog", "attachment"})
_CATEGORIES = frozenset({"new", "indeterminate", "done"})


@dataclass(frozen=True, slots=True)
class Place:
    """An ``IssueField`` with names resolved to ids."""

    told: IssueField
    field: str = ""
    statuses: frozenset[str] = frozenset()
    is_list: bool = False


class Reader:
    """Reads the columns of one stream.

    Args:
        client: Asked for fields and statuses.
        request: Whose settings.

    Raises:
        SourceError: A configured name is no field or status of the site, or of one that must not be read.
    """

    def __init__(self, client: Client, request: FetchRequest[Jira]) -> None:
        self._request, self._known = request, KnownNames(request.organisation)
        told = {name: places for name, places in request.connector.places(request.stream).items() if places}
        ways = [place for places in told.values() for place in places]
        fields = {field["id"]: field for field in client.fields()}
        statuses = client.statuses() if any(place.status for place in ways) else []
        self.places = {
            name: [self._resolved(name, place, fields, statuses) for place in places] for name, places in told.items()
        }
        self.with_history = any(place.first or place.filled or place.status for place in ways)
        self.fields = {"created", *OF_THE_END, *(p.field for places in self.places.values() for p in places)} - {""}
        if any(place.link for place in ways):
            self.fields.add("issuelinks")

    def _resolved(self, column: str, told: IssueField, fields: Mapping[str, Row], statuses: Iterable[Row]) -> Place:
        name = told.field or told.first or told.filled
        if told.status:
            return Place(told, statuses=self._statuses(column, told.status, statuses))
        if not name:
            return Place(told)
        found = (
            [name] if name in fields else [key for key, row in fields.items() if folded(row["name"]) == folded(name)]
        )
        if len(found) != 1:
            said = f"no field is called {name!r}" if not found else f"{len(found)} fields are called {name!r}: {found}"
            raise self._problem(column, said, "write the id of one of the site's fields (customfield_...)")
        schema: Row = fields[found[0]].get("schema") or {}
        kinds = {schema.get("type"), schema.get("items")}
        if not told.filled and ("user" in kinds or "group" in kinds):
            raise self._problem(column, f"{name!r} holds people", "only when it was filled is read: { filled = ... }")
        if schema.get("system") in _TEXTS or str(schema.get("custom", "")).endswith(":textarea"):
            raise self._problem(column, f"{name!r} holds text", "name a field of values, labels, codes or times")
        is_time = STREAMS[self._request.stream].column(column).type == "timestamp" and not told.filled
        if is_time and not kinds & {"date", "datetime"}:
            raise self._problem(column, f"{name!r} holds no time", "name a field of dates or of date-times")
        return Place(told, field=found[0], is_list=schema.get("type") == "array")

    def _statuses(self, column: str, names: Iterable[str], statuses: Iterable[Row]) -> frozenset[str]:
        found: set[str] = set()
        for name in names:
            ids = {
                row["id"]
                for row in statuses
                if row["statusCategory"]["key"] == name
                or name == row["id"]
                or folded(name) in {folded(row["name"]), folded(row.get("untranslatedName") or "")}
            }
            if not ids and name not in _CATEGORIES:
                raise self._problem(
                    column, f"no status is called {name!r}", "write its id, or new, indeterminate, done"
                )
            found |= ids
        return frozenset(found)

    def _problem(self, column: str, said: str, fix: str) -> SourceError:
        where = f"{self._request.connector.name}, fields.{self._request.stream}.{column}"
        return SourceError(Problem(where, None, said, fix))

    def row(self, issue: Row) -> Row:
        """Return the columns that are told, each by the first of its places that says anything."""
        stream = STREAMS[self._request.stream]
        found: Row = {}
        for name in self._request.connector.places(stream.name):
            places = self.places.get(name)
            if places:
                values = (self._value(name, stream.column(name).type, place, issue) for place in places)
                found[name] = next((value for value in values if value is not None), None)
            elif name in ENDS:
                found[name] = ended_at(issue)
        return found

    def _value(self, column: str, kind: str, place: Place, issue: Row) -> Any:
        told = place.told
        if told.link:
            return next(linked(issue, told.link), None)
        if told.status:
            return entered_at(issue, place.statuses, is_end=column in ENDS)
        if told.filled:
            return filled_at(issue, place.field)
        raw = first_value(issue, place.field) if told.first else issue["fields"].get(place.field)
        if kind == "timestamp":
            return self._instant(column, raw)
        if kind == "boolean":
            # Of a list nothing chosen is a no: labels, ticks.
            return is_one_of([] if raw is None and place.is_list else raw, told.whether)
        return self._plain(column, told, raw)

    def _instant(self, column: str, raw: str | None) -> datetime | None:
        """Return an instant; a day without a time lasts until its end."""
        try:
            if raw and len(raw) == len("2026-11-10"):
                return self._request.organisation.last_second(date.fromisoformat(raw))
            return instant(raw)
        except ValueError as error:
            raise self._problem(column, "the time has a form that is not known", "name another field") from error

    def _plain(self, column: str, told: IssueField, raw: Any) -> Any:
        if told.values:
            values = {folded(key): value for key, value in told.values.items()}
            return next((values[name] for name in map(folded, all_names(raw)) if name in values), None)
        if isinstance(raw, int | float):
            return int(raw) if raw == int(raw) else raw
        names = [name.removeprefix(told.prefix) for name in names_of(raw) if name.startswith(told.prefix)]
        if column == "service_id":
            # Of several components the first that leads to a service.
            known = (n for n in names if n in self._request.connector.services or self._known.knows("service", n))
            return self._request.connector.service(next(known, next(iter(names), None)))
        if column in CODES:
            return next((code for name in names if (code := reference_of(name.strip()))), None)
        return next(iter(names), None)


def names_of(raw: Any) -> Iterator[str]:
    """Yield what a value is called: a text, the value of an option, the name of a component, an object's number."""
    for item in raw if isinstance(raw, list) else [raw]:
        if isinstance(item, dict):
            name = item.get("value") or item.get("name") or item.get("key") or item.get("objectId")
            yield from [str(name)] if name else []
        elif item not in (None, ""):
            yield str(item)


def all_names(raw: Any) -> Iterator[str]:
    """Yield the same, and the ids of values, which no language changes."""
    yield from names_of(raw)
    yield from (str(item["id"]) for item in (raw if isinstance(raw, list) else [raw]) if isinstance(item, dict))


def is_one_of(raw: Any, wanted: Iterable[str]) -> bool | None:
    """Whether a value is one of those that are a yes; nothing chosen says nothing, an empty list is a no."""
    if raw is None:
        return None
    return bool({folded(name) for name in all_names(raw)} & {folded(name) for name in wanted})


def linked(issue: Row, types: Iterable[str]) -> Iterator[str]:
    """Yield the numbers of issues that links of these types lead to, in either direction."""
    wanted = {folded(name) for name in types}
    for link in issue["fields"].get("issuelinks") or []:
        if {folded(link["type"]["id"]), folded(link["type"]["name"])} & wanted:
            yield from (end["key"] for side in ("inwardIssue", "outwardIssue") if (end := link.get(side)))


def is_over(issue: Row) -> bool:
    """Whether the issue stands in a status of the category that ends issues."""
    return bool(issue["fields"]["status"]["statusCategory"]["key"] == "done")


def ended_at(issue: Row) -> datetime | None:
    """Return when an issue that is over was resolved; without a resolution, when its category became what it is."""
    fields = issue["fields"]
    return instant(fields.get("resolutiondate") or fields.get("statuscategorychangedate")) if is_over(issue) else None


def is_resolved_as(issue: Row, resolutions: Iterable[str]) -> bool:
    """Whether an issue that is over was resolved as one of these, by name or id."""
    return is_over(issue) and bool(is_one_of(issue["fields"].get("resolution"), resolutions))


def _changes(issue: Row, field: str) -> list[tuple[datetime, str | None, str | None]]:
    """Return when a field changed, from what, to what; oldest first."""
    found = [
        (datetime.fromisoformat(history["created"]), item.get("from") or None, item.get("to") or None)
        for history in issue["changelog"]["histories"]
        for item in history["items"]
        # Changes of workflows have no id of a field.
        if item.get("fieldId") == field
    ]
    return sorted(found, key=lambda change: change[0])


def first_value(issue: Row, field: str) -> Any:
    """Return the first value that a field ever had."""
    changes = _changes(issue, field)
    if not changes:
        return issue["fields"].get(field)
    _, before, after = changes[0]
    return before or after


def filled_at(issue: Row, field: str) -> datetime | None:
    """Return when a field was filled for the first time; one that no change filled was filled from the beginning."""
    changes = _changes(issue, field)
    if changes and changes[0][1] is None:
        return changes[0][0]
    return instant(issue["fields"]["created"]) if changes or issue["fields"].get(field) else None


def entered_at(issue: Row, statuses: frozenset[str], *, is_end: bool) -> datetime | None:
    """Return when an issue came into one of some statuses: the first time, or for an end the last, if it is there."""
    changes = _changes(issue, "status")
    now = issue["fields"]["status"]["id"]
    created = datetime.fromisoformat(issue["fields"]["created"])
    steps = [(created, changes[0][1] if changes else now), *((at, after) for at, _, after in changes)]
    entries = [
        at
        for place, (at, status) in enumerate(steps)
        if status in statuses and (place == 0 or steps[place - 1][1] not in statuses)
    ]
    if not entries or (is_end and now not in statuses):
        return None
    return entries[-1] if is_end else entries[0]
