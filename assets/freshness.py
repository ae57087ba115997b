"""When each asset must have been made again; Dagster's own daemon judges it, no sensor needed."""

from datetime import timedelta

import dagster as dg

from opsmetrics.core.settings import Settings
from opsmetrics.organisation import configured_zone

# The zone of partitions, schedules and deadlines: the organisation's, as its folder says when the code location is
# loaded; Europe/Oslo where there is no folder yet. Dagster must know it before any run reads the configuration.
ZONE = configured_zone(Settings.from_env().org)
# Pulls run every hour of the day and every night: one missed night is worth a look, two are a fault.
PULLED = dg.FreshnessPolicy.time_window(warn_window=timedelta(hours=26), fail_window=timedelta(hours=50))
# The morning's build begins at five; by seven it is there for whoever opens the page.
BUILT = dg.FreshnessPolicy.cron(deadline_cron="0 7 * * *", lower_bound_delta=timedelta(hours=3), timezone=ZONE)
# Upkeep runs on Sundays at three.
WEEKLY = dg.FreshnessPolicy.cron(deadline_cron="0 7 * * 0", lower_bound_delta=timedelta(hours=5), timezone=ZONE)
# Reminders go out on Mondays at half past seven, the brief on the second of each month at seven.
REMINDED = dg.FreshnessPolicy.cron(deadline_cron="0 9 * * 1", lower_bound_delta=timedelta(hours=3), timezone=ZONE)
MONTHLY = dg.FreshnessPolicy.cron(deadline_cron="0 9 2 * *", lower_bound_delta=timedelta(hours=3), timezone=ZONE)
