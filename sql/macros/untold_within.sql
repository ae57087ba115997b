-- title = "Whether rows of untold columns reach into a window; a state is looked for as long as it can stand"
-- [arguments]
-- first_on = "First local day of such rows; null = a register, which holds at any time"
-- last_on = "Last local day of them"
-- starts_on = "First local day of the window"
-- on_day = "Last local day of the window"
-- window_days = "Length of the window in local days; 0 for a state"
create or replace macro macros.untold_within(first_on, last_on, starts_on, on_day, window_days) as
first_on is null or (first_on <= on_day and last_on >= case when window_days = 0 then on_day - 31 else starts_on end)
