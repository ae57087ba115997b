"""GitLab: deployments, and merge requests of update bots (contracts, M)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from opsmetrics.core.errors import Problem, SourceError
from opsmetrics.core.instants import instant
from opsmetrics.core.settings import secret
from opsmetrics.organisation.connectors.code_hosts import GitLab
from opsmetrics.organisation.names import fits, folded, is_pattern
from opsmetrics.sources.actors import ActorKind, is_machine, kind_of_actor
from opsmetrics.sources.deploy_rules import DeployRules, Run
from opsmetrics.sources.fetching import FetchRequest, FetchResult
from opsmetrics.sources.github.update_requests import BEFORE, episodes_of
from opsmetrics.sources.github.update_rows import change_rows, merge_rows, notes_of
from opsmetrics.sources.http import Http, RefusedError
from opsmetrics.sources.release_dates import ReleaseDates
from opsmetrics.sources.repositories import is_owned, service_of, without

Row = dict[str, Any]
PAGE = 100
# A deployment ends a moment after its job: its day may be another one.
MARGIN = timedelta(hours=1)
# Versions of before 2018, and requests that were brought along from elsewhere.
UNDATED = "merged requests left out, of which GitLab does not say when they were merged"
# Access levels of a project without which nothing is deployed; GitLab answers 403 then.
_NEEDED = ("environments_access_level", "builds_access_level", "repository_access_level")
# What is merged nowhere yet: its reference, and what starts a pipeline for it.
_OF_A_REQUEST, _REQUEST_EVENT = "refs/merge-requests/", "merge_request_event"
# How branches of bots begin, whatever sign joins their parts.
_OF_A_BOT = re.compile(r"(?P<bot>renovate|dependabot)[/_-]")
# Names that a note shows.
_SHOWN = 5


@dataclass(slots=True)
class Projects:
    """The projects that are meant.

    Attributes:
        paths: Number -> path that it has now.
        before: Path that a project has now -> the one that the configuration knows it by.
        notes: What is to be said of those that are not there under the configured name.
        missed: Names of those that are not to be seen, and that the connector itself names or somebody answers for.
    """

    paths: dict[int, str]
    before: dict[str, str] = field(default_factory=dict[str, str])
    notes: list[str] = field(default_factory=list[str])
    missed: list[str] = field(default_factory=list[str])


def _client(request: FetchRequest[GitLab]) -> Http:
    settings = request.connector
    token = secret(settings.token_env)
    headers = {"PRIVATE-TOKEN": token} if token else {}
    return request.client(settings.url, headers=headers, variable=settings.token_env)


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


def _meant(request: FetchRequest[GitLab], http: Http) -> Projects:
    """Return the projects that are meant, also those that have another path than the configuration knows.

    GitLab answers for a renamed or transferred project under its number (301): rows follow the path it has now.

    Raises:
        SourceError: There is none at all, which no group with anything to see says.
    """
    settings, meant = request.connector, Projects(_projects(request, http))
    listed = {folded(path) for path in meant.paths.values()}
    missing: list[str] = []
    for name in _expected(request):
        if is_pattern(name):
            if not any(fits(name, path) for path in meant.paths.values()):
                missing.append(name)
            continue
        if folded(name) in listed:
            continue
        project = _looked_up(request, http, name)
        if project is None:
            missing.append(name)
        elif project.get("archived"):
            meant.notes.append(f"{name} is archived: it is left out")
        elif folded(project["path_with_namespace"]) != folded(name):
            now = project["path_with_namespace"]
            meant.paths[project["id"]] = now
            meant.before[now] = name
            meant.notes.append(f"{name} is called {now} now: write that into the configuration")
    if missing:
        others = f" and {len(missing) - _SHOWN} others" if len(missing) > _SHOWN else ""
        named = f"{', '.join(missing[:_SHOWN])}{others}"
        meant.notes.append(f"not in the group, or not to be seen with this token: {named}")
        # Nobody misses the project of a service that was over before the asked days.
        meant.missed = [
            name for name in missing if settings.projects or is_owned(request.organisation, name, request.days)
        ]
    if not meant.paths and not any(note.endswith("left out") for note in meant.notes):
        message = f"no project of the group {settings.group} is meant, or none can be seen with this token"
        fix = "check group and projects in sources.toml, repositories in services.toml, and the token's role"
        raise SourceError(Problem(settings.name, None, message, fix))
    return meant


def _expected(request: FetchRequest[GitLab]) -> list[str]:
    """Return the names that must be in the group: those of the settings, else those of services.toml that lie in it."""
    settings = request.connector
    if settings.projects:
        return settings.projects
    inside = f"{folded(settings.group)}/"
    names = (name for service in request.organisation.services for name in service.repositories)
    return sorted({name for name in names if not is_pattern(name) and folded(name).startswith(inside)})


def _looked_up(request: FetchRequest[GitLab], http: Http, path: str) -> Row | None:
    """Return what has a path now or had it before, None where there is nothing to be seen; asked once a pull."""
    key = f"project {folded(path)}"
    if key not in request.known:
        request.known[key] = _project(http, quote(path, safe=""))
    found: Row | None = request.known[key]
    return found


def _project(http: Http, number: int | str) -> Row | None:
    try:
        found = http.get(f"api/v4/projects/{number}")
    except RefusedError as error:
        if error.status not in {403, 404}:
            raise
        return None
    return found if isinstance(found, dict) and "path_with_namespace" in found else None


def deployments(request: FetchRequest[GitLab]) -> FetchResult:
    """Return deployments that succeeded, by when their job was done; what the rules leave out is counted.

    A project that lets nobody see them makes the answer a part, one in which deploying is turned off has none.
    """
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
        meant = _meant(request, http)
        hidden: list[str] = []
        for number, path in meant.paths.items():
            try:
                found = [
                    item
                    for page in http.pages(f"api/v4/projects/{number}/deployments", **query, per_page=PAGE)
                    for item in page
                ]
            except RefusedError as error:
                if error.status not in {403, 404}:
                    raise
                if _is_turned_off(http, number):
                    meant.notes.append(f"nothing is deployed in {path}: environments or CI/CD are turned off")
                else:
                    hidden.append(path)
                continue
            for item in found:
                rule = rules.left_out(item["environment"]["name"], _run(item))
                if rule is None:
                    rows[item["id"]] = _deployment(request, path, item, _service(request, path, meant))
                elif request.covers(instant(_done(item))):
                    left_out[item["id"]] = rule
    if hidden:
        meant.notes.append(f"deployments are not to be seen with this token in {', '.join(hidden[:_SHOWN])}")
    answer = FetchResult(
        list(rows.values()),
        source=f"{settings.url} deployments",
        notes=tuple(meant.notes),
        counted=Counter(left_out.values()),
    )
    return _without(request, answer, meant, hidden)


def _without(
    request: FetchRequest[GitLab], answer: FetchResult, meant: Projects, hidden: Collection[str] = ()
) -> FetchResult:
    """Return an answer that lacks the missed projects, and those that are ``hidden``."""
    services = [_service(request, path, meant) for path in (*meant.missed, *hidden)]
    return without(request.organisation, answer, services)


def _service(request: FetchRequest[GitLab], path: str, meant: Projects) -> str:
    """Return the service of a project, as rows name it."""
    return service_of(request.organisation, request.connector, path, meant.before.get(path))


def _is_turned_off(http: Http, number: int) -> bool:
    """Whether a project says that a part is turned off without which nothing is deployed."""
    project = _project(http, number) or {}
    return "disabled" in {project.get(name) for name in _NEEDED}


def _run(item: Row) -> Run | None:
    """Return the job that deployed and what started its pipeline; None where another system told of a deployment."""
    job: Row = item.get("deployable") or {}
    # A pipeline that another one started, or one for a merge request, is of the request all the same.
    is_of_request = str(item.get("ref") or "").startswith(_OF_A_REQUEST)
    source = _REQUEST_EVENT if is_of_request else (job.get("pipeline") or {}).get("source") or ""
    return Run(source, (job.get("name") or "",)) if job else None


def _done(item: Row) -> str:
    """Return when a deployment's job was done; one without a job by its last change."""
    return str((item.get("deployable") or {}).get("finished_at") or item["updated_at"])


