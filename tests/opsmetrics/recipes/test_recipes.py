"""Recipes: a file of each form is recognised, and its query gives the rows that the file holds."""

from __future__ import annotations

import io
import json
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
import xlsxwriter
from click.testing import CliRunner

from opsmetrics.cli import main
from opsmetrics.core.errors import ConfigurationError, SourceError
from opsmetrics.core.settings import Settings, default_sql_root
from opsmetrics.core.sqlheader import read_header
from opsmetrics.organisation import load_organisation
from opsmetrics.recipes import recipes, recognise
from opsmetrics.recipes.own_columns import own_columns
from opsmetrics.sources import files, pull_stream
from opsmetrics.sources.query_tree import parsed
from opsmetrics.streams import STREAMS
from tests.opsmetrics.recipes.exports import ASIDE, EXPORTS, K6, TRIVY, TRIVY_LATER, kuma, utc
from tests.opsmetrics.recipes.variants import VARIANTS

SERVICENOW = """"number","opened_at","short_description","caller_id","priority","state","business_service","resolved_at"
"INC1","01.08.2026 08:53:36","Får ikke logget inn","Ola Eksempel","1 - Critical","Closed","web","01.08.2026 10:00:00"
"INC2","02.08.2026 12:57:03","Får ikke logget inn","Ola Eksempel","5 - Planning","In Progress","web",""
"INC3","03.08.2026 12:57:03","Får ikke logget inn","Ola Eksempel","2 - High","Canceled","web",""
"INC4","31.07.2026 25:57:03","Får ikke logget inn","Ola Eksempel","2 - High","New","web",""
"""
PULL = {
    "author": {"is_bot": True, "login": "app/renovate"},
    "mergedAt": "2026-08-03T10:00:00Z",
    "mergeCommit": {"oid": "a1"},
    "title": "Update dependency react to v5.2.0",
    "url": "https://github.com/org/web/pull/1",
}
PULLS = [
    PULL,
    PULL | {"mergedAt": None, "mergeCommit": None, "url": "https://github.com/org/web/pull/2"},
    PULL | {"author": {"is_bot": False, "login": "somebody"}, "mergeCommit": {"oid": "a3"}},
    PULL | {"title": "Configure Renovate", "mergeCommit": {"oid": "a4"}},
]


def settings_of(small, tmp_path):
    return Settings(home=tmp_path / "home", org=small, data=None, now=None, sql=default_sql_root())


def kept(small, name):
    """The rows of a query as they would land, and the reasons of the others."""
    organisation = load_organisation(small)
    (query,) = (each for each in organisation.queries if each.source == name)
    today = organisation.settings.now.date()
    reading = files.Reading(organisation, query, STREAMS[query.name], small / "data", today)
    frame = files.read_rows(reading, small / query.path).frame
    return frame.filter(frame["_reason"].is_null()), frame.filter(frame["_reason"].is_not_null())


@pytest.fixture
def written(small):
    """Write a file, recognise it, and write its query; returns the query's file."""

    def write(name, content, recipe=None):
        path = small / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        fitting = {each.name: each for each in recognise(path)}
        return (fitting[recipe] if recipe else next(iter(fitting.values()))).write(small, path)

    return write


def test_servicenow_incidents_of_a_norwegian_windows(small, written):
    written("incident.csv", SERVICENOW.encode("windows-1252"))
    good, aside = kept(small, "servicenow")
    assert good.select("incident_id", "service_id", "severity", "declared_at", "resolved_at", "_line").rows() == [
        ("INC1", "web", 1, datetime(2026, 8, 1, 6, 53, 36, tzinfo=UTC), datetime(2026, 8, 1, 8, 0, tzinfo=UTC), 2),
        ("INC2", "web", 4, datetime(2026, 8, 2, 10, 57, 3, tzinfo=UTC), None, 3),
    ]
    # A time that is none keeps its row apart, and says in which file and line it stands.
    assert aside["_line"].to_list() == [5]
    assert "declared_at" in aside["_reason"][0]
    assert json.loads(aside["_raw"][0])["_file"] == "incident.csv"


