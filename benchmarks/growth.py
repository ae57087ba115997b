"""How large does landing grow? ``python -m benchmarks.growth [--days N] [--loads-a-day N]``; needs a built demo.

Fifteen streams of the demo's forty services are landed day by day, as the schedules do: today so far every hour, and
the whole day the night after. Rows are the demo's own, moved through the years. Files, bytes and the time that listing
takes are counted before and after compaction, which runs once a month as it would.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl

from opsmetrics.core.settings import Settings
from opsmetrics.landing import Batch, compact, land, load_paths, names, read_load

STREAMS = 15
FIRST = date(2024, 1, 1)
FIRST_HOUR = 6


def day_frames(landing: Path) -> dict[str, list[pl.DataFrame]]:
    """Return, for the fifteen streams with most rows a day, the demo's frames of single days."""
    found: dict[str, list[pl.DataFrame]] = {}
    for folder in sorted(path for path in landing.iterdir() if path.is_dir()):
        frames = [pl.read_parquet(path) for path in load_paths(landing, folder.name) if read_load(path).rows]
        days = [day for frame in frames for _, day in frame.group_by("_day", maintain_order=True)]
        if days:
            found[folder.name] = days[-60:]
    busiest = sorted(found, key=lambda name: -sum(frame.height for frame in found[name]) / len(found[name]))
    return {name: found[name] for name in busiest[:STREAMS]}


def size(root: Path) -> tuple[int, float]:
    """Return files, and megabytes as the disk counts them."""
    files = [path.stat() for path in root.rglob("*.parquet")]
    return len(files), sum(item.st_blocks for item in files) * 512 / 1e6


def listing(root: Path, streams: list[str]) -> float:
    """Return the seconds that deciding what is new takes: the names of all loads, read anew."""
    start = time.perf_counter()
    for stream in streams:
        names(root, stream)
    return time.perf_counter() - start


def main() -> None:
    """Land the years, compact each month, print what it comes to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=1096)
    parser.add_argument("--loads-a-day", type=int, default=17)
    arguments = parser.parse_args()
    frames = day_frames(Settings.from_env().landing)
    rows = sum(sum(frame.height for frame in days) / len(days) for days in frames.values())
    print(f"{len(frames)} streams, {rows:,.0f} rows a day, {arguments.loads_a_day} loads a day and stream")
    with tempfile.TemporaryDirectory() as work:
        root = Path(work)
        highest = 0
        began = time.perf_counter()
        for number in range(arguments.days):
            day = FIRST + timedelta(days=number)
            for stream, days in frames.items():
                whole = days[number % len(days)].with_columns(_day=pl.lit(day))
                for load in range(1, arguments.loads_a_day + 1):
                    share = whole.head(whole.height * load // arguments.loads_a_day)
                    at = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=FIRST_HOUR + load)
                    batch = Batch(share, (day, day + timedelta(days=1)), "growth", f"{day}-{load}", origin="growth")
                    land(root, stream, batch, loaded_at=at)
            if day.day == 8:
                highest = max(highest, size(root)[0])
                for stream in frames:
                    compact(root, stream, datetime(day.year, day.month, day.day, 1, tzinfo=UTC))
        seconds = time.perf_counter() - began
        files, megabytes = size(root)
        loads = arguments.days * arguments.loads_a_day * len(frames)
        print(f"{loads:,} loads in {seconds:,.0f} s; {files:,} files, at most {highest:,}; {megabytes:,.0f} MB")
        print(f"listing all names: {listing(root, list(frames)):.2f} s, again {listing(root, list(frames)):.2f} s")
        later = datetime.combine(FIRST, datetime.min.time(), UTC) + timedelta(days=arguments.days + 60)
        forgotten = sum(compact(root, name, later, timedelta(days=7)).forgotten for name in frames)
        files, megabytes = size(root)
        print(
            f"then forgetting what was replaced before the last week: {files:,} files, {megabytes:,.0f} MB,"
            f" {forgotten:,} gone"
        )


if __name__ == "__main__":
    main()
