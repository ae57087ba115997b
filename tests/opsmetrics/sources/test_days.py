"""Days are days: what each delivery proves, takes back and leaves open, file by file and pull by pull."""

from __future__ import annotations

import json
import os
import random
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opsmetrics.core.settings import Settings, default_sql_root
from opsmetrics.landing import load_paths, names
from opsmetrics.organisation import load_organisation
from opsmetrics.sources import file_marks, file_pulls, pull_stream
from opsmetrics.sources.notes import days_of
from opsmetrics.warehouse import ingest
from opsmetrics.warehouse.declared import frame_of, write_table
from opsmetrics.warehouse.reference import deliveries

NOW = datetime(2026, 9, 2, 6, tzinfo=UTC)
SOURCES = """
root = "data"

[[stream]]
name = "alerts"
path = "alerts/{date}.csv"

[[stream]]
name = "incidents"
path = "incidents.csv"
"""
ALERTS = "alert_id,service_id,fired_at,acknowledged_at,closed_at,rule_id"
INCIDENTS = "incident_id,service_id,severity,declared_at,resolved_at"


@pytest.fixture
def world(small, tmp_path):
    (small / "sources.toml").write_text(SOURCES)
    shutil.rmtree(small / "data")
    (small / "data/alerts").mkdir(parents=True)
    return World(small, tmp_path / "home")


class World:
    """A small organisation that is pulled again and again, and what staging would make of it."""

    def __init__(self, org, home):
        self.data, self.org, self.today = org / "data", org, NOW.date()
        self.settings = Settings(home=home, org=org, data=None, now=None, sql=default_sql_root())

    def alerts(self, day, *rows):
        return self.write(f"alerts/{day}.csv", ALERTS, [f"{row},r" for row in rows])

    def incidents(self, *rows):
        return self.write("incidents.csv", INCIDENTS, rows)

    def write(self, name, header, rows):
        path = self.data / name
        path.write_text("\n".join([header, *rows]) + "\n")
        return path

    def pull(self, stream="incidents", now=NOW, window=None, *, fill_gaps=False):
        settings = replace(self.settings, now=now)
        organisation = load_organisation(self.org)
        (result,) = pull_stream(settings, organisation, stream, window, fill_gaps=fill_gaps)
        assert result.error is None, result.error
        return result

    def landed(self, stream="incidents"):
        return [(name.sequence, *name.window) for name in names(self.settings.landing, stream)]

    def asked(self, select):
        """Answer a question on ``raw`` and ``meta`` as a build would have them."""
        with duckdb.connect() as con:
            con.execute("set timezone = 'UTC'; create schema raw; create schema meta")
            # Only these two are delivered; making the tables of all others took most of the time.
            ingest(con, self.settings.landing, only=frozenset({"alerts", "incidents"}))
            organisation = load_organisation(self.org)
            for table, rows in (
                (deliveries.STREAMS_TABLE, deliveries.streams(organisation)),
                (deliveries.SOURCES, deliveries.sources(organisation, self.settings.home / "pulls")),
            ):
                write_table(con, table, frame_of(table, rows))
            deliveries.choose_loads(con, datetime(9999, 1, 1, tzinfo=UTC), self.today)
            return con.execute(select).fetchall()

    def days(self, stream="incidents"):
        return [day for (day,) in self.asked(f"select day from meta.load_days where stream = '{stream}' order by 1")]

    def rows(self, stream="incidents", column="incident_id"):
        return self.asked(
            f"select {column} from raw.{stream} join meta.load_days as d on d.stream = '{stream}'"
            " and d.day = _day and d.load_id = _load_id order by all"
        )


def test_a_quiet_day_lands_each_time_it_is_quiet(world):
    for day in (29, 30, 31):
        world.alerts(date(2026, 8, day))
    assert len(world.pull("alerts").loads) == 3
    assert world.days("alerts") == [date(2026, 8, day) for day in (29, 30, 31)]
    assert world.pull("alerts").unchanged == 3
    world.alerts(date(2026, 9, 1))
    assert len(world.pull("alerts").loads) == 1


