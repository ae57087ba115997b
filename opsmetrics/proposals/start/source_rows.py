"""Rows of a source before anything of it is landed: what it names is needed to propose who owns it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl

from opsmetrics.organisation import Organisation, load_organisation
from opsmetrics.organisation.file_sources import StreamSource
from opsmetrics.proposals.start.plain_files import PlainSource
from opsmetrics.sources import files
from opsmetrics.streams import STREAMS


def rows_of_files(
    folder: Path, source: PlainSource, root: Path, zone: str, today: date
) -> tuple[pl.DataFrame, str | None]:
    """Return all rows of files in the form of a stream, and the zone that their times need, or None.

    Args:
        folder: Folder of a configuration.
        source: The files.
        root: Folder that their path begins in.
        zone: Zone to try where times have no offset.
        today: Local day.

    Raises:
        SourceError: A file cannot be read.
    """
    organisation = load_organisation(folder)
    plain = rows_of(organisation, StreamSource(name=source.stream, path=source.path), root, today)
    aside = plain.filter(pl.col("_reason").is_not_null())
    if aside.is_empty() or not aside["_reason"].str.contains("naive_time").any():
        return plain, None
    zoned = StreamSource(name=source.stream, path=source.path, naive_time=zone)
    return rows_of(organisation, zoned, root, today), zone


def rows_of(organisation: Organisation, source: StreamSource, root: Path, today: date) -> pl.DataFrame:
    """Return all rows of a source, those that would be set aside with their reason.

    Raises:
        SourceError: A file or a query cannot be read.
    """
    reading = files.Reading(organisation, source, STREAMS[source.name], root, today)
    frames = [
        files.read_rows(reading, export.path).frame
        for path, day in files.planned(reading, None)
        for export in files.exports_of(reading, path, day)
    ]
    return pl.concat(frames, how="vertical") if frames else pl.DataFrame({"_reason": [], "_day": []})
