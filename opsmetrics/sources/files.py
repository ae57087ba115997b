"""The files source: CSV, JSON Lines and Parquet of any stream, one whole file or one file a day.

A whole file proves only the days it covers: those named by ``covers`` in sources.toml, else the days from its
first to its last row. A quiet day at the end of a file without ``covers`` is unknown, never quiet.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from opsmetrics.errors import Problem, SourceError
from opsmetrics.landing import Parcel
from opsmetrics.organisation import Organisation, StreamSource
from opsmetrics.sources.contract import apply_contract
from opsmetrics.sources.tables import read_table
from opsmetrics.streams import Stream

Window = tuple[date, date]


def files_root(organisation: Organisation, override: Path | None) -> Path:
    """Return the folder that ``path`` in sources.toml starts from."""
    return override if override is not None else (organisation.folder / organisation.sources.root).resolve()


def planned(
    organisation: Organisation, source: StreamSource, root: Path, today: date, window: Window | None
) -> Iterator[tuple[Path, Window | None]]:
    """Yield the files to read and, for daily files, the day each stands for.

    Raises:
        SourceError: The path leaves the root, or daily files were asked for without a range.
    """
    if not source.is_daily:
        yield _inside(organisation, root, source.path), None
        return
    first = window[0] if window else organisation.settings.history_from
    last = window[1] if window else today
    day = first
    while day < last:
        path = _inside(organisation, root, source.path.replace("{date}", day.isoformat()))
        if path.exists():
            yield path, (day, day + timedelta(days=1))
        day += timedelta(days=1)


def _inside(organisation: Organisation, root: Path, name: str) -> Path:
    """Return a path below the root or below the organisation's own folder (registers), nowhere else."""
    bases = [root.resolve(), organisation.folder.resolve()]
    candidates = [(base / name).resolve() for base in bases]
    allowed = [path for path, base in zip(candidates, bases, strict=True) if path.is_relative_to(base)]
    # A link that leads out is as far away as a path that does.
    if not any(path.exists() for path in allowed) and len(allowed) < len(bases):
        problem = Problem(
            str(organisation.folder / "sources.toml"), None, f"path {name!r} leaves the root", "stay below it"
        )
        raise SourceError(problem)
    return next((path for path in allowed if path.exists()), allowed[0])


def digest(path: Path, source: StreamSource, stream: Stream) -> str:
    """Digest of everything that decides the landed rows: bytes, mapping, contract."""
    total = hashlib.sha256()
    total.update(json.dumps([source.model_dump(mode="json"), asdict(stream)], sort_keys=True, default=str).encode())
    if path.exists():
        with path.open("rb") as content:
            while chunk := content.read(1 << 20):
                total.update(chunk)
    return total.hexdigest()


def read_parcel(
    organisation: Organisation,
    source: StreamSource,
    stream: Stream,
    path: Path,
    *,
    day: Window | None,
    window: Window | None,
    today: date,
    source_digest: str,
) -> Parcel:
    """Read one file into a parcel for the days it proves, cut to ``window`` where one is given.

    Raises:
        SourceError: The file cannot be read, or proves no day.
    """
    frame, dropped = apply_contract(
        read_table(path),
        stream,
        columns=source.columns,
        naive_time=source.naive_time,
        zone=organisation.settings.timezone,
        file=path,
    )
    covered = (today, today + timedelta(days=1)) if stream.is_register else day or _covered(source, frame, path)
    if not stream.is_register:
        frame = _outside(frame, covered)
        if source.valid_to is not None:
            # Another source delivers from there on; its days are not this file's to prove.
            limit = (date.min, source.valid_to)
            window = limit if window is None else (window[0], min(window[1], source.valid_to))
        if window is not None:
            covered = (max(covered[0], window[0]), min(covered[1], window[1]))
            frame = frame.filter(pl.col("_day").is_null() | pl.col("_day").is_between(*covered, closed="left"))
    return Parcel(frame, covered, path.name, source_digest, dropped_columns=dropped)


def _covered(source: StreamSource, frame: pl.DataFrame, path: Path) -> Window:
    if source.covers is not None:
        return source.covers[0], source.covers[1] + timedelta(days=1)
    days = frame.filter(pl.col("_reason").is_null())["_day"]
    first, last = days.min(), days.max()
    if not isinstance(first, date) or not isinstance(last, date):
        message = "no row keeps the contract and sources.toml names no days that the file covers"
        raise SourceError(Problem(str(path), None, message, "set covers = [first day, last day], or mend the file"))
    return first, last + timedelta(days=1)


def _outside(frame: pl.DataFrame, covered: Window) -> pl.DataFrame:
    """Set rows outside the covered days aside: the window would not be replaced with them."""
    late = pl.col("_reason").is_null() & ~pl.col("_day").is_between(*covered, closed="left")
    text = f"outside the days that the file covers ({covered[0]} to {covered[1] - timedelta(days=1)})"
    keys = [name for name in frame.columns if not name.startswith("_")]
    raw = pl.struct([pl.col(name).cast(pl.String) for name in keys]).struct.json_encode()
    return frame.with_columns(
        _raw=pl.when(late).then(raw).otherwise(pl.col("_raw")),
        _reason=pl.when(late).then(pl.lit(text)).otherwise(pl.col("_reason")),
    )
