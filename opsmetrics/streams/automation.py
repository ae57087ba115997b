"""Automation: changes, infrastructure as code and toil."""

from __future__ import annotations

from opsmetrics.core.declare import Column, at, flag, id_, or_none, text
from opsmetrics.streams.model import SERVICE, Stream, in_order

STREAMS: tuple[Stream, ...] = (
    Stream(
        "deployments",
        "One change of a production service",
        (
            id_("deployment_id", "Id at the source"),
            SERVICE,
            text("environment", "Environment as the source writes it", required=True),
            at("deployed_at", "When it was rolled out", required=True),
            text("actor_kind", "What rolled it out", required=True, one_of=("pipeline", "human")),
            flag("has_manual_step", "A manual step after approval"),
            or_none(at("rolled_back_at", "When it was rolled back")),
            or_none(at("hotfixed_at", "When a hotfix for it was rolled out")),
            at("committed_at", "First commit of the change"),
            flag("is_rework", "Unplanned, to mend what users met"),
        ),
        ("deployment_id",),
        "deployed_at",
        repull_days=14,
        rules=(
            *in_order("committed_at", "deployed_at", "rolled_back_at"),
            *in_order("deployed_at", "hotfixed_at"),
        ),
    ),
    Stream(
        "infrastructure_states",
        "State of one production resource in the cloud provider's inventory on one day",
        (
            id_("resource_id", "Resource"),
            SERVICE,
            Column("observed_on", "date", "Day of the observation", required=True),
            flag("is_in_code", "It is in the state of infrastructure as code", required=True),
            or_none(at("drift_checked_at", "Last drift check")),
            flag("has_drift", "The check found drift"),
        ),
        ("resource_id", "observed_on"),
        "observed_on",
        expected_hours=24 * 7,
    ),
    Stream(
        "toil_reports",
        "Toil of one team in one week, from an anonymous pulse; never per person",
        (
            id_("team_id", "Team"),
            Column("week_starts_on", "date", "Monday of the week", required=True),
            Column("toil_ratio", "number", "Toil hours / working hours", required=True, low=0, high=1),
            Column("respondent_count", "integer", "Answers; below 4 the week is not shown", required=True, low=0),
        ),
        ("team_id", "week_starts_on"),
        "week_starts_on",
        expected_hours=24 * 7,
    ),
)
