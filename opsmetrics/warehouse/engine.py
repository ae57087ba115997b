"""Who makes the heavy tables, those whose header says ``incremental = "day"``: DuckDB here, or Spark on many machines.

Both run the very same SQL files; which one is a setting (``OPSMETRICS_ENGINE``, ADR 0016).
Does not belong here: which days have changed and what a table must fulfil (``warehouse.build``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import duckdb

from opsmetrics.catalogue.sqlfile import SqlFile

EVERYTHING = "true"


class Engine(Protocol):
    """What building needs of an engine. A ``part`` is a SQL condition on the column ``day``."""

    @property
    def external_streams(self) -> frozenset[str]:
        """Streams whose rows stay in landing: their ``raw`` and ``staging`` are views on its files."""
        ...

    def insert(self, con: duckdb.DuckDBPyConnection, file: SqlFile, parts: list[str]) -> None:
        """Insert the rows of ``parts`` into the file's table, which holds none of them.

        Args:
            con: The working file, in a transaction.
            file: A file with ``incremental = "day"``.
            parts: Parts of bounded size, together all rows that are wanted.

        Raises:
            duckdb.Error: The select fails in DuckDB.
            OpsMetricsError: The engine cannot be reached, cannot run the select, or fails in it.
        """
        ...

    def ask(self, con: duckdb.DuckDBPyConnection, select: str, part: str) -> tuple[Any, ...]:
        """Return the one row of a select over tables of landed streams, of which only ``part`` is read.

        An empty tuple where there is none.
        """
        ...


class DuckDBEngine:
    """The default: everything in the working file, in this process."""

    external_streams: frozenset[str] = frozenset()

    def insert(self, con: duckdb.DuckDBPyConnection, file: SqlFile, parts: list[str]) -> None:
        """Insert part by part, so that what is sorted and compared at once stays small."""
        for part in parts:
            con.execute(f"insert into {file.table} by name select * from ({file.text}) as built where {part}")

    def ask(self, con: duckdb.DuckDBPyConnection, select: str, part: str) -> tuple[Any, ...]:
        """Return the one row of a select; DuckDB finds by itself what of ``part`` it must read."""
        del part
        return con.execute(select).fetchone() or ()


DUCKDB = DuckDBEngine()


def external_streams(files: Mapping[str, SqlFile]) -> frozenset[str]:
    """Return the streams that only incremental files read: no other file needs their rows in the working file."""
    readers: dict[str, bool] = {}
    for file in files.values():
        is_heavy = file.schema in {"staging", "facts"} and file.model.incremental is not None
        for table in file.dependencies:
            if table.startswith("raw."):
                readers[table] = readers.get(table, True) and is_heavy
    return frozenset(table.removeprefix("raw.") for table, heavy in readers.items() if heavy)
