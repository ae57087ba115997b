"""Which columns of the contracts carry the name of something that the configuration knows."""

from __future__ import annotations

from collections.abc import Iterator

from opsmetrics.streams.model import Stream

# Column -> what it names.
KINDS = {
    "service_id": "service",
    "team_id": "team",
    "from_team_id": "team",
    "to_team_id": "team",
    "repository": "repository",
    "monitor_id": "monitor",
    "datastore_id": "datastore",
    "environment": "environment",
}


def named_columns(stream: Stream) -> Iterator[tuple[str, str]]:
    """Yield the columns of a stream that carry names, each with what it names."""
    for column in stream.columns:
        if column.name in KINDS:
            yield column.name, KINDS[column.name]
