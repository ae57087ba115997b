"""Files that already have the columns of a stream: which, one file or one a day or month, and times without offset."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from opsmetrics.core.json_text import json_value
from opsmetrics.organisation.spreadsheets import DELIMITERS
from opsmetrics.proposals.start.draft import SourceDraft
from opsmetrics.proposals.start.toml import quoted
from opsmetrics.recipes import stream_of

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MONTH = re.compile(r"(?<!\d)(?<!\d-)\d{4}-\d{2}(?!\d|-\d)")
_HEAD_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class PlainSource:
    """Files of one stream in the form of its contract.

    Attributes:
        stream: Stream.
        path: Below the root; ``{date}`` stands for a day, ``{month}`` for a month.
    """

    stream: str
    path: str

    def draft(self, zone: str | None) -> SourceDraft:
        """Return what to write into ``sources.toml``."""
        lines = ["[[stream]]", f"name = {quoted(self.stream)}", f"path = {quoted(self.path)}"]
        if "{date}" in self.path:
            lines[-1] += "     # one file a day; a file with only a header is a quiet day"
        if "{month}" in self.path:
            lines[-1] += "     # one file a month, complete for it"
        if zone is not None:
            lines.append(f"naive_time = {quoted(zone)}     # verify: zone of times without offset")
        return SourceDraft(self.stream, "\n".join(lines), f"{self.path} is {self.stream}")


def columns_of(path: Path) -> list[str]:
    """Return the columns of a file by its head; none where it is no table that is read as it is."""
    suffix = path.suffix.lower()
    try:
        if suffix == ".parquet":
            return list(pl.read_parquet_schema(path))
        with path.open("rb") as content:
            # The line and not a piece of the file, whose end may split a letter.
            first = content.readline(_HEAD_BYTES).decode("utf-8-sig").rstrip("\r\n")
        if suffix in {".jsonl", ".ndjson"}:
            found = json_value(first)
            return list(found) if isinstance(found, dict) else []
        if suffix in {".csv", ".tsv"}:
            return next(csv.reader([first], delimiter=max(DELIMITERS, key=first.count)), [])
    except (OSError, ValueError, csv.Error, pl.exceptions.PolarsError):
        # Whatever it is, it is no file of a contract; others say what is wrong with it.
        pass
    return []


def plain_sources(files: Iterable[Path], root: Path) -> tuple[list[PlainSource], list[Path]]:
    """Return the sources that files are as they lie there, and the files that are something else.

    Args:
        files: Files.
        root: Folder that paths begin in.
    """
    named: list[tuple[str, str]] = []
    others: list[Path] = []
    for path in files:
        kept = stream_of({column.strip() for column in columns_of(path)})
        if kept is None:
            others.append(path)
            continue
        stream = kept.name
        name = path.resolve().relative_to(root.resolve()).as_posix()
        place = _DAY.sub("{date}", name, count=1) if len(_DAY.findall(Path(name).name)) == 1 else name
        named.append((stream, place))
    # A file alone may be of a month and be the only one: of several that is sure.
    months = Counter((stream, _by_month(place)) for stream, place in named)
    found = dict.fromkeys(
        (stream, by_month if months[stream, by_month := _by_month(place)] > 1 else place) for stream, place in named
    )
    return [PlainSource(stream, place) for stream, place in found], others


def _by_month(place: str) -> str:
    """Return a path with ``{month}`` where its file's name has exactly one."""
    folder, slash, name = place.rpartition("/")
    return place if len(_MONTH.findall(name)) != 1 else folder + slash + _MONTH.sub("{month}", name)
