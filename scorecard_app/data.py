"""The only reader of snapshots: one cached connection per snapshot file, one cursor per query.

A view asks for a snapshot once per run and passes it on, so that a page never mixes two snapshots.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb
import polars as pl
import streamlit as st

from opsmetrics.settings import Settings
from opsmetrics.snapshot import Snapshot, current

KEPT_READERS = 3
SHOWN_CHANGES = 12
SHOWN_ROWS = 50

# The tables of the facts page, newest first.
FACTS = {
    "updates": "select * exclude (service_id) from marts.repository_months order by month desc, repository limit 2000",
    "lag": """select * exclude (service_id) from marts.patch_lag_months
        order by period = 'ALL' desc, period desc, repository, update_type limit 2000""",
    "uptime": """select * exclude (monitor_key, service_id) from marts.monitor_months
        order by month desc, down_minutes desc, provider, monitor_id limit 2000""",
    "reports": "select * from marts.incident_report_years order by period = 'ALL' desc, period desc, kind, severity",
}


def current_snapshot() -> Snapshot:
    """Return the snapshot that the pointer names now.

    Raises:
        SnapshotError: Nothing was published yet.
    """
    return current(Settings.from_env().snapshots)


def _close(con: duckdb.DuckDBPyConnection) -> None:
    con.close()


@st.cache_resource(max_entries=KEPT_READERS, show_spinner=False, on_release=_close)
def _reader(path: str) -> duckdb.DuckDBPyConnection:
    # Snapshots have unique names: reconnecting to a replaced path would return the old database (stack.md).
    con = duckdb.connect(path, read_only=True, config={"enable_external_access": False})
    con.execute("set timezone = 'UTC'")
    return con


@st.cache_data(max_entries=2000, show_spinner=False)
def _query(path: str, sql: str, parameters: tuple[tuple[str, Any], ...]) -> pl.DataFrame:
    with _reader(path).cursor() as cursor:
        cursor.execute("set timezone = 'UTC'")
        names = dict(parameters)
        return cursor.sql(sql, params=names).pl() if names else cursor.sql(sql).pl()


def query(snapshot: Snapshot, sql: str, parameters: Mapping[str, Any] | None = None) -> pl.DataFrame:
    """Run one select on a snapshot; values are bound, results cached per snapshot and parameters."""
    return _query(str(snapshot.path), sql, tuple(sorted((parameters or {}).items())))


def organisation(snapshot: Snapshot) -> dict[str, Any]:
    """Return the organisation's row joined with the build's."""
    return query(snapshot, "select * from meta.organisation, meta.build").row(0, named=True)


def areas(snapshot: Snapshot) -> pl.DataFrame:
    """Return the areas in order."""
    return query(snapshot, "select * from meta.areas order by position")


def teams(snapshot: Snapshot) -> pl.DataFrame:
    """Return the teams, product teams first, by name."""
    return query(snapshot, "select * from ref.teams order by type desc, name_nb")


def metrics(snapshot: Snapshot) -> pl.DataFrame:
    """Return the catalogue, by area and weight."""
    return query(
        snapshot,
        "select m.*, a.position from meta.metrics as m join meta.areas as a using (area_id)"
        " order by a.position, m.weight desc, m.metric_id",
    )


def periods(snapshot: Snapshot) -> pl.DataFrame:
    """Return what can be chosen: the latest day, then months, newest first."""
    return query(
        snapshot,
        """select as_of, grain, label, "on" from ref.as_of where grain in ('latest', 'month')
           order by grain = 'month', as_of desc""",
    )


def team_scores(snapshot: Snapshot, period: Mapping[str, Any]) -> pl.DataFrame:
    """Return every team's score at an instant."""
    return query(snapshot, "select * from scores.team where as_of = $as_of and grain = $grain", _at(period))


def area_scores(snapshot: Snapshot, period: Mapping[str, Any]) -> pl.DataFrame:
    """Return every area score at an instant, with the gate's reason."""
    return query(
        snapshot,
        """select s.*, g.reason_nb, g.reason_en from scores.area as s
           left join meta.gates as g on g.gate_id = s.gate
           where s.as_of = $as_of and s.grain = $grain""",
        _at(period),
    )


