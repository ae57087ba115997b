"""From files to a snapshot: windows, re-pulls, partial loads, as-known, disposable working file, no readers cut off."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from opsmetrics import build as plans
from opsmetrics.core.errors import OpsMetricsError, SnapshotError, SqlFileError, WarehouseBusyError
from opsmetrics.core.settings import Settings, default_sql_root
from opsmetrics.landing import Batch, land, read_load
from opsmetrics.landing.listing import parquet_files
from opsmetrics.operations.housekeeping import housekeeping
from opsmetrics.snapshots import store
from opsmetrics.sources import pull_stream
from opsmetrics.warehouse import build_table, connect, ingest
from tests.parts import by_the_day, whole
from tests.patience import LIMIT_SECONDS
from tests.publications import published_as

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 9, 2, 6, tzinfo=UTC)
# Columns that say when something was processed, not what it is.
VOLATILE = {"meta.built_tables", "meta.built_days", "meta.built_scores"}


def settings_for(org: Path, home: Path) -> Settings:
    return Settings(home=home, org=org, data=None, now=None, sql=default_sql_root())


def run_all(given_settings: Settings) -> store.Snapshot:
    context = plans.load_context(given_settings)
    for name in context.organisation.streams:
        pull_stream(given_settings, context.organisation, name)
    return plans.build_and_publish(context)[0]


def content(path: Path) -> dict[str, list[tuple]]:
    """Every table of a file, rows sorted: what it says, whoever wrote it and in which order."""
    with duckdb.connect(str(path), read_only=True) as con:
        con.execute("set timezone = 'UTC'")
        names = con.execute(
            "select schema_name || '.' || table_name from duckdb_tables() where not temporary order by 1"
        ).fetchall()
        return {
            name: sorted(con.execute(f"select * from {name}").fetchall(), key=repr)
            for (name,) in names
            if name not in VOLATILE
        }


def test_a_run_publishes_and_a_second_run_has_nothing_to_do(small_run):
    given_settings = small_run
    first = store.current(given_settings.snapshots)
    context = plans.load_context(given_settings)
    again = [pull_stream(given_settings, context.organisation, name)[0] for name in context.organisation.streams]
    assert all(result.loads == () and result.error is None for result in again)
    assert plans.build(context) == plans.BuildResult(first.build_id, changed=False, damaged={})
    assert run_all(given_settings) == first


def test_a_quiet_day_is_landed_and_a_missing_day_is_not(small, tmp_path):
    given_settings = settings_for(small, tmp_path / "home")
    quiet, missing = small / "data/checks/2026-08-30.csv", small / "data/checks/2026-08-31.csv"
    quiet.write_text("monitor_id,checked_at,status\n")
    missing.unlink()
    context = plans.load_context(given_settings)
    pull_stream(given_settings, context.organisation, "availability_checks")
    plans.execute(context.plan.part(plans.Kind.INGEST, plans.Kind.REFERENCE), context)
    with duckdb.connect(str(given_settings.warehouse), read_only=True) as con:
        days = con.execute(
            "select day, rows from meta.load_days join meta.loads using (stream, load_id)"
            " where stream = 'availability_checks' and day >= '2026-08-29' order by 1"
        ).fetchall()
    assert days == [(date(2026, 8, 29), 48), (date(2026, 8, 30), 0), (date(2026, 9, 1), 48)]


def test_a_changed_day_replaces_only_that_day_and_nothing_is_counted_twice(small_run):
    given_settings, small = small_run, small_run.org
    changed = small / "data/checks/2026-09-01.csv"
    changed.write_text(changed.read_text().replace("up", "down"))
    context = plans.load_context(given_settings)
    result = pull_stream(given_settings, context.organisation, "availability_checks")[0]
    assert [load.window_start for load in result.loads] == [date(2026, 9, 1)]
    with connect(given_settings.warehouse) as con:
        plans.perform_all(con, context, context.plan.part(plans.Kind.INGEST, plans.Kind.REFERENCE))
        built = build_table(con, context.files["staging.availability_checks"], context.catalogue, context.files)
        assert (built.days, built.rows) == (1, 12 * 48)
        rows = con.execute(
            "select status, count(*) from staging.availability_checks where day = '2026-09-01' group by 1"
        ).fetchall()
    assert rows == [("down", 48)]


def checks(rows: int, status: str, day: date) -> pl.DataFrame:
    """A batch's frame for one day."""
    start = datetime(day.year, day.month, day.day, 3, tzinfo=UTC)
    return pl.DataFrame(
        {
            "provider": [None] * rows,
            "monitor_id": ["probe-web"] * rows,
            "checked_at": [start + timedelta(minutes=10 * n) for n in range(rows)],
            "recorded_at": [None] * rows,
            "status": [status] * rows,
            "http_status": [None] * rows,
            "response_ms": [None] * rows,
            "sequence": [None] * rows,
            "_day": [day] * rows,
            "_line": list(range(rows)),
            "_reason": [None] * rows,
            "_raw": [None] * rows,
        },
        schema={
            "provider": pl.String,
            "monitor_id": pl.String,
            "checked_at": pl.Datetime("us", "UTC"),
            "recorded_at": pl.Datetime("us", "UTC"),
            "status": pl.String,
            "http_status": pl.Int64,
            "response_ms": pl.Float64,
            "sequence": pl.Int64,
            "_day": pl.Date,
            "_line": pl.Int64,
            "_reason": pl.String,
            "_raw": pl.String,
        },
    )


