"""Names and dependencies of assets, from the build plan: an asset is called as the table that it is."""

import dagster as dg

from opsmetrics.build import Stage


def key_of(table: str) -> dg.AssetKey:
    """Return the asset key of a qualified table: [schema, table]."""
    return dg.AssetKey(table.split("."))


def needs_of(stage: Stage) -> list[dg.AssetKey]:
    """Return the keys of what a stage reads."""
    return sorted({key_of(table) for table in stage.needs}, key=lambda key: key.to_user_string())
