"""Restore tests: ``restore-test*`` workflows and files (contracts, F4)."""

from __future__ import annotations

import base64
from pathlib import PurePosixPath
from typing import Any

from opsmetrics.core.instants import instant
from opsmetrics.organisation.connectors.code_hosts import GitHub
from opsmetrics.sources import restore_files
from opsmetrics.sources.deploy_rules import matches
from opsmetrics.sources.fetching import FetchRequest, FetchResult
from opsmetrics.sources.github.client import Client
from opsmetrics.sources.http import RefusedError

Row = dict[str, Any]
# What a run says of the test; a run that was cancelled, skipped or never started tested nothing.
_OUTCOMES = {"success": True, "failure": False, "timed_out": False}


def restore_tests(request: FetchRequest[GitHub]) -> FetchResult:
    """Return restore tests from files in the repositories, else from runs of ``restore-test*`` (contracts, F4)."""
    rows: list[Row] = []
    with Client(request) as client:
        for repository, _ in client.repositories():
            found = [
                row for path in request.connector.restore_files for row in _from_file(client, request, repository, path)
            ]
            rows += found or _from_runs(request, client, repository)
    return FetchResult(rows, client.is_complete, f"{request.connector.url} restore tests", client.notes)


def _from_file(client: Client, request: FetchRequest[GitHub], repository: str, path: str) -> list[Row]:
    try:
        content = client.get(f"repos/{repository}/contents/{path}")
    except RefusedError as error:
        if error.status == 404:
            return []
        raise
    text = base64.b64decode(content["content"]).decode("utf-8")
    where = f"{request.connector.name}: {repository}/{path}"
    return restore_files.rows_of(text, where, request.connector.datastores)


def _from_runs(request: FetchRequest[GitHub], client: Client, repository: str) -> list[Row]:
    """Duration from the start of the run to the end of its last job; the datastore is the part after restore-test-."""
    rows: list[Row] = []
    start = request.starts_at.replace(hour=0) - restore_files.LOOK_BACK
    for run in client.runs(repository, start, request.ends_at):
        workflow = PurePosixPath(run["path"].split("@")[0]).stem
        ok = _OUTCOMES.get(run["conclusion"] or "")
        if ok is None or not matches(workflow, request.connector.restore_workflows):
            continue
        jobs = [
            job
            for page in client.pages(f"repos/{repository}/actions/runs/{run['id']}/jobs", per_page=100)
            for job in page["jobs"]
        ]
        ends = [end for job in jobs if (end := instant(job["completed_at"])) is not None]
        name = workflow.removeprefix("restore-test").strip("-_.") or repository.split("/", 1)[1]
        rows.append(
            {
                "test_id": f"{repository}#run{run['id']}",
                "datastore_id": request.connector.datastores.get(name, name),
                "requested_at": instant(run.get("run_started_at") or run["created_at"]),
                "restored_at": max(ends) if ends and ok else None,
                "verified_at": max(ends) if ends and ok else None,
                "is_successful": ok,
                # Files of restore tests tell the size; a run does not.
                "data_gb": None,
            }
        )
    return rows
