"""The harness of the SQL cases.

A case is a folder ``tests/sql/<table>/<case>/`` with ``given.<schema>.<table>.csv`` files and ``expect.csv``. The
harness builds every SQL file once on an empty warehouse (which proves each on empty input), inserts a small
base organisation and the given rows, runs the one file and compares the columns that ``expect.csv`` names.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from opsmetrics import pipeline
from opsmetrics.settings import Settings, default_sql_root
from opsmetrics.warehouse import build_table, ingest, write_scores
from opsmetrics.warehouse.connection import SCHEMAS

ORG = Path(__file__).parent / "org"
AS_OF = "2026-08-31T22:00:00Z"  # 1 September 2026, midnight in Oslo

# Two teams with a service each; cases may add to it.
BASE = """
    insert into ref.teams values
        ('t1', 'T1', 'T1', 'product', '2020-01-01'), ('t2', 'T2', 'T2', 'product', '2020-01-01');
    insert into ref.services values ('s1', 'S1', 'S1', 'critical', 3, null), ('s2', 'S2', 'S2', 'ordinary', 1, null);
    insert into ref.service_names values ('s1', 's1'), ('s2', 's2');
    insert into ref.service_owners values
        ('s1', 't1', '2020-01-01', '2200-01-01'), ('s2', 't2', '2020-01-01', '2200-01-01');
"""
CLEARED = (
    "ref.teams",
    "ref.services",
    "ref.service_names",
    "ref.service_owners",
    "ref.metric_windows",
    "ref.windows",
    "ref.as_of",
    "ref.oncall_duties",
)


@pytest.fixture(scope="session")
def context(tmp_path_factory) -> pipeline.Context:
    settings = Settings(
        home=tmp_path_factory.mktemp("home"),
        org=ORG,
        data=None,
        now=datetime(2026, 9, 1, 4, tzinfo=UTC),
        sql=default_sql_root(),
    )
    return pipeline.load_context(settings)


@pytest.fixture(scope="session")
def empty_warehouse(context) -> duckdb.DuckDBPyConnection:
    """Every table, built on no data at all."""
    con = duckdb.connect()
    con.execute("set timezone = 'UTC'")
    for schema in SCHEMAS:
        con.execute(f"create schema {schema}")
    ingest(con, context.settings.landing)
    pipeline.prepare(con, context)
    for file in context.models():
        build_table(con, file, context.catalogue, context.files, "empty")
    write_scores(con, context.catalogue, context.files)
    for file in context.after_scores():
        build_table(con, file, context.catalogue, context.files, "empty")
    return con


@pytest.fixture
def warehouse(empty_warehouse, context):
    """The empty warehouse with the base organisation and one window per metric, rolled back afterwards."""
    empty_warehouse.execute("begin")
    for table in CLEARED:
        empty_warehouse.execute(f"delete from {table}")
    for statement in BASE.strip().split(";"):
        if statement.strip():
            empty_warehouse.execute(statement)
    empty_warehouse.execute(
        "insert into ref.as_of values ($1, 'month', $1::timestamptz - interval 31 day, '2026-08-31', '2026-08')",
        [AS_OF],
    )
    for days in (0, 28, 90, 91, 180, 365):
        empty_warehouse.execute(
            "insert into ref.windows values ($1, $2, 'month', '2026-08-31', $2::timestamptz - to_days($1::int),"
            " date '2026-09-01' - $1::int)",
            [days, AS_OF],
        )
    for metric in context.catalogue.metrics:
        empty_warehouse.execute(
            "insert into ref.metric_windows values ($1, $2, 'month', '2026-08-31', $2::timestamptz - to_days($3), 1)",
            [metric.id, AS_OF, metric.window_days],
        )
    yield empty_warehouse
    empty_warehouse.execute("rollback")