def test_partial_never_replaces_complete_and_known_at_tells_what_was_known(small, tmp_path):
    given_settings = settings_for(small, tmp_path / "home")
    day = date(2026, 8, 20)
    window = (day, day + timedelta(days=1))

    def load(status: str, hour: int, *, complete: bool) -> None:
        batch = Batch(checks(5, status, day), window, "test", f"{status}{hour}", is_complete=complete)
        land(given_settings.landing, "availability_checks", batch, loaded_at=datetime(2026, 9, 1, hour, tzinfo=UTC))

    load("degraded", 1, complete=False)
    load("up", 2, complete=True)
    load("down", 3, complete=False)
    load("unknown", 4, complete=True)
    for hour, expected in ((1, "degraded"), (2, "up"), (3, "up"), (5, "unknown")):
        context = plans.load_context(given_settings, datetime(2026, 9, 1, hour, 30, tzinfo=UTC))
        plans.execute(by_the_day(context), context)
        with duckdb.connect(str(given_settings.warehouse), read_only=True) as con:
            found = con.execute("select distinct status from staging.availability_checks").fetchall()
            complete = con.execute("select is_complete from meta.load_days where day = $1", [day]).fetchall()
        assert found == [(expected,)]
        assert complete == [(hour != 1,)]


def step_by_step_and_at_once(folder: Path, org: Path, seed: int, steps: int, part) -> tuple[Path, Path]:
    """Land whole and partial loads, pack some and take some away, and build a part of the plan after each.

    Returns:
        The working file after all these builds, and that of one build from nothing.
    """
    rolls = random.Random(seed)
    stepwise = settings_for(org, folder / "stepwise")
    for step in range(steps):
        first = date(2026, 8, rolls.randint(1, 25))
        span = rolls.randint(1, 4)
        days = [first + timedelta(days=n) for n in range(span)]
        frame = pl.concat([checks(rolls.randint(0, 6), rolls.choice(["up", "down"]), day) for day in days])
        batch = Batch(
            frame, (first, first + timedelta(days=span)), "test", f"{seed}-{step}", is_complete=rolls.random() < 0.8
        )
        land(stepwise.landing, "availability_checks", batch, loaded_at=NOW - timedelta(days=20 * (10 - step)))
        if rolls.random() < 0.2:
            rolls.choice([*(stepwise.landing / "availability_checks").glob("*.parquet")]).unlink()
        context = plans.load_context(stepwise)
        if rolls.random() < 0.4:
            housekeeping(context)
        plans.execute(part(context), context)
    at_once = replace(stepwise, home=folder / "at_once")
    at_once.home.mkdir()
    (at_once.home / "landing").symlink_to(stepwise.landing)
    context = plans.load_context(at_once)
    plans.execute(part(context), context)
    return stepwise.warehouse, at_once.warehouse


# A seed that fails is as good as any smaller one.
UNSHRUNK = (Phase.explicit, Phase.reuse, Phase.generate)


@settings(max_examples=8, phases=UNSHRUNK, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32), steps=st.integers(2, 6))
def test_incremental_equals_full_rebuild_on_random_sequences_of_loads(tmp_path_factory, make_small, seed, steps):
    folder = tmp_path_factory.mktemp("incremental")
    stepwise, at_once = step_by_step_and_at_once(folder, make_small(folder / "org", days=2), seed, steps, by_the_day)
    assert content(stepwise) == content(at_once)


