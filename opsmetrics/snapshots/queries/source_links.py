"""What a link into a source system is made of: the templates, and for each row its source and its service.

Does not belong here: filling a template (``opsmetrics.reports.source_links``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from opsmetrics.snapshots.queries.reader import frame, query
from opsmetrics.snapshots.queries.rows import Rows
from opsmetrics.snapshots.store import Snapshot
from opsmetrics.streams import STREAMS

# Streams whose facts keep the row's own key, and say which service it is of.
_WITH_SERVICE = (
    *("action_items", "alerts", "assessments", "deployments", "findings", "incidents", "load_tests"),
    *("update_episodes", "vulnerabilities"),
)


@dataclass(frozen=True, slots=True)
class Template:
    """Where rows of one source of a stream are found; ``is_due`` says whether it still delivers."""

    origin: str
    template: str
    is_due: bool


@dataclass(frozen=True, slots=True)
class RowOrigin:
    """Which source told a row."""

    item_id: str
    origin: str


@dataclass(frozen=True, slots=True)
class RowService:
    """Which service a row is of."""

    item_id: str
    service_id: str


def templates(snapshot: Snapshot, stream: str) -> list[Template]:
    """Return the templates of a stream's sources; none of a snapshot that is older than links."""
    known = frame(snapshot, "select 1 from duckdb_tables() where schema_name = 'meta' and table_name = 'source_links'")
    if known.is_empty():
        return []
    return list(
        query(
            snapshot,
            Template,
            """select l.origin, l.template, s.due_to > (select max("on") from ref.as_of) as is_due
               from meta.source_links as l join meta.sources as s using (stream, origin)
               where l.stream = $stream order by l.origin""",
            {"stream": stream},
        )
    )


def origins(snapshot: Snapshot, stream: str, item_ids: Sequence[str]) -> Rows[RowOrigin]:
    """Return which source told each row, the newest word of each; none where the stream's rows have no key of one part.

    Args:
        snapshot: Snapshot.
        stream: Stream of the contract.
        item_ids: Keys of its rows.
    """
    key = STREAMS[stream].key
    if len(key) != 1:
        return _none(snapshot, RowOrigin)
    return query(
        snapshot,
        RowOrigin,
        f"""select r.{key[0]} as item_id, arg_max(l.origin, l.sequence) as origin
            from raw.{stream} as r join meta.loads as l on l.stream = $stream and l.load_id = r._load_id
            where list_contains($ids, r.{key[0]}) group by all order by item_id""",
        {"stream": stream, "ids": tuple(item_ids)},
    )


def services(snapshot: Snapshot, stream: str, item_ids: Sequence[str]) -> Rows[RowService]:
    """Return the service of each row; none where the stream's rows are of none."""
    if stream not in _WITH_SERVICE:
        return _none(snapshot, RowService)
    key = STREAMS[stream].key[0]
    return query(
        snapshot,
        RowService,
        f"""select {key} as item_id, any_value(service_id) as service_id from facts.{stream}
            where list_contains($ids, {key}) and service_id is not null group by all order by item_id""",
        {"ids": tuple(item_ids)},
    )


def service_names(snapshot: Snapshot) -> dict[str, str]:
    """Return the service of each id of a service or datastore."""
    found = frame(
        snapshot,
        """select service_id as name, service_id from ref.services
           union select datastore_id, service_id from ref.datastores order by 1""",
    )
    return dict(found.iter_rows())


def _none(snapshot: Snapshot, row_type: type) -> Rows:
    fields = "null::varchar as item_id, null::varchar as origin, null::varchar as service_id"
    return query(snapshot, row_type, f"select {fields} where false")
