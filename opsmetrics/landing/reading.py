"""List loads by name, read what they say of themselves, and tell damaged files from whole ones."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path

import polars as pl

from opsmetrics.core.atomic import sync_folder
from opsmetrics.core.errors import DamagedLoadError, OpsMetricsError
from opsmetrics.landing.loads import FACTS_KEY, SEPARATOR, Load, LoadName
from opsmetrics.landing.writing import checksum_of

PACK_KEY = "opsmetrics.pack"
DAMAGED = "damaged"
PACKS = "packs"


@dataclass(frozen=True, slots=True)
class Pack:
    """The name of a file that holds many loads.

    Attributes:
        first: Lowest number of a load in it.
        last: Highest number.
        window: First day and the day after the last, of all its loads.
        checksum: First digits of the SHA-256 of the file.
        path: Where it lies.
    """

    first: int
    last: int
    window: tuple[date, date]
    checksum: str
    path: Path

    @classmethod
    def parse(cls, path: Path) -> Pack:
        """Read the name of a pack's file.

        Raises:
            OpsMetricsError: The file does not belong here.
        """
        try:
            pack_id, _, checksum = path.stem.partition(SEPARATOR)
            _, first, last, start, end = pack_id.split("-")
            days = [datetime.strptime(part, "%Y%m%d").replace(tzinfo=UTC).date() for part in (start, end)]
            return cls(int(first), int(last), (days[0], days[1]), checksum, path)
        except ValueError as error:
            raise OpsMetricsError(
                f"{path}: this is not the name of a pack. Move the file out of the folder."
            ) from error

    def loads(self) -> tuple[Load, ...]:
        """Return the loads in it, in landing order.

        Raises:
            DamagedLoadError: The file is not a pack, or is damaged.
        """
        return _loads_of(self.path)


@lru_cache(maxsize=4096)
def _loads_of(path: Path) -> tuple[Load, ...]:
    """A pack is never written again, so that it need not be opened again."""
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_schema(path).metadata or {}
        return tuple(Load.from_facts(facts, path) for facts in json.loads(metadata[PACK_KEY.encode()]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedLoadError(path, str(error)) from error


def load_paths(root: Path, stream: str) -> list[Path]:
    """Return the paths of a stream's loads that are files of their own, in landing order, without opening them."""
    return sorted(_files(root / stream), key=lambda path: LoadName.parse(path).sequence)


def packs(root: Path, stream: str) -> list[Pack]:
    """Return a stream's packs, oldest first."""
    return sorted((Pack.parse(path) for path in _files(root / stream / PACKS)), key=lambda pack: pack.first)


def readable_loads(pack: Pack) -> tuple[Load, ...]:
    """Return the loads of a pack, or none where it is damaged: the next ingest sets it aside."""
    try:
        return pack.loads()
    except DamagedLoadError:
        return ()


def names(root: Path, stream: str) -> list[LoadName]:
    """Return the names of all loads of a stream, packed or not, in landing order, without opening a load."""
    found = {name.load_id: name for name in map(LoadName.parse, _files(root / stream))}
    for pack in packs(root, stream):
        found = {load.load_id: LoadName.of(load.load_id) for load in readable_loads(pack)} | found
    return sorted(found.values(), key=lambda name: name.sequence)


def read_loads(root: Path, stream: str, origin: str) -> Iterator[Load]:
    """Yield what the loads of one source say of themselves, in landing order; damaged ones are left out."""
    found: dict[str, Load] = {}
    for pack in packs(root, stream):
        found |= {load.load_id: load for load in readable_loads(pack) if load.origin == origin}
    for path in load_paths(root, stream):
        if LoadName.parse(path).origin != origin:
            continue
        try:
            load = read_load(path)
        except DamagedLoadError:
            # The build names the damaged file; pulling its days again is the mend.
            continue
        found[load.load_id] = load
    yield from sorted(found.values(), key=lambda load: load.sequence)


