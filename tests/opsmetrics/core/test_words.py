"""A configuration with one fault gives one error, which names the file and the line and says what may stand there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from opsmetrics.core.errors import ConfigurationError, Problem
from opsmetrics.organisation import load_organisation

TYPE, DAY, BETA = 'type = "platform"', "onboarded_on = 2026-01-01", 'name = { nb = "Beta", en = "Beta" }'
OWNERS = 'owners = [{ team = "alfa", from = 2025-01-01 }]'
CHECKS = 'path = "checks/{date}.csv"'
# What stands there -> what is written in its place, and what the fix (or the message) must say.
FAULTS: dict[str, list[tuple[str, str, str]]] = {
    "teams.toml": [
        (TYPE, 'type = "platfrom"', "did you mean 'platform'? allowed are product, platform"),
        (TYPE, "type = 3", "allowed are product, platform"),
        (TYPE, "type = platform", "in quotes"),
        (TYPE, 'typ = "platform"', "did you mean 'type'?"),
        (DAY, "onboarded_on = 01.01.2026", "2026-01-31"),
        (DAY, 'onboarded_on = "01.01.2026"', "2026-01-31"),
        (DAY, "onboarded_on = 2026-02-30", "no such day"),
        (DAY, f'{DAY}\noncall = "24/7"', "allowed are working_hours, always, none"),
        (DAY, f'{DAY}\naliases = "old"', "a list in brackets"),
        (DAY, f'{DAY}\nworking_hours = {{ start = "nine" }}', "08:30"),
        (DAY, f'{DAY}\nworking_hours = {{ days = ["monday"] }}', "did you mean 'mon'?"),
        (DAY, f'{DAY}\nworking_hours = {{ holidays = "XX" }}', "a code such as NO"),
        (DAY, f"{DAY}\nworking_hours = {{ holidays = 5 }}", "text in quotes"),
        (DAY, f'{DAY}\nworking_hours = {{ holidays = ["x"] }}', "2026-01-31"),
        (BETA, "name = {}", 'name = "..."'),
        (BETA, 'name = { no = "x" }', 'name = "..."'),
        (BETA, 'name = ""', 'name = "..."'),
        (BETA, "name = 3", 'name = "..."'),
        (BETA, 'name = "Beta', "may not stand there"),
        (BETA, 'name "Beta"', "key = value"),
        (BETA, 'name = "a"\nname = "b"', "keep one"),
        ('id = "beta"', 'id = "Beta Team"', "small letters"),
        ("[[team]]", "[[team]", "brackets"),
        ("[[team]]", "[team]", "two brackets"),
        (BETA, "name = \u201cBeta\u201d", "write straight ones"),
        (BETA, 'name =\u00a0"Beta"', "delete the blanks"),
        (DAY, f'{DAY}\nworking_hours = {{ from = "09:00" }}', "known keys are start, end, days"),
        (DAY, f'{DAY}\nworking_hours = {{ timezone = "CEST" }}', "Europe/"),
        (DAY, f'{DAY}\naliases = [" "]', "it is empty"),
        ('id = "beta"', f'id = "{"b" * 81}"', "say it shorter"),
        ("[[team]]", "[[teams]]", "use [[team]]"),
    ],
    "services.toml": [
        ('team = "beta"', 'team = "Beta"', "small letters"),
        ('team = "beta"', 'team = "betta"', "did you mean 'beta'?"),
        ('criticality = "critical"', 'criticality = "high"', "allowed are critical, important, ordinary"),
        ('criticality = "critical"', 'criticality = "critical"\naliases = ["a"', "close it with ]"),
        ('criticality = "critical"', 'criticality = "critical"\nrepositories = ["a/b*"]', "glob:a/b*"),
        ('criticality = "critical"', 'criticality = "critical"\nrepositories = ["a/b.git"]', "write owner/name"),
        ('criticality = "critical"', 'criticality = "critical"\naliases = [""]', "leave it out"),
        (OWNERS, OWNERS.replace(" }", ", until = 2026-01-01 }"), "known keys are from, to, team"),
        ("hold_minutes = 60", "hold = 60", "id, kind, hold_minutes"),
        (OWNERS, "owners = []", "at least one"),
        (OWNERS, 'owners = [{ team = "alfa" }]', "owners.from"),
        (OWNERS, 'owner = "alfa"', "did you mean 'owners'?"),
        (OWNERS, 'owners = "alfa"', "a list in brackets"),
        ("hold_minutes = 60", "hold_minutes = -1", "more than 0"),
        ("hold_minutes = 60", "hold_minutes = 1e12", "or less"),
        ("hold_minutes = 60", 'hold_minutes = "ten"', "a number such as 20"),
        ("hold_minutes = 60", 'kind = "poll"', "allowed are polling, transitions"),
        ("hold_minutes = 60", 'kind = "polling"', "hold_minutes = 20"),
    ],
    "slo.toml": [
        ("target = 0.99", "target = 99.9", "0.995"),
        ("target = 0.99", "target = 0,99", "a point"),
        ("target = 0.99", 'target = "99 %"', "no %"),
        ("target = 0.99", 'kind = "uptime"\ntarget = 0.99', "allowed are availability, latency"),
        ('service = "web"', 'service = "wob"', "did you mean 'web'?"),
    ],
    "organisation.toml": [
        ('id = "small"', 'id = "small"\ntimezone = "Oslo"', "Europe/Oslo"),
        ('id = "small"', 'id = "small"\nlanguage = "no"', "allowed are nb, en"),
        ('id = "small"', 'id = "small"\nclosed_days = ["24.12"]', "12-24"),
        ("history_from = 2026", "history_from = 0226", "a year from 2000 on"),
        ('id = "small"', 'id = "small"\nclosed_days = ["02-30"]', "not a day of any year"),
        ('prod = ["production"]', 'prod = ["production"]\ntest = ["Production"]', "let one environment have it"),
        ('prod = ["production"]', 'prod = [""]', "leave it out"),
        ("now = 2026-09-02T06:00:00Z", "now = 2026-09-02", "offset"),
        ('prod = ["production"]', 'production = ["production"]', 'prod = ["production"]'),
        ('prod = ["production"]', 'prod = "production"', "a list in brackets"),
    ],
    "sources.toml": [
        ('name = "incidents"', 'name = "incident"', "did you mean 'incidents'?"),
        (CHECKS, f'{CHECKS}\npaths = "x"', "did you mean 'path'?"),
        (CHECKS, f'{CHECKS}\nnaive_time = "CET+1"', "a name such as"),
        (CHECKS, f"{CHECKS}\nbounds = {{ minuts = 5 }}", "did you mean 'minutes'?"),
        (CHECKS, f"{CHECKS}\nbounds = {{ requests = 5 }}", "says nothing of files"),
        (CHECKS, f"{CHECKS}\nteams = []", "leave it out where all do"),
        (CHECKS, f'{CHECKS}\ncolumns = {{ zz = "z" }}', "its columns are"),
        (CHECKS, 'path = "c:\\checks\\{date}.csv"', "write / in paths"),
    ],
}
GITHUB = '[[connector]]\nname = "a"\nkind = "github"\nowner = "x"\nstreams = ["deployments"]\n'
CONNECTORS = {
    GITHUB.replace('"github"', '"githb"'): "did you mean 'github'? allowed are github,",
    GITHUB.replace('kind = "github"\n', ""): "kind",
    GITHUB.replace("deployments", "deploys"): "did you mean 'deployments'?",
    GITHUB.replace('owner = "x"\n', ""): "add owner",
    GITHUB + "bounds = { minuts = 5 }\n": "did you mean 'minutes'?",
    GITHUB + "teams = []\n": "leave it out where all do",
    GITHUB + 'services = { a = "wob" }\n': "did you mean 'web'?",
    GITHUB + "from = 2026-05-01\nuntil = 2026-04-01\n": "no day is ever due",
    GITHUB.replace('["deployments"]', '["deployments", "deployments"]'): "keep one of them",
    GITHUB + 'tokenenv = "X"\n': "did you mean 'token_env'?",
    GITHUB + 'token_env = "ghp_secret"\n': "the name of the variable",
    GITHUB + 'url = "http://me:secret@host"\n': "no password",
    GITHUB + "assume = { deployments = { is_rework = [1] } }\n": "true or false",
    GITHUB.replace("github", "git_clones")
    .replace('owner = "x"', 'folder = "x"\nrepositories = 3')
    .replace("deployments", "commits_daily"): "a list in brackets",
}
# Words of the libraries behind it.
FOREIGN = re.compile(r"pydantic|Input should|validation error|String should|match pattern|\(at line|Traceback|\^\[")


def the_problem(folder: Path) -> Problem:
    with pytest.raises(ConfigurationError) as caught:
        load_organisation(folder)
    (problem,) = caught.value.problems
    assert not FOREIGN.search(str(problem)), problem
    return problem


@pytest.mark.parametrize(("file", "old", "new", "says"), [(file, *fault) for file in FAULTS for fault in FAULTS[file]])
def test_one_fault_is_one_error_with_line_and_allowed_values(small, file, old, new, says):
    path = small / file
    text = path.read_text(encoding="utf-8")
    place = text.index(old)
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    problem = the_problem(small)
    assert problem.file == str(path)
    line = text[:place].count("\n") + 1
    assert problem.line is not None
    # A fault of the syntax shows where the text cannot be read on, a missing key at its table.
    assert line - 3 <= problem.line <= line + 7
    assert says in f"{problem.message} {problem.fix}"


@pytest.mark.parametrize("table", CONNECTORS, ids=lambda table: CONNECTORS[table])
def test_one_fault_of_a_connector_is_one_error_and_quotes_no_secret(small, table):
    with (small / "sources.toml").open("a", encoding="utf-8") as file:
        file.write(table)
    problem = the_problem(small)
    assert problem.line is not None
    assert CONNECTORS[table] in f"{problem.message} {problem.fix}"
    assert "secret@" not in str(problem)
    assert "ghp_" not in str(problem)


@pytest.mark.parametrize("file", ["organisation.toml", "teams.toml", "services.toml", "sources.toml"])
@pytest.mark.parametrize("content", [None, b"[[broken", b'name = "\xe6"', b"\xff\xfe\x00"])
def test_a_file_that_is_missing_or_cannot_be_read_is_one_error(small, file, content):
    path = small / file
    path.unlink() if content is None else path.write_bytes(content)
    assert the_problem(small).file == str(path)


@pytest.mark.parametrize(
    ("name", "nb", "en"),
    [('"Vekt"', "Vekt", "Vekt"), ('{ en = "Web" }', "Web", "Web"), ('{ nb = "Nett" }', "Nett", "Nett")],
)
def test_a_name_in_one_language_stands_for_both(small, name, nb, en):
    path = small / "teams.toml"
    path.write_text(path.read_text(encoding="utf-8").replace('{ nb = "Beta", en = "Beta" }', name), encoding="utf-8")
    found = load_organisation(small).teams[1].name
    assert (found.nb, found.en) == (nb, en)


EFFORTS = "team_id;metric_id;effort_days\r\nalfa;bck_coverage;2,5\r\nbeta;bck_coverage;3\r\n;;\r\n"
GOALS = (
    "team_id;metric_id;owner_role;decided_on;due_on;status;acted_on;expected_points;campaign;\r\n"
    "alfa;bck_coverage;ops_lead;1.10.2026;01.12.2026;planned;;3,5;kampanje-1;\r\n;;;;;;;;;\r\n"
)
WAIVERS = (
    "waiver_id;team_id;metric_id;reason;compensating_measure;approver;valid_from;valid_to\r\n"
    'w1;alfa;bck_coverage;"Venter på ny lagring; bestilt";Kopi tas for hånd;driftsleder;01.08.2026;01.12.2026\r\n'
)
ENCODINGS = ("utf-8-sig", "cp1252", "utf-16", "utf-8")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_registers_as_norwegian_excel_saves_them_are_read(small, encoding):
    """Semicolons, decimal commas, days with dots, blank rows, an encoding of its own, and the hint ``sep=``."""
    (small / "registers").mkdir()
    for name, text in {"efforts": f"sep=;\r\n{EFFORTS}", "goals": GOALS, "waivers": WAIVERS}.items():
        (small / "registers" / f"{name}.csv").write_bytes(text.encode(encoding))
    found = load_organisation(small)
    assert [effort.effort_days for effort in found.efforts] == [2.5, 3.0]
    assert [(goal.decided_on.isoformat(), goal.due_on.isoformat()) for goal in found.goals] == [
        ("2026-10-01", "2026-12-01")
    ]
    assert [goal.expected_points for goal in found.goals] == [3.5]
    assert [(waiver.reason, waiver.valid_from.isoformat()) for waiver in found.waivers] == [
        ("Venter på ny lagring; bestilt", "2026-08-01")
    ]


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("team_id;", "teamid;", 1, "did you mean 'team_id'?"),
        ("team_id;metric_id;", "", 1, "columns 'team_id', 'metric_id' are missing"),
        ("alfa;bck_coverage;2,5", ";;2,5", 2, "team_id, metric_id: empty"),
        ("2,5", "2.5 dager", 2, "a number such as"),
        ("2,5", "2,7", 2, "a multiple of 0.5"),
        ("2,5", '2,5"', 2, "quote"),
        ("alfa;", "Alfa Omega;", 2, "small letters"),
        ("2,5", "2,5;x", 2, "more fields"),
    ],
)
def test_one_fault_of_a_register_is_one_error_with_its_line(small, old, new, line, says):
    (small / "registers").mkdir()
    path = small / "registers" / "efforts.csv"
    path.write_text(EFFORTS.replace(old, new, 1), encoding="utf-8")
    problem = the_problem(small)
    assert (problem.file, problem.line) == (str(path), line)
    assert says in f"{problem.message} {problem.fix}"
