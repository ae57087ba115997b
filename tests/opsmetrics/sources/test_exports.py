"""Whole files by their own date, several files a stream, and days that an exporter cuts elsewhere."""

from __future__ import annotations

import json
import os
import shutil
from datetime import UTC, date, datetime, timedelta

import duckdb
import pytest

from opsmetrics.core.errors import ConfigurationError
from opsmetrics.core.settings import Settings, default_sql_root
from opsmetrics.organisation import load_organisation
from opsmetrics.organisation.queries import QuerySource
from opsmetrics.sources import files, pull_stream
from opsmetrics.streams import STREAMS
from opsmetrics.warehouse import ingest
from opsmetrics.warehouse.declared import frame_of, write_table
from opsmetrics.warehouse.reference import deliveries

NOW = datetime(2026, 9, 2, 6, tzinfo=UTC)
HEADER = "incident_id,service_id,severity,declared_at,resolved_at"


@pytest.fixture
def world(small, tmp_path):
    shutil.rmtree(small / "data")
    (small / "data").mkdir()
    return World(small, tmp_path / "home")


class World:
    """An organisation whose incidents are exported again and again."""

    def __init__(self, org, home):
        self.org, self.home = org, home

    def source(self, path, **settings):
        lines = [
            f"{name} = {value if isinstance(value, (int, date)) else json.dumps(value)}"
            for name, value in settings.items()
        ]
        text = "\n".join(['root = "data"', "[[stream]]", 'name = "incidents"', f'path = "{path}"', *lines])
        (self.org / "sources.toml").write_text(text + "\n")

    def export(self, name, *days, written=None, resolved=""):
        """Write a file with an incident on each of some days of August, named for its day."""
        path = self.org / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = [f"i{day},web,2,2026-08-{day:02d}T10:00:00Z,{resolved}" for day in days]
        path.write_text("\n".join([HEADER, *rows]) + "\n")
        at = (written or NOW).timestamp()
        os.utime(path, (at, at))
        return path

    def pull(self, now=NOW):
        settings = Settings(home=self.home, org=self.org, data=None, now=now, sql=default_sql_root())
        (result,) = pull_stream(settings, load_organisation(self.org), "incidents")
        return result

    def asked(self, select):
        with duckdb.connect() as con:
            con.execute("set timezone = 'UTC'; create schema raw; create schema meta")
            # Nothing else is delivered; making the tables of all other streams took most of the time.
            ingest(con, self.home / "landing", only=frozenset({"incidents"}))
            organisation = load_organisation(self.org)
            for table, rows in (
                (deliveries.STREAMS_TABLE, deliveries.streams(organisation)),
                (deliveries.SOURCES, deliveries.sources(organisation, self.home / "pulls")),
            ):
                write_table(con, table, frame_of(table, rows))
            deliveries.choose_loads(con, datetime(9999, 1, 1, tzinfo=UTC), NOW.date())
            return con.execute(select).fetchall()

    @property
    def proven(self):
        """First and last proven day, and how many there are."""
        return self.asked("select min(day), max(day), count(*) from meta.delivered_days where stream = 'incidents'")[0]

    @property
    def rows(self):
        return [
            name
            for (name,) in self.asked(
                "select incident_id from raw.incidents join meta.load_days as d on d.stream = 'incidents'"
                " and d.day = _day and d.load_id = _load_id order by _day, incident_id"
            )
        ]


def august(day):
    return date(2026, 8, day)


def test_an_export_proves_the_quiet_days_before_the_day_of_its_name(world):
    world.source("incidents-{exported}.csv")
    world.export("incidents-2026-08-20.csv", 3, 5)
    assert world.pull().error is None
    assert world.proven == (august(3), august(19), 17)
    world.export("incidents-2026-08-31.csv", 3, 5)
    world.pull()
    assert world.proven == (august(3), august(30), 28)
    assert world.rows == ["i3", "i5"]


