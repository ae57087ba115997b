"""The content security policy stops nothing of ours: every page works under it, and it would stop what is not ours."""

from __future__ import annotations

from opsmetrics.reports.addresses import PAGES
from tests.asking import settle
from tests.patience import LIMIT_MS

# Violations are told to the document before they stand in the console.
COLLECT = """window.broken = [];
document.addEventListener("securitypolicyviolation",
    event => window.broken.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}`));"""
SCRIPT = """() => { const script = document.createElement("script"); script.textContent = "window.ran = true";
document.body.append(script);
setTimeout(() => { try { eval("window.ran = true") } catch {} });  // later: what the test itself runs may evaluate
fetch("https://evil.example/").catch(() => {}); new Image().src = "https://evil.example/a.png"; }"""


def test_every_page_keeps_to_the_policy(browser, apps):
    page = browser.new_context().new_page()
    page.set_default_timeout(LIMIT_MS)
    page.add_init_script(COLLECT)
    address = apps("full")
    found = {}
    for place in PAGES:
        page.goto(f"{address}/{place.path}")
        page.wait_for_selector(".ops footer")
        settle(page)
        if broken := page.evaluate("window.broken"):
            found[place.name] = broken
    assert found == {}
    page.evaluate(SCRIPT)
    settle(page)
    kinds = {line.split()[0] for line in page.evaluate("window.broken")}
    assert kinds >= {"script-src-elem", "script-src", "connect-src", "img-src"}
    assert not page.evaluate("window.ran")
    page.context.close()
