"""Incident handling: incidents, duty, corrective actions and assistance."""

from __future__ import annotations

from opsmetrics.core.declare import Column, at, count, deadline, due, flag, id_, or_none, text
from opsmetrics.streams.model import SERVICE, Stream, after, in_order, within_days

STREAMS: tuple[Stream, ...] = (
    Stream(
        "incidents",
        "One incident, as it stands now",
        (
            id_("incident_id", "Id at the source"),
            SERVICE,
            Column("severity", "integer", "1 (critical) to 4", required=True, low=1, high=4),
            at("declared_at", "When it was declared", required=True),
            or_none(at("first_alert_at", "First alert that belongs to it")),
            or_none(at("first_report_at", "First report by a person")),
            or_none(at("resolved_at", "When it was resolved")),
            or_none(at("manager_assigned_at", "When the incident manager role was filled (system time)")),
            flag("is_escalated", "A severity 3 incident that needed the incident routine"),
            flag("is_exercise", "Planned test or exercise"),
            flag("is_data_loss", "Data were lost"),
            or_none(at("postmortem_published_at", "When the post mortem was published")),
            flag("is_postmortem_reviewed", "Somebody other than the author reviewed it"),
            or_none(text("caused_by_deployment_id", "Deployment that caused it")),
            or_none(text("signature", "Opaque code of the kind of fault; equal codes are repeats")),
            flag("is_reportable", "The law asks for a notification"),
            or_none(at("notified_at", "When the authority was notified")),
        ),
        ("incident_id",),
        "declared_at",
        repull_days=180,
        ends=("resolved_at",),
        rules=(*in_order("declared_at", "resolved_at"), *in_order("declared_at", "postmortem_published_at")),
    ),
    Stream(
        "oncall_shifts",
        "One period with somebody on duty; head counts only, never names",
        (
            id_("shift_id", "Id at the source"),
            id_("team_id", "Team on duty"),
            due("starts_at", "Start", required=True),
            due("ends_at", "End, a year after the start at most", required=True),
            count("responder_count", "People on duty with an active contact method"),
        ),
        ("shift_id",),
        "starts_at",
        repull_days=35,
        ends=("ends_at",),
        rules=(*after("starts_at", "ends_at"), *within_days("starts_at", "ends_at", 365)),
        # As the method's inc_oncall_coverage has it, and as connectors cut longer ones.
        lasts_days=7,
    ),
    Stream(
        "action_items",
        "One corrective action of a post mortem",
        (
            id_("action_id", "Id"),
            SERVICE,
            or_none(text("incident_id", "Incident it follows from")),
            Column("priority", "integer", "1 = most urgent", required=True, low=1, high=4),
            at("created_at", "When it was decided", required=True),
            or_none(
                deadline(
                    "first_due_at",
                    "First due instant; later ones change nothing. Default: 28 days (priority 1) or 56",
                )
            ),
            or_none(at("done_at", "When it was done")),
            flag("is_dropped_with_approval", "Will not be done, with approver"),
        ),
        ("action_id",),
        None,
        expected_hours=24 * 31,
        rules=in_order("created_at", "done_at"),
    ),
    Stream(
        "assist_requests",
        "One request for assistance from one team to another during an incident",
        (
            id_("request_id", "Id"),
            or_none(text("incident_id", "Incident")),
            id_("from_team_id", "Team that asks"),
            id_("to_team_id", "Team that is asked"),
            at("asked_at", "When", required=True),
            or_none(at("answered_at", "First answer by a person")),
        ),
        ("request_id",),
        "asked_at",
        repull_days=14,
        ends=("answered_at",),
        rules=in_order("asked_at", "answered_at"),
    ),
    Stream(
        "incident_reports",
        "One report of a public status page",
        # No rule relates start and end: people type them, and what a page stated is what this stream is about.
        (
            text("provider", "Status page", required=True),
            id_("report_id", "Id at the source"),
            text("kind", "Kind", required=True, one_of=("incident", "maintenance")),
            text("severity", "Severity as the page writes it"),
            at("started_at", "Start as stated, null if missing or impossible"),
            or_none(at("resolved_at", "End as stated, null if missing or impossible")),
            at("announced_at", "First publication"),
        ),
        ("provider", "report_id"),
        None,
        expected_hours=24 * 31,
    ),
)