def test_pull_requests_of_update_bots(small, written, tmp_path):
    written("pulls.json", json.dumps(PULLS))
    good, aside = kept(small, "gh")
    assert aside.height == 0
    assert good.select("repository", "commit_id", "merged_at", "bot", "is_dependency_update", "_line").rows() == [
        ("org/web", "a1", datetime(2026, 8, 3, 10, tzinfo=UTC), "renovate", True, 1),
        ("org/web", "a4", datetime(2026, 8, 3, 10, tzinfo=UTC), "renovate", False, 4),
    ]
    (result,) = pull_stream(settings_of(small, tmp_path), load_organisation(small), "update_merges")
    assert (result.rows, result.quarantined, result.error) == (2, 0, None)


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_gives_the_rows_that_it_holds(small, written, name):
    file, content, columns, rows = EXPORTS[name]
    query = written(file, content, name)
    source = next(each.header.source for each in recipes() if each.name == name)
    good, aside = kept(small, source)
    assert sorted(good.select(columns).rows(), key=str) == sorted(rows, key=str)
    found = aside.sort("_line")
    wanted = ASIDE.get(name, [])
    assert found["_line"].to_list() == [line for line, _ in wanted]
    assert all(text in reason for reason, (_, text) in zip(found["_reason"], wanted, strict=True))
    assert "-- if" not in query.read_text()