def test_a_dead_exporter_proves_no_later_day(world):
    """Nobody edits anything: what was exported on the 20th says nothing of the 21st, however often it is read."""
    world.source("incidents-{exported}.csv")
    world.export("incidents-2026-08-20.csv", 3, 5, written=NOW)
    world.pull()
    assert world.pull(NOW + timedelta(days=30)).loads == ()
    assert world.proven[1] == august(19)


def test_the_time_of_writing_counts_only_where_that_is_said(world):
    world.source("incidents.csv")
    world.export("incidents.csv", 3, 5)
    world.pull()
    assert world.proven == (august(3), august(5), 3)
    world.source("incidents.csv", exported="modified", complete_from=august(1))
    world.pull()
    assert world.proven == (august(1), date(2026, 9, 1), 32)


def test_the_same_bytes_written_later_prove_more_and_land_what_is_new(world):
    world.source("incidents.csv", exported="modified")
    world.export("incidents.csv", 3, 5, written=datetime(2026, 8, 20, 6, tzinfo=UTC))
    world.pull()
    assert world.proven[1] == august(19)
    world.export("incidents.csv", 3, 5, written=datetime(2026, 8, 22, 6, tzinfo=UTC))
    (load,) = world.pull().loads
    assert (load.window_start, load.window_end) == (august(20), august(23))
    assert world.proven == (august(3), august(21), 19)


def test_an_export_without_rows_proves_quiet_days_from_the_day_it_is_complete_for(world):
    world.source("incidents-{exported}.csv")
    world.export("incidents-2026-08-20.csv")
    assert "complete_from" in world.pull().error
    world.source("incidents-{exported}.csv", complete_from=august(1))
    assert world.pull().error is None
    assert world.proven == (august(1), august(19), 19)


def test_a_manifest_says_when_and_for_which_days(world):
    world.source("incidents.csv", exported="manifest")
    path = world.export("incidents.csv", 3, 5)
    assert "no manifest" in world.pull().error
    manifest = path.with_name("incidents.csv.manifest.json")
    manifest.write_text('{"exported_at": "2026-08-20T06:00:00+02:00"}')
    world.pull()
    assert world.proven == (august(3), august(19), 17)
    manifest.write_text('{"exported_at": "2026-08-20T06:00:00+02:00", "covers": ["2026-08-01", "2026-08-10"]}')
    world.pull()
    assert world.proven == (august(1), august(10), 10)
    manifest.write_text('{"exported": "yesterday"}')
    assert "manifest does not say when" in world.pull().error


def test_of_overlapping_exports_the_newest_has_the_word_also_on_what_is_gone(world):
    world.source("handover/*/incidents-{exported}.csv")
    world.export("handover/a/incidents-2026-08-20.csv", 3, 5, 12, 15)
    world.export("handover/b/incidents-2026-08-28.csv", 12, 25)
    world.pull()
    # Of the 12th on the newer one tells: i15 is gone, i12 is not there twice.
    assert world.rows == ["i3", "i5", "i12", "i25"]
    assert world.proven == (august(3), august(27), 25)


def test_handovers_are_complete_together_from_a_day_on(world):
    world.source("incidents-{exported}.csv", complete_from=august(1))
    world.export("incidents-2026-08-20.csv", 3, 5)
    world.export("incidents-2026-08-28.csv", 12, 25)
    world.pull()
    assert world.rows == ["i3", "i5", "i12", "i25"]
    assert world.proven == (august(1), august(27), 27)


def test_a_handover_without_rows_is_about_the_days_that_each_goes_back(world):
    world.source("incidents-{exported}.csv")
    world.export("incidents-2026-08-20.csv", 3, 15)
    world.export("incidents-2026-08-28.csv")
    assert "remembers_days" in world.pull().error
    world.source("incidents-{exported}.csv", remembers_days=10)
    assert world.pull().error is None
    assert world.rows == ["i3", "i15"]
    assert world.proven == (august(3), august(27), 25)


