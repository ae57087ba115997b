"""How many cells a workbook that is none of XLSX makes its reader hold: up to the last row and column with anything.

Does not belong here: what the cells of XLSX say beside their values (``sheet_marks``).
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from posixpath import join, normpath
from typing import IO
from xml.parsers import expat

from opsmetrics.sources.sheet_marks import relations_of

_CONTENT, _WORKBOOK, _LINKS = "content.xml", "xl/workbook.bin", "xl/_rels/workbook.bin.rels"
_CHUNK = 1 << 20
# Records of XLSB: a row begins, a cell that holds something, a sheet of the workbook.
_ROW, _CELLS, _SHEET = 0, frozenset({*range(2, 12), 62}), 156


def opendocument_cells(path: Path) -> int:
    """Return the cells of the largest table of an ODS workbook; none of any other file.

    Args:
        path: A file that is a ZIP archive.
    """
    tables = _Tables()
    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = tables.start, tables.end
    try:
        with zipfile.ZipFile(path) as packed:
            if _CONTENT not in packed.namelist():
                return 0
            with packed.open(_CONTENT) as content:
                while chunk := content.read(_CHUNK):
                    parser.Parse(chunk)
    except expat.ExpatError:
        # Whoever reads it says so.
        return 0
    return tables.most


class _Tables:
    """Counts rows and columns, also those that a table says only once and repeats."""

    def __init__(self) -> None:
        self.most = 0
        self._rows = self._height = self._width = 0
        self._column = self._last = self._repeated = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "table:table":
            self._rows = self._height = self._width = 0
        elif name == "table:table-row":
            self._column = self._last = 0
            self._repeated = _times(attributes, "table:number-rows-repeated")
        elif name in {"table:table-cell", "table:covered-table-cell"}:
            self._column += _times(attributes, "table:number-columns-repeated")
            if "office:value-type" in attributes or "table:formula" in attributes:
                self._last = self._column

    def end(self, name: str) -> None:
        if name == "table:table-row":
            self._rows += self._repeated
            if self._last:
                self._height, self._width = self._rows, max(self._width, self._last)
        elif name == "table:table":
            self.most = max(self.most, self._height * self._width)


def _times(attributes: dict[str, str], name: str) -> int:
    said = attributes.get(name, "1")
    return int(said) if said.isdecimal() and len(said) < 12 else 1


def xlsb_cells(path: Path, sheet: str) -> int:
    """Return the cells of a sheet of an XLSB workbook; none of any other file.

    Args:
        path: A file that is a ZIP archive.
        sheet: Name of the sheet.
    """
    with zipfile.ZipFile(path) as packed:
        if not {_WORKBOOK, _LINKS} <= set(packed.namelist()):
            return 0
        with packed.open(_WORKBOOK) as book:
            sheets = dict(_sheet(content) for kind, content in _records(book) if kind == _SHEET)
        part = normpath(join("/xl", relations_of(packed.read(_LINKS)).get(sheets.get(sheet, ""), ""))).lstrip("/")
        if part not in packed.namelist():
            return 0
        rows = columns = row = 0
        with packed.open(part) as content:
            for kind, record in _records(content):
                if kind == _ROW:
                    row = _number(record) + 1
                elif kind in _CELLS:
                    rows, columns = max(rows, row), max(columns, _number(record) + 1)
        return rows * columns


def _records(content: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield kind and content of each record; both its kind and its length are of seven bits a byte."""
    while head := content.read(1):
        kind = head[0]
        if kind & 0x80:
            kind = kind & 0x7F | (content.read(1) or b"\0")[0] << 7
        size = 0
        for place in range(4):
            part = (content.read(1) or b"\0")[0]
            size |= (part & 0x7F) << 7 * place
            if not part & 0x80:
                break
        yield kind, content.read(size)


def _sheet(record: bytes) -> tuple[str, str]:
    """Return the name of a sheet and the relation that leads to it."""
    relation, rest = _wide(record[8:])
    return _wide(rest)[0], relation


def _wide(content: bytes) -> tuple[str, bytes]:
    size = 2 * _number(content)
    return content[4 : 4 + size].decode("utf-16-le", errors="replace"), content[4 + size :]


def _number(content: bytes) -> int:
    return int.from_bytes(content[:4], "little")
