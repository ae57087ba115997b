-- title = "Days for which an update waited: until it was applied, was dismissed, or the instant of evaluation came"
-- [arguments]
-- available_at = "Became available, UTC"
-- applied_at = "Applied, UTC; null = not yet"
-- dismissed_at = "Dismissed, UTC; null = not"
-- as_of = "Instant of evaluation, UTC"
create or replace macro macros.days_waiting(available_at, applied_at, dismissed_at, as_of) as
epoch_us(least(as_of, coalesce(applied_at, as_of), coalesce(dismissed_at, as_of)) - available_at) / 86400e6