def metric_scores(snapshot: Snapshot, period: Mapping[str, Any]) -> pl.DataFrame:
    """Return every metric score at an instant."""
    return query(snapshot, "select * from scores.metric where as_of = $as_of and grain = $grain", _at(period))


def team_months(snapshot: Snapshot) -> pl.DataFrame:
    """Return the monthly team scores, oldest first."""
    return query(snapshot, "select * from scores.team where grain = 'month' order by team_id, as_of")


def area_months(snapshot: Snapshot, team_id: str) -> pl.DataFrame:
    """Return the monthly area scores of a team, oldest first."""
    return query(
        snapshot,
        "select * from scores.area where grain = 'month' and team_id = $team_id order by area_id, as_of",
        {"team_id": team_id},
    )


def gaps(snapshot: Snapshot, period: Mapping[str, Any], team_id: str) -> pl.DataFrame:
    """Return the gaps of a team, largest gain first."""
    return query(
        snapshot,
        """select g.*, s.value, s.points, s.status from scores.gap as g
           join scores.metric as s using (team_id, metric_id, as_of, grain)
           where g.as_of = $as_of and g.grain = $grain and g.team_id = $team_id and g.points_lost > 0
           order by g.gain_if_met desc, g.metric_id""",
        {**_at(period), "team_id": team_id},
    )


def metric_weeks(snapshot: Snapshot, team_id: str, metric_id: str) -> pl.DataFrame:
    """Return the weekly values of a metric, oldest first."""
    return query(
        snapshot,
        """select s.*, w."on" from scores.metric as s join ref.as_of as w using (as_of, grain)
           where s.grain = 'week' and s.team_id = $team_id and s.metric_id = $metric_id order by s.as_of""",
        {"team_id": team_id, "metric_id": metric_id},
    )


def entities(snapshot: Snapshot, period: Mapping[str, Any], team_id: str, metric_id: str) -> pl.DataFrame:
    """Return the points of each entity, worst first."""
    return query(
        snapshot,
        """select * from scores.entity where as_of = $as_of and grain = $grain and team_id = $team_id
           and metric_id = $metric_id order by points nulls first, entity_id""",
        {**_at(period), "team_id": team_id, "metric_id": metric_id},
    )


def evidence(snapshot: Snapshot, evidence_sql: str, period: Mapping[str, Any], team_id: str) -> pl.DataFrame:
    """Return the rows behind a metric's numbers: the metric's own SQL, stopped one step earlier."""
    return query(
        snapshot,
        f"select * from ({evidence_sql}) where team_id = $team_id and as_of = $as_of and grain = $grain"
        " order by item_at desc nulls last, item_id",
        {**_at(period), "team_id": team_id},
    )


def trends(snapshot: Snapshot, team_id: str) -> pl.DataFrame:
    """Return the trends of a team, its areas and its metrics."""
    return query(snapshot, "select * from scores.trend where team_id = $team_id", {"team_id": team_id})


def changes(snapshot: Snapshot, team_id: str) -> pl.DataFrame:
    """Return what the changes of a team's score are made of, newest first."""
    return query(
        snapshot,
        f"""select c.*, w."on" from scores.change as c join ref.as_of as w using (as_of, grain)
            where c.team_id = $team_id order by c.as_of desc, c.grain limit {SHOWN_CHANGES}""",
        {"team_id": team_id},
    )


def plan(snapshot: Snapshot, team_id: str) -> pl.DataFrame:
    """Return the cheapest way to a team's next level, first step first."""
    return query(snapshot, "select * from scores.plan where team_id = $team_id order by position", {"team_id": team_id})


def alarms(snapshot: Snapshot, period: Mapping[str, Any], team_id: str | None) -> pl.DataFrame:
    """Return gaming alarms at an instant, of one team or of all."""
    return query(
        snapshot,
        """select a.*, u.title_nb, u.title_en, u.explanation_nb, u.explanation_en from marts.gaming_alarms as a
           join meta.unscored as u on u.table_id = a.alarm
           where a.as_of = $as_of and a.grain = $grain and ($team_id is null or a.team_id = $team_id)
           order by a.team_id, a.alarm, a.subject""",
        {**_at(period), "team_id": team_id},
    )


