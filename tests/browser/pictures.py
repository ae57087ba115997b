"""Write one picture of every page into docs/pictures: ``make pictures``, from the demo's current snapshot.

With names of pictures behind it, only those: ``python -m tests.browser.pictures incidents months``.
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from opsmetrics.core.settings import Settings
from opsmetrics.reports.addresses import METRIC, PAGES
from opsmetrics.reports.brief import compose, period_of
from opsmetrics.reports.brief.paper import write_pages
from opsmetrics.snapshots.store import Snapshot, current
from tests.apps import ROOT, running_app

FOLDER = ROOT / "docs" / "pictures"
METRIC_TEAMS = "metric_teams"  # the metric's page without a team
QUERIES = {
    "team": "?team=sjokart",
    "area": "?area=bck",
    "metric": "?team=sjokart&metric=mon_alert_precision",
    "compare": "?team=sjokart&other=kaiplan",
    METRIC_TEAMS: "?metric=mon_alert_precision",
}
COLOURS = 128  # fewer melt the orange of the lowest level into that of what does not meet a requirement
TALLEST = 3600  # pixels: the whole of the overview, not of every long page


def main(names: Sequence[str]) -> None:
    """Take the pictures, all or those that are named; English, because the documents are."""
    pictures = {place.name: place.path for place in PAGES} | {METRIC_TEAMS: METRIC.path}
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = next((found for name in ("chromium", "google-chrome") if (found := shutil.which(name))), None)
    home = Settings.from_env().home.resolve()
    # Without one every page would be waited for in vain.
    snapshot = current(home / "snapshots")
    with (
        tempfile.TemporaryDirectory() as work,
        running_app(home, Path(work) / "log") as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        for name in names or pictures:
            query = QUERIES.get(name, "?") + "&lang=en"
            page.goto(f"{address}/{pictures[name]}{query}")
            page.wait_for_selector(".ops footer")
            page.wait_for_timeout(1500)
            height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
            page.set_viewport_size({"width": 1280, "height": min(int(height) + 16, TALLEST)})
            page.wait_for_timeout(800)
            picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB").quantize(COLOURS)
            picture.save(FOLDER / f"{name}.png", optimize=True)
            page.set_viewport_size({"width": 1280, "height": 900})
        browser.close()
    if not names:
        _brief(snapshot)


def _brief(snapshot: Snapshot) -> None:
    """Take the brief's pages that everybody reads."""
    document = compose(snapshot, period_of(snapshot, None), "en")
    front = sum(not section.is_annex for section in document.sections)
    for number, page in enumerate(write_pages(document)[:front], start=1):
        picture = Image.open(io.BytesIO(page)).convert("RGB").quantize(COLOURS)
        picture.save(FOLDER / f"brief-{number}.png", optimize=True)


if __name__ == "__main__":
    main(sys.argv[1:])
