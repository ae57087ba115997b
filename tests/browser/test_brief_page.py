"""The brief as one file in a real browser: words stay whole at every width, and the page itself never scrolls sideways."""

from __future__ import annotations

import io

import pypdf
import pytest

from opsmetrics.language.texts import LANGUAGES
from opsmetrics.reports import brief
from opsmetrics.snapshots.store import current

BROKEN = """() => [...document.querySelectorAll('th, td')].flatMap(cell => {
    const found = [], walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
    for (let node; (node = walker.nextNode());)
        for (const word of node.data.matchAll(/[\\p{L}\\p{N}]+/gu)) {
            const range = document.createRange();
            range.setStart(node, word.index);
            range.setEnd(node, word.index + word[0].length);
            if (new Set([...range.getClientRects()].map(box => Math.round(box.top))).size > 1) found.push(word[0]);
        }
    return found;
})"""
LONG = "Ankerplass" * 16


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_of_a_table_is_broken_and_the_page_is_as_wide_as_the_screen(browser, demo_home, tmp_path, language):
    """A column of *Not applicable* once left room for six letters of a team's name; phones broke every second word."""
    snapshot = current(demo_home / "snapshots")
    document = brief.compose(snapshot, brief.period_of(snapshot, "2026-08"), language)
    name = document.sections[4].team
    written = brief.WRITERS["html"](document).decode()
    pages = {"plain": written, "long": written.replace(f">{name}<", f">{LONG}<")}
    assert pages["long"] != written
    for kind, content in pages.items():
        (tmp_path / f"{kind}.html").write_text(content, encoding="utf-8")
        page = browser.new_page()
        for width in (1440, 768, 390, 320):
            page.set_viewport_size({"width": width, "height": 900})
            page.goto((tmp_path / f"{kind}.html").as_uri())
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert {word for word in page.evaluate(BROKEN) if word not in LONG * 2} == set(), width
        page.close()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("label", ["2026-08", "latest"])
def test_it_prints_on_the_four_pages_of_the_paper(browser, demo_home, tmp_path, language, label):
    """Each of the first four sections is a page, and the annex begins on the fifth."""
    snapshot = current(demo_home / "snapshots")
    document = brief.compose(snapshot, brief.period_of(snapshot, label), language)
    (tmp_path / "brief.html").write_bytes(brief.WRITERS["html"](document))
    page = browser.new_page()
    page.goto((tmp_path / "brief.html").as_uri())
    printed = pypdf.PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True))).pages
    page.close()
    first, *titles = [section.title for section in document.sections[:5]]
    assert document.title.split(",")[0] in printed[0].extract_text()
    assert first in printed[0].extract_text()
    assert [sheet.extract_text().split("\n")[0].strip() for sheet in printed[1:5]] == titles