def _deployment(request: FetchRequest[GitLab], path: str, item: Row, service: str) -> Row:
    job: Row = item.get("deployable") or {}
    # A job did it even when a person started it; without one another system said so through the API.
    by_machine = bool(job) or is_machine((item.get("user") or {}).get("username"), bots=request.connector.bots)
    return {
        "deployment_id": f"{path}#{item['id']}",
        "service_id": service,
        "environment": item["environment"]["name"],
        "deployed_at": _done(item),
        "actor_kind": "pipeline" if by_machine else "human",
    }


def _requests(request: FetchRequest[GitLab], **window: str) -> tuple[list[Row], Projects, Counter[str]]:
    """Return the merge requests of the update bots in the group's projects that are meant, in GitHub's form."""
    query = {"scope": "all", "order_by": "created_at", "sort": "asc", "per_page": PAGE, **window}
    found: dict[int, Row] = {}
    counted: Counter[str] = Counter()
    # Windows overlap: each is counted once a pull.
    undated: set[int] = request.known.setdefault("undated requests", set[int]())
    with _client(request) as http:
        meant = _meant(request, http)
        for author in request.connector.update_authors:
            for page in http.pages(f"{_group(request)}/merge_requests", author_username=author, **query):
                for item in page:
                    if item["project_id"] not in meant.paths:
                        continue
                    if item["state"] == "merged" and not item.get("merged_at"):
                        counted[UNDATED] += item["id"] not in undated
                        undated.add(item["id"])
                        continue
                    found.setdefault(item["id"], _in_github_form(item, meant.paths[item["project_id"]]))
    return list(found.values()), meant, +counted


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
    branch = _OF_A_BOT.match(pull["headRefName"])
    if kind != "other_bot" or branch is None:
        return kind
    return "renovate" if branch["bot"] == "renovate" else "dependabot"


