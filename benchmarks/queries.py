"""Every query that the app runs, on the snapshot of a state folder: ``python -m benchmarks.queries [--home FOLDER]``.

All pages are run as their readers see them, with nothing kept from before; the time of each query is what DuckDB and
Polars need for it. Default: 504 teams over more than three years, copied from the demo's snapshot.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self
from unittest.mock import patch

import duckdb
from polars import DataFrame
from streamlit.testing.v1 import AppTest

from benchmarks.figures import Figure, Report
from benchmarks.large import large_snapshot
from opsmetrics.core.settings import Settings, environment
from opsmetrics.reports.addresses import CONFIGURE, PAGES
from opsmetrics.snapshots.queries import reader

VIEWS = tuple(page.name for page in PAGES if page != CONFIGURE)  # it shows nothing until it is filled in
TARGET_MS = 50


class TimedCursor:
    """A cursor that notes how long each select takes."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, spans: dict[str, list[float]]) -> None:
        self._cursor, self._spans = cursor, spans

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._cursor.close()

    def execute(self, sql: str) -> None:
        """Run a setting."""
        self._cursor.execute(sql)

    def sql(self, sql: str, params: Mapping[str, Any] | None = None) -> TimedAnswer:
        """Prepare a select; it runs when its frame is asked for."""
        return TimedAnswer(self._cursor, sql, params, self._spans)


class TimedAnswer:
    """A select that has not run yet."""

    def __init__(
        self,
        cursor: duckdb.DuckDBPyConnection,
        sql: str,
        params: Mapping[str, Any] | None,
        spans: dict[str, list[float]],
    ) -> None:
        self._cursor, self._sql, self._params, self._spans = cursor, sql, params, spans

    def pl(self) -> DataFrame:
        """Run it."""
        began = time.perf_counter()
        found = (
            self._cursor.sql(self._sql, params=self._params).pl() if self._params else self._cursor.sql(self._sql).pl()
        )
        self._spans.setdefault(" ".join(self._sql.split()), []).append((time.perf_counter() - began) * 1000)
        return found


def script(view: str) -> None:
    """Run one page; Streamlit runs this function's source alone."""
    import importlib  # noqa: PLC0415 - as said

    importlib.import_module(f"scorecard_app.views.{view}").render()


def queries(home: Path) -> dict[str, list[float]]:
    """Return the milliseconds of every query of every page, in both languages, by its text."""
    spans: dict[str, list[float]] = {}
    connect = vars(reader)["_cursor"]
    # All queries go through this one place.
    timed = patch.object(reader, "_cursor", lambda path: TimedCursor(connect(path), spans))
    with timed, environment({"OPSMETRICS_HOME": str(home)}):
        for language in ("nb", "en"):
            vars(reader)["_answers"].clear()
            for view in VIEWS:
                app = AppTest.from_function(script, kwargs={"view": view}, default_timeout=300)
                app.query_params["lang"] = language
                app.run()
                if app.exception:
                    raise RuntimeError(f"{view}: {app.exception}")
    return spans


def measure(home: Path, report: Report, label: str, show: int) -> None:
    """Add the slowest query and the median."""
    spans = queries(home)
    best = {sql: min(times) for sql, times in spans.items()}
    ordered = sorted(best.items(), key=lambda item: -item[1])
    slow = sum(milliseconds > TARGET_MS for _, milliseconds in ordered)
    median = ordered[len(ordered) // 2][1]
    note = f"{len(ordered)} queries, median {median:.1f} ms, {slow} above; slowest: {ordered[0][0][:90]}".replace(
        "|", "/"
    )
    report.add(Figure(f"slowest query of the app, {label}", ordered[0][1], unit="ms", target=TARGET_MS, note=note))
    for sql, milliseconds in ordered[:show]:
        print(f"    {milliseconds:7.1f} ms  {sql[:200]}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, help="state folder with a snapshot; default: 504 teams made of the demo's")
    parser.add_argument("--show", type=int, default=0, help="print the slowest queries")
    options = parser.parse_args()
    # Streamlit says of every page that no browser is there.
    logging.disable(logging.WARNING)
    report = Report()
    if options.home:
        measure(options.home.resolve(), report, options.home.name, options.show)
        return
    with tempfile.TemporaryDirectory() as work:
        large_snapshot(Settings.from_env().home.resolve(), Path(work))
        measure(Path(work), report, "504 teams, three years", options.show)


if __name__ == "__main__":
    main()
