"""What the sources say in plain numbers, scored or not: updates, patch lag, uptime, restore times, reports."""

from __future__ import annotations

from typing import Any

import polars as pl

from opsmetrics.language import fmt
from opsmetrics.language.details import detail
from opsmetrics.reports.addresses import FACTS
from opsmetrics.reports.table import Cell, Column, Kind, Table
from opsmetrics.snapshots.queries import facts
from scorecard_app.layout import head
from scorecard_app.lifecycle import view
from scorecard_app.markup import heading, hint, join, lead
from scorecard_app.page import Page
from scorecard_app.raw_html import show
from scorecard_app.table_html import table_html
from scorecard_app.views.parts import source
from scorecard_app.views.sides import MOST_ROWS

_RATIOS = ("_share", "_ratio")


@view(FACTS)
def render(page: Page) -> None:
    """Show the facts."""
    head(page, page.text("facts.title"))
    show(lead(page.text("facts.lead")))
    for name in facts.FACTS:
        _section(page, name)


def _section(page: Page, name: str) -> None:
    found, title = facts.facts(page.snapshot, name, MOST_ROWS), page.text(f"facts.{name}")
    if found.is_empty():
        show(join(heading(title), hint(page.text("facts.empty"))))
        return
    table = _table(page, name, found)
    count = facts.fact_count(page.snapshot, name)
    note = page.text("facts.shown", shown=len(table.rows), all=fmt.number(page.language, count))
    show(join(heading(title, note), table_html(page, table, kind="wide")))


def _table(page: Page, name: str, shown: pl.DataFrame) -> Table:
    columns = tuple(Column(page.text(f"column.{column}"), _kind(column, kind)) for column, kind in shown.schema.items())
    rows = tuple(
        tuple(_cell(page, column, value) for column, value in row.items()) for row in shown.iter_rows(named=True)
    )
    return Table(name, page.text(f"facts.{name}"), columns, rows, source=source(name))


def _kind(column: str, kind: pl.DataType) -> Kind:
    if kind.is_numeric():
        return "percent" if column.endswith(_RATIOS) else "number"
    return "date" if kind.is_temporal() else "text"


def _cell(page: Page, column: str, value: Any) -> Cell:
    """How a value is shown: months without day, shares as percent, the rest in the reader's format."""
    if value is None:
        return Cell(fmt.MISSING)
    if column == "month":
        return Cell(fmt.month(page.language, value), value)
    if column.endswith(_RATIOS):
        return page.cells.percent(value, 2)  # uptime lives in the second decimal
    if isinstance(value, float):
        return page.cells.number(value, 1)
    if isinstance(value, int) and not isinstance(value, bool):
        return page.cells.number(value)
    return Cell(detail(page.language, str(value)))
