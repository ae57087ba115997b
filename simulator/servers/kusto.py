"""Execute KQL on DuckDB, for Log Analytics and for Resource Graph: what we ship is what runs."""

from __future__ import annotations

import math
import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import duckdb_kql
import polars as pl

_TYPES = {
    "TIMESTAMP": "datetime",
    "TIMESTAMP WITH TIME ZONE": "datetime",
    "INTERVAL": "timespan",
    "BIGINT": "long",
    "HUGEINT": "long",
    "INTEGER": "int",
    "DOUBLE": "real",
    "BOOLEAN": "bool",
    "VARCHAR": "string",
}


class Engine:
    """Tables and a lock: DuckDB connections are not shared between threads."""

    def __init__(self, tables: dict[str, pl.DataFrame], json_columns: tuple[str, ...] = ()) -> None:
        self._lock = threading.Lock()
        self._con = duckdb.connect()
        self._con.execute("set timezone = 'UTC'")
        for name, frame in tables.items():
            self._con.register("incoming", frame)
            columns = ", ".join(
                f'cast("{column}" as json) as "{column}"' if column in json_columns else f'"{column}"'
                for column in frame.columns
            )
            self._con.execute(f'create table "{name}" as select {columns} from incoming')
            self._con.unregister("incoming")

    def run(self, query: str) -> tuple[list[dict[str, str]], list[list[Any]]]:
        """Return columns (name, type) and rows, as the wire format writes values.

        Raises:
            duckdb_kql errors and duckdb.Error for a query that does not run.
        """
        with self._lock:
            relation: Any = duckdb_kql.query(self._con, query)
            description = relation.description
            rows = relation.fetchall()
        columns = [{"name": item[0], "type": _TYPES.get(str(item[1]), "dynamic")} for item in description]
        return columns, [[_wire(value) for value in row] for row in rows]


def _wire(value: Any) -> Any:
    if isinstance(value, datetime):
        return (
            value.replace(tzinfo=UTC).isoformat().replace("+00:00", "Z")
            if value.tzinfo is None
            else value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        )
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    return value
