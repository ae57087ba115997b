"""The harness of the SQL cases.

A case is a folder ``tests/sql/<table>/<case>/`` with ``given.<schema>.<table>.csv`` files and ``expect.csv``; its
name is the rule that it shows. Cases of staging stand in ``staging.<table>``, as facts bear the same names. The
harness builds every SQL file on an empty warehouse (which proves each on empty input) whenever SQL or library have
changed, inserts a small base organisation and the given rows, runs the one file and compares the columns that
``expect.csv`` names.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from opsmetrics import build as plans
from opsmetrics.catalogue.schemas import NAMES
from opsmetrics.core.settings import Settings, default_sql_root
from tests.built import LIBRARY, built

ORG = Path(__file__).parent / "org"
AS_OF = "2026-08-31T22:00:00Z"  # 1 September 2026, midnight in Oslo

# Two teams with a service each; cases may add to it.
BASE = """
    insert into ref.teams values
        ('t1', 'T1', 'T1', 'product', '2020-01-01'), ('t2', 'T2', 'T2', 'product', '2020-01-01');
    insert into ref.services values ('s1', 'S1', 'S1', 'critical', 3, null), ('s2', 'S2', 'S2', 'ordinary', 1, null);
    insert into ref.service_names values ('s1', 's1'), ('s2', 's2');
    insert into ref.team_names values
        ('t1', 't1', '2000-01-01', '2200-01-01'), ('t2', 't2', '2000-01-01', '2200-01-01');
    insert into ref.service_owners values
        ('s1', 't1', '2020-01-01', '2200-01-01'), ('s2', 't2', '2020-01-01', '2200-01-01');
"""
# Streams of which each day was delivered, unless a case says which were.
DELIVERED = ("capacity_samples", "deployments", "latency_daily", "recovery_points", "toil_reports", "update_episodes")
CLEARED = (
    "ref.teams",
    "ref.team_names",
    "ref.services",
    "ref.service_names",
    "ref.service_owners",
    "facts.measured_windows",
    "ref.metric_windows",
    "ref.windows",
    "ref.as_of",
    "ref.oncall_duties",
    "meta.delivered_days",
)


@pytest.fixture(scope="session")
def context(tmp_path_factory) -> plans.Context:
    settings = Settings(
        home=tmp_path_factory.mktemp("home"),
        org=ORG,
        data=None,
        now=datetime(2026, 9, 1, 4, tzinfo=UTC),
        sql=default_sql_root(),
    )
    return plans.load_context(settings)


def build_empty(context: plans.Context, path: Path) -> None:
    """Write a warehouse file with every table, built on no data at all."""
    with duckdb.connect() as con:
        con.execute("set timezone = 'UTC'")
        for schema in NAMES:
            con.execute(f"create schema {schema}")
        plans.perform_all(con, context, context.plan.part(plans.Kind.INGEST, plans.Kind.FINISH))
        con.execute(f"attach '{path}' as template")
        con.execute("copy from database memory to template")


@pytest.fixture(scope="session")
def empty_warehouse(context, tmp_path_factory) -> Iterator[duckdb.DuckDBPyConnection]:
    """Every table, built on no data at all; built once for all sessions until SQL or library change."""
    inputs = (*LIBRARY, "tests/sql/org", "tests/sql/conftest.py")
    folder = built("empty-warehouse", lambda folder: build_empty(context, folder / "empty.duckdb"), inputs)
    path = shutil.copy(folder / "empty.duckdb", tmp_path_factory.mktemp("empty"))
    with duckdb.connect(path) as con:
        con.execute("set timezone = 'UTC'")
        yield con


@pytest.fixture(scope="session")
def with_base(empty_warehouse, context) -> duckdb.DuckDBPyConnection:
    """The empty warehouse with the base organisation and one window per metric."""
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
    empty_warehouse.execute(
        "insert into meta.delivered_days select s.stream, c.day from (select unnest($1::varchar[]) as stream) as s"
        " cross join ref.calendar as c where c.day <= '2026-08-31'",
        [list(DELIVERED)],
    )
    for metric in context.catalogue.metrics:
        empty_warehouse.execute(
            "insert into facts.measured_windows values ($1, $2, 'month', '2026-08-31', $2::timestamptz - to_days($3), 1, null)",
            [metric.id, AS_OF, metric.window_days],
        )
    return empty_warehouse


@pytest.fixture
def warehouse(with_base) -> Iterator[duckdb.DuckDBPyConnection]:
    """The same for one test, which may change all of it: rolled back afterwards."""
    with_base.execute("begin")
    yield with_base
    with_base.execute("rollback")
