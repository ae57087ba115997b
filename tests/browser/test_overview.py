"""The overview and the page of changes in a browser, at every width: nothing is cut, nothing overlaps."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from opsmetrics.language.texts import LANGUAGES, text
from tests.asking import settle
from tests.patience import LIMIT_MS

WIDTHS = (320, 390, 768, 1024, 1440)
# What is wider than its box, without a scroll bar of its own: its end cannot be read.
CLIPPED = """() => [...document.querySelectorAll('.ops *')].filter(found => {
    const style = getComputedStyle(found);
    if (style.display === 'inline' || style.position === 'absolute' || !found.clientWidth) return false;
    if (found.closest('.scroll')) return false;
    return found.scrollWidth > found.clientWidth + 1;
}).map(found => `${found.tagName} ${found.className}: ${found.innerText.slice(0, 60)}`)"""
# Tiles that lie on what stands beside or below them.
OVERLAPPING = """() => {
    const boxes = [...document.querySelectorAll('.matrix tbody td, .matrix tbody th')].map(found => {
        const own = found.getBoundingClientRect();
        const inner = [...found.children].map(child => child.getBoundingClientRect());
        return {words: found.innerText.slice(0, 40), out: inner.some(box => box.height && box.bottom > own.bottom + 1.5)};
    });
    return boxes.filter(box => box.out).map(box => box.words);
}"""


def opened(page: Page, address: str, path: str, language: str) -> None:
    page.set_default_timeout(LIMIT_MS)
    page.goto(f"{address}/{path}?lang={language}")
    page.wait_for_selector(".ops footer")
    settle(page)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", ["", "endring"])
def test_no_text_is_cut_at_any_width(browser, apps, path, language):
    context = browser.new_context(viewport={"width": WIDTHS[0], "height": 900})
    page = context.new_page()
    opened(page, apps("full"), path, language)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        settle(page)
        assert page.evaluate(CLIPPED) == [], width
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(OVERLAPPING) == [], width
    context.close()


def test_marks_are_words_on_a_phone_too(browser, apps):
    """A dot that no legend explains says nothing."""
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    opened(page, apps("full"), "", "nb")
    shown = page.locator(".matrix .mark")
    assert shown.count() > 5
    words = {shown.nth(place).inner_text() for place in range(shown.count()) if shown.nth(place).is_visible()}
    assert "sperre" in words
    levels = {text("nb", f"level.{level}").lower() for level in range(5)}
    assert words <= {"sperre", "unntak", "usikkert", "nivå opp", "nivå ned"} | levels
    assert words & levels, "a number that says a higher level than the one that is given"
    assert page.evaluate("getComputedStyle(document.querySelector('.matrix a.cell'), '::after').content") == "none"
    context.close()


def test_each_bar_of_the_shared_gaps_leads_on_and_lies_within_its_drawing(browser, apps):
    context = browser.new_context()
    page = context.new_page()
    for width in (390, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        opened(page, apps("full"), "", "nb")
        outside = page.evaluate(
            """() => { const whole = document.querySelector('.shared-figure').getBoundingClientRect();
                return [...document.querySelectorAll('.shared-figure span, .shared-figure i')].filter(found => {
                    const box = found.getBoundingClientRect();
                    return box.left < whole.left - 1 || box.right > whole.right + 1; }).map(found => found.innerText) }"""
        )
        assert outside == []
        page.locator("ul.shared a").first.click()
        page.wait_for_url("**/maling?metric=*")
    context.close()
