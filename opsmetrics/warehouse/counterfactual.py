"""Values as if services had not changed hands: what separates ownership from performance in a team's change (ADR 0009).

For each step between two instants during which a service got another owner, the tables that know owners are built
again for the second instant with the owners of the first, read, and rolled back. Nothing of it is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import duckdb
import polars as pl

from opsmetrics.catalogue import Catalogue
from opsmetrics.catalogue.sqlfile import SqlFile

_MOVES = """
    with instants as (
        select w.as_of, w.grain, max(m.as_of) as from_as_of
        from ref.as_of as w
        join ref.as_of as m on m.grain = 'month' and m.as_of < w.as_of
        where w.grain in ('month', 'latest')
        group by all
    )
    select distinct i.from_as_of, i.as_of, i.grain
    from instants as i
    join ref.service_owners as o on o.valid_from_at >= i.from_as_of and o.valid_from_at < i.as_of
    order by i.as_of, i.grain
"""
_FREEZE = """
    create or replace table ref.service_owners as
    select service_id, team_id, valid_from_at,
        case when valid_to_at >= $1 then timestamptz '2200-01-01' else valid_to_at end as valid_to_at
    from ref.service_owners where valid_from_at < $1
"""


def counterfactual_values(
    con: duckdb.DuckDBPyConnection, catalogue: Catalogue, files: dict[str, SqlFile], select: str
) -> pl.DataFrame:
    """Return values at the end of every step in which a service changed hands, with the owners of its beginning.

    Args:
        con: The working file, with every metric built.
        catalogue: Unused metrics are not built.
        files: All SQL files in order.
        select: The query that reads all values.

    Returns:
        Rows of ``select`` for those instants only; empty where no service moved.
    """
    order = [files[name] for name in _knowing_owners(files, {metric.file.table for metric in catalogue.metrics})]
    parts = [con.sql(f"select * from ({select}) limit 0").pl()]
    parts += [_at(con, order, select, move) for move in _moves(con)]
    return pl.concat(parts)


def _moves(con: duckdb.DuckDBPyConnection) -> list[tuple[datetime, datetime, str]]:
    return con.execute(_MOVES).fetchall()


def _at(
    con: duckdb.DuckDBPyConnection, order: list[SqlFile], select: str, move: tuple[datetime, datetime, str]
) -> pl.DataFrame:
    start, as_of, grain = move
    con.execute("begin")
    try:
        con.execute(_FREEZE, [start])
        for table in ("ref.as_of", "facts.measured_windows"):
            con.execute(f"delete from {table} where as_of <> $1 or grain <> $2", [as_of, grain])
        for file in order:
            con.execute(f"create or replace table {file.table} as {file.text}")
        return con.sql(f"select * from ({select}) where as_of = $1 and grain = $2", params=[as_of, grain]).pl()
    finally:
        con.execute("rollback")


def _knowing_owners(files: dict[str, SqlFile], wanted: set[str]) -> Iterator[str]:
    """Tables that rest on owners or instants and that a metric needs, in order of building."""
    touched = {"ref.service_owners", "ref.as_of", "facts.measured_windows"}
    for name, file in files.items():
        if name not in touched and file.dependencies & touched:
            touched.add(name)
    needed: set[str] = set()
    for name in reversed(files):
        if name in wanted or name in needed:
            needed |= files[name].dependencies
            needed.add(name)
    return (name for name in files if name in touched and name in needed and name != "facts.measured_windows")
