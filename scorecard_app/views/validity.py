"""Does the score mean anything: are better scores followed by better outcomes, and can one tell?"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from opsmetrics.language import fmt
from opsmetrics.reports.addresses import ABOUT, VALIDITY
from opsmetrics.reports.table import Cell, Column, Table, Tag
from opsmetrics.scoring.practice import OUTCOMES
from opsmetrics.snapshots.queries import validity
from opsmetrics.snapshots.queries.validity import PracticeLink
from scorecard_app import charts
from scorecard_app.files import Figure, offer_figure
from scorecard_app.layout import head
from scorecard_app.lifecycle import view
from scorecard_app.markup import element, heading, hint, join, lead, paragraph, points
from scorecard_app.page import Page
from scorecard_app.raw_html import show
from scorecard_app.table_html import folded_table
from scorecard_app.views.parts import areas_by_id, metrics_by_id, source

COMPARED = ("practice", "outcome", "between", "within", "chance", "unknown")
LIMITS = ("cause", "back", "cannot_tell")
_NUMBERS = ("correlation", "low", "high", "teams", "quarters", "unknown")
_SIGNS = {"between": "●", "within": "◇"}  # as in the picture
_TAGS = {
    "goes_with": Tag("good", "↗"),
    "goes_against": Tag("bad", "↘"),
    "cannot_tell": Tag("plain", "?"),
    "too_few": Tag("plain", "–"),
}


@view(VALIDITY)
def render(page: Page) -> None:
    """Show what practice goes with."""
    head(page, page.text("validity.title"))
    found = list(validity.links(page.snapshot))
    show(lead(_answer(page, found)))
    for outcome in OUTCOMES:
        rows = [row for row in found if row.outcome == outcome.id]
        if rows:
            _outcome(page, outcome.id, rows)
    show(
        join(
            heading(page.text("validity.compared")),
            points(page.text(f"validity.compared_{name}") for name in COMPARED),
            heading(page.text("validity.limits")),
            points(page.text(f"validity.limits_{name}") for name in LIMITS),
            paragraph(page.link(ABOUT.at(), page.text("validity.about"))),
        )
    )


def _answer(page: Page, found: Sequence[PracticeLink]) -> str:
    """The whole page in a sentence or two."""
    verdicts = [row.verdict for row in found]
    told = [name for name in verdicts if name != "too_few"]
    if not told:
        return page.text("validity.answer_none")
    counts = {name: verdicts.count(name) for name in ("goes_with", "goes_against", "cannot_tell")}
    words = page.text("validity.answer", all=len(told), **counts)
    return f"{words} {page.text('validity.answer_open')}" if counts["cannot_tell"] == len(told) else words


def _outcome(page: Page, outcome: str, rows: Sequence[PracticeLink]) -> None:
    """One outcome: picture, what it says, what was left out, and the table."""
    title = page.text(f"validity.{outcome}")
    marks = [
        charts.LinkMark(_name(page, row), row.kind, row.correlation, row.low, row.high)
        for row in rows
        if row.correlation is not None and row.low is not None and row.high is not None
    ]
    show(join(heading(title), hint(page.text(f"validity.{outcome}_means"))))
    says = _says(page, rows)
    if marks:
        st.plotly_chart(
            charts.links(page.language, marks, page.text("validity.axis_worse"), page.text("validity.axis_better")),
            config=charts.CONFIG,
            theme=None,
            key=f"validity-{outcome}",
            alt=f"{page.text('validity.alt', outcome=title)} {says}",
        )
        key = (element("span", f"{sign} {page.text(f'validity.{kind}')}") for kind, sign in _SIGNS.items())
        show(element("div", key, class_="legend"))
        offer_figure(page, Figure(f"validity-{outcome}", f"validity-{outcome}", title))
    table = _table(page, title, rows)
    show(
        join(
            paragraph(says),
            paragraph(_left_out(page, rows)),
            folded_table(page, page.text("app.show_table"), table),
        )
    )


def _name(page: Page, row: PracticeLink) -> str:
    return page.say(areas_by_id(page)[row.area_id].name) if row.area_id else page.text("word.total")


def _says(page: Page, rows: Sequence[PracticeLink]) -> str:
    """What the comparisons of one outcome say: the certain ones by name, else that one cannot tell."""
    certain = [
        page.text(f"validity.says_{row.verdict}_{row.kind}", practice=_name(page, row))
        for row in rows
        if row.verdict in {"goes_with", "goes_against"}
    ]
    if certain:
        return " ".join(certain)
    if all(row.verdict == "too_few" for row in rows):
        return page.text("validity.says_too_few")
    teams, quarters = (max(getattr(row, name) for row in rows) for name in ("team_count", "quarter_count"))
    return page.text("validity.says_nothing", teams=teams, quarters=quarters)


def _left_out(page: Page, rows: Sequence[PracticeLink]) -> str:
    metrics = metrics_by_id(page)
    names = sorted({name for row in rows for name in row.left_out})
    titles = ", ".join(page.say(metrics[name].title) for name in names)
    quarters = max(row.left_out_count for row in rows)
    return page.text("validity.left_out", metrics=titles or fmt.MISSING, quarters=quarters)


def _table(page: Page, title: str, rows: Sequence[PracticeLink]) -> Table:
    cells = page.cells
    lines = tuple(
        (
            Cell(_name(page, row)),
            Cell(page.text(f"validity.{row.kind}")),
            Cell(page.text(f"validity.{row.verdict}"), tag=_TAGS[row.verdict]),
            cells.number(row.correlation, 2),
            cells.number(row.low, 2),
            cells.number(row.high, 2),
            cells.number(row.team_count),
            cells.number(row.quarter_count),
            cells.number(row.left_out_count),
        )
        for row in rows
    )
    columns = (
        *(Column(page.text(f"validity.column_{name}")) for name in ("practice", "kind", "verdict")),
        *(Column(page.text(f"validity.column_{name}"), "number") for name in _NUMBERS),
    )
    caption = page.text("validity.caption", outcome=title.lower())
    return Table("validity", caption, columns, lines, source=source("validity"))
