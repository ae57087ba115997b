"""What the framework writes beside our own HTML is in the page's language: no English word on a Norwegian page.

All that is seen, and what is said: labels, tooltips, values of fields, also of a box that is open and of a calendar.
"""

from __future__ import annotations

import re

import pytest

from opsmetrics.reports.addresses import CONFIGURE, GAPS, OVERVIEW, RESTORE
from tests.asking import settle
from tests.patience import LIMIT_MS

SAID = """() => {
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_ELEMENT);
  while (walk.nextNode()) {
    const node = walk.currentNode;
    if (node.closest('.ops, script, style, noscript, svg')) continue;
    for (const name of ['aria-label', 'title', 'placeholder', 'alt', 'aria-valuetext', 'aria-description'])
      if (node.getAttribute(name)) found.push(node.getAttribute(name));
    for (const child of node.childNodes) if (child.nodeType === 3 && child.data.trim()) found.push(child.data.trim());
  }
  return [...new Set(found)];
}"""
ENGLISH = re.compile(
    r"\b(skip|open|dismiss|choose|option|options|available|results|selected|date|day|year|hour|previous|next|"
    r"decrement|increment|use|keys|enter to|escape to|show|clear|search|january|february|march|may|june|july|"
    r"october|december)\b",
    re.IGNORECASE,
)


def english_of(page) -> set[str]:
    settle(page, 500)
    return {words for words in page.evaluate(SAID) if ENGLISH.search(words)}


@pytest.mark.parametrize("place", [OVERVIEW, GAPS, CONFIGURE, RESTORE], ids=lambda place: place.name)
def test_a_norwegian_page_has_no_english_of_the_framework(browser, apps, place):
    context = browser.new_context(locale="nb-NO")  # names of days and months are the browser's
    page = context.new_page()
    page.set_default_timeout(LIMIT_MS)
    page.goto(f"{apps('full')}/{place.path}?lang=nb")
    page.wait_for_selector(".ops footer")
    found = english_of(page)
    box = page.locator("[data-testid=stSelectbox] input").first
    box.click()
    found |= english_of(page)
    box.fill("qqqq")
    page.get_by_text("Ingen treff").wait_for()
    found |= english_of(page)
    page.keyboard.press("Escape")
    if (calendar := page.locator("[data-testid=stDateInput] button").first).count():
        calendar.click()
        found |= english_of(page)
        page.keyboard.press("Escape")
    assert found == set()
    context.close()


def test_the_other_language_brings_the_frameworks_own_words_back(browser, apps):
    page = browser.new_page()
    page.set_default_timeout(LIMIT_MS)
    page.goto(f"{apps('full')}/?lang=nb")
    page.get_by_text("Gå til innholdet").wait_for(state="attached")
    page.locator(".menu").get_by_role("link", name="English").click()
    page.get_by_text("Skip to main content").wait_for(state="attached")
    assert page.get_by_text("Gå til innholdet").count() == 0
    page.close()
