"""One warehouse of the simulated organisation, with a few instants of evaluation, in memory of this session."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import duckdb
import pytest

from opsmetrics import build as plans
from opsmetrics.core.settings import Settings, default_sql_root
from tests.built import ROOT
from tests.unknown.rebuilding import Warehouse, copied_warehouse


@pytest.fixture(scope="session")
def whole_warehouse(demo_home, tmp_path_factory) -> Iterator[Warehouse]:
    """What every instant says, in a copy that tests may change and change back."""
    path = shutil.copy(demo_home / "working.duckdb", tmp_path_factory.mktemp("unknown") / "working.duckdb")
    settings = Settings(home=demo_home, org=ROOT / "examples" / "demo", data=None, now=None, sql=default_sql_root())
    with duckdb.connect(str(path)) as con:
        con.execute("set timezone = 'UTC'")
        yield Warehouse(con, plans.load_context(settings))


@pytest.fixture(scope="session")
def blank_warehouse(whole_warehouse, tmp_path_factory) -> Iterator[Warehouse]:
    """What the last day and one month end say, in a copy of its own."""
    path = tmp_path_factory.mktemp("unknown") / "few.duckdb"
    with copied_warehouse(
        whole_warehouse, path, """grain = 'latest' or (grain = 'month' and "on" = '2026-08-31')"""
    ) as few:
        yield few