@pytest.mark.parametrize("name", VARIANTS)
def test_other_forms_of_an_export_give_the_rows_that_they_hold(small, written, name):
    """Other languages, versions and time formats: read as they are meant, or set aside with what nobody knows."""
    form = VARIANTS[name]
    paths = [small / "data" / file for file in form.files]
    for path, content in zip(paths, form.files.values(), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    (recipe,) = (each for each in recognise(paths[0]) if each.stream == form.stream)
    recipe.write(small, paths[0], form.pattern)
    good, aside = kept(small, recipe.header.source)
    assert sorted(good.select(form.columns).rows(), key=str) == sorted(form.rows, key=str)
    assert aside["_line"].to_list() == list(form.aside)
    assert all(text in reason for reason, text in zip(aside["_reason"], form.aside.values(), strict=True))


def test_names_of_people_and_texts_are_never_read(small, written):
    """What the select does not name is not even in the file that the query's process reads."""
    for name, (file, content, _, _) in EXPORTS.items():
        text = written(f"{name}/{file}", content, name).read_text()
        select = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
        for private in ("Owner", "Reporter", "login", "email", "caller_id", "Message", "Summary", "message"):
            assert private not in select, name


def test_a_fault_is_gone_with_the_first_report_that_does_not_have_it(small, written):
    query = written("trivy-1.json", json.dumps(TRIVY), "trivy_report")
    (small / "data" / "trivy-2.json").write_text(json.dumps(TRIVY_LATER))
    query.write_text(query.read_text().replace("trivy-1.json", "trivy-*.json"))
    good, aside = kept(small, "trivy")
    assert aside.height == 0
    assert sorted(good.select("detected_at", "fixed_at").rows(), key=str) == [
        (utc("2026-08-01T10:00:00.500000"), None),
        (utc("2026-08-01T10:00:00.500000"), utc("2026-08-02T10:00:00.500000")),
    ]
    assert not {"CVE-1", "CVE-2"} & set(good["vulnerability_id"])


def test_a_load_test_counts_once_its_peak_is_filled_in(small, written):
    query = written("web-20260801T100000Z.json", json.dumps(K6), "k6_summary")
    good, aside = kept(small, "k6")
    assert (good.height, aside["_reason"].to_list()) == (0, ["reached_ratio: missing"])
    query.write_text(query.read_text().replace("('web', null)", "('web', 10000)"))
    good, _ = kept(small, "k6")
    columns = ("service_id", "tested_at", "reached_ratio", "is_slo_met")
    assert good.select(columns).rows() == [("web", utc("2026-08-01T10:00:00"), 0.9, True)]


def test_words_of_another_language_are_set_aside_and_not_left_out(small, written):
    """A state or severity that nobody knows is never taken for one of those that are left out, or for open."""
    written("incident.csv", SERVICENOW.replace("Closed", "Lukket"))
    good, _ = kept(small, "servicenow")
    assert good["resolved_at"].null_count() == 1
    file, content, *_ = EXPORTS["zabbix_problems"]
    written(file, content.replace("High", "Høy").replace("Disaster", "Katastrofe"), "zabbix_problems")
    good, aside = kept(small, "zabbix")
    assert (good.height, aside["_line"].to_list()) == (0, [2, 3])


def test_a_second_query_of_a_stream_is_named_for_its_source(small, written):
    first = written("incident.csv", SERVICENOW)
    (small / "sources" / "incidents.sql").write_text(first.read_text().replace('"servicenow"', '"other"'))
    assert written("incident.csv", SERVICENOW).name == "incidents.servicenow.sql"
    with pytest.raises(ConfigurationError, match="exists already"):
        written("incident.csv", SERVICENOW)


def test_a_workbook_whose_first_sheet_is_a_cover(small, written):
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        book.add_worksheet("Info").write_row(0, 0, ["Rapport", "laget av"])
        sheet = book.add_worksheet("Data")
        sheet.write_row(0, 0, ["Hendelser"])
        sheet.write_row(1, 0, ["Number", "Opened", "Priority", "State", "Service", "Resolved"])
        sheet.write_row(2, 0, ["INC1", "2026-08-01 08:00:00", "1", "Closed", "web", "2026-08-01 09:00:00"])
    query = written("incident.xlsx", content.getvalue())
    assert 'path = "incident.xlsx", sheet = "Data", skip_lines = 1' in query.read_text()
    good, _ = kept(small, "servicenow")
    assert good["incident_id"].to_list() == ["INC1"]


@pytest.mark.parametrize(
    ("name", "others", "pattern"),
    [
        ("inc-2026-07.csv", ["inc-2026-06.csv"], "inc-*.csv"),
        ("inc_20260701-20260731 [1].csv", [], "inc_* [[]1].csv"),
        ("inc 31.07.2026.csv", [], "inc *.csv"),
        ("20260801T100000Z-inc.csv", [], "*-inc.csv"),
        # What it would name beside is no such export; a number is no day.
        ("inc-2026-07.csv", ["inc-notes.csv"], None),
        ("inc-20267.csv", [], None),
        ("incident.csv", [], None),
    ],
)
def test_a_query_reads_the_next_export_too(small, name, others, pattern):
    for each in (name, *others):
        (small / "data" / each).write_text(SERVICENOW if "notes" not in each else "a,b\n1,2\n")
    (recipe,) = recognise(small / "data" / name)
    assert recipe.pattern_of(small / "data" / name) == pattern


def test_an_export_as_long_as_its_tool_lets_it_be_is_refused(small, written):
    """Jira exports a thousand issues at once, GitHub lists thirty requests unless it is told otherwise."""
    written("pulls.json", json.dumps([PULL | {"mergeCommit": {"oid": f"a{number}"}} for number in range(30)]))
    with pytest.raises(SourceError, match="30 records, as many as the tool exports at once"):
        kept(small, "gh")


def said_by(small, *words):
    """Exit code and text of a command over the small organisation."""
    found = CliRunner().invoke(main, ["source", *words, "--org", str(small)])
    return found.exit_code, found.output


def test_the_command_line_adds_a_recipe_and_tries_it(small):
    sources = (small / "sources.toml").read_text().split("[[stream]]")
    (small / "sources.toml").write_text("[[stream]]".join(part for part in sources if 'name = "incidents"' not in part))
    path = small / "data" / "incident.csv"
    path.write_text(SERVICENOW.replace('"web"', '"elsewhere"', 1))
    code, said = said_by(small, "add", str(path))
    assert (code, "opsmetrics source try incidents --source servicenow" in said) == (0, True)
    code, said = said_by(small, "try", "incidents")
    assert code == 0
    assert "incidents from servicenow: 3 rows, 2 would land, 1 set aside, days 2026-08-01 to 2026-08-02" in said
    assert "(first: incident.csv:5)" in said
    assert "no such service: 'elsewhere' (1 rows)" in said
    assert "cannot be told, so that what rests on it is not measured: first_alert_at" in said
    assert said_by(small, "try", "incidents", "--strict")[0] == 1
    assert json.loads(said_by(small, "try", "incidents", "--json")[1])[0]["kept"] == 2
    code, said = said_by(small, "try", "toil_reports")
    assert (code, "nothing delivers the stream 'toil_reports'" in said) == (1, True)
    # The columns of a stream are known without a recipe.
    (small / "data" / "points.csv").write_text("DATASTORE_ID;TAKEN_AT;IS_USABLE\nweb;01.08.2026 02:00;SANN\n")
    code, said = said_by(small, "add", str(small / "data" / "points.csv"))
    assert (code, "a file with the columns of recovery_points" in said) == (0, True)
    assert "1 rows, 1 would land" in said_by(small, "try", "recovery_points", "--source", "export")[1]
    (small / "data" / "other.csv").write_text("a,b\n1,2\n")
    code, said = said_by(small, "add", str(small / "data" / "other.csv"))
    assert (code, "no recipe fits it" in said, "--stream incidents writes a draft" in said) == (1, True, True)
    (small / "data" / "shifts.pdf").write_text("%PDF")
    for words in ((), ("--stream", "oncall_shifts")):
        code, said = said_by(small, "add", str(small / "data" / "shifts.pdf"), *words)
        assert (code, "reads no files of this format" in said) == (1, True)


def test_of_a_list_of_tasks_a_due_day_and_a_due_time_are_read(small):
    path = small / "data" / "tasks.csv"
    path.write_text("task_id;team_id;first_due_at\nt1;alfa;13.08.2026\nt2;alfa;14.08.2026 08:00\n")
    own_columns(path).write(small, path)
    good, aside = kept(small, "export")
    assert aside.height == 0
    assert good["first_due_at"].to_list() == [utc("2026-08-13T21:59:59"), utc("2026-08-14T06:00:00")]


BUILDS = {"count": 2, "build": [{"id": 7, "finishDate": "20260801T080500+0200"}, {"id": 8}], "tags": [{"a": 1}]}
DRAFTS = {
    "builds.json": (json.dumps(BUILDS), '{ path = "builds.json", records = "build" }', "finishdate, id"),
    "lines.json": ('{"id": 7, "finishDate": "x"}\n{"id": 8}\n', '{ path = "lines.json", format = "jsonl" }', "finishdate, id"),
    "jobs.csv": ("Jobs of Monday\n\nid;finish date\n7;x\n", '{ path = "jobs.csv", skip_lines = 2 }', '"finish date", id'),
    "ends.csv": ('"ID";"finish date"\n"7";"x";\n', '"ends.csv"', '"finish date", id'),
    "one.json": ('{"id": 7, "deployed_at": "2026-08-01T06:05:00Z"}', '"one.json"', "deployed_at, id"),
}  # fmt: skip


ODD = 'a" }\n-- x = 1\n--\x7f\x85\u2028æ'


def test_names_in_an_export_write_no_lines_of_their_own_into_a_draft(small):
    path = small / "data" / "plain.db"
    with closing(sqlite3.connect(path)) as con:
        con.execute('create table "{}" (id text, b text)'.format(ODD.replace('"', '""')))
        con.execute('insert into "{}" values (1, 2)'.format(ODD.replace('"', '""')))
        con.commit()
    odd = shutil.copy(path, small / "data" / f"{ODD.replace('/', '')}.db")
    code, said = said_by(small, "add", str(odd), "--stream", "deployments")
    assert (code, "rename" in said) == (1, True)
    assert said_by(small, "add", str(path), "--stream", "deployments")[0] == 0
    (draft,) = small.glob("sources/deployments*.sql")
    header = read_header(draft.read_text())
    assert header.keys() == {"source", "files", "naive_time"}
    assert header["files"]["item"]["table"] == ODD
    assert header["files"]["item"]["path"].endswith(path.name)
    lines = draft.read_text().splitlines()
    assert all(line.startswith("--") for line in lines[: lines.index("select")])


@pytest.mark.parametrize("name", DRAFTS)
def test_of_an_export_that_no_recipe_knows_a_draft_is_written(small, name):
    content, files_said, columns = DRAFTS[name]
    (small / "data" / name).write_text(content)
    code, said = said_by(small, "add", str(small / "data" / name), "--stream", "deployments")
    assert (code, "write what stands for each null" in said) == (0, True)
    (path,) = (each for each in small.glob("sources/deployments*.sql"))
    text = path.read_text()
    assert f"-- files.item = {files_said}\n" in text
    assert f"-- # The file has: {columns}\n" in text
    assert "    null as actor_kind,  -- required: What rolled it out; one of pipeline, human\n" in text
    assert ('    "deployed_at" as deployed_at,' in text) == (name == "one.json")
    # It can be tried as it is, says what is missing, and is filled in where it stands.
    source = text.splitlines()[0].removeprefix("-- source = ").strip('"')
    code, said = said_by(small, "try", "deployments", "--source", source)
    why = "3 fields where the header names 2" if name == "ends.csv" else "deployment_id: missing"
    assert (code, why in said) == (1, True)
    filled = {"deployment_id": "id", "service_id": "'web'", "environment": "'production'", "actor_kind": "'pipeline'"}
    if name == "builds.json":
        filled["deployed_at"] = "instant(finishDate, '%Y%m%dT%H%M%S%z')"
        for column, value in filled.items():
            text = text.replace(f"null as {column}", f"{value} as {column}")
        path.write_text(text)
        good, aside = kept(small, source)
        assert good.select("deployment_id", "deployed_at").rows() == [("7", utc("2026-08-01T06:05:00"))]
        assert aside["_line"].to_list() == [2]


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("uptime_kuma_heartbeats", 'services.toml: write { id = "Søknad \\"ny\\"", hold_minutes = 20 } into monitors'),
        ("restic_snapshots", 'datastores.toml: write [[datastore]] with id = "web-01-etc-db-var-lib-db"'),
        ("veeam_sessions", "mapped(..., map { 'web nattlig': 'web-nattlig' }) as datastore_id"),
        ("servicenow_incidents", 'services.toml: write "elsewhere" into aliases of the service'),
    ],
)
def test_a_name_that_leads_nowhere_is_told_what_to_write_where(small, written, name, fix):
    others = {
        "servicenow_incidents": ("incident.csv", SERVICENOW.replace('"web"', '"elsewhere"').encode()),
        "uptime_kuma_heartbeats": (
            "kuma.db",
            kuma([(1, 1, 1, "2026-08-01 10:00:00", 1)], [(1, 'Søknad "ny"', 1, 60, "http")]),
        ),
    }
    path = written(*(others.get(name) or EXPORTS[name][:2]), name)
    sources = (small / "sources.toml").read_text().split("[[stream]]")
    stream = path.name.split(".", 1)[0]
    kept_parts = [part for part in sources if f'name = "{stream}"' not in part]
    (small / "sources.toml").write_text("[[stream]]".join(kept_parts))
    found = said_by(small, "try", stream)[1]
    assert fix in found
    assert found.count("    fix: ") == 1
    assert all(each["fix"] for each in json.loads(said_by(small, "try", stream, "--json")[1])[0]["strange_names"])


