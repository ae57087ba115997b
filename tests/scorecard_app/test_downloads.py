"""Every table as every kind of file, asked like a browser does, over full, empty and half-missing snapshots."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from dataclasses import dataclass

import httpx
import openpyxl
import polars as pl
import pytest
from starlette.applications import Starlette

from opsmetrics.language.texts import LANGUAGES, text
from opsmetrics.reports import addresses
from opsmetrics.snapshots.queries.reader import query
from opsmetrics.snapshots.store import current
from scorecard_app import access, downloads, file_addresses, known

PARAMETERS = {"team": "sjokart", "area": "bck", "metric": "mon_alert_precision", "lang": "en"}
TEAMS = {"full": "sjokart", "half": "alfa", "empty": "core"}


@pytest.fixture(scope="module")
def get() -> Callable[[str], httpx.Response]:
    """Ask the routes for an address, in this process."""
    transport = httpx.ASGITransport(Starlette(routes=downloads.ROUTES))

    async def ask(path: str) -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://app.invalid") as client:
            return await client.get(path)

    return lambda path: asyncio.run(ask(path))


@pytest.mark.parametrize("kind", ["full", "half", "empty"])
@pytest.mark.parametrize("table", downloads.TABLES)
def test_every_table_is_the_same_in_every_kind_of_file(get, homes, monkeypatch, kind, table):
    monkeypatch.setenv("OPSMETRICS_HOME", str(homes[kind]))
    chosen = PARAMETERS | {"team": TEAMS[kind]}
    values = {key: chosen[key] for key in (*file_addresses.NEEDED.get(table, ()), "lang")}
    answers = {name: get(downloads.address(table, name, values)) for name in downloads.KINDS}
    assert {answer.status_code for answer in answers.values()} == {200}, answers["csv"].text
    rows = pl.read_parquet(io.BytesIO(answers["parquet"].content))
    written = pl.read_csv(answers["csv"].content, infer_schema=False, quote_char='"')
    assert written.height == rows.height
    assert written.columns[:-4] == rows.columns
    assert written.columns[-4:] == ["_source", "_table", "_period", "_snapshot"]
    assert answers["xlsx"].content[:2] == b"PK"
    assert f'attachment; filename="{table}-' in answers["csv"].headers["content-disposition"]


def test_numbers_in_the_file_are_those_of_the_snapshot(get, homes, monkeypatch):
    monkeypatch.setenv("OPSMETRICS_HOME", str(homes["full"]))
    found = pl.read_csv(get("/ned/area-scores.csv?lang=en&team=sjokart").content)
    assert found.height == 7
    norwegian = get("/ned/area-scores.csv?team=sjokart").content.decode("utf-8-sig")
    again = pl.read_csv(norwegian.encode(), separator=";", decimal_comma=True)
    assert again["score"].to_list() == pytest.approx(found["score"].to_list())
    month = pl.read_csv(get("/ned/area-scores.csv?lang=en&team=sjokart&period=2026-03").content)
    assert month["_period"].unique().to_list() == ["2026-03"]
    assert month["score"].to_list() != found["score"].to_list()


@pytest.mark.parametrize("path", ["nothing.csv", "gaps.exe", "evidence.csv?metric=none", "../gaps.csv"])
def test_what_is_not_there_is_not_found(get, homes, monkeypatch, path):
    monkeypatch.setenv("OPSMETRICS_HOME", str(homes["full"]))
    assert get(f"/ned/{path}").status_code == 404


def test_nothing_is_given_before_the_first_snapshot(get, homes, monkeypatch):
    monkeypatch.setenv("OPSMETRICS_HOME", str(homes["none"]))
    assert get("/ned/gaps.csv").status_code == 404


@pytest.mark.parametrize("home", ["full", "half", "empty"])
@pytest.mark.parametrize("kind", ["html", "pdf", "pptx", "xlsx"])
def test_the_brief_can_be_fetched(get, homes, monkeypatch, home, kind):
    monkeypatch.setenv("OPSMETRICS_HOME", str(homes[home]))
    answer = get(downloads.address(downloads.BRIEF, kind, {"lang": "en"}))
    assert answer.status_code == 200
    assert answer.content[:2] == {"html": b"<!", "pdf": b"%P"}.get(kind, b"PK")
    assert f'-en.{kind}"' in answer.headers["content-disposition"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_workbook_speaks_the_readers_language(get, homes, monkeypatch, language):
    monkeypatch.setenv("OPSMETRICS_HOME", str(homes["full"]))
    book = openpyxl.load_workbook(io.BytesIO(get(f"/ned/goals.xlsx?lang={language}").content))
    data, about = book.worksheets
    assert (data.title, about.title) == {"nb": ("Tall", "Kilde"), "en": ("Data", "Source")}[language]
    assert data.freeze_panes == "A2"
    assert about["A1"].value == text(language, "export.fact_source")
    assert ("oppdiktet" if language == "nb" else "invented") in about["B1"].value
    names = [cell.value for cell in data[1]]
    day = data.cell(row=2, column=names.index("due_on") + 1)
    assert day.is_date
    assert day.number_format == {"nb": "dd.mm.yyyy", "en": "d mmm yyyy"}[language]


def test_the_whole_file_is_given_as_it_is_to_administrators_alone(get, homes, monkeypatch):
    monkeypatch.setenv("OPSMETRICS_HOME", str(homes["half"]))
    address = downloads.address(downloads.SNAPSHOT, "duckdb", {})
    snapshot = current(homes["half"] / "snapshots")
    answer = get(address)
    assert answer.status_code == 200
    assert answer.content == snapshot.path.read_bytes()
    assert snapshot.file in answer.headers["content-disposition"]
    for role in ("viewer", "member"):
        monkeypatch.setattr(
            access, "permissions_in", lambda _, role=role: access.Permissions(role, frozenset({"sjokart"}))
        )
        refused = get(address)
        assert refused.status_code == 403
        assert len(refused.content) < 100
    assert get("/ned/snapshot.csv").status_code == 404


def test_a_snapshot_of_another_version_is_one_line(get, homes, monkeypatch):
    """Columns that this version asks for are not there: what to do is said, and no traceback."""
    monkeypatch.setenv("OPSMETRICS_HOME", str(homes["full"]))

    def gaps(snapshot, *_):
        return query(snapshot, Odd, "select 1 as other")

    monkeypatch.setitem(downloads.TABLES, "gaps", gaps)
    answer = get("/ned/gaps.csv")
    assert answer.status_code == 404
    assert "column wanted is missing" in answer.text
    assert answer.text.count("\n") == 1


def test_a_name_of_other_letters_is_a_file_name(get, homes, monkeypatch):
    monkeypatch.setenv("OPSMETRICS_HOME", str(homes["full"]))
    monkeypatch.setattr(downloads, "wrong", lambda *_: None)
    answer = get("/ned/evidence.csv?metric=inc_oncall_coverage&team=日本")
    assert answer.status_code == 200
    assert answer.headers["content-disposition"].isascii()
    answer = get(f"/ned/gaps.csv?team={'a' * 20_000}")
    assert len(answer.headers["content-disposition"]) < 255


@pytest.mark.parametrize("kind", ["full", "half", "empty"])
@pytest.mark.parametrize("table", [*downloads.TABLES, downloads.BRIEF, downloads.SNAPSHOT])
def test_what_an_address_asks_for_in_vain_is_an_error_that_says_so(get, homes, monkeypatch, table, kind):
    """A mistyped team once gave no rows, and a month that is not there the newest numbers, both as if all were well."""
    monkeypatch.setenv("OPSMETRICS_HOME", str(homes[kind]))
    file = {downloads.BRIEF: "html", downloads.SNAPSHOT: "duckdb"}.get(table, "csv")
    whole = PARAMETERS | {"team": TEAMS[kind]}
    for key, bad in {"team": "sjokrt", "area": "back", "metric": "mon_x", "period": "2026-13", "lang": "xx"}.items():
        answer = get(addresses.file(table, file, whole | {key: bad}))
        assert answer.status_code == 404, key
        assert answer.text.startswith(f"no such {'language' if key == 'lang' else key}; there are ")
        assert bad not in answer.text
        assert answer.text.count("\n") == 1
    assert get(addresses.file(table, file, whole | {"tema": "sjokart"})).status_code == 400
    several = get(f"{addresses.file(table, file, whole)}&area=mon")
    if file != "csv":
        answer = get(addresses.file(table, file, {"team": TEAMS[kind]}))
        assert (answer.status_code, answer.text.split(":")[0]) == (400, f"{table} cannot be had for one team")
    assert (several.status_code, several.text) == (400, "the address has several values of area\n")


def test_a_table_of_one_team_is_not_given_without_it(get, homes, monkeypatch):
    """Such a file was given without rows. Each table gives rows, or says what to add."""
    monkeypatch.setenv("OPSMETRICS_HOME", str(homes["full"]))
    for table in downloads.TABLES:
        answer = get(f"/ned/{table}.csv?team=")
        needed = file_addresses.NEEDED.get(table)
        if needed:
            expected = f"{table} is a table of one {needed[0]}: add {needed[0]}= to the address\n"
            assert (answer.status_code, answer.text) == (400, expected)
        else:
            assert answer.status_code == 200


@pytest.mark.parametrize("table", downloads.TABLES)
def test_a_file_holds_no_rows_of_anything_else_than_was_asked_for(get, homes, monkeypatch, table):
    """Tables whose query takes no area or metric passed the word over, and the file held them all."""
    monkeypatch.setenv("OPSMETRICS_HOME", str(homes["full"]))
    chosen = PARAMETERS | {"area": "mon", "role": "tech_lead", "effort": "S"}
    for key, column in known.COLUMNS.items():
        needed = {name: chosen[name] for name in file_addresses.NEEDED.get(table, ())}
        answer = get(addresses.file(table, "parquet", needed | {key: chosen[key]}))
        if answer.status_code == 400:
            assert answer.text == f"{table} cannot be had for one {key}: leave {key}= out of the address\n"
            assert key not in needed
            continue
        rows = pl.read_parquet(io.BytesIO(answer.content))
        if column in rows.columns:
            assert set(rows[column].to_list()) <= {chosen[key]}, key


def test_a_table_of_now_is_not_said_to_be_of_a_month(get, homes, monkeypatch):
    monkeypatch.setenv("OPSMETRICS_HOME", str(homes["full"]))
    found = {
        table: get(f"/ned/{table}.csv?lang=en&period=2026-03").content
        for table in downloads.TABLES
        if table not in file_addresses.NEEDED
    }
    of_now = {table for table in found if found[table] == get(f"/ned/{table}.csv?lang=en").content}
    assert {table for table in of_now if pl.read_csv(found[table], infer_schema=False).height} <= downloads.OF_NOW
    assert of_now >= downloads.OF_NOW


@dataclass(frozen=True, slots=True)
class Odd:
    """A row that no snapshot holds."""

    wanted: str
