"""Spark makes the heavy tables from the same SQL files: every table is DuckDB's, also when a worker is killed."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from opsmetrics import pipeline
from opsmetrics.errors import ConfigurationError, SqlFileError
from opsmetrics.landing import PACKS, Parcel, land, load_paths
from opsmetrics.settings import Settings, default_sql_root
from opsmetrics.sqlfile import load_all
from opsmetrics.upkeep import look_after
from opsmetrics.warehouse.dialect import in_spark
from opsmetrics.warehouse.engine import engine_of, landed_streams

ROOT = Path(__file__).resolve().parents[1]
FILES = load_all(default_sql_root())
HEAVY = [
    name for name, file in FILES.items() if file.schema in {"staging", "facts"} and file.model.incremental is not None
]
# Names its own build, and what it was made of.
OWN = {"meta.build"}


def tables_of(con: duckdb.DuckDBPyConnection, catalogue: str) -> set[str]:
    rows = con.execute(
        "select schema_name || '.' || table_name from duckdb_tables() where database_name = $1"
        " union select schema_name || '.' || view_name from duckdb_views() where database_name = $1 and not internal",
        [catalogue],
    ).fetchall()
    return {name for (name,) in rows}


def differing(one: Path, other: Path) -> dict[str, tuple[int, int]]:
    """Tables and views of two files that do not hold the same rows, with the number of rows that only one has."""
    with duckdb.connect() as con:
        con.execute("set timezone = 'UTC'")
        con.execute(f"attach '{one}' as one (read_only)")
        con.execute(f"attach '{other}' as other (read_only)")
        names = tables_of(con, "one")
        assert names == tables_of(con, "other")
        found = {}
        for name in sorted(names - OWN):
            counts = tuple(
                con.execute(f"select count(*) from (from {a}.{name} except all from {b}.{name})").fetchall()[0][0]
                for a, b in (("one", "other"), ("other", "one"))
            )
            if counts != (0, 0):
                found[name] = counts
        return found


def run(*words: str, home: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"OPSMETRICS_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1"} | variables
    command = [sys.executable, "-m", "pipelines.cli", *words]
    return subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=400, check=False)


# --- the demo on a cluster, with a worker killed -----------------------------------------------------------------

DEFAULTS = """
spark.eventLog.enabled true
spark.eventLog.compress false
spark.eventLog.dir file:{folder}
spark.ui.enabled false
spark.sql.shuffle.partitions 8
spark.sql.files.maxPartitionBytes 400k
spark.sql.files.openCostInBytes 0
"""


def events(folder: Path) -> list[str]:
    """What Spark's own log of the run says happened, in order."""
    paths = sorted(folder.rglob("events_*"))
    return [json.loads(line)["Event"] for path in paths for line in path.read_text().splitlines() if line.endswith("}")]


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> tuple[Path, Path, list[str]]:
    """The demo's snapshot by DuckDB, by a Spark cluster that lost a worker on the way, and Spark's log."""
    folder = tmp_path_factory.mktemp("spark")
    single, many, logs = folder / "single", folder / "many", folder / "events"
    done = run("demo", "--no-app", "--from-files", home=single)
    assert done.returncode == 0, done.stderr
    many.mkdir()
    for part in ("landing", "pulls"):
        shutil.copytree(single / part, many / part)
    # What the first build published is a source of the second.
    shutil.rmtree(many / "landing" / "published_scores")
    logs.mkdir()
    conf = folder / "conf"
    conf.mkdir()
    (conf / "spark-defaults.conf").write_text(DEFAULTS.format(folder=logs))
    command = [sys.executable, "deploy/spark_cluster.py", "--workers", "2"]
    cluster = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        told = json.loads(cluster.stdout.readline())
        variables = {
            "OPSMETRICS_HOME": str(many),
            "OPSMETRICS_ENGINE": "spark",
            "OPSMETRICS_SPARK_MASTER": told["master"],
            "SPARK_CONF_DIR": str(conf),
            "SPARK_LOCAL_IP": "127.0.0.1",
        }
        organisation = ["--org", "examples/demo"]
        with (folder / "said").open("w") as said:
            build = subprocess.Popen(
                [sys.executable, "-m", "pipelines.cli", "build", *organisation],
                env=os.environ | variables,
                cwd=ROOT,
                stdout=said,
                stderr=said,
            )
        try:
            until = time.monotonic() + 200
            while events(logs).count("SparkListenerStageSubmitted") < 2:
                assert time.monotonic() < until, (folder / "said").read_text()
                assert build.poll() is None, (folder / "said").read_text()
                time.sleep(0.05)
            os.killpg(told["workers"][0], signal.SIGKILL)
            assert build.wait(300) == 0, (folder / "said").read_text()
        finally:
            build.kill()
            build.wait(20)
    finally:
        cluster.stdin.close()
        cluster.wait(60)
        cluster.stdout.close()
    shutil.copy2(single / "working.duckdb", folder / "single.duckdb")
    shutil.copy2(many / "working.duckdb", folder / "many.duckdb")
    return folder / "single.duckdb", folder / "many.duckdb", events(logs)


