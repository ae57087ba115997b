"""Landing (architecture D1): immutable loads, written atomically, that describe themselves.

A load is one Parquet file. Good rows have a null ``_reason``; rows that break the contract lie in the same
file with the reason and their raw values, so that a load and its quarantine appear together or not at all.
Does not belong here: reading sources (``opsmetrics.sources``) and choosing the winning load (``warehouse``).
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock

from opsmetrics.errors import DamagedLoadError, OpsMetricsError
from opsmetrics.streams import FILES

FACTS_KEY = "opsmetrics.load"
CODE_VERSION = "0.1.0"
LEFTOVER_SECONDS = 3600
DAMAGED = "damaged"
_LOCK = ".lock"


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

    @classmethod
    def parse(cls, path: Path) -> LoadName:
        """Read the name of a load's file.

        Raises:
            OpsMetricsError: The file does not belong here.
        """
        try:
            load_id, _, checksum = path.stem.partition("~")
            # The name of a source may hold hyphens of its own; loads from files carry none.
            _, sequence, start, end, digest, *origin = load_id.split("-", 5)
            days = [datetime.strptime(part, "%Y%m%d").replace(tzinfo=UTC).date() for part in (start, end)]
            source = origin[0] if origin else FILES
            return cls(load_id, int(sequence), (days[0], days[1]), digest, source, checksum or None)
        except ValueError as error:
            raise OpsMetricsError(
                f"{path}: this is not the name of a load. Move the file out of the landing folder."
            ) from error


def short_digest(source_digest: str) -> str:
    """Return the digits of an input's digest that stand in the load's name."""
    return hashlib.sha256(source_digest.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Parcel:
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
    """

    frame: pl.DataFrame
    window: tuple[date, date]
    source: str
    source_digest: str
    is_complete: bool = True
    dropped_columns: tuple[str, ...] = ()
    origin: str = FILES
    accumulates: bool = False


def land(root: Path, stream: str, parcel: Parcel, *, loaded_at: datetime) -> Load:
    """Write one load: temporary name, fsync, rename, fsync of the folder.

    A process killed at any moment leaves either no load or a whole one. Two processes that land the same stream take
    turns, so that every load has a number of its own.
    """
    folder = root / stream
    folder.mkdir(parents=True, exist_ok=True)
    # The kernel lets go of the lock when its process dies.
    with FileLock(folder / _LOCK):
        _sweep(folder)
        return _write(folder, stream, parcel, loaded_at)


def _write(folder: Path, stream: str, parcel: Parcel, loaded_at: datetime) -> Load:
    # A damaged load keeps its number: notes of pulls name loads by it.
    taken = (*_files(folder), *_files(folder / DAMAGED))
    sequence = 1 + max((LoadName.parse(path).sequence for path in taken), default=0)
    instant = loaded_at.astimezone(UTC)
    window = "-".join(f"{day:%Y%m%d}" for day in parcel.window)
    load_id = f"{instant:%Y%m%dT%H%M%SZ}-{sequence:06d}-{window}-{short_digest(parcel.source_digest)}"
    if parcel.origin != FILES:
        load_id += f"-{parcel.origin}"
    quarantined = parcel.frame["_reason"].is_not_null().sum()
    facts = {
        "load_id": load_id,
        "stream": stream,
        "window_start": parcel.window[0].isoformat(),
        "window_end": parcel.window[1].isoformat(),
        "loaded_at": instant.isoformat(),
        "sequence": sequence,
        "is_complete": parcel.is_complete,
        "rows": parcel.frame.height - quarantined,
        "quarantined": quarantined,
        "source": parcel.source,
        "source_digest": parcel.source_digest,
        "dropped_columns": list(parcel.dropped_columns),
        "code_version": CODE_VERSION,
        "origin": parcel.origin,
        "accumulates": parcel.accumulates,
    }
    temporary = folder / f".{load_id}.{secrets.token_hex(4)}.tmp"
    table = parcel.frame.to_arrow().replace_schema_metadata({FACTS_KEY: json.dumps(facts)})
    try:
        with temporary.open("wb") as sink:
            pq.write_table(table, sink, compression="zstd")
            sink.flush()
            os.fsync(sink.fileno())
        # The file's own checksum stands in its name: damage to any byte, also of the footer, is found.
        path = folder / f"{load_id}~{_checksum(temporary)}.parquet"
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(folder)
    return read_load(path)


def _checksum(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()[:16]


def _sweep(folder: Path) -> None:
    """Remove what processes killed more than an hour ago left half-written; younger files may be somebody's work."""
    for leftover in folder.glob(".*.tmp"):
        with suppress(FileNotFoundError):
            if time.time() - leftover.stat().st_mtime > LEFTOVER_SECONDS:
                leftover.unlink()


def sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_load(path: Path) -> Load:
    """Read a load's facts from its Parquet metadata.

    Raises:
        DamagedLoadError: The file is no load, or is damaged.
    """
    try:
        metadata = pq.read_schema(path).metadata or {}
        facts = json.loads(metadata[FACTS_KEY.encode()])
    except (OSError, ValueError, KeyError) as error:
        raise DamagedLoadError(path, str(error)) from error
    return Load(
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
    )


def verify_load(path: Path) -> Load:
    """Read a load and check every byte of its file against the checksum in its name.

    Raises:
        DamagedLoadError: The file is not what was landed.
    """
    checksum = LoadName.parse(path).checksum
    try:
        if checksum is not None and _checksum(path) != checksum:
            raise DamagedLoadError(path, "its checksum is another than when it was landed")
        load = read_load(path)
        rows = load.rows + load.quarantined
        if checksum is None and pq.read_table(path).num_rows != rows:
            raise DamagedLoadError(path, f"it does not hold the {rows} rows that were landed")
    except (OSError, pa.ArrowException) as error:
        raise DamagedLoadError(path, str(error)) from error
    return load


def set_aside(path: Path) -> Path:
    """Move a damaged load into ``damaged/`` beside it: kept for whoever wants to save it, no longer counted.

    The next pull asks for its days again, as far as the source still remembers them.
    """
    folder = path.parent / DAMAGED
    folder.mkdir(exist_ok=True)
    target = folder / path.name
    path.replace(target)
    sync_folder(path.parent)
    return target


def damaged_paths(root: Path, stream: str) -> list[Path]:
    """Return the paths of a stream's loads that were set aside."""
    return sorted(_files(root / stream / DAMAGED))


def load_paths(root: Path, stream: str) -> list[Path]:
    """Return the paths of a stream's loads in landing order, without opening them."""
    return sorted(_files(root / stream), key=lambda path: LoadName.parse(path).sequence)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.glob("*.parquet") if not path.name.startswith("."))
