"""The monthly report on paper: the overview, the matrix, the ten gaps to close first; nothing that needs a screen."""

from __future__ import annotations

from opsmetrics.reports.addresses import REPORT
from opsmetrics.reports.board import read_board
from opsmetrics.snapshots.queries import gaps
from scorecard_app.files import brief_files
from scorecard_app.layout import head
from scorecard_app.lifecycle import view
from scorecard_app.markup import element, heading, hint, join, paragraph
from scorecard_app.page import Page
from scorecard_app.raw_html import show
from scorecard_app.table_html import table_html
from scorecard_app.views import overview
from scorecard_app.views.matrix_section import matrix
from scorecard_app.views.parts import gaps_table

SHOWN_GAPS = 10


@view(REPORT)
def render(page: Page) -> None:
    """Show three pages to print."""
    found = read_board(page.snapshot, page.period)
    head(page, page.text("report.title"), page.text("report.meta"))
    button = element("button", page.text("report.print"), type="button", data_print=True)
    show(paragraph(button, kind="downloads"))
    show(join(brief_files(page), hint(page.text("brief.download_hint"))))
    overview.lead(page, found)
    overview.changed(page, found)
    new_page = element("div", class_="new-page")
    show(new_page)
    matrix(page, found, is_paper=True)
    largest = gaps.gaps(page.snapshot, page.period)[:SHOWN_GAPS]
    table = table_html(page, gaps_table(page, largest, below="both"), kind="gaps")
    show(join(new_page, heading(page.text("report.gaps")), table))
