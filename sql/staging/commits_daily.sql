-- title = "Commits a day: the winning load of each day"
-- like_stream = "commits_daily"
select r.* exclude (_day, _line, _load_id), r._day as day
from raw.commits_daily as r
join meta.load_days as w on w.stream = 'commits_daily' and w.day = r._day and w.load_id = r._load_id
qualify row_number() over (
    partition by r.repository, r.committed_on, r.actor_kind
    order by r._load_id desc, r._line desc
) = 1
