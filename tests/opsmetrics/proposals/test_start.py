"""A first configuration from what somebody has: it can be read, its days are proven, and what is guessed is said."""

from __future__ import annotations

import io
import json
import os
import subprocess
from datetime import UTC, date, datetime
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
from click.testing import CliRunner

from opsmetrics.cli import main
from opsmetrics.core.errors import ConfigurationError
from opsmetrics.core.model import slug
from opsmetrics.core.settings import Settings, default_sql_root
from opsmetrics.organisation import Organisation, load_organisation
from opsmetrics.proposals.start.draft import Draft
from opsmetrics.proposals.start.from_clones import name_of_address
from opsmetrics.proposals.start.propose import Given, Proposed, propose
from opsmetrics.proposals.start.writing import Identity, write

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
WHO = Identity("nordhavn", "Nordhavn")


def commit(folder: Path, day: str, **files: str) -> None:
    """Commit files on a day, as a person who keeps no settings."""
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    at = f"{day}T12:00:00Z"
    who = {
        f"GIT_{role}_{key}": value
        for role in ("AUTHOR", "COMMITTER")
        for key, value in (("NAME", "A"), ("EMAIL", "a@example.org"), ("DATE", at))
    }
    for words in (("add", "."), ("commit", "-qm", "change")):
        subprocess.run(["git", "-C", str(folder), *words], env=os.environ | who, check=True, capture_output=True)


@pytest.fixture
def clones(tmp_path) -> Path:
    """Two clones: one that was handed over, one that nobody is named for; and one without a commit."""
    root = tmp_path / "clones"
    for name in ("soknad-api", "journal", "empty"):
        subprocess.run(["git", "init", "-qb", "main", str(root / name)], check=True)
        address = f"https://github.com/nordhavn/{name}.git"
        subprocess.run(["git", "-C", str(root / name), "remote", "add", "origin", address], check=True)
    commit(root / "soknad-api", "2024-03-01", readme="x")
    commit(root / "soknad-api", "2025-05-05", CODEOWNERS="* @nordhavn/helse\n")
    commit(root / "soknad-api", "2026-02-01", CODEOWNERS="* @nordhavn/plattform @someone\n")
    commit(root / "journal", "2025-01-10", readme="x")
    # Two months later teams owned parts alone.
    commit(root / "journal", "2025-02-01", CODEOWNERS="* @nordhavn/helse\n")
    commit(root / "journal", "2025-04-01", CODEOWNERS="/docs @nordhavn/helse\n")
    # One lies elsewhere, and a link leads there.
    (root / "journal").rename(tmp_path / "elsewhere")
    (root / "journal").symlink_to(tmp_path / "elsewhere")
    return root


def proposed(tmp_path: Path, **given) -> tuple[Proposed, Organisation]:
    """What is proposed, and the organisation that is read of it."""
    org = tmp_path / "org"
    settings = Settings(home=tmp_path / "home", org=org, data=None, now=None, sql=default_sql_root())
    found = propose(Given(org, given.pop("who", WHO), **given), settings, NOW)
    write(org, found.files)
    return found, load_organisation(org)


def owners(organisation: Organisation) -> dict[str, list[tuple[str, str]]]:
    return {s.id: [(o.team, o.valid_from.isoformat()) for o in s.owners] for s in organisation.services}


def test_clones_give_services_whose_owners_are_dated_by_codeowners_and_the_first_commit(tmp_path, clones):
    found, organisation = proposed(tmp_path, clones=(clones,))
    assert owners(organisation) == {
        "journal": [("nordhavn", "2025-01-10")],
        "soknad-api": [("helse", "2024-03-01"), ("plattform", "2026-02-01")],
    }
    (service,) = [s for s in organisation.services if s.id == "soknad-api"]
    assert service.repositories == ["nordhavn/soknad-api"]
    assert service.owners[0].valid_to == date(2026, 2, 1)
    assert {team.id: team.type for team in organisation.teams}["plattform"] == "platform"
    said = " ".join(guess.what for guess in found.draft.guesses)
    assert "CODEOWNERS names it since 2025-05-05" in said
    assert "nordhavn owns journal: no source names an owner" in said
    assert "empty is left out" in said
    (connector,) = organisation.sources.connector
    assert connector.places == {"nordhavn/journal": "journal", "nordhavn/soknad-api": "soknad-api"}
    assert (organisation.folder / connector.folder).resolve() == clones.resolve()


