"""What is measured, of whom and when: organisation, areas, teams, metrics, periods."""

from __future__ import annotations

from typing import Any

import polars as pl

from opsmetrics.reading.reader import query
from opsmetrics.snapshot import Snapshot


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


def rules(snapshot: Snapshot) -> dict[str, Any]:
    """Return the ruleset's constants: ``weakest_share`` (lambda) and ``level_edges``."""
    return query(snapshot, "select weakest_share, level_edges from meta.known").row(0, named=True)


def obligations(snapshot: Snapshot) -> pl.DataFrame:
    """Return the handbook's sentences and what measures them."""
    return query(snapshot, "select * from meta.obligations order by obligation_id")


def datastores(snapshot: Snapshot) -> list[dict[str, Any]]:
    """Return the datastores that must be restorable, each with the team that owns it today (or None)."""
    return query(
        snapshot,
        """select d.datastore_id, o.team_id from ref.datastores as d
           left join ref.service_owners as o on o.service_id = d.service_id
               and (select max(as_of) from ref.as_of) between o.valid_from_at and o.valid_to_at
           order by d.datastore_id""",
    ).to_dicts()


def services(snapshot: Snapshot) -> list[str]:
    """Return the ids of all services."""
    return query(snapshot, "select service_id from ref.services order by service_id")["service_id"].to_list()


def tables(snapshot: Snapshot) -> pl.DataFrame:
    """Return every published table with what it says, schema by schema."""
    return query(
        snapshot,
        """select schema_name, table_name, comment, column_count from duckdb_tables()
           where not internal and comment is not null order by schema_name, table_name""",
    )
