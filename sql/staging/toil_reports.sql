-- title = "Toil reports: the winning load of each day"
-- like_stream = "toil_reports"
select r.* exclude (_day, _line, _load_id), r._day as day
from raw.toil_reports as r
join meta.load_days as w on w.stream = 'toil_reports' and w.day = r._day and w.load_id = r._load_id
qualify row_number() over (partition by r.team_id, r.week_starts_on order by r._load_id desc, r._line desc) = 1
