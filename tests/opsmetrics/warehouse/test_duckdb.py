"""Faults of DuckDB that we go round: each test says which, and fails when an upgrade has mended it or brought it back."""

from __future__ import annotations

import duckdb


def rows_found(con: duckdb.DuckDBPyConnection, create: str) -> int:
    """Create a table and fill it in one transaction; count rows by a filter afterwards."""
    con.execute("create or replace table source as select i // 100000 as day, i from range(3000000) as t (i)")
    con.execute("begin")
    con.execute(create)
    for day in range(0, 30, 10):
        con.execute(f"insert into target select * from source where day >= {day} and day < {day + 10}")
    con.execute("commit")
    return con.execute("select count(*) from target where day >= 1 and day < 2").fetchall()[0][0]


def test_an_empty_table_made_by_a_select_keeps_the_statistics_of_nothing(tmp_path):
    """2.0.0: rows are there, and a filter does not find them. When this fails, ``_build_days`` may be simplified."""
    with duckdb.connect(str(tmp_path / "a.duckdb")) as con:
        assert rows_found(con, "create or replace table target as select * from source limit 0") == 0


def test_an_empty_table_made_by_its_columns_does_not(tmp_path):
    with duckdb.connect(str(tmp_path / "a.duckdb")) as con:
        assert rows_found(con, "create or replace table target (day bigint, i bigint)") == 100_000
