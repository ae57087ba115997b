"""What works for everyone, what does not, whose fault it is, and where to say so."""

from __future__ import annotations

from opsmetrics.reports.addresses import ACCESSIBILITY
from opsmetrics.reports.table import Cell, Column, Table
from scorecard_app.layout import head
from scorecard_app.lifecycle import view
from scorecard_app.markup import heading, join, lead, paragraph, points
from scorecard_app.page import Page
from scorecard_app.raw_html import show
from scorecard_app.table_html import table_html

GOOD = ("keyboard", "tables", "zoom", "colour", "contrast", "language", "print")
# Faults that are Streamlit's and that we could not fix; each with its work-around.
FAULTS = ("select_outside",)


@view(ACCESSIBILITY)
def render(page: Page) -> None:
    """Show the accessibility statement."""
    head(page, page.text("accessibility.title"))
    columns = tuple(Column(page.text(f"accessibility.{key}")) for key in ("fault", "rule", "around"))
    rows = tuple(
        (
            Cell(page.text(f"accessibility.fault_{name}")),
            Cell(page.text(f"accessibility.rule_{name}")),
            Cell(page.text(f"accessibility.around_{name}")),
        )
        for name in FAULTS
    )
    faults = Table("faults", page.text("accessibility.faults_caption"), columns, rows)
    show(
        join(
            lead(page.text("accessibility.lead")),
            heading(page.text("accessibility.works")),
            points(page.text(f"accessibility.good_{name}") for name in GOOD),
            heading(page.text("accessibility.faults")),
            table_html(page, faults),
            heading(page.text("accessibility.contact")),
            paragraph(page.text("accessibility.contact_text")),
        )
    )
