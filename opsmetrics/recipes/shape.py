"""What a file looks like before anybody knows what it is: format, encoding, delimiter and names of columns or keys."""

from __future__ import annotations

import csv
import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from opsmetrics.core.errors import SourceError
from opsmetrics.organisation.queries import FORMATS, Format
from opsmetrics.sources.calendars import read_calendar
from opsmetrics.sources.database_tables import sqlite_columns
from opsmetrics.sources.query_inputs import Everything
from opsmetrics.sources.raw_table import BYTE_ORDER_MARK, folded, numbered_lines, numbered_names
from opsmetrics.sources.sheets import first_rows, seen_sheets

# Of a larger file only the head is looked at; a JSON file can only be read as a whole.
HEAD_BYTES = 1 << 20
MOST_JSON_BYTES = 256 << 20
_SAMPLE = 200
_SKIPPED_MOST = 20
# What PowerShell and Excel write before the header.
_BEFORE = re.compile(r"#TYPE |sep=.$")
_MARKS = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8"))


@dataclass(frozen=True, slots=True)
class Shape:
    """What a file looks like.

    Attributes:
        kind: Format.
        encoding: Of its text, where it is text.
        delimiter: Between the cells of a CSV file.
        records: Where in a JSON file the list of records is -> keys that some of the records have; of a SQLite file
            table -> columns. Of other files the columns stand under the empty name.
        skip_lines: Lines before the header of a CSV file or a workbook: titles, and those of PowerShell and of Excel.
        said: Of a JSON file that is an object, place -> the text that stands there: in it, or in an object in it.
        sheet: Of a workbook, where it is not the first; ``*`` where several have these columns.
    """

    kind: Format
    encoding: str | None
    delimiter: str | None
    records: dict[str, frozenset[str]]
    skip_lines: int = 0
    said: Mapping[str, str] = field(default_factory=dict[str, str])
    sheet: str | None = None


def shapes_of(file: Path) -> list[Shape]:
    """Return what a file looks like, by each row that may hold the names of its columns; titles may stand before them.

    Args:
        file: The file; without a known format, or unreadable, it looks like nothing.
    """
    kind = FORMATS.get(file.suffix.lower())
    try:
        return _looked_at(file, kind) if kind is not None else []
    except (OSError, ValueError, RecursionError, csv.Error, sqlite3.Error, SourceError):
        return []


def _looked_at(file: Path, kind: Format) -> list[Shape]:
    match kind:
        case "csv":
            return _delimited(file)
        case "json" | "jsonl":
            return _json(file, kind)
        case "calendar":
            return _calendar(file)
        case "sheet":
            return _sheet(file)
        case "parquet":
            return _parquet(file)
        case "sqlite":
            return [Shape(kind, None, None, {table: _folded(names) for table, names in sqlite_columns(file).items()})]


def _decoded(file: Path, most: int) -> tuple[str, str]:
    """Return the head of a text and its encoding: UTF-8 or UTF-16 where it is that, else that of Western Windows."""
    with file.open("rb") as content:
        raw = content.read(most)
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return raw.decode("utf-8-sig" if encoding == "utf-8" else encoding, errors="ignore"), encoding
    cut = raw if len(raw) < most else raw[: raw.rfind(b"\n") + 1]
    try:
        return cut.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return cut.decode("windows-1252", errors="replace"), "windows-1252"


def _delimited(file: Path) -> list[Shape]:
    text, encoding = _decoded(file, HEAD_BYTES)
    found: list[Shape] = []
    for skipped, line in enumerate(text.split("\n", _SKIPPED_MOST)[:_SKIPPED_MOST]):
        delimiter = max(",;\t|", key=line.count)
        # A line may be a part of a row: then it is no valid CSV, or names nothing.
        with suppress(csv.Error):
            names = next(csv.reader([line.rstrip("\r").lstrip(BYTE_ORDER_MARK)], delimiter=delimiter), [])
            if line.strip() and not _BEFORE.match(line):
                found.append(Shape("csv", encoding, delimiter, {"": _folded(numbered_names(names))}, skipped))
    return found


def _json(file: Path, kind: Format) -> list[Shape]:
    if file.stat().st_size > MOST_JSON_BYTES and kind == "json":
        return []
    text, encoding = _decoded(file, MOST_JSON_BYTES if kind == "json" else HEAD_BYTES)
    value: Any = None
    if kind == "json":
        try:
            value = json.loads(text)
        except ValueError:
            # Some tools write one record a line under this name.
            kind = "jsonl"
    if kind == "jsonl":
        lines = islice((line for line in text.splitlines() if line.strip()), _SAMPLE)
        return [Shape(kind, encoding, None, {"": _keys([json.loads(line) for line in lines])})]
    return [Shape(kind, encoding, None, dict(_places("", value, depth=2)), said=dict(_said("", value, depth=1)))]


def _said(name: str, value: Any, *, depth: int) -> Iterator[tuple[str, str]]:
    for key, inner in value.items() if isinstance(value, dict) else ():
        place = f"{name}.{key}".lstrip(".")
        if isinstance(inner, str):
            yield place, inner
        elif depth:
            yield from _said(place, inner, depth=depth - 1)


def _places(name: str, value: Any, *, depth: int) -> list[tuple[str, frozenset[str]]]:
    """Return the places where records are: the value itself, and lists and objects in objects."""
    found = [(name, _keys(value if isinstance(value, list) else [value]))]
    if isinstance(value, dict) and depth:
        for key, inner in value.items():
            if isinstance(inner, list | dict) and "." not in str(key):
                found += _places(f"{name}.{key}".lstrip("."), inner, depth=depth - 1)
    return found


def _keys(records: list[Any]) -> frozenset[str]:
    return _folded(key for record in records[:_SAMPLE] if isinstance(record, dict) for key in record)


def _calendar(file: Path) -> list[Shape]:
    table = read_calendar(file, numbered_lines(file), Everything())
    return [Shape("calendar", None, None, {"": _folded(table.names)})]


def _sheet(file: Path) -> list[Shape]:
    sheets = first_rows(file, _SKIPPED_MOST)
    seen = seen_sheets(file)
    # Sheets with the same columns in the same line are one table: one for each month.
    heads = Counter(
        (skipped, _folded(row)) for name in seen for skipped, row in enumerate(sheets[name]) if any(map(str.strip, row))
    )

    def named(number: int, name: str, skipped: int, row: list[str]) -> str | None:
        is_one = name in seen and heads[skipped, _folded(row)] > 1
        return "*" if is_one else name if number else None

    return [
        Shape("sheet", None, None, {"": _folded(row)}, skipped, sheet=named(number, name, skipped, row))
        for number, (name, rows) in enumerate(sheets.items())
        for skipped, row in enumerate(rows)
        if any(row)
    ]


def _parquet(file: Path) -> list[Shape]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(file) as opened:
            return [Shape("parquet", None, None, {"": _folded(opened.schema_arrow.names)})]
    except pa.ArrowException as error:
        raise ValueError("no Parquet file") from error


def _folded(names: Iterable[str]) -> frozenset[str]:
    return frozenset(folded(str(name)) for name in names)
