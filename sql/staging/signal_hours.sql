-- title = "Signal hours: the winning load of each day"
-- like_stream = "signal_hours"
select r.* exclude (_day, _line, _load_id), r._day as day
from raw.signal_hours as r
join meta.load_days as w on w.stream = 'signal_hours' and w.day = r._day and w.load_id = r._load_id
qualify row_number() over (
    partition by r.service_id, r.signal, r.tool, r.observed_on
    order by r._load_id desc, r._line desc
) = 1
