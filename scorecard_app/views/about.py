"""How the score is made, what the levels mean, and what it must not be used for."""

from __future__ import annotations

from html import escape

from scorecard_app.markup import LEVEL_RANGES, table
from scorecard_app.page import begin, foot, head, show


def render() -> None:
    """Show the method in plain language."""
    page = begin()
    if page is None:
        return
    head(page, page.text("about.title"), "")
    steps = "".join(f"<li>{escape(page.text(f'about.step{number}'))}</li>" for number in range(1, 6))
    rows = [[escape(page.text(f"level.{level}")), edges] for level, edges in enumerate(LEVEL_RANGES)]
    header = [(page.text("word.level"), False), (page.text("word.score"), False)]
    show(
        f'<p class="lead">{escape(page.text("about.lead"))}</p><ol>{steps}</ol>'
        f"<h2>{escape(page.text('about.levels'))}</h2>{table(page.text('about.levels_caption'), header, rows)}"
        f"<h2>{escape(page.text('about.not_for'))}</h2><p>{escape(page.text('about.not_for_text'))}</p>"
        f"<h2>{escape(page.text('about.analysts'))}</h2><p>{escape(page.text('about.analysts_text'))}</p>"
    )
    foot(page)
