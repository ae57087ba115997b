-- title = "Infrastructure states: the winning load of each day"
-- like_stream = "infrastructure_states"
select r.* exclude (_day, _line, _load_id), r._day as day
from raw.infrastructure_states as r
join meta.load_days as w on w.stream = 'infrastructure_states' and w.day = r._day and w.load_id = r._load_id
qualify row_number() over (partition by r.resource_id, r.observed_on order by r._load_id desc, r._line desc) = 1
