-- title = "Pages: the winning load of each day; what several days tell of one is one row, from its start"
-- like_stream = "alerts"
select * exclude (first_starts_at, first_day) replace (first_starts_at as fired_at, first_day as day)
from macros.lasting_rows('alerts', alert_id, fired_at)
