"""How a table is declared: its columns with type, meaning and limits, and its key; one form for streams and tables.

From a declaration follow the frame's schema, the table in DuckDB with its comments, the data dictionary and the check
that every build holds the rows against (ADR 0023). Does not belong here: any one table, and how a declaration is
carried out (``opsmetrics.warehouse.declared``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

# ``any_integer`` and ``any_number`` are results of SQL sums, whose width DuckDB chooses; ``any`` is left to the SQL.
ColumnType = Literal[
    "text",
    "integer",
    "number",
    "boolean",
    "timestamp",
    "date",
    "integer32",
    "unsigned32",
    "texts",
    "numbers",
    "any_integer",
    "any_number",
    "any",
]
DUCKDB_TYPES: dict[ColumnType, str] = {
    "text": "varchar",
    "integer": "bigint",
    "number": "double",
    "boolean": "boolean",
    "timestamp": "timestamptz",
    "date": "date",
    "integer32": "integer",
    "unsigned32": "uinteger",
    "texts": "varchar[]",
    "numbers": "double[]",
}
_WORDS: dict[ColumnType, str] = {
    "timestamp": "a time",
    "date": "a day",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
}
# A row of a declared table before it is a frame: column -> value, in any order.
Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a stream or a table.

    Attributes:
        name: Column name; in landing, raw and staging the same.
        type: Logical type; timestamps are UTC instants.
        doc: Meaning and unit, shown to analysts.
        required: Never null; a stream's row without it is quarantined.
        one_of: Allowed values of a text column.
        low: Smallest allowed number.
        high: Largest allowed number.
        or_none: What an empty value says where the source can tell the column at all: True = there is none, or it
            has not happened (an acknowledgement, an end); False = nothing is known.
        is_plan: A time that may lie in the future: a due date, an end of support.
        most_days_ahead: How far in the future a plan may lie; further is a mistyped year.
        ends_day: A time that is written as a day alone is the last second of that local day (method 2.1).
    """

    name: str
    type: ColumnType
    doc: str
    required: bool = False
    one_of: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    or_none: bool = False
    is_plan: bool = False
    most_days_ahead: int | None = None
    ends_day: bool = False

    @property
    def doc_of_empty(self) -> str:
        """The meaning, and what an empty value says: unknown, none and not yet are three things."""
        if self.required or "null" in self.doc:
            return self.doc
        return f"{self.doc}; null = {'none, not yet, or the source cannot tell' if self.or_none else 'not known'}"

    @property
    def allowed(self) -> str:
        """What it may hold, in words."""
        if self.one_of:
            return f"one of {', '.join(self.one_of)}"
        said = _WORDS.get(self.type, "a text")
        return said if self.low is None or self.high is None else f"{said} from {self.low:g} to {self.high:g}"


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the warehouse.

    Attributes:
        name: Qualified name, ``schema.table``.
        title: What a row is.
        columns: In order.
        key: Columns that identify a row; empty where nothing does.

    Raises:
        ValueError: A column is declared twice, or the key names one that is not declared.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]

    def __post_init__(self) -> None:
        names = self.names
        repeated = sorted({name for name in names if names.count(name) > 1})
        unknown = [name for name in self.key if name not in names]
        if repeated or unknown or "." not in self.name:
            raise ValueError(f"{self.name}: columns declared twice {repeated}, key of unknown columns {unknown}")

    @property
    def schema(self) -> str:
        """The schema of the table."""
        return self.name.partition(".")[0]

    @property
    def names(self) -> list[str]:
        """Names of the columns, in order."""
        return [column.name for column in self.columns]

    def column(self, name: str) -> Column:
        """Return a column.

        Raises:
            KeyError: The table declares none of this name.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name} declares no column {name!r}")


def or_none(column: Column) -> Column:
    """Return an optional column of which an empty value says that there is none, where the source can tell it."""
    return replace(column, or_none=True)


def text(name: str, doc: str, *, required: bool = False, one_of: tuple[str, ...] = ()) -> Column:
    """Return a text column."""
    return Column(name, "text", doc, required=required, one_of=one_of)


def id_(name: str, doc: str) -> Column:
    """Return a required text column that identifies something."""
    return Column(name, "text", doc, required=True)


def at(name: str, doc: str, *, required: bool = False, is_plan: bool = False) -> Column:
    """Return a column of UTC instants."""
    return Column(name, "timestamp", doc, required=required, is_plan=is_plan)


def due(name: str, doc: str, *, required: bool = False) -> Column:
    """Return a column of instants to come: five years ahead at most."""
    return Column(name, "timestamp", doc, required=required, is_plan=True, most_days_ahead=5 * 366)


def deadline(name: str, doc: str, *, required: bool = False) -> Column:
    """Return a column of instants by which something is to be done; where a day is named, all of it is left."""
    return replace(due(name, f"{doc}; a day alone is its last second", required=required), ends_day=True)


def day(name: str, doc: str, *, required: bool = False, is_plan: bool = False) -> Column:
    """Return a column of local days."""
    return Column(name, "date", doc, required=required, is_plan=is_plan)


def flag(name: str, doc: str, *, required: bool = False) -> Column:
    """Return a boolean column."""
    return Column(name, "boolean", doc, required=required)


def count(name: str, doc: str, *, required: bool = False, low: float | None = 0, high: float | None = None) -> Column:
    """Return a column of whole numbers."""
    return Column(name, "integer", doc, required=required, low=low, high=high)


def number(name: str, doc: str, *, required: bool = False, low: float | None = 0, high: float | None = None) -> Column:
    """Return a column of numbers."""
    return Column(name, "number", doc, required=required, low=low, high=high)


def share(name: str, doc: str, *, required: bool = False) -> Column:
    """Return a column of shares, 0..1."""
    return Column(name, "number", doc, required=required, low=0, high=1)


def texts(name: str, doc: str) -> Column:
    """Return a column of lists of text; an empty list where there is nothing."""
    return Column(name, "texts", doc, required=True)
