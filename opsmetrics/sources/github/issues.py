"""Incidents, corrective actions and planned tasks from labelled issues (contracts, D).

From an issue's text only instants and opaque codes under agreed headings are read: no text, no name leaves here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from opsmetrics.core.errors import Problem, SourceError
from opsmetrics.core.instants import instant
from opsmetrics.organisation.connectors.code_hosts import GitHub
from opsmetrics.sources.fetching import FetchRequest, FetchResult
from opsmetrics.sources.github.client import Client
from opsmetrics.sources.github.issue_forms import form_of

Row = dict[str, Any]
FLAGS = {
    "eskalert": "is_escalated",
    "escalated": "is_escalated",
    "øvelse": "is_exercise",
    "exercise": "is_exercise",
    "datatap": "is_data_loss",
    "data-loss": "is_data_loss",
    "gjennomgått": "is_postmortem_reviewed",
    "reviewed": "is_postmortem_reviewed",
    "meldepliktig": "is_reportable",
    "reportable": "is_reportable",
}
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
# Why an issue was closed: done, or of before GitHub asked why. One that is another's duplicate is counted there.
_DONE = frozenset({None, "COMPLETED"})
_DUPLICATE = "DUPLICATE"
DUPLICATES = "issues left out that were closed as duplicates of others"
OTHER_HEADING = "headings of issues passed over: they begin like an agreed one and say something else"


def _issues(
    request: FetchRequest[GitHub], client: Client, label: str, counted: Counter[str], since: str | None = None
) -> Iterator[tuple[Row, set[str], dict[str, str]]]:
    """Yield each issue with a label, its labels, and the fields of its form."""
    repository = request.connector.incident_repository
    if repository is None:
        problem = Problem(
            "sources.toml",
            None,
            f"connector {request.connector.name!r} has no incident_repository",
            'set incident_repository = "owner/name"',
        )
        raise SourceError(problem)
    owner, name = repository.split("/", 1)
    after: str | None = None
    while True:
        found = client.graphql("issues", owner=owner, name=name, labels=[label], since=since, after=after)["repository"]
        page = found["issues"]
        for issue in page["nodes"]:
            form = form_of(issue["body"] or "")
            # Windows of events overlap by what was updated since; each issue is counted with its own day.
            is_counted = since is None or request.covers(instant(issue["createdAt"]))
            if issue["stateReason"] == _DUPLICATE:
                counted[DUPLICATES] += is_counted
                continue
            if form.passed_over and is_counted:
                counted[OTHER_HEADING] += form.passed_over
            yield issue, {node["name"].lower() for node in issue["labels"]["nodes"]}, form.fields
        if not page["pageInfo"]["hasNextPage"]:
            return
        if page["pageInfo"]["endCursor"] == after:
            raise client.error(client.graphql_path, "the same page came twice", "pull again")
        after = page["pageInfo"]["endCursor"]


def _labelled(labels: set[str], prefix: str) -> str | None:
    found = sorted(label.removeprefix(prefix) for label in labels if label.startswith(prefix))
    return found[0] if found else None


def _number(labels: set[str], prefix: str) -> int | None:
    found = [int(rest) for label in labels if (rest := label.removeprefix(prefix)) != label and rest.isdigit()]
    return min(found, default=None)


def _done(issue: Row) -> datetime | None:
    """When an issue was closed because it was done; any other reason says that it was not, or nothing."""
    return instant(issue["closedAt"]) if issue["stateReason"] in _DONE else None


def _event(issue: Row, kind: str, label: str | None = None) -> datetime | None:
    """When the first such event of the issue happened; system time, which nobody types."""
    found = [
        instant(node["createdAt"])
        for node in issue["timelineItems"]["nodes"]
        if node["__typename"] == kind and (label is None or node["label"]["name"].lower() == label)
    ]
    return min((at for at in found if at is not None), default=None)


def incidents(request: FetchRequest[GitHub]) -> FetchResult:
    """Return labelled incident issues; the severity is a label, instants are GitHub's or stand in the form."""
    settings, rows, counted = request.connector, list[Row](), Counter[str]()
    with Client(request) as client:
        for issue, labels, form in _issues(
            request, client, settings.incident_label, counted, f"{request.starts_at:%Y-%m-%dT%H:%M:%SZ}"
        ):
            published = form.get("postmortem_published_at") or _event(issue, "LabeledEvent", "post-mortem")
            rows.append(
                {
                    # A number of the organisation's own is what pages and actions refer to.
                    "incident_id": form.get("own_id") or f"{settings.incident_repository}#{issue['number']}",
                    "service_id": settings.service(_labelled(labels, settings.service_prefix)),
                    "severity": _number(labels, settings.severity_prefix),
                    "declared_at": form.get("declared_at") or instant(issue["createdAt"]),
                    "first_alert_at": form.get("first_alert_at"),
                    "first_report_at": form.get("first_report_at"),
                    # Whatever the reason, nobody works on it any more; what is left to do are actions.
                    "resolved_at": form.get("resolved_at") or instant(issue["closedAt"]),
                    "manager_assigned_at": form.get("manager_assigned_at") or _event(issue, "AssignedEvent"),
                    "postmortem_published_at": published,
                    "caused_by_deployment_id": form.get("caused_by_deployment_id"),
                    "signature": form.get("signature"),
                    "notified_at": form.get("notified_at"),
                    **dict.fromkeys(FLAGS.values(), False),
                    **{FLAGS[label]: True for label in labels & FLAGS.keys()},
                }
            )
    return FetchResult(rows, source=f"{settings.url} issues {settings.incident_label}", counted=+counted)


