"""Argo CD's applications: what was synchronised, from the history that each keeps (contracts, H).

An application keeps its newest entries only (ten unless it says otherwise). Days that reach back before the oldest that
is kept are told in part: what was dropped is not known. A synchronisation of what is there already is no change.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from opsmetrics.organisation.connectors.deployers import ArgoCD
from opsmetrics.sources.actors import is_machine
from opsmetrics.sources.fetching import FetchRequest, FetchResult
from opsmetrics.sources.http import ROLES, Http, required_secret

Row = dict[str, Any]
PATH = "api/v1/applications"


def _client(request: FetchRequest[ArgoCD]) -> Http:
    settings = request.connector
    token = required_secret(settings.name, settings.token_env, ROLES[settings.kind])
    headers = {"Authorization": f"Bearer {token}"}
    return request.client(settings.url, headers=headers, variable=settings.token_env)


def _applications(request: FetchRequest[ArgoCD], http: Http) -> list[Row]:
    """Return the applications, each once.

    Raises:
        SourceError: There are none to be seen: the list is null, and as empty for an account without the right.
    """
    selector = request.connector.selector
    query = {"selector": selector} if selector else {}
    items = http.get(PATH, **query)["items"] or []
    if not items:
        chosen = " with the labels of selector" if selector else ""
        message = f"no applications{chosen}, or none that this account may see"
        fix = "grant applications, get on their projects, check selector, or take the connector out"
        raise http.error(PATH, message, fix)
    return list({(item["metadata"].get("namespace"), item["metadata"]["name"]): item for item in items}.values())


def probe(request: FetchRequest[ArgoCD]) -> str:
    """List the applications."""
    with _client(request) as http:
        return f"{len(_applications(request, http))} applications readable"


def deployments(request: FetchRequest[ArgoCD]) -> FetchResult:
    """Return the changes in the histories of all applications."""
    rows: list[Row] = []
    forgotten: list[str] = []
    with _client(request) as http:
        for application in _applications(request, http):
            # One that was only just made has no status yet.
            history = sorted((application.get("status") or {}).get("history") or [], key=lambda entry: entry["id"])
            rows += [_row(request, application, entry) for entry in _changes(history)]
            # Numbers begin with 0: where that is gone, so may be others of the asked days.
            if (
                history
                and history[0]["id"] > 0
                and datetime.fromisoformat(history[0]["deployedAt"]) > request.starts_at
            ):
                forgotten.append(application["metadata"]["name"])
    notes = (f"older entries are dropped in {', '.join(sorted(forgotten)[:5])}",) if forgotten else ()
    source = f"{request.connector.url} applications"
    return FetchResult(rows, is_complete=not forgotten, source=source, notes=notes)


def _changes(history: list[Row]) -> Iterator[Row]:
    """Yield the entries that rolled out something else than the one before."""
    before: tuple[Any, ...] | None = None
    for entry in history:
        what = tuple(entry.get(name) for name in ("revision", "revisions", "source", "sources"))
        if what != before:
            yield entry
        before = what


def _row(request: FetchRequest[ArgoCD], application: Row, entry: Row) -> Row:
    settings, metadata = request.connector, application["metadata"]
    at = datetime.fromisoformat(entry["deployedAt"]).astimezone(UTC)
    initiator: Row = entry.get("initiatedBy") or {}
    by_hand: bool | None = None
    if initiator.get("automated"):
        by_hand = False
    elif initiator.get("username"):
        by_hand = not is_machine(initiator["username"], bots=settings.bots)
    # An application that was made again, in a new cluster too, numbers its entries from 0 again.
    entry_id = f"{entry['id']}@{at:%Y%m%dT%H%M%S}"
    return {
        "deployment_id": f"{settings.name}-{metadata.get('namespace') or ''}/{metadata['name']}#{entry_id}",
        "service_id": settings.service((metadata.get("labels") or {}).get(settings.service_label) or metadata["name"]),
        "environment": settings.environment or _environment(settings, application["spec"]),
        "deployed_at": entry["deployedAt"],
        # Argo CD did it also when a person pressed the button, which is the manual step.
        "actor_kind": "pipeline",
        "has_manual_step": by_hand,
    }


def _environment(settings: ArgoCD, spec: Row) -> str | None:
    destination = spec["destination"]
    if settings.environment_from == "project":
        found: str | None = spec["project"]
    elif settings.environment_from == "namespace":
        found = destination.get("namespace")
    else:
        found = destination.get("name") or destination.get("server")
    return found
