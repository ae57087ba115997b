"""``opsmetrics source try``: what a pull would land of the files of a stream, and what it would not; nothing lands.

Belongs here: counts, places, and words that nobody understood. Does not belong here: what may be wrong with the
configuration as a whole (``opsmetrics.operations.checking``).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from opsmetrics.core.errors import OpsMetricsError
from opsmetrics.core.json_text import json_value
from opsmetrics.core.settings import Settings
from opsmetrics.organisation import Organisation, StreamSource
from opsmetrics.organisation.known import KnownNames
from opsmetrics.organisation.naming import fix_of
from opsmetrics.sources import files
from opsmetrics.sources.claims import Reason, reasons
from opsmetrics.streams import STREAMS, Stream
from opsmetrics.streams.names import named_columns

FIRST_ROWS = 5
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class StrangeName:
    """A name that leads to nothing of the configuration.

    Attributes:
        kind: What it names.
        name: As the source writes it.
        rows: How many rows carry it.
        near: The configured name that is most like it, or None.
        fix: What to write where, so that it leads to something.
    """

    kind: str
    name: str
    rows: int
    near: str | None
    fix: str


@dataclass(frozen=True, slots=True)
class Trial:
    """What a source would land.

    Attributes:
        stream: Stream.
        source: Name of the source.
        rows: Rows of its files, or of its query.
        kept: Rows that would land.
        days: First and last day of these, or None for a register or where there are none.
        first: The first of them, told columns only.
        aside: Why others would not, most rows first.
        strange_words: Column -> what stands in it and is none of the allowed values -> rows.
        strange_names: Names that lead to nothing.
        untold: Columns of the contract that the source cannot tell.
        dropped: Columns that the contract does not have; they do not land.
    """

    stream: str
    source: str
    rows: int
    kept: int
    days: tuple[date, date] | None
    first: pl.DataFrame
    aside: list[Reason]
    strange_words: dict[str, dict[str, int]]
    strange_names: list[StrangeName]
    untold: tuple[str, ...]
    dropped: tuple[str, ...]

    @property
    def is_clean(self) -> bool:
        """Whether every row would land under names that the configuration knows."""
        return not (self.aside or self.strange_names or self.dropped)


def sources_to_try(organisation: Organisation, stream: str, source: str | None) -> list[StreamSource]:
    """Return the files and queries of a stream.

    Raises:
        OpsMetricsError: There is none.
    """
    deliveries = organisation.deliveries_of(stream)
    found = [
        delivery.source
        for delivery in deliveries
        if isinstance(delivery.source, StreamSource) and source in {None, delivery.origin}
    ]
    if found:
        return found
    if any(source in {None, delivery.origin} for delivery in deliveries):
        raise OpsMetricsError(
            f"{stream} comes from a connector, which is asked by opsmetrics check --connect and opsmetrics pull"
        )
    if source is not None and deliveries:
        raise OpsMetricsError(
            f"{organisation.folder}: nothing delivers the source {source!r} of the stream {stream!r}"
            f"\n    fix: name one of {', '.join(sorted({delivery.origin for delivery in deliveries}))},"
            f" or write sources/{stream}.<name>.sql"
        )
    known = sorted({name for name in organisation.streams if name in STREAMS})
    write = f"write sources/{stream}.sql, or " if stream in STREAMS else ""
    raise OpsMetricsError(
        f"{organisation.folder}: nothing delivers the stream {stream!r}"
        f"\n    fix: {write}name one of {', '.join(known) or 'no streams yet'}"
    )


def try_source(settings: Settings, organisation: Organisation, source: StreamSource, today: date) -> Trial:
    """Read all files of a source as a pull would.

    Args:
        settings: Where files are.
        organisation: The configuration.
        source: The files, or the query.
        today: Local day.

    Raises:
        SourceError: A file cannot be read, or the query cannot be carried out.
    """
    stream = STREAMS[source.name]
    reading = files.Reading(organisation, source, stream, files.files_root(organisation, settings.data), today)
    judged = [files.read_rows(reading, path) for path, _ in files.planned(reading, None)]
    frame = pl.concat([each.frame for each in judged])
    kept = frame.filter(pl.col("_reason").is_null())
    untold = tuple(name for name in stream.names if any(name in each.untold for each in judged))
    days = kept["_day"].drop_nulls()
    return Trial(
        stream.name,
        source.origin,
        frame.height,
        kept.height,
        None if days.is_empty() else (days.min(), days.max()),  # type: ignore[arg-type]
        kept.select(name for name in stream.names if name not in untold).head(FIRST_ROWS),
        reasons(frame),
        _strange_words(stream, frame),
        _strange_names(KnownNames(organisation), stream, kept),
        untold,
        tuple(sorted({name for each in judged for name in each.dropped})),
    )


def _strange_words(stream: Stream, frame: pl.DataFrame) -> dict[str, dict[str, int]]:
    """Return what stands in columns of few allowed values and is none of them: what a query has yet to translate."""
    few = [column for column in stream.columns if column.one_of or column.type in {"boolean", "integer"}]
    found: dict[str, Counter[str]] = {}
    for reason, raw in frame.filter(pl.col("_reason").is_not_null()).select("_reason", "_raw").iter_rows():
        said: dict[str, Any] = _parsed(raw)
        for column in few:
            if f"{column.name}: " in reason and said.get(column.name) not in (None, ""):
                found.setdefault(column.name, Counter())[str(said[column.name])] += 1
    return {name: dict(counts.most_common(_SHOWN)) for name, counts in sorted(found.items())}


def _parsed(raw: str | None) -> dict[str, Any]:
    """Return a row as it came; a long one is cut off, and then says nothing here."""
    try:
        found = json_value(raw or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _strange_names(known: KnownNames, stream: Stream, kept: pl.DataFrame) -> list[StrangeName]:
    found: list[StrangeName] = []
    for column, kind in named_columns(stream):
        name = pl.col(column)
        if kind == "monitor":
            name = pl.concat_str([pl.col("provider").fill_null(""), pl.lit("/"), name])
        counts = kept.select(name.alias("name")).drop_nulls().group_by("name").len().sort(["len", "name"])
        for said, rows in counts.reverse().iter_rows():
            if not known.knows(kind, said):
                bare = said.partition("/")[2] if kind == "monitor" else said
                found.append(StrangeName(kind, said.lstrip("/"), rows, known.near(kind, bare), fix_of(kind, bare)))
    return found
