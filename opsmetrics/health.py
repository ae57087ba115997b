"""What is wrong with the scorecard's own supply: an old snapshot, sources that fail, gaps that become permanent.

Read from the current snapshot, so that a message, the data-quality page and an analyst's query say the same.
Does not belong here: how it is told (``opsmetrics.notify``) or when (``pipelines.sensors``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import duckdb

from opsmetrics.errors import SnapshotError
from opsmetrics.settings import Settings
from opsmetrics.snapshot import open_current

# A daily build that ran late is no news; one that did not run is.
LONGEST_WAIT = timedelta(hours=26)

_SOURCES = """
    select 'source/' || stream || '/' || origin || '/' || state,
        stream || ' from ' || origin || ': ' ||
            case state when 'late' then 'no new data since ' || coalesce(last_day::varchar, 'ever')
                else coalesce(split_part(error, chr(10), 1), 'nothing was ever delivered') end
    from marts.source_health where state in ('failed', 'late')
    order by 1
"""
_GAPS = """
    select 'gap/' || stream || '/' || origin || '/' || starts_on || '/' || state,
        stream || ' from ' || origin || ': ' || starts_on || ' to ' || ends_on || ' are missing'
            || case state when 'lost' then ', and the source has forgotten them'
                else ', and the source forgets them from ' || lost_on || ' on' end
    from marts.missing_days where state in ('at_risk', 'lost')
    order by 1
"""
_DAMAGED = """
    select 'damaged/' || stream || '/' || load_id,
        'landing file of ' || stream || ' (' || window_start || ' to ' || window_end || ') was damaged and set aside'
    from meta.damaged_loads
    order by 1
"""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that somebody should look at.

    Attributes:
        key: The same as long as it is the same trouble.
        text: One line: what, and since when or until when.
    """

    key: str
    text: str


def troubles(settings: Settings, now: datetime) -> list[Trouble]:
    """Return all that is wrong at ``now``, the snapshot itself first."""
    try:
        with open_current(settings.snapshots) as con:
            return [*_age(con, now), *(Trouble(*row) for row in _rows(con))]
    except SnapshotError as error:
        return [Trouble("snapshot", str(error))]


def _age(con: duckdb.DuckDBPyConnection, now: datetime) -> list[Trouble]:
    ((built,),) = con.execute("select built_at from meta.build").fetchall()
    if now - built.astimezone(UTC) <= LONGEST_WAIT:
        return []
    return [Trouble("snapshot", f"the newest snapshot was built {built:%Y-%m-%d %H:%M} UTC: builds fail or do not run")]


def _rows(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    return [row for query in (_SOURCES, _GAPS, _DAMAGED) for row in con.execute(query).fetchall()]
