"""What works for everyone, what does not, whose fault it is, and where to say so."""

from __future__ import annotations

from html import escape

from scorecard_app.markup import heading, points, table
from scorecard_app.page import Page, head, show, view

GOOD = ("keyboard", "tables", "zoom", "colour", "contrast", "language", "print")
# Faults that are Streamlit's and that we could not mend; each with its work-around.
FAULTS = ("shell_english", "select_outside", "dropdown_english")


@view("accessibility")
def render(page: Page) -> None:
    """Show the accessibility statement."""
    head(page, page.text("accessibility.title"))
    rows = [
        [
            escape(page.text(f"accessibility.fault_{name}")),
            escape(page.text(f"accessibility.rule_{name}")),
            escape(page.text(f"accessibility.around_{name}")),
        ]
        for name in FAULTS
    ]
    header = [
        (page.text("accessibility.fault"), False),
        (page.text("accessibility.rule"), False),
        (page.text("accessibility.around"), False),
    ]
    show(
        f'<p class="lead">{escape(page.text("accessibility.lead"))}</p>'
        + heading(page.text("accessibility.works"))
        + points([escape(page.text(f"accessibility.good_{name}")) for name in GOOD])
        + heading(page.text("accessibility.faults"))
        + table(page.text("accessibility.faults_caption"), header, rows)
        + heading(page.text("accessibility.contact"))
        + f"<p>{escape(page.text('accessibility.contact_text'))}</p>"
    )
