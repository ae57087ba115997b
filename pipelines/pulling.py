"""Pull several streams side by side with a progress line; long backfills show how far they have come."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from opsmetrics.organisation import Organisation
from opsmetrics.settings import Settings
from opsmetrics.sources import PullResult, pull_stream

PARALLEL = 4


def pull_streams(
    settings: Settings,
    organisation: Organisation,
    names: list[str],
    window: tuple[date, date] | None = None,
    *,
    origins: tuple[str, ...] = (),
    quiet: bool = False,
) -> list[PullResult]:
    """Pull streams from all their sources, or from ``origins``; results in the order of ``names``."""
    columns = (TextColumn("{task.description:<24}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=quiet or not console.is_terminal) as bar:

        def one(name: str) -> list[PullResult]:
            task = bar.add_task(name, total=None)
            return pull_stream(
                settings,
                organisation,
                name,
                window,
                origins=origins,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )

        with ThreadPoolExecutor(PARALLEL) as threads:
            return [result for results in threads.map(one, names) for result in results]
