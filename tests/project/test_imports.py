"""Importing the library is quick: what is slow to import is imported where it is used."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.patience import LIMIT_SECONDS

ROOT = Path(__file__).resolve().parents[2]
LINT = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
SLOW = {*LINT["flake8-tidy-imports"]["banned-module-level-imports"], "dagster", "pyspark", "streamlit"}


def imported_by(module: str) -> set[str]:
    code = f"import json, sys, {module}; print(json.dumps(sorted({{name.partition('.')[0] for name in sys.modules}})))"
    found = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=LIMIT_SECONDS,
    )
    return set(json.loads(found.stdout))


@pytest.mark.parametrize(
    "module", ["opsmetrics.build.stages", "opsmetrics.snapshots.results", "opsmetrics.scoring.compute"]
)
def test_the_library_imports_nothing_slow(module):
    assert imported_by(module) & SLOW == set()


def test_numpy_waits_for_scores():
    assert "numpy" not in imported_by("opsmetrics.build.stages")


def test_the_command_line_imports_nothing_of_the_library_before_it_is_asked():
    found = imported_by("opsmetrics.cli")
    assert found & (SLOW | {"duckdb", "numpy", "polars", "pydantic"}) == set()
