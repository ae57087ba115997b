"""Update pull requests of Renovate and Dependabot, package by package, and whether the bot is on (contracts, E1)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from opsmetrics.core.instants import instant
from opsmetrics.organisation.connectors.code_hosts import GitHub
from opsmetrics.sources.actors import kind_of_actor
from opsmetrics.sources.bot_config import FILES, INHERITED_FILE, INHERITED_REPOSITORY, read_configuration
from opsmetrics.sources.fetching import FetchRequest, FetchResult
from opsmetrics.sources.github.client import Client, repositories
from opsmetrics.sources.github.update_requests import BEFORE, episodes_of
from opsmetrics.sources.github.update_rows import change_rows, merge_rows, notes_of
from opsmetrics.sources.http import RefusedError
from opsmetrics.sources.release_dates import ReleaseDates

Row = dict[str, Any]
_LATELY = timedelta(days=90)


def _pulls(request: FetchRequest[GitHub], client: Client, field: str, start: datetime, end: datetime) -> Iterator[Row]:
    """Yield the bots' requests in the repositories that are meant, also where these have another name by now.

    A search leaves out what the token may not see, without a word: so each repository is looked at.
    """
    wanted = {name.lower() for name in repositories(request)} | client.new_names()
    owners = dict.fromkeys((request.connector.owner, *(name.split("/", 1)[0] for name in repositories(request))))
    for owner in {owner.lower(): owner for owner in owners}.values():
        for author in request.connector.update_authors:
            query = f"org:{owner} is:pr author:{author} sort:created-asc"
            for pull in client.search("search_updates", query, field, start, end):
                if pull["repository"]["nameWithOwner"].lower() in wanted:
                    yield pull


def update_merges(request: FetchRequest[GitHub]) -> FetchResult:
    """Return merged update pull requests."""
    zone = request.organisation.zone
    rows: list[Row] = []
    with Client(request) as client:
        for pull in _pulls(request, client, "merged", request.starts_at, request.ends_at):
            rows += merge_rows(pull, _bot(request, pull), zone)
    return client.without(FetchResult(rows, source=f"{request.connector.url} pull requests", notes=client.notes))


def dependency_updates(request: FetchRequest[GitHub]) -> FetchResult:
    """Return the package changes of merged update pull requests."""
    rows: list[Row] = []
    with Client(request) as client, ReleaseDates.of(request) as dates:
        for pull in _pulls(request, client, "merged", request.starts_at, request.ends_at):
            rows += change_rows(pull, _bot(request, pull), dates)
        notes = (*client.notes, *dates.notes())
    return client.without(FetchResult(rows, source=f"{request.connector.url} pull requests", notes=notes))


def update_episodes(request: FetchRequest[GitHub]) -> FetchResult:
    """Return lag episodes: see :mod:`opsmetrics.sources.github.update_requests`.

    The bot opens a pull request once the minimum release age has passed, so that its creation is when the version was
    available. What became of it is seen in all that was opened since, and in what it took the place of.
    """
    with Client(request) as client:
        opened = list(
            _pulls(request, client, "created", request.starts_at - BEFORE, request.now + timedelta(seconds=1))
        )
    rows, withdrawn = episodes_of(opened)
    asked = (pull for pull in opened if request.covers(instant(pull["createdAt"])))
    notes = (*client.notes, *notes_of(asked, withdrawn))
    source = f"{request.connector.url} pull requests"
    return client.without(FetchResult(rows, source=source, notes=notes))


def _bot(request: FetchRequest[GitHub], pull: Row) -> str:
    author = pull["author"] or {}
    return kind_of_actor(author.get("login"), account_type=author.get("__typename"), bots=request.connector.bots)


def repository_states(request: FetchRequest[GitHub]) -> FetchResult:
    """Return today's state of each repository: is an update bot on, does its configuration parse, did it run.

    Archived repositories change no more, and are left out.
    """
    rows: list[Row] = []
    end = request.now
    with Client(request) as client:
        last: dict[str, datetime] = {}
        for pull in _pulls(request, client, "updated", end - _LATELY, end + timedelta(seconds=2)):
            name, at = pull["repository"]["nameWithOwner"], instant(pull["mergedAt"] or pull["createdAt"])
            if at is not None:
                last[name.lower()] = max(at, last.get(name.lower(), at))
        inherits: dict[str, bool] = {}
        for repository in repositories(request):
            if repository in client.hidden:
                continue
            owner, name = repository.split("/", 1)
            found = client.graphql("repository_state", owner=owner, name=name)["repository"]
            if found["isArchived"]:
                continue
            if owner not in inherits:
                inherits[owner] = _may_inherit(client, owner)
            files = {path: found[key].get("text") for key, path in _KEYS.items() if found[key]}
            # GitHub answers for the old name too, but its search knows the new one only.
            worked = last.get(client.renamed.get(repository, repository).lower())
            configuration = read_configuration(files, has_worked=worked is not None, may_inherit=inherits[owner])
            dashboard = found["dashboard"]["nodes"]
            ran = [at for node in dashboard if (at := instant(node["updatedAt"])) is not None]
            pushed = instant(found["pushedAt"])
            rows.append(
                {
                    "repository": repository,
                    "observed_on": request.today,
                    "last_activity_on": pushed.astimezone(UTC).date() if pushed else None,
                    "is_bot_enabled": configuration.is_enabled,
                    "is_bot_config_valid": configuration.is_valid,
                    "last_bot_success_at": max([*ran, *([worked] if worked is not None else [])], default=None),
                }
            )
        notes = client.notes
    source = f"{request.connector.url} repositories"
    return client.without(FetchResult(rows, source=source, notes=notes))


def _may_inherit(client: Client, owner: str) -> bool:
    """Whether an organisation has a configuration for all of its repositories."""
    try:
        client.get(f"repos/{owner}/{INHERITED_REPOSITORY}/contents/{INHERITED_FILE}")
    except RefusedError as error:
        if error.status != 404:
            raise
        return False
    return True


# Names of the files in repository_state.graphql, in the order of FILES.
_KEYS = {f"file{number}": path for number, path in enumerate(FILES)}