def test_a_file_elsewhere_is_told_where_to_lie(small, tmp_path):
    path = tmp_path / "elsewhere" / "incident.csv"
    path.parent.mkdir()
    path.write_text(SERVICENOW)
    with pytest.raises(ConfigurationError, match="neither below the root"):
        recognise(path)[0].write(small, path)


def test_what_is_no_export_is_not_recognised(tmp_path):
    for name, content in (
        ("empty.csv", b""),
        ("broken.json", b"{"),
        ("other.csv", b"a,b\n1,2\n"),
        ("x.png", b"\x89PNG"),
        ("no.xlsx", b"PK"),
        ("no.parquet", b"PAR1"),
        # Another tool writes the same form of other things.
        ("xeol.json", EXPORTS["grype_report"][1].replace('"grype"', '"xeol"').encode()),
    ):
        (tmp_path / name).write_bytes(content)
        assert recognise(tmp_path / name) == []


def test_the_documents_list_every_recipe():
    text = (Path(__file__).resolve().parents[3] / "docs" / "sources.md").read_text(encoding="utf-8")
    assert [recipe.name for recipe in recipes() if f"`{recipe.name}`" not in text] == []


def test_no_recipe_makes_nothing_of_what_it_cannot_read(small, written):
    for name, (file, content, _, _) in EXPORTS.items():
        written(f"{name}/{file}", content, name)
    for query in load_organisation(small).queries:
        assert parsed(query, query.path).forgiving == (), query.path


@pytest.mark.parametrize("recipe", recipes(), ids=lambda recipe: recipe.name)
def test_a_recipe_gives_the_required_columns_of_its_stream(recipe):
    for column in STREAMS[recipe.stream].columns:
        if column.required:
            assert column.name in recipe.select
