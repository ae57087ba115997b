-- title = "Package version changes: the winning load of each day"
-- like_stream = "dependency_updates"
select r.* exclude (_day, _line, _load_id), r._day as day
from raw.dependency_updates as r
join meta.load_days as w on w.stream = 'dependency_updates' and w.day = r._day and w.load_id = r._load_id
qualify row_number() over (
    partition by r.repository, r.commit_id, r.ecosystem, r.package, r.from_version, r.to_version, r.from_digest, r.to_digest
    order by r._load_id desc, r._line desc
) = 1
