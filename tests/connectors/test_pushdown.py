"""Telemetry is summed up where it lies: what travels does not depend on how many requests the services had."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import polars as pl
import pytest

from opsmetrics.sources.azure.client import rendered
from simulator.servers import loganalytics
from simulator.servers.kusto import Engine

WINDOW = datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 22, tzinfo=UTC)
# Of these the answer tells the number itself; a longer number is a few bytes more.
COUNTS = {"Requests", "Fast", "StoredRows", "Runs", "Ok"}


def asked(tables: dict[str, pl.DataFrame], query: str) -> tuple[list[dict], int]:
    columns, rows = Engine(tables).run(rendered(query, *WINDOW, bin=60, threshold="500"))
    names = [column["name"] for column in columns]
    return [dict(zip(names, row, strict=True)) for row in rows], len(json.dumps(rows))


@pytest.mark.parametrize("query", ["requests", "signal_performance", "availability"])
def test_a_thousand_times_the_requests_bring_the_same_rows(records, query):
    start, end = (instant.replace(tzinfo=None) for instant in WINDOW)
    inside = pl.col("TimeGenerated").is_between(start, end, closed="left")
    tables = {
        "AppRequests": loganalytics._requests(records).filter(inside),
        "AppAvailabilityResults": loganalytics._availability(records).filter(inside),
    }
    busy = {
        name: frame.head(400).join(pl.DataFrame({"n": range(1000)}), how="cross").drop("n")
        for name, frame in tables.items()
    }
    few, small = asked({name: frame.head(400) for name, frame in tables.items()}, query)
    many, large = asked(busy, query)
    assert few
    assert [{k: v for k, v in row.items() if k not in COUNTS} for row in few] == [
        {k: v for k, v in row.items() if k not in COUNTS} for row in many
    ]
    for name in COUNTS & few[0].keys():
        assert [row[name] * 1000 for row in few] == [row[name] for row in many]
    # Nothing but the digits of the counts is longer.
    digits = sum(len(str(row[name])) for name in COUNTS & few[0].keys() for row in many)
    assert large - small <= digits
