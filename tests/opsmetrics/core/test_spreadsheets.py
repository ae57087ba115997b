"""No text of a CSV file is a formula, whichever list separator the program that opens it splits lines at."""

from __future__ import annotations

import csv
import io
import re

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsmetrics.core.spreadsheets import csv_text, without_formulas

FORMULA = re.compile('^[\\s"]*[=+\\-@\uff1d\uff0b\uff0d\uff20]')
HOSTILE = [
    "=1+1",
    "x;=1+1",
    "x,=1+1",
    'x;"=1+1"',
    'x";=1+1',
    "x; =1+1",
    "x\t=1+1",
    "a\n=1+1",
    "a\r\n@SUM(1)",
    " =1+1",
    '"=1+1',
    "\uff1d1+1",
    "-2+3+cmd|' /C calc'!A0",
    ";;,,=1",
    "|=1",
    ";'=1",
]
TEXTS = st.lists(st.text(alphabet="=+-@;,|\t\n\r\"' \uff1dx1", max_size=8), min_size=1, max_size=4)


def cells(text: str, separator: str) -> list[str]:
    """Cells as a program sees them that splits at this separator; it mends what is no valid CSV."""
    return [cell for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator) for cell in row]


def check(values: list[str]) -> None:
    """Every cell of every way to read the file; the column before the texts keeps them from a line's beginning."""
    for frame in (pl.DataFrame({"text": values}), pl.DataFrame({"before": ["team"] * len(values), "text": values})):
        for written in (",", ";"):
            text = csv_text(frame, separator=written, decimal_comma=written == ";")
            for read in (",", ";", "\t", "|"):
                assert [cell for cell in cells(text, read) if FORMULA.match(cell)] == [], (written, read)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_formula_is_shown_and_not_run(text):
    check([text])


@given(TEXTS)
def test_no_text_is_a_formula_under_any_separator(values):
    check(values)


def test_numbers_days_and_plain_text_stay_what_they_are():
    frame = pl.DataFrame({"team": ["a-b = c", "Blåbær; 5 %"], "value": [-1.5, None]})
    assert without_formulas(frame).equals(frame)
    assert pl.read_csv(csv_text(frame).encode()).equals(frame)