@pytest.mark.timeout(900)
def test_every_table_is_the_same_and_a_worker_was_killed_in_the_middle(demo):
    single, many, log = demo
    lost = log.index("SparkListenerExecutorRemoved")
    assert "SparkListenerTaskEnd" in log[:lost]
    assert "SparkListenerTaskEnd" in log[lost:]
    # The publication of the first build is landed after it, and so in neither working file.
    assert differing(single, many) == {}


@pytest.mark.parametrize("table", HEAVY)
def test_each_heavy_file_has_rows_to_compare(demo, table):
    single, _, _ = demo
    with duckdb.connect(str(single), read_only=True) as con:
        assert con.execute(f"select count(*) from {table}").fetchall()[0][0] > 10_000


def test_the_heavy_rows_were_not_copied(demo):
    single, many, _ = demo
    assert many.stat().st_size < single.stat().st_size * 0.7
    with duckdb.connect(str(many), read_only=True) as con:
        views = con.execute("select schema_name, view_name from duckdb_views() where not internal").fetchall()
    assert {("raw", "availability_checks"), ("staging", "availability_checks")} <= set(views)


# --- loads that are replaced, partial, late, packed and damaged --------------------------------------------------

STREAM = "availability_checks"


def checks(rolls: random.Random, day: date) -> pl.DataFrame:
    """Some checks of two monitors on one day; one breaks the contract, and some have no order but their number."""
    start = datetime(day.year, day.month, day.day, 3, tzinfo=UTC)
    rows = [
        {
            "provider": rolls.choice(["", None, "statuspage"]),
            "monitor_id": rolls.choice(["probe-web", "probe-db"]),
            "checked_at": start + timedelta(minutes=7 * number),
            "recorded_at": None,
            "status": rolls.choice(["up", "up", "up", "down", "degraded", "unknown"]),
            "http_status": rolls.choice([None, 200, 503]),
            "response_ms": rolls.choice([None, 12.5]),
            "sequence": rolls.choice([None, number]),
            "_day": day,
            "_line": number,
            "_reason": "no status" if number == 5 else None,
            "_raw": "{}" if number == 5 else None,
        }
        for number in range(rolls.randint(6, 40))
    ]
    types = {
        **dict.fromkeys(("provider", "monitor_id", "status", "_reason", "_raw"), pl.String),
        **dict.fromkeys(("checked_at", "recorded_at"), pl.Datetime("us", "UTC")),
        **{
            "http_status": pl.Int64,
            "response_ms": pl.Float64,
            "sequence": pl.Int64,
            "_day": pl.Date,
            "_line": pl.Int64,
        },
    }
    return pl.DataFrame(rows, schema={name: types[name] for name in rows[0]})


def land_some(settings: Settings, rolls: random.Random, first: int, last: int) -> None:
    for number in range(first, last):
        landed = datetime(2026, 5, 1, 9, tzinfo=UTC) + timedelta(days=number)
        start = landed.date() - timedelta(days=rolls.randint(0, 5))
        days = [start + timedelta(days=n) for n in range(rolls.randint(1, 3))]
        parcel = Parcel(
            pl.concat([checks(rolls, day) for day in days]),
            (days[0], days[-1] + timedelta(days=1)),
            "test",
            str(number),
            is_complete=rolls.random() < 0.8,
        )
        land(settings.landing, STREAM, parcel, loaded_at=landed)


