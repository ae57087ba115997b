"""One asset per SQL file: key, description, dependencies and contract check all come from the file."""

import dagster as dg

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


def model_asset(file: SqlFile, files: dict[str, SqlFile], catalogue: Catalogue) -> dg.AssetsDefinition:
    """Return the asset of one SQL file; its contract is a blocking check."""
    key = table_key(file.table)
    contract = contract_of(file, catalogue)

    @dg.asset(
        key=key,
        deps=dependency_keys(file, files),
        group_name=file.schema,
        description=contract.title,
        kinds={"sql"},
        pool=WRITER_POOL,
        metadata={"key": ", ".join(contract.key), "file": f"sql/{file.schema}/{file.path.name}"},
        check_specs=[
            dg.AssetCheckSpec(
                "contract", asset=key, description="Columns, key and ranges as the header says", blocking=True
            )
        ],
    )
    def model(workspace: Workspace) -> dg.MaterializeResult:
        context = workspace.context()
        with connect(context.settings.warehouse) as con:
            # A broken contract raises: the transaction rolls back and nothing downstream runs.
            built = build_table(
                con, context.files[file.table], context.catalogue, context.files, context.organisation.digest
            )
        metadata: dict[str, int] = {"dagster/row_count": built.rows}
        if built.days is not None:
            metadata["days_rebuilt"] = built.days
        return dg.MaterializeResult(
            metadata=metadata, check_results=[dg.AssetCheckResult(check_name="contract", passed=True)]
        )

    return model


def model_assets(files: dict[str, SqlFile], catalogue: Catalogue) -> list[dg.AssetsDefinition]:
    """Return the assets of all SQL files."""
    return [model_asset(file, files, catalogue) for file in files.values()]
