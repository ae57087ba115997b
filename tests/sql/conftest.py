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
from pathlib import Path

import duckdb
import pytest

from opsmetrics import build as plans
from opsmetrics.build import cases
from opsmetrics.core.settings import Settings, default_sql_root
from tests.built import LIBRARY, built


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Look for tests in this folder alone: each worker would list the folders of all cases (``test_case_coverage``)."""
    return True if collection_path.parent == Path(__file__).parent and collection_path.is_dir() else None


@pytest.fixture(scope="session")
def context(tmp_path_factory) -> plans.Context:
    settings = Settings(
        home=tmp_path_factory.mktemp("home"),
        org=cases.write_organisation(tmp_path_factory.mktemp("org")),
        data=None,
        now=cases.NOW,
        sql=default_sql_root(),
    )
    return plans.load_context(settings)


@pytest.fixture(scope="session")
def empty_warehouse(context, tmp_path_factory) -> Iterator[duckdb.DuckDBPyConnection]:
    """Every table, built on no data at all; built once for all sessions until SQL or library change."""

    def make(folder: Path) -> None:
        cases.build_empty(context, folder / "empty.duckdb", context.plan.part(plans.Kind.INGEST, plans.Kind.FINISH))

    folder = built("empty-warehouse", make, (*LIBRARY, "tests/sql/conftest.py"))
    path = shutil.copy(folder / "empty.duckdb", tmp_path_factory.mktemp("empty"))
    with duckdb.connect(path) as con:
        con.execute("set timezone = 'UTC'")
        yield con


@pytest.fixture(scope="session")
def with_base(empty_warehouse, context) -> duckdb.DuckDBPyConnection:
    """The empty warehouse with the base organisation and one window per metric."""
    cases.add_base(empty_warehouse, context)
    return empty_warehouse


@pytest.fixture
def warehouse(with_base) -> Iterator[duckdb.DuckDBPyConnection]:
    """The same for one test, which may change all of it: rolled back afterwards."""
    with_base.execute("begin")
    yield with_base
    with_base.execute("rollback")
