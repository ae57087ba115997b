-- title = "Availability checks: the winning load of each day"
-- like_stream = "availability_checks"
-- incremental = "day"
select r.* exclude (_day, _line, _load_id), r._day as day
from raw.availability_checks as r
join meta.load_days as w on w.stream = 'availability_checks' and w.day = r._day and w.load_id = r._load_id
