"""All benchmarks but the growth of three years, and their table: ``make bench`` writes ``docs/performance.md``.

Each part runs in a process of its own, so that memory is its own; the file's table is replaced, its history grows by a
line.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.figures import COLLECT, HEADER, Figure
from opsmetrics.core.settings import environment

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- table: written by make bench -->", "<!-- end of table -->"
HISTORY = "<!-- history: make bench adds a line -->"
# What is followed over time: the first words of a figure's name, and the head of its column.
FOLLOWED = {
    "ingest": "ingest",
    "heavy daily facts": "heavy facts",
    "whole rebuild": "rebuild",
    "daily run": "daily run",
    "publish": "publish",
    "scores": "scores",
    "app: click p95, 504": "click p95",
}
PARTS: tuple[tuple[str, ...], ...] = (
    ("processes",),
    ("queries",),
    ("scores", "--repeat", "1"),
    ("warehouse",),
    ("others",),
    ("pulling",),
    ("clones",),
    ("app", "--loads", "200"),
)


def run(parts: tuple[tuple[str, ...], ...]) -> tuple[list[Figure], float]:
    """Run the parts on a demo of their own; return the figures and the seconds it took."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as work:
        collected = Path(work) / "figures.jsonl"
        with environment({"OPSMETRICS_HOME": f"{work}/demo", COLLECT: str(collected)}):
            demo = [sys.executable, "-m", "opsmetrics", "demo", "--no-app", "--from-files"]
            subprocess.run(demo, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own
            for name, *options in parts:
                print(f"\n{name}", flush=True)
                command = [sys.executable, "-m", f"benchmarks.{name}", *options]
                subprocess.run(command, cwd=ROOT, check=True)  # noqa: S603 - our own
        figures = [Figure(**json.loads(line)) for line in collected.read_text(encoding="utf-8").splitlines()]
    return figures, time.monotonic() - began


def write(figures: list[Figure], seconds: float) -> None:
    """Replace the document's table and add a line to its history."""
    text = DOCUMENT.read_text(encoding="utf-8")
    day = f"{datetime.now(tz=UTC):%Y-%m-%d}"
    missed = [figure.name for figure in figures if figure.holds is False]
    facts = f"{day}, {os.cpu_count()} cores, Python {platform.python_version()}, {seconds / 60:.0f} minutes."
    reached = f"Targets: {sum(figure.holds is True for figure in figures)} reached, {len(missed)} not."
    table = "\n".join([BEGIN, f"{facts} {reached}", "", HEADER, *(figure.row() for figure in figures), END])
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    line = " | ".join([day, *(_followed(figures, start) for start in FOLLOWED)])
    DOCUMENT.write_text(f"{head}{table}{tail}".replace(HISTORY, f"| {line} |\n{HISTORY}"), encoding="utf-8")


def _followed(figures: list[Figure], start: str) -> str:
    found = next((figure for figure in figures if figure.name.startswith(start)), None)
    if found is None:
        return ""
    return f"{found.value:.3g} {found.unit}" + (f" ({found.ratio:.2g})" if found.ratio is not None else "")


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", help="only this part; the document is left alone")
    only: list[str] = parser.parse_args().only or []
    figures, seconds = run(tuple(part for part in PARTS if not only or part[0] in only))
    print("\n" + "\n".join([HEADER, *(figure.row() for figure in figures)]))
    if not only:
        write(figures, seconds)


if __name__ == "__main__":
    main()
