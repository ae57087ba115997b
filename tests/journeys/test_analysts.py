"""What analysts rely on: worked queries, stable marts, readers that block nobody, Parquet files, older clients."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import polars as pl
import pytest

from opsmetrics import build as plans
from opsmetrics.catalogue.sqlfile import load_all
from opsmetrics.core.errors import SnapshotError
from opsmetrics.core.settings import default_sql_root
from opsmetrics.snapshots import export as exporting
from opsmetrics.snapshots import store
from opsmetrics.snapshots.export import COLUMNS, KEEP, export
from opsmetrics.snapshots.store import open_current
from tests.patience import LIMIT_SECONDS
from tests.publications import published_as

ROOT = Path(__file__).resolve().parents[2]
QUERIES = sorted((ROOT / "examples" / "queries").glob("*.sql"))
MARTS = Path(__file__).parent / "marts.txt"
READERS = 10


@pytest.fixture(scope="module")
def theirs(demo_home, tmp_path_factory) -> Path:
    """The demo's snapshot in a place of the analyst's own, opened by a client that knows nothing of this project."""
    path = tmp_path_factory.mktemp("theirs") / "snapshot.duckdb"
    shutil.copy(store.current(demo_home / "snapshots").path, path)
    return path


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_worked_queries_answer_on_the_demo(path, theirs):
    text = path.read_text()
    assert re.match(r"-- .+\?", text), "a query begins with the question that it answers"
    with duckdb.connect(theirs, read_only=True) as con:
        assert answer(con, text)


# What `docs/for-analysts.md` shows, statement by statement.
SHOWN = [
    statement
    for block in re.findall(r"```sql\n(.*?)```", (ROOT / "docs" / "for-analysts.md").read_text(), re.DOTALL)
    for statement in filter(str.strip, block.split(";"))
]


@pytest.mark.parametrize("statement", SHOWN)
def test_what_the_page_for_analysts_shows_answers_on_the_demo(statement, theirs):
    with duckdb.connect(theirs, read_only=True) as con:
        assert answer(con, statement)


def answer(con: duckdb.DuckDBPyConnection, statement: str) -> list[tuple]:
    """Return the rows, which no clock of the reader's machine may change."""
    found = []
    for zone in ("UTC", "Pacific/Auckland"):
        con.execute(f"set timezone = '{zone}'")
        found.append(con.execute(statement).fetchall())
    assert found[0] == found[1], "the answer depends on the time zone of the session"
    return found[0]


def test_there_are_twelve_and_the_last_one_gives_runnable_evidence(demo_home):
    assert len(QUERIES) == 12
    with open_current(demo_home / "snapshots") as con:
        ((_, _, evidence),) = con.execute(QUERIES[-1].read_text()).fetchall()
        assert con.execute(evidence).fetchall()


def test_marts_keep_their_columns_or_get_a_new_version():
    """UPDATE_GOLDEN=1 writes the list again, after the header of a changed mart was given its next version."""
    files = load_all(default_sql_root()).values()
    marts = {file.table: (file.model.version, list(file.model.columns)) for file in files if file.schema == "marts"}
    known = {}
    for line in MARTS.read_text().splitlines() if MARTS.exists() else []:
        table, version, columns = line.split(" | ")
        known[table] = (int(version), columns.split())
    for table, (version, columns) in marts.items():
        if table in known:
            before, old = known[table]
            breaks = columns[: len(old)] != old
            assert version == before + 1 if breaks else version >= before, f"{table}: raise `version` in its header"
    lines = [f"{table} | {version} | {' '.join(columns)}" for table, (version, columns) in sorted(marts.items())]
    if os.environ.get("UPDATE_GOLDEN"):
        MARTS.write_text("\n".join(lines) + "\n")
    assert MARTS.read_text().splitlines() == lines


READER = """
import sys, duckdb
con = duckdb.connect(sys.argv[1], read_only=True)
before = con.execute("select count(*), any_value(name_nb) from scores.metric, meta.organisation").fetchall()
print("open", flush=True)
sys.stdin.readline()
assert con.execute("select count(*), any_value(name_nb) from scores.metric, meta.organisation").fetchall() == before
print(before[0][1], flush=True)
"""


def test_ten_readers_never_delay_a_publish(small_run):
    """They hold the stable path open, through a run, publications and the removal of what they read."""
    settings = small_run
    link = settings.snapshots / store.LINK
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", READER, str(link)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(READERS)
    ]
    try:
        for reader in readers:
            assert reader.stdout.readline() == "open\n"
        organisation = settings.org / "organisation.toml"
        organisation.write_text(organisation.read_text().replace('nb = "Liten', 'nb = "Liten 0'))
        assert plans.run(settings).changed
        for number in range(1, store.KEEP + 1):
            newest = published_as(settings, f"Liten {number}")
        for reader in readers:
            said, _ = reader.communicate("go on\n", timeout=LIMIT_SECONDS)
            assert said == "Liten\n"
            assert reader.returncode == 0
    finally:
        for reader in readers:
            reader.kill()
            reader.wait()
    assert link.resolve() == newest.path.resolve()
    with duckdb.connect(str(link), read_only=True) as con:
        ((name,),) = con.execute("select name_nb from meta.organisation").fetchall()
    assert name == f"Liten {store.KEEP}"


