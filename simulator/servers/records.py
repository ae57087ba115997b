"""The simulated organisation's records as the servers look at them: by service, sorted by time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import polars as pl

from simulator.organisation import Organisation
from simulator.plants import RELEASE_TEAM
from simulator.world import local

Row = dict[str, Any]
ARCHIVE_UNTIL = local(date(2026, 10, 24), 0)
SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
BACKUP_SUBSCRIPTION = "22222222-2222-2222-2222-222222222222"
WORKSPACE = "33333333-3333-3333-3333-333333333333"
OWNER = "kystetaten"
INCIDENTS = f"{OWNER}/hendelser"
# Marked texts in every place where real sources hold names, addresses, texts and secrets: none may ever be landed.
PLANTED = {
    "person": "Zxq Plantesen",
    "mail": "zxq.plantesen@example.invalid",
    "text": "ZXQHEMMELIGTEKST kunden mistet alt",
    "secret": "zxq-hemmelig-nokkel-0451",
    "finding": "ZXQ-CVE-DETALJ overflow in parser",
}


@dataclass(frozen=True)
class Records:
    """Everything the servers tell.

    Attributes:
        organisation: Teams, services and datastores.
        rows: Stream -> rows.
        now: Clock of the servers.
        archive_until: Earlier records were handed in as files before the sources were connected.
    """

    organisation: Organisation
    rows: dict[str, list[Row]]
    frames: dict[str, pl.DataFrame]
    now: datetime
    archive_until: datetime = ARCHIVE_UNTIL

    @classmethod
    def of(cls, organisation: Organisation, generated: dict[str, list[Row] | pl.DataFrame], now: datetime) -> Records:
        """Split generated records into rows and bulky frames."""
        rows = {name: found for name, found in generated.items() if isinstance(found, list)}
        frames = {name: found for name, found in generated.items() if isinstance(found, pl.DataFrame)}
        return cls(organisation, rows, frames, now)

    def team_of(self, service: str) -> str:
        """Return the team that owns a service."""
        return next(item.team for item in self.organisation.services if item.id == service)

    def newest(self, stream: str) -> list[Row]:
        """Return the rows of the newest inventory of a stream of states, up to the clock."""
        rows = [row for row in self.rows[stream] if row["observed_on"] <= self.now.date()]
        last = max((row["observed_on"] for row in rows), default=None)
        return [row for row in rows if row["observed_on"] == last]


def text(instant: datetime | None) -> str | None:
    """Write an instant as most APIs do."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if instant else None


def precise(instant: datetime | None) -> str | None:
    """Write an instant with microseconds, for services that keep them."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") if instant else None


def parse(value: str) -> datetime:
    """Read an instant or a day of a query."""
    found = datetime.fromisoformat(value)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def resource_id(kind: str, name: str, subscription: str = SUBSCRIPTION) -> str:
    """Return an ARM id; providers keep their own mixture of cases."""
    return f"/subscriptions/{subscription}/resourceGroups/rg-{name}/providers/{kind}/{name}"


# Who is watched by what: everything that is not named here lives in Azure Monitor.
PROBED_BY_GITHUB = ("sjokart-api",)
PROMETHEUS_TEAM = "farled"
PROMETHEUS_SLO_TEAM = "tidevann"
AZURE_METRICS_TEAM = "datakaia"
DEVOPS_TEAM = RELEASE_TEAM[0]
