"""The brief as a workbook: a sheet per table with the numbers themselves; the teams' tables stand together."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from io import BytesIO
from typing import Any

import xlsxwriter

from opsmetrics.language.texts import text
from opsmetrics.reports.brief.document import BAND_COLOURS, Columns, Document, Figures, Paragraph
from opsmetrics.reports.table import Cell, Column, Table


def write_xlsx(document: Document) -> bytes:
    """Return the brief as a workbook; texts are never formulas."""
    sink = BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(sink, options) as book:
        book.set_properties(
            {"title": document.title, "author": document.subtitle, "created": document.at.replace(tzinfo=None)}
        )
        formats = _Formats(book)
        _summary(book, formats, document)
        for name, table, rows in _tables(document):
            _sheet(book, formats, name, table, rows)
    return sink.getvalue()


class _Formats:
    def __init__(self, book: Any) -> None:
        self.head = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
        self.plain = book.add_format({"text_wrap": True, "valign": "top"})
        self.day = book.add_format({"num_format": "yyyy-mm-dd", "valign": "top", "align": "left"})
        self.number = book.add_format({"num_format": "0.0##", "valign": "top"})
        self.bands = [
            book.add_format({"num_format": "0.0", "bg_color": f"#{colour}", "valign": "top"}) for colour in BAND_COLOURS
        ]


def _summary(book: Any, formats: _Formats, document: Document) -> None:
    sheet = book.add_worksheet("brief")
    sheet.set_column(0, 0, 70, formats.plain)
    sheet.set_column(1, 1, 60)
    sheet.set_column(2, 2, 30)
    lines: list[tuple[Any, ...]] = [(document.title,), (document.subtitle,)]
    lines += [(words,) for words in (document.banner, document.foot) if words]
    for block in document.sections[0].blocks:
        if isinstance(block, Paragraph):
            lines += [(), (block.text.replace("*", ""),), ()]
        elif isinstance(block, Figures):
            lines += [(label, number if value is None else value, note) for label, number, note, value in block.items]
        elif isinstance(block, Columns):
            for points in block.lists:
                lines += [(), (points.title,), *(points.items or ((points.none, ""),))]
    for row, line in enumerate(lines):
        for column, value in enumerate(line):
            look = formats.number if isinstance(value, float) else formats.plain
            sheet.write(row, column, value, formats.head if row == 0 else look)


def _tables(document: Document) -> Iterator[tuple[str, Table, list[tuple[Cell, ...]]]]:
    """Every table once: those of the annex joined by name, with the team first."""
    joined: dict[str, tuple[Table, list[tuple[Cell, ...]]]] = {}
    for section in document.sections:
        for block in section.blocks:
            if isinstance(block, Table):
                first = (Cell(section.title),) if section.is_annex else ()
                _, rows = joined.setdefault(block.name, (_with_team(document, block) if first else block, []))
                rows += [first + row for row in block.rows]
    for name, (table, rows) in joined.items():
        yield name, table, rows


def _with_team(document: Document, table: Table) -> Table:
    columns = (Column(text(document.language, "word.team"), width=2), *table.columns)
    return Table(table.name, table.caption, columns, (), table.note)


def _sheet(book: Any, formats: _Formats, name: str, table: Table, rows: list[tuple[Cell, ...]]) -> None:
    sheet = book.add_worksheet(name)
    for place, column in enumerate(table.columns):
        sheet.set_column(place, place, 8 + 7 * column.width)
        sheet.write_string(0, place, column.label, formats.head)
    sheet.freeze_panes(1, 1)
    if rows:
        sheet.autofilter(0, 0, len(rows), len(table.columns) - 1)
    for line, row in enumerate(rows, start=1):
        for column, cell in enumerate(row):
            if isinstance(cell.value, date):
                sheet.write_datetime(line, column, cell.value, formats.day)
            elif cell.value is not None:
                sheet.write_number(
                    line, column, cell.value, formats.number if cell.band is None else formats.bands[cell.band]
                )
            else:
                sheet.write_string(line, column, cell.text, formats.plain)
    if table.note:
        sheet.write_string(len(rows) + 2, 0, table.note)
