"""A team's page in a real browser: what to do first, the way out of the app, areas, and pages of a list."""

from __future__ import annotations

from collections.abc import Generator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from opsmetrics.language.details import detail
from opsmetrics.snapshots.store import open_current
from tests.browser.test_browser import violations
from tests.browser.watched import Watched, until

NARROW = {"width": 390, "height": 844}
# Words that a box cuts: wider or higher than it, and hidden.
CLIPPED = """() => [...document.querySelectorAll('.ops .first *, .ops table.decisions *, .ops table.parts *')]
    .filter(e => !e.closest('caption, .unseen, .track') && e.children.length === 0 && e.textContent.trim())
    .filter(e => ['hidden', 'clip'].includes(getComputedStyle(e).overflowX) && e.scrollWidth > e.clientWidth + 1)
    .map(e => e.textContent)"""


@pytest.fixture
def watched(windows, apps) -> Generator[Watched]:
    with windows.lent() as lend:
        yield lend(apps("full"))


def top_of(page: Page, selector: str) -> float:
    return page.evaluate("s => document.querySelector(s).getBoundingClientRect().top", selector)


def test_a_link_out_keeps_its_guards_in_the_browser_and_nothing_is_asked_of_the_source(watched, demo_home):
    """What the sanitiser leaves of a link: its host is one of the templates', and it opens apart without a handle."""
    page = watched.open("team", team="ankerplass")
    links = page.locator(".ops a.outward")
    with open_current(demo_home / "snapshots") as con:
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
    page.locator('.ops table.areas a[href*="area=sec"]').first.click()
    until(page, "document.querySelector('.ops details.chosen[open]')?.id === 'area-sec'")
    assert "area=sec" in page.url
    until(page, "Math.abs(document.querySelector('.ops details.chosen').getBoundingClientRect().top) < 120")
    assert page.locator(".ops details.chosen table a").first.is_visible()


def test_a_part_opens_where_the_reader_is_and_stays_open_in_its_link(watched):
    page = watched.open("team", team="sjokart")
    page.locator('.ops a[data-open="formula"]').scroll_into_view_if_needed()
    before = top_of(page, "#open-formula")
    page.locator('.ops a[data-open="formula"]').focus()
    page.keyboard.press("Enter")
    until(page, "document.activeElement?.matches('#open-formula[open] > summary')")
    assert abs(top_of(page, "#open-formula") - before) < 2, "nothing moves under the reader"
    page.keyboard.press("Tab")
    page.locator('.ops a[data-open="diagnostics"]').click()
    until(page, "!!document.querySelector('#open-diagnostics[open] table')")
    assert page.locator("#open-formula[open] .equation").count() == 8
    assert "open=formula.diagnostics" in page.url
    page.go_back()
    until(page, "!document.querySelector('#open-diagnostics[open]')")
    assert page.locator("#open-formula[open]").count() == 1


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
def test_nothing_is_cut_on_a_phone_and_axe_finds_nothing(watched, path, lang):
    watched.page.set_viewport_size(NARROW)
    name, _, query = path.partition("?")
    page = watched.open(name, lang=lang, **dict(part.split("=") for part in query.split("&") if part))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(CLIPPED) == []
    assert violations(page) == []


def ask(home, query: str) -> list[tuple]:
    # As the library opens it: no process opens a file twice in different ways, and another file of tests may have.
    with open_current(home / "snapshots") as con:
        return con.execute(query).fetchall()


def block(page: Page) -> str:
    return page.locator(".ops section.first").inner_text()


def test_five_questions_of_a_team_lead_are_answered_within_two_clicks(watched, demo_home):
    """Asked of what stands on the screen, beginning at the team's own page; the answers are SQL's."""
    # 1. What do we do first, whose task is it, by when? No click.
    page = watched.open("team", team="fiskekvote", lang="en")
    ((role, due),) = ask(
        demo_home,
        """select owner_role, strftime(due_on, '%-d %B %Y') from ref.goals
           where team_id = 'fiskekvote' and metric_id = 'sec_overdue_exploited' and is_open""",
    )
    ((tier, service),) = ask(
        demo_home,
        """select v.tier, v.service_id from facts.vulnerabilities as v
           join ref.owned_services as o on o.service_id = v.service_id and o.grain = 'latest' and o.team_id = 'fiskekvote'
           where v.is_urgent and v.due_at <= o.as_of and coalesce(v.fixed_at >= o.as_of, true)""",
    )
    first = block(page).replace("\u00a0", " ")
    assert detail("en", f"{service}: {tier}") in first
    assert {"security_lead": "Security lead"}[role] in first
    assert f"Due {due}." in first
    # 2. Which datastore has no backup? No click.
    page = watched.open("team", team="ankerplass", lang="en")
    ((store,),) = ask(
        demo_home,
        """select datastore_id from ref.owned_datastores where grain = 'latest' and team_id = 'ankerplass'
           and data_class = 'A' and datastore_id not in (select datastore_id from facts.recovery_points where is_usable)""",
    )
    assert store in block(page)
    # 3. How many steps and days to the next level, and when at the earliest? No click; the steps: one.
    page = watched.open("team", team="farled", lang="en")
    ((steps, days, day),) = ask(
        demo_home,
        """select count(*), cast(sum(effort_days) as integer), strftime(max(level_on), '%-d %B %Y')
           from scores.plan where team_id = 'farled'""",
    )
    way = block(page).replace("\u00a0", " ")
    assert f"{steps} steps and {days} team-days. The level can be reached on {day} at the earliest." in way
    page.locator(".ops section.first summary").click()
    assert page.locator(".ops section.first tbody tr").count() == steps
    # 4. Which metric of Security is worst at the team, and how far is it from the requirement? One click.
    page = watched.open("team", team="havneavgift", lang="en")
    page.locator('.ops table.areas a[href*="area=sec"]').first.click()
    until(page, "document.querySelector('.ops details.chosen[open]')?.id === 'area-sec'")
    ((title, value, krav),) = ask(
        demo_home,
        """select m.title_en, s.value, m.krav from scores.metric as s join meta.metrics as m using (metric_id)
           where s.grain = 'latest' and s.team_id = 'havneavgift' and m.area_id = 'sec' order by s.points limit 1""",
    )
    row = page.locator(".ops details.chosen tbody tr", has_text=title).inner_text()
    assert f"{value * 100:.1f}%" in row
    assert f"{krav * 100:.0f}" in row
    # 5. Which incidents lack their review, and where is the newest? Two clicks: the gap, and out of the app.
    page = watched.open("team", team="mannskap", lang="en")
    watched.follow(page.locator('.ops table.gaps a[href*="inc_postmortem_on_time"]').first)
    lacking = ask(
        demo_home,
        """select incident_id from facts.incidents, (select as_of from ref.as_of where grain = 'latest')
           where team_id = 'mannskap' and needs_postmortem and postmortem_due_at < as_of
           and postmortem_due_at >= as_of - interval 365 day
           and not coalesce(postmortem_published_at <= postmortem_due_at and is_postmortem_reviewed, false)
           order by postmortem_due_at desc""",
    )
    rows = page.locator("table.rows a.outward").all_inner_texts()
    for (incident,) in lacking:
        assert any(words.startswith(incident) for words in rows), incident
    newest = page.locator("a.outward", has_text=lacking[0][0]).first.get_attribute("href") or ""
    assert newest.endswith(f"q={lacking[0][0]}")
