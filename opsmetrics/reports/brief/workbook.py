"""The brief as a workbook: every table and every chart's numbers, in the reader's language, with what columns mean."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from io import BytesIO
from typing import Any

import xlsxwriter

from opsmetrics.language.fmt import LEVEL_STEP
from opsmetrics.language.texts import text
from opsmetrics.reports.board import band
from opsmetrics.reports.brief.document import (
    BAND_COLOURS,
    Block,
    Chart,
    Columns,
    Document,
    Figures,
    Paragraph,
    Row,
    Section,
)
from opsmetrics.reports.table import Cell, Column, Table

DAYS = {"nb": "dd.mm.yyyy", "en": "d mmm yyyy"}
_EDGES = range(LEVEL_STEP, 100, LEVEL_STEP)
_MOST_DECIMALS = 6


def write_xlsx(document: Document) -> bytes:
    """Return the brief as a workbook; texts are never formulas."""
    sink = BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(sink, options) as book:
        book.set_properties(
            {"title": document.title, "author": document.subtitle, "created": document.at.replace(tzinfo=None)}
        )
        formats = _Formats(book, document.language)
        tables = list(_tables(document))
        _summary(book, formats, document)
        for table in tables:
            _sheet(book, formats, _name(document, table.name), table)
        _explained(book, formats, document, tables)
    return sink.getvalue()


def _name(document: Document, name: str) -> str:
    """Return what a sheet is called in the reader's language."""
    return text(document.language, f"brief.sheet_{name}")


class _Formats:
    """Looks of cells, each made once."""

    def __init__(self, book: Any, language: str) -> None:
        self.book = book
        self.made: dict[tuple[str, int | None], Any] = {}
        self.head = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
        self.plain = book.add_format({"text_wrap": True, "valign": "top"})
        self.day = book.add_format({"num_format": DAYS[language], "valign": "top", "align": "left"})

    def number(self, cell: Cell) -> Any:
        """Return the look of a number: percent where its text says so, never rounded across a level's edge."""
        assert isinstance(cell.value, float | int)  # noqa: S101 - who calls has seen it
        said = "0.0%" if cell.text.endswith("%") else "0." + "0" * _decimals(cell.value, cell.band)
        if float(cell.value).is_integer() and said != "0.0%":
            said = "0"
        key = (said, cell.band)
        if key not in self.made:
            fill = {"bg_color": f"#{BAND_COLOURS[cell.band]}"} if cell.band is not None else {}
            self.made[key] = self.book.add_format({"num_format": said, "valign": "top", **fill})
        return self.made[key]


def _decimals(value: float, banded: int | None) -> int:
    """How many decimals keep a score on its own side of a level's edge: one, mostly."""
    if banded is None:
        return 1 if abs(value) >= 1 else 2
    for decimals in range(1, _MOST_DECIMALS):
        if band(round(value, decimals), _EDGES) == band(value, _EDGES):
            return decimals
    return _MOST_DECIMALS


def _summary(book: Any, formats: _Formats, document: Document) -> None:
    """The first page's words and numbers."""
    sheet = book.add_worksheet(_name(document, "brief"))
    sheet.set_column(0, 0, 70, formats.plain)
    sheet.set_column(1, 1, 60)
    sheet.set_column(2, 2, 40)
    lines: list[tuple[Any, ...]] = [(document.title,), (document.subtitle,)]
    lines += [(words,) for words in (document.banner, document.foot) if words]
    for block in document.sections[0].blocks:
        if isinstance(block, Paragraph):
            lines += [(), (block.text.replace("*", ""),), ()]
        elif isinstance(block, Figures):
            lines += [
                (label, Cell(number, value), note.replace("\n", ", ")) for label, number, note, value in block.items
            ]
        elif isinstance(block, Columns):
            for points in block.lists:
                lines += [(), (points.title,), *(points.items or ((points.none, ""),))]
    for row, line in enumerate(lines):
        for column, value in enumerate(line):
            if isinstance(value, Cell):
                _write(sheet, formats, row, column, value)
            else:
                sheet.write_string(row, column, value, formats.head if row == 0 else formats.plain)


def _tables(document: Document) -> Iterator[Table]:
    """Every table and chart once: those of the annex joined by name, with the team first."""
    joined: dict[str, Table] = {}
    for section in document.sections:
        for table in _of_section(document, section):
            before = joined.setdefault(table.name, replace(table, rows=()))
            joined[table.name] = replace(before, rows=(*before.rows, *table.rows))
    yield from joined.values()


def _of_section(document: Document, section: Section) -> Iterator[Table]:
    """Tables of a section; one of a team gets its name as the first column."""
    for block in _blocks(section.blocks):
        if isinstance(block, Chart):
            yield _numbers(block)
        elif isinstance(block, Table) and section.team:
            words = text(document.language, "word.team")
            columns = (Column(words, width=2, help=text(document.language, "brief.help_word_team")), *block.columns)
            yield replace(block, columns=columns, rows=tuple((Cell(section.team), *row) for row in block.rows))
        elif isinstance(block, Table):
            yield block


def _blocks(blocks: tuple[Block, ...]) -> Iterator[Block]:
    for block in blocks:
        if isinstance(block, Row):
            yield from block.blocks
        else:
            yield block


def _numbers(chart: Chart) -> Table:
    """A chart as the table of its numbers."""
    columns = (Column(chart.first, width=3, help=chart.title), Column(chart.unit, "number", 2, chart.alt))
    rows = tuple(
        (Cell(name), Cell(label, value))
        for name, value, label in zip(chart.categories, chart.values, chart.labels, strict=True)
    )
    return Table(chart.name, chart.title, columns, rows)


def _sheet(book: Any, formats: _Formats, name: str, table: Table) -> None:
    sheet = book.add_worksheet(name)
    for place, column in enumerate(table.columns):
        sheet.set_column(place, place, 8 + 7 * column.width)
        sheet.write_string(0, place, column.label, formats.head)
    sheet.freeze_panes(1, 1)
    if table.rows:
        sheet.autofilter(0, 0, len(table.rows), len(table.columns) - 1)
    for line, row in enumerate(table.rows, start=1):
        for column, cell in enumerate(row):
            _write(sheet, formats, line, column, cell)
    if table.note:
        sheet.write_string(len(table.rows) + 2, 0, table.note)


def _write(sheet: Any, formats: _Formats, line: int, column: int, cell: Cell) -> None:
    """Write a cell: numbers as numbers, days as days."""
    if isinstance(cell.value, date):
        sheet.write_datetime(line, column, cell.value, formats.day)
    elif cell.value is not None:
        sheet.write_number(line, column, cell.value, formats.number(cell))
    else:
        words = "\n".join(filter(None, (cell.text, cell.detail)))
        sheet.write_string(line, column, words, formats.plain)


def _explained(book: Any, formats: _Formats, document: Document, tables: list[Table]) -> None:
    """The last sheet: what each column of each sheet says."""
    language = document.language
    sheet = book.add_worksheet(_name(document, "help"))
    for place, (key, width) in enumerate((("sheet", 24), ("column", 28), ("means", 90))):
        sheet.set_column(place, place, width)
        sheet.write_string(0, place, text(language, f"brief.sheet_{key}"), formats.head)
    sheet.freeze_panes(1, 0)
    lines = [(_name(document, table.name), column.label, column.help) for table in tables for column in table.columns]
    for row, line in enumerate(lines, start=1):
        for place, words in enumerate(line):
            sheet.write_string(row, place, words, formats.plain)
