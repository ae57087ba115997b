"""A small organisation, its undisturbed outcome, and the tools to disturb it: processes, disks, clocks, files."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pytest

from opsmetrics.snapshots import store
from tests.patience import LIMIT_SECONDS

ROOT = Path(__file__).resolve().parents[2]
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
        env: Variables of every process.
    """

    org: Path
    home: Path
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

    def command(self, *steps: str) -> list[str]:
        return [sys.executable, "-c", STEPS, str(self.org), *(steps or ALL)]

    def start(self, command: list[str] | None = None) -> subprocess.Popen[str]:
        env = os.environ | {"OPSMETRICS_HOME": str(self.home)} | self.env
        return subprocess.Popen(
            command or self.command(), cwd=ROOT, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def run(self, *steps: str, command: list[str] | None = None) -> tuple[int, str]:
        """Run the steps in a process of their own; return its exit code and all it said."""
        process = self.start(command or self.command(*steps))
        said, _ = process.communicate(timeout=LIMIT_SECONDS)
        return process.returncode, said

    def meaning(self) -> dict[str, list[tuple]]:
        return meaning(store.current(self.snapshots).path)


@pytest.fixture(scope="session")
def undisturbed(first_run) -> Place:
    """The small organisation after one run that nothing disturbed; not to be changed."""
    return Place(first_run / "org", first_run / "home")


@pytest.fixture
def fresh(undisturbed, tmp_path) -> Place:
    """The same organisation before its first run."""
    shutil.copytree(undisturbed.org, tmp_path / "org")
    return Place(tmp_path / "org", tmp_path / "home")


@pytest.fixture
def place(undisturbed, fresh) -> Place:
    """The same organisation after its first run."""
    shutil.copytree(undisturbed.home, fresh.home, symlinks=True)
    return fresh


@pytest.fixture(scope="session")
def expected(undisturbed) -> dict[str, list[tuple]]:
    return undisturbed.meaning()
