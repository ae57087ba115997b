"""Azure DevOps releases as deployments; paging by the continuation header (contracts, H)."""

from __future__ import annotations

import base64
from typing import Any

from opsmetrics.organisation.connectors import AzureDevOps
from opsmetrics.settings import secret
from opsmetrics.sources.ask import Answer, Ask
from opsmetrics.sources.azure.client import signed
from opsmetrics.sources.http import Http

Row = dict[str, Any]
VERSION = "7.1"


def _client(ask: Ask[AzureDevOps]) -> Http:
    settings = ask.connector
    if settings.token_env is None:
        return signed(ask, settings.url, token_env=None, audience=settings.audience)
    pair = base64.b64encode(f":{secret(settings.token_env) or ''}".encode()).decode()
    headers = {"Authorization": f"Basic {pair}"}
    variable = settings.token_env
    return Http(settings.name, settings.url, ask.settings, headers=headers, variable=variable, kind=settings.kind)


def _path(ask: Ask[AzureDevOps]) -> str:
    return f"{ask.connector.organization}/{ask.connector.project}/_apis/release/deployments"


def probe(ask: Ask[AzureDevOps]) -> str:
    """Ask for one deployment."""
    with _client(ask) as http:
        http.get(_path(ask), **{"api-version": VERSION, "$top": 1})
    return "readable"


def deployments(ask: Ask[AzureDevOps]) -> Answer:
    """Return deployments that succeeded; the release definition's name is the service."""
    rows: dict[int, Row] = {}
    params: Row = {
        "api-version": VERSION,
        "deploymentStatus": "succeeded",
        "minStartedTime": f"{ask.starts_at:%Y-%m-%dT%H:%M:%SZ}",
        "maxStartedTime": f"{ask.ends_at:%Y-%m-%dT%H:%M:%SZ}",
        "queryOrder": "ascending",
        "$top": 100,
    }
    token: str | None = None
    with _client(ask) as http:
        while True:
            answer = http.answer(
                "GET", _path(ask), params={**params, **({"continuationToken": token} if token else {})}
            )
            for item in answer.json()["value"]:
                rows[item["id"]] = _row(ask, item)
            following = answer.headers.get("x-ms-continuationtoken")
            if not following:
                break
            if following == token:
                raise http.error(ask.connector.url, "the same page came twice", "pull again")
            token = following
    return Answer(list(rows.values()), source=f"{ask.connector.url} releases")


def _row(ask: Ask[AzureDevOps], item: Row) -> Row:
    approvals = [*(item.get("preDeployApprovals") or []), *(item.get("postDeployApprovals") or [])]
    return {
        "deployment_id": f"{ask.connector.name}-{item['id']}",
        "service_id": ask.connector.service(item["releaseDefinition"]["name"]),
        "environment": item["releaseEnvironment"]["name"],
        "deployed_at": item["completedOn"],
        # The pipeline did it even when a person pressed start; what a person did in it is the manual step.
        "actor_kind": "pipeline",
        "has_manual_step": any(not approval.get("isAutomated") for approval in approvals) if approvals else None,
    }
