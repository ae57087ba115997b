-- title = "Corrective actions: the newest register"
-- like_stream = "action_items"
select r.* exclude (_day, _line, _load_id), r._day as day
from raw.action_items as r
join meta.register_loads as w on w.stream = 'action_items' and w.load_id = r._load_id
qualify row_number() over (partition by r.action_id order by w.sequence desc) = 1
