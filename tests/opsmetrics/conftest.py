"""Shared pieces of the library tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsmetrics.catalogue import Ruleset, load_catalogue
from opsmetrics.catalogue.sqlfile import load_all
from opsmetrics.core.settings import default_sql_root
from opsmetrics.sources import query_run, query_sandbox
from tests.warm_sandbox import WarmSandbox


@pytest.fixture(scope="session")
def files():
    return load_all(default_sql_root())


@pytest.fixture(scope="session")
def catalogue(files):
    return load_catalogue(default_sql_root(), files)


@pytest.fixture(scope="session")
def ruleset(catalogue) -> Ruleset:
    return catalogue.ruleset


_STARTED = query_run.carried_out


@pytest.fixture(scope="session", autouse=True)
def warm_sandbox():
    """Begin the processes of queries where DuckDB is imported already."""
    warm = WarmSandbox(Path(query_sandbox.__file__))
    query_run.carried_out = warm
    yield
    query_run.carried_out = _STARTED
    warm.close()


@pytest.fixture
def own_sandbox(monkeypatch):
    """Begin the processes of queries as users' are begun."""
    monkeypatch.setattr(query_run, "carried_out", _STARTED)
