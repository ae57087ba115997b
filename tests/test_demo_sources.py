"""The demo through simulated servers and the demo through files: the same scores, to the last table."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from opsmetrics.snapshot import current

SCHEMAS = ("metrics", "gates", "diagnostics", "alarms", "scores")
ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def both(demo_home, tmp_path_factory) -> duckdb.DuckDBPyConnection:
    """A connection that sees both snapshots."""
    home = tmp_path_factory.mktemp("from_files")
    subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "demo", "--no-app", "--from-files"],
        env=os.environ | {"OPSMETRICS_HOME": str(home)},
        cwd=ROOT,
        check=True,
        timeout=600,
    )
    con = duckdb.connect()
    con.execute("set timezone = 'UTC'")
    con.execute(f"attach '{current(demo_home / 'snapshots').path}' as served (read_only)")
    con.execute(f"attach '{current(home / 'snapshots').path}' as filed (read_only)")
    return con


def tables(con: duckdb.DuckDBPyConnection) -> list[str]:
    rows = con.execute(
        "select schema_name || '.' || table_name from duckdb_tables() where database_name = 'served'"
        " and list_contains($1, schema_name) order by all",
        [list(SCHEMAS)],
    ).fetchall()
    return [name for (name,) in rows]


def rounded(con: duckdb.DuckDBPyConnection, table: str) -> str:
    """Columns of a table; numbers to nine digits, because percent on the wire rounds the last one."""
    columns = con.execute(f"describe served.{table}").fetchall()
    return ", ".join(f'round("{c[0]}", 9) as "{c[0]}"' if c[1] == "DOUBLE" else f'"{c[0]}"' for c in columns)


def test_the_servers_did_deliver(both):
    rows = both.execute(
        "select count(distinct origin) filter (origin <> 'files'), sum(rows) filter (origin <> 'files')"
        " from served.meta.loads"
    ).fetchall()
    assert rows[0][0] >= 14
    assert rows[0][1] > 130_000
    assert both.execute("select count(*) from filed.meta.loads where origin <> 'files'").fetchall() == [(0,)]


def test_every_table_of_numbers_is_the_same(both):
    names = tables(both)
    assert len(names) > 70
    different = {}
    for name in names:
        columns = rounded(both, name)
        ((count,),) = both.execute(
            f"select count(*) from ((select {columns} from served.{name} except all select {columns} from filed.{name})"
            f" union all (select {columns} from filed.{name} except all select {columns} from served.{name}))"
        ).fetchall()
        if count:
            different[name] = count
    assert different == {}
