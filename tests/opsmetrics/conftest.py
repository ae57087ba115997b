"""Shared pieces of the library tests."""

from __future__ import annotations

import pytest

from opsmetrics.catalogue import Ruleset, load_catalogue
from opsmetrics.catalogue.sqlfile import load_all
from opsmetrics.core.settings import default_sql_root


@pytest.fixture(scope="session")
def files():
    return load_all(default_sql_root())


@pytest.fixture(scope="session")
def catalogue(files):
    return load_catalogue(default_sql_root(), files)


@pytest.fixture(scope="session")
def ruleset(catalogue) -> Ruleset:
    return catalogue.ruleset