def test_a_lost_note_lands_no_daily_file_twice(world):
    for day in (29, 30, 31):
        world.alerts(date(2026, 8, day))
    world.pull("alerts")
    shutil.rmtree(world.settings.home / "pulls")
    assert world.pull("alerts").loads == ()


def test_a_corrected_file_is_found_whatever_its_own_time_says(world):
    path = world.alerts(date(2026, 8, 31), "a,web,2026-08-31T08:00:00Z,,")
    os.utime(path, (1_700_000_000, 1_700_000_000))
    window = (date(2026, 9, 1), date(2026, 9, 3))
    world.pull("alerts", window=window, fill_gaps=True)
    world.alerts(date(2026, 8, 31), "b,web,2026-08-31T08:00:00Z,,")
    os.utime(path, (1_600_000_000, 1_600_000_000))
    assert len(world.pull("alerts", window=window, fill_gaps=True).loads) == 1
    assert world.rows("alerts", "alert_id") == [("b",)]


def test_a_file_that_nobody_touched_is_not_read_again(world, monkeypatch):
    path = world.alerts(date(2026, 8, 31), "a,web,2026-08-31T08:00:00Z,,")
    monkeypatch.setattr(file_marks, "YOUNG_SECONDS", -1.0)
    world.pull("alerts")
    monkeypatch.setattr(file_pulls.files, "digest", None)
    assert world.pull("alerts").unchanged == 1
    monkeypatch.undo()
    path.write_text(path.read_text().replace("a,web", "c,web"))
    assert len(world.pull("alerts").loads) == 1


def test_what_is_wrong_with_many_daily_files_is_said_once(world):
    for number in range(1, 30):
        path = world.alerts(
            f"2026-08-{number:02d}", *([f"a,web,2026-08-{number:02d}T08:00:00Z,,"] if number == 9 else [])
        )
        if number != 9:
            path.write_text("")
    organisation = load_organisation(world.org)
    (result,) = pull_stream(replace(world.settings, now=NOW), organisation, "alerts")
    assert result.rows == 1
    first, fix = (result.error or "").splitlines()
    assert "2026-08-01.csv: the file is empty (as in 27 more files, up to " in first
    assert "2026-08-29.csv)" in first
    assert "export it again" in fix


def test_a_file_that_went_back_to_what_it_said_before_counts_as_it_says_now(world):
    day = date(2026, 8, 31)
    for name in ("a", "b", "a"):
        world.alerts(day, f"{name},web,2026-08-31T08:00:00Z,,")
        assert len(world.pull("alerts").loads) == 1
    assert world.rows("alerts", "alert_id") == [("a",)]


def test_a_page_of_four_daily_files_is_told_by_all_of_them(world):
    first = "2026-08-28T08:00:00Z"
    world.alerts(date(2026, 8, 28), f"p,web,{first},,")
    world.alerts(date(2026, 8, 29), f"p,web,{first},2026-08-29T09:00:00Z,")
    world.alerts(date(2026, 8, 30), "p,web,2026-08-30T00:00:00Z,,")
    world.alerts(date(2026, 8, 31), f"p,web,{first},,2026-08-31T10:00:00Z")
    assert world.pull("alerts").quarantined == 0
    told = world.rows("alerts", "_day, fired_at, acknowledged_at, closed_at")
    assert [day for day, *_ in told] == [date(2026, 8, day) for day in (28, 29, 30, 31)]


def test_the_closing_of_an_old_row_is_taken_from_a_whole_file_by_a_scheduled_pull(world):
    old, new = "o,web,2,2026-01-05T08:00:00Z,", "n,web,2,2026-08-30T08:00:00Z,2026-08-30T09:00:00Z"
    window = (date(2026, 8, 30), date(2026, 9, 3))
    world.incidents(old, new)
    world.pull(window=window, fill_gaps=True)
    world.incidents(f"{old}2026-08-31T08:00:00Z", new)
    world.pull(window=window, fill_gaps=True)
    assert world.rows(column="incident_id, resolved_at is null") == [("n", False), ("o", False)]


