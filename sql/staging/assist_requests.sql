-- title = "Assist requests: the winning load of each day; a row that moved to another day counts once, as last known"
-- like_stream = "assist_requests"
select r.* exclude (_day, _line, _load_id), r._day as day
from raw.assist_requests as r
join meta.load_days as w on w.stream = 'assist_requests' and w.day = r._day and w.load_id = r._load_id
qualify row_number() over (partition by r.request_id order by r._load_id desc, r._line desc) = 1
