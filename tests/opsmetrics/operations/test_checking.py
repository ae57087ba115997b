"""``opsmetrics check`` finds what a pull would stumble over and what leads nowhere, before anything is pulled."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from opsmetrics.core.settings import Settings, default_sql_root
from opsmetrics.operations.checking import inspect
from opsmetrics.organisation import load_organisation
from opsmetrics.sources import pull_stream

NOW = datetime(2026, 9, 2, 6, tzinfo=UTC)
TODAY = date(2026, 9, 2)
ALWAYS = {"the clock stands still at 2026-09-02 06:00 UTC: no later day is scored"}


@pytest.fixture
def settings(tmp_path, small):
    return Settings(home=tmp_path / "home", org=small, data=None, now=NOW, sql=default_sql_root())


def found(settings, today=TODAY):
    """Findings but the clock's, as (is an error, file, line, message, fix)."""
    items = inspect(settings, load_organisation(settings.org), today)
    rows = [(i.is_error, Path(i.problem.file).name, i.problem.line, i.problem.message, i.problem.fix) for i in items]
    assert [row[0] for row in rows] == sorted((row[0] for row in rows), reverse=True)
    return [row for row in rows if row[3] not in ALWAYS]


def edit(folder, file, old, new):
    path = folder / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def one(settings, *, error, file, said, fix, today=TODAY):
    hits = [row for row in found(settings, today) if said in row[3]]
    assert len(hits) == 1, found(settings, today)
    ((is_error, where, line, _, how),) = hits
    assert (is_error, where) == (error, file)
    assert fix in how
    return line


def test_a_whole_organisation_has_only_its_clock_to_be_named(settings):
    assert found(settings) == []
    items = inspect(settings, load_organisation(settings.org), TODAY)
    assert {item.problem.message for item in items} == ALWAYS
    assert [item.problem.line for item in items] == [5]


@pytest.mark.parametrize(
    ("old", "new", "said", "fix"),
    [
        ("incidents.jsonl", "incident.jsonl", "does not exist", "check path"),
        ("incidents.jsonl", "incidents.xlsx", "unknown format", "save the sheet as CSV"),
        ("incidents.jsonl", "../../incidents.jsonl", "leaves the root", "stay below it"),
        ("checks/{date}.csv", "chekcs/{date}.csv", "no file of these days exists", "{date}"),
    ],
)
def test_a_file_that_a_pull_could_not_read_is_an_error_at_its_stream(settings, small, old, new, said, fix):
    edit(small, "sources.toml", old, new)
    assert one(settings, error=True, file="sources.toml", said=said, fix=fix) is not None


def test_a_mapped_column_that_the_file_does_not_have(settings, small):
    covers = "covers = [2026-07-01, 2026-09-01]"
    edit(small, "sources.toml", covers, covers + '\ncolumns = { first_alert_at = "alerted" }')
    one(settings, error=True, file="sources.toml", said="'alerted'", fix="")


def test_an_assumption_of_which_the_file_knows_better(settings, small):
    covers = "covers = [2026-07-01, 2026-09-01]"
    edit(small, "sources.toml", covers, covers + "\nassume = { severity = 3, is_exercise = false }")
    one(settings, error=False, file="sources.toml", said="has the column 'severity' itself", fix="out of assume")


def test_a_history_that_has_not_begun(settings, small):
    edit(small, "organisation.toml", "2026-07-01", "2027-07-01")
    assert one(settings, error=True, file="organisation.toml", said="which has not come: no day is scored", fix="") == 4


def test_registers_in_a_folder_of_another_name(settings, small):
    (small / "register").mkdir()
    (small / "register" / "waivers.csv").write_text("waiver_id\n")
    one(settings, error=True, file="register", said="nobody reads the registers", fix="'registers'")


def test_files_beside_daily_ones_that_nobody_reads(settings, small):
    folder = small / "data" / "checks"
    content = (folder / "2026-09-01.csv").read_text()
    for name in ("20260831.csv", "2026-08-30.CSV", "2026-08-31 (1).csv", "2026-13-01.csv", "notes.txt"):
        (folder / name).write_text(content)
    said = "nobody reads 2026-08-30.CSV, 2026-08-31 (1).csv, 2026-13-01.csv and 1 more"
    assert one(settings, error=False, file="sources.toml", said=said, fix="2026-01-31.csv") == 6
    edit(small, "sources.toml", "checks/{date}.csv", "checks/all-{date}.csv")
    (folder / "all-2026-09-01.csv").write_text(content)
    assert found(settings) == []


