"""The brief's blocks (``opsmetrics.reports.brief.document``) as HTML of a page: what is on paper is on the screen."""

from __future__ import annotations

import base64
from dataclasses import replace

from markupsafe import Markup

from opsmetrics.reports.brief.document import Block, Chart, Columns, Figures, Paragraph, Points, Row, Section
from opsmetrics.reports.brief.drawings import draw
from opsmetrics.reports.table import Cell, Table
from scorecard_app.markup import element, heading, hint, join, lead, mark, paragraph, rich, strip
from scorecard_app.page import Page
from scorecard_app.table_html import table_html

CHART_WIDTH, CHART_HEIGHT = 310.0, 135.0


def section_html(page: Page, section: Section, *, is_first: bool) -> Markup:
    """Return a section, which begins a page on paper; the first stands on that of the page's own heading."""
    start = None if is_first else element("div", class_="new-page")
    return join(start, heading(section.title), (_block(page, block) for block in section.blocks))


def _block(page: Page, block: Block) -> Markup:
    if isinstance(block, Paragraph):
        return lead(block.text) if block.is_lead else join(paragraph(rich(line)) for line in block.text.split("\n"))
    if isinstance(block, Figures):
        return strip((label, number, _lines(note)) for label, number, note, _ in block.items)
    if isinstance(block, Columns):
        return element("div", (_points(points) for points in block.lists), class_="three")
    if isinstance(block, Row):
        return element("div", (element("div", _block(page, part)) for part in block.blocks), class_="pair")
    return _chart(block) if isinstance(block, Chart) else _table(page, block)


def _lines(note: str) -> Markup:
    return join(element("span", line) for line in note.split("\n") if line)


def _points(points: Points) -> Markup:
    items = [element("li", line, element("span", detail, class_="small")) for line, detail in points.items]
    listed = element("ul", items, class_="plain") if items else hint(points.none)
    return element("section", element("h3", mark(points.mark), " ", points.title), listed)


def _chart(chart: Chart) -> Markup:
    """A chart below its sentence."""
    svg = draw(chart, CHART_WIDTH, CHART_HEIGHT)
    return element("div", paragraph(element("strong", chart.title)), _image(svg, chart.alt, "drawn"))


def _image(svg: Markup, alt: str, kind: str) -> Markup:
    """A drawing as an image: Streamlit takes no SVG within a page."""
    data = base64.b64encode(str(svg).encode()).decode()
    return element("img", class_=kind, src=f"data:image/svg+xml;base64,{data}", alt=alt)


def _table(page: Page, table: Table) -> Markup:
    """A table with its caption in sight, as on paper: it says what the numbers are and what they give together."""
    rows = tuple(tuple(_cell(cell) for cell in row) for row in table.rows)
    kind = "told wide scores" if table.name == "scores" else "told"
    return table_html(page, replace(table, rows=rows), kind=kind)


def _cell(cell: Cell) -> Cell:
    return replace(cell, drawing=_image(cell.drawing, cell.text, "small-drawn")) if cell.drawing else cell
