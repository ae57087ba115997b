"""Incidents, corrective actions and planned tasks from Jira's issues (contracts, J)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from opsmetrics.organisation.connectors.desks import IssueField, Jira
from opsmetrics.sources.fetching import FetchRequest, FetchResult
from opsmetrics.sources.jira.client import Client, Row
from opsmetrics.sources.jira.places import OF_THE_END, Reader, ended_at, is_resolved_as

# JQL reads times in the zone of the account that asks, which we do not know: a day more on both sides is enough.
MARGIN = timedelta(days=1)


def probe(request: FetchRequest[Jira]) -> str:
    """Resolve the configured names of every stream, and ask each query for one issue."""
    settings, columns = request.connector, 0
    with Client(request) as client:
        for stream in settings.streams:
            columns += len(Reader(client, replace(request, stream=stream)).places)
            query = {"jql": settings.queries[stream], "fields": ["created"], "maxResults": 1}
            client.post("rest/api/3/search/jql", json=query)
    return f"readable, the fields of {columns} columns are there"


def _issues(request: FetchRequest[Jira], client: Client, window: str = "") -> Iterator[tuple[Row, Row]]:
    """Yield each issue of the stream's query and the columns that it tells."""
    reader = Reader(client, request)
    jql = f"({request.connector.queries[request.stream]}){window}"
    for issue in client.search(jql, reader.fields, with_history=reader.with_history):
        yield issue, reader.row(issue)


def _after(field: str, at: datetime) -> str:
    return f' AND {field} >= "{at - MARGIN:%Y-%m-%d %H:%M}"'


def incidents(request: FetchRequest[Jira]) -> FetchResult:
    """Return the incidents of the query that were declared in the asked days.

    Where incidents are declared when they are registered, Jira is asked for those registered then. Where a field says
    when they were, it is asked for all that changed since: an incident is registered at any time after it began.
    """
    settings, rows = request.connector, list[Row]()
    window = _after("updated", request.starts_at)
    if settings.places(request.stream)["declared_at"] == [IssueField(field="created")]:
        until = f"{request.ends_at + MARGIN:%Y-%m-%d %H:%M}"
        window = f'{_after("created", request.starts_at)} AND created < "{until}"'
    with Client(request) as client:
        published = _postmortems(request, client)
        for issue, row in _issues(request, client, window):
            told = {"incident_id": issue["key"], **row}
            if settings.postmortems:
                told["postmortem_published_at"] = row.get("postmortem_published_at") or published.get(issue["key"])
            rows.append(told)
    return FetchResult(rows, source=f"{settings.url} issues")


def _postmortems(request: FetchRequest[Jira], client: Client) -> dict[str, datetime]:
    """Return the number of each incident that a finished post mortem links to, and when the first was finished."""
    found: dict[str, datetime] = {}
    if not request.connector.postmortems:
        return found
    jql = f"({request.connector.postmortems}){_after('updated', request.starts_at)}"
    for issue in client.search(jql, {"issuelinks", *OF_THE_END}):
        at = ended_at(issue)
        for link in issue["fields"].get("issuelinks") or []:
            for end in (link.get("inwardIssue"), link.get("outwardIssue")):
                if end and at:
                    found[end["key"]] = min(at, found.get(end["key"], at))
    return found


def action_items(request: FetchRequest[Jira]) -> FetchResult:
    """Return all actions of the query; one that is over without having been done has no end."""
    return _register(request, "action_id", "done_at")


def maintenance_tasks(request: FetchRequest[Jira]) -> FetchResult:
    """Return all planned tasks of the query."""
    return _register(request, "task_id", "completed_at")


def _register(request: FetchRequest[Jira], key: str, end: str) -> FetchResult:
    rows: list[Row] = []
    with Client(request) as client:
        for issue, row in _issues(request, client):
            if is_resolved_as(issue, request.connector.not_done):
                row[end] = None
            rows.append({key: issue["key"], **row})
    return FetchResult(rows, source=f"{request.connector.url} issues")
