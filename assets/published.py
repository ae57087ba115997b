"""The published snapshot: runs only when every table was built and every blocking check passed."""

import dagster as dg

from assets.freshness import BUILT
from assets.keys import key_of, needs_of
from assets.resources import WRITER_POOL, Workspace
from opsmetrics.build import Kind, Plan, perform_stages
from opsmetrics.build.plan import SNAPSHOT_TABLE
from opsmetrics.core.errors import SnapshotError
from opsmetrics.core.settings import Settings
from opsmetrics.snapshots.store import current, open_current

SNAPSHOT = key_of(SNAPSHOT_TABLE)
_TEAMS = """
    select t.name_nb, s.score, s.coverage, s.level
    from scores.team as s join ref.teams as t using (team_id)
    where s.grain = 'latest' order by t.name_nb
"""


def snapshot_asset(plan: Plan) -> dg.AssetsDefinition:
    """Return the snapshot asset, downstream of every table."""
    (stage,) = plan.of(Kind.PUBLISH)

    @dg.asset(
        key=SNAPSHOT,
        deps=needs_of(stage),
        group_name="published",
        description="Immutable DuckDB file that the app and analysts read",
        kinds={"duckdb"},
        pool=WRITER_POOL,
        freshness_policy=BUILT,
        check_specs=[
            dg.AssetCheckSpec(
                "opens_and_holds_the_build", asset=SNAPSHOT, description="A reader finds this build in it"
            )
        ],
    )
    def published(workspace: dg.ResourceParam[Workspace]) -> dg.MaterializeResult:
        context = workspace.context()
        settings, wanted = context.settings, context.plan.of(Kind.FINISH, Kind.PUBLISH)
        (_, finished), (_, done) = perform_stages(context.plan, context, wanted)
        identity, found = str(finished.build_id), current(settings.snapshots)
        fault = _read(settings, identity)
        metadata: dict[str, dg.MetadataValue] = {
            "path": dg.MetadataValue.path(str(found.path)),
            "build_id": dg.MetadataValue.text(identity),
            "is_new": dg.MetadataValue.bool(done.is_new),
            "bytes": dg.MetadataValue.int(found.path.stat().st_size),
            "teams": dg.MetadataValue.md(_teams(settings)),
        }
        if settings.public_url:
            metadata["scorecard"] = dg.MetadataValue.url(settings.public_url)
        return dg.MaterializeResult(
            metadata=metadata,
            check_results=[
                dg.AssetCheckResult(
                    check_name="opens_and_holds_the_build",
                    passed=fault is None,
                    metadata={"result": fault or "it does"},
                )
            ],
        )

    return published


def _read(settings: Settings, identity: str) -> str | None:
    """Open what was published as a reader would; return what is wrong with it, or None."""
    try:
        found = current(settings.snapshots)
        with open_current(settings.snapshots) as con:
            ((held,),) = con.execute("select build_id from meta.build").fetchall()
    except SnapshotError as error:
        return str(error)
    return None if found.build_id == held == identity else f"it holds build {held}, not {identity}"


def _teams(settings: Settings) -> str:
    """Each team's score as it was published, for the Dagster page."""
    lines = ["| team | score | coverage | level |", "|---|---|---|---|"]
    with open_current(settings.snapshots) as con:
        for name, score, coverage, level in con.execute(_TEAMS).fetchall():
            shown = "-" if score is None else f"{score:.1f}"
            lines.append(f"| {name} | {shown} | {coverage:.0%} | {'-' if level is None else level} |")
    return "\n".join(lines)
