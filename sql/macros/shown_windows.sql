-- title = "Windows of so many local days that end where diagnostics and alarms are shown: at month ends and now"
-- [arguments]
-- length_days = "Length of the window in local days; 0 for a state"
create or replace macro macros.shown_windows(length_days) as table
    select * from ref.windows where window_days = length_days and grain in ('month', 'latest')
