"""What the sources say in plain numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from opsmetrics.snapshots.queries.period import Period
from opsmetrics.snapshots.queries.reader import frame, query
from opsmetrics.snapshots.queries.rows import Rows
from opsmetrics.snapshots.store import Snapshot

# The tables of the facts page, newest first.
FACTS = {
    "updates": "select * exclude (service_id) from marts.repository_months order by month desc, repository limit 2000",
    "lag": """select * exclude (service_id) from marts.patch_lag_months
        order by period = 'ALL' desc, period desc, repository, update_type limit 2000""",
    "uptime": """select * exclude (monitor_key, service_id) from marts.monitor_months
        order by month desc, down_minutes desc, provider, monitor_id limit 2000""",
    "reports": "select * from marts.incident_report_years order by period = 'ALL' desc, period desc, kind, severity",
}


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident of a team; severity 1 is the gravest."""

    incident_id: str
    service_id: str | None
    severity: int
    declared_at: datetime
    resolved_at: datetime | None
    needs_postmortem: bool | None
    postmortem_due_at: datetime | None
    postmortem_published_at: datetime | None


def facts(snapshot: Snapshot, name: str) -> pl.DataFrame:
    """Return one of the tables of the facts page."""
    return frame(snapshot, FACTS[name])


def incidents(snapshot: Snapshot, period: Period, team_id: str) -> Rows[Incident]:
    """Return a team's incidents of the twelve months before an instant, newest first; exercises left out.

    As the instant knew them: what was resolved or published later is open.
    """
    return query(
        snapshot,
        Incident,
        """select * replace (
               case when resolved_at < $as_of then resolved_at end as resolved_at,
               case when postmortem_published_at < $as_of then postmortem_published_at end as postmortem_published_at
           )
           from facts.incidents
           where team_id = $team_id and is_exercise is distinct from true and declared_at < $as_of
               and declared_at >= $as_of - interval 12 month
           order by declared_at desc, incident_id""",
        {"as_of": period.as_of, "team_id": team_id},
    )


def major_incidents(snapshot: Snapshot, period: Period) -> list[int]:
    """Return how many incidents of severity 1 and 2 each of the twelve periods before an instant had, oldest first.

    Periods are 28 days, so that they compare; the newest ends at the instant.
    """
    rows = frame(
        snapshot,
        """select age, count(incident_id) as found from range(13) as ages (age)
           left join facts.incidents as i on not i.is_exercise and i.severity <= 2
               and i.declared_at < $as_of - age * interval 28 day
               and i.declared_at >= $as_of - (age + 1) * interval 28 day
           group by age order by age desc""",
        {"as_of": period.as_of},
    )
    return rows["found"].to_list()
