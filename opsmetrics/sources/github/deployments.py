"""Changes of production: GitHub's deployments without those of tests, or releases (contracts, H).

Every job of a workflow that names an environment makes a deployment, a test of production every quarter of an hour too.
Which deployments are none, rules of the connector's settings say; how many each rule left out, the pull says.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Any

from opsmetrics.core.instants import instant
from opsmetrics.organisation.connectors.code_hosts import GitHub
from opsmetrics.sources.actors import kind_of_actor
from opsmetrics.sources.deploy_rules import DeployRules, Run
from opsmetrics.sources.fetching import FetchRequest, FetchResult
from opsmetrics.sources.github.client import Client
from opsmetrics.sources.http import RefusedError

Row = dict[str, Any]
# Deployments whose states one request asks for.
STATES_AT_ONCE = 50
# More workflow runs than this are listed day by day instead of asked for one by one.
RUNS_ONE_BY_ONE = 100
# How long before its deployment a run may have begun: it waits for approval for thirty days at most.
WAITING = timedelta(days=31)
UNKNOWN_RUN = "deployments by GitHub Actions kept although their workflow run is not known"
_RUN = re.compile(r"/actions/runs/(\d+)")
_OF_A_REQUEST = "refs/pull/"
# What a failed status after a success says at the beginning of its description, in any case.
_UNDONE = {
    "rolled_back_at": re.compile(r"roll(ed)?[ -]?back\b", re.IGNORECASE),
    "hotfixed_at": re.compile(r"hot[ -]?fix", re.IGNORECASE),
}


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployment that succeeded.

    Attributes:
        body: What REST says of it.
        statuses: Its states, oldest first.
        committed_at: Time of its commit.
        deployed_at: Its first success: older ones turn inactive.
    """

    body: Row
    statuses: list[Row]
    committed_at: datetime | None
    deployed_at: datetime

    @property
    def run(self) -> int | None:
        """Number of the workflow run that made it, as its states link to the log."""
        found = (_RUN.search(status.get("log_url") or "") for status in self.statuses)
        return next((int(match[1]) for match in found if match), None)

    @property
    def is_by_actions(self) -> bool:
        """Whether GitHub Actions made it, so that there was a run."""
        return (self.body.get("performed_via_github_app") or {}).get("slug") == "github-actions"


def deployments(request: FetchRequest[GitHub]) -> FetchResult:
    """Return deployments by their first success, or releases where the connector says so."""
    settings = request.connector
    rules = DeployRules(
        settings.deploy_environments,
        settings.test_events,
        settings.test_workflows,
        settings.deploy_workflows,
        settings.probe_workflows,
    )
    rows: list[Row] = []
    counted: Counter[str] = Counter()
    with Client(request) as client:
        for repository, service in client.repositories():
            if settings.deployed_by == "releases":
                rows += _releases(request, client, repository, service)
                continue
            try:
                done = _succeeded(request, client, repository)
                runs = _runs(client, repository, done)
            except RefusedError as error:
                client.hide(repository, error)
                continue
            for item in done:
                run = runs.get(item.run) if item.run is not None else None
                why = rules.left_out(item.body["environment"], _run(run, item.body.get("ref")))
                if why is not None:
                    counted[why] += 1
                    continue
                if run is None and item.is_by_actions:
                    counted[UNKNOWN_RUN] += 1
                rows.append(_row(settings, repository, service, item))
    source = f"{settings.url} {settings.deployed_by}"
    return client.without(FetchResult(rows, source=source, notes=client.notes, counted=counted))


def _run(run: Row | None, ref: str | None) -> Run | None:
    """Return a workflow run for the rules: what started it, its name and that of its file."""
    if run is None:
        return None
    # What runs when a request is merged has the branch that it was merged into, before that the request's own.
    is_own = ref is None or ref.startswith(_OF_A_REQUEST)
    is_merged = run["event"] == "pull_request" and not is_own and ref != run.get("head_branch")
    event = "push" if is_merged else run["event"]
    return Run(event, (PurePosixPath(run["path"].split("@")[0]).stem, run.get("name") or ""))


def _succeeded(request: FetchRequest[GitHub], client: Client, repository: str) -> list[Deployment]:
    found: list[Deployment] = []
    for page in client.pages(f"repos/{repository}/deployments", per_page=100):
        # One that waits for approval succeeds later than it was made.
        made = [
            row for row in page if (created := instant(row["created_at"])) is not None and created < request.ends_at
        ]
        histories = _histories(client, repository, made)
        for deployment in made:
            statuses, committed = histories[deployment["id"]]
            done = instant(next((s["created_at"] for s in statuses if s["state"] == "success"), None))
            if done is not None and request.covers(done):
                found.append(Deployment(deployment, statuses, committed, done))
        oldest = instant(page[-1]["created_at"]) if page else None
        # Newest first; one that waited a month for its approval is not looked for.
        if oldest is None or request.starts_at - oldest > WAITING:
            break
    return found


