"""Configuration is checked as a whole; every error names file, line and fix."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from opsmetrics.build import load_context
from opsmetrics.core.errors import ConfigurationError
from opsmetrics.core.settings import Settings, default_sql_root, parse_instant
from opsmetrics.organisation import configured_zone, load_organisation

ROOT = Path(__file__).resolve().parents[3]


def problems(folder: Path):
    with pytest.raises(ConfigurationError) as caught:
        load_organisation(folder)
    return caught.value.problems


def replace(folder: Path, file: str, old: str, new: str) -> int:
    """Replace text and return the line that now holds it."""
    path = folder / file
    text = path.read_text()
    assert old in text
    text = text.replace(old, new, 1)
    path.write_text(text)
    return text[: text.index(new)].count("\n") + 1


@pytest.mark.parametrize("name", ["demo", "altinn"])
def test_examples_are_valid(name):
    organisation = load_organisation(ROOT / "examples" / name)
    assert organisation.teams
    assert organisation.services


def test_the_demo_is_the_fictional_organisation_of_the_specification():
    demo = load_organisation(ROOT / "examples" / "demo")
    assert demo.settings.fictional
    assert [sum(team.type == kind for team in demo.teams) for kind in ("product", "platform")] == [12, 2]
    assert len(demo.services) == 40


LINK_OF_A_STRANGER = """\
root = "data"
[[connector]]
name = "desk"
kind = "github"
owner = "kyst"
streams = ["action_items"]
link = { alerts = "https://ops.example.org/{id}" }"""
CASES = {
    "unknown key": (
        "services.toml",
        'criticality = "critical"',
        'critically = "critical"',
        "unknown key 'critically'",
        "criticality",
    ),
    "wrong type": (
        "teams.toml",
        "onboarded_on = 2026-01-01",
        'onboarded_on = "soon"',
        "onboarded_on",
        "2026-01-31",
    ),
    "truth for a number": (
        "slo.toml",
        "target = 0.99\n",
        "target = true\n",
        "target: it is not a number",
        "write a number",
    ),
    "wrong value": ("teams.toml", 'type = "platform"', 'type = "platfrom"', "type", "product, platform"),
    "unknown team": (
        "services.toml",
        'team = "beta"',
        'team = "betta"',
        "'betta' is not in the configuration",
        "'beta'",
    ),
    "unknown stream": (
        "sources.toml",
        'name = "incidents"',
        'name = "incident"',
        "unknown stream 'incident'",
        "'incidents'",
    ),
    "duplicate id": ("teams.toml", 'id = "beta"', 'id = "alfa"', "'alfa' is used twice", "its own id"),
    "unknown service": ("slo.toml", 'service = "web"', 'service = "wob"', "'wob' is not in the configuration", "'web'"),
    "unknown zone": (
        "organisation.toml",
        'id = "small"',
        'id = "small"\ntimezone = "Europe/Olso"',
        "time zone",
        "Europe/Oslo",
    ),
    "clock without offset": (
        "organisation.toml",
        "2026-09-02T06:00:00Z",
        "2026-09-02T06:00:00",
        "offset",
        "+01:00",
    ),
    "shared monitor": (
        "services.toml",
        'id = "probe-db"',
        'id = "probe-web"',
        "belongs to 'web' and to 'db'",
        "one service",
    ),
    "overlapping ownership": (
        "services.toml",
        'owners = [{ team = "alfa", from = 2025-01-01 }]',
        'owners = [{ team = "alfa", from = 2025-01-01, to = 2026-02-01 }, { team = "beta", from = 2026-01-01 }]',
        "two owners at the same time",
        "end the earlier",
    ),
    "period ends before it begins": (
        "services.toml",
        'owners = [{ team = "alfa", from = 2025-01-01 }]',
        'owners = [{ team = "alfa", from = 2025-01-01, to = 2024-01-01 }]',
        "later than 'from'",
        "correct the value",
    ),
    "an id in capitals": ("teams.toml", 'id = "beta"', 'id = "Beta Team"', "it is no id", "small letters"),
    "a day as people write it": ("sources.toml", "[2026-07-01,", '["01.07.2026",', "it is not a day", "2026-01-31"),
    "no production": ("organisation.toml", "prod =", "production =", "none is called prod", ""),
    "an address for a repository": (
        "services.toml",
        'criticality = "critical"',
        'criticality = "critical"\nrepositories = ["https://git.example/org/web"]',
        "is an address",
        "write owner/name",
    ),
    "covered days of daily files": (
        "sources.toml",
        'path = "checks/{date}.csv"',
        'path = "checks/{date}.csv"\ncovers = [2026-07-01, 2026-09-01]',
        "covers says nothing of files of one day each",
        "its day",
    ),
    "a memory of daily files": (
        "sources.toml",
        'path = "checks/{date}.csv"',
        'path = "checks/{date}.csv"\nremembers_days = 30',
        "remembers_days says nothing",
        "its day",
    ),
    "covered days of a register": (
        "sources.toml",
        'name = "deployments"',
        'name = "load_tests"',
        "covers says nothing of a register",
        "whole state",
    ),
    "an end before the beginning": (
        "sources.toml",
        'path = "checks/{date}.csv"',
        'path = "checks/{date}.csv"\nconnected_on = 2026-08-01\nuntil = 2026-08-01',
        "no day is ever due",
        "later",
    ),
    "no TOML": ("teams.toml", "[[team]]", "[[team]", "no valid TOML", "brackets"),
    "a link to no address": (
        "sources.toml",
        'path = "checks/{date}.csv"',
        'path = "checks/{date}.csv"\nlink = "javascript:alert(1)"',
        "a link is an https address",
        "write https://",
    ),
    "a link whose host a row decides": (
        "sources.toml",
        'path = "checks/{date}.csv"',
        'path = "checks/{date}.csv"\nlink = "https://{id}.example.org/"',
        "the host of a link is fixed",
        "write https://",
    ),
    "a link with an unknown place": (
        "sources.toml",
        'path = "checks/{date}.csv"',
        'path = "checks/{date}.csv"\nlink = "https://ops.example.org/{key}"',
        "a link knows no {key}",
        "{id}",
    ),
    "a link of a stream that is not delivered": (
        "sources.toml",
        'root = "data"',
        LINK_OF_A_STRANGER,
        "link names alerts, which it does not deliver",
        "action_items",
    ),
    "unknown column mapping": (
        "sources.toml",
        "covers = [2026-07-01, 2026-09-01]",
        'columns = { sverity = "x" }',
        "no column 'sverity'",
        "severity",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_every_problem_names_file_line_and_fix(small, case):
    file, old, new, message, fix = CASES[case]
    line = replace(small, file, old, new)
    found = [problem for problem in problems(small) if message in problem.message]
    assert found, problems(small)
    problem = found[0]
    assert problem.file.endswith(file)
    assert problem.line is not None
    assert abs(problem.line - line) <= 6  # the item's own line, or the key's
    assert fix in problem.fix


def test_all_problems_are_reported_at_once(small):
    for case in ("unknown key", "unknown team", "unknown stream"):
        file, old, new, _, _ = CASES[case]
        replace(small, file, old, new)
    assert len(problems(small)) >= 3


def test_wrong_encoding_is_named_with_its_line(small):
    path = small / "teams.toml"
    path.write_bytes(path.read_bytes().replace(b"Beta", "Bæta".encode("latin-1")))
    (problem, *_) = problems(small)
    assert "UTF-8" in problem.message
    assert problem.line == path.read_bytes()[: path.read_bytes().index(b"B\xe6ta")].count(b"\n") + 1


WAIVER = "waiver_id,team_id,metric_id,reason,compensating_measure,approver,valid_from,valid_to\n"
GOOD = "w1,alfa,bck_coverage,Venter på ny lagring,Kopi tas for hånd,driftsleder,2026-08-01,2026-12-01\n"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (GOOD.replace("2026-12-01", "2027-12-01"), "1 to 180 days"),
        (GOOD.replace("driftsleder", "alfa"), "outside the team"),
        (GOOD.replace("alfa", "gamma"), "'gamma' is not in the configuration"),
        (GOOD.replace("Venter på ny lagring", "kort"), "reason"),
        (GOOD.replace("2026-08-01", "08/01/2026"), "valid_from"),
        (GOOD + GOOD, "stands on line 2 too"),
    ],
)
def test_registers_name_the_line(small, row, message):
    (small / "registers").mkdir()
    (small / "registers" / "waivers.csv").write_text(WAIVER + row, encoding="utf-8")
    found = [problem for problem in problems(small) if message in problem.message]
    assert found, problems(small)
    assert found[0].line in {2, 3}


def test_a_register_of_a_spreadsheet_in_norwegian_is_read(small):
    (small / "registers").mkdir()
    path = small / "registers" / "waivers.csv"
    path.write_text((WAIVER + GOOD).replace(",", ";"), encoding="utf-8-sig")
    assert [waiver.team_id for waiver in load_organisation(small).waivers] == ["alfa"]


def test_a_column_that_a_register_lacks_is_said_once(small):
    (small / "registers").mkdir()
    path = small / "registers" / "waivers.csv"
    path.write_text(WAIVER.replace("team_id,", "") + GOOD.replace("alfa,", "") * 3, encoding="utf-8")
    (problem,) = problems(small)
    assert problem.message == "column 'team_id' is missing"


@pytest.mark.parametrize(
    ("register", "header", "row"),
    [
        (
            "applicability",
            "team_id,metric_id,reason,approver,valid_from,valid_to\n",
            "alfa,bck_coverage,Har ingen datalager,driftsleder,2026-01-01,2026-12-01\n",
        ),
        ("rosters", "team_id,coverage,valid_from,valid_to\n", "alfa,always,2026-01-01,2026-12-01\n"),
    ],
)
def test_two_rows_of_a_register_that_begin_on_one_day_are_named(small, register, header, row):
    (small / "registers").mkdir()
    (small / "registers" / f"{register}.csv").write_text(header + row + row, encoding="utf-8")
    (problem,) = problems(small)
    assert "2026-01-01 stands on line 2 too" in problem.message
    assert problem.line == 3


DUTY = "team_id,coverage,valid_from,valid_to\n"


@pytest.mark.parametrize(
    ("rows", "line", "message"),
    [
        ("alfa,always,2026-01-01,\nbeta,none,2026-02-01,\nalfa,none,2026-02-01,\n", 4, "line 2 has not ended"),
        ("alfa,none,2026-02-01,2026-05-01\nalfa,always,2026-01-01,2026-03-01\n", 2, "line 3 has not ended"),
        ("alfa,always,2026-01-01,2025-12-31\n", 2, "valid_to must be later"),
    ],
)
def test_a_team_has_one_duty_at_a_time(small, rows, line, message):
    """Of two at once both would be asked for."""
    (small / "registers").mkdir()
    (small / "registers" / "rosters.csv").write_text(DUTY + rows, encoding="utf-8")
    (problem,) = problems(small)
    assert message in problem.message
    assert problem.line == line


def test_duties_that_follow_each_other_are_right_in_any_order(small):
    (small / "registers").mkdir()
    rows = "alfa,none,2026-02-01,\nalfa,always,2026-01-01,2026-02-01\n"
    (small / "registers" / "rosters.csv").write_text(DUTY + rows, encoding="utf-8")
    assert len(load_organisation(small).rosters) == 2


def test_a_column_of_a_register_that_stands_twice_is_named(small):
    (small / "registers").mkdir()
    text = (
        (WAIVER + GOOD)
        .replace("reason,", "reason,reason,")
        .replace("Venter på ny lagring,", "Venter på ny lagring,Venter på noe annet,")
    )
    (small / "registers" / "waivers.csv").write_text(text, encoding="utf-8")
    assert [problem.message for problem in problems(small)] == ["column 'reason' stands there twice"]


@pytest.mark.parametrize(("file", "names"), [("teams.toml", {"alfa", "beta"}), ("services.toml", {"web", "db"})])
def test_a_file_without_a_table_names_nothing(small, file, names):
    """What others name is then not there: that nobody can say so is for files that cannot be read."""
    (small / file).write_text("# nobody yet\n", encoding="utf-8")
    said = {problem.message for problem in problems(small)}
    assert said <= {f"{name!r} is not in the configuration" for name in names}
    assert said


def test_line_ends_of_windows_say_the_same(small):
    """Also between the lines of a query and of a cell."""
    (small / "sources").mkdir()
    query = '-- source = "desk"\n-- files.desk = "desk.csv"\nselect _file, _line, id as incident_id from desk\n'
    (small / "sources" / "incidents.sql").write_text(query, encoding="utf-8")
    (small / "registers").mkdir()
    row = GOOD.replace("Venter på ny lagring", '"Venter på\nny lagring"')
    (small / "registers" / "waivers.csv").write_text(WAIVER + row, encoding="utf-8")
    unix = load_organisation(small)
    for path in (path for path in small.rglob("*") if path.suffix in {".toml", ".sql", ".csv"}):
        path.write_bytes(path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
    windows = load_organisation(small)
    assert (windows.digest, windows.queries, windows.waivers) == (unix.digest, unix.queries, unix.waivers)


@pytest.mark.parametrize(
    ("file", "more", "wrong"),
    [
        (
            "services.toml",
            (
                '[[service]]\nid = "api"\nname = { nb = "A", en = "A" }\ncriticality = "ordinary"\nowners = [\n'
                '    { team = "beta", from = 2025-01-01, to = 2026-01-01 },\n    { team = "betta", from = 2026-01-01 },\n]\n'
            ),
            "betta",
        ),
        ("slo.toml", '[[slo]]\nservice = "wob"\ntarget = 0.9\nfrom = 2026-05-01\n', "wob"),
        (
            "datastores.toml",
            (
                '[[datastore]]\nid = "d"\nservice = "wob"\nclass = "B"\nrpo_hours = 24\nrto_minutes = 240\n'
                "backup_interval_hours = 168\nrestore_plan = true\n"
            ),
            "wob",
        ),
    ],
)
def test_a_name_that_nobody_has_is_told_at_its_own_line(small, file, more, wrong):
    path = small / file
    path.write_text((path.read_text(encoding="utf-8") if path.exists() else "") + "\n" + more, encoding="utf-8")
    (problem,) = problems(small)
    assert f"'{wrong}' is not in the configuration" in problem.message
    assert f'"{wrong}"' in path.read_text(encoding="utf-8").splitlines()[problem.line - 1]


def test_an_overlapping_promise_is_told_at_its_own_line(small):
    path = small / "slo.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(f'{text}\n[[slo]]\nservice = "web"\ntarget = 0.9\nfrom = 2026-05-01\n', encoding="utf-8")
    (problem,) = problems(small)
    assert problem.line == path.read_text(encoding="utf-8").splitlines().index("target = 0.9")


def test_a_monitor_that_stands_twice_at_a_service_is_named(small):
    path = small / "services.toml"
    text = path.read_text(encoding="utf-8")
    monitor = text[text.index('{ id = "') :].partition("}")[0] + "}"
    path.write_text(text.replace(monitor, f"{monitor}, {monitor}", 1), encoding="utf-8")
    (problem,) = problems(small)
    assert "stands twice at" in problem.message
    assert problem.line is not None


@pytest.mark.parametrize("name", ["sources.toml", "registers/rosters.csv"])
@pytest.mark.parametrize("what", ["a pipe", "a device", "a folder"])
def test_configuration_is_a_file_that_ends(small, name, what):
    """A pipe without a writer, or a device without an end, would be read for ever."""
    path = small / name
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    if what == "a pipe":
        os.mkfifo(path)
    elif what == "a folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero")
    (problem,) = [found for found in problems(small) if found.file == str(path)]
    assert problem.message == "this is not a file"


def test_a_number_without_end_is_no_valid_toml(small):
    (small / "organisation.toml").write_text("now = " + "9" * 10_000 + "\n")
    assert "a value that cannot be read" in problems(small)[0].message


def test_schedules_take_the_configured_zone_and_the_default_where_it_cannot_be_read(tmp_path):
    file = tmp_path / "organisation.toml"
    assert configured_zone(tmp_path) == "Europe/Oslo"
    for text, zone in (
        ('timezone = "America/New_York"', "America/New_York"),
        ('id = "x"', "Europe/Oslo"),
        ('timezone = "Europe/Olso"', "Europe/Oslo"),
        ("timezone = 3", "Europe/Oslo"),
        ("timezone = ", "Europe/Oslo"),
    ):
        file.write_text(text, encoding="utf-8")
        assert configured_zone(tmp_path) == zone


def test_a_waiver_for_an_unknown_metric_is_an_error(small, tmp_path):
    (small / "registers").mkdir()
    (small / "registers" / "waivers.csv").write_text(
        WAIVER + GOOD.replace("bck_coverage", "bck_cover"), encoding="utf-8"
    )
    settings = Settings(home=tmp_path, org=small, data=None, now=None, sql=default_sql_root())
    with pytest.raises(ConfigurationError, match="bck_cover") as caught:
        load_context(settings)
    assert [(problem.line, problem.fix) for problem in caught.value.problems] == [(2, "did you mean 'bck_coverage'?")]


OPEN_GOAL = "alfa,bck_coverage,ops_lead,2026-10-01,2026-12-01,planned,"
GOALS = "team_id,metric_id,owner_role,decided_on,due_on,status,acted_on\n"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("alfa,bck_coverage,the_boss,2026-10-01,2026-12-01,planned,", "owner_role"),
        ("gamma,bck_coverage,ops_lead,2026-10-01,2026-12-01,planned,", "gamma"),
        ("alfa,bck_coverage,ops_lead,2026-10-01,soon,planned,", "due_on"),
        ("alfa,bck_coverage,ops_lead,,2026-12-01,planned,", "decided_on"),
        (f"{OPEN_GOAL}\nalfa,bck_coverage,ops_lead,2026-11-01,2026-12-02,in_progress,", "close or drop the earlier"),
        (f"{OPEN_GOAL}\nalfa,bck_coverage,ops_lead,2026-10-01,2026-12-02,done,", "decide once a day"),
        ("alfa,bck_coverage,ops_lead,2026-10-01,2026-09-30,planned,", "due_on 2026-09-30 lies before"),
        ("alfa,bck_coverage,ops_lead,2026-10-01,2026-12-01,done,2026-09-01", "acted_on 2026-09-01 lies before"),
    ],
)
def test_a_goal_names_team_role_and_day(small, row, message):
    (small / "registers").mkdir()
    (small / "registers" / "goals.csv").write_text(f"{GOALS}{row}\n", encoding="utf-8")
    found = problems(small)
    assert message in str(found[0])
    assert found[0].file.endswith("registers/goals.csv")
    assert found[0].line in {2, 3}


def test_a_goal_may_be_decided_again_once_the_earlier_one_is_closed(small):
    (small / "registers").mkdir()
    rows = "alfa,bck_coverage,ops_lead,2026-08-01,2026-09-01,dropped,\n" + OPEN_GOAL
    (small / "registers" / "goals.csv").write_text(f"{GOALS}{rows}\n", encoding="utf-8")
    assert [goal.is_open for goal in load_organisation(small).goals] == [False, True]


def test_a_goal_for_an_unknown_metric_is_an_error(small, tmp_path):
    (small / "registers").mkdir()
    (small / "registers" / "goals.csv").write_text(f"{GOALS}alfa,bck_cover,ops_lead,2026-10-01,2026-12-01,planned,\n")
    settings = Settings(home=tmp_path, org=small, data=None, now=None, sql=default_sql_root())
    with pytest.raises(ConfigurationError, match="bck_cover"):
        load_context(settings)


def test_instants_need_an_offset():
    with pytest.raises(ConfigurationError, match="--known-at"):
        parse_instant("2026-11-23T06:00:00", "--known-at")
