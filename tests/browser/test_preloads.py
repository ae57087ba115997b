"""The browser is told at once what a page is made of: nothing is fetched round after round."""

from __future__ import annotations

import re

from tests.asking import settle
from tests.patience import LIMIT_MS

FETCHED = """() => performance.getEntriesByType("resource")
    .map(entry => [entry.name.split("/").pop(), entry.initiatorType, entry.responseStatus])"""


def test_all_code_of_the_overview_is_named_by_its_page(browser, apps):
    page = browser.new_context().new_page()
    page.set_default_timeout(LIMIT_MS)
    said = []
    page.on("console", lambda message: said.append(message.text))
    shell = page.goto(apps("full")).text()
    page.wait_for_selector(".ops footer")
    settle(page)
    found = page.evaluate(FETCHED)
    named = set(re.findall(r'"[^"]*?([\w.-]+\.(?:js|woff2))"', shell))
    code = {name for name, _, _ in found if name.endswith(".js")}
    assert any(name.startswith("Html.") for name in code)
    assert code <= named, "fetched only after something else had arrived"
    fonts = {name for name, kind, _ in found if name.endswith(".woff2") and kind == "link"}
    assert fonts == {"inter-latin-wght-normal.woff2"}
    assert {status for name, _, status in found if name in named} == {200}
    assert not [words for words in said if "preload" in words]
    page.context.close()