def test_days_between_two_exports_are_not_known(world):
    world.source("incidents-{from}-{to}.csv")
    world.export("incidents-20260801-20260805.csv", 3, resolved="2026-08-04T10:00:00Z")
    world.export("incidents-20260810-20260812.csv", 11)
    (told,) = world.pull().told
    assert "no file is about 2026-08-06 to 2026-08-09, so nothing is known of it; export it too" in told
    assert world.proven == (august(1), august(12), 8)


def test_monthly_files_prove_their_months_but_not_beyond_the_day_they_were_written(world):
    world.source("incidents-{month}.csv")
    world.export("incidents-2026-07.csv", written=NOW)
    world.export("incidents-2026-08.csv", 5, written=datetime(2026, 8, 21, 6, tzinfo=UTC))
    world.pull()
    assert world.proven == (date(2026, 7, 1), august(20), 51)
    world.export("incidents-2026-08.csv", 5, 25, written=NOW)
    world.pull()
    assert world.proven == (date(2026, 7, 1), august(31), 62)
    assert world.rows == ["i5", "i25"]


@pytest.mark.parametrize(
    "path",
    ["./incidents-{month}*.csv", "incidents-{month}**.csv", "{month}/incidents-{month}.csv", "*/inc*-{month}.csv"],
)
def test_stars_beside_a_place_and_a_month_that_stands_twice_are_read(world, path):
    world.source(path)
    folder = "2026-08/" if "/" in path.removeprefix("./") else ""
    world.export(f"{folder}incidents-2026-08.csv", 5)
    assert world.pull().error is None
    assert world.proven == (august(1), august(31), 31)


def test_a_later_month_tells_how_an_earlier_record_went_on(world):
    world.source("incidents-{month}.csv")
    july = world.export("incidents-2026-07.csv")
    july.write_text(f"{HEADER}\nlong,web,2,2026-07-30T10:00:00Z,\n")
    path = world.export("incidents-2026-08.csv", 5)
    path.write_text(path.read_text() + "long,web,2,2026-07-30T10:00:00Z,2026-08-02T10:00:00Z\n")
    world.pull()
    assert world.rows == ["long", "long", "i5"]
    assert world.proven == (date(2026, 7, 1), august(31), 62)


def test_what_was_open_at_the_end_of_its_month_and_is_told_of_no_more_is_not_known(world):
    """Each file has what began in its month: nobody says whether the record of July is over."""
    world.source("incidents-{month}.csv")
    july = world.export("incidents-2026-07.csv", written=datetime(2026, 8, 1, 6, tzinfo=UTC))
    july.write_text(f"{HEADER}\nlong,web,2,2026-07-30T10:00:00Z,\n")
    os.utime(july, (NOW.timestamp() - 86400 * 30,) * 2)
    world.export("incidents-2026-08.csv", 5)
    (load,) = world.pull().loads
    assert (load.rows, load.quarantined) == (1, 1)
    assert world.proven == (date(2026, 7, 1), august(31), 61)
    # Exported again since then, it is open still.
    os.utime(july, (NOW.timestamp() + 86400,) * 2)
    world.pull()
    assert world.rows == ["long", "i5"]


def test_a_file_that_is_taken_away_takes_its_days_back(world):
    world.source("incidents-{month}.csv")
    july = world.export("incidents-2026-07.csv")
    july.write_text(f"{HEADER}\ni0,web,2,2026-07-30T10:00:00Z,\n")
    path = world.export("incidents-2026-08.csv", 5)
    world.pull()
    path.unlink()
    assert any("no longer covers" in told for told in world.pull().told)
    assert world.proven == (date(2026, 7, 1), date(2026, 7, 31), 31)


def test_one_unreadable_export_stops_the_stream_and_names_itself(world):
    world.source("incidents-{month}.csv")
    world.export("incidents-2026-07.csv")
    world.export("incidents-2026-08.csv", 5).write_text("")
    assert "incidents-2026-08.csv" in world.pull().error


