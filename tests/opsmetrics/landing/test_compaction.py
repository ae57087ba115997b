"""Compaction: fewer files, the same answers, today's and every as-known one; killed at any moment nothing is lost."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

import duckdb
import polars as pl
import pytest

from opsmetrics import build as plans
from opsmetrics.core.settings import Settings, default_sql_root
from opsmetrics.landing import DAMAGED, PACKS, Batch, LoadName, land, load_paths, names, packs
from opsmetrics.landing.backup_copies import repair_loads
from opsmetrics.operations.backup import back_up
from opsmetrics.operations.housekeeping import housekeeping
from opsmetrics.operations.restoring import restore
from opsmetrics.sources import pull_stream
from opsmetrics.warehouse import connect, ingest
from tests.parts import by_the_day

NOW = datetime(2026, 9, 2, 6, tzinfo=UTC)
STREAM = "availability_checks"
Answers = Callable[..., dict[str, list[tuple]]]


def checks(rows: int, status: str, day: date) -> pl.DataFrame:
    """A batch's frame for one day; the last row breaks the contract."""
    start = datetime(day.year, day.month, day.day, 3, tzinfo=UTC)
    texts = ("provider", "status", "_reason", "_raw")
    return pl.DataFrame(
        [
            {
                "monitor_id": "probe-web",
                "checked_at": start + timedelta(minutes=10 * number),
                "status": status,
                "_day": day,
                "_line": number,
                "_reason": "no status" if number == rows - 1 else None,
                "_raw": "{}" if number == rows - 1 else None,
            }
            for number in range(rows)
        ],
        schema_overrides=dict.fromkeys(texts, pl.String),
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


@pytest.fixture(scope="module")
def landed(make_small, tmp_path_factory) -> Path:
    """Four months of loads: whole and partial ones, of one day and of several, many replaced by later ones.

    In ``org`` and ``home``; not to be changed.
    """
    folder = tmp_path_factory.mktemp("landed")
    make_small(folder / "org", days=2)
    rolls = random.Random(6)
    for number in range(120):
        at = datetime(2026, 5, 1, 9, tzinfo=UTC) + timedelta(days=number)
        first = at.date() - timedelta(days=rolls.randint(0, 5))
        span = rolls.randint(1, 3)
        days = [first + timedelta(days=n) for n in range(span)]
        frame = pl.concat([checks(rolls.randint(1, 6), rolls.choice(["up", "down"]), day) for day in days])
        batch = Batch(
            frame, (first, first + timedelta(days=span)), "test", f"{number}", is_complete=rolls.random() < 0.8
        )
        land(folder / "home" / "landing", STREAM, batch, loaded_at=at)
    return folder


def settings_of(folder: Path) -> Settings:
    return Settings(home=folder / "home", org=folder / "org", data=None, now=None, sql=default_sql_root())


def copy_of(folder: Path, target: Path) -> Settings:
    for part in ("org", "home"):
        shutil.copytree(folder / part, target / part)
    return settings_of(target)


@pytest.fixture
def settings(landed, tmp_path) -> Settings:
    """A copy of them that a test may change."""
    return copy_of(landed, tmp_path)


@pytest.fixture(scope="module")
def built(landed, tmp_path_factory) -> tuple[Path, str]:
    """The same with all that is built of them, and the build's name; not to be changed."""
    folder = tmp_path_factory.mktemp("built")
    return folder, plans.build(plans.load_context(copy_of(landed, folder))).build_id


@pytest.fixture(scope="module")
def begun(make_small, tmp_path_factory) -> Path:
    """A working file that has brought in nothing yet: the tables of all streams take longer than what fills this one."""
    folder = tmp_path_factory.mktemp("begun")
    make_small(folder / "org", days=2)
    context = plans.load_context(settings_of(folder))
    plans.execute(context.plan.part(plans.Kind.INGEST, plans.Kind.INGEST), context)
    return context.settings.warehouse


def made(settings: Settings, folder: Path, begun: Path, known_at: datetime | None) -> dict[str, list[tuple]]:
    """Every table of a build in a new working file, row by row."""
    scratch = replace(settings, home=folder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "landing").symlink_to(settings.landing)
    shutil.copy2(begun, scratch.warehouse)
    context = plans.load_context(scratch, known_at)
    plans.execute(by_the_day(context), context)
    with duckdb.connect(str(scratch.warehouse), read_only=True) as con:
        con.execute("set timezone = 'UTC'")
        tables = con.execute(
            "select schema_name || '.' || table_name from duckdb_tables() where table_name not like 'built_%'"
        ).fetchall()
        return {name: sorted(con.execute(f"from {name}").fetchall(), key=repr) for (name,) in tables}


def test_what_is_packed_costs_no_pandas(settings):
    """It takes longer to import than the packs take to write."""
    work = "import sys; from datetime import datetime; from pathlib import Path; from opsmetrics.landing.packs import compact"
    work += f"; done = compact(Path(sys.argv[1]), {STREAM!r}, datetime.fromisoformat(sys.argv[2]))"
    work += "; print(done.packs > 0, 'pandas' in sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", work, str(settings.landing), NOW.isoformat()], capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == ["True", "False"]


