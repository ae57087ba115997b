"""What tells a file from what it was: its stat, the rules that it is read with, and the rows of each of its days."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable
from dataclasses import asdict
from datetime import date
from pathlib import Path

import polars as pl

from opsmetrics.landing import Batch, short_digest
from opsmetrics.organisation import StreamSource
from opsmetrics.sources.forms import BOUNDS
from opsmetrics.sources.notes import days_of
from opsmetrics.streams import Stream

# A file written this shortly ago may be written again without its times showing it: its bytes are compared next time.
YOUNG_SECONDS = 2.0


def rules_digest(source: StreamSource, stream: Stream, today: date) -> str:
    """Digest of what decides, beside its bytes, how a file is read: mapping, contract, and of plans the day."""
    # What was planned becomes what happened without a change of the file.
    rules = [source.model_dump(mode="json", exclude={"bounds"}), asdict(stream), today if stream.is_plan else None]
    return hashlib.sha256(json.dumps(rules, sort_keys=True, default=str).encode()).hexdigest()


def stat_of(paths: Iterable[Path]) -> list[int]:
    """Return what changes when one of some files is written or replaced, whatever its own time says.

    Empty where one of them is not there.
    """
    stat: list[int] = []
    for path in paths:
        try:
            found = path.stat()
        except OSError:
            return []
        stat += [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]
    return stat


def is_settled(stat: list[int]) -> bool:
    """Whether a later writing of the files would show in their times."""
    times = [value for place, value in enumerate(stat) if place % 4 in {1, 2}]
    return bool(times) and time.time_ns() - max(times) > YOUNG_SECONDS * 1e9


def day_digests(batch: Batch) -> dict[str, str]:
    """Return, for each day that a whole file covers, a digest of its rows in whatever order; empty for a quiet day.

    Lines are left out of it: a row that was added above moves them all. A day that is proven now and was not before has
    another digest, and so has each day of a file that tells other columns: an empty cell means something else then.
    """
    told = short_digest(",".join(batch.untold)) if batch.untold else ""
    sums = _hashed(batch.frame).group_by("_day").agg(pl.len(), pl.col("sum_1").sum(), pl.col("sum_2").sum())
    found = {day: f"{rows}.{first}.{second}" for day, rows, first, second in sums.iter_rows()}
    states = {day: state for start, end, state in batch.unproven for day in days_of((start, end))}
    return {day.isoformat(): found.get(day, "") + states.get(day, "") + told for day in days_of(batch.window)}


def content_digest(batch: Batch) -> str:
    """Return a digest of all rows in whatever order and of what was left out; empty where each row counts."""
    if batch.frame["_reason"].null_count() == batch.frame.height:
        return ""
    first, last = _hashed(batch.frame).select(pl.col("sum_1").sum(), pl.col("sum_2").sum()).row(0)
    columns = short_digest(repr((batch.untold, batch.dropped_columns)))
    return f"{batch.frame.height}.{first}.{last}.{columns}"


def _hashed(frame: pl.DataFrame) -> pl.DataFrame:
    """Return ``_day``, and two hashes of each row.

    Of 64 bits each: their numbers may change with the version of polars, and then the file lands once more.
    """
    content = frame.select(pl.exclude("_line", "_reason"), pl.col("_reason").str.replace_all(BOUNDS, "not between"))
    return frame.select("_day", *(content.hash_rows(seed).alias(f"sum_{seed}") for seed in (1, 2)))


def has_loose_rows(batch: Batch) -> bool:
    """Whether rows were set aside that belong to none of the covered days."""
    is_inside = pl.col("_day").is_between(*batch.window, closed="left").fill_null(value=False)
    return batch.frame.filter(~is_inside).height > 0
