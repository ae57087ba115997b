"""How is the score made, what do colours and marks mean, what must it not be used for?"""

from __future__ import annotations

from html import escape

from opsmetrics.reading import catalogue
from scorecard_app.markup import folded, heading, points, table
from scorecard_app.matrix import legend, ranges
from scorecard_app.page import Page, by, head, show, view

STEPS = 5


@view("about")
def render(page: Page) -> None:
    """Show the method in plain language."""
    head(page, page.text("about.title"))
    edges = catalogue.rules(page.snapshot)["level_edges"]
    steps = "".join(f"<li>{escape(page.text(f'about.step{number}'))}</li>" for number in range(1, STEPS + 1))
    rows = [
        [escape(page.text(f"level.{level}")), spread, escape(page.text(f"about.level_{level}"))]
        for level, spread in enumerate(ranges(edges))
    ]
    header = [(page.text("word.level"), False), (page.text("word.score"), False), (page.text("about.means"), False)]
    show(
        f'<p class="lead">{escape(page.text("about.lead"))}</p>'
        + heading(page.text("about.steps"))
        + f"<ol>{steps}</ol>"
        + heading(page.text("about.example"))
        + f'<p class="equation">{escape(page.text("about.example_text"))}</p>'
        + heading(page.text("about.levels"))
        + table(page.text("about.levels_caption"), header, rows)
        + legend(page.language, edges)
        + heading(page.text("about.variation"))
        + f"<p>{escape(page.text('about.variation_text'))}</p>"
        + heading(page.text("about.coverage"))
        + f"<p>{escape(page.text('about.coverage_text'))}</p>"
        + heading(page.text("about.not_for"))
        + points([escape(page.text(f"about.not_for_{name}")) for name in ("rank", "people", "compare")])
    )
    _obligations(page)


def _obligations(page: Page) -> None:
    """The handbook's sentences and what measures them."""
    metrics = by(catalogue.metrics(page.snapshot), "metric_id")
    rows: list[list[str]] = []
    for duty in catalogue.obligations(page.snapshot).to_dicts():
        measured = [
            page.link("maling", page.label(metrics[name], "title"), metric=name) if name in metrics else escape(name)
            for name in duty["measured_by"]
        ]
        rows.append(
            [
                duty["obligation_id"],
                escape(page.label(duty, "text")),
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
    body = table(page.text("about.obligations_caption"), header, rows) + page.downloads("obligations")
    show(heading(page.text("about.obligations")) + folded(page.text("about.obligations_show", count=len(rows)), body))
