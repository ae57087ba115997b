"""Write a load so that a process killed at any moment leaves either none or a whole one."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock

from opsmetrics.core.atomic import digest_of, draft, make_folder, settle, sweep_drafts
from opsmetrics.core.errors import Problem, SourceError
from opsmetrics.core.version import CODE_VERSION
from opsmetrics.landing.listing import parquet_files
from opsmetrics.landing.loads import DAMAGED, FACTS_KEY, PACKS, SEPARATOR, Batch, Load, short_digest
from opsmetrics.landing.unpacking import check_frame
from opsmetrics.streams import FILES

COMPRESSION = "zstd"
BESIDE = (PACKS, DAMAGED)


def stream_lock(folder: Path) -> FileLock:
    """Return the lock of a stream's folder: whoever writes loads there holds it.

    The kernel lets go of it when its process dies.
    """
    return FileLock(folder / ".lock")


def land(root: Path, stream: str, batch: Batch, *, loaded_at: datetime) -> Load:
    """Write one load: temporary name, fsync, rename, fsync of the folder.

    Two processes that land the same stream take turns, so that every load has a number of its own.

    Raises:
        SourceError: It is more than a build brings in.
    """
    folder = root / stream
    make_folder(folder)
    with stream_lock(folder):
        sweep_drafts(folder)
        return _write(folder, stream, batch, loaded_at)


def _write(folder: Path, stream: str, batch: Batch, loaded_at: datetime) -> Load:
    too_much = check_frame(batch.frame)
    if too_much:
        raise SourceError(Problem(batch.source, None, too_much, "split it by day"))
    sequence = 1 + _last_number(folder)
    instant = loaded_at.astimezone(UTC)
    window = "-".join(f"{day:%Y%m%d}" for day in batch.window)
    load_id = f"{instant:%Y%m%dT%H%M%SZ}-{sequence:06d}-{window}-{short_digest(batch.source_digest)}"
    if batch.origin != FILES:
        load_id += f"-{batch.origin}"
    quarantined = batch.frame.height - batch.frame["_reason"].null_count()
    load = Load(
        load_id=load_id,
        stream=stream,
        window_start=batch.window[0],
        window_end=batch.window[1],
        loaded_at=instant,
        sequence=sequence,
        is_complete=batch.is_complete,
        rows=batch.frame.height - quarantined,
        quarantined=quarantined,
        source=batch.source,
        source_digest=batch.source_digest,
        dropped_columns=batch.dropped_columns,
        code_version=CODE_VERSION,
        path=folder,
        origin=batch.origin,
        accumulates=batch.accumulates,
        untold=batch.untold,
        withdrawn=batch.withdrawn,
        unproven=batch.unproven,
        hidden=batch.hidden,
    )
    import pyarrow.parquet as pq

    table = batch.frame.to_arrow().replace_schema_metadata({FACTS_KEY: json.dumps(load.facts())})
    path = write_whole(folder, load_id, lambda sink: pq.write_table(table, sink, compression=COMPRESSION))
    return Load.from_facts(load.facts(), path)


def _last_number(folder: Path) -> int:
    """The highest number that a load of this stream ever had: of files, of packs, and of damaged ones.

    Notes of pulls know loads by number, so that none is given twice.
    """
    highest = 0
    # Of the stream's own folder, of its packs, and of what was set aside.
    for path in (path for place in (folder, *(folder / name for name in BESIDE)) for path in parquet_files(place)):
        # 20261123T050000Z-000047-..., and pack-000001-000046-...
        parts = path.name.split("-")
        number = parts[2] if parts[0] == "pack" else parts[1] if len(parts) > 1 else ""
        if number.isdigit():
            highest = max(highest, int(number))
    return highest


def write_whole(folder: Path, name: str, write: Callable[[BinaryIO], None]) -> Path:
    """Write ``<name>~<checksum>.parquet``: it appears under this name with all its bytes, or not at all."""
    with draft(folder, name) as temporary:
        with temporary.open("wb") as sink:
            write(sink)
        # The file's own checksum stands in its name: damage to any byte, also of the footer, is found.
        path = folder / f"{name}{SEPARATOR}{checksum_of(temporary)}.parquet"
        settle(temporary, path)
    return path


def checksum_of(path: Path, *, from_disk: bool = False) -> str:
    """Return the digits of a file's SHA-256 that stand in its name.

    Raises:
        VanishedError: There is no such file.
        UnreadableError: The system does not let us read it.
    """
    return digest_of(path, from_disk=from_disk)[:16]
