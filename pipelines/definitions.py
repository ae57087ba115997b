"""The Dagster definitions of this code location."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from assets.landing import ingest, landing_assets
from assets.models import layer_assets
from assets.published import snapshot_asset
from assets.resources import Workspace
from assets.scores import score_assets
from opsmetrics.catalogue import load_catalogue
from opsmetrics.settings import default_sql_root
from opsmetrics.sqlfile import load_all


@dataclass(frozen=True, slots=True)
class Graph:
    """Every asset, not yet bound to resources.

    Attributes:
        pulls: One per stream; they write only their own landing files and may run side by side.
        tables: Ingest, models and scores; they share the working file and run one at a time.
        snapshot: The published snapshot, downstream of every table.
    """

    pulls: list[dg.AssetsDefinition]
    tables: list[dg.AssetsDefinition]
    snapshot: dg.AssetsDefinition


def build_graph(root: Path | None = None) -> Graph:
    """Return the assets of the SQL files below ``root``; reads no environment, no configuration and no data."""
    root = root or default_sql_root()
    files = load_all(root)
    catalogue = load_catalogue(root, files)
    tables = [ingest, *layer_assets(files, catalogue), score_assets(catalogue)]
    snapshot = snapshot_asset([key for definition in tables for key in definition.keys])
    return Graph(landing_assets(), tables, snapshot)


def build_definitions(workspace: Workspace | None = None) -> dg.Definitions:
    """Return fresh definitions for a code location or a test."""
    graph = build_graph()
    daily = [key for pull in graph.pulls if pull.partitions_def for key in pull.keys]
    registers = [key for pull in graph.pulls if not pull.partitions_def for key in pull.keys]
    tables = [key for definition in graph.tables for key in definition.keys]
    pull_job = dg.define_asset_job("pull_daily", selection=dg.AssetSelection.assets(*daily))
    # A new day brings new periods: everything above landing is built again, from what landed.
    build_job = dg.define_asset_job(
        "build_and_publish", selection=dg.AssetSelection.assets(*registers, *tables, *graph.snapshot.keys)
    )
    return dg.Definitions(
        assets=[*graph.pulls, *graph.tables, graph.snapshot],
        jobs=[pull_job, build_job],
        schedules=[
            dg.build_schedule_from_partitioned_job(pull_job, hour_of_day=4, minute_of_hour=30),
            dg.ScheduleDefinition(
                name="build_and_publish_schedule",
                job=build_job,
                cron_schedule="0 5 * * *",
                execution_timezone="Europe/Oslo",
            ),
        ],
        resources={"workspace": workspace or Workspace()},
        executor=dg.in_process_executor,
    )


defs = build_definitions()
