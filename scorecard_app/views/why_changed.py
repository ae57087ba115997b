"""Why a score changed, and which published scores are others today; the team page and the changes page say so."""

from __future__ import annotations

from opsmetrics.language import fmt
from opsmetrics.reports.addresses import CHANGES
from opsmetrics.reports.parts_of_change import shown_change
from opsmetrics.reports.table import Cell, Column, Table
from opsmetrics.snapshots.queries import movement
from scorecard_app.change_bars import change_table, sentence
from scorecard_app.later import later_table
from scorecard_app.markup import heading, hint, join, paragraph
from scorecard_app.page import Page
from scorecard_app.raw_html import show
from scorecard_app.table_html import table_html
from scorecard_app.views.parts import areas_by_id, changes_table, source


def change(page: Page, team_id: str) -> None:
    """Show what the newest change of the score is made of, and earlier ones folded."""
    rows = list(movement.changes(page.snapshot, page.period, team_id))
    if not rows:
        return
    newest, shown = rows[0], shown_change(rows[:1])
    since = fmt.long_date(page.language, newest.from_on)
    note = page.text("explain.change_since", since=since, until=fmt.long_date(page.language, newest.on))
    figure = page.link(CHANGES.at(team=team_id), page.text("explain.change_more"))
    more = None if page.place == CHANGES else figure
    earlier = later_table(
        page,
        "changes",
        page.text("explain.change_earlier"),
        lambda: changes_table(page, rows, first="until", team=team_id),
        source("changes", team=team_id),
    )
    show(
        join(
            heading(page.text("explain.change"), note, anchor="change"),
            paragraph(sentence(page, shown)),
            table_html(page, change_table(page, shown, page.text("explain.change_parts")), kind="parts"),
            paragraph(more) if more else None,
            earlier,
        )
    )


def restated(page: Page, team_id: str) -> None:
    """Show published scores that would be others today, with the cause."""
    rows = movement.restated(page.snapshot, page.period, team_id)
    if not rows:
        return
    cells, areas = page.cells, areas_by_id(page)
    shown = tuple(
        (
            Cell(fmt.month(page.language, row.on).capitalize() if row.grain == "month" else row.label),
            Cell(page.say(areas[row.area_id].name) if row.area_id else page.text("word.total")),
            cells.score_in_tenths(row.published_score),
            cells.score_in_tenths(row.restated_score),
            cells.signed(row.difference),
            Cell(", ".join(page.text(f"explain.cause_{cause}") for cause in row.cause.split(", "))),
        )
        for row in rows
    )
    columns = (
        Column(page.text("word.period")),
        Column(page.text("word.area")),
        Column(page.text("explain.published"), "number"),
        Column(page.text("explain.today"), "number"),
        Column(page.text("explain.difference"), "number"),
        Column(page.text("explain.cause")),
    )
    caption = page.text("explain.restated_caption")
    table = Table("restated", caption, columns, shown, source=source("restated", team=team_id))
    show(
        join(
            heading(page.text("explain.restated")),
            hint(page.text("explain.restated_hint")),
            table_html(page, table),
        )
    )
