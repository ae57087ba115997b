"""The monthly report: the brief's pages for everybody, as they stand on paper; nothing that needs a click."""

from __future__ import annotations

from opsmetrics.reports.addresses import REPORT
from opsmetrics.reports.brief.content import front, read
from scorecard_app.brief_html import section_html
from scorecard_app.files import brief_files
from scorecard_app.layout import head
from scorecard_app.lifecycle import view
from scorecard_app.markup import element, join, paragraph
from scorecard_app.page import Page
from scorecard_app.raw_html import show


@view(REPORT)
def render(page: Page) -> None:
    """Show the pages to print, and where the whole brief is fetched."""
    head(page, page.text("report.title"), page.text("report.meta"))
    button = element("button", page.text("report.print"), type="button", data_print=True)
    show(paragraph(button, kind="downloads"))
    show(join(brief_files(page), paragraph(page.text("brief.download_hint"), kind="downloads")))
    sections = front(read(page.snapshot, page.period, page.language))
    for number, section in enumerate(sections):
        show(section_html(page, section, is_first=number == 0))
