"""``scores.*``: one asset step, all tables that Python computes."""

from collections.abc import Iterator

import dagster as dg

from assets.freshness import BUILT
from assets.keys import key_of, needs_of
from assets.resources import WRITER_POOL, Workspace
from opsmetrics.build import Kind, Plan, perform_stages
from opsmetrics.scoring.tables import TABLES


def score_assets(plan: Plan) -> dg.AssetsDefinition:
    """Return the asset that turns values into points, areas, teams, gaps, plans, trends and changes."""
    (stage,) = plan.of(Kind.SCORES)

    @dg.multi_asset(
        name="scores",
        specs=[
            dg.AssetSpec(
                key_of(table),
                deps=needs_of(stage),
                group_name="scores",
                description=TABLES[table.partition(".")[2]].title,
                freshness_policy=BUILT,
            )
            for table in stage.makes
        ],
        pool=WRITER_POOL,
    )
    def scores(workspace: dg.ResourceParam[Workspace]) -> Iterator[dg.MaterializeResult]:
        context = workspace.context()
        for _, result in perform_stages(context.plan, context, context.plan.of(Kind.SCORES)):
            for table, rows in result.rows.items():
                yield dg.MaterializeResult(asset_key=key_of(table), metadata={"dagster/row_count": rows})

    return scores
