"""The Dagster definitions of this code location."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from assets.housekeeping import HOUSEKEEPING
from assets.ingest import ingest_asset
from assets.landing import landing_assets
from assets.meeting import BRIEF, DIGEST, MEETING
from assets.models import layer_assets
from assets.published import snapshot_asset
from assets.resources import WRITER_POOL, WRITER_TAG, Workspace
from assets.scores import score_assets
from opsmetrics.build import make_plan
from opsmetrics.catalogue import load_catalogue
from opsmetrics.catalogue.sqlfile import load_all
from opsmetrics.core.settings import default_sql_root
from pipelines.schedules import schedules
from pipelines.sensors import build_sensor, tell_failed_runs, tell_what_is_wrong


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


def build_graph(root: Path | None = None, organisation: Path | None = None) -> Graph:
    """Return the assets of the SQL files below ``root`` and of an organisation's own; reads no environment, no data."""
    root = root or default_sql_root()
    files = load_all(root, organisation)
    catalogue = load_catalogue(root, files, organisation)
    plan = make_plan(files, catalogue)
    tables = [ingest_asset(plan), *layer_assets(plan, files, catalogue), score_assets(plan)]
    return Graph(landing_assets(plan), tables, snapshot_asset(plan))


def _tags(graph: Graph, keys: list[dg.AssetKey]) -> dict[str, str]:
    """Return the tags of a job's runs."""
    writers = [asset for asset in [*graph.tables, graph.snapshot, *HOUSEKEEPING] if asset.op.pool == WRITER_POOL]
    # A build that died half-way begins again: its steps rest on one another's tables.
    tags = {"dagster/retry_strategy": "ALL_STEPS"}
    if any(key in writer.keys for writer in writers for key in keys):
        tags[WRITER_TAG] = "working_file"
    return tags


def build_definitions(workspace: Workspace | None = None) -> dg.Definitions:
    """Return fresh definitions for a code location or a test."""
    settings = (workspace or Workspace()).settings()
    graph = build_graph(settings.sql, settings.org)
    daily = [key for pull in graph.pulls if pull.partitions_def for key in pull.keys]
    registers = [key for pull in graph.pulls if not pull.partitions_def for key in pull.keys]
    tables = [key for definition in graph.tables for key in definition.keys]
    upkeep = [key for definition in HOUSEKEEPING for key in definition.keys]
    # A new day brings new periods: everything above landing is built again, from what landed.
    selections = {
        "pull_daily": daily,
        "pull_hourly": daily,
        "build_and_publish": [*registers, *tables, *graph.snapshot.keys],
        "upkeep": upkeep,
        "monthly_brief": [BRIEF],
        "weekly_digest": [DIGEST],
    }
    jobs = [
        dg.define_asset_job(name, selection=dg.AssetSelection.assets(*keys), tags=_tags(graph, keys))
        for name, keys in selections.items()
    ]
    return dg.Definitions(
        assets=[*graph.pulls, *graph.tables, graph.snapshot, *MEETING, *HOUSEKEEPING],
        jobs=jobs,
        schedules=schedules(),
        sensors=[build_sensor("build_and_publish"), tell_what_is_wrong, tell_failed_runs],
        resources={"workspace": (workspace or Workspace()).resource()},
        executor=dg.in_process_executor,
    )


defs = build_definitions()
