-- title = "Alert rule states: the winning load of each day"
-- like_stream = "alert_rule_states"
select r.* exclude (_day, _line, _load_id), r._day as day
from raw.alert_rule_states as r
join meta.load_days as w on w.stream = 'alert_rule_states' and w.day = r._day and w.load_id = r._load_id
qualify row_number() over (
    partition by r.rule_id, r.service_id, r.observed_on
    order by r._load_id desc, r._line desc
) = 1
