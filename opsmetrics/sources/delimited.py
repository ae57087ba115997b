"""Read CSV with a header; a quote that swallows rows is an error, never a long field.

A file that sources.toml maps is UTF-8 with comma, semicolon or tab; a query may name another dialect.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from opsmetrics.sources.raw_table import (
    MAX_LINE_BYTES,
    Collector,
    RawTable,
    check_names,
    folded,
    numbered_lines,
    numbered_names,
    unreadable,
)
from opsmetrics.sources.table_rows import Row, rows_of_table

# How exports keep a spreadsheet from taking a text for a number: ="00123".
_KEPT_TEXT = re.compile(r'="((?:[^"]|"")*)"')
_QUOTING = "a quote that is opened in this row and not closed swallows the rows after it"
_MEND = "close the quote, or write a quote inside a field twice"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a CSV file is written.

    Attributes:
        encoding: Of its text.
        delimiter: Between cells; None for that of comma, semicolon and tab which the header has most of.
        quote: Around cells that hold a delimiter; empty for none.
        skip_lines: Lines before the header.
        names_repeat: Whether columns may share a name; each but the first is numbered then: ``Label (2)``.
    """

    encoding: str = "utf-8"
    delimiter: str | None = None
    quote: str = '"'
    skip_lines: int = 0
    names_repeat: bool = False


def read_csv(path: Path, wanted: Container[str], dialect: Dialect = Dialect()) -> RawTable:
    """Read a CSV file.

    Args:
        path: The file; not empty.
        wanted: Folded names of the columns to keep.
        dialect: How it is written.

    Raises:
        SourceError: The file is of another encoding, its header does not name the columns, or a quote swallows rows.
    """
    lines = numbered_lines(path, dialect.encoding)
    first = ""
    for _ in range(dialect.skip_lines + 1):
        _, first = next(lines, (0, ""))
    delimiter, header = _header(path, first, dialect)
    places = {name: place for place, name in enumerate(header) if folded(name) in wanted}
    collector = Collector()
    form = _Form(delimiter, dialect.quote, len(header), has_blanks=f"{delimiter} " in first)
    for line, cells, reason in rows_of_table(path, _rows(path, lines, form), header):
        collector.add(line, {} if reason else {name: cells[place] for name, place in places.items()}, reason)
    return collector.table(header, list(places))


def _header(path: Path, first: str, dialect: Dialect) -> tuple[str, list[str]]:
    """Return the delimiter that a header line uses most, and its columns."""
    if first.lstrip().startswith("<"):
        fix = "look at the file: an error or sign-in page was saved in place of the export; export it again"
        raise unreadable(path, 1, "this is a page in HTML or XML, not CSV", fix)
    if "\0" in first:
        raise unreadable(path, 1, "the line holds NUL characters", "save it as UTF-8, not UTF-16")
    if re.match(r"sep=.\s*$", first):
        raise unreadable(path, 1, "this is a hint for Excel, not the header", "delete the line that begins with sep=")
    delimiter = dialect.delimiter or max(",;\t", key=first.count)
    try:
        header = next(_reader([first], delimiter, dialect.quote), [])
    except csv.Error as error:
        message = f"no valid CSV: {error}"
        raise unreadable(path, 1, message, "correct the quoting and line ends of the header") from error
    if not header:
        fix = "write the column names into the first line; a quiet period still has them"
        raise unreadable(path, 1, "the first line is blank, where the header is expected", fix)
    header = [_plain(name) for name in header]
    if dialect.names_repeat:
        header = numbered_names(header)
    check_names(path, header)
    return delimiter, header


def _plain(cell: str) -> str:
    """Return a cell without the formula around it that only says that it is a text."""
    if not cell.startswith('="'):
        return cell
    found = _KEPT_TEXT.fullmatch(cell.strip())
    return found[1].replace('""', '"') if found else cell


def _reader(lines: Iterable[str], delimiter: str, quote: str) -> Iterator[list[str]]:
    quoting = csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE
    return csv.reader(lines, delimiter=delimiter, quotechar=quote or None, quoting=quoting, strict=True)


@dataclass(frozen=True, slots=True)
class _Form:
    """How the rows of a file are written: as its header is."""

    delimiter: str
    quote: str
    width: int
    has_blanks: bool

    def tight(self, text: str) -> str:
        """Return a line without the delimiters that only a sentence has: those with a blank behind them."""
        return text if self.has_blanks else text.replace(f"{self.delimiter} ", " ")


def _rows(path: Path, lines: Iterator[tuple[int, str]], form: _Form) -> Iterator[Row]:
    """Yield (line it begins on, fields, reason) of each row, also of blank ones, as ``;;;`` of a spreadsheet is."""
    consumed: list[tuple[int, str]] = []

    def feed() -> Iterator[str]:
        for number, text in lines:
            consumed.append((number, text))
            # The parser takes no NUL; the row is set aside below.
            yield text.replace("\0", "")

    csv.field_size_limit(MAX_LINE_BYTES)
    rows = _reader(feed(), form.delimiter, form.quote)
    while True:
        consumed.clear()
        row: list[str] = []
        reason: str | None = None
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            reason = f"no valid CSV: {error}"
        row = [_plain(cell) for cell in row]
        start = consumed[0][0]
        if len(consumed) > 1 and (reason or _swallowed([text for _, text in consumed], form)):
            raise unreadable(path, start, _QUOTING, _MEND)
        if any("\0" in text for _, text in consumed):
            reason = "the line holds NUL characters"
        if reason is None and len(row) != form.width and any(cell.strip() for cell in row):
            reason = f"{len(row)} fields where the header names {form.width}"
        yield start, row, reason


def _swallowed(texts: Sequence[str], form: _Form) -> bool:
    """Whether the lines of one row look like rows of their own.

    A field that really holds line breaks leaves the lines between the first and the last without the fields of a row,
    and shares the delimiters of a row between the first and the last.
    """
    lines = [form.tight(text) for text in texts]
    full = max(form.width - 1, 1)
    if min(lines[0].count(form.delimiter), lines[-1].count(form.delimiter)) >= full:
        return True
    widths = [len(next(csv.reader([line], delimiter=form.delimiter, quotechar=form.quote), [])) for line in lines[1:-1]]
    return any(width == full + 1 for width in widths)