def test_a_whole_file_that_grew_lands_from_the_first_day_that_differs(world):
    rows = [f"i{n},web,2,2026-08-{n:02d}T08:00:00Z,2026-08-{n:02d}T09:00:00Z" for n in range(1, 20)]
    world.incidents(*rows)
    world.pull()
    world.incidents(*reversed(rows))
    assert world.pull().loads == ()
    world.incidents(*rows, "x,web,2,2026-08-20T08:00:00Z,")
    (load,) = world.pull().loads
    assert (load.window_start, load.rows) == (date(2026, 8, 20), 1)
    assert len(world.rows()) == 20


def test_a_column_that_a_whole_file_begins_or_ceases_to_tell_is_told_of_all_its_days(world):
    """An empty cell says "there is none" where the column is told, and nothing where it is not."""
    rows = [f"i{n},web,2,2026-08-{n:02d}T08:00:00Z,2026-08-{n:02d}T09:00:00Z" for n in range(1, 20)]
    for header, end, is_told in (
        (INCIDENTS, "", False),
        (f"{INCIDENTS},manager_assigned_at", ",", True),
        (INCIDENTS, "", False),
    ):
        world.write("incidents.csv", header, [row + end for row in rows])
        (load,) = world.pull().loads
        assert ("manager_assigned_at" in load.untold, load.rows) == (not is_told, len(rows))
        assert world.pull().loads == ()


@pytest.mark.parametrize("odd", ["", "odd,web,2,2026-08-19T08:00:00Z,yesterday"])
def test_a_column_that_is_left_out_is_named_also_where_no_row_changed(world, odd):
    rows = [f"i{n},web,2,2026-08-{n:02d}T08:00:00Z,2026-08-{n:02d}T09:00:00Z" for n in range(1, 20)]
    rows += [odd] if odd else []
    world.incidents(*rows)
    world.pull()
    for header, end, dropped in ((f"{INCIDENTS},author", ",x", ("author",)), (INCIDENTS, "", ())):
        world.write("incidents.csv", header, [row + end for row in rows])
        (load,) = world.pull().loads
        # The days before stay as they were landed.
        assert (load.dropped_columns, load.window_start) == (dropped, date(2026, 8, 19))
        assert world.pull().loads == ()
        assert len(world.rows()) == 19


def test_a_column_that_a_daily_file_leaves_out_is_named_also_where_no_row_changed(world):
    day, row = date(2026, 8, 31), "a,web,2026-08-31T08:00:00Z,,,r"
    world.write(f"alerts/{day}.csv", ALERTS, [row, "b,web,yesterday,,,r"])
    world.pull("alerts")
    world.write(f"alerts/{day}.csv", f"{ALERTS},author", [f"{row},x", "b,web,yesterday,,,r,x"])
    (load,) = world.pull("alerts").loads
    assert load.dropped_columns == ("author",)
    assert world.pull("alerts").loads == ()


def test_a_wrong_year_is_taken_back_by_the_file_that_mends_it(world):
    good = ["a,web,2,2026-08-01T08:00:00Z,", "b,web,2,2026-08-03T08:00:00Z,"]
    world.incidents(*good, "w,web,2,2024-08-30T08:00:00Z,")
    world.pull()
    # The row is of a day that can be; the two years of silence after it are not proven by it.
    assert world.days() == [date(2024, 8, 30), *(date(2026, 8, day) for day in (1, 2, 3))]
    world.incidents(*good)
    result = world.pull()
    assert "no longer covers 2024-08-30 to 2026-07-31" in result.told[0]
    assert world.days() == [date(2026, 8, day) for day in (1, 2, 3)]
    assert world.rows() == [("a",), ("b",)]
    assert world.pull().loads == ()


@pytest.mark.parametrize("is_noted", [True, False])
def test_rows_deleted_at_the_edge_go_and_come_back(world, is_noted):
    rows = [f"i{n},web,2,2026-08-{n:02d}T08:00:00Z," for n in (1, 5, 9)]
    for kept in (rows, rows[:2], rows, rows[1:], rows):
        world.incidents(*kept)
        world.pull()
        if not is_noted:
            shutil.rmtree(world.settings.home / "pulls")
        assert world.rows() == [(row[:2],) for row in kept]
        first, last = int(kept[0][1]), int(kept[-1][1])
        assert world.days() == [date(2026, 8, day) for day in range(first, last + 1)]


