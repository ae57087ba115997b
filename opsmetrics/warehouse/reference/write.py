"""Write ``ref.*`` from the configuration, ``meta.*`` from configuration and catalogue, and choose the loads that count.

Each table is declared in the module that makes its rows. Does not belong here: what a row says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

import duckdb

from opsmetrics.catalogue import Catalogue
from opsmetrics.core.declare import Row, Table
from opsmetrics.organisation import Organisation
from opsmetrics.scoring.median_ranks import median_ranks
from opsmetrics.warehouse.connection import transaction
from opsmetrics.warehouse.declared import frame_of, write_table
from opsmetrics.warehouse.reference import build, dates, deliveries, registers, rules, services, teams

_CONFIGURED: tuple[tuple[Table, Callable[[Organisation], Iterable[Row]]], ...] = (
    (teams.TEAMS, teams.teams),
    (teams.TEAM_NAMES, teams.team_names),
    (teams.ONCALL_DUTIES, teams.oncall_duties),
    (teams.TEAM_STREAMS, teams.team_streams),
    (services.SERVICES, services.services),
    (services.SERVICE_OWNERS, services.service_owners),
    (services.SERVICE_NAMES, services.service_names),
    (services.REPOSITORY_PATTERNS, services.repository_patterns),
    (services.MONITOR_PATTERNS, services.monitor_patterns),
    (services.ENVIRONMENTS, services.environments),
    (services.SLOS, services.slos),
    (services.DATASTORES, services.datastores),
    (services.MAINTENANCE_WINDOWS, services.maintenance_windows),
    (registers.WAIVERS, registers.waivers),
    (registers.APPLICABILITY, registers.applicability),
    (registers.EFFORTS, registers.efforts),
    (registers.GOALS, registers.goals),
)
_CATALOGUED: tuple[tuple[Table, Callable[[Catalogue], Iterable[Row]]], ...] = (
    (rules.METRICS, rules.metrics),
    (rules.AREAS, rules.areas),
    (rules.GATES, rules.gates),
    (rules.UNSCORED_TABLES, rules.unscored_tables),
    (rules.RULE_CHANGES, rules.rule_changes),
)
# Every table of this package.
TABLES: tuple[Table, ...] = (
    *(table for table, _ in _CONFIGURED),
    *(dates.CALENDAR, dates.TEAM_DAYS, dates.AS_OF, dates.WINDOWS, dates.MEDIAN_RANKS),
    *(table for table, _ in _CATALOGUED),
    rules.OBLIGATIONS,
    *(deliveries.STREAMS_TABLE, deliveries.SOURCES, deliveries.SOURCE_LINKS),
    *(deliveries.LOAD_DAYS, deliveries.DELIVERED_DAYS, deliveries.REGISTER_LOADS, deliveries.UNTOLD),
    *(build.KNOWN, build.ORGANISATION, build.BUILD),
)


def write_reference(
    con: duckdb.DuckDBPyConnection,
    organisation: Organisation,
    catalogue: Catalogue,
    *,
    now: datetime,
    horizon: datetime,
    pulls: Path,
) -> None:
    """Write the reference tables and choose the winning loads, in one transaction.

    Args:
        con: The working file.
        organisation: The configuration.
        catalogue: Metrics, areas and gates.
        now: The clock; decides which periods are complete.
        horizon: Loads landed later are left out (architecture D2).
        pulls: Folder of the pull notes.

    Raises:
        ContractError: A table breaks its declaration; all of them stay as they were.
    """
    today = now.astimezone(organisation.zone).date()
    oldest = dates.oldest_deadline(con, horizon)
    with transaction(con):
        for table, rows in _CONFIGURED:
            write_table(con, table, frame_of(table, _in_order(table, rows(organisation))))
        for table, rows in _CATALOGUED:
            write_table(con, table, frame_of(table, rows(catalogue)))
        for table, rows in (
            (dates.CALENDAR, dates.calendar(organisation, today, oldest)),
            (dates.TEAM_DAYS, dates.team_days(organisation, today, oldest)),
            (dates.AS_OF, dates.as_of(organisation, today)),
            (dates.WINDOWS, dates.windows(organisation, catalogue, today)),
            (rules.OBLIGATIONS, rules.obligations(catalogue, organisation)),
            (deliveries.STREAMS_TABLE, deliveries.streams(organisation)),
            (deliveries.SOURCES, deliveries.sources(organisation, pulls)),
            (deliveries.SOURCE_LINKS, deliveries.source_links(organisation)),
        ):
            write_table(con, table, frame_of(table, rows))
        write_table(con, dates.MEDIAN_RANKS, median_ranks())
        deliveries.choose_loads(con, horizon, today)


def _in_order(table: Table, rows: Iterable[Row]) -> list[Row]:
    """Rows in an order of their own, so that moving a line of the configuration moves no row."""
    return sorted(rows, key=lambda row: repr(tuple(row.get(name) for name in table.names)))