def test_a_day_cut_at_midnight_utc_is_whole_with_both_files(world):
    world.source("incidents-{date}.csv", cut="UTC")
    world.export("incidents-2026-08-10.csv")
    path = world.export("incidents-2026-08-11.csv", 11)
    # Half past midnight in Oslo on the 12th, half past ten in the evening of the 11th in UTC.
    path.write_text(path.read_text() + "late,web,2,2026-08-11T22:30:00Z,\n")
    world.pull()
    assert world.proven == (august(11), august(11), 1)
    world.export("incidents-2026-08-12.csv", 12)
    world.pull()
    assert world.proven == (august(11), august(12), 2)
    assert world.rows == ["i11", "i12", "late"]


@pytest.mark.parametrize(
    ("path", "settings", "said"),
    [
        ("i-{exported}.csv", {"covers": [august(1), august(2)]}, "two answers to one question"),
        ("i-*.csv", {"covers": [august(1), august(2)]}, "two answers to one question"),
        ("i-{from}.csv", {}, "belong together"),
        ("i-{date}.csv", {"exported": "modified"}, "says nothing of files of one day each"),
        ("i.csv", {"cut": "UTC"}, "says nothing of whole files"),
        ("i.csv", {"exported": "yesterday"}, "exported"),
        ("i.csv", {"exported": "read"}, "somebody still exports it"),
    ],
)
def test_what_contradicts_itself_is_said_by_the_check(world, path, settings, said):
    world.source(path)
    with (world.org / "sources.toml").open("a") as file:
        for name, value in settings.items():
            shown = f"[{', '.join(map(str, value))}]" if isinstance(value, list) else json.dumps(value)
            file.write(f"{name} = {shown}\n")
    with pytest.raises(ConfigurationError, match=said):
        load_organisation(world.org)


def test_a_table_is_as_it_is_when_it_is_read_and_a_file_is_not(world):
    world.source("i.csv")
    organisation, stream = load_organisation(world.org), STREAMS["incidents"]
    query = QuerySource(
        name="incidents",
        path="sources/incidents.sql",
        source="desk",
        tables={"rows": {"connection_env": "DESK", "table": "incidents"}},
        exported="read",
        sql="select 1",
    )
    reading = files.Reading(organisation, query, stream, world.org, NOW.date())
    (export,) = files.exports_of(reading, world.org / "sources/incidents.sql", None)
    assert export.made_on(organisation.zone) == NOW.date()
    (world.org / "sources").mkdir()
    header = '-- source = "desk"\n-- files = { rows = "i.csv" }\n-- exported = "read"\nselect * from rows\n'
    (world.org / "sources" / "incidents.sql").write_text(header)
    with pytest.raises(ConfigurationError, match=r"incidents\.sql:3: exported = 'read' does not fit"):
        load_organisation(world.org)


def test_a_path_leads_nowhere_outside_of_its_root(world, tmp_path):
    (tmp_path / "elsewhere.csv").write_text(HEADER + "\n")
    (world.org / "data" / "incidents-2026-08-20.csv").symlink_to(tmp_path / "elsewhere.csv")
    world.source("incidents-{exported}.csv", complete_from=august(1))
    assert "no file of these days" in world.pull().error
    world.source("../../*.csv", exported="modified")
    assert world.pull().error is not None


def test_a_name_with_a_day_that_does_not_exist_is_said(world):
    world.source("incidents-{exported}.csv")
    path = world.export("incidents-2026-08-20.csv", 3)
    path.rename(path.with_name("incidents-2026-08-32.csv"))
    assert "a day that does not exist" in world.pull().error


def test_the_clock_of_the_file_is_no_later_than_the_pull(world):
    world.source("incidents-{exported}.csv")
    world.export("incidents-2027-08-20.csv", 3)
    world.pull()
    assert world.proven == (august(3), date(2026, 9, 1), 30)