@pytest.fixture
def answers(begun, tmp_path) -> Answers:
    """What a build says of some settings, as known at an instant."""
    return lambda settings, known_at=None: made(settings, tmp_path / "scratch", begun, known_at)


@pytest.fixture(scope="module")
def before(landed, begun, tmp_path_factory) -> Callable[[datetime | None], dict[str, list[tuple]]]:
    """What it says of the loads before anything happens to them; asked once of each instant."""
    folder = tmp_path_factory.mktemp("before")
    return cache(lambda known_at: made(settings_of(landed), folder / "scratch", begun, known_at))


def test_every_as_known_answer_stays_what_it_was(settings, answers, before):
    instants = [datetime(2026, 6, 10, tzinfo=UTC), datetime(2026, 8, 3, 12, tzinfo=UTC), None]
    expected = [before(instant) for instant in instants]
    files = len(load_paths(settings.landing, STREAM))
    done = housekeeping(plans.load_context(settings))
    # May, June and July are over for more than a week; August is not.
    assert (done.packs, done.forgotten) == (3, 0)
    assert len(load_paths(settings.landing, STREAM)) == files - done.packed < 32
    assert len(names(settings.landing, STREAM)) == files
    after = [answers(settings, instant) for instant in instants]
    assert after == expected
    assert expected[0] != expected[1]


def test_the_working_file_sees_no_difference(built, tmp_path):
    folder, build_id = built
    settings = copy_of(folder, tmp_path)
    context = plans.load_context(settings)
    housekeeping(context)
    with connect(settings.warehouse) as con:
        assert ingest(con, settings.landing).rows == {}
    assert plans.build(context) == plans.BuildResult(build_id, changed=False, damaged={})
    assert housekeeping(context).packs == 0


def test_killed_between_pack_and_removal(settings, answers, before, tmp_path):
    """Pack and files say the same: nothing is counted twice, and the next compaction removes the files."""
    context = plans.load_context(settings)
    shutil.copytree(settings.landing, tmp_path / "before")
    expected = before(None)
    housekeeping(context)
    kept = {path.name for path in load_paths(settings.landing, STREAM)}
    for path in (tmp_path / "before" / STREAM).glob("*.parquet"):
        shutil.copy2(path, settings.landing / STREAM / path.name)
    half = settings.landing / STREAM / PACKS / ".pack-half.0.tmp"
    half.write_bytes(b"half a pack")
    assert len(names(settings.landing, STREAM)) == 120
    assert answers(settings) == expected
    housekeeping(context)
    assert {path.name for path in load_paths(settings.landing, STREAM)} == kept
    assert answers(settings) == expected


def test_a_number_is_never_given_twice(settings):
    housekeeping(plans.load_context(settings))
    for path in load_paths(settings.landing, STREAM):
        path.unlink()
    last = packs(settings.landing, STREAM)[-1].last
    day = date(2026, 9, 1)
    batch = Batch(checks(2, "up", day), (day, day + timedelta(days=1)), "test", "new")
    assert land(settings.landing, STREAM, batch, loaded_at=NOW).sequence == last + 1


