"""Read a sheet of a workbook (XLSX, XLS, XLSB, ODS) for a query: cells as text, days and times as ISO writes them."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Container, Generator, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opsmetrics.core.errors import SourceError
from opsmetrics.sources.raw_table import NUL, Collector, RawTable, check_names, folded, numbered_names, unreadable
from opsmetrics.sources.sheet_extents import opendocument_cells, xlsb_cells
from opsmetrics.sources.sheet_marks import Place, SheetMarks, marks_of
from opsmetrics.sources.table_rows import rows_of_table

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

# Unpacked, a small workbook can be larger than any memory.
MAX_UNPACKED_BYTES = 1024**3
_UNWORKED = "a cell holds a formula that nobody has worked out: open the workbook in a spreadsheet, and save it"
# A sheet is read with all cells up to its last row and column: one stray cell far out would ask for half a terabyte,
# and what reads it ends the process then.
MAX_CELLS = 25_000_000
# What unpacking a workbook may come to that is cut off, damaged or locked.
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)
# Of larger numbers a workbook has not each: their text shows that they are rounded.
_WHOLE_BELOW = 2**53


def read_sheet(path: Path, sheet: str | None, skip_lines: int, wanted: Container[str]) -> RawTable:
    """Read a sheet; its first line that is not skipped holds the names of the columns.

    Args:
        path: The workbook.
        sheet: Name of the sheet; None for the first that is not hidden.
        skip_lines: Lines before the names.
        wanted: Folded names of the columns to keep.

    Raises:
        SourceError: It is no workbook, has no such sheet, or is larger than memory once unpacked.
    """
    with _opened(path) as book:
        names = _names(book)
        if sheet is None and names:
            sheet = names[0]
        if sheet is None or sheet not in names:
            fix = f"its sheets are {', '.join(map(repr, names))}"
            raise unreadable(path, None, f"there is no sheet {sheet!r}" if sheet else "it has no sheet", fix)
        marks = marks_of(path, sheet)
        rows = _rows(path, book, sheet)
        header: list[str] = []
        for _ in range(skip_lines + 1):
            header = [_text(cell) or "" for cell in next(rows, [])]
        while header and not header[-1].strip():
            header.pop()
        if not header:
            raise unreadable(path, skip_lines + 1, "there are no names of columns here", "set skip_lines, or sheet")
        names = numbered_names(header)
        check_names(path, names)
        places = {name: place for place, name in enumerate(names) if folded(name) in wanted}
        collector = Collector()
        texts = (
            (number, [_cell(cell, marks, (number - 1, place)) for place, cell in enumerate(row)], None)
            for number, row in enumerate(rows, skip_lines + 2)
        )
        for number, cells, _ in rows_of_table(path, texts, names):
            _add(collector, number, cells, places, marks)
        return collector.table(names, list(places))


def _add(
    collector: Collector, number: int, cells: Sequence[str | None], places: dict[str, int], marks: SheetMarks
) -> None:
    kept = {name: cells[place] if place < len(cells) else None for name, place in places.items()}
    reason = f"a cell holds {NUL}" if any("\0" in cell for cell in kept.values() if cell) else None
    if not marks.unworked.isdisjoint((number - 1, place) for place in places.values()):
        reason = _UNWORKED
    collector.add(number, {} if reason else kept, reason)


def first_rows(path: Path, most: int) -> dict[str, list[list[str]]]:
    """Return the first rows of each sheet of a workbook, the first sheet first, and hidden ones last.

    Raises:
        ValueError: It is no workbook.
    """
    try:
        with _opened(path) as book:
            return {
                name: [[_text(cell) or "" for cell in row] for row in islice(_rows(path, book, name), most)]
                for name in _names(book)
            }
    except SourceError as error:
        raise ValueError(error.problem.message) from error


def seen_sheets(path: Path) -> list[str]:
    """Return the sheets of a workbook that are not hidden.

    Raises:
        ValueError: It is no workbook.
    """
    try:
        with _opened(path) as book:
            return _names(book, is_seen=True)
    except SourceError as error:
        raise ValueError(error.problem.message) from error


def sheets_like(path: Path, pattern: str, skip_lines: int, named: Container[str]) -> list[str]:
    """Return the sheets that a pattern names and whose columns are those that are asked for: one for each month.

    Args:
        path: The workbook.
        pattern: With ``*`` for any signs, which no sheet's own name holds; what is hidden is not meant.
        skip_lines: Lines before the names of columns.
        named: Folded names of columns; a sheet with none of them is another table.

    Raises:
        SourceError: It is no workbook, or there is no such sheet.
    """
    found: list[str] = []
    with _opened(path) as book:
        for name in _names(book, is_seen=True):
            if fnmatchcase(name, pattern):
                header = next(islice(_rows(path, book, name), skip_lines, None), [])
                if any(folded(_text(cell) or "") in named for cell in header):
                    found.append(name)
    if not found:
        message = f"no sheet that is called {pattern!r} has the columns of the select"
        raise unreadable(path, None, message, "correct sheet, or skip_lines, in the query's header")
    return found


@contextmanager
def _opened(path: Path) -> Generator[CalamineWorkbook]:
    """Open a workbook, unless it is larger than memory once it is unpacked."""
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as packed:
                if sum(part.file_size for part in packed.infolist()) > MAX_UNPACKED_BYTES:
                    message = f"the workbook takes more than {MAX_UNPACKED_BYTES} bytes once unpacked"
                    raise unreadable(path, None, message, "export fewer rows, or save the sheet as CSV")
            # Of OpenDocument all sheets are read as soon as one is asked for.
            _refuse_far(path, opendocument_cells(path))
        with CalamineWorkbook.from_path(str(path)) as book:
            yield book
    except (CalamineError, *_DAMAGED) as error:
        raise unreadable(path, None, "no readable workbook", "open it, save it again, or save it as CSV") from error


def _names(book: CalamineWorkbook, *, is_seen: bool = False) -> list[str]:
    """Return the sheets of a workbook: what somebody sees who opens it first, then what is hidden or a chart."""
    from python_calamine import SheetTypeEnum, SheetVisibleEnum

    sheets = [
        (sheet.typ != SheetTypeEnum.WorkSheet, sheet.visible != SheetVisibleEnum.Visible, number, sheet.name)
        for number, sheet in enumerate(book.sheets_metadata)
    ]
    return [name for *hidden, _, name in sorted(sheets) if not (is_seen and any(hidden))]


def _rows(path: Path, book: CalamineWorkbook, sheet: str) -> Iterator[list[Any]]:
    if zipfile.is_zipfile(path):
        _refuse_far(path, _extent(path, sheet))
    found = book.get_sheet_by_name(sheet)
    return iter(_filled(found.to_python(skip_empty_area=False), found.merged_cell_ranges or []))


def _refuse_far(path: Path, cells: int) -> None:
    if cells > MAX_CELLS:
        message = f"the sheet has {cells} cells up to the last row and column that hold anything"
        fix = "delete what stands far to the right or below (Ctrl-End goes there), or save the sheet as CSV"
        raise unreadable(path, None, message, fix)


def _filled(rows: list[list[Any]], merged: list[tuple[Place, Place]]) -> list[list[Any]]:
    """Return rows in which cells that are one over several rows say the same in each: only the first one holds it."""
    for (first, column), (last, _) in merged:
        if first < len(rows) and column < len(rows[first]):
            for row in rows[first + 1 : last + 1]:
                row[column] = rows[first][column]
    return rows


def _extent(path: Path, sheet: str) -> int:
    """Cells that a sheet is read with; of one that cannot be unpacked none: whoever reads it says so."""
    try:
        return marks_of(path, sheet).extent(MAX_CELLS) or xlsb_cells(path, sheet)
    except _DAMAGED:
        return 0


def _cell(cell: Any, marks: SheetMarks, place: Place) -> str | None:
    """Return a cell as text, also where it holds an error, or a midnight where a clock is shown."""
    if cell in {None, ""} and place in marks.errors:
        return marks.errors[place]
    if type(cell) is date and place in marks.timed:
        return f"{cell} 00:00:00"
    if type(cell) in {int, float} and cell >= 0 and cell == int(cell) and place in marks.padded:
        before, zeros = marks.padded[place]
        return f"{before}{int(cell):0{zeros}}"
    return _text(cell)


def _text(cell: Any) -> str | None:  # noqa: PLR0911 - one return per type
    """Return a cell as text; a number without fraction is written without one."""
    match cell:
        case None | "":
            return None
        case bool():
            return "true" if cell else "false"
        case float() if cell.is_integer() and abs(cell) < _WHOLE_BELOW:
            return str(int(cell))
        case float():
            return f"{cell:e}" if cell.is_integer() else str(cell)
        case datetime():
            return cell.isoformat(sep=" ")
        case date() | time():
            return cell.isoformat()
        case timedelta():
            return str(cell.total_seconds())
        case _:
            return str(cell)