@settings(max_examples=1, phases=UNSHRUNK, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_all_that_rests_on_them_is_the_same_too(tmp_path_factory, make_small, seed):
    folder = tmp_path_factory.mktemp("whole")
    stepwise, at_once = step_by_step_and_at_once(folder, make_small(folder / "org", days=2), seed, 3, whole)
    assert content(stepwise) == content(at_once)


def test_only_what_rests_on_a_change_is_made_again_and_all_is_as_if_built_from_nothing(small_run):
    org, path = small_run.org, small_run.warehouse

    def another(name: str, before: str, after: str) -> None:
        text = (org / name).read_text(encoding="utf-8")
        assert before in text
        (org / name).write_text(text.replace(before, after), encoding="utf-8")

    def made_again() -> set[str]:
        context = plans.load_context(small_run)
        done = plans.execute(context.plan.part(plans.Kind.PULL, plans.Kind.FINISH), context)
        assert not any(result.error for result in done.pulled)
        return {name for name, result in done.results.items() if not result.is_unchanged}

    # From what moves most to what moves least: what one of them left as it was, none after it puts right by chance.
    another("organisation.toml", "2026-09-02T06", "2026-09-03T06")
    made_again()
    another("teams.toml", 'id = "beta"', 'id = "gamma"')
    another("services.toml", 'team = "beta"', 'team = "gamma"')
    made_again()
    (org / "registers").mkdir()
    (org / "registers" / "waivers.csv").write_text(
        "waiver_id,team_id,metric_id,reason,compensating_measure,approver,valid_from,valid_to\n"
        "w1,alfa,inc_ack_within_target,the rota has one shift,the platform stands in,board,2026-08-01,2026-12-31\n",
        encoding="utf-8",
    )
    waived = made_again()
    assert "marts.exemptions" in waived
    another("services.toml", "hold_minutes = 60", "hold_minutes = 61")
    held = made_again()
    assert "facts.outages" in held
    landed = (org / "data" / "incidents.jsonl").read_text(encoding="utf-8")
    late = landed.splitlines()[0].replace('"H0"', '"H99"').replace("2026-08-01", "2026-08-30")
    (org / "data" / "incidents.jsonl").write_text(f"{landed}{late}\n", encoding="utf-8")
    told = made_again()
    assert {"staging.incidents", "facts.incidents", "metrics.inc_postmortem_on_time"} <= told
    # What knows of none of these is what it was.
    assert not {"facts.vulnerabilities", "metrics.sec_vulns_fixed_on_time"} & (waived | held | told)
    assert not {"staging.availability_checks", "facts.monitor_days"} & (waived | held | told)

    fresh = replace(small_run, home=small_run.home.parent / "fresh")
    fresh.home.mkdir()
    for name in ("landing", "pulls"):
        (fresh.home / name).symlink_to(small_run.home / name)
    plans.build(plans.load_context(fresh))
    assert content(path) == content(fresh.warehouse)


def test_a_broken_contract_keeps_the_last_good_table_and_publishes_nothing(small_run):
    given_settings = small_run
    published = store.current(given_settings.snapshots)
    context = plans.load_context(given_settings)
    file = context.files["facts.incidents"]
    broken = replace(
        file,
        text=file.text.replace("order by i.declared_at", "-- twice\nunion all from facts.incidents\norder by 1 --"),
    )
    with connect(given_settings.warehouse) as con:
        before = con.execute("select count(*) from facts.incidents").fetchall()
        with pytest.raises(SqlFileError, match="repeated key"):
            build_table(con, broken, context.catalogue, context.files)
        assert con.execute("select count(*) from facts.incidents").fetchall() == before
    assert store.current(given_settings.snapshots) == published


def test_a_damaged_load_is_named(small_run):
    given_settings = small_run
    path = next((given_settings.landing / "incidents").glob("*.parquet"))
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(OpsMetricsError, match=path.name):
        read_load(path)


def test_only_one_writer(small_run):
    given_settings = small_run
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import duckdb,time; c=duckdb.connect({str(given_settings.warehouse)!r}); print(1, flush=True); time.sleep({LIMIT_SECONDS})",
        ],
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(WarehouseBusyError, match="another run is writing"), connect(given_settings.warehouse):
            pass
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()


