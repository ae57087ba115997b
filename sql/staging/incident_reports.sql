-- title = "Status page reports: the newest register"
-- like_stream = "incident_reports"
select r.* exclude (_day, _line, _load_id), r._day as day
from raw.incident_reports as r
join meta.register_loads as w on w.stream = 'incident_reports' and w.load_id = r._load_id
qualify row_number() over (partition by r.provider, r.report_id order by w.sequence desc) = 1
