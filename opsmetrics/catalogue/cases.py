"""The worked cases of one SQL file: given rows and the expected result, kept beside the tests of a source checkout."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from opsmetrics.core.errors import ConfigurationError, Problem
from opsmetrics.core.settings import default_sql_root


def run_cases(name: str) -> int:
    """Run every case of a SQL file in a process of its own, which prints what it finds.

    Args:
        name: Name of the file without folder and ending, such as a metric's id.

    Returns:
        0 where all cases hold.

    Raises:
        ConfigurationError: This is no source checkout, pytest is missing, or the file has no cases.
    """
    root = default_sql_root().parent
    cases = root / "tests" / "sql"
    _require(cases, name)
    command = [sys.executable, "-m", "pytest", "-q", str(cases / "test_cases.py"), "-k", f"[{name}/"]
    return subprocess.run(command, cwd=root, check=False).returncode  # noqa: S603 - our own arguments


def _require(cases: Path, name: str) -> None:
    if not (cases / "test_cases.py").exists():
        problem = ("the cases are not here: an installed package brings none", "run it in a source checkout")
    elif find_spec("pytest") is None:
        problem = ("pytest is not installed", "run `make check` once, which installs what tests need")
    elif not name.isidentifier() or not any((cases / name).glob("*/expect.csv")):
        problem = (
            f"{name!r} has no case",
            f"add tests/sql/{name}/<case>/expect.csv, or see the ids in docs/metrics.md",
        )
    else:
        return
    raise ConfigurationError([Problem(str(cases), None, *problem)])
