"""Azure DevOps' classic releases as deployments; paging by the continuation header (contracts, H)."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from opsmetrics.core.settings import secret
from opsmetrics.organisation.connectors.deployers import AzureDevOps, AzurePipelines
from opsmetrics.sources.azure.client import authenticated_client
from opsmetrics.sources.fetching import FetchRequest, FetchResult
from opsmetrics.sources.http import Http

Row = dict[str, Any]
VERSION = "7.1"
# What was rolled out: also where a task that may fail did.
_DONE = ("succeeded", "partiallySucceeded")
# How long before its end a deployment may have begun: an approval waits for a year at most.
WAITING = timedelta(days=366)


def client(request: FetchRequest[AzureDevOps] | FetchRequest[AzurePipelines]) -> Http:
    """Return a client that signs with a personal access token, or with the identity's token."""
    settings = request.connector
    if settings.token_env is None:
        return authenticated_client(request, settings.url, token_env=None, audience=settings.audience)
    pair = base64.b64encode(f":{secret(settings.token_env) or ''}".encode()).decode()
    headers = {"Authorization": f"Basic {pair}"}
    return request.client(settings.url, headers=headers, variable=settings.token_env)


def pages(http: Http, path: str, params: Row) -> Iterator[list[Row]]:
    """Yield the values of each page; the next one is named by a header."""
    token: str | None = None
    while True:
        answer = http.answer("GET", path, params={**params, **({"continuationToken": token} if token else {})})
        yield answer.json()["value"]
        following = answer.headers.get("x-ms-continuationtoken")
        if not following:
            return
        if following == token:
            raise http.error(http.url, "the same page came twice", "pull again")
        token = following


def instant(text: str | None) -> datetime | None:
    """Read an instant; the year 1 says that there is none."""
    at = datetime.fromisoformat(text) if text else None
    return None if at is None or at.year == 1 else at if at.tzinfo else at.replace(tzinfo=UTC)


def _path(request: FetchRequest[AzureDevOps]) -> str:
    return f"{request.connector.organization}/{request.connector.project}/_apis/release/deployments"


def probe(request: FetchRequest[AzureDevOps]) -> str:
    """Ask for one deployment."""
    with client(request) as http:
        http.get(_path(request), **{"api-version": VERSION, "$top": 1})
    return "readable"


def deployments(request: FetchRequest[AzureDevOps]) -> FetchResult:
    """Return deployments that succeeded in the asked days; the release definition's name is the service.

    The source can be asked by start and by change, not by end. One that waits for a person may have begun long before:
    whatever changed since the asked days began is asked for, as all that ended in them did, and the end decides.
    """
    rows: dict[int, Row] = {}
    with client(request) as http:
        for status in _DONE:
            params: Row = {
                "api-version": VERSION,
                "deploymentStatus": status,
                "minStartedTime": f"{request.starts_at - WAITING:%Y-%m-%dT%H:%M:%SZ}",
                "minModifiedTime": f"{request.starts_at:%Y-%m-%dT%H:%M:%SZ}",
                "maxStartedTime": f"{request.ends_at:%Y-%m-%dT%H:%M:%SZ}",
                "queryOrder": "ascending",
                "$top": 100,
            }
            for page in pages(http, _path(request), params):
                for item in page:
                    # Many answers have no end of their own; nothing changes a deployment once it is over.
                    ended = instant(item.get("completedOn")) or instant(item.get("lastModifiedOn"))
                    if request.covers(ended):
                        rows[item["id"]] = _row(request, item, ended)
    return FetchResult(list(rows.values()), source=f"{request.connector.url} releases")


def _row(request: FetchRequest[AzureDevOps], item: Row, ended: datetime | None) -> Row:
    approvals = [*(item.get("preDeployApprovals") or []), *(item.get("postDeployApprovals") or [])]
    return {
        "deployment_id": f"{request.connector.name}-{item['id']}",
        "service_id": request.connector.service((item.get("releaseDefinition") or {}).get("name")),
        "environment": (item.get("releaseEnvironment") or {}).get("name"),
        "deployed_at": ended,
        # The pipeline did it even when a person pressed start; what a person did in it is the manual step.
        "actor_kind": "pipeline",
        "has_manual_step": any(not approval.get("isAutomated") for approval in approvals) if approvals else None,
    }
