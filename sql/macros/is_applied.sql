-- title = "Whether an update was applied by an instant, and not dismissed before"
-- [arguments]
-- applied_at = "Applied, UTC; null = not yet"
-- dismissed_at = "Dismissed, UTC; null = not"
-- as_of = "Instant of evaluation, UTC"
create or replace macro macros.is_applied(applied_at, dismissed_at, as_of) as
coalesce(applied_at < as_of and applied_at <= coalesce(dismissed_at, applied_at), false)
