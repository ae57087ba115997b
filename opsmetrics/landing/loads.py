"""What a load is: the facts it carries, its name, and what a source hands over before it is landed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from opsmetrics.core.errors import OpsMetricsError
from opsmetrics.streams import FILES

# Between a load's id and the checksum of its file; neither holds it.
SEPARATOR = "~"
FACTS_KEY = "opsmetrics.load"
# Folders of a stream beside its loads: packed months, and damaged files that were set aside.
PACKS, DAMAGED = "packs", "damaged"
# What a load is for a day of its window that it does not prove: rows of the day were set aside (of a register: of the
# whole), or it says nothing of the day, so that earlier loads stand.
PARTIAL, SILENT = "partial", "silent"
# A thousand years.
MOST_DAYS = 366_000
# Half-open days and what the load is for them.
Unproven = tuple[tuple[date, date, str], ...]


@dataclass(frozen=True, slots=True)
class Load:
    """The facts a load carries in its own Parquet metadata.

    Attributes:
        load_id: Unique and sortable within a stream: instant, sequence, window, digest of the input, source.
        stream: Name of the stream.
        window_start: First day, in the organisation's zone.
        window_end: Day after the last day (half-open).
        loaded_at: When it was landed, UTC.
        sequence: Number of the load within its stream; breaks ties of ``loaded_at``.
        is_complete: False for a partial answer, which never replaces a complete one.
        rows: Rows that keep the contract.
        quarantined: Rows set aside.
        source: File or address that it came from.
        source_digest: SHA-256 of what was read; equal digest and window = nothing new.
        dropped_columns: Columns of the source that the contract does not name.
        code_version: Version of the code that landed it.
        path: Where the file lies.
        origin: Name of the source; each source of a stream has winning loads of its own.
        accumulates: A register of which all loads of this source count.
        untold: Columns of the contract that its source cannot tell; an empty value of them says nothing at all.
        withdrawn: Half-open windows of days that earlier loads of the same file claimed and that it no longer covers.
        unproven: Days of the window that the load does not prove.
        hidden: Services of which its source showed nothing; of all others it is whole.
    """

    load_id: str
    stream: str
    window_start: date
    window_end: date
    loaded_at: datetime
    sequence: int
    is_complete: bool
    rows: int
    quarantined: int
    source: str
    source_digest: str
    dropped_columns: tuple[str, ...]
    code_version: str
    path: Path
    origin: str
    accumulates: bool
    untold: tuple[str, ...] = ()
    withdrawn: tuple[tuple[date, date], ...] = ()
    unproven: Unproven = ()
    hidden: tuple[str, ...] = ()

    def facts(self) -> dict[str, Any]:
        """Return what the load says of itself, ready for JSON."""
        texts = {"window_start", "window_end", "loaded_at"}
        named = {name: getattr(self, name) for name in self.__slots__ if name != "path"}
        facts = {name: value.isoformat() if name in texts else value for name, value in named.items()}
        return facts | {
            "withdrawn": [[day.isoformat() for day in window] for window in self.withdrawn],
            "unproven": [[start.isoformat(), end.isoformat(), state] for start, end, state in self.unproven],
        }

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any], path: Path) -> Load:
        """Read the facts of a load.

        Raises:
            KeyError: One is missing.
            ValueError: One has another form, or tells of more days than anybody keeps records of.
        """
        load = cls(
            load_id=facts["load_id"],
            stream=facts["stream"],
            window_start=date.fromisoformat(facts["window_start"]),
            window_end=date.fromisoformat(facts["window_end"]),
            loaded_at=datetime.fromisoformat(facts["loaded_at"]),
            sequence=facts["sequence"],
            is_complete=facts["is_complete"],
            rows=facts["rows"],
            quarantined=facts["quarantined"],
            source=facts["source"],
            source_digest=facts["source_digest"],
            dropped_columns=tuple(facts["dropped_columns"]),
            code_version=facts["code_version"],
            path=path,
            # Loads of the first version came from files only.
            origin=facts.get("origin", FILES),
            accumulates=facts.get("accumulates", False),
            # Loads of the first versions do not say.
            untold=tuple(facts.get("untold", ())),
            withdrawn=tuple(
                (date.fromisoformat(start), date.fromisoformat(end)) for start, end in facts.get("withdrawn", ())
            ),
            # Earlier loads proved each day of their window, or none.
            unproven=tuple(
                (date.fromisoformat(start), date.fromisoformat(end), state)
                for start, end, state in facts.get("unproven", ())
            ),
            # Earlier loads that lacked a service were parts for all.
            hidden=tuple(facts.get("hidden", ())),
        )
        for windows in (load.withdrawn, tuple((start, end) for start, end, _ in load.unproven)):
            # Each day is a row of its own later.
            if sum(max((end - start).days, 0) for start, end in windows) > MOST_DAYS:
                raise ValueError(f"it tells of more than {MOST_DAYS} days")
        return load


@dataclass(frozen=True, slots=True)
class LoadName:
    """What a load's file name alone tells, so that a pull decides what is new without opening old loads.

    Attributes:
        load_id: The load's id.
        sequence: Number of the load within its stream.
        window: First day and the day after the last.
        digest: First digits of the digest of what was read.
        origin: Name of the source.
        checksum: First digits of the SHA-256 of the file itself, or None in loads of the first version.
    """

    load_id: str
    sequence: int
    window: tuple[date, date]
    digest: str
    origin: str
    checksum: str | None

    @property
    def loaded_at(self) -> datetime:
        """When it was landed, UTC, to the second."""
        return datetime.strptime(self.load_id.partition("-")[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)

    @property
    def file(self) -> str:
        """Name of the file in which it lies until it is packed."""
        return f"{self.load_id}{SEPARATOR}{self.checksum}.parquet" if self.checksum else f"{self.load_id}.parquet"

    @classmethod
    def parse(cls, path: Path) -> LoadName:
        """Read the name of a load's file.

        Raises:
            OpsMetricsError: The file does not belong here.
        """
        load_id, _, checksum = path.stem.partition(SEPARATOR)
        try:
            return cls.of(load_id, checksum or None)
        except ValueError as error:
            raise OpsMetricsError(
                f"{path}: this is not the name of a load. Move the file out of the landing folder."
            ) from error

    @classmethod
    def of(cls, load_id: str, checksum: str | None = None) -> LoadName:
        """Read the id of a load.

        Raises:
            ValueError: The text is not an id.
        """
        # The name of a source may hold hyphens of its own; loads from files carry none.
        _, sequence, start, end, digest, *origin = load_id.split("-", 5)
        days = [datetime.strptime(part, "%Y%m%d").replace(tzinfo=UTC).date() for part in (start, end)]
        return cls(load_id, int(sequence), (days[0], days[1]), digest, origin[0] if origin else FILES, checksum)


def short_digest(source_digest: str) -> str:
    """Return the digits of an input's digest that stand in the load's name."""
    return hashlib.sha256(source_digest.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Batch:
    """What a source hands over for one window, before it is landed.

    Attributes:
        frame: Contract columns plus ``_day`` (date), ``_line`` (source line), ``_reason``, ``_raw``.
        window: First day and the day after the last.
        source: Where it came from, without secrets.
        source_digest: Digest of the input.
        is_complete: Whether the source answered in full.
        dropped_columns: Columns left out.
        origin: Name of the source.
        accumulates: A register of which all loads of this source count.
        untold: Columns of the contract that the source cannot tell.
        withdrawn: Half-open windows of days that earlier loads of the same file claimed and that it no longer covers.
        unproven: Days of the window that the batch does not prove.
        hidden: Services of which the source showed nothing.
        holes: Half-open windows of days that none of its files is about.
        notes: What newer files took back of older ones, for people.
    """

    frame: pl.DataFrame
    window: tuple[date, date]
    source: str
    source_digest: str
    is_complete: bool = True
    dropped_columns: tuple[str, ...] = ()
    origin: str = FILES
    accumulates: bool = False
    untold: tuple[str, ...] = ()
    withdrawn: tuple[tuple[date, date], ...] = ()
    unproven: Unproven = ()
    hidden: tuple[str, ...] = ()
    holes: tuple[tuple[date, date], ...] = ()
    notes: tuple[str, ...] = ()
