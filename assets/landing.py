"""One asset per stream: pull into landing, daily partitions, any range in one run."""

import warnings
from datetime import date, timedelta

import dagster as dg

from assets.freshness import PULLED, ZONE
from assets.keys import key_of
from assets.resources import Workspace
from opsmetrics.build import Kind, Plan, Stage
from opsmetrics.core.errors import OpsMetricsError
from opsmetrics.reports.addresses import HEALTH
from opsmetrics.sources import PullResult, pull_stream
from opsmetrics.streams import STREAMS, Stream

# The history of a stream may begin before the scorecard's: a wide range, of which a run fills what exists.
# Today is one of them: the hourly pull fills it as far as it has come.
DAILY = dg.DailyPartitionsDefinition(start_date="2018-01-01", timezone=ZONE, end_offset=1)
RETRY = dg.RetryPolicy(max_retries=2, delay=10, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)


def _window(context: dg.AssetExecutionContext, stream: Stream) -> tuple[date, date] | None:
    """The asked days and those before them whose rows still change."""
    if stream.is_register or not context.has_partition_key_range:
        return None
    span = context.partition_key_range
    first = date.fromisoformat(span.start) - timedelta(days=stream.repull_days)
    return first, date.fromisoformat(span.end) + timedelta(days=1)


def _is_newest(context: dg.AssetExecutionContext) -> bool:
    """Whether this is a schedule's run, of yesterday or today: days that failed before are asked for with it."""
    if not context.has_partition_key_range:
        return True
    span = context.partition_key_range
    return span.start == span.end and span.end in DAILY.get_partition_keys()[-2:]


def _table(results: list[PullResult]) -> str:
    """Say what each source gave, as a table for the Dagster page."""
    lines = ["| source | days | loads | rows | set aside | already there |", "|---|---|---|---|---|---|"]
    for result in results:
        first = min((load.window_start for load in result.loads), default=None)
        last = max((load.window_end for load in result.loads), default=None)
        days = f"{first} to {last - timedelta(days=1)}" if first and last else "nothing new"
        counts = f"{len(result.loads)} | {result.rows} | {result.quarantined} | {result.unchanged}"
        lines.append(f"| {result.origin} | {days} | {counts} |")
    return "\n".join(lines)


def _outcome(results: list[PullResult], app: str | None = None) -> dg.MaterializeResult:
    quarantined = sum(result.quarantined for result in results)
    error = "\n".join(result.error for result in results if result.error)
    metadata: dict[str, dg.MetadataValue] = {
        "dagster/row_count": dg.MetadataValue.int(sum(result.rows for result in results)),
        "quarantined": dg.MetadataValue.int(quarantined),
        "loads": dg.MetadataValue.int(sum(len(result.loads) for result in results)),
        "unchanged": dg.MetadataValue.int(sum(result.unchanged for result in results)),
        "sources": dg.MetadataValue.md(_table(results)),
    }
    if app:
        metadata["data quality"] = dg.MetadataValue.url(HEALTH.at().url(app))
    told = "\n".join(text for result in results for text in result.told)
    if told:
        metadata["told"] = dg.MetadataValue.text(told)
    if error:
        metadata["error"] = dg.MetadataValue.text(error)
    return dg.MaterializeResult(
        metadata=metadata,
        check_results=[
            dg.AssetCheckResult(
                check_name="source_answered",
                passed=not error,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"error": dg.MetadataValue.text(error)},
            ),
            dg.AssetCheckResult(
                check_name="nothing_quarantined",
                passed=quarantined == 0,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"quarantined": dg.MetadataValue.int(quarantined)},
            ),
        ],
    )


def _stream_asset(stage: Stage, stream: Stream) -> dg.AssetsDefinition:
    key = key_of(stage.name)

    @dg.asset(
        key=key,
        group_name="landing",
        description=stream.doc,
        partitions_def=None if stream.is_register else DAILY,
        backfill_policy=None if stream.is_register else dg.BackfillPolicy.single_run(),
        retry_policy=RETRY,
        freshness_policy=PULLED,
        pool=f"pull_{stream.name}",
        kinds={"parquet"},
        check_specs=[
            dg.AssetCheckSpec("source_answered", asset=key, description="The source could be read"),
            dg.AssetCheckSpec("nothing_quarantined", asset=key, description="Every row keeps the contract"),
        ],
    )
    def landing(context: dg.AssetExecutionContext, workspace: dg.ResourceParam[Workspace]) -> dg.MaterializeResult:
        try:
            settings, organisation = workspace.settings(), workspace.organisation()
            if stream.name not in organisation.streams:
                return _outcome([])
            window = _window(context, stream)
            found = pull_stream(settings, organisation, stream.name, window, fill_gaps=_is_newest(context))
            return _outcome(found, settings.public_url)
        except OpsMetricsError as error:
            # The text says what to do already; trying again would not help. Everything else is retried. What stands
            # behind it stays out of Dagster's store: a library's own words may hold an address or a header.
            raise dg.Failure(str(error), allow_retries=False) from None

    return landing


def landing_assets(plan: Plan) -> list[dg.AssetsDefinition]:
    """Return the asset of every pull of the plan."""
    with warnings.catch_warnings():
        # Single-run backfills are still marked beta; without them a year is 365 runs.
        warnings.simplefilter("ignore", dg.BetaWarning)
        return [_stream_asset(stage, STREAMS[stage.name.partition(".")[2]]) for stage in plan.of(Kind.PULL)]
