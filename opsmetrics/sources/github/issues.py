"""Incidents, corrective actions and planned tasks from labelled issues (contracts, D).

From an issue's text only instants and opaque codes under agreed headings are read: no text, no name leaves here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from opsmetrics.errors import Problem, SourceError
from opsmetrics.organisation.connectors import GitHub
from opsmetrics.sources.ask import Answer, Ask
from opsmetrics.sources.github.client import Client, instant

Row = dict[str, Any]
# Headings of the issue form -> column; both languages, as in docs/sources.md.
HEADINGS = {
    "varslet av alarm": "first_alert_at",
    "first alert": "first_alert_at",
    "meldt av bruker": "first_report_at",
    "first report": "first_report_at",
    "erklært": "declared_at",
    "declared": "declared_at",
    "løst": "resolved_at",
    "resolved": "resolved_at",
    "hendelsesansvarlig utpekt": "manager_assigned_at",
    "incident manager assigned": "manager_assigned_at",
    "post mortem publisert": "postmortem_published_at",
    "post mortem published": "postmortem_published_at",
    "myndighet varslet": "notified_at",
    "authority notified": "notified_at",
    "utløst av": "caused_by_deployment_id",
    "caused by": "caused_by_deployment_id",
    "signatur": "signature",
    "signature": "signature",
    "hendelsesnummer": "own_id",
    "incident number": "own_id",
    "hendelse": "incident_id",
    "incident": "incident_id",
    "besluttet": "created_at",
    "decided": "created_at",
    "frist": "first_due_at",
    "due": "first_due_at",
    "utført": "done_at",
    "done": "done_at",
}
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
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?\s?(Z|[+-]\d\d:?\d\d)")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")
_REFERENCE = re.compile(r"[\w.-]+/[\w.-]+[#@]\d+|#\d+")


def fields_of(body: str) -> dict[str, Any]:
    """Read instants and codes under the agreed ``###`` headings of an issue form; everything else is left there."""
    found: dict[str, Any] = {}
    column: str | None = None
    for line in body.splitlines():
        if line.startswith("#"):
            column = HEADINGS.get(line.lstrip("# ").strip().lower())
        elif column is not None and line.strip() and column not in found:
            found[column] = _value(column, line.strip())
    return {name: value for name, value in found.items() if value is not None}


def _value(column: str, text: str) -> Any:
    if column.endswith("_at"):
        match = _INSTANT.match(text)
        return datetime.fromisoformat(match[0].replace(" ", "T", 1).replace(" ", "")) if match else None
    if column in {"caused_by_deployment_id", "incident_id"}:
        match = _REFERENCE.fullmatch(text) or _CODE.fullmatch(text)
        return match[0] if match else None
    return text if _CODE.fullmatch(text) else None


def _issues(
    ask: Ask[GitHub], client: Client, label: str, since: str | None = None
) -> Iterator[tuple[Row, set[str], dict[str, Any]]]:
    """Yield each issue with a label, its labels, and the fields of its form."""
    repository = ask.connector.incident_repository
    if repository is None:
        problem = Problem(
            "sources.toml",
            None,
            f"connector {ask.connector.name!r} has no incident_repository",
            'set incident_repository = "owner/name"',
        )
        raise SourceError(problem)
    owner, name = repository.split("/", 1)
    after: str | None = None
    while True:
        found = client.graphql("issues", owner=owner, name=name, labels=[label], since=since, after=after)["repository"]
        page = found["issues"]
        for issue in page["nodes"]:
            yield issue, {node["name"].lower() for node in issue["labels"]["nodes"]}, fields_of(issue["body"] or "")
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


def _event(issue: Row, kind: str, label: str | None = None) -> datetime | None:
    """When the first such event of the issue happened; system time, which nobody types."""
    found = [
        instant(node["createdAt"])
        for node in issue["timelineItems"]["nodes"]
        if node["__typename"] == kind and (label is None or node["label"]["name"].lower() == label)
    ]
    return min((at for at in found if at is not None), default=None)


def incidents(ask: Ask[GitHub]) -> Answer:
    """Return labelled incident issues; the severity is a label, instants are GitHub's or stand in the form."""
    settings, rows = ask.connector, list[Row]()
    with Client(ask) as client:
        for issue, labels, form in _issues(ask, client, settings.incident_label, f"{ask.starts_at:%Y-%m-%dT%H:%M:%SZ}"):
            closed = instant(issue["closedAt"]) if issue["stateReason"] != "NOT_PLANNED" else None
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
                    "resolved_at": form.get("resolved_at") or closed,
                    "manager_assigned_at": form.get("manager_assigned_at") or _event(issue, "AssignedEvent"),
                    "postmortem_published_at": published,
                    "caused_by_deployment_id": form.get("caused_by_deployment_id"),
                    "signature": form.get("signature"),
                    "notified_at": form.get("notified_at"),
                    **dict.fromkeys(FLAGS.values(), False),
                    **{FLAGS[label]: True for label in labels & FLAGS.keys()},
                }
            )
    return Answer(rows, source=f"{settings.url} issues {settings.incident_label}")


def action_items(ask: Ask[GitHub]) -> Answer:
    """Return labelled corrective actions."""
    settings, rows = ask.connector, list[Row]()
    with Client(ask) as client:
        for issue, labels, form in _issues(ask, client, settings.action_label):
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
                    "first_due_at": form.get("first_due_at") or _due(issue),
                    "done_at": form.get("done_at") or (None if dropped else instant(issue["closedAt"])),
                    "is_dropped_with_approval": dropped and bool(labels & {"godkjent", "approved"}),
                }
            )
    return Answer(rows, source=f"{settings.url} issues {settings.action_label}")


def maintenance_tasks(ask: Ask[GitHub]) -> Answer:
    """Return labelled planned tasks, such as the weekly patching routine."""
    settings, rows = ask.connector, list[Row]()
    with Client(ask) as client:
        for issue, labels, form in _issues(ask, client, settings.task_label):
            cancelled = issue["stateReason"] == "NOT_PLANNED"
            rows.append(
                {
                    "task_id": f"{settings.incident_repository}#{issue['number']}",
                    "team_id": _labelled(labels, settings.team_prefix),
                    "first_due_at": form.get("first_due_at") or _due(issue),
                    "completed_at": form.get("done_at") or (None if cancelled else instant(issue["closedAt"])),
                    "is_cancelled_with_approval": cancelled and bool(labels & {"godkjent", "approved"}),
                }
            )
    return Answer(rows, source=f"{settings.url} issues {settings.task_label}")


def _due(issue: Row) -> datetime | None:
    due = instant((issue["milestone"] or {}).get("dueOn"))
    return due.astimezone(UTC) if due else None
