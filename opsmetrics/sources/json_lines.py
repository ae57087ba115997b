"""Read JSON Lines: one object a line; numbers keep the spelling of the source, so that version 3.10 stays 3.10."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any, NoReturn

from opsmetrics.core.errors import SourceError
from opsmetrics.sources.raw_table import (
    BOOLEAN,
    LIST,
    MAX_COLUMNS,
    NUL,
    OBJECT,
    SURROGATE,
    Collector,
    RawTable,
    check_names,
    folded,
    numbered_lines,
    unreadable,
)

_SHORT = 32


class Pairs(dict[str, Any]):
    """A JSON object that remembers which key stood twice."""

    repeated: str | None = None

    @classmethod
    def of(cls, pairs: list[tuple[str, Any]]) -> Pairs:
        """Return the object of these keys and values."""
        found = cls(pairs)
        if len(found) != len(pairs):
            found.repeated = next(key for key, times in Counter(key for key, _ in pairs).items() if times > 1)
        return found


def read_json_lines(path: Path, wanted: frozenset[str]) -> RawTable:
    """Read a file of JSON Lines.

    Args:
        path: The file; not empty.
        wanted: Folded names of the keys to keep.

    Raises:
        SourceError: The file is not UTF-8, or no line of it is an object.
    """
    collector = Collector()
    kept: dict[str, bool] = {}
    first: tuple[int, str] | None = None
    for line, text in numbered_lines(path):
        if not text.strip():
            continue
        row, reason = _object(text)
        if reason is not None:
            first = first or (line, reason)
            collector.add(line, {}, reason)
            continue
        for name in row.keys() - kept.keys():
            kept[name] = folded(name) in wanted
        if len(kept) > MAX_COLUMNS:
            check_names(path, list(kept))
        cells: dict[str, str | None] = {}
        for name, value in row.items():
            if kept[name]:
                cells[name], odd = json_cell(value)
                if odd is not None:
                    collector.mark(name, odd)
        collector.add(line, cells)
    if not kept:
        raise _without_keys(path, first)
    return collector.table(list(kept), [name for name, is_kept in kept.items() if is_kept])


def _without_keys(path: Path, first: tuple[int, str] | None) -> SourceError:
    """Return the error of a file without a single object; ``first`` is its first line and what is wrong there."""
    line, said = first or (1, "the file holds blank lines only")
    if next((text.lstrip()[0] == "[" for _, text in numbered_lines(path) if text.strip()), False):
        fix = "write one object a line, without brackets around and commas between: jq -c '.[]' does"
        return unreadable(path, line, "this is one JSON array, not JSON Lines", fix)
    fix = "look at the file and export it again; a quiet period is shown by CSV or Parquet with its column names"
    return unreadable(path, line, f"no line of the file is a JSON object with keys: {said}", fix)


def _refused(constant: str) -> NoReturn:
    raise ValueError(constant)


def parsed_json(text: str) -> Any:
    """Return what a JSON text says, numbers as they are spelled.

    Raises:
        ValueError: It is no JSON.
        RecursionError: It is nested without end.
    """
    return json.loads(text, parse_int=str, parse_float=str, parse_constant=_refused, object_pairs_hook=Pairs.of)


def _object(text: str) -> tuple[dict[str, Any], str | None]:
    try:
        value = parsed_json(text)
    except (ValueError, RecursionError):
        return {}, "no valid JSON"
    return object_of(value)


def object_of(value: Any) -> tuple[dict[str, Any], str | None]:
    """Return a parsed value as an object, and why it is none that can be read."""
    if not isinstance(value, Pairs):
        return {}, "no JSON object"
    if value.repeated is not None:
        return {}, f"the key {value.repeated[:40]!a} stands twice"
    if any(_is_odd_text(name) for name in value):
        return {}, "a key is no text"
    return value, None


def _is_odd_text(text: str) -> str | None:
    if text.isascii():
        return NUL if "\0" in text else None
    if "\0" in text:
        return NUL
    return SURROGATE if any("\ud800" <= character <= "\udfff" for character in text) else None


def json_cell(value: Any) -> tuple[str | None, str | None]:
    """Return a value as text, and what it is where it is no text or number."""
    if value is None:
        return None, None
    if isinstance(value, bool):
        return ("true" if value else "false"), BOOLEAN
    if not isinstance(value, str):
        return None, LIST if isinstance(value, list | tuple) else OBJECT
    odd = _is_odd_text(value)
    if odd is not None:
        return None, odd
    return (sys.intern(value) if len(value) < _SHORT else value), None
