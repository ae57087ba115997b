"""Text that a spreadsheet must not run: safe whichever list separator the program of the reader splits lines at.

A file with commas that is opened where the list separator is ``;`` (or the other way round) has other cells than were
written, and quotes do not hold them together: a text that holds a separator can begin a cell of its own.
"""

from __future__ import annotations

import json
from typing import Any

import polars as pl

# What begins a formula, also in the width of East Asian keyboards; blanks and quotes before it hide nothing.
_FORMULA = "[=+\\-@\uff1d\uff0b\uff0d\uff20]"
_HIDDEN = r"[\s\"']*"
_AT_START = f"^({_HIDDEN})({_FORMULA})|^([\\t\\r])"
_AFTER_SEPARATOR = f"([;,|\\t\\r\\n]{_HIDDEN})({_FORMULA})"


def without_formulas(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame whose texts are no formulas, whole or split at a separator: an apostrophe stands before each."""
    text = pl.col(pl.String)
    safe = text.str.replace_all(_AFTER_SEPARATOR, "${1}'${2}").str.replace(_AT_START, "'${1}${2}${3}")
    return frame.with_columns(safe.name.keep())


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def csv_text(frame: pl.DataFrame, *, separator: str = ",", decimal_comma: bool = False) -> str:
    """Return CSV that a spreadsheet only shows: every text is quoted, none is a formula, and what nests is JSON."""
    nested = [
        pl.Series(name, [None if value is None else _json(value) for value in frame[name].to_list()], dtype=pl.String)
        for name, kind in frame.schema.items()
        if kind.is_nested()
    ]
    safe = without_formulas(frame.with_columns(nested))
    return safe.write_csv(separator=separator, decimal_comma=decimal_comma, quote_style="non_numeric")
