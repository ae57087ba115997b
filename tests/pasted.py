"""Paste every SQL file into a shell on a snapshot: print the tables that it does not give back as the snapshot holds them.

A program of its own, so that it also runs on an older client: ``python pasted.py SNAPSHOT FILES``, where FILES is JSON,
table -> SQL text.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import duckdb


def fingerprint(con: duckdb.DuckDBPyConnection, rows: str) -> tuple[int, int | None]:
    """Number of rows, and a sum over the rows that no order changes.

    Fractions count to nine digits: the versions interpolate quantiles in another order of the same arithmetic.
    """
    columns = con.execute(f"select column_name, column_type from (describe (\n{rows}\n))").fetchall()
    chosen = ", ".join(f'round("{name}", 9)' if kind == "DOUBLE" else f'"{name}"' for name, kind in columns)
    query = f"select count(*), sum(hash(r)) from (select {chosen} from (\n{rows}\n) as given) as r"
    ((count, total),) = con.execute(query).fetchall()
    return count, total


def differing(snapshot: Path, files: dict[str, str]) -> list[str]:
    """Tables that their pasted SQL does not give back."""
    with duckdb.connect(str(snapshot), read_only=True) as con:
        con.execute("set timezone = 'UTC'")
        return [
            table
            for table, text in files.items()
            if fingerprint(con, text) != fingerprint(con, f"select * from {table}")
        ]


if __name__ == "__main__":
    tables = differing(Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text(encoding="utf-8")))
    sys.stdout.write(" ".join([duckdb.__version__, *tables]) + "\n")
