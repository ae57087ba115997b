"""Ask GitHub: authentication, throttling, paging, and GraphQL errors that come with status 200."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx
from githubkit import AppInstallationAuthStrategy
from githubkit import GitHub as Kit

from opsmetrics.core.errors import ConfigurationError, Problem
from opsmetrics.core.settings import expand, secret
from opsmetrics.organisation.connectors.code_hosts import GitHub
from opsmetrics.organisation.names import is_pattern
from opsmetrics.sources.fetching import FetchRequest, FetchResult, halved
from opsmetrics.sources.http import Http, RefusedError, retry_after, ssl_context
from opsmetrics.sources.repositories import is_owned, service_of, without

# Differences between versions that touch us: contracts, E1. A GitHub Enterprise Server of the house refuses every
# question in a version that it does not have (400).
API_VERSION, SERVER_VERSION = "2026-03-10", "2022-11-28"
SEARCH_LIMIT = 1000
# What GraphQL calls an hourly limit that is used up: in its newer words, and in those of its documentation.
LIMITED = frozenset({"RATE_LIMIT", "RATE_LIMITED"})
NOTHING_ASKED = "nothing was asked: no repository of services.toml belongs to"
HIDDEN = "not there, or not to be seen with this token"
# Names that a note shows.
_SHOWN = 5
# A window of this length is taken as it comes.
SHORTEST_WINDOW = timedelta(minutes=2)


def api_version(url: str) -> str:
    """Return the version in which the API at an address is asked."""
    host = urlsplit(url).hostname or ""
    return API_VERSION if host == "api.github.com" or host.endswith(".ghe.com") else SERVER_VERSION


class _Repository(NamedTuple):
    name: str
    is_archived: bool


class Client(Http):
    """A client of one GitHub connector."""

    def __init__(self, request: FetchRequest[GitHub]) -> None:
        self.request, settings = request, request.connector
        # What the answers so far lack: a kind of error -> how many items.
        self.lost: Counter[str] = Counter()
        self.renamed: dict[str, str] = {}
        # Repositories that are not there, or not to be seen: what of them there is nobody knows.
        self.hidden: dict[str, RefusedError] = {}
        self.archived: set[str] = set()
        headers = {
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": api_version(settings.url),
            "User-Agent": "opsmetrics",
        }
        token = secret(settings.token_env)
        auth = _app(request)
        if auth is None and token is not None:
            headers["Authorization"] = f"Bearer {token}"
        super().__init__(
            settings.name,
            settings.url,
            request.settings,
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

    @property
    def is_complete(self) -> bool:
        """Whether the answers so far lack nothing: no item, and no repository that somebody answers for."""
        return not self.lost and not self.missed

    @property
    def missed(self) -> list[str]:
        """Services, as rows name them, of repositories that are not to be seen and that somebody answers for."""
        return [self.service(name) for name in self.hidden if self._is_missed(name)]

    def without(self, result: FetchResult, *unseen: str) -> FetchResult:
        """Return an answer that lacks what is missed, and services that are ``unseen`` for another reason."""
        return without(self.request.organisation, result, [*self.missed, *unseen], is_complete=not self.lost)

    def service(self, now: str) -> str:
        """Return the service of a repository under the name it has now, as rows name it."""
        before = next((old for old, new in self.renamed.items() if new == now), None)
        return service_of(self.request.organisation, self.request.connector, now, before)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be told of the answers so far: repositories of another name, items that GitHub kept back."""
        renamed = [f"{old} is called {new} now: write that into the configuration" for old, new in self.renamed.items()]
        nothing = [] if repositories(self.request) else [f"{NOTHING_ASKED} {self.request.connector.owner}"]
        more = f" and {len(self.hidden) - _SHOWN} others" if len(self.hidden) > _SHOWN else ""
        named = ", ".join([*self.hidden][:_SHOWN]) + more
        return (
            *nothing,
            *renamed,
            *([f"{HIDDEN}: {named}"] if self.hidden else []),
            *(f"GitHub kept back {count} items ({kind})" for kind, count in sorted(self.lost.items())),
        )

    def repositories(self) -> Iterator[tuple[str, str]]:
        """Yield each repository under the name it has now, and its service; one that nobody can see ends no other.

        GitHub answers for a renamed or transferred repository under its new name (301): rows follow that name.

        Raises:
            SourceError: There are repositories, and not one of them can be seen.
        """
        for repository in repositories(self.request):
            try:
                found = self._repository(repository)
            except RefusedError as error:
                self.hide(repository, error)
                continue
            now = found.name
            if now.lower() == repository.lower():
                now = repository
            else:
                self.renamed[repository] = now
            if found.is_archived:
                self.archived.add(now)
            yield now, self.service(now)

    def hide(self, repository: str, error: RefusedError) -> None:
        """Note that a repository is not to be seen.

        Raises:
            SourceError: It is refused for another reason, or none of all can be seen.
        """
        if error.status not in {403, 404}:
            raise error
        self.hidden[repository] = error
        if len(self.hidden) == len(repositories(self.request)):
            raise error

    def _is_missed(self, repository: str) -> bool:
        """Whether a repository is expected to be there: not that of a service which was over before the asked days."""
        if self.request.connector.repositories:
            return True
        return is_owned(self.request.organisation, repository, self.request.days)

    def new_names(self) -> set[str]:
        """Return the present names, in lower case, of repositories that were renamed; those not to be seen are noted.

        Raises:
            SourceError: There are repositories, and not one of them can be seen.
        """
        found: set[str] = set()
        for repository in repositories(self.request):
            try:
                now = self._repository(repository).name
            except RefusedError as error:
                self.hide(repository, error)
                continue
            if now.lower() != repository.lower():
                self.renamed[repository] = now
                found.add(now.lower())
        return found

    def _repository(self, repository: str) -> _Repository:
        """Return what a repository is now; each is looked up once a pull, and not once for each of its days."""
        key = f"repository {repository.lower()}"
        if key not in self.request.known:
            try:
                told = self.get(f"repos/{repository}")
                self.request.known[key] = _Repository(str(told["full_name"]), bool(told.get("archived")))
            except RefusedError as error:
                self.request.known[key] = error
        found: _Repository | RefusedError = self.request.known[key]
        if isinstance(found, RefusedError):
            raise found
        return found

    def graphql(self, name: str, /, *, item_by_item: bool = False, **variables: Any) -> dict[str, Any]:
        """Run one of our documents.

        Args:
            name: Document.
            item_by_item: Items that GitHub does not give are null: gone ones (``NOT_FOUND``) without a word, others
                counted in ``lost``.
            variables: Of the document.

        Raises:
            SourceError: GitHub answers with errors; a rate limit is waited out once.
        """
        for attempt in (1, 2):
            body = self.post(self.graphql_path, json={"query": document(name), "variables": variables})
            errors = body.get("errors") or []
            if not errors or (item_by_item and self._of_items(body.get("data"), errors)):
                return body["data"]
            kinds = sorted({_kind(error) for error in errors})
            if attempt == 1 and LIMITED & set(kinds):
                time.sleep(self._until_reset())
                continue
            fix = "grant the App or token read access to the repositories, or shorten repositories in sources.toml"
            raise self.error(self.graphql_path, f"GraphQL answered {', '.join(kinds)}", fix)
        raise AssertionError("the loop returns or raises")

    def _of_items(self, data: Any, errors: list[Any]) -> bool:
        """Whether each error is about one item of a list (its path holds a place), and count what was kept back."""
        if data is None or not all(any(isinstance(p, int) for p in error.get("path") or ()) for error in errors):
            return False
        self.lost.update(kind for error in errors if (kind := _kind(error)) != "NOT_FOUND")
        return True

    def run(self, repository: str, number: int) -> dict[str, Any] | None:
        """Return a workflow run; None where it was deleted."""
        try:
            found: dict[str, Any] = self.get(f"repos/{repository}/actions/runs/{number}")
        except RefusedError as error:
            if error.status != 404:
                raise
            return None
        return found

    def _until_reset(self) -> float:
        limits = self.get("rate_limit")
        reset = float(limits["resources"]["graphql"]["reset"])
        wait = max(1.0, reset - datetime.now(tz=UTC).timestamp())
        if wait > self.request.settings.patience_seconds:
            fix = "pull later, or raise OPSMETRICS_PATIENCE_SECONDS"
            raise self.error(self.graphql_path, f"the hourly limit is used up for {wait:.0f} s", fix)
        return wait

    def search(self, name: str, query: str, field: str, start: datetime, end: datetime) -> Iterator[dict[str, Any]]:
        """Yield the nodes of a GraphQL search whose ``field`` lies in [start, end); a search shows 1000 at most."""

        def fetch(first: datetime, last: datetime, can_halve: bool) -> list[Any] | None:  # noqa: FBT001 - see halved
            found: list[Any] = []
            for page in self._search_pages(name, f"{query} {field}:{_span(first, last)}"):
                if page["issueCount"] > SEARCH_LIMIT and can_halve:
                    return None
                found += [node for node in page["nodes"] if node]
            return found

        return halved(fetch, start, end, shortest=SHORTEST_WINDOW)

    def _search_pages(self, name: str, query: str) -> Iterator[dict[str, Any]]:
        after: str | None = None
        while True:
            found = self.graphql(name, q=query, after=after)["search"]
            yield found
            if not found["pageInfo"]["hasNextPage"]:
                return
            following = found["pageInfo"]["endCursor"]
            if following == after:
                raise self.error(self.graphql_path, "the same page came twice", "pull again")
            after = following

    def runs(self, repository: str, start: datetime, end: datetime) -> Iterator[dict[str, Any]]:
        """Yield the workflow runs created in [start, end), each once; a filter shows 1000 at most."""
        path = f"repos/{repository}/actions/runs"

        def fetch(first: datetime, last: datetime, can_halve: bool) -> list[Any] | None:  # noqa: FBT001 - see halved
            found: dict[int, Any] = {}
            for page in self.pages(path, created=_span(first, last), per_page=100, exclude_pull_requests="true"):
                if page["total_count"] > SEARCH_LIMIT and can_halve:
                    return None
                # A run that begins while pages are read moves the others on by one.
                for run in page["workflow_runs"]:
                    found.setdefault(run["id"], run)
            return list(found.values())

        return halved(fetch, start, end, shortest=SHORTEST_WINDOW)


