"""Upptime: a repository on GitHub whose commits are the history of each site (contracts, K).

Upptime commits ``history/<site>.yml`` when the state of a site changes, and once a day with the response time whatever
the state. So a state stands until the next commit, and is unknown when the daily one does not come: the workflow was
off, or GitHub did not run it. The state is read from the commit's message, which Upptime writes from a template.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from opsmetrics.core.settings import secret
from opsmetrics.organisation.connectors.monitors import Upptime
from opsmetrics.sources.fetching import FetchRequest, FetchResult
from opsmetrics.sources.github.client import api_version, waits
from opsmetrics.sources.http import Http
from opsmetrics.sources.transitions import Change, Status, rows_of

_HISTORY = re.compile(r"history/(?P<site>[^/]+)\.yml")
_WORDS: tuple[Status, ...] = ("up", "down", "degraded")


def _client(request: FetchRequest[Upptime]) -> Http:
    settings = request.connector
    version = api_version(settings.url)
    headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": version, "User-Agent": "opsmetrics"}
    token = secret(settings.token_env)
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    return request.client(settings.url, headers=headers, variable=settings.token_env, waits=waits)


def _sites(request: FetchRequest[Upptime], http: Http) -> list[str]:
    found = [
        _HISTORY.fullmatch(item["path"]) for item in http.get(f"repos/{request.connector.repository}/contents/history")
    ]
    # Upptime keeps a summary of all sites beside their histories.
    return sorted({match["site"] for match in found if match and match["site"] != "summary"})


def probe(request: FetchRequest[Upptime]) -> str:
    """List the sites."""
    with _client(request) as http:
        return f"{len(_sites(request, http))} sites with a history"


def availability_checks(request: FetchRequest[Upptime]) -> FetchResult:
    """Return the changes of each site; two days before the asked ones tell the state in which they begin."""
    settings = request.connector
    stands = timedelta(hours=settings.stands_hours)
    since, until = request.starts_at - stands, min(request.ends_at, request.now)
    rows: list[dict[str, Any]] = []
    with _client(request) as http:
        for site in _sites(request, http):
            told = _told(request, http, site, since=f"{since:%Y-%m-%dT%H:%M:%SZ}", until=f"{until:%Y-%m-%dT%H:%M:%SZ}")
            begins = told[0][0] if told else None
            if begins is None or begins > request.starts_at:
                # A site that is older than what was asked for has no known state at first; a new one has none at all.
                commits = http.get(
                    _commits(request), path=f"history/{site}.yml", until=f"{since:%Y-%m-%dT%H:%M:%SZ}", per_page=1
                )
                begins = _at(commits[0]["commit"]) if commits else begins
            if begins is not None:
                rows += rows_of(request, f"{settings.repository}/{site}", begins, _changes(told, until, stands))
    return FetchResult(rows, source=f"{settings.url} {settings.repository}")


def _commits(request: FetchRequest[Upptime]) -> str:
    return f"repos/{request.connector.repository}/commits"


def _at(commit: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(commit["committer"]["date"])


def _told(request: FetchRequest[Upptime], http: Http, site: str, **span: str) -> list[tuple[datetime, Status]]:
    """Return the states that the commits of a span of time tell of a site, oldest first."""
    pages = http.pages(_commits(request), path=f"history/{site}.yml", per_page=100, **span)
    commits = {item["sha"]: item["commit"] for page in pages for item in page}
    told = ((_at(commit), _status(request.connector, commit["message"])) for commit in commits.values())
    return sorted((at, status) for at, status in told if status is not None)


def _changes(told: list[tuple[datetime, Status]], until: datetime, stands: timedelta) -> list[Change]:
    """Return the changes, and where nothing was heard for too long that the state is unknown."""
    changes = [Change(at, status) for at, status in told]
    ends = [*(at for at, _ in told), until]
    changes += [Change(at + stands, "unknown") for at, following in pairwise(ends) if following - at > stands]
    return changes


def _status(settings: Upptime, message: str) -> Status | None:
    """Return the state that a commit tells; other commits, such as those that edit a file by hand, tell none."""
    match = re.search(settings.message, message.splitlines()[0] if message else "")
    word = match["status"].lower() if match else ""
    return next((status for status in _WORDS if status == word), None)
