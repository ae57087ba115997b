"""Can the numbers be trusted? Sources, gaps, rows set aside, exemptions, signs of gaming."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl

from opsmetrics.reading.reader import at, query
from opsmetrics.snapshot import Snapshot

SHOWN_ROWS = 50
SHOWN_RUNS = 30


def alarms(snapshot: Snapshot, period: Mapping[str, Any], team_id: str | None) -> pl.DataFrame:
    """Return gaming alarms at an instant, of one team or of all."""
    return query(
        snapshot,
        """select a.*, u.title_nb, u.title_en, u.explanation_nb, u.explanation_en from marts.gaming_alarms as a
           join meta.unscored as u on u.table_id = a.alarm
           where a.as_of = $as_of and a.grain = $grain and ($team_id is null or a.team_id = $team_id)
           order by a.team_id, a.alarm, a.subject""",
        {**at(period), "team_id": team_id},
    )


def exemptions(snapshot: Snapshot) -> pl.DataFrame:
    """Return waivers and exemptions that are valid, the next to fall due first."""
    return query(snapshot, "select * from marts.exemptions where is_active order by valid_to, kind, exemption_id")


def exemption_debt(snapshot: Snapshot, period: Mapping[str, Any]) -> pl.DataFrame:
    """Return what waivers are worth to each team at an instant; teams without any are left out."""
    return query(
        snapshot,
        """select * from marts.exemption_debt where as_of = $as_of and grain = $grain and waived_count > 0
           order by debt_points desc nulls last, team_id""",
        at(period),
    )


def sources(snapshot: Snapshot) -> pl.DataFrame:
    """Return every connected stream with its freshness, worst first."""
    return query(
        snapshot,
        """select * from marts.source_health
           order by case state when 'failed' then 0 when 'late' then 1 when 'fresh' then 2 else 3 end,
               stream, origin""",
    )


def missing_days(snapshot: Snapshot) -> pl.DataFrame:
    """Return the days that connectors owe, most urgent first."""
    return query(
        snapshot,
        f"""select * from marts.missing_days
            order by case state when 'at_risk' then 0 when 'late' then 1 else 2 end, stream, origin, starts_on
            limit {SHOWN_ROWS}""",
    )


def quarantine(snapshot: Snapshot) -> pl.DataFrame:
    """Return the rows set aside in loads that still count, by reason: mending a source clears its list."""
    return query(
        snapshot,
        f"""select stream, source, reason, count(*) as rows, min(line) as line from meta.quarantine
            where (stream, load_id) in (
                select (stream, load_id) from meta.load_days
                union select (stream, load_id) from meta.register_loads
            )
            group by all order by rows desc, stream, reason limit {SHOWN_ROWS}""",
    )


def unmatched(snapshot: Snapshot) -> pl.DataFrame:
    """Return the names in the sources that the configuration does not know, most rows first."""
    return query(snapshot, f"select * from facts.unmatched_rows order by row_count desc limit {SHOWN_ROWS}")


def suspect_monitors(snapshot: Snapshot) -> pl.DataFrame:
    """Return monitors that are down most of the time, worst first."""
    return query(snapshot, f"select * from marts.suspect_monitors order by down_ratio desc limit {SHOWN_ROWS}")


def deliveries(snapshot: Snapshot) -> pl.DataFrame:
    """Return the last thirty days that each source delivered: ``stream, origin, days`` (list of dates, oldest first).

    A register stands for every day, so it has none.
    """
    return query(
        snapshot,
        f"""select stream, origin, list(distinct day order by day) as days from meta.load_days
            where day > (select max("on") from ref.as_of) - {SHOWN_RUNS} group by all""",
    )


def last_day(snapshot: Snapshot) -> date:
    """Return the newest day that the snapshot speaks of."""
    return query(snapshot, """select max("on") as day from ref.as_of""")["day"][0]


def due_exemptions(snapshot: Snapshot, within_days: int) -> pl.DataFrame:
    """Return valid exemptions that end within some days, the next first."""
    return exemptions(snapshot).filter(pl.col("days_left") <= within_days)


def teams_without(snapshot: Snapshot, period: Mapping[str, Any]) -> pl.DataFrame:
    """Return the teams that a stream says nothing about, by the reasons of their metrics: ``stream, teams``."""
    return query(
        snapshot,
        """with missing as (
               select team_id, unnest(string_split(split_part(reason, ':', 2), ',')) as stream
               from scores.metric where as_of = $as_of and grain = $grain and reason like 'not_connected:%'
           )
           select stream, list(distinct team_id order by team_id) as teams from missing group by stream""",
        at(period),
    )
