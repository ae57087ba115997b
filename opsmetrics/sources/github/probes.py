"""Availability from scheduled use-case tests: what the probing step did, not what the run was called.

A run can be green while its probe was switched off, and red because its set-up failed: both are *not run*.
"""

from __future__ import annotations

from collections import Counter
from pathlib import PurePosixPath
from typing import Any

from opsmetrics.core.instants import instant
from opsmetrics.organisation.connectors.code_hosts import GitHub
from opsmetrics.sources.deploy_rules import matches
from opsmetrics.sources.fetching import FetchRequest, FetchResult
from opsmetrics.sources.github.client import Client, repositories
from opsmetrics.sources.http import RefusedError

_OUTCOMES = {"success": "up", "failure": "down", "timed_out": "down"}
UNPROBED = "runs of probe workflows that are unknown: no step of probe_steps ran to an end"

# Stream -> the smallest question that proves the right to it; the others need no more than the repository.
_RIGHTS = {
    "availability_checks": ("actions/runs",),
    # Which workflow made a deployment says whether it is one.
    "deployments": ("deployments", "actions/runs"),
    "restore_tests": ("actions/runs",),
    "vulnerabilities": ("dependabot/alerts",),
    "security_alerts": ("code-scanning/alerts",),
}


def probe(request: FetchRequest[GitHub]) -> str:
    """Ask the first repository one small question for each right that the streams need."""
    settings, names = request.connector, repositories(request)
    with Client(request) as client:
        if not names:
            client.get("rate_limit")
            return "reachable, but no repository of services.toml has this owner"
        client.get(f"repos/{names[0]}")
        for path in sorted({path for stream in settings.streams for path in _RIGHTS.get(stream, ())}):
            client.get(f"repos/{names[0]}/{path}", per_page=1)
        if settings.incident_repository is not None:
            owner, name = settings.incident_repository.split("/", 1)
            found = client.graphql("issues", owner=owner, name=name, labels=[], since=None, after=None)["repository"]
            if found is None:
                fix = "grant the App or token read access to its issues"
                raise client.error(client.graphql_path, f"{settings.incident_repository} is not readable", fix)
    return f"{len(names)} repositories, first one readable"


def availability_checks(request: FetchRequest[GitHub]) -> FetchResult:
    """Return one row per scheduled run of a probe workflow that has ended (contracts, H; altinn-domain, 3 and 4)."""
    rows: list[dict[str, Any]] = []
    counted: Counter[str] = Counter()
    with Client(request) as client:
        for repository, _ in client.repositories():
            try:
                runs = list(client.runs(repository, request.starts_at, request.ends_at))
            except RefusedError as error:
                client.hide(repository, error)
                continue
            for run in runs:
                workflow = PurePosixPath(run["path"].split("@")[0]).stem
                if run["event"] != "schedule" or not matches(workflow, request.connector.probe_workflows):
                    continue
                if run["status"] != "completed":
                    continue
                row = _row(request, client, repository, workflow, run)
                rows.append(row)
                counted[UNPROBED] += row["status"] == "unknown"
    source = f"{request.connector.url} actions"
    return FetchResult(rows, client.is_complete, source, client.notes, counted=+counted)


def _row(
    request: FetchRequest[GitHub], client: Client, repository: str, workflow: str, run: dict[str, Any]
) -> dict[str, Any]:
    path = f"repos/{repository}/actions/runs/{run['id']}"
    # A run tried again by hand must not paint over what its first attempt saw.
    first = f"{path}/attempts/1/jobs" if (run.get("run_attempt") or 1) > 1 else f"{path}/jobs"
    steps = [
        step
        for page in client.pages(first, per_page=100)
        for job in page["jobs"]
        for step in job.get("steps") or []
        if matches(step["name"], request.connector.probe_steps)
        and not matches(step["name"], request.connector.setup_steps)
    ]
    seen = {_OUTCOMES.get(step["conclusion"] or "", "unknown") for step in steps}
    status = "down" if "down" in seen else "up" if seen == {"up"} else "unknown"
    spans = [
        (instant(step["completed_at"]), instant(step["started_at"]))
        for step in steps
        if step.get("completed_at") and step.get("started_at")
    ]
    seconds = sum((end - start).total_seconds() for end, start in spans if end and start)
    return {
        "provider": request.connector.name,
        "monitor_id": f"{repository}/{workflow}",
        "checked_at": instant(run["created_at"]),
        "recorded_at": instant(run.get("run_started_at")),
        "status": status,
        "response_ms": round(seconds * 1000) if spans and status == "up" else None,
        "sequence": run["run_number"],
    }
