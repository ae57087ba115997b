"""How fast is the app, and does it stay so? ``python -m benchmarks.app [--loads N]``; needs a demo and Chromium.

Loads and clicks of one reader are timed in a real browser on the same machine, at 14 teams and at 504 teams over more
than three years; many readers at once speak the app's protocol, because their browsers would take the same cores.
Memory is the server's resident set. A click is judged against the same click on a page without tables (*About*).
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.async_api import Page, async_playwright

from benchmarks.figures import Figure, Report
from benchmarks.large import large_snapshot
from benchmarks.readers import reader
from door.rules import Limits
from opsmetrics.core.settings import Settings, environment
from opsmetrics.reports.addresses import ABOUT, OVERVIEW, PAGES

PORT = 8613
ADDRESS = f"http://127.0.0.1:{PORT}"
# The pages of the menu; one of a list is reached from its list, which stands before it.
PATHS = (*(page.path for page in PAGES if (page.is_in_menu or page.below) and page != OVERVIEW), OVERVIEW.path)
ROUNDS, READERS = 6, 25
READING_SECONDS, LONGEST_SECONDS = 10, 60
_ARRIVED = "h => document.querySelector('.ops h1')?.textContent !== h && !!document.querySelector('.ops footer')"
_LOOK_SECONDS = 0.005


async def load(page: Page, path: str = "") -> float:
    """Return the seconds until a page loaded from nothing shows its foot."""
    start = time.perf_counter()
    await page.goto(f"{ADDRESS}/{path}")
    await page.wait_for_selector(".ops footer", timeout=300_000)
    return time.perf_counter() - start


async def click(page: Page, path: str) -> float:
    """Return the seconds from a click in the menu, or in the list that is open, to the other page's foot."""
    before = await page.inner_text(".ops h1")
    link = page.locator(f'.menu nav a[href="/{path}"], table a[href^="/{path}?"]').first
    start = time.perf_counter()
    await link.click()
    # Asked from outside: what waits within the page evaluates text, which its policy refuses.
    while not await page.evaluate(_ARRIVED, before):
        if time.perf_counter() - start > LONGEST_SECONDS:
            raise TimeoutError(f"/{path} did not come")
        await asyncio.sleep(_LOOK_SECONDS)
    return time.perf_counter() - start


def percentile(values: list[float], share: float) -> float:
    """Return a percentile by rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def resident(pid: int) -> float:
    """Return the resident memory of a process, MiB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


async def one_reader(wait: float) -> list[float]:
    """One of many readers: ask for the overview and every page of the menu once, with time to read."""
    await asyncio.sleep(wait)
    found: list[float] = []
    async with reader(ADDRESS) as one:
        for path in (OVERVIEW.path, *PATHS):
            found.append(await one.ask(path))
            await asyncio.sleep(READING_SECONDS)
    return found


async def alone() -> list[float]:
    """The same pages, asked for by one reader, no faster than the gate lets one reader ask."""
    found: list[float] = []
    async with reader(ADDRESS) as one:
        for path in PATHS * ROUNDS:
            found.append(await one.ask(path))
            await asyncio.sleep(1 / Limits().frames_rate)
    return found


async def measure(name: str, pid: int, loads: int) -> None:
    """Print the figures of one snapshot."""
    report = Report()
    path = next((found for name in ("chromium", "google-chrome") if (found := shutil.which(name))), None)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = await browser.new_page()
        first = await load(page)
        warm = [await load(page) for _ in range(10)]
        times: dict[str, list[float]] = {path: [] for path in PATHS}
        for _ in range(ROUNDS):
            for path in PATHS:
                times[path].append(await click(page, path))
        every = [value for values in times.values() for value in values]
        plain = statistics.median(times[ABOUT.path])
        report.add(Figure(f"app: first content, {name}", first))
        report.add(Figure(f"app: warm overview, {name}", statistics.median(warm)))
        note = f"median {statistics.median(every):.2f} s"
        p95 = percentile(every, 0.95)
        report.add(Figure(f"app: click p95, {name}", p95, plain, "a click on a page without tables", note=note))
        for path, values in times.items():
            middle = statistics.median(values)
            print(f"    /{path:<14} {middle:.3f} s  {middle / plain:.1f} x a page without tables")
        single = statistics.median(await alone())
        # Spread over one reading, as people are.
        crowd = await asyncio.gather(*(one_reader(number * READING_SECONDS / READERS) for number in range(READERS)))
        together = [value for values in crowd for value in values]
        report.add(
            Figure(
                f"app: page p95 of {READERS} readers at once, {name}",
                percentile(together, 0.95),
                single,
                "one reader alone, median",
                note=f"median {statistics.median(together):.2f} s; each asks every {READING_SECONDS} s; no browser",
            )
        )
        marks = [resident(pid)]
        for number in range(loads):
            await load(page, PATHS[number % len(PATHS)])
            if (number + 1) % max(1, loads // 4) == 0:
                marks.append(resident(pid))
        note = f"after a quarter of the loads each: {' '.join(f'{mark:.0f}' for mark in marks)}"
        report.add(
            Figure(f"app: memory after {loads} loads, {name}", marks[-1], marks[0], "before", unit="MiB", note=note)
        )
        await browser.close()


def serve(home: Path, name: str, loads: int) -> None:
    """Run the app on one state folder and measure it."""
    with tempfile.NamedTemporaryFile() as log, environment({"OPSMETRICS_HOME": str(home)}):
        process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "opsmetrics", "app", "--port", str(PORT)],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            time.sleep(8)
            asyncio.run(measure(name, process.pid, loads))
        finally:
            process.terminate()
            process.wait(30)


def main() -> None:
    """Measure the demo, and 504 teams made of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loads", type=int, default=1000, help="page loads of the memory test; a fifth for 504 teams")
    loads = parser.parse_args().loads
    home = Settings.from_env().home.resolve()
    serve(home, "14 teams", loads)
    with tempfile.TemporaryDirectory() as work:
        large_snapshot(home, Path(work))
        serve(Path(work), "504 teams, three years", loads // 5)


if __name__ == "__main__":
    main()
