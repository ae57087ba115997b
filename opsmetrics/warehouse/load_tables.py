"""The tables that ingest keeps: every load, what was set aside, rows by day, and the rows themselves.

Does not belong here: how loads come in (``opsmetrics.warehouse.ingest``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from opsmetrics.core.declare import Row, Table, at, count, day, flag, id_, text, texts
from opsmetrics.landing import PARTIAL, SILENT, Load, LoadName, Pack, damaged_paths, is_pack, place_of
from opsmetrics.streams import Stream

_STREAM = id_("stream", "Stream")
LOADS = Table(
    "meta.loads",
    "Every load ever landed",
    (
        id_("load_id", "Instant, sequence and digest"),
        _STREAM,
        day("window_start", "First local day", required=True),
        day("window_end", "Day after the last", required=True),
        at("loaded_at", "When it was landed, UTC", required=True),
        count("sequence", "Number within the stream", required=True),
        flag("is_complete", "A partial load never replaces a complete one", required=True),
        count("rows", "Rows that keep the contract", required=True),
        count("quarantined", "Rows set aside, see meta.quarantine", required=True),
        text("source", "File or address"),
        text("source_digest", "Digest of the input"),
        texts("dropped_columns", "Columns that the contract does not name and that were not landed"),
        text("code_version", "Version of the code that landed it"),
        id_("origin", "Name of the source: files, or a connector of sources.toml"),
        flag("accumulates", "A register of which all loads of this source count", required=True),
        texts("untold", "Columns of the contract that its source cannot tell"),
        texts(
            "withdrawn",
            "Days that earlier loads of the file claimed and this one does not: first day/day after the last",
        ),
        texts("hidden", "Services of which its source showed nothing; of all others it is whole"),
    ),
    ("stream", "load_id"),
)


def load_rows(loads: Iterable[Load]) -> Iterator[Row]:
    """Return loads as rows of ``meta.loads``."""
    for load in loads:
        yield {
            "load_id": load.load_id,
            "stream": load.stream,
            "window_start": load.window_start,
            "window_end": load.window_end,
            "loaded_at": load.loaded_at,
            "sequence": load.sequence,
            "is_complete": load.is_complete,
            "rows": load.rows,
            "quarantined": load.quarantined,
            "source": load.source,
            "source_digest": load.source_digest,
            "dropped_columns": list(load.dropped_columns),
            "code_version": load.code_version,
            "origin": load.origin,
            "accumulates": load.accumulates,
            "untold": list(load.untold),
            "withdrawn": [f"{start}/{end}" for start, end in load.withdrawn],
            "hidden": list(load.hidden),
        }


QUARANTINE = Table(
    "meta.quarantine",
    "Rows that break their stream's contract, with the reason: nothing is lost, nothing is guessed",
    (
        _STREAM,
        id_("load_id", "Load they came with"),
        text("source", "File or address"),
        count("line", "Line of the file (Parquet: row)"),
        id_("reason", "What is wrong"),
        text("raw", "The contract's columns as they came, JSON; null where the line could not be split"),
    ),
    # One line may be set aside more than once, and some have no number.
    (),
)
DAY_ROWS = Table(
    "meta.day_rows",
    "Rows that each load brought for each local day, also replaced ones; a day without rows has none",
    (
        _STREAM,
        id_("load_id", "Load they came with"),
        day("day", "Local day; null for rows of a register"),
        count("rows", "Rows that keep the contract", required=True),
    ),
    ("stream", "load_id", "day"),
)
UNPROVEN_DAYS = Table(
    "meta.unproven_days",
    "Days of a load's window that the load does not prove",
    (
        _STREAM,
        id_("load_id", "Load"),
        day("day", "Local day", required=True),
        text(
            "state",
            "partial: rows of the day were set aside; silent: the load says nothing of the day, and earlier ones stand",
            required=True,
            one_of=(PARTIAL, SILENT),
        ),
    ),
    ("stream", "load_id", "day"),
)


def unproven_rows(loads: Iterable[Load]) -> Iterator[Row]:
    """Return the days that loads do not prove as rows of ``meta.unproven_days``."""
    for load in loads:
        for start, end, state in load.unproven:
            for number in range((end - start).days):
                at_day = start + timedelta(days=number)
                yield {"stream": load.stream, "load_id": load.load_id, "day": at_day, "state": state}


DAMAGED_LOADS = Table(
    "meta.damaged_loads",
    "Loads whose file was found damaged: set aside, and asked for again where the source still remembers",
    (
        _STREAM,
        id_("load_id", "Load"),
        text("origin", "Name of the source; null = a pack of loads of several"),
        day("window_start", "First local day"),
        day("window_end", "Day after the last"),
    ),
    # A load that was damaged twice stands here twice.
    (),
)


def damaged_rows(landing: Path, streams: list[str]) -> Iterator[Row]:
    """Return what was set aside as rows of ``meta.damaged_loads``."""
    for stream in streams:
        for path in damaged_paths(landing, stream):
            if place_of(path).exists():
                # It is back, from the backup: what lies here is what it looked like.
                continue
            if is_pack(path):
                load_id, origin, window = path.stem, None, Pack.parse(path).window
            else:
                name = LoadName.parse(path)
                load_id, origin, window = name.load_id, name.origin, name.window
            start, end = window
            yield {
                "stream": stream,
                "load_id": load_id,
                "origin": origin,
                "window_start": start,
                "window_end": end,
            }


# Tables of this module; ``raw`` follows from the streams.
TABLES = (LOADS, QUARANTINE, DAY_ROWS, UNPROVEN_DAYS, DAMAGED_LOADS)


def raw_table(stream: Stream) -> Table:
    """Return the table of a stream's rows as they were landed."""
    columns = (replace(column, doc=column.doc_of_empty) for column in stream.columns)
    own = (
        day("_day", "Local day; null = its stream is not delivered by days"),
        count("_line", "Line of the source"),
        id_("_load_id", "Load, see meta.loads"),
    )
    return Table(f"raw.{stream.name}", f"{stream.doc}; every load, also replaced ones", (*columns, *own), ())
