-- title = "Capacity samples: the winning load of each day"
-- like_stream = "capacity_samples"
-- incremental = "day"
select r.* exclude (_day, _line, _load_id), r._day as day
from raw.capacity_samples as r
join meta.load_days as w on w.stream = 'capacity_samples' and w.day = r._day and w.load_id = r._load_id
qualify row_number() over (partition by r._day, r.resource_id, r.sampled_at order by w.sequence desc, r._line desc) = 1
