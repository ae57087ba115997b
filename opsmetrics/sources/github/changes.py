"""Changes of production and restore tests: deployments or releases, and ``restore-test*`` workflows and files."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from opsmetrics.organisation.connectors import GitHub
from opsmetrics.sources import restore_files
from opsmetrics.sources.ask import Answer, Ask
from opsmetrics.sources.github.client import Client, instant, matches, repositories, service_of
from opsmetrics.sources.http import RefusedError

Row = dict[str, Any]
# Deployments whose states one request asks for.
STATES_AT_ONCE = 50


def deployments(ask: Ask[GitHub]) -> Answer:
    """Return deployments by their first success (contracts, H), or releases where the connector says so."""
    rows: list[Row] = []
    with Client(ask) as client:
        for repository in repositories(ask):
            service = service_of(ask.organisation, ask.connector, repository)
            if ask.connector.deployed_by == "releases":
                rows += _releases(ask, client, repository, service)
            else:
                rows += _deployments(ask, client, repository, service)
    return Answer(rows, source=f"{ask.connector.url} {ask.connector.deployed_by}")


def _deployments(ask: Ask[GitHub], client: Client, repository: str, service: str) -> list[Row]:
    rows: list[Row] = []
    for page in client.pages(f"repos/{repository}/deployments", per_page=100):
        # One that waits for approval succeeds later than it was made.
        made = [row for row in page if (created := instant(row["created_at"])) is not None and created < ask.ends_at]
        histories = _histories(client, repository, made)
        for deployment in made:
            statuses, committed = histories[deployment["id"]]
            done = [s for s in statuses if s["state"] == "success"]
            deployed = instant(done[0]["created_at"]) if done else None
            if deployed is not None and ask.covers(deployed):
                rows.append(_deployment(repository, service, deployment, statuses, committed, deployed))
        oldest = instant(page[-1]["created_at"]) if page else None
        # Newest first; one that waited a month for its approval is not looked for.
        if oldest is None or (ask.starts_at - oldest).days > 31:
            break
    return rows


def _histories(client: Client, repository: str, made: list[Row]) -> dict[int, tuple[list[Row], datetime | None]]:
    """Return states, oldest first, and time of the commit of each deployment.

    GraphQL tells of many in one request; REST asks for each by itself, which used up the hourly limit first of all.
    """
    found: dict[int, tuple[list[Row], datetime | None]] = {row["id"]: ([], None) for row in made}
    for start in range(0, len(made), STATES_AT_ONCE):
        ids = [row["node_id"] for row in made[start : start + STATES_AT_ONCE]]
        for node in client.graphql("deployment_states", ids=ids)["nodes"]:
            # One that was deleted since it was listed is null.
            if not node:
                continue
            number, states = node["databaseId"], node["statuses"]
            if states["pageInfo"]["hasNextPage"]:
                statuses = _statuses(client, repository, number)
            else:
                words = {"state": "state", "created_at": "createdAt", "description": "description"}
                statuses = [{name: state[word] for name, word in words.items()} for state in states["nodes"]]
            lower = [status | {"state": status["state"].lower()} for status in statuses]
            committed = instant((node["commit"] or {}).get("authoredDate"))
            found[number] = (sorted(lower, key=lambda status: status["created_at"]), committed)
    return found


def _statuses(client: Client, repository: str, number: int) -> list[Row]:
    path = f"repos/{repository}/deployments/{number}/statuses"
    return [status for page in client.pages(path, per_page=100) for status in page]


def _deployment(
    repository: str,
    service: str,
    deployment: Row,
    statuses: list[Row],
    committed: datetime | None,
    deployed: datetime,
) -> Row:
    payload = deployment.get("payload") or {}
    payload = json.loads(payload) if isinstance(payload, str) and payload.startswith("{") else payload
    given = payload if isinstance(payload, dict) else {}
    app = (deployment.get("performed_via_github_app") or {}).get("slug")
    creator = (deployment.get("creator") or {}).get("type")

    def undone(word: str) -> datetime | None:
        later = [s for s in statuses if s["state"] in {"failure", "error"} and s["created_at"] > deployed_text]
        return next((instant(s["created_at"]) for s in later if (s["description"] or "").startswith(word)), None)

    deployed_text = next(s["created_at"] for s in statuses if s["state"] == "success")
    return {
        "deployment_id": f"{repository}#{deployment['id']}",
        "service_id": service,
        "environment": deployment["environment"],
        "deployed_at": deployed,
        "actor_kind": "pipeline" if app is not None or creator == "Bot" else "human",
        "has_manual_step": given.get("manual_step"),
        "rolled_back_at": undone("rollback"),
        "hotfixed_at": undone("hotfix"),
        "committed_at": committed,
        "is_rework": deployment["task"] == "hotfix" or None,
    }


def _releases(ask: Ask[GitHub], client: Client, repository: str, service: str) -> list[Row]:
    rows: list[Row] = []
    for page in client.pages(f"repos/{repository}/releases", per_page=100):
        for release in page:
            published = instant(release["published_at"])
            if release["draft"] or release["prerelease"] or published is None or not ask.covers(published):
                continue
            author = (release.get("author") or {}).get("type")
            rows.append(
                {
                    "deployment_id": f"{repository}@{release['id']}",
                    "service_id": service,
                    "environment": "production",
                    "deployed_at": published,
                    "actor_kind": "pipeline" if author == "Bot" else "human",
                }
            )
        made = [instant(release["created_at"]) for release in page]
        if any(at is not None and (ask.starts_at - at).days > 31 for at in made):
            break
    return rows


def restore_tests(ask: Ask[GitHub]) -> Answer:
    """Return restore tests from files in the repositories, else from runs of ``restore-test*`` (contracts, F4)."""
    rows: list[Row] = []
    with Client(ask) as client:
        for repository in repositories(ask):
            found = [row for path in ask.connector.restore_files for row in _from_file(client, ask, repository, path)]
            rows += found or _from_runs(ask, client, repository)
    return Answer(rows, source=f"{ask.connector.url} restore tests")


def _from_file(client: Client, ask: Ask[GitHub], repository: str, path: str) -> list[Row]:
    try:
        content = client.get(f"repos/{repository}/contents/{path}")
    except RefusedError as error:
        if error.status == 404:
            return []
        raise
    text = base64.b64decode(content["content"]).decode("utf-8")
    where = f"{ask.connector.name}: {repository}/{path}"
    return restore_files.rows_of(text, where, ask.connector.datastores)


def _from_runs(ask: Ask[GitHub], client: Client, repository: str) -> list[Row]:
    """Duration from the start of the run to the end of its last job; the datastore is the part after restore-test-."""
    rows: list[Row] = []
    start = ask.starts_at.replace(hour=0) - restore_files.LOOK_BACK
    for run in client.runs(repository, start, ask.ends_at):
        workflow = PurePosixPath(run["path"].split("@")[0]).stem
        if run["status"] != "completed" or not matches(workflow, ask.connector.restore_workflows):
            continue
        jobs = [
            job
            for page in client.pages(f"repos/{repository}/actions/runs/{run['id']}/jobs", per_page=100)
            for job in page["jobs"]
        ]
        ends = [end for job in jobs if (end := instant(job["completed_at"])) is not None]
        name = workflow.removeprefix("restore-test").strip("-_.") or repository.split("/", 1)[1]
        ok = run["conclusion"] == "success"
        rows.append(
            {
                "test_id": f"{repository}#run{run['id']}",
                "datastore_id": ask.connector.datastores.get(name, name),
                "requested_at": instant(run["run_started_at"]),
                "restored_at": max(ends) if ends and ok else None,
                "verified_at": max(ends) if ends and ok else None,
                "is_successful": ok,
            }
        )
    return rows