def update_merges(request: FetchRequest[GitLab]) -> FetchResult:
    """Return merged update requests."""
    zone, rows = request.organisation.zone, list[Row]()
    # What was merged in the asked days was changed then, or later.
    pulls, meant, counted = _requests(request, state="merged", updated_after=_time(request.starts_at))
    for pull in pulls:
        if request.covers(instant(pull["mergedAt"])):
            rows += merge_rows(pull, _bot(request, pull), zone)
    return _answer(request, rows, meant, counted)


def _answer(
    request: FetchRequest[GitLab], rows: list[Row], meant: Projects, counted: Counter[str], *notes: str
) -> FetchResult:
    source = f"{request.connector.url} merge requests"
    answer = FetchResult(rows, source=source, notes=(*meant.notes, *notes), counted=counted)
    return _without(request, answer, meant)


def dependency_updates(request: FetchRequest[GitLab]) -> FetchResult:
    """Return the package changes of merged update requests."""
    rows: list[Row] = []
    pulls, meant, counted = _requests(request, state="merged", updated_after=_time(request.starts_at))
    with ReleaseDates.of(request) as dates:
        for pull in pulls:
            if request.covers(instant(pull["mergedAt"])):
                rows += change_rows(pull, _bot(request, pull), dates)
        return _answer(request, rows, meant, counted, *dates.notes())


def update_episodes(request: FetchRequest[GitLab]) -> FetchResult:
    """Return lag episodes, as of GitHub (``github.update_requests``)."""
    since = _time(request.starts_at - BEFORE)
    opened, meant, counted = _requests(request, state="all", created_after=since)
    rows, withdrawn = episodes_of(opened)
    asked = (pull for pull in opened if request.covers(instant(pull["createdAt"])))
    return _answer(request, rows, meant, counted, *notes_of(asked, withdrawn))
