-- title = "Assessment findings: the newest register"
-- like_stream = "findings"
select r.* exclude (_day, _line, _load_id), r._day as day
from raw.findings as r
join meta.register_loads as w on w.stream = 'findings' and w.load_id = r._load_id
qualify row_number() over (partition by r.finding_id order by w.sequence desc) = 1