def test_what_was_replaced_long_ago_can_be_forgotten(settings, answers, before, tmp_path):
    """Today's answers stay; as-known ones stay for as long as was asked for."""
    late = datetime(2026, 8, 3, 12, tzinfo=UTC)
    expected = [before(instant) for instant in (late, None)]
    shutil.copytree(settings.landing, tmp_path / "copy")
    known = replace(settings, keep_replaced=timedelta(days=60))
    done = housekeeping(plans.load_context(known))
    assert done.forgotten > 20
    after = [answers(settings, instant) for instant in (late, None)]
    for old, new in zip(expected, after, strict=True):
        above_raw = {name for name in old if name.split(".")[0] not in {"raw", "meta"}}
        assert {name for name in above_raw if old[name] != new[name]} == set()
    # The same when they had been packed already: packs that are old enough are written anew.
    shutil.rmtree(settings.landing)
    shutil.copytree(tmp_path / "copy", settings.landing)
    assert housekeeping(plans.load_context(settings)).forgotten == 0
    whole = {path.path.name for path in packs(settings.landing, STREAM)}
    again = housekeeping(plans.load_context(known))
    # July is not all older than sixty days yet.
    assert 20 < again.forgotten <= done.forgotten
    assert len(whole & {path.path.name for path in packs(settings.landing, STREAM)}) == 1
    assert housekeeping(plans.load_context(known)).forgotten == 0
    after = [answers(settings, instant) for instant in (late, None)]
    for old, new in zip(expected, after, strict=True):
        assert {name for name in above_raw if old[name] != new[name]} == set()


