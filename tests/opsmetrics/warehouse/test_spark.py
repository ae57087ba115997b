"""Spark makes the heavy tables from the same SQL files: every table is DuckDB's, also when a worker is killed."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from opsmetrics import build as plans
from opsmetrics.catalogue.sqlfile import load_all
from opsmetrics.core.errors import ConfigurationError, SqlFileError
from opsmetrics.core.settings import Settings, default_sql_root
from opsmetrics.landing import PACKS, Batch, land, load_paths
from opsmetrics.operations.housekeeping import housekeeping
from opsmetrics.warehouse.dialect import to_spark_sql
from opsmetrics.warehouse.engine import external_streams
from opsmetrics.warehouse.engine_choice import engine_of
from tests import built
from tests.built import copied
from tests.parts import by_the_day
from tests.patience import LIMIT_SECONDS, wait_until

ROOT = Path(__file__).resolve().parents[3]
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
    """Tables and views of two files that do not hold the same rows, with the number of rows that only one has.

    Rows are compared where the digests of all rows differ: of the demo a tenth of the time.
    """
    with duckdb.connect() as con:
        con.execute("set timezone = 'UTC'")
        con.execute(f"attach '{one}' as one (read_only)")
        con.execute(f"attach '{other}' as other (read_only)")
        names = tables_of(con, "one")
        assert names == tables_of(con, "other")
        found = {}
        for name in sorted(names - OWN):
            digests = (
                con.execute(
                    f"select count(*), sum(hash(t)::hugeint), bit_xor(hash(t)) from {file}.{name} as t"
                ).fetchall()
                for file in ("one", "other")
            )
            if next(digests) == next(digests):
                continue
            counts = tuple(
                con.execute(f"select count(*) from (from {a}.{name} except all from {b}.{name})").fetchall()[0][0]
                for a, b in (("one", "other"), ("other", "one"))
            )
            if counts != (0, 0):
                found[name] = counts
        return found


def run(*words: str, home: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"OPSMETRICS_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1"} | variables
    command = [sys.executable, "-m", "opsmetrics", *words]
    return subprocess.run(
        command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False
    )


# --- the demo on a cluster, with a worker killed -----------------------------------------------------------------

# Runs are short: what a longer one would win by better machine code costs more than it brings.
SHORT_JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
SHORT = f"""
spark.driver.extraJavaOptions {SHORT_JAVA}
spark.executor.extraJavaOptions {SHORT_JAVA}
spark.ui.enabled false
"""
DEFAULTS = """
spark.eventLog.enabled true
spark.eventLog.compress false
spark.eventLog.dir file:{folder}
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
    copied(built.demo("--from-files"), single)
    many.mkdir()
    for part in ("landing", "pulls"):
        shutil.copytree(single / part, many / part)
    # What the first build published is a source of the second.
    shutil.rmtree(many / "landing" / "published_scores")
    logs.mkdir()
    conf = folder / "conf"
    conf.mkdir()
    (conf / "spark-defaults.conf").write_text(SHORT + DEFAULTS.format(folder=logs))
    command = [sys.executable, "deploy/spark_cluster.py", "--workers", "2"]
    cluster = subprocess.Popen(
        command,
        env=os.environ | {"SPARK_DAEMON_JAVA_OPTS": SHORT_JAVA},
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
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
                [sys.executable, "-m", "opsmetrics", "build", *organisation],
                env=os.environ | variables,
                cwd=ROOT,
                stdout=said,
                stderr=said,
            )
        try:

            def is_under_way() -> bool:
                assert build.poll() is None, (folder / "said").read_text()
                return events(logs).count("SparkListenerStageSubmitted") >= 2

            wait_until(is_under_way, (folder / "said").read_text)
            os.killpg(told["workers"][0], signal.SIGKILL)
            assert build.wait(LIMIT_SECONDS) == 0, (folder / "said").read_text()
        finally:
            build.kill()
            build.wait(LIMIT_SECONDS)
    finally:
        cluster.stdin.close()
        cluster.wait(LIMIT_SECONDS)
        cluster.stdout.close()
    shutil.copy2(single / "working.duckdb", folder / "single.duckdb")
    shutil.copy2(many / "working.duckdb", folder / "many.duckdb")
    return folder / "single.duckdb", folder / "many.duckdb", events(logs)


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
        batch = Batch(
            pl.concat([checks(rolls, day) for day in days]),
            (days[0], days[-1] + timedelta(days=1)),
            "test",
            str(number),
            is_complete=rolls.random() < 0.8,
        )
        land(settings.landing, STREAM, batch, loaded_at=landed)


BUILDS = """
import sys
from opsmetrics import build as plans
from opsmetrics.core.settings import Settings
from tests.parts import by_the_day
for _ in sys.stdin:
    context = plans.load_context(Settings.from_env())
    plans.execute(by_the_day(context), context)
    print("built", flush=True)
"""


