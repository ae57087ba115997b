-- title = "Scanner alerts: the winning load of each day; a row that moved counts once, as last known"
-- like_stream = "security_alerts"
select r.* exclude (_day, _line, _load_id), r._day as day
from raw.security_alerts as r
join meta.load_days as w on w.stream = 'security_alerts' and w.day = r._day and w.load_id = r._load_id
qualify row_number() over (partition by r.alert_id order by r._load_id desc, r._line desc) = 1
