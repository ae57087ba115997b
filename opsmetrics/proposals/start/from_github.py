"""An organisation on GitHub: a service for each repository that is in use, owned as its CODEOWNERS says."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from opsmetrics.core.settings import Settings, secret
from opsmetrics.proposals.start.draft import Draft, OwnerDraft, SourceDraft
from opsmetrics.proposals.start.toml import quoted
from opsmetrics.sources.github.owners import PLACES, teams_of
from opsmetrics.sources.http import Http, RefusedError

URL = "https://api.github.com"
# A repository that nobody pushed to for so long is no service in use.
MOST_IDLE = timedelta(days=366)
_PAGE = 100


def read_github(draft: Draft, owner: str, settings: Settings, now: datetime, url: str = URL) -> None:
    """Add what an organisation's repositories say.

    Args:
        draft: What is proposed so far.
        owner: Organisation, or user.
        settings: For certificate and patience.
        now: Clock.
        url: Of the API.

    Raises:
        SourceError: GitHub does not answer.
    """
    token = secret("GITHUB_TOKEN")
    headers = {"Accept": "application/vnd.github+json", "User-Agent": "opsmetrics"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    with Http("github", url, settings, headers=headers, variable="GITHUB_TOKEN", kind="github") as http:
        left: list[str] = []
        for found in _repositories(http, owner):
            name = str(found["full_name"])
            pushed = datetime.fromisoformat(str(found.get("pushed_at") or found["created_at"]))
            if found.get("archived") or found.get("fork") or now - pushed > MOST_IDLE:
                left.append(name)
                continue
            _read(draft, http, name, date.fromisoformat(str(found["created_at"])[:10]))
    if left:
        what = f"{len(left)} repositories of {owner} are left out: archived, forks, or without a push for a year"
        draft.guess("services.toml", what, "add those that run in production")
    draft.sources.append(SourceDraft("", _connector(owner, url), f"repositories of {owner} on GitHub"))


def _repositories(http: Http, owner: str) -> Iterator[dict[str, Any]]:
    try:
        place = f"orgs/{owner}/repos"
        page = http.get(place, per_page=_PAGE, page=1)
    except RefusedError as error:
        if error.status != 404:
            raise
        place = f"users/{owner}/repos"
        page = http.get(place, per_page=_PAGE, page=1)
    number = 1
    while page:
        yield from page
        number += 1
        page = http.get(place, per_page=_PAGE, page=number) if len(page) == _PAGE else []


def _read(draft: Draft, http: Http, name: str, made: date) -> None:
    service = draft.service_of(name, name.rpartition("/")[2])
    service.seen(made, f"{name} was made")
    draft.days.append(made)
    for place in PLACES:
        try:
            content = http.get(f"repos/{name}/contents/{place}")["content"]
        except RefusedError as error:
            if error.status != 404:
                raise
            continue
        teams = teams_of(base64.b64decode(content).decode("utf-8", errors="replace"))
        if teams:
            team = draft.team(teams[0], f"CODEOWNERS of {name}")
            where = f"CODEOWNERS of {name}"
            draft.owned(service, [OwnerDraft(team, date.max, f"the repository was made; {where} of today")], where)
        return


def _connector(owner: str, url: str) -> str:
    other = "" if url == URL else f"url = {quoted(url)}\n"
    return (
        "# Public repositories need no token, but one raises the hourly limit: set GITHUB_TOKEN.\n"
        "[[connector]]\n"
        'name = "github"\n'
        'kind = "github"\n'
        f"owner = {quoted(owner)}\n{other}"
        'streams = ["deployments", "update_merges", "dependency_updates", "update_episodes", "repository_states"]\n'
    )
