-- title = "Merged bot updates: the winning load of each day"
-- like_stream = "update_merges"
select r.* exclude (_day, _line, _load_id), r._day as day
from raw.update_merges as r
join meta.load_days as w on w.stream = 'update_merges' and w.day = r._day and w.load_id = r._load_id
