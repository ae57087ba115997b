-- title = "Backup copies: the winning load of each day"
-- like_stream = "backup_copies"
select r.* exclude (_day, _line, _load_id), r._day as day
from raw.backup_copies as r
join meta.load_days as w on w.stream = 'backup_copies' and w.day = r._day and w.load_id = r._load_id
qualify row_number() over (
    partition by r.datastore_id, r.copy_id, r.observed_on
    order by r._load_id desc, r._line desc
) = 1
