"""GitLab: deployments, and merge requests of update bots (contracts, M)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from opsmetrics.core.instants import instant
from opsmetrics.core.settings import secret
from opsmetrics.organisation.connectors.code_hosts import GitLab
from opsmetrics.organisation.names import fits
from opsmetrics.sources.actors import ActorKind, is_machine, kind_of_actor
from opsmetrics.sources.deploy_rules import DeployRules, Run
from opsmetrics.sources.fetching import FetchRequest, FetchResult
from opsmetrics.sources.github.client import service_of
from opsmetrics.sources.github.update_requests import BEFORE, episodes_of
from opsmetrics.sources.github.update_rows import change_rows, merge_rows, notes_of
from opsmetrics.sources.http import Http
from opsmetrics.sources.release_dates import ReleaseDates

Row = dict[str, Any]
PAGE = 100
# A deployment ends a moment after its job: its day may be another one.
MARGIN = timedelta(hours=1)


def _client(request: FetchRequest[GitLab]) -> Http:
    settings = request.connector
    token = secret(settings.token_env)
    headers = {"PRIVATE-TOKEN": token} if token else {}
    variable = settings.token_env
    return Http(settings.name, settings.url, request.settings, headers=headers, variable=variable, kind=settings.kind)


def _group(request: FetchRequest[GitLab]) -> str:
    return f"api/v4/groups/{quote(request.connector.group, safe='')}"


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def probe(request: FetchRequest[GitLab]) -> str:
    """Count the projects that are meant."""
    with _client(request) as http:
        return f"{len(_projects(request, http))} projects readable"


def _projects(request: FetchRequest[GitLab], http: Http) -> dict[int, str]:
    """Return number and path of the projects that the settings name, else services.toml."""
    services = request.organisation.services
    wanted = request.connector.projects or [
        name for service in services for name in (*service.repositories, *service.renamed_repositories)
    ]
    query = {"include_subgroups": "true", "archived": "false", "simple": "true", "order_by": "id", "sort": "asc"}
    return {
        project["id"]: project["path_with_namespace"]
        for page in http.pages(f"{_group(request)}/projects", **query, per_page=PAGE)
        for project in page
        if any(fits(name, project["path_with_namespace"]) for name in wanted)
    }


def deployments(request: FetchRequest[GitLab]) -> FetchResult:
    """Return deployments that succeeded, by when their job was done; what the rules leave out is counted."""
    settings = request.connector
    rules = DeployRules(
        settings.deploy_environments, settings.test_events, settings.test_workflows, settings.deploy_workflows
    )
    rows: dict[int, Row] = {}
    left_out: dict[int, str] = {}
    query = {
        "status": "success",
        "order_by": "finished_at",
        "sort": "asc",
        "finished_after": _time(request.starts_at - MARGIN),
        "finished_before": _time(request.ends_at + MARGIN),
    }
    with _client(request) as http:
        for number, path in _projects(request, http).items():
            for page in http.pages(f"api/v4/projects/{number}/deployments", **query, per_page=PAGE):
                for item in page:
                    rule = rules.left_out(item["environment"]["name"], _run(item))
                    if rule is None:
                        rows[item["id"]] = _deployment(request, path, item)
                    elif request.covers(instant(_done(item))):
                        left_out[item["id"]] = rule
    counted = Counter(left_out.values())
    return FetchResult(list(rows.values()), source=f"{settings.url} deployments", counted=counted)


def _run(item: Row) -> Run | None:
    """Return the job that deployed and what started its pipeline; None where another system told of a deployment."""
    job: Row = item.get("deployable") or {}
    return Run((job.get("pipeline") or {}).get("source") or "", (job.get("name") or "",)) if job else None


def _done(item: Row) -> str:
    """Return when a deployment's job was done; one without a job by its last change."""
    return str((item.get("deployable") or {}).get("finished_at") or item["updated_at"])


