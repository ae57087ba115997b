"""Ask GitHub: authentication, throttling, paging, and GraphQL errors that come with status 200."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from githubkit import AppInstallationAuthStrategy
from githubkit import GitHub as Kit

from opsmetrics.errors import ConfigurationError, Problem
from opsmetrics.organisation import Organisation
from opsmetrics.organisation.connectors import GitHub
from opsmetrics.settings import expand, secret
from opsmetrics.sources.ask import Ask
from opsmetrics.sources.http import Http, retry_after, trust

# Differences between versions that touch us: contracts, E1. The older one lives on for two years.
API_VERSION = "2026-03-10"
SEARCH_LIMIT = 1000


class Client(Http):
    """A client of one GitHub connector."""

    def __init__(self, ask: Ask[GitHub]) -> None:
        self.ask, settings = ask, ask.connector
        headers = {
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": API_VERSION,
            "User-Agent": "opsmetrics",
        }
        token = secret(settings.token_env)
        auth = _app(ask)
        if auth is None and token is not None:
            headers["Authorization"] = f"Bearer {token}"
        super().__init__(
            settings.name,
            settings.url,
            ask.settings,
            headers=headers,
            auth=auth,
            variable=settings.private_key_env if auth else settings.token_env,
            kind=settings.kind,
            waits=waits,
        )

    @property
    def graphql_path(self) -> str:
        """Address of GraphQL; GitHub Enterprise Server has it beside, not below, its REST API."""
        return self.url.removesuffix("/v3") + "/graphql"

    def graphql(self, name: str, /, **variables: Any) -> dict[str, Any]:
        """Run one of our documents.

        Raises:
            SourceError: GitHub answers with errors; a rate limit is waited out once.
        """
        for attempt in (1, 2):
            body = self.post(self.graphql_path, json={"query": document(name), "variables": variables})
            errors = body.get("errors") or []
            if not errors:
                return body["data"]
            kinds = sorted({str(error.get("type") or "error") for error in errors})
            if attempt == 1 and "RATE_LIMITED" in kinds:
                time.sleep(self._until_reset())
                continue
            fix = "grant the App or token read access to the repositories, or shorten repositories in sources.toml"
            raise self.error(self.graphql_path, f"GraphQL answered {', '.join(kinds)}", fix)
        raise AssertionError("the loop returns or raises")

    def _until_reset(self) -> float:
        limits = self.get("rate_limit")
        reset = float(limits["resources"]["graphql"]["reset"])
        wait = max(1.0, reset - datetime.now(tz=UTC).timestamp())
        if wait > self.ask.settings.patience_seconds:
            fix = "pull later, or raise OPSMETRICS_PATIENCE_SECONDS"
            raise self.error(self.graphql_path, f"the hourly limit is used up for {wait:.0f} s", fix)
        return wait

    def search(self, name: str, query: str, field: str, start: datetime, end: datetime) -> Iterator[dict[str, Any]]:
        """Yield the nodes of a GraphQL search whose ``field`` lies in [start, end).

        A search shows its first 1000 hits only: a window with more is halved.
        """
        stop = end - timedelta(seconds=1)
        span = f"{field}:{start:%Y-%m-%dT%H:%M:%SZ}..{stop:%Y-%m-%dT%H:%M:%SZ}"
        after: str | None = None
        while True:
            found = self.graphql(name, q=f"{query} {span}", after=after)["search"]
            if found["issueCount"] > SEARCH_LIMIT and end - start > timedelta(minutes=2):
                middle = start + timedelta(seconds=int((end - start).total_seconds() // 2))
                yield from self.search(name, query, field, start, middle)
                yield from self.search(name, query, field, middle, end)
                return
            yield from (node for node in found["nodes"] if node)
            if not found["pageInfo"]["hasNextPage"]:
                return
            following = found["pageInfo"]["endCursor"]
            if following == after:
                raise self.error(self.graphql_path, "the same page came twice", "pull again")
            after = following

    def runs(self, repository: str, start: datetime, end: datetime) -> Iterator[dict[str, Any]]:
        """Yield the workflow runs created in [start, end), each once; a filter shows 1000 at most."""
        stop = end - timedelta(seconds=1)
        created = f"{start:%Y-%m-%dT%H:%M:%SZ}..{stop:%Y-%m-%dT%H:%M:%SZ}"
        seen: set[int] = set()
        path = f"repos/{repository}/actions/runs"
        for page in self.pages(path, created=created, per_page=100, exclude_pull_requests="true"):
            if page["total_count"] > SEARCH_LIMIT and end - start > timedelta(minutes=2):
                middle = start + timedelta(seconds=int((end - start).total_seconds() // 2))
                yield from self.runs(repository, start, middle)
                yield from self.runs(repository, middle, end)
                return
            for run in page["workflow_runs"]:
                if run["id"] not in seen:
                    seen.add(run["id"])
                    yield run


def waits(answer: httpx.Response) -> float | None:
    """Read how long GitHub wants us to wait: ``retry-after``, else the reset of a limit that is used up."""
    asked = retry_after(answer)
    if asked is not None:
        return asked
    if answer.status_code == 403 and "secondary rate limit" in answer.text.lower():
        # GitHub names no time for this one; its documentation asks for a minute at least.
        return 60.0
    if answer.status_code in (403, 429) and answer.headers.get("x-ratelimit-remaining") == "0":
        reset = float(answer.headers.get("x-ratelimit-reset", "0"))
        return max(1.0, reset - datetime.now(tz=UTC).timestamp())
    return None


def _app(ask: Ask[GitHub]) -> httpx.Auth | None:
    """Return the flow of an App installation: githubkit makes the JWT and renews the installation token."""
    settings = ask.connector
    if settings.app_id is None or settings.installation_id is None:
        return None
    key = secret(settings.private_key_env)
    if key is None:
        problem = Problem(
            "sources.toml",
            None,
            f"connector {settings.name!r} signs in as an App, and {settings.private_key_env} is not set",
            f"put the App's private key (PEM) into {settings.private_key_env}",
        )
        raise ConfigurationError([problem])
    strategy = AppInstallationAuthStrategy(settings.app_id, key, settings.installation_id)
    kit = Kit(strategy, base_url=expand(settings.url), ssl_verify=trust(ask.settings.ca_file), http_cache=False)
    return strategy.get_auth_flow(kit)


@cache
def document(name: str) -> str:
    """Return a GraphQL document of this folder."""
    return (Path(__file__).parent / f"{name}.graphql").read_text(encoding="utf-8")


def repositories(ask: Ask[GitHub]) -> list[str]:
    """Return ``owner/name`` of the repositories to ask: those named, else those of services.toml with this owner."""
    settings = ask.connector
    if settings.repositories:
        return [name if "/" in name else f"{settings.owner}/{name}" for name in settings.repositories]
    prefix = f"{settings.owner.lower()}/"
    return sorted(
        {
            name
            for service in ask.organisation.services
            for name in service.repositories
            if name.lower().startswith(prefix)
        }
    )


def service_of(organisation: Organisation, settings: GitHub, repository: str) -> str:
    """Return the service of a repository: configured, else the only one of services.toml, else its own name."""
    for name in (repository, repository.split("/", 1)[1]):
        if name in settings.services:
            return settings.services[name]
    owners = [service.id for service in organisation.services if repository in service.repositories]
    return owners[0] if len(owners) == 1 else repository


def instant(text: str | None) -> datetime | None:
    """Read GitHub's instants."""
    return datetime.fromisoformat(text) if text else None


def matches(name: str, patterns: list[str]) -> bool:
    """Whether a name fits one of the patterns, whatever the case."""
    return any(fnmatch(name.lower(), pattern.lower()) for pattern in patterns)