def diagnostics(snapshot: Snapshot, period: Mapping[str, Any], team_id: str) -> pl.DataFrame:
    """Return every diagnostic of a team at an instant."""
    names = query(snapshot, "select table_id from meta.unscored where kind = 'diagnostics' order by 1")["table_id"]
    union = " union all by name ".join(f"select '{name}' as table_id, * from diagnostics.{name}" for name in names)
    return query(
        snapshot,
        f"""select d.*, u.title_nb, u.title_en, u.explanation_nb, u.explanation_en, u.unit from ({union}) as d
            join meta.unscored as u using (table_id)
            where d.team_id = $team_id and d.as_of = $as_of and d.grain = $grain
            order by d.table_id, d.entity_id, d.statistic""",
        {**_at(period), "team_id": team_id},
    )


def organisation_facts(snapshot: Snapshot, period: Mapping[str, Any]) -> pl.DataFrame:
    """Return the facts that no single team answers for, at an instant."""
    names = query(snapshot, "select table_id from meta.unscored where kind = 'organisation' order by 1")["table_id"]
    union = " union all by name ".join(f"select '{name}' as table_id, * from organisation.{name}" for name in names)
    return query(
        snapshot,
        f"""select o.*, u.title_nb, u.title_en, u.explanation_nb, u.explanation_en from ({union}) as o
            join meta.unscored as u using (table_id)
            where o.as_of = $as_of and o.grain = $grain order by o.table_id""",
        _at(period),
    )


def score_parts(snapshot: Snapshot, period: Mapping[str, Any], team_id: str) -> pl.DataFrame:
    """Return the metrics that make a team's area scores, with their weights, in the order of areas."""
    return query(
        snapshot,
        """select m.area_id, m.title_nb, m.title_en, s.weight, s.evidence_weight, s.points, a.score as area_score,
               a.status as area_status, p.position, p.weight as area_weight
           from scores.metric as s
           join meta.metrics as m using (metric_id)
           join meta.areas as p on p.area_id = m.area_id
           join scores.area as a
               on a.team_id = s.team_id and a.area_id = m.area_id and a.as_of = s.as_of and a.grain = s.grain
           where s.as_of = $as_of and s.grain = $grain and s.team_id = $team_id and s.points is not null
               and a.score is not null
           order by p.position, s.weight desc, s.metric_id""",
        {**_at(period), "team_id": team_id},
    )


def weakest_share(snapshot: Snapshot) -> float:
    """Return lambda, the share of the weakest area in a team's score."""
    return float(query(snapshot, "select weakest_share from meta.known")["weakest_share"][0])


def restated(snapshot: Snapshot, team_id: str) -> pl.DataFrame:
    """Return published team and area scores that are others today, newest first."""
    return query(
        snapshot,
        """select p.*, w.label from scores.published as p join ref.as_of as w using (as_of, grain)
           where p.team_id = $team_id and p.metric_id = '' and p.cause <> 'none' order by p.as_of desc, p.area_id""",
        {"team_id": team_id},
    )


def control_chart(snapshot: Snapshot, team_id: str, metric_id: str) -> pl.DataFrame:
    """Return the XmR chart of a metric, oldest point first."""
    return query(
        snapshot,
        """select c.*, w."on" from scores.control_chart as c join ref.as_of as w using (as_of, grain)
           where c.team_id = $team_id and c.metric_id = $metric_id order by c.as_of""",
        {"team_id": team_id, "metric_id": metric_id},
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
        _at(period),
    )


def obligations(snapshot: Snapshot) -> pl.DataFrame:
    """Return the handbook's sentences and what measures them."""
    return query(snapshot, "select * from meta.obligations order by obligation_id")


def sources(snapshot: Snapshot) -> pl.DataFrame:
    """Return every connected stream with its freshness, worst first."""
    return query(
        snapshot,
        """select * from marts.source_health
           order by case state when 'failed' then 0 when 'late' then 1 when 'fresh' then 2 else 3 end,
               stream, origin""",
    )


def datastores(snapshot: Snapshot) -> list[str]:
    """Return the ids of the datastores that must be restorable."""
    return query(snapshot, "select datastore_id from ref.datastores order by datastore_id")["datastore_id"].to_list()


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


def facts(snapshot: Snapshot, name: str) -> pl.DataFrame:
    """Return one of the tables of the facts page."""
    return query(snapshot, FACTS[name])


def _at(period: Mapping[str, Any]) -> dict[str, Any]:
    return {"as_of": period["as_of"], "grain": period["grain"]}
