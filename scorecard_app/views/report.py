"""The monthly report on paper: the overview, the matrix, and the ten largest gaps; nothing that needs a screen."""

from __future__ import annotations

from html import escape

from opsmetrics.reading import scores
from opsmetrics.reading.board import read_board
from scorecard_app.markup import heading
from scorecard_app.page import Page, head, show, view
from scorecard_app.views import overview
from scorecard_app.views.parts import gaps_table

SHOWN_GAPS = 10


@view("report")
def render(page: Page) -> None:
    """Show three pages to print."""
    found = read_board(page.snapshot, page.period)
    head(page, page.text("report.title"), escape(page.text("report.meta")))
    show(f'<p class="downloads"><button type="button" data-print>{escape(page.text("report.print"))}</button></p>')
    show(page.briefs() + f'<p class="hint">{escape(page.text("brief.download_hint"))}</p>')
    overview.lead(page, found)
    overview.changed(page, found)
    show('<div class="new-page"></div>')
    overview.matrix(page, found, is_paper=True)
    gaps = scores.gaps(page.snapshot, page.period).head(SHOWN_GAPS).to_dicts()
    show('<div class="new-page"></div>' + heading(page.text("report.gaps")) + gaps_table(page, gaps, below="both"))