def test_times_without_a_zone_name_the_setting(settings, small):
    path = small / "data" / "incidents.jsonl"
    path.write_text(path.read_text().replace('Z"', '"'))
    one(settings, error=True, file="sources.toml", said="all rows looked at would be set aside", fix="naive_time")
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], *(line.replace(':00"', ':00Z"') for line in lines[1:])]) + "\n")
    one(settings, error=False, file="sources.toml", said="1 of 20 rows", fix="naive_time")


def test_rows_that_break_the_contract_name_their_line(settings, small):
    edit(small, "data/incidents.jsonl", '"severity": 3', '"severity": "high"')
    assert one(settings, error=False, file="incidents.jsonl", said="1 of 20 rows", fix="correct them") == 3


@pytest.mark.parametrize(
    ("file", "error", "fix"),
    [
        ("slos.toml", True, "'slo.toml'"),
        ("registers/waiver.csv", True, "'waivers.csv'"),
        ("registers/roster.xlsx", True, "'rosters.csv'"),
        ("team.yaml", True, "'teams.toml'"),
        ("pyproject.toml", False, "known are"),
    ],
)
def test_a_file_that_nobody_reads_is_named_with_what_was_meant(settings, small, file, error, fix):
    (small / "registers").mkdir()
    (small / file).write_text("")
    one(settings, error=error, file=Path(file).name, said="nobody reads this file", fix=fix)


def test_files_that_streams_read_notes_and_other_choices_of_sources_are_no_strangers(settings, small):
    (small / "registers").mkdir()
    (small / "registers" / "restore_tests.csv").write_text("test_id,datastore_id,requested_at,is_successful\n")
    (small / "registers" / "README.md").write_text("notes")
    (small / "sources.github.toml").write_text("")
    with (small / "sources.toml").open("a") as file:
        file.write('[[stream]]\nname = "restore_tests"\npath = "registers/restore_tests.csv"\n')
    assert found(settings) == []


def test_access_for_a_team_that_does_not_exist(settings, small):
    (small / "access.toml").write_text('[[grant]]\nvalue = "x"\nrole = "member"\nteam = "alfaa"\n')
    assert one(settings, error=True, file="access.toml", said="no team 'alfaa'", fix="'alfa'") == 4


def test_days_that_are_over_or_have_not_come(settings, small):
    later = date(2026, 10, 1)
    assert len([row for row in found(settings, later) if "covers ended" in row[3]]) == 2
    edit(small, "sources.toml", "2026-09-01]", "2027-09-01]")
    line = one(settings, error=True, file="sources.toml", said="has not come", fix="last day")
    assert line == 11


def test_names_that_lead_nowhere_are_counted_and_the_likeliest_is_offered(settings, small):
    edit(small, "data/incidents.jsonl", '"service_id": "web"', '"service_id": "webb"')
    one(
        settings,
        error=False,
        file="services.toml",
        said="1 rows name what is no service of the configuration: webb (1)",
        fix="'web'",
    )
    path = small / "data" / "incidents.jsonl"
    path.write_text(path.read_text().replace('"webb"', '"a"').replace('"web"', '"a"').replace('"db"', '"b"'))
    one(settings, error=True, file="services.toml", said="20 rows name what is no service", fix="aliases")


def test_environments_that_nobody_named(settings, small):
    edit(small, "organisation.toml", '"production"', '"prd"')
    one(
        settings, error=True, file="organisation.toml", said="30 rows name what is no environment", fix="[environments]"
    )


@pytest.mark.parametrize("pulled", [False, True])
def test_monitors_that_no_source_knows_before_and_after_a_pull(settings, small, pulled):
    edit(small, "services.toml", 'id = "probe-db"', 'id = "Probe-db"')
    if pulled:
        organisation = load_organisation(small)
        pull_stream(settings, organisation, "availability_checks")
    assert (
        one(settings, error=False, file="services.toml", said="no source knows the monitor 'Probe-db'", fix="glob:")
        == 14
    )
    rows = 12 * 24 if pulled else 24
    one(settings, error=False, file="services.toml", said=f"{rows} rows name what is no monitor", fix="monitors")


