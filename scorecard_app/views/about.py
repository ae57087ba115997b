"""How the score is made, what the levels mean, and what it must not be used for."""

from __future__ import annotations

from html import escape

from scorecard_app import data
from scorecard_app.markup import LEVEL_RANGES, table
from scorecard_app.page import Page, begin, by, foot, head, show


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
    _obligations(page)
    foot(page)


def _obligations(page: Page) -> None:
    """The handbook's sentences and what measures them."""
    metrics = by(data.metrics(page.snapshot), "metric_id")
    rows: list[list[str]] = []
    for duty in data.obligations(page.snapshot).to_dicts():
        measured = [
            page.link("maling", page.name(metrics[name], "title"), metric=name) if name in metrics else escape(name)
            for name in duty["measured_by"]
        ]
        rows.append(
            [
                duty["obligation_id"],
                escape(page.name(duty, "text")),
                escape(page.text(f"about.strength_{duty['strength']}")),
                ", ".join(measured) or escape(page.text("about.measured_by_scores")),
            ]
        )
    header = [
        (page.text("about.obligation"), False),
        (page.text("about.sentence"), False),
        (page.text("about.strength"), False),
        (page.text("about.measured_by"), False),
    ]
    show(
        f"<h2>{escape(page.text('about.obligations'))}</h2>"
        + table(page.text("about.obligations_caption"), header, rows)
    )
