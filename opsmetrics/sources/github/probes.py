"""Availability from scheduled use-case tests: what the probing step did, not what the run was called.

A run can be green while its probe was switched off, and red because its set-up failed: both are *not run*.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from opsmetrics.organisation.connectors import GitHub
from opsmetrics.sources.ask import Answer, Ask
from opsmetrics.sources.github.client import Client, instant, matches, repositories

_OUTCOMES = {"success": "up", "failure": "down", "timed_out": "down"}


# Stream -> the smallest question that proves the right to it; the others need no more than the repository.
_RIGHTS = {
    "availability_checks": "actions/runs",
    "deployments": "deployments",
    "restore_tests": "actions/runs",
    "vulnerabilities": "dependabot/alerts",
    "security_alerts": "code-scanning/alerts",
}


def probe(ask: Ask[GitHub]) -> str:
    """Ask the first repository one small question for each right that the streams need."""
    settings, names = ask.connector, repositories(ask)
    with Client(ask) as client:
        if not names:
            client.get("rate_limit")
            return "reachable, but no repository of services.toml has this owner"
        client.get(f"repos/{names[0]}")
        for path in sorted({_RIGHTS[stream] for stream in settings.streams if stream in _RIGHTS}):
            client.get(f"repos/{names[0]}/{path}", per_page=1)
        if settings.incident_repository is not None:
            owner, name = settings.incident_repository.split("/", 1)
            found = client.graphql("issues", owner=owner, name=name, labels=[], since=None, after=None)["repository"]
            if found is None:
                fix = "grant the App or token read access to its issues"
                raise client.error(client.graphql_path, f"{settings.incident_repository} is not readable", fix)
    return f"{len(names)} repositories, first one readable"


def availability_checks(ask: Ask[GitHub]) -> Answer:
    """Return one row per scheduled run of a probe workflow that has ended (contracts, H; altinn-domain, 3 and 4)."""
    rows: list[dict[str, Any]] = []
    with Client(ask) as client:
        for repository in repositories(ask):
            for run in client.runs(repository, ask.starts_at, ask.ends_at):
                workflow = PurePosixPath(run["path"].split("@")[0]).stem
                if run["event"] != "schedule" or not matches(workflow, ask.connector.probe_workflows):
                    continue
                if run["status"] != "completed":
                    continue
                rows.append(_row(ask, client, repository, workflow, run))
    return Answer(rows, source=f"{ask.connector.url} actions")


def _row(ask: Ask[GitHub], client: Client, repository: str, workflow: str, run: dict[str, Any]) -> dict[str, Any]:
    path = f"repos/{repository}/actions/runs/{run['id']}"
    # A run tried again by hand must not paint over what its first attempt saw.
    first = f"{path}/attempts/1/jobs" if run["run_attempt"] > 1 else f"{path}/jobs"
    steps = [
        step
        for page in client.pages(first, per_page=100)
        for job in page["jobs"]
        for step in job.get("steps") or []
        if matches(step["name"], ask.connector.probe_steps) and not matches(step["name"], ask.connector.setup_steps)
    ]
    seen = {_OUTCOMES.get(step["conclusion"] or "", "unknown") for step in steps}
    status = "down" if "down" in seen else "up" if seen == {"up"} else "unknown"
    spans = [
        (instant(step["completed_at"]), instant(step["started_at"]))
        for step in steps
        if step["completed_at"] and step["started_at"]
    ]
    seconds = sum((end - start).total_seconds() for end, start in spans if end and start)
    return {
        "provider": ask.connector.name,
        "monitor_id": f"{repository}/{workflow}",
        "checked_at": instant(run["created_at"]),
        "recorded_at": instant(run["run_started_at"]),
        "status": status,
        "response_ms": round(seconds * 1000) if spans and status == "up" else None,
        "sequence": run["run_number"],
    }