def _kind(error: Any) -> str:
    """Return what GitHub calls an error; whatever else stands there is not repeated."""
    kind = str(error.get("type") or "error")
    return kind if re.fullmatch(r"[A-Z_]{2,40}", kind) else "error"


def _span(start: datetime, end: datetime) -> str:
    """A half-open window as GitHub writes ranges, which hold both ends."""
    return f"{start:%Y-%m-%dT%H:%M:%SZ}..{end - timedelta(seconds=1):%Y-%m-%dT%H:%M:%SZ}"


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


def _app(request: FetchRequest[GitHub]) -> httpx.Auth | None:
    """Return the flow of an App installation: githubkit makes the JWT and renews the installation token."""
    settings = request.connector
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
    kit = Kit(
        strategy, base_url=expand(settings.url), ssl_verify=ssl_context(request.settings.ca_file), http_cache=False
    )
    return strategy.get_auth_flow(kit)


@cache
def document(name: str) -> str:
    """Return a GraphQL document of this folder."""
    return (Path(__file__).parent / f"{name}.graphql").read_text(encoding="utf-8")


def repositories(request: FetchRequest[GitHub]) -> list[str]:
    """Return ``owner/name`` of the repositories to read: those named, else those of services.toml with this owner."""
    settings = request.connector
    if settings.repositories:
        return [name if "/" in name else f"{settings.owner}/{name}" for name in settings.repositories]
    prefix = f"{settings.owner.lower()}/"
    return sorted(
        {
            name
            for service in request.organisation.services
            for name in service.repositories
            # A pattern names no repository that could be asked for.
            if not is_pattern(name) and name.lower().startswith(prefix)
        }
    )
