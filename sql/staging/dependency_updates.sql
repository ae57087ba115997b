-- title = "Package version changes: the winning load of each day"
-- like_stream = "dependency_updates"
select r.* exclude (_day, _line, _load_id), r._day as day
from raw.dependency_updates as r
join meta.load_days as w on w.stream = 'dependency_updates' and w.day = r._day and w.load_id = r._load_id
