-- title = "Recovery points: the winning load of each day"
-- like_stream = "recovery_points"
select r.* exclude (_day, _line, _load_id), r._day as day
from raw.recovery_points as r
join meta.load_days as w on w.stream = 'recovery_points' and w.day = r._day and w.load_id = r._load_id
qualify row_number() over (partition by r.datastore_id, r.taken_at order by r._load_id desc, r._line desc) = 1
