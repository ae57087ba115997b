"""One asset per SQL file: key and dependencies come from the plan, description and contract check from the file."""

from collections.abc import Iterator, Mapping

import dagster as dg

from assets.freshness import BUILT
from assets.keys import key_of, needs_of
from assets.resources import WRITER_POOL, Workspace
from opsmetrics.build import Kind, Plan, Stage, perform_stages
from opsmetrics.catalogue import Catalogue
from opsmetrics.catalogue.sqlfile import SqlFile
from opsmetrics.catalogue.tables import table_of


def layer_asset(layer: str, chosen: list[Stage], specs: list[dg.AssetSpec]) -> dg.AssetsDefinition:
    """Return the assets of one layer: one asset per SQL file, one step for all of them.

    A step costs Dagster more than most tables cost DuckDB (the demo's build: 28 s in 160 steps, 11 s in 13). Each
    file's contract is a blocking check of its own asset.
    """
    checks = [
        dg.AssetCheckSpec(
            "contract", asset=spec.key, description="Columns, key and ranges as the header says", blocking=True
        )
        for spec in specs
    ]

    @dg.multi_asset(name=layer, specs=specs, check_specs=checks, pool=WRITER_POOL, can_subset=True)
    def models(
        context: dg.AssetExecutionContext, workspace: dg.ResourceParam[Workspace]
    ) -> Iterator[dg.MaterializeResult]:
        state = workspace.context()
        wanted = [stage for stage in chosen if key_of(stage.name) in context.selected_asset_keys]
        # A broken contract raises: the transaction rolls back and nothing downstream runs.
        for stage, result in perform_stages(state.plan, state, wanted):
            metadata: dict[str, int | bool] = {
                "dagster/row_count": result.rows[stage.name],
                "unchanged": result.is_unchanged,
            }
            if result.days is not None:
                metadata["days_rebuilt"] = result.days
            key = key_of(stage.name)
            yield dg.MaterializeResult(
                asset_key=key,
                metadata=metadata,
                check_results=[dg.AssetCheckResult(check_name="contract", asset_key=key, passed=True)],
            )

    return models


def _spec(stage: Stage, file: SqlFile, catalogue: Catalogue) -> dg.AssetSpec:
    table = table_of(file, catalogue)
    return dg.AssetSpec(
        key_of(stage.name),
        deps=needs_of(stage),
        group_name=file.schema,
        description=table.title,
        kinds={"sql"},
        freshness_policy=BUILT,
        metadata={"key": ", ".join(table.key), "file": f"sql/{file.place}"},
    )


def layer_assets(plan: Plan, files: Mapping[str, SqlFile], catalogue: Catalogue) -> list[dg.AssetsDefinition]:
    """Return the assets of all SQL files, one definition a schema."""
    layers: dict[str, list[Stage]] = {}
    for stage in plan.of(Kind.SQL):
        # What reads computed scores cannot share a step with what scores are computed from.
        schema = files[stage.name].schema
        layers.setdefault("published" if schema == "scores" else schema, []).append(stage)
    return [
        layer_asset(f"sql_{name}", chosen, [_spec(stage, files[stage.name], catalogue) for stage in chosen])
        for name, chosen in layers.items()
    ]