def test_an_export_of_the_newest_days_only_keeps_what_it_told_before(world):
    text = SOURCES.replace('path = "incidents.csv"', 'path = "incidents.csv"\nremembers_days = 10')
    (world.org / "sources.toml").write_text(text)
    old, gone, new = (f"{name},web,2,2026-08-{day:02d}T08:00:00Z," for name, day in (("a", 1), ("b", 26), ("c", 30)))
    world.incidents(old, gone, new)
    world.pull()
    # The first row is too old for the export now, and the second was deleted in it.
    world.incidents(new)
    assert world.pull().told == ()
    assert world.rows() == [("a",), ("c",)]
    assert world.days() == days_of((date(2026, 8, 1), date(2026, 8, 31)))


def test_what_was_set_aside_for_not_having_happened_is_read_again_on_another_day(world, monkeypatch):
    """A clock that stood behind, or a row that came before its time: nobody touches the file, and it counts then."""
    monkeypatch.setattr(file_marks, "YOUNG_SECONDS", -1.0)
    world.incidents("a,web,2,2026-08-01T08:00:00Z,", "b,web,2,2026-08-30T08:00:00Z,", "c,web,2,2026-09-06T08:00:00Z,")
    world.alerts(date(2026, 8, 9), "e,web,2026-08-09T08:00:00Z,,", "f,web,2026-08-09T08:00:00Z,2026-09-06T08:00:00Z,")
    for days, incidents, alerts, landed in (
        (-10, "a", "e", 1),
        (0, "ab", "e", 0),
        (1, "ab", "e", 0),
        (4, "abc", "ef", 1),
    ):
        now = NOW + timedelta(days=days)
        world.pull(now=now)
        assert len(world.pull("alerts", now=now).loads) == landed
        assert world.pull(now=now).unchanged == world.pull("alerts", now=now).unchanged == 1
        world.today = now.date()
        assert [name for (name,) in world.rows()] == list(incidents)
        assert [name for (name,) in world.rows("alerts", "alert_id")] == list(alerts)


def test_a_load_landed_with_a_wrong_clock_loses_to_its_correction(world):
    world.incidents("a,web,2,2026-08-01T08:00:00Z,")
    world.pull(now=datetime(2031, 1, 1, tzinfo=UTC))
    world.incidents("b,web,2,2026-08-01T08:00:00Z,")
    world.pull()
    assert world.rows() == [("b",)]


@pytest.mark.parametrize("change", ["-000001-", "-20260801-"])
def test_a_load_copied_under_another_name_counts_once_and_is_told(world, change):
    world.incidents("a,web,2,2026-08-01T08:00:00Z,")
    world.pull()
    (path,) = load_paths(world.settings.landing, "incidents")
    other = {"-000001-": "-000002-", "-20260801-": "-20260701-"}[change]
    shutil.copy(path, path.with_name(path.name.replace(change, other, 1)))
    assert world.rows() == [("a",)]
    assert len(list((path.parent / "damaged").iterdir())) == 1
    assert world.pull().error is None


def test_a_load_in_the_folder_of_another_stream_is_set_aside(world):
    world.incidents("a,web,2,2026-08-01T08:00:00Z,")
    world.pull()
    (path,) = load_paths(world.settings.landing, "incidents")
    (world.settings.landing / "alerts").mkdir()
    shutil.copy(path, world.settings.landing / "alerts" / path.name)
    assert world.days("alerts") == []


