"""What a contract says: columns, key, time column, freshness.

Streams never hold names of people, mail addresses, incident texts or vulnerability details (architecture D13):
there is no column for them, and columns that the contract does not name are dropped before landing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ColumnType = Literal["text", "integer", "number", "boolean", "timestamp", "date"]
DUCKDB_TYPES: dict[ColumnType, str] = {
    "text": "varchar",
    "integer": "bigint",
    "number": "double",
    "boolean": "boolean",
    "timestamp": "timestamptz",
    "date": "date",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a stream.

    Attributes:
        name: Column name in landing, raw and staging.
        type: Logical type; timestamps are UTC instants.
        doc: Meaning and unit, shown to analysts.
        required: A row without it is quarantined.
        one_of: Allowed values of a text column.
        low: Smallest allowed number.
        high: Largest allowed number.
    """

    name: str
    type: ColumnType
    doc: str
    required: bool = False
    one_of: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream of rows.

    Attributes:
        name: Name in landing, in ``raw`` and ``staging``, and of the Dagster asset.
        doc: What a row is.
        columns: The contract.
        key: Columns that identify a row.
        time: Column whose local day decides which daily window a row belongs to; None for a register,
            of which every load is the whole state.
        expected_hours: How often new data are expected; older than twice this is late.
        repull_days: Days before the asked one that a scheduled pull reads again, because rows still change
            (source contracts, section 0.2): telemetry settles in three days, an incident is closed weeks later.
    """

    name: str
    doc: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    time: str | None
    expected_hours: int = 24
    repull_days: int = 3

    @property
    def is_register(self) -> bool:
        """Whether a load is the whole state rather than a window of events."""
        return self.time is None

    def column(self, name: str) -> Column:
        """Return a column of the contract."""
        return next(column for column in self.columns if column.name == name)


def text(name: str, doc: str, *, required: bool = False, one_of: tuple[str, ...] = ()) -> Column:
    """Return a text column."""
    return Column(name, "text", doc, required=required, one_of=one_of)


def id_(name: str, doc: str) -> Column:
    """Return a required text column that identifies something."""
    return Column(name, "text", doc, required=True)


def at(name: str, doc: str, *, required: bool = False) -> Column:
    """Return a column of UTC instants."""
    return Column(name, "timestamp", doc, required=required)


def flag(name: str, doc: str, *, required: bool = False) -> Column:
    """Return a boolean column."""
    return Column(name, "boolean", doc, required=required)


def count(name: str, doc: str, *, low: float | None = 0, high: float | None = None) -> Column:
    """Return a column of whole numbers."""
    return Column(name, "integer", doc, low=low, high=high)


def number(name: str, doc: str, *, required: bool = False, low: float | None = 0) -> Column:
    """Return a column of numbers."""
    return Column(name, "number", doc, required=required, low=low)


SERVICE = id_("service_id", "Service, by id or alias of services.toml")
REPOSITORY = id_("repository", "Repository as owner/name")
