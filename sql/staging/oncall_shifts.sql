-- title = "On-call shifts: the winning load of each day; what several days tell of one is one row, from its start"
-- like_stream = "oncall_shifts"
select * exclude (first_starts_at, first_day, untold) replace (first_starts_at as starts_at, first_day as day)
from macros.lasting_rows('oncall_shifts', shift_id, starts_at)
