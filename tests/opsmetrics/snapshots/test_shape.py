"""A snapshot that another version wrote, a file that is none, and a home that no database opens: one text with a fix."""

from __future__ import annotations

import json

import duckdb
import pytest
from click.testing import CliRunner

from opsmetrics.cli import main
from opsmetrics.core.errors import ConfigurationError, SnapshotError
from opsmetrics.core.settings import Settings
from opsmetrics.snapshots import store
from opsmetrics.snapshots.queries import catalogue

READERS = ("results", "health", "digest", "brief", "export --to {0}/exports", "preview --org {1}")
TABLES = ("meta.organisation", "meta.known", "meta.build", "scores.team", "scores.area", "scores.metric")
SHAPES = {
    "no tables": (),
    "tables with other columns": TABLES,
}


def publish(home, content):
    """Write a snapshot of our own making, and its pointer."""
    folder = home / "snapshots"
    folder.mkdir(parents=True)
    path = folder / "ops-20260101T000000Z-aaaaaaaaaaaa.duckdb"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        with duckdb.connect(str(path)) as con:
            for table in content:
                con.execute(f"create schema if not exists {table.split('.')[0]}")
                con.execute(f"create table {table} (strange integer)")
    pointer = {"file": path.name, "build_id": "a" * 64, "published_at": "2026-01-01T00:00:00+00:00"}
    (folder / "current.json").write_text(json.dumps(pointer | {"size": path.stat().st_size}))
    return folder


def said(command, home, small):
    env = {"OPSMETRICS_HOME": str(home), "OPSMETRICS_ORG": str(small)}
    return CliRunner(env=env).invoke(main, command.format(home, small).split(), catch_exceptions=True)


@pytest.mark.parametrize("content", [*SHAPES.values(), b"this is no database" * 999], ids=[*SHAPES, "no database"])
def test_every_command_that_reads_a_snapshot_says_what_to_do(tmp_path, small, content):
    publish(tmp_path / "home", content)
    for command in READERS:
        answer = said(command, tmp_path / "home", small)
        # An export copies whatever tables there are.
        expected = 0 if command.startswith("export") and content == TABLES else 1
        assert answer.exit_code == expected, (command, answer.output)
        assert answer.exception is None or isinstance(answer.exception, SystemExit), (command, answer.exception)
        assert expected == 0 or "opsmetrics run" in answer.output, (command, answer.output)


def test_a_page_is_told_too(tmp_path):
    folder = publish(tmp_path / "home", TABLES)
    with pytest.raises(SnapshotError):
        catalogue.organisation(store.current(folder))


@pytest.mark.parametrize("name", ["what?", "back\\slash", "new\nline"])
def test_a_home_that_no_database_opens_is_refused(tmp_path, small, name):
    answer = said("run", tmp_path / name, small)
    assert answer.exit_code == 1
    assert "OPSMETRICS_HOME" in answer.output
    assert "choose another folder" in answer.output
    with pytest.raises(ConfigurationError):
        Settings.from_env({"OPSMETRICS_HOME": str(tmp_path / name)})


def test_other_odd_homes_open(tmp_path):
    for name in ("sp ace#", "blåbær", "100%41", "a'b\"c", "{x}[y]*"):
        folder = publish(tmp_path / name, TABLES)
        with store.open_current(folder) as con:
            assert con.sql("from scores.team").fetchall() == []