def test_readers_are_never_blocked_or_cut_off(small_run):
    """A reader keeps its snapshot through publishes and pruning; a new one gets the newest."""
    given_settings, small = small_run, small_run.org
    first = store.current(given_settings.snapshots)
    keep = 2
    reader = store.open_current(given_settings.snapshots)
    before = reader.execute("select count(*) from scores.metric").fetchall()
    organisation = small / "organisation.toml"
    organisation.write_text(organisation.read_text().replace("Liten", "Liten 0"))
    assert run_all(given_settings) != first
    for number in range(1, keep + 2):
        latest = published_as(given_settings, f"Liten {number}", keep=keep)
    assert not first.path.exists()
    assert reader.execute("select count(*) from scores.metric").fetchall() == before
    reader.close()
    assert len(list(given_settings.snapshots.glob("ops-*.duckdb"))) == keep
    with store.open_current(given_settings.snapshots) as con:
        assert con.execute("select name_nb from meta.organisation").fetchall() == [("Liten 3",)]
    assert store.current(given_settings.snapshots) == latest


def test_a_snapshot_is_read_only_and_cannot_reach_other_files(small_run):
    given_settings = small_run
    with store.open_current(given_settings.snapshots) as con:
        with pytest.raises(duckdb.Error):
            con.execute("create table scores.mine (x integer)")
        with pytest.raises(duckdb.Error):
            con.execute("select * from read_csv('/etc/hostname')")


def test_without_a_snapshot_the_error_says_what_to_do(tmp_path):
    with pytest.raises(SnapshotError, match="opsmetrics run"):
        store.current(tmp_path)


def test_ingest_forgets_loads_that_left_landing(small_run):
    given_settings = small_run
    next((given_settings.landing / "incidents").glob("*.parquet")).unlink()
    with connect(given_settings.warehouse) as con:
        ingest(con, given_settings.landing)
        assert con.execute("select count(*) from raw.incidents").fetchall() == [(0,)]


def test_environment_is_not_read_at_import():
    code = "import opsmetrics, pipelines.definitions, opsmetrics.language.texts"
    env = {key: value for key, value in os.environ.items() if not key.startswith("OPSMETRICS")}
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd="/", env=env, check=True, timeout=LIMIT_SECONDS)


def test_an_input_that_comes_back_is_landed_again(small, tmp_path):
    """A, then B, then A again: the last pull wins, though its bytes were landed before."""
    given_settings = settings_for(small, tmp_path / "home")
    organisation = plans.load_context(given_settings).organisation
    path = small / "data/checks/2026-09-01.csv"
    original = path.read_text()
    for text in (original, original.replace("up", "down"), original):
        path.write_text(text)
        assert pull_stream(given_settings, organisation, "availability_checks")[0].error is None
    context = plans.load_context(given_settings)
    plans.execute(by_the_day(context), context)
    with duckdb.connect(str(given_settings.warehouse), read_only=True) as con:
        rows = con.execute(
            "select distinct status from staging.availability_checks where day = '2026-09-01'"
        ).fetchall()
    assert rows == [("up",)]


def test_deciding_what_is_new_lists_loads_once_and_opens_the_newest_alone(small_run, monkeypatch):
    """And that one only to say whether any of its rows can be used."""
    given_settings, opened, listed = small_run, list[Path](), list[Path]()
    monkeypatch.setattr("opsmetrics.landing.reading.read_load", lambda path: (opened.append(path), read_load(path))[1])
    monkeypatch.setattr(
        "opsmetrics.landing.reading.parquet_files", lambda folder: (listed.append(folder), parquet_files(folder))[1]
    )
    organisation = plans.load_context(given_settings).organisation
    result = pull_stream(given_settings, organisation, "availability_checks")[0]
    assert (result.unchanged, result.loads, len(opened)) == (12, (), 1)
    assert len(listed) == len(set(listed)), "a folder was listed twice"


def test_leftovers_of_killed_pulls_are_swept(small, tmp_path):
    """However young: who lands in a stream's folder holds its lock, so nobody else is at work there."""
    given_settings = settings_for(small, tmp_path / "home")
    folder = given_settings.landing / "incidents"
    folder.mkdir(parents=True)
    leftovers = [folder / ".old.tmp", folder / ".young.tmp"]
    for path in leftovers:
        path.write_bytes(b"half")
    os.utime(leftovers[0], (0, 0))
    pull_stream(given_settings, plans.load_context(given_settings).organisation, "incidents")
    assert [path for path in leftovers if path.exists()] == []
