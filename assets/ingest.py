"""``raw.*`` and the reference tables: one step that brings in what was landed."""

from collections.abc import Iterator

import dagster as dg

from assets.freshness import BUILT
from assets.keys import key_of, needs_of
from assets.resources import WRITER_POOL, Workspace
from opsmetrics.build import Kind, Plan, Stage, perform_stages
from opsmetrics.build.plan import REFERENCE_TABLE
from opsmetrics.streams import STREAMS
from opsmetrics.warehouse import connect
from opsmetrics.warehouse.row_count_anomalies import row_count_anomalies


def _specs(stage: Stage) -> list[dg.AssetSpec]:
    """One asset a stream; each rests on its own landing only."""
    return [
        dg.AssetSpec(
            key_of(f"raw.{name}"),
            deps=[key_of(f"landing.{name}")],
            group_name="raw",
            description=stream.doc,
            freshness_policy=BUILT,
        )
        for name, stream in STREAMS.items()
        if f"raw.{name}" in stage.makes
    ]


def _checks(table: str) -> list[dg.AssetCheckSpec]:
    return [
        dg.AssetCheckSpec(
            "every_load_is_whole",
            asset=key_of(table),
            description="Every new load has its checksum; others are set aside, restored or pulled again",
        ),
        dg.AssetCheckSpec(
            "rows_as_usual",
            asset=key_of(table),
            description="The newest whole day holds between a quarter and four times the usual number of rows",
        ),
    ]


def ingest_asset(plan: Plan) -> dg.AssetsDefinition:
    """Return the asset that brings new loads into raw and writes the reference tables."""
    ((stage,), (reference,)) = plan.of(Kind.INGEST), plan.of(Kind.REFERENCE)
    spec = dg.AssetSpec(
        key_of(REFERENCE_TABLE),
        deps=needs_of(reference),
        group_name="reference",
        description="ref.*, meta.metrics and the winning loads, from configuration and landing",
        freshness_policy=BUILT,
    )

    @dg.multi_asset(
        name="ingest",
        specs=[*_specs(stage), spec],
        check_specs=[check for table in stage.makes for check in _checks(table)],
        pool=WRITER_POOL,
    )
    def ingest(workspace: dg.ResourceParam[Workspace]) -> Iterator[dg.MaterializeResult]:
        context = workspace.context()
        (_, done), _ = perform_stages(context.plan, context, context.plan.of(Kind.INGEST, Kind.REFERENCE))
        with connect(context.settings.warehouse, context.settings.busy_seconds) as con:
            unusual = row_count_anomalies(con)
        for stream in STREAMS:
            yield _outcome(stream, done.rows.get(stream, 0), done.damaged.get(stream, []), unusual.get(stream))
        yield dg.MaterializeResult(asset_key=spec.key)

    return ingest


def _outcome(stream: str, rows: int, damaged: list[str], unusual: str | None) -> dg.MaterializeResult:
    key = key_of(f"raw.{stream}")
    return dg.MaterializeResult(
        asset_key=key,
        metadata={"rows_brought_in": rows},
        check_results=[
            dg.AssetCheckResult(
                check_name="every_load_is_whole",
                asset_key=key,
                passed=not damaged,
                metadata={"set_aside": dg.MetadataValue.text("\n".join(damaged))},
            ),
            dg.AssetCheckResult(
                check_name="rows_as_usual",
                asset_key=key,
                passed=unusual is None,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"found": dg.MetadataValue.text(unusual or "")},
            ),
        ],
    )
