"""What a page gives as files: one menu, last on the page, with the name of each table; and figures by their charts."""

from __future__ import annotations

import re

import pytest

from opsmetrics.language.texts import LANGUAGES, text
from opsmetrics.reports.addresses import PAGES
from opsmetrics.snapshots.queries.facts import FACTS
from scorecard_app import downloads
from tests.pages import flat, open_page

CHOSEN = {"team": "sjokart", "metric": "mon_alert_precision", "area": "bck"}


def menu_of(html: str) -> str:
    found = re.findall(r'<section><div id="files".*?</section>|<section>.*?id="files".*?</section>', html, re.DOTALL)
    assert len(found) <= 1, "one menu"
    return found[0] if found else ""


@pytest.mark.parametrize("place", PAGES, ids=lambda place: place.name)
def test_every_file_of_a_page_stands_in_its_one_menu(homes, monkeypatch, place):
    query = {key: value for key, value in CHOSEN.items() if key in place.parameters and place.name != "gaps"}
    app, html = open_page(place.name, homes["full"], monkeypatch, lang="nb", **query)
    menu = menu_of(html)
    assert html.count("/ned/") == menu.count("/ned/"), "no file elsewhere"
    assert html.count("data-figure=") == menu.count("data-figure=")
    assert ('href="#files"' in html) == bool(menu), "the way to it stands above where there is one"
    lines = re.findall(r'<li><span class="name">(.*?)</span>(.*?)</li>', menu, re.DOTALL)
    assert len({kinds for _, kinds in lines}) == len(lines), "nothing twice"
    # A figure is found by the key of its chart: there is one for each, and the page has it.
    charts = set(re.findall(r'data-chart="([^"]+)"', menu))
    keys = {element.proto.id.rsplit("-", 1)[-1] for element in app.main if element.type == "plotly_chart"}
    assert len(charts) == sum(element.type == "plotly_chart" for element in app.main), (charts, keys)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_table_has_a_name_that_people_know(language):
    names = {name: text(language, f"facts.{name}" if name in FACTS else f"file.{name}") for name in downloads.TABLES}
    assert len(set(names.values())) == len(names), "no two are called alike"


def test_where_nothing_is_measured_no_menu_promises_it(homes, monkeypatch):
    _, html = open_page("compare", homes["empty"], monkeypatch, lang="en")
    assert menu_of(html) == ""
    assert text("en", "app.download") not in flat(html).split("Updated")[0].split()


def test_a_range_that_is_one_number_is_no_range(homes, monkeypatch):
    _, html = open_page("team", homes["full"], monkeypatch, team="sjokart", lang="en")
    assert not re.search(r"\b(\d+)–\1\b", flat(html))
    _, html = open_page("overview", homes["full"], monkeypatch, lang="en")
    assert not re.search(r"possible range (\d+)–\1\b", html)
    assert "possible range" in html
