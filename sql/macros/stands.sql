-- title = "Whether a state that was seen on one day still stands on another; one that is not seen again is gone"
-- [arguments]
-- observed_on = "Local day on which the state was seen"
-- day = "Local day of evaluation"
-- days = "Days for which a state stands"
create or replace macro macros.stands(observed_on, day, days := 14) as observed_on <= day and observed_on > day - days
