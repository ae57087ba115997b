"""When things run: pulls every hour and every night, builds when something landed and every morning, upkeep each week.

All clocks are Oslo's. Does not belong here: what runs (``assets``) and what is sent about it (``pipelines.sensors``).
"""

from __future__ import annotations

from datetime import timedelta

import dagster as dg

from assets.freshness import ZONE
from assets.landing import DAILY

# Whoever starts the daemon wants it to run by itself.
RUNNING = dg.DefaultScheduleStatus.RUNNING


def _local_day(context: dg.ScheduleEvaluationContext, days_before: int) -> str:
    day = context.scheduled_execution_time.date() - timedelta(days=days_before)
    return day.strftime(DAILY.fmt)


def schedules() -> list[dg.ScheduleDefinition]:
    """Return the schedules of the jobs."""

    @dg.schedule(job_name="pull_daily", cron_schedule="30 4 * * *", execution_timezone=ZONE, default_status=RUNNING)
    def pull_daily_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        """Pull yesterday, and every earlier day that is still open, of every stream."""
        day = _local_day(context, 1)
        return dg.RunRequest(run_key=f"daily-{day}", partition_key=day, tags={"opsmetrics/window": day})

    @dg.schedule(job_name="pull_hourly", cron_schedule="10 6-22 * * *", execution_timezone=ZONE, default_status=RUNNING)
    def pull_hourly_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        """Pull today so far: it counts from tomorrow on, but a source that fails is known within the hour."""
        day = _local_day(context, 0)
        key = f"hourly-{context.scheduled_execution_time:%Y-%m-%dT%H}"
        return dg.RunRequest(run_key=key, partition_key=day, tags={"opsmetrics/window": day})

    def plain(job: str, cron: str, description: str) -> dg.ScheduleDefinition:
        return dg.ScheduleDefinition(
            name=f"{job}_schedule",
            job_name=job,
            cron_schedule=cron,
            execution_timezone=ZONE,
            description=description,
            default_status=RUNNING,
        )

    return [
        pull_daily_schedule,
        pull_hourly_schedule,
        plain("build_and_publish", "0 5 * * *", "A new day has new periods: registers are read and all is built"),
        plain("upkeep", "0 3 * * 0", "Back up, and prove that the backup can be restored"),
        plain("monthly_brief", "0 7 2 * *", "The brief of the month that ended, for the meeting"),
        plain("weekly_digest", "30 7 * * 1", "Reminders of what is new to settle"),
    ]
