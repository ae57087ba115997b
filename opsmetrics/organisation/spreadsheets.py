"""Tables that people keep in a spreadsheet and save as CSV, in Norwegian Excel too.

Semicolons or tabs in place of commas, UTF-8 with or without a mark, UTF-16 or Windows-1252, days as 31.01.2026,
a comma in decimals, blank rows at the end: all of it is what a spreadsheet saves, and means one thing only. Does not
belong here: what the columns mean (``models``), and files of sources, which are taken as they are
(``opsmetrics.sources.delimited``).
"""

from __future__ import annotations

import codecs
import csv
import difflib
import io
import re
import types
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

DELIMITERS = ",;\t"
_DAY = re.compile(r"^(\d{1,2})\.(\d{1,2})\.(\d{4})$")
_DECIMAL = re.compile(r"^-?\d+,\d+$")
_HINT = re.compile(r"^sep=(.)\s*$")


def text_of(raw: bytes) -> str:
    """Return the text of a file as spreadsheets save it: UTF-8, UTF-16 with its mark, else Windows-1252."""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16", errors="replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


@dataclass(slots=True)
class Sheet:
    """Rows of a table, each with its line, and what is wrong with the table as such.

    Attributes:
        rows: Line, and column -> what stands in it; empty cells are left out.
        problems: Line, what is wrong, what to do.
    """

    rows: list[tuple[int, dict[str, str]]] = field(default_factory=list[tuple[int, dict[str, str]]])
    problems: list[tuple[int, str, str]] = field(default_factory=list[tuple[int, str, str]])


def rows_of(text: str, known: Sequence[str], required: Collection[str]) -> Sheet:
    """Read a table with a header; a header that lacks a column gives one problem and no rows.

    Args:
        text: The whole table.
        known: Columns that it may have.
        required: Columns without which no row says anything.
    """
    found = Sheet()
    lines = text.splitlines(keepends=True)
    hint = _HINT.match(lines[0]) if lines else None
    body, skipped = (lines[1:], 1) if hint else (lines, 0)
    first = body[0] if body else ""
    delimiter = hint[1] if hint else max(DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO("".join(body), newline=""), delimiter=delimiter, strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        found.problems += _header_problems(header, skipped + 1, known, required)
        if any(name not in header for name in required):
            return found
        for cells in reader:
            _read_row(found, reader.line_num + skipped, header, cells, known)
    except csv.Error:
        message, fix = "a quote is opened and not closed, or stands inside a field", "write it twice, or take it out"
        found.problems.append((reader.line_num + skipped, f"no valid CSV: {message}", fix))
    return found


def _header_problems(
    header: Sequence[str], line: int, known: Sequence[str], required: Collection[str]
) -> list[tuple[int, str, str]]:
    """Unknown and missing columns; one that is written wrong is not missing as well."""
    found: list[tuple[int, str, str]] = []
    meant: set[str] = set()
    for name in header:
        if name and name not in known:
            near = difflib.get_close_matches(name.casefold(), known, n=1)
            meant.update(near)
            fix = f"did you mean {near[0]!r}?" if near else f"the columns are {', '.join(known)}"
            found.append((line, f"unknown column {name!r}", fix))
    twice = sorted({name for name in header if name and header.count(name) > 1})
    found += [(line, f"column {name!r} stands there twice", "keep one of them") for name in twice]
    missing = [name for name in required if name not in header and name not in meant]
    if missing:
        word = "column" if len(missing) == 1 else "columns"
        verb = "is" if len(missing) == 1 else "are"
        names = ", ".join(repr(name) for name in missing)
        found.append((line, f"{word} {names} {verb} missing", f"the columns are {', '.join(known)}"))
    return found


def _read_row(found: Sheet, line: int, header: Sequence[str], cells: Sequence[str], known: Sequence[str]) -> None:
    if not any(cell.strip() for cell in cells):
        return
    if any(cell.strip() for cell in cells[len(header) :]):
        fix = "put fields that hold the delimiter in quotes"
        found.problems.append((line, "more fields than the header names", fix))
        return
    pairs = zip(header, cells, strict=False)
    found.rows.append((line, {name: cell.strip() for name, cell in pairs if name in known and cell.strip()}))


def required(model: type[BaseModel]) -> list[str]:
    """Return the columns that a register must have."""
    return [name for name, item in model.model_fields.items() if item.is_required()]


def typed(model: type[BaseModel], values: dict[str, str]) -> dict[str, str]:
    """Return the cells of a row as the model takes them: days and decimals as a Norwegian spreadsheet writes them."""
    return {name: _as(_types(model.model_fields[name].annotation), text) for name, text in values.items()}


def day_of(text: str) -> str:
    """Return a day as ISO 8601 writes it where it stands as 31.01.2026; anything else as it is."""
    at = _DAY.match(text)
    return f"{at[3]}-{int(at[2]):02}-{int(at[1]):02}" if at else text


def _as(types_: set[Any], text: str) -> str:
    if date in types_:
        return day_of(text)
    if float in types_ and _DECIMAL.match(text):
        return text.replace(",", ".")
    return text


def _types(annotation: Any) -> set[Any]:
    """The plain types of an annotation."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _types(get_args(annotation)[0])
    if origin in {Union, types.UnionType}:
        return {plain for part in get_args(annotation) for plain in _types(part)}
    return {annotation}