def test_repositories_of_one_name_in_two_projects_are_two_and_a_second_clone_is_told(tmp_path):
    root = tmp_path / "clones"
    addresses = {
        "land/api": "https://dev.azure.com/nordhavn/land/_git/api",
        "sjo/api": "git@ssh.dev.azure.com:v3/nordhavn/sjo/api",
        "sjo/again": "https://nordhavn@dev.azure.com/nordhavn/sjo/_git/api",
        "lab/web": "https://gitlab.nordhavn.invalid/flate/inn/web.git",
    }
    for place, address in addresses.items():
        subprocess.run(["git", "init", "-qb", "main", str(root / place)], check=True)
        subprocess.run(["git", "-C", str(root / place), "remote", "add", "origin", address], check=True)
        commit(root / place, "2025-01-10", readme="x")
    commit(
        root / "lab/web",
        "2025-01-10",
        **{".gitlab__CODEOWNERS": "[Alt] @nordhavn/flate/web\n*\n/docs @nordhavn/docs\n"},
    )
    found, organisation = proposed(tmp_path, clones=(root,))
    assert {service.id: service.repositories for service in organisation.services} == {
        "land-api": ["land/api"],
        "sjo-api": ["sjo/api"],
        "web": ["flate/inn/web"],
    }
    assert owners(organisation)["web"] == [("web", "2025-01-10")]
    assert "api is left out: sjo/api is again" in " ".join(guess.what for guess in found.draft.guesses)


def test_a_repository_belongs_to_one_service_whoever_names_it(tmp_path, clones):
    """A component of Backstage need not have its repository's name, and several may lie in one repository."""
    entity = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: {}\n  annotations:\n    {}\nspec:\n  owner: helse\n"
    catalogue = tmp_path / "catalog-info.yaml"
    slugs = (
        ("soknad", "github.com/project-slug: Nordhavn/soknad-api"),
        ("kvittering", "gitlab.com/project-slug: nordhavn/soknad-api"),
    )
    catalogue.write_text("---\n".join(entity.format(*said) for said in slugs))
    table = tmp_path / "tjenester.csv"
    table.write_text(
        "tjeneste,team,repo\nsak,helse,https://gitlab.nordhavn.invalid/flate/inn/sak.git\narkiv,helse,nordhavn/soknad-api\n"
    )
    found, organisation = proposed(tmp_path, clones=(clones,), paths=(catalogue, table))
    assert {service.id: service.repositories for service in organisation.services} == {
        "sak": ["flate/inn/sak"],
        "arkiv": ["nordhavn/soknad-api"],
        "soknad": [],
        "kvittering": [],
        "journal": ["nordhavn/journal"],
    }
    said = " ".join(guess.what for guess in found.draft.guesses)
    assert "soknad-api is arkiv's, although catalog-info.yaml names it for soknad too" in said


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://github.com/nordhavn/web", "nordhavn/web"),
        ("git@github.com:nordhavn/web.git", "nordhavn/web"),
        ("ssh://git@host.invalid:7999/nord/web.git", "nord/web"),
        ("https://host.invalid/scm/nord/web.git", "nord/web"),
        ("https://dev.azure.com/nordhavn/Ny%20flate/_git/web", "Ny flate/web"),
        ("https://dev.azure.com/nordhavn/_git/web", "web/web"),
        ("https://nordhavn.visualstudio.com/DefaultCollection/land/_git/web", "land/web"),
        ("/srv/git/nordhavn/web.git", "nordhavn/web"),
        ("", None),
    ],
)
def test_names_of_addresses(address, name):
    assert name_of_address(address) == name


