"""The published snapshot: runs only when every table was built and every blocking check passed."""

import dagster as dg

from assets.resources import WRITER_POOL, Workspace
from opsmetrics import pipeline
from opsmetrics.warehouse import connect

SNAPSHOT = dg.AssetKey(["published", "snapshot"])


def snapshot_asset(tables: list[dg.AssetKey]) -> dg.AssetsDefinition:
    """Return the snapshot asset, downstream of every table."""

    @dg.asset(
        key=SNAPSHOT,
        deps=tables,
        group_name="published",
        description="Immutable DuckDB file that the app and analysts read",
        kinds={"duckdb"},
        pool=WRITER_POOL,
    )
    def published(workspace: Workspace) -> dg.MaterializeResult:
        context = workspace.context()
        settings = context.settings
        with connect(settings.warehouse) as con:
            identity = pipeline.finish(con, context)
        found, changed = pipeline.publish(context, identity)
        return dg.MaterializeResult(
            metadata={
                "path": dg.MetadataValue.path(str(found.path)),
                "build_id": identity,
                "is_new": changed,
                "bytes": found.path.stat().st_size,
            }
        )

    return published
