"""Progress displays on standard error; none where it is no terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from opsmetrics.build import Kind, Progress, Stage


def step_progress(*, quiet: bool) -> Progress:
    """Show the stage that is under way, on one line that is written over."""
    if quiet or not sys.stderr.isatty():
        return Progress()
    return Progress(begins=lambda stage: click.echo(f"\r\x1b[2K{stage.name}", nl=False, err=True))


@contextmanager
def run_progress(*, quiet: bool) -> Generator[Progress]:
    """Show a bar for the pulls and one for the build as long as the block lasts."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description:<6}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    is_off = quiet or not console.is_terminal
    with Bars(*columns, TextColumn("{task.fields[step]}"), console=console, disable=is_off) as bars:
        tasks = {name: bars.add_task(name, total=None, step="") for name in ("pull", "build")}

        def planned(stages: tuple[Stage, ...]) -> None:
            pulls = sum(stage.kind is Kind.PULL for stage in stages)
            bars.update(tasks["pull"], total=pulls)
            bars.update(tasks["build"], total=len(stages) - pulls)

        def ends(stage: Stage) -> None:
            bars.update(tasks["pull" if stage.kind is Kind.PULL else "build"], advance=1, step=stage.name)

        yield Progress(planned=planned, ends=ends)


@contextmanager
def pull_progress(*, quiet: bool) -> Generator[Callable[[str, int, int], None]]:
    """Show a bar for each stream; long backfills show how far they have come."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description:<24}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bars(*columns, console=console, disable=quiet or not console.is_terminal) as bars:
        tasks = {}

        def moved(stream: str, done: int, total: int) -> None:
            if stream not in tasks:
                tasks[stream] = bars.add_task(stream, total=None)
            bars.update(tasks[stream], completed=done, total=total)

        yield moved
