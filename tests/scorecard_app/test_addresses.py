"""The table of addresses: every page is in it once, and everything that leads to a page asks it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from opsmetrics.language.texts import LANGUAGES, texts
from opsmetrics.reports import addresses
from opsmetrics.reports.addresses import FILES, GAPS, OVERVIEW, PAGES, SHARED, TEAM
from scorecard_app import views
from scorecard_app.downloads import ROUTES

ROOT = Path(__file__).resolve().parents[2]
VIEWS = ROOT / "scorecard_app" / "views"


def test_names_and_paths_are_each_used_once():
    assert len({page.name for page in PAGES}) == len({page.path for page in PAGES}) == len(PAGES)
    declared = {value for value in vars(addresses).values() if isinstance(value, addresses.AppPage)}
    assert declared == set(PAGES)
    assert all(re.fullmatch(r"[a-z]*", page.path) for page in PAGES)


def test_every_page_has_a_view_and_every_view_a_page():
    with_render = {
        path.stem for path in VIEWS.glob("*.py") if re.search(r"^def render\(page", path.read_text(), re.MULTILINE)
    }
    assert with_render == {page.name for page in PAGES}
    for page in PAGES:
        assert callable(views.render(page))
        assert f"@view({page.name.upper()})" in (VIEWS / f"{page.name}.py").read_text()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_called_something(language):
    assert {f"nav.{page.name}" for page in PAGES} <= texts(language).keys()


def test_no_path_is_written_outside_the_table():
    """Neither in the app nor in what links to it; words of the same spelling are no paths."""
    paths = {page.path for page in PAGES} - {"", TEAM.path}
    for folder in ("scorecard_app", "opsmetrics", "assets", "pipelines", "benchmarks"):
        for path in (ROOT / folder).rglob("*.py"):
            if path.name == "addresses.py":
                continue
            texts_there = [
                node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)
            ]
            found = [text for text in texts_there if isinstance(text, str) and text.strip("/?") in paths]
            assert found == [], path


def test_every_parameter_that_a_page_reads_is_declared():
    declared = {name for page in PAGES for name in page.parameters} | set(SHARED)
    read: set[str] = set()
    for path in (ROOT / "scorecard_app").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                called = ast.unparse(node.func)
                if called in {"st.query_params.get", "st.query_params.get_all", "selected_id"}:
                    read.add(node.args[0].value)
    assert {"period", "lang", "team", "side"} <= read
    assert read <= declared


def test_an_address_keeps_the_state_and_says_its_own():
    address = TEAM.at(team="sjø & land", area=None)
    assert address.href() == "/team?team=sj%C3%B8+%26+land"
    assert address.href({"lang": "en", "period": None}) == "/team?lang=en&team=sj%C3%B8+%26+land"
    assert TEAM.at(lang="nb").href({"lang": "en"}) == "/team?lang=nb"
    assert address.url("https://ops.example.org") == "https://ops.example.org/team?team=sj%C3%B8+%26+land"
    assert OVERVIEW.at().url("https://ops.example.org") == "https://ops.example.org"
    assert addresses.here(GAPS, {"side": "3", "area": "bck", "page": "x"}, side=None) == "/forbedring?area=bck"


def test_an_unknown_parameter_is_refused():
    with pytest.raises(ValueError, match="page gaps takes no colour"):
        GAPS.at(colour="red")


def test_files_have_the_address_that_the_server_and_the_script_know():
    assert addresses.file("gaps", "csv", {"team": "a b", "area": None}) == "/ned/gaps.csv?team=a+b"
    assert [route.path for route in ROUTES] == [f"{FILES}/{{table}}.{{kind}}"]
    assert f'startsWith("{FILES}/")' in (ROOT / "scorecard_app" / "shell.js").read_text()


def test_the_document_of_the_app_names_every_page():
    text = (ROOT / "docs" / "app.md").read_text()
    assert [page.name for page in PAGES if f"`/{page.path}`" not in text] == []
    for name in {name for page in PAGES for name in page.parameters}:
        assert f"`{name}`" in text
