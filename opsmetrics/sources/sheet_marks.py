"""What a workbook's cells say beside their values: errors, formulas that nobody has worked out, and days with a time.

The reader of sheets takes the first two for empty cells, a midnight for a day, and an id with leading zeros for a
number. Only workbooks of XML (XLSX, XLSM) tell it, in the cells' types and the formats of their numbers.
"""

from __future__ import annotations

import html
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from posixpath import join, normpath

_WORKBOOK, _LINKS, _STYLES = "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml"
_CHUNK = 1 << 20
_CELL = re.compile(rb"<(?:\w+:)?c\b([^>]*[^/>])>(.*?)</(?:\w+:)?c>", re.DOTALL)
_VALUE = re.compile(rb"<(?:\w+:)?v\b[^>]*>([^<]*)<")
_FORMULA = re.compile(rb"<(?:\w+:)?f\b")
_ATTRIBUTE = re.compile(rb'([\w:]+)\s*=\s*"([^"]*)"')
_PLACE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})$")
_NAMED = re.compile(rb'<(?:\w+:)?c\b[^>]*?\br="([A-Z]{1,9})([0-9]{1,18})"')
_FULL = re.compile(rb'<(?:\w+:)?c\b[^>]*?\br="([A-Z]{1,9})([0-9]{1,18})"[^>]*>\s*<(?:\w+:)?(?:v|is)\b')
# Formats that every workbook has: of clocks, and of days with a clock.
_CLOCKS = frozenset({18, 19, 20, 21, 22, 45, 46, 47})
# A number that is shown with leading zeros, also behind letters: an id, which is what stands there.
_PADDED = re.compile(r'(?:"(?P<text>[^"\s]*)"|(?P<signs>(?:\\[^\s])*))(?P<zeros>0{2,})$')
# What stands in a format as it is: texts, colours and languages.
_LITERAL = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.')

Place = tuple[int, int]