def test_public_services_are_asked_only_where_somebody_says_so(tmp_path, clones):
    commit(clones / "journal", "2026-01-10", **{".nvmrc": "20.11.0\n"})
    _, quiet = proposed(tmp_path, clones=(clones,))
    (connector,) = quiet.sources.connector
    assert connector.release_dates is None
    assert "update_episodes" not in connector.streams
    _, asking = proposed(tmp_path, clones=(clones,), asks_public=True)
    clone, support = asking.sources.connector
    assert clone.release_dates.deps_dev.startswith("https://")
    assert "update_episodes" in clone.streams
    assert support.products == ["nodejs"]


TABLE = "Tjeneste;Lag;Fra dato;Kritikalitet\r\nSøknad API;Innbygger;01.02.2025;høy\r\nJournal;Helse;;middels\r\n"
INCIDENTS = (
    "incident_id,service_id,severity,declared_at,resolved_at\n"
    "1,Søknad API,1,2024-08-01T10:00:00Z,2024-08-01T12:00:00Z\n"
    "2,Journal,2,2026-03-01T10:00:00Z,\n"
    "3,id-proxy,3,2026-09-01T10:00:00Z,2026-09-01T12:00:00Z\n"
)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252"])
def test_a_table_from_a_norwegian_spreadsheet_and_exports(tmp_path, encoding):
    exports = tmp_path / "exports"
    exports.mkdir()
    (exports / "tjenester.csv").write_bytes(TABLE.encode(encoding))
    (exports / "incidents.csv").write_text(INCIDENTS, encoding="utf-8")
    (exports / "strange.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    found, organisation = proposed(tmp_path, paths=(exports,), team="Drift")
    # The day that the table says stands; without one, the oldest record; never the day of writing.
    assert owners(organisation) == {
        "soknad-api": [("innbygger", "2025-02-01")],
        "journal": [("helse", "2026-03-01")],
        "id-proxy": [("drift", "2026-09-01")],
    }
    assert {s.id: s.criticality for s in organisation.services} == {
        "soknad-api": "critical",
        "journal": "important",
        "id-proxy": "ordinary",
    }
    assert [(s.name, s.path) for s in organisation.sources.stream] == [("incidents", "incidents.csv")]
    assert [path.name for path in found.unread] == ["strange.csv"]
    said = " ".join(guess.what for guess in found.draft.guesses)
    assert "records from 2024-08-01 (first row in incidents.csv) to 2025-02-01 belong to nobody" in said
    assert organisation.settings.history_from == date(2025, 10, 1), "the oldest record, at most 13 months back"


@pytest.mark.parametrize(
    "header",
    [
        "Tjeneste;Team;Gyldig fra",
        "System;Eierteam;Eier siden",
        "Service;owner_team;valid_from",
        "App;Ansvarlig team;Fra",
    ],
)
def test_columns_of_a_table_are_known_by_their_words(tmp_path, header):
    table = tmp_path / "tjenester.csv"
    table.write_text(f"{header}\nweb;Alfa;01.01.2024\nweb;Beta;01.03.2025\napi;Beta;2024-02-01\n", encoding="utf-8")
    found, organisation = proposed(tmp_path, paths=(table,))
    assert owners(organisation) == {
        "web": [("alfa", "2024-01-01"), ("beta", "2025-03-01")],
        "api": [("beta", "2024-02-01")],
    }
    assert not found.draft.guesses


def test_a_day_that_no_table_says_is_a_guess_and_so_is_what_was_not_read(tmp_path):
    table = tmp_path / "tjenester.csv"
    table.write_text("Tjeneste;Team;Fra;Ansvarlig til\nweb;Alfa;31.02.2024;\napi;Beta;;31.12.2025\n", encoding="utf-8")
    found, organisation = proposed(tmp_path, paths=(table,))
    start = organisation.settings.history_from
    assert [guess.what for guess in found.draft.guesses] == [
        "tjenester.csv: '31.02.2024' in 'Fra' is not a day",
        "of tjenester.csv these columns are not read: 'Ansvarlig til'",
        f"owners of web, api are dated from {start}, because nothing says since when",
    ]


@pytest.mark.parametrize("name", [b"h\xf8st.csv", b"h\xf8st.parquet", b"x\x1b[31m.jsonl", "x\u202e.json".encode()])
def test_a_file_whose_name_nobody_can_write_is_named_and_the_others_are_read(tmp_path, name):
    files = tmp_path / "exports"
    files.mkdir()
    # As macOS writes a time of day into names.
    (files / "tjenester 1.05\u202fAM.csv").write_text("service,team,from\nweb,Alfa,2025-01-01\n")
    odd = files / os.fsdecode(name)
    odd.write_text("[" * 100_000)
    done = CliRunner().invoke(main, ["init", "--org", str(tmp_path / "org"), "--from", str(files)])
    assert done.exit_code == 0, done.output
    assert "its name cannot be written" in done.output
    assert all(sign.isprintable() or sign == "\n" for sign in done.output)
    alone = CliRunner().invoke(main, ["init", "--org", str(tmp_path / "other"), "--from", str(odd)])
    assert (alone.exit_code, "fix: rename them" in alone.output) == (1, True), alone.output


def test_json_lines_without_end_are_no_export(tmp_path):
    (tmp_path / "tjenester.csv").write_text("service,team,from\nweb,Alfa,2025-01-01\n")
    (tmp_path / "x.jsonl").write_text("[" * 100_000)
    found, _ = proposed(tmp_path, paths=(tmp_path,))
    assert [path.name for path in found.unread] == ["x.jsonl"]


def test_a_table_in_a_workbook(tmp_path):
    book = openpyxl.Workbook()
    for row in (["Tjeneste", "Lag", "Fra"], ["Søknad API", "Innbygger", date(2025, 2, 1)], ["Journal", "Helse", None]):
        book.active.append(row)
    book.save(tmp_path / "tjenester.xlsx")
    _, organisation = proposed(tmp_path, paths=(tmp_path / "tjenester.xlsx",))
    assert owners(organisation) == {
        "soknad-api": [("innbygger", "2025-02-01")],
        "journal": [("helse", organisation.settings.history_from.isoformat())],
    }


CHECKS = "provider,monitor_id,checked_at,status\n" + "".join(
    f"uptime,{monitor},2026-11-{day:02}T{hour:02}:{minute:02}:00Z,up\n"
    for monitor, day in (("https://soknad-api.example.org/health", 1), ("other", 1))
    for hour in range(3)
    for minute in range(0, 60, 10)
)
CHANGES = "provider,monitor_id,checked_at,status\nu,journal,2026-10-01T00:00:00Z,up\nu,journal,2026-10-05T00:00:00Z,down\nu,journal,2026-10-05T01:00:00Z,up\n"
BACKUPS = "datastore_id,taken_at,is_usable\njournal-pg,2026-08-01 02:00:00,true\nJournal DB,2026-08-02 02:00:00,true\n"


def test_monitors_datastores_and_daily_files(tmp_path):
    exports = tmp_path / "exports"
    (exports / "checks").mkdir(parents=True)
    (exports / "checks" / "2026-11-01.csv").write_text(CHECKS)
    (exports / "checks" / "2026-11-02.csv").write_text(CHANGES)
    (exports / "backups.csv").write_text(BACKUPS)
    (exports / "tjenester.csv").write_text(TABLE, encoding="utf-8")
    found, organisation = proposed(tmp_path, paths=(exports,))
    streams = {s.name: s for s in organisation.sources.stream}
    assert streams["availability_checks"].path == "checks/{date}.csv"
    assert streams["recovery_points"].naive_time == "Europe/Oslo"
    monitors = {s.id: [(m.id, m.kind, m.hold_minutes) for m in s.monitors] for s in organisation.services}
    assert monitors["soknad-api"] == [("https://soknad-api.example.org/health", "polling", 16.0)]
    assert monitors["journal"] == [("journal", "transitions", None)]
    assert monitors["other"] == [("other", "polling", 16.0)]
    assert [(store.id, store.service) for store in organisation.datastores] == [("journal-pg", "journal")]
    assert any("'Journal DB'" in guess.what for guess in found.draft.guesses)


def test_files_of_months_are_one_source(tmp_path):
    exports = tmp_path / "exports"
    exports.mkdir()
    for month, service in (("2026-08", "soknad-api"), ("2026-09", "only-in-september")):
        row = f"{month},{service},1,{month}-03T10:00:00Z,{month}-03T12:00:00Z\n"
        (exports / f"saker-{month}.csv").write_text(INCIDENTS.splitlines()[0] + "\n" + row)
    _, organisation = proposed(tmp_path, paths=(exports,), team="Drift")
    assert [(s.name, s.path) for s in organisation.sources.stream] == [("incidents", "saker-{month}.csv")]
    assert {service.id for service in organisation.services} == {"soknad-api", "only-in-september"}


ISSUES = "number,service_name,seconds_to_resolve,priority_name,urgency,incident_number,created_on,resolved_on\n"


def issues(*numbers: int) -> str:
    rows = (
        f"{n},soknad-api,60,P2,high,{n},2026-0{1 + n % 9}-01T10:00:00Z,2026-0{1 + n % 9}-01T11:00:00Z" for n in numbers
    )
    return ISSUES + "".join(f"{row}\n" for row in rows)


@pytest.mark.parametrize(
    ("names", "path"),
    [
        (("incidents-2026-01.csv", "incidents-2026-02.csv", "incidents-2026-03.csv"), "incidents-*.csv"),
        (("2026-09_saker.csv", "2026-10_saker.csv"), "*_saker.csv"),
        (("saker-11-2025.csv", "saker-12-2025.csv"), "saker-*.csv"),
        (("web.csv",), "web.csv"),
    ],
)
def test_files_of_several_months_are_one_query_that_reads_the_next_month_too(tmp_path, names, path):
    exports = tmp_path / "exports"
    exports.mkdir()
    for number, name in enumerate(names):
        (exports / name).write_text(issues(2 * number, 2 * number + 1))
    (exports / "tjenester.csv").write_text(TABLE, encoding="utf-8")
    found, organisation = proposed(tmp_path, paths=(exports,))
    assert found.unread == []
    (query,) = organisation.queries
    assert query.files["incident"].path == path


def test_a_pattern_names_no_file_of_another_form(tmp_path):
    """Two files that only a pattern for everything would name: the second is said to be left out."""
    exports = tmp_path / "exports"
    exports.mkdir()
    for name, text in (("a.csv", issues(1)), ("b.csv", issues(2)), ("c.csv", TABLE)):
        (exports / name).write_text(text, encoding="utf-8")
    found, organisation = proposed(tmp_path, paths=(exports,))
    assert [query.files["incident"].path for query in organisation.queries] == ["a.csv"]
    (said,) = (guess for guess in found.draft.guesses if guess.what.startswith("b.csv"))
    assert said.what.endswith("is left out")
    assert "with a pattern" in said.verify


BACKSTAGE = """
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: journal-web, title: Journal, annotations: {github.com/project-slug: nordhavn/journal}}
spec: {owner: group:default/helse, type: service}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: private}
spec: {owner: user:default/somebody}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: helse, title: Team Helse}
spec: {type: team}
"""
AZURE = [
    {"tags": {"Service": "Innsyn", "team": "Innbygger"}, "createdTime": "2025-03-04T10:00:00Z"},
    {"tags": {"service": "Innsyn", "Team": "Innbygger"}, "createdTime": "2024-06-01T10:00:00Z"},
    {"tags": {"service": "Post", "owner": "somebody@example.org"}},
    {"tags": None},
]


def test_what_is_named_twice_is_there_once(tmp_path, clones):
    folder = tmp_path / "exports"
    folder.mkdir()
    (folder / "services.csv").write_text("service,team\nsoknad-api,helse\n", encoding="utf-8")
    rows = "datastore_id,completed_at,is_success\nx,2026-11-01T00:00:00Z,true\n"
    (folder / "backups.csv").write_text(rows, encoding="utf-8")
    once, _ = proposed(tmp_path / "a", paths=(folder,), clones=(clones,))
    again = {"paths": (folder, folder / "backups.csv", folder / "."), "clones": (clones, clones / ".")}
    twice, _ = proposed(tmp_path / "b", **again)
    assert twice.draft.sources == once.draft.sources
    assert list(twice.files) == list(once.files)


def test_catalogues_of_other_tools_name_teams_and_never_people(tmp_path):
    given = tmp_path / "given"
    (given / "repo" / ".github").mkdir(parents=True)
    (given / "catalog-info.yaml").write_text(BACKSTAGE)
    (given / "resources.json").write_text(json.dumps({"data": AZURE}))
    (given / "repo" / ".github" / "CODEOWNERS").write_text("* @nordhavn/drift\n")
    # Hidden folders are passed over; the file is named.
    _, organisation = proposed(tmp_path, paths=(given, given / "repo" / ".github" / "CODEOWNERS"))
    start = organisation.settings.history_from.isoformat()
    assert owners(organisation) == {
        "journal-web": [("helse", start)],
        "private": [("nordhavn", start)],
        "innsyn": [("innbygger", "2024-06-01")],
        "post": [("nordhavn", start)],
        "repo": [("drift", start)],
    }
    assert {team.id: team.name.nb for team in organisation.teams}["helse"] == "Team Helse"
    text = "".join(path.read_text() for path in organisation.folder.glob("*.toml"))
    assert "somebody" not in text


@pytest.mark.parametrize(
    ("language", "mark"), [("nb", b"\xef\xbb\xbfwaiver_id;team_id;"), ("en", b"waiver_id,team_id,")]
)
def test_empty_registers_open_with_a_column_a_field(tmp_path, clones, language, mark):
    who = Identity("x", "Nordhavn", language)
    _, organisation = proposed(tmp_path, clones=(clones,), who=who)
    assert (organisation.folder / "registers" / "waivers.csv").read_bytes().startswith(mark)
    assert organisation.settings.language == language


def test_nothing_is_replaced_without_force_and_registers_never(tmp_path, clones):
    org = tmp_path / "org"
    words = ["init", "--org", str(org), "--clones", str(clones), "--name", "Nordhavn"]
    assert CliRunner().invoke(main, words).exit_code == 0
    assert CliRunner().invoke(main, words).exit_code == 0, "the same again is no difference"
    teams, waivers = org / "teams.toml", org / "registers" / "waivers.csv"
    teams.write_text(teams.read_text() + "# by hand\n")
    waivers.write_text("waiver_id;team_id\n")
    refused = CliRunner().invoke(main, words)
    assert refused.exit_code == 1
    assert "-# by hand" in refused.output
    assert "--force" in refused.output
    assert "# by hand" in teams.read_text()
    forced = CliRunner().invoke(main, [*words, "--force"])
    assert forced.exit_code == 0
    assert "-# by hand" in forced.output
    assert "# by hand" not in teams.read_text()
    assert waivers.read_text() == "waiver_id;team_id\n"


def test_it_says_what_it_guessed_and_check_accepts_it(tmp_path, clones, monkeypatch):
    # Whoever tried the program in this folder has a state folder here, with the records of another organisation.
    monkeypatch.setenv("OPSMETRICS_HOME", str(tmp_path / "home"))
    org = tmp_path / "org"
    done = CliRunner().invoke(main, ["init", "--org", str(org), "--clones", str(clones), "--json"])
    told = json.loads(done.output)
    assert told["services"] == ["journal", "soknad-api"]
    assert all(guess["verify"] for guess in told["guesses"])
    checked = CliRunner().invoke(main, ["check", "--org", str(org)])
    assert checked.exit_code == 0, checked.output
    assert "ok=True" in checked.output
    assert "error" not in checked.output


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "--clones DIR"),
        ({"clones": "nowhere"}, "holds no clone"),
        ({"paths": "nowhere"}, "no such file or folder"),
        ({"paths": "strange"}, "none of these files is known"),
    ],
)
def test_without_anything_that_tells_of_a_service_there_is_one_clear_error(tmp_path, given, says):
    (tmp_path / "strange").mkdir()
    (tmp_path / "strange" / "a.csv").write_text("x,y\n1,2\n")
    with pytest.raises(ConfigurationError) as caught:
        proposed(tmp_path, **{key: (tmp_path / name,) for key, name in given.items()})
    (problem,) = caught.value.problems
    assert says in f"{problem.message} {problem.fix}"