@contextmanager
def builder(org: Path, home: Path, folder: Path) -> Iterator[Callable[[], None]]:
    """A process with one Spark session that builds when it is told to: beginning a session costs more than a build."""
    (folder / "conf").mkdir()
    (folder / "conf" / "spark-defaults.conf").write_text(f"{SHORT}\nspark.sql.shuffle.partitions 4\n")
    variables = {
        "OPSMETRICS_HOME": str(home),
        "OPSMETRICS_ORG": str(org),
        "OPSMETRICS_ENGINE": "spark",
        "OPSMETRICS_SPARK_MASTER": "local[2]",
        "SPARK_CONF_DIR": str(folder / "conf"),
    }
    log = folder / "said"
    with log.open("w") as said:
        process = subprocess.Popen(
            [sys.executable, "-c", BUILDS],
            env=os.environ | variables,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
        )

    def build() -> None:
        process.stdin.write("build\n")
        process.stdin.flush()
        while (line := process.stdout.readline()) != "built\n":
            assert line, log.read_text()

    try:
        yield build
        process.stdin.close()
        assert process.wait(LIMIT_SECONDS) == 0, log.read_text()
    finally:
        process.kill()
        process.wait(LIMIT_SECONDS)
        process.stdout.close()


def test_whatever_happens_to_landing_both_engines_say_the_same(make_small, tmp_path):
    org = make_small(tmp_path / "org", days=2)
    settings = Settings(home=tmp_path / "spark", org=org, data=None, now=None, sql=default_sql_root())
    rolls = random.Random(8)

    def build(home: Path) -> Path:
        """With DuckDB, in this process."""
        alone = replace(settings, home=home)
        context = plans.load_context(alone)
        plans.execute(by_the_day(context), context)
        return alone.warehouse

    def compare(what: str) -> None:
        """Build with DuckDB from nothing, and hold it against what is there."""
        fresh = tmp_path / "duckdb"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        (fresh / "landing").symlink_to(settings.landing)
        alone = build(fresh)
        found = differing(settings.warehouse, alone)
        for name in ("meta.built_days", "meta.built_tables"):
            found.pop(name, None)
        assert found == {}, what
        with duckdb.connect(str(alone), read_only=True) as con:
            assert con.execute("select count(*) from facts.monitor_day_runs").fetchall()[0][0] > 100, what

    with builder(org, settings.home, tmp_path) as build_with_spark:
        land_some(settings, rolls, 0, 70)
        build_with_spark()
        compare("a first build")
        land_some(settings, rolls, 70, 120)
        build_with_spark()
        compare("late, partial and replacing loads")
        before = len(load_paths(settings.landing, STREAM))
        kept = tmp_path / "kept"
        shutil.copytree(settings.landing / STREAM, kept)
        housekeeping(plans.load_context(settings))
        assert (settings.landing / STREAM / PACKS).exists()
        assert len(load_paths(settings.landing, STREAM)) < before
        for path in sorted(kept.glob("*.parquet"))[:9]:
            # As if the process had been killed before the last files were removed.
            shutil.copy2(path, settings.landing / STREAM / path.name)
        build_with_spark()
        compare("packs")
        load_paths(settings.landing, STREAM)[-1].unlink()
        build_with_spark()
        compare("a load that vanished")
    build(settings.home)
    compare("back to DuckDB")


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
        to_spark_sql(select, "sql/facts/x.sql")
    assert "sql/facts/x.sql" in str(raised.value)
    assert "fix:" in str(raised.value)


def test_tables_are_named_and_qualify_stays():
    text, tables = to_spark_sql(
        "select c.a from facts.x as c qualify row_number() over (order by epoch_us(c.a)) = 1", "x"
    )
    assert tables == {"facts.x"}
    assert "facts__x AS c" in text
    assert "QUALIFY" in text
    assert "UNIX_MICROS" in text


def test_streams_that_other_files_read_are_not_left_in_landing():
    assert external_streams(FILES) == {"availability_checks", "capacity_samples"}


def engine_settings(engine: str) -> Settings:
    return Settings.from_env({"OPSMETRICS_ENGINE": engine, "OPSMETRICS_ORG": "examples/demo"})


def test_an_engine_that_is_none_is_named():
    with pytest.raises(ConfigurationError, match=r"'flink', which is not an engine(.|\n)*duckdb or spark"):
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
    assert "Spark at spark://127.0.0.1:9: nobody answers" in done.stderr
    assert "OPSMETRICS_SPARK_MASTER" in done.stderr
    assert "Traceback (most recent call last)" not in done.stderr
    alone = Settings(home=tmp_path / "home", org=org, data=None, now=None, sql=default_sql_root())
    context = plans.load_context(alone)
    assert plans.execute(by_the_day(context), context).damaged == {}
    with duckdb.connect(str(alone.warehouse), read_only=True) as con:
        assert con.execute("select count(*) from facts.monitor_day_runs").fetchall() != [(0,)]
