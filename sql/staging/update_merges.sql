-- title = "Merged bot updates: the winning load of each day"
-- like_stream = "update_merges"
select r.* exclude (_day, _line, _load_id), r._day as day
from raw.update_merges as r
join meta.load_days as w on w.stream = 'update_merges' and w.day = r._day and w.load_id = r._load_id
qualify row_number() over (partition by r.repository, r.commit_id order by r._load_id desc, r._line desc) = 1
