"""A small organisation, its undisturbed outcome, and the tools to disturb it: processes, disks, clocks, files."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import duckdb
import pytest

from opsmetrics import build as plans
from opsmetrics.snapshots import store
from tests.built import LIBRARY, built
from tests.conftest import settings_in, write_small
from tests.few_rules import few_rules
from tests.patience import LIMIT_SECONDS
from tests.resilience.processes import Process

ROOT = Path(__file__).resolve().parents[2]
CONFTEST = ("tests/conftest.py", "tests/resilience/conftest.py")
# What a run says of itself rather than of the organisation: it differs between runs that say the same.
OWN = {
    "meta.loads",
    "meta.build",
    "meta.built_days",
    "meta.built_scores",
    "meta.built_tables",
    "meta.damaged_loads",
    "meta.day_rows",
    "meta.quarantine",
    "meta.sources",
    "meta.unproven_days",
}
IDENTITY = {"load_id", "_load_id", "loaded_at", "build_id", "known_at"}
# Tables that name the load that counts by its number within the stream.
NUMBERED = {"meta.register_loads", "meta.load_days"}
# What was published is landed as a stream of its own, which the build after it sees.
PUBLICATIONS = "published_scores"


def meaning(path: Path) -> dict[str, list[tuple]]:
    """What a snapshot says: every table above raw, rows sorted, without the identity of loads."""
    with duckdb.connect(str(path), read_only=True) as con:
        con.execute("set timezone = 'UTC'")
        tables: dict[str, list[str]] = {}
        for table, column in con.execute(
            "select schema_name || '.' || table_name, column_name from duckdb_columns()"
            " where schema_name <> 'raw' and not internal order by 1, column_index"
        ).fetchall():
            dropped = IDENTITY | ({"sequence"} if table in NUMBERED else set())
            if table not in OWN and column not in dropped:
                tables.setdefault(table, []).append(f'"{column}"')
        return {
            table: sorted(
                (
                    row
                    for row in con.execute(f"select {', '.join(columns)} from {table}").fetchall()
                    if row[0] != PUBLICATIONS
                ),
                key=repr,
            )
            for table, columns in tables.items()
            if table != "scores.published"
        }


# For a shell, where the start of the process matters too.
STEPS = """
import sys
from opsmetrics.cli import main
for step in sys.argv[2:]:
    main([step, "--org", sys.argv[1]], standalone_mode=False)
"""
ALL = ("pull", "build", "publish")


@dataclass
class Place:
    """One organisation and one state folder that a test may break.

    Attributes:
        org: Configuration; data in ``data`` below it.
        home: State folder.
        right: State folder whose snapshot says what this one's must say after all.
        env: Variables of every process.
    """

    org: Path
    home: Path
    right: Path
    env: dict[str, str] = field(default_factory=dict)

    @property
    def landing(self) -> Path:
        return self.home / "landing"

    @property
    def warehouse(self) -> Path:
        return self.home / "working.duckdb"

    @property
    def snapshots(self) -> Path:
        return self.home / "snapshots"

    def steps(self, *names: str) -> list[list[str]]:
        """Commands one after the other, as a script of a service calls them."""
        return [[name, "--org", str(self.org)] for name in names or ALL]

    def whole_run(self) -> list[list[str]]:
        """``opsmetrics run``: the whole plan in one command."""
        return [["run", "--org", str(self.org), "--json"]]

    def start(self, steps: list[list[str]] | None = None) -> Process:
        return Process(steps or self.steps(), ROOT, self.variables())

    def variables(self) -> dict[str, str]:
        return os.environ | {"OPSMETRICS_HOME": str(self.home)} | self.env

    def run(self, *names: str, steps: list[list[str]] | None = None) -> tuple[int, str]:
        """Run the steps in a process of their own; return its exit code and all it said."""
        process = self.start(steps or self.steps(*names))
        said, _ = process.communicate()
        assert process.returncode is not None
        return process.returncode, said

    def by_shell(self, script: str, **variables: str) -> tuple[int, str]:
        """Run a script in a process with mounts of its own, as root or as anybody; ``$python`` and ``$steps`` do all."""
        own = {"root": str(ROOT), "python": sys.executable, "steps": STEPS, "org": str(self.org)}
        prefix = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-Urm"]
        found = subprocess.run(
            [*prefix, "bash", "-c", script],
            cwd=ROOT,
            env=self.variables() | own | variables,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=LIMIT_SECONDS,
            check=False,
        )
        return found.returncode, found.stdout

    def meaning(self) -> dict[str, list[tuple]]:
        return meaning(store.current(self.snapshots).path)

    def expected(self) -> dict[str, list[tuple]]:
        """What it must say after all."""
        return _meaning_of(self.right)


@cache
def _meaning_of(home: Path) -> dict[str, list[tuple]]:
    return meaning(store.current(home / "snapshots").path)


def make_undisturbed(folder: Path) -> None:
    write_small(folder / "org")
    report = plans.run(replace(settings_in(folder), sql=few_rules()))
    assert (report.ok, report.changed) == (True, True)


@pytest.fixture(scope="session")
def undisturbed() -> Path:
    """The small organisation in ``org`` and its state after one run with few rules that nothing disturbed; not to be changed.

    Which of them a run builds is decided by nothing that is broken here; the soak and the clocks build all of them.
    """
    return built("few-run", make_undisturbed, (*LIBRARY, *CONFTEST, "tests/few_rules.py"))


def fresh_of(right: Path, folder: Path) -> Place:
    """The organisation of an undisturbed run before its first run."""
    shutil.copytree(right / "org", folder / "org")
    return Place(folder / "org", folder / "home", right / "home")


@pytest.fixture
def fresh(undisturbed, tmp_path) -> Place:
    """The same organisation before its first run."""
    place = fresh_of(undisturbed, tmp_path)
    place.env["OPSMETRICS_SQL"] = str(few_rules())
    return place


@pytest.fixture
def fresh_with_all_rules(first_run, tmp_path) -> Place:
    """The small organisation before its first run with all rules that are shipped."""
    return fresh_of(first_run, tmp_path)


@pytest.fixture
def place(undisturbed, fresh) -> Place:
    """The same organisation after its first run."""
    shutil.copytree(undisturbed / "home", fresh.home, symlinks=True)
    return fresh
