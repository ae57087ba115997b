-- title = "Whether an instant lies in a span of time: the start belongs to it, the end does not"
-- [arguments]
-- instant = "Instant, UTC"
-- starts_at = "Start of the span, UTC"
-- ends_at = "End of the span, UTC (exclusive)"
create or replace macro macros.within(instant, starts_at, ends_at) as instant >= starts_at and instant < ends_at
