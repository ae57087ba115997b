"""Which lines of a file are rows of its table: not blank ones, nor its header once more, nor what stands below it.

A line that is no record has no day, and would leave all days of its file unproven. Does not belong here: how a line is
split into cells (``delimited``, ``sheets``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from opsmetrics.sources.raw_table import folded, numbered_names, unreadable

# Line it begins on, its cells, and why it could not be split.
Row = tuple[int, Sequence[str | None], str | None]
# What stands in the last row of a list that somebody made, in English, Norwegian, German and French.
_TOTAL = re.compile(
    r"(?:grand |sum )?(?:sum|totals?|totalt|totalsum|i alt|summe|gesamt(?:ergebnis|summe)?|total général)[:= \d.,]*",
    re.IGNORECASE,
)
_TOTAL_BEGINS = frozenset({"gra", "sum", "tot", "i a", "ges"})
# A table of fewer columns may have rows that hold one cell.
_FEWEST_COLUMNS = 3
_MOST_NOTES = 20


def rows_of_table(path: Path, rows: Iterable[Row], header: Sequence[str]) -> Iterator[Row]:
    """Yield the rows of a table, each once it is known that it is none of the lines below it.

    Totals, and lines of a single cell below them, or of several words below a blank line, end a table: who exported it,
    and when. Files that were joined have their header again.

    Args:
        path: The file, for messages.
        rows: Its lines below the header, blank ones too.
        header: Names of the columns.

    Raises:
        SourceError: The same columns begin again in another order: whatever follows would be read as something else.
    """
    below: list[Row] = []
    names = frozenset(header)
    is_blank = False
    for row in rows:
        line, cells, reason = row
        if _is_plain(cells, names):
            if below:
                yield from below
                below.clear()
            is_blank = False
            yield row
            continue
        said = list(islice(_said(cells), 2))
        if not said and reason is None:
            is_blank = True
            continue
        # A single word may be the id of a record that lacks all else.
        is_note = len(said) == 1 and len(header) >= _FEWEST_COLUMNS and ((is_blank and " " in said[0]) or bool(below))
        is_blank = False
        if (is_note or _sums_up(cells, said, len(header))) and len(below) < _MOST_NOTES:
            below.append(row)
            continue
        yield from below
        below.clear()
        if not _is_header(path, line, cells, header):
            yield row


def _is_plain(cells: Sequence[str | None], names: frozenset[str]) -> bool:
    """Whether a row is one of the table for certain, by its first two cells: nearly all are."""
    if len(cells) < 2 or not cells[0] or not cells[1]:
        return False
    first = cells[0].strip()
    return bool(first and cells[1].strip()) and first not in names and first[:3].lower() not in _TOTAL_BEGINS


def _said(cells: Sequence[str | None]) -> Iterator[str]:
    return (cell for cell in cells if cell is not None and cell.strip())


def _sums_up(cells: Sequence[str | None], said: Sequence[str], width: int) -> bool:
    """Whether a row is the totals of a table: a word for them, and few other cells."""
    is_total = bool(said) and _TOTAL.fullmatch(said[0].strip()) is not None
    return is_total and sum(1 for _ in _said(cells)) <= width // 2


def _is_header(path: Path, line: int, cells: Sequence[str | None], header: Sequence[str]) -> bool:
    """Whether a row holds the names of the columns once more."""
    if not cells or (cells[0] or "").strip() not in header:
        return False
    names = [(cell or "").strip() for cell in cells]
    while not names[-1] and len(names) > len(header):
        names.pop()
    names, wanted = list(map(folded, numbered_names(names))), list(map(folded, header))
    if names != wanted and sorted(names) == sorted(wanted):
        message = "the same columns begin again here, in another order"
        raise unreadable(path, line, message, "keep what follows in a file of its own")
    return names == wanted
