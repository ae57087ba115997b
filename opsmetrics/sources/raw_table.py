"""What a file says before anybody judges it: its column names, the wanted cells, and where each row stands.

Only columns that the contract may want are kept, so that a file with many others costs no memory. Does not belong here:
any one format (``delimited``, ``json_lines``, ``parquet``) and what a cell means (``contract``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from unicodedata import normalize

import polars as pl

from opsmetrics.core.errors import Problem, SourceError

MAX_COLUMNS = 2_000
MAX_LINE_BYTES = 1_000_000
# Rows that are held as Python objects before they become columns.
CHUNK = 20_000

# Cells that are no text, number or instant. A Boolean is one too where a column does not ask for it.
BOOLEAN = "a Boolean"
LIST = "a list"
OBJECT = "an object"
NUL = "text with a NUL character"
SURROGATE = "text with half a surrogate pair"
BYTE_ORDER_MARK = "\ufeff"
# Around a cell they are none of it, also those that break no line: HTML fills empty cells with them.
BLANKS = " \u00a0\u2007\u202f"
# Under this name a row says which file it stands in.
FILE = "_file"


def folded(name: str) -> str:
    """Return a column name without case and the blanks around it: what two spellings of one name share."""
    return normalize("NFC", name.strip().casefold())


def unreadable(path: Path, line: int | None, message: str, fix: str) -> SourceError:
    """Return the error that a file as a whole cannot be used."""
    return SourceError(Problem(str(path), line, message, fix))


@dataclass(frozen=True, slots=True)
class RawTable:
    """One file, or the answer of a connector, as it came.

    Attributes:
        names: All column names, in order.
        data: The wanted columns, text or native types, under the names of the file.
        lines: 1-based line that each row begins on; for Parquet its number.
        broken: Why a row could not be split into cells, else null.
        odd: Column -> what a cell is where it is nothing that a column can hold (``LIST``, ``NUL``, ...), else null.
        files: File that each row stands in, where they are several; else None.
        notes: What was decided of rows that are not here any more, for people.
        usual: Of records that may leave keys out, the keys that most of them have.
    """

    names: tuple[str, ...]
    data: pl.DataFrame
    lines: pl.Series
    broken: pl.Series
    odd: Mapping[str, pl.Series]
    files: pl.Series | None = None
    notes: tuple[str, ...] = ()
    usual: frozenset[str] = frozenset()

    @property
    def height(self) -> int:
        """Number of rows."""
        return len(self.lines)

    def with_constants(self, values: Mapping[str, str]) -> RawTable:
        """Return the table with further columns that hold one text in every row."""
        if not values:
            return self
        data = self.data.to_dict() | {
            name: pl.Series(name, [value], dtype=pl.String).new_from_index(0, self.height)
            for name, value in values.items()
        }
        return replace(self, names=(*self.names, *values), data=pl.DataFrame(data))


def check_names(path: Path, names: Sequence[str]) -> None:
    """Refuse column names that do not tell the columns apart.

    Raises:
        SourceError: A name is empty or stands twice, or there are too many.
    """
    if len(names) > MAX_COLUMNS:
        raise unreadable(path, 1, f"the file has {len(names)} columns, more than {MAX_COLUMNS}", "export fewer columns")
    repeated = sorted(name for name, times in Counter(names).items() if times > 1)
    if repeated or not all(name.strip() for name in names):
        said = f" ({', '.join(map(repr, repeated))})" if repeated else ""
        raise unreadable(path, 1, f"the header has an empty or repeated column name{said}", "name every column once")


def numbered_names(names: Sequence[str]) -> list[str]:
    """Return names of columns of which those that others have too, but for case, and empty ones are numbered."""
    counts: dict[str, int] = {}
    found: list[str] = []
    for place, name in enumerate(names, 1):
        plain = name.strip() or f"column {place}"
        counts[folded(plain)] = number = counts.get(folded(plain), 0) + 1
        found.append(plain if number == 1 else f"{plain} ({number})")
    return found


def numbered_lines(path: Path, encoding: str = "utf-8", most_bytes: int = MAX_LINE_BYTES) -> Iterator[tuple[int, str]]:
    """Yield (line number, text) of a text file, strictly decoded; a byte order mark is no part of the text.

    Files that were joined have it again, where each of them begins.

    Raises:
        SourceError: A line is not of this encoding, or too long.
    """
    if len("\n".encode(encoding)) > 1:
        yield from _wide_lines(path, encoding, most_bytes)
        return
    with path.open("rb") as source:
        number = 0
        while raw := source.readline(most_bytes + 1):
            number += 1
            if len(raw) > most_bytes:
                raise _too_long(path, number, most_bytes)
            try:
                yield number, raw.decode(encoding).lstrip(BYTE_ORDER_MARK)
            except UnicodeDecodeError as error:
                raise _of_other_encoding(path, number, encoding) from error


def _wide_lines(path: Path, encoding: str, most_bytes: int) -> Iterator[tuple[int, str]]:
    """Yield the lines of a file of an encoding in which a line break is more than one byte."""
    number = 0
    with path.open(encoding=encoding, newline="\n") as source:
        try:
            while line := source.readline(most_bytes + 1):
                number += 1
                if len(line) > most_bytes:
                    raise _too_long(path, number, most_bytes)
                yield number, line.lstrip(BYTE_ORDER_MARK)
        except UnicodeError as error:
            raise _of_other_encoding(path, number + 1, encoding) from error


def _too_long(path: Path, number: int, most_bytes: int) -> SourceError:
    message = f"the line has more than {most_bytes} bytes"
    return unreadable(path, number, message, "export it again, one row a line")


def _of_other_encoding(path: Path, number: int, encoding: str) -> SourceError:
    return unreadable(
        path, number, f"the file is not {encoding.upper()} at this line", f"save it as {encoding.upper()}"
    )


@dataclass(slots=True)
class Collector:
    """Rows that become columns chunk by chunk, so that a large file is never held as Python objects.

    Blanks around a cell would make another word of it: closed and ``closed `` are the same.
    """

    _rows: list[Mapping[str, str | None]] = field(default_factory=list)
    _lines: list[int] = field(default_factory=list)
    _broken: list[str | None] = field(default_factory=list)
    _odd: dict[str, dict[int, str]] = field(default_factory=dict)
    _chunks: list[pl.DataFrame] = field(default_factory=list)

    def add(self, line: int, row: Mapping[str, str | None], reason: str | None = None) -> None:
        """Add a row with its wanted cells, or with why it has none."""
        self._rows.append(row)
        self._lines.append(line)
        self._broken.append(reason)
        if len(self._rows) >= CHUNK:
            self._flush()

    def mark(self, name: str, what: str) -> None:
        """Say of a cell of the row that is added next that it is nothing a column can hold."""
        self._odd.setdefault(name, {})[len(self._lines)] = what

    def _flush(self) -> None:
        names = dict.fromkeys(name for row in self._rows for name in row)
        cells = {
            name: pl.Series(name, [row.get(name) for row in self._rows], dtype=pl.String).str.strip_chars(BLANKS)
            for name in names
        }
        # A frame without columns would forget how many rows it has.
        self._chunks.append(pl.DataFrame(cells | {"": pl.Series("", [None] * len(self._rows), dtype=pl.Null)}))
        self._rows = []

    def table(self, names: Sequence[str], kept: Sequence[str]) -> RawTable:
        """Return all rows added.

        Args:
            names: Names of the columns of the file.
            kept: Those of them that the rows hold.
        """
        self._flush()
        data = pl.concat(self._chunks, how="diagonal")
        nothing = pl.Series([None], dtype=pl.String).new_from_index(0, data.height)
        data = data.select(data[name] if name in data.columns else nothing.alias(name) for name in kept)
        lines = pl.Series("line", self._lines, dtype=pl.Int64)
        broken = pl.Series("broken", self._broken, dtype=pl.String)
        odd = {
            name: pl.Series(name, [cells.get(row) for row in range(len(lines))], dtype=pl.String)
            for name, cells in self._odd.items()
        }
        return RawTable(tuple(names), data, lines, broken, odd)
