"""Every page at the widths of phones, tablets and screens: nothing is cut off, nothing lies beside the page; and on paper.

Each page is loaded once a language, and the window is made narrower and wider.
"""

from __future__ import annotations

import pytest

from opsmetrics.language.texts import LANGUAGES
from opsmetrics.reports.addresses import PAGES
from tests.altered import altered
from tests.apps import running_app
from tests.asking import settle
from tests.patience import LIMIT_MS

WIDTHS = (1440, 1024, 768, 390, 320)
# What is cut: an element that hides what does not fit, and holds more than fits. What scrolls by itself is not cut.
CUT = """() => {
  const main = document.querySelector('[data-testid=stMain]');
  const found = [];
  if (main.scrollWidth > main.clientWidth + 4) found.push(`page: ${main.scrollWidth} in ${main.clientWidth}`);
  for (const node of main.querySelectorAll('.ops *')) {
    const style = getComputedStyle(node);
    const hides = ['hidden', 'clip'].includes(style.overflowX) || style.textOverflow === 'ellipsis';
    const isHidden = style.clipPath !== 'none' || node.closest('[aria-hidden=true], svg, caption') || node.clientWidth <= 1;
    if (hides && !isHidden && node.scrollWidth > node.clientWidth + 1)
      found.push(`cut ${node.tagName}.${node.className}: ${node.textContent.trim().slice(0, 40)}`);
    // Words that run out of a box of their own, such as a cell or a tag.
    if (node.matches('.cell, .tag, td, th, dd, dt, button, a') && !isHidden && node.clientWidth > 1 && style.display !== 'inline'
        && !node.closest('.scroll') && node.scrollWidth > node.clientWidth + 1)
      found.push(`out ${node.tagName}.${node.className}: ${node.textContent.trim().slice(0, 40)} ${node.scrollWidth}>${node.clientWidth}`);
  }
  // Words for ears alone in a box of one point: letter below letter, they cost more than the rest of the page.
  for (const node of main.querySelectorAll('.ops .unseen'))
    if (node.scrollHeight > 60) found.push(`hidden words in many lines: ${node.textContent.trim().slice(0, 40)}`);
  // What a box that chooses shows as chosen; its one line may be too short for what the page says in full as well.
  const said = [...main.querySelectorAll('.ops')].map(node => node.innerText.toLowerCase()).join(' ');
  for (const node of main.querySelectorAll('[data-testid=stSelectbox] input'))
    if (node.clientWidth > 1 && node.scrollWidth > node.clientWidth + 1 && !said.includes(node.value.toLowerCase()))
      found.push(`cut choice: ${node.value} ${node.scrollWidth}>${node.clientWidth}`);
  return [...new Set(found)].slice(0, 6);
}"""
PAPER = """() => {
  const width = document.documentElement.clientWidth;
  const wide = [...document.querySelectorAll('.ops svg, .ops img, .stPlotlyChart svg.main-svg')]
    .filter(node => node.getBoundingClientRect().width > 0 && node.getBoundingClientRect().right > width + 2)
    .map(node => `beyond the paper: ${node.getAttribute('aria-label') ?? node.getAttribute('alt') ?? node.tagName}`);
  return [...new Set(wide)].slice(0, 4);
}"""


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_cut_off_at_any_width_and_nothing_lies_beside_the_paper(browser, apps, language):
    context = browser.new_context(viewport={"width": WIDTHS[0], "height": 900})
    page = context.new_page()
    page.set_default_timeout(LIMIT_MS)
    address, found = apps("full"), {}
    for place in PAGES:
        page.set_viewport_size({"width": WIDTHS[0], "height": 900})
        whole = "&open=all" if "open" in place.parameters else ""
        page.goto(f"{address}/{place.path}?lang={language}{whole}")
        page.wait_for_selector(".ops footer")
        settle(page, 200)
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            settle(page, 60)
            if cut := page.evaluate(CUT):
                found[f"{place.name} {width}"] = cut
        # A4 across, less its margins, in CSS pixels.
        page.set_viewport_size({"width": 1032, "height": 700})
        page.emulate_media(media="print")
        settle(page, 150)
        if wide := page.evaluate(PAPER):
            found[f"{place.name} on paper"] = wide
        page.emulate_media(media="screen")
    context.close()
    assert found == {}


# A name longer than any box: of several long words, and of one.
LONG = "Seksjon for forvaltning av sikkerhetskopieringsinfrastruktur og gjenopprettingsberedskapsplanlegging"
UNBROKEN = "Driftsberedskapsplanleggingsinfrastrukturforvaltningsseksjonen"
NAMED = """() => {
  const main = document.querySelector('[data-testid=stMain]');
  const found = [];
  for (const node of main.querySelectorAll('.ops .scroll'))
    if (node.scrollWidth > node.clientWidth + 1) found.push(`table: ${node.scrollWidth} in ${node.clientWidth}`);
  for (const node of main.querySelectorAll('.ops .places a, .ops ul.plain a, .ops table.heat th a')) {
    const box = node.closest('li, th').getBoundingClientRect(), own = node.getBoundingClientRect();
    if (own.width > 0 && own.right > box.right + 1) found.push(`beside its box: ${node.textContent.slice(0, 30)}`);
  }
  // A caption that is read stands over its table, not letter below letter beside it.
  for (const node of main.querySelectorAll('.ops caption')) {
    const width = node.getBoundingClientRect().width;
    if (width > 1 && width < 0.8 * node.parentElement.getBoundingClientRect().width) found.push(`caption: ${width}`);
  }
  return [...new Set(found)].slice(0, 6);
}"""


def test_long_names_of_teams_push_nothing_out_of_sight(browser, demo_home, tmp_path):
    names = (("kaiplan", LONG), ("farled", UNBROKEN))
    statements = [
        f"update ref.teams set name_nb = '{name}', name_en = '{name}' where team_id = '{team}'" for team, name in names
    ]
    home, _ = altered(demo_home, tmp_path / "long", *statements)
    found = {}
    with running_app(home, tmp_path / "log") as address:
        page = browser.new_page()
        page.set_default_timeout(LIMIT_MS)
        for path in ("", "maneder", "sammenlign?team=kaiplan&other=farled", "rapport"):
            page.set_viewport_size({"width": 1440, "height": 900})
            page.goto(f"{address}/{path}")
            page.wait_for_selector(".ops footer")
            settle(page, 200)
            for width in (1440, 768, 390):
                page.set_viewport_size({"width": width, "height": 900})
                settle(page, 60)
                if out := page.evaluate(NAMED) + page.evaluate(CUT):
                    found[f"{path} {width}"] = out
        page.close()
    assert found == {}
