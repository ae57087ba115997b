"""What a pull landed, in a form in which it can be held against the simulated organisation's records."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import polars as pl

from opsmetrics.landing import load_paths
from opsmetrics.sources.fetching import FetchRequest
from opsmetrics.sources.pull import pull_stream


def landed(settings, stream: str) -> pl.DataFrame:
    frames = [pl.read_parquet(path) for path in load_paths(settings.landing, stream)]
    frame = pl.concat(frames)
    assert frame["_reason"].drop_nulls().to_list() == []
    return frame


def landed_from(connected, sources: str, stream: str) -> pl.DataFrame:
    """What the one source of a stream lands."""
    settings, organisation = connected(sources)
    (result,) = pull_stream(settings, organisation, stream)
    assert result.error is None
    return landed(settings, stream)


def request_of(connected, sources: str, stream: str) -> FetchRequest[Any]:
    """What the only connector is asked for nine days."""
    settings, organisation = connected(sources)
    (connector,) = organisation.sources.connector
    days = (date(2026, 11, 1), date(2026, 11, 10))
    return FetchRequest.make(settings, organisation, connector, stream, days, datetime(2026, 11, 23, tzinfo=UTC))


def table(rows: Any, *columns: str) -> list[tuple[Any, ...]]:
    """Rows as sorted tuples; instants to the second, numbers to nine digits, as every wire format keeps them."""

    def value(item: Any) -> Any:
        if isinstance(item, datetime):
            return item.timestamp() // 1
        return round(item, 9) if isinstance(item, float) else item

    found = rows.iter_rows(named=True) if isinstance(rows, pl.DataFrame) else rows
    return sorted((tuple(value(row[name]) for name in columns) for row in found), key=str)
