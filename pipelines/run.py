"""Run everything in this process: the same assets as the schedule, pulls side by side, with a progress display."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import dagster as dg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from assets.resources import Workspace
from opsmetrics import pipeline
from opsmetrics.backup import mend
from opsmetrics.errors import OpsMetricsError, WarehouseDamagedError
from opsmetrics.settings import Settings
from opsmetrics.snapshot import current, open_current, published
from opsmetrics.warehouse import connect, ingest
from pipelines.definitions import Graph, build_graph

PARALLEL_PULLS = 4
# Failures are raised and printed by the command line; the event log would drown the progress display.
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def run_everything(settings: Settings, *, quiet: bool) -> dict[str, Any]:
    """Pull every configured stream, build what changed, publish.

    Args:
        settings: Where things are.
        quiet: No progress display (it is off anyway where standard error is no terminal).

    Returns:
        ``ok``, ``path`` of the current snapshot, ``build_id``, ``changed``, ``errors`` (one text per source that
        could not be read; the others are still published), ``set_aside`` (one text per damaged load), ``at_risk`` (one
        text per gap that a source will soon have forgotten) and ``seconds``.
    """
    started = time.monotonic()
    context = pipeline.load_context(settings)
    workspace = Workspace(
        home=str(settings.home),
        org=str(settings.org),
        data=str(settings.data or ""),
        now=context.now.isoformat(),
    )
    graph = build_graph(settings.sql)
    console = Console(stderr=True)
    columns = (TextColumn("{task.description:<6}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.fields[step]}"), console=console, disable=quiet) as bar:
        errors = _pull(graph, workspace, context, bar, set(context.organisation.streams))
        damaged = _ingest(context)
        if damaged:
            # What the backup or the source still has is landed again before the build.
            mend(settings, damaged)
            errors += _pull(graph, workspace, context, bar, set(damaged))
            _ingest(context)
        try:
            changed = _build(graph, workspace, context, bar)
        except WarehouseDamagedError:
            # It is set aside; landing makes it again.
            _ingest(context)
            changed = _build(graph, workspace, context, bar)
    snapshot = current(settings.snapshots)
    return {
        "ok": not errors,
        "path": str(snapshot.path),
        "build_id": snapshot.build_id,
        "changed": changed,
        "errors": list(dict.fromkeys(errors)),
        "set_aside": [text for texts in damaged.values() for text in texts],
        "at_risk": _at_risk(settings),
        "seconds": round(time.monotonic() - started, 1),
    }


def _at_risk(settings: Settings) -> list[str]:
    """Say which gaps become permanent within a week; after that they are named in ``marts.missing_days``."""
    with open_current(settings.snapshots) as con:
        rows = con.execute(
            "select stream, origin, starts_on, ends_on, lost_on from marts.missing_days where state = 'at_risk'"
            " order by lost_on, stream, origin"
        ).fetchall()
    return [
        f"{stream} from {origin}: {first} to {last} are missing, and the source forgets them from {lost} on"
        for stream, origin, first, last, lost in rows
    ]


def _pull(graph: Graph, workspace: Workspace, context: pipeline.Context, bar: Progress, streams: set[str]) -> list[str]:
    """Materialise the landing asset of each of the streams that is configured, several at a time."""
    wanted = [pull for pull in graph.pulls if pull.key.path[1] in streams & set(context.organisation.streams)]
    task = bar.add_task("pull", total=len(wanted), step="")

    def one(pull: dg.AssetsDefinition) -> list[str]:
        # Without a partition range a pull takes all days that its files cover.
        try:
            result = dg.materialize([pull], resources={"workspace": workspace}, run_config=QUIET)
        except dg.Failure as failure:
            raise OpsMetricsError(failure.description) from failure
        bar.update(task, advance=1, step=pull.key.path[1])
        return [
            str(text.value)
            for check in result.get_asset_check_evaluations()
            if not check.passed and (text := check.metadata.get("error")) is not None and text.value
        ]

    with ThreadPoolExecutor(PARALLEL_PULLS) as threads:
        return [error for errors in threads.map(one, wanted) for error in errors]


def _ingest(work: pipeline.Context) -> dict[str, list[str]]:
    """Bring new loads in; return one text per load that was found damaged, by stream."""
    with connect(work.settings.warehouse) as con:
        return ingest(con, work.settings.landing, work.engine.landed).damaged


def _build(graph: Graph, workspace: Workspace, work: pipeline.Context, bar: Progress) -> bool:
    """Materialise everything below the pulls, unless the published snapshot already holds just that."""
    with connect(work.settings.warehouse) as con:
        wanted = pipeline.build_id(con, work)
    if published(work.settings.snapshots, wanted) is not None:
        # Published already; a process killed just after that may not have landed what it published.
        pipeline.publish(work, wanted)
        return False
    task = bar.add_task("build", total=len(graph.tables) + 1, step="")

    @dg.success_hook
    def tick(context: Any) -> None:
        bar.update(task, advance=1, step=context.op.name)

    assets = [*graph.tables, graph.snapshot]
    job = dg.define_asset_job("run", selection=dg.AssetSelection.assets(*assets), hooks={tick})
    scope = dg.Definitions(
        assets=assets, jobs=[job], resources={"workspace": workspace}, executor=dg.in_process_executor
    )
    scope.resolve_job_def("run").execute_in_process(run_config=QUIET)
    return True
