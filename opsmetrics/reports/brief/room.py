"""How much room words take on a slide, about: what grows over what stands below it is read by nobody.

Does not belong here: what a slide says (``deck``), and how it is drawn (``slides``).
"""

from __future__ import annotations

from collections.abc import Sequence

from opsmetrics.reports.table import Cell, Table

WIDTH, HEIGHT, MARGIN = 338.7, 190.5, 14.0
"""Of a slide, in millimetres, as all of the following."""
TOP, BOTTOM, BELOW = 36.0, 16.0, 14.0
"""Where blocks begin, what stays free below them, and what a sentence below a table takes."""
LEAST = 14  # points of the smallest type
LARGER = 16  # points of the type in a table of few rows
FEW_ROWS = 6
_POINT = 25.4 / 72
_LETTER, _LINE = 0.55, 1.22  # of the size of the type: a letter's width in a wide font, a line's height
_INSET = 4.0  # of a cell or a box, both sides together


def height(words: str, size: float, width: float) -> float:
    """Return how high words are that break within a width."""
    letters = max(1, int((width - _INSET) / (size * _POINT * _LETTER)))
    return sum(_lines(line, letters) for line in words.split("\n")) * size * _POINT * _LINE


def _lines(words: str, letters: int) -> int:
    """How many lines words take that break between words, and within those that are longer than a line."""
    lines, used = 1, 0
    for word in words.split(" "):
        if used and used + 1 + len(word) > letters:
            lines, used = lines + 1, 0
        used += len(word) + (1 if used else 0)
        lines, used = lines + max(0, used - 1) // letters, (used - 1) % letters + 1 if used else 0
    return lines


def size_for(words: str, sizes: Sequence[int], width: float, most: float) -> int:
    """Return the largest type in which words are no higher than they may be; the smallest where they always are."""
    return next((size for size in sizes if height(words, size, width) <= most), sizes[-1])


def type_of(rows: int) -> int:
    """Return the type of a table."""
    return LARGER if rows <= FEW_ROWS else LEAST


def row_heights(table: Table, size: float) -> list[float]:
    """Return how high the head and each row of a table across the slide are."""
    total = sum(column.width for column in table.columns)
    widths = [(WIDTH - 2 * MARGIN) * column.width / total for column in table.columns]
    head = tuple(Cell(column.label) for column in table.columns)
    return [
        max(height(cell.text, size, width) for cell, width in zip(row, widths, strict=True)) + 1
        for row in (head, *table.rows)
    ]


def rows_that_fit(table: Table, most: int, beside: int = 0) -> int:
    """Return how many of the first rows a slide holds above a sentence, at least one.

    Args:
        table: All rows; the last ``beside`` of them stand there in any case.
        most: No more than these.
        beside: Rows at the end that are not counted.
    """
    rows = len(table.rows) - beside
    head, *heights = row_heights(table, LEAST)
    room = HEIGHT - BOTTOM - TOP - BELOW - head - sum(heights[rows:])
    fitting = 0
    for one in heights[: min(most, rows)]:
        room -= one
        if room < 0:
            break
        fitting += 1
    return max(1, fitting)
