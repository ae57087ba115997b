"""Settings of what calls people: Opsgenie, Jira Service Management, PagerDuty.

Belongs here: how schedules, pages and incidents in them belong to services.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import model_validator

from opsmetrics.core.model import Slug
from opsmetrics.organisation.connectors.base import Connector, Feed, Url, Variable


class OnCall(Connector):
    """Opsgenie, or Jira Service Management Operations as its successor (source contracts, D).

    ``url`` is by default Opsgenie's host in Europe, or Atlassian's: a token is sent to its own vendor only.
    """

    feeds: ClassVar[Mapping[str, Feed]] = {
        "alerts": Feed(chunk_days=31, remembers_days=365),
        "incidents": Feed(
            chunk_days=190,
            remembers_days=365,
            untold=(
                *("first_alert_at", "first_report_at", "manager_assigned_at", "is_escalated", "is_exercise"),
                *("is_data_loss", "postmortem_published_at", "is_postmortem_reviewed", "caused_by_deployment_id"),
                *("signature", "is_reportable", "notified_at"),
            ),
        ),
        "oncall_shifts": Feed(chunk_days=14, remembers_days=365),
    }
    kind: Literal["oncall"]
    dialect: Literal["opsgenie", "jsm"]
    url: Url | None = None
    cloud_id: str | None = None
    token_env: Variable
    user_env: Variable | None = None
    schedules: dict[str, Slug] = {}
    service_prefix: str = "service:"
    bots: list[str] = []

    @property
    def address(self) -> str:
        """Base address: the configured one, or that of the dialect's vendor."""
        own = "https://api.eu.opsgenie.com" if self.dialect == "opsgenie" else "https://api.atlassian.com"
        return self.url or own

    @model_validator(mode="after")
    def _cloud(self) -> OnCall:
        if self.dialect == "jsm" and (not self.cloud_id or not self.user_env):
            raise ValueError("jsm needs cloud_id and user_env")
        if self.dialect == "jsm" and "opsgenie.com" in self.address:
            raise ValueError("jsm is asked at https://api.atlassian.com: its token is not for Opsgenie's host")
        if "oncall_shifts" in self.streams and not self.schedules:
            raise ValueError('oncall_shifts needs schedules = { "<schedule id>" = "<team>" }')
        return self

    def untold(self, stream: str) -> tuple[str, ...]:
        """Jira Service Management's list of alerts does not say who acknowledged."""
        untold = super().untold(stream)
        return (*untold, "acknowledged_by_kind") if (self.dialect, stream) == ("jsm", "alerts") else untold


class PagerDuty(Connector):
    """PagerDuty's REST API v2 (source contracts, D).

    ``region = "eu"`` asks the European service. Pages are the incidents of ``paging_urgencies``; incidents are those
    with a priority, whose name ``priorities`` turns into a severity. ``test_services`` names the services that are only
    for tests, ``[]`` for none: without it nobody says which pages are tests.
    """

    feeds: ClassVar[Mapping[str, Feed]] = {
        "alerts": Feed(chunk_days=31, untold=("label",)),
        "incidents": Feed(
            chunk_days=170,
            untold=(
                *("first_alert_at", "first_report_at", "manager_assigned_at", "is_escalated", "is_exercise"),
                *("is_data_loss", "postmortem_published_at", "is_postmortem_reviewed", "caused_by_deployment_id"),
                *("signature", "is_reportable", "notified_at"),
            ),
        ),
        "oncall_shifts": Feed(chunk_days=14),
    }
    kind: Literal["pagerduty"]
    region: Literal["us", "eu"] = "us"
    url: Url | None = None
    token_env: Variable
    schedules: dict[str, Slug] = {}
    paging_urgencies: list[Literal["high", "low"]] = ["high"]
    urgency_severities: dict[Literal["high", "low"], int] = {"high": 1, "low": 3}
    priorities: dict[str, int] = {"P1": 1, "P2": 2, "P3": 3, "P4": 4, "P5": 4}
    test_services: list[str] | None = None
    bots: list[str] = []

    @property
    def address(self) -> str:
        """Base address: the configured one, or that of the region."""
        own = {"us": "https://api.pagerduty.com", "eu": "https://api.eu.pagerduty.com"}
        return self.url or own[self.region]

    def severity_of(self, priority: str) -> int | None:
        """Return the severity of a priority's name; case says nothing."""
        known = {name.casefold(): severity for name, severity in self.priorities.items()}
        return known.get(priority.strip().casefold())

    @model_validator(mode="after")
    def _schedules_and_urgencies(self) -> PagerDuty:
        if "oncall_shifts" in self.streams and not self.schedules:
            raise ValueError('oncall_shifts needs schedules = { "<schedule id>" = "<team>" }')
        if set(self.urgency_severities) != {"high", "low"}:
            raise ValueError("urgency_severities names a severity for high and for low")
        return self

    def untold(self, stream: str) -> tuple[str, ...]:
        """Which pages are tests is told by the services that are only for them, if those are named."""
        untold = super().untold(stream)
        return (*untold, "is_test") if stream == "alerts" and self.test_services is None else untold
