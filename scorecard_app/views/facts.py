"""What the sources say in plain numbers, scored or not: updates, patch lag, uptime, restore times, reports."""

from __future__ import annotations

from html import escape
from typing import Any

from opsmetrics import fmt
from opsmetrics.reading import facts
from scorecard_app.markup import heading, table
from scorecard_app.page import Page, head, show, view

SHOWN_ROWS = 25


@view("facts")
def render(page: Page) -> None:
    """Show the facts."""
    head(page, page.text("facts.title"))
    show(f'<p class="lead">{escape(page.text("facts.lead"))}</p>')
    for name in facts.FACTS:
        _table(page, name)


def _table(page: Page, name: str) -> None:
    found = facts.facts(page.snapshot, name)
    if found.is_empty():
        show(heading(page.text(f"facts.{name}")) + f'<p class="hint">{escape(page.text("facts.empty"))}</p>')
        return
    shown = found.head(SHOWN_ROWS)
    header = [(page.text(f"column.{column}"), kind.is_numeric()) for column, kind in found.schema.items()]
    rows = [[_cell(page, column, value) for column, value in row.items()] for row in shown.to_dicts()]
    note = page.text("facts.shown", shown=shown.height, all=fmt.number(page.language, found.height))
    show(
        heading(page.text(f"facts.{name}"), note)
        + table(page.text(f"facts.{name}"), header, rows, kind="wide")
        + page.downloads(name)
    )


def _cell(page: Page, column: str, value: Any) -> str:
    """How a value is shown: months without day, shares as percent, the rest in the reader's format."""
    if value is None:
        return fmt.MISSING
    if column == "month":
        return escape(fmt.month(page.language, value))
    if column.endswith(("_share", "_ratio")):
        return fmt.percent(page.language, value, 2)  # uptime lives in the second decimal
    if isinstance(value, float):
        return fmt.number(page.language, value, 1)
    if isinstance(value, int) and not isinstance(value, bool):
        return fmt.number(page.language, value)
    return escape(str(value))
