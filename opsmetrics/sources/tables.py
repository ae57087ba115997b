"""Read CSV, JSON Lines and Parquet files into frames with source line numbers; nothing is guessed.

Text formats give text columns; their typing is ``contract``'s job. A line that cannot be split into fields
comes back with a reason instead of values.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from opsmetrics.errors import Problem, SourceError

MAX_FILE_BYTES = 4 * 1024**3
MAX_LINE_CHARACTERS = 1_000_000
BROKEN = "_broken"
FORMATS = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}


def read_table(path: Path) -> pl.DataFrame:
    """Read one file.

    Returns:
        The file's columns (text for CSV and JSON Lines, native types for Parquet) plus ``_line`` (1-based line
        of the file, for Parquet the row number) and ``_broken`` (why the line could not be split, else null).

    Raises:
        SourceError: The file is missing, empty, too large, not UTF-8, of unknown format or truncated.
    """
    kind = FORMATS.get(path.suffix.lower())
    if kind is None:
        raise _error(path, None, f"unknown format {path.suffix!r}", f"use one of {', '.join(FORMATS)}")
    if not path.exists():
        raise _error(path, None, "the file does not exist", "check path and root in sources.toml")
    size = path.stat().st_size
    if size == 0:
        raise _error(path, None, "the file is empty", "export it again; a quiet period still has a header line")
    if size > MAX_FILE_BYTES:
        raise _error(path, None, f"the file has {size} bytes, more than {MAX_FILE_BYTES}", "split it by day")
    if kind == "parquet":
        return _parquet(path)
    return _csv(path) if kind == "csv" else _jsonl(path)


def _error(path: Path, line: int | None, message: str, fix: str) -> SourceError:
    return SourceError(Problem(str(path), line, message, fix))


def _parquet(path: Path) -> pl.DataFrame:
    try:
        frame = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise _error(
            path, None, f"no readable Parquet file ({reason})", "it may be cut off: export it again"
        ) from error
    return frame.with_row_index("_line", offset=1).with_columns(
        pl.col("_line").cast(pl.Int64), pl.lit(None, pl.String).alias(BROKEN)
    )


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line number, text) of a UTF-8 file, strictly decoded."""
    with path.open("rb") as source:
        for number, raw in enumerate(source, start=1):
            try:
                text = raw.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise _error(path, number, "the file is not UTF-8 at this line", "save it as UTF-8") from error
            if "\0" in text:
                raise _error(path, number, "the line holds NUL characters", "save it as UTF-8, not UTF-16")
            yield number, text


def _header(path: Path, first: str) -> tuple[str, list[str]]:
    """Return the delimiter that a header line uses most, and its columns."""
    dialect = max(",;\t", key=first.count)
    try:
        header = [name.strip() for name in next(csv.reader([first], delimiter=dialect))]
    except csv.Error as error:
        raise _error(path, 1, f"no valid CSV: {error}", "mend the quoting and line ends of the header") from error
    if len(set(header)) != len(header) or not all(header):
        raise _error(path, 1, "the header has an empty or repeated column name", "name every column once")
    return dialect, header


def _csv(path: Path) -> pl.DataFrame:
    lines = _lines(path)
    _, first = next(lines)
    dialect, header = _header(path, first)
    columns: list[list[str | None]] = [[] for _ in header]
    numbers: list[int] = []
    broken: list[str | None] = []
    position = [1]

    def feed() -> Iterator[str]:
        for number, text in lines:
            position[0] = number
            yield text

    csv.field_size_limit(MAX_LINE_CHARACTERS)
    rows = csv.reader(feed(), delimiter=dialect, strict=True)
    while True:
        start = position[0] + 1
        try:
            row = next(rows)
        except StopIteration:
            break
        except csv.Error as error:
            row, reason = [], f"no valid CSV: {error}"
        else:
            if not row:
                continue
            reason = None if len(row) == len(header) else f"{len(row)} fields where the header names {len(header)}"
        numbers.append(start)
        broken.append(reason)
        for index, column in enumerate(columns):
            column.append(row[index] if reason is None else None)
    data = {name: pl.Series(name, values, dtype=pl.String) for name, values in zip(header, columns, strict=True)}
    return _numbered(data, numbers, broken)


def _jsonl(path: Path) -> pl.DataFrame:
    rows: list[dict[str, Any]] = []
    numbers: list[int] = []
    broken: list[str | None] = []
    names: dict[str, None] = {}
    for number, text in _lines(path):
        if not text.strip():
            continue
        row, reason = _json_object(text)
        names.update(dict.fromkeys(row))
        rows.append(row)
        numbers.append(number)
        broken.append(reason)
    data = {name: pl.Series(name, [_as_text(row.get(name)) for row in rows], dtype=pl.String) for name in names}
    return _numbered(data, numbers, broken)


def _numbered(data: dict[str, pl.Series], numbers: list[int], broken: list[str | None]) -> pl.DataFrame:
    """Text columns with the line each row stands on and why it could not be split."""
    own = {"_line": pl.Series(numbers, dtype=pl.Int64), BROKEN: pl.Series(broken, dtype=pl.String)}
    return pl.DataFrame(data | own)


def _json_object(text: str) -> tuple[dict[str, Any], str | None]:
    if len(text) > MAX_LINE_CHARACTERS:
        return {}, f"the line has more than {MAX_LINE_CHARACTERS} characters"
    try:
        value = json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return {}, "no valid JSON"
    return (value, None) if isinstance(value, dict) else ({}, "no JSON object")


def _as_text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return sys.intern(text) if len(text) < 32 else text
