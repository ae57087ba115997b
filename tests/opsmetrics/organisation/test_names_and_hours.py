"""Names against patterns, earlier names of teams, and working hours of the organisation and of a team."""

from __future__ import annotations

from datetime import UTC, date, datetime

import duckdb
import pytest

from opsmetrics.core.errors import ConfigurationError
from opsmetrics.organisation import load_organisation
from opsmetrics.organisation.names import fits, folded
from opsmetrics.warehouse.reference import dates, services, teams


def edit(folder, file, old, new):
    path = folder / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def messages(folder):
    with pytest.raises(ConfigurationError) as caught:
        load_organisation(folder)
    return [f"{problem.message} | {problem.fix}" for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "name", "keeps_case", "expected"),
    [
        ("[PROD] web?region=1", "[PROD] web?region=1", True, True),
        ("[PROD] web?region=1", "P web1region=1", True, False),
        ("glob:probe-*", "probe-web", True, True),
        ("glob:probe-*", "Probe-web", True, False),
        ("Org/Web", "org/web", False, True),
        ("glob:Org/app-*", "org/APP-one", False, True),
    ],
)
def test_only_what_is_marked_is_a_pattern(text, name, keeps_case, expected):
    assert fits(text, name, keeps_case=keeps_case) is expected


NAMES = [
    " Web ",
    "BÅTEN",
    "ba\u030aten",
    "STRASSE",
    "Straße",
    "\u0130zmir",
    "ΣΑΣ",
    "Cafe\u0301.NO",
    "\u01c5",
    "web\u00a0",
]


@pytest.mark.parametrize("name", NAMES)
def test_the_configuration_folds_a_name_as_sql_does(name):
    with duckdb.connect() as con:
        assert con.execute("select lower(nfc_normalize(trim($1)))", [name]).fetchall() == [(folded(name),)]


def test_names_are_the_same_text_however_their_letters_are_written(small):
    edit(small, "services.toml", 'id = "probe-web"', 'id = "ba\u030at"')
    edit(small, "services.toml", "monitors", 'aliases = ["Nettba\u030aten"]\nmonitors')
    organisation = load_organisation(small)
    assert {row["pattern"] for row in services.monitor_patterns(organisation)} >= {"b\u00e5t"}
    assert {row["name"] for row in services.service_names(organisation)} >= {"nettb\u00e5ten"}


def test_a_monitor_may_hold_any_sign_and_a_repository_says_when_it_is_a_pattern(small):
    edit(small, "services.toml", "probe-web", "[PROD] web?region=1")
    rows = {row["pattern"]: row["is_pattern"] for row in services.monitor_patterns(load_organisation(small))}
    assert rows == {"[PROD] web?region=1": False, "probe-db": False}
    edit(small, "services.toml", "monitors", 'repositories = ["org/web-*"]\nmonitors')
    (said,) = messages(small)
    assert "'glob:org/web-*'" in said


def test_a_renamed_repository_leads_to_the_new_name(small):
    edit(
        small,
        "services.toml",
        "monitors",
        'repositories = ["Org/new"]\nrenamed_repositories = { "Org/old" = "Org/new" }\nmonitors',
    )
    rows = {row["pattern"]: row["repository"] for row in services.repository_patterns(load_organisation(small))}
    assert rows == {"org/new": "Org/new", "org/old": "Org/new"}
    edit(small, "services.toml", '= "Org/new" }', '= "Org/other" }')
    assert any("'Org/other'" in said for said in messages(small))


def test_aliases_that_differ_in_case_only_are_one(small):
    edit(small, "services.toml", "monitors", 'aliases = ["Frontend"]\nmonitors')
    names = {row["name"] for row in services.service_names(load_organisation(small))}
    assert names == {"web", "frontend", "db"}
    edit(
        small, "services.toml", 'monitors = [{ id = "probe-db"', 'aliases = ["FRONTEND"]\nmonitors = [{ id = "probe-db"'
    )
    assert any("alias 'frontend' belongs to 'web' and to 'db'" in said for said in messages(small))


def test_a_name_of_a_team_may_pass_to_another_but_not_be_shared(small):
    edit(small, "teams.toml", 'id = "alfa"', 'id = "alfa"\naliases = ["Operations", { name = "ops", to = 2026-03-01 }]')
    edit(small, "teams.toml", 'id = "beta"', 'id = "beta"\naliases = [{ name = "ops", from = 2026-03-01 }]')
    organisation = load_organisation(small)
    rows = [(row["name"], row["team_id"]) for row in teams.team_names(organisation)]
    assert rows == [("alfa", "alfa"), ("operations", "alfa"), ("ops", "alfa"), ("beta", "beta"), ("ops", "beta")]
    edit(small, "teams.toml", "from = 2026-03-01", "from = 2026-02-01")
    assert any("alias 'ops' of 'beta' means 'alfa' at the same time" in said for said in messages(small))


def test_working_hours_are_the_organisations_unless_a_team_has_its_own(small):
    edit(
        small,
        "teams.toml",
        'id = "beta"',
        'id = "beta"\nworking_hours = { start = "09:00", end = "17:00", days = ["sun"], holidays = [2026-08-09],'
        ' timezone = "UTC" }',
    )
    organisation, today = load_organisation(small), date(2026, 9, 2)
    usual = {row["day"]: row for row in dates.calendar(organisation, today)}
    assert usual[date(2026, 8, 10)]["work_starts_at"] == datetime(2026, 8, 10, 6, tzinfo=UTC)
    assert usual[date(2026, 8, 10)]["work_ends_at"] == datetime(2026, 8, 10, 14, tzinfo=UTC)
    assert not usual[date(2026, 5, 17)]["is_working_day"]
    own = {row["day"]: row for row in dates.team_days(organisation, today)}
    assert {row["team_id"] for row in own.values()} == {"beta"}
    assert own[date(2026, 8, 16)]["work_starts_at"] == datetime(2026, 8, 16, 9, tzinfo=UTC)
    working = [on for on, row in own.items() if row["is_working_day"] and date(2026, 8, 1) <= on < date(2026, 9, 1)]
    assert working == [date(2026, 8, 2), date(2026, 8, 16), date(2026, 8, 23), date(2026, 8, 30)]


def test_hours_of_the_organisation_move_the_calendar(small):
    edit(
        small,
        "organisation.toml",
        "[environments]",
        'holidays = []\n[working_hours]\nstart = "07:30"\nend = "15:30"\n[environments]',
    )
    rows = {row["day"]: row for row in dates.calendar(load_organisation(small), date(2026, 9, 2))}
    assert rows[date(2026, 5, 1)]["is_working_day"]
    assert rows[date(2026, 5, 1)]["work_starts_at"] == datetime(2026, 5, 1, 5, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        (
            "organisation.toml",
            "[environments]",
            '[working_hours]\nend = "07:00"\n[environments]',
            "'end' must be later",
        ),
        ("organisation.toml", "[environments]", 'holidays = "XX"\n[environments]', "not a country code"),
        ("teams.toml", 'id = "beta"', 'id = "beta"\nworking_hours = { start = "17:00" }', "'end' must be later"),
        ("sources.toml", 'root = "data"', 'root = "data"\nwithout = ["toil_report"]', "'toil_reports'"),
    ],
)
def test_what_cannot_be_is_named(small, file, old, new, said):
    edit(small, file, old, new)
    assert any(said in message for message in messages(small)), messages(small)