def test_a_pattern_of_old_is_told_how_it_is_written(settings, small):
    edit(small, "services.toml", 'id = "probe-db"', 'id = "probe-d*"')
    one(
        settings,
        error=False,
        file="services.toml",
        said="no source knows the monitor 'probe-d*'",
        fix="'glob:probe-d*'",
    )
    edit(small, "services.toml", 'id = "probe-d*"', 'id = "glob:probe-d*"')
    assert found(settings) == []


def test_a_monitor_of_which_nobody_says_how_long_a_result_stands(settings, small):
    edit(small, "services.toml", '{ id = "probe-web", hold_minutes = 60 }', '{ id = "probe-web" }')
    line = one(settings, error=False, file="services.toml", said="'probe-web': a hole", fix="hold_minutes")
    assert line == 7
    edit(small, "services.toml", '{ id = "probe-web" }', '{ id = "probe-web", kind = "transitions" }')
    assert found(settings) == []


def test_a_service_that_no_source_names(settings, small):
    with (small / "services.toml").open("a") as file:
        file.write(
            '[[service]]\nid = "ghost"\nname = { nb = "G", en = "G" }\ncriticality = "ordinary"\n'
            'owners = [{ team = "beta", from = 2025-01-01 }]\n'
        )
    one(settings, error=False, file="services.toml", said="no source names the service 'ghost'", fix="aliases")


def test_owners_dated_from_today_over_a_history(settings, small):
    edit(small, "services.toml", "from = 2025-01-01", "from = 2026-09-01")
    line = one(settings, error=False, file="services.toml", said="has rows of 2026-08-01", fix="really began")
    assert line == 6
    edit(small, "services.toml", "from = 2026-09-01", "from = 2026-10-01")
    one(settings, error=False, file="services.toml", said="nobody owns 'web' today", fix="holds today")


def test_a_folder_that_is_not_there_is_named_once(settings, small):
    edit(small, "sources.toml", 'root = "data"', 'root = "exports"')
    line = one(settings, error=True, file="sources.toml", said="so 3 streams have no file", fix="--data")
    assert line == 2
    assert len(found(settings)) == 1


def test_what_no_page_can_tell_apart_and_what_contradicts_itself_is_said(settings):
    edit(settings.org, "teams.toml", '{ nb = "Beta", en = "Beta" }', '{ nb = "Alfa", en = "Beta" }')
    one(settings, error=False, file="teams.toml", said="both called 'Alfa'", fix="a name of its own")
    edit(settings.org, "sources.toml", 'root = "data"', 'root = "data"\nwithout = ["incidents"]')
    one(settings, error=False, file="sources.toml", said="without names 'incidents'", fix="take it out")


def test_a_folder_of_a_connector_that_is_not_there_is_an_error(settings):
    with (settings.org / "sources.toml").open("a") as file:
        file.write('[[connector]]\nname = "git"\nkind = "git_clones"\nfolder = "gone"\nstreams = ["commits_daily"]\n')
    one(settings, error=True, file="sources.toml", said="there is no folder 'gone'", fix="its path")
    (settings.org / "gone").mkdir()
    assert not [row for row in found(settings) if "no folder" in row[3]]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"engine": "spak"}, "not an engine"),
        ({"webhook_url": "https://chat.example.org/x", "webhook_format": "discord"}, "'discord' is not known"),
        ({"webhook_url": "http://chat.example.org/x"}, "not an https address"),
        ({"ca_file": Path(__file__)}, "cannot be read as certificates"),
        ({"ca_file": Path("gone.pem")}, "cannot be read as certificates"),
    ],
)
def test_settings_that_a_later_command_would_stumble_over_are_errors(settings, changed, said):
    one(replace(settings, **changed), error=True, file="environment", said=said, fix="")


def test_a_setting_that_nobody_reads_is_said(settings, monkeypatch):
    monkeypatch.setenv("OPSMETRICS_BACKUPS", "/mnt/other")
    one(settings, error=False, file="environment", said="OPSMETRICS_BACKUPS is not a setting", fix="OPSMETRICS_BACKUP?")


def test_a_datastore_of_which_nobody_says_what_was_promised_is_said(settings):
    """It is scored as without a policy, which looks like backups that nobody takes."""
    path = settings.org / "datastores.toml"
    path.write_text(
        '[[datastore]]\nid = "db-pg"\nservice = "db"\n\n[[datastore]]\nid = "x"\nservice = "db"\nclass = "D"\n'
    )
    said = "nobody says class, rto_minutes, backup_interval_hours of 'db-pg':"
    assert one(settings, error=False, file="datastores.toml", said=said, fix="what was decided") == 2