def _deployment(request: FetchRequest[GitLab], path: str, item: Row) -> Row:
    job: Row = item.get("deployable") or {}
    # A job did it even when a person started it; without one another system said so through the API.
    by_machine = bool(job) or is_machine((item.get("user") or {}).get("username"), bots=request.connector.bots)
    return {
        "deployment_id": f"{path}#{item['id']}",
        "service_id": service_of(request.organisation, request.connector, path),
        "environment": item["environment"]["name"],
        "deployed_at": _done(item),
        "actor_kind": "pipeline" if by_machine else "human",
    }


def _requests(request: FetchRequest[GitLab], **window: str) -> Iterator[Row]:
    """Yield the merge requests of the update bots in the group's projects that are meant, in GitHub's form."""
    query = {"scope": "all", "order_by": "created_at", "sort": "asc", "per_page": PAGE, **window}
    seen: set[int] = set()
    with _client(request) as http:
        wanted = _projects(request, http)
        for author in request.connector.update_authors:
            for page in http.pages(f"{_group(request)}/merge_requests", author_username=author, **query):
                for item in page:
                    if item["project_id"] in wanted and item["id"] not in seen:
                        seen.add(item["id"])
                        yield _in_github_form(item, wanted[item["project_id"]])


def _in_github_form(item: Row, path: str) -> Row:
    """Return a merge request with the names that a pull request has, for what reads both."""
    commit = item.get("merge_commit_sha") or item.get("squash_commit_sha") or item.get("sha")
    return {
        "number": item["iid"],
        "title": item["title"],
        "body": item.get("description") or "",
        "headRefName": item.get("source_branch") or "",
        "createdAt": item["created_at"],
        "mergedAt": item.get("merged_at"),
        "closedAt": item.get("merged_at") or (item.get("closed_at") if item["state"] == "closed" else None),
        "repository": {"nameWithOwner": path},
        "labels": {"nodes": [{"name": label} for label in item.get("labels") or ()]},
        "mergeCommit": {"oid": commit} if commit else None,
        "author": {"login": (item.get("author") or {}).get("username")},
    }


def _bot(request: FetchRequest[GitLab], pull: Row) -> ActorKind:
    """Return which bot made a request: by its account, or, where that has a name of its own, by its branch."""
    names = [*request.connector.bots, *request.connector.update_authors]
    kind = kind_of_actor(pull["author"]["login"], bots=names)
    branch = pull["headRefName"].split("/", 1)[0]
    return branch if kind == "other_bot" and branch in {"renovate", "dependabot"} else kind


def update_merges(request: FetchRequest[GitLab]) -> FetchResult:
    """Return merged update requests."""
    zone, rows = request.organisation.zone, list[Row]()
    # What was merged in the asked days was changed then, or later.
    for pull in _requests(request, state="merged", updated_after=_time(request.starts_at)):
        if request.covers(instant(pull["mergedAt"])):
            rows += merge_rows(pull, _bot(request, pull), zone)
    return FetchResult(rows, source=f"{request.connector.url} merge requests")


def dependency_updates(request: FetchRequest[GitLab]) -> FetchResult:
    """Return the package changes of merged update requests."""
    rows: list[Row] = []
    with ReleaseDates.of(request) as dates:
        for pull in _requests(request, state="merged", updated_after=_time(request.starts_at)):
            if request.covers(instant(pull["mergedAt"])):
                rows += change_rows(pull, _bot(request, pull), dates)
        notes = dates.notes()
    return FetchResult(rows, source=f"{request.connector.url} merge requests", notes=notes)


def update_episodes(request: FetchRequest[GitLab]) -> FetchResult:
    """Return lag episodes, as of GitHub (``github.update_requests``)."""
    since = _time(request.starts_at - BEFORE)
    opened = list(_requests(request, state="all", created_after=since))
    rows, withdrawn = episodes_of(opened)
    asked = (pull for pull in opened if request.covers(instant(pull["createdAt"])))
    return FetchResult(rows, source=f"{request.connector.url} merge requests", notes=tuple(notes_of(asked, withdrawn)))
