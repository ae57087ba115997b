"""``scores.*``: one asset step, all tables that Python computes."""

from collections.abc import Iterator

import dagster as dg

from assets.freshness import BUILT
from assets.models import REFERENCE, table_key
from assets.resources import WRITER_POOL, Workspace
from opsmetrics.catalogue import Catalogue
from opsmetrics.scoring.columns import COLUMNS
from opsmetrics.warehouse import connect, write_scores


def score_assets(catalogue: Catalogue) -> dg.AssetsDefinition:
    """Return the asset that turns values into points, areas, teams, gaps, plans, trends and changes."""
    inputs = [table_key(metric.file.table) for metric in catalogue.metrics]
    inputs += [table_key(gate.file.table) for gate in catalogue.gates]
    inputs += [dg.AssetKey(["ref", "metric_windows"]), REFERENCE]

    @dg.multi_asset(
        name="scores",
        specs=[
            dg.AssetSpec(
                dg.AssetKey(["scores", name]),
                deps=inputs,
                group_name="scores",
                description=COLUMNS[name][0],
                freshness_policy=BUILT,
            )
            for name in COLUMNS
        ],
        pool=WRITER_POOL,
    )
    def scores(workspace: Workspace) -> Iterator[dg.MaterializeResult]:
        context = workspace.context()
        with connect(context.settings.warehouse) as con:
            written = write_scores(con, context.catalogue, context.files)
        for name, rows in written.items():
            yield dg.MaterializeResult(asset_key=dg.AssetKey(["scores", name]), metadata={"dagster/row_count": rows})

    return scores
