"""Paper: charts are whole, with their newest point, and what is folded away on the screen is printed open."""

from __future__ import annotations

import pytest

from tests.browser.test_browser import PATHS, until
from tests.patience import LIMIT_MS

PAPER = {"width": 1032, "height": 700}  # A4 on its side, without margins
PAGES = (
    ("metric", "?team=sjokart&metric=mon_alert_precision"),
    ("area", "?area=bck&open=all"),
    ("incidents", "?open=all"),
    ("team", "?team=sjokart&open=all"),
    ("months", ""),
    ("validity", ""),
)
RIGHTMOST = """() => Math.max(...[...document.querySelectorAll(
    '.stPlotlyChart svg.main-svg, .ops .track, .ops table, .ops img')].map(e => e.getBoundingClientRect().right))"""
OPEN = """() => [...document.querySelectorAll('.ops details')].map(d =>
    [d.querySelector('summary').offsetHeight, d.offsetHeight])"""


@pytest.mark.parametrize(("name", "query"), PAGES, ids=[name for name, _ in PAGES])
def test_a_page_on_paper_is_whole(browser, apps, name, query):
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.set_default_timeout(LIMIT_MS)
    page.goto(f"{apps('full')}/{PATHS[name]}{query}")
    page.wait_for_selector(".ops footer")
    if name in {"metric", "area", "validity"}:
        until(page, "document.querySelectorAll('svg.main-svg').length > 0")
    wide = page.evaluate(
        "Math.max(0, ...[...document.querySelectorAll('svg.main-svg')].map(e => e.width.baseVal.value))"
    )
    assert name != "metric" or wide > PAPER["width"], "the chart on the screen is wider than the paper"
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    page.evaluate("width => { document.body.style.width = width + 'px'; }", PAPER["width"])
    assert page.evaluate(RIGHTMOST) <= PAPER["width"] + 2
    for heading, whole in page.evaluate(OPEN):
        assert heading > 0, "a fold keeps its name"
        assert whole > heading + 10, "and shows what it holds"
    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("document.querySelectorAll('.ops details[open]:not(.chosen, .later)').length") == 0
    page.context.close()