@pytest.mark.parametrize("is_pulled", [False, True])
def test_a_clock_that_is_far_ahead_forgets_nothing_before_its_time(settings, is_pulled):
    """Not by itself, nor with loads that were landed by it; set right, what is due is forgotten and nothing else."""
    ahead = replace(settings, keep_replaced=timedelta(days=100), now=NOW + timedelta(days=4000))
    expected = {name.load_id for name in names(settings.landing, STREAM)}
    if is_pulled:
        for hours in range(30):
            day = ahead.now.date() + timedelta(days=hours // 24)
            batch = Batch(checks(2, "up", day), (day, day + timedelta(days=1)), "test", f"ahead-{hours}")
            landed = ahead.now - timedelta(hours=30 - hours)
            expected.add(land(settings.landing, STREAM, batch, loaded_at=landed).load_id)
    done = housekeeping(plans.load_context(ahead))
    forgotten = expected - {name.load_id for name in names(settings.landing, STREAM)}
    assert len(forgotten) == done.forgotten
    # A week of the rest, and the day of the pulls, count as time.
    oldest = NOW.date() - timedelta(days=100 - 14)
    assert max(LoadName.of(load_id).loaded_at.date() for load_id in forgotten) < oldest
    right = replace(ahead, now=NOW + timedelta(days=1))
    assert housekeeping(plans.load_context(right)).forgotten < 20
    assert len(names(settings.landing, STREAM)) > 90


def test_a_long_rest_counts_when_loads_have_come_for_a_week_after_it(settings):
    """Whoever exports four times a year is not kept waiting for nine quarters."""
    back = NOW + timedelta(days=300)
    for number in range(12):
        day = back.date() + timedelta(days=number)
        batch = Batch(checks(2, "up", day), (day, day + timedelta(days=1)), "test", f"back-{number}")
        land(settings.landing, STREAM, batch, loaded_at=back + timedelta(days=number))
    keep = replace(settings, keep_replaced=timedelta(days=60))
    # Two days and a week are not believed to be more: what was landed in the last weeks of August stays.
    assert housekeeping(plans.load_context(replace(keep, now=back + timedelta(days=2)))).forgotten > 20
    assert housekeeping(plans.load_context(replace(keep, now=back + timedelta(days=12)))).forgotten > 10


def test_a_damaged_pack_is_set_aside_and_comes_back_from_the_backup(settings, answers, before, tmp_path):
    context = plans.load_context(settings)
    expected = before(None)
    housekeeping(context)
    target = tmp_path / "backup"
    manifest = back_up(settings, target, NOW).manifest
    path = packs(settings.landing, STREAM)[1].path
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 8
    path.write_bytes(content)
    with connect(settings.warehouse) as con:
        done = ingest(con, settings.landing)
        damaged = con.execute("select load_id, window_start from meta.damaged_loads").fetchall()
    assert path.name in done.damaged[STREAM][0]
    assert (settings.landing / STREAM / DAMAGED / path.name).exists()
    assert len(damaged) == 1
    (said,) = repair_loads(replace(settings, backup=target), [STREAM])
    assert path.name in said
    mended = answers(settings)
    assert {
        name for name in expected if name.startswith(("raw.", "staging.", "facts.")) and mended[name] != expected[name]
    } == set()
    again = replace(settings, home=tmp_path / "restored", org=tmp_path / "restored-org")
    assert restore(target, again.home, again.org).is_whole
    assert len(names(again.landing, STREAM)) == 120
    assert manifest.files


def test_the_weekly_look_reads_every_byte(built, tmp_path):
    """Rot of a file that was ingested long ago: mended from the backup, else named and left, so that no row is lost."""
    settings = copy_of(built[0], tmp_path)
    context = plans.load_context(settings)
    housekeeping(context)
    target = tmp_path / "backup"
    back_up(settings, target, NOW)
    victims = [packs(settings.landing, STREAM)[0].path, load_paths(settings.landing, STREAM)[0]]
    whole = [path.read_bytes() for path in victims]
    for path in victims:
        path.write_bytes(path.read_bytes()[:-1] + b"x")
    found = housekeeping(context)
    assert found.damaged == (str(victims[1]), str(victims[0]))
    assert all(path.exists() for path in victims)
    backed = replace(context, settings=replace(settings, backup=target))
    assert len(housekeeping(backed).repaired) == 2
    assert [path.read_bytes() for path in victims] == whole
    assert not plans.build(backed).changed


def test_a_pull_knows_what_lies_in_packs(settings):
    """Files pulled in July and packed since are not landed again."""
    past = replace(settings, now=datetime(2026, 7, 20, 6, tzinfo=UTC))
    organisation = plans.load_context(past).organisation
    incidents = settings.org / "data/incidents.jsonl"
    text = incidents.read_text().replace("2026-08", "2026-07")
    for content in (text.replace("web", "db"), text):
        incidents.write_text(content)
        assert pull_stream(past, organisation, "incidents")[0].loads
    housekeeping(plans.load_context(settings))
    assert [len(pack.loads()) for pack in packs(settings.landing, "incidents")] == [2]
    assert load_paths(settings.landing, "incidents") == []
    assert pull_stream(past, organisation, "incidents")[0].unchanged == 1


def test_loads_from_before_a_column_joined_the_contract(settings, answers, tmp_path):
    """They stay readable beside newer ones, as files and in a pack: the column is unknown in them."""
    day = date(2026, 5, 12)
    for number, dropped in ((0, ["response_ms", "sequence"]), (1, []), (2, ["response_ms"])):
        first = day + timedelta(days=number)
        frame = checks(3, "up", first).with_columns(response_ms=pl.lit(12.5)).drop(dropped)
        batch = Batch(frame, (first, first + timedelta(days=1)), "test", f"old-{number}")
        land(settings.landing, STREAM, batch, loaded_at=datetime(2026, 6, 20, tzinfo=UTC))
    before = answers(settings)
    assert housekeeping(plans.load_context(settings)).packs == 3
    assert answers(settings) == before
    with duckdb.connect(str(tmp_path / "scratch" / "working.duckdb"), read_only=True) as con:
        known = con.execute(
            f"select day, count(response_ms) from staging.{STREAM} where day between $1 and $1 + 2 group by 1 order by 1",
            [day],
        ).fetchall()
    assert known == [(day, 0), (day + timedelta(days=1), 2), (day + timedelta(days=2), 0)]
