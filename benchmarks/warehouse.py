"""Landing to a published snapshot at full size: ``python -m benchmarks.warehouse [--teams N] [--days N]``.

Fifty million probe results, five million pages, two hundred thousand incidents, 500 teams, three years (method: one
run, page cache warm, limits measured in the same process). Limits: DuckDB's own copy of the same Parquet rows for the
ingest, one select that touches the same columns of the same rows once for the facts and the whole rebuild, a file copy
for the publication, the same day at 30 days of history for the daily run.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import duckdb

from benchmarks.estate import FED, Estate, land_estate, write_organisation
from benchmarks.figures import Figure, Report, peak_mib
from opsmetrics import build as plans
from opsmetrics.core.settings import Settings, default_sql_root
from opsmetrics.landing import load_paths
from opsmetrics.snapshots import store
from opsmetrics.streams import STREAMS
from opsmetrics.warehouse import connect, ingest
from opsmetrics.warehouse.connection import STORAGE_VERSION

# Everything between the landed probe results and the availability of each service and day.
HEAVY = (
    *("staging.availability_checks", "facts.monitor_days", "facts.monitors", "facts.monitor_day_runs"),
    *("facts.availability_runs", "facts.availability_daily"),
)
SHORT_DAYS = 30
READERS = 10
KNOWN_DAYS = 92


def settings_for(estate: Estate, home: Path, more: int = 0) -> Settings:
    """Return settings whose clock stands at the morning after the estate's last day, or ``more`` days later."""
    return Settings(home=home, org=home / "org", data=None, now=estate.now(more), sql=default_sql_root())


class Clock:
    """Seconds per step of a build."""

    def __init__(self) -> None:
        self.spans: dict[str, float] = {}
        self._name, self._since = "", time.perf_counter()

    def __call__(self, name: str) -> None:
        """End the step before and begin ``name``."""
        now = time.perf_counter()
        if self._name:
            self.spans[self._name] = self.spans.get(self._name, 0.0) + now - self._since
        self._name, self._since = name, now

    def total(self, names: Iterable[str] | None = None) -> float:
        """Return the seconds of some steps, default all."""
        self("")
        return sum(self.spans.get(name, 0.0) for name in (names or self.spans))

    def slowest(self, count: int, names: Iterable[str] | None = None) -> str:
        """Return the slowest of some steps, default of all, as text."""
        found = sorted(((name, self.spans[name]) for name in (names or self.spans)), key=lambda item: -item[1])[:count]
        return ", ".join(f"{name} {seconds:.1f}" for name, seconds in found)


def files_of(landing: Path, stream: str) -> str:
    """Return the stream's Parquet files as a SQL list."""
    return "[" + ", ".join(f"'{path}'" for path in load_paths(landing, stream)) + "]"


def scan(landing: Path, streams: Iterable[str]) -> float:
    """Return the seconds of one select that touches every contract column of every row once."""
    began = time.perf_counter()
    with duckdb.connect() as con:
        for stream in streams:
            touched = ", ".join(f'max("{column.name}")' for column in STREAMS[stream].columns)
            con.execute(f"select {touched}, max(_day) from read_parquet({files_of(landing, stream)})").fetchall()
    return time.perf_counter() - began


def own_copy(landing: Path, target: Path) -> float:
    """Return the seconds that DuckDB needs for the same rows: one statement a stream, no bookkeeping."""
    target.unlink(missing_ok=True)
    began = time.perf_counter()
    with duckdb.connect(str(target), config={"storage_compatibility_version": STORAGE_VERSION}) as con:
        for stream in FED:
            columns = ", ".join(f'"{column.name}"' for column in STREAMS[stream].columns)
            con.execute(
                f"create table {stream} as select {columns}, _day, _line from read_parquet({files_of(landing, stream)})"
            )
    seconds = time.perf_counter() - began
    target.unlink()
    return seconds


def copied(path: Path, target: Path) -> float:
    """Return the seconds of a plain copy of a file, with its bytes on the disk."""
    began = time.perf_counter()
    shutil.copyfile(path, target)
    with target.open("rb") as content:
        os.fsync(content.fileno())
    seconds = time.perf_counter() - began
    target.unlink()
    return seconds


def run_day(settings: Settings) -> Clock:
    """Build what is new and publish it, as the morning's run does."""
    clock = Clock()
    clock("configuration")
    context = plans.load_context(settings)
    plans.build_and_publish(context, plans.Progress(begins=lambda stage: clock(stage.name)))
    clock("")
    return clock


