"""How is the score made, what do colours and marks mean, what must it not be used for?"""

from __future__ import annotations

from collections.abc import Sequence

from opsmetrics.reports.addresses import ABOUT, METRIC
from opsmetrics.reports.table import Cell, Column, Table
from opsmetrics.snapshots.queries import catalogue
from opsmetrics.snapshots.queries.catalogue import Obligation
from scorecard_app.layout import head
from scorecard_app.lifecycle import view
from scorecard_app.markup import element, folded, heading, join, lead, paragraph, points
from scorecard_app.matrix import legend, ranges
from scorecard_app.page import Page
from scorecard_app.raw_html import show
from scorecard_app.table_html import files_of, table_html
from scorecard_app.views.parts import metrics_by_id, source

STEPS = 5
NOT_FOR = ("rank", "people", "compare")


@view(ABOUT)
def render(page: Page) -> None:
    """Show the method in plain language."""
    head(page, page.text("about.title"))
    edges = catalogue.rules(page.snapshot).level_edges
    show(
        join(
            lead(page.text("about.lead")),
            heading(page.text("about.steps")),
            element("ol", (element("li", page.text(f"about.step{number}")) for number in range(1, STEPS + 1))),
            heading(page.text("about.example")),
            paragraph(page.text("about.example_text"), kind="equation"),
            heading(page.text("about.levels")),
            table_html(page, _levels(page, edges)),
            legend(page.language, edges),
            heading(page.text("about.variation")),
            paragraph(page.text("about.variation_text")),
            heading(page.text("about.coverage")),
            paragraph(page.text("about.coverage_text")),
            heading(page.text("about.not_for")),
            points(page.text(f"about.not_for_{name}") for name in NOT_FOR),
        )
    )
    _obligations(page)


def _levels(page: Page, edges: Sequence[float]) -> Table:
    rows = tuple(
        (Cell(page.text(f"level.{level}")), Cell(spread), Cell(page.text(f"about.level_{level}")))
        for level, spread in enumerate(ranges(edges))
    )
    columns = tuple(Column(page.text(key)) for key in ("word.level", "word.score", "about.means"))
    return Table("levels", page.text("about.levels_caption"), columns, rows)


def _obligations(page: Page) -> None:
    """The handbook's sentences and what measures them."""
    rows = tuple(
        (
            Cell(duty.obligation_id),
            Cell(page.say(duty.text)),
            Cell(page.text(f"about.strength_{duty.strength}")),
            _measured_by(page, duty),
        )
        for duty in catalogue.obligations(page.snapshot)
    )
    keys = ("about.obligation", "about.sentence", "about.strength", "about.measured_by")
    columns = tuple(Column(page.text(key)) for key in keys)
    table = Table("obligations", page.text("about.obligations_caption"), columns, rows, source=source("obligations"))
    summary = page.text("about.obligations_show", count=len(rows))
    body = folded(summary, table_html(page, table), files_of(page, table))
    show(join(heading(page.text("about.obligations")), body))


def _measured_by(page: Page, duty: Obligation) -> Cell:
    if not duty.measured_by:
        return Cell(page.text("about.measured_by_scores"))
    metrics = metrics_by_id(page)
    titles = {name: page.say(metrics[name].title) if name in metrics else name for name in duty.measured_by}
    links = (
        page.link(METRIC.at(metric=name), title) if name in metrics else join(title) for name, title in titles.items()
    )
    return Cell(", ".join(titles.values()), drawing=join(*links, by=", "))