def test_an_export_holds_what_the_snapshot_holds(small_run, tmp_path):
    settings = small_run
    target = tmp_path / "exports"
    folder, tables = export(settings.snapshots, target)
    assert export(settings.snapshots, target) == (folder, tables)
    assert (target / "current").resolve() == folder.resolve()
    columns = pl.read_parquet(folder / COLUMNS)
    assert columns["meaning"].null_count() == 0
    with open_current(settings.snapshots) as con:
        for name in columns["table"].unique():
            path = folder / f"{name.replace('.', '/')}.parquet"
            assert pl.read_parquet(path).equals(con.sql(f"from {name}").pl()), name
            assert pl.read_parquet_metadata(path)["comment"]
    # The folder is one that others use too: their folders went with our oldest export.
    theirs = [target / f"ops-{name}" for name in ("notes", "2025", "20260101T000000Z-report", "a", "b")]
    for path in theirs:
        path.mkdir()
        (path / "precious").write_text("x")
    own = settings.snapshots / "ops-before-the-move.duckdb"
    shutil.copy(store.current(settings.snapshots).path, own)
    os.utime(own, (0, 0))
    for number in range(KEEP):
        published_as(settings, f"Liten {number}", keep=1)
        export(settings.snapshots, target)
    assert all((path / "precious").is_file() for path in theirs)
    assert len(list(target.glob("ops-*"))) == KEEP + len(theirs)
    assert not folder.exists()
    assert own.is_file()
    (target / "current").unlink()
    (target / "current").write_text("theirs")
    with pytest.raises(SnapshotError, match="not ours to replace"):
        export(settings.snapshots, target)
    assert (target / "current").read_text() == "theirs"


def test_exports_at_once_are_one_and_what_a_killed_one_left_is_removed(small_run, tmp_path, monkeypatch):
    snapshots, target = small_run.snapshots, tmp_path / "exports"
    name = store.current(snapshots).path.stem
    old, new, theirs = (target / f".{name}.{what}.tmp" for what in ("0000abcd", "1111abcd", "theirs"))
    for path in (old, new, theirs):
        (path / "facts").mkdir(parents=True)
    for path in (old, theirs):
        os.utime(path, (0, 0))
    written = exporting._write

    def twice(con, columns, folder):
        # Another process writes the same meanwhile.
        written(con, columns, folder)
        written(con, columns, folder)

    on_disk = set[int]()
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (on_disk.add(os.fstat(handle).st_ino), fsync(handle))[1])
    monkeypatch.setattr(exporting, "_write", twice)
    folder, _ = export(snapshots, target)
    assert (folder / COLUMNS).is_file()
    assert {path.stat().st_ino for path in (target, folder, *folder.rglob("*"))} <= on_disk, "what is there stays"
    assert {path.name for path in target.iterdir()} == {"current", folder.name, new.name, theirs.name}


def test_an_older_client_opens_what_we_publish(first_run, older_duckdb):
    """DuckDB 1.5, which most analysts have, in a process of its own."""
    snapshots = first_run / "home" / "snapshots"
    path = store.current(snapshots).path
    code = (
        "import duckdb, sys; assert duckdb.__version__.startswith('1.5'), duckdb.__version__;"
        "con = duckdb.connect(sys.argv[1], read_only=True);"
        "print(con.execute('select count(*) from scores.metric').fetchall()[0][0],"
        "len(con.execute('from marts.scorecard').fetchall()))"
    )
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | {"PYTHONPATH": str(older_duckdb)}
    found = subprocess.run([sys.executable, "-c", code, str(path)], env=env, capture_output=True, text=True, check=True)
    with open_current(snapshots) as con:
        ((metrics,),) = con.execute("select count(*) from scores.metric").fetchall()
    assert found.stdout.split() == [str(metrics), "14"]


def test_the_notebook_runs(demo_home):
    """Every code cell, in order, in one name space and a process of its own, on the demo."""
    notebook = json.loads((ROOT / "examples" / "notebook" / "first-look.ipynb").read_text())
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] for cell in notebook["cells"] if cell["cell_type"] == "code")
    found = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join(["display = print", *cells])],
        env=os.environ | {"OPSMETRICS_HOME": str(demo_home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_SECONDS,
    )
    assert found.returncode == 0, found.stderr
    assert "points_lost" in found.stdout
