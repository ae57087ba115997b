"""The brief as a workbook: every table and every chart's numbers, in the reader's language, with what columns mean."""

from __future__ import annotations

import re
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
    Block,
    Chart,
    Columns,
    Document,
    Figures,
    Paragraph,
    Row,
    Section,
)
from opsmetrics.reports.palette import BANDS
from opsmetrics.reports.table import Cell, Column, Table

DAYS = {"nb": "dd.mm.yyyy", "en": "d mmm yyyy"}
_EDGES = range(LEVEL_STEP, 100, LEVEL_STEP)
_MOST_DECIMALS = 6
_HAIR = 1e-6
_BARRED = ("not established", "begun")
THICK, MEDIUM = 5, 2
"""Borders, as the library numbers them."""
LINE_HEIGHT, SUMMARY_WIDTHS = 15, (70, 60, 50)


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
        self.head = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1, "indent": 1})
        self.plain = book.add_format({"text_wrap": True, "valign": "top", "indent": 1})
        self.day = book.add_format({"num_format": DAYS[language], "valign": "top", "align": "left", "indent": 1})

    def number(self, cell: Cell) -> Any:
        """Return the look of a number: as its text writes it; a score is never rounded across a level's edge."""
        decimals = _decimals(cell)
        key = ("0" + "." * bool(decimals) + "0" * decimals + "%" * cell.text.endswith("%"), cell.band)
        if key not in self.made:
            self.made[key] = self.book.add_format({"num_format": key[0], "valign": "top", **_filled(cell.band)})
        return self.made[key]

    def level(self, level: int) -> Any:
        """Return the look of a level's name."""
        if ("", level) not in self.made:
            self.made["", level] = self.book.add_format({"indent": 1, **_filled(level)})
        return self.made["", level]


def _filled(banded: int | None) -> dict[str, Any]:
    """Colour of a level; the lowest have a bar at the left, which grey print shows too."""
    if banded is None:
        return {}
    bar = {"left": THICK if banded == 0 else MEDIUM} if banded < len(_BARRED) else {}
    return {"bg_color": BANDS[banded], **bar}


def _decimals(cell: Cell) -> int:
    """How many decimals the text has; of a score as many as keep it on its own side of a level's edge, at least one."""
    value = float(cell.value)  # type: ignore[arg-type]
    if cell.band is None:
        # A text with a unit, as hours, writes another number than the value.
        written = re.fullmatch(r"[^\w]*([\d\s]+)(?:[.,](\d{1,2}))?\s*(%?)", cell.text)
        if written is None:
            return 0
        decimals, amount = len(written[2] or ""), abs(value) * (100 if written[3] else 1)
        shown = int("".join(written[1].split()) + (written[2] or ""))
        # What is never written as the edge that it falls short of has more decimals here: a workbook rounds by itself.
        return next(
            (
                places
                for places in range(decimals, _MOST_DECIMALS)
                if int(round(amount, places) * 10**decimals + _HAIR) == shown
            ),
            decimals,
        )
    for decimals in range(1, _MOST_DECIMALS):
        if band(round(value, decimals), _EDGES) == band(value, _EDGES):
            return decimals
    return _MOST_DECIMALS


def _summary(book: Any, formats: _Formats, document: Document) -> None:
    """The first page's words and numbers."""
    sheet = book.add_worksheet(_name(document, "brief"))
    for place, width in enumerate(SUMMARY_WIDTHS):
        sheet.set_column(place, place, width, formats.plain)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
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
        cells = [value if isinstance(value, Cell) else Cell(value) for value in line]
        sheet.set_row(row, LINE_HEIGHT * max(map(_lines, cells, SUMMARY_WIDTHS), default=1))
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
            before = joined.setdefault(table.name, replace(table, rows=(), note=""))
            note = "\n".join(filter(None, (before.note, table.note)))
            joined[table.name] = replace(before, rows=(*before.rows, *table.rows), note=note)
    yield from joined.values()


def _of_section(document: Document, section: Section) -> Iterator[Table]:
    """Tables of a section; one of a team gets its name as the first column."""
    for block in _blocks(section.blocks):
        if isinstance(block, Chart):
            yield _numbers(block)
        elif isinstance(block, Table) and section.team:
            words = text(document.language, "word.team")
            columns = (Column(words, width=2, help=text(document.language, "brief.help_word_team")), *block.columns)
            rows = tuple((Cell(section.team), *row) for row in block.rows)
            note = f"{section.team}: {block.note}" if block.note else ""
            yield replace(block, columns=columns, rows=rows, note=note)
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
        for name, value, label in zip(chart.named or chart.categories, chart.values, chart.labels, strict=True)
    )
    return Table(chart.name, chart.title, columns, rows)


def _sheet(book: Any, formats: _Formats, name: str, table: Table) -> None:
    sheet = book.add_worksheet(name)
    widths = [_width(table, place) for place in range(len(table.columns))]
    for place, column in enumerate(table.columns):
        sheet.set_column(place, place, widths[place])
        sheet.write_string(0, place, column.label, formats.head)
    sheet.set_row(0, 2 * LINE_HEIGHT)
    _on_paper(sheet)
    if table.rows:
        sheet.autofilter(0, 0, len(table.rows), len(table.columns) - 1)
    for line, row in enumerate(table.rows, start=1):
        for column, cell in enumerate(row):
            _write(sheet, formats, line, column, cell)
        sheet.set_row(line, LINE_HEIGHT * max(map(_lines, row, widths)))
    line = len(table.rows) + 2
    for level, words in table.legend:
        sheet.write_string(line, 0, words, formats.level(level))
        line += 1
    for words in _sentences(table.note):
        sheet.write_string(line, 0, words)
        line += 1


def _sentences(note: str) -> list[str]:
    """A note sentence by sentence, each once: tables that are joined say some of them of every team."""
    found = (words for line in note.replace("*", "").splitlines() for words in line.split(". ") if words)
    return list(dict.fromkeys(f"{words.removesuffix('.')}." for words in found))


def _on_paper(sheet: Any) -> None:
    """Freeze the heading, and print all columns on one page's width with the heading on each."""
    sheet.freeze_panes(1, 1)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)


def _width(table: Table, place: int) -> float:
    """As wide as the longest text within reason, in letters."""
    longest = max((len(row[place].text) for row in table.rows), default=0)
    label = table.columns[place].label
    word = max(map(len, label.split()), default=0)
    return float(min(max(longest + 3, len(label) / 2 + 4, word + 5, 9), 48))


def _lines(cell: Cell, width: float) -> int:
    """How many lines a cell takes, about."""
    if cell.value is not None:
        return 1
    return sum(-(-max(1, len(words)) // max(1, int(width))) for words in (cell.text, cell.detail) if words) or 1


def _write(sheet: Any, formats: _Formats, line: int, column: int, cell: Cell) -> None:
    """Write a cell: numbers as numbers, days as days."""
    if isinstance(cell.value, date):
        sheet.write_datetime(line, column, cell.value, formats.day)
    elif cell.value is not None:
        sheet.write_number(line, column, cell.value, formats.number(cell))
    elif cell.link:
        sheet.write_url(line, column, cell.link, string=cell.text)
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
    _on_paper(sheet)
    lines = [(_name(document, table.name), column.label, column.help) for table in tables for column in table.columns]
    for row, line in enumerate(lines, start=1):
        for place, words in enumerate(line):
            sheet.write_string(row, place, words, formats.plain)
