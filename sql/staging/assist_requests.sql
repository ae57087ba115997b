-- title = "Assist requests: the winning load of each day; what several deliveries tell of one is one row"
-- like_stream = "assist_requests"
select * exclude (first_starts_at, first_day)
from macros.lasting_rows('assist_requests', request_id, asked_at)