def action_items(request: FetchRequest[GitHub]) -> FetchResult:
    """Return labelled corrective actions."""
    settings, rows, counted = request.connector, list[Row](), Counter[str]()
    with Client(request) as client:
        for issue, labels, form in _issues(request, client, settings.action_label, counted):
            dropped = issue["stateReason"] == "NOT_PLANNED"
            reference = form.get("incident_id")
            rows.append(
                {
                    "action_id": f"{settings.incident_repository}#{issue['number']}",
                    "service_id": settings.service(_labelled(labels, settings.service_prefix)),
                    "incident_id": f"{settings.incident_repository}{reference}"
                    if reference and reference.startswith("#")
                    else reference,
                    "priority": _number(labels, settings.priority_prefix),
                    "created_at": form.get("created_at") or instant(issue["createdAt"]),
                    "first_due_at": _due(request, issue, form),
                    "done_at": form.get("done_at") or _done(issue),
                    "is_dropped_with_approval": dropped and bool(labels & {"godkjent", "approved"}),
                }
            )
    return FetchResult(rows, source=f"{settings.url} issues {settings.action_label}", counted=+counted)


def maintenance_tasks(request: FetchRequest[GitHub]) -> FetchResult:
    """Return labelled planned tasks, such as the weekly patching routine."""
    settings, rows, counted = request.connector, list[Row](), Counter[str]()
    with Client(request) as client:
        for issue, labels, form in _issues(request, client, settings.task_label, counted):
            cancelled = issue["stateReason"] == "NOT_PLANNED"
            rows.append(
                {
                    "task_id": f"{settings.incident_repository}#{issue['number']}",
                    "team_id": _labelled(labels, settings.team_prefix),
                    "first_due_at": _due(request, issue, form),
                    "completed_at": form.get("done_at") or _done(issue),
                    "is_cancelled_with_approval": cancelled and bool(labels & {"godkjent", "approved"}),
                }
            )
    return FetchResult(rows, source=f"{settings.url} issues {settings.task_label}", counted=+counted)


def _due(request: FetchRequest[GitHub], issue: Row, form: dict[str, str]) -> datetime | str | None:
    """When it is due: as the form says, where a day means its end, else as the milestone does."""
    said = form.get("first_due_at")
    if said is not None and _DAY.fullmatch(said):
        try:
            return request.organisation.last_second(date.fromisoformat(said))
        except ValueError:
            return said
    due = instant((issue["milestone"] or {}).get("dueOn"))
    return said or (due.astimezone(UTC) if due else None)
