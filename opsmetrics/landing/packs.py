"""Compaction: the loads of a month that is over become one file, and every as-known answer stays what it was.

Hourly pulls make thousands of small files a year, and listing them is what a pull costs. A pack holds the same rows and
the same facts of each load, so that the working file sees no difference. What may be forgotten is a choice of its own:
loads that later ones have replaced, after as many days as the organisation wants to answer "what was known then".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeVar

import polars as pl

from opsmetrics.core.atomic import make_folder, remove_durably, sweep_drafts, sync_folder
from opsmetrics.core.errors import DamagedLoadError
from opsmetrics.landing.listing import told_apart
from opsmetrics.landing.loads import PACKS, Load, LoadName
from opsmetrics.landing.reading import (
    PACK_KEY,
    Pack,
    is_pack,
    load_paths,
    names,
    packs,
    streams_of,
    verify_load,
    verify_pack,
)
from opsmetrics.landing.unpacking import MOST_IN_A_PACK, overfull
from opsmetrics.landing.writing import COMPRESSION, stream_lock, write_whole

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

# Loads of a month are packed when it has been over for a week: late corrections have come by then.
SETTLED = timedelta(days=7)
# So much of a rest is believed at once, and the whole of it when loads have come for as long after it.
LONGEST_REST = timedelta(days=7)
FEWEST = 2
_ID = "_load_id"
T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True, slots=True)
class Compacted:
    """What a compaction did.

    Attributes:
        packed: Loads that lie in a pack now.
        forgotten: Loads that were replaced long ago and are gone.
        packs: Packs written.
        damaged: Files whose checksum is wrong; they are left as they are.
    """

    packed: int = 0
    forgotten: int = 0
    packs: int = 0
    damaged: tuple[Path, ...] = ()


def compact(
    root: Path,
    stream: str,
    now: datetime,
    keep_replaced: timedelta | None = None,
    landed_at: Collection[datetime] | None = None,
) -> Compacted:
    """Pack the loads of each month that has been over for a week.

    A process killed at any moment leaves the files, or the pack and some of the files: then both say the same, and the
    next compaction removes the files. Nothing is removed before its pack was read back from the disk.

    Args:
        root: The landing folder.
        stream: Stream.
        now: Decides which months are over.
        keep_replaced: How long loads that later ones have replaced are kept; None = permanently.
        landed_at: What :func:`landing_instants` gave, for whoever compacts many streams; default: it is asked.

    Raises:
        UnreadableError: The system does not let us read a file; nothing was removed that it may hold.
        DamagedLoadError: The disk does not hold the pack that was written to it; nothing was removed for it.
    """
    folder = root / stream
    if not folder.exists():
        return Compacted()
    with stream_lock(folder):
        sweep_drafts(folder)
        sweep_drafts(folder / PACKS)
        damaged: list[Path] = []
        files = [load for path in load_paths(root, stream) for load in _whole(verify_load, path, damaged)]
        found = ((pack, _whole(verify_pack, pack, damaged)) for pack in packs(root, stream))
        packed = {pack: loads[0] for pack, loads in found if loads}
        files, packed = _bounded(files, packed, damaged)
        files = _finish(files, packed)
        damaged = _needless(damaged, packed)
        forgotten, before = set[str](), None
        if keep_replaced is not None:
            landed_at = landing_instants(root) if landed_at is None else landed_at
            before = _forgettable_before(landed_at, now, keep_replaced)
            every = [*files, *(load for loads in packed.values() for load in loads)]
            forgotten = _replaced_before(every, before)
        done = Compacted(damaged=tuple(damaged))
        due = [load for load in files if _month_is_over(load, now)]
        for _, month in groupby(due, key=lambda load: f"{load.loaded_at:%Y-%m}"):
            done = _pack_month(folder, list(month), forgotten, done)
        for pack, loads in packed.items():
            # A pack is written anew once, when all of it is old enough.
            if before is not None and max(load.loaded_at for load in loads) < before:
                done = _thin(folder, pack, loads, forgotten, done)
        return done


def _bounded(
    files: list[Load], packed: dict[Pack, tuple[Load, ...]], damaged: list[Path]
) -> tuple[list[Load], dict[Pack, tuple[Load, ...]]]:
    """Leave out, and note, what takes more memory to read than a load may."""
    paths, packs_paths = [load.path for load in files], [pack.path for pack in packed]
    wrong = {error.path for error in (*overfull(paths), *overfull(packs_paths, MOST_IN_A_PACK))}
    damaged += sorted(wrong)
    return (
        [load for load in files if load.path not in wrong],
        {pack: loads for pack, loads in packed.items() if pack.path not in wrong},
    )


def landing_instants(root: Path) -> frozenset[datetime]:
    """Return when loads of any stream were landed, UTC."""
    return frozenset(name.loaded_at for stream in streams_of(root) for name in names(root, stream))


def _forgettable_before(landed_at: Collection[datetime], now: datetime, keep: timedelta) -> datetime:
    """Return the instant before which what was replaced has been kept for long enough.

    A clock alone proves no time: one that is a year ahead would have everything forgotten at once, for ever. Time
    counts where loads were landed in it. A rest may be one, or a clock that was set ahead: a week of it counts, until
    loads have been landed for a week after it.
    """
    at, left = now, keep
    instants = sorted((instant for instant in landed_at if instant <= now), reverse=True)
    for landed in instants:
        is_proven = instants[0] - at >= LONGEST_REST
        passed = at - landed if is_proven else min(at - landed, LONGEST_REST)
        if passed >= left:
            break
        at, left = landed, left - passed
    return at - left


def _finish(files: list[Load], packed: dict[Pack, tuple[Load, ...]]) -> list[Load]:
    """Remove files whose loads a pack holds already: a compaction was killed between the two.

    Each byte of the packs was read before, and the rows of each load are held against its file: a pack that is not
    whole takes nothing with it.

    Returns:
        The loads that remain files of their own.
    """
    twice = {load.load_id: load for loads in packed.values() for load in loads}
    done = [load for load in files if load.load_id in twice and _same_rows(load, twice[load.load_id])]
    _remove(done)
    gone = {load.load_id for load in done}
    return [load for load in files if load.load_id not in gone]


def _needless(damaged: list[Path], packed: dict[Pack, tuple[Load, ...]]) -> list[Path]:
    """Remove damaged files whose load a whole pack holds; return the other damaged files."""
    held = {load.load_id for loads in packed.values() for load in loads}
    gone = [path for path in damaged if not is_pack(path) and LoadName.parse(path).load_id in held]
    for path in gone:
        remove_durably(path)
    return [path for path in damaged if path not in gone]


def _whole(verify: Callable[[T], U], file: T, damaged: list[Path]) -> list[U]:
    """Return what a whole file says, in a list; note a damaged one."""
    try:
        return [verify(file)]
    except DamagedLoadError as error:
        damaged.append(error.path)
        return []


def _month_is_over(load: Load, now: datetime) -> bool:
    at = load.loaded_at
    following = datetime(at.year + at.month // 12, at.month % 12 + 1, 1, tzinfo=UTC)
    return following + SETTLED <= now


def _replaced_before(loads: list[Load], instant: datetime) -> set[str]:
    """Loads landed before an instant that, for each of their days, a later whole load of the same source replaces."""
    latest: dict[tuple[str, object], int] = {}
    for load in loads:
        if load.is_complete:
            for day in _proven_days(load):
                key = (load.origin, day)
                latest[key] = max(latest.get(key, 0), load.sequence)
    return {
        load.load_id
        for load in loads
        if load.loaded_at < instant
        and not load.accumulates
        and all(latest.get((load.origin, day), 0) > load.sequence for day in _days(load))
    }


def _days(load: Load) -> list[object]:
    """Return the days that a load has a word on: those it delivers, and those it takes back."""
    windows = ((load.window_start, load.window_end), *load.withdrawn)
    return [start + timedelta(days=n) for start, end in windows for n in range((end - start).days)]


def _proven_days(load: Load) -> list[object]:
    unproven = {start + timedelta(days=n) for start, end, _ in load.unproven for n in range((end - start).days)}
    return [day for day in _days(load) if day not in unproven]


def _pack_month(folder: Path, month: list[Load], forgotten: set[str], done: Compacted) -> Compacted:
    kept = [load for load in month if load.load_id not in forgotten]
    gone = [load for load in month if load.load_id in forgotten]
    packed = written = 0
    # Contracts grow: loads of another form go into a pack of their own.
    for _, alike in groupby(kept, key=_form):
        loads = list(alike)
        if len(loads) >= FEWEST:
            _proven(_write(folder, loads), loads)
            packed, written = packed + len(loads), written + 1
            _remove(loads)
    _remove(gone)
    return replace(done, packed=done.packed + packed, forgotten=done.forgotten + len(gone), packs=done.packs + written)


def _thin(folder: Path, pack: Pack, loads: tuple[Load, ...], forgotten: set[str], done: Compacted) -> Compacted:
    """Write a pack anew without the loads that are to be forgotten; killed in between, both packs say the same."""
    kept = [load for load in loads if load.load_id not in forgotten]
    if len(kept) == len(loads):
        return done
    if kept:
        _proven(_write(folder, kept), kept)
    remove_durably(pack.path)
    return replace(done, forgotten=done.forgotten + len(loads) - len(kept))


def _write(folder: Path, loads: list[Load]) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    start, end = min(load.window_start for load in loads), max(load.window_end for load in loads)
    name = f"pack-{loads[0].sequence:06d}-{loads[-1].sequence:06d}-{start:%Y%m%d}-{end:%Y%m%d}"
    plain = _form(loads[0])
    facts = json.dumps([load.facts() for load in loads])
    schema = plain.append(pa.field(_ID, pa.string())).with_metadata({PACK_KEY: facts})

    def write(sink: BinaryIO) -> None:
        # One load at a time in memory, and a row group of its own in the file.
        with pq.ParquetWriter(sink, schema, compression=COMPRESSION) as writer:
            for load in loads:
                writer.write_table(_rows(load).replace_schema_metadata(schema.metadata))

    make_folder(folder / PACKS)
    return write_whole(folder / PACKS, name, write)


def _proven(path: Path, loads: list[Load]) -> None:
    """Read a pack back from the disk and hold every row of every load in it against where it came from.

    Raises:
        DamagedLoadError: The disk does not hold what was written; the loads stay where they are.
    """
    there = {load.load_id: load for load in verify_pack(Pack.parse(path), from_disk=True)}
    for load in loads:
        if load.load_id not in there or not _same_rows(load, there[load.load_id]):
            raise DamagedLoadError(path, f"it does not hold the rows of load {load.load_id}; nothing was removed")


def _same_rows(load: Load, packed: Load) -> bool:
    """Whether a pack tells of a load what its own file, or an older pack, tells of it."""
    if load.facts() != packed.facts():
        return False
    # Polars takes NaN for equal to itself.
    one, other = (pl.from_arrow(_rows(x)) for x in (load, packed))
    return isinstance(one, pl.DataFrame) and isinstance(other, pl.DataFrame) and one.equals(other)


def _form(load: Load) -> pa.Schema:
    """Columns of a load's rows as they were landed."""
    import pyarrow.parquet as pq

    with told_apart(load.path), load.path.open("rb") as content:
        schema = pq.read_schema(content).remove_metadata()
    place = schema.get_field_index(_ID)
    return schema.remove(place) if place >= 0 else schema


