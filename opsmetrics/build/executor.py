"""Execute a plan in this process: pulls side by side, everything else in order on one open working file.

Whoever executes stages does it through here: so nothing is built twice, what is unchanged is left alone, and damage is
repaired the same way everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import duckdb

from opsmetrics.build.context import Context
from opsmetrics.build.plan import Kind, Plan, Repair, Stage
from opsmetrics.build.pulling import pull_streams
from opsmetrics.build.stages import PullAgain, StageResult, perform
from opsmetrics.core.errors import WarehouseDamagedError
from opsmetrics.core.interrupts import ended_by_interrupt
from opsmetrics.sources import PullResult
from opsmetrics.warehouse import connect
from opsmetrics.warehouse.connection import kind_of

# What rests on ingested loads: in an empty working file none of these can be done.
_REST_ON_LOADS = {Kind.REFERENCE, Kind.SQL, Kind.SCORES, Kind.FINISH}


def _silent(_: object) -> None:
    """Show nothing."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Who is told how far a run has come.

    Attributes:
        planned: Called once with the stages that the run may take.
        begins: Called before a stage of the working file.
        ends: Called after a stage; pulls end on several threads.
    """

    planned: Callable[[tuple[Stage, ...]], None] = _silent
    begins: Callable[[Stage], None] = _silent
    ends: Callable[[Stage], None] = _silent


SILENT = Progress()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an execution did.

    Attributes:
        pulled: What each pull brought.
        results: Result of each stage of the working file that was performed, by the stage's name.
    """

    pulled: list[PullResult] = field(default_factory=list[PullResult])
    results: dict[str, StageResult] = field(default_factory=dict[str, StageResult])

    @property
    def damaged(self) -> dict[str, list[str]]:
        """One text per load that was found damaged, by stream."""
        found = self.results.get("ingest")
        return found.damaged if found else {}

    @property
    def is_current(self) -> bool:
        """Whether nothing had to be built."""
        found = self.results.get("compare")
        return found is not None and found.is_current


def execute(plan: Plan, context: Context, progress: Progress = SILENT) -> Outcome:
    """Execute a plan.

    Raises:
        WarehouseBusyError: Another process holds the working file, and still did after the wait that is set.
        WarehouseDamagedError: The working file was damaged, and again after it was built from nothing.
        OpsMetricsError: A stage failed.
    """
    outcome = Outcome()
    configured = context.organisation.streams
    pulls = {name: stage for stage in plan.of(Kind.PULL) if (name := _stream(stage)) in configured}
    # One clock for the whole run, however long the pulls take.
    settings = replace(context.settings, now=context.now)

    def pull(names: list[str]) -> None:
        wanted = [name for name in names if name in pulls]
        outcome.pulled.extend(
            pull_streams(settings, context.organisation, wanted, ended=lambda name: progress.ends(pulls[name]))
        )

    progress.planned((*pulls.values(), *plan.writing))
    pull(list(pulls))
    if plan.writing:
        again = pull if pulls else None
        for stage, result in perform_stages(plan, context, plan.writing, pull_again=again, progress=progress):
            outcome.results[stage.name] = result
    return outcome


def _stream(stage: Stage) -> str:
    return stage.makes[0].partition(".")[2]


def perform_stages(
    plan: Plan,
    context: Context,
    wanted: Sequence[Stage],
    *,
    pull_again: PullAgain | None = None,
    progress: Progress = SILENT,
) -> Iterator[tuple[Stage, StageResult]]:
    """Perform some stages of a plan on one open working file, and give each one's result as it is done.

    Where the build is found to be current already, the stages after that are left out, but for the publication. Where
    the working file is found damaged or empty, every stage of the plan before ``wanted`` is performed first, once.

    Raises:
        WarehouseBusyError: As :func:`execute`.
        WarehouseDamagedError: As :func:`execute`.
        OpsMetricsError: A stage failed.
    """
    given: set[str] = set()
    todo, is_repaired = tuple(wanted), False
    while True:
        try:
            with connect(context.settings.warehouse, context.settings.busy_seconds) as con, ended_by_interrupt(con):
                for stage, result in _perform_on(con, context, todo, pull_again, progress):
                    if stage in wanted and stage.name not in given:
                        given.add(stage.name)
                        yield stage, result
        except WarehouseDamagedError:
            if is_repaired or any(Repair.WORKING_FILE not in stage.repairs for stage in todo):
                raise
            todo, is_repaired = plan.until(wanted), True
        else:
            return


def _perform_on(
    con: duckdb.DuckDBPyConnection,
    context: Context,
    todo: Sequence[Stage],
    pull_again: PullAgain | None,
    progress: Progress,
) -> Iterator[tuple[Stage, StageResult]]:
    if todo[0].kind in _REST_ON_LOADS and kind_of(con, "meta.loads") is None:
        raise WarehouseDamagedError(f"{context.settings.warehouse}: no loads were ingested; run `opsmetrics build`")
    is_current = False
    for stage in todo:
        if is_current and stage.kind is not Kind.PUBLISH:
            continue
        progress.begins(stage)
        result = perform(con, context, stage, pull_again)
        progress.ends(stage)
        is_current |= result.is_current
        yield stage, result
