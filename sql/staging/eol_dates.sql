-- title = "End-of-support dates: the newest register"
-- like_stream = "eol_dates"
select r.* exclude (_day, _line, _load_id), r._day as day
from raw.eol_dates as r
join meta.register_loads as w on w.stream = 'eol_dates' and w.load_id = r._load_id
qualify row_number() over (partition by r.product, r.cycle order by w.sequence desc) = 1