def test_names_of_alerts_that_end_alike_are_no_services_of_their_own():
    draft = Draft()
    for name in ("Innsyn", "Journal", "Innsyn saturation", "Journal saturation", "Journal arkiv"):
        draft.service(name).seen(date(2026, 9, 1), "first row")
    draft.join_rules()
    assert sorted(draft.services) == ["innsyn", "journal", "journal-arkiv"], "one name alone may be a service"
    assert draft.services["innsyn"].aliases == ["Innsyn saturation"]
    assert len(draft.guesses) == 2


def test_names_that_differ_in_signs_only_are_one_service():
    draft = Draft()
    assert draft.service("Søknad API") is draft.service("soknad-api")
    assert draft.service("Søknad API").aliases == ["Søknad API"]
    assert [slug(name) for name in ("Ærfugl & Co.", "--", "x" * 200)] == ["aerfugl-co", "unnamed", "x" * 80]
    assert draft.nearest("soknad-api-pg") is draft.services["soknad-api"]
    assert draft.nearest("unrelated") is None


def handled(*rows: tuple[str, str, str]) -> str:
    """An export of ServiceNow: service, team that handled it, and day."""
    head = "number,opened_at,priority,state,business_service,assignment_group,resolved_at"
    lines = [
        f"I{number},{day} 08:00:00,1 - Critical,New,{name},{team}," for number, (name, team, day) in enumerate(rows)
    ]
    return "\n".join([head, *lines, ""])