@pytest.mark.timeout(900)
def test_whatever_happens_to_landing_both_engines_say_the_same(make_small, tmp_path):
    org = make_small(tmp_path / "org", days=2)
    settings = Settings(home=tmp_path / "spark", org=org, data=None, now=None, sql=default_sql_root())
    rolls = random.Random(8)

    def compare(what: str, engine: str = "spark") -> None:
        """Build with Spark on what was there, and with DuckDB from nothing."""
        variables = {"OPSMETRICS_ENGINE": engine, "OPSMETRICS_SPARK_MASTER": "local[2]"}
        done = run("build", "--org", str(org), home=settings.home, **variables)
        assert done.returncode == 0, done.stderr
        fresh = tmp_path / "duckdb"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        (fresh / "landing").symlink_to(settings.landing)
        alone = Settings(home=fresh, org=org, data=None, now=None, sql=default_sql_root())
        pipeline.build(pipeline.load_context(alone))
        found = differing(settings.warehouse, alone.warehouse)
        for name in ("meta.built_days", "meta.built_tables", "meta.built_scores"):
            found.pop(name, None)
        assert found == {}, what
        with duckdb.connect(str(alone.warehouse), read_only=True) as con:
            assert con.execute("select count(*) from facts.monitor_day_runs").fetchall()[0][0] > 100, what

    land_some(settings, rolls, 0, 70)
    compare("a first build")
    land_some(settings, rolls, 70, 120)
    compare("late, partial and replacing loads")
    before = len(load_paths(settings.landing, STREAM))
    kept = tmp_path / "kept"
    shutil.copytree(settings.landing / STREAM, kept)
    look_after(pipeline.load_context(settings))
    assert (settings.landing / STREAM / PACKS).exists()
    assert len(load_paths(settings.landing, STREAM)) < before
    for path in sorted(kept.glob("*.parquet"))[:9]:
        # As if the process had been killed before the last files were removed.
        shutil.copy2(path, settings.landing / STREAM / path.name)
    compare("packs")
    load_paths(settings.landing, STREAM)[-1].unlink()
    compare("a load that vanished")
    compare("back to DuckDB", engine="duckdb")


# --- what is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("select", "words"),
    [
        ("select median(x) from a.b", "differing versions"),
        ("select quantile_cont(x, 0.9) from a.b", "differing versions"),
        ("select approx_count_distinct(x) from a.b", "differing versions"),
        ("select levenshtein_of_mine(x) from a.b", "function"),
        ("select * from read_parquet('x')", "function"),
        ("select from where", "no translation"),
    ],
)
def test_what_could_mean_something_else_is_refused(select, words):
    with pytest.raises(SqlFileError, match=words) as raised:
        in_spark(select, "sql/facts/x.sql")
    assert "sql/facts/x.sql" in str(raised.value)
    assert "fix:" in str(raised.value)


def test_tables_are_named_and_qualify_stays():
    text, tables = in_spark("select c.a from facts.x as c qualify row_number() over (order by epoch_us(c.a)) = 1", "x")
    assert tables == {"facts.x"}
    assert "facts__x AS c" in text
    assert "QUALIFY" in text
    assert "UNIX_MICROS" in text


def test_streams_that_other_files_read_are_not_left_in_landing():
    assert landed_streams(FILES) == {"availability_checks", "capacity_samples"}


def engine_settings(engine: str) -> Settings:
    return Settings.from_env({"OPSMETRICS_ENGINE": engine, "OPSMETRICS_ORG": "examples/demo"})


def test_an_engine_that_is_none_is_named():
    with pytest.raises(ConfigurationError, match=r"'flink', which is no engine(.|\n)*duckdb or spark"):
        engine_of(engine_settings("flink"), FILES)


def test_spark_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark", None)
    monkeypatch.delitem(sys.modules, "opsmetrics.warehouse.spark", raising=False)
    with pytest.raises(ConfigurationError, match=r"is not installed(.|\n)*opsmetrics\[spark\]"):
        engine_of(engine_settings("spark"), FILES)


def test_a_cluster_that_nobody_answers_for_is_explained_and_the_last_good_table_stays(make_small, tmp_path):
    org = make_small(tmp_path / "org", days=2)
    variables = {"OPSMETRICS_ENGINE": "spark", "OPSMETRICS_SPARK_MASTER": "spark://127.0.0.1:9"}
    done = run("run", "--org", str(org), home=tmp_path / "home", **variables)
    assert done.returncode == 1
    assert "Spark at spark://127.0.0.1:9" in done.stderr
    assert "Traceback (most recent call last)" not in done.stderr
    again = run("run", "--org", str(org), home=tmp_path / "home")
    assert again.returncode == 0, again.stderr