def _rows(load: Load) -> pa.Table:
    """The rows of a load with its id, from a file of its own or from a pack."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    # Not by read_table: it imports pandas, which takes longer than the reading.
    with told_apart(load.path), load.path.open("rb") as content, pq.ParquetFile(content) as file:
        if is_pack(load.path):
            rows = file.read_row_groups(_groups(file, load))
            ids = pl.Series(_ID, rows.column(_ID).combine_chunks(), dtype=pl.String)
            return rows.filter((ids == load.load_id).to_arrow())
        rows = file.read()
    ids = pl.Series(_ID, [load.load_id], dtype=pl.String).new_from_index(0, rows.num_rows)
    return rows.append_column(_ID, ids.to_arrow().cast(pa.string()))


def _groups(file: pq.ParquetFile, load: Load) -> list[int]:
    """Return the row groups of a pack that hold rows of a load: each load has its own."""
    place = file.metadata.schema.names.index(_ID)
    said = [file.metadata.row_group(number).column(place).statistics for number in range(file.num_row_groups)]
    return [
        number
        for number, each in enumerate(said)
        if each is None or not each.has_min_max or each.min <= load.load_id <= each.max
    ]


def _remove(loads: Iterable[Load]) -> None:
    """Remove the files of loads; one sync makes it durable for all of a folder."""
    gone = [load.path for load in loads]
    for path in gone:
        path.unlink(missing_ok=True)
    for folder in {path.parent for path in gone}:
        sync_folder(folder)
