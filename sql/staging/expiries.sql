-- title = "Secrets and certificates: the winning load of each day"
-- like_stream = "expiries"
select r.* exclude (_day, _line, _load_id), r._day as day
from raw.expiries as r
join meta.load_days as w on w.stream = 'expiries' and w.day = r._day and w.load_id = r._load_id
qualify row_number() over (partition by r.expiry_id, r.observed_on order by r._load_id desc, r._line desc) = 1