def one_more_day(estate: Estate, home: Path) -> Clock:
    """Land the next day and run it."""
    day = estate.end
    land_estate(estate, home / "landing", iter([(day, day + timedelta(days=1))]))
    return run_day(settings_for(estate, home, more=1))


def first_run(report: Report, estate: Estate, home: Path) -> Clock:
    """Measure ingest, facts, rebuild and memory on a whole estate; return the daily run after it."""
    began = time.perf_counter()
    rows = land_estate(estate, home / "landing")
    landing = home / "landing"
    size = sum(path.stat().st_size for path in landing.rglob("*.parquet")) / 1e6
    report.add(Figure("landing", time.perf_counter() - began, note=f"{rows:,} rows, {size:,.0f} MB, made and written"))
    settings = settings_for(estate, home)

    whole, checks = scan(landing, FED), scan(landing, FED[:1])
    limit = own_copy(landing, home / "copy.duckdb")
    began = time.perf_counter()
    with connect(settings.warehouse) as con:
        ingest(con, landing)
    ingested = time.perf_counter() - began
    report.add(Figure("ingest", ingested, limit, "DuckDB's own copy", 1 / 0.7, note=f"{rows / ingested:,.0f} rows/s"))

    clock = run_day(settings)
    heavy = clock.total(HEAVY)
    report.add(Figure("heavy daily facts", heavy, checks, "one scan of their columns", 3, note=clock.slowest(3, HEAVY)))
    total = ingested + clock.total()
    name = "whole rebuild, landing to snapshot"
    report.add(Figure(name, total, whole, "one scan of all rows", 5, note=clock.slowest(6)))
    report.add(Figure("peak memory of it", peak_mib(), unit="MiB", target=4096))
    return one_more_day(estate, home)


def as_known(report: Report, estate: Estate, home: Path) -> None:
    """Measure what it costs to say what was known at the end of a month: all of it is built again, from landing."""
    scratch = home / "known"
    scratch.mkdir()
    shutil.copytree(home / "org", scratch / "org")
    (scratch / "landing").symlink_to(home / "landing")
    settings = settings_for(estate, scratch)
    known_at = estate.now(KNOWN_DAYS - estate.days)
    began = time.perf_counter()
    built = plans.build(plans.load_context(settings, known_at))
    name = f"as-known rebuild of the month after {KNOWN_DAYS} days"
    report.add(
        Figure(name, time.perf_counter() - began, note=f"build {built.build_id[:12]}, ingest of all loads included")
    )
    shutil.rmtree(scratch)


def publishing(report: Report, settings: Settings) -> None:
    """Measure a publication while ten readers hold the snapshot before it."""
    readers = [store.open_current(settings.snapshots) for _ in range(READERS)]
    for reader in readers:
        reader.execute("select count(*) from scores.metric").fetchall()
    with connect(settings.warehouse) as con:
        con.execute("checkpoint")
    size = settings.warehouse.stat().st_size / 1e6
    limit = min(copied(settings.warehouse, settings.home / "copy.duckdb") for _ in range(3))
    with connect(settings.warehouse) as con:
        began = time.perf_counter()
        store.publish(con, settings.warehouse, settings.snapshots, build_id="bench", now=settings.clock())
        seconds = time.perf_counter() - began
    for reader in readers:
        reader.close()
    note = f"{size:,.0f} MB, {READERS} readers attached"
    report.add(Figure("publish", seconds, limit, "a file copy of the same bytes", 1.5, note=note))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--teams", type=int, default=500)
    parser.add_argument("--days", type=int, default=1096)
    parser.add_argument("--keep", type=Path, help="leave the state folder here")
    options = parser.parse_args()
    report = Report()
    with tempfile.TemporaryDirectory() as work:
        long = Estate(teams=options.teams, days=options.days)
        short = replace(long, first=long.end - timedelta(days=SHORT_DAYS), days=SHORT_DAYS)
        home, small = options.keep or Path(work) / "long", Path(work) / "short"
        for estate, folder in ((long, home), (short, small)):
            write_organisation(estate, folder / "org")
        grown = first_run(report, long, home)
        land_estate(short, small / "landing")
        run_day(settings_for(short, small))
        day = one_more_day(short, small)
        name = f"daily run at {long.days:,} days of history"
        limit = f"the same at {SHORT_DAYS} days"
        report.add(Figure(name, grown.total(), day.total(), limit, 1.2, note=grown.slowest(8)))
        publishing(report, settings_for(long, home, more=1))
        as_known(report, long, home)


if __name__ == "__main__":
    main()