def test_teams_that_only_exports_name_are_proposed_as_owners_with_the_days_of_their_records(tmp_path):
    exports = tmp_path / "exports"
    exports.mkdir()
    turns = [
        ("web", team, f"2026-0{month}-0{day}") for team, month in (("Helse", 3), ("Drift", 6)) for day in (1, 2, 3)
    ]
    mixed = [("api", "Helse", "2026-05-01"), ("api", "Drift", "2026-05-02"), ("api", "Helse", "2026-05-03")]
    (exports / "incident.csv").write_text(handled(*turns, *mixed))
    found, organisation = proposed(tmp_path, paths=(exports,))
    assert {team.name.nb for team in organisation.teams} == {"Helse", "Drift"}
    assert owners(organisation) == {
        "api": [("helse", "2026-05-01")],
        "web": [("helse", "2026-03-01"), ("drift", "2026-06-01")],
    }
    said = [guess.what for guess in found.draft.guesses]
    assert "api: Helse owns it, having handled 2 of its 3 records in incident.csv (Drift 1)" in said


def test_a_table_says_who_owns_a_service_and_an_export_only_that_it_names_another(tmp_path):
    exports = tmp_path / "exports"
    exports.mkdir()
    (exports / "tjenester.csv").write_text("service,team\nweb,Drift\n")
    (exports / "incident.csv").write_text(handled(("web", "Helse", "2026-05-01")))
    found, organisation = proposed(tmp_path, paths=(exports,))
    assert [owner.team for owner in organisation.services[0].owners] == ["drift"]
    assert "web: drift owns it, although incident.csv names helse" in [guess.what for guess in found.draft.guesses]


