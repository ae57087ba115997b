"""One asset per SQL file: key, description, dependencies and contract check all come from the file."""

from collections.abc import Iterator

import dagster as dg

from assets.freshness import BUILT
from assets.landing import raw_key
from assets.resources import WRITER_POOL, Workspace
from opsmetrics.catalogue import Catalogue
from opsmetrics.sqlfile import SqlFile
from opsmetrics.warehouse import build_table, connect
from opsmetrics.warehouse.build import contract_of

REFERENCE = dg.AssetKey(["meta", "reference"])


def table_key(table: str) -> dg.AssetKey:
    """Return the asset key of a qualified table: [schema, table]; reference tables share one asset."""
    schema, name = table.split(".")
    if schema == "raw":
        return raw_key(name)
    return REFERENCE if schema == "meta" else dg.AssetKey([schema, name])


def dependency_keys(file: SqlFile, files: dict[str, SqlFile]) -> list[dg.AssetKey]:
    """Return the assets that a file reads; ``ref`` tables without a file of their own come from the reference."""
    names = sorted(file.dependencies)
    keys = {REFERENCE if name.startswith("ref.") and name not in files else table_key(name) for name in names}
    return sorted(keys, key=lambda key: key.to_user_string())


def layer_asset(
    layer: str, chosen: list[SqlFile], files: dict[str, SqlFile], catalogue: Catalogue
) -> dg.AssetsDefinition:
    """Return the assets of one layer: one asset per SQL file, one step for all of them.

    A step costs Dagster more than most tables cost DuckDB (the demo's build: 28 s in 160 steps, 11 s in 13). Each
    file's contract is a blocking check of its own asset.
    """
    specs = [_spec(file, files, catalogue) for file in chosen]
    checks = [
        dg.AssetCheckSpec(
            "contract", asset=spec.key, description="Columns, key and ranges as the header says", blocking=True
        )
        for spec in specs
    ]

    @dg.multi_asset(name=layer, specs=specs, check_specs=checks, pool=WRITER_POOL, can_subset=True)
    def models(
        context: dg.AssetExecutionContext, workspace: Workspace
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        work = context.selected_asset_keys
        state = workspace.context()
        with connect(state.settings.warehouse) as con:
            for file in chosen:
                key = table_key(file.table)
                if key not in work:
                    continue
                # A broken contract raises: the transaction rolls back and nothing downstream runs.
                built = build_table(
                    con,
                    state.files[file.table],
                    state.catalogue,
                    state.files,
                    state.organisation.digest,
                    state.engine,
                )
                metadata: dict[str, int] = {"dagster/row_count": built.rows}
                if built.days is not None:
                    metadata["days_rebuilt"] = built.days
                yield dg.MaterializeResult(
                    asset_key=key,
                    metadata=metadata,
                    check_results=[dg.AssetCheckResult(check_name="contract", asset_key=key, passed=True)],
                )

    return models


def _spec(file: SqlFile, files: dict[str, SqlFile], catalogue: Catalogue) -> dg.AssetSpec:
    contract = contract_of(file, catalogue)
    return dg.AssetSpec(
        table_key(file.table),
        deps=dependency_keys(file, files),
        group_name=file.schema,
        description=contract.title,
        kinds={"sql"},
        freshness_policy=BUILT,
        metadata={"key": ", ".join(contract.key), "file": f"sql/{file.schema}/{file.path.name}"},
    )


def layer_assets(files: dict[str, SqlFile], catalogue: Catalogue) -> list[dg.AssetsDefinition]:
    """Return the assets of all SQL files, one definition a schema."""
    layers: dict[str, list[SqlFile]] = {}
    for file in files.values():
        # What reads computed scores cannot share a step with what scores are computed from.
        layers.setdefault("published" if file.schema == "scores" else file.schema, []).append(file)
    return [layer_asset(f"sql_{name}", chosen, files, catalogue) for name, chosen in layers.items()]
