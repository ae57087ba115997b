"""What is noticed between schedules: new loads start a build, failed runs and stale sources are sent to a chat."""

from __future__ import annotations

import hashlib
import json

import dagster as dg

from assets.resources import Workspace
from opsmetrics.core.settings import Settings
from opsmetrics.landing import names
from opsmetrics.operations.health import issues
from opsmetrics.operations.notify import Message, NotifyError, post
from opsmetrics.organisation import load_organisation
from opsmetrics.reports.addresses import HEALTH
from opsmetrics.streams import STREAMS

RUNNING = dg.DefaultSensorStatus.RUNNING
UNDER_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


def landing_state(settings: Settings) -> str:
    """Digest of which loads there are, from their names alone."""
    loads = [name.load_id for stream in STREAMS for name in names(settings.landing, stream)]
    return hashlib.sha256("\n".join(loads).encode()).hexdigest()[:16]


def build_sensor(job: str) -> dg.SensorDefinition:
    """Start a build when loads have landed since the last one, unless one is under way.

    A condition on each asset would ask for hundreds of tables one by one, and could not tell a pull that landed
    something from one that found nothing new.
    """

    @dg.sensor(name="build_when_landed", job_name=job, minimum_interval_seconds=120, default_status=RUNNING)
    def build_when_landed(
        context: dg.SensorEvaluationContext, workspace: dg.ResourceParam[Workspace]
    ) -> dg.SensorResult | dg.SkipReason:
        """Build when something new has landed."""
        state = landing_state(workspace.settings())
        if state == context.cursor:
            return dg.SkipReason("nothing new has landed")
        busy = context.instance.get_runs(dg.RunsFilter(job_name=job, statuses=UNDER_WAY), limit=1)
        if busy:
            return dg.SkipReason(f"build {busy[0].run_id[:8]} is under way; what landed comes after it")
        return dg.SensorResult([dg.RunRequest(run_key=f"landed-{state}")], cursor=state)

    return build_when_landed


@dg.sensor(name="tell_what_is_wrong", minimum_interval_seconds=900, default_status=RUNNING)
def tell_what_is_wrong(
    context: dg.SensorEvaluationContext, workspace: dg.ResourceParam[Workspace]
) -> dg.SensorResult | dg.SkipReason:
    """Send what went stale or broke, and what is well again, once each."""
    settings = workspace.settings()
    now = settings.clock(load_organisation(settings.org).settings.now)
    found = {issue.key: issue.text for issue in issues(settings, now)}
    sent: dict[str, str] = json.loads(context.cursor or "{}")
    new = [text for key, text in found.items() if key not in sent]
    over = [text for key, text in sent.items() if key not in found]
    if not new and not over:
        return dg.SkipReason(f"nothing new; {len(found)} known")
    link = HEALTH.at().url(settings.public_url) if settings.public_url else None
    messages = [
        (new, f"{len(new)} new, {len(found)} in all to look at", sent | found),
        (over, f"{len(over)} well again", found),
    ]
    for lines, title, told in messages:
        try:
            if lines:
                post(settings, Message(f"Ops scorecard: {title}", tuple(lines), link))
        except NotifyError as error:
            # What was not taken is sent at the next tick, and what was taken is not sent again.
            return dg.SensorResult(skip_reason=dg.SkipReason(str(error)), cursor=json.dumps(sent))
        sent = told
    return dg.SensorResult(cursor=json.dumps(sent))


@dg.run_failure_sensor(name="tell_failed_runs", minimum_interval_seconds=30, default_status=RUNNING)
def tell_failed_runs(context: dg.RunFailureSensorContext, workspace: dg.ResourceParam[Workspace]) -> None:
    """Send that a run failed, at which step and why."""
    settings = workspace.settings()
    run = context.dagster_run
    lines = [f"{event.step_key}: {_first_line(event)}" for event in context.get_step_failure_events()] or [
        context.failure_event.message or "no step failed; see the run"
    ]
    link = f"{settings.dagster_url}/runs/{run.run_id}" if settings.dagster_url else None
    post(settings, Message(f"Ops scorecard: run {run.job_name} failed", tuple(lines), link))


def _first_line(event: dg.DagsterEvent) -> str:
    error = event.step_failure_data.error
    text = (error.cause or error).message if error else ""
    return next((line for line in text.splitlines() if line.strip()), "no reason was given")