@dataclass(frozen=True)
class SheetMarks:
    """Places of cells, as row and column from nought, by what their values do not tell.

    Attributes:
        path: The workbook.
        part: The sheet in it; None where nobody can tell.
    """

    path: Path
    part: str | None

    @cached_property
    def errors(self) -> dict[Place, str]:
        """Cells of which a formula or the sheet itself says that they hold no value, and what they show."""
        if not any(b't="e"' in piece for piece in self._pieces()):
            return {}
        return {place: text for place, attributes, text in self._cells() if attributes.get("t") == "e"}

    @cached_property
    def unworked(self) -> frozenset[Place]:
        """Cells with a formula and no value of it, as programs write them: a spreadsheet works it out and saves it."""
        return frozenset(
            _numbered(place)
            for piece in self._pieces()
            if _FORMULA.search(piece) is not None
            for found in _CELL.finditer(piece)
            if _FORMULA.search(found[2]) is not None
            and ((value := _VALUE.search(found[2])) is None or not value[1])
            and (attributes := _attributes(found[1])).get("t") != "str"
            and (place := _PLACE.match(attributes.get("r", ""))) is not None
        )

    @cached_property
    def timed(self) -> frozenset[Place]:
        """Cells that show a clock, whatever time it is."""
        styles = self._timed_styles()
        return frozenset(
            place for place, attributes, _ in self._cells() if styles and attributes.get("s", "0") in styles
        )

    @cached_property
    def padded(self) -> dict[Place, tuple[str, int]]:
        """Cells of numbers that show leading zeros: what stands before them, and how many digits there are at least."""
        styles = {
            number: (found["text"] or (found["signs"] or "").replace("\\", ""), len(found["zeros"]))
            for number, code in self._codes.items()
            if (found := _PADDED.match(code)) is not None
        }
        return {
            place: styles[attributes["s"]]
            for place, attributes, _ in (self._cells() if styles else ())
            if attributes.get("s") in styles and attributes.get("t", "n") == "n"
        }

    def extent(self, most: int) -> int:
        """Return how many cells a sheet has up to its last row and column that hold anything.

        Args:
            most: A sheet whose empty cells end within so many is not looked at closer.
        """
        named = self._extent_of(_NAMED)
        return named if named <= most else self._extent_of(_FULL)

    def _extent_of(self, pattern: re.Pattern[bytes]) -> int:
        rows = columns = 0
        for piece in self._pieces():
            found = pattern.findall(piece)
            rows = max([rows, *(int(row) for _, row in found)])
            columns = max([columns, *(_column(name.decode()) for name in {name for name, _ in found})])
        return rows * columns

    def _cells(self) -> Iterator[tuple[Place, dict[str, str], str]]:
        for piece in self._pieces():
            for found in _CELL.finditer(piece):
                attributes = _attributes(found[1])
                place = _PLACE.match(attributes.get("r", ""))
                value = _VALUE.search(found[2])
                if place is not None and value is not None:
                    yield _numbered(place), attributes, value[1].decode(errors="replace")

    def _pieces(self) -> Iterator[bytes]:
        """Yield the sheet in pieces that end with a row."""
        if self.part is None:
            return
        with zipfile.ZipFile(self.path) as packed, packed.open(self.part) as content:
            rest = b""
            while chunk := content.read(_CHUNK):
                whole, mark, rest = (rest + chunk).rpartition(b"</row>")
                if whole:
                    yield whole + mark
            yield rest

    def _timed_styles(self) -> frozenset[str]:
        own = {number for number, code in self._codes.items() if "h" in _LITERAL.sub("", code).lower()}
        return frozenset(own | {number for number, form in self._formats.items() if form in _CLOCKS})

    @cached_property
    def _formats(self) -> dict[str, int]:
        """Styles of cells, and the number of the format of each."""
        used = re.search(rb"<(?:\w+:)?cellXfs\b.*?</(?:\w+:)?cellXfs>", self._styles, re.DOTALL)
        styles = re.findall(rb"<(?:\w+:)?xf\b([^>]*)>", used[0]) if used else []
        return {str(number): int(_attributes(style).get("numFmtId", "0")) for number, style in enumerate(styles)}

    @cached_property
    def _codes(self) -> dict[str, str]:
        """Styles of cells with a format that is the workbook's own, and how that is written."""
        formats = [_attributes(found) for found in re.findall(rb"<(?:\w+:)?numFmt\b([^>]*)>", self._styles)]
        own = {int(each["numFmtId"]): html.unescape(each.get("formatCode", "")) for each in formats}
        return {number: own[form] for number, form in self._formats.items() if form in own}

    @cached_property
    def _styles(self) -> bytes:
        with zipfile.ZipFile(self.path) as packed:
            return packed.read(_STYLES) if _STYLES in packed.namelist() else b""


def marks_of(path: Path, sheet: str | None) -> SheetMarks:
    """Return what the cells of a sheet say beside their values; of a workbook that is none of XML, nothing.

    Args:
        path: The workbook.
        sheet: Name of the sheet; None for the first.
    """
    try:
        with zipfile.ZipFile(path) as packed:
            book, links = packed.read(_WORKBOOK), packed.read(_LINKS)
            sheets = [_attributes(found) for found in re.findall(rb"<(?:\w+:)?sheet\b([^>]*)>", book)]
            targets = relations_of(links)
            chosen = next((each for each in sheets if sheet is None or html.unescape(each["name"]) == sheet), {})
            part = normpath(join("/xl", targets.get(chosen.get("r:id", ""), ""))).lstrip("/")
            return SheetMarks(path, part if part in packed.namelist() else None)
    except (zipfile.BadZipFile, KeyError, OSError):
        return SheetMarks(path, None)


def relations_of(links: bytes) -> dict[str, str]:
    """Return the parts that a part of a workbook leads to, by the names that it has for them.

    Args:
        links: The relations of the part.
    """
    found = map(_attributes, re.findall(rb"<(?:\w+:)?Relationship\b([^>]*)>", links))
    return {each.get("Id", ""): each.get("Target", "") for each in found}


def _attributes(text: bytes) -> dict[str, str]:
    return {name.decode(): value.decode(errors="replace") for name, value in _ATTRIBUTE.findall(text)}


def _numbered(place: re.Match[str]) -> Place:
    return int(place[2]) - 1, _column(place[1]) - 1


def _column(letters: str) -> int:
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - ord("A") + 1
    return column
