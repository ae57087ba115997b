"""A team's page in a real browser: what to do first, the way out of the app, areas, and pages of a list."""

from __future__ import annotations

from collections.abc import Generator
from urllib.parse import urlsplit

import duckdb
import pytest
from playwright.sync_api import Browser, Page

from tests.apps import browser, running_app
from tests.browser.test_browser import Watched, until, violations

__all__ = ["browser"]
NARROW = {"width": 390, "height": 844}
# Words that a box cuts: wider or higher than it, and hidden.
CLIPPED = """() => [...document.querySelectorAll('.ops .first *, .ops table.decisions *, .ops table.parts *')]
    .filter(e => !e.closest('caption, .unseen, .track') && e.children.length === 0 && e.textContent.trim())
    .filter(e => ['hidden', 'clip'].includes(getComputedStyle(e).overflowX) && e.scrollWidth > e.clientWidth + 1)
    .map(e => e.textContent)"""


@pytest.fixture(scope="module")
def address(demo_home, tmp_path_factory) -> Generator[str]:
    with running_app(demo_home, tmp_path_factory.mktemp("app") / "log") as found:
        yield found


@pytest.fixture
def watched(browser: Browser, address: str) -> Generator[Watched]:
    found = Watched(browser, address)
    yield found
    found.context.close()
    assert found.faults == []


def top_of(page: Page, selector: str) -> float:
    return page.evaluate("s => document.querySelector(s).getBoundingClientRect().top", selector)


def test_a_link_out_keeps_its_guards_in_the_browser_and_nothing_is_asked_of_the_source(watched, demo_home):
    """What the sanitiser leaves of a link: its host is one of the templates', and it opens apart without a handle."""
    page = watched.open("team", team="ankerplass")
    links = page.locator(".ops a.outward")
    with duckdb.connect(demo_home / "snapshots" / "current.duckdb", read_only=True) as con:
        hosts = {
            urlsplit(template).netloc
            for (template,) in con.execute("select template from meta.source_links").fetchall()
        }
    assert links.count() >= 1
    for link in links.all():
        assert urlsplit(link.get_attribute("href") or "").netloc in hosts
        assert link.get_attribute("rel") == "noopener noreferrer"
        assert link.get_attribute("target") == "_blank"
    # Watched reports every request that leaves the host.


def test_a_row_of_the_areas_opens_its_area_on_the_page_and_is_marked(watched):
    page = watched.open("team", team="sjokart")
    assert page.locator(".ops details.area[open]").count() == 0
    page.locator(".ops table.areas a", has_text="Sikkerhet").click()
    until(page, "document.querySelector('.ops details.chosen[open]')?.id === 'area-sec'")
    assert "area=sec" in page.url
    until(page, "Math.abs(document.querySelector('.ops details.chosen').getBoundingClientRect().top) < 120")
    assert page.locator(".ops details.chosen table a").first.is_visible()


def test_a_tile_of_the_overview_leads_to_its_area_on_the_team_page(watched):
    page = watched.open("")
    tile = page.locator('.ops a.cell[href*="team=sjokart"][href*="area=bck"]').first
    watched.follow(tile)
    until(page, "document.querySelector('.ops details.chosen[open]')?.id === 'area-bck'")
    until(page, "document.querySelector('.ops details.chosen').getBoundingClientRect().top < innerHeight")


def test_links_on_the_page_jump_and_keep_the_page(watched):
    page = watched.open("team", team="ankerplass")
    for anchor in ("gaps", "incidents", "change", "metrics"):
        page.locator(f'.ops nav a[href$="#{anchor}"]').click()
        until(page, "id => document.getElementById(id).getBoundingClientRect().top < innerHeight / 2", anchor)
        assert page.locator(".ops h1").inner_text() == "Ankerplass"


def test_the_next_page_of_a_list_begins_at_its_top(watched):
    """B11: the reader was left at the foot of the page."""
    page = watched.open("forbedring")
    second = page.locator('.ops ul.choice a[href*="side=2"]').first
    second.scroll_into_view_if_needed()
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") > 0
    second.click()
    until(page, "document.querySelector('.ops ul.choice a[aria-current=page]')?.textContent === '2'")
    until(page, "document.querySelector('[data-testid=stMain]').scrollTop === 0")


@pytest.mark.parametrize("path", ["team?team=fiskekvote", "beslutninger", "forbedring?team=ankerplass"])
@pytest.mark.parametrize("lang", ["nb", "en"])
def test_nothing_is_cut_on_a_phone_and_axe_finds_nothing(browser, address, path, lang):
    found = Watched(browser, address)
    found.page.set_viewport_size(NARROW)
    name, _, query = path.partition("?")
    page = found.open(name, lang=lang, **dict(part.split("=") for part in query.split("&") if part))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(CLIPPED) == []
    assert violations(page) == []
    found.context.close()
