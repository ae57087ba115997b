"""``ref`` tables of the registers: exceptions, what does not apply, what a remedy costs, and what was decided."""

from __future__ import annotations

from collections.abc import Iterator

from opsmetrics.core.declare import Row, Table, day, flag, id_, number, text
from opsmetrics.organisation.organisation import Organisation

_TEAM = id_("team_id", "Team")
_METRIC = id_("metric_id", "Metric")
_REASON = id_("reason", "Reason")
_APPROVER = id_("approver", "Approving role")
_FROM = day("valid_from", "First day", required=True)
_TO = day("valid_to", "Day after the last", required=True)

WAIVERS = Table(
    "ref.waivers",
    "Time-limited exceptions (method 3.7)",
    (
        id_("waiver_id", "Id"),
        _TEAM,
        _METRIC,
        _REASON,
        id_("compensating_measure", "Compensating measure"),
        _APPROVER,
        _FROM,
        _TO,
    ),
    ("waiver_id",),
)


def waivers(organisation: Organisation) -> Iterator[Row]:
    """Return the rows of ``ref.waivers``."""
    for waiver in organisation.waivers:
        yield {
            "waiver_id": waiver.waiver_id,
            "team_id": waiver.team_id,
            "metric_id": waiver.metric_id,
            "reason": waiver.reason,
            "compensating_measure": waiver.compensating_measure,
            "approver": waiver.approver,
            "valid_from": waiver.valid_from,
            "valid_to": waiver.valid_to,
        }


APPLICABILITY = Table(
    "ref.applicability",
    "Metrics that do not apply to a team",
    (_TEAM, _METRIC, _REASON, _APPROVER, _FROM, _TO),
    ("team_id", "metric_id", "valid_from"),
)


def applicability(organisation: Organisation) -> Iterator[Row]:
    """Return the rows of ``ref.applicability``."""
    for row in organisation.applicability:
        yield {
            "team_id": row.team_id,
            "metric_id": row.metric_id,
            "reason": row.reason,
            "approver": row.approver,
            "valid_from": row.valid_from,
            "valid_to": row.valid_to,
        }


EFFORTS = Table(
    "ref.efforts",
    "What a team expects a remedy to cost; other remedies cost the catalogue's default",
    (_TEAM, _METRIC, number("effort_days", "Team-days", required=True)),
    ("team_id", "metric_id"),
)


def efforts(organisation: Organisation) -> Iterator[Row]:
    """Return the rows of ``ref.efforts``."""
    for effort in organisation.efforts:
        yield {"team_id": effort.team_id, "metric_id": effort.metric_id, "effort_days": effort.effort_days}


GOALS = Table(
    "ref.goals",
    "Decisions to close gaps: who, and by when; scores.goal and scores.goal_effect say what came of them",
    (
        _TEAM,
        _METRIC,
        id_("owner_role", "Responsible role"),
        day("decided_on", "Day of the decision", required=True),
        day("due_on", "Day by which the gap is to be closed", required=True),
        text(
            "status",
            "planned, in_progress, done or dropped",
            required=True,
            one_of=("planned", "in_progress", "done", "dropped"),
        ),
        flag("is_open", "Planned or in progress; one a team and metric", required=True),
        day("acted_on", "Day from which the action works, or null"),
        number(
            "expected_points",
            "Points of the team score that it is to bring, where the register says so; null where it does not",
        ),
        text("campaign", "Campaign that it belongs to, or null"),
    ),
    ("team_id", "metric_id", "decided_on"),
)


def goals(organisation: Organisation) -> Iterator[Row]:
    """Return the rows of ``ref.goals``."""
    for goal in organisation.goals:
        yield {
            "team_id": goal.team_id,
            "metric_id": goal.metric_id,
            "owner_role": goal.owner_role,
            "decided_on": goal.decided_on,
            "due_on": goal.due_on,
            "status": goal.status,
            "is_open": goal.is_open,
            "acted_on": goal.acted_on,
            "expected_points": goal.expected_points,
            "campaign": goal.campaign,
        }
