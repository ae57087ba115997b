"""Ask Azure Resource Graph: page on ``$skipToken`` only, and call truncation what it is: lost rows (contracts, C1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, cast

from azure.mgmt.resourcegraph import ResourceGraphClient
from azure.mgmt.resourcegraph.models import QueryRequest, QueryRequestOptions, ResultFormat

from opsmetrics.core.errors import Problem, SourceError
from opsmetrics.core.settings import expand
from opsmetrics.organisation.connectors.azure import AzureResources
from opsmetrics.sources.azure.client import client_arguments, credential, rendered, translate_errors
from opsmetrics.sources.fetching import FetchRequest

Row = dict[str, Any]
PAGE = 1000
MANAGEMENT = "https://management.azure.com"


def inventory(request: FetchRequest[AzureResources], name: str) -> list[dict[str, Any]]:
    """Return all rows of a shipped query in the connector's own subscriptions."""
    return query(request, name, request.connector.url, request.connector.subscriptions)


def last_part(resource: str) -> str:
    """Return the name at the end of a resource's id."""
    return resource.rstrip("/").rsplit("/", 1)[-1]


def names_of(rows: Sequence[Row], scope: Callable[[Row], object] = lambda _: "") -> dict[str, str]:
    """Return id, in small letters -> name. Names of most kinds of resources are unique in their resource group only.

    What shares its name has its resource group before it, then its type too, and at last all of its id.

    Args:
        rows: Resources with ``id`` and ``name``, also more than once.
        scope: Within what a name should be its own; None for what needs no name of its own.
    """
    places = {row["id"].lower(): scope(row) for row in rows}
    names = {row["id"].lower(): str(row["name"]) for row in rows}
    for kept in (1, 2, None):
        taken = Counter((places[identity], name.lower()) for identity, name in names.items())
        names = {
            identity: _longer(identity, kept)
            if places[identity] is not None and taken[places[identity], name.lower()] > 1
            else name
            for identity, name in names.items()
        }
    return names


def _longer(identity: str, kept: int | None) -> str:
    """Return more of an id: resource group and name, the type between them, all of it."""
    parts = [part for part in identity.split("/") if part]
    if kept is None or "resourcegroups" not in parts[:-1]:
        return "/".join(parts)
    return "/".join((parts[parts.index("resourcegroups") + 1], *parts[-kept:]))


def query(request: FetchRequest[Any], name: str, url: str, subscriptions: list[str]) -> list[dict[str, Any]]:
    """Return all rows of a shipped query, each id-and-row once.

    Raises:
        SourceError: Azure refuses, cuts its answer off, or shows only some of the subscriptions.
    """
    if len(subscriptions) > 1:
        _refuse_hidden(request, url, subscriptions)
    return _rows(request, name, url, subscriptions)


def _refuse_hidden(request: FetchRequest[Any], url: str, subscriptions: list[str]) -> None:
    """Refuse an answer without some of the subscriptions: Azure leaves out those that the identity may not read.

    Only where none at all can be read it says so itself. Each is looked at once a pull.
    """
    key = f"subscriptions of {url}"
    if key not in request.known:
        try:
            request.known[key] = _rows(request, "subscriptions", url, subscriptions)
        except SourceError:
            # Whoever may not ask for them is told nothing of them.
            request.known[key] = []
    seen = {str(row.get("subscriptionId")).lower() for row in request.known[key]}
    hidden = sorted(name for name in subscriptions if name.lower() not in seen)
    if hidden and seen & {name.lower() for name in subscriptions}:
        message = f"subscriptions that this identity may not read: {', '.join(hidden[:5])}"
        fix = "grant Reader on them, or take them out of subscriptions in sources.toml"
        raise SourceError(Problem(request.connector.name, None, message, fix))


def _rows(request: FetchRequest[Any], name: str, url: str, subscriptions: list[str]) -> list[dict[str, Any]]:
    settings, text = request.connector, rendered(name, request.starts_at, request.ends_at)
    rows: list[dict[str, Any]] = []
    token: str | None = None
    scope = settings.audience if isinstance(settings, AzureResources) else MANAGEMENT
    client = ResourceGraphClient(
        credential(request.settings),
        base_url=expand(url),
        credential_scopes=[f"{scope}/.default"],
        **client_arguments(request.settings),
    )
    with client:
        while True:
            options = QueryRequestOptions(top=PAGE, skip_token=token, result_format=ResultFormat.OBJECT_ARRAY)
            with translate_errors(request, name):
                page = client.resources(QueryRequest(subscriptions=subscriptions, query=text, options=options))
            if str(page.result_truncated).lower().endswith("true"):
                message = f"{name}: the answer was cut off after {len(rows) + page.count} of {page.total_records} rows"
                raise SourceError(Problem(settings.name, None, message, "name fewer subscriptions in one connector"))
            rows += cast("list[dict[str, Any]]", page.data)
            if not page.skip_token:
                break
            if page.skip_token == token:
                message = f"{name}: the same page came twice"
                raise SourceError(Problem(settings.name, None, message, "pull again; nothing was landed"))
            token = page.skip_token
    unique = {repr(sorted(row.items(), key=str)): row for row in rows}
    return list(unique.values())
