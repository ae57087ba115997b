"""The typed table (``opsmetrics.reports.table``) as HTML of a page."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from opsmetrics.reports.table import Cell, Column, Table
from scorecard_app import files
from scorecard_app.markup import Node, element, folded, hint, join, outward, rich, small, tag
from scorecard_app.page import Page


def table_html(page: Page, table: Table, *, kind: str = "") -> Markup:
    """Return a table; the first cell of each row is its header. On a phone each row becomes a block with labels.

    Where all of it can be fetched, it is offered in the page's menu of files.

    Roles are explicit because some browsers drop a table's meaning once its rows are laid out as blocks.

    Args:
        page: The page, for links and language.
        table: What it shows.
        kind: Extra class, for widths; ``wide`` for tables that may scroll sideways.
    """
    if table.source:
        files.offer_table(page, table.source)
    head = (
        element("th", column.label, scope="col", role="columnheader", class_=_number(column))
        for column in table.columns
    )
    body = (_row(page, table.columns, cells, is_first=not at) for at, cells in enumerate(table.rows))
    shown = element(
        "table",
        element("caption", table.caption),
        element("thead", element("tr", head, role="row"), role="rowgroup"),
        element("tbody", body, role="rowgroup"),
        role="table",
        class_=f"rows {kind}".strip(),
    )
    # What may scroll sideways must be reachable by keyboard.
    reached = {"tabindex": "0", "role": "region", "aria_label": table.caption} if "wide" in kind else {}
    return join(
        element("div", shown, class_="scroll", **reached),
        legend_html(table.legend),
        hint(rich(table.note)) if table.note else None,
    )


def legend_html(levels: Sequence[tuple[int, str]], *more: Node) -> Markup | None:
    """Return what the colours of levels mean, and what else stands beside them; nothing where there is neither."""
    bands = [element("span", element("span", class_=f"swatch cell l{level}"), words) for level, words in levels]
    return element("div", bands, more, class_="legend") if bands or more else None


def folded_table(page: Page, summary: str, table: Table) -> Markup:
    """Return a table that opens on demand."""
    return folded(summary, table_html(page, table))


def _number(column: Column) -> str | None:
    return "num" if column.is_number else None


def _row(page: Page, columns: Sequence[Column], cells: Sequence[Cell], *, is_first: bool) -> Markup:
    first, *rest = cells
    body = (
        element(
            "td",
            cell.axis if is_first else None,
            cell_html(page, cell),
            role="cell",
            data_l=column.label,
            class_=" ".join(filter(None, (_number(column), _strong(cell)))) or None,
        )
        for cell, column in zip(rest, columns[1:], strict=True)
    )
    name = element("th", cell_html(page, first), scope="row", role="rowheader", class_=_strong(first))
    return element("tr", name, body, role="row")


def _strong(cell: Cell) -> str | None:
    """The class of a cell whose text is what its row is about; what has a form of its own, such as a link, is not."""
    return "strong" if cell.is_strong and _is_plain(cell) else None


def _is_plain(cell: Cell) -> bool:
    return not (cell.drawing or cell.link) and cell.band is None and cell.tag is None and cell.address is None


def cell_html(page: Page, cell: Cell) -> Markup:
    """Return what a screen shows of a cell."""
    return join(_figure(page, cell), small(cell.detail))


def _figure(page: Page, cell: Cell) -> Markup:
    if cell.drawing:
        return cell.drawing
    if cell.band is not None:
        return element(
            "span", element("strong", cell.text) if cell.is_strong else cell.text, class_=f"band l{cell.band}"
        )
    if cell.tag is not None:
        return tag(cell.tag.kind, cell.tag.sign, cell.text)
    if cell.link:
        return outward(cell.link, cell.text, page.text("first.opens_handbook"))
    if cell.address is not None:
        return page.link(cell.address, cell.text)
    return join(cell.text)