def read_numbered(root: Path, stream: str, sequence: int) -> Load | None:
    """Return the load with this number, opening no other file than its own, or None."""
    for path in load_paths(root, stream):
        if LoadName.parse(path).sequence == sequence:
            return read_load(path)
    for pack in packs(root, stream):
        if pack.first <= sequence <= pack.last:
            return next((load for load in pack.loads() if load.sequence == sequence), None)
    return None


def read_load(path: Path) -> Load:
    """Read a load's facts from its Parquet metadata.

    Raises:
        DamagedLoadError: The file is not a load, or is damaged.
    """
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_schema(path).metadata or {}
        return Load.from_facts(json.loads(metadata[FACTS_KEY.encode()]), path)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedLoadError(path, str(error)) from error


def read_columns(load: Load, columns: Iterable[str]) -> pl.DataFrame:
    """Return some columns of a load's rows, from a file of its own or from a pack; a column that it lacks is null.

    Raises:
        DamagedLoadError: The file cannot be read.
    """
    wanted = list(columns)
    try:
        frame = pl.scan_parquet(load.path)
        there = frame.collect_schema()
        if is_pack(load.path):
            frame = frame.filter(pl.col("_load_id") == load.load_id)
        missing = [pl.lit(None).alias(name) for name in wanted if name not in there]
        return frame.with_columns(missing).select(wanted).collect()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DamagedLoadError(load.path, str(error)) from error


def verify_load(path: Path) -> Load:
    """Read a load and check every byte of its file against the checksum in its name.

    Raises:
        DamagedLoadError: The file is not what was landed.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    checksum = LoadName.parse(path).checksum
    try:
        if checksum is not None:
            _same(path, checksum)
        load = read_load(path)
        _its_own_name(load, path)
        rows = load.rows + load.quarantined
        if checksum is None and pq.read_table(path).num_rows != rows:
            raise DamagedLoadError(path, f"it does not hold the {rows} rows that were landed")
    except (OSError, pa.ArrowException) as error:
        raise DamagedLoadError(path, str(error)) from error
    return load


def _its_own_name(load: Load, path: Path) -> None:
    """Refuse a copy of a load under another number, window, source or stream: its rows would count twice."""
    stream = path.parent.parent.name if path.parent.name == DAMAGED else path.parent.name
    if (load.load_id, load.stream) != (LoadName.parse(path).load_id, stream):
        reason = (
            f"it is load {load.load_id} of {load.stream} under another name; where that one is missing, rename it back"
        )
        raise DamagedLoadError(path, reason)


def verify_pack(pack: Pack) -> tuple[Load, ...]:
    """Check every byte of a pack against the checksum in its name, and return its loads.

    Raises:
        DamagedLoadError: The file is not what was written.
    """
    try:
        _same(pack.path, pack.checksum)
    except OSError as error:
        raise DamagedLoadError(pack.path, str(error)) from error
    return pack.loads()


def _same(path: Path, checksum: str) -> None:
    if checksum_of(path) != checksum:
        raise DamagedLoadError(path, "its checksum is another than when it was landed")


def quarantine(path: Path) -> Path:
    """Move a damaged load or pack into the stream's ``damaged/``: kept for whoever wants to save it, no longer counted.

    The next pull asks for its days again, as far as the source still remembers them.
    """
    stream = path.parent.parent if path.parent.name == PACKS else path.parent
    folder = stream / DAMAGED
    folder.mkdir(exist_ok=True)
    target = folder / path.name
    path.replace(target)
    sync_folder(path.parent)
    return target


def damaged_paths(root: Path, stream: str) -> list[Path]:
    """Return the paths of a stream's loads and packs that were set aside."""
    return sorted(_files(root / stream / DAMAGED))


def is_pack(path: Path) -> bool:
    """Whether a file's name is that of a pack."""
    return path.name.startswith("pack-")


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.glob("*.parquet") if not path.name.startswith("."))