def test_notes_of_an_earlier_version_are_read(world):
    day = date(2026, 8, 1)
    world.incidents("a,web,2,2026-08-01T08:00:00Z,")
    world.pull()
    note = world.settings.home / "pulls/incidents.files.json"
    old = json.loads(note.read_text())
    for name in ("files", "days", "told", "knows_ends"):
        del old[name]
    note.write_text(json.dumps(old))
    world.incidents("a,web,2,2026-08-01T08:00:00Z,", "b,web,2,2026-08-02T08:00:00Z,")
    world.pull()
    assert world.days() == days_of((day, day + timedelta(days=2)))


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_however_a_whole_file_was_edited_what_counts_is_what_it_says_now(make_small, tmp_path_factory, seed):
    """Rows that come, go, move, close and open again; scheduled pulls, whole ones and lost notes; any clock."""
    rolls = random.Random(seed)
    folder = tmp_path_factory.mktemp("edits")
    world = World(make_small(folder / "org", days=1), folder / "home")
    (world.org / "sources.toml").write_text(SOURCES)
    rows: dict[str, str] = {"i0": "i0,web,2,2026-08-10T08:00:00Z,"}
    for step in range(rolls.randint(2, 7)):
        for _ in range(rolls.randint(1, 3)):
            name, day = f"i{rolls.randrange(6)}", rolls.randint(1, 30)
            closed = rolls.choice(["", f"2026-08-{day:02d}T10:00:00Z"])
            rows[name] = f"{name},web,{rolls.randint(1, 4)},2026-08-{day:02d}T08:00:00Z,{closed}"
            if len(rows) > 1 and rolls.random() < 0.4:
                del rows[rolls.choice(sorted(rows))]
        lines = list(rows.values())
        rolls.shuffle(lines)
        world.incidents(*lines)
        if rolls.random() < 0.2:
            shutil.rmtree(world.settings.home / "pulls", ignore_errors=True)
        now = NOW + timedelta(days=rolls.randint(0, 400), minutes=step)
        end = now.date() + timedelta(days=1)
        window = (end - timedelta(days=3), end) if rolls.random() < 0.5 else None
        world.pull(now=now, window=window, fill_gaps=window is not None)
    told = world.rows(column="incident_id, severity, resolved_at is not null")
    assert told == sorted((n, int(r.split(",")[2]), not r.endswith(",")) for n, r in rows.items())
    days = {date.fromisoformat(row.split(",")[3][:10]) for row in rows.values()}
    assert world.days() == days_of((min(days), max(days) + timedelta(days=1)))


def test_a_day_of_which_a_row_was_set_aside_is_no_delivery_and_no_quiet_day(world):
    day = date(2026, 8, 31)

    def known():
        return world.asked("select day, is_complete from meta.load_days where stream = 'alerts' order by 1")

    world.alerts(day)
    world.pull("alerts")
    assert known() == [(day, True)]
    good, odd = "a,web,2026-08-31T08:00:00Z,,", "b,web,2026-08-31 01:20 PM,,"
    world.alerts(day, good, odd)
    world.pull("alerts")
    # The morning's empty file is no longer all there is.
    assert known() == [(day, False)]
    assert world.rows("alerts", "alert_id") == [("a",)]
    assert world.asked("select count(*) from meta.delivered_days where stream = 'alerts'") == [(0,)]
    world.alerts(day, good, odd.replace(" 01:20 PM", "T13:20:00Z"))
    world.pull("alerts")
    assert known() == [(day, True)]
    assert world.rows("alerts", "alert_id") == [("a",), ("b",)]


def test_a_mended_row_without_a_day_gives_its_days_back(world):
    good = [f"i{n},web,2,2026-08-{n:02d}T08:00:00Z," for n in (1, 2, 3)]
    world.incidents(*good, "odd,web,2,2026-08-02 08:00 banana,")
    world.pull()
    complete = "select count(*) filter (is_complete), count(*) from meta.load_days where stream = 'incidents'"
    assert world.asked(complete) == [(0, 3)]
    world.incidents(*good, "odd,web,2,2026-08-02T08:00:00Z,")
    world.pull()
    assert world.asked(complete) == [(3, 3)]
    assert len(world.rows()) == 4


def test_a_silence_that_is_not_proven_leaves_what_was_known(world):
    early = [f"i{n},web,2,2025-12-{n:02d}T08:00:00Z," for n in (1, 20)]
    late = ["z,web,2,2026-08-01T08:00:00Z,"]
    world.incidents(*early, *late)
    world.pull()
    days = world.days()
    assert (len(days), date(2025, 12, 10) in days, date(2026, 3, 1) in days) == (21, True, False)
