"""List loads by name, read what they say of themselves, and tell damaged files from whole ones."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path

import polars as pl

from opsmetrics.core.atomic import make_folder, sync_folder
from opsmetrics.core.errors import DamagedLoadError, OpsMetricsError
from opsmetrics.landing.listing import listed_again, parquet_files, told_apart
from opsmetrics.landing.loads import DAMAGED, FACTS_KEY, PACKS, SEPARATOR, Load, LoadName
from opsmetrics.landing.unpacking import MOST_IN_A_PACK, check_footer
from opsmetrics.landing.writing import checksum_of

PACK_KEY = "opsmetrics.pack"


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
            UnreadableError: The system does not let us read it.
        """
        return _loads_of(self.path)


@lru_cache(maxsize=4096)
def _loads_of(path: Path) -> tuple[Load, ...]:
    """A pack is never written again, so that it need not be opened again."""
    import pyarrow.parquet as pq

    with told_apart(path), path.open("rb") as content:
        metadata = pq.read_schema(content).metadata or {}
        return tuple(Load.from_facts(facts, path) for facts in json.loads(metadata[PACK_KEY.encode()]))


def load_paths(root: Path, stream: str) -> list[Path]:
    """Return the paths of a stream's loads that are files of their own, in landing order, without opening them."""
    return sorted(parquet_files(root / stream), key=lambda path: LoadName.parse(path).sequence)


def packs(root: Path, stream: str) -> list[Pack]:
    """Return a stream's packs, oldest first."""
    return sorted((Pack.parse(path) for path in parquet_files(root / stream / PACKS)), key=lambda pack: pack.first)


def landed_files(root: Path, stream: str) -> list[Path]:
    """Return every load and pack of a stream, without those that were set aside.

    A compaction under way removes files after their pack is there, so that files are listed before packs.
    """
    files = load_paths(root, stream)
    return [*files, *(pack.path for pack in packs(root, stream))]