def test_an_export_that_names_no_service_is_known_and_says_what_it_lacks(tmp_path):
    (tmp_path / "incident.csv").write_text("number,opened_at,priority,state\nI1,2026-05-01 08:00:00,1 - Critical,New\n")
    with pytest.raises(ConfigurationError) as raised:
        proposed(tmp_path, paths=(tmp_path / "incident.csv",))
    (problem,) = raised.value.problems
    assert "incident.csv is ServiceNow incidents" in problem.message
    assert "gives no column 'service_id'" in problem.message


COLUMNS = ["incident_id", "service_id", "severity", "declared_at", "resolved_at"]
ISO = ["i1", "Søknad", "1", "2026-08-01T08:00:00Z", ""]
NORWEGIAN = ["i1", "Søknad", "1", "01.08.2026 10:00", ""]


def lines(*rows: list[str], delimiter: str = ";") -> str:
    """Rows of a CSV file."""
    return "".join(delimiter.join(row) + "\r\n" for row in rows)


def sheet(*rows: list[str]) -> bytes:
    """A workbook."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        page = book.add_worksheet()
        for number, row in enumerate(rows):
            page.write_row(number, 0, row)
    return content.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("capitals.csv", lines([column.upper() for column in COLUMNS], ISO).encode()),
        ("utf16.csv", lines(COLUMNS, ISO).encode("utf-16")),
        ("windows.csv", lines(COLUMNS, ISO).encode("windows-1252")),
        ("norwegian.csv", lines(COLUMNS, NORWEGIAN).encode("utf-8-sig")),
        ("titles.csv", lines(["Hendelser", "", "", "", ""], COLUMNS, NORWEGIAN).encode()),
        ("book.xlsx", sheet(["Hendelser"], [], COLUMNS, NORWEGIAN)),
        ("list.json", json.dumps({"items": [dict(zip(COLUMNS, ISO, strict=True))]}).encode()),
    ],
)
def test_a_file_of_a_stream_is_read_whatever_a_spreadsheet_made_of_it(tmp_path, name, content):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_bytes(content)
    found, organisation = proposed(tmp_path, paths=(tmp_path / "in",))
    assert [service.id for service in organisation.services] == ["soknad"]
    assert [query.name for query in organisation.queries] == ["incidents"]
    assert found.unread == []
    assert [guess for guess in found.draft.guesses if guess.is_loss] == []
    assert organisation.services[0].owners[0].valid_from == date(2026, 8, 1)


def test_a_long_file_is_known_wherever_its_first_piece_ends(tmp_path):
    (tmp_path / "in").mkdir()
    row = lines(["i1", "å" * 40_000, "1", "2026-08-01T08:00:00Z", ""], delimiter=",")
    for shift in ("", "x"):
        (tmp_path / "in" / "inc.csv").write_text(lines(COLUMNS, [f"i0{shift}", *ISO[1:]], delimiter=",") + row)
        assert [stream.name for stream in proposed(tmp_path, paths=(tmp_path / "in",))[1].sources.stream] == [
            "incidents"
        ]


def test_rows_that_would_be_set_aside_are_told_of_files_without_a_query_too(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "inc.csv").write_text(lines(COLUMNS, ISO, ["i2", *NORWEGIAN[1:]], delimiter=","))
    found, _ = proposed(tmp_path, paths=(tmp_path / "in",))
    (loss,) = (guess for guess in found.draft.guesses if guess.is_loss)
    assert (loss.file, "1 of 2 rows of inc.csv would be set aside" in loss.what) == ("sources.toml", True)


@pytest.mark.parametrize("name", ["services.xlsx", "services.csv"])
def test_a_table_of_services_may_have_titles_above_its_columns(tmp_path, name):
    rows = (["Tjenester"], ["Laget", "i går"], ["Tjeneste", "Team", "Fra"], ["Søknad", "Helse", "01.02.2025"])
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_bytes(sheet(*rows) if name.endswith("x") else lines(*rows).encode("windows-1252"))
    _, organisation = proposed(tmp_path, paths=(tmp_path / "in",))
    (service,) = organisation.services
    assert (service.id, service.owners[0].team, service.owners[0].valid_from) == ("soknad", "helse", date(2025, 2, 1))
