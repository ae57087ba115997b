"""What a query gives, as a table, CSV or JSON; what CSV and JSON have no form for is the text that the table shows."""

from __future__ import annotations

import re
from typing import Any

import click
import polars as pl

from opsmetrics.core.spreadsheets import csv_text

# Kinds that both forms have; nested ones have them too where what they hold has.
_HAD = frozenset(
    {
        *("boolean", "tinyint", "smallint", "integer", "bigint", "hugeint", "utinyint", "usmallint", "uinteger"),
        *("ubigint", "uhugeint", "float", "double", "decimal", "varchar", "uuid", "enum", "null", "date", "time"),
        *("timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns", "timestamp with time zone"),
    }
)
_INSTANT = re.compile("DATE|TIMESTAMP")
# Seconds from 1970 of the years 1 and 10000: other instants, infinite ones among them, have no form.
_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_800
_IN_A_SECOND = {"ms": 10**3, "us": 10**6, "ns": 10**9}
_DAY_SECONDS = 86_400
_LARGEST = 2**63


def show(relation: Any, form: str) -> None:
    """Print the rows of a relation.

    Args:
        relation: What DuckDB gives for a query.
        form: ``table``, ``csv`` or ``json``.
    """
    if form == "table":
        relation.show(max_rows=1000, max_width=10_000)
        return
    frame = _frame(relation)
    # People open CSV in spreadsheets; JSON holds every text as it stands.
    click.echo(csv_text(frame), nl=False) if form == "csv" else click.echo(_with_numbers(frame).write_json())


def _frame(relation: Any) -> pl.DataFrame:
    has_no_form = [not _is_had(kind) for kind in relation.types]
    frame = _texts(relation, has_no_form)
    beyond = [_is_beyond(column) for column in frame.get_columns()]
    return (
        _texts(relation, [one or other for one, other in zip(has_no_form, beyond, strict=True)])
        if any(beyond)
        else frame
    )


def _texts(relation: Any, as_text: list[bool]) -> pl.DataFrame:
    """Read a relation with some columns as text; by their places, because two may have one name."""
    if not any(as_text):
        return relation.pl()
    names = ['"{}"'.format(name.replace('"', '""')) for name in relation.columns]
    columns = zip(as_text, names, strict=True)
    wanted = (f"#{at}{'::varchar' if is_text else ''} as {name}" for at, (is_text, name) in enumerate(columns, start=1))
    return relation.project(", ".join(wanted)).pl()


def _is_had(kind: Any) -> bool:
    if kind.id == "map":
        # JSON has keys of text alone, and nobody looks for odd instants below them.
        (_, key), (_, value) = kind.children
        return key.id == "varchar" and _is_had(value) and _INSTANT.search(str(value)) is None
    if kind.id in {"list", "array", "struct"}:
        return all(_is_had(child) for name, child in kind.children if not (kind.id == "array" and name == "size"))
    return kind.id in _HAD


def _is_beyond(column: pl.Series) -> bool:
    """Whether a column holds days or instants that no calendar of the formats has."""
    kind = column.dtype
    if isinstance(kind, pl.List | pl.Array):
        return _is_beyond(column.explode())
    if isinstance(kind, pl.Struct):
        return any(map(_is_beyond, column.struct.unnest().get_columns()))
    if not isinstance(kind, pl.Date | pl.Datetime):
        return False
    factor = _IN_A_SECOND[kind.time_unit] if isinstance(kind, pl.Datetime) else 1
    seconds = _DAY_SECONDS if isinstance(kind, pl.Date) else 1
    found: Any = column.to_physical()
    return (
        not found.drop_nulls()
        .is_between(_FIRST_SECOND // seconds * factor, _LAST_SECOND // seconds * factor, closed="left")
        .all()
    )


def _with_numbers(frame: pl.DataFrame) -> pl.DataFrame:
    """Sums and decimals as numbers: they were texts in JSON, of which every comparison with a number is wrong."""
    return frame.with_columns(
        column.cast(pl.Float64 if kind.scale else pl.Int64)
        for column in frame.get_columns()
        if isinstance(kind := column.dtype, pl.Decimal)
        and (kind.scale or column.drop_nulls().cast(pl.Int128).is_between(-_LARGEST, _LARGEST, closed="left").all())
    )
