-- title = "Whether an incident is one of a window: declared by its end, and resolved in it or still open at its end"
-- [arguments]
-- declared_at = "Declared, UTC"
-- resolved_at = "Resolved, UTC; null = open, or untold"
-- untold = "Columns that its source cannot tell; where that is the end, it is of the windows in which it was declared"
-- starts_at = "Start of the window, UTC"
-- ends_at = "End of the window, UTC (exclusive)"
create or replace macro macros.concerns(declared_at, resolved_at, untold, starts_at, ends_at) as
-- Leaving an incident open takes it out of nothing (ADR 0010).
declared_at < ends_at
and case
    when macros.told(untold, 'resolved_at') then coalesce(resolved_at >= starts_at, true) else declared_at >= starts_at
end