def streams_of(root: Path) -> list[str]:
    """Return the streams that have a folder in landing."""
    try:
        return sorted(path.name for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    except FileNotFoundError:
        return []


def readable_loads(pack: Pack) -> tuple[Load, ...]:
    """Return the loads of a pack, or none where it is damaged: the next ingest sets it aside."""
    try:
        return pack.loads()
    except DamagedLoadError:
        return ()


def names(root: Path, stream: str) -> list[LoadName]:
    """Return the names of all loads of a stream, packed or not, in landing order, without opening a load."""

    def read() -> dict[str, LoadName]:
        found = {name.load_id: name for name in map(LoadName.parse, parquet_files(root / stream))}
        for pack in packs(root, stream):
            found = {load.load_id: LoadName.of(load.load_id) for load in readable_loads(pack)} | found
        return found

    return sorted(listed_again(read).values(), key=lambda name: name.sequence)


def read_loads(root: Path, stream: str, origin: str) -> Iterator[Load]:
    """Yield what the loads of one source say of themselves, in landing order; damaged ones are left out."""

    def read() -> dict[str, Load]:
        paths = [path for path in load_paths(root, stream) if LoadName.parse(path).origin == origin]
        found: dict[str, Load] = {}
        for pack in packs(root, stream):
            found |= {load.load_id: load for load in readable_loads(pack) if load.origin == origin}
        for path in paths:
            # The build names a damaged file; pulling its days again is the repair.
            with suppress(DamagedLoadError):
                load = read_load(path)
                found[load.load_id] = load
        return found

    yield from sorted(listed_again(read).values(), key=lambda load: load.sequence)


def read_numbered(root: Path, stream: str, sequence: int) -> Load | None:
    """Return the load with this number, opening no other file than its own, or None."""

    def read() -> Load | None:
        for path in load_paths(root, stream):
            if LoadName.parse(path).sequence == sequence:
                return read_load(path)
        for pack in packs(root, stream):
            if pack.first <= sequence <= pack.last:
                return next((load for load in pack.loads() if load.sequence == sequence), None)
        return None

    return listed_again(read)


def read_named(root: Path, stream: str, name: LoadName) -> Load | None:
    """Return the load with this name, or None; the folder is listed only where it is packed."""
    path = root / stream / name.file

    def read() -> Load | None:
        return read_load(path) if path.exists() else read_numbered(root, stream, name.sequence)

    return listed_again(read)


def read_load(path: Path) -> Load:
    """Read a load's facts from its Parquet metadata.

    Raises:
        DamagedLoadError: The file is not a load, or is damaged.
        UnreadableError: The system does not let us read it.
    """
    import pyarrow.parquet as pq

    with told_apart(path), path.open("rb") as content:
        metadata = pq.read_schema(content).metadata or {}
        return Load.from_facts(json.loads(metadata[FACTS_KEY.encode()]), path)


def read_columns(load: Load, columns: Iterable[str]) -> pl.DataFrame:
    """Return some columns of a load's rows, from a file of its own or from a pack; a column that it lacks is null.

    Raises:
        DamagedLoadError: The file is damaged.
        UnreadableError: The system does not let us read it.
    """
    wanted = list(columns)
    with told_apart(load.path):
        frame = pl.scan_parquet(load.path, glob=False)
        there = frame.collect_schema()
        if is_pack(load.path):
            frame = frame.filter(pl.col("_load_id") == load.load_id)
        missing = [pl.lit(None).alias(name) for name in wanted if name not in there]
        return frame.with_columns(missing).select(wanted).collect()


def verify_load(path: Path, *, from_disk: bool = False) -> Load:
    """Read a load and check every byte of its file against the checksum in its name.

    Args:
        path: The file.
        from_disk: Read the disk rather than what the system remembers of it.

    Raises:
        DamagedLoadError: The file is not what was landed.
        VanishedError: It is gone.
        UnreadableError: The system does not let us read it.
    """
    import pyarrow.parquet as pq

    checksum = LoadName.parse(path).checksum
    if checksum is not None:
        _same(path, checksum, from_disk=from_disk)
    load = read_load(path)
    _its_own_name(load, path)
    rows = load.rows + load.quarantined
    check_footer(path, rows)
    if checksum is None:
        with told_apart(path), pq.ParquetFile(path) as content:
            for _ in content.iter_batches():
                # Of the first version: only reading it tells whether it is whole.
                pass
    return load


def _its_own_name(load: Load, path: Path) -> None:
    """Refuse a copy of a load under another number, window, source or stream: its rows would count twice."""
    stream = _stream_folder(path).name
    if (load.load_id, load.stream) != (LoadName.parse(path).load_id, stream):
        reason = (
            f"it is load {load.load_id} of {load.stream} under another name; where that one is missing, rename it back"
        )
        raise DamagedLoadError(path, reason)


def verify_pack(pack: Pack, *, from_disk: bool = False) -> tuple[Load, ...]:
    """Check every byte of a pack against the checksum in its name, and return its loads.

    Raises:
        DamagedLoadError: The file is not what was written.
        VanishedError: It is gone.
        UnreadableError: The system does not let us read it.
    """
    _same(pack.path, pack.checksum, from_disk=from_disk)
    loads = pack.loads()
    check_footer(pack.path, sum(load.rows + load.quarantined for load in loads), MOST_IN_A_PACK)
    return loads


def verify_file(path: Path, *, from_disk: bool = False) -> None:
    """Check every byte of a load or a pack; see :func:`verify_load` and :func:`verify_pack`."""
    if is_pack(path):
        verify_pack(Pack.parse(path), from_disk=from_disk)
    else:
        verify_load(path, from_disk=from_disk)


def _same(path: Path, checksum: str, *, from_disk: bool) -> None:
    if checksum_of(path, from_disk=from_disk) != checksum:
        raise DamagedLoadError(path, "its checksum is another than when it was landed")


def quarantine(path: Path) -> Path:
    """Move a damaged load or pack into the stream's ``damaged/``: kept for whoever wants to save it, no longer counted.

    The next pull asks for its days again, as far as the source still remembers them.
    """
    target = _stream_folder(path) / DAMAGED / path.name
    make_folder(target.parent)
    path.replace(target)
    for folder in (target.parent, path.parent):
        sync_folder(folder)
    return target


def place_of(path: Path) -> Path:
    """Return where a load or a pack belongs that was set aside."""
    return _stream_folder(path) / (PACKS if is_pack(path) else "") / path.name


def _stream_folder(path: Path) -> Path:
    return path.parent.parent if path.parent.name in {PACKS, DAMAGED} else path.parent


def damaged_paths(root: Path, stream: str) -> list[Path]:
    """Return the paths of a stream's loads and packs that were set aside."""
    return sorted(parquet_files(root / stream / DAMAGED))


def is_pack(path: Path) -> bool:
    """Whether a file's name is that of a pack."""
    return path.name.startswith("pack-")
