"""What the sources say in plain numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from opsmetrics.reading.reader import query
from opsmetrics.snapshot import Snapshot

# The tables of the facts page, newest first.
FACTS = {
    "updates": "select * exclude (service_id) from marts.repository_months order by month desc, repository limit 2000",
    "lag": """select * exclude (service_id) from marts.patch_lag_months
        order by period = 'ALL' desc, period desc, repository, update_type limit 2000""",
    "uptime": """select * exclude (monitor_key, service_id) from marts.monitor_months
        order by month desc, down_minutes desc, provider, monitor_id limit 2000""",
    "reports": "select * from marts.incident_report_years order by period = 'ALL' desc, period desc, kind, severity",
}


def facts(snapshot: Snapshot, name: str) -> pl.DataFrame:
    """Return one of the tables of the facts page."""
    return query(snapshot, FACTS[name])


def incidents(snapshot: Snapshot, period: Mapping[str, Any], team_id: str) -> pl.DataFrame:
    """Return a team's incidents of the twelve months before an instant, newest first; exercises left out."""
    return query(
        snapshot,
        """select * from facts.incidents
           where team_id = $team_id and not is_exercise and declared_at < $as_of
               and declared_at >= $as_of - interval 12 month
           order by declared_at desc, incident_id""",
        {"as_of": period["as_of"], "team_id": team_id},
    )


def major_incidents(snapshot: Snapshot, period: Mapping[str, Any]) -> list[int]:
    """Return how many incidents of severity 1 and 2 each of the twelve periods before an instant had, oldest first.

    Periods are 28 days, so that they compare; the newest ends at the instant.
    """
    rows = query(
        snapshot,
        """select age, count(incident_id) as found from range(13) as ages (age)
           left join facts.incidents as i on not i.is_exercise and i.severity <= 2
               and i.declared_at < $as_of - age * interval 28 day
               and i.declared_at >= $as_of - (age + 1) * interval 28 day
           group by age order by age desc""",
        {"as_of": period["as_of"]},
    )
    return rows["found"].to_list()
