"""Shared gaps as a picture: how many teams are below the requirement of each metric, the most first."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from opsmetrics.language import fmt
from opsmetrics.reports.addresses import METRIC
from opsmetrics.reports.board import Board
from opsmetrics.reports.table import Cell, Column, Table
from opsmetrics.snapshots.queries import gains
from opsmetrics.snapshots.queries import shared_gaps as queries
from opsmetrics.snapshots.queries.shared_gaps import SharedGap
from scorecard_app.later import later_table
from scorecard_app.markup import element, heading, hint, join, link, paragraph, rich
from scorecard_app.page import Page
from scorecard_app.raw_html import show

SHOWN_GAPS = 10
TOP = 3  # that leadership could take on at once


def shared_gaps(page: Page, found: Board) -> None:
    """Show the metrics that most teams are below the requirement of."""
    rows = queries.shared_gaps(page.snapshot, page.period)
    title = heading(page.text("shared.title"), page.text("shared.note"))
    if not rows:
        show(join(title, hint(page.text("shared.none" if found.median() is not None else "shared.unknown"))))
        return
    shown = list(rows[:SHOWN_GAPS])
    words = _words(page, shown)
    table = later_table(page, "shared", page.text("app.show_table"), lambda: _table(page, found, list(rows)))
    show(join(title, paragraph(rich(words)), _picture(page, shown, len(found.scores)), table))


def _words(page: Page, rows: Sequence[SharedGap]) -> str:
    """The largest gap, and what the top ones are worth together."""
    first, top = rows[0], rows[:TOP]
    said = [
        page.text(
            "shared.lead", metric=fmt.unmarked(page.say(first.title)), below=first.below, measured=first.measured
        ),
    ]
    gain = gains.mean_gain(page.snapshot, page.period, [row.metric_id for row in top])
    if gain:
        said.append(page.text("shared.gain", count=len(top), points=fmt.number(page.language, gain, 1)))
    return " ".join(said)


def _picture(page: Page, rows: Sequence[SharedGap], teams: int) -> Markup:
    """Horizontal bars from zero to the number of teams; each row is a link, its number stands beside its bar."""
    bars = (element("li", link(page.href(METRIC.at(metric=row.metric_id)), _bar(page, row, teams))) for row in rows)
    ticks = (
        element(
            "span",
            tick if tick < teams else f"{tick} {page.text('shared.axis')}",
            style=f"left:{100 * tick / teams:.1f}%",
        )
        for tick in _ticks(teams)
    )
    axis = element("div", element("div", ticks), class_="shared-axis", aria_hidden="true")
    return element("div", element("ul", bars, class_="shared"), axis, class_="shared-figure")


def _bar(page: Page, row: SharedGap, teams: int) -> Markup:
    key = "shared.row_unmeasured" if row.unmeasured else "shared.row"
    said = page.text(key, below=row.below, measured=row.measured, unmeasured=row.unmeasured)
    if row.carried:
        said = f"{said}, {page.text('shared.carried', count=row.carried)}"
    length = 100 * row.below / teams if teams else 0
    track = element("span", element("i", style=f"width:{length:.1f}%"), class_="shared-bar", aria_hidden="true")
    return join(
        element("span", page.say(row.title), class_="name"), " ", track, " ", element("span", said, class_="count")
    )


def _ticks(teams: int) -> list[int]:
    """Zero, the half where it is whole and apart, and all teams."""
    return [0, teams // 2, teams] if teams > 1 and teams % 2 == 0 else [0, teams]


def _table(page: Page, found: Board, rows: Sequence[SharedGap]) -> Table:
    areas, cells = found.area_names(page.language), page.cells
    columns = (
        Column(page.text("word.metric"), "link"),
        Column(page.text("word.area")),
        Column(page.text("shared.below"), "number"),
        Column(page.text("shared.measured"), "number"),
        Column(page.text("shared.last_known"), "number"),
        Column(page.text("shared.unmeasured"), "number"),
    )
    shown = tuple(
        (
            Cell(page.say(row.title), address=METRIC.at(metric=row.metric_id)),
            Cell(areas[row.area_id]),
            *(cells.number(count) for count in (row.below, row.measured, row.carried, row.unmeasured)),
        )
        for row in rows
    )
    return Table("shared", page.text("shared.caption"), columns, shown)