def _histories(client: Client, repository: str, made: list[Row]) -> dict[int, tuple[list[Row], datetime | None]]:
    """Return states, oldest first, and time of the commit of each deployment.

    GraphQL tells of many in one request; REST asks for each by itself, which used up the hourly limit first of all.
    """
    found: dict[int, tuple[list[Row], datetime | None]] = {row["id"]: ([], None) for row in made}
    words = {"state": "state", "created_at": "createdAt", "description": "description", "log_url": "logUrl"}
    for start in range(0, len(made), STATES_AT_ONCE):
        ids = [row["node_id"] for row in made[start : start + STATES_AT_ONCE]]
        for node in client.graphql("deployment_states", item_by_item=True, ids=ids)["nodes"]:
            # One that was deleted since it was listed is null.
            if not node:
                continue
            number, states = node["databaseId"], node["statuses"]
            if states["pageInfo"]["hasNextPage"]:
                statuses = _statuses(client, repository, number)
            else:
                statuses = [{name: state[word] for name, word in words.items()} for state in states["nodes"]]
            lower = [status | {"state": status["state"].lower()} for status in statuses]
            committed = instant((node["commit"] or {}).get("authoredDate"))
            found[number] = (sorted(lower, key=lambda status: status["created_at"]), committed)
    return found


def _statuses(client: Client, repository: str, number: int) -> list[Row]:
    path = f"repos/{repository}/deployments/{number}/statuses"
    return [status for page in client.pages(path, per_page=100) for status in page]


def _runs(client: Client, repository: str, done: Sequence[Deployment]) -> dict[int, Row]:
    """Return the workflow runs of deployments, by number; one that was deleted is not there."""
    wanted = {item.run: item for item in done if item.run is not None}
    found: dict[int, Row] = {}
    if len(wanted) > RUNS_ONE_BY_ONE:
        made = [at for item in wanted.values() if (at := instant(item.body["created_at"])) is not None]
        listed = client.runs(repository, min(made) - timedelta(days=1), max(made) + timedelta(minutes=1))
        found = {run["id"]: run for run in listed if run["id"] in wanted}
    for number in sorted(wanted.keys() - found.keys()):
        run = client.run(repository, number)
        if run is not None:
            found[number] = run
    return found


def _row(settings: GitHub, repository: str, service: str, item: Deployment) -> Row:
    body = item.body
    given = _given(body.get("payload"))
    row = {
        "deployment_id": f"{repository}#{body['id']}",
        "service_id": service,
        "environment": body["environment"],
        "deployed_at": item.deployed_at,
        "actor_kind": "pipeline" if body.get("performed_via_github_app") else _actor_kind(body.get("creator")),
        "has_manual_step": given.get("manual_step"),
        "committed_at": item.committed_at,
    }
    if settings.undone_statuses:
        row |= {column: _undone(item, said) for column, said in _UNDONE.items()}
        row["is_rework"] = body["task"] == "hotfix"
    return row


def _given(payload: Any) -> Row:
    """Return what somebody gave a deployment: an object, or the text of one; any other text is theirs."""
    if isinstance(payload, str):
        try:
            payload = json.loads(payload)
        except (ValueError, RecursionError):
            return {}
    return payload if isinstance(payload, dict) else {}


def _actor_kind(account: Row | None) -> str:
    """Say what rolled it out; an account that is gone was a person's: machines keep theirs."""
    if account is None:
        return "human"
    return "human" if kind_of_actor(account.get("login"), account_type=account.get("type")) == "human" else "pipeline"


def _undone(item: Deployment, said: re.Pattern[str]) -> datetime | None:
    """When a failed status after the success said so."""
    later = (
        (instant(status["created_at"]), status)
        for status in item.statuses
        if status["state"] in {"failure", "error"} and said.match((status.get("description") or "").strip())
    )
    return next((at for at, _ in later if at is not None and at > item.deployed_at), None)


def _releases(request: FetchRequest[GitHub], client: Client, repository: str, service: str) -> list[Row]:
    rows: list[Row] = []
    for page in client.pages(f"repos/{repository}/releases", per_page=100):
        for release in page:
            published = instant(release["published_at"])
            if release["draft"] or release["prerelease"] or published is None or not request.covers(published):
                continue
            rows.append(
                {
                    "deployment_id": f"{repository}@{release['id']}",
                    "service_id": service,
                    "environment": "production",
                    "deployed_at": published,
                    "actor_kind": _actor_kind(release.get("author")),
                }
            )
        made = [instant(release["created_at"]) for release in page]
        if any(at is not None and request.starts_at - at > WAITING for at in made):
            break
    return rows
