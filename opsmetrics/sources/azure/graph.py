"""Ask Azure Resource Graph: page on ``$skipToken`` only, and call truncation what it is: lost rows (contracts, C1)."""

from __future__ import annotations

from typing import Any, cast

from azure.mgmt.resourcegraph import ResourceGraphClient
from azure.mgmt.resourcegraph.models import QueryRequest, QueryRequestOptions, ResultFormat

from opsmetrics.errors import Problem, SourceError
from opsmetrics.organisation.connectors import AzureResources
from opsmetrics.settings import expand
from opsmetrics.sources.ask import Ask
from opsmetrics.sources.azure.client import client_arguments, credential, explained, rendered

PAGE = 1000
MANAGEMENT = "https://management.azure.com"


def query(ask: Ask[Any], name: str, url: str, subscriptions: list[str]) -> list[dict[str, Any]]:
    """Return all rows of a shipped query, each id-and-row once."""
    settings, text = ask.connector, rendered(name, ask.starts_at, ask.ends_at)
    rows: list[dict[str, Any]] = []
    token: str | None = None
    scope = settings.audience if isinstance(settings, AzureResources) else MANAGEMENT
    client = ResourceGraphClient(
        credential(ask.settings),
        base_url=expand(url),
        credential_scopes=[f"{scope}/.default"],
        **client_arguments(ask.settings),
    )
    with client:
        while True:
            options = QueryRequestOptions(top=PAGE, skip_token=token, result_format=ResultFormat.OBJECT_ARRAY)
            with explained(ask, name):
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
