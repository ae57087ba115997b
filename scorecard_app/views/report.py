"""The monthly report: the brief's pages for everybody, as they stand on paper; nothing that needs a click."""

from __future__ import annotations

from functools import lru_cache

from opsmetrics.reports.addresses import REPORT
from opsmetrics.reports.brief.content import front
from opsmetrics.reports.brief.document import Section
from opsmetrics.reports.brief.material import read
from opsmetrics.snapshots.queries.period import Period
from opsmetrics.snapshots.store import Snapshot
from scorecard_app.brief_html import section_html
from scorecard_app.files import offer_brief
from scorecard_app.layout import head
from scorecard_app.lifecycle import view
from scorecard_app.markup import element, hint, paragraph
from scorecard_app.page import Page
from scorecard_app.raw_html import show

KEPT = 8  # snapshots, periods and languages that are read again


@view(REPORT)
def render(page: Page) -> None:
    """Show the pages to print, and where the whole brief is fetched."""
    head(page, page.text("report.title"), page.text("report.meta"))
    button = element("button", page.text("report.print"), type="button", data_print=True)
    show(paragraph(button, kind="downloads"))
    offer_brief(page)
    show(hint(page.text("brief.download_hint")))
    for number, section in enumerate(_pages(page.snapshot, page.period, page.language)):
        show(section_html(page, section, is_first=number == 0))


@lru_cache(KEPT)
def _pages(snapshot: Snapshot, period: Period, language: str) -> tuple[Section, ...]:
    """The pages: of one snapshot, period and language they are always the same, and dear to make."""
    return tuple(front(read(snapshot, period, language)))
