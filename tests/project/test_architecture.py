"""Rules of the house that no other tool checks."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import duckdb
import pytest

from opsmetrics.catalogue import load_catalogue
from opsmetrics.catalogue.schemas import BY_NAME
from opsmetrics.catalogue.sqlfile import load_all, macros_of
from opsmetrics.core.settings import VARIABLES, default_sql_root
from opsmetrics.scoring.status import STATUSES
from opsmetrics.snapshots.store import open_current
from opsmetrics.streams import STREAMS
from opsmetrics.warehouse.declared import form_errors
from opsmetrics.warehouse.inventory import declared_tables
from tools.docs import pages

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("opsmetrics", "assets", "pipelines", "scorecard_app", "door", "simulator", "benchmarks", "calibration")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


@pytest.fixture(scope="module")
def files():
    return load_all(default_sql_root())


def tracked() -> list[Path]:
    found = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [ROOT / name for name in found.decode().split("\0") if name and (ROOT / name).is_file()]


def tracked_texts() -> dict[str, str]:
    """Tracked files without a zero byte (git's own sign of a binary file): path from the root -> text."""
    files = {path: path.read_bytes() for path in tracked() if path != Path(__file__).resolve()}
    return {
        path.relative_to(ROOT).as_posix(): content.decode(errors="replace")
        for path, content in files.items()
        if b"\0" not in content
    }


@pytest.mark.parametrize("path", [path for path in MODULES if path.name == "__init__.py"], ids=str)
def test_every_package_says_what_belongs_there(path):
    assert ast.get_docstring(ast.parse(path.read_text()))


def test_only_settings_reads_the_environment():
    readers = [path for path in MODULES if re.search(r"os\.environ|getenv", path.read_text())]
    assert {path.relative_to(ROOT).as_posix() for path in readers} == {"opsmetrics/core/settings.py"}


def test_env_example_lists_every_setting():
    text = (ROOT / ".env.example").read_text()
    assert set(re.findall(r"^#? ?(OPSMETRICS_\w+)=", text, flags=re.MULTILINE)) == set(VARIABLES)


def test_views_hold_no_plotly_and_no_duckdb():
    for path in (ROOT / "scorecard_app" / "views").glob("*.py"):
        assert not re.search(r"import (plotly|duckdb)", path.read_text()), path


def test_sql_reads_only_the_layers_below(files):
    for file in files.values():
        schemas = {name.split(".")[0] for name in file.dependencies}
        assert schemas <= BY_NAME[file.schema].reads, file.path


def test_every_dependency_exists(files):
    """Names that no file makes are raw tables, reference tables or meta tables."""
    made = set(files)
    for file in files.values():
        for name in file.dependencies - made:
            assert name.split(".")[0] in {"raw", "ref", "meta", "scores"}, (file.path, name)


def test_metric_files_name_their_own_windows(files):
    for file in files.values():
        if file.schema == "metrics":
            named = set(re.findall(r"macros\.\w+\(\s*'(\w+)'", file.text))
            assert named - STREAMS.keys() == {file.name}, file.path


def test_every_macro_is_used(files):
    written = {path.stem for path in (default_sql_root() / "macros").glob("*.sql")}
    assert written == {macro.name for macro in macros_of(files)}


def test_what_runs_on_many_machines_calls_no_macros(files):
    """SQLGlot cannot translate them to Spark (warehouse/dialect.py)."""
    heavy = [file for file in files.values() if file.header.get("incremental")]
    assert len(heavy) >= 5
    assert {file.table: file.macros for file in heavy if file.macros} == {}


def test_no_line_of_sql_is_longer_than_120_characters():
    long = [
        (path.name, number)
        for path in default_sql_root().rglob("*.sql")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > 120
    ]
    assert long == []


def test_sql_files_stay_small(files):
    """Lines of SQL: the header tells of every column, and the layout sets blank lines."""
    lines = {
        file.table: sum(bool(line.strip()) and not line.startswith("--") for line in file.text.splitlines())
        for file in files.values()
    }
    assert {table: count for table, count in lines.items() if count > 90} == {}


def test_every_area_has_at_least_two_metrics_and_every_metric_an_obligation(files):
    catalogue = load_catalogue(default_sql_root(), files)
    for area in catalogue.areas:
        assert sum(metric.area_id == area.id for metric in catalogue.metrics) >= 2
    assert len(catalogue.areas) == 7
    assert all(metric.header.obligations for metric in catalogue.metrics)


def test_a_snapshot_holds_the_declared_tables_and_no_other(files, demo_home):
    """With their columns, types and comments."""
    declared = declared_tables(files, load_catalogue(default_sql_root(), files))
    with open_current(demo_home / "snapshots") as con:
        rows = con.execute(
            "select schema_name || '.' || table_name, column_name, comment from duckdb_columns()"
            " where not internal and database_name = current_database()"
        ).fetchall()
        wrong = {name: form_errors(con, table) for name, table in declared.items()}
        uncommented = con.execute(
            "select table_name from duckdb_tables() where comment is null and not temporary"
        ).fetchall()
    assert {table for table, _, _ in rows} == set(declared)
    assert {name: errors for name, errors in wrong.items() if errors} == {}
    assert {(table, column): comment for table, column, comment in rows} == {
        (name, column.name): column.doc for name, table in declared.items() for column in table.columns
    }
    assert uncommented == []


def test_a_column_that_is_empty_somewhere_says_what_null_means(files, demo_home):
    """Of what analysts are told to read: unknown, none and not yet are three things."""
    declared = declared_tables(files, load_catalogue(default_sql_root(), files))
    silent = {
        name: columns
        for name, table in declared.items()
        if name.partition(".")[0] in {"scores", "marts", "facts", "ref", "meta", "metrics", "staging", "raw"}
        and (columns := [column.name for column in table.columns if "null" not in column.doc])
    }
    with open_current(demo_home / "snapshots") as con:
        wrong = [
            f"{name}.{column}"
            for name, columns in silent.items()
            for column, nulls in zip(columns, _nulls(con, name, columns), strict=True)
            if nulls
        ]
    assert wrong == []


def _nulls(con: duckdb.DuckDBPyConnection, table: str, columns: list[str]) -> tuple[int, ...]:
    counts = ", ".join(f'count(*) - count("{column}")' for column in columns)
    return con.execute(f"select {counts} from {table}").fetchone() or ()


def test_every_metric_diagnostic_fact_and_status_occurs_in_the_demo(demo_home, files):
    catalogue = load_catalogue(default_sql_root(), files)
    with open_current(demo_home / "snapshots") as con:
        found = {status for (status,) in con.execute("select distinct status from scores.metric").fetchall()}
        ((metrics,),) = con.execute("select count(distinct metric_id) from scores.metric").fetchall()
        kinds = dict(con.execute("select kind, count(*) from meta.unscored group by kind").fetchall())
    # What would be invalid keeps no contract and never lands; the status remains for metrics of one's own.
    assert found == set(STATUSES) - {"invalid"}
    assert metrics == len(catalogue.metrics)
    assert kinds == Counter(item.kind for item in catalogue.unscored)


def test_tables_that_others_rely_on_have_their_columns(demo_home):
    """Item 9 of the foundation: names and order are a promise; more columns may follow."""
    promised = {
        "metric": "team_id metric_id as_of grain numerator denominator value sample_size completeness points weight"
        " evidence_weight status reason metric_version",
        "area": "team_id area_id as_of grain score coverage low high level gate status",
        "team": "team_id as_of grain score coverage low high level status",
        "gap": "team_id area_id metric_id as_of grain points_lost gain_if_met",
    }
    with open_current(demo_home / "snapshots") as con:
        for table, columns in promised.items():
            found = [name for (name,) in con.execute(f"select column_name from (describe scores.{table})").fetchall()]
            assert found[: len(columns.split())] == columns.split()
        grains = con.execute("select distinct grain from scores.team order by 1").fetchall()
    names = ("latest", "month", "series_month", "tertial", "week")
    assert grains == [(name,) for name in names]


def test_any_sql_file_can_be_pasted_into_a_shell_on_the_snapshot(files, demo_home, older_duckdb, tmp_path):
    """And gives what the snapshot holds, in this DuckDB and in the one that most analysts have."""
    texts = tmp_path / "files.json"
    texts.write_text(json.dumps({file.table: file.text for file in files.values()}), encoding="utf-8")
    snapshot = (demo_home / "snapshots" / "current.duckdb").resolve()
    for path, version in (("", "2."), (str(older_duckdb), "1.5.")):
        found = subprocess.run(
            [sys.executable, str(ROOT / "tests" / "pasted.py"), str(snapshot), str(texts)],
            env=os.environ | {"PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=True,
        )
        client, *differing = found.stdout.split()
        assert client.startswith(version)
        assert differing == []


def test_losses_sum_to_what_is_missing_for_every_team_and_instant(demo_home):
    with open_current(demo_home / "snapshots") as con:
        worst = con.execute(
            """select max(abs(100 - s.score - g.lost)) from scores.team as s
               join (select team_id, as_of, grain, sum(points_lost) as lost from scores.gap group by all) as g
               using (team_id, as_of, grain) where s.score is not null"""
        ).fetchall()
    assert worst[0][0] < 1e-9


def test_snapshots_open_with_older_clients(demo_home):
    """The storage version is the one of DuckDB 1.5, which the file itself states."""
    path = demo_home / "snapshots" / "current.duckdb"
    header = path.resolve().read_bytes()[:64]
    assert header[8:12] == b"DUCK"
    assert 64 <= int.from_bytes(header[12:20], "little") <= 68


def test_nothing_committed_names_a_machine_or_a_registry():
    forbidden = re.compile(r"(^|[^A-Za-z0-9_./])/(work|root|farm|home)/[A-Za-z.]|--index-url|registry\.npmjs|pypi\.org")
    for path, text in tracked_texts().items():
        assert [line for line in text.splitlines() if forbidden.search(line)] == [], path


def test_real_team_names_stand_only_in_their_example(files):
    words = re.compile(r"dialogporten|arbeidsflate|tilgangsinfo|tilgangsstyring", re.IGNORECASE)
    for path, text in tracked_texts().items():
        assert path.startswith("examples/altinn/") or not words.search(text), path


def test_generated_documents_say_what_the_code_says():
    for name, text in pages().items():
        assert (ROOT / "docs" / name).read_text(encoding="utf-8") == text, f"run `make docs`: docs/{name}"


def test_duckdb_writes_the_storage_version_we_promise():
    assert duckdb.__version__.startswith("2.")
